/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/runner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/loop.h"
#include "harness/case_run.h"
#include "harness/worker.h"

enum { IDLE = -1 };

struct runner;
struct hand { /* a worker, seen from here */
    struct runner *runner;
    pid_t pid;
    struct bufferevent *link;
    long at_work; /* index of its case; IDLE */
};
struct runner {
    struct arena *arena;
    const struct runner_wish *wish;
    struct loop *loop;
    struct hand *hands;
    unsigned hand_count, alive;
    enum sandbox_kind kind;
    struct entry {
        struct case_result result;
        bool come, final;
    } * entries;
    size_t next, come;
    bool done, interrupted;
    struct err err;
};

/* ---- verdicts ---- */

static bool stands(enum verdict_kind kind)
{
    return kind == VERDICT_PASS || kind == VERDICT_INFO || kind == VERDICT_WARN;
}

void runner_settle(struct arena *arena, struct case_result *result, const struct case_result *twin)
{
    result->twin_kind = twin->kind;
    if (stands(twin->kind) || !stands(result->kind))
        return;
    bool lab = twin->kind == VERDICT_UNKNOWN;
    result->kind = lab ? VERDICT_UNKNOWN : VERDICT_UNPROVEN;
    result->sentence = arena_printf(arena, "%s, but this proves nothing: its control twin %s came to %s.",
                                    result->sentence, twin->title, verdict_words[twin->kind]);
}

static bool is_difference(enum verdict_kind kind)
{
    return kind == VERDICT_FAIL || kind == VERDICT_XPASS || kind == VERDICT_UNPROVEN || kind == VERDICT_UNKNOWN;
}

static void finish(struct runner *runner, size_t i)
{
    struct entry *entry = &runner->entries[i];
    const struct schedule_item *item = &runner->wish->schedule->items[i];
    if (item->twin != SCHEDULE_NO_TWIN && !runner->entries[item->twin].come)
        return;
    if (item->twin != SCHEDULE_NO_TWIN)
        runner_settle(runner->arena, &entry->result, &runner->entries[item->twin].result);
    if (runner->wish->known != NULL)
        known_apply(runner->arena, runner->wish->known, &entry->result);
    entry->final = true;
    runner->wish->finished(runner->wish->arg, &entry->result);
    if (runner->wish->fail_fast && !item->is_twin && is_difference(entry->result.kind))
        runner->done = true;
}

/* A result has come: final now, or when its twin's comes. */
static void take(struct runner *runner, size_t i)
{
    const struct schedule *schedule = runner->wish->schedule;
    runner->entries[i].come = true;
    runner->come++;
    finish(runner, i);
    for (size_t k = 0; k < schedule->count; k++)
        if (schedule->items[k].twin == (long)i && runner->entries[k].come && !runner->entries[k].final)
            finish(runner, k);
    runner->wish->finished(runner->wish->arg, NULL);
    runner->done |= runner->come == schedule->count;
}

/* ---- workers ---- */

static void give_work(struct hand *hand)
{
    struct runner *runner = hand->runner;
    hand->at_work = IDLE;
    if (runner->next >= runner->wish->schedule->count)
        return;
    hand->at_work = (long)runner->next++;
    evbuffer_add_printf(bufferevent_get_output(hand->link), "%ld\n", hand->at_work);
}

static void take_line(struct hand *hand, const char *line)
{
    struct runner *runner = hand->runner;
    if (line[0] == '!') {
        err_set(&runner->err, ERR_SYSTEM, "%s", line + 1);
        runner->done = true;
        return;
    }
    size_t i = (size_t)hand->at_work;
    if (hand->at_work == IDLE)
        return;
    if (!case_result_decode(runner->arena, line, &runner->entries[i].result, &runner->err)) {
        runner->done = true;
        return;
    }
    give_work(hand);
    take(runner, i);
}

static void on_readable(struct bufferevent *link, void *arg)
{
    struct hand *hand = arg;
    for (char *line;
         !hand->runner->done && (line = evbuffer_readln(bufferevent_get_input(link), NULL, EVBUFFER_EOL_LF)) != NULL;
         free(line))
        take_line(hand, line);
}

/* Writing to a worker that is gone fails before what it said last has been read. */
static void read_rest(struct bufferevent *link)
{
    struct evbuffer *said = bufferevent_get_input(link);
    evbuffer_unfreeze(said, 0);
    while (evbuffer_read(said, bufferevent_getfd(link), -1) > 0)
        ;
}

/* A worker that is gone takes its case with it, and no other. */
static void on_end(struct bufferevent *link, short what UNUSED, void *arg)
{
    struct hand *hand = arg;
    struct runner *runner = hand->runner;
    read_rest(link);
    on_readable(link, hand);
    bufferevent_disable(link, EV_READ | EV_WRITE);
    runner->alive--;
    if (hand->at_work != IDLE && !runner->done) {
        const struct schedule_item *item = &runner->wish->schedule->items[hand->at_work];
        case_result_without_run(runner->arena, item->scenario, item->mode, NULL, VERDICT_UNKNOWN,
                                "the lab itself failed: the worker ended.", &runner->entries[hand->at_work].result);
        runner->entries[hand->at_work].result.is_twin = item->is_twin;
        take(runner, (size_t)hand->at_work);
    }
    if (runner->alive == 0 && !runner->done) {
        err_set(&runner->err, ERR_SYSTEM, "every worker ended before all cases had run");
        runner->done = true;
    }
}

