/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/alert.h"

#include <string.h>
#include <unistd.h>

#include "base/testing.h"
#include "engine/alerts_told.h"

enum { NOW = 1000000000, HOUR = 3600, DAY = 86400 };

/* What the trace leaves empty is "". */
static struct history_row filled(struct history_row row)
{
    const char **texts[] = {&row.event,      &row.destination, &row.connector, &row.host,   &row.mx_trust,
                            &row.host_trust, &row.tlsa,        &row.sts_mode,  &row.demand, &row.tls,
                            &row.cause,      &row.code,        &row.text};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (*texts[i] == NULL)
            *texts[i] = "";
    row.destination = "a.example";
    row.last = NOW - row.last; /* told as an age */
    return row;
}

#define SENT .event = "Send"
static const struct {
    const char *name;
    struct history_row rows[3];
    struct history_waiting waiting;
    struct history_policy policy;
    struct history_report report;
    bool silent;
    const char *kind, *about; /* NULL: nothing */
} cases[] = {
    {"all is well", {{SENT, .host = "mx", .certificate_until = NOW + 60 * DAY}}, .kind = NULL},
    {"no engine", {{0}}, .silent = true, .kind = "engine", .about = ""},
    {"waits",
     {{0}},
     .waiting = {"a.example", "4.7.323", "x", 5, 3, NOW - 2 * HOUR, {0}},
     .kind = "late",
     .about = "a.example"},
    {"few wait", {{0}}, .waiting = {"a.example", "4.7.323", "x", 5, 2, NOW - 2 * HOUR, {0}}, .kind = NULL},
    {"fails", {{.event = "Defer", .code = "4.7.323"}}, .kind = "failing", .about = "a.example"},
    {"fails now", {{SENT, .last = 100}, {.event = "Defer", .last = 10}}, .kind = "failing", .about = "a.example"},
    {"has failed", {{SENT, .last = 10}, {.event = "Defer", .last = 100}}, .kind = NULL},
    {"a recipient nobody knows", {{.event = "Fail", .code = "5.1.1", .text = "550 5.1.1 no such user"}}, .kind = NULL},
    {"a server that refuses everybody",
     {{.event = "Fail", .code = "5.7.1", .text = "554 5.7.1 you are on a list", .count = 3},
      {.event = "Defer", .code = "4.7.1", .text = "450 4.7.1 later", .count = 2}},
     .kind = "failing",
     .about = "a.example"},
    {"a server that refuses some",
     {{SENT, .last = 10}, {.event = "Fail", .code = "5.7.1", .text = "554 5.7.1 spam", .last = 20, .count = 9}},
     .kind = NULL},
    {"a greylist does not hide a failure",
     {{.event = "Defer", .code = "4.7.1", .text = "450 4.7.1 later"},
      {.event = "Defer", .code = "4.4.316", .text = "Connection refused", .last = 60}},
     .kind = "failing",
     .about = "a.example"},
    {"a domain that never was", {{.event = "Fail", .code = "5.4.310"}}, .kind = NULL},
    {"a domain that is gone",
     {{SENT, .last = 100}, {.event = "Fail", .code = "5.4.310"}},
     .kind = "failing",
     .about = "a.example"},
    {"certificate", {{SENT, .host = "mx", .certificate_until = NOW + 13 * DAY}}, .kind = "certificate", .about = "mx"},
    {"certificate renewed meanwhile",
     {{SENT, .host = "mx", .last = 100, .certificate_until = NOW + DAY},
      {SENT, .host = "mx", .last = 10, .certificate_until = NOW + 90 * DAY}},
     .kind = NULL},
    {"signature", {{SENT, .host = "mx", .signed_until = NOW + HOUR}}, .kind = "signature", .about = "mx"},
    {"signature that lived long enough when it was seen",
     {{SENT, .host = "mx", .last = 5 * DAY, .signed_until = NOW}},
     .kind = NULL},
    {"policy", {{0}}, .policy = {"a.example", "404", NOW + DAY}, .kind = "policy", .about = "a.example"},
    {"report",
     {{0}},
     .report = {"Them", "b.example", "certificate-expired", "mx", 7, NOW},
     .kind = "report",
     .about = "b.example"},
};

static struct alerts find(struct arena *arena, size_t i)
{
    struct history *h = arena_alloc(arena, sizeof *h);
    h->now = NOW;
    for (size_t r = 0; r < COUNT(cases[i].rows) && cases[i].rows[r].event != NULL; r++)
        *ARENA_PUSH(arena, &h->rows) = filled(cases[i].rows[r]);
    if (cases[i].waiting.destination != NULL)
        *ARENA_PUSH(arena, &h->waiting) = cases[i].waiting;
    if (cases[i].policy.domain != NULL)
        *ARENA_PUSH(arena, &h->policies) = cases[i].policy;
    if (cases[i].report.domain != NULL)
        *ARENA_PUSH(arena, &h->reports) = cases[i].report;
    struct alert_facts facts = {h, {.late = 3, .signature = DAY, .certificate = 14 * DAY}, !cases[i].silent};
    return alerts_find(arena, &facts);
}

START_TEST(what_wants_looking_at_is_found)
{
    struct arena *arena = arena_new("test");
    struct alerts alerts = find(arena, (size_t)_i);
    ck_assert_msg(alerts.count == (cases[_i].kind != NULL), "%s: %zu alerts", cases[_i].name, alerts.count);
    if (alerts.count > 0) {
        ck_assert_str_eq(alerts.items[0].kind, cases[_i].kind);
        ck_assert_str_eq(alerts.items[0].about, cases[_i].about);
    }
    arena_free(&arena);
}
END_TEST

START_TEST(an_alert_is_told_once_until_it_is_over)
{
    char path[] = "/tmp/alert_test_XXXXXX";
    struct alert one = {"late", "a.example", "x"};
    struct alerts some = {&one, 1, 1}, none = {0};
    struct alert_age age;
    struct err err;
    close(mkstemp(path));
    ck_assert(alerts_told_read(path, NOW, &some, &age, &err) && !age.told && age.since == NOW);
    ck_assert(alerts_told_read(path, NOW + 1, &some, &age, &err) && !age.told && age.since == NOW);
    ck_assert(alerts_told_note(path, NOW + 1, &one, &err));
    ck_assert(alerts_told_read(path, NOW + 2, &some, &age, &err) && age.told && age.since == NOW);
    ck_assert(alerts_told_read(path, NOW + 3, &none, &age, &err));
    ck_assert(alerts_told_read(path, NOW + 4, &some, &age, &err) && !age.told && age.since == NOW + 4);
    int64_t today;
    ck_assert(alerts_told_today(path, NOW + DAY, &today, &err) && today == 1); /* also of what is over */
    ck_assert(alerts_told_today(path, NOW + 1 + DAY, &today, &err) && today == 0);
    unlink(path);
}
END_TEST

TEST_SUITE(alert)
{
    TEST_LOOP(what_wants_looking_at_is_found, COUNT(cases));
    TEST(an_alert_is_told_once_until_it_is_over);
}
