/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

#define HEAD "version: STSv1\n"
#define TAIL "mx: mx.example\nmax_age: 86400\n"
#define REST "mode: enforce\n" TAIL
#define NAME_32 "abcdefghijklmnopqrstuvwxyz012345"

/* mx: the patterns behind each other, "," between them; NULL: the text is no policy. */
static const struct {
    const char *name, *text, *mx;
    enum sts_policy_mode mode;
    int64_t max_age;
} cases[] = {
    {"enforce", HEAD REST, "mx.example", STS_ENFORCE, 86400},
    {"testing", HEAD "mode: testing\n" TAIL, "mx.example", STS_TESTING, 86400},
    {"none", HEAD "mode: none\n" TAIL, "mx.example", STS_MODE_NONE, 86400},
    {"none without mx", HEAD "mode: none\nmax_age: 1\n", "", STS_MODE_NONE, 1},
    {"any order", "max_age: 1\nmx: a.example\nmode: enforce\nversion: STSv1", "a.example", STS_ENFORCE, 1},
    {"several mx", HEAD "mode: enforce\nmx: a.example\nmx: *.b.example\nmx: c\nmax_age: 1", "a.example,*.b.example,c",
     STS_ENFORCE, 1},
    {"upper case mx", HEAD "mode: enforce\nmx: MX.Example\nmax_age: 1", "mx.example", STS_ENFORCE, 1},
    {"the same mx twice", HEAD "mode: enforce\nmx: a\nmx: a\nmax_age: 1", "a,a", STS_ENFORCE, 1},
    {"CRLF (P33)", "version: STSv1\r\nmode: enforce\r\nmx: mx.example\r\nmax_age: 1\r\n", "mx.example", STS_ENFORCE, 1},
    {"mixed line ends (P33)", "version: STSv1\r\nmode: enforce\nmx: mx.example\r\nmax_age: 1", "mx.example",
     STS_ENFORCE, 1},
    {"trailing blanks (P33)", "version: STSv1 \nmode: enforce\t\nmx: mx.example  \r\nmax_age: 1 ", "mx.example",
     STS_ENFORCE, 1},
    {"no blank behind the colon", "version:STSv1\nmode:enforce\nmx:mx.example\nmax_age:1", "mx.example", STS_ENFORCE,
     1},
    {"unknown keys (P32)", HEAD REST "x-1_.y: any thing: goes \xc3\xbc\n", "mx.example", STS_ENFORCE, 86400},
    {"first version counts (P31)", HEAD REST "version: STSv2\n", "mx.example", STS_ENFORCE, 86400},
    {"first mode counts (P31)", HEAD REST "mode: none\n", "mx.example", STS_ENFORCE, 86400},
    {"first max_age counts (P31)", HEAD REST "max_age: junk\n", "mx.example", STS_ENFORCE, 86400},
    {"first mode counts, though it is wrong", HEAD "mode: off\nmode: enforce\n" TAIL, NULL, 0, 0},
    {"max_age 0 (P30)", HEAD "mode: enforce\nmx: a\nmax_age: 0", "a", STS_ENFORCE, 0},
    {"longest max_age", HEAD "mode: enforce\nmx: a\nmax_age: 31557600", "a", STS_ENFORCE, 31557600},
    {"max_age cut (P29)", HEAD "mode: enforce\nmx: a\nmax_age: 31557601", "a", STS_ENFORCE, 31557600},
    {"ten digits cut (P29)", HEAD "mode: enforce\nmx: a\nmax_age: 9999999999", "a", STS_ENFORCE, 31557600},
    {"eleven digits (P28)", HEAD "mode: enforce\nmx: a\nmax_age: 00000000001", NULL, 0, 0},
    {"negative max_age (P28)", HEAD "mode: enforce\nmx: a\nmax_age: -1", NULL, 0, 0},
    {"max_age is a word (P28)", HEAD "mode: enforce\nmx: a\nmax_age: 1d", NULL, 0, 0},
    {"max_age empty", HEAD "mode: enforce\nmx: a\nmax_age:", NULL, 0, 0},
    {"no max_age (P28)", HEAD "mode: enforce\nmx: a\n", NULL, 0, 0},
    {"no version (P25)", REST, NULL, 0, 0},
    {"version 2 (P25)", "version: STSv2\n" REST, NULL, 0, 0},
    {"lower case version (P25)", "version: stsv1\n" REST, NULL, 0, 0},
    {"upper case key", "Version: STSv1\n" REST, NULL, 0, 0},
    {"no mode (P26)", HEAD TAIL, NULL, 0, 0},
    {"unknown mode (P26)", HEAD "mode: report\n" TAIL, NULL, 0, 0},
    {"upper case mode (P26)", HEAD "mode: Enforce\n" TAIL, NULL, 0, 0},
    {"enforce without mx (P27)", HEAD "mode: enforce\nmax_age: 1", NULL, 0, 0},
    {"testing without mx (P27)", HEAD "mode: testing\nmax_age: 1", NULL, 0, 0},
    {"empty (P24)", "", NULL, 0, 0},
    {"HTML (P24)", "<html><body>Not found</body></html>", NULL, 0, 0},
    {"key without a value", HEAD REST "x:\n", NULL, 0, 0},
    {"line without a colon", HEAD REST "x\n", NULL, 0, 0},
    {"key too long", HEAD REST NAME_32 "6: x\n", NULL, 0, 0},
    {"longest key", HEAD REST NAME_32 ": x\n", "mx.example", STS_ENFORCE, 86400},
    {"control character in a value", HEAD REST "x: a\x01z\n", NULL, 0, 0},
    {"invalid UTF-8 in a value", HEAD REST "x: \xff\n", NULL, 0, 0},
    {"byte order mark (P34)", "\xef\xbb\xbf" HEAD REST, NULL, 0, 0},
    {"leading blank (P34)", " " HEAD REST, NULL, 0, 0},
    {"blank line (P34)", HEAD "\n" REST, NULL, 0, 0},
    {"blank before the colon (P34)", "version : STSv1\n" REST, NULL, 0, 0},
    {"CR alone is no line end", "version: STSv1\rmode: enforce\rmx: a\rmax_age: 1", NULL, 0, 0},
    {"two mx in one line (P35)", HEAD "mode: enforce\nmx: a, b\nmax_age: 1", NULL, 0, 0},
    {"mx is a star (P35)", HEAD "mode: enforce\nmx: *\nmax_age: 1", NULL, 0, 0},
    {"mx begins with a dot (P35)", HEAD "mode: enforce\nmx: .example\nmax_age: 1", NULL, 0, 0},
    {"star inside (P35)", HEAD "mode: enforce\nmx: a.*.b\nmax_age: 1", NULL, 0, 0},
    {"star in part of a label", HEAD "mode: enforce\nmx: m*.example\nmax_age: 1", NULL, 0, 0},
    {"trailing dot (P35)", HEAD "mode: enforce\nmx: mx.example.\nmax_age: 1", NULL, 0, 0},
    {"U-label (8461-3.2-10)", HEAD "mode: enforce\nmx: b\xc3\xbc.example\nmax_age: 1", NULL, 0, 0},
    {"mx with a wrong one behind", HEAD "mode: enforce\nmx: a\nmx: *\nmax_age: 1", NULL, 0, 0},
};

