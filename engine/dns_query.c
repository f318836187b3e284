/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dns_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unbound-event.h>

#include "base/text.h"

enum { ANSWER_SECONDS_MAX = 60, OPTIONS_FILE_MAX = 64 * 1024, ANCHOR_FILE_MAX = 64 * 1024 };
enum { UB_INSECURE, UB_BOGUS, UB_SECURE }; /* unbound-event.h: "sec" */

struct dns_query {
    struct dns_options options;
    struct loop *loop;
    struct ub_ctx *validated, *plain; /* plain: without validation; made when first wanted */
    struct question *open;            /* a list */
};

/* A question lives until it is answered; when libunbound was too slow, until libunbound is done with it (orphaned). */
struct question {
    struct dns_query *owner;
    struct question *next, **link;
    struct arena *arena;
    const char *name;
    uint16_t type;
    enum dns_how how;
    struct ub_ctx *own; /* DNS_PAST_CACHE */
    bool at_unbound, orphaned, asked_plain;
    struct event *timer; /* made active when the answer is there, so that nobody is called from inside libunbound */
    struct dns_result result, bogus;
    void (*done)(void *arg, const struct dns_result *result);
    void *arg;
};

static const char *type_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } names[] = {
        {DNS_A, "A"}, {DNS_AAAA, "AAAA"}, {DNS_CNAME, "CNAME"}, {DNS_MX, "MX"}, {DNS_TXT, "TXT"}, {DNS_TLSA, "TLSA"},
    };
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].type == type)
            return names[i].name;
    return "record";
}

/* Contexts */

static bool set_option(struct ub_ctx *ctx, const char *name, const char *value, struct err *err)
{
    int code = ub_ctx_set_option(ctx, name, value);
    return code == 0 || err_set(err, ERR_INPUT, "libunbound does not take %s %s (%s)", name, value, ub_strerror(code));
}

/* "name: value", as in unbound.conf. The line is cut up. */
static bool apply_line(struct ub_ctx *ctx, char *line, const char *path, unsigned number, struct err *err)
{
    char *name = line + strspn(line, " \t");
    if (*name == '\0' || *name == '#')
        return true;
    char *colon = strchr(name, ':');
    if (colon == NULL)
        return err_set(err, ERR_INPUT, "%s:%u: 'name: value' expected", path, number);
    char *value = colon + 1 + strspn(colon + 1, " \t\"");
    size_t length = strlen(value);
    while (length > 0 && strchr(" \t\r\"", value[length - 1]) != NULL)
        value[--length] = '\0';
    char option[64];
    if (snprintf(option, sizeof option, "%.*s:", (int)(colon - name), name) >= (int)sizeof option)
        return err_set(err, ERR_INPUT, "%s:%u: this is no option", path, number);
    return set_option(ctx, option, value, err);
}

static bool apply_options_file(struct ub_ctx *ctx, const char *path, struct err *err)
{
    struct arena *arena = arena_new("resolver options");
    size_t length;
    char *text = text_read_file(arena, path, OPTIONS_FILE_MAX, &length, err);
    bool good = text != NULL;
    unsigned number = 0;
    for (char *line; good && text != NULL && (line = strsep(&text, "\n")) != NULL;)
        good = apply_line(ctx, line, path, ++number, err);
    arena_free(&arena);
    return good;
}

/* A line of a zone file, cut up. */
static bool is_key(char *line)
{
    char *rest = NULL;
    line[strcspn(line, ";")] = '\0';
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL; word = strtok_r(NULL, " \t\r", &rest))
        if (strcasecmp(word, "DS") == 0 || strcasecmp(word, "DNSKEY") == 0)
            return true;
    return false;
}

/* Without a key libunbound takes everything for unsigned: DANE would be off, and nobody would notice. */
static bool add_trust_anchor(struct ub_ctx *ctx, const char *path, struct err *err)
{
    struct arena *arena = arena_new("trust anchor");
    size_t length;
    char *text = text_read_file(arena, path, ANCHOR_FILE_MAX, &length, err);
    bool readable = text != NULL, any = false;
    for (char *line; text != NULL && (line = strsep(&text, "\n")) != NULL;)
        any |= is_key(line);
    arena_free(&arena);
    if (!readable)
        return false;
    return (any && ub_ctx_add_ta_file(ctx, path) == 0) ||
           err_set(err, ERR_INPUT, "the trust anchor %s has no DS or DNSKEY record", path);
}

