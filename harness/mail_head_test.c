/* SPDX-License-Identifier: BSD-2-Clause
 * Headers, and what is found in them. */
#include "harness/mail_head.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static const struct row {
    const char *name, *text, *field, *value, *body;
} rows[] = {
    {"a field", "A: x\r\nB: y\r\n\r\nbody", "B", "y", "body"},
    {"in other letters", "Content-Type: x\r\n\r\n", "CONTENT-TYPE", "x", ""},
    {"folded", "A: x;\r\n\ty\r\n z\r\nB: w\r\n\r\n", "A", "x; y z", ""},
    {"blanks around", "A \t:  x \t\r\n\r\n", "A", "x", ""},
    {"the first of two", "A: x\r\nA: y\r\n\r\n", "A", "x", ""},
    {"the beginning of a name", "Ab: x\r\n\r\n", "A", "", ""},
    {"in the body", "A: x\r\n\r\nB: y\r\n", "B", "", "B: y\r\n"},
    {"lines that end in LF", "A: x\nB: y\n\nbody", "B", "y", "body"},
    {"no body", "A: x\r\n", "A", "x", ""},
    {"no line end", "A: x", "A", "x", ""},
    {"a name without a colon", "A", "A", "", ""},
    {"blanks to the end", "A  ", "A", "", ""},
    {"a folded line without a field", " x\r\nA: y\r\n\r\n", "A", "y", ""},
    {"nothing", "", "A", "", ""},
};

START_TEST(values)
{
    const struct row *row = &rows[_i];
    struct arena *arena = arena_new("mail_head_test");
    size_t length = strlen(row->text); /* exactly as long as it is, so that a sanitizer sees who reads on */
    char *text = malloc(length + 1);
    struct mail_head head;
    memcpy(text, row->text, length + 1);
    mail_head_read(text, text + length, &head);
    ck_assert_msg(strcmp(mail_head_value(arena, &head, row->field), row->value) == 0, "%s", row->name);
    ck_assert_msg(strcmp(head.body, row->body) == 0, "%s: %s", row->name, head.body);
    free(text);
    arena_free(&arena);
}
END_TEST

START_TEST(used_from_the_end)
{
    static const char text[] = "A: 1\r\nB: 2\r\nA: 3\r\n\r\n";
    struct mail_head head;
    mail_head_read(text, text + sizeof text - 1, &head);
    ck_assert_int_eq(mail_head_use(&head, "a")->text[3], '3');
    ck_assert_int_eq(mail_head_use(&head, "a")->text[3], '1');
    ck_assert_ptr_null(mail_head_use(&head, "a"));
    ck_assert_int_eq((int)mail_head_use(&head, "b")->length, 6);
}
END_TEST

START_TEST(more_fields_than_anybody_reads)
{
    char text[(MAIL_FIELDS_MAX + 5) * 6 + 2], *to = text;
    struct mail_head head;
    for (size_t i = 0; i < MAIL_FIELDS_MAX + 5; i++)
        to = stpcpy(to, "A: x\r\n");
    memcpy(to, "\r\n", 2);
    mail_head_read(text, text + sizeof text, &head);
    ck_assert_uint_eq(head.count, MAIL_FIELDS_MAX);
    ck_assert_ptr_eq(head.body, text + sizeof text);
}
END_TEST

TEST_SUITE(mail_head)
{
    TEST_LOOP(values, COUNT(rows));
    TEST(used_from_the_end);
    TEST(more_fields_than_anybody_reads);
}
