/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/connector.h"

#include <string.h>

#include "base/testing.h"
#include "engine/engine_config.h"

#define FILE_HEAD "hostname: relay.example\ndirectory: /tmp/x\nconnectors:\n"
#define CONNECTOR(name, domains, rest) "  - {name: " name ", recipient-domains: " domains rest "}\n"

#define RULE(connector, conditions) "rules:\n  - {name: r, connector: " connector ", " conditions "}\n"

static const char many[] = FILE_HEAD CONNECTOR("exact", "[Sales.contoso.com, fabrikam.com]", "")
    CONNECTOR("sub", "'*.contoso.com'", "") CONNECTOR("deep", "'*.eu.contoso.com'", "") CONNECTOR("all", "'*'", "")
        CONNECTOR("off", "closed.example", ", enabled: no");
static const char few[] = FILE_HEAD CONNECTOR("exact", "contoso.com", "");

#define ALL_MATCH                                                                                                      \
    "hostname: relay.example\ndirectory: /tmp/x\naccepted-domains: [contoso.com, sales.contoso.com, fabrikam.com]\n"   \
    "connectors:\n" CONNECTOR("star", "'*'", "") CONNECTOR("wild", "'*.contoso.com'", "")                              \
        CONNECTOR("exact", "contoso.com", "") CONNECTOR("accepted", "[]", ", all-accepted-domains: yes")               \
            CONNECTOR("secret", "[]", ", only-by-rule: yes")                                                           \
                CONNECTOR("modern", "new.example", ", fallback: old, fallback-on: yes")                                \
                    CONNECTOR("old", "new.example", ", enabled: no")
static const char all_match[] = ALL_MATCH;
static const char exchange_order[] = ALL_MATCH "scope-order: exchange\n";

/* clang-format off */
static const struct { const char *name, *file, *domain, *connector; } choices[] = {
    {"all match: the exact domain",      all_match, "contoso.com",       "exact"},
    {"an accepted subdomain: wildcard",  all_match, "sales.contoso.com", "wild"},
    {"accepted domains before the star", all_match, "fabrikam.com",      "accepted"},
    {"then the star",                    all_match, "other.example",     "star"},
    {"accepted first, as written",       exchange_order, "sales.contoso.com", "accepted"},
    {"exact still first",                exchange_order, "contoso.com",  "exact"},
    {"not accepted: the wildcard",       exchange_order, "x.contoso.com", "wild"},
    {"the fallback that is on",          all_match, "new.example",       "old"},
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
    {"no scope at all",               FILE_HEAD CONNECTOR("a", "[]", ""), 1},
    {"no scope, but off",             FILE_HEAD CONNECTOR("a", "[]", ", enabled: no"), 0},
    {"two for accepted domains",      FILE_HEAD CONNECTOR("a", "[]", ", all-accepted-domains: yes")
     CONNECTOR("b", "[]", ", all-accepted-domains: yes") "accepted-domains: x.example\n", 1},
    {"accepted domains of a partner", FILE_HEAD CONNECTOR("a", "[]", ", all-accepted-domains: yes, type: partner")
     "accepted-domains: x.example\n", 1},
    {"smart hosts missing",           FILE_HEAD CONNECTOR("a", "x.example", ", route: smart-hosts"), 1},
    {"mandatory to a network",        FILE_HEAD CONNECTOR("a", "x.example",
     ", smtp-dane: mandatory, smart-hosts: [gw.example, 192.0.2.0/29]"), 1},
    {"mandatory, address unused",     FILE_HEAD CONNECTOR("a", "x.example",
     ", smtp-dane: mandatory, route: mx, smart-hosts: 192.0.2.1"), 0},
    {"no smart host",                 FILE_HEAD CONNECTOR("a", "x.example", ", smart-hosts: 'gw..example'"), 1},
    {"port of nothing",               FILE_HEAD CONNECTOR("a", "x.example", ", smart-hosts: 'gw.example:0'"), 1},
    {"star in tls-domain",            FILE_HEAD CONNECTOR("a", "x.example",
     ", tls: domain-validation, tls-domain: 'a.*.example'"), 1},
    {"no such fallback",              FILE_HEAD CONNECTOR("a", "x.example", ", fallback: b"), 1},
    {"its own fallback",              FILE_HEAD CONNECTOR("a", "x.example", ", fallback: A"), 1},
    {"on without a fallback",         FILE_HEAD CONNECTOR("a", "x.example", ", fallback-on: yes"), 1},
    {"rule names nobody",             FILE_HEAD CONNECTOR("a", "x.example", "") RULE("b", "sender: x.example"), 1},
    {"rule names a scoped one",       FILE_HEAD CONNECTOR("a", "x.example", "") RULE("a", "sender: x.example"), 1},
    {"rule without a condition",      FILE_HEAD CONNECTOR("a", "[]", ", only-by-rule: yes")
     RULE("a", "enabled: yes"), 0},
    {"field without a text",          FILE_HEAD CONNECTOR("a", "[]", ", only-by-rule: yes")
     RULE("a", "header-contains: X-Class"), 1},
    {"no expression",                 FILE_HEAD CONNECTOR("a", "[]", ", only-by-rule: yes")
     RULE("a", "header-matches: 'X-Class: ('"), 1},
    {"an accepted star",              FILE_HEAD CONNECTOR("a", "x.example", "") "accepted-domains: '*'\n", 1},
    {"an unknown mode",               FILE_HEAD CONNECTOR("a", "x.example", ", smtp-dane: mandatry"), 1},
};
/* clang-format on */

