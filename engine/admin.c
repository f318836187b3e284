/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/admin.h"

#include <string.h>

enum { LIST_MAX = 10000 };

static json_t *row_of(const struct queued *r)
{
    json_t *row =
        json_pack("{s:I,s:s,s:s,s:s,s:I,s:I,s:I,s:s,s:s}", "message", (json_int_t)r->message, "recipient", r->address,
                  "sender", r->sender, "state", recipient_state_names[r->state], "arrived", (json_int_t)r->arrived,
                  "due", (json_int_t)r->due, "attempts", (json_int_t)r->attempts, "code", r->code, "reason", r->reason);
    return row != NULL ? row : json_null();
}

static json_t *list_recipients(const struct settle_world *world, bool only_queued, struct err *err)
{
    struct arena *arena = arena_new("list");
    struct queued_list list = {0};
    json_t *messages = NULL;
    if (queue_list(world->queue, arena, only_queued, LIST_MAX, &list, err)) {
        messages = json_array();
        for (size_t i = 0; i < list.count; i++)
            json_array_append_new(messages, row_of(&list.items[i]));
    }
    arena_free(&arena);
    return messages != NULL ? json_pack("{s:b,s:o}", "ok", 1, "messages", messages) : NULL;
}

static json_t *do_status(const struct settle_world *world, const json_t *request UNUSED, struct err *err)
{
    return list_recipients(world, false, err);
}

static json_t *do_queue(const struct settle_world *world, const json_t *request UNUSED, struct err *err)
{
    return list_recipients(world, true, err);
}

/* Without waiting, unlike flush. */
static json_t *do_requeue(const struct settle_world *world, const json_t *request, struct err *err)
{
    int64_t count = 0;
    if (!queue_hurry(world->queue, json_integer_value(json_object_get(request, "message")), &count, err))
        return NULL;
    return json_pack("{s:b,s:I}", "ok", 1, "recipients", (json_int_t)count);
}

/* Another process has put a message into the queue. */
static json_t *do_queued(const struct settle_world *world, const json_t *request, struct err *err)
{
    struct arena *arena = arena_new("queued");
    struct message message;
    int64_t id = json_integer_value(json_object_get(request, "message"));
    bool found = queue_message(world->queue, arena, id, &message, err);
    if (found)
        trace_message(world->trace, clock_now(world->clock), id, TRACE_SUBMIT, &message, "by command");
    arena_free(&arena);
    return found ? json_pack("{s:b}", "ok", 1) : NULL;
}

static json_t *do_trace(const struct settle_world *world, const json_t *request, struct err *err)
{
    json_t *entries = trace_list(world->trace, request, err);
    return entries != NULL ? json_pack("{s:b,s:o}", "ok", 1, "trace", entries) : NULL;
}

static const struct {
    const char *verb;
    json_t *(*handle)(const struct settle_world *world, const json_t *request, struct err *err);
} verbs[] = {
    {"status", do_status}, {"queue", do_queue}, {"requeue", do_requeue}, {"queued", do_queued}, {"trace", do_trace},
};

bool admin_handle(const struct settle_world *world, const char *verb, const json_t *request, json_t **answer,
                  struct err *err)
{
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(verbs[i].verb, verb) == 0) {
            *answer = verbs[i].handle(world, request, err);
            return true;
        }
    return false;
}
