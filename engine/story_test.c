/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/story.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static const char recipients[] =
    "[{\"message\":7,\"sender\":\"s@z.example\",\"message-id\":\"<1@z>\",\"received\":1780300800,\"size\":20,"
    "\"recipient\":\"a@x.example\",\"status\":\"Pending\",\"code\":\"4.7.323\",\"text\":\"no\\nmatch\",\"attempts\":1}"
    "]";
static const char events[] =
    "[{\"at\":1780300800,\"message\":7,\"event\":\"Receive\",\"text\":\"[192.0.2.1]\"},"
    "{\"at\":1780300801,\"message\":7,\"attempt\":1,\"event\":\"Try\",\"destination\":\"x.example\",\"connector\":"
    "\"lab\",\"connector_why\":\"exact\",\"host\":\"mx.x.example\",\"address\":\"198.18.1.1\",\"mx\":\"found\",\"mx_"
    "trust\":"
    "\"secure\",\"host_trust\":\"secure\",\"tlsa\":\"usable\",\"sts_mode\":\"absent\",\"demand\":\"dane\",\"clause\":"
    "\"7672-2.2-3\",\"because\":\"usable TLSA\",\"tls\":\"TLSv1.3\",\"cipher\":\"AES\",\"certificate\":\"ab\","
    "\"authenticated\":0,\"code\":\"4.7.323\",\"text\":\"no match\"},"
    "{\"at\":1780300801,\"message\":7,\"attempt\":1,\"event\":\"Defer\",\"recipient\":\"a@x.example\",\"host\":"
    "\"mx.x.example\",\"code\":\"4.7.323\",\"text\":\"no match\",\"next\":1780301701}]";
#define UNDER "                               "
static const char told[] =
    "message 7 from <s@z.example>, received 2026-06-01 08:00:00, Message-ID <1@z>, 20 bytes\n"
    "  a@x.example: Pending 4.7.323 no\\x0amatch (1 attempt)\n"
    "\n"
    "2026-06-01 08:00:00  Receive  [192.0.2.1]\n"
    "2026-06-01 08:00:01  Try      mx.x.example at 198.18.1.1 by connector lab (exact)\n" UNDER
    "MX found (secure), address secure, TLSA usable, MTA-STS absent\n" UNDER
    "demands dane by 7672-2.2-3: usable TLSA\n" UNDER "TLSv1.3 with AES, certificate ab\n" UNDER "4.7.323 no match\n"
    "2026-06-01 08:00:01  Defer    a@x.example 4.7.323 no match; again 2026-06-01 08:15:01\n";

static void check(const char *about, const char *happened, const char *wanted)
{
    json_t *rows = json_loads(about, 0, NULL), *list = json_loads(happened, 0, NULL);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    story_print(out, rows, list);
    fclose(out);
    ck_assert_str_eq(text, wanted);
    free(text);
    json_decref(rows);
    json_decref(list);
}

START_TEST(a_story_is_told)
{
    check(recipients, events, told);
}
END_TEST

START_TEST(nothing_is_told_of_nothing)
{
    check("[]", "[]", "nothing is known of it\n");
}
END_TEST

TEST_SUITE(story)
{
    TEST(a_story_is_told);
    TEST(nothing_is_told_of_nothing);
}
