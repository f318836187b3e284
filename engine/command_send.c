/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine send - a mail from standard input into the queue. */
#include <stdlib.h>
#include <string.h>

#include "engine/command_words.h"
#include "engine/control.h"
#include "engine/engine.h"
#include "engine/intake.h"
#include "engine/message.h"
#include "engine/queue.h"

/* Reads a mail from standard input, and one byte more than may be; lone LFs become CRLF. */
static char *read_mail(struct arena *arena, int64_t most, size_t *length)
{
    struct {
        char *items;
        size_t count, room;
    } text = {0};
    int byte, before = 0;
    while (text.count <= (size_t)most && (byte = getchar()) != EOF) {
        if (byte == '\n' && before != '\r')
            *ARENA_PUSH(arena, &text) = '\r';
        *ARENA_PUSH(arena, &text) = (char)byte;
        before = byte;
    }
    *length = text.count;
    return text.items != NULL ? text.items : arena_strdup(arena, "");
}

static bool is_sound(struct arena *arena, const char *address, bool may_be_null)
{
    const char *path = arena_printf(arena, "<%s>", address);
    if (message_parse_path(arena, &path, may_be_null) != NULL && *path == '\0')
        return true;
    fprintf(stderr, "mtalab-engine: '%s' is no address\n", address);
    return false;
}

static bool addresses_are_sound(const struct command_line *line, const char *sender)
{
    bool sound = is_sound(line->arena, sender, true);
    for (size_t i = 0; sound && i < line->word_count; i++)
        sound = is_sound(line->arena, line->words[i], false);
    return sound;
}

static bool add(const struct command_line *line, const struct message *message, int64_t *id, struct err *err)
{
    struct clock clock = {(int64_t)line->config->clock_offset};
    struct queue *queue = queue_open(engine_queue_path(line->arena, line->config), line->config->fsync, &clock, err);
    bool added = queue != NULL && queue_add(queue, message, id, err);
    queue_close(&queue);
    return added;
}

/* An engine that runs is told. */
static void say_queued(const struct command_line *line, int64_t id)
{
    struct err err;
    json_t *answer =
        control_ask(line->config->control, json_pack("{s:s,s:I}", "do", "queued", "message", (json_int_t)id), &err);
    if (line->json)
        printf("{\"message\":%lld,\"engine\":%s}\n", (long long)id, answer != NULL ? "true" : "false");
    else
        printf("queued as %lld%s\n", (long long)id, answer != NULL ? "" : "; no engine runs");
    json_decref(answer);
}

/* Into the queue directly, whether or not an engine runs. */
static int do_send(const struct command_line *line)
{
    struct err err;
    const char *from = command_said(line, "--from");
    struct message message = {.sender = from != NULL ? from : "",
                              .recipients = line->words,
                              .recipient_count = line->word_count,
                              .smtputf8 = true};
    if (line->word_count == 0 || line->word_count > RECIPIENTS_MAX)
        return command_misused("send wants recipients");
    if (!addresses_are_sound(line, message.sender))
        return COMMAND_MISUSED;
    message.content = read_mail(line->arena, line->config->message_size + INTAKE_TRACE_MAX, &message.length);
    const char *refusal = intake_refusal(line->arena, line->config, &message.content, &message.length);
    if (refusal != NULL) {
        fprintf(stderr, "mtalab-engine: %s\n", refusal);
        return COMMAND_FAILED;
    }
    message.tls = message_tls(false, message.content, message.length);
    int64_t id;
    if (!add(line, &message, &id, &err))
        return command_failed(&err);
    say_queued(line, id);
    return EXIT_SUCCESS;
}

static const struct command_option options[] = {
    {"--from", "SENDER", "the envelope's sender; without it the null sender"},
    {"--requiretls", NULL, "only over TLS, to hosts that promise the same (RFC 8689); else it comes back"},
};
const struct command command_send = {.name = "send",
                                     .args = "RCPT...",
                                     .doc = "puts a mail from standard input into the queue",
                                     .run = do_send,
                                     .options = options,
                                     .option_count = COUNT(options)};
