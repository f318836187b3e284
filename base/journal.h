/* SPDX-License-Identifier: BSD-2-Clause
 * journal - everything the lab witnessed, on one time line: the evidence that verdicts are made of.
 *
 * What happened is data first (kind, host, connection, named fields), text last (the kind's template).
 *
 * Owns:    all events and their texts, until journal_free().
 * Errors:  none; running out of memory ends the program. At most JOURNAL_MAX events are kept; journal_full() tells.
 * Threads: one. */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include <stdio.h>

#include "base/arena.h"

enum { JOURNAL_MAX = 200000, JOURNAL_FIELDS_MAX = 12, JOURNAL_VALUE_MAX = 2048 };

enum journal_kind {
#define KIND(name, actor, text) JOURNAL_##name,
#include "base/journal_kinds.def"
#undef KIND
    JOURNAL_KIND_COUNT
};

struct journal_field { const char *name, *value; };

struct journal_event {
    size_t seq;               /* from 0, in the order witnessed */
    int64_t at_us;            /* microseconds since journal_new() */
    unsigned attempt;         /* of the sender: counted up by begin, flush and advance; from 1 */
    enum journal_kind kind;
    const char *host;         /* the fake host or zone concerned, "" if none */
    unsigned conn;            /* connection, numbered from 1 over all fakes; 0: none */
    size_t field_count;
    struct journal_field fields[];
};

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal **journal);

/* Adds an event. The rest are pairs of (const char *name, const char *value), ended by NULL; a NULL value leaves the
 * pair out; long values are cut. Field names are literals, those of the kind's row in journal_kinds.def. NULL when the
 * journal is full. */
const struct journal_event *journal_add(struct journal *journal, enum journal_kind kind, const char *host,
                                        unsigned conn, ...) __attribute__((sentinel));
unsigned journal_connection(struct journal *journal);           /* a fresh connection number */
unsigned journal_attempt(const struct journal *journal);
void journal_next_attempt(struct journal *journal);
/* Called at every event as it is added; for waiting and for live views. One watcher; NULL: none. */
void journal_watch(struct journal *journal, void (*seen)(void *arg, const struct journal_event *event), void *arg);

size_t journal_count(const struct journal *journal);
bool journal_full(const struct journal *journal);
const struct journal_event *journal_at(const struct journal *journal, size_t i);
const char *journal_get(const struct journal_event *event, const char *field);     /* "" when absent */
const char *journal_kind_name(enum journal_kind kind);                             /* "DNS_QUERY" */
const char *journal_kind_actor(enum journal_kind kind);
/* The kind's sentence with its {fields} filled in, escaped for a terminal. */
char *journal_sentence(struct arena *arena, const struct journal_event *event);
void journal_write_json(const struct journal_event *event, FILE *out);             /* one line */

#endif
