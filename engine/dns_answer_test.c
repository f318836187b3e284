/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dns_answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

/* A packet is made of its question and records; the data of a CNAME is a name, of others it is taken as it is. */
struct packet {
    unsigned char bytes[2048];
    size_t length;
};

static void put(struct packet *p, const void *bytes, size_t length)
{
    ck_assert_uint_le(p->length + length, sizeof p->bytes);
    memcpy(p->bytes + p->length, bytes, length);
    p->length += length;
}

static void put_u16(struct packet *p, unsigned number)
{
    unsigned char bytes[] = {(unsigned char)(number >> 8), (unsigned char)number};
    put(p, bytes, 2);
}

static void put_name(struct packet *p, const char *name)
{
    while (*name != '\0') {
        unsigned char length = (unsigned char)strcspn(name, ".");
        put(p, &length, 1);
        put(p, name, length);
        name += length + (name[length] == '.');
    }
    put(p, "", 1);
}

struct record {
    const char *owner;
    uint16_t type;
    const char *data;
};

static void put_record(struct packet *p, const struct record *r)
{
    put_name(p, r->owner);
    put_u16(p, r->type);
    put_u16(p, 1);
    put(p, "\0\0\0\x3c", 4);
    size_t at = p->length;
    put_u16(p, 0);
    if (r->type == DNS_CNAME)
        put_name(p, r->data);
    else
        put(p, r->data, strlen(r->data));
    p->bytes[at] = (unsigned char)((p->length - at - 2) >> 8);
    p->bytes[at + 1] = (unsigned char)(p->length - at - 2);
}

static struct packet packet_of(unsigned rcode, const char *name, uint16_t type, const struct record *records,
                               size_t count)
{
    struct packet p = {.length = 0};
    put_u16(&p, 0x1234);
    put_u16(&p, 0x8180 | rcode);
    put_u16(&p, 1);
    put_u16(&p, (unsigned)count);
    put_u16(&p, 0);
    put_u16(&p, 0);
    put_name(&p, name);
    put_u16(&p, type);
    put_u16(&p, 1);
    for (size_t i = 0; i < count; i++)
        put_record(&p, &records[i]);
    return p;
}

static const struct {
    const char *name;
    unsigned rcode;
    const char *asked;
    uint16_t type;
    struct record records[4];
    const char *expanded;
    size_t count;
    const char *first;
} cases[] = {
    {"nothing", 0, "a.example", DNS_TXT, {{0}}, "a.example", 0, NULL},
    {"no such name", 3, "a.example", DNS_TXT, {{0}}, "a.example", 0, NULL},
    {"two records",
     0,
     "a.example",
     DNS_TXT,
     {{"a.example", DNS_TXT, "x"}, {"a.example", DNS_TXT, "y"}},
     "a.example",
     2,
     "x"},
    {"case is no difference", 0, "A.example", DNS_TXT, {{"a.EXAMPLE", DNS_TXT, "x"}}, "a.example", 1, "x"},
    {"alias",
     0,
     "a.example",
     DNS_TXT,
     {{"a.example", DNS_CNAME, "b.example"}, {"b.example", DNS_TXT, "x"}},
     "b.example",
     1,
     "x"},
    {"alias behind its target",
     0,
     "a.example",
     DNS_TXT,
     {{"b.example", DNS_TXT, "x"}, {"a.example", DNS_CNAME, "B.example"}},
     "b.example",
     1,
     "x"},
    {"two aliases",
     0,
     "a.example",
     DNS_TXT,
     {{"b.example", DNS_CNAME, "c.example"}, {"a.example", DNS_CNAME, "b.example"}, {"c.example", DNS_TXT, "x"}},
     "c.example",
     1,
     "x"},
    {"dangling alias", 3, "a.example", DNS_TXT, {{"a.example", DNS_CNAME, "b.example"}}, "b.example", 0, NULL},
    {"records of others are not ours", 0, "a.example", DNS_TXT, {{"c.example", DNS_TXT, "x"}}, "a.example", 0, NULL},
    {"records of other types are not ours",
     0,
     "a.example",
     DNS_TXT,
     {{"a.example", DNS_A, "1234"}, {"a.example", 46, "sig"}},
     "a.example",
     0,
     NULL},
    {"the alias itself", 0, "a.example", DNS_CNAME, {{"a.example", DNS_CNAME, "b.example"}}, "a.example", 1, NULL},
};

