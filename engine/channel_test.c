/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/channel.h"

#include <string.h>

#include "base/testing.h"

/* The name that SNI carries; "": none (6066-3: never an address). */
/* clang-format off */
static const struct { const char *name, *host, *base; enum tlsa_state tlsa; const char *sni; } rows[] = {
    {"the host", "mx.example", "base.example", TLSA_ABSENT, "mx.example"},
    {"the TLSA base domain", "mx.example", "base.example", TLSA_USABLE, "base.example"},
    {"also of unusable records", "mx.example", "base.example", TLSA_UNUSABLE, "base.example"},
    {"an IPv4 address", "192.0.2.1", "192.0.2.1", TLSA_NOT_ASKED, ""},
    {"an IPv6 address", "2001:db8::1", "2001:db8::1", TLSA_NOT_ASKED, ""},
};
/* clang-format on */

START_TEST(sni_is_a_name)
{
    struct arena *arena = arena_new("test");
    struct mx_facts mx = {.state = MX_IMPLICIT, .domain = "example"};
    struct host_facts host = {.name = rows[_i].host, .tlsa = rows[_i].tlsa, .tlsa_base = rows[_i].base};
    struct channel_setting setting = {.dane = DANE_OPPORTUNISTIC};
    struct policy_decision decision = {.demand = DEMAND_NOTHING};
    const char *sni = channel_demands(arena, &setting, &decision, &mx, &host).sni;
    ck_assert_msg(strcmp(sni != NULL ? sni : "", rows[_i].sni) == 0, "%s: %s", rows[_i].name, sni);
    arena_free(&arena);
}
END_TEST

/* clang-format off */
static const struct { const char *hop, *address; } hops[] = {
    {"partner.example", NULL}, {"192.0.2.1", "192.0.2.1"}, {"[192.0.2.1]", "192.0.2.1"},
    {"[IPv6:2001:db8::1]", "2001:db8::1"}, {"2001:db8::1", "2001:db8::1"}, {"192.0.2.1.example", NULL},
};
/* clang-format on */

START_TEST(an_address_is_known_also_in_brackets)
{
    struct arena *arena = arena_new("test");
    const char *address = channel_address(arena, hops[_i].hop);
    ck_assert_msg((address == NULL) == (hops[_i].address == NULL), "%s", hops[_i].hop);
    if (address != NULL)
        ck_assert_str_eq(address, hops[_i].address);
    arena_free(&arena);
}
END_TEST

/* What is left of a host's addresses. */
/* clang-format off */
static const struct { const char *name, *addresses[3]; bool by_smart_host; const char *left; } outward[] = {
    {"of other machines", {"192.0.2.1", "2001:db8::1"}, false, "192.0.2.1 2001:db8::1 "},
    {"one of this machine among them", {"127.0.0.1", "192.0.2.1", "::1"}, false, "192.0.2.1 "},
    {"none but of this machine", {"127.0.0.2", "::", "0.0.0.0"}, false, ""},
    {"of a smart host", {"127.0.0.1"}, true, "127.0.0.1 "},
};
/* clang-format on */

START_TEST(a_zone_does_not_lead_back_to_this_machine)
{
    struct arena *arena = arena_new("test");
    struct netaddr addresses[3];
    struct host_facts host = {.name = "mx.example", .addresses = addresses};
    for (; host.address_count < 3 && outward[_i].addresses[host.address_count] != NULL; host.address_count++)
        ck_assert(netaddr_parse(outward[_i].addresses[host.address_count], 25, &addresses[host.address_count], NULL));
    const struct host_facts *got = channel_outward(arena, &host, outward[_i].by_smart_host);
    const char *left = "";
    for (size_t i = 0; i < got->address_count; i++)
        left =
            arena_printf(arena, "%s%s ", left, netaddr_text(arena, (const struct sockaddr *)&got->addresses[i].addr));
    ck_assert_msg(strcmp(left, outward[_i].left) == 0, "%s: %s", outward[_i].name, left);
    ck_assert((got->why != NULL) == (got->address_count == 0));
    arena_free(&arena);
}
END_TEST

TEST_SUITE(channel)
{
    TEST_LOOP(sni_is_a_name, COUNT(rows));
    TEST_LOOP(a_zone_does_not_lead_back_to_this_machine, COUNT(outward));
    TEST_LOOP(an_address_is_known_also_in_brackets, COUNT(hops));
}
