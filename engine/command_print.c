/* SPDX-License-Identifier: BSD-2-Clause
 * What every command prints with. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/command.h"
#include "engine/control.h"

void command_print_json(FILE *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    fprintf(out, "%s\n", text != NULL ? text : "null");
    free(text);
}

/* A field as text, in the buffer if it is a number. */
static const char *field(json_t *row, const char *name, char buffer[32])
{
    json_t *value = json_object_get(row, name);
    if (json_is_integer(value))
        snprintf(buffer, 32, "%lld", (long long)json_integer_value(value));
    return json_is_integer(value) ? buffer : json_is_string(value) ? json_string_value(value) : "";
}

/* ---- rows with times ---- */

/* 0 is no time. */
static json_t *time_text(struct arena *arena, json_int_t at)
{
    return json_string(at != 0 ? text_time(arena, at, TEXT_SECONDS) : "");
}

static void name_times(struct arena *arena, json_t *row)
{
    static const char *const keys[] = {"at", "received", "due", "arrived", "begins"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        json_t *value = json_object_get(row, keys[i]);
        if (json_is_integer(value))
            json_object_set_new(row, keys[i], time_text(arena, json_integer_value(value)));
    }
}

void command_print_rows(const struct command_line *line, json_t *rows, struct command_table table)
{
    size_t i;
    json_t *row;
    if (line->json) {
        command_print_json(stdout, rows);
        return;
    }
    json_array_foreach(rows, i, row)
    {
        name_times(line->arena, row);
    }
    command_print_table(stdout, rows, table);
}

/* ---- asking the engine ---- */

/* RFC 4180. A text that a spreadsheet would take for a formula gets a quote in front. */
static void print_csv_field(FILE *out, const char *text)
{
    bool formula = strchr("=+-@", text[0]) != NULL && text[0] != '\0';
    fputs(formula ? "\"'" : "\"", out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void command_print_csv(FILE *out, json_t *rows)
{
    size_t i;
    json_t *row, *value;
    const char *key, *comma;
    comma = "";
    json_object_foreach(json_array_get(rows, 0), key, value)
    {
        fputs(comma, out);
        print_csv_field(out, key);
        comma = ",";
    }
    fputs("\r\n", out);
    json_array_foreach(rows, i, row)
    {
        comma = "";
        json_object_foreach(row, key, value)
        {
            char buffer[32];
            fputs(comma, out);
            print_csv_field(out, field(row, key, buffer));
            comma = ",";
        }
        fputs("\r\n", out);
    }
}

json_t *command_ask(const struct command_line *line, json_t *request)
{
    struct err err;
    json_t *answer = control_ask(line->config->control, request, &err);
    if (answer == NULL) {
        command_failed(&err);
        return NULL;
    }
    if (json_is_true(json_object_get(answer, "ok")))
        return answer;
    const char *why = json_string_value(json_object_get(answer, "error"));
    fprintf(stderr, "mtalab-engine: %s\n", why != NULL ? why : "the engine refused");
    json_decref(answer);
    return NULL;
}

int command_show(const struct command_line *line, json_t *request, const char *rows, struct command_table table)
{
    json_t *answer = command_ask(line, request);
    if (answer == NULL)
        return COMMAND_FAILED;
    json_t *shown = rows != NULL ? json_object_get(answer, rows) : answer;
    if (line->json)
        command_print_json(stdout, shown);
    else if (rows != NULL)
        command_print_table(stdout, shown, table);
    json_decref(answer);
    return EXIT_SUCCESS;
}
