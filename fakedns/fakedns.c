/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/fakedns.h"

#include <stdlib.h>

#include "base/text.h"
#include "fakedns/dns_listen.h"
#include "fakedns/dns_world.h"

enum { ERAS_MAX = 32 };

/* The world as it is at one attempt of the sender; that of nth 0 is for all others. Each is built before the first
 * question comes, so that every mistake shows at once. */
struct era {
    unsigned nth;
    struct dns_world *world;
};

struct eras {
    struct era items[ERAS_MAX];
    size_t count;
};

struct fakedns {
    const struct clock *clock;
    struct loop *loop;
    struct journal *journal;
    struct dns_keyring *keyring, *own_keyring;
    struct eras eras;
    struct dns_listen *listen; /* NULL: not yet */
    struct arena *reply;       /* of the answer just given */
};

/* --- eras --- */

static void eras_free(struct eras *eras)
{
    for (size_t i = 0; i < eras->count; i++)
        dns_world_free(&eras->items[i].world);
    eras->count = 0;
}

static bool add_era(struct eras *eras, const struct fakedns *dns, const struct fakedns_config *config, unsigned nth,
                    struct err *err)
{
    for (size_t i = 0; i < eras->count; i++)
        if (eras->items[i].nth == nth)
            return true;
    if (eras->count == ERAS_MAX)
        return err_set(err, ERR_INPUT, "faults name more than %d different attempts", ERAS_MAX - 1);
    struct dns_world *world = dns_world_new(config, nth, dns->clock, dns->keyring, err);
    if (world == NULL)
        return false;
    eras->items[eras->count++] = (struct era){nth, world};
    return true;
}

static bool make_eras(struct eras *eras, const struct fakedns *dns, const struct fakedns_config *config,
                      struct err *err)
{
    *eras = (struct eras){.count = 0};
    bool good = add_era(eras, dns, config, 0, err);
    for (size_t i = 0; good && i < config->fault_count; i++)
        good = add_era(eras, dns, config, config->faults[i].nth, err);
    if (!good)
        eras_free(eras);
    return good;
}

static const struct dns_world *world_now(const struct fakedns *dns)
{
    for (size_t i = 1; i < dns->eras.count; i++)
        if (dns->eras.items[i].nth == journal_attempt(dns->journal))
            return dns->eras.items[i].world;
    return dns->eras.items[0].world;
}

/* --- answering --- */

static const char *yes_or_no(bool yes)
{
    return yes ? "yes" : "no";
}

static void tell(struct fakedns *dns, const struct sockaddr *from, const struct dns_reply *reply)
{
    struct arena *arena = reply->arena;
    const char *zone = reply->zone != NULL ? reply->zone->text : reply->view->zones.items[0]->text;
    const char *transport = reply->transport == DNS_UDP ? "udp" : "tcp";
    const char *name = reply->query.name != NULL ? dns_name_text(arena, reply->query.name) : "";
    const char *type = reply->query.name != NULL ? dns_type_text(arena, reply->query.type) : "";
    journal_add(dns->journal, JOURNAL_DNS_QUERY, zone, 0, "qname", name, "qtype", type, "from",
                netaddr_text_port(arena, from), "transport", transport, "do", yes_or_no(reply->query.dnssec_ok), "rd",
                yes_or_no(reply->query.recursion_desired), NULL);
    for (size_t i = 0; i < reply->hits.count; i++)
        journal_add(dns->journal, JOURNAL_FAULT_HIT, reply->hits.items[i]->zone->text, 0, "id",
                    reply->hits.items[i]->id, "fault", reply->hits.items[i]->row->info.name, NULL);
    if (reply->deed == DNS_SEND)
        journal_add(dns->journal, JOURNAL_DNS_ANSWER, zone, 0, "qname", name, "qtype", type, "rcode",
                    dns_rcode_text(reply->rcode), "answer", reply->summary, "transport", transport, NULL);
}

static void ask(void *arg, const struct sockaddr *at, const struct sockaddr *from, enum dns_transport transport,
                const uint8_t *query, size_t length, struct dns_reply *reply)
{
    struct fakedns *dns = arg;
    const struct dns_view *view = dns_world_view(world_now(dns), at);
    assert(view != NULL); /* every era has the addresses that we listen on */
    arena_free(&dns->reply);
    dns->reply = arena_new("dns reply");
    dns_answer(dns->reply, view, transport, query, length, reply);
    if (reply->deed != DNS_IGNORE || reply->query.name != NULL)
        tell(dns, from, reply);
}

