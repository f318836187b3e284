/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/courier.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "engine/router.h"

enum { SLOW_AFTER_US = 250000, RECIPIENTS_AT_ONCE = 100 /* that any server has to take: RFC 5321 4.5.3.1.8 */ };

/* A delivery under way. */
struct errand {
    TAILQ_ENTRY(errand) link;
    struct courier *courier;
    struct delivery *delivery;
    struct dispatch_turn *turn;
    int64_t began_us;
    size_t count;
    int64_t recipients[]; /* in its hands */
};
TAILQ_HEAD(errands, errand);

struct courier {
    const struct delivery_world *world;
    const struct routing *routing;
    struct dispatch *dispatch;
    void (*freed)(void *arg);
    void *arg;
    struct errands errands; /* the oldest first */
    struct errand *quick;   /* the oldest one that may still be quick; NULL: none */
    struct event *watch;    /* when that one has lasted too long */
};

/* ---- those that last ---- */

static void watch(struct courier *c)
{
    if (c->quick == NULL) {
        event_del(c->watch);
        return;
    }
    int64_t left = c->quick->began_us + SLOW_AFTER_US - clock_monotonic_us();
    struct timeval pause = connect_timeval((double)(left > 0 ? left : SLOW_AFTER_US) / 1e6);
    evtimer_add(c->watch, &pause);
}

static void on_watch(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct courier *c = arg;
    int64_t now = clock_monotonic_us();
    while (c->quick != NULL && c->quick->began_us + SLOW_AFTER_US <= now && dispatch_slow(c->quick->turn))
        c->quick = TAILQ_NEXT(c->quick, link);
    watch(c);
    c->freed(c->arg);
}

/* ---- beginning and end ---- */

static void drop(struct courier *c, struct errand *errand)
{
    if (c->quick == errand)
        c->quick = TAILQ_NEXT(errand, link);
    TAILQ_REMOVE(&c->errands, errand, link);
    delivery_cancel(&errand->delivery);
    for (size_t i = 0; i < errand->count; i++)
        queue_release(c->world->settle.queue, errand->recipients[i]);
    free(errand);
}

static void on_delivery(void *arg, struct delivery *self)
{
    struct errand *errand = arg;
    struct courier *c = errand->courier;
    dispatch_end(&errand->turn, delivery_reached(self) ? DISPATCH_WENT : DISPATCH_CAME_TO_NOTHING);
    drop(c, errand);
    c->freed(c->arg);
}

/* Those of one message to one destination that share the first one's connector; not more than a server must take. */
static void gather_job(struct courier *c, struct arena *arena, const struct queued_list *due, struct delivery_job *job)
{
    struct router router = {.routing = c->routing, .queue = c->world->settle.queue};
    struct queued *list = arena_alloc(arena, due->count * sizeof *list);
    job->choice = router_choose(&router, &due->items[0]);
    list[job->count++] = due->items[0];
    for (size_t i = 1; i < due->count && job->count < RECIPIENTS_AT_ONCE; i++)
        if (router_choose(&router, &due->items[i]).connector == job->choice.connector)
            list[job->count++] = due->items[i];
    router_end(&router);
    job->recipients = list;
    job->domain = list[0].domain;
}

/* A message parts: its recipients have different destinations. */
static void trace_transfer(const struct settle_world *world, const struct delivery_job *job)
{
    const struct queued *first = &job->recipients[0];
    if (first->attempts > 0 || job->count >= first->of_message)
        return;
    struct arena *arena = arena_new("transfer");
    trace_add(world->trace,
              &(struct trace_entry){.at = clock_now(world->clock),
                                    .message = first->message,
                                    .event = TRACE_TRANSFER,
                                    .destination = job->domain,
                                    .connector = job->choice.connector != NULL ? job->choice.connector->name : "",
                                    .connector_why = job->choice.why,
                                    .text =
                                        arena_printf(arena, "%zu of %zu recipients", job->count, first->of_message)});
    arena_free(&arena);
}

