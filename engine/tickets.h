/* SPDX-License-Identifier: BSD-2-Clause
 * tickets - TLS sessions that a peer has offered to resume (RFC 8446 4.6.1), kept in memory for the next connection
 * whose channel would be judged by the very same, and for nothing else. Each is used once (8446 C.4), and none lives
 * longer than life_s after the handshake in which the peer proved that it has the certificate's key: a session that was
 * resumed has no longer to live than the one it came from.
 *
 * Owns:    every session given to it, until it is taken again or too old.
 * Borrows: the clock.
 * Errors:  none to handle. Bounds: TICKETS_MAX in all, TICKETS_OF_CHANNEL_MAX of one channel; the oldest go first.
 * Threads: one. */
#ifndef ENGINE_TICKETS_H
#define ENGINE_TICKETS_H

#include <openssl/ssl.h>

#include "base/clock.h"

enum { TICKETS_MAX = 500, TICKETS_OF_CHANNEL_MAX = 5 };

struct tickets;

struct tickets *tickets_new(const struct clock *clock, double life_s);
void tickets_free(struct tickets **tickets);
time_t tickets_now(const struct tickets *tickets);

/* channel: all that it is judged by, from sessions_key(); proven: when the peer showed its certificate. */
void tickets_give(struct tickets *tickets, const char *channel, SSL_SESSION *session, time_t proven);
/* The caller's, with *proven; NULL: there is none. */
SSL_SESSION *tickets_take(struct tickets *tickets, const char *channel, time_t *proven);
void tickets_forget_channel(struct tickets *tickets, const char *channel);
void tickets_forget(struct tickets *tickets);

#endif
