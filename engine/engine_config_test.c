/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/engine_config.h"

#include <string.h>

#include "base/netaddr.h"
#include "base/testing.h"

#define HEAD "hostname: relay.example\ndirectory: /var/spool/x\n"

static const struct engine_config *read_text(struct arena *arena, const char *text, struct diag_list *diags)
{
    const struct tree_node *root = tree_read_text(arena, "engine.yaml", text, strlen(text), diags);
    return root != NULL ? engine_config_parse(arena, root, diags) : NULL;
}

START_TEST(defaults_are_those_of_the_manual)
{
    struct arena *arena = arena_new("test");
    const struct engine_config *config = read_text(arena, HEAD, diag_new(arena));
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->control, "/var/spool/x/control");
    ck_assert_str_eq(config->listen.items[0], "127.0.0.1:25");
    ck_assert(config->ipv4 && config->ipv6 && config->fsync && config->accept_bogus);
    ck_assert_int_eq(config->insecure_mx, INSECURE_MX_SKIP);
    ck_assert_int_eq(config->pass_fail, PASS_FAIL_DELIVER);
    ck_assert_int_eq(config->profile, PROFILE_RFC);
    ck_assert(config->plan.expiry_s == 86400 && config->plan.count == 3);
    ck_assert(engine_smtp_timeouts(config).greeting == 300);
    arena_free(&arena);
}
END_TEST

START_TEST(patience_caps_every_time_out)
{
    struct arena *arena = arena_new("test");
    const struct engine_config *config =
        read_text(arena, HEAD "patience: 400ms\ntimeouts: {quit: 100ms}\n", diag_new(arena));
    ck_assert_ptr_nonnull(config);
    struct smtp_timeouts t = engine_smtp_timeouts(config);
    const double *each = (const double *)&t;
    for (size_t i = 0; i < sizeof t / sizeof *each; i++)
        ck_assert(each[i] == 0.4 || each[i] == 0.1);
    ck_assert(engine_capped(config, config->timeouts.connect) == 0.4);
    arena_free(&arena);
}
END_TEST

/* clang-format off */
static const struct { const char *text; bool warned; } in_clear[] = {
    {HEAD "clients: [127.0.0.0/8, 127.0.0.1, '::1/128']\n",                                        false},
    {HEAD "clients: [127.0.0.0/8, 10.0.0.0/8]\n",                                                  true},
    {HEAD "clients: '::/0'\n",                                                                     true},
    {HEAD "clients: 0.0.0.0/0\n",                                                                  true},
    {HEAD "clients: 10.0.0.0/8\nsubmission-tls: {certificate: /c, key: /k}\n",                      false},
};
/* clang-format on */

START_TEST(clients_of_the_network_in_clear_are_spoken_of)
{
    struct arena *arena = arena_new("test");
    struct diag_list *diags = diag_new(arena);
    ck_assert_ptr_nonnull(read_text(arena, in_clear[_i].text, diags));
    bool warned = strstr(diag_text(arena, diags), "submits in clear") != NULL;
    ck_assert_msg(warned == in_clear[_i].warned, "%s", in_clear[_i].text);
    arena_free(&arena);
}
END_TEST

