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
#include "engine/gate_news.h"
#include "engine/control.h"
#include "engine/courier.h"
#include "engine/metrics.h"
#include "engine/outside.h"
#include "engine/reload.h"
#include "engine/reporter.h"
#include "engine/submit.h"

enum {
    KEPT_CONNECTIONS_MAX = 1000,
    FLUSHES_MAX = CONTROL_CLIENTS_MAX,
    FAILED_COMMITS_COUNTED = 6 /* each doubles the pause, up to a minute */
};

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
    struct tickets *tickets; /* NULL: no TLS session is resumed */
    struct submit *submit;
    struct metrics *metrics;
    struct control *control;
    struct delivery_world world;
    struct reporter *reporter; /* NULL: no TLS reports are made */

    struct courier *courier;
    struct deliveries unstored; /* that wait until the queue is on disk */

    struct event *waker;         /* at the next due time */
    struct event *committer;     /* when the queue has something that is not on disk */
    bool look_at_all;            /* anything in the queue may have become due */
    struct event *keeper;        /* now and then: what is too old is forgotten */
    bool undone;                 /* a commit failed: nothing begins before the next */
    unsigned failed_commits;     /* one after the other */
    struct arena *routing_arena; /* of connectors that were changed since; NULL: the configuration's rule */
    struct arena *config_arena;  /* of a configuration that was reloaded; NULL: the caller's rules */
    struct old_config {
        struct old_config *next;
        struct arena *arena;
        int64_t until_us; /* deliveries that began before may still look at it */
    } * old_configs;
    struct control_client *flushes[FLUSHES_MAX]; /* answered when nothing is under way or due */
    size_t flush_count;
    bool refreshing; /* policies that have grown old, since the clock was moved */
};

static void wake_soon(struct engine *e)
{
    event_active(e->waker, EV_TIMEOUT, 0);
}

static struct settle_world settle_world_of(struct engine *e)
{
    return (struct settle_world){e->config, &e->clock, e->queue, e->trace};
}

/* ---- the queue on disk ---- */

static void on_dirty(void *arg)
{
    event_active(((struct engine *)arg)->committer, EV_TIMEOUT, 0);
}

/* What has been delivered must not be sent again because the disk was full, nor may hosts be asked again and again
 * whose answers nobody can note. */
static void wait_for_disk(struct engine *e)
{
    unsigned doubled = e->failed_commits < FAILED_COMMITS_COUNTED ? e->failed_commits++ : FAILED_COMMITS_COUNTED;
    struct timeval pause = {.tv_sec = 1 << doubled};
    e->undone = true;
    e->look_at_all = true;
    event_add(e->committer, &pause);
}

static void redo(struct engine *e)
{
    if (e->undone)
        deliveries_undone(&e->unstored);
    e->undone = false;
}

/* All that came in one round of the loop is committed together. False: it is undone. */
static bool commit(struct engine *e)
{
    struct err err;
    redo(e);
    if (!queue_pending(e->queue))
        return true;
    bool fine = queue_flush(e->queue, &err);
    submit_stored(e->submit, fine);
    if (!fine) {
        fprintf(stderr, "mtalab-engine: %s\n", err.text);
        wait_for_disk(e);
        return false;
    }
    e->failed_commits = 0;
    deliveries_stored(&e->unstored);
    wake_soon(e);
    return true;
}

static void on_commit(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    if (commit(arg))
        wake_soon(arg);
}

/* ---- another configuration ---- */

static void retire(struct engine *e, struct arena *arena)
{
    struct old_config *old = arena != NULL ? malloc(sizeof *old) : NULL;
    if (arena == NULL)
        return;
    if (old == NULL)
        abort();
    *old = (struct old_config){e->old_configs, arena, clock_monotonic_us()};
    e->old_configs = old;
}

/* Those that only deliveries begun before then could look at. */
static void forget_old_configs(struct engine *e, int64_t since_us)
{
    for (struct old_config **at = &e->old_configs, *old; (old = *at) != NULL;) {
        if (old->until_us >= since_us) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        arena_free(&old->arena);
        free(old);
    }
}

static struct dispatch_limits limits_of(const struct engine_config *config)
{
    return (struct dispatch_limits){(size_t)config->destinations, (size_t)config->slow_destinations,
                                    (size_t)config->per_destination};
}

