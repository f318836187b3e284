/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/resolve.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/dns_query.h"
#include "engine/domain_name.h"
#include "engine/hosts.h"
#include "engine/tlsa.h"

struct resolve {
    struct dns_options options;
    struct loop *loop;
    struct dns_query *query;
};

struct resolve *resolve_new(const struct dns_options *options, struct loop *loop, struct err *err)
{
    struct dns_query *query = dns_query_new(options, loop, err);
    if (query == NULL)
        return NULL;
    struct resolve *resolve = calloc(1, sizeof *resolve);
    if (resolve == NULL)
        abort();
    *resolve = (struct resolve){*options, loop, query};
    return resolve;
}

void resolve_free(struct resolve **resolve)
{
    if (resolve == NULL || *resolve == NULL)
        return;
    dns_query_free(&(*resolve)->query);
    free(*resolve);
    *resolve = NULL;
}

bool resolve_forget(struct resolve *resolve, struct err *err)
{
    return dns_query_forget(resolve->query, err);
}

/* Calls back from the loop, for what needs no question. */
static void later(struct resolve *r, event_callback_fn call, void *arg)
{
    static const struct timeval now = {0};
    if (event_base_once(loop_base(r->loop), -1, EV_TIMEOUT, call, arg, &now) != 0)
        abort();
}

/* MX */

struct mx_search {
    struct arena *arena;
    struct mx_facts facts;
    void (*done)(void *arg, const struct mx_facts *facts);
    void *arg;
};

/* 7505-3: a single "0 ." */
static bool is_null_mx(const struct mx_host *hosts, size_t count)
{
    return count == 1 && hosts[0].preference == 0 && strcmp(hosts[0].name, ".") == 0;
}

/* A host that nobody can connect to: the root, or an address where a name belongs (7672-2.2-13). */
static bool is_no_host(const char *name)
{
    return strcmp(name, ".") == 0 || domain_name_is_address(name);
}

/* All MX records, as they are. False: one is malformed. */
static bool read_mx_records(struct arena *arena, const struct dns_answer *answer, struct mx_host *hosts)
{
    for (size_t i = 0; i < answer->count; i++) {
        const struct dns_record *record = &answer->records[i];
        hosts[i].name = dns_answer_name(arena, answer, record, 2);
        if (hosts[i].name == NULL)
            return false;
        hosts[i].preference = (unsigned)record->data[0] << 8 | record->data[1];
    }
    return true;
}

static void mx_failed(struct mx_facts *facts, enum dns_trust trust, const char *why)
{
    facts->state = MX_LOOKUP_FAILED;
    facts->trust = trust;
    facts->why = why;
}

static void mx_implicit(struct mx_search *search)
{
    struct mx_host *self = arena_alloc(search->arena, sizeof *self);
    self->name = search->facts.domain;
    search->facts.state = MX_IMPLICIT; /* 5321-5.1-5 */
    search->facts.hosts = self;
    search->facts.host_count = 1;
}

static void mx_explicit(struct mx_search *search, const struct dns_answer *answer)
{
    struct mx_facts *facts = &search->facts;
    struct mx_host *hosts = arena_alloc(search->arena, answer->count * sizeof *hosts);
    if (!read_mx_records(search->arena, answer, hosts)) {
        mx_failed(facts, TRUST_FAILED, arena_printf(search->arena, "MX %s: a record is malformed", facts->domain));
        return;
    }
    if (is_null_mx(hosts, answer->count)) {
        facts->state = MX_NULL;
        facts->why = arena_printf(search->arena, "%s takes no mail (null MX)", facts->domain);
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < answer->count; i++)
        if (!is_no_host(hosts[i].name))
            hosts[count++] = hosts[i];
    hosts_order(hosts, count, hosts_random);
    facts->state = count > 0 ? MX_FOUND : MX_NO_ADDRESS;
    facts->hosts = hosts;
    facts->host_count = count;
    if (count == 0)
        facts->why = arena_printf(search->arena, "no MX record of %s names a host", facts->domain);
}

static void on_mx(void *arg, const struct dns_result *result)
{
    struct mx_search *search = arg;
    struct mx_facts *facts = &search->facts;
    facts->trust = result->trust;
    facts->why = result->why;
    facts->expanded = result->answer.expanded;
    facts->signed_until = result->answer.signed_until;
    if (trust_is_failure(result->trust)) { /* never an absence (7672-2.1.2-1) */
        mx_failed(facts, result->trust, result->why);
    } else if (result->nxdomain) {
        facts->state = MX_NO_DOMAIN;
        facts->why = arena_printf(search->arena, "%s does not exist", facts->expanded);
    } else if (result->answer.count == 0) {
        mx_implicit(search);
    } else {
        mx_explicit(search, &result->answer);
    }
    search->done(search->arg, facts);
}

