/* SPDX-License-Identifier: BSD-2-Clause
 * dialogue - one SMTP session as a client: a table of steps that reads like RFC 5321 and RFC 3207.
 *
 * Owns:    the connection given to dialogue_start(), and itself until done() has been called.
 * Borrows: the job and everything in it, the arena for results.
 * Errors:  each recipient's failure is part of the result.
 * Threads: one; done() and settled() come from the loop, never from inside dialogue_start(). */
#ifndef ENGINE_DIALOGUE_H
#define ENGINE_DIALOGUE_H

#include <event2/bufferevent.h>

#include "base/loop.h"
#include "engine/outcome.h"
#include "engine/tls_client.h"

struct dialogue_timeouts { double greeting, ehlo, starttls, handshake, mail, rcpt, data, body, quit; };

struct dialogue_job {
    const char *hostname;                       /* for EHLO */
    const char *sender;
    const char *const *recipients; size_t recipient_count; /* 0: only a look, up to the EHLO that mail would follow */
    const char *content; size_t length;
    struct tls_client *tls;                     /* NULL: STARTTLS is never used (tests) */
    const struct tls_demands *demands;
    enum policy_reason without_tls;             /* what is unmet when TLS cannot be had */
    bool tls_demanded;
    bool in_clear;                              /* the second try: STARTTLS is left alone */
    struct dialogue_timeouts timeouts;
};

enum recipient_fate { FATE_OPEN, FATE_ACCEPTED, FATE_DELIVERED, FATE_FAILED };
struct dialogue_recipient { enum recipient_fate fate; struct failure failure; };
struct dialogue_result {
    struct dialogue_recipient *recipients;      /* as many as in the job; none is OPEN or ACCEPTED */
    struct failure session;                     /* CAUSE_NONE: the transaction came to its end */
    const char *reply;                          /* to the final dot */
    struct tls_outcome tls;
    bool tls_tried;                             /* STARTTLS was sent */
};

struct dialogue;

/* settled: the server has taken the message; fates are known, QUIT is still to come. May be NULL. */
struct dialogue *dialogue_start(struct loop *loop, struct arena *arena, struct bufferevent *io,
                                const struct dialogue_job *job,
                                void (*settled)(void *arg, const struct dialogue_result *result),
                                void (*done)(void *arg, const struct dialogue_result *result), void *arg);
void dialogue_cancel(struct dialogue **dialogue);   /* neither settled() nor done() is called any more */

#endif