/* Rules: all conditions must hold, one item of each is enough. */
#define RULES                                                                                                          \
    FILE_HEAD CONNECTOR("scoped", "'*'", "") CONNECTOR("board", "[]", ", only-by-rule: yes")                           \
        CONNECTOR("secret", "[]", ", only-by-rule: yes") CONNECTOR(                                                    \
            "off", "[]",                                                                                               \
            ", only-by-rule: yes, enabled: no") "rules:\n"                                                             \
                                                "  - {name: off, connector: off, sender: '*.sender.example'}\n"        \
                                                "  - {name: board, connector: board, sender: [ceo@sender.example, "    \
                                                "'*.board.example', <>],\n"                                            \
                                                "     recipient-domain: [partner.example, '*.partner.example']}\n"     \
                                                "  - {name: one, connector: board, recipient: bob@other.example}\n"    \
                                                "  - {name: contains, connector: secret, header-contains: ['X-Class: " \
                                                "secret', 'X-Mark: ']}\n"                                              \
                                                "  - {name: matches, connector: secret, header-matches: 'Subject: "    \
                                                "^\\[(red|amber)\\]'}\n"

/* clang-format off */
static const struct { const char *name, *sender, *recipient, *header, *scope; } mails[] = {
    {"sender and domain",         "ceo@sender.example",  "a@partner.example",    "", "board"},
    {"another case",              "CEO@Sender.Example",  "a@x.partner.example",  "", "board"},
    {"sender's domain",           "x@y.board.example",   "a@partner.example",    "", "board"},
    {"the null sender",           "",                    "a@partner.example",    "", "board"},
    {"sender alone",              "ceo@sender.example",  "a@else.example",       "", "*"},
    {"domain alone",              "x@sender.example",    "a@partner.example",    "", "*"},
    {"one address",               "x@sender.example",    "bob@other.example",    "", "one"},
    {"its neighbour",             "x@sender.example",    "bobby@other.example",  "", "*"},
    {"a disabled connector",      "x@a.sender.example",  "a@else.example",       "", "*"},
    {"field contains",            "x@sender.example",    "a@else.example",  "Subject: x\r\nx-class: Top SECRET\r\n\r\n",
     "contains"},
    {"folded",                    "x@sender.example",    "a@else.example",  "X-Class: top\r\n\tsecret\r\n", "contains"},
    {"the field is there",        "x@sender.example",    "a@else.example",  "X-Mark:\r\n", "contains"},
    {"in another field",          "x@sender.example",    "a@else.example",  "Subject: secret\r\n", "*"},
    {"longer name",               "x@sender.example",    "a@else.example",  "X-Classy: secret\r\n", "*"},
    {"value matches",             "x@sender.example",    "a@else.example",  "Subject: [Amber] x\r\n", "matches"},
    {"matches, not in front",     "x@sender.example",    "a@else.example",  "Subject: re [red]\r\n", "*"},
    {"a line without a colon",    "x@sender.example",    "a@else.example",  "X-Class secret\r\n", "*"},
    {"no header known",           "x@sender.example",    "a@else.example",  NULL, "*"},
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
    size_t errors;
    const struct engine_config *config = read_text(arena, choices[_i].file, &errors);
    ck_assert_ptr_nonnull(config);
    struct route_question question = {.sender = "", .recipient = "x@y", .domain = choices[_i].domain};
    struct connector_choice choice = connector_choose(&config->routing, &question);
    const char *name = choice.connector != NULL ? choice.connector->name : NULL;
    ck_assert_msg((name == NULL) == (choices[_i].connector == NULL), "%s", choices[_i].name);
    if (name != NULL)
        ck_assert_msg(strcmp(name, choices[_i].connector) == 0, "%s: %s", choices[_i].name, name);
    ck_assert_ptr_nonnull(choice.why);
    arena_free(&arena);
}
END_TEST

