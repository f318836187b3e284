/* SPDX-License-Identifier: BSD-2-Clause
 * dns_fault - the table of everything that fakedns does wrong on purpose, and where each row takes hold.
 *
 * A row has one hook: in_zone (while a zone is built, before its chain of NSEC), in_rrset (on records that are
 * there), in_signing (each time an RRset is signed), in_proof (on what proves an absence) or in_reply (on the answer
 * as a whole).
 * dns_fault_zone.c holds the first three, dns_fault_answer.c the others.
 *
 * Owns:   nothing; a struct dns_fault lives in its world's arena.
 * Errors: false with *err filled when a fault finds nothing to spoil. */
#ifndef FAKEDNS_DNS_FAULT_H
#define FAKEDNS_DNS_FAULT_H

#include "fakedns/dns_zone.h"

struct dns_fault;
struct dns_proof;
struct dns_reply;
struct dns_signing;

enum dns_fault_needs {          /* besides the right owner and type */
    DNS_NEEDS_NOTHING = 0,
    DNS_NEEDS_SIGNED = 1,       /* a signed zone; for in_rrset and in_signing: signed records */
    DNS_NEEDS_DNSSEC_OK = 2,    /* stepped on only by who wants signatures to be sent */
};

/* Of an in_rrset row: records of the zone's own, or the NSEC and NSEC3 (HASHED: NSEC3 alone) that are about the owner,
 * whatever type is asked for. */
enum dns_fault_denials { DNS_NO_DENIALS, DNS_DENIALS, DNS_DENIALS_HASHED };

struct dns_fault_row {
    struct dns_fault_info info;
    unsigned needs;
    enum dns_fault_denials denials;
    bool (*in_zone)(struct dns_zone *zone, const struct dns_fault *fault, struct err *err);
    void (*in_rrset)(struct dns_rrset *rrset);
    void (*in_signing)(struct dns_signing *how);
    void (*in_proof)(struct dns_zone *zone, struct dns_proof *proof);
    void (*in_reply)(struct dns_reply *reply);
};
extern const struct dns_fault_row dns_fault_rows[];         /* ended by a row without name */

struct dns_fault {              /* one use of a row */
    const struct dns_fault_row *row;
    struct dns_zone *zone;
    const ldns_rdf *owner;      /* NULL: any */
    ldns_rr_type type;          /* 0: any */
    const char *id;
};

/* From the config; zones by name. */
bool dns_fault_make(struct arena *arena, const struct fakedns_fault *use, struct dns_zone *const *zones,
                    size_t zone_count, struct dns_fault *fault, struct err *err) NODISCARD;
/* Is it about this question? */
bool dns_fault_asks(const struct dns_fault *fault, const ldns_rdf *name, ldns_rr_type type);

/* dns_fault_zone.c */
bool dns_fault_in_zone(struct dns_fault *fault, struct err *err) NODISCARD;        /* before the zone is finished */
bool dns_fault_in_records(struct dns_fault *fault, struct err *err) NODISCARD;     /* after */
void dns_faults_at_signing(const struct dns_fault_list *faults, struct dns_signing *how);
bool dns_fault_ds_wrong(struct dns_zone *zone, const struct dns_fault *fault, struct err *err);
bool dns_fault_ds_missing(struct dns_zone *zone, const struct dns_fault *fault, struct err *err);
bool dns_fault_ds_denied(struct dns_zone *zone, const struct dns_fault *fault, struct err *err);
bool dns_fault_ds_unsupported_algorithm(struct dns_zone *zone, const struct dns_fault *fault, struct err *err);
bool dns_fault_ds_abandoned_algorithm(struct dns_zone *zone, const struct dns_fault *fault, struct err *err);
bool dns_fault_ds_unsupported_digest(struct dns_zone *zone, const struct dns_fault *fault, struct err *err);
bool dns_fault_dnskey_missing(struct dns_zone *zone, const struct dns_fault *fault, struct err *err);
void dns_fault_leave_unsigned(struct dns_rrset *rrset);
void dns_fault_forge(struct dns_rrset *rrset);
void dns_fault_leave_alone(struct dns_rrset *rrset);
void dns_fault_add_stale(struct dns_rrset *rrset);
void dns_fault_share_tag(struct dns_rrset *rrset);
void dns_fault_deny_with_cname(struct dns_rrset *rrset);
void dns_fault_deny_without_ns(struct dns_rrset *rrset);
void dns_fault_deny_by_unknown_hash(struct dns_rrset *rrset);
void dns_fault_deny_with_unknown_flag(struct dns_rrset *rrset);
void dns_fault_crowd(struct dns_rrset *rrset);
void dns_fault_sign_expired(struct dns_signing *how);
void dns_fault_sign_early(struct dns_signing *how);
void dns_fault_sign_flipped(struct dns_signing *how);
void dns_fault_sign_as_stranger(struct dns_signing *how);
void dns_fault_sign_as_nobody_too(struct dns_signing *how);
void dns_fault_sign_expired_too(struct dns_signing *how);

/* dns_fault_answer.c */
void dns_fault_proof_missing(struct dns_zone *zone, struct dns_proof *proof);
void dns_fault_proof_false(struct dns_zone *zone, struct dns_proof *proof);
void dns_fault_proof_incomplete(struct dns_zone *zone, struct dns_proof *proof);
void dns_fault_proof_from_above(struct dns_zone *zone, struct dns_proof *proof);
void dns_fault_servfail(struct dns_reply *reply);
void dns_fault_refused(struct dns_reply *reply);
void dns_fault_notimp(struct dns_reply *reply);
void dns_fault_formerr(struct dns_reply *reply);
void dns_fault_silent(struct dns_reply *reply);
void dns_fault_truncated(struct dns_reply *reply);
void dns_fault_wrong_id(struct dns_reply *reply);
void dns_fault_malformed(struct dns_reply *reply);
void dns_fault_oversized(struct dns_reply *reply);
void dns_fault_unrelated(struct dns_reply *reply);
void dns_fault_disagreeing(struct dns_reply *reply);
void dns_fault_half_lame(struct dns_reply *reply);
void dns_fault_slow(struct dns_reply *reply);
void dns_fault_lame(struct dns_reply *reply);

#endif
