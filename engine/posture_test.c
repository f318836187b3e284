/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/posture.h"

#include <string.h>

#include "base/testing.h"

enum { NOW = 1000000000, DAY = 86400 };

/* A domain of one or two hosts, as one row says: all else is in order. */
struct world {
    enum dns_trust mx, host;
    enum tlsa_state tlsa;
    enum cause cause[2]; /* of each host's session */
    enum policy_reason reason;
    size_t hosts;
    int64_t signed_for, certificate_for; /* seconds; 0: unsigned, no certificate */
    bool pkix_fails;
    struct sts_facts policy;
};

static const char *const listed[] = {"mx1.example"};

static struct survey *survey_of(struct arena *arena, const struct world *w, bool by_dane)
{
    static const char *const names[] = {"mx1.example", "mx2.example"};
    struct survey *survey = arena_alloc(arena, sizeof *survey);
    struct mx_host *hosts = arena_alloc(arena, 2 * sizeof *hosts);
    struct mx_facts *mx = arena_alloc(arena, sizeof *mx);
    size_t count = w->hosts > 0 ? w->hosts : 1;
    *mx = (struct mx_facts){.state = MX_FOUND, .trust = w->mx, .hosts = hosts, .host_count = count};
    mx->signed_until = w->signed_for != 0 ? NOW + w->signed_for : 0;
    *survey = (struct survey){.hop = "example", .mx = mx, .visit_count = count};
    survey->visits = arena_alloc(arena, 2 * sizeof *survey->visits);
    for (size_t i = 0; i < count; i++) {
        struct host_facts *facts = arena_alloc(arena, sizeof *facts);
        hosts[i].name = names[i];
        *facts = (struct host_facts){.name = names[i], .trust = w->host, .address_count = 1, .tlsa = w->tlsa};
        survey->visits[i] = (struct survey_visit){
            .name = names[i],
            .facts = facts,
            .decision = {.demand = by_dane && w->tlsa == TLSA_USABLE ? DEMAND_DANE : DEMAND_NOTHING, .clause = "c"},
            .failure = {.cause = w->cause[i], .reason = w->cause[i] != CAUSE_NONE ? w->reason : REASON_NONE},
            .tls = {.encrypted = true, .version = "TLSv1.3", .pkix_passed = !w->pkix_fails}};
        survey->visits[i].tls.certificate_until = w->certificate_for != 0 ? NOW + w->certificate_for : 0;
        if (w->pkix_fails)
            survey->visits[i].tls.pkix_failure = "certificate-expired";
    }
    return survey;
}

static struct posture posture_of(struct arena *arena, const struct world *w)
{
    struct posture posture = {.domain = "example", .now = NOW, .fresh = &w->policy};
    posture.modes[DANE_OPPORTUNISTIC][MTA_STS_NONE] = survey_of(arena, w, true);
    posture.modes[DANE_NONE][MTA_STS_OPPORTUNISTIC] = survey_of(arena, w, false);
    return posture;
}

#define SIGNED .mx = TRUST_SECURE, .host = TRUST_SECURE
#define NO_POLICY .policy = {.why = "none"}
#define POLICY(m, life)                                                                                                \
    .policy = {.mode = m, .id = "1", .mx = listed, .mx_count = 1, .fetched_at = NOW, .expires_at = NOW + (life)}

