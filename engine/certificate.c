/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/certificate.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/text.h"
#include "engine/tlsa.h"

static X509 *parse(const struct certificate *certificate)
{
    const unsigned char *at = certificate->der;
    return d2i_X509(NULL, &at, (long)certificate->length);
}

static const char *escaped(struct arena *arena, const void *bytes, int length)
{
    return text_escape(arena, bytes, length > 0 ? (size_t)length : 0);
}

/* The first common name; else the whole name on one line. */
static const char *name_of(struct arena *arena, const X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at >= 0) {
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
        return escaped(arena, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
    }
    char line[256];
    X509_NAME_oneline(name, line, sizeof line);
    return escaped(arena, line, (int)strlen(line));
}

static const char *dns_names(struct arena *arena, const X509 *certificate)
{
    const char *names = "";
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        int kind;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list, i), &kind);
        if (kind == GEN_DNS)
            names = arena_printf(arena, "%s%s%s", names, *names != '\0' ? " " : "",
                                 escaped(arena, ASN1_STRING_get0_data(value), ASN1_STRING_length(value)));
    }
    GENERAL_NAMES_free(list);
    return names;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

bool certificate_read(struct arena *arena, const struct certificate *certificate, struct certificate_view *out)
{
    X509 *x509 = parse(certificate);
    if (x509 == NULL)
        return false;
    *out = (struct certificate_view){
        .subject = name_of(arena, X509_get_subject_name(x509)),
        .issuer = name_of(arena, X509_get_issuer_name(x509)),
        .names = dns_names(arena, x509),
        .from = seconds_of(X509_get0_notBefore(x509)),
        .until = seconds_of(X509_get0_notAfter(x509)),
    };
    X509_free(x509);
    return true;
}

static bool data_equals(const struct tlsa_record *record, const unsigned char *bytes, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;
    const EVP_MD *kind = record->matching == TLSA_SHA2_256   ? EVP_sha256()
                         : record->matching == TLSA_SHA2_512 ? EVP_sha512()
                                                             : NULL;
    if (kind != NULL && EVP_Digest(bytes, length, digest, &digest_length, kind, NULL) == 1) {
        bytes = digest;
        length = digest_length;
    }
    return record->length == length && memcmp(record->data, bytes, length) == 0;
}

bool certificate_matches(const struct certificate *certificate, const struct tlsa_record *record)
{
    if (record->selector == TLSA_CERT)
        return data_equals(record, certificate->der, certificate->length);
    X509 *x509 = parse(certificate);
    unsigned char *key = NULL;
    int length = x509 != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &key) : -1;
    bool matches = length > 0 && data_equals(record, key, (size_t)length);
    OPENSSL_free(key);
    X509_free(x509);
    return matches;
}
