/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/admin.h"

#include <string.h>

enum { LIST_DEFAULT = 10000, AT_ONCE = 500 };

/* ---- looking ---- */

static json_t *row_of(const struct queued *r)
{
    bool held = r->held && r->state == RECIPIENT_QUEUED;
    json_t *row = json_pack("{s:I,s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:s,s:s,s:s}", "message", (json_int_t)r->message,
                            "recipient", r->address, "sender", r->sender, "state", recipient_state_names[r->state],
                            "held", held, "arrived", (json_int_t)r->arrived, "due", (json_int_t)r->due, "attempts",
                            (json_int_t)r->attempts, "code", r->code, "reason", r->reason, "connector", r->connector);
    return row != NULL ? row : json_null();
}

static json_t *list_recipients(const struct settle_world *world, const json_t *request, bool only_queued,
                               struct err *err)
{
    struct arena *arena = arena_new("list");
    struct queued_list list = {0};
    struct filter filter;
    json_t *messages = NULL;
    json_int_t limit = json_integer_value(json_object_get(request, "limit"));
    if (queue_filter(arena, request, &filter, err) &&
        queue_list(world->queue, arena, &filter, only_queued, limit > 0 ? (size_t)limit : LIST_DEFAULT, &list, err)) {
        messages = json_array();
        for (size_t i = 0; i < list.count; i++)
            json_array_append_new(messages, row_of(&list.items[i]));
    }
    arena_free(&arena);
    return messages != NULL ? json_pack("{s:b,s:o}", "ok", 1, "messages", messages) : NULL;
}

static json_t *do_status(const struct settle_world *world, const json_t *request, struct err *err)
{
    return list_recipients(world, request, false, err);
}

static json_t *do_queue(const struct settle_world *world, const json_t *request, struct err *err)
{
    return list_recipients(world, request, true, err);
}

static json_t *do_trace(const struct settle_world *world, const json_t *request, struct err *err)
{
    json_t *entries = trace_list(world->trace, request, err);
    return entries != NULL ? json_pack("{s:b,s:o}", "ok", 1, "trace", entries) : NULL;
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

/* ---- changing what is queued ---- */

struct change {
    bool (*one)(struct queue *queue, const struct queued *r, struct err *err); /* NULL: removed */
    enum trace_event event;
    bool free; /* not what a delivery has in hands */
};

static bool hurry_one(struct queue *queue, const struct queued *r, struct err *err)
{
    return queue_hurry(queue, r->id, err);
}

static bool hold_one(struct queue *queue, const struct queued *r, struct err *err)
{
    return queue_hold(queue, r->id, true, err);
}

/* Tried at once: whoever releases a message wants to see it go. */
static bool release_one(struct queue *queue, const struct queued *r, struct err *err)
{
    return queue_hold(queue, r->id, false, err) && (!r->held || queue_hurry(queue, r->id, err));
}

static void trace_change(const struct settle_world *world, const struct queued *r, enum trace_event event)
{
    trace_add(world->trace, &(struct trace_entry){.at = clock_now(world->clock),
                                                  .message = r->message,
                                                  .attempt = r->attempts,
                                                  .event = event,
                                                  .sender = r->sender,
                                                  .recipient = r->address,
                                                  .destination = r->domain,
                                                  .text = "by the administrator"});
}

static bool change_list(const struct settle_world *world, const struct change *change, const struct queued_list *list,
                        struct err *err)
{
    bool fine = queue_begin(world->queue, err);
    if (!fine)
        return false;
    for (size_t i = 0; fine && i < list->count; i++)
        fine = change->one(world->queue, &list->items[i], err);
    fine = queue_finish(world->queue, fine, err);
    for (size_t i = 0; fine && i < list->count; i++)
        trace_change(world, &list->items[i], change->event);
    return fine;
}

/* In bites, however much is queued. *after: the last one done; *count grows. False at the end or with *failed. */
static bool change_some(const struct settle_world *world, const struct change *change, const json_t *request,
                        int64_t *after, int64_t *count, bool *failed, struct err *err)
{
    struct arena *arena = arena_new("change");
    struct queued_list list = {0};
    struct filter filter;
    *failed = !queue_filter(arena, request, &filter, err) ||
              !queue_pick(world->queue, arena, &filter, *after, change->free, AT_ONCE, &list, err) ||
              !(change->one != NULL
                    ? change_list(world, change, &list, err)
                    : settle_removed(world, arena, &list, json_is_true(json_object_get(request, "report")), err));
    if (list.count > 0)
        *after = list.items[list.count - 1].id;
    *count += (int64_t)list.count;
    bool more = !*failed && list.count == AT_ONCE;
    arena_free(&arena);
    return more;
}

static json_t *change_all(const struct settle_world *world, const struct change *change, const json_t *request,
                          struct err *err)
{
    int64_t after = 0, count = 0;
    bool failed;
    while (change_some(world, change, request, &after, &count, &failed, err)) {
    }
    return failed ? NULL : json_pack("{s:b,s:I}", "ok", 1, "recipients", (json_int_t)count);
}

/* Without waiting, unlike flush. */
static json_t *do_requeue(const struct settle_world *world, const json_t *request, struct err *err)
{
    return change_all(world, &(struct change){hurry_one, TRACE_RESUBMIT, true}, request, err);
}

static json_t *do_hold(const struct settle_world *world, const json_t *request, struct err *err)
{
    return change_all(world, &(struct change){hold_one, TRACE_HOLD, false}, request, err);
}

static json_t *do_release(const struct settle_world *world, const json_t *request, struct err *err)
{
    return change_all(world, &(struct change){release_one, TRACE_RELEASE, false}, request, err);
}

/* With "report": their senders are told. */
static json_t *do_remove(const struct settle_world *world, const json_t *request, struct err *err)
{
    return change_all(world, &(struct change){NULL, TRACE_DROP, true}, request, err);
}

static const struct {
    const char *verb;
    json_t *(*handle)(const struct settle_world *world, const json_t *request, struct err *err);
} verbs[] = {
    {"status", do_status},   {"queue", do_queue}, {"trace", do_trace},     {"queued", do_queued},
    {"requeue", do_requeue}, {"hold", do_hold},   {"release", do_release}, {"remove", do_remove},
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
