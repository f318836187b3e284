/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_answer.h"

#include <stdlib.h>

#include "fakedns/dns_denial.h"

enum { CHASE_MAX = 16, SUMMARY_MAX = 4 };

/* --- faults --- */

static void hit(struct dns_reply *reply, const struct dns_fault *fault)
{
    if (fault->row->needs & DNS_NEEDS_DNSSEC_OK && !reply->query.dnssec_ok)
        return;
    for (size_t i = 0; i < reply->hits.count; i++)
        if (reply->hits.items[i] == fault)
            return;
    *ARENA_PUSH(reply->arena, &reply->hits) = fault;
}

/* Faults about a whole answer, or about its proofs; what else there is sits in the zones. */
static bool concerns(const struct dns_reply *reply, const struct dns_fault *fault, const ldns_rdf *name,
                     ldns_rr_type type)
{
    return fault->zone == reply->zone && dns_fault_asks(fault, name, type);
}

static void fault_reply(struct dns_reply *reply)
{
    for (size_t i = 0; i < reply->view->fault_count; i++) {
        const struct dns_fault *fault = &reply->view->faults[i];
        if (fault->row->in_reply == NULL || !concerns(reply, fault, reply->query.name, reply->query.type))
            continue;
        reply->passed_over = false;
        fault->row->in_reply(reply);
        if (!reply->passed_over)
            hit(reply, fault);
    }
}

/* Whoever asks for this name by itself meets a fault: an alias is not followed past it. */
static bool faulty_by_itself(const struct dns_reply *reply, const ldns_rdf *name)
{
    for (size_t i = 0; i < reply->view->fault_count; i++)
        if (reply->view->faults[i].row->in_reply != NULL &&
            concerns(reply, &reply->view->faults[i], name, reply->query.type))
            return true;
    return false;
}

/* --- putting the answer together --- */

static void add(struct dns_reply *reply, enum dns_section section, struct dns_rrset *rrset, const ldns_rdf *owner)
{
    if (rrset != NULL)
        *ARENA_PUSH(reply->arena, &reply->items) =
            (struct dns_item){.section = section, .owner = owner, .rrset = rrset};
}

/* That a type is absent at a name, or the name is. */
static void add_proof(struct dns_reply *reply, struct dns_proof *proof, const ldns_rdf *name, ldns_rr_type type)
{
    for (size_t i = 0; i < reply->view->fault_count; i++) {
        const struct dns_fault *fault = &reply->view->faults[i];
        if (fault->row->in_proof == NULL || proof->count == 0 ||
            !(concerns(reply, fault, name, type) || concerns(reply, fault, reply->query.name, type)))
            continue;
        fault->row->in_proof(reply->zone, proof);
        hit(reply, fault);
    }
    for (size_t i = 0; i < proof->count; i++)
        add(reply, DNS_AUTHORITY_SECTION, proof->items[i], NULL);
}

static void add_addresses(struct dns_reply *reply, const struct dns_rrset *ns)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(ns->rrs); i++) {
        const struct dns_node *host = dns_zone_find(ns->zone, ldns_rr_rdf(ldns_rr_list_rr(ns->rrs, i), 0));
        if (host == NULL)
            continue;
        add(reply, DNS_ADDITIONAL_SECTION, dns_node_get(host, LDNS_RR_TYPE_A), NULL);
        add(reply, DNS_ADDITIONAL_SECTION, dns_node_get(host, LDNS_RR_TYPE_AAAA), NULL);
    }
}

static void hit_absences(struct dns_reply *reply, const struct dns_node *node, ldns_rr_type type)
{
    for (size_t i = 0; i < node->absences.count; i++)
        if (node->absences.items[i].type == type)
            hit(reply, node->absences.items[i].fault);
}

static struct dns_rrset *unless_hidden(struct dns_reply *reply, struct dns_rrset *rrset)
{
    if (rrset == NULL || !rrset->hidden)
        return rrset;
    for (size_t i = 0; i < rrset->faults.count; i++)
        hit(reply, rrset->faults.items[i]);
    return NULL;
}

