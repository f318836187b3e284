/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/gate.h"

#include <string.h>

#include "base/testing.h"

enum { DAY = 86400, NOW = 100 * DAY };

#define CONNECTOR(...)                                                                                                 \
    {                                                                                                                  \
        .enabled = true, .name = "c", __VA_ARGS__                                                                      \
    }
#define DOMAINS(...) .recipient_domains = {.items = (const char *[]){__VA_ARGS__}, .count = 1}
#define MANDATORY .dane = DANE_MANDATORY
#define SMART_HOST(...) .smart_hosts = {.items = (const char *[]){__VA_ARGS__}, .count = 1}

static const struct {
    const char *name;
    struct connector before, now;
    bool concerned;
} changes[] = {
    {"mandatory now", CONNECTOR(), CONNECTOR(MANDATORY), true},
    {"mandatory for long", CONNECTOR(MANDATORY), CONNECTOR(MANDATORY), false},
    {"no longer", CONNECTOR(MANDATORY), CONNECTOR(), false},
    {"never", CONNECTOR(), CONNECTOR(), false},
    {"out of test mode", CONNECTOR(MANDATORY, .test_mode = true), CONNECTOR(MANDATORY), true},
    {"into test mode", CONNECTOR(), CONNECTOR(MANDATORY, .test_mode = true), false},
    {"enabled", {.dane = DANE_MANDATORY}, CONNECTOR(MANDATORY), true},
    {"prepared", CONNECTOR(), {.dane = DANE_MANDATORY}, false},
    {"one more domain", CONNECTOR(MANDATORY, DOMAINS("a.example")), CONNECTOR(MANDATORY, DOMAINS("b.example")), true},
    {"the way back from the fallback", CONNECTOR(MANDATORY, .fallback_on = true), CONNECTOR(MANDATORY), false},
    {"by a smart host", CONNECTOR(MANDATORY), CONNECTOR(MANDATORY, SMART_HOST("gw.example")), true},
};

START_TEST(a_change_concerns_the_gate)
{
    ck_assert_msg(gate_concerns(&changes[_i].before, &changes[_i].now) == changes[_i].concerned, "%s",
                  changes[_i].name);
}
END_TEST

START_TEST(a_new_connector_concerns_the_gate)
{
    static const struct connector mandatory = CONNECTOR(MANDATORY), other = CONNECTOR();
    ck_assert(gate_concerns(NULL, &mandatory) && !gate_concerns(NULL, &other));
}
END_TEST

#define FACTS .host = "", .sts_mode = "", .tls = "TLSv1.3", .text = ""
#define BY_DANE                                                                                                        \
    FACTS, .event = "Try", .mx_trust = "secure", .host_trust = "secure", .tlsa = "usable", .demand = "dane",           \
           .cause = "", .code = ""
#define BLOCKED                                                                                                        \
    FACTS, .event = "Defer", .mx_trust = "", .host_trust = "", .tlsa = "", .demand = "", .cause = "", .code = "4.7.323"
#define DAYS_AGO(days) .count = 1, .first = NOW - (days)*DAY, .last = NOW

static const struct {
    const char *name;
    struct connector connector;
    struct history_row rows[2]; /* sorted by destination */
    size_t count;
    const char *why[3]; /* of each row of the gate, a part; "": open; NULL: there is none */
} pasts[] = {
    {"nothing was sent", CONNECTOR(DOMAINS("a.example")), {{0}}, 0, {"no mail went there"}},
    {"by DANE for long",
     CONNECTOR(DOMAINS("a.example")),
     {{BY_DANE, .destination = "a.example", .connector = "c", DAYS_AGO(14)}},
     1,
     {""}},
    {"by DANE for a short time",
     CONNECTOR(DOMAINS("a.example")),
     {{BY_DANE, .destination = "a.example", .connector = "c", DAYS_AGO(3)}},
     1,
     {"watched for 3 of 14 days"}},
    {"once not",
     CONNECTOR(DOMAINS("a.example")),
     {{BY_DANE, .destination = "a.example", .connector = "c", DAYS_AGO(14)},
      {BLOCKED, .destination = "a.example", .connector = "c", DAYS_AGO(1)}},
     2,
     {"1 of 2 attempts would not have done: 4.7.323"}},
    {"what a wildcard covers",
     CONNECTOR(DOMAINS("*.a.example")),
     {{BY_DANE, .destination = "x.a.example", .connector = "", DAYS_AGO(14)}},
     1,
     {""}},
    {"what others cover",
     CONNECTOR(DOMAINS("a.example")),
     {{BY_DANE, .destination = "b.example", .connector = "d", DAYS_AGO(14)}},
     1,
     {"no mail went there"}},
    {"what went by it",
     CONNECTOR(DOMAINS("*.a.example")),
     {{BLOCKED, .destination = "b.example", .connector = "C", DAYS_AGO(14)}},
     1,
     {"1 of 1 attempts"}},
    {"a smart host has no past",
     CONNECTOR(DOMAINS("*"), SMART_HOST("gw.example")),
     {{BY_DANE, .destination = "b.example", .connector = "c", DAYS_AGO(14)}},
     1,
     {"", ""}},
};

START_TEST(the_past_opens_the_gate)
{
    struct arena *arena = arena_new("test");
    const struct routing routing = {.connectors = &pasts[_i].connector, .connector_count = 1};
    struct history history = {.now = NOW};
    for (size_t i = 0; i < pasts[_i].count; i++)
        *ARENA_PUSH(arena, &history.rows) = pasts[_i].rows[i];
    struct gate_question question = {&routing, routing.connectors, &history, 14};
    struct gate_rows rows = gate_past(arena, &question);
    for (size_t i = 0; i < rows.count; i++) {
        const char *why = rows.items[i].why != NULL ? rows.items[i].why : "";
        ck_assert_msg(pasts[_i].why[i] != NULL && (*pasts[_i].why[i] != '\0') == (*why != '\0') &&
                          strstr(why, pasts[_i].why[i]) != NULL,
                      "%s: %s: '%s'", pasts[_i].name, rows.items[i].destination, why);
    }
    ck_assert_ptr_null(pasts[_i].why[rows.count]);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(gate)
{
    TEST_LOOP(a_change_concerns_the_gate, COUNT(changes));
    TEST(a_new_connector_concerns_the_gate);
    TEST_LOOP(the_past_opens_the_gate, COUNT(pasts));
}
