/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine what-if, inventory, reports - what the last days tell, and what follows from it. */
#include "engine/command_history.h"

#include <stdlib.h>
#include <time.h>

#include "engine/command_look.h"
#include "engine/command_words.h"
#include "engine/summary.h"

enum { DAY = 86400, DAYS_DEFAULT = 14, DAYS_MAX = 3650 };

/* ---- reading ---- */

bool command_past(const struct command_line *line, struct past *past, int *status)
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

void command_past_print(const struct command_line *line, json_t *rows, struct command_table table)
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
    {"DESTINATION", "destination"}, {"CONNECTOR", "connector"}, {"MANDATORY", "mandatory"},
    {"WOULD", "would"}, {"NOT", "would-not"}, {"BLOCKED", "blocked"}, {"OTHER", "other"},
    {"UNKNOWN", "unknown"}, {"SINCE", "first"}, {"CODE", "code"}, {"WHY", "why"},
};
/* clang-format on */

static int do_what_if(const struct command_line *line)
{
    struct past past;
    int status;
    if (!command_past(line, &past, &status))
        return status;
    json_t *rows = summary_what_if(line->arena, &past.history);
    command_past_print(line, rows, COMMAND_TABLE(what_if_columns));
    json_decref(rows);
    return EXIT_SUCCESS;
}

/* ---- inventory ---- */

/* clang-format off */
static const struct command_column inventory_columns[] = {
    {"DOMAIN", "domain"}, {"CRITICALITY", "criticality"}, {"OWNER", "owner"}, {"DNS", "dns"},
    {"PATH", "path"}, {"CONNECTOR", "connector"}, {"DANE", "smtp-dane"}, {"MTA-STS", "mta-sts"},
    {"LAST", "last"}, {"AT", "last-at"}, {"VOLUME", "volume"}, {"QUEUED", "queued"}, {"NOTE", "note"},
};
/* clang-format on */

static int do_inventory(const struct command_line *line)
{
    struct past past;
    int status;
    if (!command_past(line, &past, &status))
        return status;
    json_t *rows = summary_inventory(line->arena, line->config, &past.history);
    command_past_print(line, rows, COMMAND_TABLE(inventory_columns));
    json_decref(rows);
    return EXIT_SUCCESS;
}

/* ---- reports ---- */

/* clang-format off */
static const struct command_column queued_columns[] = {
    {"DESTINATION", "destination"}, {"RECIPIENTS", "recipients"}, {"OLDEST", "oldest"},
    {"CODE", "code"}, {"TEXT", "text"},
};
static const struct command_column blocked_columns[] = {
    {"DESTINATION", "destination"}, {"KIND", "kind"}, {"CODE", "code"}, {"COUNT", "count"},
    {"ERROR", "text"},
};
static const struct command_column sent_columns[] = {{"PROTECTION", "protection"}, {"SENT", "sent"}};
static const struct command_column clear_columns[] = {
    {"DESTINATION", "destination"}, {"SENT", "sent"}, {"LAST", "last"},
};
static const struct command_column connector_columns[] = {
    {"CONNECTOR", "connector"}, {"SENT", "sent"}, {"DANE", "dane"}, {"MTA-STS", "mta-sts"},
    {"TLS", "tls"}, {"NONE", "none"}, {"TLSv1.2", "TLSv1.2"}, {"TLSv1.3", "TLSv1.3"},
};
static const struct command_column ndr_columns[] = {
    {"CODE", "code"}, {"COUNT", "count"}, {"MESSAGE", "message"}, {"TEXT", "text"},
};
static const struct {
    const char *key, *title;
    struct command_table table;
} reports[] = {
    {"queued", "Queued for more than an hour", COMMAND_TABLE(queued_columns)},
    {"blocked", "Blocked", COMMAND_TABLE(blocked_columns)},
    {"sent", "Sent", COMMAND_TABLE(sent_columns)},
    {"clear", "Sent in the clear", COMMAND_TABLE(clear_columns)},
    {"connectors", "By connector", COMMAND_TABLE(connector_columns)},
    {"ndr", "Non-delivery reports", COMMAND_TABLE(ndr_columns)},
};
/* clang-format on */

static int do_reports(const struct command_line *line)
{
    struct past past;
    int status;
    if (!command_past(line, &past, &status))
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
    COMMAND_DAYS,
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
    .doc = "queued for an hour, blocked, how mail was sent, where to in the clear, by connector, non-delivery codes",
    .run = do_reports,
    .options = days_options,
    .option_count = COUNT(days_options)};
