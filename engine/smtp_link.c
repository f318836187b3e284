/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/smtp_link.h"

#include <event2/buffer.h>
#include <stdlib.h>

#include "engine/connect.h"
#include "engine/smtp_reply.h"

enum { INPUT_MAX = 16 * 1024 };

struct smtp_link {
    struct bufferevent *io;
    struct event *deadline;
    struct smtp_reply_parser *parser; /* NULL until something came: thousands may wait for that */
    const struct smtp_link_hearer *hearer;
    void *arg;
    enum { IDLE, AWAITS_REPLY, AWAITS_HANDSHAKE, BROKEN } state;
    enum cause cause; /* BROKEN: why */
};

static void break_off(struct smtp_link *link, enum cause cause, const char *what)
{
    link->state = BROKEN;
    link->cause = cause;
    event_del(link->deadline);
    bufferevent_setcb(link->io, NULL, NULL, NULL, NULL);
    bufferevent_disable(link->io, EV_READ);
    link->hearer->broken(link->arg, cause, what);
}

static void take_reply(struct smtp_link *link)
{
    link->state = IDLE;
    event_del(link->deadline);
    link->hearer->reply(link->arg, smtp_reply_get(link->parser));
}

/* Feeds the parser with what lies there in one piece. */
static void feed(struct smtp_link *link, size_t length)
{
    struct evbuffer *in = bufferevent_get_input(link->io);
    size_t used;
    if (link->parser == NULL)
        link->parser = smtp_reply_new();
    enum smtp_reply_state state =
        smtp_reply_feed(link->parser, (const char *)evbuffer_pullup(in, (ev_ssize_t)length), length, &used);
    evbuffer_drain(in, used);
    if (state == SMTP_REPLY_BAD)
        break_off(link, CAUSE_BAD_REPLY, smtp_reply_why(link->parser));
    else if (state == SMTP_REPLY_DONE)
        take_reply(link);
}

static void on_read(struct bufferevent *io UNUSED, void *arg)
{
    struct smtp_link *link = arg;
    size_t length;
    while (link->state == AWAITS_REPLY && (length = evbuffer_get_contiguous_space(bufferevent_get_input(link->io))) > 0)
        feed(link, length);
    if (link->state == IDLE && evbuffer_get_length(bufferevent_get_input(link->io)) > 0)
        break_off(link, CAUSE_CLOSING, "the server spoke without being asked");
}

static void on_write(struct bufferevent *io UNUSED, void *arg)
{
    struct smtp_link *link = arg;
    if (link->state == AWAITS_REPLY && link->hearer->written != NULL)
        link->hearer->written(link->arg);
}

static void on_event(struct bufferevent *io, short what, void *arg)
{
    struct smtp_link *link = arg;
    if (what & BEV_EVENT_CONNECTED) {
        link->state = IDLE;
        event_del(link->deadline);
        link->hearer->encrypted(link->arg);
    } else if (link->state == AWAITS_HANDSHAKE) {
        struct arena *arena = arena_new("handshake");
        break_off(link, CAUSE_HANDSHAKE_FAILED, tls_client_failure(io, arena));
        arena_free(&arena);
    } else {
        break_off(link, CAUSE_LOST, what & BEV_EVENT_EOF ? "the server closed the connection" : "the connection broke");
    }
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct smtp_link *link = arg;
    if (link->state == BROKEN)
        link->hearer->broken(link->arg, link->cause, "the connection had already ended");
    else
        break_off(link, CAUSE_TIMEOUT, "no answer in time");
}

static void watch_io(struct smtp_link *link)
{
    bufferevent_setcb(link->io, on_read, on_write, on_event, link);
    bufferevent_setwatermark(link->io, EV_READ, 0, INPUT_MAX);
    bufferevent_enable(link->io, EV_READ | EV_WRITE);
}

struct smtp_link *smtp_link_new(struct loop *loop, struct bufferevent *io)
{
    struct smtp_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        abort();
    link->io = io;
    link->deadline = evtimer_new(loop_base(loop), on_deadline, link);
    if (link->deadline == NULL)
        abort();
    watch_io(link);
    return link;
}

void smtp_link_free(struct smtp_link **link)
{
    if (*link == NULL)
        return;
    bufferevent_free((*link)->io);
    event_free((*link)->deadline);
    smtp_reply_free(&(*link)->parser);
    free(*link);
    *link = NULL;
}

void smtp_link_hear(struct smtp_link *link, const struct smtp_link_hearer *hearer, void *arg)
{
    link->hearer = hearer;
    link->arg = arg;
}

void smtp_link_say(struct smtp_link *link, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    evbuffer_add_vprintf(smtp_link_output(link), fmt, args);
    va_end(args);
    evbuffer_add(smtp_link_output(link), "\r\n", 2);
}

struct evbuffer *smtp_link_output(struct smtp_link *link)
{
    return bufferevent_get_output(link->io);
}

bool smtp_link_sent_all(const struct smtp_link *link)
{
    return evbuffer_get_length(bufferevent_get_output(link->io)) == 0;
}

void smtp_link_await(struct smtp_link *link, double seconds)
{
    struct timeval limit = connect_timeval(seconds);
    if (link->state == BROKEN) {
        event_active(link->deadline, EV_TIMEOUT, 0);
        return;
    }
    if (link->state == IDLE)
        link->state = AWAITS_REPLY;
    evtimer_add(link->deadline, &limit);
}

bool smtp_link_encrypt(struct smtp_link *link, struct tls_client *tls, const struct tls_demands *demands,
                       struct err *err)
{
    if (!tls_client_start(tls, &link->io, demands, err))
        return false;
    watch_io(link);
    link->state = AWAITS_HANDSHAKE;
    return true;
}

struct bufferevent *smtp_link_io(struct smtp_link *link)
{
    return link->io;
}
