/* SPDX-License-Identifier: BSD-2-Clause
 * sessions - what becomes of a session between two messages: it is kept a moment for the next one whose channel would
 * be judged by the very same, and by nothing else; then it is ended. So a connection is never shared across policies.
 *
 * Owns:    every session given to it, until it is taken again or gone.
 * Borrows: the clock.
 * Errors:  none to handle.
 * Threads: one. */
#ifndef ENGINE_SESSIONS_H
#define ENGINE_SESSIONS_H

#include "base/clock.h"
#include "base/netaddr.h"
#include "engine/session.h"

struct sessions_limits {
    double keep_s;              /* how long an unused session is kept; 0: never */
    unsigned transactions;      /* in one session */
    size_t kept;                /* at most; the oldest goes first */
};
/* All that a channel is judged by. */
struct sessions_channel {
    const char *next_hop, *host;
    const struct netaddr *address;
    const char *connector;
    const char *policy;         /* of MTA-STS: mode and id; NULL: none */
    bool in_clear, tls_demanded, requiretls;
    const struct tls_demands *demands;
};
struct sessions;

char *sessions_key(struct arena *arena, const struct sessions_channel *channel);

struct sessions *sessions_new(struct loop *loop, const struct clock *clock, const struct sessions_limits *limits);
void sessions_free(struct sessions **sessions);

/* The caller's again; NULL: there is none. */
struct session *sessions_take(struct sessions *sessions, const char *key);
/* Keeps it, or ends it where it can take no more mail. *session is NULL then. */
void sessions_give(struct sessions *sessions, struct session **session, const char *key);
void sessions_end(struct sessions *sessions, struct session **session);      /* QUIT; NULL is fine */
void sessions_end_kept(struct sessions *sessions);

#endif
