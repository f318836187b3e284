/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_sign.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "fakedns/dns_fault.h"

enum { HOUR = 3600, DAY = 24 * HOUR, RSA_BITS = 2048, FLAGS_ZSK = 256, FLAGS_KSK = 257 };

const char *const dns_algorithm_words[] = {"ecdsa-p256", "ecdsa-p384", "ed25519",        "ed448", "rsa-sha256",
                                           "rsa-sha512", "rsa-sha1",   "rsa-sha1-nsec3", NULL};
static_assert(COUNT(dns_algorithm_words) == DNS_ALGORITHM_COUNT + 1, "every algorithm has its word");

static const struct {
    ldns_signing_algorithm ldns;
    bool rsa;
} algorithms[] = {
    [DNS_ECDSA_P256] = {LDNS_SIGN_ECDSAP256SHA256, false},
    [DNS_ECDSA_P384] = {LDNS_SIGN_ECDSAP384SHA384, false},
    [DNS_ED25519] = {LDNS_SIGN_ED25519, false},
    [DNS_ED448] = {LDNS_SIGN_ED448, false},
    [DNS_RSA_SHA256] = {LDNS_SIGN_RSASHA256, true},
    [DNS_RSA_SHA512] = {LDNS_SIGN_RSASHA512, true},
    [DNS_RSA_SHA1] = {LDNS_SIGN_RSASHA1, true},
    [DNS_RSA_SHA1_NSEC3] = {LDNS_SIGN_RSASHA1_NSEC3, true},
};
static_assert(COUNT(algorithms) == DNS_ALGORITHM_COUNT, "every algorithm has its row");

const char *const dns_digest_words[] = {"sha-256", "sha-1", "sha-384", NULL};
static const ldns_hash digests[] = {
    [DNS_DIGEST_SHA256] = LDNS_SHA256, [DNS_DIGEST_SHA1] = LDNS_SHA1, [DNS_DIGEST_SHA384] = LDNS_SHA384};
static_assert(COUNT(digests) == DNS_DIGEST_COUNT, "every digest has its row");
static_assert(COUNT(dns_digest_words) == DNS_DIGEST_COUNT + 1, "every digest has its word");

struct dns_keys {
    char *zone;
    enum dns_algorithm algorithm;
    ldns_key_list *ksk, *zsk; /* one key each: ldns signs with lists */
    struct dns_keys *next;
};

struct dns_keyring {
    struct dns_keys *first;
    EVP_PKEY *rsa; /* of every zone; NULL: not made yet */
};

/* --- keys --- */

static EVP_PKEY *rsa_key(struct dns_keyring *ring)
{
    if (ring->rsa == NULL)
        ring->rsa = EVP_RSA_gen(RSA_BITS);
    if (ring->rsa != NULL)
        EVP_PKEY_up_ref(ring->rsa);
    return ring->rsa;
}

bool fakedns_make_slow_keys(struct dns_keyring *ring, enum dns_algorithm algorithm, struct err *err)
{
    EVP_PKEY *rsa = algorithms[algorithm].rsa ? rsa_key(ring) : NULL;
    EVP_PKEY_free(rsa); /* the ring's stays */
    return !algorithms[algorithm].rsa || rsa != NULL || err_set(err, ERR_SYSTEM, "no RSA key could be made");
}

static ldns_key *new_material(struct dns_keyring *ring, enum dns_algorithm algorithm)
{
    if (!algorithms[algorithm].rsa)
        return ldns_key_new_frm_algorithm(algorithms[algorithm].ldns, 0);
    EVP_PKEY *rsa = rsa_key(ring);
    ldns_key *key = rsa != NULL ? ldns_key_new() : NULL;
    if (key == NULL) {
        EVP_PKEY_free(rsa);
        return NULL;
    }
    ldns_key_set_algorithm(key, algorithms[algorithm].ldns);
    ldns_key_set_evp_key(key, rsa);
    return key;
}

