/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_report.h"

#include <string.h>
#include <zlib.h>

#include "base/testing.h"

enum { DAY_OF_TEST = 1780272000 /* 2026-06-01T00:00:00Z */ };

static const struct tlsrpt_report usual = {.organization = "Sender \"Inc.\"\r\n\xc3\xa9",
                                           .contact = "tls@sender.example",
                                           .submitter = "sender.example",
                                           .domain = "partner.example",
                                           .unique = "abc123",
                                           .day = DAY_OF_TEST};

static json_t *some_policies(void)
{
    return json_pack("[{s:{s:s,s:[s,s],s:s},s:{s:i,s:i}}]", "policy", "policy-type", "tlsa", "policy-string",
                     "3 1 1 ab", "3 1 1 cd", "policy-domain", "mx1.partner.example", "summary",
                     "total-successful-session-count", 5, "total-failure-session-count", 0);
}

static json_t *written(const struct tlsrpt_report *report, struct arena *arena)
{
    json_t *root = json_loads(tlsrpt_report_text(arena, report, some_policies()), JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(root);
    return root;
}

static const char *text_at(json_t *root, const char *a, const char *b)
{
    json_t *value = json_object_get(root, a);
    return json_string_value(b != NULL ? json_object_get(value, b) : value);
}

START_TEST(the_text)
{
    struct arena *arena = arena_new("test");
    json_t *root = written(&usual, arena);
    ck_assert_str_eq(text_at(root, "organization-name", NULL), usual.organization);
    ck_assert_str_eq(text_at(root, "date-range", "start-datetime"), "2026-06-01T00:00:00Z");
    ck_assert_str_eq(text_at(root, "date-range", "end-datetime"), "2026-06-01T23:59:59Z");
    ck_assert_str_eq(text_at(root, "contact-info", NULL), "tls@sender.example");
    ck_assert_str_eq(text_at(root, "report-id", NULL), "abc123@sender.example");
    ck_assert_uint_eq(json_array_size(json_object_get(root, "policies")), 1);
    json_decref(root);
    arena_free(&arena);
}
END_TEST

START_TEST(the_text_as_the_service_writes_it)
{
    struct arena *arena = arena_new("test");
    struct tlsrpt_report report = usual;
    report.exchange = true;
    report.unique = "133925885310113267";
    json_t *root = written(&report, arena);
    json_t *policy = json_object_get(json_array_get(json_object_get(root, "policies"), 0), "policy");
    json_t *strings = json_object_get(policy, "policy-string");
    ck_assert_str_eq(text_at(root, "report-id", NULL), "133925885310113267+partner.example");
    ck_assert_str_eq(text_at(policy, "policy-domain", NULL), "partner.example");
    ck_assert_uint_eq(json_array_size(strings), 1);
    ck_assert_str_eq(json_string_value(json_array_get(strings, 0)), "[\"3 1 1 AB\",\"3 1 1 CD\"]");
    json_decref(root);
    arena_free(&arena);
}
END_TEST

START_TEST(the_file)
{
    struct arena *arena = arena_new("test");
    ck_assert_str_eq(tlsrpt_report_name(arena, &usual),
                     "sender.example!partner.example!1780272000!1780358399!abc123.json.gz");
    size_t length;
    char text[5000], back[sizeof text];
    memset(text, 'x', sizeof text);
    const char *packed = tlsrpt_report_gzip(arena, text, sizeof text, &length);
    ck_assert(length < 200 && memcmp(packed, "\x1f\x8b", 2) == 0);
    z_stream z = {.next_in = (Bytef *)packed,
                  .avail_in = (uInt)length,
                  .next_out = (Bytef *)back,
                  .avail_out = sizeof back};
    ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
    ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    ck_assert_mem_eq(text, back, sizeof text);
    arena_free(&arena);
}
END_TEST

START_TEST(the_mail)
{
    static const char *const parts[] = {
        "From: <tls@sender.example>\r\nTo: <in@partner.example>\r\n",
        "Subject: Report Domain: partner.example\r\n\tSubmitter: sender.example\r\n\tReport-ID: "
        "<abc@sender.example>\r\n",
        "\r\nTLS-Report-Domain: partner.example\r\nTLS-Report-Submitter: sender.example\r\n",
        "\r\nContent-Type: multipart/report; report-type=\"tlsrpt\";\r\n\tboundary=\"b0\"\r\n\r\n--b0\r\n"
        "Content-Type: text/plain;",
        "\r\n--b0\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n",
        "filename=\"a!b.json.gz\"\r\n\r\nYWJj\r\n\r\n--b0--\r\n",
    };
    struct arena *arena = arena_new("test");
    struct tlsrpt_mail mail = {"tls@sender.example",
                               "sender.example",
                               "partner.example",
                               "abc@sender.example",
                               "a!b.json.gz",
                               "in@partner.example",
                               "b0",
                               DAY_OF_TEST,
                               "abc",
                               3};
    size_t length;
    const char *text = tlsrpt_mail_write(arena, &mail, &length);
    ck_assert_uint_eq(length, strlen(text));
    for (size_t i = 0; i < COUNT(parts); i++)
        ck_assert_msg(strstr(text, parts[i]) != NULL, "'%s' is missing in %s", parts[i], text);
    for (size_t i = 0; tlsrpt_mail_signed[i] != NULL; i++)
        ck_assert_ptr_nonnull(strstr(text, arena_printf(arena, "%s: ", tlsrpt_mail_signed[i])));
    arena_free(&arena);
}
END_TEST

TEST_SUITE(tlsrpt_report)
{
    TEST(the_text);
    TEST(the_text_as_the_service_writes_it);
    TEST(the_file);
    TEST(the_mail);
}
