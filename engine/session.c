/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum step {
    STEP_GREETING,
    STEP_EHLO,
    STEP_HELO,
    STEP_STARTTLS,
    STEP_HANDSHAKE,
    STEP_REVOCATION, /* others are asked; the peer only waits */
    STEP_QUIT,
    STEP_COUNT /* nothing is awaited: open, failed, or gone */
};

struct session {
    struct arena *own; /* lives as long as the session */
    struct arena *arena;
    struct smtp_link *link;
    struct session_setting setting;
    session_opened *opened;
    void (*gone)(void *arg, struct session *session);
    void *arg;

    enum step step;
    struct event *ender; /* calls opened() or gone() from a fresh stack */
    struct smtp_ext ext;
    struct tls_outcome tls;
    struct revocation_check *check;
    struct session_opening opening;
    bool midway, over;
    unsigned transactions;
};

/* ---- failures ---- */

static enum step fail(struct session *s, struct failure failure)
{
    s->opening.failure = failure;
    return STEP_COUNT;
}

static enum step fail_by_reply(struct session *s, enum cause cause, const struct smtp_reply *reply)
{
    s->over |= cause == CAUSE_CLOSING;
    return fail(s, failure_of_reply(s->arena, cause, reply));
}

static enum step fail_unmet(struct session *s, enum policy_reason reason, const char *text)
{
    struct failure f = failure_of(s->arena, outcome_of_reason(CAUSE_DEMAND_UNMET, reason), text);
    f.reason = reason;
    return fail(s, f);
}

/* TLS cannot be had: a demand that is not met, or, where nothing demands it, the cause that lets the caller go on in
 * the clear. */
static enum step fail_without_tls(struct session *s, enum cause cause, const char *text)
{
    return s->setting.tls_demanded ? fail_unmet(s, s->setting.without_tls, text)
                                   : fail(s, failure_of(s->arena, cause, text));
}

/* STARTTLS fails for the moment. REQUIRETLS, which would bounce, waits for a better one. */
static enum step fail_for_now(struct session *s, const char *text)
{
    return s->setting.without_tls == REASON_REQUIRETLS_CHANNEL
               ? fail(s, failure_of(s->arena, CAUSE_STARTTLS_BROKEN, text))
               : fail_without_tls(s, CAUSE_STARTTLS_BROKEN, text);
}

/* ---- commands ---- */

static void send_nothing(struct session *s UNUSED)
{
}
static void send_ehlo(struct session *s)
{
    smtp_link_say(s->link, "EHLO %s", s->setting.hostname);
}
static void send_helo(struct session *s)
{
    smtp_link_say(s->link, "HELO %s", s->setting.hostname);
}
static void send_starttls(struct session *s)
{
    s->opening.tls_course = TLS_BROKEN; /* until it is done */
    smtp_link_say(s->link, "STARTTLS");
}
static void send_quit(struct session *s)
{
    smtp_link_say(s->link, "QUIT");
}

/* ---- answers: each returns the next step ---- */

static enum step on_greeting(struct session *s, const struct smtp_reply *reply)
{
    enum cause cause = outcome_of_reply(REPLY_TO_GREETING, reply->code);
    return cause == CAUSE_NONE ? STEP_EHLO : fail_by_reply(s, cause, reply);
}

/* STARTTLS when offered; never twice (3207-4.2-4). */
static enum step after_hello(struct session *s)
{
    if (s->tls.encrypted)
        return STEP_COUNT;
    if (s->ext.starttls && !s->setting.in_clear && s->setting.tls != NULL)
        return STEP_STARTTLS;
    if (!s->ext.starttls && !s->setting.in_clear)
        s->opening.tls_course = TLS_NOT_OFFERED;
    if (s->setting.tls_demanded)
        return fail_without_tls(s, CAUSE_DEMAND_UNMET, "the server does not offer STARTTLS");
    return STEP_COUNT;
}

static enum step on_ehlo(struct session *s, const struct smtp_reply *reply)
{
    if (smtp_reply_class(reply) == 5)
        return STEP_HELO; /* 5321-3.2-1 */
    if (smtp_reply_class(reply) != 2)
        return fail_by_reply(s, outcome_of_reply(REPLY_TO_EHLO, reply->code), reply);
    s->ext = smtp_ext_parse(reply);
    return after_hello(s);
}