START_TEST(an_answer_is_read)
{
    struct arena *arena = arena_new("test");
    size_t count = 0;
    while (count < COUNT(cases[_i].records) && cases[_i].records[count].owner != NULL)
        count++;
    struct packet p = packet_of(cases[_i].rcode, cases[_i].asked, cases[_i].type, cases[_i].records, count);
    struct dns_answer answer;
    ck_assert_msg(dns_answer_read(arena, p.bytes, p.length, cases[_i].type, &answer), "%s", cases[_i].name);
    ck_assert_msg(answer.rcode == cases[_i].rcode && strcmp(answer.expanded, cases[_i].expanded) == 0 &&
                      answer.count == cases[_i].count,
                  "%s: code %u, %s, %zu records", cases[_i].name, answer.rcode, answer.expanded, answer.count);
    if (cases[_i].first != NULL)
        ck_assert_mem_eq(answer.records[0].data, cases[_i].first, strlen(cases[_i].first));
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name;
    struct record records[3];
} loops[] = {
    {"onto itself", {{"a.example", DNS_CNAME, "a.example"}}},
    {"of two", {{"a.example", DNS_CNAME, "b.example"}, {"b.example", DNS_CNAME, "a.example"}}},
    {"of two, records beside it",
     {{"a.example", DNS_CNAME, "b.example"}, {"b.example", DNS_CNAME, "a.example"}, {"b.example", DNS_TXT, "x"}}},
};

/* 7672-2.1.3-3: an error, not an absence. */
START_TEST(a_loop_of_aliases_is_malformed)
{
    struct arena *arena = arena_new("test");
    size_t count = 0;
    while (count < COUNT(loops[_i].records) && loops[_i].records[count].owner != NULL)
        count++;
    struct packet p = packet_of(0, "a.example", DNS_TXT, loops[_i].records, count);
    struct dns_answer answer;
    ck_assert_msg(!dns_answer_read(arena, p.bytes, p.length, DNS_TXT, &answer), "%s", loops[_i].name);
    arena_free(&arena);
}
END_TEST

START_TEST(a_packet_cut_anywhere_is_malformed)
{
    static const struct record records[] = {{"a.example", DNS_CNAME, "b.example"}, {"b.example", DNS_TXT, "text"}};
    struct arena *arena = arena_new("test");
    struct packet p = packet_of(0, "a.example", DNS_TXT, records, COUNT(records));
    struct dns_answer answer;
    for (size_t length = 0; length < p.length; length++)
        ck_assert_msg(!dns_answer_read(arena, p.bytes, length, DNS_TXT, &answer), "%zu of %zu octets", length,
                      p.length);
    arena_free(&arena);
}
END_TEST

/* Names in RDATA, raw. The question's name, a.example, stands at offset 12. */
static const struct {
    const char *name;
    const char bytes[24];
    size_t length;
    const char *text;
} names[] = {
    {"root", "\0", 1, "."},
    {"whole", "\3mx1\2de\0", 8, "mx1.de"},
    {"compressed", "\3mx1\xc0\x0c", 6, "mx1.a.example"},
    {"nothing but a pointer", "\xc0\x0c", 2, "a.example"},
    {"upper case", "\2MX\xc0\x0e", 5, "mx.example"},
    {"a dot inside a label", "\3a.b\0", 5, "a\\046b"},
    {"unprintable and blank", "\3\1 \xff\0", 5, "\\001\\032\\255"},
    {"backslash", "\1\\\0", 3, "\\092"},
    {"pointer out of the packet", "\xff\xff", 2, NULL},
    {"pointer cut", "\xc0", 1, NULL},
    {"pointer to itself", "\xc0\x27", 2, NULL},
    {"label of a kind nobody knows", "\x41z\0", 3, NULL},
    {"no end", "\3mx1", 4, NULL},
};

