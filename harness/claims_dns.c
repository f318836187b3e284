/* SPDX-License-Identifier: BSD-2-Clause
 * What a validator must say: from the root down, as 4035-5 has it, by what the plan told the fake and not by asking it. */
#include <string.h>

#include "base/text.h"
#include "harness/claims.h"

enum { ALIASES_MAX = 16 };

/* The worse come later: of two the greater counts. */
enum trust { TRUST_SECURE, TRUST_INSECURE, TRUST_BOGUS, TRUST_FAILS };
static const char *const trust_words[] = {"secure", "insecure", "bogus", "fails"};

static enum trust worse(enum trust a, enum trust b)
{
    return a > b ? a : b;
}

/* --- zones and what stands in them --- */

/* Every plan has a root. */
static const struct fakedns_zone *zone_of(const struct fakedns_config *dns, const char *name)
{
    const struct fakedns_zone *best = NULL;
    for (size_t i = 0; i < dns->zone_count; i++) {
        const struct fakedns_zone *zone = &dns->zones[i];
        bool holds = strcmp(zone->name, ".") == 0 || text_name_under(name, zone->name);
        if (holds && (best == NULL || strcmp(best->name, ".") == 0 || strlen(zone->name) > strlen(best->name)))
            best = zone;
    }
    assert(best != NULL);
    return best;
}

static const struct fakedns_zone *zone_above(const struct fakedns_config *dns, const struct fakedns_zone *zone)
{
    const char *dot = strchr(zone->name, '.');
    return strcmp(zone->name, ".") == 0 ? NULL : zone_of(dns, dot != NULL ? dot + 1 : ".");
}

/* The data of the record after the one given (NULL: the first) with this owner and type; up to the end of its line. The
 * plan writes "owner. TYPE data"; what follows $ORIGIN the scenario wrote by itself. */
static const char *next_record(const struct fakedns_config *dns, const char *name, const char *type, const char *after)
{
    const char *line = after != NULL ? strchr(after, '\n') : zone_of(dns, name)->records;
    for (; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t name_length = strlen(name), type_length = strlen(type);
        if (strncmp(line, "$ORIGIN", 7) == 0)
            return NULL;
        if (strncmp(line, name, name_length) == 0 && strncmp(line + name_length, ". ", 2) == 0 &&
            strncmp(line + name_length + 2, type, type_length) == 0 && line[name_length + 2 + type_length] == ' ')
            return line + name_length + 3 + type_length;
    }
    return NULL;
}

/* Does a name exist, if only for the sake of one below it? */
static bool exists(const struct fakedns_config *dns, const char *name)
{
    const char *line = zone_of(dns, name)->records;
    for (size_t length = strlen(name); line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t owner = strcspn(line, " ");
        const char *end = line + owner - length - 1;
        if (owner > length && strncmp(end, name, length) == 0 && (end == line || end[-1] == '.'))
            return true;
    }
    return false;
}

static bool has_own_words(const struct fakedns_config *dns, const char *name)
{
    const char *records = zone_of(dns, name)->records;
    return records != NULL && strstr(records, "$ORIGIN") != NULL;
}

/* The name that ends a record's line, "10 mx1.partner.example." */
static const char *target_of(struct arena *arena, const char *data)
{
    size_t length = strcspn(data, "\n");
    const char *line = arena_strndup(arena, data, length), *space = strrchr(line, ' ');
    return text_name(arena, space != NULL ? space + 1 : line);
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
        if (info != NULL && !info->bogus && fakedns_fault_place(info) == DNS_FAULT_OF_ZONE &&
            text_name_equal(dns->faults[i].zone, zone->name))
            return true;
    }
    return false;
}

/* --- trust --- */

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

