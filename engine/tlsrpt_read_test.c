/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_read.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/testing.h"
#include "engine/tlsrpt_received.h"
#include "engine/tlsrpt_report.h"

#define POLICY(strings, domain, good)                                                                                  \
    "{\"policy\":{\"policy-type\":\"tlsa\",\"policy-string\":" strings ",\"policy-domain\":\"" domain                  \
    "\"},\"summary\":{\"total-successful-session-count\":" good "}}"
#define REPORT(range, policies)                                                                                        \
    "{\"organization-name\":\"o\",\"date-range\":{\"start-datetime\":\"" range                                         \
    "\"},\"report-id\":\"x+\",\"policies\":[" policies "]}"
#define PLAIN REPORT("2026-06-01T00:00:00Z", POLICY("[\"3 1 1 AB\"]", "mx.p.example", "5"))
#define SEEN                                                                                                           \
    "{\"organization\":\"o\",\"contact\":\"\",\"report-id\":\"x+\",\"begins\":1780272000,\"ends\":0,\"policies\":["    \
    "{\"type\":\"tlsa\",\"domain\":\"mx.p.example\",\"strings\":[\"3 1 1 AB\"],\"mx\":[],\"good\":5,\"bad\":0,"        \
    "\"failures\":[]}]}"

static const struct row {
    const char *name, *in, *out; /* NULL: refused */
    const char *why;
} rows[] = {
    {"a report", PLAIN, SEEN, NULL},
    {"a mark and blanks in front, as Windows writes", "\xef\xbb\xbf\r\n " PLAIN, SEEN, NULL},
    {"a date without a zone (RPT-04)", REPORT("2026-06-01T00:00:00", POLICY("[\"3 1 1 AB\"]", "mx.p.example", "5")),
     SEEN, NULL},
    {"a date of another zone", REPORT("2026-06-01T02:00:00+02:00", POLICY("[\"3 1 1 AB\"]", "mx.p.example", "5")), SEEN,
     NULL},
    {"a list within a text", REPORT("2026-06-01T00:00:00Z", POLICY("[\"[\\\"3 1 1 AB\\\"]\"]", "mx.p.example", "5")),
     SEEN, NULL},
    {"a text instead of a list", REPORT("2026-06-01T00:00:00Z", POLICY("\"3 1 1 AB\"", "mx.p.example", "5")), SEEN,
     NULL},
    {"capitals and a last dot", REPORT("2026-06-01T00:00:00Z", POLICY("[\"3 1 1 AB\"]", "MX.p.Example.", "5")), SEEN,
     NULL},
    {"a number as a text", REPORT("2026-06-01T00:00:00Z", POLICY("[\"3 1 1 AB\"]", "mx.p.example", "\"5\"")), SEEN,
     NULL},
    {"a mail",
     "Received: x\r\nContent-Type: multipart/report;\r\n\tboundary=\"b\"\r\n\r\n--b\r\nContent-Type: "
     "text/plain\r\n\r\nhi\r\n"
     "--b\r\nContent-Type: application/tlsrpt+json\r\n\r\n" PLAIN "\r\n--b--\r\n",
     SEEN, NULL},
    {"a mail within a mail's parts, LF alone",
     "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/report; boundary=b\n\n--b\n"
     "Content-Type: application/octet-stream; name=\"x.json\"\n\n" PLAIN "\n--b--\n--a--\n",
     SEEN, NULL},
    {"nothing", "", NULL, "it is empty"},
    {"a mail without a report", "Subject: hi\r\n\r\nhello", NULL, "no TLS report is in it"},
    {"parts too deep",
     "Content-Type: multipart/a; boundary=b1\n\n--b1\n"
     "Content-Type: multipart/a; boundary=b2\n\n--b2\n"
     "Content-Type: multipart/a; boundary=b3\n\n--b3\n"
     "Content-Type: multipart/a; boundary=b4\n\n--b4\n"
     "Content-Type: multipart/a; boundary=b5\n\n--b5\n"
     "Content-Type: multipart/a; boundary=b6\n\n--b6\n"
     "Content-Type: application/json\n\n" PLAIN "\n",
     NULL, "no TLS report is in it"},
    {"no JSON", "{\"policies\":", NULL, "is no TLS report"},
    {"no policies", "{\"policies\":{}}", NULL, "it has no list of policies"},
};

