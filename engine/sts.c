/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/domain_name.h"
#include "engine/sts_cache.h"
#include "engine/sts_fetch.h"

enum { REFRESH_PAUSE_SECONDS = 3600, REFRESH_AGE_SECONDS = 24 * 3600, REFRESH_AT_ONCE_MAX = 50 };

struct sts {
    struct resolve *resolve;
    const struct clock *clock;
    struct loop *loop;
    struct sts_cache *cache;
    struct sts_fetch *fetch;
    struct event *refresh_timer;
    uint16_t port;
    struct lookup *open;          /* a list */
    char refresh_after[256];      /* the round of refreshing goes on behind this domain; "": none is under way */
    void (*refreshed)(void *arg); /* NULL: nobody waits for it */
    void *refreshed_arg;
};

enum purpose { FOR_MAIL, FOR_RECHECK, FOR_REFRESH };

struct waiter {
    struct waiter *next;
    struct arena *arena;
    void (*done)(void *arg, const struct sts_facts *facts);
    void *arg;
};

/* One domain being looked up: TXT record, then perhaps the policy, for everybody who waits. */
struct lookup {
    struct sts *sts;
    struct lookup *next, **link;
    struct arena *arena;
    const char *domain;
    enum purpose purpose;
    struct waiter *waiters;
    bool has_cached;
    struct sts_cached cached; /* what lives in the cache */
    char id[STS_ID_MAX + 1];  /* of the TXT record */
};

/* Answers */

static struct sts_facts facts_of(const struct sts_cached *entry, bool from_cache)
{
    return (struct sts_facts){
        .mode = entry->policy.mode,
        .id = entry->id,
        .from_cache = from_cache,
        .mx = entry->policy.mx,
        .mx_count = entry->policy.mx_count,
        .text = entry->text,
        .fetched_at = entry->fetched_at,
        .expires_at = entry->expires_at,
    };
}

static struct sts_facts *copy_facts(struct arena *arena, const struct sts_facts *from)
{
    struct sts_facts *facts = arena_memdup(arena, from, sizeof *from);
    const char **mx = arena_alloc(arena, from->mx_count * sizeof *mx);
    for (size_t i = 0; i < from->mx_count; i++)
        mx[i] = arena_strdup(arena, from->mx[i]);
    facts->mx = mx;
    facts->id = from->id != NULL ? arena_strdup(arena, from->id) : NULL;
    facts->text = from->text != NULL ? arena_strdup(arena, from->text) : NULL;
    facts->why = from->why != NULL ? arena_strdup(arena, from->why) : NULL;
    facts->failure = from->failure != NULL ? arena_strdup(arena, from->failure) : NULL;
    return facts;
}

/* A look-up lives in its own arena. */
static void lookup_free(struct lookup *lookup)
{
    struct arena *arena = lookup->arena;
    arena_free(&arena);
}

static void unlink_lookup(struct lookup *lookup)
{
    *lookup->link = lookup->next;
    if (lookup->next != NULL)
        lookup->next->link = lookup->link;
}

static bool is_refreshing(const struct sts *sts)
{
    for (const struct lookup *l = sts->open; l != NULL; l = l->next)
        if (l->purpose == FOR_REFRESH)
            return true;
    return false;
}

static void refresh_some(struct sts *sts);

/* Perhaps some are refreshed, and it is the turn of the next, or all are. */
static void go_on_refreshing(struct sts *sts)
{
    if (!is_refreshing(sts) && sts->refresh_after[0] != '\0')
        refresh_some(sts);
    void (*refreshed)(void *arg) = sts->refreshed;
    if (refreshed == NULL || is_refreshing(sts))
        return;
    sts->refreshed = NULL;
    refreshed(sts->refreshed_arg);
}

