/* SPDX-License-Identifier: BSD-2-Clause
 * mx_tls - the server's side of a TLS connection as a layer between two buffers: no sockets, so that a session is in
 * command of every byte and every close.
 *
 * Journals what is seen: MX_HELLO, FAULT_HIT of the certificate and of TLS settings, MX_TLS, MX_TLS_FAILED.
 *
 * Owns:    SSL objects and their buffers.
 * Borrows: the contexts, the witness, the host's identities.
 * Errors:  NULL with *err filled; later ones are states, and in the journal. */
#ifndef FAKEMX_MX_TLS_H
#define FAKEMX_MX_TLS_H

#include <event2/buffer.h>

#include "fakemx/mx_host.h"

struct mx_tls_contexts; /* shared by all sessions, one for each way of speaking TLS */
/* keys: those of each session go into the journal, at most MX_TLS_KEYS_MAX. */
struct mx_tls_contexts *mx_tls_contexts_new(bool keys, struct err *err) NODISCARD;
void mx_tls_contexts_free(struct mx_tls_contexts **contexts);
/* Can OpenSSL show what the host is to show? */
bool mx_tls_check(struct mx_tls_contexts *contexts, const struct mx_host *host, struct err *err) NODISCARD;

enum { MX_TLS_KEYS_MAX = 32 };
enum mx_tls_state { MX_TLS_HANDSHAKE, MX_TLS_OPEN, MX_TLS_CLOSED /* the client said so */, MX_TLS_FAILED };

struct mx_tls;
struct mx_tls *mx_tls_new(struct mx_tls_contexts *contexts, const struct mx_witness *witness, struct err *err)
    NODISCARD;
/* Takes all bytes that came from the client; plaintext goes to plain, what is to be sent to out. */
enum mx_tls_state mx_tls_take(struct mx_tls *tls, struct evbuffer *in, struct evbuffer *plain, struct evbuffer *out);
void mx_tls_send(struct mx_tls *tls, const void *bytes, size_t length, struct evbuffer *out);
/* What a peer can do to an open connection without saying anything: TLS 1.3 and TLS 1.2. */
void mx_tls_update_key(struct mx_tls *tls, struct evbuffer *out);
void mx_tls_renegotiate(struct mx_tls *tls, struct evbuffer *out);
void mx_tls_close(struct mx_tls *tls, struct evbuffer *out); /* close_notify */
void mx_tls_gone(struct mx_tls *tls);                        /* the connection ended: a handshake under way failed */
enum mx_tls_state mx_tls_state(const struct mx_tls *tls);
bool mx_tls_alert_came(const struct mx_tls *tls); /* the client gave up, and said so */
void mx_tls_free(struct mx_tls **tls);

#endif
