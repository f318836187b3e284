/* SPDX-License-Identifier: BSD-2-Clause
 * identity - a private key and the certificate chain shown with it: every certificate state there is, made on the spot.
 *
 * Owns:   EVP_PKEY and X509 objects; an identity keeps what it needs of its issuer, so issuers may be freed first.
 * Errors: NULL or false with *err filled.
 * Keys are ECDSA P-256, but for RSA and weak ones. "Expired" means dates that lie in the past of the clock given. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

struct identity;

enum identity_names { IDENTITY_SAN, IDENTITY_CN_ONLY, IDENTITY_NO_NAMES };

struct identity_spec {
    const struct identity *issuer;     /* NULL: self-signed */
    bool authority;                    /* a CA certificate */
    const char *subject;               /* common name, NULL: the first name */
    const char *const *names;          /* DNS-IDs; wildcards as they are */
    size_t name_count;
    enum identity_names names_as;
    double not_before_s, not_after_s;  /* relative to now; both 0: -1 day .. +90 days, an authority
                                        * ten years around now */
    int serial;                        /* 0: random */
    const char *ocsp_url, *crl_url;    /* who is asked whether it is revoked; NULL: not said */
    const char *extension, *value;     /* one extension otherwise, as in openssl.cnf; NULL: as usual */
    bool sha1;                         /* signed with SHA-1, else SHA2-256 */
    bool spoilt;                       /* the signature is wrong in one bit */
};

/* A fresh key and its certificate, signed by the issuer. */
struct identity *identity_new(const struct identity_spec *spec, const struct clock *clock, struct err *err) NODISCARD;
/* A fresh key without certificate, to be lent to others. */
struct identity *identity_new_key(struct err *err) NODISCARD;
/* The same, an RSA key of 2048 bits; and one of 1024 bits, too weak for today. */
struct identity *identity_new_rsa_key(struct err *err) NODISCARD;
struct identity *identity_new_weak_key(struct err *err) NODISCARD;
/* The private half becomes another key's, as if a stranger showed the certificate: what it signs does not verify. */
bool identity_lose_key(struct identity *identity, struct err *err) NODISCARD;
/* The same key with another certificate (a renewal), or the same certificate state with another key: pass key_of. */
struct identity *identity_new_with_key(const struct identity_spec *spec, const struct identity *key_of,
                                       const struct clock *clock, struct err *err) NODISCARD;
/* A user's own PEM files: certificate first, then its chain, which is shown as it is; and the key, which has no pass
 * phrase. */
struct identity *identity_load(const char *certificate_path, const char *key_path, struct err *err) NODISCARD;
void identity_free(struct identity **identity);

/* What is shown in a handshake: the leaf and the intermediates above it, without the root, unless told otherwise. */
enum identity_chain {
    IDENTITY_CHAIN_FULL,
    IDENTITY_CHAIN_WITH_ROOT,
    IDENTITY_CHAIN_LEAF_ONLY,
    IDENTITY_CHAIN_OUT_OF_ORDER, /* with the root, which comes right behind the leaf */
};
void identity_show(struct identity *identity, enum identity_chain chain);

/* An OCSP response that is shown with the certificate to clients that ask for one; copied. */
void identity_staple(struct identity *identity, const unsigned char *response, size_t length);

X509 *identity_certificate(const struct identity *identity);         /* borrowed */
EVP_PKEY *identity_key(const struct identity *identity);             /* borrowed */
const struct identity *identity_issuer(const struct identity *identity); /* borrowed copy; NULL if self-signed */
bool identity_use(const struct identity *identity, SSL_CTX *ctx, struct err *err) NODISCARD;
bool identity_use_ssl(const struct identity *identity, SSL *ssl, struct err *err) NODISCARD;
/* Beside the one in use, of another kind of key: which is shown the handshake decides. */
bool identity_add_ssl(const struct identity *identity, SSL *ssl, struct err *err) NODISCARD;
/* PEM of the shown chain, of the key, of this one certificate. */
char *identity_chain_pem(struct arena *arena, const struct identity *identity);
char *identity_key_pem(struct arena *arena, const struct identity *identity);
char *identity_certificate_pem(struct arena *arena, const struct identity *identity);
/* The certificate association data of a TLSA record (RFC 6698 2.1): selector 0 certificate, 1 SPKI; matching 0 full,
 * 1 SHA2-256, 2 SHA2-512; as lower-case hex. NULL for other values. */
char *identity_tlsa_data(struct arena *arena, const struct identity *identity, unsigned selector, unsigned matching);

#endif
