/* SPDX-License-Identifier: BSD-2-Clause
 * What a validator must say, by rows: one tree of zones, one fault or none, one lookup. */
#include "harness/claims.h"

#include <string.h>

#include "base/testing.h"

#define PARTNER                                                                                                        \
    "partner.example. MX 10 mx1.partner.example.\n"                                                                    \
    "mx1.partner.example. A 198.18.1.1\n"                                                                              \
    "_25._tcp.mx1.partner.example. TLSA 3 1 1 00\n"                                                                    \
    "mail.partner.example. CNAME mx1.partner.example.\n"                                                               \
    "away.partner.example. CNAME mx.unsigned.example.\n"

static const struct row {
    const char *name;
    bool is_signed, ds; /* of partner.example */
    enum dns_denial denial;
    struct fakedns_fault fault; /* .fault NULL: none */
    const char *about;          /* the lookup, as a claim begins */
    const char *claimed;        /* the rest of it */
    int64_t iterations;
} rows[] = {
#define SOUND true, true, DNS_NSEC
#define NO_FAULT                                                                                                       \
    {                                                                                                                  \
        0                                                                                                              \
    }
#define FAULT(...)                                                                                                     \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
    {"what is there", SOUND, NO_FAULT, "mx1.partner.example A", "secure present"},
    {"what is not there", SOUND, NO_FAULT, "mx1.partner.example AAAA", "secure absent"},
    {"a name that is not there", SOUND, NO_FAULT, "mta-sts.partner.example A", "secure absent"},
    {"an unsigned zone", false, false, DNS_NSEC, NO_FAULT, "mx1.partner.example A", "insecure present"},
    {"an island", true, false, DNS_NSEC, NO_FAULT, "mx1.partner.example A", "insecure present"},
    {"a name that is opted out", true, true, DNS_NSEC3_OPT_OUT, NO_FAULT, "mta-sts.partner.example A",
     "secure opted-out"},
    {"a type that is not there where names are opted out", true, true, DNS_NSEC3_OPT_OUT, NO_FAULT,
     "mx1.partner.example AAAA", "secure absent"},
    {"a proof that takes long", true, true, DNS_NSEC3, NO_FAULT, "mx1.partner.example AAAA", "insecure absent", 151},
    {"a proof that takes not too long", true, true, DNS_NSEC3, NO_FAULT, "mx1.partner.example AAAA", "secure absent",
     150},
    {"what needs no proof", true, true, DNS_NSEC3, NO_FAULT, "mx1.partner.example A", "secure present", 151},
    {"a spoilt DS", SOUND, FAULT(.fault = "ds-wrong", .zone = "partner.example"), "mx1.partner.example A", "bogus"},
    {"an unknown algorithm", SOUND, FAULT(.fault = "ds-unsupported-algorithm", .zone = "partner.example"),
     "mx1.partner.example A", "insecure present"},
    {"a DS proven absent", SOUND, FAULT(.fault = "ds-missing", .zone = "partner.example"), "partner.example MX",
     "insecure present"},
    {"no DNSKEY", SOUND, FAULT(.fault = "dnskey-missing", .zone = "partner.example"), "partner.example MX", "bogus"},
    {"no DNSKEY at the root", SOUND, FAULT(.fault = "dnskey-missing", .zone = "."), "partner.example MX", "bogus"},
    {"a zone of spoilt signatures", SOUND, FAULT(.fault = "signature-expired", .zone = "partner.example"),
     "mx1.partner.example AAAA", "bogus"},
    {"spoilt signatures above an unsigned zone", false, false, DNS_NSEC,
     FAULT(.fault = "signature-flipped", .zone = "example"), "mx1.partner.example A", "bogus"},
    {"a spoilt signature of this RRset", SOUND,
     FAULT(.fault = "signature-flipped", .zone = "partner.example", .owner = "_25._tcp.mx1.partner.example",
           .type = "TLSA"),
     "_25._tcp.mx1.partner.example TLSA", "bogus"},
    {"a spoilt signature of another RRset", SOUND,
     FAULT(.fault = "signature-flipped", .zone = "partner.example", .owner = "_25._tcp.mx1.partner.example",
           .type = "TLSA"),
     "mx1.partner.example A", "secure present"},
    {"a spoilt signature of the keys", SOUND,
     FAULT(.fault = "signature-missing", .zone = "partner.example", .type = "DNSKEY"), "mx1.partner.example A",
     "bogus"},
    {"a spoilt signature of the DS", SOUND,
     FAULT(.fault = "signature-missing", .zone = "example", .owner = "partner.example", .type = "DS"),
     "mx1.partner.example A", "bogus"},
    {"a delegation without proof that there is no DS", false, false, DNS_NSEC,
     FAULT(.fault = "denial-missing", .zone = "example", .owner = "partner.example", .type = "DS"),
     "mx1.partner.example A", "bogus"},
    {"a signature that nobody looks at", true, false, DNS_NSEC,
     FAULT(.fault = "signature-expired", .zone = "partner.example"), "mx1.partner.example A", "insecure present"},
    {"no proof of absence", SOUND, FAULT(.fault = "denial-missing", .zone = "partner.example"),
     "mx1.partner.example AAAA", "bogus"},
    {"no proof of absence where something is", SOUND, FAULT(.fault = "denial-missing", .zone = "partner.example"),
     "mx1.partner.example A", "secure present"},
    {"SERVFAIL for the type", SOUND, FAULT(.fault = "servfail", .zone = "partner.example", .type = "TLSA"),
     "_25._tcp.mx1.partner.example TLSA", "fails"},
    {"SERVFAIL for another type", SOUND, FAULT(.fault = "servfail", .zone = "partner.example", .type = "TLSA"),
     "partner.example MX", "secure present"},
    {"SERVFAIL in an unsigned zone", false, false, DNS_NSEC,
     FAULT(.fault = "servfail", .zone = "partner.example", .type = "MX"), "partner.example MX", "fails"},
    {"a lame server", SOUND, FAULT(.fault = "lame", .zone = "partner.example"), "partner.example MX", "fails"},
    {"silence above", SOUND, FAULT(.fault = "silent", .zone = "example"), "partner.example MX", "fails"},
    {"what is slow is there", SOUND, FAULT(.fault = "slow", .zone = "partner.example"), "partner.example MX",
     "secure present"},
    {"what is planted is sound for DNS", SOUND, FAULT(.fault = "planted", .zone = "partner.example", .type = "MX"),
     "partner.example MX", "secure present"},
    {"a fault of a later attempt", SOUND, FAULT(.fault = "servfail", .zone = "partner.example", .nth = 2),
     "partner.example MX", "secure present"},
    {"an alias", SOUND, NO_FAULT, "mail.partner.example A", "secure present"},
    {"a key that validators differ about", SOUND,
     FAULT(.fault = "tag-shared-beside", .zone = "partner.example", .type = "DNSKEY"), "partner.example MX", NULL},
    {"an alias to what validators differ about", SOUND,
     FAULT(.fault = "tag-shared-beside", .zone = "example", .type = "DNSKEY"), "mail.partner.example A", NULL},
    {"an alias to nothing", SOUND, NO_FAULT, "mail.partner.example AAAA", "secure absent"},
    {"an alias whose signature is spoilt", SOUND,
     FAULT(.fault = "signature-flipped", .zone = "partner.example", .type = "CNAME"), "mail.partner.example A",
     "bogus"},
    {"an alias that leads out of what is signed", SOUND, NO_FAULT, "away.partner.example A", "insecure present"},
#undef SOUND
#undef NO_FAULT
#undef FAULT
};

