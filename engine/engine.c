/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"
#include "engine/admin.h"
#include "engine/connector_change.h"
#include "engine/control.h"
#include "engine/outside.h"
#include "engine/reload.h"
#include "engine/router.h"
#include "engine/reporter.h"
#include "engine/submit.h"

enum { DUE_AT_ONCE = 1000, KEPT_CONNECTIONS_MAX = 1000, FLUSHES_MAX = CONTROL_CLIENTS_MAX };

struct engine {
    const struct engine_config *config;
    struct routing routing; /* in force: that of the configuration, and what was changed since */
    struct loop *loop;
    struct arena *arena;
    struct clock clock;
    struct queue *queue;
    struct trace *trace;
    struct outside outside;
    struct sessions *sessions;
    struct submit *submit;
    struct control *control;
    struct delivery_world world;
    struct reporter *reporter; /* NULL: no TLS reports are made */

    struct event *waker; /* at the next due time */
    struct {
        struct delivery **items;
        size_t count, room;
    } deliveries;
    struct arena *config_arena; /* of a configuration that was reloaded; NULL: the caller's rules */
    struct {
        struct arena **items;
        size_t count, room;
    } old_configs;                               /* that something under way may still look at */
    struct control_client *flushes[FLUSHES_MAX]; /* answered when nothing is under way or due */
    size_t flush_count;
    bool refreshing; /* policies that have grown old, since the clock was moved */
    bool stopping;
};

static void wake_soon(struct engine *e)
{
    event_active(e->waker, EV_TIMEOUT, 0);
}

static struct settle_world settle_world_of(struct engine *e)
{
    return (struct settle_world){e->config, &e->clock, e->queue, e->trace};
}

/* ---- deliveries ---- */

static size_t under_way_to(const struct engine *e, const char *domain)
{
    size_t count = 0;
    for (size_t i = 0; i < e->deliveries.count; i++)
        if (strcmp(delivery_domain(e->deliveries.items[i]), domain) == 0)
            count++;
    return count;
}

static void on_delivery(void *arg, struct delivery *self)
{
    struct engine *e = arg;
    for (size_t i = 0; i < e->deliveries.count; i++)
        if (e->deliveries.items[i] == self) {
            e->deliveries.items[i] = e->deliveries.items[--e->deliveries.count];
            break;
        }
    delivery_cancel(&self);
    wake_soon(e);
}

/* Those of the list from i on that belong to the i-th's delivery: the same message, domain and connector. */
static size_t gather_job(const struct queued_list *due, size_t i, struct router *router, struct arena *arena,
                         struct delivery_job *job)
{
    struct queued *list = arena_alloc(arena, (due->count - i) * sizeof *list);
    job->choice = router_choose(router, &due->items[i]);
    for (size_t j = i; j < due->count && due->items[j].message == due->items[i].message; j++)
        if (due->items[j].id != 0 && strcmp(due->items[j].domain, due->items[i].domain) == 0 &&
            router_choose(router, &due->items[j]).connector == job->choice.connector) {
            list[job->count++] = due->items[j];
            due->items[j].id = 0; /* in hands */
        }
    job->recipients = list;
    job->domain = list[0].domain;
    return job->count;
}

/* A message parts: its recipients have different destinations. */
static void trace_transfer(struct engine *e, const struct delivery_job *job)
{
    const struct queued *first = &job->recipients[0];
    if (first->attempts > 0 || job->count >= first->of_message)
        return;
    struct arena *arena = arena_new("transfer");
    trace_add(e->trace,
              &(struct trace_entry){.at = clock_now(&e->clock),
                                    .message = first->message,
                                    .event = TRACE_TRANSFER,
                                    .destination = job->domain,
                                    .connector = job->choice.connector != NULL ? job->choice.connector->name : "",
                                    .connector_why = job->choice.why,
                                    .text =
                                        arena_printf(arena, "%zu of %zu recipients", job->count, first->of_message)});
    arena_free(&arena);
}

static bool start_job(struct engine *e, const struct delivery_job *job, struct err *err)
{
    for (size_t i = 0; i < job->count; i++)
        if (!queue_take(e->queue, job->recipients[i].id, err))
            return false;
    trace_transfer(e, job);
    struct delivery *delivery = delivery_start(&e->world, job, on_delivery, e);
    *ARENA_PUSH(e->arena, &e->deliveries) = delivery;
    return true;
}

