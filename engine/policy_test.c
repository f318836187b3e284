/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/policy.h"

#include <string.h>

#include "base/testing.h"

/* Most rows differ from one of these in a word or two. */
#define BASE                                                                                                           \
    .mx_trust = TRUST_SECURE, .host_trust = TRUST_SECURE, .tlsa = TLSA_ABSENT, .sts_mx_match = true,                   \
    .by_mx_record = true
#define OPPORTUNISTIC .dane = DANE_OPPORTUNISTIC, .mta_sts = MTA_STS_NONE
#define MANDATORY .dane = DANE_MANDATORY, .mta_sts = MTA_STS_NONE
#define NEITHER .dane = DANE_NONE, .mta_sts = MTA_STS_NONE
#define STS_ONLY .dane = DANE_NONE, .mta_sts = MTA_STS_OPPORTUNISTIC
#define BOTH .dane = DANE_OPPORTUNISTIC, .mta_sts = MTA_STS_OPPORTUNISTIC
#define MANDATORY_BOTH .dane = DANE_MANDATORY, .mta_sts = MTA_STS_OPPORTUNISTIC
#define INSECURE .mx_trust = TRUST_INSECURE, .host_trust = TRUST_INSECURE, .tlsa = TLSA_NOT_ASKED
#define REQUIRETLS .message = MESSAGE_REQUIRETLS
#define WAIVED .message = MESSAGE_TLS_WAIVED
#define INSECURE_MX .mx_trust = TRUST_INSECURE

#pragma GCC diagnostic ignored "-Woverride-init"

#define F(...)                                                                                                         \
    {                                                                                                                  \
        BASE, __VA_ARGS__                                                                                              \
    }
#define TRY(demand) ACT_TRY, demand, REASON_NONE
#define SKIP(reason) ACT_SKIP_HOST, DEMAND_NOTHING, reason