/* arena NULL: the routing lives in that of the configuration. */
static void adopt_routing(struct engine *e, const struct routing *routing, struct arena *arena)
{
    retire(e, e->routing_arena);
    e->routing_arena = arena;
    e->routing = *routing;
}

static void adopt_config(struct engine *e, const struct engine_config *config, struct arena *arena)
{
    retire(e, e->config_arena);
    e->config_arena = arena;
    e->config = config;
    adopt_routing(e, &config->routing, NULL);
    e->world.settle.config = config;
    submit_set_config(e->submit, config);
    if (e->courier != NULL)
        courier_limit(e->courier, limits_of(config));
    if (e->sessions != NULL)
        sessions_end_kept(e->sessions); /* made under the old one */
    if (e->tickets != NULL)
        tickets_forget(e->tickets);
    wake_soon(e);
}

/* The certificate for STARTTLS as its files are now. */
static bool take_submission_tls(struct engine *e, const struct engine_config *config, struct err *err)
{
    const struct engine_submission_tls *said = &config->submission_tls;
    struct tls_server *tls = NULL;
    if (said->certificate != NULL) {
        tls = tls_server_new(said->certificate, said->key, err);
        if (tls == NULL)
            return false;
    }
    submit_set_tls(e->submit, tls);
    return true;
}

/* With what was changed beside the file, and the certificate taken; NULL: *said tells why. */
static const struct engine_config *read_config(struct engine *e, struct arena *own, struct arena *arena,
                                               const char **said)
{
    struct diag_list *diags = diag_new(own);
    struct engine_config *config = e->config->file != NULL ? engine_config_read(own, e->config->file, diags) : NULL;
    struct err err;
    if (config == NULL)
        *said = arena_printf(arena, "the configuration stays as it was:\n%s", diag_text(arena, diags));
    else if (!connector_changes_load(own, config, &err) || !take_submission_tls(e, config, &err))
        *said = arena_strdup(arena, err.text);
    else
        return config;
    return NULL;
}

