/* SPDX-License-Identifier: BSD-2-Clause
 * revocation - has an authority taken back one of the certificates of a chain that is valid otherwise? For connectors
 * with certificate-validation and domain-validation. The response stapled to the handshake, then OCSP, then the CRL of
 * the places that the certificate names, by http (RFC 6960, RFC 5280 section 6.3).
 *
 * Soft: only a certificate that is known to be revoked fails. Hard: what nobody vouches for fails too.
 *
 * Owns:    answers kept until they expire, checks under way until they are done. Borrows: the loop, the outside.
 * Errors:  what cannot be fetched, read or believed is an answer that is missing.
 * Threads: one; done() comes from the loop, never from inside revocation_start(). An answer has at most 1 MiB,
 * each fetch its time; whoever waits for the whole should have a time of his own. */
#ifndef ENGINE_REVOCATION_H
#define ENGINE_REVOCATION_H

#include <openssl/x509.h>

#include "engine/resolve.h"

enum revocation_mode { REVOCATION_SOFT, REVOCATION_HARD, REVOCATION_OFF };

struct revocation_ports {
    void *outside;
    void (*addresses)(void *outside, struct arena *arena, const char *name, uint16_t port,
                      void (*done)(void *arg, const struct host_facts *facts), void *arg);
};
struct revocation;
struct revocation_check;
/* why: one sentence, for the call only, of the first who was asked in vain; NULL: nobody was. */
typedef void revocation_done(void *arg, bool passed, const char *why);

struct revocation *revocation_new(enum revocation_mode mode, double timeout_s, const struct revocation_ports *ports,
                                  struct loop *loop);
void revocation_free(struct revocation **revocation); /* when nothing is answered any more */

/* The chain, leaf first, up to the anchor; taken. stapled: what came with the handshake, NULL: nothing; copied. */
struct revocation_check *revocation_start(struct revocation *revocation, STACK_OF(X509) *chain,
                                          const unsigned char *stapled, size_t length, revocation_done *done,
                                          void *arg);
void revocation_cancel(struct revocation_check **check);

/* What an answer says of a certificate; pure but for the time of day. *until: when it expires, 0: at once. */
enum revocation_status { REVOCATION_UNKNOWN, REVOCATION_GOOD, REVOCATION_REVOKED };
enum revocation_status revocation_read_ocsp(const unsigned char *bytes, size_t length, X509 *certificate, X509 *issuer,
                                            int64_t *until);
enum revocation_status revocation_read_crl(const unsigned char *bytes, size_t length, X509 *certificate, X509 *issuer,
                                           int64_t *until);

#endif
