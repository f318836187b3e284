/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine validate, stage - mail of our own through a connector: task by task, and before a change of mode. */
#include <stdlib.h>
#include <string.h>

#include "engine/command_look.h"
#include "engine/command_words.h"
#include "engine/hosts.h"
#include "engine/probe.h"
#include "engine/scope.h"
#include "engine/validation.h"

/* ---- which connector, for whom ---- */

static const char *sender_of(const struct command_line *line)
{
    const char *said = command_said(line, "--from");
    return said != NULL ? said : arena_printf(line->arena, "postmaster@%s", line->config->hostname);
}

/* Its own scope covers the recipient, a rule may name it, or it stands in for the connector that would be chosen. */
static bool in_scope(const struct command_line *line, const struct connector *connector)
{
    const struct routing *routing = &line->config->routing;
    struct route_question question = {.sender = sender_of(line),
                                      .recipient = line->words[1],
                                      .domain = message_domain(line->arena, line->words[1])};
    const struct connector *chosen = connector_choose(routing, &question).connector;
    bool stands_in = chosen != NULL && connector_find(routing, chosen->fallback) == connector;
    bool accepted = connector->all_accepted_domains && scope_any_covers(&routing->accepted_domains, question.domain);
    return connector->enabled && (connector->only_by_rule || stands_in || accepted || chosen == connector ||
                                  scope_any_covers(&connector->recipient_domains, question.domain));
}

/* A connector, and a recipient that it would carry; false: what is wrong was said. */
static bool is_sound(const struct command_line *line)
{
    const struct connector *connector = NULL;
    if (line->word_count != 2 || !command_is_recipient(line->arena, line->words[1]))
        command_misused(arena_printf(line->arena, "%s wants a connector and a recipient", line->command->name));
    else if ((connector = connector_find(&line->config->routing, line->words[0])) == NULL)
        fprintf(stderr, "mtalab-engine: no connector is called '%s'\n", line->words[0]);
    else if (!in_scope(line, connector))
        fprintf(stderr, "mtalab-engine: The domain of the recipient is not configured as part of connector.\n");
    else
        return true;
    return false;
}

static size_t hops_of(const struct command_line *line, const struct connector *connector,
                      const struct smart_host **hops)
{
    if (connector_by_smart_host(connector))
        return smart_hosts_spread(line->arena, &connector->smart_hosts, hosts_random, hops);
    struct smart_host *hop = arena_alloc(line->arena, sizeof *hop);
    *hop = (struct smart_host){.name = message_domain(line->arena, line->words[1]), .by_name = true};
    *hops = hop;
    return 1;
}

/* ---- validate ---- */

static void add_tasks(json_t *rows, struct arena *arena, const struct survey *survey, const struct survey_visit *visit,
                      bool *passed)
{
    struct task tasks[VALIDATION_TASKS];
    validation_of(arena, survey, visit, tasks);
    *passed &= validation_passed(tasks);
    for (size_t i = 0; i < VALIDATION_TASKS; i++)
        json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s}", "host", visit->name, "task", tasks[i].name, "status",
                                              task_status_words[tasks[i].status], "detail", tasks[i].detail));
}

static void add_hop(json_t *rows, struct command_look *look, const struct connector *connector,
                    const struct smart_host *hop, bool *passed)
{
    struct arena *arena = look->line->arena;
    struct channel_setting setting = channel_setting(look->line->config, connector);
    const struct survey *survey = survey_hop(&look->surveyor, hop, connector_by_smart_host(connector), &setting);
    for (size_t i = 0; i < survey->visit_count; i++)
        add_tasks(rows, arena, survey, &survey->visits[i], passed);
    if (survey->no_host.cause == CAUSE_NONE)
        return;
    struct status status = status_of(arena, &survey->no_host, survey->hop);
    *passed = false;
    json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s}", "host", survey->hop, "task", "Resolve", "status",
                                          task_status_words[TASK_FAILED], "detail",
                                          arena_printf(arena, "%s %s", status.code, status.text)));
}

static const char *result_text(struct arena *arena, const struct probe_result *result)
{
    return arena_printf(arena, "%s %s", result->code, result->reason);
}