static char *dump(struct arena *arena, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT), *kept = arena_strdup(arena, text != NULL ? text : "");
    free(text);
    return kept;
}

START_TEST(reports_of_others_are_read)
{
    const struct row *row = &rows[_i];
    struct arena *arena = arena_new("test");
    struct err err = {.text = ""};
    json_t *report = tlsrpt_read(arena, row->in, strlen(row->in), &err);
    ck_assert_msg((report != NULL) == (row->out != NULL), "%s: %s", row->name, err.text);
    if (report != NULL)
        ck_assert_str_eq(dump(arena, report), row->out);
    else
        ck_assert_msg(strstr(err.text, row->why) != NULL, "%s: %s", row->name, err.text);
    json_decref(report);
    arena_free(&arena);
}
END_TEST

START_TEST(compressed_reports_are_read)
{
    struct arena *arena = arena_new("test");
    struct err err;
    size_t length;
    const char *packed = tlsrpt_report_gzip(arena, PLAIN, strlen(PLAIN), &length);
    json_t *report = tlsrpt_read(arena, packed, length, &err);
    ck_assert_str_eq(dump(arena, report), SEEN);
    json_decref(report);
    ck_assert_ptr_null(tlsrpt_read(arena, packed, length - 4, &err));
    arena_free(&arena);
}
END_TEST

/* A few KiB that want to be a quarter of a GiB. */
START_TEST(a_bomb_is_not_unpacked)
{
    enum { BIG = 256 << 20 };
    struct arena *arena = arena_new("test");
    struct err err;
    size_t length;
    char *zeros = calloc(1, BIG);
    ck_assert_ptr_nonnull(zeros);
    const char *packed = tlsrpt_report_gzip(arena, zeros, BIG, &length);
    free(zeros);
    ck_assert_ptr_null(tlsrpt_read(arena, packed, length, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "bigger than 16 MiB"));
    arena_free(&arena);
}
END_TEST

START_TEST(depth_and_counts_have_bounds)
{
    struct arena *arena = arena_new("test");
    struct err err;
    char deep[6000] = "{\"policies\":";
    memset(deep + strlen(deep), '[', sizeof deep - 1 - strlen(deep));
    ck_assert_ptr_null(tlsrpt_read(arena, deep, strlen(deep), &err));
    json_t *root = json_pack("{s:[]}", "policies"), *policies = json_object_get(root, "policies");
    for (int i = 0; i < TLSRPT_POLICIES_MAX + 5; i++)
        json_array_append_new(policies,
                              json_pack("{s:{s:s}}", "policy", "policy-domain", i % 2 == 0 ? "a" : "\xc3\xa9"));
    const char *text = dump(arena, root);
    json_t *report = tlsrpt_read(arena, text, strlen(text), &err);
    ck_assert_uint_eq(json_array_size(json_object_get(report, "policies")), TLSRPT_POLICIES_MAX);
    json_decref(report);
    json_decref(root);
    arena_free(&arena);
}
END_TEST