/* --- the façade --- */

static bool listen_everywhere(struct fakedns *dns, const struct dns_world *world, struct err *err)
{
    struct arena *arena = arena_new("dns addresses");
    struct netaddr *addresses = arena_alloc(arena, (world->views.count + 1) * sizeof *addresses);
    for (size_t i = 0; i < world->views.count; i++)
        addresses[i] = world->views.items[i].address;
    bool good = dns_listen_on(dns->listen, addresses, world->views.count, err);
    arena_free(&arena);
    return good;
}

struct fakedns *fakedns_new(const struct fakedns_config *config, const struct clock *clock, struct loop *loop,
                            struct journal *journal, struct err *err)
{
    struct fakedns *dns = calloc(1, sizeof *dns);
    if (dns == NULL)
        abort();
    *dns = (struct fakedns){.clock = clock, .loop = loop, .journal = journal, .keyring = config->keyring};
    if (dns->keyring == NULL)
        dns->keyring = dns->own_keyring = dns_keyring_new();
    if (!make_eras(&dns->eras, dns, config, err))
        fakedns_free(&dns);
    return dns;
}

bool fakedns_make_keys(struct dns_keyring *ring, const struct fakedns_config *config, struct err *err)
{
    static const struct clock now;
    struct dns_world *world = dns_world_new(config, 0, &now, ring, err);
    bool made = world != NULL;
    dns_world_free(&world);
    return made;
}

bool fakedns_listen(struct fakedns *dns, struct err *err)
{
    if (dns->listen == NULL)
        dns->listen = dns_listen_new(dns->loop, ask, dns);
    return listen_everywhere(dns, dns->eras.items[0].world, err);
}

bool fakedns_change(struct fakedns *dns, const struct fakedns_config *config, struct err *err)
{
    struct eras fresh;
    if (!make_eras(&fresh, dns, config, err))
        return false;
    if (dns->listen != NULL && !listen_everywhere(dns, fresh.items[0].world, err)) {
        eras_free(&fresh);
        return false;
    }
    eras_free(&dns->eras);
    dns->eras = fresh;
    return true;
}

const char *fakedns_root_key(const struct fakedns *dns)
{
    return dns->eras.items[0].world->root_key;
}

const char *fakedns_root_dnskey(const struct fakedns *dns)
{
    return dns->eras.items[0].world->root_dnskey;
}

const char *fakedns_root_hints(const struct fakedns *dns)
{
    return dns->eras.items[0].world->root_hints;
}

static void dump_records(FILE *out, const ldns_rr_list *rrs)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
        ldns_rr_print(out, ldns_rr_list_rr(rrs, i));
}

static void dump_rrset(FILE *out, struct dns_rrset *rrset)
{
    dump_records(out, rrset->rrs);
    dump_records(out, dns_signatures(rrset));
}

bool fakedns_dump(const struct fakedns *dns, const char *name, FILE *out, struct err *err)
{
    const struct dns_zone *zone = dns_world_zone(world_now(dns), name);
    if (zone == NULL)
        return err_set(err, ERR_INPUT, "there is no zone %s", name);
    dump_rrset(out, dns_node_get(dns_zone_apex(zone), LDNS_RR_TYPE_SOA));
    for (size_t i = 0; i < zone->nodes.count; i++)
        for (size_t k = 0; k < zone->nodes.items[i]->rrsets.count; k++)
            if (zone->nodes.items[i]->rrsets.items[k]->type != LDNS_RR_TYPE_SOA)
                dump_rrset(out, zone->nodes.items[i]->rrsets.items[k]);
    for (size_t i = 0; i < zone->nsec3.count; i++)
        dump_rrset(out, zone->nsec3.items[i].rrset);
    return true;
}

void fakedns_free(struct fakedns **dns)
{
    if (dns == NULL || *dns == NULL)
        return;
    dns_listen_free(&(*dns)->listen);
    eras_free(&(*dns)->eras);
    dns_keyring_free(&(*dns)->own_keyring);
    arena_free(&(*dns)->reply);
    free(*dns);
    *dns = NULL;
}
