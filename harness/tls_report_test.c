/* SPDX-License-Identifier: BSD-2-Clause
 * Reports with one thing wrong each, and the clause that must be named. */
#include "harness/tls_report.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/testing.h"
#include "harness/dkim_check.h"
#include "harness/tls_report_json.h"

#define RANGE "\"date-range\":{\"start-datetime\":\"2026-06-01T00:00:00Z\",\"end-datetime\":\"2026-06-01T23:59:59Z\"}"
#define FRAME(range, contact, policies)                                                                                \
    "{\"organization-name\":\"o\"," range ",\"contact-info\":" contact ",\"report-id\":\"i\",\"policies\":" policies "}"
#define POLICY(policy, good, bad, details)                                                                             \
    "[{\"policy\":{" policy "},\"summary\":{\"total-successful-session-count\":" good                                  \
    ",\"total-failure-session-count\":" bad "}" details "}]"
#define TLSA "\"policy-type\":\"tlsa\",\"policy-domain\":\"mx1.p.example\",\"policy-string\":[\"3 1 1 00ff\"]"
#define STS                                                                                                            \
    "\"policy-type\":\"sts\",\"policy-domain\":\"p.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\"]"
#define DETAIL(more)                                                                                                   \
    ",\"failure-details\":[{\"result-type\":\"certificate-expired\",\"failed-session-count\":1" more "}]"
#define CONTACT "\"a@s.example\""
#define WITH(policies) FRAME(RANGE, CONTACT, policies)

static const struct row {
    const char *name, *json, *clause; /* NULL: nothing is wrong */
} rows[] = {
    {"a success", WITH(POLICY(TLSA, "1", "0", "")), NULL},
    {"a failure",
     WITH(POLICY(STS ",\"mx-host\":[\"*.p.example\"]", "0", "1",
                 DETAIL(",\"sending-mta-ip\":\"2001:db8::1\",\"receiving-ip\":\"192.0.2.1\""))),
     NULL},
    {"mx-host as a text (erratum 6241)", WITH(POLICY(STS ",\"mx-host\":\"mx1.p.example\"", "1", "0", "")), NULL},
    {"no JSON", "{", "8460-4-1"},
    {"a member twice", "{\"policies\":[],\"policies\":[]}", "8460-4-1"},
    {"policies is a map", FRAME(RANGE, CONTACT, "{}"), "8460-4-2"},
    {"no range", FRAME("\"x\":1", CONTACT, "[]"), "8460-4-3"},
    {"no contact", FRAME(RANGE, "null", "[]"), "8460-4-3"},
    {"a date without a zone",
     FRAME("\"date-range\":{\"start-datetime\":\"2026-06-01T00:00:00\",\"end-datetime\":\"2026-06-01T23:59:59Z\"}",
           CONTACT, "[]"),
     "8460-4.4-1"},
    {"half a day",
     FRAME("\"date-range\":{\"start-datetime\":\"2026-06-01T00:00:00Z\",\"end-datetime\":\"2026-06-01T12:00:00Z\"}",
           CONTACT, "[]"),
     "8460-4.1-1"},
    {"contact with mailto:", FRAME(RANGE, "\"mailto:a@s.example\"", "[]"), "8460-4.4-2"},
    {"an unknown policy type", WITH(POLICY("\"policy-type\":\"dane\",\"policy-domain\":\"p.example\"", "1", "0", "")),
     "8460-4.4-4"},
    {"no policy-domain", WITH(POLICY("\"policy-type\":\"no-policy-found\"", "1", "0", "")), "8460-4.4-6"},
    {"a U-label",
     WITH(POLICY("\"policy-type\":\"no-policy-found\",\"policy-domain\":\"\xc3\xa9.example\"", "1", "0", "")),
     "8460-4.4-6"},
    {"policy-string as a text",
     WITH(POLICY("\"policy-type\":\"tlsa\",\"policy-domain\":\"p.example\",\"policy-string\":\"3 1 1 00\"", "0", "0",
                 "")),
     "8460-4.4-5"},
    {"a policy that was met and is not there",
     WITH(POLICY("\"policy-type\":\"tlsa\",\"policy-domain\":\"p.example\"", "1", "0", "")), "8460-4.4-5"},
    {"a policy where there is none",
     WITH(POLICY("\"policy-type\":\"no-policy-found\",\"policy-domain\":\"p.example\",\"policy-string\":[\"x\"]", "1",
                 "0", "")),
     "8460-4.4-5"},
    {"a TLSA record that is none",
     WITH(POLICY("\"policy-type\":\"tlsa\",\"policy-domain\":\"p.example\",\"policy-string\":[\"3 1 1 (00 ff)\"]", "1",
                 "0", "")),
     "8460-4.5-1"},
    {"a policy in one text",
     WITH(POLICY(
         "\"policy-type\":\"sts\",\"policy-domain\":\"p.example\",\"policy-string\":[\"version: STSv1\\nmode: none\"]",
         "1", "0", "")),
     "8460-4.5-2"},
    {"mx-host of a tlsa policy", WITH(POLICY(TLSA ",\"mx-host\":[\"mx1.p.example\"]", "1", "0", "")), "8460-4.4-7"},
    {"mx-host in capitals", WITH(POLICY(STS ",\"mx-host\":[\"MX1.p.example\"]", "1", "0", "")), "8460-4.4-8"},
    {"a count as a text", WITH(POLICY(TLSA, "\"1\"", "0", "")), "8460-4.4-11"},
    {"no count", WITH("[{\"policy\":{" TLSA "},\"summary\":{\"total-failure-session-count\":0}}]"), "8460-4.2.1-1"},
    {"failures without details", WITH(POLICY(TLSA, "0", "1", "")), "8460-4-6"},
    {"an unknown result",
     WITH(POLICY(TLSA, "0", "1", ",\"failure-details\":[{\"result-type\":\"oops\",\"failed-session-count\":1}]")),
     "8460-4.3-1"},
    {"validation-failure without a reason",
     WITH(POLICY(TLSA, "0", "1",
                 ",\"failure-details\":[{\"result-type\":\"validation-failure\",\"failed-session-count\":1}]")),
     "8460-4.3.1-5"},
    {"certificate-not-trusted without a reason",
     WITH(POLICY(TLSA, "0", "1",
                 ",\"failure-details\":[{\"result-type\":\"certificate-not-trusted\",\"failed-session-count\":1}]")),
     "8460-4.3.1-4"},
    {"an address in brackets", WITH(POLICY(STS, "0", "1", DETAIL(",\"receiving-ip\":\"[192.0.2.1]\""))), "8460-4.4-9"},
    {"an address with zeros", WITH(POLICY(STS, "0", "1", DETAIL(",\"sending-mta-ip\":\"2001:db8:0::1\""))),
     "8460-4.4-9"},
};

