/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/router.h"

static void read_header(struct router *r, int64_t message)
{
    struct err err;
    if (r->arena != NULL && r->message == message)
        return;
    arena_free(&r->arena);
    r->arena = arena_new("header");
    r->message = message;
    size_t length;
    r->header = queue_content(r->queue, r->arena, message, &length, &err);
    r->header_length = r->header != NULL ? message_header_length(r->header, length) : 0;
}

struct connector_choice router_choose(struct router *r, const struct queued *recipient)
{
    struct route_question question = {.sender = recipient->sender,
                                      .recipient = recipient->address,
                                      .domain = recipient->domain};
    if (connector_reads_header(r->routing)) {
        read_header(r, recipient->message);
        question.header = r->header;
        question.header_length = r->header_length;
    }
    return connector_choose(r->routing, &question);
}

void router_end(struct router *r)
{
    arena_free(&r->arena);
}
