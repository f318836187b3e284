/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_data.h"

#include <string.h>

#include "base/testing.h"

static const struct {
    const char *name, *sent, *text; /* text NULL: the message has not ended */
} rows[] = {
    {"nothing at all", ".\r\n", ""},
    {"a line", "a\r\n.\r\n", "a\r\n"},
    {"an added dot goes away", "..a\r\n.\r\n", ".a\r\n"},
    {"a dot alone, doubled", "..\r\n.\r\n", ".\r\n"},
    {"a dot that was not doubled", ".a\r\n.\r\n", "a\r\n"},
    {"dots within lines stay", "a.\r\nb..c\r\n.\r\n", "a.\r\nb..c\r\n"},
    {"bare LF does not end it", "a\n.\n.\r\nb\r\n.\r\n", "a\n.\n.\r\nb\r\n"},
    {"LF dot CRLF does not end it", "a\n.\r\n", NULL},
    {"CRLF dot LF does not end it", "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n"},
    {"bare CR does not end it", "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n"},
    {"dot CR and more", "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n"},
    {"dot CR CR LF", "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n"},
    {"CR CR LF begins a line", "a\r\r\n.\r\n", "a\r\r\n"},
    {"no end yet", "a\r\n.\r", NULL},
};

/* The same whatever pieces the bytes come in. */
START_TEST(text_ends_only_at_its_end)
{
    size_t length = strlen(rows[_i].sent);
    for (size_t piece = 1; piece <= length; piece++) {
        struct mx_data data = {0};
        bool ended = false;
        mx_data_begin(&data, 1000);
        for (size_t at = 0; at < length; at += piece) {
            ck_assert_msg(!ended, "%s in pieces of %zu", rows[_i].name, piece);
            size_t left = length - at < piece ? length - at : piece;
            ck_assert_uint_eq(mx_data_take(&data, rows[_i].sent + at, left, &ended), left);
        }
        ck_assert_msg(ended == (rows[_i].text != NULL), "%s in pieces of %zu", rows[_i].name, piece);
        char got[100] = "";
        evbuffer_copyout(data.text, got, sizeof got - 1);
        ck_assert_msg(!ended || strcmp(got, rows[_i].text) == 0, "%s in pieces of %zu: %s", rows[_i].name, piece, got);
        mx_data_free(&data);
    }
}
END_TEST

START_TEST(bytes_behind_the_end_are_left)
{
    struct mx_data data = {0};
    bool ended;
    mx_data_begin(&data, 1000);
    ck_assert_uint_eq(mx_data_take(&data, "a\r\n.\r\nQUIT\r\n", 12, &ended), 6);
    ck_assert(ended);
    mx_data_free(&data);
}
END_TEST

START_TEST(text_beyond_the_limit_is_forgotten)
{
    struct mx_data data = {0};
    bool ended;
    mx_data_begin(&data, 4);
    mx_data_take(&data, "abc\r\n.\r\n", 8, &ended);
    ck_assert(ended && data.too_big);
    ck_assert_uint_eq(evbuffer_get_length(data.text), 0);
    mx_data_begin(&data, 5);
    mx_data_take(&data, "abc\r\n.\r\n", 8, &ended);
    ck_assert(ended && !data.too_big);
    mx_data_free(&data);
}
END_TEST

TEST_SUITE(mx_data)
{
    TEST_LOOP(text_ends_only_at_its_end, COUNT(rows));
    TEST(bytes_behind_the_end_are_left);
    TEST(text_beyond_the_limit_is_forgotten);
}
