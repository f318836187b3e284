/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

struct connect_attempt {
    struct bufferevent *io;
    connect_done *done;
    void *arg;
};

struct timeval connect_timeval(double seconds)
{
    struct timeval span = {.tv_sec = (time_t)seconds};
    span.tv_usec = (suseconds_t)((seconds - (double)span.tv_sec) * 1e6);
    return span;
}

static const struct {
    int number;
    enum cause cause;
} errors[] = {
    {ECONNREFUSED, CAUSE_CONNECT_REFUSED},
    {ETIMEDOUT, CAUSE_CONNECT_TIMEOUT},
};

static enum cause cause_of(int number)
{
    for (size_t i = 0; i < COUNT(errors); i++)
        if (errors[i].number == number)
            return errors[i].cause;
    return CAUSE_CONNECT_FAILED;
}

static void finish(struct connect_attempt *attempt, struct bufferevent *io, enum cause cause, const char *why)
{
    struct connect_attempt ended = *attempt;
    if (io == NULL)
        bufferevent_free(ended.io);
    free(attempt);
    ended.done(ended.arg, io, cause, why);
}

static void on_event(struct bufferevent *io, short what, void *arg)
{
    int number = errno;
    if (what & BEV_EVENT_CONNECTED) {
        int on = 1;
        setsockopt(bufferevent_getfd(io), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        bufferevent_setcb(io, NULL, NULL, NULL, NULL);
        bufferevent_set_timeouts(io, NULL, NULL);
        finish(arg, io, CAUSE_NONE, NULL);
    } else if (what & BEV_EVENT_TIMEOUT) {
        finish(arg, NULL, CAUSE_CONNECT_TIMEOUT, "no answer in time");
    } else {
        finish(arg, NULL, cause_of(number), strerror(number));
    }
}

struct connect_attempt *connect_start(struct loop *loop, const struct netaddr *to, double timeout_s, connect_done *done,
                                      void *arg)
{
    struct connect_attempt *attempt = calloc(1, sizeof *attempt);
    struct bufferevent *io = bufferevent_socket_new(loop_base(loop), -1, BEV_OPT_CLOSE_ON_FREE);
    if (attempt == NULL || io == NULL)
        abort();
    *attempt = (struct connect_attempt){io, done, arg};
    struct timeval limit = connect_timeval(timeout_s);
    bufferevent_setcb(io, NULL, NULL, on_event, attempt);
    bufferevent_set_timeouts(io, NULL, &limit);
    bufferevent_socket_connect(io, (const struct sockaddr *)&to->addr,
                               (int)to->length); /* a failure comes as an event */
    return attempt;
}

void connect_cancel(struct connect_attempt **attempt)
{
    if (*attempt == NULL)
        return;
    bufferevent_free((*attempt)->io);
    free(*attempt);
    *attempt = NULL;
}
