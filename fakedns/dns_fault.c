/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_fault.h"

#include <string.h>

#include "base/table.h"

/* clang-format off */
#define SIGNED   .needs = DNS_NEEDS_SIGNED
#define SEEN     .needs = DNS_NEEDS_SIGNED | DNS_NEEDS_DNSSEC_OK
const struct dns_fault_row dns_fault_rows[] = {
    {.info = {.name = "signature-expired", .clause = "4035-5.3.1", .bogus = true,
              .doc = "The signatures were valid until a month ago."},
     SEEN, .in_signing = dns_fault_sign_expired},
    {.info = {.name = "signature-not-yet-valid", .clause = "4035-5.3.1", .bogus = true,
              .doc = "The signatures become valid in a month."},
     SEEN, .in_signing = dns_fault_sign_early},
    {.info = {.name = "signature-flipped", .clause = "4035-5.3.3", .bogus = true,
              .doc = "One bit of each signature is wrong."},
     SEEN, .in_signing = dns_fault_sign_flipped},
    {.info = {.name = "signature-missing", .clause = "4035-5", .bogus = true,
              .doc = "The records are sent without signatures, though the zone is signed."},
     SEEN, .in_rrset = dns_fault_leave_unsigned},
    {.info = {.name = "signature-wrong-signer", .clause = "4035-5.3.1", .bogus = true,
              .doc = "The signatures name a signer that is not the zone."},
     SEEN, .in_signing = dns_fault_sign_as_stranger},
    {.info = {.name = "signature-expired-beside", .clause = "6840-5.4",
              .doc = "Beside each good signature stands one that has expired: no harm."},
     SEEN, .in_signing = dns_fault_sign_expired_too},
    {.info = {.name = "signature-of-nobody-beside", .clause = "6840-5.12",
              .doc = "Before each good signature stands one by a key that the zone does not have: no harm."},
     SEEN, .in_signing = dns_fault_sign_as_nobody_too},
    {.info = {.name = "tag-shared-beside", .clause = "4035-5.3.1", .disputed = true, /* BIND ends at a false key */
              .doc = "Before each DNSKEY stands one more of its tag and algorithm, which verifies nothing: no harm."},
     SEEN, .in_rrset = dns_fault_share_tag},
    {.info = {.name = "stale-beside", .clause = "6840-5.11",
              .doc = "Beside the records, such as DS or DNSKEY, stands one more of a key that is gone: no harm."},
     SEEN, .in_rrset = dns_fault_add_stale},
    {.info = {.name = "crowded",
              .doc = "Beside the records stand 800 more that lead nowhere, about as many as can be signed; MX records "
                     "come before the others."},
     .in_rrset = dns_fault_crowd},
    {.info = {.name = "ds-wrong", .clause = "4035-5.2", .zone_wide_only = true, .bogus = true,
              .doc = "The parent's DS record is for another key: nothing in the zone can be trusted."},
     SIGNED, .in_zone = dns_fault_ds_wrong},
    {.info = {.name = "ds-missing", .clause = "4035-5.2", .zone_wide_only = true,
              .doc = "The parent proves that it has no DS record: the signed zone is insecure."},
     SIGNED, .in_zone = dns_fault_ds_missing},
    {.info = {.name = "ds-denied", .clause = "5155-8.6", .zone_wide_only = true, .bogus = true,
              .doc = "The parent leaves out the DS record, with an NSEC or NSEC3 that says that there is one."},
     SIGNED, .in_zone = dns_fault_ds_denied},
    {.info = {.name = "ds-unsupported-algorithm", .clause = "4035-5.2", .zone_wide_only = true,
              .doc = "DS, keys and signatures are of an algorithm that nobody knows: the zone is insecure."},
     SIGNED, .in_zone = dns_fault_ds_unsupported_algorithm},
    {.info = {.name = "ds-abandoned-algorithm", .clause = "8624-3.1-3", .zone_wide_only = true,
              .doc = "DS, keys and signatures claim to be of RSA/MD5, which nobody may validate: insecure."},
     SIGNED, .in_zone = dns_fault_ds_abandoned_algorithm},
    {.info = {.name = "ds-unsupported-digest", .clause = "4509-3", .zone_wide_only = true,
              .doc = "The DS record's digest type is one that nobody knows: the zone is insecure."},
     SIGNED, .in_zone = dns_fault_ds_unsupported_digest},
    {.info = {.name = "dnskey-missing", .clause = "4035-5.2", .zone_wide_only = true, .bogus = true,
              .doc = "The zone has a DS record at its parent, but no DNSKEY records."},
     SIGNED, .in_zone = dns_fault_dnskey_missing},
    {.info = {.name = "denial-missing", .clause = "4035-5.4", .bogus = true,
              .doc = "Answers that something is absent come without the NSEC or NSEC3 records that prove it."},
     SEEN, .in_proof = dns_fault_proof_missing},
    {.info = {.name = "denial-false", .clause = "4035-5.4", .bogus = true,
              .doc = "Answers that something is absent come with a well-signed NSEC or NSEC3 about something else."},
     SEEN, .in_proof = dns_fault_proof_false},
    {.info = {.name = "denial-incomplete", .clause = "5155-8.4", .bogus = true,
              .doc = "Answers that something is absent come without the last of the records that prove it together."},
     SEEN, .in_proof = dns_fault_proof_incomplete},
    {.info = {.name = "denial-from-above", .clause = "6840-4.1", .bogus = true,
              .doc = "Answers that something is absent come with the parent's signed record about the delegation."},
     SEEN, .in_proof = dns_fault_proof_from_above},
    {.info = {.name = "denial-with-cname", .clause = "6840-4.3", .bogus = true,
              .doc = "The NSEC or NSEC3 of a name says that it is an alias, which the answer does not follow."},
     SEEN, .denials = DNS_DENIALS, .in_rrset = dns_fault_deny_with_cname},
    {.info = {.name = "denial-without-ns", .clause = "6840-4.4", .bogus = true,
              .doc = "The NSEC or NSEC3 of a delegation does not say that it is one."},
     SEEN, .denials = DNS_DENIALS, .in_rrset = dns_fault_deny_without_ns},
    {.info = {.name = "denial-of-unknown-hash", .clause = "5155-8.1", .bogus = true,
              .doc = "The NSEC3 records are of a hash that nobody knows."},
     SEEN, .denials = DNS_DENIALS_HASHED, .in_rrset = dns_fault_deny_by_unknown_hash},
    {.info = {.name = "denial-of-unknown-flag", .clause = "5155-8.2", .bogus = true, .disputed = true,
              .doc = "The NSEC3 records have a flag that nobody knows."},
     SEEN, .denials = DNS_DENIALS_HASHED, .in_rrset = dns_fault_deny_with_unknown_flag},
    {.info = {.name = "forged", .clause = "4035-4.3-1", .bogus = true,
              .doc = "Somebody on the way changed the records and took the signatures off."},
     .in_rrset = dns_fault_forge},
    {.info = {.name = "planted",
              .doc = "Alters nothing: the records themselves are the defect; reports when they are served."},
     .in_rrset = dns_fault_leave_alone},
    {.info = {.name = "servfail", .clause = "7672-2.1.2-8", .bogus = true,
              .doc = "Answers SERVFAIL."},
     .in_reply = dns_fault_servfail},
    {.info = {.name = "refused", .clause = "7672-2.1.2-8", .bogus = true,
              .doc = "Answers REFUSED."},
     .in_reply = dns_fault_refused},
    {.info = {.name = "notimp", .clause = "7672-2.1.2-8", .bogus = true,
              .doc = "Answers NOTIMP, as old name servers do to types that they do not know."},
     .in_reply = dns_fault_notimp},
    {.info = {.name = "formerr", .clause = "7672-2.1.2-8", .bogus = true,
              .doc = "Answers FORMERR."},
     .in_reply = dns_fault_formerr},
    {.info = {.name = "silent", .clause = "7672-2.1.2-8", .bogus = true, .silent = true,
              .doc = "Gives no answer, over UDP or TCP."},
     .in_reply = dns_fault_silent},
    {.info = {.name = "truncated-without-tcp", .clause = "7766-5", .bogus = true,
              .doc = "Answers over UDP are truncated, and TCP connections are closed when the question has come."},
     .in_reply = dns_fault_truncated},
    {.info = {.name = "wrong-id", .clause = "5452-9.1", .bogus = true, .silent = true,
              .doc = "Answers carry another id than the question, so that nobody can take them."},
     .in_reply = dns_fault_wrong_id},
    {.info = {.name = "malformed", .clause = "7672-2.1.2-8", .bogus = true,
              .doc = "Answers are cut off in the middle, so that they hold less than their head says."},
     .in_reply = dns_fault_malformed},
    {.info = {.name = "oversized", .clause = "6891-6.2.5",
              .doc = "Answers over UDP come whole, however little the asker says to take: no harm."},
     .in_reply = dns_fault_oversized},
    {.info = {.name = "unrelated", .clause = "1034-5.3.3",
              .doc = "Answers bring along, before what was asked for, whatever else of that type the zone holds: no "
                     "harm to who takes only the name that he asked for."},
     .in_reply = dns_fault_unrelated},
    {.info = {.name = "disagreeing", .clause = "4035-5.4",
              .doc = "The zone's two servers disagree: the one at the IPv6 address denies everything, without proof."},
     .in_reply = dns_fault_disagreeing},
    {.info = {.name = "half-lame", .clause = "7672-2.1.2-8",
              .doc = "Of the zone's two servers the one at the IPv6 address does not know the zone: no harm."},
     .in_reply = dns_fault_half_lame},
    {.info = {.name = "slow",
              .doc = "Answers come a fifth of a second late."},
     .in_reply = dns_fault_slow},
    {.info = {.name = "lame", .clause = "7672-2.1.2-8", .zone_wide_only = true, .bogus = true,
              .doc = "The zone's server does not know the zone: it answers REFUSED to everything."},
     .in_reply = dns_fault_lame},
    {.info = {.name = NULL}},
};
#undef SIGNED
#undef SEEN
/* clang-format on */