static void on_no_mx_question(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct mx_search *search = arg;
    search->done(search->arg, &search->facts);
}

void resolve_mx(struct resolve *r, struct arena *arena, const char *domain, bool override_bogus,
                void (*done)(void *arg, const struct mx_facts *facts), void *arg)
{
    struct mx_search *search = arena_alloc(arena, sizeof *search);
    const char *name = domain_name_ascii(arena, domain);
    *search = (struct mx_search){.arena = arena, .done = done, .arg = arg};
    search->facts.domain = search->facts.expanded = name != NULL ? name : arena_strdup(arena, domain);
    if (name == NULL) { /* no resolver is needed to prove it */
        search->facts.state = MX_NO_DOMAIN;
        search->facts.trust = TRUST_SECURE;
        search->facts.why = "this cannot be a domain name";
        later(r, on_no_mx_question, search);
        return;
    }
    dns_query_ask(r->query, arena, name, DNS_MX, override_bogus ? DNS_OVERRIDE_BOGUS : DNS_VALIDATED, on_mx, search);
}

/* Hosts: addresses first, then TLSA (7672-2.2.2-5) */

enum { FAMILY_V6, FAMILY_V4, FAMILY_COUNT };

struct host_search {
    struct resolve *resolve;
    struct arena *arena;
    struct host_facts facts;
    bool ask_tlsa;
    enum dns_how how;
    uint16_t port;
    struct family {
        bool asked;
        struct dns_result result;
        struct host_search *search;
    } families[FAMILY_COUNT];
    unsigned waiting;
    const char *candidates[2]; /* TLSA base domains, in the order to try */
    size_t candidate_count, candidate;
    bool insecure_tlsa;
    void (*done)(void *arg, const struct host_facts *facts);
    void *arg;
};

/* Of several answers the first signature to end counts. */
static void note_signatures(struct host_facts *facts, const struct dns_result *result)
{
    int64_t until = result->answer.signed_until;
    if (until != 0 && (facts->signed_until == 0 || until < facts->signed_until))
        facts->signed_until = until;
}

static void host_done(struct host_search *search)
{
    search->done(search->arg, &search->facts);
}

/* 7672-2.2.3: the candidate's TLSA records decide, all others are passed over. */
static void take_tlsa(struct host_search *search, const struct dns_answer *answer)
{
    struct host_facts *facts = &search->facts;
    struct tlsa_record *records = arena_alloc(search->arena, answer->count * sizeof *records);
    size_t parsed = 0, unusable;
    for (size_t i = 0; i < answer->count; i++)
        if (tlsa_parse(answer->records[i].data, answer->records[i].length, &records[parsed]))
            parsed++;
    facts->records = records;
    facts->record_count = tlsa_select(records, parsed, &unusable);
    facts->published_count = parsed;
    facts->unusable_count = unusable + answer->count - parsed;
    facts->tlsa = facts->record_count > 0 ? TLSA_USABLE : TLSA_UNUSABLE;
    facts->tlsa_base = search->candidates[search->candidate];
}

static void tlsa_failed(struct host_search *search, const struct dns_result *result)
{
    search->facts.tlsa = TLSA_LOOKUP_FAILED;
    search->facts.why = result->why;
}

static void ask_next_tlsa(struct host_search *search);

static void on_tlsa(void *arg, const struct dns_result *result)
{
    struct host_search *search = arg;
    if (trust_is_failure(result->trust)) { /* final, also at the first candidate (7672-2.2.2-13) */
        tlsa_failed(search, result);
        host_done(search);
        return;
    }
    note_signatures(&search->facts, result);
    if (result->trust == TRUST_SECURE && result->answer.count > 0) {
        take_tlsa(search, &result->answer);
        host_done(search);
        return;
    }
    if (result->trust != TRUST_SECURE)
        search->insecure_tlsa = true;
    search->candidate++;
    ask_next_tlsa(search);
}

static void ask_next_tlsa(struct host_search *search)
{
    if (search->candidate == search->candidate_count) {
        search->facts.tlsa = search->insecure_tlsa ? TLSA_INSECURE : TLSA_ABSENT;
        host_done(search);
        return;
    }
    const char *name = arena_printf(search->arena, "_%u._tcp.%s", search->port, search->candidates[search->candidate]);
    dns_query_ask(search->resolve->query, search->arena, name, DNS_TLSA, DNS_VALIDATED, on_tlsa, search);
}

/* 7672-2.1.3-5: insecure addresses do not say whether it was the first alias that was insecure. */
static void on_own_alias(void *arg, const struct dns_result *result)
{
    struct host_search *search = arg;
    if (trust_is_failure(result->trust)) {
        tlsa_failed(search, result);
        host_done(search);
    } else if (result->trust == TRUST_SECURE && result->answer.count > 0) {
        search->candidates[search->candidate_count++] = search->facts.name; /* 7672-2.2.2-10 */
        ask_next_tlsa(search);
    } else {
        host_done(search);
    }
}

