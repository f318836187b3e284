/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/case_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "harness/case_timeline.h"
#include "harness/evidence.h"
#include "harness/lab.h"
#include "harness/sender_setup.h"
#include "harness/submission.h"

/* A case under way. */
struct run {
    struct arena *arena;
    const struct case_setting *setting;
    const struct scenario *scenario;
    unsigned mode;
    struct clock clock;
    struct loop *loop;
    struct journal *journal;
    struct evidence *evidence; /* NULL: none is wanted */
    struct lab *lab;
    struct plan **plans; /* one a step; a step without change has its predecessor's */
    struct verdict_step *steps;
    size_t step_count; /* begun */
    int64_t until_us;
    uint64_t token;
    size_t messages_seen, uploads_seen; /* looked through for TLS reports */
    const char *trouble, *unsupported;
    bool out_of_step;
};

static double time_left(const struct run *run)
{
    double left = (double)(run->until_us - clock_monotonic_us()) / 1e6;
    return left > 0 ? left : 0;
}

static bool in_trouble(struct run *run, const char *what)
{
    run->trouble = arena_strdup(run->arena, what);
    journal_add(run->journal, JOURNAL_LAB_TROUBLE, "", 0, "what", run->trouble, NULL);
    return false;
}

/* ---- talking to the subject ---- */

static bool no_answer(struct run *run, enum subject_answer answer, const char *line)
{
    const char *why = subject_why(run->setting->subject);
    if (answer == SUBJECT_UNSUPPORTED) {
        run->unsupported = arena_strdup(run->arena, why);
        return false;
    }
    run->out_of_step |= answer == SUBJECT_SILENT || answer == SUBJECT_GONE;
    int verb = (int)strcspn(line, " ");
    return in_trouble(run, answer == SUBJECT_SILENT
                               ? arena_printf(run->arena,
                                              "the budget of %g s is spent; waited for the adapter's answer to '%.*s'",
                                              run->setting->budget_s, verb, line)
                               : arena_printf(run->arena, "the adapter, asked to %.*s: %s", verb, line, why));
}

static bool tell(struct run *run, const char *line, json_t **reply)
{
    enum subject_answer answer = subject_ask(run->setting->subject, run->loop, time_left(run), line, reply);
    return answer == SUBJECT_YES || no_answer(run, answer, line);
}

/* What the subject may lack without harm. */
static bool tell_if_it_has_it(struct run *run, const char *line)
{
    bool said = tell(run, line, NULL) || run->unsupported != NULL;
    run->unsupported = NULL;
    return said;
}

static bool failed(struct run *run, const struct err *err)
{
    return in_trouble(run, err->text);
}

/* Is anything said of reports in this mode, and does the subject make any? */
static bool wants_reports(const struct run *run)
{
    for (size_t i = 0; i < run->scenario->step_count; i++) {
        const struct expectation *e = scenario_expects(&run->scenario->steps[i], run->mode);
        if (e != NULL && e->report_count > 0)
            return subject_has(subject_facts(run->setting->subject), "tls-rpt");
    }
    return false;
}

static bool begin(struct run *run, const struct plan *plan)
{
    struct err err;
    const char *setup = sender_setup_json(run->arena, &run->scenario->sender, run->mode);
    if (!lab_tell_connectors(run->setting->sandbox, setup, &err))
        return failed(run, &err);
    bool reports = plan->report_key != NULL && wants_reports(run);
    return tell(run,
                arena_printf(run->arena, "begin MTALAB_DANE=%s MTALAB_MTA_STS=%s MTALAB_PATIENCE=%g%s",
                             mode_dane_words[mode_dane(run->mode)], mode_sts_words[mode_sts(run->mode)],
                             plan->patience_s, reports ? " MTALAB_TLS_RPT=" PLAN_REPORTS_FROM : ""),
                NULL);
}

/* What had been sent when the answer came, but lay unread, is read before the journal is looked at. */
static void catch_up(struct run *run)
{
    for (int i = 0; i < 3; i++)
        loop_run_until(run->loop, NULL, 0);
}

static bool wait_for_attempt(struct run *run)
{
    if (!tell(run, "flush", NULL))
        return false;
    catch_up(run);
    char number[12];
    snprintf(number, sizeof number, "%u", journal_attempt(run->journal));
    journal_add(run->journal, JOURNAL_LAB_ATTEMPT, "", 0, "number", number, NULL);
    return true;
}