static ldns_key_list *new_key(struct dns_keyring *ring, enum dns_algorithm algorithm, uint16_t flags)
{
    ldns_key *key = new_material(ring, algorithm);
    if (key == NULL)
        return NULL;
    ldns_key_set_flags(key, flags);
    ldns_key_list *list = ldns_key_list_new();
    ldns_key_list_push_key(list, key);
    return list;
}

static void keys_free(struct dns_keys *keys)
{
    ldns_key_list_free(keys->ksk); /* and the key in it */
    ldns_key_list_free(keys->zsk);
    free(keys->zone);
    free(keys);
}

struct dns_keyring *dns_keyring_new(void)
{
    struct dns_keyring *ring = calloc(1, sizeof *ring);
    if (ring == NULL)
        abort();
    return ring;
}

const struct dns_keys *dns_keyring_get(struct dns_keyring *ring, const char *zone, enum dns_algorithm algorithm,
                                       struct err *err)
{
    for (struct dns_keys *keys = ring->first; keys != NULL; keys = keys->next)
        if (keys->algorithm == algorithm && strcmp(keys->zone, zone) == 0)
            return keys;
    struct dns_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL || (keys->zone = strdup(zone)) == NULL)
        abort();
    keys->algorithm = algorithm;
    keys->ksk = new_key(ring, algorithm, FLAGS_KSK);
    keys->zsk = new_key(ring, algorithm, FLAGS_ZSK);
    if (keys->ksk == NULL || keys->zsk == NULL) {
        keys_free(keys);
        err_set(err, ERR_SYSTEM, "no %s key could be made", dns_algorithm_words[algorithm]);
        return NULL;
    }
    keys->next = ring->first;
    ring->first = keys;
    return keys;
}

void dns_keyring_free(struct dns_keyring **ring)
{
    if (ring == NULL || *ring == NULL)
        return;
    while ((*ring)->first != NULL) {
        struct dns_keys *keys = (*ring)->first;
        (*ring)->first = keys->next;
        keys_free(keys);
    }
    EVP_PKEY_free((*ring)->rsa);
    free(*ring);
    *ring = NULL;
}

/* --- DNSKEY and DS --- */

/* What the zone shows of a key: with the algorithm it claims. */
static ldns_rr *shown_key(const struct dns_zone *zone, const ldns_key_list *list)
{
    ldns_key *key = ldns_key_list_key(list, 0);
    ldns_key_set_pubkey_owner(key, (ldns_rdf *)zone->name);
    ldns_rr *rr = ldns_key2rr(key); /* takes a copy of the owner */
    ldns_key_set_pubkey_owner(key, NULL);
    assert(rr != NULL);
    ldns_rr_set_ttl(rr, 300);
    if (zone->shown_algorithm != 0)
        ldns_rdf_data(ldns_rr_rdf(rr, 2))[0] = zone->shown_algorithm;
    return rr;
}

static uint16_t shown_tag(const struct dns_zone *zone, const ldns_key_list *key)
{
    ldns_rr *rr = shown_key(zone, key);
    uint16_t tag = ldns_calc_keytag(rr);
    ldns_rr_free(rr);
    return tag;
}

void dns_sign_add_keys(struct dns_zone *zone)
{
    dns_zone_add(zone, shown_key(zone, zone->keys->ksk));
    dns_zone_add(zone, shown_key(zone, zone->keys->zsk));
}

ldns_rr *dns_sign_anchor_key(const struct dns_zone *zone)
{
    return shown_key(zone, zone->keys->ksk);
}

ldns_rr *dns_sign_anchor_ds(const struct dns_zone *zone)
{
    ldns_rr *key = shown_key(zone, zone->keys->ksk);
    ldns_rr *ds = ldns_key_rr2ds(key, digests[zone->digest]);
    ldns_rr_free(key);
    assert(ds != NULL);
    ldns_rr_set_ttl(ds, 300);
    return ds;
}

void dns_sign_add_ds(struct dns_zone *parent, const struct dns_zone *child)
{
    dns_zone_add(parent, dns_sign_anchor_ds(child));
}

/* --- signatures --- */

