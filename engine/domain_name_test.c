/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/domain_name.h"

#include <string.h>

#include "base/testing.h"

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_253                                                                                                       \
    LABEL_63 "." LABEL_63 "." LABEL_63 "."                                                                             \
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *name, *written, *ascii;
} names[] = {
    {"plain", "contoso.example", "contoso.example"},
    {"upper case", "Contoso.EXAMPLE", "contoso.example"},
    {"trailing dot", "contoso.example.", "contoso.example"},
    {"underscore", "mx_1.contoso.example", "mx_1.contoso.example"},
    {"one label", "localhost", "localhost"},
    {"U-label", "bücher.example", "xn--bcher-kva.example"},
    {"U-label in upper case", "BÜCHER.example", "xn--bcher-kva.example"},
    {"A-label stays", "xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"sharp s is a letter of its own", "straße.example", "xn--strae-oqa.example"},
    {"longest", NAME_253, NAME_253},
    {"too long", NAME_253 "a", NULL},
    {"label too long", "a" LABEL_63 ".example", NULL},
    {"empty", "", NULL},
    {"root", ".", NULL},
    {"empty label", "contoso..example", NULL},
    {"leading dot", ".example", NULL},
    {"invalid UTF-8", "b\xff.example", NULL},
};

START_TEST(a_written_name_becomes_ascii)
{
    struct arena *arena = arena_new("test");
    const char *got = domain_name_ascii(arena, names[_i].written);
    bool same = got == NULL ? names[_i].ascii == NULL : names[_i].ascii != NULL && strcmp(got, names[_i].ascii) == 0;
    ck_assert_msg(same, "%s: %s", names[_i].name, got != NULL ? got : "none");
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name;
    bool address;
} addresses[] = {
    {"192.0.2.1", true},        {"[192.0.2.1]", true},        {"[IPv6:2001:db8::1]", true}, {"2001:db8::1", true},
    {"contoso.example", false}, {"192.0.2.1.example", false}, {"192.0.2", false},
};

START_TEST(an_address_is_no_name)
{
    ck_assert_msg(domain_name_is_address(addresses[_i].name) == addresses[_i].address, "%s", addresses[_i].name);
}
END_TEST

static const struct {
    const char *name;
    bool domain;
} domains[] = {
    {"contoso.example", true},
    {"a", true},
    {"a-b.example", true},
    {"1.2.example", true},
    {LABEL_63, true},
    {"", false},
    {".", false},
    {"a.", false},
    {".a", false},
    {"-a.example", false},
    {"a-.example", false},
    {"a_b.example", false},
    {"a b", false},
    {"*.example", false},
    {"b\xc3\xbc.example", false},
    {"a" LABEL_63, false},
};

START_TEST(a_domain_is_letters_digits_hyphens)
{
    ck_assert_msg(domain_name_is_domain(domains[_i].name, strlen(domains[_i].name)) == domains[_i].domain, "'%s'",
                  domains[_i].name);
}
END_TEST

TEST_SUITE(domain_name)
{
    TEST_LOOP(a_written_name_becomes_ascii, COUNT(names));
    TEST_LOOP(an_address_is_no_name, COUNT(addresses));
    TEST_LOOP(a_domain_is_letters_digits_hyphens, COUNT(domains));
}
