/* SPDX-License-Identifier: BSD-2-Clause
 * command - what stands behind `mtalab <word>`; argv[0] is the word. Each knows --help and returns the exit status:
 * 0 fine, 2 a mistake in a scenario or on the command line, 3 the machine failed, 4 nothing selected. */
#ifndef HARNESS_COMMAND_H
#define HARNESS_COMMAND_H

#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"

int command_run(int argc, char **argv);     /* runs cases */
int command_matrix(int argc, char **argv);  /* results side by side */
int command_up(int argc, char **argv);      /* a world to work in */
int command_world(int argc, char **argv);   /* a word to that world */
int command_capture(int argc, char **argv); /* a partner as a scenario */
int command_doctor(int argc, char **argv);  /* what blocks on this machine */
int command_check(int argc, char **argv);   /* every mistake of scenarios at once */
int command_schema(int argc, char **argv);  /* JSON Schema, or the manual */
int command_list(int argc, char **argv);    /* the scenarios there are */
int command_why(int argc, char **argv);     /* what is behind a scenario */
int command_clauses(int argc, char **argv); /* the coverage ledger */
int command_faults(int argc, char **argv);  /* what can be wrong */
int command_claims(int argc, char **argv);  /* what others must see in a world */

/* ---- what the commands that read scenarios share (command.c) ---- */

/* The scenarios' folder: --scenarios, MTALAB_SCENARIOS, ./scenarios, beside the program, or installed. */
const char *command_scenarios(struct arena *arena, const char *said);

/* The words of a command line: options that a command knows, then the others, in order. */
struct command_option {
    const char *name, *argument, *doc; /* "--json", NULL or "FOLDER", one sentence */
    const char **value;                /* set to the argument, or to the option's name if it takes none */
};
struct command_line {
    const char *usage, *doc; /* "check [FILE|FOLDER|NAME]...", a paragraph */
    const struct command_option *options;
    size_t option_count;
    const char **words;
    size_t word_count; /* filled */
};
/* False: *status is what to return (--help was asked for, or something is wrong and was said). */
bool command_read(struct arena *arena, struct command_line *line, int argc, char **argv, int *status);
/* Is the argument of an option, if there is one, among these words? Says so otherwise. */
bool command_word_is_one_of(const char *what, const char *word, const char *const *words);
/* A line of JSON; takes the value. */
void command_print_json(json_t *value);

#endif
