/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_denial.h"

#include <stdlib.h>
#include <string.h>

enum { TTL = 300, BITMAP_MAX = 256 * 34, TYPES_MAX = 300 };

static bool uses_nsec3(const struct dns_zone *zone)
{
    return zone->denial != DNS_NSEC;
}

/* --- the type bitmap --- */

struct types {
    uint16_t items[TYPES_MAX];
    size_t count;
};

static int by_number(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void add_type(struct types *types, ldns_rr_type type)
{
    if (types->count < TYPES_MAX)
        types->items[types->count++] = (uint16_t)type;
}

/* 4034-4.1.2: windows of 256 types, each as short as its last type allows. */
static ldns_rdf *bitmap(struct types *types)
{
    uint8_t bytes[BITMAP_MAX];
    size_t size = 0;
    qsort(types->items, types->count, sizeof types->items[0], by_number);
    for (size_t i = 0; i < types->count;) {
        unsigned window = types->items[i] >> 8, length = 0;
        uint8_t *bits = bytes + size + 2;
        memset(bits, 0, 32);
        for (; i < types->count && types->items[i] >> 8 == (int)window; i++) {
            unsigned type = types->items[i] & 0xff;
            bits[type / 8] |= (uint8_t)(0x80 >> (type % 8));
            length = type / 8 + 1;
        }
        bytes[size] = (uint8_t)window;
        bytes[size + 1] = (uint8_t)length;
        size += 2 + length;
    }
    return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NSEC, size, bytes);
}

/* What a name has, as far as this zone may speak of it. */
static void types_of(const struct dns_node *node, struct types *types)
{
    bool any_signed = false;
    for (size_t i = 0; i < node->rrsets.count; i++) {
        const struct dns_rrset *rrset = node->rrsets.items[i];
        bool ours =
            node->standing != DNS_DELEGATION || rrset->type == LDNS_RR_TYPE_NS || rrset->type == LDNS_RR_TYPE_DS;
        if (ours)
            add_type(types, rrset->type);
        any_signed = any_signed || (node->standing != DNS_DELEGATION || rrset->type == LDNS_RR_TYPE_DS);
    }
    if (any_signed)
        add_type(types, LDNS_RR_TYPE_RRSIG);
}

/* --- making the records --- */

static ldns_rr *new_record(const ldns_rdf *owner, ldns_rr_type type)
{
    ldns_rr *rr = ldns_rr_new();
    ldns_rr_set_owner(rr, ldns_rdf_clone(owner));
    ldns_rr_set_type(rr, type);
    ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
    ldns_rr_set_ttl(rr, TTL);
    return rr;
}

static ldns_rr *nsec_record(const ldns_rdf *owner, const ldns_rdf *next, struct types *types)
{
    ldns_rr *rr = new_record(owner, LDNS_RR_TYPE_NSEC);
    ldns_rr_push_rdf(rr, ldns_rdf_clone(next));
    ldns_rr_push_rdf(rr, bitmap(types));
    return rr;
}

static ldns_rr *nsec3_record(const struct dns_zone *zone, const ldns_rdf *owner, const uint8_t *next,
                             struct types *types)
{
    uint8_t next_field[1 + DNS_NSEC3_HASH_SIZE] = {DNS_NSEC3_HASH_SIZE}, no_salt = 0;
    memcpy(next_field + 1, next, DNS_NSEC3_HASH_SIZE);
    ldns_rr *rr = new_record(owner, LDNS_RR_TYPE_NSEC3);
    ldns_rr_push_rdf(rr, ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, 1));
    ldns_rr_push_rdf(rr, ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, zone->denial == DNS_NSEC3_OPT_OUT));
    ldns_rr_push_rdf(rr, ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, zone->iterations));
    ldns_rr_push_rdf(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NSEC3_SALT, 1, &no_salt));
    ldns_rr_push_rdf(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NSEC3_NEXT_OWNER, sizeof next_field, next_field));
    ldns_rr_push_rdf(rr, bitmap(types));
    return rr;
}

