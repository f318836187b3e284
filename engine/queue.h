/* SPDX-License-Identifier: BSD-2-Clause
 * queue - accepted messages on disk: each recipient's state, attempts, and when it is next due.
 *
 * Owns:    its part of the store; what it hands out lives in the caller's arena.
 * Borrows: the clock.
 * Errors:  false with *err filled; the store is then unchanged.
 * Threads: one. Kill -9 at any moment loses nothing: a message is there when queue_add() has returned (with
 * queue_group(): when queue_flush() has), and a recipient's end and the report about it are written in one
 * transaction. */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include "base/clock.h"
#include "base/err.h"
#include "engine/filter.h"
#include "engine/message.h"

/* REMOVED: by the administrator. */
enum recipient_state { RECIPIENT_QUEUED, RECIPIENT_DELIVERED, RECIPIENT_BOUNCED, RECIPIENT_REMOVED };
extern const char *const recipient_state_names[];

struct queued {                     /* a recipient in the queue */
    int64_t id, message;            /* rows */
    const char *address, *domain;
    const char *sender;
    int64_t arrived, due, size;
    unsigned attempts;
    size_t of_message;              /* recipients that its message came with */
    enum recipient_state state;
    bool held;                      /* not tried, and not given up, until it is released */
    const char *code, *reason;      /* of the last attempt; "" before it */
    const char *connector;          /* that the last attempt went by; "": none, or no attempt yet */
    enum message_tls tls;
    bool smtputf8;
};
struct queued_list { struct queued *items; size_t count, room; };

struct settlement {                 /* what one attempt has come to for one recipient */
    int64_t id, message;
    enum recipient_state state;     /* QUEUED: again at due */
    int64_t due;
    const char *code, *reason;
    const char *connector;          /* NULL: as before */
};

struct queue;

struct queue *queue_open(const char *path, bool fsync, const struct clock *clock, struct err *err) NODISCARD;
void queue_close(struct queue **queue);

/* Every recipient is due at once. *id: the message's row; may be NULL. */
bool queue_add(struct queue *queue, const struct message *message, int64_t *id, struct err *err) NODISCARD;
/* From here on changes are on disk only after queue_flush(), many at once; dirty() says that there is something to
 * flush. Nobody outside may be told of them before. */
void queue_group(struct queue *queue, void (*dirty)(void *arg), void *arg);
bool queue_pending(const struct queue *queue);
bool queue_flush(struct queue *queue, struct err *err) NODISCARD;    /* false: all since the last flush is undone */

/* Destinations of recipients that came, or became due, since the last call; all: of every one that is due. Some may be
 * told twice, or have nothing due after all. */
bool queue_destinations(struct queue *queue, bool all, void (*tell)(void *arg, const char *destination), void *arg,
                        struct err *err) NODISCARD;
/* Of the message that waits longest for that destination, the recipients there that are due and not in hands of a
 * delivery. */
bool queue_due(struct queue *queue, struct arena *arena, const char *destination, struct queued_list *list,
               struct err *err) NODISCARD;
/* Into a delivery's hands and out of them: known to this process only, whatever becomes of a transaction. */
void queue_take(struct queue *queue, int64_t recipient);
void queue_release(struct queue *queue, int64_t recipient);
/* When the first recipient after that time is due; INT64_MAX: none is. */
int64_t queue_next_due(struct queue *queue, int64_t after);
/* What a request of the administrator picks out (see queue.c for its keys). */
bool queue_filter(struct arena *arena, const json_t *request, struct filter *filter, struct err *err) NODISCARD;
/* Queued recipients with an id above after, in its order; free: only those in no delivery's hands. */
bool queue_pick(struct queue *queue, struct arena *arena, const struct filter *filter, int64_t after, bool free,
                size_t limit, struct queued_list *list, struct err *err) NODISCARD;
/* Due now: one recipient, which stays held if it is; and everything that is not held. */
bool queue_hurry(struct queue *queue, int64_t recipient, struct err *err) NODISCARD;
bool queue_hurry_all(struct queue *queue, struct err *err) NODISCARD;
bool queue_hold(struct queue *queue, int64_t recipient, bool held, struct err *err) NODISCARD;
/* What is done to several recipients between the two is one transaction. */
bool queue_begin(struct queue *queue, struct err *err) NODISCARD;
bool queue_finish(struct queue *queue, bool fine, struct err *err) NODISCARD;
/* One transaction: the recipients' fates, and the report that goes with them (NULL: none; *report_id may be NULL). The
 * content of a message
 * without a queued recipient is dropped. */
bool queue_settle(struct queue *queue, const struct settlement *list, size_t count, const struct message *report,
                  int64_t *report_id, struct err *err) NODISCARD;
/* Envelope and content as they came, in the arena; recipients whose end has been trimmed are missing. */
bool queue_message(struct queue *queue, struct arena *arena, int64_t id, struct message *message,
                   struct err *err) NODISCARD;
/* In the arena; NULL when the message is gone. */
char *queue_content(struct queue *queue, struct arena *arena, int64_t message, size_t *length, struct err *err);
/* Recipients that the queue knows, the oldest first, at most limit. */
bool queue_list(struct queue *queue, struct arena *arena, const struct filter *filter, bool only_queued, size_t limit,
                struct queued_list *list, struct err *err) NODISCARD;
/* late: for longer than an hour; oldest: arrived then, 0: none. */
struct queue_depth { int64_t recipients, late, oldest; };
void queue_depth(struct queue *queue, struct queue_depth *out);
/* Forgets finished messages older than that. */
bool queue_trim(struct queue *queue, int64_t older_than, struct err *err) NODISCARD;

#endif
