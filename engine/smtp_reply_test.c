/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/smtp_reply.h"

#include <string.h>

#include "base/testing.h"

/* clang-format off */
static const struct { const char *name, *bytes; enum smtp_reply_state state; int code; const char *enhanced, *text;
    } cases[] = {
    {"one line",                 "250 ok\r\n",                          SMTP_REPLY_DONE, 250, "",      "250 ok"},
    {"no text, no blank",        "250\r\n",                             SMTP_REPLY_DONE, 250, "",      "250 "},
    {"LF alone ends a line",     "250 ok\n",                            SMTP_REPLY_DONE, 250, "",      "250 ok"},
    {"several lines",            "250-a\r\n250-b\r\n250 c\r\n",         SMTP_REPLY_DONE, 250, "",      "250 a / b / c"},
    {"enhanced code",            "550 5.1.1 who?\r\n",                  SMTP_REPLY_DONE, 550, "5.1.1",
     "550 5.1.1 who?"},
    {"enhanced code alone",      "450 4.2.10\r\n",                      SMTP_REPLY_DONE, 450, "4.2.10", "450 4.2.10 "},
    {"of another class",         "550 4.1.1 who?\r\n",                  SMTP_REPLY_DONE, 550, "",
     "550 4.1.1 who?"},
    {"a number is none",         "550 5.1 who?\r\n",                    SMTP_REPLY_DONE, 550, "",      "550 5.1 who?"},
    {"terminal escapes",         "250 \033[2J\r\n",                     SMTP_REPLY_DONE, 250, "",      "250 \\x1B[2J"},
    {"unknown code",             "599 odd\r\n",                         SMTP_REPLY_DONE, 599, "",      "599 odd"},
    {"not all there",            "250-a\r\n250",                        SMTP_REPLY_MORE, 0,   "",      NULL},
    {"1xx",                      "199 what\r\n",                        SMTP_REPLY_BAD,  0,   "",      NULL},
    {"6xx",                      "600 what\r\n",                        SMTP_REPLY_BAD,  0,   "",      NULL},
    {"the code changes",         "250-a\r\n550 b\r\n",                  SMTP_REPLY_BAD,  0,   "",      NULL},
    {"no code",                  "hello\r\n",                           SMTP_REPLY_BAD,  0,   "",      NULL},
    {"an empty line",            "\r\n",                                SMTP_REPLY_BAD,  0,   "",      NULL},
    {"code runs into the text",  "250ok\r\n",                           SMTP_REPLY_BAD,  0,   "",      NULL},
};
/* clang-format on */

START_TEST(replies_are_read)
{
    struct arena *arena = arena_new("test");
    struct smtp_reply_parser *parser = smtp_reply_new();
    size_t used;
    enum smtp_reply_state state = smtp_reply_feed(parser, cases[_i].bytes, strlen(cases[_i].bytes), &used);
    ck_assert_msg(state == cases[_i].state, "%s: state %d", cases[_i].name, state);
    if (state == SMTP_REPLY_DONE) {
        const struct smtp_reply *reply = smtp_reply_get(parser);
        ck_assert_int_eq(reply->code, cases[_i].code);
        ck_assert_str_eq(reply->enhanced, cases[_i].enhanced);
        char *text = smtp_reply_text(arena, reply);
        ck_assert_msg(strcasecmp(text, cases[_i].text) == 0, "%s: '%s'", cases[_i].name, text);
    }
    smtp_reply_free(&parser);
    arena_free(&arena);
}
END_TEST

/* Byte by byte gives the same as all at once. */
START_TEST(replies_may_drip)
{
    struct smtp_reply_parser *parser = smtp_reply_new();
    enum smtp_reply_state state = SMTP_REPLY_MORE;
    for (const char *at = cases[_i].bytes; *at != '\0' && state == SMTP_REPLY_MORE; at++) {
        size_t used;
        state = smtp_reply_feed(parser, at, 1, &used);
        ck_assert_uint_eq(used, 1);
    }
    ck_assert_msg(state == cases[_i].state, "%s: state %d", cases[_i].name, state);
    smtp_reply_free(&parser);
}
END_TEST

/* What stands behind a full reply is left alone: behind the 220 to STARTTLS it is an attack. */
START_TEST(the_next_reply_is_left)
{
    struct smtp_reply_parser *parser = smtp_reply_new();
    const char *two = "220 go\r\n250 injected\r\n";
    size_t used;
    ck_assert_int_eq(smtp_reply_feed(parser, two, strlen(two), &used), SMTP_REPLY_DONE);
    ck_assert_uint_eq(used, strlen("220 go\r\n"));
    ck_assert_int_eq(smtp_reply_feed(parser, two + used, strlen(two) - used, &used), SMTP_REPLY_DONE);
    ck_assert_int_eq(smtp_reply_get(parser)->code, 250);
    smtp_reply_free(&parser);
}
END_TEST

/* Text is text, whatever is in it; where a code should be it is none. */
START_TEST(a_nul_is_odd_text)
{
    static const char in_text[] = "250 2.0.0 a\0b\r\n", in_code[] = "25\0 ok\r\n";
    struct arena *arena = arena_new("test");
    struct smtp_reply_parser *parser = smtp_reply_new();
    size_t used;
    ck_assert_int_eq(smtp_reply_feed(parser, in_text, sizeof in_text - 1, &used), SMTP_REPLY_DONE);
    ck_assert_str_eq(smtp_reply_text(arena, smtp_reply_get(parser)), "250 2.0.0 a\\x01b");
    ck_assert_int_eq(smtp_reply_feed(parser, in_code, sizeof in_code - 1, &used), SMTP_REPLY_BAD);
    smtp_reply_free(&parser);
    arena_free(&arena);
}
END_TEST

static enum smtp_reply_state feed_all(struct smtp_reply_parser *parser, const char *bytes, size_t times)
{
    enum smtp_reply_state state = SMTP_REPLY_MORE;
    size_t used;
    for (size_t i = 0; i < times && state == SMTP_REPLY_MORE; i++)
        state = smtp_reply_feed(parser, bytes, strlen(bytes), &used);
    return state;
}

START_TEST(replies_have_bounds)
{
    struct smtp_reply_parser *parser = smtp_reply_new();
    ck_assert_int_eq(feed_all(parser, "x", SMTP_REPLY_LINE_MAX - 1), SMTP_REPLY_MORE);
    ck_assert_int_eq(feed_all(parser, "x", 1), SMTP_REPLY_BAD);
    ck_assert_int_eq(feed_all(parser, "250 ok\r\n", 1), SMTP_REPLY_BAD); /* and stays so */
    smtp_reply_free(&parser);
    parser = smtp_reply_new();
    ck_assert_int_eq(feed_all(parser, "250-x\r\n", SMTP_REPLY_LINES_MAX), SMTP_REPLY_MORE);
    ck_assert_int_eq(feed_all(parser, "250-x\r\n", 1), SMTP_REPLY_BAD);
    smtp_reply_free(&parser);
}
END_TEST

TEST_SUITE(smtp_reply)
{
    TEST_LOOP(replies_are_read, COUNT(cases));
    TEST_LOOP(replies_may_drip, COUNT(cases));
    TEST(the_next_reply_is_left);
    TEST(a_nul_is_odd_text);
    TEST(replies_have_bounds);
}