static struct dns_signing usual_signing(const struct dns_rrset *rrset)
{
    time_t machine = time(NULL), lab = clock_now(rrset->zone->clock);
    struct dns_signing how = {.earliest = machine < lab ? machine : lab, .latest = machine < lab ? lab : machine};
    how.from = how.earliest - HOUR;
    how.to = how.latest + 30 * DAY;
    how.signer = rrset->zone->name;
    return how;
}

static ldns_rr_list *sign(const struct dns_rrset *rrset, ldns_key_list *list, const struct dns_signing *how)
{
    ldns_key *key = ldns_key_list_key(list, 0);
    ldns_key_set_keytag(key, shown_tag(rrset->zone, list));
    ldns_key_set_inception(key, (uint32_t)how->from);
    ldns_key_set_expiration(key, (uint32_t)how->to);
    ldns_key_set_pubkey_owner(key, (ldns_rdf *)how->signer); /* lent */
    ldns_rr_list *signatures = ldns_sign_public(rrset->rrs, list);
    ldns_key_set_pubkey_owner(key, NULL);
    return signatures;
}

static void disguise(const struct dns_zone *zone, const struct dns_signing *how, ldns_rr_list *signatures)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(signatures); i++) {
        ldns_rr *rr = ldns_rr_list_rr(signatures, i);
        if (zone->shown_algorithm != 0)
            ldns_rdf_data(ldns_rr_rrsig_algorithm(rr))[0] = zone->shown_algorithm;
        if (how->flip)
            ldns_rdf_data(ldns_rr_rrsig_sig(rr))[ldns_rdf_size(ldns_rr_rrsig_sig(rr)) - 1] ^= 1;
    }
}

/* A signature of the past, beside the one there is. */
static void sign_again(struct dns_rrset *rrset, const struct dns_signing *now)
{
    const struct dns_keys *keys = rrset->zone->keys;
    struct dns_signing past = *now;
    past.from = now->earliest - 60 * DAY;
    past.to = now->earliest - 30 * DAY;
    ldns_rr_list *more = sign(rrset, rrset->type == LDNS_RR_TYPE_DNSKEY ? keys->ksk : keys->zsk, &past);
    assert(more != NULL);
    disguise(rrset->zone, &past, more);
    ldns_rr_list_push_rr_list(rrset->signatures, more);
    ldns_rr_list_free(more); /* not the records, which went over */
}

/* Like the first, but for the tag of the key, and in front of it. */
static void sign_as_nobody(struct dns_rrset *rrset)
{
    ldns_rr *nobody = ldns_rr_clone(ldns_rr_list_rr(rrset->signatures, 0));
    ldns_rdf_data(ldns_rr_rrsig_keytag(nobody))[0] ^= 0x55;
    ldns_rr *good = ldns_rr_list_set_rr(rrset->signatures, nobody, 0);
    ldns_rr_list_push_rr(rrset->signatures, good);
}

const ldns_rr_list *dns_signatures(struct dns_rrset *rrset)
{
    struct dns_signing how = usual_signing(rrset);
    time_t lab = clock_now(rrset->zone->clock);
    if (rrset->signatures != NULL && (!rrset->is_signed || (rrset->signed_from <= lab && lab <= rrset->signed_to)))
        return rrset->signatures;
    ldns_rr_list_deep_free(rrset->signatures);
    rrset->signed_from = how.from;
    rrset->signed_to = how.to;
    if (!rrset->is_signed) {
        rrset->signatures = ldns_rr_list_new();
        return rrset->signatures;
    }
    dns_faults_at_signing(&rrset->faults, &how);
    const struct dns_keys *keys = rrset->zone->keys;
    rrset->signatures = sign(rrset, rrset->type == LDNS_RR_TYPE_DNSKEY ? keys->ksk : keys->zsk, &how);
    assert(rrset->signatures != NULL);
    disguise(rrset->zone, &how, rrset->signatures);
    if (how.expired_beside)
        sign_again(rrset, &how);
    if (how.nobody_beside)
        sign_as_nobody(rrset);
    return rrset->signatures;
}
