/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/exim/exim_log.h"

#include "base/testing.h"

#define AT "2026-11-29 11:06:52 "
#define ID "1xXcvy-0000B7-2C "
#define NEW_ID "1xXcvy-00000001B7a-2C3d "
#define ACCEPTED AT ID "<= alice@sender.example H=(lab) [100.64.0.2] P=esmtp S=463"
#define COMPLETED AT ID "Completed"

static const struct {
    const char *name;
    const char *lines[4];
    size_t messages;
    bool removed;
    const char *address, *state, *reason; /* of the first recipient */
} courses[] = {
    {"accepted", {ACCEPTED}, 1, false, NULL, NULL, NULL},
    {"delivered, not yet completed",
     {ACCEPTED, AT ID "=> b@x.example R=mx T=out H=mx1.x.example [198.18.1.1] C=\"250 ok\""},
     1,
     false,
     "b@x.example",
     "delivered",
     "R=mx T=out H=mx1.x.example [198.18.1.1] C=\"250 ok\""},
    {"delivered",
     {ACCEPTED, AT ID "=> b@x.example R=mx T=out", COMPLETED},
     1,
     true,
     "b@x.example",
     "delivered",
     "R=mx T=out"},
    {"one more recipient of the same transaction",
     {ACCEPTED, AT ID "-> b@x.example R=mx T=out"},
     1,
     false,
     "b@x.example",
     "delivered",
     "R=mx T=out"},
    {"deferred",
     {ACCEPTED, AT ID "== b@x.example R=mx T=out defer (-37) H=mx1.x.example [198.18.1.1]: TLS session: no"},
     1,
     false,
     "b@x.example",
     "queued",
     "R=mx T=out defer (-37) H=mx1.x.example [198.18.1.1]: TLS session: no"},
    {"bounced",
     {ACCEPTED, AT ID "** b@x.example R=mx T=out: 550 no"},
     1,
     false,
     "b@x.example",
     "bounced",
     "R=mx T=out: 550 no"},
    {"no router takes it",
     {ACCEPTED, AT ID "** b@x.example: Unrouteable address"},
     1,
     false,
     "b@x.example",
     "bounced",
     "Unrouteable address"},
    {"delivered to a name that was made of it",
     {ACCEPTED, AT ID "=> xn--jrg-sna@x.example <j\xc3\xb6rg@x.example> R=mx T=out"},
     1,
     false,
     "j\xc3\xb6rg@x.example",
     "delivered",
     "<j\xc3\xb6rg@x.example> R=mx T=out"},
    {"delivered at last",
     {ACCEPTED, AT ID "== b@x.example R=mx T=out defer (0): no", AT ID "=> b@x.example R=mx T=out", COMPLETED},
     1,
     true,
     "b@x.example",
     "delivered",
     "R=mx T=out"},
    {"a report is a message too",
     {ACCEPTED, AT "1xXcvy-0000BA-0a <= <> R=1xXcvy-0000B7-2C U=Debian-exim P=local"},
     2,
     false,
     NULL,
     NULL,
     NULL},
    {"an id of 4.97",
     {AT NEW_ID "== b@x.example R=mx defer (-1): host lookup done insecurely"},
     1,
     false,
     "b@x.example",
     "queued",
     "R=mx defer (-1): host lookup done insecurely"},
    {"an address cut off", {AT ID "** "}, 1, false, "", "bounced", ""},
    {"lines about nobody",
     {AT "Start queue run: pid=12", AT "no host name found for IP address 100.64.0.2", "garbage", ""},
     0,
     false,
     NULL,
     NULL,
     NULL},
};

START_TEST(the_log_tells_the_course_of_a_message)
{
    struct exim_log log = {0};
    for (size_t i = 0; i < COUNT(courses[_i].lines) && courses[_i].lines[i] != NULL; i++)
        exim_log_read(&log, courses[_i].lines[i]);
    ck_assert_msg(log.count == courses[_i].messages, "%s: %zu messages", courses[_i].name, log.count);
    if (log.count > 0)
        ck_assert_msg(log.items[0]->removed == courses[_i].removed, "%s", courses[_i].name);
    if (courses[_i].state != NULL) {
        ck_assert_uint_eq(log.items[0]->count, 1);
        const struct exim_recipient *r = &log.items[0]->items[0];
        ck_assert_str_eq(r->address, courses[_i].address);
        ck_assert_str_eq(r->state, courses[_i].state);
        ck_assert_str_eq(r->reason, courses[_i].reason);
    }
    exim_log_free(&log);
}
END_TEST

START_TEST(the_daemon_says_when_it_takes_connections)
{
    struct exim_log log = {0};
    exim_log_read(&log, AT "exim user lost privilege for using -C option");
    ck_assert(!log.started);
    exim_log_read(&log, AT "exim 4.96 daemon started: pid=5, no queue runs, listening for SMTP on [100.64.0.2]:2525");
    ck_assert(log.started);
    exim_log_free(&log);
}
END_TEST

TEST_SUITE(exim_log)
{
    TEST_LOOP(the_log_tells_the_course_of_a_message, COUNT(courses));
    TEST(the_daemon_says_when_it_takes_connections);
}
