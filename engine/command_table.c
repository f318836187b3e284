/* SPDX-License-Identifier: BSD-2-Clause
 * Rows for people: columns as wide as what stands in them, the last one wrapped where a terminal ends. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/command.h"

enum { COLUMNS_MAX = 16, WRAP_MIN = 30, OWN_LINE = 8 };

/* A field as text that is safe to print. */
static const char *cell(struct arena *arena, const json_t *row, const char *name)
{
    const json_t *value = json_object_get(row, name);
    if (json_is_integer(value))
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    return text_escape(arena, text, strlen(text));
}

static void measure(json_t *rows, struct command_table table, size_t widths[COLUMNS_MAX])
{
    size_t i;
    json_t *row;
    for (size_t c = 0; c < table.count; c++)
        widths[c] = strlen(table.columns[c].title);
    json_array_foreach(rows, i, row)
    {
        struct arena *arena = arena_new("row");
        for (size_t c = 0; c + 1 < table.count; c++) {
            size_t width = text_length(cell(arena, row, table.columns[c].name));
            widths[c] = width > widths[c] ? width : widths[c];
        }
        arena_free(&arena);
    }
}

static size_t width_of_terminal(FILE *out)
{
    struct winsize size;
    bool terminal = isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0;
    return terminal ? size.ws_col : 0;
}

void command_print_wrapped(FILE *out, const char *text, size_t indent)
{
    struct arena *arena = arena_new("text");
    size_t width = width_of_terminal(out);
    fprintf(out, "%s\n", width >= indent + WRAP_MIN ? text_wrap(arena, text, indent, width) : text);
    arena_free(&arena);
}

/* What is empty is a dash, so that columns can be counted. */
static void print_row(FILE *out, const char *const cells[COLUMNS_MAX], size_t count, const size_t widths[COLUMNS_MAX])
{
    size_t indent = 0, last = count - 1;
    for (size_t c = 0; c < last; c++) {
        const char *text = *cells[c] != '\0' ? cells[c] : "-";
        fprintf(out, "%s%*s", text, (int)(widths[c] - text_length(text) + 1), "");
        indent += widths[c] + 1;
    }
    size_t width = width_of_terminal(out);
    if (width > 0 && width < indent + WRAP_MIN) { /* no room beside the others */
        fprintf(out, "\n%*s", OWN_LINE, "");
        indent = OWN_LINE;
    }
    command_print_wrapped(out, *cells[last] != '\0' ? cells[last] : "-", indent);
}

void command_print_table(FILE *out, json_t *rows, struct command_table table)
{
    size_t i, widths[COLUMNS_MAX];
    json_t *row;
    const char *cells[COLUMNS_MAX];
    if (json_array_size(rows) == 0) {
        fprintf(out, "none\n");
        return;
    }
    measure(rows, table, widths);
    for (size_t c = 0; c < table.count; c++)
        cells[c] = table.columns[c].title;
    print_row(out, cells, table.count, widths);
    json_array_foreach(rows, i, row)
    {
        struct arena *arena = arena_new("row");
        for (size_t c = 0; c < table.count; c++)
            cells[c] = cell(arena, row, table.columns[c].name);
        print_row(out, cells, table.count, widths);
        arena_free(&arena);
    }
}
