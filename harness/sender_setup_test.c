/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/sender_setup.h"

#include <string.h>

#include "base/testing.h"

#define WORLD                                                                                                          \
    "says: x\nworld:\n  partner.example: {mx: [mx1.partner.example]}\n  mx1.partner.example: {}\n"                     \
    "  relay.example: {mx: [gw.relay.example]}\n  gw.relay.example: {}\n"                                              \
    "send: {to: a@partner.example}\nexpect: [{message: delivered}]\n"

/* clang-format off */
static const struct { const char *name, *said, *json, *needs; } setups[] = {
    {"nothing", "", "{}\n", ""},
    {"the mode's pair", "connectors: {name: a, recipient-domains: '*'}\n",
     "{\"connectors\":[{\"smtp-dane\":\"mandatory\",\"mta-sts\":\"none\",\"name\":\"a\","
     "\"recipient-domains\":\"*\"}]}\n",
     "connectors "},
    {"its own pair", "connectors: [{name: a, recipient-domains: '*', smtp-dane: none, mta-sts: mandatory}]\n",
     "{\"connectors\":[{\"smtp-dane\":\"none\",\"mta-sts\":\"mandatory\",\"name\":\"a\","
     "\"recipient-domains\":\"*\"}]}\n",
     "connectors mta-sts-mandatory "},
    {"a relay for all mail", "connectors: {name: a, recipient-domains: '*', smart-hosts: 'gw.relay.example:2525'}\n",
     "{\"connectors\":[{\"smtp-dane\":\"mandatory\",\"mta-sts\":\"none\",\"name\":\"a\",\"recipient-domains\":\"*\","
     "\"smart-hosts\":\"gw.relay.example:2525\"}]}\n", "smart-host "},
    {"two relays", "connectors: {name: a, recipient-domains: '*', smart-hosts: [relay.example, 198.18.0.1]}\n",
     "{\"connectors\":[{\"smtp-dane\":\"mandatory\",\"mta-sts\":\"none\",\"name\":\"a\",\"recipient-domains\":\"*\","
     "\"smart-hosts\":[\"relay.example\",\"198.18.0.1\"]}]}\n", "connectors smart-host "},
    {"rules and accepted domains",
     "rules: {name: r, connector: a, sender: 'x@\"y\"'}\naccepted-domains: partner.example\n",
     "{\"rules\":[{\"name\":\"r\",\"connector\":\"a\",\"sender\":\"x@\\\"y\\\"\"}],"
     "\"accepted-domains\":\"partner.example\"}\n", ""},
    {"switches", "switches: {revocation: hard, chunking: no}\n",
     "{\"switches\":{\"revocation\":\"hard\",\"chunking\":\"no\"}}\n", "switches "},
};
static const struct { const char *name, *hosts, *host; bool relays; } relays[] = {
    {"the name itself",           "gw.relay.example",        "gw.relay.example",    true},
    {"with a port",               "'gw.relay.example:2525'", "gw.relay.example",    true},
    {"its MX host",               "relay.example",           "gw.relay.example",    true},
    {"one of a list",             "[x.example, relay.example]", "gw.relay.example", true},
    {"an address may be anybody", "198.18.0.1",              "gw.relay.example",    true},
    {"another host",              "gw.relay.example",        "mx1.partner.example", false},
    {"no part of a name",         "relay.example",           "x.relay.example",     false},
};
/* clang-format on */

/* The scenario that a text says; the corpus owns it. */
static const struct scenario *read(struct arena *arena, const char *more, struct corpus **corpus)
{
    const char *text = arena_printf(arena, "%s%s", WORLD, more);
    *corpus = corpus_read_text(NULL, "x/y", text, strlen(text));
    ck_assert_uint_eq((*corpus)->count, 1);
    return (*corpus)->items[0];
}

START_TEST(a_setup_is_told_in_the_mode)
{
    struct arena *arena = arena_new("test");
    struct corpus *corpus;
    unsigned mode;
    const struct scenario *scenario = read(arena, setups[_i].said, &corpus);
    ck_assert(mode_parse("dane=mandatory,mta-sts=none", &mode));
    const char *needs = "", *feature, *json = sender_setup_json(arena, &scenario->sender, mode);
    ck_assert_msg(strcmp(json, setups[_i].json) == 0, "%s: %s", setups[_i].name, json);
    for (size_t i = 0; (feature = sender_setup_needs(&scenario->sender, i)) != NULL; i++)
        needs = arena_printf(arena, "%s%s ", needs, feature);
    ck_assert_msg(strcmp(needs, setups[_i].needs) == 0, "%s: %s", setups[_i].name, needs);
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

START_TEST(a_smart_host_may_get_the_mail)
{
    struct arena *arena = arena_new("test");
    struct corpus *corpus;
    const char *said =
        arena_printf(arena, "connectors: {name: a, recipient-domains: '*', smart-hosts: %s}\n", relays[_i].hosts);
    const struct scenario *scenario = read(arena, said, &corpus);
    ck_assert_msg(sender_setup_relays_to(&scenario->sender, scenario->steps[0].world, relays[_i].host) ==
                      relays[_i].relays,
                  "%s", relays[_i].name);
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

START_TEST(a_step_changes_connectors)
{
    struct arena *arena = arena_new("test");
    struct corpus *corpus;
    const char *text = "says: x\nworld: {partner.example: {mx: [mx1.partner.example]}, mx1.partner.example: {}}\n"
                       "connectors: {name: a, recipient-domains: '*'}\nsteps:\n"
                       "  - {send: {to: a@partner.example}, expect: [{message: delivered}]}\n"
                       "  - {connectors: {a: {smtp-dane: none, smart-hosts: [x.example, y.example]}, b: {enabled: no}},"
                       " flush: yes, expect: [{message: delivered}]}\n";
    corpus = corpus_read_text(NULL, "x/y", text, strlen(text));
    ck_assert_uint_eq(corpus->count, 1);
    const struct tree_node *changes = corpus->items[0]->steps[1].connectors;
    ck_assert_str_eq(sender_setup_change(arena, changes, 0),
                     "connector a smtp-dane=none smart-hosts=x.example,y.example");
    ck_assert_str_eq(sender_setup_change(arena, changes, 1), "connector b enabled=no");
    ck_assert_ptr_null(sender_setup_change(arena, changes, 2));
    ck_assert_ptr_null(sender_setup_change(arena, corpus->items[0]->steps[0].connectors, 0));
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(sender_setup)
{
    TEST_LOOP(a_setup_is_told_in_the_mode, COUNT(setups));
    TEST_LOOP(a_smart_host_may_get_the_mail, COUNT(relays));
    TEST(a_step_changes_connectors);
}