/* Everything is set before the first question: libunbound takes no option afterwards. */
static bool apply_options(struct ub_ctx *ctx, const struct dns_options *o, bool validate, struct err *err)
{
    if (!set_option(ctx, "do-not-query-localhost:", "no", err))
        return false;
    if (!validate && !set_option(ctx, "module-config:", "iterator", err))
        return false;
    if (o->root_hints != NULL && !set_option(ctx, "root-hints:", o->root_hints, err))
        return false;
    if (o->options_file != NULL && !apply_options_file(ctx, o->options_file, err))
        return false;
    if (validate && o->trust_anchor != NULL && !add_trust_anchor(ctx, o->trust_anchor, err))
        return false;
    if (o->forward != NULL && ub_ctx_set_fwd(ctx, o->forward) != 0)
        return err_set(err, ERR_INPUT, "'%s' cannot be a resolver to forward to", o->forward);
    return true;
}

/* libunbound reads its files when it is first wanted: that is now, and not with the first mail. */
static bool begins(struct ub_ctx *ctx, struct err *err)
{
    int code = ub_ctx_zone_remove(ctx, "none.invalid.");
    return code == 0 || err_set(err, ERR_INPUT, "libunbound cannot begin with these files: %s", ub_strerror(code));
}

static struct ub_ctx *context_new(const struct dns_query *query, bool validate, struct err *err)
{
    struct ub_ctx *ctx = ub_ctx_create_event(loop_base(query->loop));
    if (ctx == NULL) {
        err_set(err, ERR_SYSTEM, "cannot make a libunbound context");
        return NULL;
    }
    if (!apply_options(ctx, &query->options, validate, err) || !begins(ctx, err)) {
        ub_ctx_delete(ctx);
        return NULL;
    }
    return ctx;
}

/* libunbound may still answer questions while it deletes: see on_unbound(). */
static void context_free(struct ub_ctx **ctx)
{
    struct ub_ctx *doomed = *ctx;
    *ctx = NULL;
    if (doomed != NULL)
        ub_ctx_delete(doomed);
}

/* Questions */

static void unlink_question(struct question *q)
{
    *q->link = q->next;
    if (q->next != NULL)
        q->next->link = q->link;
}

static void free_question(struct question *q)
{
    q->at_unbound = q->orphaned = false;
    unlink_question(q);
    event_free(q->timer);
    context_free(&q->own);
    free(q);
}

static void fail(struct question *q, enum dns_trust trust, const char *reason)
{
    char *safe = text_escape(q->arena, reason, strlen(reason));
    q->result = (struct dns_result){.trust = trust, .answer = {.name = q->name, .expanded = q->name}};
    q->result.why = arena_printf(q->arena, "%s %s: %s%s%s", type_name(q->type), q->name,
                                 trust == TRUST_BOGUS ? "bogus (" : "", safe, trust == TRUST_BOGUS ? ")" : "");
}

static void read_packet(struct question *q, const void *packet, size_t length, bool secure)
{
    void *copy = arena_memdup(q->arena, packet, length);
    struct dns_result *r = &q->result;
    *r = (struct dns_result){.trust = secure ? TRUST_SECURE : TRUST_INSECURE};
    if (!dns_answer_read(q->arena, copy, length, q->type, &r->answer))
        fail(q, TRUST_FAILED, "the answer is malformed");
    else if (r->answer.rcode != DNS_NOERROR && r->answer.rcode != DNS_NXDOMAIN)
        fail(q, TRUST_FAILED, arena_printf(q->arena, "answered with code %u", r->answer.rcode));
    else
        r->nxdomain = r->answer.rcode == DNS_NXDOMAIN;
}

/* Bogus is looked at before anything else: a bogus answer comes with rcode 0 and with its data. */
static void on_unbound(void *arg, int rcode, void *packet, int length, int security, char *why_bogus,
                       int limited UNUSED)
{
    struct question *q = arg;
    if (q->orphaned) {
        free_question(q);
        return;
    }
    if (!q->at_unbound) /* nobody waits any more */
        return;
    q->at_unbound = false;
    if (security == UB_BOGUS)
        fail(q, TRUST_BOGUS, why_bogus != NULL ? why_bogus : "the validator does not say why");
    else if (rcode == DNS_SERVFAIL)
        fail(q, TRUST_FAILED, "SERVFAIL (no name server gave a usable answer)");
    else if (rcode != DNS_NOERROR || packet == NULL || length < 0)
        fail(q, TRUST_FAILED, arena_printf(q->arena, "failed with code %d", rcode));
    else
        read_packet(q, packet, (size_t)length, security == UB_SECURE);
    event_active(q->timer, EV_TIMEOUT, 0);
}