static bool start_due(struct engine *e, struct arena *arena, struct err *err)
{
    struct queued_list due = {0};
    struct router router = {.routing = &e->routing, .queue = e->queue};
    bool started = true;
    if (e->deliveries.count >= (size_t)e->config->destinations)
        return true; /* the next one that ends wakes us */
    if (!queue_due(e->queue, arena, DUE_AT_ONCE, &due, err))
        return false;
    for (size_t i = 0; started && i < due.count && e->deliveries.count < (size_t)e->config->destinations; i++) {
        if (due.items[i].id == 0 || under_way_to(e, due.items[i].domain) >= (size_t)e->config->per_destination)
            continue;
        struct delivery_job job = {0};
        gather_job(&due, i, &router, arena, &job);
        started = start_job(e, &job, err);
    }
    router_end(&router);
    return started;
}

/* ---- another configuration ---- */

static void forget_old_configs(struct engine *e)
{
    if (e->old_configs.count > 0 && e->sessions != NULL)
        sessions_end_kept(e->sessions);
    while (e->old_configs.count > 0)
        arena_free(&e->old_configs.items[--e->old_configs.count]);
}

/* The findings, each with its place. */
static const char *findings(struct arena *arena, const struct diag_list *diags)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    diag_print(diags, out);
    fclose(out);
    const char *kept = arena_printf(arena, "the configuration stays as it was:\n%s", text);
    free(text);
    return kept;
}

static void adopt_config(struct engine *e, const struct engine_config *config, struct arena *arena)
{
    if (e->config_arena != NULL)
        *ARENA_PUSH(e->arena, &e->old_configs) = e->config_arena;
    e->config_arena = arena;
    e->config = config;
    e->routing = config->routing;
    e->world.settle.config = config;
    submit_set_config(e->submit, config);
    if (e->sessions != NULL)
        sessions_end_kept(e->sessions); /* made under the old one */
    wake_soon(e);
}

/* With what was changed beside the file; NULL: *said tells why. */
static const struct engine_config *read_config(struct engine *e, struct arena *own, struct arena *arena,
                                               const char **said)
{
    struct diag_list *diags = diag_new(own);
    struct engine_config *config = e->config->file != NULL ? engine_config_read(own, e->config->file, diags) : NULL;
    struct err err;
    if (config == NULL)
        *said = findings(arena, diags);
    else if (!connector_changes_load(own, config, &err))
        *said = arena_strdup(arena, err.text);
    else
        return config;
    return NULL;
}

bool engine_reload(struct engine *e, struct arena *arena, const char **said)
{
    struct arena *own = arena_new("configuration");
    const struct engine_config *config = read_config(e, own, arena, said);
    if (config == NULL) {
        arena_free(&own);
        return false;
    }
    *said = reload_waits(arena, e->config, config);
    adopt_config(e, config, own);
    return true;
}

/* ---- time ---- */

static void answer_flushes(struct engine *e)
{
    while (e->flush_count > 0) /* an answer may bring the next request */
        control_answer(e->flushes[--e->flush_count], json_pack("{s:b}", "ok", 1));
}

/* Policies or TLS reports are under way. */
static bool is_busy_elsewhere(const struct engine *e)
{
    return e->refreshing || (e->reporter != NULL && reporter_busy(e->reporter));
}

static void on_wake(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct engine *e = arg;
    if (e->stopping || e->world.tls == NULL)
        return;
    struct arena *arena = arena_new("wake");
    struct err err;
    if (!start_due(e, arena, &err))
        fprintf(stderr, "mtalab-engine: %s\n", err.text);
    arena_free(&arena);
    int64_t due = queue_next_due(e->queue), now = clock_now(&e->clock);
    if (e->deliveries.count == 0 && due > now && !is_busy_elsewhere(e)) {
        trace_flush(e->trace, now);
        answer_flushes(e);
    }
    if (due > now && due != INT64_MAX) {
        struct timeval pause = {.tv_sec = due - now < 86400 ? due - now : 86400};
        evtimer_add(e->waker, &pause);
    }
}

/* ---- what the administrator asks ---- */

static json_t *fine(void)
{
    return json_pack("{s:b}", "ok", 1);
}

static bool answer_when_idle(struct engine *e, struct control_client *client, bool *later, struct err *err)
{
    if (e->flush_count == FLUSHES_MAX)
        return err_set(err, ERR_INPUT, "too many wait for a flush");
    e->flushes[e->flush_count++] = client;
    *later = true;
    wake_soon(e);
    return true;
}

static json_t *do_flush(struct engine *e, const json_t *request UNUSED, struct control_client *client, bool *later,
                        struct err *err)
{
    if (queue_hurry_all(e->queue, err))
        (void)answer_when_idle(e, client, later, err);
    return NULL;
}

