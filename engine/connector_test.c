/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/connector.h"

#include <string.h>

#include "base/testing.h"
#include "engine/engine_config.h"

#define FILE_HEAD "hostname: relay.example\ndirectory: /tmp/x\nconnectors:\n"
#define CONNECTOR(name, domains, rest) "  - {name: " name ", recipient-domains: " domains rest "}\n"

static const char many[] = FILE_HEAD CONNECTOR("exact", "[Sales.contoso.com, fabrikam.com]", "")
    CONNECTOR("sub", "'*.contoso.com'", "") CONNECTOR("deep", "'*.eu.contoso.com'", "") CONNECTOR("all", "'*'", "")
        CONNECTOR("off", "closed.example", ", enabled: no");
static const char few[] = FILE_HEAD CONNECTOR("exact", "contoso.com", "");

/* clang-format off */
static const struct { const char *name, *file, *domain, *connector; } choices[] = {
    {"exact beats wildcard",             many, "sales.contoso.com",    "exact"},
    {"longest wildcard",                 many, "x.eu.contoso.com",     "deep"},
    {"wildcard, any depth",              many, "a.b.contoso.com",      "sub"},
    {"the apex is not its subdomain",    many, "contoso.com",          "all"},
    {"no part of a label",               many, "xcontoso.com",         "all"},
    {"the second of a scope's names",    many, "fabrikam.com",         "exact"},
    {"a disabled one is never chosen",   many, "closed.example",       "all"},
    {"star takes literals",              many, "[192.0.2.1]",          "all"},
    {"none matches",                     few,  "fabrikam.com",         NULL},
    {"exact, alone",                     few,  "contoso.com",          "exact"},
};
static const struct { const char *name, *file; size_t errors; } files[] = {
    {"sound",                         many, 0},
    {"one scope twice",               FILE_HEAD CONNECTOR("a", "x.example", "") CONNECTOR("b", "X.example.", ""), 1},
    {"one scope, one disabled",       FILE_HEAD CONNECTOR("a", "x.example", "") CONNECTOR("b", "x.example",
     ", enabled: no"), 0},
    {"one name twice",                FILE_HEAD CONNECTOR("a", "x.example", "") CONNECTOR("A", "y.example", ""), 1},
    {"mandatory to an address",       FILE_HEAD CONNECTOR("a", "x.example",
     ", smtp-dane: mandatory, smart-hosts: 192.0.2.1"), 1},
    {"mandatory to a name",           FILE_HEAD CONNECTOR("a", "x.example",
     ", smtp-dane: mandatory, smart-hosts: gw.example"), 0},
    {"star inside a name",            FILE_HEAD CONNECTOR("a", "'a.*.example'", ""), 1},
    {"star without a dot",            FILE_HEAD CONNECTOR("a", "'*example'", ""), 1},
    {"domain-validation of nothing",  FILE_HEAD CONNECTOR("a", "x.example", ", tls: domain-validation"), 1},
    {"an unknown mode",               FILE_HEAD CONNECTOR("a", "x.example", ", smtp-dane: mandatry"), 1},
};
/* clang-format on */

static const struct engine_config *read_text(struct arena *arena, const char *text, size_t *errors)
{
    struct diag_list *diags = diag_new(arena);
    const struct tree_node *root = tree_read_text(arena, "engine.yaml", text, strlen(text), diags);
    const struct engine_config *config = engine_config_parse(arena, root, diags);
    *errors = diag_errors(diags);
    return config;
}

START_TEST(the_most_specific_connector_wins)
{
    struct arena *arena = arena_new("test");
    size_t errors, count;
    const struct engine_config *config = read_text(arena, choices[_i].file, &errors);
    ck_assert_ptr_nonnull(config);
    const struct connector *list = engine_connectors(config, &count);
    struct connector_choice choice = connector_choose(list, count, choices[_i].domain);
    const char *name = choice.connector != NULL ? choice.connector->name : NULL;
    ck_assert_msg((name == NULL) == (choices[_i].connector == NULL), "%s", choices[_i].name);
    if (name != NULL)
        ck_assert_msg(strcmp(name, choices[_i].connector) == 0, "%s: %s", choices[_i].name, name);
    ck_assert_ptr_nonnull(choice.why);
    arena_free(&arena);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    struct arena *arena = arena_new("test");
    size_t errors;
    const struct engine_config *config = read_text(arena, files[_i].file, &errors);
    ck_assert_msg(errors == files[_i].errors, "%s: %zu errors", files[_i].name, errors);
    ck_assert_msg((config == NULL) == (errors > 0), "%s", files[_i].name);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(connector)
{
    TEST_LOOP(the_most_specific_connector_wins, COUNT(choices));
    TEST_LOOP(what_makes_no_sense_is_refused, COUNT(files));
}
