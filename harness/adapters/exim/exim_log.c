/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/exim/exim_log.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct exim_message *message_of(struct exim_log *log, const char *id, size_t length)
{
    for (size_t i = 0; i < log->count; i++)
        if (strlen(log->items[i]->id) == length && strncmp(log->items[i]->id, id, length) == 0)
            return log->items[i];
    if (log->count >= EXIM_MESSAGES_MAX || length >= EXIM_ID_MAX)
        return NULL;
    struct exim_message *message = arena_alloc(log->arena, sizeof *message);
    snprintf(message->id, sizeof message->id, "%.*s", (int)length, id);
    message->fresh = true;
    return *ARENA_PUSH(log->arena, log) = message;
}

static struct exim_recipient *recipient_of(struct exim_log *log, struct exim_message *message, const char *address)
{
    for (size_t i = 0; i < message->count; i++)
        if (strcasecmp(message->items[i].address, address) == 0)
            return &message->items[i];
    struct exim_recipient *recipient = ARENA_PUSH(log->arena, message);
    *recipient = (struct exim_recipient){.address = address};
    return recipient;
}

/* "a@b.example R=out T=smtp ...", "xn--a@b.example <a@b.example> R=out ..." or "a@b.example: Unrouteable address" */
static void on_recipient(struct exim_log *log, struct exim_message *message, const char *state, const char *text)
{
    size_t length = strcspn(text, " ");
    const char *rest = text + length + strspn(text + length, " ");
    size_t original = *rest == '<' ? strcspn(rest, " ") : 0;
    const char *address = original > 2
                              ? arena_strndup(log->arena, rest + 1, original - 2)
                              : arena_strndup(log->arena, text, length - (length > 0 && text[length - 1] == ':'));
    struct exim_recipient *recipient = recipient_of(log, message, address);
    recipient->state = state;
    recipient->reason = arena_strdup(log->arena, rest);
}

static void on_completed(struct exim_log *log UNUSED, struct exim_message *message, const char *state UNUSED,
                         const char *text UNUSED)
{
    message->removed = true;
}

static void on_accepted(struct exim_log *log UNUSED, struct exim_message *message UNUSED, const char *state UNUSED,
                        const char *text UNUSED)
{
}

/* What may be said of a message, and what its recipient's state is then. */
static const struct {
    const char *beginning, *state;
    void (*read)(struct exim_log *log, struct exim_message *message, const char *state, const char *text);
} sayings[] = {
    {"<= ", NULL, on_accepted},      {"=> ", "delivered", on_recipient}, {"-> ", "delivered", on_recipient},
    {"== ", "queued", on_recipient}, {"** ", "bounced", on_recipient},   {"Completed", NULL, on_completed},
};

/* 1vPXyz-000123-AB, and with more digits since 4.97 */
static size_t id_length(const char *text)
{
    size_t length = 0, dashes = 0;
    for (; isalnum((unsigned char)text[length]) || text[length] == '-'; length++)
        dashes += text[length] == '-';
    return dashes == 2 && length >= 16 && text[length] == ' ' ? length : 0;
}

/* 2026-11-29 11:06:52 1vPXyz-000123-AB == ... */
void exim_log_read(struct exim_log *log, const char *line)
{
    static const size_t stamp = sizeof "2026-11-29 11:06:52";
    if (strnlen(line, stamp) < stamp)
        return;
    const char *text = line + stamp;
    if (log->arena == NULL)
        log->arena = arena_new("exim log");
    log->started |= strstr(text, " daemon started: ") != NULL;
    size_t length = id_length(text);
    for (size_t i = 0; length > 0 && i < COUNT(sayings); i++) {
        const char *saying = text + length + 1;
        if (strncmp(saying, sayings[i].beginning, strlen(sayings[i].beginning)) != 0)
            continue;
        struct exim_message *message = message_of(log, text, length);
        if (message != NULL)
            sayings[i].read(log, message, sayings[i].state, saying + strlen(sayings[i].beginning));
        return;
    }
}

void exim_log_free(struct exim_log *log)
{
    arena_free(&log->arena);
    *log = (struct exim_log){0};
}
