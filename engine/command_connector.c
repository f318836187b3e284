/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine connector, fallback - the connectors, and what is changed about them while mail flows. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/command_exchange.h"
#include "engine/command_words.h"
#include "engine/connector_change.h"
#include "engine/control.h"

/* ---- changing ---- */

/* Without a running engine the change waits in the file for the next one. */
static int change_alone(const struct command_line *line, const json_t *request)
{
    struct err err;
    struct change_list wanted = {0};
    struct routing routing;
    if (!connector_changes_read(line->arena, request, &wanted, &err) ||
        !connector_changes_make(line->arena, line->config, time(NULL) + (int64_t)line->config->clock_offset, &wanted,
                                &routing, &err))
        return command_failed(&err);
    printf(line->json ? "{\"ok\":true,\"engine\":false}\n" : "changed; no engine runs\n");
    return EXIT_SUCCESS;
}

/* Takes the settings. */
static int change(const struct command_line *line, const char *name, json_t *set)
{
    struct err err;
    json_t *request = json_pack("{s:s,s:s,s:o}", "do", "connector", "name", name, "set", set);
    json_t *answer = control_ask(line->config->control, json_deep_copy(request), &err);
    const char *why = json_string_value(json_object_get(answer, "error"));
    int status = EXIT_SUCCESS;
    if (answer == NULL) {
        status = change_alone(line, request);
    } else if (why != NULL) {
        err_set(&err, ERR_INPUT, "%s", why);
        status = command_failed(&err);
    } else {
        printf(line->json ? "{\"ok\":true,\"engine\":true}\n" : "changed, for every attempt from now on\n");
    }
    json_decref(answer);
    json_decref(request);
    return status;
}

static int do_set(const struct command_line *line)
{
    if (line->word_count < 3)
        return command_misused("connector set wants a connector and KEY=VALUE");
    json_t *set = json_object();
    for (size_t i = 2; i < line->word_count; i++) {
        const char *equals = strchr(line->words[i], '=');
        if (equals == NULL) {
            json_decref(set);
            return command_misused("connector set wants KEY=VALUE");
        }
        const char *key = arena_strndup(line->arena, line->words[i], (size_t)(equals - line->words[i]));
        json_object_set_new(set, key, json_string(equals + 1));
    }
    return change(line, line->words[1], set);
}

/* Everything that was changed about it is as in the file again. */
static int do_reset(const struct command_line *line)
{
    struct err err;
    if (line->word_count != 2)
        return command_misused("connector reset wants a connector");
    json_t *log = connector_changes_log(line->arena, line->config, &err), *set = json_object(), *row;
    size_t i;
    json_array_foreach(log, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "connector"));
        if (strcasecmp(name, line->words[1]) == 0)
            json_object_set_new(set, json_string_value(json_object_get(row, "key")), json_null());
    }
    bool readable = log != NULL, any = json_object_size(set) > 0;
    json_decref(log);
    if (readable && any)
        return change(line, line->words[1], set);
    json_decref(set);
    if (!readable)
        return command_failed(&err);
    printf(line->json ? "{\"ok\":true}\n" : "nothing was changed about it\n");
    return EXIT_SUCCESS;
}

static int do_fallback(const struct command_line *line)
{
    static const char *const words[] = {"on", "off", NULL};
    if (line->word_count != 2 || (strcmp(line->words[1], "on") != 0 && strcmp(line->words[1], words[1]) != 0))
        return command_misused("fallback wants a connector, and on or off");
    const char *value = strcmp(line->words[1], "on") == 0 ? "yes" : "no";
    return change(line, line->words[0], json_pack("{s:s}", "fallback-on", value));
}

/* ---- looking ---- */

static json_t *join(const struct schema_texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}

static const char *route_of(struct arena *arena, const struct connector *c)
{
    const char *text = "";
    for (size_t i = 0; connector_by_smart_host(c) && i < c->smart_hosts.count; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? "," : "", c->smart_hosts.items[i]);
    return *text != '\0' ? text : "MX";
}

static const char *scope_of(struct arena *arena, const struct connector *c)
{
    const char *text = c->only_by_rule ? "(by rule)" : c->all_accepted_domains ? "(accepted domains)" : "";
    for (size_t i = 0; i < c->recipient_domains.count; i++)
        text = arena_printf(arena, "%s%s%s", text, *text != '\0' ? "," : "", c->recipient_domains.items[i]);
    return text;
}