static const struct {
    const char *name;
    struct world world;
    enum grade grade;
    const char *about, *host, *code;
} cases[] = {
    {"signed", {SIGNED, NO_POLICY}, GRADE_FINE, "mx", NULL, NULL},
    {"unsigned", {.mx = TRUST_INSECURE, .host = TRUST_INSECURE, NO_POLICY}, GRADE_NOTE, "mx", NULL, NULL},
    {"host in an unsigned zone",
     {.mx = TRUST_SECURE, .host = TRUST_INSECURE, NO_POLICY},
     GRADE_NOTE,
     "address",
     "mx1.example",
     NULL},
    {"no TLSA", {SIGNED, .tlsa = TLSA_ABSENT, NO_POLICY}, GRADE_NOTE, "tlsa", "mx1.example", NULL},
    {"unsigned TLSA", {SIGNED, .tlsa = TLSA_INSECURE, NO_POLICY}, GRADE_NOTE, "tlsa", "mx1.example", NULL},
    {"unusable TLSA", {SIGNED, .tlsa = TLSA_UNUSABLE, NO_POLICY}, GRADE_WARN, "tlsa", "mx1.example", NULL},
    {"TLSA lookup fails",
     {SIGNED, .tlsa = TLSA_LOOKUP_FAILED, .cause = {CAUSE_HOST_SKIPPED}, .reason = REASON_DNSSEC_INVALID, NO_POLICY},
     GRADE_FAIL,
     "tlsa",
     NULL,
     "4.7.324"},
    {"authenticated", {SIGNED, .tlsa = TLSA_USABLE, NO_POLICY}, GRADE_FINE, "dane", "mx1.example", NULL},
    {"mismatch",
     {SIGNED, .tlsa = TLSA_USABLE, .cause = {CAUSE_DEMAND_UNMET}, .reason = REASON_TLSA_INVALID, NO_POLICY},
     GRADE_FAIL,
     "dane",
     NULL,
     "4.7.323"},
    {"no STARTTLS although TLSA",
     {SIGNED, .tlsa = TLSA_USABLE, .cause = {CAUSE_DEMAND_UNMET}, .reason = REASON_STARTTLS_NOT_SUPPORTED, NO_POLICY},
     GRADE_FAIL,
     "dane",
     NULL,
     "4.7.321"},
    {"expired under DANE-TA",
     {SIGNED, .tlsa = TLSA_USABLE, .cause = {CAUSE_DEMAND_UNMET}, .reason = REASON_CERTIFICATE_EXPIRED, NO_POLICY},
     GRADE_FAIL,
     "dane",
     NULL,
     "4.7.322"},
    {"dead host", {SIGNED, .cause = {CAUSE_CONNECT_REFUSED}, NO_POLICY}, GRADE_FAIL, "session", NULL, "4.4.316"},
    {"signature ends in a day", {SIGNED, .signed_for = DAY, NO_POLICY}, GRADE_WARN, "signatures", NULL, NULL},
    {"signature ends in a month", {SIGNED, .signed_for = 30 * DAY, NO_POLICY}, GRADE_FINE, "signatures", NULL, NULL},
    {"certificate ends soon",
     {SIGNED, .certificate_for = 13 * DAY, NO_POLICY},
     GRADE_WARN,
     "certificate",
     "mx1.example",
     NULL},
    {"certificate has ended",
     {SIGNED, .certificate_for = -DAY, NO_POLICY},
     GRADE_WARN,
     "certificate",
     "mx1.example",
     NULL},
    {"certificate lives",
     {SIGNED, .certificate_for = 60 * DAY, NO_POLICY},
     GRADE_FINE,
     "certificate",
     "mx1.example",
     NULL},
    {"no policy", {SIGNED, NO_POLICY}, GRADE_NOTE, "mta-sts", NULL, NULL},
    {"policy that cannot be had",
     {SIGNED, .policy = {.failure = "sts-policy-fetch-error", .why = "404"}},
     GRADE_FAIL,
     "mta-sts",
     NULL,
     NULL},
    {"policy passes", {SIGNED, POLICY(STS_ENFORCE, 30 * DAY)}, GRADE_FINE, "mta-sts", "mx1.example", NULL},
    {"soon forgotten", {SIGNED, POLICY(STS_ENFORCE, DAY)}, GRADE_WARN, "mta-sts", NULL, NULL},
    {"host not listed",
     {SIGNED, .hosts = 2, POLICY(STS_ENFORCE, 30 * DAY)},
     GRADE_FAIL,
     "mta-sts",
     "mx2.example",
     "4.4.8"},
    {"host not listed, testing",
     {SIGNED, .hosts = 2, POLICY(STS_TESTING, 30 * DAY)},
     GRADE_WARN,
     "mta-sts",
     "mx2.example",
     "4.4.8"},
    {"certificate fails the policy",
     {SIGNED, .pkix_fails = true, POLICY(STS_ENFORCE, 30 * DAY)},
     GRADE_FAIL,
     "mta-sts",
     "mx1.example",
     "4.7.5"},
};

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