static const char *flaws(struct arena *arena, const struct tls_report *report)
{
    const char *list = "";
    for (size_t i = 0; i < report->flaws.count; i++)
        list = arena_printf(arena, "%s%s%s", list, i > 0 ? " " : "", report->flaws.items[i].clause);
    return list;
}

START_TEST(texts_are_held_against_the_rfc)
{
    struct arena *arena = arena_new("test");
    struct tls_report report = {0};
    tls_report_read_json(arena, rows[_i].json, strlen(rows[_i].json), &report);
    ck_assert_msg(strcmp(flaws(arena, &report), rows[_i].clause != NULL ? rows[_i].clause : "") == 0, "%s: '%s'",
                  rows[_i].name, flaws(arena, &report));
    arena_free(&arena);
}
END_TEST

#define GOOD WITH(POLICY(TLSA, "1", "0", ""))
#define HEAD(subject, submitter)                                                                                       \
    "From: <a@s.example>\r\n" subject "TLS-Report-Domain: p.example\r\nTLS-Report-Submitter: " submitter "\r\n"        \
    "Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=b\r\n\r\n"
#define SUBJECT "Subject: Report Domain: p.example\r\n Submitter: s.example Report-ID: <i@s.example>\r\n"
#define WORDS "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
#define FILE_PART(type, name)                                                                                          \
    "--b\r\nContent-Type: " type "\r\nContent-Disposition: attachment; filename=\"" name "\"\r\n\r\n" GOOD             \
    "\r\n--b--\r\n"
#define NAME "s.example!p.example!1780272000!1780358399"
#define ALWAYS "8460-5.2-1" /* not compressed, for the sake of reading */
#define UNSIGNED " 8460-3-7"

