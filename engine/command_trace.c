/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine trace - why each message went the way it went. */
#include "engine/command_words.h"

/* clang-format off */
static const struct command_column columns[] = {
    {"MESSAGE", "message", 7}, {"TRY", "attempt", 3},      {"EVENT", "event", 7}, {"RECIPIENT", "recipient", 24},
    {"HOST", "host", 28},      {"ADDRESS", "address", 15}, {"MX", "mx_trust", 9}, {"TLSA", "tlsa", 9},
    {"STS", "sts_mode", 7},    {"DEMAND", "demand", 9},    {"CLAUSE", "clause", 13},
    {"TLS", "tls", 7},         {"CODE", "code", 8},        {"TEXT", "text", 0},
};
/* clang-format on */

static int do_trace(const struct command_line *line)
{
    json_t *request = json_pack("{s:s}", "do", "trace");
    if (line->word_count > 0)
        json_object_set_new(request, "about", json_string(line->words[0]));
    return command_show(line, request, "trace", COMMAND_TABLE(columns));
}

const struct command command_trace = {.name = "trace",
                                      .args = "[RCPT|DOMAIN|MESSAGE]",
                                      .doc = "for each attempt the facts, the decision, its clause, the code",
                                      .run = do_trace};
