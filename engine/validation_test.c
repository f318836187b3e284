/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/validation.h"

#include <string.h>

#include "base/testing.h"

#define REACHED .address = "192.0.2.1"
#define TLS .tls = {.encrypted = true, .version = "TLSv1.3", .cipher = "x"}

static const struct {
    const char *name;
    enum dane_mode dane;
    struct survey_visit visit;
    const char *statuses; /* of the tasks in their order: + succeeded, ! failed, - skipped */
} cases[] = {
    {"in the clear", DANE_OPPORTUNISTIC, {REACHED}, "+++----"},
    {"TLS", DANE_OPPORTUNISTIC, {REACHED, TLS}, "++++---"},
    {"DANE", DANE_OPPORTUNISTIC, {REACHED, .tls = {.encrypted = true, .dane_passed = true}}, "++++-+-"},
    {"MTA-STS", DANE_NONE, {REACHED, .tls = {.encrypted = true, .pkix_passed = true}}, "++++--+"},
    {"no address", DANE_OPPORTUNISTIC, {.failure = {.cause = CAUSE_HOST_UNRESOLVED}}, "!------"},
    {"addresses cannot be looked up",
     DANE_NONE,
     {.failure = {.cause = CAUSE_HOST_SKIPPED, .reason = REASON_DNS_FAILED}},
     "!------"},
    {"refused", DANE_OPPORTUNISTIC, {REACHED, .failure = {.cause = CAUSE_CONNECT_REFUSED}}, "+!-----"},
    {"a bad greeting", DANE_OPPORTUNISTIC, {REACHED, .failure = {.cause = CAUSE_GREETING_5XX}}, "++!----"},
    {"lost", DANE_OPPORTUNISTIC, {REACHED, .failure = {.cause = CAUSE_LOST}}, "++!----"},
    {"handshake fails", DANE_OPPORTUNISTIC, {REACHED, .failure = {.cause = CAUSE_HANDSHAKE_FAILED}}, "+++!---"},
    {"no STARTTLS though DANE demands it",
     DANE_OPPORTUNISTIC,
     {REACHED, .failure = {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_STARTTLS_NOT_SUPPORTED}},
     "+++!---"},
    {"no STARTTLS though a policy demands it",
     DANE_NONE,
     {REACHED, .failure = {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_STS_CERTIFICATE}},
     "+++!---"},
    {"mismatch",
     DANE_OPPORTUNISTIC,
     {REACHED, TLS, .failure = {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_TLSA_INVALID}},
     "++++-!-"},
    {"mandatory, no records",
     DANE_MANDATORY,
     {.failure = {.cause = CAUSE_HOST_SKIPPED, .reason = REASON_DANE_REQUIRED}},
     "+----!-"},
    {"not listed", DANE_NONE, {.failure = {.cause = CAUSE_HOST_SKIPPED, .reason = REASON_STS_MX_MISMATCH}}, "+-----!"},
    {"the certificate fails the policy",
     DANE_NONE,
     {REACHED, TLS, .failure = {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_STS_CERTIFICATE}},
     "++++--!"},
    {"the certificate fails the connector",
     DANE_NONE,
     {REACHED, TLS, .failure = {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_CONNECTOR_CERTIFICATE}},
     "++++!--"},
};

START_TEST(tasks_say_how_far_it_went)
{
    static const char marks[] = {[TASK_SUCCEEDED] = '+', [TASK_FAILED] = '!', [TASK_SKIPPED] = '-'};
    struct arena *arena = arena_new("test");
    struct mx_facts mx = {.trust = TRUST_SECURE};
    struct host_facts facts = {.trust = TRUST_SECURE, .tlsa = TLSA_ABSENT};
    struct sts_facts sts = {.mode = STS_ENFORCE, .id = "1"};
    struct survey survey = {.hop = "example", .mx = &mx, .sts = &sts, .setting = {.dane = cases[_i].dane}};
    struct survey_visit visit = cases[_i].visit;
    struct task tasks[VALIDATION_TASKS];
    char got[VALIDATION_TASKS + 1] = "";
    visit.facts = &facts;
    validation_of(arena, &survey, &visit, tasks);
    for (size_t i = 0; i < VALIDATION_TASKS; i++)
        got[i] = marks[tasks[i].status];
    ck_assert_msg(strcmp(got, cases[_i].statuses) == 0, "%s: %s", cases[_i].name, got);
    ck_assert(validation_passed(tasks) == (strchr(got, '!') == NULL));
    arena_free(&arena);
}
END_TEST

TEST_SUITE(validation)
{
    TEST_LOOP(tasks_say_how_far_it_went, COUNT(cases));
}