static const struct mail_row {
    const char *name, *text, *clauses;
} mails[] = {
    {"sound but for the signature", HEAD(SUBJECT, "s.example") WORDS FILE_PART("application/tlsrpt+json", NAME ".json"),
     ALWAYS UNSIGNED},
    {"a media type that promises too much",
     HEAD(SUBJECT, "s.example") WORDS FILE_PART("application/tlsrpt+gzip", NAME ".json"),
     "8460-5.3-3 " ALWAYS UNSIGNED},
    {"another media type", HEAD(SUBJECT, "s.example") WORDS FILE_PART("application/json", NAME ".json"),
     "8460-5.3-3 " ALWAYS UNSIGNED},
    {"the wrong ending", HEAD(SUBJECT, "s.example") WORDS FILE_PART("application/tlsrpt+json", NAME ".json.gz"),
     ALWAYS " 8460-5.1-3" UNSIGNED},
    {"another name", HEAD(SUBJECT, "s.example") WORDS FILE_PART("application/tlsrpt+json", "report.json"),
     ALWAYS " 8460-5.1-1" UNSIGNED},
    {"no words", HEAD(SUBJECT, "s.example") FILE_PART("application/tlsrpt+json", NAME ".json"), "8460-5.3-2" UNSIGNED},
    {"another submitter", HEAD(SUBJECT, "other.example") WORDS FILE_PART("application/tlsrpt+json", NAME ".json"),
     ALWAYS " 8460-5.1-1 8460-5.3-5 8460-5.3-7" UNSIGNED},
    {"a subject of its own",
     HEAD("Subject: hello\r\n", "s.example") WORDS FILE_PART("application/tlsrpt+json", NAME ".json"),
     ALWAYS " 8460-5.3-7" UNSIGNED},
};

START_TEST(mails_are_held_against_the_rfc)
{
    struct arena *arena = arena_new("test");
    struct tls_report report;
    ck_assert(tls_report_is_mail(mails[_i].text, strlen(mails[_i].text)));
    tls_report_read_mail(arena, mails[_i].text, strlen(mails[_i].text), NULL, &report);
    ck_assert_msg(strcmp(flaws(arena, &report), mails[_i].clauses) == 0, "%s: '%s'", mails[_i].name,
                  flaws(arena, &report));
    arena_free(&arena);
}
END_TEST

START_TEST(what_a_report_says)
{
    struct arena *arena = arena_new("test");
    struct tls_report report;
    const char *json = WITH(POLICY(STS, "2", "1", DETAIL(",\"receiving-mx-hostname\":\"mx1.p.example\"")));
    tls_report_read_upload(arena, "application/tlsrpt+json", json, strlen(json), &report);
    ck_assert_uint_eq(report.entries.count, 1);
    const struct tls_report_entry *entry = &report.entries.items[0];
    ck_assert_str_eq(entry->policy, "sts");
    ck_assert_int_eq(entry->success, 2);
    ck_assert_int_eq(entry->failure, 1);
    ck_assert_uint_eq(entry->strings, 2);
    ck_assert_str_eq(entry->details.items[0].mx, "mx1.p.example");
    ck_assert_str_eq(tls_report_summary(arena, &report), "sts p.example: 2 good, 1 bad (certificate-expired)");
    ck_assert_int_eq(report.ends - report.begins, 86399);
    const char *plain = "From: a\r\nContent-Type: text/plain\r\n\r\nreport-type=tlsrpt";
    ck_assert(!tls_report_is_mail(plain, strlen(plain)));
    arena_free(&arena);
}
END_TEST

/* RFC 8463 A: both signatures of its example; the ed25519 key as in its record. */
START_TEST(the_example_of_rfc_8463)
{
    static const char key[] = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    static const char text[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                               " d=football.example.com; i=@football.example.com;\r\n"
                               " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                               " subject : date : message-id : from : subject : date;\r\n"
                               " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                               " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
                               " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
                               "From: Joe SixPack <joe@football.example.com>\r\n"
                               "To: Suzie Q <suzie@shopping.example.net>\r\n"
                               "Subject: Is dinner ready?\r\n"
                               "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                               "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
                               "\r\n"
                               "Hi.\r\n"
                               "\r\n"
                               "We lost the game.  Are you hungry yet?\r\n"
                               "\r\n"
                               "Joe.\r\n";
    struct arena *arena = arena_new("test");
    struct dkim_found found = dkim_check(arena, text, sizeof text - 1, key);
    ck_assert_msg(found.trouble == NULL, "%s", found.trouble);
    ck_assert_str_eq(found.domain, "football.example.com");
    ck_assert(found.present && !found.has_length && !found.covers_report_fields);
    char *forged = arena_strdup(arena, text);
    *strstr(forged, "dinner") = 'D';
    ck_assert_str_eq(dkim_check(arena, forged, strlen(forged), key).trouble,
                     "the DKIM signature does not fit the header");
    *strstr(forged, "lost") = 'h';
    ck_assert_str_eq(dkim_check(arena, forged, strlen(forged), key).trouble,
                     "the DKIM signature does not fit the body");
    ck_assert_str_eq(dkim_check(arena, "From: a\r\n\r\n", 11, key).trouble, "there is no DKIM signature");
    arena_free(&arena);
}
END_TEST

TEST_SUITE(tls_report)
{
    TEST_LOOP(texts_are_held_against_the_rfc, COUNT(rows));
    TEST_LOOP(mails_are_held_against_the_rfc, COUNT(mails));
    TEST(what_a_report_says);
    TEST(the_example_of_rfc_8463);
}
