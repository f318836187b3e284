/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab schema - the JSON Schema of scenario files for editors, or the manual for people. */
#include "harness/command.h"
#include "harness/scenario.h"

int command_schema(int argc, char **argv)
{
    const char *manual = NULL;
    const struct command_option options[] = {{"--manual", NULL, "the manual, in Markdown, instead", &manual}};
    struct command_line line = {"schema [--manual]",
                                "Prints the JSON Schema of scenario files, for editors.",
                                options,
                                COUNT(options),
                                NULL,
                                0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status)) {
        if (manual != NULL)
            scenario_print_manual(stdout);
        else
            scenario_print_json_schema(stdout);
    }
    arena_free(&arena);
    return status;
}