static void refer(struct dns_reply *reply, const struct dns_node *cut)
{
    struct dns_rrset *ns = dns_node_get(cut, LDNS_RR_TYPE_NS);
    struct dns_rrset *ds = unless_hidden(reply, dns_node_get(cut, LDNS_RR_TYPE_DS));
    struct dns_proof proof = {.arena = reply->arena};
    if (reply->items.count == 0)
        reply->authoritative = false;
    add(reply, DNS_AUTHORITY_SECTION, ns, NULL);
    if (reply->query.dnssec_ok) {
        add(reply, DNS_AUTHORITY_SECTION, ds, NULL);
        if (ds == NULL)
            dns_prove_no_type(reply->zone, cut->name, &proof);
        add_proof(reply, &proof, cut->name, LDNS_RR_TYPE_DS);
        hit_absences(reply, cut, LDNS_RR_TYPE_DS);
    }
    add_addresses(reply, ns);
    if (reply->summary == NULL)
        reply->summary = arena_printf(reply->arena, "referral to %s", dns_name_text(reply->arena, cut->name));
}

static void deny(struct dns_reply *reply, struct dns_proof *proof, const ldns_rdf *name, const char *summary)
{
    add(reply, DNS_AUTHORITY_SECTION, dns_node_get(dns_zone_apex(reply->zone), LDNS_RR_TYPE_SOA), NULL);
    if (reply->query.dnssec_ok)
        add_proof(reply, proof, name, reply->query.type);
    if (reply->summary == NULL)
        reply->summary = summary;
}

/* --- one name --- */

/* What a name that is there (or a wildcard in its place) has for the question. */
static struct dns_rrset *choose(struct dns_reply *reply, const struct dns_node *node)
{
    ldns_rr_type type = reply->query.type;
    if (type == LDNS_RR_TYPE_ANY || type == LDNS_RR_TYPE_RRSIG) /* 8482-4.1: one RRset is enough */
        return node->rrsets.count > 0 ? node->rrsets.items[0] : NULL;
    struct dns_rrset *rrset = unless_hidden(reply, dns_node_get(node, type));
    return rrset != NULL ? rrset : dns_node_get(node, LDNS_RR_TYPE_CNAME);
}

static const ldns_rdf *target_of(struct arena *arena, const struct dns_rrset *alias)
{
    const ldns_rdf *target = ldns_rr_rdf(ldns_rr_list_rr(alias->rrs, 0), 0);
    return dns_name_new(arena, ldns_rdf_data(target), ldns_rdf_size(target));
}

/* Returns the next name to look at; NULL: done. */
static const ldns_rdf *answer_from(struct dns_reply *reply, const struct dns_node *node, const ldns_rdf *name)
{
    bool by_wildcard = !dns_name_equal(node->name, name);
    struct dns_rrset *rrset = choose(reply, node);
    struct dns_proof proof = {.arena = reply->arena};
    if (rrset == NULL) {
        if (by_wildcard)
            dns_prove_wildcard_no_type(reply->zone, name, node, &proof);
        else
            dns_prove_no_type(reply->zone, name, &proof);
        deny(reply, &proof, name, "NODATA");
        hit_absences(reply, node, reply->query.type);
        return NULL;
    }
    add(reply, DNS_ANSWER_SECTION, rrset, by_wildcard ? name : NULL);
    reply->items.items[reply->items.count - 1].only_signatures = reply->query.type == LDNS_RR_TYPE_RRSIG;
    if (by_wildcard && reply->query.dnssec_ok) {
        dns_prove_wildcard(reply->zone, name, &proof);
        add_proof(reply, &proof, name, reply->query.type);
    }
    if (rrset->type == LDNS_RR_TYPE_NS)
        add_addresses(reply, rrset);
    bool alias = rrset->type == LDNS_RR_TYPE_CNAME && reply->query.type != LDNS_RR_TYPE_CNAME &&
                 reply->query.type != LDNS_RR_TYPE_ANY && reply->query.type != LDNS_RR_TYPE_RRSIG;
    return alias ? target_of(reply->arena, rrset) : NULL;
}