/* Tries nothing before its time; only waits until nothing is under way. */
static json_t *do_wait(struct engine *e, const json_t *request UNUSED, struct control_client *client, bool *later,
                       struct err *err)
{
    (void)answer_when_idle(e, client, later, err);
    return NULL;
}

static void on_refreshed(void *arg)
{
    struct engine *e = arg;
    e->refreshing = false;
    wake_soon(e);
}

/* What is then due: messages, and policies that have grown old. */
static json_t *do_advance(struct engine *e, const json_t *request, struct control_client *client, bool *later,
                          struct err *err)
{
    json_t *seconds = json_object_get(request, "seconds");
    if (!json_is_number(seconds) || json_number_value(seconds) < 0 || json_number_value(seconds) > 1e10) {
        err_set(err, ERR_INPUT, "advance wants seconds");
        return NULL;
    }
    clock_advance(&e->clock, (int64_t)json_number_value(seconds));
    e->refreshing = e->outside.sts != NULL;
    if (e->refreshing)
        sts_refresh(e->outside.sts, on_refreshed, e);
    if (e->reporter != NULL)
        reporter_tick(e->reporter);
    (void)answer_when_idle(e, client, later, err);
    return NULL;
}

/* TLS reports about what there is, the day under way included. */
static json_t *do_report(struct engine *e, const json_t *request UNUSED, struct control_client *client, bool *later,
                         struct err *err)
{
    if (e->reporter == NULL) {
        err_set(err, ERR_INPUT, "no TLS reports are made: the configuration has no tls-rpt");
        return NULL;
    }
    reporter_hurry(e->reporter);
    (void)answer_when_idle(e, client, later, err);
    return NULL;
}

static json_t *do_forget(struct engine *e, const json_t *request UNUSED, struct control_client *client UNUSED,
                         bool *later UNUSED, struct err *err)
{
    if (e->sessions != NULL)
        sessions_end_kept(e->sessions);
    return e->outside.resolve == NULL || resolve_forget(e->outside.resolve, err) ? fine() : NULL;
}

/* What is under way goes on by the connector it has; what is due next goes by the new ones. */
static json_t *do_connector(struct engine *e, const json_t *request, struct control_client *client UNUSED,
                            bool *later UNUSED, struct err *err)
{
    struct change_list wanted = {0};
    struct routing routing;
    if (!connector_changes_read(e->arena, request, &wanted, err) ||
        !connector_changes_make(e->arena, e->config, clock_now(&e->clock), &wanted, &routing, err))
        return NULL;
    e->routing = routing;
    return fine();
}

static json_t *do_reload(struct engine *e, const json_t *request UNUSED, struct control_client *client UNUSED,
                         bool *later UNUSED, struct err *err UNUSED)
{
    struct arena *arena = arena_new("reload");
    const char *said;
    bool reloaded = engine_reload(e, arena, &said);
    json_t *answer = json_pack("{s:b,s:s}", "ok", reloaded, reloaded ? "waits" : "error", said);
    arena_free(&arena);
    return answer;
}

static json_t *do_stop(struct engine *e, const json_t *request UNUSED, struct control_client *client UNUSED,
                       bool *later UNUSED, struct err *err UNUSED)
{
    loop_stop(e->loop);
    return fine();
}

static const struct {
    const char *verb;
    json_t *(*handle)(struct engine *e, const json_t *request, struct control_client *client, bool *later,
                      struct err *err);
} verbs[] = {
    {"flush", do_flush},   {"wait", do_wait}, {"advance", do_advance},     {"forget", do_forget},
    {"report", do_report}, {"stop", do_stop}, {"connector", do_connector}, {"reload", do_reload},
};

static json_t *on_control(void *arg, const char *verb, const json_t *request, struct control_client *client,
                          bool *later, struct err *err)
{
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(verbs[i].verb, verb) == 0)
            return verbs[i].handle(arg, request, client, later, err);
    struct engine *e = arg;
    struct settle_world world = settle_world_of(e);
    json_t *answer = NULL;
    if (admin_handle(&world, verb, request, &answer, err)) {
        wake_soon(e);
        return answer;
    }
    err_set(err, ERR_INPUT, "nobody knows how to do that");
    return NULL;
}

static void on_control_gone(void *arg, struct control_client *client)
{
    struct engine *e = arg;
    for (size_t i = 0; i < e->flush_count; i++)
        if (e->flushes[i] == client)
            e->flushes[i--] = e->flushes[--e->flush_count];
}

/* ---- submission ---- */

