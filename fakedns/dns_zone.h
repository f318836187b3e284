/* SPDX-License-Identifier: BSD-2-Clause
 * dns_zone - one zone: its names in canonical order, the RRsets at each, where it delegates.
 *
 * Owns:    the ldns records of its RRsets; everything else lives in the arena given to dns_zone_new().
 * Borrows: keys and parent.
 * Errors:  a reason as text, NULL when all is well: who calls knows the place.
 * A zone is filled, then closed by dns_zone_finish(); after that only signatures are added, when first wanted. */
#ifndef FAKEDNS_DNS_ZONE_H
#define FAKEDNS_DNS_ZONE_H

#include <time.h>

#include "base/clock.h"
#include "fakedns/dns_name.h"
#include "fakedns/fakedns.h"

struct dns_fault;
struct dns_keys;

struct dns_fault_list { const struct dns_fault **items; size_t count, room; };

struct dns_rrset {
    struct dns_zone *zone;
    const ldns_rdf *owner;
    const ldns_rdf *about;          /* whose faults concern it: the owner, or the name that an NSEC3 is about */
    ldns_rr_type type;
    ldns_rr_list *rrs;              /* owned */
    ldns_rr_list *signatures;       /* owned; NULL: not wanted yet (dns_signatures()) */
    time_t signed_from, signed_to;
    bool is_signed;                 /* false: NS of a delegation, glue, an unsigned zone, a fault */
    bool below;                     /* glue, or occluded */
    bool hidden;                    /* by a fault: told to nobody, though what denies it knows of it */
    struct dns_fault_list faults;   /* that spoil it */
};

enum dns_standing { DNS_OURS, DNS_DELEGATION, DNS_BELOW };      /* BELOW a delegation or a DNAME: glue, or occluded */

/* A fault that took something away from a name: stepped on when its absence is told. */
struct dns_absence { ldns_rr_type type; const struct dns_fault *fault; };

struct dns_node {
    const ldns_rdf *name;
    enum dns_standing standing;
    struct { struct dns_rrset **items; size_t count, room; } rrsets;        /* without NSEC3 */
    struct { struct dns_absence *items; size_t count, room; } absences;
};

enum { DNS_NSEC3_HASH_SIZE = 20 };
struct dns_nsec3 { uint8_t hash[DNS_NSEC3_HASH_SIZE]; struct dns_node *node; struct dns_rrset *rrset; };

struct dns_zone {
    struct arena *arena;
    const struct clock *clock;
    const ldns_rdf *name;
    const char *text;               /* "partner.example" */
    struct dns_zone *parent;        /* NULL: the root */
    bool is_signed;
    enum dns_digest digest;         /* of its DS record */
    enum dns_denial denial;
    uint16_t iterations;            /* of NSEC3 hashes, beyond the first */
    const struct dns_keys *keys;    /* NULL: unsigned */
    uint8_t shown_algorithm;        /* what DNSKEY, DS and RRSIG claim instead of the truth; 0: the truth */
    struct { struct dns_node **items; size_t count, room; } nodes;          /* canonical order once finished */
    struct { struct dns_nsec3 *items; size_t count, room; } nsec3;          /* in order of hash */
    struct { struct dns_rrset **items; size_t count, room; } rrsets;        /* all of them, to be freed */
    struct dns_rrset *false_denial; /* a signed NSEC or NSEC3 that is about nothing; for the fault denial-false */
    bool finished;
};

struct dns_zone *dns_zone_new(struct arena *arena, const ldns_rdf *name, const struct clock *clock);
void dns_zone_free(struct dns_zone *zone);      /* the ldns records; the rest goes with the arena */

/* Takes rr when NULL is returned. A record already there is dropped quietly. */
const char *dns_zone_add(struct dns_zone *zone, ldns_rr *rr);
/* The same from text; only for what is known to be right. */
void dns_zone_add_text(struct dns_zone *zone, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct dns_node *dns_zone_make_node(struct dns_zone *zone, const ldns_rdf *name);  /* and those above it */
/* An RRset that stands at no node: NSEC3. */
struct dns_rrset *dns_zone_new_rrset(struct dns_zone *zone, const ldns_rdf *owner, ldns_rr_type type);
void dns_zone_remove(struct dns_zone *zone, struct dns_node *node, ldns_rr_type type);
/* Sorts, finds out each name's standing, looks for what cannot stand together; NULL or the reason. */
const char *dns_zone_finish(struct dns_zone *zone);

struct dns_node *dns_zone_find(const struct dns_zone *zone, const ldns_rdf *name);         /* NULL: none */
/* The last name that sorts at or before this one (there is the apex); needs a finished zone. */
size_t dns_zone_find_before(const struct dns_zone *zone, const ldns_rdf *name);
struct dns_node *dns_zone_apex(const struct dns_zone *zone);
struct dns_rrset *dns_node_get(const struct dns_node *node, ldns_rr_type type);            /* NULL: none */

/* "1 record", "3 1 1 9f2c...e1": the journal's short word for an RRset. */
char *dns_rrset_summary(struct arena *arena, const struct dns_rrset *rrset);

#endif
