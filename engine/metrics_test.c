/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static char *printed(struct metrics *metrics)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ck_assert(out != NULL);
    metrics_print(metrics, out);
    fclose(out);
    return text;
}

static const struct policy_decision by_dane = {.demand = DEMAND_DANE}, by_nothing = {.demand = DEMAND_NOTHING};
static const struct tls_outcome tls = {.encrypted = true, .version = "TLSv1.3", .certificate_until = 1234567890};
static const struct host_facts facts = {.signed_until = 987654321};

static const struct {
    const char *name;
    struct trace_entry entry;
    const char *line; /* after two of it */
} cases[] = {
    {"by DANE",
     {.event = TRACE_SEND, .connector = "lab", .host = "mx", .decision = &by_dane, .tls = &tls},
     "\nmtalab_engine_sent_total{connector=\"lab\",protection=\"dane\"} 2\n"},
    {"in the clear",
     {.event = TRACE_SEND, .connector = "", .host = "mx", .decision = &by_nothing},
     "\nmtalab_engine_sent_total{connector=\"\",protection=\"none\"} 2\n"},
    {"a name that needs care",
     {.event = TRACE_SEND, .connector = "a\"b\\c\nd", .host = "mx", .decision = &by_nothing},
     "{connector=\"a\\\"b\\\\c\\nd\",protection=\"none\"} 2\n"},
    {"put off", {.event = TRACE_DEFER, .code = "4.7.323"}, "\nmtalab_engine_deferred_total{code=\"4.7.323\"} 2\n"},
    {"put off by a code of the peer's making",
     {.event = TRACE_DEFER, .code = "4.99.99"},
     "\nmtalab_engine_deferred_total{code=\"other\"} 2\n"},
    {"given up", {.event = TRACE_FAIL, .code = "5.7.5"}, "\nmtalab_engine_failed_total{code=\"5.7.5\"} 2\n"},
    {"certificate",
     {.event = TRACE_TRY, .host = "mx", .decision = &by_dane, .tls = &tls},
     "\nmtalab_engine_certificate_end_seconds{host=\"mx\"} 1234567890\n"},
    {"signature",
     {.event = TRACE_TRY, .host = "mx", .decision = &by_dane, .facts = &facts, .tls = &tls},
     "\nmtalab_engine_signature_end_seconds{host=\"mx\"} 987654321\n"},
};

static struct metrics *metrics_of(struct queue **queue, const struct clock *clock)
{
    struct err err;
    *queue = queue_open(":memory:", false, clock, &err);
    ck_assert(*queue != NULL);
    struct metrics *metrics = metrics_new(NULL, *queue, clock, NULL, &err);
    ck_assert(metrics != NULL);
    return metrics;
}

START_TEST(what_is_traced_is_counted)
{
    struct clock clock = {0};
    struct queue *queue;
    struct metrics *metrics = metrics_of(&queue, &clock);
    metrics_note(metrics, &cases[_i].entry);
    metrics_note(metrics, &cases[_i].entry);
    char *text = printed(metrics);
    ck_assert_msg(strstr(text, cases[_i].line) != NULL, "%s: %s", cases[_i].name, text);
    free(text);
    metrics_free(&metrics);
    queue_close(&queue);
}
END_TEST

START_TEST(series_are_bounded)
{
    struct clock clock = {0};
    struct queue *queue;
    struct metrics *metrics = metrics_of(&queue, &clock);
    for (int i = 0; i < METRICS_SERIES_MAX + 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        metrics_note(metrics, &(struct trace_entry){.event = TRACE_SEND, .connector = name, .decision = &by_nothing});
    }
    char *text = printed(metrics);
    ck_assert(strstr(text, "\nmtalab_engine_series_left_out_total 3\n") != NULL);
    free(text);
    metrics_free(&metrics);
    queue_close(&queue);
}
END_TEST

static const struct {
    const char *at;
    bool local;
} places[] = {
    {"127.0.0.1:9465", true},  {"[::1]:9465", true},       {"unix:/run/m", true}, {"0.0.0.0:9465", false},
    {"192.0.2.1:9465", false}, {"[2001:db8::1]:1", false}, {"unix:m", false},     {"", false},
};

START_TEST(only_this_machine_may_ask)
{
    struct err err;
    ck_assert_msg(metrics_address_is_local(places[_i].at, &err) == places[_i].local, "%s", places[_i].at);
}
END_TEST

TEST_SUITE(metrics)
{
    TEST_LOOP(what_is_traced_is_counted, COUNT(cases));
    TEST(series_are_bounded);
    TEST_LOOP(only_this_machine_may_ask, COUNT(places));
}
