/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine trace - what became of each recipient, and the whole story of a message. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "engine/command_words.h"
#include "engine/story.h"

/* clang-format off */
static const struct command_column recipient_columns[] = {
    {"MESSAGE", "message", 7},  {"RECEIVED", "received", 19}, {"STATUS", "status", 9}, {"RECIPIENT", "recipient", 30},
    {"SENDER", "sender", 24},   {"TRIES", "attempts", 5},     {"CODE", "code", 8},
    {"CONNECTOR", "connector", 14}, {"HOST", "host", 24},     {"TEXT", "text", 0},
};
static const struct command_column event_columns[] = {
    {"TIME", "at", 19},        {"MESSAGE", "message", 7},  {"TRY", "attempt", 3},     {"EVENT", "event", 8},
    {"RECIPIENT", "recipient", 24}, {"HOST", "host", 24}, {"MX", "mx_trust", 9},      {"TLSA", "tlsa", 9},
    {"STS", "sts_mode", 7},    {"DEMAND", "demand", 9},    {"CLAUSE", "clause", 13},  {"TLS", "tls", 7},
    {"CODE", "code", 8},       {"TEXT", "text", 0},
};
/* clang-format on */

/* ---- times ---- */

static const char *time_text(struct arena *arena, json_int_t at)
{
    time_t seconds = (time_t)at;
    struct tm tm;
    char *text = arena_alloc(arena, 20);
    strftime(text, 20, "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &tm));
    return text;
}

static void name_times(struct arena *arena, json_t *rows)
{
    static const char *const keys[] = {"at", "received"};
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < COUNT(keys); k++)
            if (json_is_integer(json_object_get(row, keys[k])))
                json_object_set_new(row, keys[k],
                                    json_string(time_text(arena, json_integer_value(json_object_get(row, keys[k])))));
    }
}

/* "2026-06-01", "2026-06-01 08:00", "2026-06-01T08:00:00" (UTC), or "2h", "7d" before now. */
static bool read_time(const char *text, const struct engine_config *config, int64_t *at)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
    double ago;
    if (schema_parse_seconds(text, &ago)) {
        *at = (int64_t)time(NULL) + (int64_t)config->clock_offset - (int64_t)ago;
        return true;
    }
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        *at = (int64_t)timegm(&tm);
        if (end != NULL && *end == '\0')
            return true;
    }
    return false;
}

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
    {"--code",       "CODE",    "a status code or how it begins: 4.7.323, 5."},
    {"--since",      "TIME",    "received at or after: 2026-06-01, '2026-06-01 08:00' (UTC), or 2h ago"},
    {"--until",      "TIME",    "received before"},
    {"--limit",      "NUMBER",  "at most so many, the newest (1000)"},
    {"--events",     NULL,      "one line an event instead of one a recipient"},
};
/* clang-format on */

static bool is_number(const char *word)
{
    return *word != '\0' && strspn(word, "0123456789") == strlen(word);
}

static bool add_option(json_t *request, const char *name, const char *value, const struct engine_config *config)
{
    int64_t number;
    bool is_time = strcmp(name, "since") == 0 || strcmp(name, "until") == 0;
    if (strcmp(name, "events") == 0)
        return json_object_set_new(request, name, json_true()) == 0;
    if (is_time ? read_time(value, config, &number)
                : (strcmp(name, "message") == 0 || strcmp(name, "limit") == 0) && schema_parse_number(value, &number))
        return json_object_set_new(request, name, json_integer(number)) == 0;
    return !is_time && strcmp(name, "message") != 0 && strcmp(name, "limit") != 0 &&
           json_object_set_new(request, name, json_string(value)) == 0;
}

/* A word alone is a message's number, a recipient or a domain. */
static json_t *request_of(const struct command_line *line)
{
    json_t *request = json_pack("{s:s}", "do", "trace");
    bool fine = line->word_count <= 1;
    if (fine && line->word_count == 1) {
        const char *word = line->words[0];
        fine = add_option(request,
                          is_number(word)             ? "message"
                          : strchr(word, '@') != NULL ? "recipient"
                                                      : "domain",
                          word, line->config);
    }
    for (size_t i = 0; fine && i < COUNT(options); i++) {
        const char *value = command_said(line, options[i].name);
        fine = value == NULL || add_option(request, options[i].name + 2, value, line->config);
    }
    if (fine)
        return request;
    json_decref(request);
    return NULL;
}

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
    if (!line->json)
        name_times(line->arena, rows);
    if (line->json)
        command_print_json(stdout, rows);
    else
        command_print_table(stdout, rows, table);
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
    json_t *request = request_of(line);
    if (request == NULL)
        return command_misused("trace wants a message's number, a recipient or a domain, or options");
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