static const struct row {
    const char *name;
    struct policy_facts facts;
    enum policy_act act;
    enum tls_demand demand;
    enum policy_reason reason;
    bool watch, authenticated;
    enum requiretls_demand requiretls;
    const char *clause;
} rows[] = {
    /* Table 1: MX and addresses */
    {"D1 (a) unsigned, no mechanism", F(NEITHER, INSECURE), TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"D1 (b) unsigned is no obstacle", F(OPPORTUNISTIC, INSECURE), TRY(DEMAND_NOTHING), .clause = "7672-2.2.1-8"},
    {"D1 (c) unsigned is not enough", F(MANDATORY, INSECURE), SKIP(REASON_DANE_REQUIRED), .clause = "7672-2.2.1-7"},
    {"D1 (d) unsigned, no policy", F(STS_ONLY, INSECURE), TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"D1 (e) unsigned, no policy", F(BOTH, INSECURE), TRY(DEMAND_NOTHING), .clause = "7672-2.2.1-8"},
    {"D1 (f) unsigned is not enough", F(MANDATORY_BOTH, INSECURE), SKIP(REASON_DANE_REQUIRED),
     .clause = "7672-2.2.1-7"},
    {"D3 (a) signed, denial", F(NEITHER), TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"D3 (b) signed, authenticated denial", F(OPPORTUNISTIC), TRY(DEMAND_NOTHING), .clause = "7672-2.2-8"},
    {"D3 (c) signed, authenticated denial", F(MANDATORY), SKIP(REASON_DANE_REQUIRED), .clause = "7672-6-1"},
    {"D4 (b) MX signed, host not", F(OPPORTUNISTIC, .host_trust = TRUST_INSECURE, .tlsa = TLSA_NOT_ASKED),
     TRY(DEMAND_NOTHING), .clause = "7672-2.2-8"},
    {"D4 (c) MX signed, host not", F(MANDATORY, .host_trust = TRUST_INSECURE, .tlsa = TLSA_NOT_ASKED),
     SKIP(REASON_DANE_REQUIRED), .clause = "7672-6-1"},
    {"D5 (b) insecure MX, TLSA not elected", F(OPPORTUNISTIC, INSECURE_MX, .tlsa = TLSA_NOT_ASKED), TRY(DEMAND_NOTHING),
     .clause = "7672-2.2.1-8"},
    {"D5 (b) insecure MX, TLSA elected",
     F(OPPORTUNISTIC, INSECURE_MX, .tlsa = TLSA_USABLE, .dane_insecure_mx_use = true), TRY(DEMAND_DANE),
     .clause = "7672-2.2-3"},
    {"D5 (c) insecure MX waits even when elected",
     F(MANDATORY, INSECURE_MX, .tlsa = TLSA_USABLE, .dane_insecure_mx_use = true), SKIP(REASON_DANE_REQUIRED),
     .clause = "7672-2.2.1-7"},
    {"D7 (b) insecure MX elected, all unusable",
     F(OPPORTUNISTIC, INSECURE_MX, .tlsa = TLSA_UNUSABLE, .dane_insecure_mx_use = true), TRY(DEMAND_TLS),
     .clause = "7672-2.2-5"},
    {"D8 (b) insecure MX elected, TLSA fails",
     F(OPPORTUNISTIC, INSECURE_MX, .tlsa = TLSA_LOOKUP_FAILED, .dane_insecure_mx_use = true),
     SKIP(REASON_DNSSEC_INVALID), .clause = "7672-2.1.2-4"},
    {"D8 (b) insecure MX not elected, TLSA fails", F(OPPORTUNISTIC, INSECURE_MX, .tlsa = TLSA_LOOKUP_FAILED),
     TRY(DEMAND_NOTHING), .clause = "7672-2.2.1-8"},
    {"D9 (a) MX bogus", F(NEITHER, .mx_trust = TRUST_BOGUS), SKIP(REASON_DNS_FAILED), .clause = "7672-2.1.2-1"},
    {"D9 (b) MX bogus", F(OPPORTUNISTIC, .mx_trust = TRUST_BOGUS), SKIP(REASON_DNSSEC_INVALID),
     .clause = "7672-2.1.2-1"},
    {"D9 (b) MX SERVFAIL", F(OPPORTUNISTIC, .mx_trust = TRUST_FAILED), SKIP(REASON_DNS_FAILED),
     .clause = "7672-2.1.2-1"},
    {"D9 (a) MX bogus, overridden", F(NEITHER, .mx_trust = TRUST_OVERRIDDEN, .host_trust = TRUST_OVERRIDDEN),
     TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"D9 (d) MX bogus, overridden, a policy still rules", F(STS_ONLY, .mx_trust = TRUST_OVERRIDDEN, .sts = STS_ENFORCE),
     TRY(DEMAND_PKIX), .authenticated = true, .clause = "8461-4-2"},
    {"overridden is never secure", F(OPPORTUNISTIC, .mx_trust = TRUST_OVERRIDDEN, .tlsa = TLSA_USABLE),
     TRY(DEMAND_NOTHING), .clause = "7672-2.2.1-8"},
    {"overridden is never enough for mandatory", F(MANDATORY, .mx_trust = TRUST_OVERRIDDEN, .tlsa = TLSA_USABLE),
     SKIP(REASON_DANE_REQUIRED), .clause = "7672-2.2.1-7"},
    {"D34 (a) address SERVFAIL", F(NEITHER, .host_trust = TRUST_FAILED), SKIP(REASON_DNS_FAILED),
     .clause = "7672-2.1.2-8"},
    {"D34 (b) address bogus", F(OPPORTUNISTIC, .host_trust = TRUST_BOGUS), SKIP(REASON_DNSSEC_INVALID),
     .clause = "7672-2.1.2-8"},
    {"D34 (c) address bogus", F(MANDATORY, .host_trust = TRUST_BOGUS), SKIP(REASON_DNSSEC_INVALID),
     .clause = "7672-2.1.2-8"},
    {"D39 (b) TLSA denial by opt-out", F(OPPORTUNISTIC, .tlsa = TLSA_INSECURE), TRY(DEMAND_NOTHING),
     .clause = "7672-2.2-8"},
    {"D39 (c) TLSA denial by opt-out", F(MANDATORY, .tlsa = TLSA_INSECURE), SKIP(REASON_DANE_REQUIRED),
     .clause = "7672-6-1"},

    /* Table 2: TLSA, in every mode */
    {"T1 (a) usable TLSA, not looked at", F(NEITHER, .tlsa = TLSA_USABLE), TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"T1 (b) usable TLSA", F(OPPORTUNISTIC, .tlsa = TLSA_USABLE), TRY(DEMAND_DANE), .authenticated = true,
     .clause = "7672-2.2-3"},
    {"T1 (c) usable TLSA", F(MANDATORY, .tlsa = TLSA_USABLE), TRY(DEMAND_DANE), .authenticated = true,
     .clause = "7672-2.2-3"},
    {"T1 (d) usable TLSA, not looked at", F(STS_ONLY, .tlsa = TLSA_USABLE), TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"T1 (e) usable TLSA", F(BOTH, .tlsa = TLSA_USABLE), TRY(DEMAND_DANE), .authenticated = true,
     .clause = "7672-2.2-3"},
    {"T4 (b) all unusable: encryption", F(OPPORTUNISTIC, .tlsa = TLSA_UNUSABLE), TRY(DEMAND_TLS),
     .clause = "7672-2.2-5"},
    {"T4 (c) all unusable: wait", F(MANDATORY, .tlsa = TLSA_UNUSABLE), SKIP(REASON_TLSA_INVALID), .clause = "7672-6-1"},
    {"T4 (d) all unusable, not looked at", F(STS_ONLY, .tlsa = TLSA_UNUSABLE), TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"T4 (e) all unusable: encryption", F(BOTH, .tlsa = TLSA_UNUSABLE), TRY(DEMAND_TLS), .clause = "7672-2.2-5"},
    {"T12 (a) TLSA SERVFAIL, not looked at", F(NEITHER, .tlsa = TLSA_LOOKUP_FAILED), TRY(DEMAND_NOTHING),
     .clause = "7435-3"},
    {"T12, T13 (b) TLSA SERVFAIL or bogus", F(OPPORTUNISTIC, .tlsa = TLSA_LOOKUP_FAILED), SKIP(REASON_DNSSEC_INVALID),
     .clause = "7672-2.1.2-4"},
    {"T12 (c) TLSA SERVFAIL", F(MANDATORY, .tlsa = TLSA_LOOKUP_FAILED), SKIP(REASON_DNSSEC_INVALID),
     .clause = "7672-2.1.2-4"},
    {"T15 (b) TLSA insecure", F(OPPORTUNISTIC, .tlsa = TLSA_INSECURE), TRY(DEMAND_NOTHING), .clause = "7672-2.2-8"},
    {"T15 (c) TLSA insecure", F(MANDATORY, .tlsa = TLSA_INSECURE), SKIP(REASON_DANE_REQUIRED), .clause = "7672-6-1"},

    /* Table 4: what STARTTLS trouble meets depends on the demand alone */
    {"S1 (a) clear is fine", F(NEITHER, INSECURE), TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"S1 enforce: TLS and certificate", F(STS_ONLY, INSECURE, .sts = STS_ENFORCE), TRY(DEMAND_PKIX),
     .authenticated = true, .clause = "8461-4-2"},
    {"S1 testing: clear is fine, watched", F(STS_ONLY, INSECURE, .sts = STS_TESTING), TRY(DEMAND_NOTHING),
     .watch = true, .clause = "7435-3"},
    {"S1 connector wants encryption", F(NEITHER, INSECURE, .tls = TLS_SETTING_ENCRYPTION_ONLY), TRY(DEMAND_TLS),
     .clause = "3207-6-1"},

    /* Table 7: MTA-STS */
    {"V1 enforce, listed", F(STS_ONLY, .sts = STS_ENFORCE), TRY(DEMAND_PKIX), .authenticated = true,
     .clause = "8461-4-2"},
    {"V1 testing, listed", F(STS_ONLY, .sts = STS_TESTING), TRY(DEMAND_NOTHING), .watch = true, .clause = "7435-3"},
    {"V1 none", F(STS_ONLY, .sts = STS_MODE_NONE), TRY(DEMAND_NOTHING), .clause = "7435-3"},
    {"V2 enforce, not listed", F(STS_ONLY, .sts = STS_ENFORCE, .sts_mx_match = false), SKIP(REASON_STS_MX_MISMATCH),
     .clause = "8461-4-1"},
    {"V2 testing, not listed", F(STS_ONLY, .sts = STS_TESTING, .sts_mx_match = false), TRY(DEMAND_NOTHING),
     .watch = true, .clause = "7435-3"},
    {"V2 none, not listed", F(STS_ONLY, .sts = STS_MODE_NONE, .sts_mx_match = false), TRY(DEMAND_NOTHING),
     .clause = "7435-3"},
    {"V21 (a) a policy nobody looks at", F(NEITHER, .sts = STS_ENFORCE, .sts_mx_match = false), TRY(DEMAND_NOTHING),
     .clause = "7435-3"},
    {"V24 bogus addresses under enforce", F(STS_ONLY, .host_trust = TRUST_BOGUS, .sts = STS_ENFORCE),
     SKIP(REASON_DNS_FAILED), .clause = "7672-2.1.2-8"},
    {"mandatory MTA-STS without a policy", F(.dane = DANE_OPPORTUNISTIC, .mta_sts = MTA_STS_MANDATORY),
     SKIP(REASON_STS_CERTIFICATE), .clause = "8461-5-1"},
    {"mandatory MTA-STS, testing only", F(.dane = DANE_NONE, .mta_sts = MTA_STS_MANDATORY, .sts = STS_TESTING),
     SKIP(REASON_STS_CERTIFICATE), .clause = "8461-5-1"},
    {"mandatory MTA-STS, listed", F(.dane = DANE_NONE, .mta_sts = MTA_STS_MANDATORY, .sts = STS_ENFORCE),
     TRY(DEMAND_PKIX), .authenticated = true, .clause = "8461-4-2"},
    {"mandatory MTA-STS beside DANE",
     F(.dane = DANE_OPPORTUNISTIC, .mta_sts = MTA_STS_MANDATORY, .tlsa = TLSA_USABLE, .sts = STS_ENFORCE),
     TRY(DEMAND_DANE_AND_PKIX), .authenticated = true, .clause = "8461-4-2"},

    /* Table 8: both */
    {"X1 denial, no policy", F(BOTH), TRY(DEMAND_NOTHING), .clause = "7672-2.2-8"},
    {"X1 denial, testing", F(BOTH, .sts = STS_TESTING), TRY(DEMAND_NOTHING), .watch = true, .clause = "7672-2.2-8"},
    {"X1 denial, enforce", F(BOTH, .sts = STS_ENFORCE), TRY(DEMAND_PKIX), .authenticated = true, .clause = "8461-4-2"},
    {"X1 denial, enforce, not listed", F(BOTH, .sts = STS_ENFORCE, .sts_mx_match = false), SKIP(REASON_STS_MX_MISMATCH),
     .clause = "8461-4-1"},
    {"X2 usable, testing", F(BOTH, .tlsa = TLSA_USABLE, .sts = STS_TESTING), TRY(DEMAND_DANE), .watch = true,
     .authenticated = true, .clause = "7672-2.2-3"},
    {"X2 usable, enforce: DANE decides, the policy is watched", F(BOTH, .tlsa = TLSA_USABLE, .sts = STS_ENFORCE),
     TRY(DEMAND_DANE), .watch = true, .authenticated = true, .clause = "7672-2.2-3"},
    {"X2 usable, enforce, not listed: DANE decides",
     F(BOTH, .tlsa = TLSA_USABLE, .sts = STS_ENFORCE, .sts_mx_match = false), TRY(DEMAND_DANE), .watch = true,
     .authenticated = true, .clause = "7672-2.2-3"},
    {"X2 usable, enforce, switch: both",
     F(BOTH, .tlsa = TLSA_USABLE, .sts = STS_ENFORCE, .dane_pass_sts_fail_block = true), TRY(DEMAND_DANE_AND_PKIX),
     .authenticated = true, .clause = "8461-4-2"},
    {"X2 usable, enforce, not listed, switch",
     F(BOTH, .tlsa = TLSA_USABLE, .sts = STS_ENFORCE, .sts_mx_match = false, .dane_pass_sts_fail_block = true),
     SKIP(REASON_STS_MX_MISMATCH), .clause = "8461-4-1"},
    {"X4 unusable, testing", F(BOTH, .tlsa = TLSA_UNUSABLE, .sts = STS_TESTING), TRY(DEMAND_TLS), .watch = true,
     .clause = "7672-2.2-5"},
    {"X4 unusable, enforce: the certificate", F(BOTH, .tlsa = TLSA_UNUSABLE, .sts = STS_ENFORCE), TRY(DEMAND_PKIX),
     .authenticated = true, .clause = "8461-4-2"},
    {"X4 unusable, enforce, not listed", F(BOTH, .tlsa = TLSA_UNUSABLE, .sts = STS_ENFORCE, .sts_mx_match = false),
     SKIP(REASON_STS_MX_MISMATCH), .clause = "8461-4-1"},
    {"X5 TLSA fails, enforce passes: never rescued", F(BOTH, .tlsa = TLSA_LOOKUP_FAILED, .sts = STS_ENFORCE),
     SKIP(REASON_DNSSEC_INVALID), .clause = "7672-2.1.2-4"},
    {"X5 TLSA fails, testing", F(BOTH, .tlsa = TLSA_LOOKUP_FAILED, .sts = STS_TESTING), SKIP(REASON_DNSSEC_INVALID),
     .clause = "7672-2.1.2-4"},
    {"X6 insecure MX, elected, no policy", F(BOTH, INSECURE_MX, .tlsa = TLSA_USABLE, .dane_insecure_mx_use = true),
     TRY(DEMAND_DANE), .clause = "7672-2.2-3"},
    {"X6 insecure MX, elected, enforce: both",
     F(BOTH, INSECURE_MX, .tlsa = TLSA_USABLE, .dane_insecure_mx_use = true, .sts = STS_ENFORCE),
     TRY(DEMAND_DANE_AND_PKIX), .authenticated = true, .clause = "8461-4-2"},
    {"X6 forged MX with the forger's TLSA",
     F(BOTH, INSECURE_MX, .tlsa = TLSA_USABLE, .dane_insecure_mx_use = true, .sts = STS_ENFORCE, .sts_mx_match = false),
     SKIP(REASON_STS_MX_MISMATCH), .clause = "8461-4-1"},
    {"X6 forged MX, not elected", F(BOTH, INSECURE_MX, .tlsa = TLSA_USABLE, .sts = STS_ENFORCE, .sts_mx_match = false),
     SKIP(REASON_STS_MX_MISMATCH), .clause = "8461-4-1"},
    {"X7 insecure MX, not elected, enforce", F(BOTH, INSECURE_MX, .tlsa = TLSA_NOT_ASKED, .sts = STS_ENFORCE),
     TRY(DEMAND_PKIX), .authenticated = true, .clause = "8461-4-2"},
    {"X9 mandatory, usable, enforce", F(MANDATORY_BOTH, .tlsa = TLSA_USABLE, .sts = STS_ENFORCE), TRY(DEMAND_DANE),
     .watch = true, .authenticated = true, .clause = "7672-2.2-3"},
    {"X9 mandatory, denial, enforce passes", F(MANDATORY_BOTH, .sts = STS_ENFORCE), SKIP(REASON_DANE_REQUIRED),
     .clause = "7672-6-1"},
    {"X9 mandatory, unusable, enforce passes", F(MANDATORY_BOTH, .tlsa = TLSA_UNUSABLE, .sts = STS_ENFORCE),
     SKIP(REASON_TLSA_INVALID), .clause = "7672-6-1"},
    {"X9 mandatory, insecure MX, enforce passes", F(MANDATORY_BOTH, INSECURE, .sts = STS_ENFORCE),
     SKIP(REASON_DANE_REQUIRED), .clause = "7672-2.2.1-7"},
    {"X9 mandatory, usable, not listed, switch",
     F(MANDATORY_BOTH, .tlsa = TLSA_USABLE, .sts = STS_ENFORCE, .sts_mx_match = false,
       .dane_pass_sts_fail_block = true),
     SKIP(REASON_STS_MX_MISMATCH), .clause = "8461-4-1"},

    /* A connector's own demand stands beside both, and weakens neither */
    {"C1 encryption only, DANE usable", F(OPPORTUNISTIC, .tlsa = TLSA_USABLE, .tls = TLS_SETTING_ENCRYPTION_ONLY),
     TRY(DEMAND_DANE), .authenticated = true, .clause = "7672-2.2-3"},
    {"C2 certificate validation, no DANE", F(OPPORTUNISTIC, .tls = TLS_SETTING_CERTIFICATE_VALIDATION), TRY(DEMAND_TLS),
     .clause = "3207-6-1"},
    {"C3 domain validation, enforce", F(BOTH, .sts = STS_ENFORCE, .tls = TLS_SETTING_DOMAIN_VALIDATION),
     TRY(DEMAND_PKIX), .authenticated = true, .clause = "8461-4-2"},
    {"C5 TLSA fails, the connector would be content",
     F(OPPORTUNISTIC, .tlsa = TLSA_LOOKUP_FAILED, .tls = TLS_SETTING_DOMAIN_VALIDATION), SKIP(REASON_DNSSEC_INVALID),
     .clause = "7672-2.1.2-4"},

    /* Table 9: what the message says of its own way (RFC 8689) */
    {"Q1 (a) MX secure", F(NEITHER, REQUIRETLS), TRY(DEMAND_PKIX), .requiretls = REQUIRETLS_DEMANDED,
     .authenticated = true, .clause = "8689-2-4"},
    {"Q1 (b) MX secure, TLSA usable", F(OPPORTUNISTIC, REQUIRETLS, .tlsa = TLSA_USABLE), TRY(DEMAND_DANE),
     .requiretls = REQUIRETLS_DEMANDED, .authenticated = true, .clause = "7672-2.2-3"},
    {"Q1 (b) MX secure, no TLSA", F(OPPORTUNISTIC, REQUIRETLS), TRY(DEMAND_PKIX), .requiretls = REQUIRETLS_DEMANDED,
     .authenticated = true, .clause = "8689-2-4"},
    {"Q1 (d) MX insecure, policy matches", F(STS_ONLY, INSECURE, REQUIRETLS, .sts = STS_ENFORCE), TRY(DEMAND_PKIX),
     .requiretls = REQUIRETLS_DEMANDED, .authenticated = true, .clause = "8461-4-2"},
    {"Q1 no MX record: the name is the domain's own", F(NEITHER, INSECURE, REQUIRETLS, .by_mx_record = false),
     TRY(DEMAND_PKIX), .requiretls = REQUIRETLS_DEMANDED, .authenticated = true, .clause = "8689-2-4"},
    {"Q1 the connector wants a name in the certificate",
     F(NEITHER, INSECURE, REQUIRETLS, .by_mx_record = false, .tls = TLS_SETTING_DOMAIN_VALIDATION), TRY(DEMAND_TLS),
     .requiretls = REQUIRETLS_DEMANDED, .clause = "3207-6-1"},
    {"Q1 the connector wants any valid certificate", F(NEITHER, REQUIRETLS, .tls = TLS_SETTING_CERTIFICATE_VALIDATION),
     TRY(DEMAND_PKIX), .requiretls = REQUIRETLS_DEMANDED, .authenticated = true, .clause = "8689-2-4"},
    {"Q4 (a) MX insecure", F(NEITHER, INSECURE, REQUIRETLS), SKIP(REASON_REQUIRETLS_CHANNEL), .clause = "8689-2-3"},
    {"Q4 (b) MX insecure", F(OPPORTUNISTIC, INSECURE, REQUIRETLS), SKIP(REASON_REQUIRETLS_CHANNEL),
     .clause = "8689-2-3"},
    {"Q4 (b) MX insecure, TLSA elected",
     F(OPPORTUNISTIC, INSECURE_MX, REQUIRETLS, .tlsa = TLSA_USABLE, .dane_insecure_mx_use = true),
     SKIP(REASON_REQUIRETLS_CHANNEL), .clause = "8689-2-3"},
    {"Q4 (c) MX insecure", F(MANDATORY, INSECURE, REQUIRETLS), SKIP(REASON_REQUIRETLS_CHANNEL), .clause = "8689-2-3"},
    {"Q4 (a) a policy that is not looked at", F(NEITHER, INSECURE, REQUIRETLS, .sts = STS_ENFORCE),
     SKIP(REASON_REQUIRETLS_CHANNEL), .clause = "8689-2-3"},
    {"Q4 (d) a policy that does not list the host",
     F(STS_ONLY, INSECURE, REQUIRETLS, .sts = STS_ENFORCE, .sts_mx_match = false), SKIP(REASON_REQUIRETLS_CHANNEL),
     .clause = "8689-2-3"},
    {"Q4 overridden is never secure", F(NEITHER, REQUIRETLS, .mx_trust = TRUST_OVERRIDDEN),
     SKIP(REASON_REQUIRETLS_CHANNEL), .clause = "8689-2-3"},
    {"Q5 (d) a policy that only tests", F(STS_ONLY, INSECURE, REQUIRETLS, .sts = STS_TESTING),
     SKIP(REASON_REQUIRETLS_CHANNEL), .clause = "8689-2-3"},
    {"Q7 (b) all unusable: the certificate must be valid", F(OPPORTUNISTIC, REQUIRETLS, .tlsa = TLSA_UNUSABLE),
     TRY(DEMAND_PKIX), .requiretls = REQUIRETLS_DEMANDED, .authenticated = true, .clause = "8689-2-4"},
    {"Q7 (c) all unusable: the connector waits", F(MANDATORY, REQUIRETLS, .tlsa = TLSA_UNUSABLE),
     SKIP(REASON_TLSA_INVALID), .clause = "7672-6-1"},
    {"Q8 (b) MX lookup failed", F(OPPORTUNISTIC, REQUIRETLS, .mx_trust = TRUST_FAILED), SKIP(REASON_DNS_FAILED),
     .clause = "7672-2.1.2-1"},
    {"Q8 (b) TLSA lookup failed", F(OPPORTUNISTIC, REQUIRETLS, .tlsa = TLSA_LOOKUP_FAILED), SKIP(REASON_DNSSEC_INVALID),
     .clause = "7672-2.1.2-4"},
    {"Q1 (c) no TLSA: the connector waits", F(MANDATORY, REQUIRETLS), SKIP(REASON_DANE_REQUIRED), .clause = "7672-6-1"},
    {"Q1 (f) the connector waits behind a policy", F(MANDATORY_BOTH, INSECURE, REQUIRETLS, .sts = STS_ENFORCE),
     SKIP(REASON_DANE_REQUIRED), .clause = "7672-2.2.1-7"},
    {"Q9 a report, MX secure", F(OPPORTUNISTIC, REQUIRETLS, .report = true), TRY(DEMAND_NOTHING), .watch = true,
     .requiretls = REQUIRETLS_WISHED, .clause = "7672-2.2-8"},
    {"Q9 a report, TLSA usable", F(OPPORTUNISTIC, REQUIRETLS, .report = true, .tlsa = TLSA_USABLE), TRY(DEMAND_DANE),
     .requiretls = REQUIRETLS_WISHED, .authenticated = true, .clause = "7672-2.2-3"},
    {"Q9 a report, MX insecure", F(OPPORTUNISTIC, INSECURE, REQUIRETLS, .report = true), TRY(DEMAND_NOTHING),
     .clause = "7672-2.2.1-8"},
    {"Q10 (b) waived: TLSA fails", F(OPPORTUNISTIC, WAIVED, .tlsa = TLSA_LOOKUP_FAILED), TRY(DEMAND_NOTHING),
     .clause = "8689-4.2.2-1"},
    {"Q10 (b) waived: TLSA usable", F(OPPORTUNISTIC, WAIVED, .tlsa = TLSA_USABLE), TRY(DEMAND_NOTHING),
     .clause = "8689-4.2.2-1"},
    {"Q10 (e) waived: a policy does not list the host", F(BOTH, WAIVED, .sts = STS_ENFORCE, .sts_mx_match = false),
     TRY(DEMAND_NOTHING), .clause = "8689-4.2.2-1"},
    {"Q10 (d) waived: a policy tests", F(STS_ONLY, WAIVED, .sts = STS_TESTING), TRY(DEMAND_NOTHING),
     .clause = "8689-4.2.2-1"},
    {"Q10 (c) mandatory is not waived", F(MANDATORY, WAIVED, .tlsa = TLSA_USABLE), TRY(DEMAND_DANE),
     .authenticated = true, .clause = "7672-2.2-3"},
    {"Q10 (c) mandatory is not waived: no TLSA", F(MANDATORY, WAIVED), SKIP(REASON_DANE_REQUIRED),
     .clause = "7672-6-1"},
    {"Q10 mandatory MTA-STS is not waived", F(.mta_sts = MTA_STS_MANDATORY, WAIVED, .sts = STS_ABSENT),
     SKIP(REASON_STS_CERTIFICATE), .clause = "8461-5-1"},
    {"Q10 the connector's own demand is not waived",
     F(OPPORTUNISTIC, WAIVED, .tlsa = TLSA_USABLE, .tls = TLS_SETTING_ENCRYPTION_ONLY), TRY(DEMAND_DANE),
     .authenticated = true, .clause = "7672-2.2-3"},
    {"Q10 a failed lookup of the MX is not waived", F(OPPORTUNISTIC, WAIVED, .mx_trust = TRUST_BOGUS),
     SKIP(REASON_DNSSEC_INVALID), .clause = "7672-2.1.2-1"},
};

START_TEST(policy_decides)
{
    const struct row *row = &rows[_i];
    struct policy_decision got = policy_decide(&row->facts);
    ck_assert_msg(got.act == row->act && got.demand == row->demand && got.reason == row->reason,
                  "%s: act %d demand %d reason %d by %s", row->name, got.act, got.demand, got.reason, got.clause);
    ck_assert_msg(got.watch_pkix == row->watch, "%s: watch %d", row->name, got.watch_pkix);
    ck_assert_msg(got.requiretls == row->requiretls, "%s: requiretls %d", row->name, got.requiretls);
    ck_assert_msg(got.authenticated_domain == row->authenticated, "%s: authenticated %d", row->name,
                  got.authenticated_domain);
    ck_assert_msg(strcmp(got.clause, row->clause) == 0, "%s: clause %s", row->name, got.clause);
    ck_assert_msg(got.because != NULL && got.because[0] != '\0', "%s: no reason given", row->name);
}
END_TEST

TEST_SUITE(policy)
{
    TEST_LOOP(policy_decides, COUNT(rows));
}
