/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/transaction.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "engine/message.h"

enum { BODY_BYTES_PER_SECOND = 8 * 1024, BLOCK_BYTES = 1024 * 1024 };

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
    size_t *who;         /* the recipients that RCPT is said for */
    size_t who_count, answered;
    bool pipelined;   /* everything up to DATA has been said with MAIL */
    const char *rest; /* of the content, while not all of it has been written; else NULL */
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

static void say_rcpt(struct transaction *t, size_t i)
{
    smtp_link_say(t->link, "RCPT TO:<%s>", t->mail->recipients[t->who[i]]);
}

static void send_rcpt(struct transaction *t)
{
    if (!t->pipelined)
        say_rcpt(t, t->answered);
}

static void send_data(struct transaction *t)
{
    if (!t->pipelined)
        smtp_link_say(t->link, "DATA");
}

static bool chunks(const struct transaction *t)
{
    return t->mail->may_chunk && session_ext(t->session)->chunking;
}

/* A wish is granted where certificate and server allow it (8689-2-4, 8689-5-3). */
static bool says_requiretls(const struct transaction *t)
{
    const struct tls_outcome *tls = session_tls(t->session);
    if (t->mail->requiretls == REQUIRETLS_WISHED)
        return session_ext(t->session)->requiretls && (tls->dane_passed || tls->pkix_passed);
    return t->mail->requiretls == REQUIRETLS_DEMANDED;
}

static bool is_8bit(const char *text)
{
    return message_is_8bit(text, strlen(text));
}

static bool header_is_8bit(const struct transaction_mail *mail)
{
    return message_is_8bit(mail->content, message_header_length(mail->content, mail->length));
}

/* A header that came without SMTPUTF8 is 8-bit text as any other. */
static bool wants_smtputf8(const struct transaction *t)
{
    bool wants = is_8bit(t->mail->sender) || (t->mail->smtputf8 && header_is_8bit(t->mail));
    for (size_t i = 0; i < t->who_count; i++)
        wants |= is_8bit(t->mail->recipients[t->who[i]]);
    return wants;
}

/* RFC 2920 3.1: DATA ends a group; a chunk waits until a recipient has been accepted. */
static void say_the_rest(struct transaction *t)
{
    t->pipelined = true;
    for (size_t i = 0; i < t->who_count; i++)
        say_rcpt(t, i);
    if (!chunks(t))
        smtp_link_say(t->link, "DATA");
}

static void send_mail(struct transaction *t)
{
    const struct smtp_ext *ext = session_ext(t->session);
    char size[40] = "";
    if (ext->size)
        snprintf(size, sizeof size, " SIZE=%zu", t->mail->length);
    bool eight_bit = ext->eightbitmime && message_is_8bit(t->mail->content, t->mail->length);
    smtp_link_say(t->link, "MAIL FROM:<%s>%s%s%s%s", t->mail->sender, size, eight_bit ? " BODY=8BITMIME" : "",
                  wants_smtputf8(t) ? " SMTPUTF8" : "", says_requiretls(t) ? " REQUIRETLS" : "");
    if (t->mail->may_pipeline && ext->pipelining)
        say_the_rest(t);
}

/* The last line has an end of its own. */
static bool ends_well(const struct transaction_mail *mail)
{
    return mail->length >= 2 && memcmp(mail->content + mail->length - 2, "\r\n", 2) == 0;
}

static size_t rest_length(const struct transaction *t)
{
    return (size_t)(t->mail->content + t->mail->length - t->rest);
}

static void send_piece(struct transaction *t, struct evbuffer *out)
{
    size_t length = rest_length(t) < BLOCK_BYTES ? rest_length(t) : BLOCK_BYTES;
    evbuffer_add(out, t->rest, length);
    t->rest += length;
}

