/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include "base/testing.h"

START_TEST(a_moved_clock_is_ahead)
{
    struct clock clock = {0};
    clock_advance(&clock, 86400);
    clock_advance(&clock, -400);
    int64_t ahead = clock_now(&clock) - clock_now(NULL);
    ck_assert(ahead == 86000 || ahead == 85999);
}
END_TEST

START_TEST(monotonic_time_does_not_move_back)
{
    int64_t before = clock_monotonic_us();
    ck_assert_int_ge(clock_monotonic_us(), before);
}
END_TEST

TEST_SUITE(clock)
{
    TEST(a_moved_clock_is_ahead);
    TEST(monotonic_time_does_not_move_back);
}
