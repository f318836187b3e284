/* SPDX-License-Identifier: BSD-2-Clause
 * dns_sign - keys of zones, DNSKEY and DS records, signatures.
 *
 * A zone has a key-signing and a zone-signing key. An RRset is signed when it is first served or dumped: a resolver
 * looks at few of them. Validity reaches from an hour before to thirty days after now, by the lab's clock and by the
 * machine's, so that a validator on either finds it good; it is made again when the lab's clock has left it.
 *
 * Owns:    a key ring owns its keys. RSA keys are slow to make: one serves all zones of a ring.
 * Errors:  false with *err filled. */
#ifndef FAKEDNS_DNS_SIGN_H
#define FAKEDNS_DNS_SIGN_H

#include "fakedns/dns_zone.h"

/* The keys of a zone, made at the first call; the same as long as the algorithm is. */
const struct dns_keys *dns_keyring_get(struct dns_keyring *ring, const char *zone, enum dns_algorithm algorithm,
                                       struct err *err) NODISCARD;

/* How one RRset is signed; what a fault may turn. */
struct dns_signing {
    time_t earliest, latest;    /* now, by the slower and by the faster clock */
    time_t from, to;
    const ldns_rdf *signer;
    bool flip;                  /* a bit of the signature */
    bool expired_beside;        /* one more, which has expired */
    bool nobody_beside;         /* one more, by a key that is not the zone's */
};

void dns_sign_add_keys(struct dns_zone *zone);                  /* the DNSKEY RRset, at the apex */
void dns_sign_add_ds(struct dns_zone *parent, const struct dns_zone *child);
/* Signatures over an RRset; an empty list when it is not signed. */
const ldns_rr_list *dns_signatures(struct dns_rrset *rrset);
/* The root's DNSKEY that anchors trust, and its DS; heap, for ldns_rr_free(). */
ldns_rr *dns_sign_anchor_key(const struct dns_zone *zone);
ldns_rr *dns_sign_anchor_ds(const struct dns_zone *zone);

#endif
