/* SPDX-License-Identifier: BSD-2-Clause
 * fakedns - an authoritative DNS server for a whole private tree: root, top-level domains, leaf zones, each zone signed
 * and delegated as told, on addresses of its own; and wrong on purpose where told.
 *
 * It knows zones, records and faults; it does not know what a scenario is.
 *
 * Owns:    keys (unless it is lent a ring of them), signed zones, sockets. Keys of a zone survive fakedns_change(), so
 *          the trust anchor stays.
 * Borrows: loop, journal and clock, which must outlive it; the config only during the call.
 * Errors:  false or NULL with *err filled; a fault that finds nothing to spoil is an error, never a silent success.
 * Threads: one. */
#ifndef FAKEDNS_FAKEDNS_H
#define FAKEDNS_FAKEDNS_H

#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/journal.h"
#include "base/loop.h"
#include "base/schema.h"

enum dns_algorithm {
    DNS_ECDSA_P256, DNS_ECDSA_P384, DNS_ED25519, DNS_ED448, DNS_RSA_SHA256, DNS_RSA_SHA512,
    DNS_RSA_SHA1, DNS_RSA_SHA1_NSEC3,   /* given up by 9905 */
    DNS_ALGORITHM_COUNT
};
enum dns_digest { DNS_DIGEST_SHA256, DNS_DIGEST_SHA1, DNS_DIGEST_SHA384, DNS_DIGEST_COUNT };   /* of a DS record */
enum dns_denial { DNS_NSEC, DNS_NSEC3, DNS_NSEC3_OPT_OUT, DNS_DENIAL_COUNT };
extern const char *const dns_algorithm_words[];   /* "ecdsa-p256", ... NULL */
extern const char *const dns_digest_words[];      /* "sha-256", ... NULL */
extern const char *const dns_denial_words[];      /* "nsec", "nsec3", "nsec3-opt-out", NULL */

struct fakedns_zone {
    const char *name;                   /* "partner.example"; "." is the root. Parents are found by name and get NS,
                                         * glue and DS by themselves; every zone but the root needs its parent here */
    bool is_signed;
    bool ds;                            /* the parent publishes a DS (false: an island, or unsigned) */
    enum dns_algorithm algorithm;
    enum dns_digest digest;             /* of its DS record */
    enum dns_denial denial;
    int64_t iterations;                 /* of NSEC3 hashes beyond the first (5155-3.1.3), 0 to 65535 */
    const char *const *addresses;       /* of its one server ns.<zone>; IPv4 and IPv6 */
    size_t address_count;
    const char *records;                /* master-file text, names relative to the zone, default TTL 300; SOA and NS are
                                         * made by us. NULL: none */
    struct srcpos at;                   /* of the records' first character: a mistake is shown so many lines below, and
                                         * every line begins at the same column; {0}: the zone and the line are told */
};

/* One use of a row of the fault table. */
struct fakedns_fault {
    const char *fault;                  /* name in the table */
    const char *zone;                   /* which zone it is about */
    const char *owner;                  /* full name; NULL: every owner of the zone. A name that only the fault knows is
                                         * held by a record of a private type: a resolver that asks label by label and
                                         * believes NXDOMAIN for all that lies below would never come to it */
    const char *type;                   /* "TLSA", ...; NULL: every type */
    unsigned nth;                       /* only at the n-th attempt (journal_attempt()); 0: at every one */
    const char *id;                     /* journal's FAULT_HIT carries it */
};

/* Keys of zones, by name and algorithm, for worlds one after the other that shall have the same. Each is made when it
 * is first wanted; an RSA key, which takes 0.2 s, serves every zone. */
struct dns_keyring;
struct dns_keyring *dns_keyring_new(void);
void dns_keyring_free(struct dns_keyring **ring);

struct fakedns_config {
    const struct fakedns_zone *zones;   size_t zone_count;
    const struct fakedns_fault *faults; size_t fault_count;
    uint16_t port;                      /* 0: 53 */
    struct dns_keyring *keyring;        /* borrowed, must outlive the fakedns; NULL: one of its own */
};

/* Makes ahead of time the keys that a world will want. */
bool fakedns_make_keys(struct dns_keyring *ring, const struct fakedns_config *config, struct err *err) NODISCARD;
bool fakedns_make_slow_keys(struct dns_keyring *ring, enum dns_algorithm algorithm, struct err *err) NODISCARD;

/* The fault table, for check, `mtalab faults`, and help. */
struct dns_fault_info {
    const char *name;                   /* "signature-expired", "servfail", ... */
    const char *doc;                    /* one sentence */
    const char *clause;                 /* "4035-5.3.1"; section or id; NULL: none */
    bool zone_wide_only;                /* takes no owner and type (DS faults, DNSKEY faults) */
    bool bogus;                         /* a validator must call what it touches bogus (or fail), not insecure */
    bool disputed;                      /* what validators must make of it is not what all make of it */
    bool silent;                        /* no answer comes: the resolver must run into its time-out */
};
const struct dns_fault_info *fakedns_fault_at(size_t i);             /* NULL at the end */
const struct dns_fault_info *fakedns_fault_find(const char *name);   /* NULL: none */
enum dns_fault_place {
    DNS_FAULT_OF_ZONE,                  /* what holds a zone to its parent: DS, DNSKEY */
    DNS_FAULT_OF_RECORDS,               /* records that are there, and their signatures */
    DNS_FAULT_OF_DENIAL,                /* the proof that something is absent */
    DNS_FAULT_OF_ANSWER,                /* the answer as a whole, whatever is in it */
};
enum dns_fault_place fakedns_fault_place(const struct dns_fault_info *info);   /* what a row of the table is about */
/* Are it the zone's NSEC and NSEC3 records themselves that are spoilt? Then names beside the owner may be hit, too. */
bool fakedns_fault_spoils_denials(const struct dns_fault_info *info);

/* All mistakes in a zone's records at once, for check; fakedns_new() tells the first, and what spans zones. */
void fakedns_check_records(const struct fakedns_zone *zone, struct diag_list *diags);

struct fakedns;

/* Makes keys, signs all zones, applies the faults that live in zones. Does not listen. */
struct fakedns *fakedns_new(const struct fakedns_config *config, const struct clock *clock, struct loop *loop,
                            struct journal *journal, struct err *err) NODISCARD;
bool fakedns_listen(struct fakedns *dns, struct err *err) NODISCARD;  /* UDP and TCP on every zone's addresses */
/* Another world, same keys for zones of the same name; on failure the old world stays. New addresses are bound. */
bool fakedns_change(struct fakedns *dns, const struct fakedns_config *config, struct err *err) NODISCARD;
const char *fakedns_root_key(const struct fakedns *dns);       /* the root's DS record as text, for trust anchors */
const char *fakedns_root_dnskey(const struct fakedns *dns);    /* and its DNSKEY, for delv's trust-anchors */
const char *fakedns_root_hints(const struct fakedns *dns);     /* master-file text */
/* The zone as served, canonical order, RRSIGs and all, for dnssec-verify. */
bool fakedns_dump(const struct fakedns *dns, const char *zone, FILE *out, struct err *err) NODISCARD;
void fakedns_free(struct fakedns **dns);

#endif
