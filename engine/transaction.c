/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/transaction.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "engine/message.h"

enum { BODY_BYTES_PER_SECOND = 8 * 1024 };

enum step {
    STEP_RSET,
    STEP_MAIL,
    STEP_RCPT,
    STEP_DATA,
    STEP_BODY,
    STEP_COUNT /* the end */
};

struct transaction {
    struct arena *arena;
    struct session *session;
    struct smtp_link *link;
    const struct transaction_mail *mail;
    void (*done)(void *arg, const struct transaction_result *result);
    void *arg;

    enum step step;
    struct event *ender; /* calls done() from a fresh stack */
    size_t recipient;    /* whose RCPT is answered next */
    struct transaction_result result;
};

/* ---- failures ---- */

/* Every recipient whose fate is not known yet shares it. */
static enum step fail(struct transaction *t, struct failure failure)
{
    t->result.failure = failure;
    for (size_t i = 0; i < t->mail->recipient_count; i++)
        if (t->result.recipients[i].fate == FATE_OPEN || t->result.recipients[i].fate == FATE_ACCEPTED)
            t->result.recipients[i] = (struct transaction_recipient){FATE_FAILED, failure};
    return STEP_COUNT;
}

static enum step fail_by_reply(struct transaction *t, enum cause cause, const struct smtp_reply *reply)
{
    if (cause == CAUSE_CLOSING)
        session_set_over(t->session);
    return fail(t, failure_of_reply(t->arena, cause, reply));
}

/* ---- commands ---- */

static void send_rset(struct transaction *t)
{
    smtp_link_say(t->link, "RSET");
}
static void send_rcpt(struct transaction *t)
{
    smtp_link_say(t->link, "RCPT TO:<%s>", t->mail->recipients[t->recipient]);
}
static void send_data(struct transaction *t)
{
    smtp_link_say(t->link, "DATA");
}

static void send_mail(struct transaction *t)
{
    const struct smtp_ext *ext = session_ext(t->session);
    char size[40] = "";
    if (ext->size)
        snprintf(size, sizeof size, " SIZE=%zu", t->mail->length);
    bool eight_bit = ext->eightbitmime && message_is_8bit(t->mail->content, t->mail->length);
    smtp_link_say(t->link, "MAIL FROM:<%s>%s%s", t->mail->sender, size, eight_bit ? " BODY=8BITMIME" : "");
}

/* Lines that begin with a dot get another (RFC 5321 4.5.2); the last line gets an end. */
static void send_body(struct transaction *t)
{
    struct evbuffer *out = smtp_link_output(t->link);
    const char *end = t->mail->content + t->mail->length;
    for (const char *line = t->mail->content, *next; line < end; line = next) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        next = newline != NULL ? newline + 1 : end;
        if (*line == '.')
            evbuffer_add(out, ".", 1);
        evbuffer_add(out, line, (size_t)(next - line));
    }
    if (t->mail->length < 2 || memcmp(end - 2, "\r\n", 2) != 0)
        evbuffer_add(out, "\r\n", 2);
    evbuffer_add(out, ".\r\n", 3);
}

/* ---- answers: each returns the next step ---- */

/* What the server cannot take is not even begun. */
static enum step begin(struct transaction *t)
{
    const struct smtp_ext *ext = session_ext(t->session);
    const struct transaction_mail *mail = t->mail;
    if (ext->size_limit > 0 && (uint64_t)ext->size_limit < mail->length)
        return fail(t, failure_of(t->arena, CAUSE_TOO_BIG,
                                  arena_printf(t->arena, "%zu bytes, the server takes %lld", mail->length,
                                               (long long)ext->size_limit)));
    if (!ext->eightbitmime && message_is_8bit(mail->content, mail->length))
        return fail(t, failure_of(t->arena, CAUSE_NO_8BIT, "the server does not offer 8BITMIME"));
    return session_is_midway(t->session) ? STEP_RSET : STEP_MAIL;
}

/* A server that will not forget the transaction before is of no use for another. */
static enum step on_rset(struct transaction *t, const struct smtp_reply *reply)
{
    if (smtp_reply_class(reply) == 2) {
        session_set_midway(t->session, false);
        return STEP_MAIL;
    }
    t->result.unheard = true;
    return fail_by_reply(t, CAUSE_CLOSING, reply);
}

static enum step on_mail(struct transaction *t, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_MAIL, reply->code);
    t->result.unheard = cause == CAUSE_CLOSING;
    if (cause != CAUSE_NONE)
        return fail_by_reply(t, cause, reply);
    session_set_midway(t->session, true);
    return STEP_RCPT;
}

static bool any_accepted(const struct transaction *t)
{
    for (size_t i = 0; i < t->mail->recipient_count; i++)
        if (t->result.recipients[i].fate == FATE_ACCEPTED)
            return true;
    return false;
}

