/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/identity.h"
#include "base/testing.h"
#include "base/text.h"

static const unsigned char octets[65] = {1, 2, 3};

/* What stands behind the three fixed octets: so many octets, or the whole object, one octet less or more than it. */
enum data { OCTETS, CERTIFICATE, SPKI };

struct fixture {
    struct arena *arena;
    struct identity *identity;
    unsigned char *certificate, *spki;
    size_t certificate_length, spki_length;
};

static unsigned char *tlsa_data(struct fixture *f, unsigned selector, size_t *length)
{
    unsigned char *bytes;
    ck_assert(text_unhex(f->arena, identity_tlsa_data(f->arena, f->identity, selector, TLSA_FULL), &bytes, length));
    return arena_grow(f->arena, bytes, *length, *length + 1); /* one octet more than there is */
}

static struct fixture fixture_new(void)
{
    static const char *const names[] = {"mx.example"};
    struct err err;
    struct identity_spec spec = {.names = names, .name_count = 1};
    struct fixture f = {.arena = arena_new("test"), .identity = identity_new(&spec, NULL, &err)};
    ck_assert_ptr_nonnull(f.identity);
    f.certificate = tlsa_data(&f, TLSA_CERT, &f.certificate_length);
    f.spki = tlsa_data(&f, TLSA_SPKI, &f.spki_length);
    return f;
}

static void fixture_free(struct fixture *f)
{
    identity_free(&f->identity);
    arena_free(&f->arena);
}

static void set_data(const struct fixture *f, enum data data, int length, struct tlsa_record *out)
{
    const struct {
        const unsigned char *bytes;
        size_t length;
    } whole[] = {
        [OCTETS] = {octets, 0},
        [CERTIFICATE] = {f->certificate, f->certificate_length},
        [SPKI] = {f->spki, f->spki_length},
    };
    out->data = whole[data].bytes;
    out->length = (size_t)((int)whole[data].length + length);
}

static const struct {
    const char *name;
    uint8_t usage, selector, matching;
    enum data data;
    int length;
    bool usable;
} usables[] = {
    {"3 1 1", 3, 1, 1, OCTETS, 32, true},
    {"3 0 1", 3, 0, 1, OCTETS, 32, true},
    {"2 0 1", 2, 0, 1, OCTETS, 32, true},
    {"2 1 1", 2, 1, 1, OCTETS, 32, true},
    {"3 1 2", 3, 1, 2, OCTETS, 64, true},
    {"2 0 2", 2, 0, 2, OCTETS, 64, true},
    {"3 0 0 certificate", 3, 0, 0, CERTIFICATE, 0, true},
    {"2 0 0 certificate", 2, 0, 0, CERTIFICATE, 0, true},
    {"3 1 0 key", 3, 1, 0, SPKI, 0, true},
    {"2 1 0 key", 2, 1, 0, SPKI, 0, true},
    {"PKIX-TA (T8)", 0, 0, 1, OCTETS, 32, false},
    {"PKIX-EE (T8)", 1, 1, 1, OCTETS, 32, false},
    {"PKIX-EE full", 1, 0, 0, CERTIFICATE, 0, false},
    {"usage 4", 4, 1, 1, OCTETS, 32, false},
    {"usage 255", 255, 1, 1, OCTETS, 32, false},
    {"selector 2", 3, 2, 1, OCTETS, 32, false},
    {"selector 2, full", 3, 2, 0, SPKI, 0, false},
    {"selector 255", 3, 255, 1, OCTETS, 32, false},
    {"matching type 3", 3, 1, 3, OCTETS, 32, false},
    {"matching type 7 (G9)", 3, 1, 7, OCTETS, 64, false},
    {"matching type 255, as if full", 3, 1, 255, SPKI, 0, false},
    {"SHA2-256 a byte short", 3, 1, 1, OCTETS, 31, false},
    {"SHA2-256 a byte long", 3, 1, 1, OCTETS, 33, false},
    {"SHA2-256 of SHA2-512's length", 3, 1, 1, OCTETS, 64, false},
    {"SHA2-512 a byte short", 3, 1, 2, OCTETS, 63, false},
    {"SHA2-512 a byte long", 3, 1, 2, OCTETS, 65, false},
    {"SHA2-512 of SHA2-256's length (G3)", 3, 1, 2, OCTETS, 32, false},
    {"digest empty", 3, 1, 1, OCTETS, 0, false},
    {"full empty", 3, 0, 0, OCTETS, 0, false},
    {"full key empty", 3, 1, 0, OCTETS, 0, false},
    {"full, one octet", 3, 1, 0, OCTETS, 1, false},
    {"full, junk", 3, 0, 0, OCTETS, 64, false},
    {"certificate cut", 3, 0, 0, CERTIFICATE, -1, false},
    {"certificate and more", 2, 0, 0, CERTIFICATE, +1, false},
    {"certificate as key", 3, 1, 0, CERTIFICATE, 0, false},
    {"key as certificate", 3, 0, 0, SPKI, 0, false},
    {"key cut", 3, 1, 0, SPKI, -1, false},
    {"key and more", 3, 1, 0, SPKI, +1, false},
};

