/* SPDX-License-Identifier: BSD-2-Clause
 * gate - may a connector demand DANE? What the past says of every destination whose mail it carries; who looks at the
 * hosts of the present adds what he finds. Pure. */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "engine/summary.h"

struct gate_row {
    const char *destination;         /* a domain, or a smart host: of that only the present is asked */
    const struct forecast *forecast; /* NULL: nothing was sent */
    bool is_smart_host;
    size_t hosts, green; /* hosts that would take mail under mandatory DANE; 0 until somebody has looked */
    const char *why;     /* it is shut; NULL: open */
};
struct gate_rows {
    struct gate_row *items;
    size_t count, room;
};
struct gate_question {
    const struct routing *routing;
    const struct connector *connector; /* one of them */
    const struct history *history;
    int64_t days; /* that it has to have been watched */
};

/* A row for each destination that its scope names or mail has gone to, and for each smart host. */
struct gate_rows gate_past(struct arena *arena, const struct gate_question *question);

/* Does it hold mail up that is not authenticated by DANE? */
bool gate_demands(const struct connector *connector);
/* It does, and did not before, or not of all this mail. before: NULL where there was none. */
bool gate_concerns(const struct connector *before, const struct connector *now);

#endif
