/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakeca/ca_answer.h"

#include <openssl/ocsp.h>
#include <string.h>

enum { DAY = 24 * 60 * 60 };

const char *const ca_says_words[] = {"none",          "good",    "revoked",     "unknown", "expired-answer",
                                     "forged-answer", "garbage", "unavailable", NULL};
static_assert(COUNT(ca_says_words) == CA_SAYS_COUNT + 1, "one word each");

struct span { /* of an answer */
    ASN1_TIME *from, *until;
};

static struct span span_of(enum ca_says says, time_t now)
{
    int days = says == CA_EXPIRED_ANSWER ? -2 : 0;
    return (struct span){X509_time_adj_ex(NULL, days, -60, &now), X509_time_adj_ex(NULL, days + 1, 0, &now)};
}

static void span_free(struct span *span)
{
    ASN1_TIME_free(span->from);
    ASN1_TIME_free(span->until);
}

static const struct identity *signer_of(const struct identity *certificate, enum ca_says says)
{
    const struct identity *issuer = identity_issuer(certificate);
    return says == CA_FORGED_ANSWER || issuer == NULL ? certificate : issuer;
}

static X509 *issuer_of(const struct identity *certificate)
{
    const struct identity *issuer = identity_issuer(certificate);
    return identity_certificate(issuer != NULL ? issuer : certificate);
}

static unsigned char *garbage(struct arena *arena, size_t *length)
{
    static const char text[] = "this is no answer";
    *length = strlen(text);
    return arena_memdup(arena, text, *length);
}

/* Takes over what OpenSSL has allocated. */
static unsigned char *into_arena(struct arena *arena, unsigned char *bytes, int length, size_t *out)
{
    unsigned char *kept = length > 0 ? arena_memdup(arena, bytes, (size_t)length) : NULL;
    *out = length > 0 ? (size_t)length : 0;
    OPENSSL_free(bytes);
    return kept;
}

/* ---- OCSP ---- */

static bool fill_basic(OCSP_BASICRESP *basic, const struct identity *certificate, enum ca_says says, time_t now)
{
    struct span span = span_of(says, now);
    const struct identity *signer = signer_of(certificate, says);
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), identity_certificate(certificate), issuer_of(certificate));
    int status = says == CA_REVOKED   ? V_OCSP_CERTSTATUS_REVOKED
                 : says == CA_UNKNOWN ? V_OCSP_CERTSTATUS_UNKNOWN
                                      : V_OCSP_CERTSTATUS_GOOD;
    bool filled =
        id != NULL &&
        OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                               says == CA_REVOKED ? span.from : NULL, span.from, span.until) != NULL &&
        OCSP_basic_sign(basic, identity_certificate(signer), identity_key(signer), EVP_sha256(), NULL, 0) == 1;
    OCSP_CERTID_free(id);
    span_free(&span);
    return filled;
}

unsigned char *ca_ocsp_response(struct arena *arena, const struct identity *certificate, enum ca_says says, time_t now,
                                size_t *length)
{
    if (says == CA_GARBAGE)
        return garbage(arena, length);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_RESPONSE *response = basic != NULL && fill_basic(basic, certificate, says, now)
                                  ? OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
                                  : NULL;
    unsigned char *bytes = NULL;
    int size = response != NULL ? i2d_OCSP_RESPONSE(response, &bytes) : 0;
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    return into_arena(arena, bytes, size, length);
}

/* ---- CRL ---- */

static bool revoke(X509_CRL *crl, const struct identity *certificate, const ASN1_TIME *at)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *serial = X509_get_serialNumber(identity_certificate(certificate));
    if (entry != NULL && X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
        X509_REVOKED_set_revocationDate(entry, (ASN1_TIME *)at) == 1 && X509_CRL_add0_revoked(crl, entry) == 1)
        return true;
    X509_REVOKED_free(entry);
    return false;
}

static bool fill_list(X509_CRL *crl, const struct identity *certificate, enum ca_says says, time_t now)
{
    struct span span = span_of(says, now);
    const struct identity *signer = signer_of(certificate, says);
    X509 *named = says == CA_UNKNOWN ? identity_certificate(certificate) : issuer_of(certificate);
    bool filled = X509_CRL_set_version(crl, 1) == 1 &&
                  X509_CRL_set_issuer_name(crl, X509_get_subject_name(named)) == 1 &&
                  X509_CRL_set1_lastUpdate(crl, span.from) == 1 && X509_CRL_set1_nextUpdate(crl, span.until) == 1 &&
                  (says != CA_REVOKED || revoke(crl, certificate, span.from)) &&
                  X509_CRL_sign(crl, identity_key(signer), EVP_sha256()) > 0;
    span_free(&span);
    return filled;
}

unsigned char *ca_revocation_list(struct arena *arena, const struct identity *certificate, enum ca_says says,
                                  time_t now, size_t *length)
{
    if (says == CA_GARBAGE)
        return garbage(arena, length);
    X509_CRL *crl = X509_CRL_new();
    unsigned char *bytes = NULL;
    int size = crl != NULL && fill_list(crl, certificate, says, now) ? i2d_X509_CRL(crl, &bytes) : 0;
    X509_CRL_free(crl);
    return into_arena(arena, bytes, size, length);
}
