/* SPDX-License-Identifier: BSD-2-Clause
 * sts_fetch - one MTA-STS policy by HTTPS (RFC 8461 3.3); the engine's door to libcurl.
 *
 * Owns:    the libcurl multi handle and the fetches under way.
 * Borrows: the loop.
 * Errors:  a fetch that fails is a result, with why.
 * Threads: one; results come from the loop. Fetches under way at sts_fetch_free() are never answered. */
#ifndef ENGINE_STS_FETCH_H
#define ENGINE_STS_FETCH_H

#include "base/loop.h"
#include "base/netaddr.h"

struct sts_fetch;

struct sts_fetched {
    const char *body;
    size_t length;       /* NULL: failed */
    const char *failure; /* then: TLS-RPT result type, a literal */
    const char *why;     /* then: one sentence */
};

struct sts_fetch *sts_fetch_new(const char *ca_file, double timeout_s, struct loop *loop, struct err *err) NODISCARD;
void sts_fetch_free(struct sts_fetch **fetch);
/* https://<host>/.well-known/mta-sts.txt from these addresses, in turn. host: "mta-sts.example", A-labels. */
void sts_fetch_policy(struct sts_fetch *fetch, struct arena *arena, const char *host, uint16_t port,
                      const struct netaddr *addresses, size_t count,
                      void (*done)(void *arg, const struct sts_fetched *fetched), void *arg);

#endif
