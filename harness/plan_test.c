/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"
#include "harness/expect.h"

/* --- the rule: who must meet a defect -------------------------------------------------------------------------- */

enum { D = HIT_DEFAULT, M = HIT_MUST, MAY = HIT_MAY, N = HIT_NEVER };

/* clang-format off */
static const struct {
    const char *name;
    struct plan_defect defect;
    const char *evidence;         /* a line about the host, "no " in front; NULL: none */
    int faults;                   /* of the expectation */
    int rule[MODE_COUNT];         /* none/none, none/opp, opp/none, opp/opp, mandatory/none, mandatory/opp */
} rules[] = {
    {"DNS on the way",            {.mechanism = MECHANISM_DNS},   NULL, D, {M, M, M, M, M, M}},
    {"DNS beside the way",        {.mechanism = MECHANISM_DNS, .aside = true},                NULL, D, {MAY, MAY,
     MAY, MAY, MAY, MAY}},
    {"TLSA of the first host",    {.mechanism = MECHANISM_TLSA},  NULL, D, {N, N, M, M, M, M}},
    {"TLSA of an insecure host",  {.mechanism = MECHANISM_TLSA, .aside = true},               NULL, D, {N, N, MAY,
     MAY, MAY, MAY}},
    {"TLSA is asked for before connecting", {.mechanism = MECHANISM_TLSA}, "no connect", D, {N, N, M, M, M, M}},
    {"policy",                    {.mechanism = MECHANISM_STS},   NULL, D, {N, M, N, M, N, MAY}},
    {"policy beside DANE",        {.mechanism = MECHANISM_STS, .under_dane = true}, NULL, D, {N, M, N, MAY, N, MAY}},
    {"policy behind a worse one", {.mechanism = MECHANISM_STS, .aside = true},                NULL, D, {N, MAY, N,
     MAY, N, MAY}},
    {"dialogue, nothing said",    {.mechanism = MECHANISM_SMTP},  NULL, D, {MAY, MAY, MAY, MAY, MAY, MAY}},
    {"dialogue, connect",         {.mechanism = MECHANISM_SMTP},  "connect", D, {M, M, M, M, M, M}},
    {"dialogue, no mail-from",    {.mechanism = MECHANISM_SMTP},  "no mail-from", D, {MAY, MAY, MAY, MAY, MAY, MAY}},
    {"dialogue, no connect",      {.mechanism = MECHANISM_SMTP},  "no connect", D, {N, N, N, N, N, N}},
    {"certificate, starttls",     {.mechanism = MECHANISM_CERTIFICATE}, "starttls", D, {M, M, M, M, M, M}},
    {"said of the fault",         {.mechanism = MECHANISM_TLSA, .hit = HIT_MAY}, NULL, D, {MAY, MAY, MAY, MAY, MAY,
     MAY}},
    {"said of the mode",          {.mechanism = MECHANISM_TLSA, .hit = HIT_MAY}, NULL, M, {M, M, M, M, M, M}},
};
/* clang-format on */

START_TEST(the_rule_follows_mechanism_and_mode)
{
    struct plan_defect defect = rules[_i].defect;
    struct expect_line line = {.host = "mx1.partner.example"};
    struct expectation expectation = {.modes = MODES_ALL, .hit = rules[_i].faults, .lines = &line};
    defect.host = "mx1.partner.example";
    if (rules[_i].evidence != NULL) {
        line.forbidden = strncmp(rules[_i].evidence, "no ", 3) == 0;
        line.row = expect_find(EXPECT_HOST, rules[_i].evidence + (line.forbidden ? 3 : 0));
        expectation.line_count = 1;
    }
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        ck_assert_msg(plan_hit_rule(&defect, mode, &expectation) == rules[_i].rule[mode], "%s, %s: %d", rules[_i].name,
                      mode_text(mode), plan_hit_rule(&defect, mode, &expectation));
}
END_TEST

/* --- worlds made concrete -------------------------------------------------------------------------------------- */

static struct corpus *corpus;
static struct plan_pki *pki;
static const struct clock now;

