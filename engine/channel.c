/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/channel.h"

#include "base/text.h"
#include "engine/domain_name.h"

struct channel_setting channel_setting(const struct engine_config *config, const struct connector *connector)
{
    return (struct channel_setting){
        .dane = connector_dane(connector),
        .mta_sts = connector_mta_sts(connector),
        .tls = connector_tls(connector),
        .tls_domain = connector != NULL ? connector->tls_domain : NULL,
        .insecure_mx_use = config->insecure_mx == INSECURE_MX_USE,
        .pass_fail_block = config->pass_fail == PASS_FAIL_BLOCK,
        .accept_bogus = config->accept_bogus,
        .as_exchange = config->profile == PROFILE_EXCHANGE,
    };
}

struct channel_setting channel_without_demands(struct channel_setting setting)
{
    setting.dane = DANE_NONE;
    setting.mta_sts = MTA_STS_NONE;
    setting.tls = TLS_SETTING_OPPORTUNISTIC;
    return setting;
}

/* What nothing can come of is not asked. */
static bool waives_tls(const struct channel_setting *setting)
{
    return policy_waives_tls(&(struct policy_facts){
        .dane = setting->dane, .mta_sts = setting->mta_sts, .tls = setting->tls, .message = setting->message});
}

bool channel_asks_tlsa(const struct channel_setting *setting, const struct mx_facts *mx)
{
    return setting->dane != DANE_NONE && (mx->trust == TRUST_SECURE || setting->insecure_mx_use) &&
           !waives_tls(setting);
}

bool channel_asks_sts(const struct channel_setting *setting)
{
    return setting->mta_sts != MTA_STS_NONE && !waives_tls(setting);
}

bool channel_overrides_bogus(const struct channel_setting *setting)
{
    return setting->dane == DANE_NONE && setting->accept_bogus;
}

struct policy_facts channel_facts(const struct channel_setting *setting, const struct mx_facts *mx,
                                  const struct host_facts *host, const struct sts_facts *sts)
{
    return (struct policy_facts){
        .dane = setting->dane,
        .mta_sts = setting->mta_sts,
        .tls = setting->tls,
        .mx_trust = mx->trust,
        .host_trust = host->trust,
        .tlsa = host->tlsa,
        .sts = sts != NULL ? sts->mode : STS_ABSENT,
        .sts_mx_match = sts != NULL && sts_mx_matches(sts->mx, sts->mx_count, host->name),
        .by_mx_record = mx->state == MX_FOUND,
        .message = setting->message,
        .report = setting->report,
        .dane_insecure_mx_use = setting->insecure_mx_use,
        .dane_pass_sts_fail_block = setting->pass_fail_block,
    };
}

/* Why there is no host to try; CAUSE_NONE: there is one. A negative answer bounces, but not where the connector demands
 * DANE and DNSSEC does not prove it, nor where it is the administrator's own smart host that is missing. */
struct failure channel_no_host(const struct channel_setting *setting, const struct mx_facts *mx, bool by_smart_host)
{
    static const enum cause of_state[] = {
        [MX_FOUND] = CAUSE_NONE,          [MX_IMPLICIT] = CAUSE_NONE,         [MX_NULL] = CAUSE_NULL_MX,
        [MX_NO_DOMAIN] = CAUSE_NO_DOMAIN, [MX_NO_ADDRESS] = CAUSE_NO_ADDRESS, [MX_LOOKUP_FAILED] = CAUSE_DNS_FAILED,
        [MX_LOOP] = CAUSE_LOOP,
    };
    static_assert(COUNT(of_state) == MX_STATE_COUNT, "every state has its cause");
    static const char *const denials[] = {
        [CAUSE_NULL_MX] = "the domain says it takes no mail",
        [CAUSE_NO_DOMAIN] = "the domain does not exist",
        [CAUSE_LOOP] = "the domain says its mail host is this server",
    };
    struct failure f = {.cause = of_state[mx->state], .text = mx->why};
    if (f.cause == CAUSE_NONE && mx->host_count == 0)
        f.cause = CAUSE_NO_ADDRESS;
    bool bounces = f.cause < COUNT(denials) && denials[f.cause] != NULL;
    if (bounces && by_smart_host)
        f = (struct failure){.cause = CAUSE_DNS_FAILED, .text = "the smart host does not exist or takes no mail"};
    else if (bounces && setting->dane == DANE_MANDATORY && mx->trust != TRUST_SECURE)
        f = (struct failure){.cause = CAUSE_INSECURE_DENIAL, .text = denials[f.cause]};
    if (f.cause == CAUSE_DNS_FAILED && mx->trust == TRUST_BOGUS && setting->dane != DANE_NONE && !setting->as_exchange)
        f.reason = REASON_DNSSEC_INVALID; /* the service itself says 4.4.312 */
    return f;
}