/* The look-up leaves the list before anybody is called: whoever asks again from there begins a new one. */
static void answer(struct lookup *lookup, const struct sts_facts *facts)
{
    unlink_lookup(lookup);
    for (struct waiter *w = lookup->waiters; w != NULL; w = w->next)
        w->done(w->arg, copy_facts(w->arena, facts));
    struct sts *sts = lookup->sts;
    lookup_free(lookup);
    go_on_refreshing(sts);
}

/* Something failed. A cached policy that lives rules in spite of it (8461-3.3-14); else it is as if the domain had no
 * MTA-STS (8461-3.3-13). */
static void answer_failure(struct lookup *lookup, const char *failure, const char *why)
{
    struct sts_facts facts = {.mode = STS_ABSENT};
    if (lookup->has_cached)
        facts = facts_of(&lookup->cached, true);
    facts.failure = facts.mode == STS_MODE_NONE ? NULL : failure;
    facts.why = lookup->has_cached
                    ? arena_printf(lookup->arena, "%s; the cached policy %s rules", why, lookup->cached.id)
                    : why;
    answer(lookup, &facts);
}

static void answer_cached(struct lookup *lookup)
{
    struct sts_facts facts = facts_of(&lookup->cached, true);
    facts.why = arena_printf(lookup->arena, "the cached policy %s is current", lookup->cached.id);
    answer(lookup, &facts);
}

/* The policy by HTTPS */

static void fetch_failed(struct lookup *lookup, const char *failure, const char *why)
{
    const struct sts_fetch_failure noted = {failure, why};
    sts_cache_put_failure(lookup->sts->cache, lookup->domain, lookup->id, &noted, clock_now(lookup->sts->clock));
    answer_failure(lookup, failure, why);
}

/* A policy validly fetched replaces the cached one, whatever its mode (8461-8.3-1), and lives from now (8461-3.2-7). */
static void take_policy(struct lookup *lookup, const char *text, const struct sts_policy *policy)
{
    struct sts_cached fresh = {.text = text, .fetched_at = clock_now(lookup->sts->clock), .policy = *policy};
    memcpy(fresh.id, lookup->id, sizeof fresh.id);
    fresh.expires_at = fresh.fetched_at + policy->max_age;
    sts_cache_put(lookup->sts->cache, lookup->domain, &fresh);
    struct sts_facts facts = facts_of(&fresh, false);
    facts.why = arena_printf(lookup->arena, "policy %s was fetched", fresh.id);
    answer(lookup, &facts);
}

static void on_fetched(void *arg, const struct sts_fetched *fetched)
{
    struct lookup *lookup = arg;
    struct sts_policy policy;
    const char *why;
    if (fetched->body == NULL)
        fetch_failed(lookup, fetched->failure, fetched->why);
    else if (!sts_policy_parse(lookup->arena, fetched->body, fetched->length, &policy, &why))
        fetch_failed(lookup, "sts-policy-invalid", why);
    else
        take_policy(lookup, arena_strndup(lookup->arena, fetched->body, fetched->length), &policy);
}

static void on_policy_host(void *arg, const struct host_facts *host)
{
    struct lookup *lookup = arg;
    if (trust_is_failure(host->trust) || host->address_count == 0) {
        fetch_failed(lookup, "sts-policy-fetch-error", host->why);
        return;
    }
    sts_fetch_policy(lookup->sts->fetch, lookup->arena, host->name, lookup->sts->port, host->addresses,
                     host->address_count, on_fetched, lookup);
}

/* 8461-3.3-9: not again within five minutes for the same id. */
static void fetch_policy(struct lookup *lookup)
{
    struct sts *sts = lookup->sts;
    struct sts_fetch_failure last;
    if (sts_cache_failed_lately(sts->cache, lookup->arena, lookup->domain, lookup->id, clock_now(sts->clock), &last)) {
        answer_failure(lookup, last.result_type,
                       arena_printf(lookup->arena, "%s (less than five minutes ago)", last.why));
        return;
    }
    const char *host = arena_printf(lookup->arena, "mta-sts.%s", lookup->domain);
    resolve_addresses(sts->resolve, lookup->arena, host, sts->port, on_policy_host, lookup);
}