static bool accept_message(void *outside, const struct message *message, int64_t *id, struct err *err)
{
    struct engine *e = outside;
    if (!queue_add(e->queue, message, id, err))
        return false;
    trace_message(e->trace, clock_now(&e->clock), *id, TRACE_RECEIVE, message, message->client);
    wake_soon(e);
    return true;
}

/* ---- birth and death ---- */

static char *path_in(struct arena *arena, const struct engine_config *config, const char *name)
{
    return arena_printf(arena, "%s/%s", config->directory, name);
}

char *engine_queue_path(struct arena *arena, const struct engine_config *config)
{
    return path_in(arena, config, "queue.db");
}

static bool open_front(struct engine *e, struct err *err)
{
    const struct engine_config *config = e->config;
    struct submit_ports submit_ports = {e, accept_message};
    struct control_ports control_ports = {e, on_control, on_control_gone};
    if (mkdir(config->directory, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_SYSTEM, "cannot make %s: %s", config->directory, strerror(errno));
    e->queue = queue_open(engine_queue_path(e->arena, config), config->fsync, &e->clock, err);
    if (e->queue == NULL)
        return false;
    e->trace = trace_new(path_in(e->arena, config, "trace.db"), config->trace_keep);
    e->submit = submit_new(config, &e->clock, e->loop, &submit_ports);
    for (size_t i = 0; i < config->listen.count; i++)
        if (!submit_listen(e->submit, config->listen.items[i], err))
            return false;
    e->control = control_new(config->control, e->loop, &control_ports, err);
    return e->control != NULL;
}

struct engine *engine_new(const struct engine_config *config, struct loop *loop, struct err *err)
{
    struct engine *e = calloc(1, sizeof *e);
    if (e == NULL)
        abort();
    e->config = config;
    e->routing = config->routing;
    e->loop = loop;
    e->arena = arena_new("engine");
    clock_advance(&e->clock, (int64_t)config->clock_offset);
    e->waker = evtimer_new(loop_base(loop), on_wake, e);
    if (e->waker == NULL)
        abort();
    if (!open_front(e, err))
        engine_free(&e);
    return e;
}

static void on_reporter_idle(void *outside)
{
    wake_soon(outside);
}

static bool queue_report(void *outside, const struct message *message, int64_t *id, struct err *err)
{
    struct engine *e = outside;
    if (!queue_add(e->queue, message, id, err))
        return false;
    trace_message(e->trace, clock_now(&e->clock), *id, TRACE_SUBMIT, message, "TLS report");
    wake_soon(e);
    return true;
}

static bool open_reporter(struct engine *e, struct err *err)
{
    struct reporter_ports ports = {e->outside.resolve, e, queue_report, on_reporter_idle};
    if (e->config->tlsrpt.contact == NULL)
        return true;
    e->reporter = reporter_new(e->config, path_in(e->arena, e->config, "tlsrpt.db"), &e->clock, e->loop, &ports, err);
    e->world.count = reporter_count;
    e->world.counter = e->reporter;
    return e->reporter != NULL;
}

bool engine_begin(struct engine *e, struct err *err)
{
    const struct engine_config *config = e->config;
    if (!outside_open(&e->outside, config, path_in(e->arena, config, "sts.db"), &e->clock, e->loop, err))
        return false;
    struct sessions_limits limits = {config->keep_connection, (unsigned)config->messages_per_connection,
                                     KEPT_CONNECTIONS_MAX};
    e->sessions = sessions_new(e->loop, &e->clock, &limits);
    e->world = (struct delivery_world){
        .settle = settle_world_of(e),
        .ports = outside_ports(&e->outside),
        .loop = e->loop,
        .tls = e->outside.tls,
        .sessions = e->sessions,
        .smtp_port = OUTSIDE_SMTP_PORT,
    };
    if (!open_reporter(e, err))
        return false;
    wake_soon(e); /* what is in the queue from before */
    return queue_trim(e->queue, clock_now(&e->clock) - (int64_t)config->trace_keep, err);
}

void engine_free(struct engine **engine)
{
    struct engine *e = *engine;
    if (e == NULL)
        return;
    e->stopping = true;
    control_free(&e->control);
    submit_free(&e->submit);
    sts_free(&e->outside.sts);
    resolve_free(&e->outside.resolve);
    for (size_t i = 0; i < e->deliveries.count; i++)
        delivery_cancel(&e->deliveries.items[i]);
    sessions_free(&e->sessions);
    reporter_free(&e->reporter);
    outside_close(&e->outside);
    trace_free(&e->trace);
    queue_close(&e->queue);
    forget_old_configs(e);
    arena_free(&e->config_arena);
    event_free(e->waker);
    arena_free(&e->arena);
    free(e);
    *engine = NULL;
}
