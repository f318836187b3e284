/* SPDX-License-Identifier: BSD-2-Clause
 * Faults that live in a zone: what it holds, and how that is signed. */
#include <string.h>

#include "fakedns/dns_denial.h"
#include "fakedns/dns_fault.h"
#include "fakedns/dns_sign.h"

enum {
    DAY = 24 * 3600,
    ABANDONED_ALGORITHM = LDNS_RSAMD5,
    UNKNOWN_ALGORITHM = 200,
    UNKNOWN_DIGEST = 200,
    UNKNOWN_HASH = 7,
    UNKNOWN_FLAG = 2,
    CROWD = 800
};

static void spoils(const struct dns_fault *fault, struct dns_rrset *rrset)
{
    *ARENA_PUSH(fault->zone->arena, &rrset->faults) = fault;
}

/* --- in_zone: DS at the parent, DNSKEY --- */

/* The DS RRset, marked as spoilt; NULL with *err filled. */
static struct dns_rrset *spoilt_ds(struct dns_zone *zone, const struct dns_fault *fault, struct err *err)
{
    struct dns_node *node = zone->parent != NULL ? dns_zone_find(zone->parent, zone->name) : NULL;
    struct dns_rrset *ds = node != NULL ? dns_node_get(node, LDNS_RR_TYPE_DS) : NULL;
    if (ds == NULL) {
        err_set(err, ERR_INPUT, "fault %s: zone %s has no DS record that could be spoilt", fault->row->info.name,
                zone->text);
        return NULL;
    }
    spoils(fault, ds);
    return ds;
}

static uint8_t *ds_field(struct dns_rrset *ds, size_t i)
{
    return ldns_rdf_data(ldns_rr_rdf(ldns_rr_list_rr(ds->rrs, 0), i));
}

bool dns_fault_ds_wrong(struct dns_zone *zone, const struct dns_fault *fault, struct err *err)
{
    struct dns_rrset *ds = spoilt_ds(zone, fault, err);
    if (ds != NULL)
        ds_field(ds, 3)[0] ^= 1;
    return ds != NULL;
}

bool dns_fault_ds_unsupported_digest(struct dns_zone *zone, const struct dns_fault *fault, struct err *err)
{
    struct dns_rrset *ds = spoilt_ds(zone, fault, err);
    if (ds != NULL)
        ds_field(ds, 2)[0] = UNKNOWN_DIGEST;
    return ds != NULL;
}

static void took_away(const struct dns_fault *fault, struct dns_zone *zone, struct dns_node *node, ldns_rr_type type)
{
    dns_zone_remove(zone, node, type);
    *ARENA_PUSH(zone->arena, &node->absences) = (struct dns_absence){type, fault};
}

bool dns_fault_ds_missing(struct dns_zone *zone, const struct dns_fault *fault, struct err *err)
{
    if (spoilt_ds(zone, fault, err) == NULL)
        return false;
    took_away(fault, zone->parent, dns_zone_find(zone->parent, zone->name), LDNS_RR_TYPE_DS);
    return true;
}

bool dns_fault_ds_denied(struct dns_zone *zone, const struct dns_fault *fault, struct err *err)
{
    struct dns_rrset *ds = spoilt_ds(zone, fault, err);
    if (ds != NULL)
        ds->hidden = true;
    return ds != NULL;
}

bool dns_fault_dnskey_missing(struct dns_zone *zone, const struct dns_fault *fault, struct err *err)
{
    (void)err;
    took_away(fault, zone, dns_zone_apex(zone), LDNS_RR_TYPE_DNSKEY);
    return true;
}

static bool claim_algorithm(struct dns_zone *zone, const struct dns_fault *fault, uint8_t number, struct err *err)
{
    if (spoilt_ds(zone, fault, err) == NULL)
        return false;
    zone->shown_algorithm = number;
    dns_zone_remove(zone, dns_zone_apex(zone), LDNS_RR_TYPE_DNSKEY);
    dns_sign_add_keys(zone);
    dns_zone_remove(zone->parent, dns_zone_find(zone->parent, zone->name), LDNS_RR_TYPE_DS);
    dns_sign_add_ds(zone->parent, zone);
    return spoilt_ds(zone, fault, err) != NULL;
}

