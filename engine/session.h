/* SPDX-License-Identifier: BSD-2-Clause
 * session - an SMTP session as a client, up to the point where mail may be sent: greeting, EHLO, STARTTLS, the peer's
 * certificate judged (RFC 5321, 3207). One transaction after the other may then use it, until it is ended.
 *
 * Owns:    the connection given to session_open(), and what tls_client said of it.
 * Borrows: tls of the setting for its life; hostname, demands and arena until opened() has been called.
 * Errors:  opened() gets the failure; the session must still be ended.
 * Threads: one; opened() and gone() come from the loop, never from inside a call of ours. */
#ifndef ENGINE_SESSION_H
#define ENGINE_SESSION_H

#include "engine/smtp_ext.h"
#include "engine/smtp_link.h"

struct smtp_timeouts {
    double greeting, ehlo, starttls, handshake, mail, rcpt, data, body, quit, block;
};

struct session_setting {
    const char *hostname;   /* for EHLO */
    struct tls_client *tls; /* NULL: STARTTLS is never used (tests) */
    const struct tls_demands *demands;
    enum policy_reason without_tls; /* what is unmet when TLS cannot be had */
    bool tls_demanded;
    bool in_clear; /* the second try: STARTTLS is left alone */
    struct smtp_timeouts timeouts;
};
enum tls_course {              /* how far TLS came */
                  TLS_UNTRIED, /* the session did not come so far, or TLS was left alone */
                  TLS_NOT_OFFERED,
                  TLS_REFUSED,
                  TLS_BROKEN,
                  TLS_DONE
};
struct session_opening {
    struct failure failure; /* CAUSE_NONE: mail may be sent; its text lies in the arena */
    enum tls_course tls_course;
    bool owes_full_handshake; /* it failed in the handshake, when a session was to be resumed */
};
struct session;
typedef void session_opened(void *arg, const struct session_opening *opening);

struct session *session_open(struct loop *loop, struct arena *arena, struct bufferevent *io,
                             const struct session_setting *setting, session_opened *opened, void *arg);
/* QUIT, if the server may still listen; gone() when it may be dropped. */
void session_quit(struct session *session, void (*gone)(void *arg, struct session *session), void *arg);
void session_drop(struct session **session); /* at once; nothing is called any more */

const struct tls_outcome *session_tls(const struct session *session);
unsigned session_transactions(const struct session *session); /* so far */
/* For transactions: the link is theirs in between. */
struct smtp_link *session_begin(struct session *session);
void session_rest(struct session *session);
const struct smtp_ext *session_ext(const struct session *session);
const struct smtp_timeouts *session_timeouts(const struct session *session);
/* A transaction is left open (RSET comes before the next), or none is. */
void session_set_midway(struct session *session, bool midway);
bool session_is_midway(const struct session *session);
/* The server has closed it, or the link is broken: it can take no more mail. */
void session_set_over(struct session *session);
bool session_is_over(const struct session *session);

#endif
