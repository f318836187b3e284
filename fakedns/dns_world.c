/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_world.h"

#include <string.h>

#include "base/text.h"
#include "fakedns/dns_denial.h"
#include "fakedns/dns_records.h"

const char *const dns_denial_words[] = {"nsec", "nsec3", "nsec3-opt-out", NULL};
static_assert(COUNT(dns_denial_words) == DNS_DENIAL_COUNT + 1, "every kind of denial has its word");

/* --- the tree --- */

static struct dns_zone *new_zone(struct dns_world *world, const struct fakedns_zone *from, const struct clock *clock,
                                 struct err *err)
{
    const ldns_rdf *name = dns_name_parse(world->arena, from->name, err);
    if (name == NULL)
        return NULL;
    if (from->iterations < 0 || from->iterations > UINT16_MAX) {
        err_set(err, ERR_INPUT, "zone %s: iterations of NSEC3 are 0 to %d", from->name, UINT16_MAX);
        return NULL;
    }
    struct dns_zone *zone = dns_zone_new(world->arena, name, clock);
    zone->is_signed = from->is_signed;
    zone->digest = from->digest;
    zone->denial = from->denial;
    zone->iterations = (uint16_t)from->iterations;
    return zone;
}

static bool find_parent(const struct dns_world *world, struct dns_zone *zone, struct err *err)
{
    for (size_t i = 0; i < world->zone_count; i++) {
        struct dns_zone *other = world->zones[i];
        if (other == zone || !dns_name_under(zone->name, other->name))
            continue;
        if (dns_name_equal(zone->name, other->name))
            return err_set(err, ERR_INPUT, "zone %s is there twice", zone->text);
        if (zone->parent == NULL || dns_name_under(other->name, zone->parent->name))
            zone->parent = other;
    }
    return zone->parent != NULL || dns_name_is_root(zone->name) ||
           err_set(err, ERR_INPUT, "zone %s has no parent zone, not even the root", zone->text);
}

static bool make_zones(struct dns_world *world, const struct fakedns_config *config, const struct clock *clock,
                       struct err *err)
{
    if (config->zone_count > DNS_ZONES_MAX || config->fault_count > DNS_FAULTS_MAX)
        return err_set(err, ERR_INPUT, "more than %d zones or %d faults", DNS_ZONES_MAX, DNS_FAULTS_MAX);
    world->zones = arena_alloc(world->arena, (config->zone_count + 1) * sizeof *world->zones);
    for (size_t i = 0; i < config->zone_count; i++)
        if ((world->zones[world->zone_count++] = new_zone(world, &config->zones[i], clock, err)) == NULL) {
            world->zone_count--;
            return false;
        }
    for (size_t i = 0; i < world->zone_count; i++) {
        if (!find_parent(world, world->zones[i], err))
            return false;
        if (dns_name_is_root(world->zones[i]->name))
            world->root = world->zones[i];
    }
    return world->root != NULL || err_set(err, ERR_INPUT, "there is no root zone \".\"");
}

/* --- what we put in by ourselves --- */

static const ldns_rdf *server_of(const struct dns_zone *zone)
{
    const ldns_rdf *above =
        dns_name_is_root(zone->name) ? dns_name_child(zone->arena, "root-servers", zone->name) : zone->name;
    return dns_name_child(zone->arena, "ns", above);
}

/* NS and addresses of a zone's server, in the zone itself or as a delegation. */
static bool add_server(struct dns_zone *in, const struct dns_zone *of, const struct fakedns_zone *from, struct err *err)
{
    const ldns_rdf *server = server_of(of);
    if (server == NULL)
        return err_set(err, ERR_INPUT, "zone name %s is too long", of->text);
    const char *name = dns_name_absolute(in->arena, server);
    dns_zone_add_text(in, "%s 300 IN NS %s", dns_name_absolute(in->arena, of->name), name);
    for (size_t i = 0; i < from->address_count; i++) {
        struct netaddr address;
        if (!netaddr_parse(from->addresses[i], 53, &address, err))
            return false;
        bool ipv6 = address.addr.ss_family == AF_INET6;
        dns_zone_add_text(in, "%s 300 IN %s %s", name, ipv6 ? "AAAA" : "A", from->addresses[i]);
    }
    return from->address_count > 0 || err_set(err, ERR_INPUT, "zone %s has no address", of->text);
}

