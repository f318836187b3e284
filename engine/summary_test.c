/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/summary.h"

#include <string.h>

#include "base/testing.h"

enum { NOW = 1000000 };

/* What the trace leaves empty is "". */
static struct history_row filled(struct history_row row)
{
    const char **texts[] = {&row.event,      &row.destination, &row.connector, &row.host,   &row.mx_trust,
                            &row.host_trust, &row.tlsa,        &row.sts_mode,  &row.demand, &row.tls,
                            &row.cause,      &row.code,        &row.text};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (*texts[i] == NULL)
            *texts[i] = "";
    if (row.destination[0] == '\0')
        row.destination = "a.example";
    row.count = row.count == 0 ? 1 : row.count;
    row.first = row.last = NOW;
    return row;
}

static struct history history_of(struct arena *arena, const struct history_row *rows, size_t count)
{
    struct history h = {.now = NOW};
    for (size_t i = 0; i < count && rows[i].event != NULL; i++)
        *ARENA_PUSH(arena, &h.rows) = filled(rows[i]);
    return h;
}

#define SENT .event = "Try", .tls = "TLSv1.3"
#define SECURE .mx_trust = "secure", .host_trust = "secure"

static const struct {
    const char *name;
    struct history_row rows[3];
    int64_t would, would_not, blocked, other, unknown;
    bool good;
    const char *code;
} cases[] = {
    {"by DANE", {{SENT, SECURE, .tlsa = "usable", .demand = "dane", .count = 4}}, 4, 0, 0, 0, 0, true, NULL},
    {"by both", {{SENT, SECURE, .tlsa = "usable", .demand = "dane+pkix"}}, 1, 0, 0, 0, 0, true, NULL},
    {"by a policy alone",
     {{SENT, SECURE, .tlsa = "absent", .demand = "pkix", .sts_mode = "enforce"}},
     0,
     1,
     0,
     0,
     0,
     false,
     "4.7.323"},
    {"no records", {{SENT, SECURE, .tlsa = "absent", .demand = "nothing"}}, 0, 1, 0, 0, 0, false, "4.7.323"},
    {"unusable records", {{SENT, SECURE, .tlsa = "unusable", .demand = "tls"}}, 0, 1, 0, 0, 0, false, "4.7.323"},
    {"unsigned", {{SENT, .mx_trust = "insecure", .tlsa = "not-asked"}}, 0, 1, 0, 0, 0, false, "4.7.323"},
    {"DANE behind an unsigned MX",
     {{SENT, .mx_trust = "insecure", .host_trust = "secure", .tlsa = "usable", .demand = "dane"}},
     0,
     1,
     0,
     0,
     0,
     false,
     "4.7.323"},
    {"bogus, taken all the same",
     {{SENT, .mx_trust = "overridden", .tlsa = "not-asked"}},
     0,
     1,
     0,
     0,
     0,
     false,
     "4.7.323"},
    {"nobody looked", {{SENT, SECURE, .tlsa = "not-asked", .demand = "nothing"}}, 0, 0, 0, 0, 1, false, NULL},
    {"blocked", {{.event = "Defer", .code = "4.7.323", .text = "x"}}, 0, 0, 1, 0, 0, false, "4.7.323"},
    {"bounced", {{.event = "Fail", .code = "5.7.321", .text = "x"}}, 0, 0, 1, 0, 0, false, "5.7.321"},
    {"refused", {{.event = "Defer", .code = "4.4.316"}}, 0, 0, 0, 1, 0, false, NULL},
    {"a host that was passed over says nothing by itself",
     {{.event = "Skip", .code = "4.7.324"}, {SENT, SECURE, .tlsa = "usable", .demand = "dane"}},
     1,
     0,
     0,
     0,
     0,
     true,
     NULL},
    {"one failure among many",
     {{SENT, SECURE, .tlsa = "usable", .demand = "dane", .count = 99}, {.event = "Defer", .code = "4.7.322"}},
     99,
     0,
     1,
     0,
     0,
     false,
     "4.7.322"},
};