const char *channel_address(struct arena *arena, const char *hop)
{
    const char *inside = message_literal(arena, hop);
    return inside == NULL && domain_name_is_address(hop) ? hop : inside;
}

const struct mx_facts *channel_literal(struct arena *arena, const char *address, uint16_t port,
                                       const struct host_facts **host)
{
    struct netaddr *to = arena_alloc(arena, sizeof *to);
    struct host_facts *facts = arena_alloc(arena, sizeof *facts);
    struct mx_facts *mx = arena_alloc(arena, sizeof *mx);
    struct mx_host *only = arena_alloc(arena, sizeof *only);
    only->name = address;
    *mx = (struct mx_facts){.state = MX_IMPLICIT,
                            .trust = TRUST_INSECURE,
                            .domain = address,
                            .expanded = address,
                            .hosts = only,
                            .host_count = 1};
    *facts = (struct host_facts){.name = address, .expanded = address, .trust = TRUST_INSECURE, .tlsa_base = address};
    if (netaddr_parse(address, port, to, NULL)) {
        facts->addresses = to;
        facts->address_count = 1;
    }
    *host = facts;
    return mx;
}

const struct host_facts *channel_outward(struct arena *arena, const struct host_facts *host, bool by_smart_host)
{
    struct netaddr *addresses = arena_alloc(arena, (host->address_count + 1) * sizeof *addresses);
    struct host_facts *out = arena_memdup(arena, host, sizeof *host);
    out->addresses = addresses;
    out->address_count = 0;
    for (size_t i = 0; i < host->address_count; i++)
        if (by_smart_host || netaddr_leads_out((const struct sockaddr *)&host->addresses[i].addr))
            addresses[out->address_count++] = host->addresses[i];
    if (out->address_count == 0 && host->address_count > 0)
        out->why = arena_printf(arena, "%s has no address of another machine", host->name);
    return out;
}

bool channel_demands_tls(const struct channel_setting *setting, const struct policy_decision *decision)
{
    return decision->demand != DEMAND_NOTHING || setting->tls != TLS_SETTING_OPPORTUNISTIC;
}

/* The names that a certificate under DANE-TA may carry besides the TLSA base domain: only what DNSSEC vouches for
 * (7672-3.2.2, erratum 6283). */
static void name_dane_references(struct arena *arena, const struct mx_facts *mx, struct tls_demands *demands)
{
    if (mx->trust != TRUST_SECURE)
        return;
    const char **names = arena_alloc(arena, 2 * sizeof *names);
    names[0] = mx->domain;
    names[1] = mx->expanded != NULL ? mx->expanded : mx->domain;
    demands->dane_names = names;
    demands->dane_name_count = text_name_equal(names[0], names[1]) ? 1 : 2;
}

struct tls_demands channel_demands(struct arena *arena, const struct channel_setting *setting,
                                   const struct policy_decision *decision, const struct mx_facts *mx,
                                   const struct host_facts *host)
{
    bool with_tlsa = host->tlsa == TLSA_USABLE || host->tlsa == TLSA_UNUSABLE;
    const char *base = with_tlsa && host->tlsa_base != NULL ? host->tlsa_base : host->name;
    struct tls_demands demands = {
        .demand = decision->demand,
        .watch_pkix = decision->watch_pkix,
        .sni = domain_name_is_address(base) ? NULL : base, /* 6066-3: never an address */
        .pkix_host = host->name,
        .records = host->records,
        .record_count = host->record_count,
        .tlsa_base = base,
        .connector = setting->tls,
        .tls_domain = setting->tls_domain,
        .as_exchange = setting->as_exchange,
    };
    name_dane_references(arena, mx, &demands);
    return demands;
}
