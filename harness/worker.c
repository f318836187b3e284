/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/identity.h"
#include "base/process.h"
#include "harness/case_run.h"
#include "harness/lab.h"

enum { OUT_OF_STEP = 3, WATCHDOG_S = 10 };

struct worker {
    const struct worker_setting *setting;
    const struct sandbox *sandbox;
    struct subject *subject;
    struct resolver *resolver;
    struct clock clock;
    struct plan_pki *pki;    /* what all cases have, and inherit */
    const char *unsupported; /* why nothing can be run with this subject here; NULL */
    struct arena *arena;     /* of unsupported */
};

/* ---- the subject ---- */

/* Daemons may have left their adapter's reach: we are the first process of the namespace, and all others are
 * theirs. */
static void clear_namespace(const struct worker *worker)
{
    if (worker->sandbox->kind == SANDBOX_LOOPBACK)
        return;
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
}

static void dismiss(struct worker *worker)
{
    subject_stop(&worker->subject);
    resolver_stop(&worker->resolver);
    clear_namespace(worker);
}

static bool start_resolver(struct worker *worker, struct loop *loop, struct err *err)
{
    if (!subject_uses_daemon(worker->subject))
        return true;
    if (worker->sandbox->kind == SANDBOX_LOOPBACK)
        worker->unsupported = "it asks the resolver of /etc/resolv.conf, which cannot be replaced without namespaces.";
    else if (!resolver_installed())
        worker->unsupported = "it needs the unbound daemon, which is not installed.";
    else
        worker->resolver = resolver_start(worker->sandbox, loop, err);
    return worker->unsupported != NULL || worker->resolver != NULL;
}

static bool start_subject(struct worker *worker, struct loop *loop, struct err *err)
{
    worker->subject = subject_new(worker->setting->adapter, worker->sandbox, loop, err);
    if (worker->subject == NULL || !start_resolver(worker, loop, err))
        return false;
    enum subject_answer answer = worker->unsupported != NULL ? SUBJECT_YES : subject_start(worker->subject, loop);
    if (answer == SUBJECT_UNSUPPORTED)
        worker->unsupported = arena_strdup(worker->arena, subject_why(worker->subject));
    else if (answer != SUBJECT_YES)
        return err_set(err, ERR_SYSTEM, "%s cannot be started: %s", subject_facts(worker->subject)->name,
                       subject_why(worker->subject));
    return true;
}

/* The first key and the first context cost the library 10 ms, which every case would pay again, and the sender's own
 * domain is the same in every world: children inherit them. */
static bool warm_up(struct worker *worker, struct err *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context != NULL)
        SSL_free(SSL_new(context));
    SSL_CTX_free(context);
    worker->pki = plan_pki_new(&worker->clock, err);
    return worker->pki != NULL && plan_pki_prepare(worker->pki, err);
}

static bool hire(struct worker *worker, struct err *err)
{
    struct loop *loop = loop_new(err);
    bool started = loop != NULL && start_subject(worker, loop, err);
    loop_free(&loop);
    return started;
}

/* ---- one case ---- */

static bool write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno != EINTR)
            return false;
        text += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static void run_case(const struct worker *worker, const struct schedule_item *item, int to) __attribute__((noreturn));
static void run_case(const struct worker *worker, const struct schedule_item *item, int to)
{
    struct case_setting setting = {.sandbox = worker->sandbox,
                                   .subject = worker->subject,
                                   .resolver = worker->resolver,
                                   .clauses = worker->setting->clauses,
                                   .pki = worker->pki,
                                   .budget_s = worker->setting->budget_s,
                                   .keep_journal = worker->setting->keep_journal,
                                   .evidence = worker->setting->evidence};
    struct case_result result;
    struct arena *arena = arena_new("case");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool in_step = case_run(arena, &setting, item->scenario, item->mode, &result);
    const char *line = case_result_encode(arena, &result);
    write_all(to, line, strlen(line));
    _exit(in_step ? 0 : OUT_OF_STEP);
}

