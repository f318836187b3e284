/* SPDX-License-Identifier: BSD-2-Clause
 * dns_denial - proof that something is not there: the chain of NSEC or NSEC3 records, and which of them prove what.
 *
 * NSEC3 goes without salt and without extra iterations (9276-3.1). With opt-out, delegations without DS are not in the
 * chain.
 *
 * Owns:   nothing; the records belong to the zone.
 * Errors: none. The proofs are empty in an unsigned zone. */
#ifndef FAKEDNS_DNS_DENIAL_H
#define FAKEDNS_DNS_DENIAL_H

#include "fakedns/dns_zone.h"

/* Adds the chain to a finished, signed zone. */
void dns_denial_build(struct dns_zone *zone);
void dns_denial_add_param(struct dns_zone *zone);       /* NSEC3PARAM, before the zone is finished */

enum { DNS_PROOF_MAX = 4 };
struct dns_proof {
    struct arena *arena;            /* of the answer */
    struct dns_rrset *items[DNS_PROOF_MAX]; size_t count;
};

/* The nearest name at or above this one that is there. */
struct dns_node *dns_closest_encloser(struct arena *arena, const struct dns_zone *zone, const ldns_rdf *name);

/* 4035-3.1.3, 5155-7.2; names are below the zone's and may be absent where that is what is proved. */
void dns_prove_no_type(struct dns_zone *zone, const ldns_rdf *name, struct dns_proof *proof);    /* and no DS */
void dns_prove_no_name(struct dns_zone *zone, const ldns_rdf *name, struct dns_proof *proof);
void dns_prove_wildcard(struct dns_zone *zone, const ldns_rdf *name, struct dns_proof *proof);   /* was rightly used */
void dns_prove_wildcard_no_type(struct dns_zone *zone, const ldns_rdf *name, const struct dns_node *wildcard,
                                struct dns_proof *proof);
/* A signed record that proves nothing. */
void dns_prove_falsely(struct dns_zone *zone, struct dns_proof *proof);

#endif