static bool add_apex(struct dns_zone *zone, const struct fakedns_zone *from, struct err *err)
{
    if (!add_server(zone, zone, from, err))
        return false;
    const char *name = dns_name_absolute(zone->arena, zone->name);
    dns_zone_add_text(zone, "%s 300 IN SOA %s hostmaster.%s 1 7200 900 1209600 300", name,
                      dns_name_absolute(zone->arena, server_of(zone)), dns_name_is_root(zone->name) ? "" : name);
    if (zone->is_signed) {
        dns_sign_add_keys(zone);
        dns_denial_add_param(zone);
    }
    return true;
}

static bool delegate(struct dns_zone *zone, const struct fakedns_zone *from, struct err *err)
{
    if (zone->parent == NULL)
        return true;
    if (dns_zone_find(zone->parent, zone->name) != NULL && dns_zone_find(zone->parent, zone->name)->rrsets.count > 0)
        return err_set(err, ERR_INPUT, "zone %s has the name of a host in zone %s", zone->text, zone->parent->text);
    if (!add_server(zone->parent, zone, from, err))
        return false;
    if (from->ds && zone->is_signed && zone->parent->is_signed)
        dns_sign_add_ds(zone->parent, zone);
    return true;
}

/* --- the user's records --- */

struct filling {
    struct dns_zone *zone;
    struct dns_zone *const *zones;
    size_t zone_count;
    const struct fakedns_zone *from;
    struct diag_list *diags; /* NULL: only the first mistake, as *err */
    struct err *err;
    size_t mistakes;
};

static bool is_ours(const struct dns_zone *zone, const ldns_rr *rr)
{
    switch (ldns_rr_get_type(rr)) {
    case LDNS_RR_TYPE_SOA:
    case LDNS_RR_TYPE_DNSKEY:
    case LDNS_RR_TYPE_RRSIG:
    case LDNS_RR_TYPE_NSEC:
    case LDNS_RR_TYPE_NSEC3:
    case LDNS_RR_TYPE_NSEC3PARAM:
    case LDNS_RR_TYPE_OPT:
        return true;
    case LDNS_RR_TYPE_NS:
        return ldns_dname_compare(ldns_rr_owner(rr), zone->name) == 0;
    default:
        return ldns_rr_get_type(rr) >= 249 && ldns_rr_get_type(rr) <= 255; /* TKEY .. ANY: only in questions */
    }
}

static const char *take_record(void *arg, ldns_rr *rr)
{
    struct filling *filling = arg;
    struct dns_zone *zone = filling->zone;
    const ldns_rdf *owner =
        dns_name_new(zone->arena, ldns_rdf_data(ldns_rr_owner(rr)), ldns_rdf_size(ldns_rr_owner(rr)));
    if (is_ours(zone, rr))
        return arena_printf(zone->arena, "%s records are made by the server here",
                            dns_type_text(zone->arena, ldns_rr_get_type(rr)));
    for (size_t i = 0; i < filling->zone_count; i++)
        if (filling->zones[i]->parent == zone && dns_name_under(owner, filling->zones[i]->name))
            return arena_printf(zone->arena, "this name belongs to zone %s", filling->zones[i]->text);
    return dns_zone_add(zone, rr);
}