static bool send_test_mail(json_t *rows, struct command_look *look, const struct connector *connector, bool *passed,
                           struct err *err)
{
    struct arena *arena = look->line->arena;
    struct probe_result result;
    struct probe *probe = probe_new(look->line->config, &look->outside, &look->clock, err);
    struct message message = probe_message(arena, sender_of(look->line), look->line->words[1],
                                           look->line->config->hostname, clock_now(&look->clock));
    bool sent = probe != NULL && probe_send(probe, arena, connector, &message, &result, err);
    probe_free(&probe);
    if (!sent)
        return false;
    bool delivered = result.state == RECIPIENT_DELIVERED;
    *passed &= delivered;
    json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s}", "host", look->line->words[1], "task", "Test message",
                                          "status", task_status_words[delivered ? TASK_SUCCEEDED : TASK_FAILED],
                                          "detail", result_text(arena, &result)));
    return true;
}

/* clang-format off */
static const struct command_column task_columns[] = {
    {"HOST", "host"}, {"TASK", "task"}, {"STATUS", "status"}, {"DETAIL", "detail"},
};
/* clang-format on */

static int validate(struct command_look *look)
{
    struct err err;
    const struct connector *connector = connector_find(&look->line->config->routing, look->line->words[0]);
    const struct smart_host *hops;
    size_t count = hops_of(look->line, connector, &hops);
    json_t *rows = json_array();
    bool passed = true, mail = command_said(look->line, "--no-message") == NULL;
    for (size_t i = 0; i < count; i++)
        add_hop(rows, look, connector, &hops[i], &passed);
    bool done = !mail || send_test_mail(rows, look, connector, &passed, &err);
    if (look->line->json)
        command_print_json(stdout, rows);
    else
        command_print_table(stdout, rows, COMMAND_TABLE(task_columns));
    json_decref(rows);
    if (!done)
        return command_failed(&err);
    return passed ? EXIT_SUCCESS : COMMAND_FAILED;
}

/* ---- stage ---- */

enum { PROBES_DEFAULT = 3, PROBES_MAX = 100 };

static const struct stage {
    const char *name;
    enum dane_mode dane;
} stages[] = {{"opportunistic", DANE_OPPORTUNISTIC}, {"mandatory", DANE_MANDATORY}};

/* So many mails through a copy of the connector that differs in its mode alone. */
static json_t *run_stage(struct command_look *look, const struct connector *connector, const struct stage *stage,
                         int64_t probes, bool *passed, struct err *err)
{
    struct arena *arena = look->line->arena;
    struct connector copy = *connector;
    copy.dane = stage->dane;
    copy.test_mode = false;
    struct probe *probe = probe_new(look->line->config, &look->outside, &look->clock, err);
    bool fine = probe != NULL;
    int64_t delivered = 0;
    struct probe_result result = {.code = "", .reason = ""};
    for (int64_t i = 0; fine && i < probes; i++) {
        struct message message = probe_message(arena, sender_of(look->line), look->line->words[1],
                                               look->line->config->hostname, clock_now(&look->clock));
        fine = probe_send(probe, arena, &copy, &message, &result, err);
        delivered += result.state == RECIPIENT_DELIVERED;
    }
    json_t *trace = fine ? probe_trace(probe, err) : NULL, *report = probe != NULL ? probe_report(probe) : NULL;
    probe_free(&probe);
    *passed &= delivered == probes;
    json_t *row = trace == NULL ? NULL
                                : json_pack("{s:s,s:I,s:I,s:s,s:O,s:O}", "smtp-dane", stage->name, "probes",
                                            (json_int_t)probes, "delivered", (json_int_t)delivered, "last",
                                            result_text(arena, &result), "trace", trace, "report", report);
    json_decref(trace);
    json_decref(report);
    return row;
}