static struct plan *build(const char *world, enum plan_net net)
{
    struct err err = {0};
    struct arena *arena = arena_new("test");
    char *text =
        arena_printf(arena, "says: x\nworld:\n%ssend: {to: a@partner.example}\nexpect: {message: delivered}\n", world);
    corpus = corpus_read_text(NULL, "t", text, strlen(text));
    if (diag_count(corpus->diags) > 0)
        diag_print(corpus->diags, stderr);
    ck_assert_uint_eq(corpus->count, 1);
    pki = plan_pki_new(&now, &err);
    const struct scenario *scenario = corpus->items[0];
    struct plan *plan = plan_build(scenario, scenario->steps[0].world, net, pki, &now, corpus->diags, &err);
    arena_free(&arena);
    return plan;
}

static void done(struct plan **plan)
{
    plan_free(plan);
    plan_pki_free(&pki);
    corpus_free(&corpus);
}

static const char *records_of(const struct plan *plan, const char *zone)
{
    for (size_t i = 0; i < plan->dns.zone_count; i++)
        if (strcmp(plan->dns.zones[i].name, zone) == 0)
            return plan->dns.zones[i].records != NULL ? plan->dns.zones[i].records : "";
    return NULL;
}

#define MX "  partner.example: {mx: [mx1.partner.example]}\n"

/* clang-format off */
static const struct { const char *name, *world, *zone, *has, *has_not; } records[] = {
    {"host by name", MX "  mx1.partner.example: {}\n", "partner.example", "mx1.partner.example. A 198.18.1.1\n",
     "TLSA"},
    {"preferences", "  partner.example: {mx: [mx1.partner.example, 5 mx2.partner.example]}\n"
     "  mx1.partner.example: {}\n  mx2.partner.example: {}\n",
     "partner.example", "MX 5 mx2.partner.example.\n", "MX 20"},
    {"null MX", "  partner.example: {mx: null}\n", "partner.example", "partner.example. MX 0 .\n", " A "},
    {"domain with MX has no address", MX "  mx1.partner.example: {}\n", "partner.example", "MX 10",
     "\npartner.example. A"},
    {"domain as its own host", "  partner.example: {address: v4, tlsa: [3 1 1]}\n", "partner.example",
     "_25._tcp.partner.example. TLSA 3 1 1 ", "MX"},
    {"IPv6", MX "  mx1.partner.example: {address: v6}\n", "partner.example",
     "mx1.partner.example. AAAA 2001:db8:0:25::1\n", " A "},
    {"dead address", MX "  mx1.partner.example: {address: [dead-v6, v4]}\n", "partner.example",
     "AAAA 2001:db8:0:25::1\n", NULL},
    {"no address", MX "  mx1.partner.example: {address: none}\n", "partner.example", "MX 10", " A "},
    {"alias", MX "  mx1.partner.example: {cname: mx.provider.example}\n  mx.provider.example: {}\n",
     "partner.example", "mx1.partner.example. CNAME mx.provider.example.\n", " A "},
    {"alias, its end", MX "  mx1.partner.example: {cname: mx.provider.example}\n"
     "  mx.provider.example: {address: v4}\n", "provider.example", "mx.provider.example. A ", "CNAME"},
    {"records without data", MX "  mx1.partner.example: {tlsa: [3 1 1 nothing]}\n", "partner.example",
     "TLSA \\# 3 030101\n", NULL},
    {"records of just these bytes", MX "  mx1.partner.example: {tlsa: [200 9 8 00FF]}\n", "partner.example",
     "TLSA 200 9 8 00FF\n", NULL},
    {"text in quotes", "  partner.example: {txt: ['a \"b\" \\']}\n", "partner.example",
     "TXT \"a \\\"b\\\" \\\\\"\n", NULL},
    {"policy announced", "  partner.example: {mx: null, mta-sts: {mode: enforce, id: abc}}\n", "partner.example",
     "_mta-sts.partner.example. TXT \"v=STSv1; id=abc;\"\n", NULL},
    {"policy host", "  partner.example: {mx: null, mta-sts: enforce}\n", "partner.example",
     "mta-sts.partner.example. A 198.18.2.1\n", NULL},
    {"policy not announced", "  partner.example: {mx: null, mta-sts: {mode: enforce, txt: none}}\n",
     "partner.example", "mta-sts.partner.example. A ", "TXT"},
    {"TLSA in a zone of its own", MX "  mx1.partner.example: {tlsa: [3 1 1]}\n"
     "  _tcp.mx1.partner.example: {dnssec: unsigned}\n", "_tcp.mx1.partner.example",
     "_25._tcp.mx1.partner.example. TLSA 3 1 1", " A "},
    {"raw records", MX "  mx1.partner.example:\n    records: |\n      www A ${v4 of mx1.partner.example}\n",
     "partner.example", "$ORIGIN mx1.partner.example.\nwww A 198.18.1.1\n", NULL},
    {"raw records of another key",
     MX "  mx1.partner.example:\n    records: |\n"
     "      _25._tcp TLSA ${tlsa 3 1 1 of other-key of mx1.partner.example}\n",
     "partner.example", "_25._tcp TLSA 3 1 1 ", "$ORIGIN other-key"},
    {"the sender's own", MX "  mx1.partner.example: {}\n", "sender.example",
     "_25._tcp.mx.sender.example. TLSA 3 1 1", NULL},
    {"zone above the sender's", MX "  mx1.partner.example: {}\n", "example", "", "A"},
    {"zone of an undeclared domain", MX "  mx1.partner.example: {}\n  mx.provider.example: {}\n",
     "provider.example", "mx.provider.example. A", NULL},
};
/* clang-format on */