static void wrong_record(void *arg, struct dns_place place, const char *text)
{
    struct filling *filling = arg;
    struct srcpos at = filling->from->at;
    if (filling->mistakes++ > 0 && filling->diags == NULL)
        return;
    at.line += at.line > 0 ? place.line - 1 : place.line;
    at.col += at.col > 0 ? place.col - 1 : place.col;
    at.length = place.length;
    if (filling->diags != NULL)
        diag_error(filling->diags, at, "%s", text);
    else if (at.file != NULL)
        err_set(filling->err, ERR_INPUT, "%s:%u:%u: %s", at.file, at.line, at.col, text);
    else
        err_set(filling->err, ERR_INPUT, "zone %s, records line %u: %s", filling->zone->text, place.line, text);
}

static bool fill(struct filling *filling)
{
    if (filling->from->records != NULL)
        dns_records_read(filling->zone->arena, filling->zone->name, filling->from->records,
                         &(struct dns_records_reader){take_record, wrong_record, filling});
    return filling->mistakes == 0;
}

/* Of one zone by itself: its children are not known here. */
void fakedns_check_records(const struct fakedns_zone *from, struct diag_list *diags)
{
    struct arena *arena = arena_new("records");
    struct err err = {.kind = ERR_NONE};
    const ldns_rdf *name = dns_name_parse(arena, from->name, &err);
    if (name == NULL)
        diag_error(diags, from->at, "%s", err.text);
    else {
        struct dns_zone *zone = dns_zone_new(arena, name, NULL);
        struct filling filling = {.zone = zone, .from = from, .diags = diags};
        const char *clash = fill(&filling) ? dns_zone_finish(zone) : NULL;
        if (clash != NULL)
            diag_error(diags, from->at, "%s", clash);
        dns_zone_free(zone);
    }
    arena_free(&arena);
}

/* --- putting it together --- */

static bool fill_zones(struct dns_world *world, const struct fakedns_config *config, struct dns_keyring *keyring,
                       struct err *err)
{
    for (size_t i = 0; i < world->zone_count; i++) {
        struct dns_zone *zone = world->zones[i];
        const struct fakedns_zone *from = &config->zones[i];
        struct filling filling = {zone, world->zones, world->zone_count, from, NULL, err, 0};
        if (zone->is_signed && (zone->keys = dns_keyring_get(keyring, zone->text, from->algorithm, err)) == NULL)
            return false;
        if (!add_apex(zone, from, err) || !fill(&filling))
            return false;
    }
    for (size_t i = 0; i < world->zone_count; i++)
        if (!delegate(world->zones[i], &config->zones[i], err))
            return false;
    return true;
}

static bool make_faults(struct dns_world *world, const struct fakedns_config *config, unsigned nth, struct err *err)
{
    world->faults = arena_alloc(world->arena, (config->fault_count + 1) * sizeof *world->faults);
    for (size_t i = 0; i < config->fault_count; i++) {
        const struct fakedns_fault *use = &config->faults[i];
        struct dns_fault *fault = &world->faults[world->fault_count];
        if (use->nth != 0 && use->nth != nth)
            continue;
        if (!dns_fault_make(world->arena, use, world->zones, world->zone_count, fault, err))
            return false;
        fault->id = arena_strdup(world->arena, fault->id);
        world->fault_count++;
    }
    for (size_t i = 0; i < world->fault_count; i++)
        if (!dns_fault_in_zone(&world->faults[i], err))
            return false;
    return true;
}

static bool finish_zones(struct dns_world *world, struct err *err)
{
    for (size_t i = 0; i < world->zone_count; i++) {
        struct dns_zone *zone = world->zones[i];
        const char *clash = dns_zone_finish(zone);
        if (clash != NULL)
            return err_set(err, ERR_INPUT, "zone %s: %s", zone->text, clash);
        if (zone->is_signed)
            dns_denial_build(zone);
    }
    for (size_t i = 0; i < world->fault_count; i++)
        if (!dns_fault_in_records(&world->faults[i], err))
            return false;
    return true;
}

static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET6)
        return memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                      &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
    return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr ==
           ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
}

