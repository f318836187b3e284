/* SPDX-License-Identifier: BSD-2-Clause
 * transaction - one message in a session that is open: MAIL, RCPT, DATA and the final dot (RFC 5321 3.3), or BDAT
 * (RFC 3030); with PIPELINING in one go, each reply still matched to its command (RFC 2920).
 *
 * Owns:    itself until done() has been called.
 * Borrows: the session, the mail, the arena for results. Afterwards the session takes the next message, unless
 *          session_is_over().
 * Errors:  each recipient's failure is part of the result.
 * Threads: one; done() comes from the loop, never from inside transaction_start(). */
#ifndef ENGINE_TRANSACTION_H
#define ENGINE_TRANSACTION_H

#include "engine/session.h"

struct transaction_mail {
    const char *sender;
    const char *const *recipients; size_t recipient_count;
    const char *content; size_t length;
    bool smtputf8;                              /* it came with it: its header may be in UTF-8 */
    bool tls_waived;                            /* it says TLS-Required: No */
    enum requiretls_demand requiretls;
    bool may_pipeline, may_chunk;               /* where the server offers it */
};

enum recipient_fate { FATE_OPEN, FATE_ACCEPTED, FATE_DELIVERED, FATE_FAILED };
struct transaction_recipient { enum recipient_fate fate; struct failure failure; };
struct transaction_result {
    struct transaction_recipient *recipients;   /* as many as in the mail; none is OPEN or ACCEPTED */
    struct failure failure;                     /* CAUSE_NONE: the transaction came to its end */
    const char *reply;                          /* to the final dot */
    bool unheard;                               /* the server was gone before it had answered anything */
};

struct transaction;

struct transaction *transaction_start(struct loop *loop, struct arena *arena, struct session *session,
                                      const struct transaction_mail *mail,
                                      void (*done)(void *arg, const struct transaction_result *result), void *arg);
void transaction_cancel(struct transaction **transaction);   /* done() is not called any more; the session is over */

#endif