static bool in_nsec_chain(const struct dns_node *node)
{
    return node->standing != DNS_BELOW && node->rrsets.count > 0;
}

static void build_nsec(struct dns_zone *zone)
{
    const ldns_rdf *next = zone->name;
    for (size_t i = zone->nodes.count; i-- > 0;) {
        struct dns_node *node = zone->nodes.items[i];
        if (!in_nsec_chain(node))
            continue;
        struct types types = {.count = 0};
        types_of(node, &types);
        add_type(&types, LDNS_RR_TYPE_RRSIG); /* over the NSEC itself */
        add_type(&types, LDNS_RR_TYPE_NSEC);
        struct dns_rrset *rrset = dns_zone_new_rrset(zone, node->name, LDNS_RR_TYPE_NSEC);
        ldns_rr_list_push_rr(rrset->rrs, nsec_record(node->name, next, &types));
        *ARENA_PUSH(zone->arena, &node->rrsets) = rrset;
        next = node->name;
    }
}

/* 5155-5, without salt. */
static void hash_name(const struct dns_zone *zone, const ldns_rdf *name, uint8_t *hash)
{
    ldns_sha1(ldns_rdf_data(name), (unsigned)ldns_rdf_size(name), hash);
    for (unsigned i = 0; i < zone->iterations; i++)
        ldns_sha1(hash, DNS_NSEC3_HASH_SIZE, hash);
}

static const ldns_rdf *hashed_owner(const struct dns_zone *zone, const uint8_t *hash)
{
    char label[64];
    ldns_b32_ntop_extended_hex(hash, DNS_NSEC3_HASH_SIZE, label, sizeof label);
    return dns_name_child(zone->arena, label, zone->name);
}

static bool opted_out(const struct dns_zone *zone, const struct dns_node *node)
{
    return zone->denial == DNS_NSEC3_OPT_OUT && node->standing == DNS_DELEGATION &&
           dns_node_get(node, LDNS_RR_TYPE_DS) == NULL;
}

/* A name without records is in the chain for the sake of one below it (5155-7.1). */
static bool in_nsec3_chain(const struct dns_zone *zone, size_t i)
{
    const struct dns_node *node = zone->nodes.items[i];
    if (node->standing == DNS_BELOW || opted_out(zone, node))
        return false;
    if (node->rrsets.count > 0)
        return true;
    for (size_t k = i + 1; k < zone->nodes.count && dns_name_under(zone->nodes.items[k]->name, node->name); k++) {
        const struct dns_node *below = zone->nodes.items[k];
        if (below->standing != DNS_BELOW && below->rrsets.count > 0 && !opted_out(zone, below))
            return true;
    }
    return false;
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(((const struct dns_nsec3 *)a)->hash, ((const struct dns_nsec3 *)b)->hash, DNS_NSEC3_HASH_SIZE);
}

static void build_nsec3(struct dns_zone *zone)
{
    for (size_t i = 0; i < zone->nodes.count; i++)
        if (in_nsec3_chain(zone, i)) {
            struct dns_nsec3 *link = ARENA_PUSH(zone->arena, &zone->nsec3);
            link->node = zone->nodes.items[i];
            hash_name(zone, link->node->name, link->hash);
        }
    qsort(zone->nsec3.items, zone->nsec3.count, sizeof zone->nsec3.items[0], by_hash);
    for (size_t i = 0; i < zone->nsec3.count; i++) {
        struct dns_nsec3 *link = &zone->nsec3.items[i];
        struct types types = {.count = 0};
        types_of(link->node, &types);
        const ldns_rdf *owner = hashed_owner(zone, link->hash);
        link->rrset = dns_zone_new_rrset(zone, owner, LDNS_RR_TYPE_NSEC3);
        link->rrset->about = link->node->name;
        const uint8_t *next = zone->nsec3.items[(i + 1) % zone->nsec3.count].hash;
        ldns_rr_list_push_rr(link->rrset->rrs, nsec3_record(zone, owner, next, &types));
    }
}

