/* SPDX-License-Identifier: BSD-2-Clause
 * policy - what the channel to one host must be: facts in, decision with its clause out.
 *
 * Pure: no clock, no configuration, no DNS. Every rule is a row in policy_test.c. */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include "engine/message.h"
#include "engine/resolve.h"

enum dane_mode { DANE_OPPORTUNISTIC, DANE_MANDATORY, DANE_NONE };
/* Mandatory, beyond Exchange: only a host that passes an enforce policy in force. */
enum mta_sts_mode { MTA_STS_OPPORTUNISTIC, MTA_STS_NONE, MTA_STS_MANDATORY };
enum sts_policy_mode { STS_ABSENT, STS_MODE_NONE, STS_TESTING, STS_ENFORCE };
enum tls_setting {
    TLS_SETTING_OPPORTUNISTIC,
    TLS_SETTING_ENCRYPTION_ONLY,
    TLS_SETTING_CERTIFICATE_VALIDATION,
    TLS_SETTING_DOMAIN_VALIDATION
};

struct policy_facts {
    enum dane_mode dane;
    enum mta_sts_mode mta_sts;
    enum tls_setting tls;
    enum dns_trust mx_trust, host_trust;
    enum tlsa_state tlsa;
    enum sts_policy_mode sts;      /* the policy in force for the next-hop domain */
    bool sts_mx_match;             /* the host's name is covered by an mx: pattern */
    bool by_mx_record;             /* an MX record names the host */
    enum message_tls message;      /* what the message says of its own way */
    bool report;                   /* from the null sender: REQUIRETLS is a wish (8689-5-3) */
    bool dane_insecure_mx_use;     /* dane-insecure-mx: use */
    bool dane_pass_sts_fail_block; /* dane-pass-sts-fail: block */
};

enum policy_act { ACT_TRY, ACT_SKIP_HOST };
enum tls_demand {                 /* what must hold before MAIL FROM */
                  DEMAND_NOTHING, /* opportunistic; clear is fine */
                  DEMAND_TLS,     /* encrypted, unauthenticated */
                  DEMAND_DANE,
                  DEMAND_PKIX, /* chain and name of the MX host (8461-4.2) */
                  DEMAND_DANE_AND_PKIX,
};
enum policy_reason { /* why a host is skipped, or what failed if the demand is not met; status.h has codes */
                     REASON_NONE,
                     REASON_DNSSEC_INVALID,
                     REASON_TLSA_INVALID,
                     REASON_DANE_REQUIRED,
                     REASON_STS_MX_MISMATCH,
                     REASON_STS_CERTIFICATE,
                     REASON_STARTTLS_NOT_SUPPORTED,
                     REASON_CERTIFICATE_EXPIRED,
                     REASON_CERTIFICATE_HOST_MISMATCH,
                     REASON_TLS_REQUIRED,
                     REASON_CONNECTOR_CERTIFICATE,
                     REASON_DNS_FAILED,
                     REASON_REQUIRETLS_CHANNEL, /* no session that REQUIRETLS could be said in */
                     REASON_REQUIRETLS_KEYWORD, /* the server does not offer it */
                     REASON_COUNT
};
/* Is REQUIRETLS said with MAIL to this host? Wished: where certificate and server allow it, else without. */
enum requiretls_demand { REQUIRETLS_NOT_SAID, REQUIRETLS_WISHED, REQUIRETLS_DEMANDED };
struct policy_decision {
    enum policy_act act;
    enum tls_demand demand;
    enum policy_reason reason; /* when ACT_SKIP_HOST */
    enum requiretls_demand requiretls;
    bool watch_pkix;           /* testing: check and report a failure, never block */
    bool authenticated_domain; /* once the demand is met, may trace and reports call the domain authenticated? Never
                                        * for what DANE alone proved behind an insecure MX (7672-2.2.1-11) */
    const char *clause;        /* "7672-2.1.2-4" */
    const char *because;       /* one sentence for the trace */
};

struct policy_decision policy_decide(const struct policy_facts *facts);
/* TLS-Required: No waives what the recipient's domain asserts, never what the connector demands (8689-3-1). Looks at
 * modes, connector and message alone. */
bool policy_waives_tls(const struct policy_facts *facts);

#endif
