/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/testing.h"
#include "fakests/web_policy.h"

static const struct {
    const char *name, *mode, *mx[3];
    size_t mx_count;
    int64_t max_age_s;
    const char *text;
} policies[] = {
    {"one pattern",
     "enforce",
     {"mx1.partner.example"},
     1,
     604800,
     "version: STSv1\r\nmode: enforce\r\nmx: mx1.partner.example\r\nmax_age: 604800\r\n"},
    {"several, one with a wildcard",
     "testing",
     {"mx1.partner.example", "*.partner.example"},
     2,
     86400,
     "version: STSv1\r\nmode: testing\r\nmx: mx1.partner.example\r\nmx: *.partner.example\r\nmax_age: 86400\r\n"},
    {"none needs no pattern", "none", {NULL}, 0, 0, "version: STSv1\r\nmode: none\r\nmax_age: 0\r\n"},
    {"a mode that does not exist", "Enforce!", {NULL}, 0, -1, "version: STSv1\r\nmode: Enforce!\r\nmax_age: -1\r\n"},
};
START_TEST(a_policy_is_written)
{
    struct arena *arena = arena_new("test");
    const char *text =
        web_policy_text(arena, policies[_i].mode, policies[_i].mx, policies[_i].mx_count, policies[_i].max_age_s);
    ck_assert_msg(strcmp(text, policies[_i].text) == 0, "%s: %s", policies[_i].name, text);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name, *policy, *start;
} oversized[] = {
    {"a policy that ends its line", "mode: none\r\n", "mode: none\r\nx-padding: "},
    {"one that does not", "mode: none", "mode: none\r\nx-padding: "},
    {"an empty one", "", "x-padding: "},
};
START_TEST(an_oversized_policy_is_the_policy_and_valid_extensions)
{
    struct arena *arena = arena_new("test");
    size_t length = 0;
    const char *text = web_policy_oversized(arena, oversized[_i].policy, &length);
    ck_assert_msg(length > WEB_POLICY_LIMIT && strlen(text) == length, "%s: %zu bytes", oversized[_i].name, length);
    ck_assert_msg(strncmp(text, oversized[_i].start, strlen(oversized[_i].start)) == 0, "%s", oversized[_i].name);
    ck_assert_str_eq(text + length - 2, "\r\n");
    arena_free(&arena);
}
END_TEST

TEST_SUITE(web_policy)
{
    TEST_LOOP(a_policy_is_written, COUNT(policies));
    TEST_LOOP(an_oversized_policy_is_the_policy_and_valid_extensions, COUNT(oversized));
}
