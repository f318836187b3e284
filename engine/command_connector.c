/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine connector, fallback - the connectors, and what is changed about them while mail flows. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "engine/command_exchange.h"
#include "engine/command_gate.h"
#include "engine/command_words.h"
#include "engine/connector_change.h"
#include "engine/control.h"
#include "engine/gate.h"

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

/* Takes the request. */
static int change(const struct command_line *line, json_t *request)
{
    struct err err;
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

/* ---- the gate before mandatory ---- */

/* The first connector that would hold up mail which it does not hold up now; NULL: none, or *err. */
static const struct connector *find_concerned(const struct command_line *line, const json_t *request,
                                              struct routing *next, struct err *err)
{
    struct engine_config config = *line->config;
    struct change_list wanted = {0};
    *err = (struct err){0};
    if (!connector_changes_read(line->arena, request, &wanted, err) ||
        !connector_changes_load(line->arena, &config, err) ||
        !connector_changes_try(line->arena, line->config, &wanted, next, err))
        return NULL;
    for (size_t i = 0; i < next->connector_count; i++)
        if (gate_concerns(connector_find(&config.routing, next->connectors[i].name), &next->connectors[i]))
            return &next->connectors[i];
    return NULL;
}

static int refuse(const struct command_line *line, const struct connector *connector, json_t *rows)
{
    const char *why = arena_printf(line->arena,
                                   "connector '%s' stays as it is: it would hold up mail that DANE does not "
                                   "authenticate, and the gate is shut; --force changes it all the same",
                                   connector->name);
    if (line->json) {
        json_t *answer = json_pack("{s:b,s:s,s:O}", "ok", 0, "error", why, "gate", rows);
        command_print_json(stdout, answer);
        json_decref(answer);
    } else {
        fprintf(stderr, "mtalab-engine: %s\n", why);
        command_past_print(line, rows, command_gate_table);
    }
    return COMMAND_FAILED;
}

/* May the connector change? EXIT_SUCCESS, or why not was said. */
static int pass_gate(const struct command_line *line, const struct connector *connector, const struct routing *next)
{
    struct past past;
    int status;
    if (!command_past(line, &past, &status))
        return status;
    json_t *rows = command_gate_rows(&past, next, connector);
    if (rows == NULL)
        return COMMAND_FAILED;
    status = command_gate_is_open(rows) ? EXIT_SUCCESS : refuse(line, connector, rows);
    json_decref(rows);
    return status;
}

/* Takes the settings. */
static int change_by_gate(const struct command_line *line, const char *name, json_t *set)
{
    struct err err;
    struct routing next;
    json_t *request = json_pack("{s:s,s:s,s:o}", "do", "connector", "name", name, "set", set);
    const struct connector *concerned = find_concerned(line, request, &next, &err);
    bool forced = command_said(line, "--force") != NULL;
    int status = EXIT_SUCCESS;
    if (concerned != NULL && !forced)
        status = pass_gate(line, concerned, &next);
    if (concerned != NULL)
        json_object_set_new(request, "note", json_string(forced ? "past the gate, by --force" : "the gate was open"));
    if (status == EXIT_SUCCESS)
        return change(line, request);
    json_decref(request);
    return status;
}

/* ---- the words that change ---- */

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
    return change_by_gate(line, line->words[1], set);
}

/* Everything that was changed about it is as in the file again. */
static int do_reset(const struct command_line *line)
{
    struct err err;
    if (line->word_count != 2)
        return command_misused("connector reset wants a connector");
    bool known = connector_find(&line->config->routing, line->words[1]) != NULL;
    json_t *log = connector_changes_log(line->arena, line->config, &err), *set = json_object(), *row;
    size_t i;
    json_array_foreach(log, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "connector"));
        bool made_here = text_same(json_string_value(json_object_get(row, "by")), "command");
        if (made_here && strcasecmp(name, line->words[1]) == 0)
            json_object_set_new(set, json_string_value(json_object_get(row, "key")), json_null());
    }
    bool readable = log != NULL, any = json_object_size(set) > 0;
    json_decref(log);
    if (readable && any)
        return change_by_gate(line, line->words[1], set);
    json_decref(set);
    if (readable && !known)
        (void)err_set(&err, ERR_INPUT, "no connector is named '%s', and nothing was changed about one", line->words[1]);
    if (!readable || !known)
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
    return change(line, json_pack("{s:s,s:s,s:{s:s}}", "do", "connector", "name", line->words[0], "set", "fallback-on",
                                  value));
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
    {"NAME", "name"}, {"STATE", "state"}, {"DANE", "smtp-dane"}, {"MTA-STS", "mta-sts"},
    {"TLS", "tls"}, {"ROUTE", "route"}, {"SCOPE", "scope"},
};
static const struct command_column log_columns[] = {
    {"AT", "at"}, {"CONNECTOR", "connector"}, {"BY", "by"}, {"SETTING", "key"}, {"VALUE", "value"},
    {"NOTE", "note"},
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
    bool by_file = text_same(json_string_value(json_object_get(row, "by")), "file");
    int64_t at = json_integer_value(json_object_get(row, "at"));
    json_object_set_new(row, "at", json_string(text_time(arena, at, TEXT_RFC3339)));
    if (json_is_null(json_object_get(row, "value")))
        json_object_set_new(row, "value", json_string(by_file ? "(gone)" : "(as in file)"));
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
    {"--force", NULL, "set, reset: past the gate before mandatory"},
    {"--days", "N", "set, reset: so many days has the gate to have watched (14)"},
};
const struct command command_connector = {
    .name = "connector",
    .args = "list|set|reset|log|import|export ...",
    .doc = "the connectors, and changes to them that take effect at each message's next attempt",
    .run = do_connector,
    .details = "connector list: every connector as it is in force\n"
               "connector set NAME KEY=VALUE...: changes settings, for good; a list has commas. Where the connector "
               "would then hold up mail that DANE does not authenticate, 'gate' is asked first, and has to be open\n"
               "connector reset NAME: what was changed about it is as in the file again\n"
               "connector log: every change with its date, and what the file has changed about modes\n"
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
