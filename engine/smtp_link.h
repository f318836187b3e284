/* SPDX-License-Identifier: BSD-2-Clause
 * smtp_link - the wire of an SMTP session as a client: lines out, one reply at a time in, each within its time, TLS put
 * under it on the way. What is said is its hearer's: session before mail, transaction for a message.
 *
 * Owns:    the connection. Borrows: the hearer's arg.
 * Errors:  broken(), and once more for who then awaits something: the link is of no more use. Whatever comes while
 *          nothing is awaited breaks it too.
 * Threads: one. The hearer is called from the loop, never inside a call of ours, and may not free the link. */
#ifndef ENGINE_SMTP_LINK_H
#define ENGINE_SMTP_LINK_H

#include <event2/bufferevent.h>

#include "base/loop.h"
#include "engine/outcome.h"
#include "engine/tls_client.h"

struct smtp_link_hearer {
    void (*reply)(void *arg, const struct smtp_reply *reply);
    void (*written)(void *arg);                                     /* nothing waits to be written; may be NULL */
    void (*encrypted)(void *arg);                                   /* the handshake is over, nothing is judged yet */
    void (*broken)(void *arg, enum cause cause, const char *what);  /* what: one sentence, for the call only */
};
struct smtp_link;

struct smtp_link *smtp_link_new(struct loop *loop, struct bufferevent *io);
void smtp_link_free(struct smtp_link **link);
void smtp_link_hear(struct smtp_link *link, const struct smtp_link_hearer *hearer, void *arg);

void smtp_link_say(struct smtp_link *link, const char *fmt, ...) PRINTF_LIKE(2, 3);   /* a line; CRLF is added */
struct evbuffer *smtp_link_output(struct smtp_link *link);                            /* for what is no line */
bool smtp_link_sent_all(const struct smtp_link *link);       /* nothing waits to be written any more */
/* The next reply, or the end of a handshake, must be there within seconds, however slowly bytes drip in. */
void smtp_link_await(struct smtp_link *link, double seconds);
/* TLS from here on; encrypted() or broken() follows. false: it cannot even begin. */
bool smtp_link_encrypt(struct smtp_link *link, struct tls_client *tls, const struct tls_demands *demands,
                       struct err *err) NODISCARD;
struct bufferevent *smtp_link_io(struct smtp_link *link);    /* for tls_client_judge() */

#endif
