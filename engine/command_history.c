/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine what-if, gate, inventory, reports - what the last days tell, and what follows from it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/command_look.h"
#include "engine/command_words.h"
#include "engine/scope.h"
#include "engine/summary.h"

enum { DAY = 86400, DAYS_DEFAULT = 14, DAYS_MAX = 3650 };

/* ---- reading ---- */

struct past {
    const struct command_line *line;
    int64_t days;
    struct history history;
};

/* What is wrong was said, and *status is what to return. */
static bool read_past(const struct command_line *line, struct past *past, int *status)
{
    const char *said = command_said(line, "--days");
    struct err err;
    *past = (struct past){.line = line, .days = DAYS_DEFAULT};
    *status = COMMAND_MISUSED;
    if (said != NULL && (!schema_parse_number(said, &past->days) || past->days < 1 || past->days > DAYS_MAX)) {
        command_misused("--days is a number of days");
        return false;
    }
    int64_t now = (int64_t)time(NULL) + (int64_t)line->config->clock_offset;
    bool fine = history_read(line->arena, line->config, now - past->days * DAY, now, &past->history, &err);
    *status = fine ? EXIT_SUCCESS : command_failed(&err);
    return fine;
}

/* ---- printing ---- */

static void name_times(struct arena *arena, json_t *rows)
{
    static const char *const keys[] = {"first", "last", "last-at", "oldest", "since"};
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < COUNT(keys); k++)
            if (json_is_integer(json_object_get(row, keys[k])))
                json_object_set_new(row, keys[k],
                                    json_string(
                                        command_time(arena, json_integer_value(json_object_get(row, keys[k])))));
    }
}

static void print(const struct command_line *line, json_t *rows, struct command_table table)
{
    name_times(line->arena, rows);
    if (line->json)
        command_print_json(stdout, rows);
    else if (command_said(line, "--csv") != NULL)
        command_print_csv(stdout, rows);
    else
        command_print_table(stdout, rows, table);
}

/* ---- what-if ---- */

/* clang-format off */
static const struct command_column what_if_columns[] = {
    {"DESTINATION", "destination", 28}, {"CONNECTOR", "connector", 16}, {"MANDATORY", "mandatory", 18},
    {"WOULD", "would", 6}, {"NOT", "would-not", 6}, {"BLOCKED", "blocked", 7}, {"OTHER", "other", 6},
    {"UNKNOWN", "unknown", 7}, {"SINCE", "first", 20}, {"CODE", "code", 8}, {"WHY", "why", 0},
};
/* clang-format on */

static int do_what_if(const struct command_line *line)
{
    struct past past;
    int status;
    if (!read_past(line, &past, &status))
        return status;
    json_t *rows = summary_what_if(line->arena, &past.history);
    print(line, rows, COMMAND_TABLE(what_if_columns));
    json_decref(rows);
    return EXIT_SUCCESS;
}

/* ---- gate ---- */

struct gate_row {
    const char *destination;
    const struct forecast *forecast; /* NULL: nothing was sent */
    size_t hosts, green;
    const char *why; /* it is shut; NULL: open */
};

/* Which hosts would take mail under mandatory DANE, right now? */
static void look_at_hosts(struct command_look *look, const struct connector *connector, struct gate_row *row)
{
    struct channel_setting setting = channel_setting(look->line->config, connector);
    struct smart_host hop = {.name = row->destination, .by_name = true};
    setting.dane = DANE_MANDATORY;
    const struct survey *survey = survey_hop(&look->surveyor, &hop, false, &setting);
    for (size_t i = 0; i < survey->visit_count; i++)
        if (survey->visits[i].failure.cause == CAUSE_NONE)
            row->green++;
        else
            row->why = arena_printf(look->line->arena, "%s: %s", survey->visits[i].name,
                                    status_of(look->line->arena, &survey->visits[i].failure, row->destination).text);
    row->hosts = survey->visit_count;
    if (row->hosts == 0)
        row->why = status_of(look->line->arena, &survey->no_host, row->destination).text;
}

static void look_at_past(const struct past *past, struct gate_row *row)
{
    const struct forecast *f = row->forecast;
    struct arena *arena = past->line->arena;
    if (f == NULL || f->would == 0)
        row->why = arena_printf(arena, "no mail went there by DANE in the last %lld days", (long long)past->days);
    else if (!forecast_is_good(f))
        row->why = arena_printf(arena, "%lld of %lld attempts would not have done: %s %s",
                                (long long)(f->would_not + f->blocked + f->unknown),
                                (long long)(f->would + f->would_not + f->blocked + f->unknown),
                                f->code != NULL ? f->code : "", f->why != NULL ? f->why : "DANE was not looked at");
    else if (past->history.now - f->first < (past->days - 1) * DAY)
        row->why = arena_printf(arena, "it has been watched for %lld of %lld days only",
                                (long long)((past->history.now - f->first) / DAY), (long long)past->days);
}

