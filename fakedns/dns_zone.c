/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_zone.h"

#include <stdlib.h>
#include <string.h>

struct dns_zone *dns_zone_new(struct arena *arena, const ldns_rdf *name, const struct clock *clock)
{
    struct dns_zone *zone = arena_alloc(arena, sizeof *zone);
    zone->arena = arena;
    zone->clock = clock;
    zone->name = name;
    zone->text = dns_name_text(arena, name);
    dns_zone_make_node(zone, name);
    return zone;
}

void dns_zone_free(struct dns_zone *zone)
{
    for (size_t i = 0; i < zone->rrsets.count; i++) {
        ldns_rr_list_deep_free(zone->rrsets.items[i]->rrs);
        ldns_rr_list_deep_free(zone->rrsets.items[i]->signatures);
    }
}

/* --- finding --- */

static struct dns_node *find_unsorted(const struct dns_zone *zone, const ldns_rdf *name)
{
    for (size_t i = 0; i < zone->nodes.count; i++)
        if (dns_name_equal(zone->nodes.items[i]->name, name))
            return zone->nodes.items[i];
    return NULL;
}

size_t dns_zone_find_before(const struct dns_zone *zone, const ldns_rdf *name)
{
    size_t low = 0, high = zone->nodes.count; /* the answer is in [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (ldns_dname_compare(zone->nodes.items[middle]->name, name) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct dns_node *dns_zone_find(const struct dns_zone *zone, const ldns_rdf *name)
{
    if (!zone->finished)
        return find_unsorted(zone, name);
    struct dns_node *node = zone->nodes.items[dns_zone_find_before(zone, name)];
    return dns_name_equal(node->name, name) ? node : NULL;
}

struct dns_node *dns_zone_apex(const struct dns_zone *zone)
{
    return zone->nodes.items[0];
}

struct dns_rrset *dns_node_get(const struct dns_node *node, ldns_rr_type type)
{
    for (size_t i = 0; i < node->rrsets.count; i++)
        if (node->rrsets.items[i]->type == type)
            return node->rrsets.items[i];
    return NULL;
}

/* --- filling --- */

struct dns_node *dns_zone_make_node(struct dns_zone *zone, const ldns_rdf *name)
{
    struct dns_node *node = find_unsorted(zone, name);
    if (node != NULL)
        return node;
    if (!dns_name_equal(name, zone->name))
        dns_zone_make_node(zone, dns_name_parent(zone->arena, name));
    node = arena_alloc(zone->arena, sizeof *node);
    node->name = name;
    *ARENA_PUSH(zone->arena, &zone->nodes) = node;
    return node;
}

struct dns_rrset *dns_zone_new_rrset(struct dns_zone *zone, const ldns_rdf *owner, ldns_rr_type type)
{
    struct dns_rrset *rrset = arena_alloc(zone->arena, sizeof *rrset);
    rrset->zone = zone;
    rrset->owner = rrset->about = owner;
    rrset->type = type;
    rrset->rrs = ldns_rr_list_new();
    rrset->is_signed = zone->is_signed;
    *ARENA_PUSH(zone->arena, &zone->rrsets) = rrset;
    return rrset;
}

static bool holds(const ldns_rr_list *rrs, const ldns_rr *rr)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
        if (ldns_rr_compare(ldns_rr_list_rr(rrs, i), rr) == 0)
            return true;
    return false;
}

const char *dns_zone_add(struct dns_zone *zone, ldns_rr *rr)
{
    const ldns_rdf *owner =
        dns_name_new(zone->arena, ldns_rdf_data(ldns_rr_owner(rr)), ldns_rdf_size(ldns_rr_owner(rr)));
    if (!dns_name_under(owner, zone->name))
        return "this name lies outside the zone";
    struct dns_node *node = dns_zone_make_node(zone, owner);
    struct dns_rrset *rrset = dns_node_get(node, ldns_rr_get_type(rr));
    if (rrset == NULL) {
        rrset = dns_zone_new_rrset(zone, node->name, ldns_rr_get_type(rr));
        *ARENA_PUSH(zone->arena, &node->rrsets) = rrset;
    }
    ldns_rr2canonical(rr);
    if (holds(rrset->rrs, rr)) {
        ldns_rr_free(rr);
        return NULL;
    }
    if (ldns_rr_list_rr_count(rrset->rrs) > 0) /* 2181-5.2: one TTL for the whole set */
        ldns_rr_set_ttl(rr, ldns_rr_ttl(ldns_rr_list_rr(rrset->rrs, 0)));
    ldns_rr_list_push_rr(rrset->rrs, rr);
    return NULL;
}

void dns_zone_add_text(struct dns_zone *zone, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = arena_vprintf(zone->arena, fmt, args);
    va_end(args);
    ldns_rr *rr = NULL;
    ldns_status status = ldns_rr_new_frm_str(&rr, text, 300, NULL, NULL);
    const char *refused = status == LDNS_STATUS_OK ? dns_zone_add(zone, rr) : ldns_get_errorstr_by_id(status);
    assert(refused == NULL);
    (void)refused;
}

static void free_rrset(struct dns_zone *zone, struct dns_rrset *rrset)
{
    for (size_t i = 0; i < zone->rrsets.count; i++)
        if (zone->rrsets.items[i] == rrset)
            zone->rrsets.items[i--] = zone->rrsets.items[--zone->rrsets.count];
    ldns_rr_list_deep_free(rrset->rrs);
    ldns_rr_list_deep_free(rrset->signatures);
}

