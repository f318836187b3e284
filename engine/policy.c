/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/policy.h"

/* What one mechanism says about the host; both are then put together. */

static struct policy_decision try_host(enum tls_demand demand, const char *clause, const char *because)
{
    return (struct policy_decision){.act = ACT_TRY, .demand = demand, .clause = clause, .because = because};
}

static struct policy_decision skip_host(enum policy_reason reason, const char *clause, const char *because)
{
    return (struct policy_decision){.act = ACT_SKIP_HOST, .reason = reason, .clause = clause, .because = because};
}

static struct policy_decision no_demand(void)
{
    return try_host(DEMAND_NOTHING, "7435-3", "nothing is known of this host that would have to hold: TLS if it can");
}

/* A lookup that failed is never an absence. Who looks at DANE is told that it was a matter of DNSSEC. */
static struct policy_decision decide_lookups(const struct policy_facts *f)
{
    bool bogus = f->mx_trust == TRUST_BOGUS || f->host_trust == TRUST_BOGUS;
    enum policy_reason reason = bogus && f->dane != DANE_NONE ? REASON_DNSSEC_INVALID : REASON_DNS_FAILED;
    if (trust_is_failure(f->mx_trust))
        return skip_host(reason, "7672-2.1.2-1", "the MX lookup failed");
    if (trust_is_failure(f->host_trust))
        return skip_host(reason, "7672-2.1.2-8", "the lookup of the host's addresses failed");
    return no_demand();
}

/* The host's TLSA records, when DANE applies to it. */
static struct policy_decision decide_tlsa(const struct policy_facts *f)
{
    bool mandatory = f->dane == DANE_MANDATORY;
    switch (f->tlsa) {
    case TLSA_LOOKUP_FAILED:
        return skip_host(REASON_DNSSEC_INVALID, "7672-2.1.2-4",
                         "the TLSA lookup failed: the host counts as unreachable");
    case TLSA_USABLE:
        return try_host(DEMAND_DANE, "7672-2.2-3", "usable, secure TLSA records: the host must authenticate by them");
    case TLSA_UNUSABLE:
        if (mandatory)
            return skip_host(REASON_TLSA_INVALID, "7672-6-1",
                             "DANE is mandatory, and no TLSA record of the host is usable");
        return try_host(DEMAND_TLS, "7672-2.2-5", "secure TLSA records, none usable: encryption, unauthenticated");
    case TLSA_NOT_ASKED:
    case TLSA_ABSENT:
    case TLSA_INSECURE:
        break;
    }
    if (mandatory)
        return skip_host(REASON_DANE_REQUIRED, "7672-6-1",
                         "DANE is mandatory, and the host has no secure TLSA records");
    return try_host(DEMAND_NOTHING, "7672-2.2-8", "the host provably has no secure TLSA records: TLS if it can");
}

static struct policy_decision decide_dane(const struct policy_facts *f)
{
    if (f->dane == DANE_NONE)
        return no_demand();
    if (f->mx_trust == TRUST_SECURE)
        return decide_tlsa(f);
    if (f->dane == DANE_MANDATORY)
        return skip_host(REASON_DANE_REQUIRED, "7672-2.2.1-7", "DANE is mandatory, and the MX records are not secure");
    if (f->dane_insecure_mx_use)
        return decide_tlsa(f); /* 7672-2.2.1-9 */
    return try_host(DEMAND_NOTHING, "7672-2.2.1-8", "the MX records are not secure: TLS if the host can");
}

static bool enforces(const struct policy_facts *f)
{
    return f->mta_sts != MTA_STS_NONE && f->sts == STS_ENFORCE;
}

static bool tests(const struct policy_facts *f)
{
    return f->mta_sts != MTA_STS_NONE && f->sts == STS_TESTING;
}

static struct policy_decision decide_sts(const struct policy_facts *f)
{
    if (f->mta_sts == MTA_STS_MANDATORY && f->sts != STS_ENFORCE)
        return skip_host(REASON_STS_CERTIFICATE, "8461-5-1", "MTA-STS is mandatory, and no enforce policy is in force");
    if (!enforces(f)) /* 8461-5-2, 8461-5-4 */
        return no_demand();
    if (!f->sts_mx_match)
        return skip_host(REASON_STS_MX_MISMATCH, "8461-4-1", "the enforce policy in force does not list this MX host");
    return try_host(DEMAND_PKIX, "8461-4-2", "an enforce policy in force: a valid certificate for the MX host");
}

/* DANE that passes behind a secure MX is not overridden by a policy that fails (8461-2): the policy is then watched,
 * not demanded. Behind an insecure MX it would be the forger's own DANE. */
