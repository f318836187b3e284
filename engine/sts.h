/* SPDX-License-Identifier: BSD-2-Clause
 * sts - the MTA-STS policy in force for a domain: TXT record, cache, fetch (RFC 8461).
 *
 * Owns:    the cache (SQLite, in the engine's store directory) and fetches under way.
 * Borrows: loop, resolver, clock.
 * Errors:  failures are part of the result: what failed, and whether a cached policy rules in spite of it (8461-3.3).
 * Threads: one; callbacks come from the event loop. First contact waits for the fetch (60 s at most); those who ask
 *          for a domain that is being looked up wait for that look-up. The arenas given must live until the answer has
 *          come. At sts_free() open questions are never answered; free it only when the loop runs no more. */
#ifndef ENGINE_STS_H
#define ENGINE_STS_H

#include "base/clock.h"
#include "engine/policy.h"
#include "engine/sts_policy.h"

struct sts_facts {
    enum sts_policy_mode mode; /* in force: fresh or from the cache */
    const char *id;            /* of the policy in force; NULL: none */
    bool from_cache;
    const char *const *mx;
    size_t mx_count;
    const char *text;               /* the policy as it was fetched, for reports; NULL: none */
    int64_t fetched_at, expires_at; /* UTC seconds */
    const char *failure;            /* TLS-RPT result type ("sts-policy-fetch-error", ...) or NULL */
    const char *why;                /* one sentence: what was found or failed */
};
struct sts_options {
    const char *cache_path; /* SQLite file */
    const char *ca_file;    /* PEM bundle for policy hosts */
    double fetch_timeout_s; /* 60 */
    uint16_t port;          /* 443 */
};
struct sts;

struct sts *sts_new(const struct sts_options *options, struct resolve *resolve, const struct clock *clock,
                    struct loop *loop, struct err *err) NODISCARD;
void sts_free(struct sts **sts);
void sts_find(struct sts *sts, struct arena *arena, const char *domain,
              void (*done)(void *arg, const struct sts_facts *facts), void *arg);
/* The TXT record asked again, past every cache, and a changed policy fetched: before a message bounces (8461-5). */
void sts_recheck(struct sts *sts, struct arena *arena, const char *domain,
                 void (*done)(void *arg, const struct sts_facts *facts), void *arg);
/* Looks after policies that live but are old (a day, or half of their life), mail or no mail (8461-3.3-15). Happens by
 * itself every hour; for those who move the clock, who hear when it is over (from the loop, or at once). */
void sts_refresh(struct sts *sts, void (*over)(void *arg), void *arg);

#endif
