/* SPDX-License-Identifier: BSD-2-Clause
 * history - what trace and queue tell of the last days, summed up: events that say the same are one row with a count.
 * Read from the engine's own files, whether it runs or not.
 *
 * Owns:    nothing; results live in the arena.
 * Errors:  false with *err filled. Files that are not there are empty. */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include "engine/engine_config.h"

struct history_row { /* texts are "" where nothing was known; the words are those of the trace */
    const char *event, *destination, *connector, *host;
    const char *mx_trust, *host_trust, *tlsa, *sts_mode, *demand, *tls, *cause, *code;
    int64_t count, first, last; /* UTC seconds */
    int64_t message;            /* one of them */
    const char *text;           /* of that one */
    int64_t certificate_until, signed_until; /* the latest known; 0: unknown */
};
enum { HISTORY_AGES = 5 };
struct history_waiting { /* a destination with mail in the queue */
    const char *destination, *code, *reason;
    int64_t count, late; /* recipients; those that wait longer than an hour */
    int64_t oldest;      /* arrived then */
    int64_t ages[HISTORY_AGES]; /* recipients that wait for less than 15 minutes, 1 hour, 4, 12, and for longer */
};
struct history_policy { /* in force, but its last fetch failed */
    const char *domain, *why;
    int64_t expires;
};
struct history_report { /* what another's TLS report says went wrong */
    const char *organization, *domain, *result, *mx;
    int64_t bad, begins;
};
struct history {
    int64_t now, since;
    struct { struct history_row *items; size_t count, room; } rows;
    struct { struct history_waiting *items; size_t count, room; } waiting;
    struct { struct history_policy *items; size_t count, room; } policies;
    struct { struct history_report *items; size_t count, room; } reports; /* by history_read_reports() */
};

bool history_read(struct arena *arena, const struct engine_config *config, int64_t since, int64_t now,
                  struct history *out, struct err *err) NODISCARD;
/* Of these the queue alone. */
bool history_read_waiting(struct arena *arena, const struct engine_config *config, int64_t now, struct history *out,
                          struct err *err) NODISCARD;
/* And what others' TLS reports tell of the same days. */
bool history_read_reports(struct arena *arena, const struct engine_config *config, struct history *history,
                          struct err *err) NODISCARD;

#endif
