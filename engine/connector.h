/* SPDX-License-Identifier: BSD-2-Clause
 * connector - which connector takes a recipient, and why; and which sets of connectors make no sense. Pure.
 *
 * A rule that names one; then the exact domain, the longest wildcard, all accepted domains, "*". Without any: the
 * recipient domain's MX, with DANE and MTA-STS both opportunistic. Each recipient is routed by itself. */
#ifndef ENGINE_CONNECTOR_H
#define ENGINE_CONNECTOR_H

#include "base/schema.h"
#include "engine/policy.h"
#include "engine/rule.h"

enum connector_type { CONNECTOR_UNTYPED, CONNECTOR_PARTNER, CONNECTOR_ON_PREMISES };
enum connector_route { ROUTE_AS_LISTED /* by smart hosts where there are any */, ROUTE_MX, ROUTE_SMART_HOSTS };

struct connector {
    const char *name;
    struct srcpos at;
    const struct tree_node *node;          /* as written */
    int type;                              /* enum connector_type; only checks look at it */
    struct schema_texts recipient_domains; /* "contoso.com", "*.contoso.com", "*" */
    bool all_accepted_domains, only_by_rule;
    int dane;    /* enum dane_mode */
    int mta_sts; /* enum mta_sts_mode */
    int tls;     /* enum tls_setting */
    const char *tls_domain;
    int route;                       /* enum connector_route */
    struct schema_texts smart_hosts; /* as smart_host.h reads them */
    bool enabled;
    bool test_mode;       /* what it demands is evaluated and traced, not demanded */
    const char *fallback; /* name of the connector that takes over while fallback_on; NULL: none */
    struct srcpos fallback_at;
    bool fallback_on;
    const struct tree_node *exchange; /* what Exchange's record says besides; NULL: nothing */
};
extern const struct schema connector_schema;
/* In the order of their enums, ended by NULL. */
extern const char *const connector_type_words[], *const connector_dane_words[], *const connector_sts_words[];
extern const char *const connector_tls_words[], *const connector_route_words[];

enum scope_order { SCOPE_ORDER_MOST_SPECIFIC, SCOPE_ORDER_EXCHANGE /* accepted domains before wildcards */ };

struct routing { /* all that decides which connector takes a recipient */
    const struct connector *connectors;
    size_t connector_count;
    const struct route_rule *rules;
    size_t rule_count;
    struct schema_texts accepted_domains;
    int order; /* enum scope_order */
};

struct connector_choice {
    const struct connector *connector;  /* NULL: none matches, the defaults rule */
    const char *scope;                  /* the entry or the rule that matched; NULL with connector NULL */
    const char *why;                    /* "exact domain", "longest wildcard", ... */
    const struct connector *instead_of; /* whose fallback connector is; NULL: it was chosen itself */
};

/* domain: of the recipient, lower case; an address literal ("[192.0.2.1]") is matched by "*" only. */
struct connector_choice connector_choose(const struct routing *routing, const struct route_question *question);
bool connector_reads_header(const struct routing *routing); /* some rule looks at the header */
bool connector_by_smart_host(const struct connector *connector);
const struct connector *connector_find(const struct routing *routing, const char *name); /* any case; NULL: none */
/* What is in force: in test mode nothing is demanded. A NULL connector has the defaults. */
enum dane_mode connector_dane(const struct connector *connector);
enum mta_sts_mode connector_mta_sts(const struct connector *connector);
enum tls_setting connector_tls(const struct connector *connector);

/* Findings: two enabled ones of one scope, mandatory DANE with an IP smart host, a star inside a name, ... */
void connector_check(const struct routing *routing, struct diag_list *diags);

#endif