START_TEST(a_world_becomes_records)
{
    struct plan *plan = build(records[_i].world, PLAN_NET_LAB);
    ck_assert_msg(plan != NULL, "%s: no plan", records[_i].name);
    const char *text = records_of(plan, records[_i].zone);
    ck_assert_msg(text != NULL, "%s: no zone", records[_i].name);
    ck_assert_msg(strstr(text, records[_i].has) != NULL, "%s: %s", records[_i].name, text);
    ck_assert_msg(records[_i].has_not == NULL || strstr(text, records[_i].has_not) == NULL, "%s: %s", records[_i].name,
                  text);
    done(&plan);
}
END_TEST

/* clang-format off */
static const struct { const char *name, *world, *id; bool met, visible; } defects[] = {
    {"matching record",        MX "  mx1.partner.example: {tlsa: [3 1 1]}\n", NULL, false, false},
    {"record of the root",     MX "  mx1.partner.example: {tlsa: [2 1 1 of root], certificate: with-root}\n", NULL,
     false, false},
    {"root that is not shown", MX "  mx1.partner.example: {tlsa: [2 1 1 of root]}\n", "mx1.partner.example:tlsa",
     true, true},
    {"whole root, not shown",  MX "  mx1.partner.example: {tlsa: [2 0 0 of root]}\n", NULL, false, false},
    {"other key",              MX "  mx1.partner.example: {tlsa: [3 1 1 of other-key]}\n",
     "mx1.partner.example:tlsa", true, true},
    {"renewed certificate",    MX "  mx1.partner.example: {tlsa: [3 0 1 of renewed]}\n", "mx1.partner.example:tlsa",
     true, true},
    {"renewed, same key",      MX "  mx1.partner.example: {tlsa: [3 1 1 of renewed]}\n", NULL, false, false},
    {"PKIX usage",             MX "  mx1.partner.example: {tlsa: [1 1 1]}\n", "mx1.partner.example:tlsa", true, true},
    {"mismatch in an unsigned zone", "  partner.example: {mx: [mx1.partner.example], dnssec: unsigned}\n"
     "  mx1.partner.example: {tlsa: [3 1 1 of other-key]}\n", "mx1.partner.example:tlsa", false, true},
    {"mismatch behind an unsigned MX", "  partner.example: {mx: [mx.provider.example], dnssec: unsigned}\n"
     "  mx.provider.example: {tlsa: [3 1 1 of other-key]}\n", "mx.provider.example:tlsa", false, true},
    {"expired",                MX "  mx1.partner.example: {certificate: expired}\n",
     "mx1.partner.example:certificate", true, true},
    {"no certificate",         MX "  mx1.partner.example: {certificate: none}\n", NULL, false, false},
    {"refused connections",    MX "  mx1.partner.example: {smtp: {tcp: refuse}}\n", "mx1.partner.example:tcp", true,
     false},
    {"no STARTTLS",            MX "  mx1.partner.example: {smtp: {starttls: hidden}}\n",
     "mx1.partner.example:starttls", true, true},
    {"answer of a step",       MX "  mx1.partner.example: {smtp: {end-of-data: 451 later}}\n",
     "mx1.partner.example:end-of-data", true, true},
    {"DNS of the MX record",
     "  partner.example: {mx: [mx1.partner.example], dns: [{fault: servfail, type: MX}]}\n"
     "  mx1.partner.example: {}\n", "partner.example:dns-servfail-MX-0", true, true},
    {"DNS of TLSA",            MX "  mx1.partner.example: {dns: [{fault: servfail, type: TLSA}]}\n",
     "_25._tcp.mx1.partner.example:dns-servfail-TLSA-0", true, true},
    {"DNS of AAAA",            MX "  mx1.partner.example: {dns: [{fault: servfail, type: AAAA}]}\n",
     "mx1.partner.example:dns-servfail-AAAA-0", false, true},
    {"DNS later",              MX "  mx1.partner.example: {dns: [{fault: servfail, type: A, nth: 2}]}\n",
     "mx1.partner.example:dns-servfail-A-0", false, true},
    {"announcement",           "  partner.example: {mx: null, mta-sts: {mode: enforce, txt: [nonsense]}}\n",
     "partner.example:mta-sts-txt", true, true},
    {"policy host's certificate", "  partner.example: {mx: null, mta-sts: enforce}\n"
     "  mta-sts.partner.example: {certificate: expired}\n", "mta-sts.partner.example:certificate", true, true},
    {"status of the policy",   "  partner.example: {mx: null, mta-sts: enforce}\n"
     "  mta-sts.partner.example: {https: 404}\n", "mta-sts.partner.example:status", true, true},
    {"certificate before status", "  partner.example: {mx: null, mta-sts: enforce}\n"
     "  mta-sts.partner.example: {https: 404, certificate: expired}\n", "mta-sts.partner.example:status", false,
     true},
    {"policy host refuses",    "  partner.example: {mx: null, mta-sts: enforce}\n"
     "  mta-sts.partner.example: {https: refuse}\n", "mta-sts.partner.example:https", true, false},
    {"policy byte for byte",   "  partner.example: {mx: null, mta-sts: {policy: nonsense}}\n",
     "mta-sts.partner.example:policy", true, true},
    {"host not listed",
     "  partner.example: {mx: [mx1.partner.example], mta-sts: {mx: [mx9.partner.example]}}\n"
     "  mx1.partner.example: {}\n", "mta-sts.partner.example:policy", true, true},
    {"policy never announced", "  partner.example: {mx: null, mta-sts: {policy: nonsense, txt: none}}\n",
     "mta-sts.partner.example:policy", false, true},
};
/* clang-format on */