static enum step on_rcpt(struct transaction *t, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_RCPT, reply->code);
    struct transaction_recipient *r = &t->result.recipients[t->recipient++];
    if (cause == CAUSE_CLOSING)
        return fail_by_reply(t, cause, reply);
    r->fate = cause == CAUSE_NONE ? FATE_ACCEPTED : FATE_FAILED;
    if (cause != CAUSE_NONE)
        r->failure = failure_of_reply(t->arena, cause, reply);
    if (t->recipient < t->mail->recipient_count)
        return STEP_RCPT;
    return any_accepted(t) ? STEP_DATA : STEP_COUNT;
}

static enum step on_data(struct transaction *t, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_DATA, reply->code);
    return cause == CAUSE_NONE ? STEP_BODY : fail_by_reply(t, cause, reply);
}

static enum step on_body(struct transaction *t, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_BODY, reply->code);
    session_set_midway(t->session, false);
    if (cause != CAUSE_NONE)
        return fail_by_reply(t, cause, reply);
    t->result.reply = smtp_reply_text(t->arena, reply);
    for (size_t i = 0; i < t->mail->recipient_count; i++)
        if (t->result.recipients[i].fate == FATE_ACCEPTED)
            t->result.recipients[i].fate = FATE_DELIVERED;
    return STEP_COUNT;
}

/* ---- the table ---- */

/* clang-format off */
static const struct {
    const char *name;
    size_t timeout;                                                              /* in struct smtp_timeouts */
    void (*send)(struct transaction *t);
    enum step (*reply)(struct transaction *t, const struct smtp_reply *reply);   /* returns the next step */
} steps[] = {
#define TIMEOUT(member) offsetof(struct smtp_timeouts, member)
    [STEP_RSET] = {"RSET",          TIMEOUT(mail), send_rset, on_rset},
    [STEP_MAIL] = {"MAIL",          TIMEOUT(mail), send_mail, on_mail},
    [STEP_RCPT] = {"RCPT",          TIMEOUT(rcpt), send_rcpt, on_rcpt},
    [STEP_DATA] = {"DATA",          TIMEOUT(data), send_data, on_data},
    [STEP_BODY] = {"the final dot", TIMEOUT(body), send_body, on_body},
#undef TIMEOUT
};
/* clang-format on */
static_assert(COUNT(steps) == STEP_COUNT, "one row per step");

/* ---- the machine ---- */

static void enter(struct transaction *t, enum step step)
{
    t->step = step;
    if (step == STEP_COUNT) {
        event_active(t->ender, EV_TIMEOUT, 0);
        return;
    }
    double seconds = *(const double *)((const char *)session_timeouts(t->session) + steps[step].timeout);
    if (step == STEP_BODY)
        seconds += (double)(t->mail->length / BODY_BYTES_PER_SECOND);
    steps[step].send(t);
    smtp_link_await(t->link, seconds);
}

static void on_reply(void *arg, const struct smtp_reply *reply)
{
    struct transaction *t = arg;
    enter(t, steps[t->step].reply(t, reply));
}

/* The connection is of no more use. After the whole message has gone out, nobody knows what the server did with it. */
static void on_broken(void *arg, enum cause cause, const char *what)
{
    struct transaction *t = arg;
    session_set_over(t->session);
    if (t->step == STEP_COUNT)
        return;
    const char *text = arena_printf(t->arena, "%s, waiting for the answer to %s", what, steps[t->step].name);
    bool gone = t->step == STEP_BODY && smtp_link_sent_all(t->link);
    t->result.unheard = t->step == STEP_RSET || t->step == STEP_MAIL;
    enter(t, fail(t, failure_of(t->arena, gone ? CAUSE_LOST_AFTER_DOT : cause, text)));
}

static const struct smtp_link_hearer hearer = {.reply = on_reply, .broken = on_broken};

static void release(struct transaction *t)
{
    session_rest(t->session);
    event_free(t->ender);
    free(t);
}

static void on_end(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct transaction *t = arg;
    struct transaction_result *result = arena_memdup(t->arena, &t->result, sizeof t->result);
    void (*done)(void *, const struct transaction_result *) = t->done;
    void *to = t->arg;
    release(t);
    done(to, result);
}

struct transaction *transaction_start(struct loop *loop, struct arena *arena, struct session *session,
                                      const struct transaction_mail *mail,
                                      void (*done)(void *arg, const struct transaction_result *result), void *arg)
{
    struct transaction *t = calloc(1, sizeof *t);
    if (t == NULL)
        abort();
    *t = (struct transaction){.arena = arena, .session = session, .mail = mail, .done = done, .arg = arg};
    t->link = session_begin(session);
    t->ender = evtimer_new(loop_base(loop), on_end, t);
    if (t->ender == NULL)
        abort();
    t->result.recipients = arena_alloc(arena, (mail->recipient_count + 1) * sizeof *t->result.recipients);
    smtp_link_hear(t->link, &hearer, t);
    enter(t, begin(t));
    return t;
}

void transaction_cancel(struct transaction **transaction)
{
    if (*transaction == NULL)
        return;
    session_set_over((*transaction)->session);
    release(*transaction);
    *transaction = NULL;
}
