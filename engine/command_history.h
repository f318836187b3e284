/* SPDX-License-Identifier: BSD-2-Clause
 * command_history - what the commands share that look back: so many days of trace and queue, and rows with times.
 *
 * Borrows: the command line. Errors: false, and why was said. */
#ifndef ENGINE_COMMAND_HISTORY_H
#define ENGINE_COMMAND_HISTORY_H

#include "engine/command.h"
#include "engine/history.h"

struct past {
    const struct command_line *line;
    int64_t days; /* --days, 14 by default */
    struct history history;
};
#define COMMAND_DAYS {"--days", "N", "looks back so many days (14); the trace is kept for trace-keep"}

/* *status is what to return where it is false. */
bool command_past(const struct command_line *line, struct past *past, int *status);
/* A table, JSON or CSV, as was said; its times as dates. */
void command_past_print(const struct command_line *line, json_t *rows, struct command_table table);

#endif
