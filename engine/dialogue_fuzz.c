/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes a server sends in a session, in pieces as long as the first byte says, and then the end: the session comes
 * to its end too, and every recipient's fate is known. */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "engine/dialogue.h"
#include "engine/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { RECIPIENTS = 3, ROUNDS_MAX = 50 };

struct run {
    struct dialogue *dialogue; /* NULL: it has ended */
    bool settled;
};

static bool is_one_line(const char *text)
{
    return text != NULL && !message_has_bare_end(text, strlen(text));
}

static void check(const struct run *run, const struct dialogue_result *result)
{
    for (size_t i = 0; i < RECIPIENTS; i++) {
        const struct dialogue_recipient *r = &result->recipients[i];
        if (r->fate != FATE_DELIVERED && r->fate != FATE_FAILED)
            abort();
        if ((r->fate == FATE_FAILED) != (r->failure.cause != CAUSE_NONE))
            abort();
        if (r->fate == FATE_FAILED ? !is_one_line(r->failure.text) : !run->settled || !is_one_line(result->reply))
            abort();
    }
}

static void on_settled(void *arg, const struct dialogue_result *result)
{
    struct run *run = arg;
    if (run->settled || !is_one_line(result->reply))
        abort();
    run->settled = true;
}

static void on_done(void *arg, const struct dialogue_result *result)
{
    struct run *run = arg;
    check(run, result);
    run->dialogue = NULL;
}

static void turn(struct loop *loop, struct bufferevent *server)
{
    event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    struct evbuffer *heard = bufferevent_get_input(server);
    evbuffer_drain(heard, evbuffer_get_length(heard));
}

static void converse(struct loop *loop, struct bufferevent *server, struct run *run, const uint8_t *bytes, size_t size)
{
    size_t step = size > 0 ? bytes[0] + 1U : 1;
    for (size_t at = 1; at < size && run->dialogue != NULL; at += step) {
        bufferevent_write(server, bytes + at, size - at < step ? size - at : step);
        turn(loop, server);
    }
    bufferevent_flush(server, EV_WRITE, BEV_FINISHED);
    for (int i = 0; i < ROUNDS_MAX && run->dialogue != NULL; i++)
        turn(loop, server);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const recipients[RECIPIENTS] = {"a@x.example", "b@x.example", "c@x.example"};
    static const char content[] = "Subject: x\r\n\r\n.\r\nx\r\n";
    const struct dialogue_job job = {
        .hostname = "relay.example",
        .sender = "s@z.example",
        .recipients = recipients,
        .recipient_count = RECIPIENTS,
        .content = content,
        .length = sizeof content - 1,
        .tls_demanded = size > 0 && bytes[0] == 0xff,
        .timeouts = {60, 60, 60, 60, 60, 60, 60, 60, 60},
    };
    struct loop *loop = loop_new(NULL);
    struct arena *arena = arena_new("fuzz");
    struct bufferevent *pair[2];
    if (loop == NULL || bufferevent_pair_new(loop_base(loop), BEV_OPT_CLOSE_ON_FREE, pair) != 0)
        abort();
    bufferevent_enable(pair[0], EV_READ | EV_WRITE);
    struct run run = {NULL, false};
    run.dialogue = dialogue_start(loop, arena, pair[1], &job, on_settled, on_done, &run);
    converse(loop, pair[0], &run, bytes, size);
    if (run.dialogue != NULL)
        abort();
    bufferevent_free(pair[0]);
    arena_free(&arena);
    loop_free(&loop);
    return 0;
}
