/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"

static struct arena *arena;

static void begin(void)
{
    arena = arena_new("test");
}

static void end(void)
{
    arena_free(&arena);
}

static char *printed(void (*print)(FILE *out, const char *text), const char *text)
{
    char *buffer = NULL;
    size_t length;
    FILE *out = open_memstream(&buffer, &length);
    print(out, text);
    fclose(out);
    char *copy = arena_strdup(arena, buffer);
    free(buffer);
    return copy;
}

static void print_whole(FILE *out, const char *text)
{
    text_print_escaped(out, text, strlen(text));
}

static const struct {
    const char *name, *text, *escaped, *json, *xml;
} prints[] = {
    {"plain", "mx1 <a@b> & \"c\"", "mx1 <a@b> & \"c\"", "mx1 <a@b> & \\\"c\\\"", "mx1 &#60;a@b&#62; &#38; &#34;c&#34;"},
    {"line end", "a\r\nb", "a\\x0d\\x0ab", "a\\u000d\\nb", "a&#13;&#10;b"},
    {"tab", "a\tb", "a\\x09b", "a\\u0009b", "a&#9;b"},
    {"escape sequence", "\x1b[2J", "\\x1b[2J", "\\u001b[2J", "\xef\xbf\xbd[2J"},
    {"DEL", "\x7f", "\\x7f", "\\u007f", "&#127;"},
    {"C1 as UTF-8", "\xc2\x9b", "\\xc2\\x9b", "\\u009b", "&#155;"},
    {"backslash", "\\", "\\", "\\\\", "\\"},
    {"UTF-8", "Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7", "Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7",
     "Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7", "Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7"},
    {"stray byte", "a\xff", "a\\xff", "a\\u00ff", "a\xef\xbf\xbd"},
    {"cut sequence", "\xe2\x82", "\\xe2\\x82", "\\u00e2\\u0082", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"overlong slash", "\xc0\xaf", "\\xc0\\xaf", "\\u00c0\\u00af", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\u00ed\\u00a0\\u0080", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"right to left", "\xe2\x80\xae", "\\xe2\\x80\\xae", "\xe2\x80\xae", "\xe2\x80\xae"},
};

START_TEST(texts_are_made_safe)
{
    ck_assert_msg(strcmp(text_escape(arena, prints[_i].text, strlen(prints[_i].text)), prints[_i].escaped) == 0,
                  "%s: escaped", prints[_i].name);
    ck_assert_msg(strcmp(printed(print_whole, prints[_i].text), prints[_i].escaped) == 0, "%s: print", prints[_i].name);
    ck_assert_msg(strcmp(printed(text_print_json, prints[_i].text), prints[_i].json) == 0, "%s: JSON", prints[_i].name);
    ck_assert_msg(strcmp(printed(text_print_xml, prints[_i].text), prints[_i].xml) == 0, "%s: XML", prints[_i].name);
}
END_TEST

START_TEST(a_nul_byte_is_escaped_too)
{
    ck_assert_str_eq(text_escape(arena, "a\0b", 3), "a\\x00b");
}
END_TEST

static const struct {
    const char *name, *text;
    bool good;
    size_t bad_at;
} utf8[] = {
    {"empty", "", true, 0},
    {"ASCII", "abc", true, 0},
    {"four bytes", "\xf4\x8f\xbf\xbf", true, 0},
    {"beyond Unicode", "a\xf4\x90\x80\x80", false, 1},
    {"continuation first", "ab\x80", false, 2},
    {"five-byte lead", "\xf8\x88\x80\x80\x80", false, 0},
};

START_TEST(utf8_is_told_from_other_bytes)
{
    size_t bad_at = 0;
    bool good = text_is_utf8(utf8[_i].text, strlen(utf8[_i].text), &bad_at);
    ck_assert_msg(good == utf8[_i].good && bad_at == utf8[_i].bad_at, "%s: %d at %zu", utf8[_i].name, good, bad_at);
}
END_TEST

START_TEST(hex_goes_there_and_back)
{
    static const unsigned char bytes[] = {0x00, 0x7f, 0xab, 0xff};
    unsigned char *back;
    size_t length;
    ck_assert_str_eq(text_hex(arena, bytes, sizeof bytes), "007fabff");
    ck_assert(text_unhex(arena, "007fABff", &back, &length));
    ck_assert_uint_eq(length, 4);
    ck_assert_mem_eq(back, bytes, 4);
    ck_assert(!text_unhex(arena, "0", &back, &length));
    ck_assert(!text_unhex(arena, "0g", &back, &length));
    ck_assert(text_unhex(arena, "", &back, &length));
    ck_assert_uint_eq(length, 0);
}
END_TEST

static const struct {
    const char *name, *a, *b;
    bool equal, under;
} names[] = {
    {"the same", "mx1.partner.example", "mx1.partner.example", true, true},
    {"case and dot", "MX1.Partner.example.", "mx1.partner.example", true, true},
    {"child", "mx1.partner.example", "partner.example.", false, true},
    {"parent", "partner.example", "mx1.partner.example", false, false},
    {"only the letters match", "notpartner.example", "partner.example", false, false},
    {"everything is under the root", "a.", ".", false, true},
    {"the root is the root", ".", ".", true, true},
    {"nothing is under nothing", "a", "", false, false},
    {"a dot inside a label", "a\\.example", "example", false, false},
    {"a backslash at a label's end", "a\\\\.example", "example", false, true},
};

START_TEST(names_are_compared)
{
    ck_assert_msg(text_name_equal(names[_i].a, names[_i].b) == names[_i].equal, "%s: equal", names[_i].name);
    ck_assert_msg(text_name_under(names[_i].a, names[_i].b) == names[_i].under, "%s: under", names[_i].name);
}
END_TEST

START_TEST(names_have_one_spelling)
{
    ck_assert_str_eq(text_name(arena, "MX1.Example."), "mx1.example");
    ck_assert_str_eq(text_name(arena, "."), ".");
    ck_assert_str_eq(text_name(arena, ""), "");
    ck_assert_str_eq(text_name(arena, "a\\."), "a\\.");
}
END_TEST

static const struct {
    const char *text;
    size_t indent, width;
    const char *wrapped;
} wraps[] = {
    {"", 2, 10, ""},
    {"a bc", 0, 4, "a bc"},
    {"a bc def", 0, 4, "a bc\ndef"},
    {"ab cd", 3, 6, "ab\n   cd"},
    {"toolongaword b", 2, 6, "toolongaword\n  b"},
    {"ää öö üü", 0, 5, "ää öö\nüü"},
    {"a    b", 0, 4, "a\nb"},
};

START_TEST(lines_are_wrapped_between_words)
{
    ck_assert_str_eq(text_wrap(arena, wraps[_i].text, wraps[_i].indent, wraps[_i].width), wraps[_i].wrapped);
}
END_TEST

START_TEST(times_are_told_in_utc)
{
    ck_assert_str_eq(text_time(arena, 1780272001, TEXT_RFC3339), "2026-06-01T00:00:01Z");
    ck_assert_str_eq(text_time(arena, 1780272001, TEXT_SECONDS), "2026-06-01 00:00:01");
    ck_assert_str_eq(text_time(arena, 1780272001, TEXT_DAY), "2026-06-01");
    ck_assert_str_eq(text_time(arena, INT64_MAX, TEXT_DAY), "");
}
END_TEST

static const struct {
    const char *list, *word;
    bool has;
} words[] = {
    {"", "a", false},
    {"a", "a", true},
    {"ab", "a", false},
    {"a", "ab", false},
    {"b a", "a", true},
    {"b  a c", "a", true},
    {"mx1.a mx1.ab", "mx1", false},
    {"mx1.ab mx1.a", "mx1.a", true},
};

START_TEST(a_list_has_words)
{
    ck_assert_msg(text_has_word(words[_i].list, words[_i].word) == words[_i].has, "'%s' in '%s'", words[_i].word,
                  words[_i].list);
}
END_TEST

START_TEST(nothing_is_the_same_as_nothing_alone)
{
    ck_assert(text_same(NULL, NULL) && text_same("a", "a"));
    ck_assert(!text_same(NULL, "") && !text_same("", NULL) && !text_same("a", "A"));
}
END_TEST

START_TEST(files_are_written_and_read)
{
    char path[] = "/tmp/text_test.XXXXXX";
    struct err err = {0};
    size_t length = 0;
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_msg(text_write_file(path, "a\0bc", 4, &err), "%s", err.text);
    const char *text = text_read_file(arena, path, 4, &length, &err);
    ck_assert_msg(text != NULL, "%s", err.text);
    ck_assert_uint_eq(length, 4);
    ck_assert_mem_eq(text, "a\0bc\0", 5);
    ck_assert_ptr_null(text_read_file(arena, path, 3, &length, &err));
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "larger than 3 bytes"));
    ck_assert(text_write_file(path, "", 0, &err));
    ck_assert_str_eq(text_read_file(arena, path, 100, NULL, &err), "");
    unlink(path);
}
END_TEST

