/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/testing.h"
#include "fakests/web_request.h"

static const struct {
    const char *name, *bytes;
    enum web_request_found found;
    struct web_request want;
} rows[] = {
    {"all that is known",
     "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.partner.example\r\nUser-Agent: engine\r\nX-Host: 3\r\n"
     "X-Connection: ::1:2\r\n\r\n",
     WEB_REQUEST_COMPLETE,
     {"GET", "/.well-known/mta-sts.txt", "mta-sts.partner.example", "engine", 3, 65538}},
    {"headers in any case, without the blank",
     "GET / HTTP/1.1\r\nhost:a\r\nUSER-AGENT:b\r\n\r\n",
     WEB_REQUEST_COMPLETE,
     {"GET", "/", "a", "b", 0, 0}},
    {"no headers", "POST /x HTTP/1.0\r\n\r\n", WEB_REQUEST_COMPLETE, {"POST", "/x", "", "", 0, 0}},
    {"a header without colon is passed over",
     "GET / HTTP/1.0\r\nnonsense\r\nHost: a\r\n\r\n",
     WEB_REQUEST_COMPLETE,
     {"GET", "/", "a", "", 0, 0}},
    {"something to come with it",
     "POST /r HTTP/1.1\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Length: 12\r\n\r\n",
     WEB_REQUEST_COMPLETE,
     {"POST", "/r", "", "", 0, 0, "application/tlsrpt+gzip", 0, 12}},
    {"more to come", "GET / HTTP/1.1\r\nHost: a\r\n", WEB_REQUEST_MORE, {0}},
    {"no version", "GET /\r\n\r\n", WEB_REQUEST_BROKEN, {0}},
    {"no line", "\r\n\r\n", WEB_REQUEST_BROKEN, {0}},
};
START_TEST(a_head_is_read)
{
    struct arena *arena = arena_new("test");
    struct web_request got = {0}, want = rows[_i].want;
    enum web_request_found found = web_request_parse(arena, rows[_i].bytes, strlen(rows[_i].bytes), &got);
    ck_assert_msg(found == rows[_i].found, "%s: %d", rows[_i].name, (int)found);
    if (found == WEB_REQUEST_COMPLETE) {
        ck_assert_str_eq(got.method, want.method);
        ck_assert_str_eq(got.path, want.path);
        ck_assert_str_eq(got.name, want.name);
        ck_assert_str_eq(got.agent, want.agent);
        ck_assert_uint_eq(got.host, want.host);
        ck_assert_uint_eq(got.conn, want.conn);
        ck_assert_str_eq(got.type, want.type != NULL ? want.type : "");
        ck_assert_uint_eq(got.length, want.length);
        ck_assert_uint_eq(got.head, strlen(rows[_i].bytes));
    }
    arena_free(&arena);
}
END_TEST

static const unsigned connections[] = {1, 0xffff, 0x10000, 0x12345678, 0xffffffff};
START_TEST(a_connection_comes_back_as_it_went)
{
    char text[WEB_CONNECTION_TEXT];
    web_connection_write(connections[_i], text);
    ck_assert_uint_eq(web_connection_read(text), connections[_i]);
}
END_TEST

START_TEST(what_is_no_connection_is_none)
{
    ck_assert_uint_eq(web_connection_read("127.0.0.1"), 0);
    ck_assert_uint_eq(web_connection_read(""), 0);
}
END_TEST

TEST_SUITE(web_request)
{
    TEST_LOOP(a_head_is_read, COUNT(rows));
    TEST_LOOP(a_connection_comes_back_as_it_went, COUNT(connections));
    TEST(what_is_no_connection_is_none);
}
