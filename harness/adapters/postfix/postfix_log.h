/* SPDX-License-Identifier: BSD-2-Clause
 * postfix_log - what Postfix's log lines tell about each message: accepted, being tried, what came of each recipient.
 *
 * Pure but for its memory. Owns: everything, until postfix_log_free(). */
#ifndef HARNESS_ADAPTERS_POSTFIX_POSTFIX_LOG_H
#define HARNESS_ADAPTERS_POSTFIX_POSTFIX_LOG_H

#include "base/arena.h"

enum { POSTFIX_MESSAGES_MAX = 10000, POSTFIX_ID_MAX = 32 };

struct postfix_recipient {
    const char *address, *status, *code, *reason; /* "deferred", "4.7.5", "Server certificate not trusted" */
};
struct postfix_message {
    char id[POSTFIX_ID_MAX];
    bool fresh;    /* no attempt of it was waited for yet */
    bool active;   /* its attempt has begun */
    bool removed;  /* it has left the queue */
    bool reported; /* a report about it went to its sender */
    unsigned left; /* recipients of this attempt that nothing is known of yet */
    unsigned deferred, bounced;
    struct postfix_recipient *items;
    size_t count, room;
};
struct postfix_log {
    struct arena *arena;
    bool started;      /* the master said that it takes connections */
    const char *crash; /* what a program of Postfix said before it gave up; NULL: none did */
    struct postfix_message **items;
    size_t count, room;
};

void postfix_log_read(struct postfix_log *log, const char *line);
/* All that the log can say of the attempt has been said. */
bool postfix_message_is_over(const struct postfix_message *message);
void postfix_log_free(struct postfix_log *log);

#endif
