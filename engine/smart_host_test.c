/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/smart_host.h"

#include <string.h>

#include "base/testing.h"
#include "engine/network.h"

/* clang-format off */
static const struct { const char *said, *name; unsigned port; bool by_name; } hosts[] = {
    {"gateway.example",            "gateway.example",  0,    true},
    {"Gateway.Example.",           "gateway.example",  0,    true},
    {"gateway.example:2525",       "gateway.example",  2525, true},
    {"192.0.2.1",                  "192.0.2.1",        0,    false},
    {"192.0.2.1:2525",             "192.0.2.1",        2525, false},
    {"[192.0.2.1]:2525",           "192.0.2.1",        2525, false},
    {"2001:db8::1",                "2001:db8::1",      0,    false},
    {"[2001:db8::1]",              "2001:db8::1",      0,    false},
    {"[2001:db8::1]:2525",         "2001:db8::1",      2525, false},
    {"192.0.2.0/29",               "192.0.2.0/29",     0,    false},
    {"192.0.2.0/29:2525",          "192.0.2.0/29",     2525, false},
    {"2001:db8::/126",             "2001:db8::/126",   0,    false},
};
static const char *const wrong[] = {
    "", ":25", "gateway.example:", "gateway.example:0", "gateway.example:65536", "gateway.example:smtp", "gate way",
    "192.0.2", "192.0.2.0/33", "[gateway.example]", "[192.0.2.1", "[192.0.2.1]x", ".example", "a..example", "*.example",
    "192.0.2.256",
};
static const struct { const char *network; size_t size; const char *first, *last; } networks[] = {
    {"192.0.2.9",        1,   "192.0.2.9",    "192.0.2.9"},
    {"192.0.2.9/29",     6,   "192.0.2.9",    "192.0.2.14"},
    {"192.0.2.8/31",     2,   "192.0.2.8",    "192.0.2.9"},
    {"192.0.2.0/24",     254, "192.0.2.1",    "192.0.2.254"},
    {"198.51.0.0/16",    65534, "198.51.0.1", "198.51.255.254"},
    {"2001:db8::/126",   4,   "2001:db8::",   "2001:db8::3"},
    {"2001:db8::/64",    1 << 20, "2001:db8::", "2001:db8::f:ffff"},
};
/* clang-format on */

START_TEST(a_smart_host_is_read)
{
    struct arena *arena = arena_new("test");
    struct smart_host host;
    ck_assert_msg(smart_host_parse(arena, hosts[_i].said, &host), "%s", hosts[_i].said);
    ck_assert_str_eq(host.name, hosts[_i].name);
    ck_assert_uint_eq(host.port, hosts[_i].port);
    ck_assert(host.by_name == hosts[_i].by_name);
    arena_free(&arena);
}
END_TEST

START_TEST(what_is_no_smart_host_is_refused)
{
    struct arena *arena = arena_new("test");
    struct smart_host host;
    ck_assert_msg(!smart_host_parse(arena, wrong[_i], &host), "%s", wrong[_i]);
    arena_free(&arena);
}
END_TEST

START_TEST(a_network_is_its_addresses)
{
    struct arena *arena = arena_new("test");
    struct network network;
    ck_assert(network_parse(networks[_i].network, &network));
    ck_assert_uint_eq(network_size(&network, SIZE_MAX), networks[_i].size);
    ck_assert_uint_eq(network_size(&network, 1), 1);
    ck_assert_str_eq(network_address(arena, &network, 0), networks[_i].first);
    ck_assert_str_eq(network_address(arena, &network, networks[_i].size - 1), networks[_i].last);
    arena_free(&arena);
}
END_TEST

static uint32_t lowest(void *arg UNUSED, uint32_t bound UNUSED)
{
    return 0;
}

START_TEST(all_of_a_list_are_tried_in_random_order)
{
    struct arena *arena = arena_new("test");
    const char *items[] = {"a.example:2525", "192.0.2.0/30", "b.example"};
    struct schema_texts texts = {items, NULL, COUNT(items)};
    const struct smart_host *hops;
    ck_assert_uint_eq(smart_hosts_spread(arena, &texts, (struct random_source){lowest, NULL}, &hops), 4);
    static const char *const order[] = {"192.0.2.1", "192.0.2.2", "b.example", "a.example"};
    for (size_t i = 0; i < COUNT(order); i++)
        ck_assert_str_eq(hops[i].name, order[i]);
    ck_assert_uint_eq(hops[3].port, 2525);
    arena_free(&arena);
}
END_TEST

START_TEST(a_large_network_is_bounded)
{
    struct arena *arena = arena_new("test");
    const char *items[] = {"198.51.0.0/16"};
    struct schema_texts texts = {items, NULL, COUNT(items)};
    const struct smart_host *hops;
    ck_assert_uint_eq(smart_hosts_spread(arena, &texts, hosts_random, &hops), SMART_HOSTS_MAX);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(smart_host)
{
    TEST_LOOP(a_smart_host_is_read, COUNT(hosts));
    TEST_LOOP(what_is_no_smart_host_is_refused, COUNT(wrong));
    TEST_LOOP(a_network_is_its_addresses, COUNT(networks));
    TEST(all_of_a_list_are_tried_in_random_order);
    TEST(a_large_network_is_bounded);
}