static void find_tlsa(struct host_search *search)
{
    struct host_facts *facts = &search->facts;
    bool alias = strcmp(facts->name, facts->expanded) != 0;
    if (!search->ask_tlsa || facts->address_count == 0) {
        host_done(search);
    } else if (facts->trust == TRUST_SECURE) { /* 7672-2.2.2-11: never the names between (7672-2.2.3-10) */
        search->candidates[search->candidate_count++] = facts->expanded;
        if (alias)
            search->candidates[search->candidate_count++] = facts->name;
        ask_next_tlsa(search);
    } else if (alias) {
        dns_query_ask(search->resolve->query, search->arena, facts->name, DNS_CNAME, DNS_VALIDATED, on_own_alias,
                      search);
    } else { /* 7672-2.2.2-7 */
        host_done(search);
    }
}

static bool set_address(const struct dns_record *record, int family, uint16_t port, struct netaddr *out)
{
    *out = (struct netaddr){0};
    if (family == FAMILY_V4 && record->length == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&out->addr;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, record->data, 4);
        out->length = sizeof *v4;
    } else if (family == FAMILY_V6 && record->length == 16) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->addr;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        memcpy(&v6->sin6_addr, record->data, 16);
        out->length = sizeof *v6;
    }
    return out->length > 0;
}

static bool is_usable(const struct family *family)
{
    return family->asked && !trust_is_failure(family->result.trust);
}

/* Thousands of deliveries may hold theirs while they wait: no more room than is needed. */
static struct netaddr *room_for_addresses(const struct host_search *search)
{
    size_t count = 0;
    for (int f = 0; f < FAMILY_COUNT; f++)
        if (is_usable(&search->families[f]))
            count += search->families[f].result.answer.count;
    return arena_alloc(search->arena,
                       (count < HOST_ADDRESSES_MAX ? count : HOST_ADDRESSES_MAX) * sizeof(struct netaddr));
}

/* In the resolver's order, the families taking turns, so that a dead one costs one time-out (5321-5.1-14). */
static void take_addresses(struct host_search *search)
{
    struct netaddr *addresses = room_for_addresses(search);
    size_t count = 0;
    bool more = true;
    for (size_t i = 0; more && count < HOST_ADDRESSES_MAX; i++) {
        more = false;
        for (int f = 0; f < FAMILY_COUNT && count < HOST_ADDRESSES_MAX; f++) {
            const struct family *family = &search->families[f];
            if (!is_usable(family) || i >= family->result.answer.count)
                continue;
            more = true;
            count += set_address(&family->result.answer.records[i], f, search->port, &addresses[count]);
        }
    }
    search->facts.addresses = addresses;
    search->facts.address_count = count;
}

/* Not asked is best, then the order of the enum: the weaker one of two answers counts for both. */
static enum dns_trust weaker(enum dns_trust a, enum dns_trust b)
{
    return a > b ? a : b;
}

/* 7672-2.2.2-13, read strictly: one family that fails makes a host of which DANE wants to know unreachable, unless the
 * other one has shown that nothing is secure here. Without DANE, addresses are addresses. */
static bool tolerates_failure(const struct host_search *search, const struct family *good)
{
    return is_usable(good) && good->result.answer.count > 0 &&
           (!search->ask_tlsa || good->result.trust != TRUST_SECURE);
}

static bool families_failed(struct host_search *search)
{
    for (int f = 0; f < FAMILY_COUNT; f++) {
        const struct family *family = &search->families[f];
        if (family->asked && trust_is_failure(family->result.trust) &&
            !tolerates_failure(search, &search->families[!f])) {
            search->facts.trust = family->result.trust;
            search->facts.why = family->result.why;
            return true;
        }
    }
    return false;
}

static void conclude_addresses(struct host_search *search)
{
    struct host_facts *facts = &search->facts;
    if (families_failed(search)) {
        host_done(search);
        return;
    }
    for (int f = 0; f < FAMILY_COUNT; f++) {
        const struct family *family = &search->families[f];
        if (!is_usable(family))
            continue;
        facts->trust = weaker(facts->trust, family->result.trust);
        facts->expanded = family->result.answer.expanded;
        note_signatures(facts, &family->result);
        if (family->result.why != NULL)
            facts->why = family->result.why;
    }
    take_addresses(search);
    if (facts->address_count == 0)
        facts->why = arena_printf(search->arena, "%s has no address", facts->name);
    find_tlsa(search);
}

static void on_family(void *arg, const struct dns_result *result)
{
    struct family *family = arg;
    family->result = *result;
    if (--family->search->waiting == 0)
        conclude_addresses(family->search);
}

static void on_no_host_question(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    host_done(arg);
}