/* ---- the world ---- */

static bool has_ipv6_host(const struct plan *plan)
{
    for (size_t i = 0; i < plan->mx.host_count; i++)
        for (size_t a = 0; a < plan->mx.hosts[i].address_count; a++)
            if (strchr(plan->mx.hosts[i].addresses[a], ':') != NULL)
                return true;
    return false;
}

static const char *mistakes(struct run *run, const struct diag_list *diags, const struct err *err)
{
    const char *text = diag_errors(diags) > 0 ? diag_text(run->arena, diags) : err->text;
    return arena_strndup(run->arena, text, strcspn(text, "\n"));
}

static struct plan *make_plan(struct run *run, const struct world *world)
{
    struct err err = {0};
    struct diag_list *diags = diag_new(run->arena);
    const struct sandbox *box = run->setting->sandbox;
    bool loopback = box->kind == SANDBOX_LOOPBACK;
    struct plan *plan = plan_build(run->scenario, world, loopback ? PLAN_NET_LOOPBACK : PLAN_NET_LAB, run->setting->pki,
                                   &run->clock, diags, &err);
    if (plan == NULL && loopback)
        run->unsupported = arena_printf(run->arena, "this world needs namespaces, which are forbidden here: %s",
                                        mistakes(run, diags, &err));
    else if (plan == NULL)
        in_trouble(run, mistakes(run, diags, &err));
    else if (!box->ipv6 && !loopback && has_ipv6_host(plan))
        run->unsupported = "this machine has no IPv6";
    return plan;
}

static bool start_world(struct run *run, struct plan *plan)
{
    struct err err = {0};
    struct lab_setting setting = {.sandbox = run->setting->sandbox,
                                  .loop = run->loop,
                                  .journal = run->journal,
                                  .clock = &run->clock,
                                  .resolver = run->setting->resolver,
                                  .keys = run->evidence != NULL};
    run->lab = lab_start(&setting, plan, &err);
    return run->lab != NULL || failed(run, &err);
}

static bool is_tagged(const struct scenario *scenario, const char *tag)
{
    for (size_t i = 0; i < scenario->tags.count; i++)
        if (strcmp(scenario->tags.items[i], tag) == 0)
            return true;
    return false;
}

static bool change_world(struct run *run, struct plan *plan)
{
    struct err err = {0};
    if (!lab_change(run->lab, plan, &err))
        return failed(run, &err);
    journal_add(run->journal, JOURNAL_LAB_CHANGE, "", 0, "what", "as the scenario says", NULL);
    return is_tagged(run->scenario, "ttl") || tell_if_it_has_it(run, "forget");
}

static bool change_connectors(struct run *run, const struct scenario_step *step)
{
    const char *line;
    for (size_t i = 0; (line = sender_setup_change(run->arena, step->connectors, i)) != NULL; i++) {
        journal_add(run->journal, JOURNAL_LAB_CHANGE, "", 0, "what", line, NULL);
        if (!tell(run, line, NULL))
            return false;
    }
    return true;
}

/* The plan of a step, in force from here on. */
static bool enter_world(struct run *run, size_t i)
{
    const struct scenario_step *step = &run->scenario->steps[i];
    if (i > 0 && !step->changes) {
        run->plans[i] = run->plans[i - 1];
        return true;
    }
    run->plans[i] = make_plan(run, step->world);
    if (run->plans[i] == NULL || run->unsupported != NULL)
        return false;
    return i == 0 ? start_world(run, run->plans[0]) && begin(run, run->plans[0]) : change_world(run, run->plans[i]);
}

/* ---- the steps ---- */

static const char *join(struct arena *arena, const struct schema_texts *words)
{
    const char *list = "";
    for (size_t i = 0; i < words->count; i++)
        list = arena_printf(arena, "%s%s%s", list, i > 0 ? " " : "", words->items[i]);
    return list;
}

