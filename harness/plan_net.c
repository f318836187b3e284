/* SPDX-License-Identifier: BSD-2-Clause
 * Who answers, and at which address: name servers in 198.18.0.0/24, MX hosts in 198.18.1.0/24, policy hosts in
 * 198.18.2.0/24, and the like in 2001:db8::/32; in the loopback lab 127.18.x.y and no IPv6. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness/plan_internal.h"

enum { ADDRESSES_MAX = 250, ALIASES_MAX = 16 };

static const struct {
    const char *lab, *lab6, *loopback;
} places[] = {
    [PLAN_NET_ZONE] = {"198.18.0.", "2001:db8:0:53::", "127.18.0."},
    [PLAN_NET_MX] = {"198.18.1.", "2001:db8:0:25::", "127.18.1."},
    [PLAN_NET_POLICY] = {"198.18.2.", "2001:db8:0:443::", "127.18.2."},
};

const char *plan_net_address(struct plan_builder *b, enum plan_net_class class, const char *name, bool v6,
                             unsigned ordinal)
{
    struct plan_pki_addresses *known = plan_pki_addresses(b->pki);
    struct arena *arena = plan_pki_arena(b->pki);
    const char *place = v6 ? places[class].lab6 : b->net == PLAN_NET_LAB ? places[class].lab : places[class].loopback;
    if (v6 && b->net == PLAN_NET_LOOPBACK) {
        err_set(b->err, ERR_SYSTEM, "IPv6 addresses need a network namespace; in the loopback lab there is only IPv4");
        return NULL;
    }
    const char *key = arena_printf(arena, "%s %s %u", place, name, ordinal);
    unsigned used = 0;
    for (size_t i = 0; i < known->count; i++) {
        if (strcmp(known->items[i].key, key) == 0)
            return known->items[i].address;
        used += strncmp(known->items[i].key, place, strlen(place)) == 0;
    }
    if (used == ADDRESSES_MAX) {
        err_set(b->err, ERR_INPUT, "the world has more than %d addresses of one kind", ADDRESSES_MAX);
        return NULL;
    }
    const char *address = arena_printf(arena, v6 ? "%s%x" : "%s%u", place, used + 1);
    *ARENA_PUSH(arena, known) = (struct plan_pki_address){key, address};
    return address;
}

struct plan_host *plan_host_find(const struct plan_builder *b, const char *name, enum plan_role role)
{
    for (size_t i = 0; i < b->hosts.count; i++)
        if (b->hosts.items[i].role == role && text_name_equal(b->hosts.items[i].name->name, name))
            return &b->hosts.items[i];
    return NULL;
}

const char *plan_address_of(const struct plan *plan, const char *host)
{
    for (size_t i = 0; i < plan->mx.host_count; i++)
        if (text_name_equal(plan->mx.hosts[i].name, host) && plan->mx.hosts[i].address_count > 0)
            return plan->mx.hosts[i].addresses[0];
    for (size_t i = 0; i < plan->sts.host_count; i++)
        if (text_name_equal(plan->sts.hosts[i].name, host) && plan->sts.hosts[i].address_count > 0)
            return plan->sts.hosts[i].addresses[0];
    return NULL;
}

/* --- who is a host --------------------------------------------------------------------------------------------- */

const char *plan_alias_end(const struct plan_builder *b, const char *name)
{
    for (unsigned i = 0; i < ALIASES_MAX; i++) {
        const struct world_name *found = world_find(b->world, name);
        if (found == NULL || found->cname == NULL)
            return name;
        name = text_name(b->arena, found->cname);
    }
    return name;
}

/* How much an MX entry is preferred: as it says, else by its place. */
static long preference_of_mx(const struct schema_texts *mx, size_t i)
{
    return strchr(mx->items[i], ' ') != NULL ? strtol(mx->items[i], NULL, 10) : 10 * ((long)i + 1);
}

const struct world_name *plan_domain_of(const struct plan_builder *b, const char *host)
{
    for (size_t i = 0; i < b->world->count; i++) {
        const struct world_name *domain = &b->world->names[i];
        for (size_t k = 0; k < domain->mx.count; k++)
            if (text_name_equal(plan_alias_end(b, world_mx_host(domain->mx.items[k])), host) ||
                text_name_equal(world_mx_host(domain->mx.items[k]), host))
                return domain;
    }
    const struct world_name *own = world_find(b->world, host);
    return own != NULL && own->mx.count == 0 && own->cname == NULL ? own : NULL;
}

