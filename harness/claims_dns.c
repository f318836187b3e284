/* SPDX-License-Identifier: BSD-2-Clause
 * What a validator must say: from the root down, as 4035-5 has it, by what the plan told the fake and not by asking. */
#include <string.h>

#include "base/text.h"
#include "harness/claims.h"
#include "harness/claims_zone.h"

/* 9276-3.2: beyond so many iterations of NSEC3 validators take a proof for none (unbound and BIND both do). */
enum { ALIASES_MAX = 32, ITERATIONS_MAX = 150 };
/* How many aliases a validator follows is up to it, and to what it knows already: nothing is claimed beyond these. */
enum { ALIASES_SURE = 8 };

/* The worse come later: of two the greater counts. */
enum trust { TRUST_SECURE, TRUST_INSECURE, TRUST_BOGUS, TRUST_FAILS };
static const char *const trust_words[] = {"secure", "insecure", "bogus", "fails"};

static enum trust worse(enum trust a, enum trust b)
{
    return a > b ? a : b;
}

/* --- faults --- */

/* Something that a validator minds, of this kind, in this zone, about this name and type, at the first attempt. */
static bool has_fault(const struct fakedns_config *dns, enum dns_fault_place place, const struct fakedns_zone *zone,
                      const char *name, const char *type)
{
    for (size_t i = 0; i < dns->fault_count; i++) {
        const struct fakedns_fault *fault = &dns->faults[i];
        const struct dns_fault_info *info = fakedns_fault_find(fault->fault);
        if (info != NULL && info->bogus && fakedns_fault_place(info) == place && fault->nth <= 1 &&
            text_name_equal(fault->zone, zone->name) && (fault->owner == NULL || text_name_equal(fault->owner, name)) &&
            (fault->type == NULL || strcasecmp(fault->type, type) == 0))
            return true;
    }
    return false;
}

/* A fault about everything in the zone. */
static bool is_all_spoilt(const struct fakedns_config *dns, enum dns_fault_place place, const struct fakedns_zone *zone)
{
    return has_fault(dns, place, zone, "", "");
}

/* A fault of the zone as such that is fine with validators, but ends the chain of trust. */
static bool is_cut_off(const struct fakedns_config *dns, const struct fakedns_zone *zone)
{
    for (size_t i = 0; i < dns->fault_count; i++) {
        const struct dns_fault_info *info = fakedns_fault_find(dns->faults[i].fault);
        if (info != NULL && !info->bogus && fakedns_fault_place(info) == DNS_FAULT_OF_ZONE && dns->faults[i].nth <= 1 &&
            text_name_equal(dns->faults[i].zone, zone->name))
            return true;
    }
    return false;
}

/* --- zones --- */

static const struct fakedns_zone *zone_above(const struct fakedns_config *dns, const struct fakedns_zone *zone)
{
    const char *dot = strchr(zone->name, '.');
    return strcmp(zone->name, ".") == 0 ? NULL : claims_zone_of(dns, dot != NULL ? dot + 1 : ".");
}

/* Of the step from the zone above, which is secure. */
static enum trust trust_in_delegation(const struct fakedns_config *dns, const struct fakedns_zone *zone,
                                      const struct fakedns_zone *above)
{
    bool ds = zone->is_signed && zone->ds;
    if (above == NULL)
        return zone->is_signed ? TRUST_SECURE : TRUST_INSECURE;
    if (has_fault(dns, ds ? DNS_FAULT_OF_RECORDS : DNS_FAULT_OF_DENIAL, above, zone->name, "DS"))
        return TRUST_BOGUS;
    return ds && !is_cut_off(dns, zone) ? TRUST_SECURE : TRUST_INSECURE;
}

static enum trust trust_in_keys(const struct fakedns_config *dns, const struct fakedns_zone *zone)
{
    bool bad = is_all_spoilt(dns, DNS_FAULT_OF_ZONE, zone) ||
               has_fault(dns, DNS_FAULT_OF_RECORDS, zone, zone->name, "DNSKEY") ||
               has_fault(dns, DNS_FAULT_OF_ANSWER, zone, zone->name, "DNSKEY");
    return bad ? TRUST_BOGUS : TRUST_SECURE;
}