START_TEST(what_departs_from_good_is_a_defect)
{
    struct plan *plan = build(defects[_i].world, PLAN_NET_LAB);
    ck_assert_msg(plan != NULL, "%s: no plan", defects[_i].name);
    const struct plan_defect *found = NULL;
    for (size_t i = 0; i < plan->defect_count; i++)
        if (defects[_i].id == NULL || strcmp(plan->defects[i].id, defects[_i].id) == 0)
            found = &plan->defects[i];
    if (defects[_i].id == NULL)
        ck_assert_msg(found == NULL, "%s: %s", defects[_i].name, found->id);
    else
        ck_assert_msg(found != NULL && found->aside != defects[_i].met && found->visible == defects[_i].visible &&
                          found->at.line > 0,
                      "%s: %s", defects[_i].name, found != NULL ? found->what : "no such defect");
    done(&plan);
}
END_TEST

/* clang-format off */
static const struct { const char *name, *world, *says; } impossible[] = {
    {"TLSA that is none", MX "  mx1.partner.example: {tlsa: [3 1]}\n", "is no TLSA record"},
    {"TLSA of nobody", MX "  mx1.partner.example: {tlsa: [3 1 1 of nobody]}\n", "'nobody' is neither"},
    {"TLSA without certificate", MX "  mx1.partner.example: {tlsa: [3 1 1], certificate: none}\n",
     "has no certificate"},
    {"intermediate that is none", MX
     "  mx1.partner.example: {tlsa: [2 1 1 of intermediate], certificate: self-signed}\n", "no intermediate"},
    {"address outside the lab", MX "  mx1.partner.example: {address: 192.0.2.1}\n", "198.18.0.0/15"},
    {"preference that is none", "  partner.example: {mx: [ten mx1.partner.example]}\n  mx1.partner.example: {}\n",
     "is no MX record"},
    {"zone fault at a host", MX "  mx1.partner.example: {dns: [ds-wrong]}\n", "spoils a whole zone"},
    {"mistake in raw records", MX "  mx1.partner.example:\n    records: |\n      www A 300.1.1.1\n", "IPv4"},
    {"nothing generated so", MX "  mx1.partner.example:\n    records: |\n"
     "      www A ${v6 of mx1.partner.example}\n", "is not made here"},
    {"certificate file that is none", MX
     "  mx1.partner.example: {certificate: {certificate-file: /nowhere.pem, key-file: /nowhere.key}}\n", "/nowhere"},
};
/* clang-format on */

