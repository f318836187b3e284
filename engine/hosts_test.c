/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static uint32_t always_first(void *arg UNUSED, uint32_t bound UNUSED)
{
    return 0;
}

static uint32_t always_last(void *arg UNUSED, uint32_t bound)
{
    return bound - 1;
}

static uint32_t congruential(void *arg, uint32_t bound)
{
    uint32_t *state = arg;
    *state = *state * 1664525 + 1013904223;
    return (*state >> 16) % bound;
}

static const struct {
    const char *name;
    struct mx_host hosts[4];
    size_t count;
    uint32_t (*below)(void *arg, uint32_t bound);
    const char *order;
} cases[] = {
    {"lower preference first (5321-5.1-12)", {{"c", 30}, {"a", 10}, {"b", 20}}, 3, always_last, "abc"},
    {"equals by chance: kept", {{"a", 10}, {"b", 10}, {"c", 10}}, 3, always_last, "abc"},
    {"equals by chance: turned", {{"a", 10}, {"b", 10}, {"c", 10}}, 3, always_first, "bca"},
    {"chance never crosses preferences", {{"a", 10}, {"b", 10}, {"c", 20}, {"d", 20}}, 4, always_first, "badc"},
    {"preference 0 and 65535", {{"b", 65535}, {"a", 0}}, 2, always_last, "ab"},
    {"one", {{"a", 10}}, 1, always_first, "a"},
    {"none", {{NULL, 0}}, 0, always_first, ""},
};

START_TEST(hosts_are_ordered)
{
    struct mx_host hosts[4];
    char order[5] = "";
    memcpy(hosts, cases[_i].hosts, sizeof hosts);
    hosts_order(hosts, cases[_i].count, (struct random_source){cases[_i].below, NULL});
    for (size_t i = 0; i < cases[_i].count; i++)
        strncat(order, hosts[i].name, 1);
    ck_assert_msg(strcmp(order, cases[_i].order) == 0, "%s: %s", cases[_i].name, order);
}
END_TEST

static const struct {
    const char *name;
    struct mx_host hosts[3];
    size_t count, better;
} loops[] = {
    {"not among them", {{"a", 10}, {"b", 20}}, 2, 2},
    {"worse ones are left out", {{"a", 10}, {"self", 20}, {"b", 30}}, 3, 1},
    {"so are equals, wherever they stand", {{"a", 10}, {"b", 20}, {"self", 20}}, 3, 1},
    {"in whatever letters", {{"a", 10}, {"SELF.", 20}}, 2, 1},
    {"the best of all", {{"self", 10}, {"a", 20}}, 2, 0},
    {"no hosts", {{NULL, 0}}, 0, 0},
};

START_TEST(hosts_no_better_than_oneself_are_left_out)
{
    size_t better = hosts_better_than(loops[_i].hosts, loops[_i].count, "self");
    ck_assert_msg(better == loops[_i].better, "%s: %zu", loops[_i].name, better);
}
END_TEST

/* 5321-5.1-13: over many destinations each of three equal hosts leads about as often. */
START_TEST(each_equal_host_leads_at_times)
{
    unsigned leads[3] = {0};
    uint32_t state = 0;
    for (unsigned round = 0; round < 600; round++) {
        struct mx_host hosts[3] = {{"a", 10}, {"b", 10}, {"c", 10}};
        hosts_order(hosts, 3, (struct random_source){congruential, &state});
        leads[hosts[0].name[0] - 'a']++;
    }
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_gt(leads[i], 150);
}
END_TEST

TEST_SUITE(hosts)
{
    TEST_LOOP(hosts_are_ordered, COUNT(cases));
    TEST_LOOP(hosts_no_better_than_oneself_are_left_out, COUNT(loops));
    TEST(each_equal_host_leads_at_times);
}
