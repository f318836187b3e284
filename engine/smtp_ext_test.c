/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/smtp_ext.h"

#include <string.h>

#include "base/testing.h"

/* clang-format off */
static const struct { const char *name, *ehlo; struct smtp_ext want; } cases[] = {
    {"nothing",                  "250 hi\r\n",                              {0}},
    {"keywords",                 "250-hi\r\n250-STARTTLS\r\n250 PIPELINING\r\n", {.starttls = true,
     .pipelining = true}},
    {"small letters",            "250-hi\r\n250 starttls\r\n",              {.starttls = true}},
    {"the greeting is none",     "250-STARTTLS\r\n250 DSN\r\n",             {.dsn = true}},
    {"blanked by a man in the middle", "250-hi\r\n250-XXXXXXXA\r\n250 8BITMIME\r\n", {.eightbitmime = true}},
    {"a longer word is another", "250-hi\r\n250 STARTTLSX\r\n",             {0}},
    {"SIZE",                     "250-hi\r\n250 SIZE 1000\r\n",             {.size = true, .size_limit = 1000}},
    {"SIZE without a limit",     "250-hi\r\n250 SIZE\r\n",                  {.size = true}},
    {"SIZE 0",                   "250-hi\r\n250 SIZE 0\r\n",                {.size = true}},
    {"SIZE that is no number",   "250-hi\r\n250 SIZE -1\r\n",               {.size = true}},
    {"SIZE beyond all bounds",   "250-hi\r\n250 SIZE 99999999999999999999\r\n", {.size = true}},
    {"parameters",               "250-hi\r\n250-REQUIRETLS x\r\n250 CHUNKING\r\n", {.requiretls = true,
     .chunking = true}},
};
/* clang-format on */

START_TEST(keywords_are_read)
{
    struct smtp_reply_parser *parser = smtp_reply_new();
    size_t used;
    ck_assert_int_eq(smtp_reply_feed(parser, cases[_i].ehlo, strlen(cases[_i].ehlo), &used), SMTP_REPLY_DONE);
    struct smtp_ext got = smtp_ext_parse(smtp_reply_get(parser)), want = cases[_i].want;
    bool same = got.starttls == want.starttls && got.pipelining == want.pipelining && got.dsn == want.dsn &&
                got.eightbitmime == want.eightbitmime && got.chunking == want.chunking && got.size == want.size &&
                got.requiretls == want.requiretls && got.size_limit == want.size_limit;
    ck_assert_msg(same, "%s", cases[_i].name);
    smtp_reply_free(&parser);
}
END_TEST

TEST_SUITE(smtp_ext)
{
    TEST_LOOP(keywords_are_read, COUNT(cases));
}
