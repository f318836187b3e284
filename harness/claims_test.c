/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"
#include "base/text.h"
#include "fakedns/fakedns_file.h"

static const struct fakedns_zone zones[] = {
    {.name = ".",
     .is_signed = true,
     .addresses = (const char *const[]){"198.18.0.1", "2001:db8::1"},
     .address_count = 2},
    {.name = "example",
     .ds = false,
     .addresses = (const char *const[]){"198.18.0.2"},
     .address_count = 1,
     .algorithm = DNS_ED25519,
     .digest = DNS_DIGEST_SHA384,
     .denial = DNS_NSEC3,
     .iterations = 7,
     .records = "host.example. A 198.18.1.1\nhost.example. TXT \"a: b\\\\ # c\"\n"},
};
static const struct fakedns_fault faults[] = {
    {.fault = "servfail", .zone = "example", .owner = "_25._tcp.host.example", .type = "TLSA", .nth = 2},
    {.fault = "ds-missing", .zone = "example"},
};

static bool texts_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

START_TEST(the_program_fakedns_reads_back_what_is_printed)
{
    const struct fakedns_config dns = {zones, COUNT(zones), faults, COUNT(faults), 0};
    char path[] = "/tmp/claims_test.XXXXXX";
    int fd = mkstemp(path);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    ck_assert(out != NULL);
    claims_print_fakedns(&dns, out);
    ck_assert_int_eq(fclose(out), 0);
    struct arena *arena = arena_new("test");
    struct diag_list *diags = diag_new(arena);
    struct fakedns_config back;
    bool good = fakedns_file_read(arena, path, &back, diags);
    diag_print(diags, stderr);
    remove(path);
    ck_assert(good);
    ck_assert_uint_eq(back.zone_count, COUNT(zones));
    for (size_t i = 0; i < COUNT(zones); i++) {
        const struct fakedns_zone *got = &back.zones[i], *wanted = &zones[i];
        ck_assert_msg(texts_equal(got->name, wanted->name) && texts_equal(got->records, wanted->records), "%s: %s",
                      got->name, got->records);
        ck_assert(got->is_signed == wanted->is_signed && got->ds == wanted->ds && got->algorithm == wanted->algorithm &&
                  got->digest == wanted->digest && got->denial == wanted->denial &&
                  got->iterations == wanted->iterations && got->address_count == wanted->address_count);
    }
    ck_assert_uint_eq(back.fault_count, COUNT(faults));
    for (size_t i = 0; i < COUNT(faults); i++)
        ck_assert(texts_equal(back.faults[i].fault, faults[i].fault) &&
                  texts_equal(back.faults[i].zone, faults[i].zone) &&
                  texts_equal(back.faults[i].owner, faults[i].owner) &&
                  texts_equal(back.faults[i].type, faults[i].type) && back.faults[i].nth == faults[i].nth);
    arena_free(&arena);
}
END_TEST

START_TEST(a_claim_is_a_line)
{
    struct claim items[] = {{"mx1.partner.example", "A", "secure", "present"},
                            {"mx1.partner.example", "tls", "shown", NULL},
                            {"mx1.partner.example", "tls", "none", "greeting 554\n"}};
    struct claims claims = {items, COUNT(items), COUNT(items)};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    claims_print(&claims, out);
    fclose(out);
    ck_assert_str_eq(text, "mx1.partner.example A secure present\nmx1.partner.example tls shown\n"
                           "mx1.partner.example tls none greeting 554\\x0a\n");
    free(text);
}
END_TEST

TEST_SUITE(claims)
{
    TEST(the_program_fakedns_reads_back_what_is_printed);
    TEST(a_claim_is_a_line);
}