bool dns_fault_ds_unsupported_algorithm(struct dns_zone *zone, const struct dns_fault *fault, struct err *err)
{
    return claim_algorithm(zone, fault, UNKNOWN_ALGORITHM, err);
}

bool dns_fault_ds_abandoned_algorithm(struct dns_zone *zone, const struct dns_fault *fault, struct err *err)
{
    return claim_algorithm(zone, fault, ABANDONED_ALGORITHM, err);
}

/* --- where faults wait --- */

/* An owner that is not there may be one that a wildcard answers for. */
static const ldns_rdf *owner_or_wildcard(const struct dns_fault *fault)
{
    struct dns_zone *zone = fault->zone;
    if (fault->owner == NULL || dns_zone_find(zone, fault->owner) != NULL)
        return fault->owner;
    const struct dns_node *encloser = dns_closest_encloser(zone->arena, zone, fault->owner);
    const ldns_rdf *wildcard = dns_name_child(zone->arena, "*", encloser->name);
    return wildcard != NULL && dns_zone_find(zone, wildcard) != NULL ? wildcard : fault->owner;
}

/* A resolver that asks label by label (9156) and believes NXDOMAIN for all that lies below (8020) never asks for a name
 * that is not there: where a fault waits for the question, a record of a private type holds the name. */
static void make_reachable(const struct dns_fault *fault)
{
    bool waits = fault->row->in_reply != NULL || fault->row->in_proof != NULL || fault->row->denials != DNS_NO_DENIALS;
    if (waits && fault->owner != NULL && dns_zone_find(fault->zone, owner_or_wildcard(fault)) == NULL)
        dns_zone_add_text(fault->zone, "%s 300 IN TYPE65280 \\# 0",
                          dns_name_absolute(fault->zone->arena, fault->owner));
}

bool dns_fault_in_zone(struct dns_fault *fault, struct err *err)
{
    make_reachable(fault);
    return fault->row->in_zone == NULL || fault->row->in_zone(fault->zone, fault, err);
}

/* --- in_rrset --- */

void dns_fault_leave_unsigned(struct dns_rrset *rrset)
{
    rrset->is_signed = false;
}

void dns_fault_leave_alone(struct dns_rrset *rrset)
{
    (void)rrset;
}

/* One more record, like the first but for its last byte. */
void dns_fault_add_stale(struct dns_rrset *rrset)
{
    ldns_rr *stale = ldns_rr_clone(ldns_rr_list_rr(rrset->rrs, 0));
    ldns_rdf *last = ldns_rr_rdf(stale, ldns_rr_rd_count(stale) - 1);
    ldns_rdf_data(last)[ldns_rdf_size(last) - 1] ^= 1;
    ldns_rr_list_push_rr(rrset->rrs, stale);
}

/* 4034-B: the tag is a sum, so that a key with two parts swapped has the same. */
static ldns_rr *tag_twin(const ldns_rr *key)
{
    ldns_rr *twin = ldns_rr_clone(key);
    uint8_t *bytes = ldns_rdf_data(ldns_rr_rdf(twin, ldns_rr_rd_count(twin) - 1));
    for (size_t i = 0; i < 2; i++) {
        uint8_t kept = bytes[4 + i];
        bytes[4 + i] = bytes[8 + i];
        bytes[8 + i] = kept;
    }
    return twin;
}

void dns_fault_share_tag(struct dns_rrset *rrset)
{
    ldns_rr_list *with_twins = ldns_rr_list_new();
    for (size_t i = 0; i < ldns_rr_list_rr_count(rrset->rrs); i++) {
        ldns_rr *rr = ldns_rr_list_rr(rrset->rrs, i);
        if (rrset->type == LDNS_RR_TYPE_DNSKEY)
            ldns_rr_list_push_rr(with_twins, tag_twin(rr));
        ldns_rr_list_push_rr(with_twins, rr);
    }
    ldns_rr_list_free(rrset->rrs); /* not the records, which went over */
    rrset->rrs = with_twins;
}

/* --- in_rrset, of NSEC and NSEC3 --- */

/* 4034-4.1.2: RRSIG is among the types of each, so that the first window is there, behind its number and length. */
static uint8_t *first_types(struct dns_rrset *denial)
{
    const ldns_rr *rr = ldns_rr_list_rr(denial->rrs, 0);
    return ldns_rdf_data(ldns_rr_rdf(rr, ldns_rr_rd_count(rr) - 1)) + 2;
}

