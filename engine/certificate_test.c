/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/certificate.h"

#include <string.h>

#include "base/identity.h"
#include "base/testing.h"
#include "base/text.h"

static struct identity *make(const struct identity_spec *spec)
{
    struct err err;
    struct identity *identity = identity_new(spec, NULL, &err);
    ck_assert_msg(identity != NULL, "%s", err.text);
    return identity;
}

static struct certificate der_of(struct arena *arena, const struct identity *identity)
{
    unsigned char *der = NULL;
    int length = i2d_X509(identity_certificate(identity), &der);
    ck_assert_int_gt(length, 0);
    struct certificate c = {arena_memdup(arena, der, (size_t)length), (size_t)length};
    OPENSSL_free(der);
    return c;
}

START_TEST(a_certificate_says_its_names_and_dates)
{
    static const char *const names[] = {"mx.example", "*.mx.example"};
    struct arena *arena = arena_new("test");
    struct identity *root = make(&(struct identity_spec){.authority = true, .subject = "the root"});
    struct identity *leaf = make(&(struct identity_spec){.issuer = root,
                                                         .subject = "mx\ne",
                                                         .names = names,
                                                         .name_count = COUNT(names),
                                                         .not_before_s = -3600,
                                                         .not_after_s = 86400});
    struct certificate der = der_of(arena, leaf);
    struct certificate_view view;
    ck_assert(certificate_read(arena, &der, &view));
    ck_assert_str_eq(view.subject, "mx\\x0ae");
    ck_assert_str_eq(view.issuer, "the root");
    ck_assert_str_eq(view.names, "mx.example *.mx.example");
    ck_assert_int_eq(view.until - view.from, 86400 + 3600);
    identity_free(&leaf);
    identity_free(&root);
    arena_free(&arena);
}
END_TEST

START_TEST(what_is_no_certificate_is_refused)
{
    struct arena *arena = arena_new("test");
    struct certificate_view view;
    struct tlsa_record record = {3, 1, 1, (const unsigned char *)"x", 1};
    ck_assert(!certificate_read(arena, &(struct certificate){(const unsigned char *)"0", 1}, &view));
    ck_assert(!certificate_matches(&(struct certificate){(const unsigned char *)"0", 1}, &record));
    arena_free(&arena);
}
END_TEST

static const struct {
    uint8_t selector, matching;
} forms[] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}};

START_TEST(a_record_names_its_certificate_and_no_other)
{
    static const char *const names[] = {"mx.example"};
    struct arena *arena = arena_new("test");
    struct identity *own = make(&(struct identity_spec){.names = names, .name_count = 1});
    struct identity *other = make(&(struct identity_spec){.names = names, .name_count = 1});
    struct certificate own_der = der_of(arena, own), other_der = der_of(arena, other);
    struct tlsa_record record = {3, forms[_i].selector, forms[_i].matching, NULL, 0};
    unsigned char *data;
    ck_assert(
        text_unhex(arena, identity_tlsa_data(arena, own, record.selector, record.matching), &data, &record.length));
    record.data = data;
    ck_assert(certificate_matches(&own_der, &record));
    ck_assert(!certificate_matches(&other_der, &record));
    identity_free(&own);
    identity_free(&other);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(certificate)
{
    TEST(a_certificate_says_its_names_and_dates);
    TEST(what_is_no_certificate_is_refused);
    TEST_LOOP(a_record_names_its_certificate_and_no_other, COUNT(forms));
}
