/* SPDX-License-Identifier: BSD-2-Clause
 * dkim - a DKIM signature for a mail of our own (RFC 6376): relaxed/relaxed, rsa-sha256 or ed25519-sha256 (RFC 8463),
 * of the whole body: never with l=.
 *
 * Owns:   the key. Errors: NULL with *err filled. */
#ifndef ENGINE_DKIM_H
#define ENGINE_DKIM_H

#include "base/arena.h"
#include "base/err.h"

struct dkim_key;

/* A private key in PEM: RSA of 1024 bits or more (RFC 8301 3.2), or Ed25519. */
struct dkim_key *dkim_key_read(const char *path, struct err *err) NODISCARD;
void dkim_key_free(struct dkim_key **key);

struct dkim_signing {
    const struct dkim_key *key;
    const char *domain, *selector; /* d=, s= */
    const char *const *headers;    /* the fields to sign, NULL-terminated; each stands once in the content */
    int64_t now;
};
/* "DKIM-Signature: ...\r\n", to go in front of the content (CRLF lines). */
char *dkim_sign(struct arena *arena, const struct dkim_signing *signing, const char *content, size_t length,
                struct err *err);

#endif
