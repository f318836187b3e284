/* SPDX-License-Identifier: BSD-2-Clause
 * The façade: listening, other worlds, counters, limits. */
#include "fakemx/fakemx.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/testing.h"
#include "fakemx/mx_probe_test.h"

/* The reply to MAIL on a new connection. */
static const char *mail_reply(struct probe *probe)
{
    ck_assert(probe_connect(probe));
    probe_reply(probe);
    probe_say(probe, "EHLO probe");
    probe_reply(probe);
    probe_say(probe, "MAIL FROM:<a@b>");
    return probe_reply(probe);
}

START_TEST(a_host_that_refuses_does_not_listen)
{
    struct probe *probe = probe_new("{tcp: refuse}");
    ck_assert(!probe_connect(probe));
    ck_assert(probe_change(probe, "{}"));
    ck_assert(probe_connect(probe));
    ck_assert_str_eq(probe_reply(probe), "220 mx1.partner.example ESMTP");
    ck_assert(probe_change(probe, "{tcp: refuse}"));
    ck_assert(!probe_connect(probe));
    probe_free(&probe);
}
END_TEST

START_TEST(sessions_under_way_stay_as_they_were)
{
    struct probe *probe = probe_new("{}");
    ck_assert(probe_connect(probe));
    probe_reply(probe);
    ck_assert(probe_change(probe, "{tcp: refuse, ehlo: 421 no}"));
    probe_say(probe, "EHLO probe");
    ck_assert_str_eq(probe_reply(probe), "250 STARTTLS");
    probe_free(&probe);
}
END_TEST

START_TEST(counters_begin_anew_where_the_behaviour_changed)
{
    struct probe *probe = probe_new("{mail: {reply: 450 later, nth: 1}}");
    ck_assert_str_eq(mail_reply(probe), "450 later");
    ck_assert_str_eq(mail_reply(probe), "250 2.1.0 Sender ok");
    ck_assert(probe_change(probe, "{mail: {reply: 450 later, nth: 1}}"));
    ck_assert_str_eq(mail_reply(probe), "250 2.1.0 Sender ok");
    ck_assert(probe_change(probe, "{mail: {reply: 451 later, nth: 1}}"));
    ck_assert_str_eq(mail_reply(probe), "451 later");
    probe_free(&probe);
}
END_TEST

START_TEST(a_host_without_identity_offers_no_tls)
{
    struct probe *probe = probe_new("{}");
    struct err err;
    probe->host.identity = NULL;
    ck_assert(fakemx_change(probe->mx, &(struct fakemx_config){&probe->host, 1}, &err));
    ck_assert(probe_connect(probe));
    probe_reply(probe);
    probe_say(probe, "EHLO probe");
    ck_assert_str_eq(probe_reply(probe), "250 ENHANCEDSTATUSCODES");
    probe_say(probe, "STARTTLS");
    ck_assert_str_eq(probe_reply(probe), "502 5.5.1 Command not implemented");
    ck_assert_str_eq(probe_hits(probe), "");
    probe_free(&probe);
}
END_TEST

START_TEST(a_world_that_cannot_be_leaves_the_old_one)
{
    struct probe *probe = probe_new("{}");
    struct err err;
    struct fakemx_host twice[] = {probe->host, probe->host};
    twice[1].name = "mx2.partner.example";
    ck_assert(!fakemx_change(probe->mx, &(struct fakemx_config){twice, 2}, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "both mx1.partner.example and mx2.partner.example"));
    static const char *const nowhere[] = {"nowhere"};
    twice[0].addresses = nowhere;
    ck_assert(!fakemx_change(probe->mx, &(struct fakemx_config){twice, 1}, &err));
    ck_assert_str_eq(mail_reply(probe), "250 2.1.0 Sender ok");
    probe_free(&probe);
}
END_TEST

START_TEST(fault_ids_begin_with_the_host_unless_told)
{
    struct probe *probe = probe_new("{mail: 450 later}");
    struct err err;
    probe->host.fault_prefix = NULL;
    ck_assert(fakemx_change(probe->mx, &(struct fakemx_config){&probe->host, 1}, &err));
    mail_reply(probe);
    ck_assert_str_eq(probe_hits(probe), "mx1.partner.example:mail");
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_FAULT_HIT), "fault"), "mail: 450 later");
    probe_free(&probe);
}
END_TEST

START_TEST(sessions_are_bounded)
{
    enum { SESSIONS_MAX = 200 };
    struct probe *probe = probe_new("{}");
    int kept[SESSIONS_MAX];
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        ck_assert(probe_connect(probe));
        ck_assert_str_eq(probe_reply(probe), "220 mx1.partner.example ESMTP");
        kept[i] = probe->fd;
        probe->fd = -1;
    }
    ck_assert(probe_connect(probe));
    ck_assert_str_eq(probe_reply(probe), "reset");
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        close(kept[i]);
    probe_idle(probe);
    ck_assert_str_eq(mail_reply(probe), "250 2.1.0 Sender ok");
    probe_free(&probe);
}
END_TEST

/* So that a sender can be shown thousands of them. */
START_TEST(connections_that_stall_are_held_beyond_the_sessions)
{
    enum { HELD = 250 };
    struct probe *probe = probe_new("{tcp: stall}");
    int kept[HELD];
    for (size_t i = 0; i < HELD; i++) {
        ck_assert(probe_connect(probe));
        kept[i] = probe->fd;
        probe->fd = -1;
    }
    probe_idle(probe);
    ck_assert_ptr_null(probe_event(probe, JOURNAL_MX_CLOSE));
    for (size_t i = 0; i < HELD; i++)
        close(kept[i]);
    probe_free(&probe);
}
END_TEST

TEST_SUITE(fakemx)
{
    TEST(a_host_that_refuses_does_not_listen);
    TEST(sessions_under_way_stay_as_they_were);
    TEST(counters_begin_anew_where_the_behaviour_changed);
    TEST(a_host_without_identity_offers_no_tls);
    TEST(a_world_that_cannot_be_leaves_the_old_one);
    TEST(fault_ids_begin_with_the_host_unless_told);
    TEST(sessions_are_bounded);
    TEST(connections_that_stall_are_held_beyond_the_sessions);
}
