/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine gate - may a connector become mandatory? */
#include "engine/command_gate.h"

#include <stdlib.h>
#include <string.h>

#include "engine/command_look.h"
#include "engine/command_words.h"
#include "engine/gate.h"

/* ---- the present ---- */

/* Which hosts would take mail under mandatory DANE, right now? */
static void look_at_hosts(struct command_look *look, const struct connector *connector, struct gate_row *row)
{
    struct arena *arena = look->line->arena;
    struct channel_setting setting = channel_setting(look->line->config, connector);
    struct smart_host hop = {.name = row->destination, .by_name = true};
    if (row->is_smart_host && !smart_host_parse(arena, row->destination, &hop))
        return; /* no configuration has such a thing */
    setting.dane = DANE_MANDATORY;
    const struct survey *survey = survey_hop(&look->surveyor, &hop, row->is_smart_host, &setting);
    for (size_t i = 0; i < survey->visit_count; i++)
        if (survey->visits[i].failure.cause == CAUSE_NONE)
            row->green++;
        else
            row->why = arena_printf(arena, "%s: %s", survey->visits[i].name,
                                    status_of(arena, &survey->visits[i].failure, row->destination).text);
    row->hosts = survey->visit_count;
    if (row->hosts == 0)
        row->why = status_of(arena, &survey->no_host, row->destination).text;
}

/* ---- both ---- */

/* clang-format off */
static const struct command_column columns[] = {
    {"DESTINATION", "destination"}, {"GATE", "gate"}, {"BY-DANE", "would"}, {"SINCE", "since"},
    {"HOSTS", "hosts"}, {"GREEN", "green"}, {"WHY", "why"},
};
/* clang-format on */
const struct command_table command_gate_table = {columns, COUNT(columns)};

static json_t *json_of(const struct gate_row *row)
{
    const struct forecast *f = row->forecast;
    return json_pack("{s:s,s:s,s:I,s:I,s:i,s:i,s:s?}", "destination", row->destination, "gate",
                     row->why == NULL ? "open" : "shut", "would", (json_int_t)(f != NULL ? f->would : 0), "since",
                     (json_int_t)(f != NULL ? f->first : 0), "hosts", (int)row->hosts, "green", (int)row->green, "why",
                     row->why);
}

json_t *command_gate_rows(const struct past *past, const struct routing *routing, const struct connector *connector)
{
    struct command_look look;
    struct gate_question question = {routing, connector, &past->history, past->days};
    if (!command_look_begin(&look, past->line))
        return NULL;
    struct gate_rows rows = gate_past(past->line->arena, &question);
    json_t *list = json_array();
    for (size_t i = 0; i < rows.count; i++) {
        if (!connector_by_smart_host(connector) || rows.items[i].is_smart_host)
            look_at_hosts(&look, connector, &rows.items[i]);
        json_array_append_new(list, json_of(&rows.items[i]));
    }
    command_look_end(&look);
    return list;
}

bool command_gate_is_open(const json_t *rows)
{
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i,
                       row) if (strcmp(json_string_value(json_object_get(row, "gate")), "open") != 0) return false;
    return json_array_size(rows) > 0;
}

/* ---- the word ---- */

static int do_gate(const struct command_line *line)
{
    struct past past;
    int status;
    if (line->word_count != 1)
        return command_misused("gate wants a connector");
    const struct connector *connector = connector_find(&line->config->routing, line->words[0]);
    if (connector == NULL)
        return command_misused("no connector has that name");
    if (!command_past(line, &past, &status))
        return status;
    json_t *rows = command_gate_rows(&past, &line->config->routing, connector);
    if (rows == NULL)
        return COMMAND_FAILED;
    bool open = command_gate_is_open(rows);
    command_past_print(line, rows, command_gate_table);
    json_decref(rows);
    return open ? EXIT_SUCCESS : COMMAND_FAILED;
}

static const struct command_option options[] = {COMMAND_DAYS};
const struct command command_gate = {
    .name = "gate",
    .args = "CONNECTOR",
    .doc = "may this connector become mandatory? No failure in so many days, and every MX host passes now",
    .run = do_gate,
    .options = options,
    .option_count = COUNT(options),
    .details = "Status 0: open for every destination; 1: shut, and why. Of a connector that goes by smart hosts these "
               "are looked at, each by the MX hosts of its name. 'connector set' asks the same before it makes a "
               "connector mandatory."};
