/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tickets.h"

#include <stdio.h>

#include "base/testing.h"

enum { LIFE = 3600 };

static int kept_of(struct tickets *tickets, const char *channel)
{
    SSL_SESSION *session;
    int count = 0;
    for (time_t proven; (session = tickets_take(tickets, channel, &proven)) != NULL; count++)
        SSL_SESSION_free(session);
    return count;
}

static void give(struct tickets *tickets, const char *channel)
{
    tickets_give(tickets, channel, SSL_SESSION_new(), tickets_now(tickets));
}

START_TEST(a_session_is_its_channels_and_used_once)
{
    struct tickets *tickets = tickets_new(NULL, LIFE);
    give(tickets, "a");
    give(tickets, "b");
    ck_assert_int_eq(kept_of(tickets, "c"), 0);
    ck_assert_int_eq(kept_of(tickets, "a"), 1);
    ck_assert_int_eq(kept_of(tickets, "a"), 0);
    ck_assert_int_eq(kept_of(tickets, "b"), 1);
    tickets_free(&tickets);
}
END_TEST

START_TEST(a_session_grows_old_from_when_the_certificate_was_shown)
{
    struct clock clock = {0};
    struct tickets *tickets = tickets_new(&clock, LIFE);
    tickets_give(tickets, "a", SSL_SESSION_new(), tickets_now(tickets) - LIFE + 60);
    give(tickets, "b");
    clock_advance(&clock, LIFE / 2);
    ck_assert_int_eq(kept_of(tickets, "a"), 0);
    ck_assert_int_eq(kept_of(tickets, "b"), 1);
    tickets_free(&tickets);
}
END_TEST

START_TEST(a_channel_is_forgotten_alone)
{
    struct tickets *tickets = tickets_new(NULL, LIFE);
    give(tickets, "a");
    give(tickets, "b");
    give(tickets, "a");
    tickets_forget_channel(tickets, "a");
    ck_assert_int_eq(kept_of(tickets, "a"), 0);
    ck_assert_int_eq(kept_of(tickets, "b"), 1);
    tickets_free(&tickets);
}
END_TEST

START_TEST(the_oldest_go_first)
{
    struct tickets *tickets = tickets_new(NULL, LIFE);
    char channel[20];
    for (int i = 0; i < TICKETS_MAX; i++) {
        snprintf(channel, sizeof channel, "%d", i);
        give(tickets, channel);
    }
    for (int i = 0; i < 2 * TICKETS_OF_CHANNEL_MAX; i++)
        give(tickets, "busy");
    ck_assert_int_eq(kept_of(tickets, "busy"), TICKETS_OF_CHANNEL_MAX);
    snprintf(channel, sizeof channel, "%d", TICKETS_OF_CHANNEL_MAX);
    ck_assert_int_eq(kept_of(tickets, "0"), 0);
    ck_assert_int_eq(kept_of(tickets, channel), 1);
    tickets_free(&tickets);
}
END_TEST

TEST_SUITE(tickets)
{
    TEST(a_session_is_its_channels_and_used_once);
    TEST(a_session_grows_old_from_when_the_certificate_was_shown);
    TEST(a_channel_is_forgotten_alone);
    TEST(the_oldest_go_first);
}