/* Is it the host that a sender must try first, under its own name? */
static bool is_first(const struct plan_builder *b, const char *host)
{
    const struct world_name *domain = plan_domain_of(b, host);
    long best = 0, own = -1;
    if (domain == NULL)
        return false;
    for (size_t i = 0; i < domain->mx.count; i++) {
        long preference = preference_of_mx(&domain->mx, i);
        best = i == 0 || preference < best ? preference : best;
        if (text_name_equal(world_mx_host(domain->mx.items[i]), host))
            own = preference;
    }
    if (domain->mx.count == 0)
        return true;
    size_t equal = 0;
    for (size_t i = 0; i < domain->mx.count; i++)
        equal += preference_of_mx(&domain->mx, i) == best;
    return own == best && equal == 1;
}

static bool is_policy_host(const struct world_name *name)
{
    return name->has_https || strncmp(name->name, "mta-sts.", strlen("mta-sts.")) == 0;
}

static bool is_mx_target(const struct plan_builder *b, const char *name)
{
    for (size_t i = 0; i < b->world->count; i++)
        for (size_t k = 0; k < b->world->names[i].mx.count; k++)
            if (text_name_equal(world_mx_host(b->world->names[i].mx.items[k]), name))
                return true;
    return false;
}

static bool has_no_address(const struct world_name *name)
{
    return name->address.count == 1 && strcmp(name->address.items[0], "none") == 0;
}

static bool is_mx_host(const struct plan_builder *b, const struct world_name *name)
{
    if (name->cname != NULL || is_policy_host(name) || has_no_address(name) || name->name[0] == '_')
        return false;
    if (name->address.count > 0 || is_mx_target(b, name->name) || name->has_certificate || name->has_smtp)
        return true;
    if (name->mx.count > 0)
        return false;
    bool says_nothing = name->node != NULL && name->node->count == 0;
    return name->tlsa.count > 0 || (says_nothing && !name->zone);
}

/* --- their addresses ------------------------------------------------------------------------------------------- */

struct texts {
    const char **items;
    size_t count, room;
};

static bool is_of_the_lab(const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return (ntohl(v4.s_addr) & 0xfffe0000u) == 0xc6120000u;
    return inet_pton(AF_INET6, text, &v6) == 1 && memcmp(v6.s6_addr, "\x20\x01\x0d\xb8", 4) == 0;
}

static bool add_address(struct plan_builder *b, const struct plan_host *host, const char *word, struct srcpos at,
                        unsigned ordinal, struct texts *published, struct texts *listening)
{
    enum plan_net_class class = host->role == PLAN_MX ? PLAN_NET_MX : PLAN_NET_POLICY;
    bool dead = strncmp(word, "dead-", 5) == 0;
    const char *family = dead ? word + 5 : word, *address;
    if (strcmp(family, "v4") == 0 || strcmp(family, "v6") == 0) {
        address =
            plan_net_address(b, class, dead ? arena_printf(b->arena, "dead %s", host->name->name) : host->name->name,
                             family[1] == '6', ordinal);
        if (address == NULL)
            return false;
    } else if (is_of_the_lab(word)) {
        address = word;
    } else {
        diag_error(b->diags, at,
                   "'%s' is neither v4, v6, dead-v4, dead-v6 nor an address of 198.18.0.0/15 or 2001:db8::/32", word);
        return true;
    }
    *ARENA_PUSH(b->arena, published) = address;
    if (!dead)
        *ARENA_PUSH(b->arena, listening) = address;
    return true;
}

static bool give_addresses(struct plan_builder *b, struct plan_host *host)
{
    struct texts published = {0}, listening = {0};
    const struct schema_texts *said = &host->name->address;
    if (said->count == 0 && !add_address(b, host, "v4", host->name->at, 0, &published, &listening))
        return false;
    for (size_t i = 0; i < said->count; i++) {
        unsigned ordinal = 0;
        for (size_t k = 0; k < i; k++)
            ordinal += strcmp(said->items[k], said->items[i]) == 0;
        if (strcmp(said->items[i], "none") != 0 &&
            !add_address(b, host, said->items[i], said->at[i], ordinal, &published, &listening))
            return false;
    }
    host->addresses = published.items;
    host->address_count = published.count;
    host->listening = listening.items;
    host->listening_count = listening.count;
    return true;
}

bool plan_net_hosts(struct plan_builder *b)
{
    for (size_t i = 0; i < b->world->count; i++) {
        const struct world_name *name = &b->world->names[i];
        bool policy = is_policy_host(name) && !has_no_address(name);
        if (!policy && !is_mx_host(b, name))
            continue;
        struct plan_host *host = ARENA_PUSH(b->arena, &b->hosts);
        *host = (struct plan_host){
            .role = policy ? PLAN_POLICY : PLAN_MX,
            .name = name,
            .published = plan_alias_end(b, name->name),
            .first = !policy && is_first(b, name->name),
        };
        if (!give_addresses(b, host))
            return false;
    }
    return true;
}
