/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ndr.h"

#include <string.h>

#include "base/testing.h"
#include "engine/message.h"

static const char original[] = "From: a@b.example\r\nSubject: hello\r\nMessage-ID: <1@b>\r\n\r\nsecret body\r\n";
static const struct ndr_recipient recipients[] = {
    {"x@partner.example",
     {"5.7.323", "Message expired, tlsa-invalid: no\r\nX-Forged: 1"},
     {"4.7.323", "tlsa-invalid: no"},
     "mx1.partner.example",
     1780300800},
    {"y@partner.example", {"5.1.1", "550 5.1.1 who?"}, {NULL, NULL}, NULL, 1780300800},
    {"j\xc3\xb6rg+\xe2\x82\xac@partner.example", {"5.6.7", "550 5.6.7 no"}, {NULL, NULL}, NULL, 1780300800},
};
static const struct ndr sample = {.hostname = "relay.example",
                                  .id = "abc",
                                  .sender = "a@b.example",
                                  .arrived = 1780214400,
                                  .now = 1780300800,
                                  .recipients = recipients,
                                  .recipient_count = COUNT(recipients),
                                  .content = original,
                                  .length = sizeof original - 1};

static const char *const wanted[] = {
    "To: <a@b.example>\r\n",
    "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"abc\"\r\n",
    "Auto-Submitted: auto-replied\r\n",
    "\r\n--abc\r\nContent-Type: message/delivery-status\r\n",
    "Reporting-MTA: dns; relay.example\r\nArrival-Date: Sun, 31 May 2026 08:00:00 +0000\r\n",
    "Final-Recipient: rfc822; x@partner.example\r\nAction: failed\r\nStatus: 5.7.323\r\n",
    "Final-Recipient: utf-8; j\\x{F6}rg\\x{2B}\\x{20AC}@partner.example\r\nAction: failed\r\n",
    "  <j\\x{F6}rg\\x{2B}\\x{20AC}@partner.example>\r\n",
    "Remote-MTA: dns; mx1.partner.example\r\n",
    "Diagnostic-Code: smtp; 550 5.7.323 Message expired, tlsa-invalid: no",
    "returned '450 4.7.323 tlsa-invalid: no'",
    "Diagnostic-Code: smtp; 550 5.1.1 who?\r\n",
    "--abc\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: a@b.example\r\nSubject: hello\r\n",
    "Subject: Undeliverable: hello\r\nIn-Reply-To: <1@b>\r\nReferences: <1@b>\r\n",
    "\r\n--abc--\r\n",
};

START_TEST(a_report_says)
{
    struct arena *arena = arena_new("test");
    size_t length;
    char *text = ndr_write(arena, &sample, &length);
    ck_assert_msg(strstr(text, wanted[_i]) != NULL, "missing: %s in\n%s", wanted[_i], text);
    arena_free(&arena);
}
END_TEST

START_TEST(a_report_is_clean)
{
    struct arena *arena = arena_new("test");
    size_t length;
    char *text = ndr_write(arena, &sample, &length);
    ck_assert_uint_eq(strlen(text), length);
    ck_assert(!message_is_8bit(text, length));
    ck_assert_ptr_null(strstr(text, "secret body"));
    ck_assert_ptr_null(strstr(text, "\nX-Forged"));
    ck_assert(!message_has_bare_end(text, length));
    arena_free(&arena);
}
END_TEST

/* What is returned of an original; "header" and "message" as their parts begin. */
/* clang-format off */
static const struct { const char *name, *original; size_t length; bool whole; const char *part; } returns[] = {
    {"the header", "A: b\r\n\r\nbody\r\n", 14, false, "text/rfc822-headers\r\n\r\nA: b\r\n\r\n\r\n--abc--"},
    {"all of it", "A: b\r\n\r\nbody\r\n", 14, true, "message/rfc822\r\n\r\nA: b\r\n\r\nbody\r\n\r\n--abc--"},
    {"without a last end", "A: b", 4, false, "text/rfc822-headers\r\n\r\nA: b\r\n\r\n--abc--"},
    {"nothing at all", "", 0, true, "message/rfc822\r\n\r\n\r\n\r\n--abc--"},
    {"8-bit text gives the header only", "A: b\r\n\r\n\xc3\xa4\r\n", 12, true, "text/rfc822-headers\r\n\r\nA: b\r\n"},
    {"an 8-bit header is quoted", "A: \xc3\xa4= \r\n\r\n", 11, false,
     "text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nA: =C3=A4=3D=20\r\n\r\n"},
    {"a NUL is quoted", "A: \0\r\n\r\n", 8, true, "quoted-printable\r\n\r\nA: =00\r\n"},
};
/* clang-format on */

START_TEST(an_original_is_returned)
{
    struct arena *arena = arena_new("test");
    struct ndr ndr = sample;
    size_t length;
    ndr.content = returns[_i].original;
    ndr.length = returns[_i].length;
    ndr.whole = returns[_i].whole;
    char *text = ndr_write(arena, &ndr, &length);
    ck_assert_msg(strstr(text, returns[_i].part) != NULL, "%s: %s", returns[_i].name, text);
    ck_assert(!message_is_8bit(text, length));
    arena_free(&arena);
}
END_TEST

/* However long header, lines and message are, the report is not, nor are its lines. */
START_TEST(a_report_has_bounds)
{
    struct arena *arena = arena_new("test");
    struct ndr ndr = sample;
    size_t length, column = 0;
    char *huge = arena_alloc(arena, 300000);
    memset(huge, 'x', 300000);
    memcpy(huge, "Subject: y\r\n", 12);
    memcpy(huge + 30000, "\r\nZ: ", 5);
    ndr.content = huge;
    ndr.length = 300000;
    ndr.whole = _i == 1;
    char *text = ndr_write(arena, &ndr, &length);
    ck_assert_uint_lt(length, 2 * NDR_ORIGINAL_MAX);
    for (size_t i = 0; i < length; i++) {
        column = text[i] == '\n' ? 0 : column + 1;
        ck_assert_uint_le(column, 999);
    }
    arena_free(&arena);
}
END_TEST

/* Nothing of the original's may begin a header line of the report. */
START_TEST(odd_fields_are_not_quoted)
{
    struct arena *arena = arena_new("test");
    struct ndr ndr = sample;
    size_t length;
    ndr.content = "Subject: \xc3\xa4\r\nMessage-ID: <a\x01@b>\r\n\r\n";
    ndr.length = strlen(ndr.content);
    char *text = ndr_write(arena, &ndr, &length);
    ck_assert_ptr_nonnull(strstr(text, "Subject: Undeliverable: mail could not be delivered\r\nDate:"));
    arena_free(&arena);
}
END_TEST

TEST_SUITE(ndr)
{
    TEST_LOOP(a_report_says, COUNT(wanted));
    TEST(a_report_is_clean);
    TEST_LOOP(an_original_is_returned, COUNT(returns));
    TEST_LOOP(a_report_has_bounds, 2);
    TEST(odd_fields_are_not_quoted);
}