static struct errand *take(struct courier *c, struct dispatch_turn *turn, const struct delivery_job *job)
{
    struct errand *errand = calloc(1, sizeof *errand + job->count * sizeof errand->recipients[0]);
    if (errand == NULL)
        abort();
    *errand = (struct errand){.courier = c, .turn = turn, .began_us = clock_monotonic_us(), .count = job->count};
    for (size_t i = 0; i < job->count; i++) {
        errand->recipients[i] = job->recipients[i].id;
        queue_take(c->world->settle.queue, job->recipients[i].id);
    }
    return errand;
}

static void begin(struct courier *c, struct dispatch_turn *turn, const struct delivery_job *job)
{
    struct errand *errand = take(c, turn, job);
    TAILQ_INSERT_TAIL(&c->errands, errand, link);
    trace_transfer(&c->world->settle, job);
    errand->delivery = delivery_start(c->world, job, on_delivery, errand);
    if (c->quick == NULL) {
        c->quick = errand;
        watch(c);
    }
}

/* Smart hosts are shared by all destinations that a connector leads there. False: the turn is over, and comes again. */
static bool passes(struct dispatch_turn **turn, const struct connector *connector)
{
    return !connector_by_smart_host(connector) || dispatch_pass(turn, connector->name, connector->smart_hosts.count);
}

/* false: the queue failed, and the turn is over. */
static bool take_turn(struct courier *c, struct arena *arena, struct dispatch_turn *turn, struct err *err)
{
    struct queued_list due = {0};
    struct delivery_job job = {0};
    bool fine = queue_due(c->world->settle.queue, arena, dispatch_destination(turn), &due, err);
    if (!fine || due.count == 0) {
        dispatch_end(&turn, DISPATCH_NOTHING_DUE);
        return fine;
    }
    gather_job(c, arena, &due, &job);
    if (passes(&turn, job.choice.connector))
        begin(c, turn, &job);
    return true;
}

static void tell_dispatch(void *arg, const char *destination)
{
    dispatch_due(arg, destination);
}

bool courier_look(struct courier *courier, bool all, struct err *err)
{
    bool fine = queue_destinations(courier->world->settle.queue, all, tell_dispatch, courier->dispatch, err);
    struct dispatch_turn *turn;
    while (fine && (turn = dispatch_next(courier->dispatch)) != NULL) {
        struct arena *arena = arena_new("turn");
        fine = take_turn(courier, arena, turn, err);
        arena_free(&arena);
    }
    return fine;
}

bool courier_idle(const struct courier *courier)
{
    return TAILQ_EMPTY(&courier->errands);
}

int64_t courier_since(const struct courier *courier)
{
    return courier_idle(courier) ? INT64_MAX : TAILQ_FIRST(&courier->errands)->began_us;
}

/* ---- birth and death ---- */

struct courier *courier_new(const struct delivery_world *world, const struct routing *routing,
                            struct dispatch_limits limits, void (*freed)(void *arg), void *arg)
{
    struct courier *c = calloc(1, sizeof *c);
    if (c == NULL)
        abort();
    *c = (struct courier){
        .world = world, .routing = routing, .dispatch = dispatch_new(&limits), .freed = freed, .arg = arg};
    TAILQ_INIT(&c->errands);
    c->watch = evtimer_new(loop_base(world->loop), on_watch, c);
    if (c->watch == NULL)
        abort();
    return c;
}

void courier_limit(struct courier *courier, struct dispatch_limits limits)
{
    dispatch_limit(courier->dispatch, &limits);
}

void courier_free(struct courier **courier)
{
    struct courier *c = *courier;
    if (c == NULL)
        return;
    struct errand *errand;
    while ((errand = TAILQ_FIRST(&c->errands)) != NULL) {
        dispatch_end(&errand->turn, DISPATCH_NOTHING_DUE);
        drop(c, errand);
    }
    event_free(c->watch);
    dispatch_free(&c->dispatch);
    free(c);
    *courier = NULL;
}
