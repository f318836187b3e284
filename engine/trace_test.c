/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/trace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"

enum { KEEP_S = 1000, FIRST = 1000000 };

struct bench {
    char path[64];
    struct arena *arena;
    struct trace *trace;
};

static void add_events(struct trace *trace, int64_t id)
{
    struct trace_entry host = {.at = FIRST + 1,
                               .message = id,
                               .attempt = 1,
                               .event = TRACE_TRY,
                               .destination = "x.example",
                               .connector = "lab",
                               .host = "mx.x.example"},
                       defer = host, sent = host;
    defer.event = TRACE_DEFER;
    defer.recipient = "a@X.example";
    defer.code = "4.7.323";
    defer.text = "tlsa-invalid";
    defer.detail = "Reason: [{LED=...";
    defer.next = FIRST + 900;
    defer.address = "[2001:db8::1]:25";
    sent.event = TRACE_SEND;
    sent.recipient = "b@y.example";
    sent.destination = "y.example";
    sent.connector = "other";
    sent.code = "2.0.0";
    sent.address = "192.0.2.9:25";
    trace_add(trace, &host);
    trace_add(trace, &defer);
    trace_add(trace, &sent);
}

/* Message 7 to two recipients, one pending, one delivered; message 8, of which nothing but a failure was seen. */
static void open_bench(struct bench *b)
{
    static const char *const recipients[] = {"a@X.example", "b@y.example"};
    static const char mail[] = "Message-ID: <1@z>\r\n\r\nx\r\n";
    *b = (struct bench){.path = "/tmp/trace_test_XXXXXX", .arena = arena_new("test")};
    close(mkstemp(b->path));
    b->trace = trace_new(b->path, KEEP_S);
    struct message message = {.sender = "s@z.example",
                              .recipients = recipients,
                              .recipient_count = 2,
                              .content = mail,
                              .length = sizeof mail - 1,
                              .tls = MESSAGE_REQUIRETLS};
    trace_message(b->trace, FIRST, 7, TRACE_RECEIVE, &message, "[192.0.2.1]");
    add_events(b->trace, 7);
    trace_add(b->trace, &(struct trace_entry){.at = FIRST + 500,
                                              .message = 8,
                                              .attempt = 3,
                                              .event = TRACE_FAIL,
                                              .sender = "",
                                              .recipient = "c@x.example",
                                              .destination = "x.example",
                                              .code = "5.1.1",
                                              .text = "who?"});
}

static void close_bench(struct bench *b)
{
    trace_free(&b->trace);
    for (size_t i = 0; i < 3; i++)
        unlink(arena_printf(b->arena, "%s%s", b->path, (const char *[]){"", "-wal", "-shm"}[i]));
    arena_free(&b->arena);
}

/* "7 a@X.example Pending 4.7.323, ..." or "7 Receive, 7 Try, ..." */
static const char *list(struct bench *b, const char *request)
{
    struct err err = {.text = ""};
    json_t *asked = json_loads(request, 0, NULL), *rows = trace_list(b->trace, asked, &err), *row;
    const char *text = rows == NULL ? arena_strdup(b->arena, err.text) : "";
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const char *event = json_string_value(json_object_get(row, "event"));
        const char *code = json_string_value(json_object_get(row, "code"));
        text = arena_printf(
            b->arena, "%s%s%d %s", text, i > 0 ? ", " : "", (int)json_integer_value(json_object_get(row, "message")),
            event != NULL ? event
                          : arena_printf(b->arena, "%s %s %s", json_string_value(json_object_get(row, "recipient")),
                                         json_string_value(json_object_get(row, "status")), code != NULL ? code : "-"));
    }
    json_decref(asked);
    json_decref(rows);
    return text;
}

