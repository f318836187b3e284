/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/diag.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static struct arena *arena;
static struct diag_list *list;

static void begin(void)
{
    arena = arena_new("test");
    list = diag_new(arena);
}

static void end(void)
{
    arena_free(&arena);
}

static void register_text(const char *file, const char *text)
{
    diag_source(list, file, text, strlen(text));
}

static char *printed(void)
{
    return diag_text(arena, list);
}

static const struct {
    const char *name, *text;
    struct srcpos at;
    const char *printed;
} cases[] = {
    {"a word",
     "a: 1\nmx1: {tlsa: bogus}\n",
     {"f", 2, 13, 5},
     "f:2:13: error: text\n    mx1: {tlsa: bogus}\n                ^~~~~\n"},
    {"one character", "abc", {"f", 1, 3, 0}, "f:1:3: error: text\n    abc\n      ^\n"},
    {"behind the end of the line", "abc\n", {"f", 1, 4, 5}, "f:1:4: error: text\n    abc\n       ^\n"},
    {"longer than the line", "abc\nd\n", {"f", 1, 2, 9}, "f:1:2: error: text\n    abc\n     ^~\n"},
    {"lines end with CR LF", "a\r\nbc\r\n", {"f", 2, 2, 1}, "f:2:2: error: text\n    bc\n     ^\n"},
    {"lines end with CR", "a\rbc\r", {"f", 2, 2, 1}, "f:2:2: error: text\n    bc\n     ^\n"},
    {"columns are characters",
     "\xc3\xbc\xc3\xbc: x",
     {"f", 1, 5, 1},
     "f:1:5: error: text\n    \xc3\xbc\xc3\xbc: x\n        ^\n"},
    {"what cannot be printed takes more room",
     "\x1b[x",
     {"f", 1, 3, 1},
     "f:1:3: error: text\n    \\x1b[x\n         ^\n"},
    {"a tab takes one place", "a\tb", {"f", 1, 3, 1}, "f:1:3: error: text\n    a b\n      ^\n"},
    {"bytes that are no UTF-8",
     "\xff\xff"
     "b",
     {"f", 1, 3, 1},
     "f:1:3: error: text\n    \\xff\\xffb\n            ^\n"},
    {"no column", "abc", {"f", 1, 0, 0}, "f:1: error: text\n    abc\n"},
    {"no line", "abc", {"f", 0, 0, 0}, "f: error: text\n"},
    {"no file", "abc", {NULL, 0, 0, 0}, "error: text\n"},
    {"no such line", "abc", {"f", 9, 1, 1}, "f:9:1: error: text\n"},
    {"the empty line at the end", "abc\n", {"f", 2, 1, 1}, "f:2:1: error: text\n    \n    ^\n"},
    {"a file that is not registered", "abc", {"g", 1, 1, 1}, "g:1:1: error: text\n"},
    {"a file with a name of its own", "abc", {"g\x1b", 1, 1, 1}, "g\\x1b:1:1: error: text\n"},
};

START_TEST(a_finding_shows_its_place)
{
    register_text("f", cases[_i].text);
    diag_error(list, cases[_i].at, "text");
    ck_assert_msg(strcmp(printed(), cases[_i].printed) == 0, "%s:\n%s", cases[_i].name, printed());
}
END_TEST

START_TEST(findings_are_in_source_order)
{
    register_text("first", "abc\ndef\n");
    register_text("second", "ghi\n");
    diag_error(list, (struct srcpos){"second", 1, 1, 1}, "four");
    diag_warning(list, (struct srcpos){"first", 2, 2, 1}, "three");
    diag_error(list, (struct srcpos){"first", 2, 1, 1}, "one");
    diag_error(list, (struct srcpos){"first", 2, 1, 1}, "two");
    diag_error(list, (struct srcpos){0}, "zero");
    ck_assert_uint_eq(diag_errors(list), 4);
    ck_assert_uint_eq(diag_count(list), 5);
    ck_assert_str_eq(printed(), "error: zero\n"
                                "first:2:1: error: one\n    def\n    ^\n"
                                "first:2:1: error: two\n    def\n    ^\n"
                                "first:2:2: warning: three\n    def\n     ^\n"
                                "second:1:1: error: four\n    ghi\n    ^\n");
}
END_TEST

START_TEST(a_finding_is_printed_escaped)
{
    diag_error(list, (struct srcpos){0}, "unknown key '%s'", "\x1b]0;x\x07");
    ck_assert_str_eq(printed(), "error: unknown key '\\x1b]0;x\\x07'\n");
}
END_TEST

START_TEST(too_many_findings_are_counted)
{
    for (int i = 0; i < DIAG_MAX + 7; i++)
        diag_error(list, (struct srcpos){0}, "no %d", i);
    ck_assert_uint_eq(diag_errors(list), DIAG_MAX + 7);
    ck_assert_ptr_nonnull(strstr(printed(), "error: no 99\nand 7 more\n"));
}
END_TEST

START_TEST(of_a_long_line_the_place_is_shown)
{
    char *line = arena_alloc(arena, 100001);
    memset(line, 'x', 100000);
    line[50000] = '!';
    register_text("f", line);
    diag_error(list, (struct srcpos){"f", 1, 50001, 1}, "here");
    char *text = printed();
    ck_assert_uint_lt(strlen(text), 400);
    const char *mark = strchr(text, '!'), *caret = strchr(text, '^');
    ck_assert(mark != NULL && caret != NULL);
    const char *line_begin = memrchr(text, '\n', (size_t)(mark - text));
    const char *caret_begin = memrchr(text, '\n', (size_t)(caret - text));
    ck_assert_int_eq(mark - line_begin, caret - caret_begin);
}
END_TEST

START_TEST(an_excerpt_has_a_note_behind_its_caret)
{
    char *buffer = NULL;
    size_t length;
    register_text("f", "expect: delivered\n");
    FILE *out = open_memstream(&buffer, &length);
    diag_print_excerpt(list, (struct srcpos){"f", 1, 9, 9}, "it was deferred", 2, out);
    fclose(out);
    ck_assert_str_eq(buffer, "  expect: delivered\n          ^~~~~~~~~ it was deferred\n");
    free(buffer);
}
END_TEST

TEST_SUITE(diag)
{
    tcase_add_checked_fixture(testing_case, begin, end);
    TEST_LOOP(a_finding_shows_its_place, COUNT(cases));
    TEST(findings_are_in_source_order);
    TEST(a_finding_is_printed_escaped);
    TEST(too_many_findings_are_counted);
    TEST(of_a_long_line_the_place_is_shown);
    TEST(an_excerpt_has_a_note_behind_its_caret);
}
