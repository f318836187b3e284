/* SPDX-License-Identifier: BSD-2-Clause
 * courier - the deliveries under way: begins them as their destinations' turns come, notices those that last, and takes
 * note of how each one ended.
 *
 * Owns:    the deliveries and the turns. Borrows: the world, the routing.
 * Errors:  false with *err filled: the queue could not be read; what was begun goes on.
 * Threads: one; freed() is called from the loop. */
#ifndef ENGINE_COURIER_H
#define ENGINE_COURIER_H

#include "engine/delivery.h"
#include "engine/dispatch.h"

struct courier;

/* freed: a delivery has ended, or one that lasts has made room; it is time for courier_look(). */
struct courier *courier_new(const struct delivery_world *world, const struct routing *routing,
                            struct dispatch_limits limits, void (*freed)(void *arg), void *arg);
void courier_limit(struct courier *courier, struct dispatch_limits limits);   /* other ones from now on */
void courier_free(struct courier **courier);    /* what is under way stays in the queue */

/* Begins what is due and may begin. all: whatever is due, not only what is new since the last time. */
bool courier_look(struct courier *courier, bool all, struct err *err) NODISCARD;
bool courier_idle(const struct courier *courier);
/* clock_monotonic_us() when the oldest delivery under way began; INT64_MAX: none is. */
int64_t courier_since(const struct courier *courier);

#endif