bool engine_reload(struct engine *e, struct arena *arena, const char **said, const char **news)
{
    struct arena *own = arena_new("configuration");
    const struct engine_config *config = read_config(e, own, arena, said);
    if (config == NULL) {
        arena_free(&own);
        return false;
    }
    *said = reload_waits(arena, e->config, config);
    *news = gate_news(arena, config, clock_now(&e->clock));
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

/* What is not on disk does not leave. */
static void look(struct engine *e)
{
    struct err err;
    if (!commit(e))
        return;
    bool all = e->look_at_all;
    e->look_at_all = false;
    if (courier_look(e->courier, all, &err))
        return;
    fprintf(stderr, "mtalab-engine: %s\n", err.text);
    e->look_at_all = true;
}

static void on_freed(void *arg)
{
    wake_soon(arg);
}

static void on_wake(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct engine *e = arg;
    if (e->courier == NULL || e->undone)
        return;
    look(e);
    forget_old_configs(e, courier_since(e->courier));
    int64_t now = clock_now(&e->clock);
    bool idle = courier_idle(e->courier); /* else something may be due whose turn comes when a delivery has ended */
    int64_t due = queue_next_due(e->queue, idle ? INT64_MIN : now);
    if (idle && due > now && !is_busy_elsewhere(e)) {
        trace_flush(e->trace, now);
        answer_flushes(e);
    }
    if (due > now && due != INT64_MAX) {
        struct timeval pause = {.tv_sec = due - now < 86400 ? due - now : 86400};
        evtimer_add(e->waker, &pause);
    }
}

static void on_keep(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct engine *e = arg;
    struct err err;
    trace_flush(e->trace, clock_now(&e->clock));
    if (!queue_trim(e->queue, clock_now(&e->clock) - (int64_t)e->config->trace_keep, &err))
        fprintf(stderr, "mtalab-engine: %s\n", err.text);
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
    e->look_at_all = true;
    if (e->undone)
        on_dirty(e); /* now, not after the pause */
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
    struct arena *own = arena_new("connectors");
    if (!connector_changes_read(own, request, &wanted, err) ||
        !connector_changes_make(own, e->config, clock_now(&e->clock), &wanted, &routing, err)) {
        arena_free(&own);
        return NULL;
    }
    adopt_routing(e, &routing, own);
    return fine();
}

static json_t *do_reload(struct engine *e, const json_t *request UNUSED, struct control_client *client UNUSED,
                         bool *later UNUSED, struct err *err UNUSED)
{
    struct arena *arena = arena_new("reload");
    const char *said, *news = "";
    bool reloaded = engine_reload(e, arena, &said, &news);
    json_t *answer = json_pack("{s:b,s:s,s:s}", "ok", reloaded, reloaded ? "waits" : "error", said, "news", news);
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
    if (!admin_handle(&world, verb, request, &answer, err)) {
        err_set(err, ERR_INPUT, "nobody knows how to do that");
        return NULL;
    }
    e->look_at_all = true;
    wake_soon(e);
    if (commit(e) || answer == NULL)
        return answer;
    json_decref(answer);
    err_set(err, ERR_SYSTEM, "the queue cannot be written just now");
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

static bool accept_message(void *outside, const struct message *message, int64_t *id, bool *later, struct err *err)
{
    struct engine *e = outside;
    if (!queue_add(e->queue, message, id, err))
        return false;
    trace_message(e->trace, clock_now(&e->clock), *id, TRACE_RECEIVE, message, message->client);
    *later = queue_pending(e->queue);
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

static void on_trace(void *metrics, const struct trace_entry *entry)
{
    metrics_note(metrics, entry);
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
    queue_group(e->queue, on_dirty, e);
    e->trace = trace_new(path_in(e->arena, config, "trace.db"), config->trace_keep);
    e->metrics = metrics_new(config->metrics, e->queue, &e->clock, e->loop, err);
    if (e->metrics == NULL)
        return false;
    trace_watch(e->trace, on_trace, e->metrics);
    e->submit = submit_new(config, &e->clock, e->loop, &submit_ports);
    if (!take_submission_tls(e, config, err))
        return false;
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
    TAILQ_INIT(&e->unstored);
    e->waker = evtimer_new(loop_base(loop), on_wake, e);
    e->committer = evtimer_new(loop_base(loop), on_commit, e);
    e->keeper = event_new(loop_base(loop), -1, EV_PERSIST, on_keep, e);
    if (e->waker == NULL || e->committer == NULL || e->keeper == NULL)
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
    e->tickets = config->tls_sessions > 0 ? tickets_new(&e->clock, config->tls_sessions) : NULL;
    tls_client_set_tickets(e->outside.tls, e->tickets);
    e->world = (struct delivery_world){
        .settle = settle_world_of(e),
        .ports = outside_ports(&e->outside),
        .loop = e->loop,
        .tls = e->outside.tls,
        .sessions = e->sessions,
        .smtp_port = OUTSIDE_SMTP_PORT,
        .unstored = &e->unstored,
    };
    if (!open_reporter(e, err))
        return false;
    e->courier = courier_new(&e->world, &e->routing, limits_of(e->config), on_freed, e);
    e->look_at_all = true;
    static const struct timeval hour = {.tv_sec = 3600};
    event_add(e->keeper, &hour);
    wake_soon(e); /* what is in the queue from before */
    return queue_trim(e->queue, clock_now(&e->clock) - (int64_t)config->trace_keep, err);
}

void engine_free(struct engine **engine)
{
    struct engine *e = *engine;
    if (e == NULL)
        return;
    struct err err;
    redo(e);
    if (e->queue != NULL && !queue_flush(e->queue, &err))
        fprintf(stderr, "mtalab-engine: %s\n", err.text);
    control_free(&e->control);
    submit_free(&e->submit);
    sts_free(&e->outside.sts);
    resolve_free(&e->outside.resolve);
    courier_free(&e->courier);
    sessions_free(&e->sessions);
    reporter_free(&e->reporter);
    outside_close(&e->outside);
    tickets_free(&e->tickets);
    trace_free(&e->trace);
    metrics_free(&e->metrics);
    queue_close(&e->queue);
    forget_old_configs(e, INT64_MAX);
    arena_free(&e->routing_arena);
    arena_free(&e->config_arena);
    event_free(e->waker);
    event_free(e->committer);
    event_free(e->keeper);
    arena_free(&e->arena);
    free(e);
    *engine = NULL;
}