static void ask_family(struct host_search *search, int f, uint16_t type)
{
    search->families[f].asked = true;
    search->families[f].search = search;
    search->waiting++;
    dns_query_ask(search->resolve->query, search->arena, search->facts.name, type, search->how, on_family,
                  &search->families[f]);
}

/* An address instead of a name: nothing to ask, and no DANE (7672-2.2-12). */
static bool take_literal(struct host_search *search, const char *host)
{
    struct netaddr *address = arena_alloc(search->arena, sizeof *address);
    if (!netaddr_parse(host, search->port, address, NULL))
        return false;
    search->facts.name = search->facts.expanded = arena_strdup(search->arena, host);
    search->facts.trust = TRUST_INSECURE;
    search->facts.addresses = address;
    search->facts.address_count = 1;
    return true;
}

static void start_host(struct host_search *search, const char *host)
{
    struct resolve *r = search->resolve;
    if (take_literal(search, host)) {
        later(r, on_no_host_question, search);
        return;
    }
    char *name = text_name(search->arena, host);
    search->facts.name = search->facts.expanded = name;
    if (!r->options.ipv4 && !r->options.ipv6) {
        search->facts.why = "neither IPv4 nor IPv6 is switched on";
        later(r, on_no_host_question, search);
        return;
    }
    if (r->options.ipv6)
        ask_family(search, FAMILY_V6, DNS_AAAA);
    if (r->options.ipv4)
        ask_family(search, FAMILY_V4, DNS_A);
}

void resolve_host(struct resolve *r, struct arena *arena, const char *host, uint16_t port, bool ask_tlsa,
                  bool override_bogus, void (*done)(void *arg, const struct host_facts *facts), void *arg)
{
    struct host_search *search = arena_alloc(arena, sizeof *search);
    *search = (struct host_search){.resolve = r,
                                   .arena = arena,
                                   .ask_tlsa = ask_tlsa,
                                   .port = port != 0 ? port : r->options.port,
                                   .done = done,
                                   .arg = arg};
    search->how = override_bogus ? DNS_OVERRIDE_BOGUS : DNS_VALIDATED;
    start_host(search, host);
}

void resolve_addresses(struct resolve *r, struct arena *arena, const char *name, uint16_t port,
                       void (*done)(void *arg, const struct host_facts *facts), void *arg)
{
    struct host_search *search = arena_alloc(arena, sizeof *search);
    *search = (struct host_search){
        .resolve = r, .arena = arena, .how = DNS_VALIDATED, .port = port, .done = done, .arg = arg};
    start_host(search, name);
}

/* TXT */

struct txt_search {
    struct arena *arena;
    struct txt_facts facts;
    void (*done)(void *arg, const struct txt_facts *facts);
    void *arg;
};

/* The strings of one record behind each other (8461-3.1-10). NULL: malformed. */
static char *join_strings(struct arena *arena, const struct dns_record *record)
{
    char *text = arena_alloc(arena, record->length + 1);
    size_t length = 0;
    for (size_t at = 0; at < record->length;) {
        size_t part = record->data[at++];
        if (part > record->length - at)
            return NULL;
        memcpy(text + length, record->data + at, part);
        length += part;
        at += part;
    }
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = '\x01';
    return text;
}

static void on_txt(void *arg, const struct dns_result *result)
{
    struct txt_search *search = arg;
    struct txt_facts *facts = &search->facts;
    facts->trust = result->trust;
    facts->why = result->why;
    if (!trust_is_failure(result->trust) && result->answer.count > 0) {
        facts->exists = true;
        facts->records = arena_alloc(search->arena, result->answer.count * sizeof *facts->records);
        for (size_t i = 0; i < result->answer.count; i++) {
            char *text = join_strings(search->arena, &result->answer.records[i]);
            if (text != NULL)
                facts->records[facts->count++] = text;
        }
    }
    search->done(search->arg, facts);
}

static void ask_txt(struct resolve *r, struct arena *arena, const char *name, enum dns_how how,
                    void (*done)(void *arg, const struct txt_facts *facts), void *arg)
{
    struct txt_search *search = arena_alloc(arena, sizeof *search);
    *search = (struct txt_search){.arena = arena, .done = done, .arg = arg};
    dns_query_ask(r->query, arena, name, DNS_TXT, how, on_txt, search);
}

void resolve_txt(struct resolve *r, struct arena *arena, const char *name,
                 void (*done)(void *arg, const struct txt_facts *facts), void *arg)
{
    ask_txt(r, arena, name, DNS_VALIDATED, done, arg);
}

void resolve_txt_afresh(struct resolve *r, struct arena *arena, const char *name,
                        void (*done)(void *arg, const struct txt_facts *facts), void *arg)
{
    ask_txt(r, arena, name, DNS_PAST_CACHE, done, arg);
}