static const char *state_of(struct arena *arena, const struct connector *c)
{
    if (c->fallback_on)
        return arena_printf(arena, "by %s", c->fallback);
    return !c->enabled ? "off" : c->test_mode ? "test" : "on";
}

static json_t *row_of(struct arena *arena, const struct connector *c)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:s?}", "name", c->name, "state", state_of(arena, c),
                     "smtp-dane", connector_dane_words[c->dane], "mta-sts", connector_sts_words[c->mta_sts], "tls",
                     connector_tls_words[c->tls], "route", route_of(arena, c), "scope", scope_of(arena, c),
                     "recipient-domains", join(&c->recipient_domains), "smart-hosts", join(&c->smart_hosts), "fallback",
                     c->fallback);
}

/* clang-format off */
static const struct command_column list_columns[] = {
    {"NAME", "name", 20}, {"STATE", "state", 8}, {"DANE", "smtp-dane", 13}, {"MTA-STS", "mta-sts", 13},
    {"TLS", "tls", 22}, {"ROUTE", "route", 24}, {"SCOPE", "scope", 0},
};
static const struct command_column log_columns[] = {
    {"AT", "at", 20}, {"CONNECTOR", "connector", 20}, {"SETTING", "key", 20}, {"VALUE", "value", 0},
};
/* clang-format on */

static int print_rows(const struct command_line *line, json_t *rows, struct command_table table)
{
    if (line->json)
        command_print_json(stdout, rows);
    else
        command_print_table(stdout, rows, table);
    json_decref(rows);
    return EXIT_SUCCESS;
}

static int do_list(const struct command_line *line)
{
    struct err err;
    struct engine_config config = *line->config;
    json_t *rows = json_array();
    if (!connector_changes_load(line->arena, &config, &err))
        return command_failed(&err);
    for (size_t i = 0; i < config.routing.connector_count; i++)
        json_array_append_new(rows, row_of(line->arena, &config.routing.connectors[i]));
    return print_rows(line, rows, COMMAND_TABLE(list_columns));
}

static void date_row(struct arena *arena, json_t *row)
{
    char text[32];
    time_t at = (time_t)json_integer_value(json_object_get(row, "at"));
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
    json_object_set_new(row, "at", json_string(arena_strdup(arena, text)));
    if (json_is_null(json_object_get(row, "value")))
        json_object_set_new(row, "value", json_string("(as in the file)"));
}

static int do_log(const struct command_line *line)
{
    struct err err;
    json_t *log = connector_changes_log(line->arena, line->config, &err), *row;
    size_t i;
    if (log == NULL)
        return command_failed(&err);
    json_array_foreach(log, i, row) if (!line->json) date_row(line->arena, row);
    return print_rows(line, log, COMMAND_TABLE(log_columns));
}

/* ---- the words ---- */

static const struct {
    const char *word;
    int (*run)(const struct command_line *line);
    bool no_config;
} words[] = {
    {"list", do_list, false}, {"set", do_set, false},           {"reset", do_reset, false},
    {"log", do_log, false},   {"import", command_import, true}, {"export", command_export, false},
};

static int do_connector(const struct command_line *said)
{
    struct command_line line = *said;
    size_t i = 0;
    while (i < COUNT(words) && (line.word_count == 0 || strcmp(words[i].word, line.words[0]) != 0))
        i++;
    if (i == COUNT(words))
        return command_misused("connector wants list, set, reset, log, import or export");
    return words[i].no_config || command_load_config(&line) ? words[i].run(&line) : COMMAND_MISUSED;
}

static const struct command_option options[] = {
    {"--new", NULL, "export New-OutboundConnector lines"},
};
const struct command command_connector = {
    .name = "connector",
    .args = "list|set|reset|log|import|export ...",
    .doc = "the connectors, and changes to them that take effect at each message's next attempt",
    .run = do_connector,
    .details = "connector list: every connector as it is in force\n"
               "connector set NAME KEY=VALUE...: changes settings, for good; a list has commas\n"
               "connector reset NAME: what was changed about it is as in the file again\n"
               "connector log: every change with its date\n"
               "connector import [FILE]: records of Get-OutboundConnector | ConvertTo-Json as a configuration\n"
               "connector export [NAME]: Set-OutboundConnector lines; with --json the records",
    .options = options,
    .option_count = COUNT(options),
    .no_config = true,
    .as_written = true};
const struct command command_fallback = {.name = "fallback",
                                         .args = "NAME on|off",
                                         .doc = "lets the connector's fallback carry its mail, or no longer",
                                         .run = do_fallback,
                                         .as_written = true};