START_TEST(what_is_wrong_is_found)
{
    struct arena *arena = arena_new("test");
    struct posture posture = posture_of(arena, &cases[_i].world);
    struct findings findings = posture_findings(arena, &posture);
    bool found = false;
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *f = &findings.items[i];
        found |= f->grade == cases[_i].grade && strcmp(f->about, cases[_i].about) == 0 &&
                 same(f->code, cases[_i].code) && (cases[_i].host == NULL || same(f->host, cases[_i].host));
    }
    ck_assert_msg(found, "%s: no such finding among %zu", cases[_i].name, findings.count);
    ck_assert_msg((posture_worst(&findings) == GRADE_FAIL) == (cases[_i].grade == GRADE_FAIL), "%s: the verdict is %s",
                  cases[_i].name, grade_words[posture_worst(&findings)]);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name;
    struct world world;
    enum prospect prospect;
    const char *by, *code;
} outlooks[] = {
    {"the first host takes it", {.hosts = 2}, PROSPECT_DELIVERED, "mx1.example", NULL},
    {"the second does", {.hosts = 2, .cause = {CAUSE_CONNECT_REFUSED}}, PROSPECT_DELIVERED, "mx2.example", NULL},
    {"neither: what security forbade is told",
     {.hosts = 2, .cause = {CAUSE_DEMAND_UNMET, CAUSE_CONNECT_REFUSED}, .reason = REASON_TLSA_INVALID},
     PROSPECT_WAITS,
     NULL,
     "4.7.323"},
};

START_TEST(a_message_has_its_prospect)
{
    struct arena *arena = arena_new("test");
    struct outlook outlook = posture_outlook(arena, survey_of(arena, &outlooks[_i].world, true));
    ck_assert_msg(outlook.prospect == outlooks[_i].prospect, "%s: %s", outlooks[_i].name,
                  prospect_words[outlook.prospect]);
    ck_assert_msg(same(outlook.by != NULL ? outlook.by->name : NULL, outlooks[_i].by), "%s", outlooks[_i].name);
    ck_assert_msg(same(outlook.status.code, outlooks[_i].code), "%s: %s", outlooks[_i].name, outlook.status.code);
    arena_free(&arena);
}
END_TEST

static const struct {
    enum cause cause;
    enum prospect prospect;
} ends[] = {
    {CAUSE_NO_DOMAIN, PROSPECT_BOUNCES},
    {CAUSE_NULL_MX, PROSPECT_BOUNCES},
    {CAUSE_DNS_FAILED, PROSPECT_WAITS},
    {CAUSE_INSECURE_DENIAL, PROSPECT_WAITS},
};

START_TEST(without_hosts_it_is_the_destination_that_decides)
{
    struct arena *arena = arena_new("test");
    struct survey *survey = survey_of(arena, &(struct world){0}, true);
    survey->no_host.cause = ends[_i].cause;
    ck_assert_int_eq(posture_outlook(arena, survey).prospect, ends[_i].prospect);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(posture)
{
    TEST_LOOP(what_is_wrong_is_found, COUNT(cases));
    TEST_LOOP(a_message_has_its_prospect, COUNT(outlooks));
    TEST_LOOP(without_hosts_it_is_the_destination_that_decides, COUNT(ends));
}
