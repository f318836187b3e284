/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab - how does a mail server send when the other side's transport security is right, broken or attacked? */
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "harness/command.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *doc;
} commands[] = {
    {"run", command_run, "runs cases and says what came of them"},
    {"up", command_up, "keeps a scenario's world up to work in"},
    {"world", command_world, "looks at that world, and changes it while it runs"},
    {"matrix", command_matrix, "puts the results of several senders side by side, on one page"},
    {"capture", command_capture, "looks at a partner, and writes a scenario that behaves the same"},
    {"check", command_check, "shows every mistake of scenarios"},
    {"list", command_list, "shows the scenarios there are"},
    {"why", command_why, "says what is behind a scenario: rule, twin, what is near it, what MTAs do"},
    {"clauses", command_clauses, "shows which clauses of the RFCs are covered, and by what"},
    {"faults", command_faults, "shows what can be wrong in a world"},
    {"claims", command_claims, "says what others must see in a world"},
    {"schema", command_schema, "prints the JSON Schema of scenarios, or their manual"},
    {"doctor", command_doctor, "says what blocks on this machine, and the way out"},
};

static void print_help(FILE *out)
{
    fputs("usage: mtalab COMMAND [--help] ...\n\n", out);
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].doc);
    fputs("\nTo begin with: mtalab doctor, then mtalab run dane, then mtalab up dane/matching-key\n", out);
}

static const char *name_at(const void *rows UNUSED, size_t i)
{
    return i < COUNT(commands) ? commands[i].name : NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            return commands[i].run(argc - 1, argv + 1);
    const char *nearest = table_nearest(argv[1], name_at, NULL);
    fprintf(stderr, "mtalab: no command is called '%s'%s%s%s; mtalab --help shows them\n", argv[1],
            nearest != NULL ? ", did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return 2;
}