static void join(char *text, size_t size, const struct sts_policy *policy)
{
    text[0] = '\0';
    for (size_t i = 0; i < policy->mx_count; i++) {
        strncat(text, i > 0 ? "," : "", size - strlen(text) - 1);
        strncat(text, policy->mx[i], size - strlen(text) - 1);
    }
}

START_TEST(a_policy_is_read)
{
    struct arena *arena = arena_new("test");
    struct sts_policy policy = {0};
    const char *why = NULL;
    char mx[200] = "";
    bool good = sts_policy_parse(arena, cases[_i].text, strlen(cases[_i].text), &policy, &why);
    ck_assert_msg(good == (cases[_i].mx != NULL), "%s: %s", cases[_i].name, good ? "taken" : why);
    ck_assert_msg(good == (why == NULL), "%s: a reason exactly when refused", cases[_i].name);
    join(mx, sizeof mx, &policy);
    if (good)
        ck_assert_msg(policy.mode == cases[_i].mode && policy.max_age == cases[_i].max_age &&
                          strcmp(mx, cases[_i].mx) == 0,
                      "%s: mode %d max_age %lld mx %s", cases[_i].name, policy.mode, (long long)policy.max_age, mx);
    arena_free(&arena);
}
END_TEST

START_TEST(nul_bytes_are_no_policy)
{
    static const char text[] = HEAD REST "x: a\0b\n";
    struct arena *arena = arena_new("test");
    struct sts_policy policy;
    const char *why;
    ck_assert(!sts_policy_parse(arena, text, sizeof text - 1, &policy, &why));
    arena_free(&arena);
}
END_TEST

START_TEST(more_than_64_kib_is_no_policy)
{
    struct arena *arena = arena_new("test");
    struct sts_policy policy;
    const char *why;
    char *text = malloc(STS_POLICY_SIZE_MAX + 1);
    size_t head = sizeof HEAD REST "x: " - 1;
    memset(text, 'a', STS_POLICY_SIZE_MAX + 1);
    memcpy(text, HEAD REST "x: ", head);
    ck_assert(sts_policy_parse(arena, text, STS_POLICY_SIZE_MAX, &policy, &why));
    ck_assert(!sts_policy_parse(arena, text, STS_POLICY_SIZE_MAX + 1, &policy, &why));
    free(text);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *pattern, *host;
    bool match;
} matches[] = {
    {"mx.example", "mx.example", true},       {"mx.example", "MX.Example", true},
    {"mx.example", "mx.example.", true},      {"mx.example", "mx1.example", false},
    {"mx.example", "a.mx.example", false},    {"*.example", "mx.example", true},
    {"*.example", "MX.EXAMPLE.", true},       {"*.example", "a.mx.example", false},
    {"*.example", "example", false},          {"*.example", ".example", false},
    {"*.mx.example", "mx.example", false},    {"*.example", "mxexample", false},
    {"*.example", "mx.example.other", false}, {"mx", "mx", true},
};

START_TEST(a_pattern_covers_one_label)
{
    const char *patterns[] = {"unrelated.example", matches[_i].pattern};
    ck_assert_msg(sts_mx_matches(patterns, 2, matches[_i].host) == matches[_i].match, "%s, %s", matches[_i].pattern,
                  matches[_i].host);
    ck_assert(!sts_mx_matches(patterns, 1, matches[_i].host));
}
END_TEST

TEST_SUITE(sts_policy)
{
    TEST_LOOP(a_policy_is_read, COUNT(cases));
    TEST(nul_bytes_are_no_policy);
    TEST(more_than_64_kib_is_no_policy);
    TEST_LOOP(a_pattern_covers_one_label, COUNT(matches));
}