/* clang-format off */
static const struct command_column stage_columns[] = {
    {"SMTP-DANE", "smtp-dane"}, {"PROBES", "probes"}, {"DELIVERED", "delivered"}, {"LAST", "last"},
};
static const struct command_column trace_columns[] = {
    {"EVENT", "event"},   {"HOST", "host"},     {"MX", "mx_trust"}, {"TLSA", "tlsa"},
    {"STS", "sts_mode"},  {"DEMAND", "demand"},  {"CLAUSE", "clause"},
    {"TLS", "tls"},       {"CODE", "code"},      {"TEXT", "text"},
};
static const struct command_column report_columns[] = {
    {"REPORT", "policy"}, {"DOMAIN", "domain"}, {"HOST", "mx"}, {"SESSIONS", "sessions"},
    {"FAILURE", "result"},
};
/* clang-format on */

static void print_stages(const json_t *rows, bool fit, const char *connector)
{
    size_t i;
    json_t *row;
    command_print_table(stdout, (json_t *)rows, COMMAND_TABLE(stage_columns));
    json_array_foreach(rows, i, row)
    {
        printf("\n%s:\n", json_string_value(json_object_get(row, "smtp-dane")));
        command_print_table(stdout, json_object_get(row, "trace"), COMMAND_TABLE(trace_columns));
        command_print_table(stdout, json_object_get(row, "report"), COMMAND_TABLE(report_columns));
    }
    printf("\n%s is %s for mandatory\n", connector, fit ? "fit" : "not fit");
}

static bool read_probes(const struct command_line *line, int64_t *probes)
{
    const char *said = command_said(line, "--probes");
    *probes = PROBES_DEFAULT;
    return said == NULL || (schema_parse_number(said, probes) && *probes >= 1 && *probes <= PROBES_MAX);
}

static int stage(struct command_look *look)
{
    struct err err;
    const struct connector *connector = connector_find(&look->line->config->routing, look->line->words[0]);
    int64_t probes;
    (void)read_probes(look->line, &probes);
    json_t *rows = json_array();
    bool fit = true, fine = true;
    for (size_t i = 0; fine && i < COUNT(stages); i++) {
        json_t *row = run_stage(look, connector, &stages[i], probes, &fit, &err);
        fine = row != NULL && json_array_append_new(rows, row) == 0;
    }
    if (fine && look->line->json) {
        json_t *all = json_pack("{s:s,s:b,s:O}", "connector", connector->name, "fit", (int)fit, "stages", rows);
        command_print_json(stdout, all);
        json_decref(all);
    } else if (fine) {
        print_stages(rows, fit, connector->name);
    }
    json_decref(rows);
    if (!fine)
        return command_failed(&err);
    return fit ? EXIT_SUCCESS : COMMAND_FAILED;
}

/* ---- the command line ---- */

static int do_validate(const struct command_line *line)
{
    return is_sound(line) ? command_with_look(line, validate) : COMMAND_MISUSED;
}

static int do_stage(const struct command_line *line)
{
    int64_t probes;
    if (!read_probes(line, &probes))
        return command_misused("--probes is a number from 1 to 100");
    return is_sound(line) ? command_with_look(line, stage) : COMMAND_MISUSED;
}

static const struct command_option validate_options[] = {
    {"--from", "SENDER", "of the test message; postmaster of this host by default"},
    {"--no-message", NULL, "without the test message"},
};
static const struct command_option stage_options[] = {
    {"--from", "SENDER", "of the probes; postmaster of this host by default"},
    {"--probes", "N", "so many mails a mode (3)"},
};
const struct command command_validate = {
    .name = "validate",
    .args = "CONNECTOR RCPT",
    .doc = "tries a connector task by task, then sends a test message through it",
    .run = do_validate,
    .options = validate_options,
    .option_count = COUNT(validate_options),
    .details = "Every host of the connector's next hops is resolved, connected to and spoken to with the connector's "
               "own demands. Status 0: every task succeeded, or had nothing to do."};
const struct command command_stage = {
    .name = "stage",
    .args = "CONNECTOR RCPT",
    .doc = "sends probes with smtp-dane opportunistic, then mandatory, on a copy of a connector",
    .run = do_stage,
    .options = stage_options,
    .option_count = COUNT(stage_options),
    .details =
        "The connector itself, its queue and its trace are left alone. Shown are the probes' own trace, and what a "
        "TLS report (RFC 8460) would say of them. Status 0: every probe was delivered in both modes."};