/* clang-format off */
static const struct { const char *name, *retry; double first, expiry; } plans[] = {
    {"exchange",          "retry: exchange\n",              900,  86400},
    {"rfc",               "retry: rfc\n",                   1800, 432000},
    {"a list",            "retry: [1m, 1h]\n",              60,   86400},
    {"one pause",         "retry: 5m\n",                    300,  86400},
    {"its own end",       "retry: rfc\nexpiry: 4h\n",       1800, 14400},
};
static const struct { const char *name, *text; const char *place; } mistakes[] = {
    {"unknown key",          HEAD "lisen: 127.0.0.1:25\n",       "engine.yaml:3:1"},
    {"pause of nothing",     HEAD "retry: [15m, 0s]\n",          "engine.yaml:3:14"},
    {"no network",           HEAD "clients: [10.0.0.0/33]\n",    "engine.yaml:3:11"},
    {"no port",              HEAD "listen: 127.0.0.1\n",         "engine.yaml:3:9"},
    {"no address",           HEAD "listen: ['mx:25']\n",         "engine.yaml:3:10"},
    {"no hostname",          "directory: /x\n",                 "engine.yaml:1:1"},
    {"no family",            HEAD "ipv4: no\nipv6: no\n",        "engine.yaml:1:1"},
    {"unsigned reports",     HEAD "tls-rpt: {contact: a@b.example}\n", "engine.yaml:3:20"},
    {"a contact that is none", HEAD "tls-rpt: {contact: b, dkim-key: k, dkim-selector: s}\n", "engine.yaml:3:20"},
    {"reports of nobody",    HEAD "tls-rpt: {organization: o}\n", "engine.yaml:1:1"},
    {"wrong word",           HEAD "profile: echange\n",          "engine.yaml:3:10"},
};
static const struct { const char *clients, *address; bool allowed; } networks[] = {
    {"",                        "127.0.0.9",   true},
    {"",                        "::1",         true},
    {"",                        "192.0.2.1",   false},
    {"clients: 192.0.2.0/25\n", "192.0.2.127", true},
    {"clients: 192.0.2.0/25\n", "192.0.2.128", false},
    {"clients: 192.0.2.0/25\n", "127.0.0.1",   false},
    {"clients: 0.0.0.0/0\n",    "8.8.8.8",     true},
    {"clients: 0.0.0.0/0\n",    "2001:db8::1", false},
    {"clients: '2001:db8::/32'\n", "2001:db8::1", true},
    {"clients: 192.0.2.7\n",    "192.0.2.7",   true},
};
/* clang-format on */

START_TEST(retry_plans_are_read)
{
    struct arena *arena = arena_new("test");
    const char *text = arena_printf(arena, HEAD "%s", plans[_i].retry);
    const struct engine_config *config = read_text(arena, text, diag_new(arena));
    ck_assert_msg(config != NULL, "%s", plans[_i].name);
    ck_assert_msg(config->plan.pauses_s[0] == plans[_i].first, "%s", plans[_i].name);
    ck_assert_msg(config->plan.expiry_s == plans[_i].expiry, "%s", plans[_i].name);
    arena_free(&arena);
}
END_TEST

START_TEST(mistakes_have_a_place)
{
    struct arena *arena = arena_new("test");
    struct diag_list *diags = diag_new(arena);
    ck_assert_msg(read_text(arena, mistakes[_i].text, diags) == NULL, "%s", mistakes[_i].name);
    char *printed = NULL;
    size_t length;
    FILE *out = open_memstream(&printed, &length);
    diag_print(diags, out);
    fclose(out);
    ck_assert_msg(strncmp(printed, mistakes[_i].place, strlen(mistakes[_i].place)) == 0, "%s: %s", mistakes[_i].name,
                  printed);
    free(printed);
    arena_free(&arena);
}
END_TEST

START_TEST(clients_are_known_by_network)
{
    struct arena *arena = arena_new("test");
    const char *text = arena_printf(arena, HEAD "%s", networks[_i].clients);
    const struct engine_config *config = read_text(arena, text, diag_new(arena));
    struct netaddr address;
    ck_assert_ptr_nonnull(config);
    ck_assert(netaddr_parse(networks[_i].address, 0, &address, NULL));
    bool allowed = engine_client_allowed(config, (struct sockaddr *)&address.addr);
    ck_assert_msg(allowed == networks[_i].allowed, "%s from %s", networks[_i].clients, networks[_i].address);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(engine_config)
{
    TEST(defaults_are_those_of_the_manual);
    TEST(patience_caps_every_time_out);
    TEST_LOOP(clients_of_the_network_in_clear_are_spoken_of, COUNT(in_clear));
    TEST_LOOP(retry_plans_are_read, COUNT(plans));
    TEST_LOOP(mistakes_have_a_place, COUNT(mistakes));
    TEST_LOOP(clients_are_known_by_network, COUNT(networks));
}
