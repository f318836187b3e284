/* SPDX-License-Identifier: BSD-2-Clause
 * connector - which connector takes a recipient, and why; and which sets of connectors make no sense. Pure.
 *
 * Exact domain, then the longest wildcard, then "*". Without any: the recipient domain's MX, with DANE and MTA-STS both
 * opportunistic. "*.contoso.com" covers subdomains of any depth, not contoso.com itself. */
#ifndef ENGINE_CONNECTOR_H
#define ENGINE_CONNECTOR_H

#include "base/schema.h"
#include "engine/policy.h"

struct connector {
    const char *name;
    struct srcpos at;
    struct schema_texts recipient_domains;   /* "contoso.com", "*.contoso.com", "*" */
    int dane;                                /* enum dane_mode */
    int mta_sts;                             /* enum mta_sts_mode */
    int tls;                                 /* enum tls_setting */
    const char *tls_domain;
    struct schema_texts smart_hosts;         /* names or IP addresses; empty: the recipient domain's MX */
    bool enabled;
};

struct connector_choice {
    const struct connector *connector;       /* NULL: none matches, the defaults rule */
    const char *scope;                       /* the entry that matched; NULL with connector NULL */
    const char *why;                         /* "exact domain", "longest wildcard", ... */
};

/* domain: of the recipient, lower case; an address literal ("[192.0.2.1]") is matched by "*" only. */
struct connector_choice connector_choose(const struct connector *list, size_t count, const char *domain);
/* Findings: two enabled ones of one scope, mandatory DANE with an IP smart host, a star inside a name, ... */
void connector_check(const struct connector *list, size_t count, struct diag_list *diags);
bool connector_is_address(const char *host);

#endif