/* The topmost delegation or DNAME above a name; a delegation at the name itself counts too, but for DS. */
static struct dns_node *cut_over(const struct dns_reply *reply, const ldns_rdf *name)
{
    struct dns_node *cut = NULL;
    for (const ldns_rdf *at = name; at != NULL; at = dns_name_parent(reply->arena, at)) {
        struct dns_node *node = dns_zone_find(reply->zone, at);
        bool here = at == name;
        if (node != NULL && node->standing == DNS_DELEGATION && !(here && reply->query.type == LDNS_RR_TYPE_DS))
            cut = node;
        if (node != NULL && node->standing == DNS_OURS && !here && dns_node_get(node, LDNS_RR_TYPE_DNAME) != NULL)
            cut = node;
        if (dns_name_equal(at, reply->zone->name))
            break;
    }
    return cut;
}

static ldns_rr *make_cname(struct arena *arena, const ldns_rdf *owner, const ldns_rdf *target, uint32_t ttl)
{
    ldns_rr *rr = arena_alloc(arena, sizeof *rr);
    rr->_rdata_fields = arena_alloc(arena, sizeof *rr->_rdata_fields);
    rr->_rdata_fields[0] = (ldns_rdf *)target;
    rr->_rd_count = 1;
    rr->_owner = (ldns_rdf *)owner;
    rr->_ttl = ttl;
    rr->_rr_type = LDNS_RR_TYPE_CNAME;
    rr->_rr_class = LDNS_RR_CLASS_IN;
    return rr;
}

/* 6672-3.2: the DNAME, and a CNAME made from it; YXDOMAIN when the new name is too long. */
static const ldns_rdf *redirect(struct dns_reply *reply, const struct dns_node *cut, const ldns_rdf *name)
{
    struct dns_rrset *dname = dns_node_get(cut, LDNS_RR_TYPE_DNAME);
    add(reply, DNS_ANSWER_SECTION, dname, NULL);
    const ldns_rdf *target = dns_name_replace_end(reply->arena, name, cut->name, target_of(reply->arena, dname));
    if (target == NULL) {
        reply->rcode = LDNS_RCODE_YXDOMAIN;
        return NULL;
    }
    const ldns_rr *made = make_cname(reply->arena, name, target, ldns_rr_ttl(ldns_rr_list_rr(dname->rrs, 0)));
    *ARENA_PUSH(reply->arena, &reply->items) =
        (struct dns_item){.section = DNS_ANSWER_SECTION, .rrset = dname, .made = made};
    return reply->query.type == LDNS_RR_TYPE_CNAME ? NULL : target;
}

static const ldns_rdf *look_up(struct dns_reply *reply, const ldns_rdf *name)
{
    struct dns_zone *zone = reply->zone;
    struct dns_node *cut = cut_over(reply, name);
    if (cut != NULL && cut->standing == DNS_OURS)
        return redirect(reply, cut, name);
    if (cut != NULL) {
        refer(reply, cut);
        return NULL;
    }
    struct dns_node *node = dns_zone_find(zone, name);
    if (node != NULL)
        return answer_from(reply, node, name);
    const ldns_rdf *star = dns_name_child(reply->arena, "*", dns_closest_encloser(reply->arena, zone, name)->name);
    struct dns_node *wildcard = star != NULL ? dns_zone_find(zone, star) : NULL;
    if (wildcard != NULL)
        return answer_from(reply, wildcard, name);
    struct dns_proof proof = {.arena = reply->arena};
    dns_prove_no_name(zone, name, &proof);
    reply->rcode = LDNS_RCODE_NXDOMAIN;
    deny(reply, &proof, name, "no such name");
    return NULL;
}