/* About a name that nobody asks for, up to the name right behind it. */
static void make_false_denial(struct dns_zone *zone)
{
    struct types types = {.count = 0};
    add_type(&types, LDNS_RR_TYPE_RRSIG);
    uint8_t hash[DNS_NSEC3_HASH_SIZE] = {0}, next_hash[DNS_NSEC3_HASH_SIZE] = {[DNS_NSEC3_HASH_SIZE - 1] = 1};
    const ldns_rdf *owner = uses_nsec3(zone) ? hashed_owner(zone, hash) : dns_name_child(zone->arena, "~", zone->name);
    const ldns_rdf *next = dns_name_child(zone->arena, "~~", zone->name);
    if (owner == NULL || next == NULL)
        return;
    zone->false_denial = dns_zone_new_rrset(zone, owner, uses_nsec3(zone) ? LDNS_RR_TYPE_NSEC3 : LDNS_RR_TYPE_NSEC);
    if (!uses_nsec3(zone))
        add_type(&types, LDNS_RR_TYPE_NSEC);
    ldns_rr_list_push_rr(zone->false_denial->rrs, uses_nsec3(zone) ? nsec3_record(zone, owner, next_hash, &types)
                                                                   : nsec_record(owner, next, &types));
}

void dns_denial_add_param(struct dns_zone *zone)
{
    if (uses_nsec3(zone))
        dns_zone_add_text(zone, "%s 0 IN NSEC3PARAM 1 0 %u -", dns_name_absolute(zone->arena, zone->name),
                          zone->iterations);
}

void dns_denial_build(struct dns_zone *zone)
{
    if (uses_nsec3(zone))
        build_nsec3(zone);
    else
        build_nsec(zone);
    make_false_denial(zone);
}

/* --- which record proves what --- */

static void use(struct dns_proof *proof, struct dns_rrset *rrset)
{
    for (size_t i = 0; i < proof->count; i++)
        if (proof->items[i] == rrset)
            return;
    if (rrset != NULL && proof->count < DNS_PROOF_MAX)
        proof->items[proof->count++] = rrset;
}

/* The NSEC at the name, or the one before it. */
static struct dns_rrset *nsec_at_or_before(const struct dns_zone *zone, const ldns_rdf *name)
{
    for (size_t i = dns_zone_find_before(zone, name) + 1; i-- > 0;) {
        struct dns_rrset *nsec = dns_node_get(zone->nodes.items[i], LDNS_RR_TYPE_NSEC);
        if (nsec != NULL)
            return nsec;
    }
    return NULL;
}

/* The link whose hash is at or before; the last one before the first. */
static const struct dns_nsec3 *nsec3_at_or_before(const struct dns_zone *zone, const uint8_t *hash)
{
    const struct dns_nsec3 *found = zone->nsec3.count > 0 ? &zone->nsec3.items[zone->nsec3.count - 1] : NULL;
    for (size_t i = 0; i < zone->nsec3.count && memcmp(zone->nsec3.items[i].hash, hash, DNS_NSEC3_HASH_SIZE) <= 0; i++)
        found = &zone->nsec3.items[i];
    return found;
}

static struct dns_rrset *nsec3_for(const struct dns_zone *zone, const ldns_rdf *name, bool *matches)
{
    uint8_t hash[DNS_NSEC3_HASH_SIZE];
    hash_name(zone, name, hash);
    const struct dns_nsec3 *link = nsec3_at_or_before(zone, hash);
    *matches = link != NULL && memcmp(link->hash, hash, DNS_NSEC3_HASH_SIZE) == 0;
    return link != NULL ? link->rrset : NULL;
}

