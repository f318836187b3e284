/* SPDX-License-Identifier: BSD-2-Clause
 * What a connector may say, and which sets of connectors and rules make no sense. */
#include <string.h>
#include <strings.h>

#include "base/table.h"
#include "base/text.h"
#include "engine/connector.h"
#include "engine/exchange.h"
#include "engine/scope.h"
#include "engine/smart_host.h"

const char *const connector_type_words[] = {"unsaid", "partner", "on-premises", NULL};
const char *const connector_dane_words[] = {"opportunistic", "mandatory", "none", NULL};
const char *const connector_sts_words[] = {"opportunistic", "none", "mandatory", NULL};
const char *const connector_tls_words[] = {"opportunistic", "encryption-only", "certificate-validation",
                                           "domain-validation", NULL};
const char *const connector_route_words[] = {"as-listed", "mx", "smart-hosts", NULL};

/* clang-format off */
#define ROW(word, form, member, ...) \
    {.key = word, .kind = SCHEMA_##form, .offset = offsetof(struct connector, member), __VA_ARGS__}
static const struct schema_field connector_fields[] = {
    ROW("name", TEXT, name, .required = true, .at_offset = offsetof(struct connector, at),
        .doc = "what traces and reports call it"),
    ROW("recipient-domains", TEXTS, recipient_domains, .doc = "its scope: contoso.com, *.contoso.com, *"),
    ROW("all-accepted-domains", BOOL, all_accepted_domains, .otherwise = "no",
        .doc = "its scope is every domain of accepted-domains"),
    ROW("only-by-rule", BOOL, only_by_rule, .otherwise = "no", .doc = "it takes only what a rule sends through it"),
    ROW("smtp-dane", WORD, dane, .otherwise = "opportunistic", .words = connector_dane_words,
        .doc = "what SMTP DANE decides here"),
    ROW("mta-sts", WORD, mta_sts, .otherwise = "opportunistic", .words = connector_sts_words,
        .doc = "what MTA-STS decides here; mandatory, beyond Exchange: only a host that passes an enforce policy"),
    ROW("tls", WORD, tls, .otherwise = "opportunistic", .words = connector_tls_words,
        .doc = "what the connector itself demands, besides DANE and MTA-STS"),
    ROW("tls-domain", TEXT, tls_domain, .doc = "the name in the certificate for domain-validation; may begin with *."),
    ROW("route", WORD, route, .otherwise = "as-listed", .words = connector_route_words,
        .doc = "by the recipient domain's MX or by smart hosts; as-listed: by smart hosts if there are any"),
    ROW("smart-hosts", TEXTS, smart_hosts,
        .doc = "where mail goes instead of the recipient domain's MX: gateway.example (its MX first, then its "
               "address), 192.0.2.1, [2001:db8::1], 192.0.2.0/29, each with :port if need be"),
    ROW("enabled", BOOL, enabled, .otherwise = "yes", .doc = "a disabled connector is never chosen"),
    ROW("test-mode", BOOL, test_mode, .otherwise = "no",
        .doc = "what it demands is evaluated and told in the trace, and mail goes as if it were opportunistic"),
    ROW("fallback", TEXT, fallback, .at_offset = offsetof(struct connector, fallback_at),
        .doc = "the connector, enabled or not, that takes over while fallback-on"),
    ROW("fallback-on", BOOL, fallback_on, .otherwise = "no", .doc = "mail goes by the fallback"),
    ROW("type", WORD, type, .otherwise = "unsaid", .words = connector_type_words,
        .doc = "Exchange's ConnectorType; all-accepted-domains is only for on-premises"),
    ROW("exchange", NODE, exchange, .doc = "what Exchange's own record says besides, kept for the export"),
};
/* clang-format on */
const struct schema connector_schema = {
    .name = "connector",
    .doc = "a path for the mail of some recipients",
    .fields = connector_fields,
    .count = COUNT(connector_fields),
    .size = sizeof(struct connector),
    .node_offset = offsetof(struct connector, node),
};

/* One that was forgotten is a finding already. */
static const char *name_of(const struct connector *connector)
{
    return connector->name != NULL ? connector->name : "(without a name)";
}

/* ---- one connector ---- */

static bool is_fallback_of_any(const struct routing *routing, const struct connector *c)
{
    for (size_t i = 0; i < routing->connector_count; i++)
        if (routing->connectors[i].fallback != NULL && connector_find(routing, routing->connectors[i].fallback) == c)
            return true;
    return false;
}

static bool apex_is_covered(const struct routing *routing, const char *apex)
{
    bool accepted = scope_any_covers(&routing->accepted_domains, apex);
    for (size_t i = 0; i < routing->connector_count; i++) {
        const struct connector *c = &routing->connectors[i];
        if (c->enabled && (scope_any_covers(&c->recipient_domains, apex) || (c->all_accepted_domains && accepted)))
            return true;
    }
    return false;
}

static void check_scope(const struct routing *routing, const struct connector *c, size_t i, struct diag_list *diags)
{
    const char *scope = c->recipient_domains.items[i];
    struct srcpos at = c->recipient_domains.at[i];
    if (!scope_makes_sense(scope)) {
        diag_error(diags, at, "'%s': a star may stand only in front: '*' or '*.example.com'", scope);
        return;
    }
    if (!c->enabled)
        return;
    if (c->dane == DANE_MANDATORY && !c->test_mode && strcmp(scope, "*") == 0)
        diag_warning(diags, at, "mandatory DANE for every domain: mail to most of them will wait");
    if (strncmp(scope, "*.", 2) == 0 && !apex_is_covered(routing, scope + 2))
        diag_warning(diags, at, "'%s' does not cover %s itself, and no other connector does", scope, scope + 2);
}

static void check_scopes(const struct routing *routing, const struct connector *c, struct diag_list *diags)
{
    for (size_t i = 0; i < c->recipient_domains.count; i++)
        check_scope(routing, c, i, diags);
    bool scoped = c->recipient_domains.count > 0 || c->all_accepted_domains;
    if (!scoped && !c->only_by_rule && c->enabled && !is_fallback_of_any(routing, c))
        diag_error(diags, c->at,
                   "connector '%s' has no scope: 'recipient-domains', 'all-accepted-domains' or 'only-by-rule'",
                   name_of(c));
    if (scoped && c->only_by_rule)
        diag_warning(diags, c->at, "connector '%s' is only-by-rule: its scope means nothing", name_of(c));
    if (c->all_accepted_domains && c->type == CONNECTOR_PARTNER)
        diag_error(diags, c->at, "connector '%s': 'all-accepted-domains' is not for type 'partner'", name_of(c));
    if (c->all_accepted_domains && c->enabled && routing->accepted_domains.count == 0)
        diag_warning(diags, c->at, "connector '%s' is for all accepted domains, but 'accepted-domains' has none",
                     name_of(c));
}

static void check_smart_hosts(const struct connector *c, struct diag_list *diags)
{
    struct arena *arena = arena_new("smart hosts");
    for (size_t i = 0; i < c->smart_hosts.count; i++) {
        const char *said = c->smart_hosts.items[i];
        struct smart_host host;
        if (!smart_host_parse(arena, said, &host))
            diag_error(diags, c->smart_hosts.at[i], "'%s' is neither a host name nor an address nor a network", said);
        else if (c->dane == DANE_MANDATORY && !host.by_name && c->route != ROUTE_MX)
            diag_error(diags, c->smart_hosts.at[i],
                       "mandatory DANE can never be met by an IP address ('%s'): there is no name to ask TLSA for",
                       said);
    }
    arena_free(&arena);
    if (c->route == ROUTE_SMART_HOSTS && c->smart_hosts.count == 0)
        diag_error(diags, c->at, "connector '%s' goes by smart hosts, but 'smart-hosts' has none", name_of(c));
    if (c->route == ROUTE_MX && c->smart_hosts.count > 0)
        diag_warning(diags, c->at, "connector '%s' goes by MX: its smart hosts mean nothing", name_of(c));
}

static void check_tls(const struct connector *c, struct diag_list *diags)
{
    if (c->tls == TLS_SETTING_DOMAIN_VALIDATION && c->tls_domain == NULL)
        diag_error(diags, c->at, "connector '%s': 'tls: domain-validation' needs 'tls-domain'", name_of(c));
    if (c->tls != TLS_SETTING_DOMAIN_VALIDATION && c->tls_domain != NULL)
        diag_warning(diags, c->at, "connector '%s': 'tls-domain' means something only with 'tls: domain-validation'",
                     name_of(c));
    if (c->tls_domain != NULL && (!scope_makes_sense(c->tls_domain) || strcmp(c->tls_domain, "*") == 0))
        diag_error(diags, c->at, "connector '%s': 'tls-domain' is a name, or *. and a name", name_of(c));
}

static const char *connector_name_at(const void *rows, size_t i)
{
    const struct routing *routing = rows;
    return i < routing->connector_count ? name_of(&routing->connectors[i]) : NULL;
}

static void no_such_connector(const struct routing *routing, struct srcpos at, const char *name,
                              struct diag_list *diags)
{
    const char *nearest = table_nearest(name, connector_name_at, routing);
    diag_error(diags, at, "no connector is named '%s'%s%s%s", name, nearest != NULL ? "; did you mean '" : "",
               nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static void check_fallback(const struct routing *routing, const struct connector *c, struct diag_list *diags)
{
    const struct connector *twin = connector_find(routing, c->fallback);
    if (c->fallback != NULL && twin == NULL)
        no_such_connector(routing, c->fallback_at, c->fallback, diags);
    if (twin == c)
        diag_error(diags, c->fallback_at, "connector '%s' cannot be its own fallback", name_of(c));
    if (c->fallback == NULL && c->fallback_on)
        diag_error(diags, c->at, "connector '%s' has no fallback to switch on", name_of(c));
}

static void check_test_mode(const struct connector *c, struct diag_list *diags)
{
    bool demands = c->dane == DANE_MANDATORY || c->mta_sts == MTA_STS_MANDATORY || c->tls != TLS_SETTING_OPPORTUNISTIC;
    if (c->test_mode && !demands)
        diag_warning(diags, c->at, "connector '%s' demands nothing: 'test-mode' changes nothing", name_of(c));
}

/* ---- two connectors ---- */

static void check_pair(const struct connector *a, const struct connector *b, struct diag_list *diags)
{
    if (a->name != NULL && b->name != NULL && strcasecmp(a->name, b->name) == 0)
        diag_error(diags, b->at, "a second connector named '%s'", b->name);
    if (!a->enabled || !b->enabled || a->only_by_rule || b->only_by_rule)
        return;
    if (a->all_accepted_domains && b->all_accepted_domains)
        diag_error(diags, b->at, "connector '%s' is for all accepted domains already", name_of(a));
    for (size_t i = 0; i < a->recipient_domains.count; i++)
        for (size_t j = 0; j < b->recipient_domains.count; j++)
            if (text_name_equal(a->recipient_domains.items[i], b->recipient_domains.items[j]))
                diag_error(diags, b->recipient_domains.at[j], "'%s' is in the scope of connector '%s' already",
                           b->recipient_domains.items[j], name_of(a));
}

/* ---- rules ---- */

static void check_rule(const struct routing *routing, const struct route_rule *rule, struct diag_list *diags)
{
    const struct connector *named = connector_find(routing, rule->connector);
    rule_check(rule, diags);
    if (rule->connector == NULL)
        return;
    if (named == NULL)
        no_such_connector(routing, rule->connector_at, rule->connector, diags);
    else if (!named->only_by_rule)
        diag_error(diags, rule->connector_at, "connector '%s' is not only-by-rule: no rule may name it",
                   name_of(named));
    else if (!named->enabled && rule->enabled)
        diag_warning(diags, rule->connector_at, "connector '%s' is disabled: the rule is passed over", name_of(named));
}

static void check_rules(const struct routing *routing, struct diag_list *diags)
{
    for (size_t i = 0; i < routing->rule_count; i++)
        check_rule(routing, &routing->rules[i], diags);
    for (size_t i = 0; i < routing->connector_count; i++) {
        const struct connector *c = &routing->connectors[i];
        bool named = !c->only_by_rule || !c->enabled || is_fallback_of_any(routing, c);
        for (size_t j = 0; !named && j < routing->rule_count; j++)
            named = connector_find(routing, routing->rules[j].connector) == c;
        if (!named)
            diag_warning(diags, c->at, "connector '%s' is only-by-rule, and no rule names it", name_of(c));
    }
}

static void check_accepted(const struct schema_texts *domains, struct diag_list *diags)
{
    for (size_t i = 0; i < domains->count; i++)
        if (!scope_makes_sense(domains->items[i]) || strcmp(domains->items[i], "*") == 0)
            diag_error(diags, domains->at[i], "'%s' is no domain: 'example.com' or '*.example.com'", domains->items[i]);
}

void connector_check(const struct routing *routing, struct diag_list *diags)
{
    for (size_t i = 0; i < routing->connector_count; i++) {
        const struct connector *c = &routing->connectors[i];
        check_scopes(routing, c, diags);
        check_smart_hosts(c, diags);
        check_tls(c, diags);
        check_fallback(routing, c, diags);
        check_test_mode(c, diags);
        exchange_check(c, diags);
        for (size_t j = 0; j < i; j++)
            check_pair(&routing->connectors[j], c, diags);
    }
    check_rules(routing, diags);
    check_accepted(&routing->accepted_domains, diags);
}
