/* SPDX-License-Identifier: BSD-2-Clause
 * command - what stands behind `mtalab-engine WORD`. Each word is a `const struct command` in command_<word>.c or that
 * of its family, a line in command_words.h and a row of the table in command.c; help, manual pages and completion are
 * made of these rows. Exit status: 0 fine, 1 it failed or is not so, 2 misused. */
#ifndef ENGINE_COMMAND_H
#define ENGINE_COMMAND_H

#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/engine_config.h"

enum { COMMAND_FAILED = 1, COMMAND_MISUSED = 2 };
#define COMMAND_CONFIG "/etc/mtalab/engine.yaml"

struct command_option {
    const char *name, *argument, *doc; /* "--from", "SENDER" (NULL: takes none), one sentence */
};

struct command_line;
struct command {
    const char *name, *args, *doc; /* "route", "RCPT", one sentence */
    int (*run)(const struct command_line *line);
    const struct command_option *options; /* besides those that every command knows */
    size_t option_count;
    const char *details; /* paragraphs for its manual page, NULL: doc says it all */
    bool no_config;      /* runs without a configuration */
    bool config_word;    /* its first word may name the configuration */
    bool as_written;     /* wants the connectors as the file has them, without the changes made since */
};

struct command_line {
    const struct command *command;
    struct command_said { const struct command_option *option; const char *value; } *said;
    size_t said_count;
    const char **words; /* what follows the command, options taken out */
    size_t word_count;
    struct arena *arena;
    const char *config_path;
    const struct engine_config *config; /* NULL with no_config */
    bool json;
};

/* The whole program. */
int command_main(int argc, char **argv);
const struct command *command_at(size_t i); /* the table; NULL at its end */

/* The argument of an option, its name if it takes none; NULL: it was not said. */
const char *command_said(const struct command_line *line, const char *option);
int command_failed(const struct err *err);    /* says it; COMMAND_FAILED */
int command_misused(const char *what);        /* says it; COMMAND_MISUSED */
/* Reads the configuration that the line names; false: why was said. */
bool command_load_config(struct command_line *line);

/* ---- printing (command_print.c, command_table.c) ---- */

/* The named fields of each row, as columns as wide as they need; "none" without a row. */
struct command_column { const char *title, *name; };
struct command_table { const struct command_column *columns; size_t count; };
#define COMMAND_TABLE(columns) ((struct command_table){(columns), COUNT(columns)})
#define NO_TABLE ((struct command_table){NULL, 0})
void command_print_table(FILE *out, json_t *rows, struct command_table table);
/* A line, and more below the column where it began, where a terminal ends. */
void command_print_wrapped(FILE *out, const char *text, size_t indent);
void command_print_json(FILE *out, const json_t *value);
void command_print_csv(FILE *out, json_t *rows); /* RFC 4180; the columns are those of the first row */
/* Asks the running engine; takes the request. NULL: why was said. */
json_t *command_ask(const struct command_line *line, json_t *request);
/* The same, and prints the rows named in its answer, or nothing (NULL) if people look. */
int command_show(const struct command_line *line, json_t *request, const char *rows, struct command_table table);

/* A table, or JSON if that was said; times (at, received, due, arrived) are dates for people. */
void command_print_rows(const struct command_line *line, json_t *rows, struct command_table table);

/* ---- what words mean (command_request.c) ---- */

bool command_is_recipient(struct arena *arena, const char *word); /* "a@b.example", and nothing else */
const char *command_domain(const struct command_line *line);      /* its one word, in A-labels; NULL: it is no domain */

/* ---- asking queue and trace (command_request.c) ---- */

/* {"do": the command's name, and its own options as keys}; a word alone is a message's number, a recipient or a domain.
 * "--all" picks out nothing by itself. NULL: why was said. */
json_t *command_request(const struct command_line *line);

#endif