START_TEST(a_report_has_so_many_failures_and_no_more)
{
    struct arena *arena = arena_new("test");
    struct err err;
    const char *details = "{}", *policies = "";
    for (int i = 0; i < 9; i++) /* 512 of them */
        details = arena_printf(arena, "%s,%s", details, details);
    for (int i = 0; i < 30; i++)
        policies = arena_printf(arena, "%s%s{\"failure-details\":[%s]}", policies, i > 0 ? "," : "", details);
    const char *text = arena_printf(arena, "{\"policies\":[%s]}", policies);
    json_t *report = tlsrpt_read(arena, text, strlen(text), &err), *policy;
    size_t i, rows_in = 0;
    ck_assert_ptr_nonnull(report);
    json_array_foreach(json_object_get(report, "policies"), i, policy) rows_in +=
        json_array_size(json_object_get(policy, "failures"));
    ck_assert_uint_eq(rows_in, TLSRPT_ROWS_MAX);
    json_decref(report);
    arena_free(&arena);
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
    struct arena *arena = arena_new("test");
    struct err err;
    char *name = arena_alloc(arena, 2 * TLSRPT_WORD_MAX + 2);
    for (size_t i = 0; i < TLSRPT_WORD_MAX; i++)
        memcpy(name + 1 + 2 * i, "\xc3\xa9", 2);
    name[0] = 'a';
    const char *text = arena_printf(arena, "{\"organization-name\":\"%s\",\"policies\":[]}", name);
    json_t *report = tlsrpt_read(arena, text, strlen(text), &err);
    ck_assert_ptr_nonnull(report);
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(report, "organization"))), TLSRPT_WORD_MAX - 1);
    json_decref(report);
    arena_free(&arena);
}
END_TEST

START_TEST(received_reports_are_kept_once)
{
    struct arena *arena = arena_new("test");
    struct err err;
    char directory[] = "/tmp/tlsrpt_read_test.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    struct tlsrpt_received *received = tlsrpt_received_open(directory, &err);
    ck_assert_msg(received != NULL, "%s", err.text);
    json_t *report = tlsrpt_read(arena, PLAIN, strlen(PLAIN), &err);
    ck_assert(tlsrpt_received_add(received, report, 1, &err) && tlsrpt_received_add(received, report, 2, &err));
    json_t *rows_of = tlsrpt_received_list(received, "mx.p.example", &err);
    ck_assert_str_eq(dump(arena, rows_of),
                     "[{\"organization\":\"o\",\"begins\":1780272000,\"type\":\"tlsa\",\"domain\":\"mx.p.example\","
                     "\"good\":5,\"bad\":0,\"result\":\"\",\"mx\":\"\",\"tries\":0,\"failures\":0}]");
    json_decref(rows_of);
    for (int later = 0; later < 2; later++) {
        rows_of = tlsrpt_received_since(received, 1780272000 + later, &err);
        ck_assert_uint_eq(json_array_size(rows_of), 1 - (size_t)later);
        ck_assert_ptr_null(json_object_get(json_array_get(rows_of, 0), "tries"));
        json_decref(rows_of);
    }
    ck_assert(tlsrpt_received_trim(received, 2, &err));
    rows_of = tlsrpt_received_list(received, NULL, &err);
    ck_assert_uint_eq(json_array_size(rows_of), 1);
    json_decref(rows_of);
    ck_assert(tlsrpt_received_trim(received, 3, &err));
    rows_of = tlsrpt_received_list(received, NULL, &err);
    ck_assert_uint_eq(json_array_size(rows_of), 0);
    json_decref(rows_of);
    json_decref(report);
    tlsrpt_received_close(&received);
    const char *const files[] = {"tlsrpt.db", "tlsrpt.db-wal", "tlsrpt.db-shm"};
    for (size_t i = 0; i < COUNT(files); i++)
        unlink(arena_printf(arena, "%s/%s", directory, files[i]));
    rmdir(directory);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(tlsrpt_read)
{
    TEST_LOOP(reports_of_others_are_read, COUNT(rows));
    TEST(compressed_reports_are_read);
    TEST(a_bomb_is_not_unpacked);
    TEST(depth_and_counts_have_bounds);
    TEST(a_report_has_so_many_failures_and_no_more);
    TEST(long_texts_are_cut_between_characters);
    TEST(received_reports_are_kept_once);
}
