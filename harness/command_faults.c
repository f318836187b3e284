/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab faults - everything that can be wrong or odd in a world, with its clause and a scenario that shows it. */
#include <string.h>

#include "base/text.h"
#include "harness/command.h"
#include "harness/faults.h"

static void print_json(const struct fault_row *row)
{
    command_print_json(json_pack("{s:s,s:s,s:s?,s:s,s:s?,s:s?}", "part", row->part, "name", row->name, "doc", row->doc,
                                 "note", row->note, "clause", row->clause, "example", row->example));
}

static void print_for_people(const struct fault_row *row, bool begins)
{
    if (begins)
        printf("\n%s: %s\n", row->part, row->title);
    if (row->doc != NULL)
        printf("  %-36s %s%s%s%s\n", row->name, row->doc, *row->note != '\0' ? " [" : "", row->note,
               *row->note != '\0' ? "]" : "");
    else
        printf("  %s\n", row->name);
    if (row->example != NULL)
        printf("  %36s %s%s%s\n", "", row->clause != NULL ? row->clause : "", row->clause != NULL ? "  " : "",
               row->example);
}

/* A vertical bar would end the column. */
static void print_cell(const char *text)
{
    for (; *text != '\0'; text++)
        printf(*text == '|' ? "\\%c" : "%c", *text);
}

static void print_markdown(const struct fault_row *row, bool begins)
{
    if (begins)
        printf("\n## `%s`: %s\n\n| setting | what it does | to a validator | clause | for example "
               "|\n|---|---|---|---|---|\n",
               row->part, row->title);
    printf("| `%s` | ", row->name);
    print_cell(row->doc != NULL ? row->doc : "");
    printf(" | %s | %s | ", row->note, row->clause != NULL ? row->clause : "");
    print_cell(row->example != NULL ? row->example : "");
    printf(" |\n");
}

static void print(const struct fault_rows *rows, bool json, bool markdown)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct fault_row *row = &rows->items[i];
        bool begins = i == 0 || strcmp(row[-1].title, row->title) != 0;
        if (json)
            print_json(row);
        else
            (markdown ? print_markdown : print_for_people)(row, begins);
    }
}

int command_faults(int argc, char **argv)
{
    const char *json = NULL, *markdown = NULL, *scenarios = NULL;
    const struct command_option options[] = {
        {"--json", NULL, "one line of JSON for each", &json},
        {"--markdown", NULL, "tables, in Markdown, instead", &markdown},
        {"--scenarios", "FOLDER", "where the scenarios are", &scenarios},
    };
    struct command_line line = {"faults [--json|--markdown]",
                                "Lists everything that can be wrong or odd in a world: in its DNS, certificates, hosts "
                                "and policies, each\nwith its clause and a scenario that shows it.",
                                options,
                                COUNT(options),
                                NULL,
                                0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status)) {
        struct corpus *corpus = corpus_read(command_scenarios(arena, scenarios), NULL, 0);
        struct fault_rows rows = faults_list(arena, corpus);
        print(&rows, json != NULL, markdown != NULL);
        corpus_free(&corpus);
    }
    arena_free(&arena);
    return status;
}