struct gate_rows {
    struct gate_row *items;
    size_t count, room;
};

static struct gate_row *gate_row_for(struct arena *arena, struct gate_rows *rows, const char *destination)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->items[i].destination, destination) == 0)
            return &rows->items[i];
    struct gate_row *row = ARENA_PUSH(arena, rows);
    *row = (struct gate_row){.destination = destination};
    return row;
}

/* Where mail has gone that the connector's scope covers, and what its scope names. */
static struct gate_rows destinations_of(const struct past *past, const struct connector *c)
{
    struct arena *arena = past->line->arena;
    struct forecasts forecasts = summary_forecasts(arena, &past->history);
    struct gate_rows rows = {0};
    for (size_t i = 0; i < c->recipient_domains.count; i++)
        if (strchr(c->recipient_domains.items[i], '*') == NULL)
            gate_row_for(arena, &rows, c->recipient_domains.items[i]);
    for (size_t i = 0; i < forecasts.count; i++) {
        const struct forecast *f = &forecasts.items[i];
        if (strcasecmp(f->connector, c->name) == 0 || scope_any_covers(&c->recipient_domains, f->destination))
            gate_row_for(arena, &rows, f->destination)->forecast = f;
    }
    return rows;
}

/* clang-format off */
static const struct command_column gate_columns[] = {
    {"DESTINATION", "destination", 28}, {"GATE", "gate", 5}, {"BY-DANE", "would", 7}, {"SINCE", "since", 20},
    {"HOSTS", "hosts", 5}, {"GREEN", "green", 5}, {"WHY", "why", 0},
};
/* clang-format on */

static json_t *json_of_gate(const struct gate_row *row)
{
    const struct forecast *f = row->forecast;
    return json_pack("{s:s,s:s,s:I,s:I,s:i,s:i,s:s?}", "destination", row->destination, "gate",
                     row->why == NULL ? "open" : "shut", "would", (json_int_t)(f != NULL ? f->would : 0), "since",
                     (json_int_t)(f != NULL ? f->first : 0), "hosts", (int)row->hosts, "green", (int)row->green, "why",
                     row->why);
}

static int gate(const struct past *past, struct command_look *look, const struct connector *connector)
{
    struct gate_rows rows = destinations_of(past, connector);
    json_t *list = json_array();
    bool open = rows.count > 0;
    for (size_t i = 0; i < rows.count; i++) {
        look_at_past(past, &rows.items[i]);
        look_at_hosts(look, connector, &rows.items[i]);
        open &= rows.items[i].why == NULL;
        json_array_append_new(list, json_of_gate(&rows.items[i]));
    }
    print(past->line, list, COMMAND_TABLE(gate_columns));
    json_decref(list);
    return open ? EXIT_SUCCESS : COMMAND_FAILED;
}

static int do_gate(const struct command_line *line)
{
    struct past past;
    struct command_look look;
    int status;
    if (line->word_count != 1)
        return command_misused("gate wants a connector");
    if (!read_past(line, &past, &status))
        return status;
    const struct connector *connector = connector_find(&line->config->routing, line->words[0]);
    if (connector == NULL || connector_by_smart_host(connector))
        return command_misused(connector == NULL ? "no connector has that name"
                                                 : "gate is for connectors that deliver to MX hosts");
    if (!command_look_begin(&look, line))
        return COMMAND_FAILED;
    status = gate(&past, &look, connector);
    command_look_end(&look);
    return status;
}

/* ---- inventory ---- */

/* clang-format off */
static const struct command_column inventory_columns[] = {
    {"DOMAIN", "domain", 26}, {"CRITICALITY", "criticality", 11}, {"OWNER", "owner", 16}, {"DNS", "dns", 18},
    {"PATH", "path", 10}, {"CONNECTOR", "connector", 14}, {"DANE", "smtp-dane", 13}, {"MTA-STS", "mta-sts", 13},
    {"LAST", "last", 8}, {"AT", "last-at", 20}, {"VOLUME", "volume", 7}, {"QUEUED", "queued", 6}, {"NOTE", "note", 0},
};
/* clang-format on */