static enum step on_helo(struct session *s, const struct smtp_reply *reply)
{
    if (smtp_reply_class(reply) != 2)
        return fail_by_reply(s, outcome_of_reply(REPLY_TO_EHLO, reply->code), reply);
    s->ext = (struct smtp_ext){0};
    return after_hello(s);
}

static enum step start_tls(struct session *s)
{
    struct err err;
    if (smtp_link_encrypt(s->link, s->setting.tls, s->setting.demands, &err))
        return STEP_HANDSHAKE;
    s->over = true;
    return fail_without_tls(s, CAUSE_STARTTLS_BROKEN, err.text);
}

/* 220 alone begins TLS. A plain refusal leaves the session usable in the clear; anything else does not. */
static enum step on_starttls(struct session *s, const struct smtp_reply *reply)
{
    if (reply->code == 220)
        return start_tls(s);
    s->opening.tls_course = TLS_REFUSED;
    const char *text = arena_printf(s->arena, "STARTTLS was answered: %s", smtp_reply_text(s->arena, reply));
    bool refused = smtp_reply_class(reply) >= 4 && reply->code != 421;
    s->over = !refused;
    if (smtp_reply_class(reply) == 4 && s->setting.tls_demanded)
        return fail_for_now(s, text);
    if (!refused || s->setting.tls_demanded)
        return fail_without_tls(s, CAUSE_STARTTLS_BROKEN, text);
    return STEP_COUNT;
}

/* It hears QUIT alone: 3207-4.1-2. */
static enum step fail_by_certificate(struct session *s)
{
    bool requiretls = s->setting.without_tls == REASON_REQUIRETLS_CHANNEL;
    return fail_unmet(s, requiretls ? REASON_REQUIRETLS_CHANNEL : s->tls.reason,
                      s->tls.detail != NULL ? s->tls.detail : "the certificate is not acceptable");
}

static void on_revocation(void *arg, bool passed, const char *why);

/* After the handshake and before any command: is the peer whom the decision wants (3207-4.1-1)? */
static enum step on_handshake(struct session *s)
{
    tls_client_judge(s->setting.tls, smtp_link_io(s->link), s->setting.demands, s->own, &s->tls);
    s->opening.tls_course = TLS_DONE;
    s->ext = (struct smtp_ext){0}; /* 3207-4.2-1 */
    if (s->tls.reason != REASON_NONE)
        return fail_by_certificate(s);
    s->check = tls_client_ask_revocation(s->setting.tls, smtp_link_io(s->link), s->setting.demands, on_revocation, s);
    return s->check != NULL ? STEP_REVOCATION : STEP_EHLO;
}

static enum step on_reply_in_revocation(struct session *s, const struct smtp_reply *reply UNUSED)
{
    revocation_cancel(&s->check);
    s->over = true;
    return fail(s, failure_of(s->arena, CAUSE_BAD_REPLY, "the server spoke before it was asked"));
}

static enum step on_quit(struct session *s UNUSED, const struct smtp_reply *reply UNUSED)
{
    return STEP_COUNT;
}
static enum step on_reply_in_handshake(struct session *s UNUSED, const struct smtp_reply *reply UNUSED)
{
    return STEP_COUNT;
}

/* ---- the table ---- */

/* clang-format off */
static const struct {
    const char *name;
    size_t timeout;                                                          /* in struct smtp_timeouts */
    void (*send)(struct session *s);
    enum step (*reply)(struct session *s, const struct smtp_reply *reply);   /* returns the next step */
} steps[] = {
#define TIMEOUT(member) offsetof(struct smtp_timeouts, member)
    [STEP_GREETING]  = {"the greeting",      TIMEOUT(greeting),  send_nothing,  on_greeting},
    [STEP_EHLO]      = {"EHLO",              TIMEOUT(ehlo),      send_ehlo,     on_ehlo},
    [STEP_HELO]      = {"HELO",              TIMEOUT(ehlo),      send_helo,     on_helo},
    [STEP_STARTTLS]  = {"STARTTLS",          TIMEOUT(starttls),  send_starttls, on_starttls},
    [STEP_HANDSHAKE] = {"the TLS handshake", TIMEOUT(handshake), send_nothing,  on_reply_in_handshake},
    [STEP_REVOCATION] = {"who knows of revocations", TIMEOUT(handshake), send_nothing, on_reply_in_revocation},
    [STEP_QUIT]      = {"QUIT",              TIMEOUT(quit),      send_quit,     on_quit},
#undef TIMEOUT
};
/* clang-format on */
static_assert(COUNT(steps) == STEP_COUNT, "one row per step");

