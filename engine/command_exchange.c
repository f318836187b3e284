/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/command_exchange.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/connector_change.h"
#include "engine/exchange.h"

enum { RECORDS_MAX = 16 << 20 };

/* ---- import ---- */

/* What Windows PowerShell writes to a file is UTF-16 behind a mark. */
static const char *as_utf8(struct arena *arena, const char *text, size_t *length)
{
    if (*length < 2 || (memcmp(text, "\xff\xfe", 2) != 0 && memcmp(text, "\xfe\xff", 2) != 0))
        return text_past_mark(text, length);
    size_t room = *length * 2, left = room;
    char *made = arena_alloc(arena, room), *to = made, *from = (char *)text;
    iconv_t turn = iconv_open("UTF-8", "UTF-16");
    if (turn == (iconv_t)-1)
        return text;
    iconv(turn, &from, length, &to, &left); /* where it ends early, the JSON does */
    iconv_close(turn);
    *length = room - left;
    return made;
}

/* NULL: why was said. */
static json_t *read_records(struct arena *arena, const char *path)
{
    struct err err;
    json_error_t wrong;
    size_t length;
    bool standard = path == NULL || strcmp(path, "-") == 0;
    const char *text = text_read_file(arena, standard ? "/dev/stdin" : path, RECORDS_MAX, &length, &err);
    if (text == NULL) {
        command_failed(&err);
        return NULL;
    }
    text = as_utf8(arena, text, &length);
    json_t *records = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
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
    json_t *records = read_records(line->arena, line->word_count == 2 ? line->words[1] : NULL);
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
