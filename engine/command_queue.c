/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine queue, status, requeue, hold, release, remove, flush - what waits, and what is done with it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/command_words.h"
#include "engine/summary.h"

/* clang-format off */
static const struct command_column columns[] = {
    {"MESSAGE", "message"}, {"STATE", "state"}, {"RECIPIENT", "recipient"}, {"SENDER", "sender"},
    {"TRIES", "attempts"},  {"NEXT", "due"},   {"CONNECTOR", "connector"}, {"CODE", "code"},
    {"REASON", "reason"},
};
static const struct command_column shape_columns[] = {
    {"DESTINATION", "destination"}, {"TOTAL", "total"}, {"<15m", "15m"}, {"<1h", "1h"}, {"<4h", "4h"}, {"<12h", "12h"},
    {"LONGER", "longer"}, {"CODE", "code"}, {"REASON", "reason"},
};
#define PICKING \
    {"--recipient", "ADDRESS", "this recipient"}, \
    {"--sender",    "ADDRESS", "this sender; '' is the null sender"}, \
    {"--domain",    "DOMAIN",  "recipients there"}, \
    {"--connector", "NAME",    "what has been tried by this connector"}, \
    {"--code",      "CODE",    "a status code or how it begins: 4.7.323, 4.4"}
static const struct command_option looking[] = {
    PICKING,
    {"--held",      NULL,      "only what is held"},
    {"--limit",     "NUMBER",  "at most so many, the oldest (10000)"},
};
static const struct command_option queueing[] = {
    PICKING,
    {"--held",      NULL,      "only what is held"},
    {"--limit",     "NUMBER",  "at most so many, the oldest (10000)"},
    {"--by-domain", NULL,      "by itself: how many wait at each destination, and for how long; no engine need run"},
};
static const struct command_option changing[] = {
    PICKING,
    {"--all",       NULL,      "everything that is queued"},
};
static const struct command_option removing[] = {
    PICKING,
    {"--all",       NULL,      "everything that is queued"},
    {"--report",    NULL,      "the senders get a report of non-delivery"},
};
/* clang-format on */

/* Removed mail has its own state; held mail is queued, and says so. */
static void name_held(json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (json_is_true(json_object_get(row, "held")))
            json_object_set_new(row, "state", json_string("held"));
    }
}

static int do_list(const struct command_line *line)
{
    json_t *request = command_request(line), *answer = request != NULL ? command_ask(line, request) : NULL;
    json_t *rows = json_object_get(answer, "messages");
    if (request == NULL)
        return COMMAND_MISUSED;
    if (answer == NULL)
        return COMMAND_FAILED;
    if (!line->json)
        name_held(rows);
    command_print_rows(line, rows, COMMAND_TABLE(columns));
    json_decref(answer);
    return EXIT_SUCCESS;
}

static int show_shape(const struct command_line *line)
{
    struct history history;
    struct err err;
    int64_t now = (int64_t)time(NULL) + (int64_t)line->config->clock_offset;
    size_t others = 1 + (size_t)line->json + (command_said(line, "--config") != NULL);
    if (line->said_count > others || line->word_count > 0)
        return command_misused("--by-domain goes with nothing else");
    if (!history_read_waiting(line->arena, line->config, now, &history, &err))
        return command_failed(&err);
    json_t *rows = summary_queue(line->arena, &history);
    command_print_rows(line, rows, COMMAND_TABLE(shape_columns));
    json_decref(rows);
    return EXIT_SUCCESS;
}

static int do_queue(const struct command_line *line)
{
    return command_said(line, "--by-domain") != NULL ? show_shape(line) : do_list(line);
}

static int change(const struct command_line *line, json_t *request)
{
    json_t *answer = command_ask(line, request);
    if (answer == NULL)
        return COMMAND_FAILED;
    json_int_t count = json_integer_value(json_object_get(answer, "recipients"));
    if (line->json)
        command_print_json(stdout, answer);
    else
        printf("%lld %s\n", (long long)count, count == 1 ? "recipient" : "recipients");
    json_decref(answer);
    return EXIT_SUCCESS;
}

static int do_change(const struct command_line *line)
{
    json_t *request = command_request(line);
    return request != NULL ? change(line, request) : COMMAND_MISUSED;
}

/* What cannot be undone, or stops mail, is not done to everything by oversight. */
static int do_change_some(const struct command_line *line)
{
    json_t *request = command_request(line);
    if (request == NULL)
        return COMMAND_MISUSED;
    size_t keys = json_object_size(request) - (json_object_get(request, "report") != NULL);
    if (keys > 1 || command_said(line, "--all") != NULL)
        return change(line, request);
    json_decref(request);
    return command_misused("say what: a message's number, a recipient, a domain, an option, or --all");
}

static int do_flush(const struct command_line *line)
{
    return command_show(line, json_pack("{s:s}", "do", "flush"), NULL, NO_TABLE);
}

#define WHICH "[MESSAGE|RCPT|DOMAIN]"
/* clang-format off */
const struct command command_queue = {
    .name = "queue", .args = WHICH, .doc = "what waits, and why",
    .run = do_queue, .options = queueing, .option_count = COUNT(queueing)};
const struct command command_status = {
    .name = "status", .args = WHICH, .doc = "every recipient that the queue knows",
    .run = do_list, .options = looking, .option_count = COUNT(looking)};
const struct command command_requeue = {
    .name = "requeue", .args = WHICH, .doc = "tries queued mail now, all of it if nothing is named",
    .run = do_change, .options = changing, .option_count = COUNT(changing),
    .details = "Connector and policy are chosen anew, as at every attempt. What is being delivered just now is left "
               "alone, and so is what is held."};
const struct command command_hold = {
    .name = "hold", .args = WHICH, .doc = "keeps queued mail back",
    .run = do_change_some, .options = changing, .option_count = COUNT(changing),
    .details = "What is held is neither tried nor given up, however old it gets."};
const struct command command_release = {
    .name = "release", .args = WHICH, .doc = "lets held mail go, at once",
    .run = do_change_some, .options = changing, .option_count = COUNT(changing)};
const struct command command_remove = {
    .name = "remove", .args = WHICH, .doc = "takes mail out of the queue",
    .run = do_change_some, .options = removing, .option_count = COUNT(removing),
    .details = "What is being delivered just now is left alone."};
const struct command command_flush = {
    .name = "flush", .args = "", .doc = "tries all queued mail now and waits until each has finished an attempt",
    .run = do_flush};
/* clang-format on */
