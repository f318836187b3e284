/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dialogue.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/connect.h"
#include "engine/message.h"
#include "engine/smtp_ext.h"

enum { INPUT_MAX = 16 * 1024, BODY_BYTES_PER_SECOND = 8 * 1024 };

enum step {
    STEP_GREETING,
    STEP_EHLO,
    STEP_HELO,
    STEP_STARTTLS,
    STEP_HANDSHAKE,
    STEP_MAIL,
    STEP_RCPT,
    STEP_DATA,
    STEP_BODY,
    STEP_QUIT,
    STEP_COUNT /* the end */
};

struct dialogue {
    struct arena *arena;
    struct bufferevent *io;
    const struct dialogue_job *job;
    void (*settled)(void *arg, const struct dialogue_result *result);
    void (*done)(void *arg, const struct dialogue_result *result);
    void *arg;

    enum step step;
    struct event *deadline; /* of the step, however slowly bytes drip in */
    struct event *ender;    /* calls done() from a fresh stack */
    struct smtp_reply_parser *parser;
    struct smtp_ext ext;
    bool encrypted;
    size_t recipient; /* whose RCPT is answered next */
    struct dialogue_result result;
};

/* ---- failures ---- */

static struct failure failure_of_reply(struct dialogue *d, enum cause cause, const struct smtp_reply *reply)
{
    struct failure f = {.cause = cause, .reply_code = reply->code, .text = smtp_reply_text(d->arena, reply)};
    memcpy(f.enhanced, reply->enhanced, sizeof f.enhanced);
    return f;
}

static struct failure failure_of(struct dialogue *d, enum cause cause, const char *text)
{
    return (struct failure){.cause = cause, .text = text_escape(d->arena, text, strlen(text))};
}

/* Every recipient whose fate is not known yet shares it. */
static void fail_rest(struct dialogue *d, const struct failure *failure)
{
    for (size_t i = 0; i < d->job->recipient_count; i++)
        if (d->result.recipients[i].fate == FATE_OPEN || d->result.recipients[i].fate == FATE_ACCEPTED)
            d->result.recipients[i] = (struct dialogue_recipient){FATE_FAILED, *failure};
}

static enum step fail(struct dialogue *d, struct failure failure, enum step next)
{
    if (d->result.session.cause == CAUSE_NONE)
        d->result.session = failure;
    fail_rest(d, &d->result.session);
    return next;
}

/* TLS cannot be had: a demand that is not met, or, where nothing demands it, the cause that lets the caller go on in
 * the clear. */
static enum step fail_without_tls(struct dialogue *d, enum cause cause, const char *text, enum step next)
{
    struct failure f = failure_of(d, cause, text);
    if (d->job->tls_demanded) {
        f.cause = CAUSE_DEMAND_UNMET;
        f.reason = d->job->without_tls;
    }
    return fail(d, f, next);
}

/* ---- commands ---- */

static void say(struct dialogue *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct dialogue *d, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    evbuffer_add_vprintf(bufferevent_get_output(d->io), fmt, args);
    va_end(args);
    evbuffer_add(bufferevent_get_output(d->io), "\r\n", 2);
}

static void send_nothing(struct dialogue *d UNUSED)
{
}
static void send_ehlo(struct dialogue *d)
{
    say(d, "EHLO %s", d->job->hostname);
}
static void send_helo(struct dialogue *d)
{
    say(d, "HELO %s", d->job->hostname);
}
static void send_starttls(struct dialogue *d)
{
    say(d, "STARTTLS");
}
static void send_rcpt(struct dialogue *d)
{
    say(d, "RCPT TO:<%s>", d->job->recipients[d->recipient]);
}
static void send_data(struct dialogue *d)
{
    say(d, "DATA");
}
static void send_quit(struct dialogue *d)
{
    say(d, "QUIT");
}

static void send_mail(struct dialogue *d)
{
    char size[40] = "";
    if (d->ext.size)
        snprintf(size, sizeof size, " SIZE=%zu", d->job->length);
    bool eight_bit = d->ext.eightbitmime && message_is_8bit(d->job->content, d->job->length);
    say(d, "MAIL FROM:<%s>%s%s", d->job->sender, size, eight_bit ? " BODY=8BITMIME" : "");
}

/* Lines that begin with a dot get another (RFC 5321 4.5.2); the last line gets an end. */
static void send_body(struct dialogue *d)
{
    struct evbuffer *out = bufferevent_get_output(d->io);
    const char *end = d->job->content + d->job->length;
    for (const char *line = d->job->content, *next; line < end; line = next) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        next = newline != NULL ? newline + 1 : end;
        if (*line == '.')
            evbuffer_add(out, ".", 1);
        evbuffer_add(out, line, (size_t)(next - line));
    }
    if (d->job->length < 2 || memcmp(end - 2, "\r\n", 2) != 0)
        evbuffer_add(out, "\r\n", 2);
    evbuffer_add(out, ".\r\n", 3);
}