static bool already_answered(const struct dns_reply *reply, const ldns_rdf *name)
{
    for (size_t i = 0; i < reply->items.count; i++) {
        const struct dns_item *item = &reply->items.items[i];
        const ldns_rdf *owner = item->made != NULL    ? item->made->_owner
                                : item->owner != NULL ? item->owner
                                                      : item->rrset->owner;
        if (item->section == DNS_ANSWER_SECTION && dns_name_equal(owner, name))
            return true;
    }
    return false;
}

static void add_unrelated(struct dns_reply *reply)
{
    for (size_t i = 0; i < reply->zone->rrsets.count; i++) {
        struct dns_rrset *rrset = reply->zone->rrsets.items[i];
        if (rrset->type == reply->query.type && !rrset->below && !dns_name_equal(rrset->owner, reply->query.name))
            add(reply, DNS_ANSWER_SECTION, rrset, NULL);
    }
}

static void resolve(struct dns_reply *reply)
{
    const ldns_rdf *name = reply->query.name;
    reply->authoritative = true;
    if (reply->unrelated)
        add_unrelated(reply);
    for (unsigned chased = 0; chased < CHASE_MAX; chased++) {
        name = look_up(reply, name);
        if (name == NULL || !dns_name_under(name, reply->zone->name) || faulty_by_itself(reply, name) ||
            already_answered(reply, name))
            return;
    }
}

/* --- which zone --- */

/* The deepest that holds the name. A DS belongs to the zone above, if that is here as well (4035-3.1.4.1). */
static struct dns_zone *find_zone(const struct dns_view *view, const ldns_rdf *name, ldns_rr_type type)
{
    struct dns_zone *found = NULL, *own = NULL;
    for (size_t i = 0; i < view->zones.count; i++) {
        struct dns_zone *zone = view->zones.items[i];
        if (!dns_name_under(name, zone->name))
            continue;
        if (type == LDNS_RR_TYPE_DS && dns_name_equal(name, zone->name))
            own = zone;
        else if (found == NULL || dns_name_under(zone->name, found->name))
            found = zone;
    }
    return own != NULL && (found == NULL || own->parent != found) ? own : found;
}

static bool is_refused(const struct dns_query *query)
{
    return query->class != LDNS_RR_CLASS_IN || (query->type >= 249 && query->type <= 254); /* TKEY .. MAILA */
}

static void find_answer(struct dns_reply *reply)
{
    reply->zone = find_zone(reply->view, reply->query.name, reply->query.type);
    if (reply->zone == NULL || is_refused(&reply->query)) {
        reply->rcode = LDNS_RCODE_REFUSED;
        return;
    }
    fault_reply(reply);
    if (!reply->settled)
        resolve(reply);
}

/* --- writing --- */

static bool write_records(struct dns_packet *packet, const struct dns_item *item, const ldns_rr_list *rrs)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
        if (!dns_packet_add(packet, item->section, item->owner, ldns_rr_list_rr(rrs, i)))
            return false;
    return true;
}

static bool write_item(struct dns_reply *reply, struct dns_packet *packet, const struct dns_item *item)
{
    if (item->made != NULL)
        return dns_packet_add(packet, item->section, NULL, item->made);
    struct dns_packet_mark before = dns_packet_mark(packet);
    bool fits = (item->only_signatures || write_records(packet, item, item->rrset->rrs)) &&
                (!(reply->query.dnssec_ok || item->only_signatures) ||
                 write_records(packet, item, dns_signatures(item->rrset)));
    if (!fits)
        dns_packet_return(packet, before);
    return fits;
}

/* Section by section; what does not fit is cut: answer and authority by TC, other records silently. Glue is needed
 * (9471-3): where it does not fit TC is set too. */
static void write_items(struct dns_reply *reply, struct dns_packet *packet)
{
    struct dns_packet_mark empty = dns_packet_mark(packet);
    for (unsigned section = 0; section < DNS_SECTION_COUNT; section++)
        for (size_t i = 0; i < reply->items.count; i++) {
            struct dns_item *item = &reply->items.items[i];
            if (item->section != section)
                continue;
            if (write_item(reply, packet, item)) {
                item->written = true;
                continue;
            }
            reply->truncated = section != DNS_ADDITIONAL_SECTION || item->rrset->below;
            if (reply->truncated)
                dns_packet_return(packet, empty);
            return;
        }
}