START_TEST(a_name_is_read)
{
    struct arena *arena = arena_new("test");
    struct packet p = packet_of(0, "a.example", DNS_MX, NULL, 0);
    p.bytes[7] = 1; /* one record */
    put(&p, "\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0", 11);
    unsigned char length = (unsigned char)names[_i].length;
    put(&p, &length, 1);
    ck_assert_uint_eq(p.length, 0x27);
    put(&p, names[_i].bytes, names[_i].length);
    struct dns_answer answer;
    ck_assert(dns_answer_read(arena, p.bytes, p.length, DNS_MX, &answer));
    ck_assert_uint_eq(answer.count, 1);
    char *text = dns_answer_name(arena, &answer, &answer.records[0], 0);
    bool same = text == NULL ? names[_i].text == NULL : names[_i].text != NULL && strcmp(text, names[_i].text) == 0;
    ck_assert_msg(same, "%s: %s", names[_i].name, text != NULL ? text : "none");
    ck_assert_ptr_null(dns_answer_name(arena, &answer, &answer.records[0], names[_i].length));
    arena_free(&arena);
}
END_TEST

START_TEST(an_overlong_name_is_malformed)
{
    struct arena *arena = arena_new("test");
    char name[300];
    memset(name, 'a', sizeof name);
    for (size_t i = 60; i < sizeof name; i += 61)
        name[i] = '.';
    struct dns_answer answer;
    name[253] = '\0'; /* 255 octets on the wire */
    struct packet p = packet_of(0, name, DNS_TXT, NULL, 0);
    ck_assert(dns_answer_read(arena, p.bytes, p.length, DNS_TXT, &answer));
    name[253] = 'a';
    name[254] = '\0';
    p = packet_of(0, name, DNS_TXT, NULL, 0);
    ck_assert(!dns_answer_read(arena, p.bytes, p.length, DNS_TXT, &answer));
    arena_free(&arena);
}
END_TEST

/* RRSIG, RFC 4034 3.1: eight octets, the end, the beginning, and what does not matter here. */
#define SIGNATURE(end) "xxxxxxxx" end "beg.tgrest"

static const struct {
    const char *name;
    struct record records[3];
    size_t in_authority; /* so many of them */
    int64_t until;
} signatures[] = {
    {"no signature", {{"a.example", DNS_TXT, "x"}}, 0, 0},
    {"one", {{"a.example", DNS_TXT, "x"}, {"a.example", DNS_RRSIG, SIGNATURE("\x7f\1\2\3")}}, 0, 0x7f010203},
    {"the first to end",
     {{"a.example", DNS_RRSIG, SIGNATURE("\x70\1\1\1")}, {"a.example", DNS_RRSIG, SIGNATURE("\x60\1\1\1")}},
     0,
     0x60010101},
    {"beyond 2038", {{"a.example", DNS_RRSIG, SIGNATURE("\xf0\1\1\1")}}, 0, 0xf0010101},
    {"of a denial", {{"example", DNS_RRSIG, SIGNATURE("\x70\1\1\1")}}, 1, 0x70010101},
    {"cut", {{"a.example", DNS_RRSIG, "xxxxxxxxend"}}, 0, 0},
};

START_TEST(the_first_end_of_a_signature_is_known)
{
    struct arena *arena = arena_new("test");
    size_t count = 0;
    while (count < COUNT(signatures[_i].records) && signatures[_i].records[count].owner != NULL)
        count++;
    struct packet p = packet_of(0, "a.example", DNS_TXT, signatures[_i].records, count);
    p.bytes[7] = (unsigned char)(count - signatures[_i].in_authority);
    p.bytes[9] = (unsigned char)signatures[_i].in_authority;
    struct dns_answer answer;
    ck_assert(dns_answer_read(arena, p.bytes, p.length, DNS_TXT, &answer));
    ck_assert_msg(answer.signed_until == signatures[_i].until, "%s: %lld", signatures[_i].name,
                  (long long)answer.signed_until);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(dns_answer)
{
    TEST_LOOP(an_answer_is_read, COUNT(cases));
    TEST_LOOP(the_first_end_of_a_signature_is_known, COUNT(signatures));
    TEST_LOOP(a_loop_of_aliases_is_malformed, COUNT(loops));
    TEST(a_packet_cut_anywhere_is_malformed);
    TEST_LOOP(a_name_is_read, COUNT(names));
    TEST(an_overlong_name_is_malformed);
}