/* *refused: the subject did not want the message, and need not (NULL: it has to). */
static bool submit(struct run *run, const struct scenario_step *step, const char *token, bool *refused)
{
    struct submission message = {.address = run->setting->sandbox->listen,
                                 .port = SUBJECT_PORT,
                                 .token = token,
                                 .from = step->from,
                                 .to = (const char *const *)step->to.items,
                                 .to_count = step->to.count,
                                 .way = &step->way};
    const char *reply;
    bool taken = submission_send(run->arena, &message, run->loop, time_left(run), &reply);
    bool spared = !taken && refused != NULL && (reply[0] == '4' || reply[0] == '5');
    journal_add(run->journal, JOURNAL_LAB_SUBMIT, "", 0, "token", token, "sender", step->from, "recipients",
                join(run->arena, &step->to), "body", submission_body_sha256(run->arena, &message), "bits",
                step->way.body == BODY_8BIT ? "8" : "7", "reply", reply, "accepted",
                taken    ? "yes"
                : spared ? "need-not"
                         : "no",
                NULL);
    if (refused != NULL)
        *refused = spared;
    return taken || spared ||
           in_trouble(run, arena_printf(run->arena, "the subject did not take the message: %s", reply));
}

static const char *new_token(struct run *run)
{
    return arena_printf(run->arena, "mtalab-%" PRIx64, run->token++);
}

/* Is the policy fetched behind the sender's back, a first message only brings it: the second one is judged. */
static bool prime(struct run *run, const struct scenario_step *step)
{
    bool wanted = subject_facts(run->setting->subject)->asynchronous_fetch && mode_sts(run->mode) != MODE_STS_NONE &&
                  !is_tagged(run->scenario, "first-contact");
    if (!wanted || step->to.count == 0)
        return true;
    if (!submit(run, step, new_token(run), NULL) || !wait_for_attempt(run))
        return false;
    journal_next_attempt(run->journal);
    return true;
}

static bool advance(struct run *run, double seconds)
{
    const char *text = arena_printf(run->arena, "%.0f", seconds);
    journal_next_attempt(run->journal);
    journal_add(run->journal, JOURNAL_LAB_ADVANCE, "", 0, "seconds", text, NULL);
    if (!tell(run, arena_printf(run->arena, "advance %s", text), NULL))
        return false;
    catch_up(run);
    return true;
}

static bool send_message(struct run *run, const struct scenario_step *step, struct verdict_step *out)
{
    if (out > run->steps)
        journal_next_attempt(run->journal);
    out->token = new_token(run);
    out->recipients = (const char *const *)step->to.items;
    out->recipient_count = step->to.count;
    bool refused = false, may_refuse = step->way.smuggle != SMUGGLE_NONE;
    if (!submit(run, step, out->token, may_refuse ? &refused : NULL))
        return false;
    if (refused)
        out->token = NULL; /* there is no message whose course could be judged */
    return wait_for_attempt(run);
}

static bool flush(struct run *run)
{
    journal_next_attempt(run->journal);
    return wait_for_attempt(run);
}

static bool take_status(struct run *run, struct verdict_step *out)
{
    json_t *answer = NULL;
    if (!tell(run, "status", &answer))
        return false;
    out->status_count = subject_status(run->arena, answer, &out->status);
    json_decref(answer);
    for (size_t i = 0; i < out->status_count; i++) {
        const struct verdict_status *s = &out->status[i];
        journal_add(run->journal, JOURNAL_SUBJECT_STATUS, "", 0, "token", out->token, "recipient", s->recipient,
                    "state", s->state, "code", s->code, "reason", s->reason, NULL);
    }
    return true;
}

/* ---- TLS reports ---- */

struct reports {
    struct tls_report *items;
    size_t count, room;
};

static struct tls_report *add_report(struct run *run, struct reports *list, const struct tls_report *report)
{
    struct tls_report *added = ARENA_PUSH(run->arena, list);
    *added = *report;
    journal_add(run->journal, JOURNAL_LAB_REPORT, "", 0, "by", report->by_mail ? "mail" : "https", "summary",
                tls_report_summary(run->arena, report), NULL);
    return added;
}

