/* SPDX-License-Identifier: BSD-2-Clause
 * settle - what becomes of recipients after an attempt: again later, delivered, or bounced with a report to the sender.
 *
 * Borrows: everything. Errors: false with *err filled; the recipients then stay as they were. */
#ifndef ENGINE_SETTLE_H
#define ENGINE_SETTLE_H

#include "engine/engine_config.h"
#include "engine/queue.h"
#include "engine/trace.h"

struct settle_world {
    const struct engine_config *config;
    const struct clock *clock;
    struct queue *queue;
    struct trace *trace;
};
struct settle_failed {
    const struct queued *recipient;
    struct failure failure;
    enum course course;                /* DEFER or BOUNCE */
};
struct settle_about {                  /* the attempt, for traces and reports */
    const char *destination, *connector;
    int64_t at;                        /* when it ended: what is due, late and given up is told by that alone */
    const char *host, *address;        /* where it was delivered to; else NULL */
    const struct tls_outcome *tls;     /* NULL: in clear */
    enum tls_demand demand;            /* what protected the channel */
    bool traced;                       /* noted before, and undone: the trace has it */
};

bool settle_delivered(const struct settle_world *world, const struct settle_about *about,
                      const struct queued *const *recipients, size_t count, const char *reply,
                      struct err *err) NODISCARD;
/* One transaction, with the report about those that bounce. */
bool settle_failures(const struct settle_world *world, const struct settle_about *about, struct arena *arena,
                     const struct settle_failed *list, size_t count, struct err *err) NODISCARD;
/* The administrator takes them out of the queue; report: their senders are told. One transaction a message. */
bool settle_removed(const struct settle_world *world, struct arena *arena, const struct queued_list *list, bool report,
                    struct err *err) NODISCARD;
/* Would this recipient be given up, were its attempt to end then in COURSE_DEFER? */
bool settle_gives_up(const struct settle_world *world, const struct queued *recipient, int64_t at);

#endif
