/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/message.h"

#include <string.h>

#include "base/testing.h"

/* clang-format off */
static const struct { const char *name, *text; bool null_allowed; const char *address, *rest; } paths[] = {
    {"plain",                 "<a@b.example>",             false, "a@b.example",           ""},
    {"with parameters",       "<a@b.example> SIZE=1",      false, "a@b.example",           " SIZE=1"},
    {"null sender",           "<>",                        true,  "",                      ""},
    {"null recipient",        "<>",                        false, NULL,                    NULL},
    {"quoted",                "<\"a b\\\"@\"@b.example>",  false, "\"a b\\\"@\"@b.example", ""},
    {"source route",          "<@x,@y:a@b.example>",       false, "a@b.example",           ""},
    {"literal",               "<a@[192.0.2.1]>",           false, "a@[192.0.2.1]",         ""},
    {"IPv6 literal",          "<a@[IPv6:2001:db8::1]>",    false, "a@[IPv6:2001:db8::1]",  ""},
    {"no brackets",           "a@b.example",               false, NULL,                    NULL},
    {"no domain",             "<postmaster>",              false, NULL,                    NULL},
    {"no end",                "<a@b.example",              false, NULL,                    NULL},
    {"two dots",              "<a@b..example>",            false, NULL,                    NULL},
    {"a CR in it",            "<a\rb@b.example>",          false, NULL,                    NULL},
    {"UTF-8",                 "<\xc3\xa4@b.example>",      false, "\xc3\xa4@b.example",    ""},
    {"UTF-8, quoted",         "<\"\xc3\xa4 b\"@b.example>", false, "\"\xc3\xa4 b\"@b.example", ""},
    {"a domain in UTF-8",     "<a@\xc3\xa4.example>",      false, "a@\xc3\xa4.example",    ""},
    {"no UTF-8",              "<\xc3@b.example>",          false, NULL,                    NULL},
    {"a domain IDNA forbids", "<a@\xe2\x98\x83\xe2\x80\x8b.example>", false, NULL,          NULL},
    {"a blank in it",         "<a b@b.example>",           false, NULL,                    NULL},
    {"a label too long",      "<a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example>",
     false, NULL, NULL},
};
static const struct { const char *name, *content; bool bare; } ends[] = {
    {"clean",      "a\r\nb\r\n",  false},
    {"empty",      "",            false},
    {"lone LF",    "a\nb\r\n",    true},
    {"lone CR",    "a\rb\r\n",    true},
    {"CR at end",  "a\r",         true},
    {"LF first",   "\na\r\n",     true},
};
static const struct { const char *domain, *address; } literals[] = {
    {"[192.0.2.1]", "192.0.2.1"}, {"[ipv6:2001:db8::1]", "2001:db8::1"}, {"[2001:db8::1]", NULL}, {"[x]", NULL},
     {"b.example", NULL}, {"[]", NULL},
};
/* clang-format on */

START_TEST(paths_are_read)
{
    struct arena *arena = arena_new("test");
    const char *rest = paths[_i].text;
    char *address = message_parse_path(arena, &rest, paths[_i].null_allowed);
    ck_assert_msg((address == NULL) == (paths[_i].address == NULL), "%s", paths[_i].name);
    if (address != NULL) {
        ck_assert_str_eq(address, paths[_i].address);
        ck_assert_str_eq(rest, paths[_i].rest);
    }
    arena_free(&arena);
}
END_TEST

START_TEST(bare_ends_are_seen)
{
    ck_assert_msg(message_has_bare_end(ends[_i].content, strlen(ends[_i].content)) == ends[_i].bare, "%s",
                  ends[_i].name);
}
END_TEST

START_TEST(literals_are_read)
{
    struct arena *arena = arena_new("test");
    char *address = message_literal(arena, literals[_i].domain);
    ck_assert_msg((address == NULL) == (literals[_i].address == NULL), "%s", literals[_i].domain);
    if (address != NULL)
        ck_assert_str_eq(address, literals[_i].address);
    arena_free(&arena);
}
END_TEST

START_TEST(headers_end)
{
    struct arena *arena = arena_new("test");
    ck_assert_str_eq(message_domain(arena, "\"@\"@Partner.EXAMPLE."), "partner.example");
    ck_assert_str_eq(message_domain(arena, "a@B\xc3\xbc"
                                           "cher.EXAMPLE."),
                     "xn--bcher-kva.example");
    ck_assert_str_eq(message_date(arena, 1780300800), "Mon, 01 Jun 2026 08:00:00 +0000");
    const char *mail = "Received: a\r\nreceived: b\r\nX: Received:\r\n\r\nReceived: c\r\n";
    ck_assert_uint_eq(message_received_count(mail, strlen(mail)), 2);
    ck_assert_uint_eq(message_header_length("\r\nx", 3), 2);
    ck_assert_uint_eq(message_header_length("A: b\r\n", 6), 6);
    arena_free(&arena);
}
END_TEST

/* clang-format off */
static const struct { const char *name, *mail, *field, *value; } fields[] = {
    {"a field", "A: b\r\nMessage-ID: <x@y>\r\n\r\n", "message-id", "<x@y>"},
    {"folded", "Message-ID:\r\n <x@y>\t\r\nB: c\r\n\r\n", "Message-ID", "<x@y>"},
    {"the first of two", "X: 1\r\nX: 2\r\n\r\n", "X", "1"},
    {"not in the body", "A: b\r\n\r\nX: 1\r\n", "X", ""},
    {"no part of a name", "XX: 1\r\n\r\n", "X", ""},
    {"without an end", "X: 1", "X", "1"},
    {"nothing", "", "X", ""},
};
/* clang-format on */

START_TEST(fields_are_found)
{
    struct arena *arena = arena_new("test");
    const char *value = message_field(arena, fields[_i].mail, strlen(fields[_i].mail), fields[_i].field);
    ck_assert_msg(strcmp(value, fields[_i].value) == 0, "%s: '%s'", fields[_i].name, value);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name, *text, *line;
} lines[] = {
    {"as it is", "no answer in time", "no answer in time"},
    {"another line", "a\r\nBcc: b@c", "a\\x0d\\x0aBcc: b@c"},
    {"what is not ASCII", "b\xc3\xbc", "b??"},
    {"of a terminal", "\x1b[2J", "\\x1b[2J"},
};

START_TEST(a_line_is_one_line)
{
    struct arena *arena = arena_new("test");
    ck_assert_str_eq(message_line(arena, lines[_i].text), lines[_i].line);
    char *longest = arena_alloc(arena, 5000);
    memset(longest, 'x', 4999);
    ck_assert_uint_eq(strlen(message_line(arena, longest)), MESSAGE_LINE_MAX);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(message)
{
    TEST_LOOP(fields_are_found, COUNT(fields));
    TEST_LOOP(paths_are_read, COUNT(paths));
    TEST_LOOP(bare_ends_are_seen, COUNT(ends));
    TEST_LOOP(literals_are_read, COUNT(literals));
    TEST(headers_end);
    TEST_LOOP(a_line_is_one_line, COUNT(lines));
}
