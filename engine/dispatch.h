/* SPDX-License-Identifier: BSD-2-Clause
 * dispatch - whose turn it is: destinations with mail that is due, in fair order, each with few deliveries at once.
 * Pure: it knows neither messages nor time.
 *
 * A delivery has a slot while it gets on. One that its peer keeps waiting makes room (dispatch_slow), so that silent
 * destinations do not hold up the others; and where the last delivery came to nothing, the next ones may have but a
 * part of the slots. Destinations of one standing take turns; of those nobody knows each is asked once before any is
 * asked by a second delivery.
 *
 * Several destinations may share a gate (a smart host): so many deliveries go through it at once, and the others wait
 * before it in the order in which they came.
 *
 * Owns:   the names.
 * Errors: none. */
#ifndef ENGINE_DISPATCH_H
#define ENGINE_DISPATCH_H

#include "base/base.h"

struct dispatch_limits {
    size_t slots; /* deliveries that get on */
    size_t slow;  /* deliveries that wait for their peers, besides */
    size_t per_destination;
};
struct dispatch;
struct dispatch_turn; /* a delivery under way */

struct dispatch *dispatch_new(const struct dispatch_limits *limits);
void dispatch_limit(struct dispatch *dispatch, const struct dispatch_limits *limits); /* others from now on */
void dispatch_free(struct dispatch **dispatch);

void dispatch_due(struct dispatch *dispatch, const char *destination); /* something is due there */
/* The next turn; NULL: nobody's. It ends by dispatch_end(). */
struct dispatch_turn *dispatch_next(struct dispatch *dispatch);
const char *dispatch_destination(const struct dispatch_turn *turn);
/* The delivery goes through that gate, which takes that many times what a destination may have. False: the gate is
 * full; the turn is over, and its destination has another when it is not. */
bool dispatch_pass(struct dispatch_turn **turn, const char *gate, size_t times);
bool dispatch_slow(struct dispatch_turn *turn); /* false: too many are, it keeps its slot */

enum dispatch_end { DISPATCH_WENT, DISPATCH_CAME_TO_NOTHING, DISPATCH_NOTHING_DUE };
void dispatch_end(struct dispatch_turn **turn, enum dispatch_end how);

#endif
