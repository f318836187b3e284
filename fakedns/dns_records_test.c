/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_records.h"

#include <string.h>

#include "base/testing.h"

struct seen {
    struct arena *arena;
    char *text; /* each record, or "line:col: mistake" */
};

static const char *take(void *arg, ldns_rr *rr)
{
    struct seen *seen = arg;
    char *made = ldns_rr2str(rr);
    for (char *c = made; *c != '\0'; c++)
        if (*c == '\t')
            *c = ' ';
    seen->text = arena_printf(seen->arena, "%s%s", seen->text, made);
    LDNS_FREE(made);
    ldns_rr_free(rr);
    return NULL;
}

static void wrong(void *arg, struct dns_place at, const char *text)
{
    struct seen *seen = arg;
    seen->text = arena_printf(seen->arena, "%s%u:%u: %s\n", seen->text, at.line, at.col, text);
}

/* clang-format off */
static const struct { const char *name, *text, *seen; } cases[] = {
    {"names are relative to the zone", "mx A 192.0.2.1", "mx.partner.example. 300 IN A 192.0.2.1\n"},
    {"@ is the zone", "@ MX 10 mx", "partner.example. 300 IN MX 10 mx.partner.example.\n"},
    {"a name with a dot is whole", "mx.example. A 192.0.2.1", "mx.example. 300 IN A 192.0.2.1\n"},
    {"a line that begins blank has the owner before it", "mx A 192.0.2.1\n  A 192.0.2.2",
     "mx.partner.example. 300 IN A 192.0.2.1\nmx.partner.example. 300 IN A 192.0.2.2\n"},
    {"TTL and class in any order", "a 60 IN A 192.0.2.1\nb IN 1h A 192.0.2.1",
     "a.partner.example. 60 IN A 192.0.2.1\nb.partner.example. 3600 IN A 192.0.2.1\n"},
    {"directives", "$TTL 60\n$ORIGIN sub\na A 192.0.2.1", "a.sub.partner.example. 60 IN A 192.0.2.1\n"},
    {"comments and empty lines", "; nothing\n\n  \na A 192.0.2.1 ; here", "a.partner.example. 300 IN A 192.0.2.1\n"},
    {"parentheses", "t TLSA 3 1 1 ( aa ; half\n bb )\n", "t.partner.example. 300 IN TLSA 3 1 1 aabb\n"},
    {"quotes", "t TXT \"v=STSv1; id=1;\" b", "t.partner.example. 300 IN TXT \"v=STSv1; id=1;\" \"b\"\n"},
    {"a type by number, rdata as bytes", "t TYPE52 \\# 3 030101", "t.partner.example. 300 IN TLSA 3 1 1\n"},
    {"a type with fields of its own", "a LOC 1 N 2 W 3m",
     "1:7: records of this type are taken only as bytes: \\# length hexadecimal\n"},
    {"CAA", "@ CAA 0 issue \"ca.example\"", "partner.example. 300 IN CAA 0 issue \"ca.example\"\n"},
    {"fewer bytes than said", "t TYPE52 \\# 3 0301",
     "1:3: no TYPE52 record can be made of this: Syntax error, could not parse the RR's rdata\n"},
    {"not an address", "\na A 192.0.2", "2:5: '192.0.2' is not an IPv4 address\n"},
    {"not an IPv6 address", "a AAAA 192.0.2.1", "1:8: '192.0.2.1' is not an IPv6 address\n"},
    {"a number too large for eight bits", "t TLSA 3 1 256 aa", "1:12: '256' is not a number from 0 to 255\n"},
    {"a number too large for sixteen bits", "@ MX 65536 mx", "1:6: '65536' is not a number from 0 to 65535\n"},
    {"an odd number of digits", "t TLSA 3 1 1 abc", "1:14: 'abc' is not an even number of hexadecimal digits\n"},
    {"no hexadecimal digit", "t TLSA 3 1 1 xx", "1:14: 'xx' is not an even number of hexadecimal digits\n"},
    {"too few fields", "t TLSA 3 1 1", "1:3: TLSA needs 4 fields, here are 3\n"},
    {"too many fields", "a A 192.0.2.1 192.0.2.2", "1:15: nothing may follow here: A has at most 1 fields\n"},
    {"an unknown type", "a TLSE 3 1 1 aa", "1:3: 'TLSE' is no record type\n"},
    {"an owner alone", "a", "1:1: a record has an owner, a type and its data\n"},
    {"two dots in a name", "@ MX 10 a..b", "1:9: 'a..b' is not a domain name\n"},
    {"a string too long",
     "t TXT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "1:7: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is not a string of at most 255 bytes "
     "(write more strings side by side)\n"},
    {"a quotation mark not closed", "t TXT \"abc\na A 192.0.2.1",
     "1:7: this quotation mark is not closed on its line\na.partner.example. 300 IN A 192.0.2.1\n"},
    {"a parenthesis not closed", "t TLSA ( 3 1 1 aa\n", "1:8: '(' is never closed\n"},
    {"a parenthesis not opened", "t TLSA 3 1 1 aa )", "1:17: ')' without '('\n"},
    {"an unknown directive", "$INCLUDE /etc/passwd", "1:1: only $ORIGIN and $TTL are known here\n"},
    {"every mistake is told", "a A 1\nb A 2\nc A 192.0.2.3",
     "1:5: '1' is not an IPv4 address\n2:5: '2' is not an IPv4 address\nc.partner.example. 300 IN A 192.0.2.3\n"},
};
/* clang-format on */

START_TEST(records_are_read)
{
    struct arena *arena = arena_new("test");
    struct seen seen = {arena, arena_strdup(arena, "")};
    const struct dns_records_reader reader = {take, wrong, &seen};
    dns_records_read(arena, dns_name_parse(arena, "partner.example", NULL), cases[_i].text, &reader);
    ck_assert_msg(strcmp(seen.text, cases[_i].seen) == 0, "%s: %s", cases[_i].name, seen.text);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(dns_records)
{
    TEST_LOOP(records_are_read, COUNT(cases));
}