START_TEST(mandatory_is_foretold)
{
    struct arena *arena = arena_new("test");
    struct history h = history_of(arena, cases[_i].rows, COUNT(cases[_i].rows));
    struct forecasts list = summary_forecasts(arena, &h);
    ck_assert_uint_eq(list.count, 1);
    const struct forecast *f = &list.items[0];
    ck_assert_msg(f->would == cases[_i].would && f->would_not == cases[_i].would_not &&
                      f->blocked == cases[_i].blocked && f->other == cases[_i].other && f->unknown == cases[_i].unknown,
                  "%s: %d %d %d %d %d", cases[_i].name, (int)f->would, (int)f->would_not, (int)f->blocked,
                  (int)f->other, (int)f->unknown);
    ck_assert_msg(forecast_is_good(f) == cases[_i].good, "%s", cases[_i].name);
    ck_assert_msg(f->code == cases[_i].code || strcmp(f->code, cases[_i].code) == 0, "%s: %s", cases[_i].name, f->code);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name;
    struct history_row row;
    const char *class;
} classes[] = {
    {"DANE", {.event = "Send", .demand = "dane", .tls = "TLSv1.3"}, "dane"},
    {"MTA-STS", {.event = "Send", .demand = "pkix", .tls = "TLSv1.3"}, "mta-sts"},
    {"TLS by chance", {.event = "Send", .demand = "nothing", .tls = "TLSv1.3"}, "tls"},
    {"TLS on demand", {.event = "Send", .demand = "tls", .tls = "TLSv1.3"}, "tls"},
    {"in the clear", {.event = "Send", .demand = "nothing"}, "none"},
    {"a session", {.event = "Try", .demand = "dane", .tls = "TLSv1.3"}, NULL},
    {"a host passed over", {.event = "Skip", .demand = "dane"}, NULL},
};

START_TEST(mail_is_sent_by_classes)
{
    struct history_row row = filled(classes[_i].row);
    const char *class = summary_class(&row);
    ck_assert_msg(class == classes[_i].class || strcmp(class, classes[_i].class) == 0, "%s: %s", classes[_i].name,
                  class);
}
END_TEST

static int64_t number(const json_t *all, const char *report, size_t row, const char *key)
{
    return json_integer_value(json_object_get(json_array_get(json_object_get(all, report), row), key));
}

START_TEST(reports_add_up)
{
    static const struct history_row rows[] = {
        {.event = "Send", .connector = "c", .demand = "dane", .tls = "TLSv1.3", .count = 5},
        {.event = "Send", .connector = "c", .demand = "nothing", .count = 2},
        {.event = "Defer", .code = "4.7.5", .text = "x", .count = 3},
        {.event = "Defer", .code = "4.4.316", .count = 7},
        {.event = "Fail", .code = "5.7.5", .text = "y", .count = 1},
    };
    struct arena *arena = arena_new("test");
    struct history h = history_of(arena, rows, COUNT(rows));
    *ARENA_PUSH(arena, &h.waiting) = (struct history_waiting){"a.example", "4.7.5", "x", 9, 4, NOW - 7200, {0}};
    *ARENA_PUSH(arena, &h.waiting) = (struct history_waiting){"b.example", "", "", 1, 0, NOW, {0}};
    json_t *all = summary_reports(arena, &h);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "queued")), 1);
    ck_assert_int_eq(number(all, "queued", 0, "recipients"), 4);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "blocked")), 2);
    ck_assert_int_eq(number(all, "blocked", 0, "count"), 3);
    ck_assert_int_eq(number(all, "sent", 0, "sent"), 5);
    ck_assert_int_eq(number(all, "sent", 3, "sent"), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "clear")), 1);
    ck_assert_int_eq(number(all, "clear", 0, "sent"), 2);
    ck_assert_int_eq(number(all, "connectors", 0, "sent"), 7);
    ck_assert_int_eq(number(all, "connectors", 0, "TLSv1.3"), 5);
    ck_assert_int_eq(number(all, "ndr", 0, "count"), 1);
    json_decref(all);
    arena_free(&arena);
}
END_TEST

START_TEST(the_queue_has_a_shape)
{
    struct arena *arena = arena_new("test");
    struct history h = {.now = NOW};
    *ARENA_PUSH(arena, &h.waiting) =
        (struct history_waiting){.destination = "a.example", .code = "", .reason = "", .count = 1};
    *ARENA_PUSH(arena, &h.waiting) = (struct history_waiting){
        .destination = "b.example", .code = "4.7.323", .reason = "x", .count = 9, .ages = {1, 0, 2, 0, 6}};
    json_t *rows = summary_queue(arena, &h), *first = json_array_get(rows, 0);
    ck_assert_str_eq(json_string_value(json_object_get(first, "destination")), "b.example");
    ck_assert_int_eq(json_integer_value(json_object_get(first, "4h")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(first, "longer")), 6);
    json_decref(rows);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(summary)
{
    TEST_LOOP(mandatory_is_foretold, COUNT(cases));
    TEST_LOOP(mail_is_sent_by_classes, COUNT(classes));
    TEST(reports_add_up);
    TEST(the_queue_has_a_shape);
}
