/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/postfix/postfix_log.h"

#include <string.h>

#include "base/testing.h"

#define LINE(program, text) "Nov 23 21:25:05 out postfix/" program "[47]: " text
#define ACCEPTED LINE("smtpd", "4F1D2AB: client=unknown[100.64.0.2]")
#define ACTIVE_1 LINE("qmgr", "4F1D2AB: from=<a@sender.example>, size=313, nrcpt=1 (queue active)")
#define ACTIVE_2 LINE("qmgr", "4F1D2AB: from=<a@sender.example>, size=313, nrcpt=2 (queue active)")
#define TO(who, dsn, status, reason)                                                                                   \
    LINE("smtp", "4F1D2AB: to=<" who ">, relay=mx1.x.example[198.18.1.1]:25, delay=0.1, delays=0/0/0/0, dsn=" dsn      \
                 ", status=" status " (" reason ")")
#define REPORTED LINE("bounce", "4F1D2AB: sender non-delivery notification: 5AAAAAA")
#define REMOVED LINE("qmgr", "4F1D2AB: removed")

static const struct {
    const char *name;
    const char *lines[8];
    size_t messages;
    bool over;
    const char *status, *code, *reason; /* of the first recipient */
} courses[] = {
    {"accepted", {ACCEPTED}, 1, false, NULL, NULL, NULL},
    {"being tried", {ACCEPTED, ACTIVE_1}, 1, false, NULL, NULL, NULL},
    {"delivered, not yet removed",
     {ACCEPTED, ACTIVE_1, TO("b@x.example", "2.0.0", "sent", "250 ok")},
     1,
     false,
     "sent",
     "2.0.0",
     "250 ok"},
    {"delivered",
     {ACCEPTED, ACTIVE_1, TO("b@x.example", "2.0.0", "sent", "250 ok"), REMOVED},
     1,
     true,
     "sent",
     "2.0.0",
     "250 ok"},
    {"deferred",
     {ACCEPTED, ACTIVE_1, TO("b@x.example", "4.7.5", "deferred", "Server certificate not trusted")},
     1,
     true,
     "deferred",
     "4.7.5",
     "Server certificate not trusted"},
    {"a reason with parentheses",
     {ACCEPTED, ACTIVE_1, TO("b@x.example", "4.4.3", "deferred", "lookup (of TLSA) failed")},
     1,
     true,
     "deferred",
     "4.4.3",
     "lookup (of TLSA) failed"},
    {"one of two known",
     {ACCEPTED, ACTIVE_2, TO("b@x.example", "4.7.5", "deferred", "no")},
     1,
     false,
     "deferred",
     "4.7.5",
     "no"},
    {"bounced, not yet reported",
     {ACCEPTED, ACTIVE_2, TO("b@x.example", "5.1.1", "bounced", "no"), TO("c@x.example", "4.1.1", "deferred", "no")},
     1,
     false,
     "bounced",
     "5.1.1",
     "no"},
    {"bounced and reported: the report is a message too",
     {ACCEPTED, ACTIVE_2, TO("b@x.example", "5.1.1", "bounced", "no"), TO("c@x.example", "4.1.1", "deferred", "no"),
      REPORTED},
     2,
     true,
     "bounced",
     "5.1.1",
     "no"},
    {"tried again",
     {ACCEPTED, ACTIVE_1, TO("b@x.example", "4.7.5", "deferred", "no"), ACTIVE_1},
     1,
     false,
     "deferred",
     "4.7.5",
     "no"},
    {"delivered at last",
     {ACCEPTED, ACTIVE_1, TO("b@x.example", "4.7.5", "deferred", "no"), ACTIVE_1,
      TO("b@x.example", "2.0.0", "sent", "ok"), REMOVED},
     1,
     true,
     "sent",
     "2.0.0",
     "ok"},
    {"lines about nobody",
     {LINE("smtpd", "connect from unknown[100.64.0.2]"), LINE("qmgr", "warning: x: y"), "garbage"},
     0,
     false,
     NULL,
     NULL,
     NULL},
};

START_TEST(the_log_tells_the_course_of_a_message)
{
    struct postfix_log log = {0};
    for (size_t i = 0; i < COUNT(courses[_i].lines) && courses[_i].lines[i] != NULL; i++)
        postfix_log_read(&log, courses[_i].lines[i]);
    ck_assert_msg(log.count == courses[_i].messages, "%s: %zu messages", courses[_i].name, log.count);
    if (log.count > 0)
        ck_assert_msg(postfix_message_is_over(log.items[0]) == courses[_i].over, "%s", courses[_i].name);
    if (courses[_i].status != NULL) {
        const struct postfix_recipient *r = &log.items[0]->items[0];
        ck_assert_str_eq(r->status, courses[_i].status);
        ck_assert_str_eq(r->code, courses[_i].code);
        ck_assert_str_eq(r->reason, courses[_i].reason);
    }
    postfix_log_free(&log);
}
END_TEST

START_TEST(the_master_says_when_it_takes_connections)
{
    struct postfix_log log = {0};
    postfix_log_read(&log, LINE("smtpd", "connect from unknown[100.64.0.2]"));
    ck_assert(!log.started);
    postfix_log_read(&log, LINE("master", "daemon started -- version 3.7.11, configuration /x"));
    ck_assert(log.started);
    postfix_log_free(&log);
}
END_TEST

static const struct {
    const char *name, *line, *crash;
} crashes[] = {
    {"panic", LINE("smtp", "panic: mymalloc: requested length 0"), "postfix/smtp: panic: mymalloc: requested length 0"},
    {"signal", LINE("master", "warning: process /usr/lib/postfix/sbin/smtp pid 20 killed by signal 11"),
     "postfix/master: warning: process /usr/lib/postfix/sbin/smtp pid 20 killed by signal 11"},
    {"neither", LINE("smtp", "warning: no panic: all is well"), NULL},
};

START_TEST(a_crash_is_noticed)
{
    struct postfix_log log = {0};
    postfix_log_read(&log, crashes[_i].line);
    ck_assert_msg((log.crash != NULL) == (crashes[_i].crash != NULL), "%s", crashes[_i].name);
    if (log.crash != NULL)
        ck_assert_str_eq(log.crash, crashes[_i].crash);
    postfix_log_free(&log);
}
END_TEST

TEST_SUITE(postfix_log)
{
    TEST_LOOP(a_crash_is_noticed, COUNT(crashes));
    TEST_LOOP(the_log_tells_the_course_of_a_message, COUNT(courses));
    TEST(the_master_says_when_it_takes_connections);
}