static const struct claim *find(const struct claims *claims, const char *about)
{
    for (size_t i = 0; i < claims->count; i++) {
        size_t length = strlen(claims->items[i].name);
        if (strncmp(about, claims->items[i].name, length) == 0 && about[length] == ' ' &&
            strcmp(about + length + 1, claims->items[i].about) == 0)
            return &claims->items[i];
    }
    return NULL;
}

/* The lookups of a sender to the domain, and to two names as if these had mail. */
START_TEST(an_answer_is_called_what_it_is)
{
    const struct row *row = &rows[_i];
    const struct fakedns_zone zones[] = {
        {.name = ".", .is_signed = true},
        {.name = "example", .is_signed = true, .ds = true},
        {.name = "partner.example",
         .is_signed = row->is_signed,
         .ds = row->ds,
         .denial = row->denial,
         .iterations = row->iterations,
         .records = PARTNER},
        {.name = "unsigned.example", .records = "mx.unsigned.example. A 198.18.1.2\n"},
    };
    struct fakedns_config dns = {zones, COUNT(zones), &row->fault, row->fault.fault != NULL, 0};
    struct arena *arena = arena_new("test");
    struct claims claims = {0};
    claims_dns(arena, &dns, "partner.example", &claims);
    claims_dns(arena, &dns, "mail.partner.example", &claims);
    claims_dns(arena, &dns, "away.partner.example", &claims);
    const struct claim *claim = find(&claims, row->about);
    const char *claimed = claim == NULL         ? "nothing"
                          : claim->more == NULL ? claim->says
                                                : arena_printf(arena, "%s %s", claim->says, claim->more);
    const char *right = row->claimed != NULL ? row->claimed : "nothing";
    ck_assert_msg(strcmp(claimed, right) == 0, "%s: '%s', not '%s'", row->name, claimed, right);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name;
    struct fakedns_fault fault;
    const char *says; /* of partner.example; NULL: nothing */
} zone_rows[] = {
    {"a sound zone", {0}, "verifies"},
    {"a spoilt signature", {.fault = "signature-flipped", .zone = "partner.example", .type = "MX"}, "spoilt"},
    {"a spoilt signature elsewhere", {.fault = "signature-flipped", .zone = "example"}, "verifies"},
    {"an answer that fails", {.fault = "servfail", .zone = "partner.example"}, "verifies"},
    {"a proof that is left out", {.fault = "denial-missing", .zone = "partner.example"}, "verifies"},
    {"a spoilt delegation", {.fault = "ds-wrong", .zone = "partner.example"}, NULL},
};

START_TEST(a_zone_verifies_unless_a_fault_lives_in_it)
{
    const struct fakedns_zone zones[] = {{.name = ".", .is_signed = true},
                                         {.name = "example", .is_signed = true, .ds = true},
                                         {.name = "partner.example", .is_signed = true, .ds = true}};
    struct fakedns_config dns = {zones, COUNT(zones), &zone_rows[_i].fault, zone_rows[_i].fault.fault != NULL, 0};
    struct arena *arena = arena_new("test");
    struct claims claims = {0};
    claims_zones(arena, &dns, &claims);
    const struct claim *claim = find(&claims, "partner.example zone");
    const char *says = claim != NULL ? claim->says : "nothing";
    ck_assert_msg(strcmp(says, zone_rows[_i].says != NULL ? zone_rows[_i].says : "nothing") == 0, "%s: %s",
                  zone_rows[_i].name, says);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(claims_dns)
{
    TEST_LOOP(an_answer_is_called_what_it_is, COUNT(rows));
    TEST_LOOP(a_zone_verifies_unless_a_fault_lives_in_it, COUNT(zone_rows));
}
