/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

struct process {
    pid_t pid;
    bool ended;
    int status;
    int pidfd; /* -1: not opened yet */
    struct event *watch;
    void (*on_end)(void *arg);
    void *on_end_arg;
};

/* What the child says through the pipe when it does not get as far as running the program. */
struct complaint {
    enum stage { STAGE_DESCRIPTORS, STAGE_DIRECTORY, STAGE_PREPARATION, STAGE_EXEC } stage;
    int reason;
};

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool find_in(const char *folders, const char *program, char *path, size_t size)
{
    for (const char *folder = folders; folder != NULL;) {
        const char *end = strchrnul(folder, ':');
        int length = (int)(end - folder);
        int written = length == 0 ? snprintf(path, size, "./%s", program)
                                  : snprintf(path, size, "%.*s/%s", length, folder, program);
        if (written > 0 && (size_t)written < size && is_program(path))
            return true;
        folder = *end == ':' ? end + 1 : NULL;
    }
    return false;
}

bool process_find(const char *program, char *path, size_t size)
{
    if (strchr(program, '/') != NULL)
        return (size_t)snprintf(path, size, "%s", program) < size && is_program(path);
    const char *folders = getenv("PATH");
    return (folders != NULL && find_in(folders, program, path, size)) ||
           find_in("/usr/sbin:/sbin:/usr/local/sbin", program, path, size);
}

static void complain(int to, enum stage stage) __attribute__((noreturn));
static void complain(int to, enum stage stage)
{
    struct complaint complaint = {stage, errno};
    ssize_t written = write(to, &complaint, sizeof complaint);
    _exit(written == (ssize_t)sizeof complaint ? 127 : 126);
}

/* Moved out of the way first: one of the given descriptors may be 0, 1 or 2 itself. */
static bool place_descriptors(const struct process_spec *spec)
{
    const int given[] = {spec->in, spec->out, spec->err};
    int moved[COUNT(given)];
    for (size_t i = 0; i < COUNT(given); i++) {
        int source = given[i] >= 0 ? given[i] : open("/dev/null", O_RDWR | O_CLOEXEC);
        moved[i] = source < 0 ? -1 : fcntl(source, F_DUPFD_CLOEXEC, 3);
        if (moved[i] < 0)
            return false;
    }
    for (size_t i = 0; i < COUNT(given); i++)
        if (dup2(moved[i], (int)i) < 0)
            return false;
    return true;
}

static void close_others_on_exec(void)
{
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    long last = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < last; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void reset_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A parent that died before we asked is seen by its absence; 0 is a parent outside of our pid namespace. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t now = getppid();
    if (now != parent && now != 0)
        _exit(126);
}

static void become(const char *path, const struct process_spec *spec, pid_t parent, int complaints)
    __attribute__((noreturn));
static void become(const char *path, const struct process_spec *spec, pid_t parent, int complaints)
{
    die_with(parent);
    reset_signals();
    if (!place_descriptors(spec))
        complain(complaints, STAGE_DESCRIPTORS);
    close_others_on_exec();
    if (spec->before_exec != NULL) {
        if (!spec->before_exec(spec->arg))
            complain(complaints, STAGE_PREPARATION);
        die_with(parent); /* a change of credentials took the wish back */
    }
    if (spec->directory != NULL && chdir(spec->directory) != 0)
        complain(complaints, STAGE_DIRECTORY);
    if (spec->environment != NULL)
        execve(path, (char *const *)spec->argv, (char *const *)spec->environment);
    else
        execv(path, (char *const *)spec->argv);
    complain(complaints, STAGE_EXEC);
}

static bool report(const struct process_spec *spec, const struct complaint *complaint, struct err *err)
{
    const char *reason = strerror(complaint->reason), *program = spec->argv[0];
    switch (complaint->stage) {
    case STAGE_DIRECTORY:
        return err_set(err, ERR_SYSTEM, "cannot run %s in %s: %s", program, spec->directory, reason);
    case STAGE_PREPARATION:
        return err_set(err, ERR_SYSTEM, "cannot run %s: preparing for it failed: %s", program, reason);
    case STAGE_DESCRIPTORS:
        return err_set(err, ERR_SYSTEM, "cannot run %s: its descriptors: %s", program, reason);
    case STAGE_EXEC:
        break;
    }
    return err_set(err, ERR_SYSTEM, "cannot run %s: %s", program, reason);
}

static bool child_began(int complaints, const struct process_spec *spec, struct err *err)
{
    struct complaint complaint;
    ssize_t got;
    do
        got = read(complaints, &complaint, sizeof complaint);
    while (got < 0 && errno == EINTR);
    return got != (ssize_t)sizeof complaint || report(spec, &complaint, err);
}

static void wait_for_end(struct process *process)
{
    while (!process->ended) {
        pid_t got = waitpid(process->pid, &process->status, 0);
        process->ended = got == process->pid || (got < 0 && errno != EINTR);
    }
}

