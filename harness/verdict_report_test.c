/* SPDX-License-Identifier: BSD-2-Clause
 * The judge of TLS reports, by rows: what the report said, what was expected, what it comes to. */
#include <string.h>

#include "base/testing.h"
#include "harness/verdict.h"

#define TLSA "tlsa", "mx1.partner.example"
#define STS "sts", "partner.example"
#define PLAIN "no-policy-found", "partner.example"

struct said { /* an entry of the report; policy NULL: none */
    const char *policy, *domain, *result;
    int success, failure;
    const char *mx;
};
struct wanted {
    const char *policy[2], *result[3];
    const char *success, *failure;
    bool optional, none;
};

static const struct row {
    const char *name;
    struct said said[2];
    struct wanted wanted[2];
    enum verdict_kind kind;
    const char *says;
    bool no_report;   /* nothing came */
    bool no_feature;  /* the subject makes none */
    const char *flaw; /* a clause that the form breaks */
} rows[] = {
    {"a success", {{TLSA, NULL, 1, 0}}, {{{"tlsa"}}}, VERDICT_PASS, ""},
    {"a failure",
     {{TLSA, "tlsa-invalid", 0, 1}},
     {{{"tlsa"}, {"validation-failure", "tlsa-invalid"}}},
     VERDICT_PASS,
     ""},
    {"another result",
     {{TLSA, "certificate-expired", 0, 1}},
     {{{"tlsa"}, {"tlsa-invalid"}}},
     VERDICT_FAIL,
     "reported certificate-expired under tlsa; it had to be tlsa-invalid"},
    {"a success counted as a failure",
     {{TLSA, "validation-failure", 0, 1}},
     {{{"tlsa"}}},
     VERDICT_FAIL,
     "reported validation-failure under tlsa; it had to be a success"},
    {"a failure counted as a success",
     {{TLSA, NULL, 1, 0}},
     {{{"tlsa"}, {"tlsa-invalid"}}},
     VERDICT_FAIL,
     "reported no failure under tlsa"},
    {"a failure or none, none", {{TLSA, NULL, 1, 0}}, {{{"tlsa"}, {"tlsa-invalid", "none"}}}, VERDICT_PASS, ""},
    {"a failure counted twice",
     {{TLSA, "tlsa-invalid", 0, 2}},
     {{{"tlsa"}, {"tlsa-invalid"}, NULL, "1"}},
     VERDICT_FAIL,
     "reported 2 failed sessions"},
    {"its own session counted",
     {{PLAIN, NULL, 2, 0}},
     {{{"no-policy-found"}, {NULL}, "1"}},
     VERDICT_FAIL,
     "reported 2 successful sessions"},
    {"within a range", {{TLSA, NULL, 2, 0}}, {{{"tlsa"}, {NULL}, "1-2"}}, VERDICT_PASS, ""},
    {"another policy", {{PLAIN, NULL, 1, 0}}, {{{"tlsa"}}}, VERDICT_FAIL, "left the sessions under tlsa out"},
    {"one of two policies", {{PLAIN, NULL, 1, 0}}, {{{"tlsa", "no-policy-found"}}}, VERDICT_PASS, ""},
    {"an entry too many",
     {{TLSA, NULL, 1, 0}, {STS, NULL, 1, 0}},
     {{{"tlsa"}}},
     VERDICT_FAIL,
     "reported sts for partner.example, which must not be here"},
    {"an entry that may be there",
     {{TLSA, NULL, 1, 0}, {STS, NULL, 1, 0}},
     {{{"tlsa"}}, {{"sts"}, .optional = true}},
     VERDICT_PASS,
     ""},
    {"an entry that may be missing", {{TLSA, NULL, 1, 0}}, {{{"tlsa"}}, {{"sts"}, .optional = true}}, VERDICT_PASS, ""},
    {"an entry that is missing", {{TLSA, NULL, 1, 0}}, {{{"tlsa"}}, {{"sts"}}}, VERDICT_FAIL, "under sts out"},
    {"no report where there must be one", {{NULL}}, {{{"tlsa"}}}, VERDICT_FAIL, "left the sessions", .no_report = true},
    {"no report where there must be none", {{NULL}}, {{.none = true}}, VERDICT_PASS, "", .no_report = true},
    {"a report where there must be none",
     {{TLSA, NULL, 1, 0}},
     {{.none = true}},
     VERDICT_FAIL,
     "that nobody had asked for"},
    {"tlsa under the recipient's domain",
     {{"tlsa", "partner.example", NULL, 1, 0}},
     {{{"tlsa"}}},
     VERDICT_WARN,
     "under the policy-domain partner.example"},
    {"sts under the host's name",
     {{"sts", "mx1.partner.example", NULL, 1, 0}},
     {{{"sts"}}},
     VERDICT_FAIL,
     "under the policy-domain mx1.partner.example"},
    {"a host that is none",
     {{TLSA, "tlsa-invalid", 0, 1, "mx9.partner.example"}},
     {{{"tlsa"}, {"tlsa-invalid"}}},
     VERDICT_FAIL,
     "which is no MX host"},
    {"a form that breaks a MUST",
     {{TLSA, NULL, 1, 0}},
     {{{"tlsa"}}},
     VERDICT_FAIL,
     "not in order",
     .flaw = "8460-4.4-1"},
    {"a form that breaks a SHOULD",
     {{TLSA, NULL, 1, 0}},
     {{{"tlsa"}}},
     VERDICT_WARN,
     "not in order",
     .flaw = "8460-5.2-1"},
    {"a subject that makes none", {{NULL}}, {{{"tlsa"}}}, VERDICT_PASS, "", .no_report = true, .no_feature = true},
};