static void hit_written(struct dns_reply *reply)
{
    for (size_t i = 0; i < reply->items.count && !reply->truncated; i++) {
        const struct dns_item *item = &reply->items.items[i];
        for (size_t k = 0; item->written && k < item->rrset->faults.count; k++)
            hit(reply, item->rrset->faults.items[k]);
    }
}

static size_t size_limit(const struct dns_reply *reply)
{
    if (reply->transport == DNS_TCP || reply->oversized)
        return DNS_PACKET_MAX;
    return reply->query.udp_size < DNS_UDP_MOST ? reply->query.udp_size : DNS_UDP_MOST;
}

static void write_reply(struct dns_reply *reply)
{
    struct dns_packet *packet = dns_packet_new(reply->arena, &reply->query, size_limit(reply));
    write_items(reply, packet);
    hit_written(reply);
    struct dns_packet_head head = {.rcode = reply->rcode,
                                   .authoritative = reply->authoritative,
                                   .truncated = reply->truncated,
                                   .id = reply->query.id};
    if (reply->wrong_id)
        head.id ^= 0xffff;
    reply->packet = dns_packet_finish(packet, &head, &reply->length);
    if (reply->malformed)
        reply->length -= (reply->length - DNS_HEADER_SIZE) / 2;
}

/* --- the journal's word --- */

static void summarize(struct dns_reply *reply)
{
    const char *text = NULL;
    unsigned told = 0;
    for (size_t i = 0; i < reply->items.count && told < SUMMARY_MAX; i++) {
        const struct dns_item *item = &reply->items.items[i];
        if (item->section != DNS_ANSWER_SECTION || item->made != NULL)
            continue;
        bool alias = item->rrset->type == LDNS_RR_TYPE_CNAME && reply->query.type != LDNS_RR_TYPE_CNAME;
        text = arena_printf(reply->arena, "%s%s%s%s", text != NULL ? text : "", text != NULL ? ", " : "",
                            alias ? "alias of " : "", dns_rrset_summary(reply->arena, item->rrset));
        told++;
    }
    if (text != NULL && reply->summary != NULL)
        text = arena_printf(reply->arena, "%s, %s", text, reply->summary);
    else if (text == NULL)
        text = reply->summary != NULL ? reply->summary : "";
    reply->summary = reply->truncated ? "truncated" : text;
}

static const ldns_lookup_table rcodes[] = {
    {LDNS_RCODE_NOERROR, "NOERROR"},   {LDNS_RCODE_FORMERR, "FORMERR"}, {LDNS_RCODE_SERVFAIL, "SERVFAIL"},
    {LDNS_RCODE_NXDOMAIN, "NXDOMAIN"}, {LDNS_RCODE_NOTIMPL, "NOTIMP"},  {LDNS_RCODE_REFUSED, "REFUSED"},
    {LDNS_RCODE_YXDOMAIN, "YXDOMAIN"}, {DNS_RCODE_BADVERS, "BADVERS"},
};

const char *dns_rcode_text(unsigned rcode)
{
    for (size_t i = 0; i < COUNT(rcodes); i++)
        if (rcodes[i].id == (int)rcode)
            return rcodes[i].name;
    return "?";
}

void dns_answer(struct arena *arena, const struct dns_view *view, enum dns_transport transport, const uint8_t *query,
                size_t length, struct dns_reply *reply)
{
    *reply = (struct dns_reply){.arena = arena, .view = view, .transport = transport, .deed = DNS_IGNORE};
    if (!dns_query_read(arena, query, length, &reply->query))
        return;
    reply->deed = DNS_SEND;
    reply->rcode = reply->query.rcode;
    if (reply->rcode == LDNS_RCODE_NOERROR)
        find_answer(reply);
    if (reply->deed == DNS_SEND)
        write_reply(reply);
    summarize(reply);
}
