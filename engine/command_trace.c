/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine trace - what became of each recipient, and the whole story of a message. */
#include <stdlib.h>

#include "engine/command_words.h"
#include "engine/story.h"

/* clang-format off */
static const struct command_column recipient_columns[] = {
    {"MESSAGE", "message"},  {"RECEIVED", "received"}, {"STATUS", "status"}, {"RECIPIENT", "recipient"},
    {"SENDER", "sender"},   {"TRIES", "attempts"},     {"CODE", "code"},
    {"CONNECTOR", "connector"}, {"HOST", "host"},     {"TEXT", "text"},
};
static const struct command_column event_columns[] = {
    {"TIME", "at"},        {"MESSAGE", "message"},  {"TRY", "attempt"},     {"EVENT", "event"},
    {"RECIPIENT", "recipient"}, {"HOST", "host"}, {"MX", "mx_trust"},      {"TLSA", "tlsa"},
    {"STS", "sts_mode"},    {"DEMAND", "demand"},    {"CLAUSE", "clause"},  {"TLS", "tls"},
    {"CODE", "code"},       {"TEXT", "text"},
};
/* clang-format on */

/* ---- what is asked ---- */

/* clang-format off */
static const struct command_option options[] = {
    {"--recipient",  "ADDRESS", "this recipient"},
    {"--sender",     "ADDRESS", "this sender; '' is the null sender"},
    {"--domain",     "DOMAIN",  "recipients there"},
    {"--message",    "NUMBER",  "this message, and its whole story"},
    {"--message-id", "ID",      "the Message-ID in its header, with its brackets"},
    {"--status",     "STATUS",  "Pending, Delivered or Failed"},
    {"--connector",  "NAME",    "what went or waits by this connector"},
    {"--host",       "HOST",    "what went to this host, or was tried there last"},
    {"--to-ip",      "ADDRESS", "the same by address"},
    {"--from-ip",    "ADDRESS", "submitted from this address"},
    {"--code",       "CODE",    "a status code or how it begins: 4.7.323, 5."},
    {"--since",      "TIME",    "received at or after: 2026-06-01, '2026-06-01 08:00' (UTC), or 2h ago"},
    {"--until",      "TIME",    "received before"},
    {"--limit",      "NUMBER",  "at most so many, the newest (1000)"},
    {"--events",     NULL,      "one line an event instead of one a recipient"},
};
/* clang-format on */

/* The rows asked for; NULL: why was said. */
static json_t *ask_rows(const struct command_line *line, json_t *request, bool events)
{
    json_object_set_new(request, "events", json_boolean(events));
    json_t *answer = command_ask(line, json_incref(request)), *rows = json_incref(json_object_get(answer, "trace"));
    json_decref(answer);
    return rows;
}

static int print_rows(const struct command_line *line, json_t *rows, struct command_table table)
{
    if (rows == NULL)
        return COMMAND_FAILED;
    command_print_rows(line, rows, table);
    json_decref(rows);
    return EXIT_SUCCESS;
}

static int print_story(const struct command_line *line, json_t *request)
{
    json_t *recipients = ask_rows(line, request, false), *events = NULL;
    if (recipients != NULL)
        events = ask_rows(line, request, true);
    if (events != NULL && line->json) {
        json_t *both = json_pack("{s:O,s:O}", "recipients", recipients, "events", events);
        command_print_json(stdout, both);
        json_decref(both);
    } else if (events != NULL) {
        story_print(stdout, recipients, events);
    }
    int status = events != NULL ? EXIT_SUCCESS : COMMAND_FAILED;
    json_decref(recipients);
    json_decref(events);
    return status;
}

static int do_trace(const struct command_line *line)
{
    json_t *request = command_request(line);
    if (request == NULL)
        return COMMAND_MISUSED;
    bool events = json_object_get(request, "events") != NULL, story = json_object_get(request, "message") != NULL;
    int status = story && !events
                     ? print_story(line, request)
                     : print_rows(line, ask_rows(line, request, events),
                                  events ? COMMAND_TABLE(event_columns) : COMMAND_TABLE(recipient_columns));
    json_decref(request);
    return status;
}

const struct command command_trace = {.name = "trace",
                                      .args = "[RCPT|DOMAIN|MESSAGE]",
                                      .doc = "what became of each recipient; of one message the whole story",
                                      .run = do_trace,
                                      .options = options,
                                      .option_count = COUNT(options)};