static enum trust trust_in_records(const struct fakedns_config *dns, const char *name, const char *type, bool absent)
{
    const struct fakedns_zone *zone = zone_of(dns, name);
    enum trust trust = trust_in_zone(dns, zone);
    if (has_fault(dns, DNS_FAULT_OF_ANSWER, zone, name, type))
        return TRUST_FAILS;
    if (trust != TRUST_SECURE)
        return trust;
    if (absent &&
        (has_fault(dns, DNS_FAULT_OF_DENIAL, zone, name, type) || is_all_spoilt(dns, DNS_FAULT_OF_RECORDS, zone)))
        return TRUST_BOGUS;
    return !absent && has_fault(dns, DNS_FAULT_OF_RECORDS, zone, name, type) ? TRUST_BOGUS : TRUST_SECURE;
}

/* --- claims --- */

/* One lookup, along its aliases. */
static void claim_lookup(struct arena *arena, const struct fakedns_config *dns, const char *name, const char *type,
                         struct claims *claims)
{
    enum trust trust = TRUST_SECURE;
    const char *at = name, *alias;
    bool known = !has_own_words(dns, name);
    for (unsigned i = 0; i < ALIASES_MAX && (alias = next_record(dns, at, "CNAME", NULL)) != NULL; i++) {
        trust = worse(trust, trust_in_records(dns, at, "CNAME", false));
        if (has_fault(dns, DNS_FAULT_OF_ANSWER, zone_of(dns, at), at, type))
            trust = TRUST_FAILS;
        at = target_of(arena, alias);
        known = known && !has_own_words(dns, at);
    }
    bool absent = next_record(dns, at, type, NULL) == NULL;
    bool opted_out = absent && zone_of(dns, at)->denial == DNS_NSEC3_OPT_OUT && !exists(dns, at);
    trust = worse(trust, trust_in_records(dns, at, type, absent));
    const char *more = opted_out && trust == TRUST_SECURE ? "opted-out" : absent ? "absent" : "present";
    *ARENA_PUSH(arena, claims) =
        (struct claim){name, type, trust_words[trust], trust > TRUST_INSECURE || !known ? NULL : more};
}

static void claim_host(struct arena *arena, const struct fakedns_config *dns, const char *host, struct claims *claims)
{
    for (size_t i = 0; i < claims->count; i++)
        if (text_name_equal(claims->items[i].name, host) && strcmp(claims->items[i].about, "A") == 0)
            return;
    claim_lookup(arena, dns, host, "A", claims);
    claim_lookup(arena, dns, host, "AAAA", claims);
    claim_lookup(arena, dns, arena_printf(arena, "_25._tcp.%s", host), "TLSA", claims);
    const char *alias = next_record(dns, host, "CNAME", NULL);
    if (alias != NULL)
        claim_host(arena, dns, target_of(arena, alias), claims);
}

void claims_dns(struct arena *arena, const struct fakedns_config *dns, const char *domain, struct claims *claims)
{
    const char *policy_host = arena_printf(arena, "mta-sts.%s", domain);
    claim_lookup(arena, dns, domain, "MX", claims);
    const char *mx = next_record(dns, domain, "MX", NULL);
    if (mx == NULL)
        claim_host(arena, dns, domain, claims);
    for (; mx != NULL; mx = next_record(dns, domain, "MX", mx)) {
        const char *host = target_of(arena, mx);
        if (strcmp(host, ".") != 0)
            claim_host(arena, dns, host, claims);
    }
    claim_lookup(arena, dns, arena_printf(arena, "_mta-sts.%s", domain), "TXT", claims);
    claim_lookup(arena, dns, policy_host, "A", claims);
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
        spoilt = spoilt || (info->bogus && fakedns_fault_place(info) == DNS_FAULT_OF_RECORDS);
    }
    return spoilt;
}

void claims_zones(struct arena *arena, const struct fakedns_config *dns, struct claims *claims)
{
    for (size_t i = 0; i < dns->zone_count; i++) {
        const struct fakedns_zone *zone = &dns->zones[i];
        bool of_keys, spoilt = is_spoilt_within(dns, zone, &of_keys);
        if (zone->is_signed && !of_keys)
            *ARENA_PUSH(arena, claims) = (struct claim){zone->name, "zone", spoilt ? "spoilt" : "verifies", NULL};
    }
}
