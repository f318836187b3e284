/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/loop.h"

#include <signal.h>
#include <stdlib.h>

struct loop {
    struct event_base *base;
    bool stopped;
};

struct loop *loop_new(struct err *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    struct event_config *config = event_config_new();
    if (config != NULL)
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    if (loop != NULL && config != NULL)
        loop->base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    if (loop == NULL || loop->base == NULL) {
        free(loop);
        err_set(err, ERR_SYSTEM, "cannot make an event loop");
        return NULL;
    }
    /* A peer that closes early is a matter for the one who writes, not a reason to die. */
    signal(SIGPIPE, SIG_IGN);
    return loop;
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

static void on_timeout(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    *(bool *)arg = true;
}

bool loop_run_until(struct loop *loop, const bool *done, double seconds)
{
    static const bool never = false;
    if (done == NULL)
        done = &never;
    bool expired = false;
    struct event *timer = NULL;
    if (!*done && seconds >= 0) {
        struct timeval span = {.tv_sec = (time_t)seconds};
        span.tv_usec = (suseconds_t)((seconds - (double)span.tv_sec) * 1e6);
        timer = evtimer_new(loop->base, on_timeout, &expired);
        if (timer == NULL || evtimer_add(timer, &span) != 0)
            expired = true;
    }
    while (!*done && !expired && !loop->stopped)
        if (event_base_loop(loop->base, EVLOOP_ONCE) != 0)
            break; /* nothing left to wait for, or called from inside an event */
    if (timer != NULL)
        event_free(timer);
    return *done && !loop->stopped;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
    event_base_loopbreak(loop->base);
}

bool loop_stopped(const struct loop *loop)
{
    return loop->stopped;
}

void loop_free(struct loop **loop)
{
    if (loop == NULL || *loop == NULL)
        return;
    event_base_free((*loop)->base);
    free(*loop);
    *loop = NULL;
}
