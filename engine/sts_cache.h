/* SPDX-License-Identifier: BSD-2-Clause
 * sts_cache - the MTA-STS policies fetched so far, and the fetches that failed lately; on disk, so that a restart
 * forgets neither (RFC 8461 3.3).
 *
 * Owns:   the store.
 * Errors: NULL with *err filled when it cannot be opened; later on a store that fails is as good as an empty one.
 * Threads: one. */
#ifndef ENGINE_STS_CACHE_H
#define ENGINE_STS_CACHE_H

#include "engine/sts_policy.h"
#include "engine/sts_record.h"

enum { STS_RETRY_SECONDS = 300 /* 8461-3.3-9 */ };

struct sts_cache;

struct sts_cached {
    char id[STS_ID_MAX + 1];
    const char *text;               /* the policy as it was fetched */
    int64_t fetched_at, expires_at; /* UTC seconds */
    struct sts_policy policy;
};

struct sts_fetch_failure {
    const char *result_type, *why;
}; /* as a TLS-RPT report calls it; one sentence */

struct sts_cache *sts_cache_open(const char *path, struct err *err) NODISCARD;
void sts_cache_close(struct sts_cache **cache);

/* The policy of a domain while it lives: at most max_age from its last fetch (8461-5.1-5). */
bool sts_cache_find(struct sts_cache *cache, struct arena *arena, const char *domain, int64_t now,
                    struct sts_cached *out);
/* Replaces what is known of the domain, failures included. */
void sts_cache_put(struct sts_cache *cache, const char *domain, const struct sts_cached *entry);
void sts_cache_put_failure(struct sts_cache *cache, const char *domain, const char *id,
                           const struct sts_fetch_failure *failure, int64_t now);
/* Did a fetch of this very id fail within the last five minutes (8461-3.3-9)? Then *out says how. */
bool sts_cache_failed_lately(struct sts_cache *cache, struct arena *arena, const char *domain, const char *id,
                             int64_t now, struct sts_fetch_failure *out);
/* Domains behind this one in the order of names ("": all) whose policy lives, but is older than age seconds or than
 * half of its life; at most limit names. */
size_t sts_cache_aging(struct sts_cache *cache, struct arena *arena, int64_t now, int64_t age, const char *after,
                       size_t limit, const char **domains);

#endif