static int do_inventory(const struct command_line *line)
{
    struct past past;
    int status;
    if (!read_past(line, &past, &status))
        return status;
    json_t *rows = summary_inventory(line->arena, line->config, &past.history);
    print(line, rows, COMMAND_TABLE(inventory_columns));
    json_decref(rows);
    return EXIT_SUCCESS;
}

/* ---- reports ---- */

/* clang-format off */
static const struct command_column queued_columns[] = {
    {"DESTINATION", "destination", 28}, {"RECIPIENTS", "recipients", 10}, {"OLDEST", "oldest", 20},
    {"CODE", "code", 8}, {"TEXT", "text", 0},
};
static const struct command_column blocked_columns[] = {
    {"DESTINATION", "destination", 28}, {"KIND", "kind", 10}, {"CODE", "code", 8}, {"COUNT", "count", 7},
    {"ERROR", "text", 0},
};
static const struct command_column sent_columns[] = {{"PROTECTION", "protection", 10}, {"SENT", "sent", 7}};
static const struct command_column connector_columns[] = {
    {"CONNECTOR", "connector", 20}, {"SENT", "sent", 7}, {"DANE", "dane", 7}, {"MTA-STS", "mta-sts", 7},
    {"TLS", "tls", 7}, {"NONE", "none", 7}, {"TLSv1.2", "TLSv1.2", 7}, {"TLSv1.3", "TLSv1.3", 7},
};
static const struct command_column ndr_columns[] = {
    {"CODE", "code", 8}, {"COUNT", "count", 7}, {"MESSAGE", "message", 7}, {"TEXT", "text", 0},
};
static const struct {
    const char *key, *title;
    struct command_table table;
} reports[] = {
    {"queued", "Queued for more than an hour", COMMAND_TABLE(queued_columns)},
    {"blocked", "Blocked", COMMAND_TABLE(blocked_columns)},
    {"sent", "Sent", COMMAND_TABLE(sent_columns)},
    {"connectors", "By connector", COMMAND_TABLE(connector_columns)},
    {"ndr", "Non-delivery reports", COMMAND_TABLE(ndr_columns)},
};
/* clang-format on */

static int do_reports(const struct command_line *line)
{
    struct past past;
    int status;
    if (!read_past(line, &past, &status))
        return status;
    json_t *all = summary_reports(line->arena, &past.history);
    for (size_t i = 0; i < COUNT(reports); i++)
        name_times(line->arena, json_object_get(all, reports[i].key));
    if (line->json)
        command_print_json(stdout, all);
    for (size_t i = 0; !line->json && i < COUNT(reports); i++) {
        printf("%s%s\n", i > 0 ? "\n" : "", reports[i].title);
        command_print_table(stdout, json_object_get(all, reports[i].key), reports[i].table);
    }
    json_decref(all);
    return EXIT_SUCCESS;
}

/* ---- the words ---- */

static const struct command_option days_options[] = {
    {"--days", "N", "looks back so many days (14); the trace is kept for trace-keep"},
};
static const struct command_option inventory_options[] = {
    {"--days", "N", "volume and last class of so many days (14)"},
    {"--csv", NULL, "comma-separated values instead of a table"},
};
const struct command command_what_if = {
    .name = "what-if",
    .args = "",
    .doc = "for each destination: would mandatory DANE have delivered its mail of the last days?",
    .run = do_what_if,
    .options = days_options,
    .option_count = COUNT(days_options),
    .details = "WOULD counts attempts over a host that DANE authenticated, NOT those over a host that mandatory would "
               "have refused, BLOCKED what was held up by security as it is, OTHER what failed for other reasons, "
               "UNKNOWN what went where DANE was not looked at."};
const struct command command_gate = {
    .name = "gate",
    .args = "CONNECTOR",
    .doc = "may this connector become mandatory? No failure in so many days, and every MX host passes now",
    .run = do_gate,
    .options = days_options,
    .option_count = COUNT(days_options),
    .details = "Status 0: open for every destination; 1: shut, and why."};
const struct command command_inventory = {
    .name = "inventory",
    .args = "",
    .doc = "every destination: owner, criticality, path, whose DNS, connector, modes, last class, volume",
    .run = do_inventory,
    .options = inventory_options,
    .option_count = COUNT(inventory_options)};
const struct command command_reports = {
    .name = "reports",
    .args = "",
    .doc = "what is queued for over an hour, blocked, how mail was sent, by connector, non-delivery codes",
    .run = do_reports,
    .options = days_options,
    .option_count = COUNT(days_options)};