/* What has come since the last time. */
static void collect_reports(struct run *run, const struct plan *plan, struct verdict_step *out)
{
    struct reports list = {0};
    struct tls_report report;
    const char *bytes, *type;
    size_t length;
    while ((bytes = lab_message(run->lab, run->messages_seen, &length)) != NULL) {
        run->messages_seen++;
        if (!tls_report_is_mail(bytes, length))
            continue;
        tls_report_read_mail(run->arena, bytes, length, plan->report_key->public_key, &report);
        add_report(run, &list, &report);
    }
    while ((bytes = lab_report(run->lab, run->uploads_seen, &type, &length)) != NULL) {
        run->uploads_seen++;
        tls_report_read_upload(run->arena, type, bytes, length, &report);
        add_report(run, &list, &report);
    }
    out->reports = list.items;
    out->report_count = list.count;
}

/* Reports are asked for where something is expected of them. A step that moves the clock on by a day has them made by
 * that. */
static bool take_reports(struct run *run, size_t i, struct verdict_step *out)
{
    const struct scenario_step *step = &run->scenario->steps[i];
    const struct expectation *e = scenario_expects(step, run->mode);
    if (e == NULL || e->report_count == 0 || !subject_has(subject_facts(run->setting->subject), "tls-rpt"))
        return true;
    if (step->advance_s < 86400 && !tell(run, "report", NULL))
        return false;
    catch_up(run);
    collect_reports(run, out->plan, out);
    return true;
}

static bool run_step(struct run *run, size_t i)
{
    const struct scenario_step *step = &run->scenario->steps[i];
    struct verdict_step *out = &run->steps[i];
    out->from = journal_count(run->journal);
    if (!enter_world(run, i))
        return false;
    out->plan = run->plans[i];
    run->step_count = i + 1;
    bool went = (i > 0 || prime(run, step));
    if (i == 0)
        out->from = journal_count(run->journal);
    went = went && change_connectors(run, step) && (step->advance_s <= 0 || advance(run, step->advance_s)) &&
           (step->to.count == 0 || send_message(run, step, out)) && (!step->flush || flush(run)) &&
           take_status(run, out);
    out->until = journal_count(run->journal);
    return went && take_reports(run, i, out);
}

static bool run_steps(struct run *run)
{
    for (size_t i = 0; i < run->scenario->step_count; i++)
        if (!run_step(run, i))
            return false;
    return true;
}

/* ---- the verdict ---- */

/* What the clause says of which something is to be told. */
static const char *rule_of(const struct run *run, const struct verdict *verdict)
{
    const struct clause *clause = verdict->kind != VERDICT_PASS && verdict->clause != NULL
                                      ? clauses_find(run->setting->clauses, verdict->clause)
                                      : NULL;
    return clause == NULL ? NULL
                          : arena_printf(run->arena, "RFC %s, %s: %s", clause->rfc, clause->section, clause->says);
}

/* What the subject lacks ends a case, and excuses nothing that it did before. */
static void judge(struct run *run, struct case_result *out)
{
    bool lacks = run->unsupported != NULL && run->trouble == NULL;
    if (run->step_count > 0)
        run->steps[run->step_count - 1].until = journal_count(run->journal);
    struct verdict_question question = {.scenario = run->scenario,
                                        .mode = run->mode,
                                        .journal = run->journal,
                                        .steps = run->steps,
                                        .step_count = run->step_count,
                                        .subject = subject_facts(run->setting->subject),
                                        .clauses = run->setting->clauses,
                                        .trouble = lacks ? run->unsupported : run->trouble};
    struct verdict verdict;
    verdict_judge(run->arena, &question, &verdict);
    if (lacks && verdict.kind == VERDICT_UNKNOWN) {
        out->sentence = run->unsupported;
        return;
    }
    out->kind = verdict.kind;
    out->sentence = verdict.sentence;
    out->note = verdict.note;
    out->clause = verdict.clause;
    out->level = verdict.level;
    out->rule = rule_of(run, &verdict);
    out->partly = verdict.partly;
    out->courses = verdict.courses;
    if (verdict.at.file != NULL) {
        out->file = verdict.at.file;
        out->line = verdict.at.line;
        out->col = verdict.at.col;
        out->length = verdict.at.length;
    }
    const char *sender = run->step_count > 0 ? run->steps[0].plan->sender_domain : NULL;
    case_timeline(run->arena, run->journal, 0, verdict.proof, sender, CASE_LINES_MAX - 3, out);
}