static bool start_worker(struct runner *runner, struct hand *hand, struct err *err)
{
    int ends[2];
    const struct runner_wish *wish = runner->wish;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(err, ERR_SYSTEM, "cannot make a pair of sockets: %s", strerror(errno));
    struct worker_setting setting = {.socket = ends[1],
                                     .peer = ends[0],
                                     .adapter = wish->adapter,
                                     .schedule = wish->schedule,
                                     .clauses = wish->clauses,
                                     .budget_s = wish->budget_s,
                                     .keep_journal = wish->keep_journal,
                                     .evidence = wish->evidence};
    struct sandbox_spec spec = {.kind = runner->kind, .body = worker_main, .arg = &setting};
    *hand = (struct hand){.runner = runner, .pid = sandbox_spawn(&spec, err), .at_work = IDLE};
    close(ends[1]);
    if (hand->pid < 0) {
        close(ends[0]);
        return false;
    }
    evutil_make_socket_nonblocking(ends[0]);
    hand->link = bufferevent_socket_new(loop_base(runner->loop), ends[0], BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(hand->link, on_readable, NULL, on_end, hand);
    bufferevent_enable(hand->link, EV_READ | EV_WRITE);
    runner->alive++;
    give_work(hand);
    loop_run_until(runner->loop, NULL, 0); /* it starts while the next one is made */
    return true;
}

/* Closing the link asks a worker to end; in namespaces killing it is as thorough, and quicker. */
static void end_worker(const struct runner *runner, struct hand *hand)
{
    if (hand->pid <= 0)
        return;
    shutdown(bufferevent_getfd(hand->link), SHUT_RDWR); /* freeing closes it only when the loop next runs */
    bufferevent_free(hand->link);
    if (runner->kind != SANDBOX_LOOPBACK)
        kill(hand->pid, SIGKILL);
    while (waitpid(hand->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* ---- the run ---- */

static void on_signal(evutil_socket_t number UNUSED, short what UNUSED, void *arg)
{
    struct runner *runner = arg;
    runner->interrupted = runner->done = true;
}

/* The first worker, in the best sandbox that there is. */
static bool start_first_worker(struct runner *runner, struct err *err)
{
    if (start_worker(runner, &runner->hands[0], err))
        return true;
    if (runner->kind != SANDBOX_AUTO || !sandbox_loopback_possible())
        return false;
    fprintf(stderr, "mtalab: %s: running on 127.0.0.0/8 what can be run there; 'mtalab doctor' says how to do better\n",
            err->text);
    runner->kind = SANDBOX_LOOPBACK;
    return start_worker(runner, &runner->hands[0], err);
}

/* On the loopback there is one port 25, so there is one worker. */
static bool start_workers(struct runner *runner, struct err *err)
{
    if (!start_first_worker(runner, err))
        return false;
    runner->hand_count = 1;
    for (unsigned i = 1; i < runner->wish->workers && i < runner->wish->schedule->count && !runner->done; i++) {
        if (runner->kind == SANDBOX_LOOPBACK || !start_worker(runner, &runner->hands[i], err))
            break; /* with fewer, then */
        runner->hand_count++;
    }
    return true;
}

static void collect(const struct runner *runner, struct runner_outcome *out)
{
    const struct schedule *schedule = runner->wish->schedule;
    out->results = arena_alloc(runner->arena, (schedule->count + 1) * sizeof *out->results);
    for (size_t i = 0; i < schedule->count; i++)
        if (runner->entries[i].final)
            out->results[out->count++] = runner->entries[i].result;
    out->interrupted = runner->interrupted;
}

static bool run_all(struct runner *runner, struct runner_outcome *out, struct err *err)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct event *signals[COUNT(numbers)];
    for (size_t i = 0; i < COUNT(numbers); i++) {
        signals[i] = evsignal_new(loop_base(runner->loop), numbers[i], on_signal, runner);
        evsignal_add(signals[i], NULL);
    }
    bool started = runner->done || start_workers(runner, err);
    if (started)
        loop_run_until(runner->loop, &runner->done, -1);
    for (unsigned i = 0; i < runner->hand_count; i++)
        end_worker(runner, &runner->hands[i]);
    for (size_t i = 0; i < COUNT(numbers); i++)
        event_free(signals[i]);
    collect(runner, out);
    if (runner->err.kind != ERR_NONE && err != NULL)
        *err = runner->err;
    return started && runner->err.kind == ERR_NONE;
}

bool runner_run(struct arena *arena, const struct runner_wish *wish, struct runner_outcome *out, struct err *err)
{
    struct runner runner = {
        .arena = arena, .wish = wish, .kind = wish->kind, .loop = loop_new(err), .done = wish->schedule->count == 0};
    *out = (struct runner_outcome){0};
    if (runner.loop == NULL)
        return false;
    runner.hands = arena_alloc(arena, wish->workers * sizeof *runner.hands);
    runner.entries = arena_alloc(arena, (wish->schedule->count + 1) * sizeof *runner.entries);
    bool ran = run_all(&runner, out, err);
    loop_free(&runner.loop);
    return ran;
}