/* ---- the machine ---- */

static void enter(struct session *s, enum step step)
{
    s->step = step;
    if (step == STEP_COUNT) {
        event_active(s->ender, EV_TIMEOUT, 0);
        return;
    }
    steps[step].send(s);
    smtp_link_await(s->link, *(const double *)((const char *)&s->setting.timeouts + steps[step].timeout));
}

static void on_reply(void *arg, const struct smtp_reply *reply)
{
    struct session *s = arg;
    enter(s, steps[s->step].reply(s, reply));
}

static void on_revocation(void *arg, bool passed, const char *why)
{
    struct session *s = arg;
    if (!passed)
        s->tls.reason = REASON_CONNECTOR_CERTIFICATE;
    s->tls.detail = why != NULL ? arena_strdup(s->own, why) : s->tls.detail;
    revocation_cancel(&s->check);
    enter(s, passed ? STEP_EHLO : fail_by_certificate(s));
}

static void on_encrypted(void *arg)
{
    enter(arg, on_handshake(arg));
}

static const char *waiting(struct session *s, const char *what)
{
    return arena_printf(s->arena, "%s, waiting for the answer to %s", what, steps[s->step].name);
}

static void fail_in_handshake(struct session *s, const char *what)
{
    s->opening.owes_full_handshake = tls_client_owes_full_handshake(s->setting.tls, smtp_link_io(s->link));
    fail_without_tls(s, CAUSE_HANDSHAKE_FAILED, what);
}

static void on_broken(void *arg, enum cause cause, const char *what)
{
    struct session *s = arg;
    s->over = true;
    revocation_cancel(&s->check);
    if (s->step == STEP_COUNT)
        return; /* whoever has it will see that */
    if (s->step == STEP_HANDSHAKE)
        fail_in_handshake(s, what);
    else if (s->step == STEP_STARTTLS)
        fail_for_now(s, waiting(s, what));
    else if (s->step != STEP_QUIT)
        fail(s, failure_of(s->arena, cause, waiting(s, what)));
    enter(s, STEP_COUNT);
}

static const struct smtp_link_hearer hearer = {.reply = on_reply, .encrypted = on_encrypted, .broken = on_broken};

static void on_end(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct session *s = arg;
    if (s->gone != NULL) {
        s->gone(s->arg, s);
        return;
    }
    s->arena = NULL;
    s->setting.demands = NULL;
    s->setting.hostname = NULL;
    s->opened(s->arg, &s->opening);
}

struct session *session_open(struct loop *loop, struct arena *arena, struct bufferevent *io,
                             const struct session_setting *setting, session_opened *opened, void *arg)
{
    struct session *s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    *s = (struct session){
        .own = arena_new("session"), .arena = arena, .setting = *setting, .opened = opened, .arg = arg};
    s->link = smtp_link_new(loop, io);
    s->ender = evtimer_new(loop_base(loop), on_end, s);
    if (s->ender == NULL)
        abort();
    smtp_link_hear(s->link, &hearer, s);
    enter(s, STEP_GREETING);
    return s;
}

void session_quit(struct session *session, void (*gone)(void *arg, struct session *session), void *arg)
{
    session->gone = gone;
    session->arg = arg;
    enter(session, session->over ? STEP_COUNT : STEP_QUIT);
}

void session_drop(struct session **session)
{
    struct session *s = *session;
    if (s == NULL)
        return;
    revocation_cancel(&s->check);
    smtp_link_free(&s->link);
    event_free(s->ender);
    arena_free(&s->own);
    free(s);
    *session = NULL;
}

const struct tls_outcome *session_tls(const struct session *session)
{
    return &session->tls;
}

struct smtp_link *session_begin(struct session *session)
{
    session->transactions++;
    return session->link;
}

void session_rest(struct session *session)
{
    smtp_link_hear(session->link, &hearer, session);
}

unsigned session_transactions(const struct session *session)
{
    return session->transactions;
}

const struct smtp_ext *session_ext(const struct session *session)
{
    return &session->ext;
}

const struct smtp_timeouts *session_timeouts(const struct session *session)
{
    return &session->setting.timeouts;
}

void session_set_midway(struct session *session, bool midway)
{
    session->midway = midway;
}

bool session_is_midway(const struct session *session)
{
    return session->midway;
}

void session_set_over(struct session *session)
{
    session->over = true;
}

bool session_is_over(const struct session *session)
{
    return session->over;
}
