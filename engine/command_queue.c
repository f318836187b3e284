/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine queue, status, requeue, flush - what waits, and when it is tried. */
#include <stdlib.h>

#include "engine/command_words.h"

/* clang-format off */
static const struct command_column columns[] = {
    {"MESSAGE", "message", 7}, {"STATE", "state", 9}, {"RECIPIENT", "recipient", 30},
    {"TRIES", "attempts", 5},  {"CODE", "code", 8},   {"REASON", "reason", 0},
};
/* clang-format on */

static int do_queue(const struct command_line *line)
{
    return command_show(line, json_pack("{s:s}", "do", "queue"), "messages", COMMAND_TABLE(columns));
}

static int do_status(const struct command_line *line)
{
    return command_show(line, json_pack("{s:s}", "do", "status"), "messages", COMMAND_TABLE(columns));
}

static int do_requeue(const struct command_line *line)
{
    json_int_t message = line->word_count > 0 ? strtoll(line->words[0], NULL, 10) : 0;
    if (line->word_count > 0 && message <= 0)
        return command_misused("requeue wants the number of a message, or nothing");
    return command_show(line, json_pack("{s:s,s:I}", "do", "requeue", "message", message), NULL, NO_TABLE);
}

static int do_flush(const struct command_line *line)
{
    return command_show(line, json_pack("{s:s}", "do", "flush"), NULL, NO_TABLE);
}

const struct command command_queue = {.name = "queue", .args = "", .doc = "what waits, and why", .run = do_queue};
const struct command command_status = {.name = "status",
                                       .args = "",
                                       .doc = "every recipient that the queue knows",
                                       .run = do_status};
const struct command command_requeue = {.name = "requeue",
                                        .args = "[MESSAGE]",
                                        .doc = "tries queued mail now",
                                        .run = do_requeue};
const struct command command_flush = {.name = "flush",
                                      .args = "",
                                      .doc = "tries all queued mail now and waits until each has finished an attempt",
                                      .run = do_flush};
