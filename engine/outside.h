/* SPDX-License-Identifier: BSD-2-Clause
 * outside - DNS, policies, TLS and TCP as a delivery asks them, for the engine and for those who only look.
 *
 * Owns:    resolver, policies, TLS client, what is known of revocations. Borrows: config, clock, loop.
 * Errors:  false with *err filled; outside_close() is then still owed.
 * Threads: one. Close it only when the loop runs no more. */
#ifndef ENGINE_OUTSIDE_H
#define ENGINE_OUTSIDE_H

#include "engine/delivery.h"

enum { OUTSIDE_SMTP_PORT = 25, OUTSIDE_HTTPS_PORT = 443 };

struct outside {
    struct loop *loop;
    struct resolve *resolve;
    struct sts *sts;
    struct tls_client *tls;
    struct revocation *revocation;
};

/* sts_cache: the file with the policies seen so far; ":memory:" for none. */
bool outside_open(struct outside *outside, const struct engine_config *config, const char *sts_cache,
                  const struct clock *clock, struct loop *loop, struct err *err) NODISCARD;
void outside_close(struct outside *outside);
struct delivery_ports outside_ports(struct outside *outside);

#endif
