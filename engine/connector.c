/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/connector.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "engine/scope.h"

/* How a connector may come to take a recipient; the more specific the later, but for Exchange's own order. */
enum match { MATCH_NONE, MATCH_ALL, MATCH_ACCEPTED, MATCH_WILDCARD, MATCH_EXACT, MATCH_COUNT };

static const struct {
    const char *why;
    int weight[2]; /* by enum scope_order */
} matches[MATCH_COUNT] = {
    [MATCH_NONE] = {"no connector matches: MX routing, DANE and MTA-STS opportunistic", {0, 0}},
    [MATCH_ALL] = {"a connector for every domain", {1, 1}},
    [MATCH_ACCEPTED] = {"a connector for all accepted domains", {2, 3}},
    [MATCH_WILDCARD] = {"the longest wildcard", {3, 2}},
    [MATCH_EXACT] = {"the exact domain", {4, 4}},
};

static enum match match_of(enum scope_kind kind)
{
    static const enum match of_kind[] = {
        [SCOPE_KIND_NONE] = MATCH_NONE,
        [SCOPE_KIND_ALL] = MATCH_ALL,
        [SCOPE_KIND_WILDCARD] = MATCH_WILDCARD,
        [SCOPE_KIND_EXACT] = MATCH_EXACT,
    };
    return of_kind[kind];
}

struct best {
    enum match match;
    struct connector_choice choice;
};

/* A match that weighs more takes the recipient; among wildcards the longer one. */
static void consider(const struct routing *routing, const struct connector *connector, const char *scope,
                     enum match match, struct best *best)
{
    int weight = matches[match].weight[routing->order], before = matches[best->match].weight[routing->order];
    bool longer = match == MATCH_WILDCARD && best->match == match && strlen(scope) > strlen(best->choice.scope);
    if (weight > before || longer)
        *best = (struct best){match, {connector, scope, matches[match].why, NULL}};
}

static struct connector_choice by_scope(const struct routing *routing, const char *domain)
{
    struct best best = {MATCH_NONE, {NULL, NULL, matches[MATCH_NONE].why, NULL}};
    bool accepted = scope_any_covers(&routing->accepted_domains, domain);
    for (size_t i = 0; i < routing->connector_count; i++) {
        const struct connector *c = &routing->connectors[i];
        if (!c->enabled || c->only_by_rule)
            continue;
        if (c->all_accepted_domains && accepted)
            consider(routing, c, "accepted-domains", MATCH_ACCEPTED, &best);
        for (size_t j = 0; j < c->recipient_domains.count; j++) {
            const char *scope = c->recipient_domains.items[j];
            consider(routing, c, scope, match_of(scope_covers(scope, domain)), &best);
        }
    }
    return best.choice;
}

static struct connector_choice by_rule(const struct routing *routing, const struct route_question *question)
{
    for (size_t i = 0; i < routing->rule_count; i++) {
        const struct route_rule *rule = &routing->rules[i];
        const struct connector *named = rule_matches(rule, question) ? connector_find(routing, rule->connector) : NULL;
        if (named != NULL && named->enabled)
            return (struct connector_choice){named, rule->name, "a rule names it", NULL};
    }
    return (struct connector_choice){0};
}

/* One step only: a fallback's own fallback is not looked at. */
static struct connector_choice with_fallback(const struct routing *routing, struct connector_choice choice)
{
    const struct connector *chosen = choice.connector;
    bool on = chosen != NULL && chosen->fallback_on && chosen->fallback != NULL;
    const struct connector *twin = on ? connector_find(routing, chosen->fallback) : NULL;
    return twin == NULL
               ? choice
               : (struct connector_choice){twin, choice.scope, "the fallback of the connector chosen is on", chosen};
}

struct connector_choice connector_choose(const struct routing *routing, const struct route_question *question)
{
    struct connector_choice choice = by_rule(routing, question);
    if (choice.connector == NULL)
        choice = by_scope(routing, question->domain);
    return with_fallback(routing, choice);
}

bool connector_reads_header(const struct routing *routing)
{
    for (size_t i = 0; i < routing->rule_count; i++)
        if (rule_reads_header(&routing->rules[i]))
            return true;
    return false;
}

bool connector_by_smart_host(const struct connector *connector)
{
    return connector != NULL && connector->route != ROUTE_MX && connector->smart_hosts.count > 0;
}

const struct connector *connector_find(const struct routing *routing, const char *name)
{
    for (size_t i = 0; name != NULL && i < routing->connector_count; i++)
        if (routing->connectors[i].name != NULL && strcasecmp(routing->connectors[i].name, name) == 0)
            return &routing->connectors[i];
    return NULL;
}

enum dane_mode connector_dane(const struct connector *c)
{
    if (c == NULL || (c->test_mode && c->dane == DANE_MANDATORY))
        return DANE_OPPORTUNISTIC;
    return (enum dane_mode)c->dane;
}

enum mta_sts_mode connector_mta_sts(const struct connector *c)
{
    if (c == NULL || (c->test_mode && c->mta_sts == MTA_STS_MANDATORY))
        return MTA_STS_OPPORTUNISTIC;
    return (enum mta_sts_mode)c->mta_sts;
}

enum tls_setting connector_tls(const struct connector *c)
{
    return c == NULL || c->test_mode ? TLS_SETTING_OPPORTUNISTIC : (enum tls_setting)c->tls;
}
