/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/loop.h"

#include "base/clock.h"
#include "base/testing.h"

static struct loop *loop;

static void begin(void)
{
    struct err err = {0};
    loop = loop_new(&err);
    ck_assert_msg(loop != NULL, "%s", err.text);
}

static void end(void)
{
    loop_free(&loop);
    ck_assert_ptr_null(loop);
}

static void set(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    *(bool *)arg = true;
}

static void stop(evutil_socket_t fd UNUSED, short what UNUSED, void *arg UNUSED)
{
    loop_stop(loop);
}

static void run_inside(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    bool never = false;
    *(bool *)arg = !loop_run_until(loop, &never, 5);
}

static void after_ms(int ms, event_callback_fn callback, void *arg)
{
    event_base_once(loop_base(loop), -1, EV_TIMEOUT, callback, arg, &(struct timeval){.tv_usec = ms * 1000});
}

START_TEST(ends_when_done)
{
    bool done = false;
    after_ms(5, set, &done);
    int64_t from = clock_monotonic_us();
    ck_assert(loop_run_until(loop, &done, 10));
    ck_assert_int_lt(clock_monotonic_us() - from, 2000000);
}
END_TEST

START_TEST(ends_when_the_time_is_up)
{
    bool done = false;
    int64_t from = clock_monotonic_us();
    ck_assert(!loop_run_until(loop, &done, 0.02));
    ck_assert_int_ge(clock_monotonic_us() - from, 15000);
    ck_assert(!loop_run_until(loop, NULL, 0));
}
END_TEST

START_TEST(done_before_is_done_at_once)
{
    bool done = true;
    ck_assert(loop_run_until(loop, &done, 10));
    ck_assert(loop_run_until(loop, &done, 0));
}
END_TEST

START_TEST(without_limit_it_ends_when_nothing_is_left)
{
    bool done = false;
    ck_assert(!loop_run_until(loop, &done, -1));
    after_ms(5, set, &done);
    ck_assert(loop_run_until(loop, &done, -1));
}
END_TEST

START_TEST(stop_ends_it_and_stays)
{
    bool done = false;
    after_ms(5, stop, NULL);
    ck_assert(!loop_stopped(loop));
    ck_assert(!loop_run_until(loop, &done, 10));
    ck_assert(loop_stopped(loop));
    ck_assert(!loop_run_until(loop, &done, 10));
}
END_TEST

static void be_quiet(int severity UNUSED, const char *message UNUSED)
{
}

START_TEST(a_run_inside_a_run_gives_up)
{
    bool done = false;
    after_ms(1, run_inside, &done);
    int64_t from = clock_monotonic_us();
    event_set_log_callback(be_quiet);
    ck_assert(loop_run_until(loop, &done, 10));
    event_set_log_callback(NULL);
    ck_assert_int_lt(clock_monotonic_us() - from, 2000000);
}
END_TEST

TEST_SUITE(loop)
{
    tcase_add_checked_fixture(testing_case, begin, end);
    TEST(ends_when_done);
    TEST(ends_when_the_time_is_up);
    TEST(done_before_is_done_at_once);
    TEST(without_limit_it_ends_when_nothing_is_left);
    TEST(stop_ends_it_and_stays);
    TEST(a_run_inside_a_run_gives_up);
}
