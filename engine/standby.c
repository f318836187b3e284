/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/standby.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"
#include "engine/resolve.h"
#include "engine/store.h"
#include "engine/sts_fetch.h"
#include "engine/tls_client.h"

/* The first use of a library costs far more than the next, which is all that a forked engine pays. What fails here says
 * why when an engine wants it. */
static void warm_up(void)
{
    struct err err;
    struct loop *loop = loop_new(&err);
    if (loop == NULL)
        return;
    struct resolve_options options = {.ipv4 = true};
    struct resolve *resolve = resolve_new(&options, loop, &err);
    struct sts_fetch *fetch = sts_fetch_new(NULL, 1, loop, &err);
    struct tls_client *tls = tls_client_new(NULL, &err);
    struct store *store = store_open(":memory:", "", false, &err);
    resolve_free(&resolve);
    sts_fetch_free(&fetch);
    tls_client_free(&tls);
    if (store != NULL)
        store_close(&store);
    loop_free(&loop);
}

static pid_t fork_engine(int (*run)(void *arg, const char *config_path, int ready_fd), void *arg, const char *config,
                         int ready[2])
{
    pid_t parent = getpid(), child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (getppid() != parent || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0)
        _exit(EXIT_FAILURE);
    close(nothing);
    close(ready[0]);
    _exit(run(arg, config, ready[1]));
}

/* The word, or the end of it all, is waited for. */
static bool said_ready(int fd)
{
    char byte;
    ssize_t got;
    do
        got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

static void end_engine(pid_t *engine)
{
    if (*engine <= 0)
        return;
    kill(*engine, SIGKILL);
    while (waitpid(*engine, NULL, 0) < 0 && errno == EINTR)
        ;
    *engine = 0;
}

static const char *begin_engine(pid_t *engine, int (*run)(void *arg, const char *config_path, int ready_fd), void *arg,
                                const char *config)
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0)
        return "failed";
    *engine = fork_engine(run, arg, config, ready);
    close(ready[1]);
    bool began = *engine > 0 && said_ready(ready[0]);
    close(ready[0]);
    if (began)
        return "ready";
    end_engine(engine);
    return "failed";
}

int standby_serve(int (*run)(void *arg, const char *config_path, int ready_fd), void *arg)
{
    char line[PATH_MAX];
    pid_t engine = 0;
    warm_up();
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        end_engine(&engine);
        puts(line[0] == '\0' ? "ended" : begin_engine(&engine, run, arg, line));
        fflush(stdout);
    }
    end_engine(&engine);
    return EXIT_SUCCESS;
}
