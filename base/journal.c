/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* However many events there are: a peer that talks without end must not eat the machine. */
enum { BYTES_MAX = 256 << 20 };

static const struct {
    const char *name, *actor, *text;
} kinds[] = {
#define KIND(name, actor, text) [JOURNAL_##name] = {#name, actor, text},
#include "base/journal_kinds.def"
#undef KIND
};
static_assert(COUNT(kinds) == JOURNAL_KIND_COUNT, "every kind has its row");

struct journal {
    struct arena *arena;
    struct {
        const struct journal_event **items;
        size_t count, room;
    } events;
    size_t bytes;
    bool full;
    int64_t began_us;
    unsigned attempt, connections;
    void (*seen)(void *arg, const struct journal_event *event);
    void *seen_arg;
};

struct journal *journal_new(void)
{
    struct arena *arena = arena_new("journal");
    struct journal *journal = arena_alloc(arena, sizeof *journal);
    journal->arena = arena;
    journal->began_us = clock_monotonic_us();
    journal->attempt = 1;
    return journal;
}

void journal_free(struct journal **journal)
{
    if (journal == NULL || *journal == NULL)
        return;
    struct arena *arena = (*journal)->arena;
    *journal = NULL;
    arena_free(&arena);
}

/* Cut where a character begins. */
static size_t kept_length(const char *value)
{
    size_t length = strnlen(value, JOURNAL_VALUE_MAX + 1);
    if (length <= JOURNAL_VALUE_MAX)
        return length;
    size_t cut = JOURNAL_VALUE_MAX;
    while (cut > JOURNAL_VALUE_MAX - 4 && ((unsigned char)value[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}

struct pairs {
    struct {
        const char *name, *value;
        size_t length;
    } items[JOURNAL_FIELDS_MAX];
    size_t count, bytes;
};

static void take_pairs(struct pairs *pairs, va_list args)
{
    const char *name;
    while ((name = va_arg(args, const char *)) != NULL) {
        const char *value = va_arg(args, const char *);
        if (value == NULL)
            continue;
        assert(pairs->count < JOURNAL_FIELDS_MAX);
        if (pairs->count == JOURNAL_FIELDS_MAX)
            break;
        size_t length = kept_length(value);
        pairs->items[pairs->count].name = name;
        pairs->items[pairs->count].value = value;
        pairs->items[pairs->count++].length = length;
        pairs->bytes += length + 1;
    }
}

static char *put_text(char **room, const char *text, size_t length)
{
    char *put = *room;
    memcpy(put, text, length);
    put[length] = '\0';
    *room += length + 1;
    return put;
}

/* The event, its fields and all its texts are one piece of memory. */
static struct journal_event *make_event(struct journal *journal, const struct pairs *pairs, const char *host)
{
    size_t host_length = kept_length(host);
    size_t head = sizeof(struct journal_event) + pairs->count * sizeof(struct journal_field);
    size_t size = head + host_length + 1 + pairs->bytes;
    struct journal_event *event = arena_alloc(journal->arena, size);
    journal->bytes += size;
    char *room = (char *)event + head;
    event->host = put_text(&room, host, host_length);
    event->field_count = pairs->count;
    for (size_t i = 0; i < pairs->count; i++) {
        event->fields[i].name = pairs->items[i].name;
        event->fields[i].value = put_text(&room, pairs->items[i].value, pairs->items[i].length);
    }
    return event;
}

const struct journal_event *journal_add(struct journal *journal, enum journal_kind kind, const char *host,
                                        unsigned conn, ...)
{
    if (journal->events.count >= JOURNAL_MAX || journal->bytes >= BYTES_MAX) {
        journal->full = true;
        return NULL;
    }
    struct pairs pairs = {.count = 0};
    va_list args;
    va_start(args, conn);
    take_pairs(&pairs, args);
    va_end(args);

    struct journal_event *event = make_event(journal, &pairs, host != NULL ? host : "");
    event->seq = journal->events.count;
    event->at_us = clock_monotonic_us() - journal->began_us;
    event->attempt = journal->attempt;
    event->kind = kind;
    event->conn = conn;
    *ARENA_PUSH(journal->arena, &journal->events) = event;
    if (journal->seen != NULL)
        journal->seen(journal->seen_arg, event);
    return event;
}

unsigned journal_connection(struct journal *journal)
{
    return ++journal->connections;
}

unsigned journal_attempt(const struct journal *journal)
{
    return journal->attempt;
}

void journal_next_attempt(struct journal *journal)
{
    journal->attempt++;
}

void journal_watch(struct journal *journal, void (*seen)(void *arg, const struct journal_event *event), void *arg)
{
    journal->seen = seen;
    journal->seen_arg = arg;
}

size_t journal_count(const struct journal *journal)
{
    return journal->events.count;
}

bool journal_full(const struct journal *journal)
{
    return journal->full;
}

const struct journal_event *journal_at(const struct journal *journal, size_t i)
{
    return journal->events.items[i];
}

const char *journal_get(const struct journal_event *event, const char *field)
{
    for (size_t i = 0; i < event->field_count; i++)
        if (strcmp(event->fields[i].name, field) == 0)
            return event->fields[i].value;
    return "";
}

const char *journal_kind_name(enum journal_kind kind)
{
    return kinds[kind].name;
}

const char *journal_kind_actor(enum journal_kind kind)
{
    return kinds[kind].actor;
}

static const char *value_for(const struct journal_event *event, const char *name, size_t length)
{
    if (length == 4 && strncmp(name, "host", 4) == 0)
        return event->host;
    for (size_t i = 0; i < event->field_count; i++)
        if (strncmp(event->fields[i].name, name, length) == 0 && event->fields[i].name[length] == '\0')
            return event->fields[i].value;
    return "";
}

char *journal_sentence(struct arena *arena, const struct journal_event *event)
{
    char *buffer = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&buffer, &length);
    if (out == NULL)
        return arena_strdup(arena, kinds[event->kind].text);
    for (const char *at = kinds[event->kind].text; *at != '\0';) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (end == NULL) {
            fputc(*at++, out);
            continue;
        }
        const char *value = value_for(event, at + 1, (size_t)(end - at) - 1);
        text_print_escaped(out, value, strlen(value));
        at = end + 1;
    }
    fclose(out);
    while (length > 0 && buffer[length - 1] == ' ') /* an empty field at the end */
        length--;
    char *sentence = arena_strndup(arena, buffer, length);
    free(buffer);
    return sentence;
}

void journal_write_json(const struct journal_event *event, FILE *out)
{
    fprintf(out, "{\"seq\":%zu,\"at_us\":%lld,\"attempt\":%u,\"kind\":\"%s\",\"actor\":\"%s\",\"host\":\"", event->seq,
            (long long)event->at_us, event->attempt, kinds[event->kind].name, kinds[event->kind].actor);
    text_print_json(out, event->host);
    fprintf(out, "\",\"conn\":%u", event->conn);
    for (size_t i = 0; i < event->field_count; i++) {
        fprintf(out, ",\"%s\":\"", event->fields[i].name);
        text_print_json(out, event->fields[i].value);
        fputc('"', out);
    }
    fputs("}\n", out);
}