const struct dns_fault_info *fakedns_fault_at(size_t i)
{
    return i + 1 < COUNT(dns_fault_rows) ? &dns_fault_rows[i].info : NULL;
}

static const struct dns_fault_row *find_row(const char *name)
{
    for (const struct dns_fault_row *row = dns_fault_rows; row->info.name != NULL; row++)
        if (strcmp(row->info.name, name) == 0)
            return row;
    return NULL;
}

const struct dns_fault_info *fakedns_fault_find(const char *name)
{
    const struct dns_fault_row *row = name != NULL ? find_row(name) : NULL;
    return row != NULL ? &row->info : NULL;
}

enum dns_fault_place fakedns_fault_place(const struct dns_fault_info *info)
{
    const struct dns_fault_row *row = find_row(info->name);
    assert(row != NULL);
    return row->in_zone != NULL                                      ? DNS_FAULT_OF_ZONE
           : row->in_proof != NULL || row->denials != DNS_NO_DENIALS ? DNS_FAULT_OF_DENIAL
           : row->in_reply != NULL                                   ? DNS_FAULT_OF_ANSWER
                                                                     : DNS_FAULT_OF_RECORDS;
}

bool fakedns_fault_spoils_denials(const struct dns_fault_info *info)
{
    return find_row(info->name)->denials != DNS_NO_DENIALS;
}