static struct dns_rrset *nsec3_matching(const struct dns_zone *zone, const ldns_rdf *name)
{
    bool matches;
    struct dns_rrset *rrset = nsec3_for(zone, name, &matches);
    return matches ? rrset : NULL;
}

static struct dns_rrset *nsec3_covering(const struct dns_zone *zone, const ldns_rdf *name)
{
    bool matches;
    struct dns_rrset *rrset = nsec3_for(zone, name, &matches);
    return matches ? NULL : rrset;
}

struct dns_node *dns_closest_encloser(struct arena *arena, const struct dns_zone *zone, const ldns_rdf *name)
{
    struct dns_node *node = dns_zone_find(zone, name);
    while (node == NULL || node->standing == DNS_BELOW) {
        name = dns_name_parent(arena, name);
        node = dns_zone_find(zone, name);
    }
    return node;
}

/* 5155-7.2.1: the nearest ancestor that has an NSEC3, and one that covers the next name towards the one asked for. */
static const ldns_rdf *nsec3_prove_encloser(struct dns_zone *zone, const ldns_rdf *name, struct dns_proof *proof)
{
    const ldns_rdf *encloser = dns_name_parent(proof->arena, name);
    while (!dns_name_equal(encloser, zone->name) && nsec3_matching(zone, encloser) == NULL)
        encloser = dns_name_parent(proof->arena, encloser);
    use(proof, nsec3_matching(zone, encloser));
    use(proof, nsec3_covering(zone, dns_name_next_closer(proof->arena, name, encloser)));
    return encloser;
}

void dns_prove_no_type(struct dns_zone *zone, const ldns_rdf *name, struct dns_proof *proof)
{
    if (!zone->is_signed)
        return;
    if (!uses_nsec3(zone))
        use(proof, nsec_at_or_before(zone, name));
    else if (nsec3_matching(zone, name) != NULL)
        use(proof, nsec3_matching(zone, name));
    else
        nsec3_prove_encloser(zone, name, proof); /* opted out */
}

void dns_prove_no_name(struct dns_zone *zone, const ldns_rdf *name, struct dns_proof *proof)
{
    if (!zone->is_signed)
        return;
    if (uses_nsec3(zone)) {
        const ldns_rdf *encloser = nsec3_prove_encloser(zone, name, proof);
        const ldns_rdf *wildcard = dns_name_child(proof->arena, "*", encloser);
        if (wildcard != NULL)
            use(proof, nsec3_covering(zone, wildcard));
        return;
    }
    use(proof, nsec_at_or_before(zone, name));
    const ldns_rdf *wildcard = dns_name_child(proof->arena, "*", dns_closest_encloser(proof->arena, zone, name)->name);
    if (wildcard != NULL)
        use(proof, nsec_at_or_before(zone, wildcard));
}

void dns_prove_wildcard(struct dns_zone *zone, const ldns_rdf *name, struct dns_proof *proof)
{
    if (!zone->is_signed)
        return;
    if (!uses_nsec3(zone)) {
        use(proof, nsec_at_or_before(zone, name));
        return;
    }
    const ldns_rdf *encloser = dns_closest_encloser(proof->arena, zone, name)->name;
    use(proof, nsec3_covering(zone, dns_name_next_closer(proof->arena, name, encloser)));
}

void dns_prove_wildcard_no_type(struct dns_zone *zone, const ldns_rdf *name, const struct dns_node *wildcard,
                                struct dns_proof *proof)
{
    if (!zone->is_signed)
        return;
    if (uses_nsec3(zone)) {
        nsec3_prove_encloser(zone, name, proof);
        use(proof, nsec3_matching(zone, wildcard->name));
        return;
    }
    use(proof, nsec_at_or_before(zone, name));
    use(proof, nsec_at_or_before(zone, wildcard->name));
}

void dns_prove_falsely(struct dns_zone *zone, struct dns_proof *proof)
{
    proof->count = 0;
    use(proof, zone->false_denial);
}