void dns_fault_deny_with_cname(struct dns_rrset *rrset)
{
    *first_types(rrset) |= 0x80 >> LDNS_RR_TYPE_CNAME;
}

void dns_fault_deny_without_ns(struct dns_rrset *rrset)
{
    *first_types(rrset) &= (uint8_t) ~(0x80 >> LDNS_RR_TYPE_NS);
}

static uint8_t *nsec3_field(struct dns_rrset *rrset, size_t i)
{
    return ldns_rdf_data(ldns_rr_rdf(ldns_rr_list_rr(rrset->rrs, 0), i));
}

void dns_fault_deny_by_unknown_hash(struct dns_rrset *rrset)
{
    *nsec3_field(rrset, 0) = UNKNOWN_HASH;
}

void dns_fault_deny_with_unknown_flag(struct dns_rrset *rrset)
{
    *nsec3_field(rrset, 1) |= UNKNOWN_FLAG;
}

/* What stands before, between and behind the two numbers, of two and three digits, that are a record's own. */
static const struct crowd {
    ldns_rr_type type;
    const char *before, *between, *behind;
} crowds[] = {
    {LDNS_RR_TYPE_A, "A 198.19.", ".", ""},
    {LDNS_RR_TYPE_AAAA, "AAAA 2001:db8:ffff::", ":", ""},
    {LDNS_RR_TYPE_MX, "MX 0 mx-", "-", ".crowd.invalid."},
    {LDNS_RR_TYPE_TXT, "TXT \"crowd ", " ", "\""},
    {LDNS_RR_TYPE_TLSA, "TLSA 3 1 1 ", "0", "0000000000000000000000000000000000000000000000000000000000"},
};

static const struct crowd *crowd_of(ldns_rr_type type)
{
    for (size_t i = 0; i < COUNT(crowds); i++)
        if (crowds[i].type == type)
            return &crowds[i];
    return NULL;
}

static ldns_rr *crowd_record(struct arena *arena, const ldns_rr *like, const struct crowd *crowd, unsigned i)
{
    ldns_rr *rr = NULL;
    const char *text =
        arena_printf(arena, "%s %u IN %s%u%s%u%s", dns_name_absolute(arena, ldns_rr_owner(like)), ldns_rr_ttl(like),
                     crowd->before, 10 + i / 100, crowd->between, 100 + i % 100, crowd->behind);
    return ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) == LDNS_STATUS_OK ? rr : NULL;
}

void dns_fault_crowd(struct dns_rrset *rrset)
{
    const ldns_rr *like = ldns_rr_list_rr(rrset->rrs, 0);
    const struct crowd *crowd = crowd_of(ldns_rr_get_type(like));
    struct arena *arena = arena_new("crowd");
    for (unsigned i = 0; crowd != NULL && i < CROWD; i++) {
        ldns_rr *rr = crowd_record(arena, like, crowd, i);
        if (rr != NULL)
            ldns_rr_list_push_rr(rrset->rrs, rr);
    }
    arena_free(&arena);
}

static ldns_rdf *other_name(const ldns_rdf *name)
{
    struct arena *arena = arena_new("forged name");
    const ldns_rdf *child = dns_name_child(arena, "forged", name);
    ldns_rdf *made = ldns_rdf_clone(child != NULL ? child : name);
    arena_free(&arena);
    return made;
}

/* The last field says where to go, or what to find there. */
static void forge_record(ldns_rr *rr)
{
    if (ldns_rr_rd_count(rr) == 0)
        return;
    size_t last = ldns_rr_rd_count(rr) - 1;
    ldns_rdf *field = ldns_rr_rdf(rr, last);
    if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME)
        ldns_rdf_deep_free(ldns_rr_set_rdf(rr, other_name(field), last));
    else if (ldns_rdf_size(field) > 1 || ldns_rdf_get_type(field) != LDNS_RDF_TYPE_STR)
        ldns_rdf_data(field)[ldns_rdf_size(field) - 1] ^= 1;
}

