/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/connector.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum rank { RANK_NONE, RANK_ALL, RANK_WILDCARD, RANK_EXACT };

static enum rank scope_rank(const char *scope, const char *domain)
{
    if (strcmp(scope, "*") == 0)
        return RANK_ALL;
    if (strncmp(scope, "*.", 2) == 0)
        return text_name_under(domain, scope + 2) && !text_name_equal(domain, scope + 2) ? RANK_WILDCARD : RANK_NONE;
    return text_name_equal(scope, domain) ? RANK_EXACT : RANK_NONE;
}

static const char *const whys[] = {
    [RANK_NONE] = "no connector matches: MX routing, DANE and MTA-STS opportunistic",
    [RANK_ALL] = "a connector for every domain",
    [RANK_WILDCARD] = "the longest wildcard",
    [RANK_EXACT] = "the exact domain",
};

struct connector_choice connector_choose(const struct connector *list, size_t count, const char *domain)
{
    struct connector_choice best = {NULL, NULL, whys[RANK_NONE]};
    enum rank best_rank = RANK_NONE;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; list[i].enabled && j < list[i].recipient_domains.count; j++) {
            const char *scope = list[i].recipient_domains.items[j];
            enum rank rank = scope_rank(scope, domain);
            bool longer = rank == RANK_WILDCARD && best_rank == rank && strlen(scope) > strlen(best.scope);
            if (rank > best_rank || longer) {
                best_rank = rank;
                best = (struct connector_choice){&list[i], scope, whys[rank]};
            }
        }
    return best;
}

bool connector_is_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* One that was forgotten is a finding already. */
static const char *name_of(const struct connector *connector)
{
    return connector->name != NULL ? connector->name : "(without a name)";
}

static bool scope_makes_sense(const char *scope)
{
    const char *name = strncmp(scope, "*.", 2) == 0 ? scope + 2 : scope;
    return strcmp(scope, "*") == 0 || (*name != '\0' && strchr(name, '*') == NULL);
}

static void check_scopes(const struct connector *c, struct diag_list *diags)
{
    for (size_t i = 0; i < c->recipient_domains.count; i++) {
        const char *scope = c->recipient_domains.items[i];
        if (!scope_makes_sense(scope))
            diag_error(diags, c->recipient_domains.at[i],
                       "'%s': a star may stand only in front: '*' or '*.example.com'", scope);
        if (c->enabled && c->dane == DANE_MANDATORY && strcmp(scope, "*") == 0)
            diag_warning(diags, c->recipient_domains.at[i],
                         "mandatory DANE for every domain: mail to most of them will wait");
    }
}

static void check_smart_hosts(const struct connector *c, struct diag_list *diags)
{
    for (size_t i = 0; i < c->smart_hosts.count; i++)
        if (c->dane == DANE_MANDATORY && connector_is_address(c->smart_hosts.items[i]))
            diag_error(diags, c->smart_hosts.at[i],
                       "mandatory DANE can never be met by an IP address ('%s'): there is no name to ask TLSA for",
                       c->smart_hosts.items[i]);
}

static void check_tls(const struct connector *c, struct diag_list *diags)
{
    if (c->tls == TLS_SETTING_DOMAIN_VALIDATION && c->tls_domain == NULL)
        diag_error(diags, c->at, "connector '%s': 'tls: domain-validation' needs 'tls-domain'", name_of(c));
    if (c->tls != TLS_SETTING_DOMAIN_VALIDATION && c->tls_domain != NULL)
        diag_warning(diags, c->at, "connector '%s': 'tls-domain' means something only with 'tls: domain-validation'",
                     name_of(c));
}

static void check_pair(const struct connector *a, const struct connector *b, struct diag_list *diags)
{
    if (a->name != NULL && b->name != NULL && strcasecmp(a->name, b->name) == 0)
        diag_error(diags, b->at, "a second connector named '%s'", b->name);
    for (size_t i = 0; i < a->recipient_domains.count; i++)
        for (size_t j = 0; a->enabled && b->enabled && j < b->recipient_domains.count; j++)
            if (text_name_equal(a->recipient_domains.items[i], b->recipient_domains.items[j]))
                diag_error(diags, b->recipient_domains.at[j], "'%s' is in the scope of connector '%s' already",
                           b->recipient_domains.items[j], name_of(a));
}

void connector_check(const struct connector *list, size_t count, struct diag_list *diags)
{
    for (size_t i = 0; i < count; i++) {
        check_scopes(&list[i], diags);
        check_smart_hosts(&list[i], diags);
        check_tls(&list[i], diags);
        for (size_t j = 0; j < i; j++)
            check_pair(&list[j], &list[i], diags);
    }
}