void dns_zone_remove(struct dns_zone *zone, struct dns_node *node, ldns_rr_type type)
{
    struct dns_rrset *rrset = dns_node_get(node, type);
    if (rrset == NULL)
        return;
    for (size_t i = 0; i < node->rrsets.count; i++)
        if (node->rrsets.items[i] == rrset)
            node->rrsets.items[i--] = node->rrsets.items[--node->rrsets.count];
    free_rrset(zone, rrset);
}

/* --- finishing --- */

static int by_name(const void *a, const void *b)
{
    return ldns_dname_compare((*(struct dns_node *const *)a)->name, (*(struct dns_node *const *)b)->name);
}

static void settle(struct dns_rrset *rrset, enum dns_standing standing)
{
    rrset->below = standing == DNS_BELOW ||
                   (standing == DNS_DELEGATION && (rrset->type == LDNS_RR_TYPE_A || rrset->type == LDNS_RR_TYPE_AAAA));
    if (rrset->below || (standing == DNS_DELEGATION && rrset->type != LDNS_RR_TYPE_DS))
        rrset->is_signed = false;
}

/* In canonical order all names below a cut follow it directly. */
static void find_standings(struct dns_zone *zone)
{
    const struct dns_node *cut = NULL; /* a delegation or a DNAME */
    for (size_t i = 0; i < zone->nodes.count; i++) {
        struct dns_node *node = zone->nodes.items[i];
        bool below = cut != NULL && dns_name_under(node->name, cut->name);
        bool delegation = i > 0 && dns_node_get(node, LDNS_RR_TYPE_NS) != NULL;
        node->standing = below ? DNS_BELOW : delegation ? DNS_DELEGATION : DNS_OURS;
        if (!below && (delegation || dns_node_get(node, LDNS_RR_TYPE_DNAME) != NULL))
            cut = node;
        for (size_t k = 0; k < node->rrsets.count; k++)
            settle(node->rrsets.items[k], node->standing);
    }
}

static const char *clash_at(const struct dns_node *node)
{
    const struct dns_rrset *cname = dns_node_get(node, LDNS_RR_TYPE_CNAME);
    if (cname != NULL && (node->rrsets.count > 1 || ldns_rr_list_rr_count(cname->rrs) > 1))
        return "a CNAME stands alone at its name";
    const struct dns_rrset *dname = dns_node_get(node, LDNS_RR_TYPE_DNAME);
    if (dname != NULL && ldns_rr_list_rr_count(dname->rrs) > 1)
        return "there can be only one DNAME at a name";
    if (dns_node_get(node, LDNS_RR_TYPE_DS) != NULL && node->standing != DNS_DELEGATION)
        return "a DS stands only where the zone delegates";
    if (node->standing == DNS_DELEGATION && dname != NULL)
        return "a DNAME cannot stand where the zone delegates";
    return NULL;
}

const char *dns_zone_finish(struct dns_zone *zone)
{
    qsort(zone->nodes.items, zone->nodes.count, sizeof(struct dns_node *), by_name);
    zone->finished = true;
    find_standings(zone);
    for (size_t i = 0; i < zone->nodes.count; i++) {
        const char *clash = clash_at(zone->nodes.items[i]);
        if (clash != NULL)
            return arena_printf(zone->arena, "%s: %s", dns_name_text(zone->arena, zone->nodes.items[i]->name), clash);
    }
    return NULL;
}

/* --- the journal's word --- */

/* "3 1 1 9f2c...e1" */
static char *tlsa_summary(struct arena *arena, const ldns_rr *rr)
{
    const ldns_rdf *data = ldns_rr_rdf(rr, 3);
    char *text = arena_printf(arena, "%u %u %u ", ldns_rdf_data(ldns_rr_rdf(rr, 0))[0],
                              ldns_rdf_data(ldns_rr_rdf(rr, 1))[0], ldns_rdf_data(ldns_rr_rdf(rr, 2))[0]);
    const uint8_t *bytes = ldns_rdf_data(data);
    size_t size = ldns_rdf_size(data);
    if (size <= 4)
        for (size_t i = 0; i < size; i++)
            text = arena_printf(arena, "%s%02x", text, bytes[i]);
    else
        text = arena_printf(arena, "%s%02x%02x…%02x", text, bytes[0], bytes[1], bytes[size - 1]);
    return text;
}

/* The rdata without a name's last dot. */
static char *rdata_summary(struct arena *arena, const ldns_rr *rr)
{
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        char *made = ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME ? NULL : ldns_rdf2str(field);
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? " " : "", made != NULL ? made : dns_name_text(arena, field));
        LDNS_FREE(made);
    }
    return text;
}

static bool is_short(ldns_rr_type type)
{
    return type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA || type == LDNS_RR_TYPE_MX ||
           type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_TXT || type == LDNS_RR_TYPE_NS ||
           type == LDNS_RR_TYPE_DNAME;
}

char *dns_rrset_summary(struct arena *arena, const struct dns_rrset *rrset)
{
    size_t count = ldns_rr_list_rr_count(rrset->rrs);
    if (count == 0)
        return arena_strdup(arena, "no records");
    const ldns_rr *first = ldns_rr_list_rr(rrset->rrs, 0);
    char *text;
    if (rrset->type == LDNS_RR_TYPE_TLSA && ldns_rr_rd_count(first) == 4)
        text = tlsa_summary(arena, first);
    else if (is_short(rrset->type))
        text = rdata_summary(arena, first);
    else
        return arena_printf(arena, "%zu record%s", count, count == 1 ? "" : "s");
    return count == 1 ? text : arena_printf(arena, "%s and %zu more", text, count - 1);
}