void dns_fault_forge(struct dns_rrset *rrset)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(rrset->rrs); i++)
        forge_record(ldns_rr_list_rr(rrset->rrs, i));
    rrset->is_signed = false;
}

/* --- in_signing --- */

void dns_fault_sign_expired(struct dns_signing *how)
{
    how->from = how->earliest - 60 * DAY;
    how->to = how->earliest - 30 * DAY;
}

void dns_fault_sign_early(struct dns_signing *how)
{
    how->from = how->latest + 30 * DAY;
    how->to = how->latest + 60 * DAY;
}

void dns_fault_sign_flipped(struct dns_signing *how)
{
    how->flip = true;
}

void dns_fault_sign_as_stranger(struct dns_signing *how)
{
    static const uint8_t wire[] = "\x08stranger\x07invalid";
    static const ldns_rdf stranger = {sizeof wire, LDNS_RDF_TYPE_DNAME, (void *)wire};
    how->signer = &stranger;
}

void dns_fault_sign_expired_too(struct dns_signing *how)
{
    how->expired_beside = true;
}

void dns_fault_sign_as_nobody_too(struct dns_signing *how)
{
    how->nobody_beside = true;
}

void dns_faults_at_signing(const struct dns_fault_list *faults, struct dns_signing *how)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->items[i]->row->in_signing != NULL)
            faults->items[i]->row->in_signing(how);
}

/* --- finding what to spoil --- */

static bool is_denial(const struct dns_rrset *rrset, enum dns_fault_denials which)
{
    return rrset->type == LDNS_RR_TYPE_NSEC3 || (which == DNS_DENIALS && rrset->type == LDNS_RR_TYPE_NSEC);
}

static bool matches(const struct dns_fault *fault, const struct dns_rrset *rrset, const ldns_rdf *owner)
{
    enum dns_fault_denials denials = fault->row->denials;
    if (fault->row->needs & DNS_NEEDS_SIGNED ? !rrset->is_signed : owner == NULL && rrset->below)
        return false;
    bool kind = denials != DNS_NO_DENIALS ? is_denial(rrset, denials) : fault->type == 0 || fault->type == rrset->type;
    return kind && rrset != fault->zone->false_denial && (owner == NULL || dns_name_equal(owner, rrset->about));
}

static size_t spoil_at(const struct dns_fault *fault, const ldns_rdf *owner)
{
    size_t spoilt = 0;
    for (size_t i = 0; i < fault->zone->rrsets.count; i++) {
        struct dns_rrset *rrset = fault->zone->rrsets.items[i];
        if (!matches(fault, rrset, owner))
            continue;
        spoils(fault, rrset);
        if (fault->row->in_rrset != NULL)
            fault->row->in_rrset(rrset);
        spoilt++;
    }
    return spoilt;
}

/* A proof of absence is spoilt: what is there needs none. */
static bool absent(const struct dns_fault *fault, struct err *err)
{
    const struct dns_node *node = fault->owner != NULL ? dns_zone_find(fault->zone, fault->owner) : NULL;
    if (node == NULL || fault->type == 0 || node->standing == DNS_BELOW || dns_node_get(node, fault->type) == NULL)
        return true;
    return err_set(err, ERR_INPUT, "fault %s finds nothing to spoil: zone %s has a %s record at %s",
                   fault->row->info.name, fault->zone->text, dns_type_text(fault->zone->arena, fault->type),
                   dns_name_text(fault->zone->arena, fault->owner));
}

bool dns_fault_in_records(struct dns_fault *fault, struct err *err)
{
    if (fault->row->in_proof != NULL)
        return absent(fault, err);
    if (fault->row->in_rrset == NULL && fault->row->in_signing == NULL)
        return true;
    if (spoil_at(fault, owner_or_wildcard(fault)) > 0)
        return true;
    struct arena *arena = fault->zone->arena;
    return err_set(err, ERR_INPUT, "fault %s finds nothing to spoil: zone %s has no %s%s%s at %s",
                   fault->row->info.name, fault->zone->text, fault->row->needs & DNS_NEEDS_SIGNED ? "signed " : "",
                   fault->type != 0 ? dns_type_text(arena, fault->type) : "records", fault->type != 0 ? " record" : "",
                   fault->owner != NULL ? dns_name_text(arena, fault->owner) : "any name");
}