static bool dane_outranks_sts(const struct policy_facts *f, const struct policy_decision *by_dane)
{
    return by_dane->demand == DEMAND_DANE && f->mx_trust == TRUST_SECURE && !f->dane_pass_sts_fail_block &&
           f->mta_sts != MTA_STS_MANDATORY;
}

/* A host that either of them refuses is refused: MTA-STS never rescues a failing DANE (8461-2). */
static struct policy_decision both(const struct policy_facts *f, struct policy_decision by_dane,
                                   struct policy_decision by_sts)
{
    if (by_dane.act == ACT_SKIP_HOST)
        return by_dane;
    if (dane_outranks_sts(f, &by_dane)) {
        by_dane.watch_pkix = enforces(f);
        return by_dane;
    }
    if (by_sts.act == ACT_SKIP_HOST || by_sts.demand == DEMAND_NOTHING)
        return by_sts.act == ACT_SKIP_HOST ? by_sts : by_dane;
    if (by_dane.demand == DEMAND_DANE)
        by_sts =
            try_host(DEMAND_DANE_AND_PKIX, "8461-4-2", "usable TLSA records and an enforce policy: both must hold");
    return by_sts;
}

/* The connector's own demand; the rest of it is looked at with the certificate. */
static void add_connector(const struct policy_facts *f, struct policy_decision *decision)
{
    if (f->tls == TLS_SETTING_OPPORTUNISTIC || decision->demand != DEMAND_NOTHING)
        return;
    decision->demand = DEMAND_TLS;
    decision->clause = "3207-6-1";
    decision->because = "the connector demands TLS";
}

bool policy_waives_tls(const struct policy_facts *f)
{
    return f->message == MESSAGE_TLS_WAIVED && f->dane != DANE_MANDATORY && f->mta_sts != MTA_STS_MANDATORY &&
           f->tls == TLS_SETTING_OPPORTUNISTIC;
}

/* Does DNSSEC or an enforce policy vouch for the host's name? A name that no MX record gave needs nobody (8689-2-3). */
static bool name_is_vouched_for(const struct policy_facts *f)
{
    return f->mx_trust == TRUST_SECURE || !f->by_mx_record || (enforces(f) && f->sts_mx_match);
}

static bool demands_requiretls(const struct policy_facts *f)
{
    return f->message == MESSAGE_REQUIRETLS && !f->report;
}

/* The certificate: by DANE, by a trusted authority, or by the name that the connector wants in it (8689-2-4). */
static void add_requiretls(const struct policy_facts *f, struct policy_decision *decision)
{
    bool verified = decision->demand >= DEMAND_DANE || f->tls == TLS_SETTING_DOMAIN_VALIDATION;
    if (f->message != MESSAGE_REQUIRETLS || !name_is_vouched_for(f))
        return;
    decision->requiretls = f->report ? REQUIRETLS_WISHED : REQUIRETLS_DEMANDED;
    decision->watch_pkix |= f->report && !verified;
    if (f->report || verified)
        return;
    decision->demand = DEMAND_PKIX;
    decision->clause = "8689-2-4";
    decision->because = "the message says REQUIRETLS, and no TLSA record decides: a valid certificate for the MX host";
}

/* 7672-2.2.1-11 */
static bool authenticates_domain(const struct policy_facts *f, enum tls_demand demand)
{
    bool by_dane = (demand == DEMAND_DANE || demand == DEMAND_DANE_AND_PKIX) && f->mx_trust == TRUST_SECURE;
    return by_dane || demand == DEMAND_PKIX || demand == DEMAND_DANE_AND_PKIX;
}

struct policy_decision policy_decide(const struct policy_facts *f)
{
    struct policy_decision decision = decide_lookups(f);
    if (decision.act == ACT_SKIP_HOST)
        return decision;
    if (policy_waives_tls(f))
        return try_host(DEMAND_NOTHING, "8689-4.2.2-1", "the message says TLS-Required: No: TLS if the host can");
    if (demands_requiretls(f) && !name_is_vouched_for(f))
        return skip_host(REASON_REQUIRETLS_CHANNEL, "8689-2-3",
                         "the message says REQUIRETLS, and neither DNSSEC nor an MTA-STS policy vouches for the host");
    decision = both(f, decide_dane(f), decide_sts(f));
    if (decision.act == ACT_SKIP_HOST)
        return decision;
    decision.watch_pkix |= tests(f);
    add_connector(f, &decision);
    add_requiretls(f, &decision);
    decision.authenticated_domain = authenticates_domain(f, decision.demand);
    return decision;
}