/* Lines that begin with a dot get another (RFC 5321 4.5.2). */
static void send_lines(struct transaction *t, struct evbuffer *out)
{
    for (const char *begin = t->rest; rest_length(t) > 0 && t->rest - begin < BLOCK_BYTES;) {
        const char *newline = memchr(t->rest, '\n', rest_length(t));
        size_t length = newline != NULL ? (size_t)(newline + 1 - t->rest) : rest_length(t);
        if (*t->rest == '.')
            evbuffer_add(out, ".", 1);
        evbuffer_add(out, t->rest, length);
        t->rest += length;
    }
}

static void send_end(struct transaction *t, struct evbuffer *out)
{
    if (!ends_well(t->mail))
        evbuffer_add(out, "\r\n", 2);
    if (!chunks(t))
        evbuffer_add(out, ".\r\n", 3);
    t->rest = NULL;
}

/* A part of the message, so that one which nobody reads does not lie here a second time. The server has to take each
 * part in time, and to answer in time after the last (5321-4.5.3.2-2). */
static void send_block(struct transaction *t)
{
    struct evbuffer *out = smtp_link_output(t->link);
    const struct smtp_timeouts *timeouts = session_timeouts(t->session);
    double sending = (double)(rest_length(t) / BODY_BYTES_PER_SECOND); /* of the last part */
    (chunks(t) ? send_piece : send_lines)(t, out);
    bool last = rest_length(t) == 0;
    if (last)
        send_end(t, out);
    smtp_link_await(t->link, last ? timeouts->body + sending : timeouts->block);
}

static bool any_accepted(const struct transaction *t)
{
    for (size_t i = 0; i < t->mail->recipient_count; i++)
        if (t->result.recipients[i].fate == FATE_ACCEPTED)
            return true;
    return false;
}

/* RFC 2920 3.1: a server that wants the text of a message that is for nobody gets an empty one. */
static void send_body(struct transaction *t)
{
    if (!any_accepted(t)) {
        smtp_link_say(t->link, ".");
        return;
    }
    if (chunks(t))
        smtp_link_say(t->link, "BDAT %zu LAST", t->mail->length + (ends_well(t->mail) ? 0 : strlen("\r\n")));
    t->rest = t->mail->content;
    send_block(t);
}

/* ---- answers: each returns the next step ---- */

static enum step lacks(struct transaction *t, enum cause cause, enum policy_reason reason, const char *text)
{
    struct failure failure = failure_of(t->arena, cause, text);
    failure.reason = reason;
    return fail(t, failure);
}

/* Those with an address in UTF-8 are left out where the server takes none. */
static void choose_recipients(struct transaction *t)
{
    static const char why[] = "the server does not offer SMTPUTF8";
    t->who = arena_alloc(t->arena, (t->mail->recipient_count + 1) * sizeof *t->who);
    for (size_t i = 0; i < t->mail->recipient_count; i++)
        if (is_8bit(t->mail->recipients[i]) && !session_ext(t->session)->smtputf8)
            t->result.recipients[i] =
                (struct transaction_recipient){FATE_FAILED, failure_of(t->arena, CAUSE_NO_SMTPUTF8, why)};
        else
            t->who[t->who_count++] = i;
}

/* What the server cannot take is not even begun. */
static enum step begin(struct transaction *t)
{
    const struct smtp_ext *ext = session_ext(t->session);
    const struct transaction_mail *mail = t->mail;
    if (mail->requiretls == REQUIRETLS_DEMANDED && !ext->requiretls) /* 8689-2-5; of the EHLO inside TLS: 3207-4.2-1 */
        return lacks(t, CAUSE_REQUIRETLS_UNMET, REASON_REQUIRETLS_KEYWORD, "the server does not offer REQUIRETLS");
    if (ext->size_limit > 0 && (uint64_t)ext->size_limit < mail->length)
        return lacks(t, CAUSE_TOO_BIG, REASON_NONE,
                     arena_printf(t->arena, "%zu bytes, the server takes %lld", mail->length,
                                  (long long)ext->size_limit));
    if (!ext->eightbitmime && message_is_8bit(mail->content, mail->length))
        return lacks(t, CAUSE_NO_8BIT, REASON_NONE, "the server does not offer 8BITMIME");
    choose_recipients(t);
    if (t->who_count == 0)
        return STEP_COUNT;
    if (!ext->smtputf8 && wants_smtputf8(t))
        return lacks(t, CAUSE_NO_SMTPUTF8, REASON_NONE, "the server does not offer SMTPUTF8");
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
    if (cause == CAUSE_TLS_WANTED && t->mail->tls_waived && !session_tls(t->session)->encrypted)
        cause = CAUSE_TLS_INSISTED_ON;
    session_set_midway(t->session, cause == CAUSE_NONE || t->pipelined);
    if (cause != CAUSE_NONE)
        fail_by_reply(t, cause, reply);
    return cause == CAUSE_NONE || (t->pipelined && cause != CAUSE_CLOSING) ? STEP_RCPT : STEP_COUNT;
}

