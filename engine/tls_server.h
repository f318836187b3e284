/* SPDX-License-Identifier: BSD-2-Clause
 * tls_server - TLS for those who submit mail: TLS 1.2 or newer, one certificate, no client certificates.
 *
 * Owns:   the certificate and its key, as they were when they were read.
 * Errors: NULL with *err filled. */
#ifndef ENGINE_TLS_SERVER_H
#define ENGINE_TLS_SERVER_H

#include <event2/bufferevent.h>

#include "base/err.h"

struct tls_server;

/* PEM files; the certificate's has the chain behind it. */
struct tls_server *tls_server_new(const char *certificate, const char *key, struct err *err) NODISCARD;
void tls_server_free(struct tls_server **server);

/* The connection goes on inside TLS: frees io, with nothing left to read or write in it, and returns what takes its
 * place, without callbacks yet. After the handshake there is BEV_EVENT_CONNECTED. NULL: it cannot, and io stays. */
struct bufferevent *tls_server_accept(struct tls_server *server, struct bufferevent *io);
/* Says that this is the end; the connection is then to be freed. */
void tls_server_end(struct bufferevent *io);

#endif