/* ---- answers: each returns the next step ---- */

static enum step on_greeting(struct dialogue *d, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_GREETING, reply->code);
    return cause == CAUSE_NONE
               ? STEP_EHLO
               : fail(d, failure_of_reply(d, cause, reply), cause == CAUSE_CLOSING ? STEP_COUNT : STEP_QUIT);
}

/* What the server cannot take is not even begun. */
static enum step begin_transaction(struct dialogue *d)
{
    if (d->job->recipient_count == 0) /* only a look */
        return STEP_QUIT;
    if (d->ext.size_limit > 0 && (uint64_t)d->ext.size_limit < d->job->length)
        return fail(d,
                    failure_of(d, CAUSE_TOO_BIG,
                               arena_printf(d->arena, "%zu bytes, the server takes %lld", d->job->length,
                                            (long long)d->ext.size_limit)),
                    STEP_QUIT);
    if (!d->ext.eightbitmime && message_is_8bit(d->job->content, d->job->length))
        return fail(d, failure_of(d, CAUSE_NO_8BIT, "the server does not offer 8BITMIME"), STEP_QUIT);
    return STEP_MAIL;
}

/* STARTTLS when offered; never twice (3207-4.2-4). */
static enum step after_hello(struct dialogue *d)
{
    if (d->encrypted)
        return begin_transaction(d);
    if (d->ext.starttls && !d->job->in_clear && d->job->tls != NULL)
        return STEP_STARTTLS;
    if (d->job->tls_demanded)
        return fail_without_tls(d, CAUSE_DEMAND_UNMET, "the server does not offer STARTTLS", STEP_QUIT);
    return begin_transaction(d);
}

static enum step on_hello_refused(struct dialogue *d, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_EHLO, reply->code);
    return fail(d, failure_of_reply(d, cause, reply), cause == CAUSE_CLOSING ? STEP_COUNT : STEP_QUIT);
}

static enum step on_ehlo(struct dialogue *d, const struct smtp_reply *reply)
{
    if (smtp_reply_class(reply) == 5)
        return STEP_HELO; /* 5321-3.2-1 */
    if (smtp_reply_class(reply) != 2)
        return on_hello_refused(d, reply);
    d->ext = smtp_ext_parse(reply);
    return after_hello(d);
}

static enum step on_helo(struct dialogue *d, const struct smtp_reply *reply)
{
    if (smtp_reply_class(reply) != 2)
        return on_hello_refused(d, reply);
    d->ext = (struct smtp_ext){0};
    return after_hello(d);
}

static void watch_io(struct dialogue *d);

static enum step start_tls(struct dialogue *d)
{
    struct err err;
    if (!tls_client_start(d->job->tls, &d->io, d->job->demands, &err))
        return fail_without_tls(d, CAUSE_STARTTLS_BROKEN, err.text, STEP_COUNT);
    watch_io(d);
    return STEP_HANDSHAKE;
}

/* 220 alone begins TLS. A plain refusal leaves the session usable in the clear; anything else does not. */
static enum step on_starttls(struct dialogue *d, const struct smtp_reply *reply)
{
    if (reply->code == 220)
        return start_tls(d);
    const char *text = arena_printf(d->arena, "STARTTLS was answered: %s", smtp_reply_text(d->arena, reply));
    bool refused = smtp_reply_class(reply) >= 4 && reply->code != 421;
    if (!refused || d->job->tls_demanded)
        return fail_without_tls(d, CAUSE_STARTTLS_BROKEN, text, refused ? STEP_QUIT : STEP_COUNT);
    return begin_transaction(d);
}

/* After the handshake and before any command: is the peer whom the decision wants (3207-4.1-1)? */
static enum step on_handshake(struct dialogue *d)
{
    struct tls_outcome *tls = &d->result.tls;
    tls_client_judge(d->job->tls, d->io, d->job->demands, d->arena, tls);
    d->encrypted = true;
    d->ext = (struct smtp_ext){0}; /* 3207-4.2-1 */
    if (tls->reason == REASON_NONE)
        return STEP_EHLO;
    struct failure f =
        failure_of(d, CAUSE_DEMAND_UNMET, tls->detail != NULL ? tls->detail : "the certificate is not acceptable");
    f.reason = tls->reason;
    return fail(d, f, STEP_QUIT); /* 3207-4.1-2 */
}