#define A "7 a@X.example Pending 4.7.323"
#define B "7 b@y.example Delivered 2.0.0"
#define C "8 c@x.example Failed 5.1.1"
/* clang-format off */
static const struct { const char *request, *rows; } cases[] = {
    {"{}", A ", " B ", " C},
    {"{\"do\":\"trace\",\"limit\":1}", C},
    {"{\"recipient\":\"A@x.EXAMPLE\"}", A},
    {"{\"sender\":\"\"}", C},
    {"{\"domain\":\"X.example\"}", A ", " C},
    {"{\"message\":7}", A ", " B},
    {"{\"message-id\":\"<1@z>\"}", A ", " B},
    {"{\"status\":\"failed\"}", C},
    {"{\"connector\":\"LAB\"}", A},
    {"{\"code\":\"4.7.\"}", A},
    {"{\"code\":\"4.7.3\",\"domain\":\"y.example\"}", ""},
    {"{\"host\":\"MX.x.example\"}", A ", " B},
    {"{\"to-ip\":\"192.0.2.9\"}", B},
    {"{\"to-ip\":\"2001:db8::1\"}", A},
    {"{\"to-ip\":\"192.0.2.92\"}", ""},
    {"{\"from-ip\":\"192.0.2.1\"}", A ", " B},
    {"{\"from-ip\":\"192.0.2.2\"}", ""},
    {"{\"events\":true,\"from-ip\":\"192.0.2.1\",\"to-ip\":\"192.0.2.9\"}", "7 Receive, 7 Send"},
    {"{\"since\":1000001}", C},
    {"{\"until\":1000001}", A ", " B},
    {"{\"events\":true,\"message\":7}", "7 Receive, 7 Try, 7 Defer, 7 Send"},
    {"{\"events\":true,\"recipient\":\"a@x.example\"}", "7 Receive, 7 Try, 7 Defer"},
    {"{\"events\":true,\"recipient\":\"b@y.example\"}", "7 Receive, 7 Send"},
    {"{\"events\":true,\"status\":\"Failed\"}", "8 Fail"},
    {"{\"statsu\":\"Failed\"}", "nothing is picked out by 'statsu'; did you mean 'status'?"},
    {"{\"message\":\"7\"}", "message wants a number"},
    {"{\"sender\":7}", "sender wants a text"},
};
/* clang-format on */

START_TEST(requests_pick_out)
{
    struct bench b;
    open_bench(&b);
    ck_assert_msg(strcmp(list(&b, cases[_i].request), cases[_i].rows) == 0, "%s: %s", cases[_i].request,
                  list(&b, cases[_i].request));
    close_bench(&b);
}
END_TEST

START_TEST(a_story_begins_with_what_the_message_says)
{
    struct bench b;
    struct err err;
    open_bench(&b);
    json_t *asked = json_pack("{s:b,s:i}", "events", 1, "message", 7), *rows = trace_list(b.trace, asked, &err);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rows, 0), "text")), "[192.0.2.1], REQUIRETLS");
    json_decref(asked);
    json_decref(rows);
    close_bench(&b);
}
END_TEST

START_TEST(a_trace_outlives_its_engine)
{
    struct bench b;
    open_bench(&b);
    trace_free(&b.trace);
    b.trace = trace_new(b.path, KEEP_S);
    ck_assert_str_eq(list(&b, "{}"), A ", " B ", " C);
    close_bench(&b);
}
END_TEST

/* Each recipient for so long after its last event. */
START_TEST(what_is_old_is_forgotten_while_it_runs)
{
    struct bench b;
    open_bench(&b);
    trace_flush(b.trace, FIRST + KEEP_S);
    ck_assert_str_eq(list(&b, "{}"), A ", " B ", " C);
    trace_flush(b.trace, FIRST + KEEP_S + 2); /* has been done just now */
    ck_assert_str_eq(list(&b, "{}"), A ", " B ", " C);
    trace_flush(b.trace, FIRST + KEEP_S + 4000);
    ck_assert_str_eq(list(&b, "{}"), "");
    ck_assert_str_eq(list(&b, "{\"events\":true}"), "");
    close_bench(&b);
}
END_TEST

START_TEST(only_what_is_old_is_forgotten)
{
    struct bench b;
    open_bench(&b);
    trace_flush(b.trace, FIRST + KEEP_S + 2);
    ck_assert_str_eq(list(&b, "{}"), C);
    ck_assert_str_eq(list(&b, "{\"events\":true}"), "8 Fail");
    close_bench(&b);
}
END_TEST

static const char *whole(struct bench *b, const char *request)
{
    json_t *asked = json_loads(request, 0, NULL), *rows = trace_list(b->trace, asked, NULL);
    char *text = json_dumps(rows, 0), *kept = arena_strdup(b->arena, text);
    free(text);
    json_decref(asked);
    json_decref(rows);
    return kept;
}

/* A recipient's later event does not blot out what an earlier one knew. */
START_TEST(a_hold_keeps_the_last_code)
{
    struct bench b;
    open_bench(&b);
    trace_add(b.trace, &(struct trace_entry){.at = FIRST + 9,
                                             .message = 7,
                                             .event = TRACE_HOLD,
                                             .recipient = "a@X.example",
                                             .destination = "x.example",
                                             .text = "by the administrator"});
    ck_assert_ptr_null(strstr(whole(&b, "{}"), "administrator"));
    ck_assert_str_eq(list(&b, "{\"domain\":\"x.example\",\"message\":7}"), A);
    ck_assert_str_eq(list(&b, "{\"connector\":\"lab\"}"), A);
    close_bench(&b);
}
END_TEST

TEST_SUITE(trace)
{
    TEST_LOOP(requests_pick_out, COUNT(cases));
    TEST(a_story_begins_with_what_the_message_says);
    TEST(a_trace_outlives_its_engine);
    TEST(what_is_old_is_forgotten_while_it_runs);
    TEST(only_what_is_old_is_forgotten);
    TEST(a_hold_keeps_the_last_code);
}
