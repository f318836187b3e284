/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/scope.h"

#include "base/testing.h"

/* clang-format off */
static const struct { const char *scope, *domain; enum scope_kind kind; } rows[] = {
    {"contoso.example", "contoso.example", SCOPE_KIND_EXACT},
    {"Contoso.Example.", "contoso.example", SCOPE_KIND_EXACT},
    {"contoso.example", "sub.contoso.example", SCOPE_KIND_NONE},
    {"*.contoso.example", "a.b.contoso.example", SCOPE_KIND_WILDCARD},
    {"*.contoso.example", "contoso.example", SCOPE_KIND_NONE},
    {"*.contoso.example", "notcontoso.example", SCOPE_KIND_NONE},
    {"*", "[192.0.2.1]", SCOPE_KIND_ALL},
    {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example", SCOPE_KIND_EXACT},
    {"xn--bcher-kva.example", "b\xc3\xbc" "cher.example", SCOPE_KIND_EXACT},
    {"B\xc3\x9c" "CHER.example", "b\xc3\xbc" "cher.example", SCOPE_KIND_EXACT},
    {"*.b\xc3\xbc" "cher.example", "shop.xn--bcher-kva.example", SCOPE_KIND_WILDCARD},
    {"*.b\xc3\xbc" "cher.example", "xn--bcher-kva.example", SCOPE_KIND_NONE},
    {"*", "b\xc3\xbc" "cher.example", SCOPE_KIND_ALL},
};
static const struct { const char *pattern, *address; bool covers; } addresses[] = {
    {"<>", "", true}, {"<>", "a@contoso.example", false}, {"A@contoso.example", "a@Contoso.example", true},
    {"contoso.example", "a@contoso.example", true}, {"*.contoso.example", "a@contoso.example", false},
    {"xn--bcher-kva.example", "a@b\xc3\xbc" "cher.example", true}, {"*", "", false},
};
/* clang-format on */

START_TEST(a_scope_covers_names)
{
    ck_assert_msg(scope_covers(rows[_i].scope, rows[_i].domain) == rows[_i].kind, "%s, %s", rows[_i].scope,
                  rows[_i].domain);
}
END_TEST

START_TEST(a_pattern_covers_addresses)
{
    ck_assert_msg(scope_covers_address(addresses[_i].pattern, addresses[_i].address) == addresses[_i].covers, "%s, %s",
                  addresses[_i].pattern, addresses[_i].address);
}
END_TEST

TEST_SUITE(scope)
{
    TEST_LOOP(a_scope_covers_names, COUNT(rows));
    TEST_LOOP(a_pattern_covers_addresses, COUNT(addresses));
}