START_TEST(a_record_is_usable_or_not)
{
    struct fixture f = fixture_new();
    struct tlsa_record record = {.usage = usables[_i].usage,
                                 .selector = usables[_i].selector,
                                 .matching = usables[_i].matching};
    set_data(&f, usables[_i].data, usables[_i].length, &record);
    ck_assert_msg(tlsa_usable(&record) == usables[_i].usable, "%s", usables[_i].name);
    fixture_free(&f);
}
END_TEST

/* "311" is 3 1 1 with data that fits; with a "!" behind it the data is an octet short. */
static const struct {
    const char *name, *given, *kept;
    size_t unusable;
} selections[] = {
    {"one", "311", "311", 0},
    {"none", "", "", 0},
    {"strongest digest alone (G1, G2)", "311 312", "312", 0},
    {"order does not matter", "312 311", "312", 0},
    {"malformed go first (G3)", "312! 311", "311", 1},
    {"full is never dropped (G4)", "310 311 312", "310 312", 0},
    {"full alone beside a weaker one", "310 311", "310 311", 0},
    {"per selector (G5)", "301 312", "301 312", 0},
    {"per usage (G6)", "201 312", "201 312", 0},
    {"unknown digest goes first (G8)", "317 311", "311", 1},
    {"unknown digest only (G9)", "317", "", 1},
    {"several of one digest", "311 311 311", "311 311 311", 0},
    {"PKIX usages do not count for strength", "112 311", "311", 1},
    {"each usage and selector by itself", "301 302 311 201 211 212", "302 311 201 212", 0},
    {"nothing usable (T4)", "011 101 421 391", "", 4},
};

static size_t read_records(const struct fixture *f, const char *text, struct tlsa_record *out)
{
    size_t count = 0;
    for (; *text != '\0'; text += strspn(text, " ")) {
        struct tlsa_record *r = &out[count++];
        *r =
            (struct tlsa_record){(uint8_t)(text[0] - '0'), (uint8_t)(text[1] - '0'), (uint8_t)(text[2] - '0'), NULL, 0};
        text += 3;
        if (r->matching == TLSA_FULL)
            set_data(f, r->selector == TLSA_CERT ? CERTIFICATE : SPKI, 0, r);
        else
            set_data(f, OCTETS, r->matching == TLSA_SHA2_512 ? 64 : 32, r);
        if (*text == '!') {
            r->length--;
            text++;
        }
    }
    return count;
}

START_TEST(agility_selects)
{
    struct fixture f = fixture_new();
    struct tlsa_record records[8];
    char kept[40] = "";
    size_t unusable, count = read_records(&f, selections[_i].given, records);
    count = tlsa_select(records, count, &unusable);
    for (size_t i = 0; i < count; i++)
        snprintf(kept + strlen(kept), sizeof kept - strlen(kept), "%s%u%u%u", i > 0 ? " " : "", records[i].usage,
                 records[i].selector, records[i].matching);
    ck_assert_msg(strcmp(kept, selections[_i].kept) == 0 && unusable == selections[_i].unusable, "%s: %s, %zu unusable",
                  selections[_i].name, kept, unusable);
    fixture_free(&f);
}
END_TEST

START_TEST(rdata_has_three_fixed_octets)
{
    static const unsigned char rdata[] = {3, 1, 1, 0xab, 0xcd};
    struct tlsa_record record;
    for (size_t length = 0; length < 3; length++)
        ck_assert(!tlsa_parse(rdata, length, &record));
    ck_assert(tlsa_parse(rdata, 3, &record));
    ck_assert_uint_eq(record.length, 0);
    ck_assert(tlsa_parse(rdata, sizeof rdata, &record));
    ck_assert(record.usage == 3 && record.selector == 1 && record.matching == 1 && record.length == 2 &&
              record.data == rdata + 3);
}
END_TEST

START_TEST(records_are_told_as_in_a_zone_file)
{
    struct arena *arena = arena_new("test");
    const struct tlsa_record record = {3, 1, 1, (const unsigned char *)"\x0f\xab", 2}, empty = {3, 1, 1, NULL, 0};
    ck_assert_str_eq(tlsa_text(arena, &record), "3 1 1 0fab");
    ck_assert_str_eq(tlsa_text(arena, &empty), "\\# 3 030101");
    arena_free(&arena);
}
END_TEST

TEST_SUITE(tlsa)
{
    TEST_LOOP(a_record_is_usable_or_not, COUNT(usables));
    TEST_LOOP(agility_selects, COUNT(selections));
    TEST(records_are_told_as_in_a_zone_file);
    TEST(rdata_has_three_fixed_octets);
}
