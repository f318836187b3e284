/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/retry.h"

#include "base/testing.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static const double one_pause[] = {10};
static const struct retry_plan short_plan = {one_pause, 1, 25};

/* Times are relative to the arrival; due -1: given up. */
/* clang-format off */
static const struct { const char *name; const struct retry_plan *plan; unsigned attempts; int64_t now, due;
    } cases[] = {
    {"Exchange: second after 15 minutes",       &retry_exchange, 1,  0,               15 * MINUTE},
    {"Exchange: third at 30 minutes",           &retry_exchange, 2,  15 * MINUTE,     30 * MINUTE},
    {"Exchange: then hourly",                   &retry_exchange, 3,  30 * MINUTE,     90 * MINUTE},
    {"Exchange: hourly goes on",                &retry_exchange, 20, 10 * HOUR,       11 * HOUR},
    {"Exchange: the last falls on the day",     &retry_exchange, 26, 23 * HOUR + 1800, DAY},
    {"Exchange: given up after a day",          &retry_exchange, 27, DAY,             -1},
    {"Exchange: long after",                    &retry_exchange, 2,  3 * DAY,         -1},
    {"RFC: half an hour",                       &retry_rfc,      1,  0,               30 * MINUTE},
    {"RFC: still there after four days",        &retry_rfc,      9,  4 * DAY,         4 * DAY + 30 * MINUTE},
    {"RFC: given up after five",                &retry_rfc,      9,  5 * DAY,         -1},
    {"TLS report: five minutes",                &retry_tls_report, 1, 0,              5 * MINUTE},
    {"TLS report: doubled",                     &retry_tls_report, 4, 35 * MINUTE,    75 * MINUTE},
    {"TLS report: given up after a day",        &retry_tls_report, 9, DAY,            -1},
    {"own pauses",                              &short_plan,     3,  10,              20},
    {"own pauses, cut at the end",              &short_plan,     3,  20,              25},
    {"no attempt counted yet",                  &retry_exchange, 0,  0,               15 * MINUTE},
};
/* clang-format on */

START_TEST(retries_are_planned)
{
    const int64_t arrived = 1700000000;
    struct retry_next next = retry_after(cases[_i].plan, cases[_i].attempts, arrived, arrived + cases[_i].now);
    ck_assert_msg(next.give_up == (cases[_i].due < 0), "%s: given up %d", cases[_i].name, next.give_up);
    if (!next.give_up)
        ck_assert_msg(next.due == arrived + cases[_i].due, "%s: due %lld", cases[_i].name,
                      (long long)(next.due - arrived));
}
END_TEST

/* 0, 15, 30, 90 ... minutes: 26 attempts before the day is over, the 27th at its end. */
START_TEST(a_day_of_exchange)
{
    int64_t now = 0;
    unsigned attempts = 0;
    for (struct retry_next next = {0}; !next.give_up; now = next.give_up ? now : next.due)
        next = retry_after(&retry_exchange, ++attempts, 0, now);
    ck_assert_uint_eq(attempts, 27);
    ck_assert_int_eq(now, DAY);
}
END_TEST

TEST_SUITE(retry)
{
    TEST_LOOP(retries_are_planned, COUNT(cases));
    TEST(a_day_of_exchange);
}