static enum step on_mail(struct dialogue *d, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_MAIL, reply->code);
    if (cause == CAUSE_NONE)
        return STEP_RCPT;
    return fail(d, failure_of_reply(d, cause, reply), cause == CAUSE_CLOSING ? STEP_COUNT : STEP_QUIT);
}

static bool any_accepted(const struct dialogue *d)
{
    for (size_t i = 0; i < d->job->recipient_count; i++)
        if (d->result.recipients[i].fate == FATE_ACCEPTED)
            return true;
    return false;
}

static enum step on_rcpt(struct dialogue *d, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_RCPT, reply->code);
    struct dialogue_recipient *r = &d->result.recipients[d->recipient++];
    if (cause == CAUSE_CLOSING)
        return fail(d, failure_of_reply(d, cause, reply), STEP_COUNT);
    r->fate = cause == CAUSE_NONE ? FATE_ACCEPTED : FATE_FAILED;
    if (cause != CAUSE_NONE)
        r->failure = failure_of_reply(d, cause, reply);
    if (d->recipient < d->job->recipient_count)
        return STEP_RCPT;
    return any_accepted(d) ? STEP_DATA : STEP_QUIT;
}

static enum step on_data(struct dialogue *d, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_DATA, reply->code);
    if (cause == CAUSE_NONE)
        return STEP_BODY;
    return fail(d, failure_of_reply(d, cause, reply), cause == CAUSE_CLOSING ? STEP_COUNT : STEP_QUIT);
}

static enum step on_body(struct dialogue *d, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_BODY, reply->code);
    if (cause != CAUSE_NONE)
        return fail(d, failure_of_reply(d, cause, reply), cause == CAUSE_CLOSING ? STEP_COUNT : STEP_QUIT);
    d->result.reply = smtp_reply_text(d->arena, reply);
    for (size_t i = 0; i < d->job->recipient_count; i++)
        if (d->result.recipients[i].fate == FATE_ACCEPTED)
            d->result.recipients[i].fate = FATE_DELIVERED;
    if (d->settled != NULL)
        d->settled(d->arg, &d->result);
    return STEP_QUIT;
}

static enum step on_quit(struct dialogue *d UNUSED, const struct smtp_reply *reply UNUSED)
{
    return STEP_COUNT;
}
static enum step on_reply_in_handshake(struct dialogue *d UNUSED, const struct smtp_reply *reply UNUSED)
{
    return STEP_COUNT;
}

/* ---- the table ---- */

/* clang-format off */
static const struct {
    const char *name;
    size_t timeout;                                                          /* in struct dialogue_timeouts */
    void (*send)(struct dialogue *d);
    enum step (*reply)(struct dialogue *d, const struct smtp_reply *reply);  /* returns the next step */
} steps[] = {
#define TIMEOUT(member) offsetof(struct dialogue_timeouts, member)
    [STEP_GREETING]  = {"the greeting",      TIMEOUT(greeting),  send_nothing,  on_greeting},
    [STEP_EHLO]      = {"EHLO",              TIMEOUT(ehlo),      send_ehlo,     on_ehlo},
    [STEP_HELO]      = {"HELO",              TIMEOUT(ehlo),      send_helo,     on_helo},
    [STEP_STARTTLS]  = {"STARTTLS",          TIMEOUT(starttls),  send_starttls, on_starttls},
    [STEP_HANDSHAKE] = {"the TLS handshake", TIMEOUT(handshake), send_nothing,  on_reply_in_handshake},
    [STEP_MAIL]      = {"MAIL",              TIMEOUT(mail),      send_mail,     on_mail},
    [STEP_RCPT]      = {"RCPT",              TIMEOUT(rcpt),      send_rcpt,     on_rcpt},
    [STEP_DATA]      = {"DATA",              TIMEOUT(data),      send_data,     on_data},
    [STEP_BODY]      = {"the final dot",     TIMEOUT(body),      send_body,     on_body},
    [STEP_QUIT]      = {"QUIT",              TIMEOUT(quit),      send_quit,     on_quit},
#undef TIMEOUT
};
/* clang-format on */
static_assert(COUNT(steps) == STEP_COUNT, "one row per step");

/* ---- the machine ---- */

static void enter(struct dialogue *d, enum step step)
{
    d->step = step;
    if (step == STEP_COUNT) {
        event_del(d->deadline);
        bufferevent_setcb(d->io, NULL, NULL, NULL, NULL);
        bufferevent_disable(d->io, EV_READ);
        event_active(d->ender, EV_TIMEOUT, 0);
        return;
    }
    double seconds = *(const double *)((const char *)&d->job->timeouts + steps[step].timeout);
    if (step == STEP_BODY)
        seconds += (double)(d->job->length / BODY_BYTES_PER_SECOND);
    struct timeval limit = connect_timeval(seconds);
    evtimer_add(d->deadline, &limit);
    if (step == STEP_STARTTLS)
        d->result.tls_tried = true;
    steps[step].send(d);
}