/* The TXT record */

/* Without a valid record nothing is fetched; a policy that lives is not undone by that (8461-3.1-9). */
static void no_valid_record(struct lookup *lookup, const struct sts_record *record)
{
    bool malformed = record->state == STS_RECORD_SEVERAL || record->state == STS_RECORD_INVALID;
    if (malformed)
        answer_failure(lookup, "sts-policy-invalid", record->why);
    else
        answer_failure(lookup, lookup->has_cached ? "sts-policy-fetch-error" : NULL, record->why);
}

static void on_txt(void *arg, const struct txt_facts *txt)
{
    struct lookup *lookup = arg;
    struct sts *sts = lookup->sts;
    lookup->has_cached =
        sts_cache_find(sts->cache, lookup->arena, lookup->domain, clock_now(sts->clock), &lookup->cached);
    if (trust_is_failure(txt->trust)) {
        answer_failure(lookup, "sts-policy-fetch-error", txt->why);
        return;
    }
    struct sts_record record = sts_record_find(txt->records, txt->count);
    if (record.state != STS_RECORD_VALID) {
        no_valid_record(lookup, &record);
        return;
    }
    memcpy(lookup->id, record.id, sizeof lookup->id);
    bool current = lookup->has_cached && strcmp(lookup->cached.id, lookup->id) == 0; /* 8461-3.1-4: any change */
    if (current && lookup->purpose != FOR_REFRESH)
        answer_cached(lookup);
    else
        fetch_policy(lookup);
}

/* Look-ups */

static struct lookup *lookup_new(struct sts *sts, const char *domain, enum purpose purpose)
{
    struct arena *arena = arena_new("MTA-STS look-up");
    struct lookup *lookup = arena_alloc(arena, sizeof *lookup);
    *lookup = (struct lookup){.sts = sts, .arena = arena, .domain = arena_strdup(arena, domain), .purpose = purpose};
    lookup->next = sts->open;
    lookup->link = &sts->open;
    if (lookup->next != NULL)
        lookup->next->link = &lookup->next;
    sts->open = lookup;
    return lookup;
}

static void lookup_start(struct lookup *lookup)
{
    const char *name = arena_printf(lookup->arena, "_mta-sts.%s", lookup->domain);
    if (lookup->purpose == FOR_MAIL)
        resolve_txt(lookup->sts->resolve, lookup->arena, name, on_txt, lookup);
    else
        resolve_txt_afresh(lookup->sts->resolve, lookup->arena, name, on_txt, lookup);
}

static struct lookup *find_open(struct sts *sts, const char *domain, enum purpose purpose)
{
    for (struct lookup *l = sts->open; l != NULL; l = l->next)
        if (l->purpose == purpose && strcmp(l->domain, domain) == 0)
            return l;
    return NULL;
}

/* An answer that needs no question, from the loop. */
struct nothing {
    struct waiter waiter;
    struct sts_facts facts;
};

static void on_nothing(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct nothing *nothing = arg;
    nothing->waiter.done(nothing->waiter.arg, &nothing->facts);
}

static void answer_nothing(struct sts *sts, struct waiter waiter, const char *why)
{
    static const struct timeval now = {0};
    struct nothing *nothing = arena_alloc(waiter.arena, sizeof *nothing);
    *nothing = (struct nothing){waiter, {.mode = STS_ABSENT, .why = why}};
    if (event_base_once(loop_base(sts->loop), -1, EV_TIMEOUT, on_nothing, nothing, &now) != 0)
        abort();
}