START_TEST(rules_come_first)
{
    struct arena *arena = arena_new("test");
    size_t errors;
    const struct engine_config *config = read_text(arena, RULES, &errors);
    ck_assert_ptr_nonnull(config);
    struct route_question question = {.sender = mails[_i].sender,
                                      .recipient = mails[_i].recipient,
                                      .domain = strchr(mails[_i].recipient, '@') + 1,
                                      .header = mails[_i].header};
    question.header_length = mails[_i].header != NULL ? strlen(mails[_i].header) : 0;
    struct connector_choice choice = connector_choose(&config->routing, &question);
    ck_assert_msg(strcmp(choice.scope, mails[_i].scope) == 0, "%s: %s", mails[_i].name, choice.scope);
    arena_free(&arena);
}
END_TEST

START_TEST(test_mode_demands_nothing)
{
    struct connector c = {.dane = DANE_MANDATORY, .mta_sts = MTA_STS_MANDATORY, .tls = TLS_SETTING_ENCRYPTION_ONLY};
    ck_assert(connector_dane(&c) == DANE_MANDATORY && connector_mta_sts(&c) == MTA_STS_MANDATORY &&
              connector_tls(&c) == TLS_SETTING_ENCRYPTION_ONLY);
    c.test_mode = true;
    ck_assert(connector_dane(&c) == DANE_OPPORTUNISTIC && connector_mta_sts(&c) == MTA_STS_OPPORTUNISTIC &&
              connector_tls(&c) == TLS_SETTING_OPPORTUNISTIC);
    c.dane = DANE_NONE;
    c.mta_sts = MTA_STS_NONE;
    ck_assert(connector_dane(&c) == DANE_NONE && connector_mta_sts(&c) == MTA_STS_NONE);
}
END_TEST

START_TEST(rules_look_at_the_beginning_of_a_header)
{
    enum { FILLER = 100000 };
    static const char *const conditions[] = {"X-Class: secret"};
    struct arena *arena = arena_new("test");
    const struct route_rule rule = {.enabled = true,
                                    .header_contains = {.items = (const char **)conditions, .count = 1}};
    char *filler = arena_alloc(arena, FILLER + 1);
    memset(filler, 'x', FILLER);
    for (int lines = 2; lines <= 3; lines++) {
        const char *header = arena_printf(arena, "A: %s\r\nB: %s\r\nC: %s\r\nX-Class: secret\r\n", filler, filler,
                                          lines == 3 ? filler : "");
        struct route_question question = {.sender = "",
                                          .recipient = "a@b.example",
                                          .domain = "b.example",
                                          .header = header,
                                          .header_length = strlen(header)};
        ck_assert(rule_matches(&rule, &question) == (lines == 2));
    }
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
    TEST_LOOP(rules_come_first, COUNT(mails));
    TEST(rules_look_at_the_beginning_of_a_header);
    TEST(test_mode_demands_nothing);
    TEST_LOOP(what_makes_no_sense_is_refused, COUNT(files));
}