static enum trust trust_in_zone(const struct fakedns_config *dns, const struct fakedns_zone *zone)
{
    const struct fakedns_zone *above = zone_above(dns, zone);
    enum trust trust = above != NULL ? trust_in_zone(dns, above) : TRUST_SECURE;
    if (trust == TRUST_SECURE)
        trust = trust_in_delegation(dns, zone, above);
    if (trust == TRUST_SECURE)
        trust = trust_in_keys(dns, zone);
    return is_all_spoilt(dns, DNS_FAULT_OF_ANSWER, zone) ? TRUST_FAILS : trust;
}

/* --- answers --- */

static bool is_laborious(const struct fakedns_zone *zone)
{
    return zone->denial != DNS_NSEC && zone->iterations > ITERATIONS_MAX;
}

static bool is_absent(const struct claims_found *found)
{
    return found->finding == CLAIMS_NO_TYPE || found->finding == CLAIMS_NO_NAME;
}

/* 4035-5.3.4: what a wildcard made needs a proof too. */
static enum trust trust_in_answer(const struct fakedns_config *dns, const struct claims_found *found, const char *name,
                                  const char *type)
{
    enum trust trust = trust_in_zone(dns, found->zone);
    if (has_fault(dns, DNS_FAULT_OF_ANSWER, found->zone, name, type))
        return TRUST_FAILS;
    if (trust != TRUST_SECURE)
        return trust;
    bool absent = is_absent(found);
    bool proof_wanted = absent || found->by_wildcard;
    bool proof = proof_wanted && has_fault(dns, DNS_FAULT_OF_DENIAL, found->zone, name, type);
    bool records = !absent && (has_fault(dns, DNS_FAULT_OF_RECORDS, found->zone, found->owner, found->type) ||
                               has_fault(dns, DNS_FAULT_OF_RECORDS, found->zone, name, found->type));
    bool all = absent && is_all_spoilt(dns, DNS_FAULT_OF_RECORDS, found->zone);
    const char *denial = found->zone->denial != DNS_NSEC ? "NSEC3" : "NSEC";
    proof = proof || (proof_wanted && has_fault(dns, DNS_FAULT_OF_RECORDS, found->zone, "", denial));
    bool laborious = proof_wanted && is_laborious(found->zone);
    return proof || records || all ? TRUST_BOGUS : laborious ? TRUST_INSECURE : TRUST_SECURE;
}

static const char *presence(const struct claims_found *found, enum trust trust)
{
    bool opted_out = found->zone->denial == DNS_NSEC3_OPT_OUT && found->finding == CLAIMS_NO_NAME;
    if (trust > TRUST_INSECURE)
        return NULL;
    return !is_absent(found) ? "present" : opted_out && trust == TRUST_SECURE ? "opted-out" : "absent";
}

/* The record that denies one name denies others as well, up to the next, or by their hashes; or validators differ. */
static bool is_open(const struct fakedns_config *dns, const struct claims_found *found, const char *name)
{
    for (size_t i = 0; is_absent(found) && i < dns->fault_count; i++) {
        const struct fakedns_fault *fault = &dns->faults[i];
        const struct dns_fault_info *info = fakedns_fault_find(fault->fault);
        bool about = fault->owner == NULL || text_name_equal(fault->owner, name);
        if (info != NULL && fakedns_fault_spoils_denials(info) && text_name_equal(fault->zone, found->zone->name) &&
            (info->disputed || !about))
            return true;
    }
    return false;
}

/* Is there, in the zone or above, what validators differ about whatever is asked? */
static bool is_disputed(const struct fakedns_config *dns, const struct fakedns_zone *zone)
{
    for (; zone != NULL; zone = zone_above(dns, zone))
        for (size_t i = 0; i < dns->fault_count; i++) {
            const struct dns_fault_info *info = fakedns_fault_find(dns->faults[i].fault);
            if (info != NULL && info->disputed && !fakedns_fault_spoils_denials(info) &&
                text_name_equal(dns->faults[i].zone, zone->name))
                return true;
        }
    return false;
}