static void process_free(struct process **process)
{
    if ((*process)->watch != NULL)
        event_free((*process)->watch);
    if ((*process)->pidfd >= 0)
        close((*process)->pidfd);
    free(*process);
    *process = NULL;
}

struct process *process_spawn(const struct process_spec *spec, struct err *err)
{
    char path[PATH_MAX];
    int complaints[2];
    if (strchr(spec->argv[0], '/') != NULL) {
        snprintf(path, sizeof path, "%s", spec->argv[0]);
    } else if (!process_find(spec->argv[0], path, sizeof path)) {
        err_set(err, ERR_SYSTEM, "cannot run %s: no such program in PATH", spec->argv[0]);
        return NULL;
    }
    struct process *process = calloc(1, sizeof *process);
    if (process == NULL || pipe2(complaints, O_CLOEXEC) != 0) {
        free(process);
        err_set(err, ERR_SYSTEM, "cannot run %s: %s", spec->argv[0], strerror(errno));
        return NULL;
    }
    pid_t parent = getpid();
    *process = (struct process){.pid = fork(), .pidfd = -1};
    if (process->pid == 0)
        become(path, spec, parent, complaints[1]);
    int reason = errno;
    close(complaints[1]);
    bool began = process->pid > 0 ? child_began(complaints[0], spec, err)
                                  : err_set(err, ERR_SYSTEM, "cannot run %s: %s", spec->argv[0], strerror(reason));
    close(complaints[0]);
    if (!began) {
        process->ended = process->pid < 0;
        wait_for_end(process);
        process_free(&process);
    }
    return process;
}

pid_t process_id(const struct process *process)
{
    return process->pid;
}

bool process_alive(struct process *process)
{
    if (!process->ended) {
        pid_t got = waitpid(process->pid, &process->status, WNOHANG);
        process->ended = got == process->pid || (got < 0 && errno != EINTR);
    }
    return !process->ended;
}

static int pidfd_of(struct process *process)
{
    if (process->pidfd < 0)
        process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    return process->pidfd;
}

static void on_pidfd(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct process *process = arg;
    wait_for_end(process);
    process->on_end(process->on_end_arg);
}

bool process_watch(struct process *process, struct loop *loop, void (*on_end)(void *arg), void *arg, struct err *err)
{
    process->on_end = on_end;
    process->on_end_arg = arg;
    if (process->watch != NULL)
        return true;
    /* A child that was reaped has no descriptor to wait for: its end is told at once, from the loop all the same. */
    int fd = process->ended ? -1 : pidfd_of(process);
    if (process->ended || fd >= 0)
        process->watch = event_new(loop_base(loop), fd, fd < 0 ? 0 : EV_READ, on_pidfd, process);
    if (process->watch == NULL || event_add(process->watch, fd < 0 ? &(struct timeval){0} : NULL) != 0)
        return err_set(err, ERR_SYSTEM, "cannot watch process %d: %s", (int)process->pid, strerror(errno));
    return true;
}

/* Waits until the child has ended or the time is up. Without pidfd (an old kernel, a strict container) in steps. */
static void wait_at_most(struct process *process, int grace_ms)
{
    enum { STEP_MS = 2 };
    struct pollfd ended = {.fd = pidfd_of(process), .events = POLLIN};
    int64_t until = clock_monotonic_us() + (int64_t)grace_ms * 1000;
    while (process_alive(process)) {
        int64_t left_ms = (until - clock_monotonic_us() + 999) / 1000;
        if (left_ms <= 0)
            return;
        if (ended.fd < 0 && left_ms > STEP_MS)
            left_ms = STEP_MS;
        poll(&ended, 1, (int)left_ms);
    }
}

int process_stop(struct process **process, int grace_ms)
{
    if (process == NULL || *process == NULL)
        return 0;
    if (process_alive(*process)) {
        kill((*process)->pid, SIGTERM);
        wait_at_most(*process, grace_ms);
        if (process_alive(*process))
            kill((*process)->pid, SIGKILL);
    }
    return process_wait(process);
}

int process_wait(struct process **process)
{
    if (process == NULL || *process == NULL)
        return 0;
    wait_for_end(*process);
    int status = (*process)->status;
    process_free(process);
    return status;
}

char *process_output(const char *const *argv, int err_to, struct err *err)
{
    int ends[2];
    char *text = NULL;
    size_t size = 0, got;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        err_set(err, ERR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
        return NULL;
    }
    struct process_spec spec = {.argv = argv, .in = -1, .out = ends[1], .err = err_to};
    struct process *process = process_spawn(&spec, err);
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r"), *out = process != NULL ? open_memstream(&text, &size) : NULL;
    if (in == NULL || (process != NULL && out == NULL))
        abort();
    for (char bytes[4096]; out != NULL && (got = fread(bytes, 1, sizeof bytes, in)) > 0;)
        fwrite(bytes, 1, got, out);
    if (out != NULL)
        fclose(out);
    fclose(in);
    process_wait(&process);
    return text;
}