/* Everything that comes until the writer's end; the text is the caller's. */
static char *read_until(int from, int64_t until_us)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct pollfd readable = {.fd = from, .events = POLLIN};
    char bytes[65536];
    for (;;) {
        int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
        int got_event = left_ms <= 0 ? 0 : poll(&readable, 1, (int)left_ms);
        if (got_event < 0 && errno == EINTR)
            continue;
        ssize_t got = got_event > 0 ? read(from, bytes, sizeof bytes) : 0;
        if (got <= 0)
            break;
        fwrite(bytes, 1, (size_t)got, out);
    }
    fclose(out);
    return text;
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static const char *how_it_ended(struct arena *arena, int status, bool in_time)
{
    if (!in_time)
        return "the lab itself failed: the case's process hung.";
    if (WIFSIGNALED(status))
        return arena_printf(arena, "the lab itself failed: the case's process crashed (%s).",
                            strsignal(WTERMSIG(status)));
    return arena_printf(arena, "the lab itself failed: the case's process ended with status %d and no result.",
                        WEXITSTATUS(status));
}

/* Runs a case in a child; true: the subject is still in step. */
static bool run_in_child(const struct worker *worker, const struct schedule_item *item, struct arena *arena,
                         struct case_result *result)
{
    int ends[2] = {-1, -1}, status = 0;
    struct rusage usage = {0};
    int64_t until_us = clock_monotonic_us() + (int64_t)((worker->setting->budget_s + WATCHDOG_S) * 1e6);
    pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (child == 0)
        run_case(worker, item, ends[1]);
    close(ends[1]);
    char *line = child > 0 ? read_until(ends[0], until_us) : NULL;
    close(ends[0]);
    bool in_time = clock_monotonic_us() < until_us;
    if (child > 0 && !in_time)
        kill(child, SIGKILL);
    while (child > 0 && wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    bool decoded = child > 0 && in_time && case_result_decode(arena, line, result, NULL);
    if (!decoded)
        case_result_without_run(arena, item->scenario, item->mode, subject_facts(worker->subject), VERDICT_UNKNOWN,
                                how_it_ended(arena, status, in_time), result);
    free(line);
    result->cpu_seconds = seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime);
    return decoded && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Daemons that lost their parents became ours. The adapter and unbound are waited for by those who started them. */
static void bury_orphans(const struct worker *worker)
{
    siginfo_t info = {0};
    pid_t adapter = subject_process_id(worker->subject), resolver = resolver_process_id(worker->resolver);
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 && info.si_pid != adapter &&
           info.si_pid != resolver) {
        waitpid(info.si_pid, NULL, 0);
        info.si_pid = 0;
    }
}

static bool send_result(const struct worker *worker, struct arena *arena, const struct case_result *result)
{
    const char *line = case_result_encode(arena, result);
    return write_all(worker->setting->socket, line, strlen(line)) && write_all(worker->setting->socket, "\n", 1);
}

static bool answer(struct worker *worker, size_t index, struct err *err)
{
    struct arena *arena = arena_new("worker");
    const struct schedule_item *item = &worker->setting->schedule->items[index];
    struct case_result result;
    bool in_step = true;
    if (!plan_pki_prepare_for(worker->pki, item->scenario, err))
        return false;
    if (worker->unsupported != NULL)
        case_result_without_run(arena, item->scenario, item->mode, subject_facts(worker->subject), VERDICT_UNSUPPORTED,
                                worker->unsupported, &result);
    else
        in_step = run_in_child(worker, item, arena, &result);
    result.is_twin = item->is_twin;
    bool sent = send_result(worker, arena, &result);
    arena_free(&arena);
    if (!in_step) {
        dismiss(worker);
        lab_clear(worker->sandbox);
    }
    bury_orphans(worker);
    return in_step ? sent : hire(worker, err);
}

static void complain(const struct worker *worker, const struct err *err)
{
    char line[sizeof err->text + 4];
    int length = snprintf(line, sizeof line, "!%s\n", err->text);
    write_all(worker->setting->socket, line, (size_t)length);
}

int worker_main(const struct sandbox *sandbox, void *arg)
{
    struct worker worker = {.setting = arg, .sandbox = sandbox, .arena = arena_new("worker")};
    struct err err = {0};
    unsigned long index;
    FILE *in = fdopen(worker.setting->socket, "r");
    close(worker.setting->peer);
    bool going = in != NULL && hire(&worker, &err) && warm_up(&worker, &err);
    while (going && fscanf(in, "%lu", &index) == 1 && index < worker.setting->schedule->count)
        going = answer(&worker, index, &err);
    if (!going)
        complain(&worker, &err);
    if (sandbox->kind == SANDBOX_LOOPBACK)
        dismiss(&worker); /* elsewhere the end of the namespace is quicker, and as thorough */
    return 0;
}