START_TEST(a_world_that_cannot_be_is_said_so)
{
    struct plan *plan = build(impossible[_i].world, PLAN_NET_LAB);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    diag_print(corpus->diags, out);
    fclose(out);
    ck_assert_msg(plan == NULL && strstr(text, impossible[_i].says) != NULL, "%s: %s", impossible[_i].name, text);
    free(text);
    done(&plan);
}
END_TEST

START_TEST(keys_and_addresses_outlive_a_change)
{
    struct plan *before = build(MX "  mx1.partner.example: {tlsa: [3 1 1]}\n", PLAN_NET_LAB), *after;
    struct err err = {0};
    static const char text[] =
        "says: x\nworld:\n  a.example: {}\n" MX
        "  mx0.partner.example: {}\n  mx1.partner.example: {tlsa: [3 1 1], certificate: expired}\n"
        "send: {to: a@partner.example}\nexpect: {message: delivered}\n";
    struct corpus *other = corpus_read_text(NULL, "u", text, strlen(text));
    after = plan_build(other->items[0], other->items[0]->steps[0].world, PLAN_NET_LAB, pki, &now, other->diags, &err);
    ck_assert_ptr_nonnull(after);
    ck_assert_str_eq(plan_address_of(before, "mx1.partner.example"), plan_address_of(after, "mx1.partner.example"));
    const char *tlsa = strstr(records_of(before, "partner.example"), "TLSA 3 1 1");
    ck_assert_ptr_nonnull(tlsa);
    char *key = strndup(tlsa, strcspn(tlsa, "\n"));
    ck_assert_ptr_nonnull(strstr(records_of(after, "partner.example"), key));
    free(key);
    plan_free(&after);
    corpus_free(&other);
    done(&before);
}
END_TEST

START_TEST(the_loopback_lab_has_its_own_addresses)
{
    struct plan *plan = build(MX "  mx1.partner.example: {}\n", PLAN_NET_LOOPBACK);
    ck_assert_str_eq(plan_address_of(plan, "mx1.partner.example"), "127.18.1.1");
    done(&plan);
    plan = build(MX "  mx1.partner.example: {address: v6}\n", PLAN_NET_LOOPBACK);
    ck_assert_ptr_null(plan);
    done(&plan);
}
END_TEST

/* clang-format off */
static const struct { const char *name, *world; bool silent; double patience_s; } waits[] = {
    {"sound", MX "  mx1.partner.example: {}\n", false, 5},
    {"silent name server", MX "  mx1.partner.example: {dns: [silent]}\n", true, 5},
    {"stalling step", MX "  mx1.partner.example: {smtp: {ehlo: stall}}\n", false, 0.4},
    {"stalling STARTTLS", MX "  mx1.partner.example: {smtp: {starttls: stall}}\n", false, 0.4},
    {"stalling policy host", "  partner.example: {mx: null, mta-sts: enforce}\n"
     "  mta-sts.partner.example: {https: stall}\n", false, 0.4},
};
/* clang-format on */

START_TEST(silence_shortens_the_waiting)
{
    struct plan *plan = build(waits[_i].world, PLAN_NET_LAB);
    ck_assert_msg(plan != NULL && plan->silent == waits[_i].silent && plan->patience_s == waits[_i].patience_s, "%s",
                  waits[_i].name);
    ck_assert((strstr(plan->resolver_options, "outbound-msg-retry: 1") != NULL) == waits[_i].silent);
    done(&plan);
}
END_TEST

TEST_SUITE(plan)
{
    TEST_LOOP(the_rule_follows_mechanism_and_mode, COUNT(rules));
    TEST_LOOP(a_world_becomes_records, COUNT(records));
    TEST_LOOP(what_departs_from_good_is_a_defect, COUNT(defects));
    TEST_LOOP(a_world_that_cannot_be_is_said_so, COUNT(impossible));
    TEST(keys_and_addresses_outlive_a_change);
    TEST(the_loopback_lab_has_its_own_addresses);
    TEST_LOOP(silence_shortens_the_waiting, COUNT(waits));
}
