/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/err.h"

#include <string.h>

#include "base/testing.h"

START_TEST(an_error_says_what_and_where)
{
    struct err err = {0};
    ck_assert(!err_set(&err, ERR_PEER, "reply %d", 421));
    ck_assert_int_eq(err.kind, ERR_PEER);
    ck_assert_str_eq(err.text, "reply 421");
    ck_assert_ptr_nonnull(strstr(err.where, "err_test.c:"));
}
END_TEST

START_TEST(a_long_text_is_cut)
{
    struct err err = {0};
    ck_assert(!err_set(&err, ERR_BUG, "%1000d", 1));
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
}
END_TEST

START_TEST(nobody_needs_to_listen)
{
    ck_assert(!err_set(NULL, ERR_BUG, "unheard"));
}
END_TEST

TEST_SUITE(err)
{
    TEST(an_error_says_what_and_where);
    TEST(a_long_text_is_cut);
    TEST(nobody_needs_to_listen);
}
