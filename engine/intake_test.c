/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/intake.h"

#include <string.h>

#include "base/testing.h"
#include "engine/message.h"

#define TEXT(text) text, sizeof text - 1
#define TEN                                                                                                            \
    "Received: x\r\nReceived: x\r\nReceived: x\r\nReceived: x\r\nReceived: x\r\nReceived: x\r\nReceived: x\r\n"        \
    "Received: x\r\nReceived: x\r\nReceived: x\r\n"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* The code with which each is refused ("": it is taken), and what a configuration that normalises makes of it. */
/* clang-format off */
static const struct { const char *name, *content; size_t length; const char *code, *normal; size_t normal_length;
    } cases[] = {
    {"a sound one", TEXT("A: b\r\n\r\nc\r\n"), "", TEXT("A: b\r\n\r\nc\r\n")},
    {"nothing", TEXT(""), "", TEXT("")},
    {"LF.LF", TEXT("x\n.\ny\r\n"), "550", TEXT("x\r\n.\r\ny\r\n")},
    {"LF.CRLF", TEXT("x\n.\r\ny\r\n"), "550", TEXT("x\r\n.\r\ny\r\n")},
    {"CR.CR", TEXT("x\r.\ry\r\n"), "550", TEXT("x\r\n.\r\ny\r\n")},
    {"CR.LF", TEXT("x\r.\ny\r\n"), "550", TEXT("x\r\n.\r\ny\r\n")},
    {"CR CRLF", TEXT("x\r\r\ny\r\n"), "550", TEXT("x\r\n\r\ny\r\n")},
    {"CR at the end", TEXT("x\r"), "550", TEXT("x\r\n")},
    {"LF at the end", TEXT("x\n"), "550", TEXT("x\r\n")},
    {"LF first", TEXT("\nx\r\n"), "550", TEXT("\r\nx\r\n")},
    {"NUL", TEXT("x\0.\r\n"), "550", TEXT("x.\r\n")},
    {"NUL between CR and LF", TEXT("x\r\0\n.\r\n"), "550", TEXT("x\r\n\r\n.\r\n")},
    {"NUL before a dot", TEXT("x\r\n\0.\r\ny\r\n"), "550", TEXT("x\r\n.\r\ny\r\n")},
    {"a hundred hops", TEXT(HUNDRED "\r\n"), "", TEXT(HUNDRED "\r\n")},
};
/* clang-format on */

static const char *take(struct arena *arena, int malformed, int64_t size, const char **content, size_t *length)
{
    struct engine_config config = {.message_size = size, .malformed = malformed};
    const char *reply = intake_refusal(arena, &config, content, length);
    return reply != NULL ? reply : "";
}

START_TEST(messages_are_taken_or_refused)
{
    struct arena *arena = arena_new("test");
    const char *content = cases[_i].content;
    size_t length = cases[_i].length;
    const char *reply = take(arena, MALFORMED_REJECT, 10000, &content, &length);
    ck_assert_msg(strncmp(reply, cases[_i].code, 3) == 0, "%s: %s", cases[_i].name, reply);
    arena_free(&arena);
}
END_TEST

START_TEST(messages_are_made_harmless)
{
    struct arena *arena = arena_new("test");
    const char *content = cases[_i].content;
    size_t length = cases[_i].length;
    ck_assert_str_eq(take(arena, MALFORMED_NORMALISE, 10000, &content, &length), "");
    ck_assert_msg(length == cases[_i].normal_length && memcmp(content, cases[_i].normal, length) == 0, "%s",
                  cases[_i].name);
    ck_assert(!message_has_bare_end(content, length));
    arena_free(&arena);
}
END_TEST

START_TEST(loops_end)
{
    struct arena *arena = arena_new("test");
    const char *content = HUNDRED "received: x\r\n\r\n";
    size_t length = strlen(content);
    ck_assert_int_eq(strncmp(take(arena, MALFORMED_REJECT, 10000, &content, &length), "554 5.4.6", 9), 0);
    arena_free(&arena);
}
END_TEST

/* A message must not grow past its bound by being made harmless. */
START_TEST(size_is_judged_at_last)
{
    struct arena *arena = arena_new("test");
    char lines[3000];
    memset(lines, '\n', sizeof lines);
    const char *content = lines;
    size_t length = sizeof lines;
    ck_assert_int_eq(strncmp(take(arena, MALFORMED_NORMALISE, 3000, &content, &length), "552", 3), 0);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(intake)
{
    TEST_LOOP(messages_are_taken_or_refused, COUNT(cases));
    TEST_LOOP(messages_are_made_harmless, COUNT(cases));
    TEST(loops_end);
    TEST(size_is_judged_at_last);
}
