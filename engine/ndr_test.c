/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ndr.h"

#include <string.h>

#include "base/testing.h"
#include "engine/message.h"

static const char original[] = "From: a@b.example\r\nSubject: hello\r\n\r\nsecret body\r\n";
static const struct ndr_recipient recipients[] = {
    {"x@partner.example",
     {"5.7.323", "Message expired, tlsa-invalid: no\r\nX-Forged: 1"},
     "4.7.323 tlsa-invalid: no",
     "mx1.partner.example",
     1780300800},
    {"y@partner.example", {"5.1.1", "550 5.1.1 who?"}, NULL, NULL, 1780300800},
};
static const struct ndr sample = {"relay.example", "abc", "a@b.example", 1780214400,         1780300800,
                                  recipients,      2,     original,      sizeof original - 1};

static const char *const wanted[] = {
    "To: <a@b.example>\r\n",
    "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"abc\"\r\n",
    "Auto-Submitted: auto-replied\r\n",
    "\r\n--abc\r\nContent-Type: message/delivery-status\r\n",
    "Reporting-MTA: dns; relay.example\r\nArrival-Date: Sun, 31 May 2026 08:00:00 +0000\r\n",
    "Final-Recipient: rfc822; x@partner.example\r\nAction: failed\r\nStatus: 5.7.323\r\n",
    "Remote-MTA: dns; mx1.partner.example\r\n",
    "Diagnostic-Code: smtp; 550 5.7.323 Message expired, tlsa-invalid: no",
    "returned '450 4.7.323 tlsa-invalid: no'",
    "Diagnostic-Code: smtp; 550 5.1.1 who?\r\n",
    "--abc\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: a@b.example\r\nSubject: hello\r\n\r\n",
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
    ck_assert_ptr_null(strstr(text, "secret body"));
    ck_assert_ptr_null(strstr(text, "\nX-Forged"));
    ck_assert(!message_has_bare_end(text, length));
    arena_free(&arena);
}
END_TEST

TEST_SUITE(ndr)
{
    TEST_LOOP(a_report_says, COUNT(wanted));
    TEST(a_report_is_clean);
}
