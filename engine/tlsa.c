/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsa.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/text.h"

bool tlsa_parse(const unsigned char *rdata, size_t length, struct tlsa_record *out)
{
    *out = (struct tlsa_record){0};
    if (length < 3)
        return false;
    *out = (struct tlsa_record){rdata[0], rdata[1], rdata[2], rdata + 3, length - 3};
    return true;
}

/* One DER certificate with a key we understand, and nothing behind it. */
static bool is_certificate(const unsigned char *data, size_t length)
{
    const unsigned char *end = data;
    X509 *certificate = d2i_X509(NULL, &end, (long)length);
    bool good = certificate != NULL && end == data + length && X509_get0_pubkey(certificate) != NULL;
    X509_free(certificate);
    return good;
}

static bool is_public_key(const unsigned char *data, size_t length)
{
    const unsigned char *end = data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &end, (long)length);
    bool good = key != NULL && end == data + length;
    EVP_PKEY_free(key);
    return good;
}

/* 6698-4.1-8: data that cannot be what selector and matching type say is malformed. */
static bool has_fitting_data(const struct tlsa_record *r)
{
    switch (r->matching) {
    case TLSA_SHA2_256:
        return r->length == 32;
    case TLSA_SHA2_512:
        return r->length == 64;
    case TLSA_FULL:
        return r->selector == TLSA_CERT ? is_certificate(r->data, r->length) : is_public_key(r->data, r->length);
    default:
        return false;
    }
}

bool tlsa_usable(const struct tlsa_record *r)
{
    bool usage = r->usage == TLSA_DANE_TA || r->usage == TLSA_DANE_EE; /* 7672-3.1.3-2 */
    bool selector = r->selector == TLSA_CERT || r->selector == TLSA_SPKI;
    ERR_set_mark();
    bool usable = usage && selector && r->length > 0 && has_fitting_data(r);
    ERR_pop_to_mark();
    return usable;
}

static size_t keep(struct tlsa_record *records, size_t kept, size_t i)
{
    struct tlsa_record one = records[i];
    records[i] = records[kept];
    records[kept] = one;
    return kept + 1;
}

/* The unusable go before agility is looked at, so that junk cannot push out what works (7671-9-5). */
static size_t select_usable(struct tlsa_record *records, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (tlsa_usable(&records[i]))
            kept = keep(records, kept, i);
    return kept;
}

/* 7671-9-6: per usage and selector the strongest digest alone counts. Full(0) is never outdone (7671-9-9). */
static size_t select_strongest(struct tlsa_record *records, size_t count)
{
    uint8_t strongest[4][2] = {{0}};
    for (size_t i = 0; i < count; i++)
        if (records[i].matching > strongest[records[i].usage][records[i].selector])
            strongest[records[i].usage][records[i].selector] = records[i].matching;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (records[i].matching == TLSA_FULL || records[i].matching == strongest[records[i].usage][records[i].selector])
            kept = keep(records, kept, i);
    return kept;
}

size_t tlsa_select(struct tlsa_record *records, size_t count, size_t *unusable)
{
    size_t usable = select_usable(records, count);
    *unusable = count - usable;
    return select_strongest(records, usable);
}

/* Data of no length has no presentation but the generic one (RFC 3597 5). */
const char *tlsa_text(struct arena *arena, const struct tlsa_record *r)
{
    if (r->length == 0)
        return arena_printf(arena, "\\# 3 %02x%02x%02x", r->usage, r->selector, r->matching);
    return arena_printf(arena, "%u %u %u %s", r->usage, r->selector, r->matching, text_hex(arena, r->data, r->length));
}
