/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/postfix/postfix_log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct postfix_message *message_of(struct postfix_log *log, const char *id, size_t length)
{
    for (size_t i = 0; i < log->count; i++)
        if (strlen(log->items[i]->id) == length && strncmp(log->items[i]->id, id, length) == 0)
            return log->items[i];
    if (log->count >= POSTFIX_MESSAGES_MAX || length >= POSTFIX_ID_MAX)
        return NULL;
    struct postfix_message *message = arena_alloc(log->arena, sizeof *message);
    snprintf(message->id, sizeof message->id, "%.*s", (int)length, id);
    message->fresh = true;
    return *ARENA_PUSH(log->arena, log) = message;
}

/* The text between two marks, or up to the end; NULL when the first is not there. */
static const char *between(struct arena *arena, const char *text, const char *first, const char *second)
{
    const char *from = strstr(text, first);
    if (from == NULL)
        return NULL;
    from += strlen(first);
    const char *end = strstr(from, second);
    return arena_strndup(arena, from, end != NULL ? (size_t)(end - from) : strlen(from));
}

static struct postfix_recipient *recipient_of(struct postfix_log *log, struct postfix_message *message,
                                              const char *address)
{
    for (size_t i = 0; i < message->count; i++)
        if (strcasecmp(message->items[i].address, address) == 0)
            return &message->items[i];
    struct postfix_recipient *recipient = ARENA_PUSH(log->arena, message);
    *recipient = (struct postfix_recipient){.address = address};
    return recipient;
}

/* "(" ... ")" at the end of the line, whatever stands inside. */
static const char *reason_of(struct arena *arena, const char *text)
{
    const char *from = strstr(text, "status="), *open = from != NULL ? strchr(from, '(') : NULL;
    const char *close = strrchr(text, ')');
    return open != NULL && close != NULL && close > open ? arena_strndup(arena, open + 1, (size_t)(close - open) - 1)
                                                         : "";
}

/* ---- what may be said of a message ---- */

/* client=unknown[100.64.0.2] */
static void on_accepted(struct postfix_log *log UNUSED, struct postfix_message *message UNUSED, const char *text UNUSED)
{
}

/* from=<a@b>, size=313, nrcpt=1 (queue active) */
static void on_active(struct postfix_log *log UNUSED, struct postfix_message *message, const char *text)
{
    const char *number = strstr(text, "nrcpt=");
    if (number == NULL || strstr(text, "(queue active)") == NULL)
        return;
    message->active = true;
    message->left = (unsigned)strtoul(number + strlen("nrcpt="), NULL, 10);
    message->deferred = message->bounced = 0;
}

/* to=<a@b>, relay=..., dsn=4.7.5, status=deferred (reason) */
static void on_recipient(struct postfix_log *log, struct postfix_message *message, const char *text)
{
    const char *address = between(log->arena, text, "to=<", ">"), *status = between(log->arena, text, "status=", " ");
    const char *code = between(log->arena, text, "dsn=", ",");
    if (address == NULL || status == NULL)
        return;
    struct postfix_recipient *recipient = recipient_of(log, message, address);
    recipient->status = status;
    recipient->code = code != NULL ? code : "";
    recipient->reason = reason_of(log->arena, text);
    message->left -= message->left > 0;
    message->deferred += strcmp(status, "deferred") == 0;
    message->bounced += strcmp(status, "bounced") == 0;
}

/* sender non-delivery notification: 4F1D2... */
static void on_report(struct postfix_log *log, struct postfix_message *message, const char *text)
{
    const char *id = strrchr(text, ' ') + 1;
    message->reported = true;
    message_of(log, id, strlen(id));
}

static void on_removed(struct postfix_log *log UNUSED, struct postfix_message *message, const char *text UNUSED)
{
    message->removed = true;
}

static const struct {
    const char *beginning;
    void (*read)(struct postfix_log *log, struct postfix_message *message, const char *text);
} sayings[] = {
    {"client=", on_accepted}, {"from=<", on_active},
    {"to=<", on_recipient},   {"sender non-delivery notification: ", on_report},
    {"removed", on_removed},
};

/* ---- a line ---- */

static size_t id_length(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]))
        length++;
    return length > 4 && strncmp(text + length, ": ", 2) == 0 ? length : 0;
}

/* panic: mymalloc: requested length 0; process /usr/lib/postfix/sbin/smtp pid 20 killed by signal 11 */
static void look_for_crash(struct postfix_log *log, const char *program, const char *text)
{
    bool panics = strncmp(text, "panic: ", 7) == 0;
    if (log->crash == NULL && (panics || strstr(text, " killed by signal ") != NULL))
        log->crash = arena_printf(log->arena, "%.*s: %s", (int)strcspn(program, "["), program, text);
}

/* Nov 23 21:25:05 out postfix/smtp[50]: 4F1D2...: to=<...>... */
void postfix_log_read(struct postfix_log *log, const char *line)
{
    const char *program = strstr(line, "postfix/"), *text = program != NULL ? strstr(program, "]: ") : NULL;
    if (text == NULL)
        return;
    text += strlen("]: ");
    if (log->arena == NULL)
        log->arena = arena_new("postfix log");
    log->started |= strncmp(program, "postfix/master[", 15) == 0 && strncmp(text, "daemon started", 14) == 0;
    look_for_crash(log, program, text);
    size_t length = id_length(text);
    for (size_t i = 0; length > 0 && i < COUNT(sayings); i++) {
        if (strncmp(text + length + 2, sayings[i].beginning, strlen(sayings[i].beginning)) != 0)
            continue;
        struct postfix_message *message = message_of(log, text, length);
        if (message != NULL)
            sayings[i].read(log, message, text + length + 2);
        return;
    }
}

bool postfix_message_is_over(const struct postfix_message *message)
{
    return message->removed || (message->active && message->left == 0 && message->deferred > 0 &&
                                (message->bounced == 0 || message->reported));
}

void postfix_log_free(struct postfix_log *log)
{
    arena_free(&log->arena);
    *log = (struct postfix_log){0};
}