static void ask(struct sts *sts, const char *domain, enum purpose purpose, struct waiter waiter)
{
    const char *name = domain_name_ascii(waiter.arena, domain);
    if (name == NULL || domain_name_is_address(domain)) { /* 8461-3.4-2 */
        answer_nothing(sts, waiter, "MTA-STS is for domain names only");
        return;
    }
    struct lookup *lookup = find_open(sts, name, purpose);
    bool fresh = lookup == NULL;
    if (fresh)
        lookup = lookup_new(sts, name, purpose);
    struct waiter *kept = arena_memdup(lookup->arena, &waiter, sizeof waiter);
    kept->next = lookup->waiters;
    lookup->waiters = kept;
    if (fresh)
        lookup_start(lookup);
}

void sts_find(struct sts *sts, struct arena *arena, const char *domain,
              void (*done)(void *arg, const struct sts_facts *facts), void *arg)
{
    ask(sts, domain, FOR_MAIL, (struct waiter){.arena = arena, .done = done, .arg = arg});
}

void sts_recheck(struct sts *sts, struct arena *arena, const char *domain,
                 void (*done)(void *arg, const struct sts_facts *facts), void *arg)
{
    ask(sts, domain, FOR_RECHECK, (struct waiter){.arena = arena, .done = done, .arg = arg});
}

/* A round has every policy that has grown old asked for once, so many at a time: those that cannot be had keep nobody
 * else from his turn. */
static void refresh_some(struct sts *sts)
{
    struct arena *arena = arena_new("MTA-STS refresh");
    const char *domains[REFRESH_AT_ONCE_MAX];
    size_t count = sts_cache_aging(sts->cache, arena, clock_now(sts->clock), REFRESH_AGE_SECONDS, sts->refresh_after,
                                   REFRESH_AT_ONCE_MAX, domains);
    bool more = count == REFRESH_AT_ONCE_MAX;
    snprintf(sts->refresh_after, sizeof sts->refresh_after, "%s", more ? domains[count - 1] : "");
    for (size_t i = 0; i < count; i++)
        lookup_start(lookup_new(sts, domains[i], FOR_REFRESH));
    arena_free(&arena);
}

static void refresh(struct sts *sts)
{
    if (!is_refreshing(sts))
        refresh_some(sts);
}

void sts_refresh(struct sts *sts, void (*over)(void *arg), void *arg)
{
    sts->refreshed = over;
    sts->refreshed_arg = arg;
    refresh(sts);
    go_on_refreshing(sts);
}

static void on_refresh_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    refresh(arg);
}

static bool start_refreshing(struct sts *sts, struct err *err)
{
    static const struct timeval pause = {.tv_sec = REFRESH_PAUSE_SECONDS};
    sts->refresh_timer = event_new(loop_base(sts->loop), -1, EV_PERSIST, on_refresh_timer, sts);
    return (sts->refresh_timer != NULL && event_add(sts->refresh_timer, &pause) == 0) ||
           err_set(err, ERR_SYSTEM, "cannot make a timer");
}

struct sts *sts_new(const struct sts_options *options, struct resolve *resolve, const struct clock *clock,
                    struct loop *loop, struct err *err)
{
    struct sts *sts = calloc(1, sizeof *sts);
    if (sts == NULL)
        abort();
    *sts = (struct sts){.resolve = resolve, .clock = clock, .loop = loop, .port = options->port};
    sts->cache = sts_cache_open(options->cache_path, err);
    if (sts->cache != NULL)
        sts->fetch = sts_fetch_new(options->ca_file, options->fetch_timeout_s, loop, err);
    if (sts->fetch == NULL || !start_refreshing(sts, err))
        sts_free(&sts);
    return sts;
}

void sts_free(struct sts **sts)
{
    if (sts == NULL || *sts == NULL)
        return;
    sts_fetch_free(&(*sts)->fetch);
    sts_cache_close(&(*sts)->cache);
    if ((*sts)->refresh_timer != NULL)
        event_free((*sts)->refresh_timer);
    for (struct lookup *l = (*sts)->open, *next; l != NULL; l = next) {
        next = l->next;
        lookup_free(l);
    }
    free(*sts);
    *sts = NULL;
}