static const char *name_at(const void *rows, size_t i)
{
    return ((const struct dns_fault_row *)rows)[i].info.name;
}

static bool find_fault_row(const char *name, struct dns_fault *fault, struct err *err)
{
    fault->row = find_row(name);
    if (fault->row != NULL)
        return true;
    const char *nearest = table_nearest(name, name_at, dns_fault_rows);
    return nearest != NULL ? err_set(err, ERR_INPUT, "unknown DNS fault '%s', did you mean '%s'?", name, nearest)
                           : err_set(err, ERR_INPUT, "unknown DNS fault '%s'", name);
}

static bool find_fault_zone(struct arena *arena, const char *name, struct dns_zone *const *zones, size_t zone_count,
                            struct dns_fault *fault, struct err *err)
{
    const ldns_rdf *wanted = dns_name_parse(arena, name, err);
    if (wanted == NULL)
        return false;
    for (size_t i = 0; i < zone_count; i++)
        if (dns_name_equal(zones[i]->name, wanted))
            fault->zone = zones[i];
    return fault->zone != NULL || err_set(err, ERR_INPUT, "fault %s: there is no zone %s", fault->row->info.name, name);
}

bool dns_fault_make(struct arena *arena, const struct fakedns_fault *use, struct dns_zone *const *zones,
                    size_t zone_count, struct dns_fault *fault, struct err *err)
{
    *fault = (struct dns_fault){.id = use->id != NULL ? use->id : use->fault};
    if (!find_fault_row(use->fault, fault, err) || !find_fault_zone(arena, use->zone, zones, zone_count, fault, err))
        return false;
    const char *name = fault->row->info.name, *zone = fault->zone->text;
    if (fault->row->info.zone_wide_only && (use->owner != NULL || use->type != NULL))
        return err_set(err, ERR_INPUT, "fault %s is about a whole zone: it takes no owner and no type", name);
    if (fault->row->needs & DNS_NEEDS_SIGNED && !fault->zone->is_signed)
        return err_set(err, ERR_INPUT, "fault %s: zone %s is not signed", name, zone);
    if (use->owner != NULL && (fault->owner = dns_name_parse(arena, use->owner, err)) == NULL)
        return false;
    if (fault->owner != NULL && !dns_name_under(fault->owner, fault->zone->name))
        return err_set(err, ERR_INPUT, "fault %s: %s is not in zone %s", name, use->owner, zone);
    if (use->type != NULL && (fault->type = ldns_get_rr_type_by_name(use->type)) == 0)
        return err_set(err, ERR_INPUT, "fault %s: '%s' is no record type", name, use->type);
    return true;
}

bool dns_fault_asks(const struct dns_fault *fault, const ldns_rdf *name, ldns_rr_type type)
{
    return (fault->owner == NULL || dns_name_equal(fault->owner, name)) && (fault->type == 0 || fault->type == type);
}