static struct dns_view *find_view(const struct dns_world *world, const struct sockaddr *address)
{
    for (size_t i = 0; i < world->views.count; i++)
        if (same_address((const struct sockaddr *)&world->views.items[i].address.addr, address))
            return &world->views.items[i];
    return NULL;
}

const struct dns_view *dns_world_view(const struct dns_world *world, const struct sockaddr *address)
{
    return find_view(world, address);
}

static bool make_views(struct dns_world *world, const struct fakedns_config *config, struct err *err)
{
    uint16_t port = config->port != 0 ? config->port : 53;
    for (size_t i = 0; i < config->zone_count; i++)
        for (size_t k = 0; k < config->zones[i].address_count; k++) {
            struct netaddr address;
            if (!netaddr_parse(config->zones[i].addresses[k], port, &address, err))
                return false;
            struct dns_view *view = find_view(world, (const struct sockaddr *)&address.addr);
            if (view == NULL && world->views.count >= DNS_ADDRESSES_MAX)
                return err_set(err, ERR_INPUT, "more than %d addresses", DNS_ADDRESSES_MAX);
            if (view == NULL) {
                view = ARENA_PUSH(world->arena, &world->views);
                *view =
                    (struct dns_view){.address = address, .faults = world->faults, .fault_count = world->fault_count};
            }
            *ARENA_PUSH(world->arena, &view->zones) = world->zones[i];
        }
    return true;
}

static char *record_text(struct arena *arena, ldns_rr *rr)
{
    char *made = rr != NULL ? ldns_rr2str(rr) : NULL;
    char *text = arena_strdup(arena, made != NULL ? made : "");
    text[strcspn(text, ";\n")] = '\0'; /* ldns adds remarks */
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        text[--length] = '\0';
    LDNS_FREE(made);
    ldns_rr_free(rr);
    return text;
}

static void tell_root(struct dns_world *world)
{
    struct arena *arena = world->arena;
    const struct dns_zone *root = world->root;
    world->root_key = root->is_signed ? record_text(arena, dns_sign_anchor_ds(root)) : "";
    world->root_dnskey = root->is_signed ? record_text(arena, dns_sign_anchor_key(root)) : "";
    const char *name = dns_name_absolute(arena, server_of(root));
    const char *hints = arena_printf(arena, ". 3600000 IN NS %s\n", name);
    for (size_t i = 0; i < world->views.count; i++)
        for (size_t k = 0; k < world->views.items[i].zones.count; k++)
            if (world->views.items[i].zones.items[k] == root) {
                const struct sockaddr *address = (const struct sockaddr *)&world->views.items[i].address.addr;
                hints = arena_printf(arena, "%s%s 3600000 IN %s %s\n", hints, name,
                                     address->sa_family == AF_INET6 ? "AAAA" : "A", netaddr_text(arena, address));
            }
    world->root_hints = hints;
}

struct dns_world *dns_world_new(const struct fakedns_config *config, unsigned nth, const struct clock *clock,
                                struct dns_keyring *keyring, struct err *err)
{
    struct arena *arena = arena_new("dns world");
    struct dns_world *world = arena_alloc(arena, sizeof *world);
    world->arena = arena;
    if (!make_zones(world, config, clock, err) || !fill_zones(world, config, keyring, err) ||
        !make_faults(world, config, nth, err) || !finish_zones(world, err) || !make_views(world, config, err))
        dns_world_free(&world);
    else
        tell_root(world);
    return world;
}

struct dns_zone *dns_world_zone(const struct dns_world *world, const char *name)
{
    for (size_t i = 0; i < world->zone_count; i++)
        if (text_name_equal(world->zones[i]->text, name))
            return world->zones[i];
    return NULL;
}

void dns_world_free(struct dns_world **world)
{
    if (world == NULL || *world == NULL)
        return;
    for (size_t i = 0; i < (*world)->zone_count; i++)
        dns_zone_free((*world)->zones[i]);
    struct arena *arena = (*world)->arena;
    *world = NULL;
    arena_free(&arena);
}