/* One lookup, along its aliases. */
static void claim_lookup(const struct claims_view *view, const char *name, const char *type, struct claims *claims)
{
    enum trust trust = TRUST_SECURE;
    const char *at = name;
    struct claims_found found = claims_find(view, at, type);
    unsigned aliases = 0;
    bool disputed = is_disputed(view->dns, found.zone);
    for (; aliases < ALIASES_MAX && found.finding == CLAIMS_ALIAS; aliases++) {
        trust = worse(trust, trust_in_answer(view->dns, &found, at, type));
        at = found.alias;
        found = claims_find(view, at, type);
        disputed = disputed || is_disputed(view->dns, found.zone);
    }
    bool circle = found.finding == CLAIMS_ALIAS;
    if (disputed || (aliases > ALIASES_SURE && !circle) || is_open(view->dns, &found, at))
        return;
    trust = circle ? TRUST_FAILS : worse(trust, trust_in_answer(view->dns, &found, at, type));
    *ARENA_PUSH(view->arena, claims) = (struct claim){name, type, trust_words[trust], presence(&found, trust)};
}

static bool is_claimed(const struct claims *claims, const char *name, const char *about)
{
    for (size_t i = 0; i < claims->count; i++)
        if (text_name_equal(claims->items[i].name, name) && strcmp(claims->items[i].about, about) == 0)
            return true;
    return false;
}

/* A host, and the names that it is an alias of. */
static void claim_host(const struct claims_view *view, const char *host, struct claims *claims)
{
    for (struct claims_found found; !is_claimed(claims, host, "A"); host = found.alias) {
        claim_lookup(view, host, "A", claims);
        claim_lookup(view, host, "AAAA", claims);
        claim_lookup(view, arena_printf(view->arena, "_25._tcp.%s", host), "TLSA", claims);
        found = claims_find(view, host, "A");
        if (found.finding != CLAIMS_ALIAS)
            return;
    }
}

/* Along the aliases of a domain, who has its MX records; NULL: nobody. */
static const char *owner_of_mx(const struct claims_view *view, const char *domain)
{
    struct claims_found found = claims_find(view, domain, "MX");
    for (unsigned i = 0; i < ALIASES_MAX && found.finding == CLAIMS_ALIAS; i++)
        found = claims_find(view, found.alias, "MX");
    return found.finding == CLAIMS_THERE ? found.owner : NULL;
}

void claims_dns(struct arena *arena, const struct fakedns_config *dns, const char *domain, struct claims *claims)
{
    struct claims_view view;
    claims_view_read(arena, dns, &view);
    claim_lookup(&view, domain, "MX", claims);
    const char *owner = owner_of_mx(&view, domain);
    if (owner == NULL)
        claim_host(&view, domain, claims);
    const struct claims_record *mx = owner != NULL ? claims_next(&view, owner, "MX", NULL) : NULL;
    for (; mx != NULL; mx = claims_next(&view, owner, "MX", mx))
        if (mx->target != NULL && strcmp(mx->target, ".") != 0)
            claim_host(&view, mx->target, claims);
    claim_lookup(&view, arena_printf(arena, "_mta-sts.%s", domain), "TXT", claims);
    claim_lookup(&view, arena_printf(arena, "mta-sts.%s", domain), "A", claims);
}

/* A fault within the zone's records; *of_keys: one that leaves nothing to verify with, or nothing to say about it. */
static bool is_spoilt_within(const struct fakedns_config *dns, const struct fakedns_zone *zone, bool *of_keys)
{
    bool spoilt = false;
    *of_keys = false;
    for (size_t i = 0; i < dns->fault_count; i++) {
        const struct fakedns_fault *fault = &dns->faults[i];
        const struct dns_fault_info *info = fakedns_fault_find(fault->fault);
        if (info == NULL || !text_name_equal(fault->zone, zone->name) || fault->nth > 1)
            continue;
        *of_keys = *of_keys || fakedns_fault_place(info) == DNS_FAULT_OF_ZONE;
        spoilt = spoilt || (info->bogus && fakedns_fault_place(info) == DNS_FAULT_OF_RECORDS) ||
                 (fakedns_fault_spoils_denials(info) && !info->disputed);
    }
    return spoilt;
}

void claims_zones(struct arena *arena, const struct fakedns_config *dns, struct claims *claims)
{
    for (size_t i = 0; i < dns->zone_count; i++) {
        const struct fakedns_zone *zone = &dns->zones[i];
        bool of_keys, spoilt = is_spoilt_within(dns, zone, &of_keys) || is_laborious(zone);
        if (zone->is_signed && !of_keys)
            *ARENA_PUSH(arena, claims) = (struct claim){zone->name, "zone", spoilt ? "spoilt" : "verifies", NULL};
    }
}