static void start(struct question *q, struct ub_ctx *ctx)
{
    static const struct timeval limit = {.tv_sec = ANSWER_SECONDS_MAX};
    event_add(q->timer, &limit);
    q->at_unbound = true;
    int code = ub_resolve_event(ctx, q->name, q->type, 1, q, on_unbound, NULL);
    if (code == 0)
        return;
    q->at_unbound = false;
    fail(q, TRUST_FAILED, ub_strerror(code));
    event_active(q->timer, EV_TIMEOUT, 0);
}

/* Is the answer to be asked again without validation? Then it has been. */
static bool asks_again(struct question *q)
{
    struct dns_query *owner = q->owner;
    if (q->how != DNS_OVERRIDE_BOGUS || q->asked_plain || q->result.trust != TRUST_BOGUS)
        return false;
    if (owner->plain == NULL)
        owner->plain = context_new(owner, false, NULL);
    if (owner->plain == NULL)
        return false;
    q->asked_plain = true;
    q->bogus = q->result;
    start(q, owner->plain);
    return true;
}

static void settle_override(struct question *q)
{
    if (trust_is_failure(q->result.trust))
        q->result = q->bogus;
    else
        q->result.trust = TRUST_OVERRIDDEN;
    q->result.why = q->bogus.why;
}

/* The answer is there, or the time is up. */
static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct question *q = arg;
    if (q->at_unbound)
        fail(q, TRUST_FAILED, "no answer in time");
    if (asks_again(q))
        return;
    if (q->asked_plain)
        settle_override(q);
    void (*done)(void *, const struct dns_result *) = q->done;
    void *done_arg = q->arg;
    struct dns_result result = q->result;
    if (q->at_unbound && q->own == NULL)
        q->orphaned = true;
    else
        free_question(q);
    done(done_arg, &result);
}

static struct question *question_new(struct dns_query *query, struct arena *arena, const char *name, uint16_t type,
                                     enum dns_how how)
{
    struct question *q = calloc(1, sizeof *q);
    struct event *timer = q != NULL ? evtimer_new(loop_base(query->loop), on_timer, q) : NULL;
    if (timer == NULL)
        abort();
    *q = (struct question){
        .owner = query, .arena = arena, .name = arena_strdup(arena, name), .type = type, .how = how, .timer = timer};
    q->next = query->open;
    q->link = &query->open;
    if (q->next != NULL)
        q->next->link = &q->next;
    query->open = q;
    return q;
}

void dns_query_ask(struct dns_query *query, struct arena *arena, const char *name, uint16_t type, enum dns_how how,
                   void (*done)(void *arg, const struct dns_result *result), void *arg)
{
    struct question *q = question_new(query, arena, name, type, how);
    q->done = done;
    q->arg = arg;
    struct err err = {0};
    if (how == DNS_PAST_CACHE && (q->own = context_new(query, true, &err)) == NULL) {
        fail(q, TRUST_FAILED, err.text);
        event_active(q->timer, EV_TIMEOUT, 0);
        return;
    }
    start(q, q->own != NULL ? q->own : query->validated);
}

/* Before the contexts go, and with them every answer that was still to come. */
static void fail_open_questions(struct dns_query *query)
{
    for (struct question *q = query->open; q != NULL; q = q->next) {
        if (!q->at_unbound || q->orphaned || q->own != NULL)
            continue;
        q->at_unbound = false;
        fail(q, TRUST_FAILED, "the resolver was told to forget");
        event_active(q->timer, EV_TIMEOUT, 0);
    }
}

struct dns_query *dns_query_new(const struct dns_options *options, struct loop *loop, struct err *err)
{
    struct dns_query *query = calloc(1, sizeof *query);
    if (query == NULL)
        abort();
    query->options = *options;
    query->loop = loop;
    query->validated = context_new(query, true, err);
    if (query->validated == NULL)
        dns_query_free(&query);
    return query;
}

bool dns_query_forget(struct dns_query *query, struct err *err)
{
    struct ub_ctx *fresh = context_new(query, true, err);
    if (fresh == NULL)
        return false;
    fail_open_questions(query);
    context_free(&query->validated);
    context_free(&query->plain);
    query->validated = fresh;
    return true;
}

void dns_query_free(struct dns_query **query)
{
    if (query == NULL || *query == NULL)
        return;
    for (struct question *q = (*query)->open; q != NULL; q = q->next)
        q->at_unbound = q->orphaned = false; /* their arenas may be gone */
    context_free(&(*query)->validated);
    context_free(&(*query)->plain);
    while ((*query)->open != NULL)
        free_question((*query)->open);
    free(*query);
    *query = NULL;
}
