/* SPDX-License-Identifier: BSD-2-Clause
 * What an OCSP response or a CRL says of a certificate, if it can be believed. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <time.h>

#include "engine/revocation.h"

enum { SKEW_S = 300 };

/* UTC seconds; 0: no time, or one that cannot be read. */
static int64_t seconds_of(const ASN1_TIME *at)
{
    struct tm utc;
    return at != NULL && ASN1_TIME_to_tm(at, &utc) == 1 ? (int64_t)timegm(&utc) : 0;
}

/* A store in which the issuer alone is trusted, whatever stands above it: the chain has been checked. */
static X509_STORE *trusting(X509 *issuer, unsigned long flags)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL || X509_STORE_add_cert(store, issuer) != 1)
        abort();
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | flags);
    return store;
}

/* ---- OCSP (RFC 6960) ---- */

/* Signed by the issuer, or by one whom the issuer lets sign (6960-4.2.2.2). */
static bool is_believed(OCSP_BASICRESP *basic, X509 *issuer)
{
    X509_STORE *store = trusting(issuer, 0);
    STACK_OF(X509) *known = sk_X509_new_null();
    bool believed = known != NULL && sk_X509_push(known, issuer) > 0 && OCSP_basic_verify(basic, known, store, 0) > 0;
    sk_X509_free(known);
    X509_STORE_free(store);
    return believed;
}

static enum revocation_status status_in(OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer, int64_t *until)
{
    static const enum revocation_status of_status[] = {
        [V_OCSP_CERTSTATUS_GOOD] = REVOCATION_GOOD,
        [V_OCSP_CERTSTATUS_REVOKED] = REVOCATION_REVOKED,
        [V_OCSP_CERTSTATUS_UNKNOWN] = REVOCATION_UNKNOWN,
    };
    ASN1_GENERALIZEDTIME *revoked_at, *this_update, *next_update;
    int status = -1, reason;
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, issuer);
    bool found =
        id != NULL && OCSP_resp_find_status(basic, id, &status, &reason, &revoked_at, &this_update, &next_update) == 1;
    OCSP_CERTID_free(id);
    if (!found || OCSP_check_validity(this_update, next_update, SKEW_S, -1) != 1 || status < 0 ||
        status >= (int)COUNT(of_status))
        return REVOCATION_UNKNOWN;
    *until = seconds_of(next_update);
    return of_status[status];
}

enum revocation_status revocation_read_ocsp(const unsigned char *bytes, size_t length, X509 *certificate, X509 *issuer,
                                            int64_t *until)
{
    const unsigned char *at = bytes;
    OCSP_RESPONSE *response = length <= LONG_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)length) : NULL;
    bool answered = response != NULL && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
    OCSP_BASICRESP *basic = answered ? OCSP_response_get1_basic(response) : NULL;
    enum revocation_status status = REVOCATION_UNKNOWN;
    *until = 0;
    if (basic != NULL && is_believed(basic, issuer))
        status = status_in(basic, certificate, issuer, until);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return status;
}

/* ---- CRL (RFC 5280 section 6.3) ---- */

/* OpenSSL sees to signature, issuer, dates and scope of the list. */
static enum revocation_status status_by(X509_CRL *crl, X509 *certificate, X509 *issuer)
{
    X509_STORE *store = trusting(issuer, X509_V_FLAG_CRL_CHECK);
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    if (check == NULL || X509_STORE_add_crl(store, crl) != 1 ||
        X509_STORE_CTX_init(check, store, certificate, NULL) != 1)
        abort();
    enum revocation_status status = REVOCATION_UNKNOWN;
    if (X509_verify_cert(check) == 1)
        status = REVOCATION_GOOD;
    else if (X509_STORE_CTX_get_error(check) == X509_V_ERR_CERT_REVOKED)
        status = REVOCATION_REVOKED;
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    return status;
}

enum revocation_status revocation_read_crl(const unsigned char *bytes, size_t length, X509 *certificate, X509 *issuer,
                                           int64_t *until)
{
    const unsigned char *at = bytes;
    X509_CRL *crl = length <= LONG_MAX ? d2i_X509_CRL(NULL, &at, (long)length) : NULL;
    enum revocation_status status = crl != NULL ? status_by(crl, certificate, issuer) : REVOCATION_UNKNOWN;
    *until = status != REVOCATION_UNKNOWN ? seconds_of(X509_CRL_get0_nextUpdate(crl)) : 0;
    X509_CRL_free(crl);
    ERR_clear_error();
    return status;
}
