/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab check - every mistake of scenarios at once, each with its place. */
#include "harness/command.h"
#include "harness/scenario.h"

int command_check(int argc, char **argv)
{
    const char *scenarios = NULL;
    const struct command_option options[] = {{"--scenarios", "FOLDER", "where bases and clauses are", &scenarios}};
    struct command_line line = {"check [FILE|FOLDER|NAME]...",
                                "Reads scenarios (all of them without an argument) and shows every mistake with its place.",
                                options, COUNT(options), NULL, 0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status)) {
        struct corpus *corpus = corpus_read(command_scenarios(arena, scenarios), line.words, line.word_count);
        diag_print(corpus->diags, stderr);
        status = diag_errors(corpus->diags) > 0 ? 2 : corpus->count == 0 ? 4 : 0;
        if (status == 0)
            printf("%zu %s, no mistake\n", corpus->count, corpus->count == 1 ? "scenario" : "scenarios");
        corpus_free(&corpus);
    }
    arena_free(&arena);
    return status;
}