static struct schema_texts texts_of(const char *const *items, size_t most)
{
    struct schema_texts texts = {.items = (const char **)items};
    while (texts.count < most && items[texts.count] != NULL)
        texts.count++;
    return texts;
}

static size_t make_wanted(const struct row *row, struct expect_report out[2])
{
    size_t count = 0;
    for (; count < 2 && (row->wanted[count].policy[0] != NULL || row->wanted[count].none); count++) {
        const struct wanted *w = &row->wanted[count];
        out[count] = (struct expect_report){.none = w->none,
                                            .policy = texts_of(w->policy, 2),
                                            .result = texts_of(w->result, 3),
                                            .success = w->success,
                                            .failure = w->failure,
                                            .optional = w->optional};
    }
    return count;
}

static struct tls_report make_report(struct arena *arena, const struct row *row)
{
    struct tls_report report = {.by_mail = true, .sha256 = "x", .id = "i", .domain = "partner.example"};
    for (size_t i = 0; i < 2 && row->said[i].policy != NULL; i++) {
        const struct said *s = &row->said[i];
        struct tls_report_entry *entry = ARENA_PUSH(arena, &report.entries);
        *entry = (struct tls_report_entry){.policy = s->policy,
                                           .domain = s->domain,
                                           .success = s->success,
                                           .failure = s->failure};
        if (s->result != NULL)
            *ARENA_PUSH(arena, &entry->details) =
                (struct tls_report_detail){s->result, s->mx != NULL ? s->mx : "mx1.partner.example", s->failure};
    }
    if (row->flaw != NULL)
        tls_report_flaw(arena, &report, row->flaw, "something");
    return report;
}

START_TEST(reports_are_judged)
{
    static const char clause_rows[] = "8460-4.4-1\t4.4\tMUST\treporter\tsays\tseen\n"
                                      "8460-5.2-1\t5.2\tSHOULD\treporter\tsays\tseen\n"
                                      "8460-1.1-1\t1.1\tMUST\treporter\tsays\tseen\n";
    static const char *const features[] = {"queue", "tls-rpt"}, *const to[] = {"someone@partner.example"};
    static const char *mx[] = {"mx1.partner.example"};
    static struct world_name names[] = {{.name = "partner.example", .mx = {.items = mx, .count = 1}},
                                        {.name = "mx1.partner.example"}};
    static const struct world world = {names, COUNT(names)};
    static const struct fakemx_host hosts[] = {{.name = "mx1.partner.example"}};
    const struct row *row = &rows[_i];
    struct arena *arena = arena_new("test");
    struct expect_report wanted[2];
    struct expectation expectation = {.modes = MODES_ALL, .reports = wanted, .report_count = make_wanted(row, wanted)};
    struct scenario_step step = {.expectations = &expectation, .expectation_count = 1};
    struct scenario scenario = {.says = "a test", .steps = &step, .step_count = 1};
    struct plan plan = {.world = &world, .mx = {hosts, COUNT(hosts)}, .sender_domain = "sender.example"};
    struct tls_report report = make_report(arena, row);
    struct journal *journal = journal_new();
    journal_add(journal, JOURNAL_LAB_SUBMIT, "", 0, "token", "t1", "accepted", "yes", NULL);
    struct verdict_step seen = {.until = 1,
                                .token = "t1",
                                .recipients = to,
                                .recipient_count = 1,
                                .plan = &plan,
                                .reports = &report,
                                .report_count = row->no_report ? 0 : 1};
    struct subject_facts subject = {.name = "postfix", .features = features, .feature_count = row->no_feature ? 1 : 2};
    struct verdict_question question = {.scenario = &scenario,
                                        .journal = journal,
                                        .steps = &seen,
                                        .step_count = 1,
                                        .subject = &subject,
                                        .clauses = clauses_read_text(arena, clause_rows, diag_new(arena))};
    struct verdict verdict;
    verdict_judge(arena, &question, &verdict);
    ck_assert_msg(verdict.kind == row->kind, "%s: %s, '%s'", row->name, verdict_words[verdict.kind], verdict.sentence);
    ck_assert_msg(strstr(verdict.sentence, row->says) != NULL, "%s: '%s'", row->name, verdict.sentence);
    ck_assert((verdict.partly != NULL) == row->no_feature);
    journal_free(&journal);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(verdict_report)
{
    TEST_LOOP(reports_are_judged, COUNT(rows));
}
