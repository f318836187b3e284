/* SPDX-License-Identifier: BSD-2-Clause
 * reporter - TLS reports, from the first session counted to the endpoint that has taken them (RFC 8460).
 *
 * When a UTC day is over, and a random part of `delay` with it, each domain's record at _smtp._tls is read, a report
 * made of what was counted, and given to each endpoint: to the queue as a signed mail, or by HTTPS POST. What fails is
 * tried again after 5, 10, 20 ... minutes, for 24 hours (8460-5.5).
 *
 * Owns:    the store, the signing key, look-ups and uploads under way. Borrows: what reporter_new() is given.
 * Errors:  NULL with *err filled; later on a report that cannot be made or sent is said on standard error, and never
 *          holds up mail.
 * Threads: one. At most REPORTER_AT_ONCE look-ups and as many uploads. Free it only when the loop runs no more. */
#ifndef ENGINE_REPORTER_H
#define ENGINE_REPORTER_H

#include "engine/engine_config.h"
#include "engine/message.h"
#include "engine/tlsrpt.h"

enum { REPORTER_AT_ONCE = 20 };

struct reporter_ports {
    struct resolve *resolve;
    void *outside;
    /* Into the queue; on disk when it returns true. */
    bool (*mail)(void *outside, const struct message *message, int64_t *id, struct err *err);
    void (*idle)(void *outside); /* nothing is under way any more */
};
struct reporter;

struct reporter *reporter_new(const struct engine_config *config, const char *path, const struct clock *clock,
                              struct loop *loop, const struct reporter_ports *ports, struct err *err) NODISCARD;
void reporter_free(struct reporter **reporter);

void reporter_count(void *reporter, const struct tlsrpt_session *session);
/* Starts what is due; happens by itself, but for those who move the clock. */
void reporter_tick(struct reporter *reporter);
/* Makes and sends what there is, days that are not over included. */
void reporter_hurry(struct reporter *reporter);
bool reporter_busy(const struct reporter *reporter);

#endif
