/* SPDX-License-Identifier: BSD-2-Clause
 * exim_log - what the lines of Exim's main log tell about each message: accepted, and what came of each recipient.
 *
 * Pure but for its memory. Owns: everything, until exim_log_free(). */
#ifndef HARNESS_ADAPTERS_EXIM_EXIM_LOG_H
#define HARNESS_ADAPTERS_EXIM_EXIM_LOG_H

#include "base/arena.h"

enum { EXIM_MESSAGES_MAX = 10000, EXIM_ID_MAX = 32 };

struct exim_recipient {
    const char *address, *state, *reason; /* "a@b.example", "queued", "R=out T=smtp defer (-53): ..." */
};
struct exim_message {
    char id[EXIM_ID_MAX];
    bool tried;   /* an attempt of it was begun */
    bool fresh;   /* no attempt of it was waited for yet */
    bool removed; /* it has left the queue */
    struct exim_recipient *items;
    size_t count, room;
};
struct exim_log {
    struct arena *arena;
    bool started; /* the daemon takes connections */
    struct exim_message **items;
    size_t count, room;
};

void exim_log_read(struct exim_log *log, const char *line);
void exim_log_free(struct exim_log *log);

#endif