static const char *whole_journal(struct run *run)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < journal_count(run->journal); i++)
        journal_write_json(journal_at(run->journal, i), out);
    fclose(out);
    const char *kept = arena_strdup(run->arena, text);
    free(text);
    return kept;
}

/* ---- the case ---- */

void case_result_without_run(struct arena *arena, const struct scenario *scenario, unsigned mode,
                             const struct subject_facts *subject, enum verdict_kind kind, const char *sentence,
                             struct case_result *out)
{
    *out =
        (struct case_result){.title = scenario->title,
                             .mode = mode,
                             .subject =
                                 subject == NULL ? "" : arena_printf(arena, "%s %s", subject->name, subject->version),
                             .kind = kind,
                             .sentence = sentence,
                             .clause = scenario->covers.count > 0 ? scenario->covers.items[0] : NULL,
                             .file = scenario->file,
                             .line = scenario->at.line,
                             .col = scenario->at.col,
                             .length = scenario->at.length,
                             .twin = scenario->twin != NULL ? scenario->twin->title : NULL};
}

const char *case_lacks(struct arena *arena, const struct subject_facts *facts, const struct scenario *scenario,
                       unsigned mode)
{
    if (!(facts->modes & (1u << mode)))
        return arena_printf(arena, "%s has no mode %s.", facts->name, mode_text(mode));
    for (size_t i = 0; i < scenario->needs.count; i++)
        if (!subject_has(facts, scenario->needs.items[i]))
            return arena_printf(arena, "%s does not have '%s', which the scenario needs.", facts->name,
                                scenario->needs.items[i]);
    return NULL;
}

static bool set_up(struct run *run, struct err *err)
{
    const struct scenario *scenario = run->scenario;
    run->until_us = clock_monotonic_us() + (int64_t)(run->setting->budget_s * 1e6);
    run->journal = journal_new();
    run->plans = arena_alloc(run->arena, scenario->step_count * sizeof(struct plan *));
    run->steps = arena_alloc(run->arena, scenario->step_count * sizeof *run->steps);
    if (getrandom(&run->token, sizeof run->token, 0) != sizeof run->token)
        run->token = (uint64_t)clock_monotonic_us();
    run->loop = loop_new(err);
    if (run->loop == NULL || run->setting->evidence == NULL)
        return run->loop != NULL;
    run->evidence = evidence_start(run->loop, err);
    return run->evidence != NULL;
}

/* Before the verdict: evidence that was wanted and cannot be had is trouble. */
static void keep_evidence(struct run *run, const struct case_result *result)
{
    struct err err;
    if (run->evidence != NULL &&
        !evidence_write(run->evidence, run->journal, *run->setting->evidence, case_name(run->arena, result), &err))
        failed(run, &err);
}

static void clean_up(struct run *run)
{
    lab_stop(&run->lab);
    evidence_stop(&run->evidence);
    for (size_t i = run->scenario->step_count; i-- > 0;)
        if (run->plans[i] != NULL && (i == 0 || run->plans[i] != run->plans[i - 1]))
            plan_free(&run->plans[i]);
    journal_free(&run->journal);
    loop_free(&run->loop);
}

bool case_run(struct arena *arena, const struct case_setting *setting, const struct scenario *scenario, unsigned mode,
              struct case_result *out)
{
    struct err err = {0};
    struct run run = {.arena = arena, .setting = setting, .scenario = scenario, .mode = mode};
    const struct subject_facts *facts = subject_facts(setting->subject);
    int64_t began_us = clock_monotonic_us();
    case_result_without_run(arena, scenario, mode, facts, VERDICT_UNSUPPORTED, case_lacks(arena, facts, scenario, mode),
                            out);
    if (out->sentence != NULL)
        return true;
    if (set_up(&run, &err)) {
        journal_add(run.journal, JOURNAL_LAB_BEGIN, "", 0, "case", case_name(arena, out), NULL);
        run_steps(&run);
        if (run.lab != NULL && !run.out_of_step)
            tell_if_it_has_it(&run, "end");
    } else {
        failed(&run, &err);
    }
    keep_evidence(&run, out);
    judge(&run, out);
    out->journal = setting->keep_journal ? whole_journal(&run) : NULL;
    out->seconds = (double)(clock_monotonic_us() - began_us) / 1e6;
    clean_up(&run);
    return !run.out_of_step;
}
