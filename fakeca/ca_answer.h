/* SPDX-License-Identifier: BSD-2-Clause
 * ca_answer - what an authority says of a certificate: OCSP responses (RFC 6960) and CRLs (RFC 5280), right or wrong.
 * Pure.
 *
 * Errors: NULL: OpenSSL could not make it. */
#ifndef FAKECA_CA_ANSWER_H
#define FAKECA_CA_ANSWER_H

#include "base/identity.h"

enum ca_says {
    CA_NOTHING, /* there is no authority to ask */
    CA_GOOD,
    CA_REVOKED,
    CA_UNKNOWN,        /* OCSP: unknown; a CRL of another authority */
    CA_EXPIRED_ANSWER, /* good, of two days ago, for one day */
    CA_FORGED_ANSWER,  /* good, signed by the certificate itself */
    CA_GARBAGE,
    CA_UNAVAILABLE, /* HTTP status 503 */
    CA_SAYS_COUNT
};
extern const char *const ca_says_words[]; /* "none", "good", ..., NULL */

/* DER, in the arena, of what is said of the certificate by its issuer. */
unsigned char *ca_ocsp_response(struct arena *arena, const struct identity *certificate, enum ca_says says, time_t now,
                                size_t *length);
unsigned char *ca_revocation_list(struct arena *arena, const struct identity *certificate, enum ca_says says,
                                  time_t now, size_t *length);

#endif
