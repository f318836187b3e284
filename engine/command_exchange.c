/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/command_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "engine/connector_change.h"
#include "engine/exchange.h"

/* ---- import ---- */

/* NULL: why was said. */
static json_t *read_records(const char *path)
{
    json_error_t wrong;
    bool standard = path == NULL || strcmp(path, "-") == 0;
    json_t *records = standard ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &wrong)
                               : json_load_file(path, JSON_REJECT_DUPLICATES, &wrong);
    if (records == NULL)
        fprintf(stderr, "mtalab-engine: %s:%d:%d: %s\n", standard ? "standard input" : path, wrong.line, wrong.column,
                wrong.text);
    return records;
}

/* What was imported makes a configuration like any other, and is looked at as such. */
static bool makes_sense(struct arena *arena, const char *text)
{
    struct diag_list *diags = diag_new(arena);
    const struct tree_node *root = tree_read_text(arena, "imported", text, strlen(text), diags);
    const struct tree_node *list = tree_get(root, "connectors");
    struct routing routing = {0};
    struct connector *connectors = arena_alloc(arena, (list != NULL ? list->count + 1 : 1) * sizeof *connectors);
    for (size_t i = 0; list != NULL && list->kind == TREE_LIST && i < list->count; i++)
        schema_read(arena, &connector_schema, list->items[i], &connectors[routing.connector_count++], diags);
    routing.connectors = connectors;
    connector_check(&routing, diags);
    diag_print(diags, stderr);
    return diag_errors(diags) == 0;
}

int command_import(const struct command_line *line)
{
    struct err err;
    char *text = NULL;
    size_t size = 0;
    if (line->word_count > 2)
        return command_misused("connector import wants one file, or standard input");
    json_t *records = read_records(line->word_count == 2 ? line->words[1] : NULL);
    FILE *out = records != NULL ? open_memstream(&text, &size) : NULL;
    if (out == NULL) {
        json_decref(records);
        return COMMAND_FAILED;
    }
    bool imported = exchange_import(records, out, &err);
    fclose(out);
    json_decref(records);
    bool sound = imported && makes_sense(line->arena, text);
    if (sound)
        fputs(text, stdout);
    free(text);
    return sound ? EXIT_SUCCESS : imported ? COMMAND_FAILED : command_failed(&err);
}

/* ---- export ---- */

static bool is_wanted(const struct command_line *line, const struct connector *c)
{
    return line->word_count < 2 || strcasecmp(line->words[1], c->name) == 0;
}

static void export_records(const struct command_line *line, const struct routing *routing)
{
    json_t *records = json_array();
    for (size_t i = 0; i < routing->connector_count; i++)
        if (is_wanted(line, &routing->connectors[i]))
            json_array_append_new(records, exchange_record(&routing->connectors[i]));
    command_print_json(stdout, records);
    json_decref(records);
}

int command_export(const struct command_line *line)
{
    struct err err;
    struct engine_config config = *line->config;
    if (!connector_changes_load(line->arena, &config, &err))
        return command_failed(&err);
    if (line->word_count > 2 || (line->word_count == 2 && connector_find(&config.routing, line->words[1]) == NULL))
        return command_misused("connector export wants the name of a connector, or nothing");
    if (line->json) {
        export_records(line, &config.routing);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < config.routing.connector_count; i++)
        if (is_wanted(line, &config.routing.connectors[i]))
            exchange_print_command(&config.routing.connectors[i], command_said(line, "--new") != NULL, stdout);
    return EXIT_SUCCESS;
}
