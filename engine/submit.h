/* SPDX-License-Identifier: BSD-2-Clause
 * submit - SMTP in: takes mail from clients into the queue (RFC 5321, with PIPELINING, 8BITMIME, SIZE, CHUNKING,
 * SMTPUTF8, STARTTLS and REQUIRETLS).
 *
 * Who may submit is told by address, not by password. TLS is offered where there is a certificate, and then demanded of
 * whom the configuration says (submission-tls). REQUIRETLS, which is for protected sessions (8689-2), is offered inside
 * TLS, and without to whom the configuration trusts (requiretls-from), by default to clients on this machine.
 *
 * Only CRLF ends a line, only CRLF.CRLF ends a message; what intake.h refuses is refused. 250 to the final dot
 * means: it is on disk.
 *
 * Owns:    listeners and sessions.
 * Borrows: loop, config, queue.
 * Errors:  false with *err filled; what a client does wrong is answered to the client.
 * Threads: one. Every length, count and time of a client's has a bound: at most SUBMIT_SESSIONS_MAX sessions, and
 * sessions-per-client of one address; SUBMIT_ERRORS_MAX mistakes, SUBMIT_IDLE_MAX commands and SUBMIT_SURPLUS_MAX
 * recipients too many without a message in a session; time-outs for a command and for a message as a whole;
 * submission-memory for all of them together. */
#ifndef ENGINE_SUBMIT_H
#define ENGINE_SUBMIT_H

#include <event2/bufferevent.h>

#include "base/loop.h"
#include "engine/engine_config.h"
#include "engine/queue.h"
#include "engine/tls_server.h"

enum { SUBMIT_SESSIONS_MAX = 500, SUBMIT_LINE_MAX = 2048, SUBMIT_ERRORS_MAX = 20, SUBMIT_IDLE_MAX = 100,
       SUBMIT_SURPLUS_MAX = 10000 };

struct submit_ports {
    void *outside;
    /* On disk when it returns true; with *later only when submit_stored() is called. */
    bool (*accept)(void *outside, const struct message *message, int64_t *id, bool *later, struct err *err);
};
struct submit;

struct submit *submit_new(const struct engine_config *config, const struct clock *clock, struct loop *loop,
                          const struct submit_ports *ports);
/* Listens at "address:port" or "[address]:port". */
bool submit_listen(struct submit *submit, const char *at, struct err *err) NODISCARD;
/* A session on a connection that is there already; the bufferevent is then owned. local: from this machine. */
void submit_serve(struct submit *submit, struct bufferevent *io, const char *client, bool local);
/* For STARTTLS from now on; taken over. NULL: none is offered, as at first. */
void submit_set_tls(struct submit *submit, struct tls_server *tls);
/* For what comes from now on; what it listens at stays. */
void submit_set_config(struct submit *submit, const struct engine_config *config);
/* The messages accepted for later are on disk, or, not fine, are not: those who sent them are told. */
void submit_stored(struct submit *submit, bool fine);
void submit_free(struct submit **submit);

#endif