/* The connection is of no more use. After the whole message has gone out, nobody knows what the server did with it. */
static void broken(struct dialogue *d, enum cause cause, const char *what)
{
    const char *text = arena_printf(d->arena, "%s, waiting for the answer to %s", what, steps[d->step].name);
    bool gone = d->step == STEP_BODY && evbuffer_get_length(bufferevent_get_output(d->io)) == 0;
    if (d->step == STEP_STARTTLS)
        fail_without_tls(d, CAUSE_STARTTLS_BROKEN, text, STEP_COUNT);
    else if (d->step == STEP_HANDSHAKE)
        fail_without_tls(d, CAUSE_HANDSHAKE_FAILED, what, STEP_COUNT);
    else if (d->step != STEP_QUIT)
        fail(d, failure_of(d, gone ? CAUSE_LOST_AFTER_DOT : cause, text), STEP_COUNT);
    enter(d, STEP_COUNT);
}

static void on_read(struct bufferevent *io UNUSED, void *arg)
{
    struct dialogue *d = arg;
    while (d->step != STEP_HANDSHAKE && d->step != STEP_COUNT) {
        struct evbuffer *in = bufferevent_get_input(d->io);
        size_t length = evbuffer_get_contiguous_space(in), used;
        if (length == 0)
            return;
        enum smtp_reply_state state =
            smtp_reply_feed(d->parser, (const char *)evbuffer_pullup(in, (ev_ssize_t)length), length, &used);
        evbuffer_drain(in, used);
        if (state == SMTP_REPLY_BAD)
            broken(d, CAUSE_BAD_REPLY, smtp_reply_why(d->parser));
        else if (state == SMTP_REPLY_DONE)
            enter(d, steps[d->step].reply(d, smtp_reply_get(d->parser)));
    }
}

static void on_event(struct bufferevent *io, short what, void *arg)
{
    struct dialogue *d = arg;
    if (what & BEV_EVENT_CONNECTED)
        enter(d, on_handshake(d));
    else if (d->step == STEP_HANDSHAKE)
        broken(d, CAUSE_HANDSHAKE_FAILED, tls_client_failure(io, d->arena));
    else
        broken(d, CAUSE_LOST, what & BEV_EVENT_EOF ? "the server closed the connection" : "the connection broke");
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    broken(arg, CAUSE_TIMEOUT, "no answer in time");
}

static void watch_io(struct dialogue *d)
{
    bufferevent_setcb(d->io, on_read, NULL, on_event, d);
    bufferevent_setwatermark(d->io, EV_READ, 0, INPUT_MAX);
    bufferevent_enable(d->io, EV_READ | EV_WRITE);
}

static void release(struct dialogue *d)
{
    bufferevent_free(d->io);
    event_free(d->deadline);
    event_free(d->ender);
    smtp_reply_free(&d->parser);
    free(d);
}

static void on_end(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct dialogue *d = arg;
    struct dialogue_result *result = arena_memdup(d->arena, &d->result, sizeof d->result);
    void (*done)(void *, const struct dialogue_result *) = d->done;
    void *to = d->arg;
    release(d);
    done(to, result);
}

struct dialogue *dialogue_start(struct loop *loop, struct arena *arena, struct bufferevent *io,
                                const struct dialogue_job *job,
                                void (*settled)(void *arg, const struct dialogue_result *result),
                                void (*done)(void *arg, const struct dialogue_result *result), void *arg)
{
    struct dialogue *d = calloc(1, sizeof *d);
    if (d == NULL)
        abort();
    *d = (struct dialogue){.arena = arena, .io = io, .job = job, .settled = settled, .done = done, .arg = arg};
    d->parser = smtp_reply_new();
    d->deadline = evtimer_new(loop_base(loop), on_deadline, d);
    d->ender = evtimer_new(loop_base(loop), on_end, d);
    if (d->deadline == NULL || d->ender == NULL)
        abort();
    d->result.recipients = arena_alloc(arena, (job->recipient_count + 1) * sizeof *d->result.recipients);
    watch_io(d);
    enter(d, STEP_GREETING);
    return d;
}

void dialogue_cancel(struct dialogue **dialogue)
{
    if (*dialogue == NULL)
        return;
    release(*dialogue);
    *dialogue = NULL;
}