START_TEST(what_cannot_be_read_says_why)
{
    struct err err = {0};
    ck_assert_ptr_null(text_read_file(arena, "/nonexistent/file", 10, NULL, &err));
    ck_assert_str_eq(err.text, "cannot read /nonexistent/file: No such file or directory");
    ck_assert_ptr_null(text_read_file(arena, "/", 10, NULL, &err));
    ck_assert_str_eq(err.text, "cannot read /: Is a directory");
    ck_assert(!text_write_file("/nonexistent/file", "", 0, &err));
    ck_assert_ptr_null(text_read_file(arena, "/dev/zero", 100000, NULL, &err));
    ck_assert(!text_write_file("/dev/full", "x", 1, &err));
    ck_assert_str_eq(err.text, "cannot write /dev/full: No space left on device");
}
END_TEST

TEST_SUITE(text)
{
    tcase_add_checked_fixture(testing_case, begin, end);
    TEST_LOOP(texts_are_made_safe, COUNT(prints));
    TEST(a_nul_byte_is_escaped_too);
    TEST_LOOP(utf8_is_told_from_other_bytes, COUNT(utf8));
    TEST(hex_goes_there_and_back);
    TEST_LOOP(names_are_compared, COUNT(names));
    TEST(names_have_one_spelling);
    TEST_LOOP(lines_are_wrapped_between_words, COUNT(wraps));
    TEST(times_are_told_in_utc);
    TEST_LOOP(a_list_has_words, COUNT(words));
    TEST(nothing_is_the_same_as_nothing_alone);
    TEST(files_are_written_and_read);
    TEST(what_cannot_be_read_says_why);
}
