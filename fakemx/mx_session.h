/* SPDX-License-Identifier: BSD-2-Clause
 * mx_session - one connection: bytes in, lines and messages out of them, answers back, and every way a connection can
 * end.
 *
 * Owns:    the bufferevent given, TLS, what was said and not yet heard.
 * Borrows: the server, the host.
 * Errors:  none; a session that cannot go on ends, which is in the journal.
 * What a client sends is bounded: by line, message, commands, bytes that wait for us and for it, and idle time. */
#ifndef FAKEMX_MX_SESSION_H
#define FAKEMX_MX_SESSION_H

#include <event2/bufferevent.h>

#include "fakemx/mx_mailbox.h"
#include "fakemx/mx_tls.h"

struct mx_session;

struct mx_server { /* what all sessions share */
    struct journal *journal;
    struct mx_mailbox *mailbox;
    struct mx_tls_contexts *contexts;
    void (*ended)(void *arg, struct mx_session *session); /* it is freed when this returns */
    void *arg;
};

/* Takes over io, and greets. NULL: out of memory. */
struct mx_session *mx_session_new(const struct mx_server *server, const struct mx_host *host, unsigned conn,
                                  struct bufferevent *io);
void mx_session_free(struct mx_session **session); /* drops the connection, without calling ended() */

#endif