/* Behind the last recipient: what is said, or has been said already, and is answered next. */
static enum step after_recipients(const struct transaction *t)
{
    if (chunks(t))
        return any_accepted(t) ? STEP_BODY : STEP_COUNT;
    return any_accepted(t) || t->pipelined ? STEP_DATA : STEP_COUNT;
}

static enum step on_rcpt(struct transaction *t, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_RCPT, reply->code);
    struct transaction_recipient *r = &t->result.recipients[t->who[t->answered++]];
    if (cause == CAUSE_CLOSING)
        return fail_by_reply(t, cause, reply);
    if (r->fate == FATE_OPEN) { /* MAIL was accepted */
        r->fate = cause == CAUSE_NONE ? FATE_ACCEPTED : FATE_FAILED;
        if (cause != CAUSE_NONE)
            r->failure = failure_of_reply(t->arena, cause, reply);
    }
    return t->answered < t->who_count ? STEP_RCPT : after_recipients(t);
}

/* The answer to what was said ahead, for nobody as it turned out: what went wrong is known already. */
static enum step end_for_nobody(struct transaction *t, enum cause cause)
{
    if (cause == CAUSE_CLOSING)
        session_set_over(t->session);
    return STEP_COUNT;
}

static enum step on_data(struct transaction *t, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_DATA, reply->code);
    if (cause == CAUSE_NONE)
        return STEP_BODY;
    return any_accepted(t) ? fail_by_reply(t, cause, reply) : end_for_nobody(t, cause);
}

/* An answer to a message that has not been sent yet. The server waits for the rest, and gets nothing else. */
static enum step fail_early(struct transaction *t, enum cause cause, const struct smtp_reply *reply)
{
    session_set_over(t->session);
    if (cause != CAUSE_NONE)
        return fail_by_reply(t, cause, reply);
    return fail(t, failure_of(t->arena, CAUSE_BAD_REPLY, "the server took the message before it was there"));
}

static enum step on_body(struct transaction *t, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_BODY, reply->code);
    session_set_midway(t->session, false);
    if (!any_accepted(t))
        return end_for_nobody(t, cause);
    if (t->rest != NULL)
        return fail_early(t, cause, reply);
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
    [STEP_BODY] = {"the message",   TIMEOUT(body), send_body, on_body},
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
    smtp_link_await(t->link, *(const double *)((const char *)session_timeouts(t->session) + steps[step].timeout));
    steps[step].send(t);
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
    bool gone = t->step == STEP_BODY && t->rest == NULL && smtp_link_sent_all(t->link);
    t->result.unheard = t->step == STEP_RSET || t->step == STEP_MAIL;
    enter(t, fail(t, failure_of(t->arena, gone ? CAUSE_LOST_AFTER_DOT : cause, text)));
}

static void on_written(void *arg)
{
    struct transaction *t = arg;
    if (t->step == STEP_BODY && t->rest != NULL)
        send_block(t);
}

static const struct smtp_link_hearer hearer = {.reply = on_reply, .broken = on_broken, .written = on_written};

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
