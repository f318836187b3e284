/* SPDX-License-Identifier: BSD-2-Clause
 * schedule - which cases a run consists of, and in what order. Pure.
 *
 * A case whose scenario has a control twin depends on the twin's case in the same mode, which is scheduled once, before
 * it, whether it was selected or not. */
#ifndef HARNESS_SCHEDULE_H
#define HARNESS_SCHEDULE_H

#include "harness/scenario.h"

enum { SCHEDULE_NO_TWIN = -1 };

struct schedule_item {
    const struct scenario *scenario;
    unsigned mode;
    long twin;    /* index of the twin's item; SCHEDULE_NO_TWIN: none */
    bool is_twin; /* here only as somebody's twin */
};
struct schedule {
    struct schedule_item *items;
    size_t count, room;
    size_t selected;  /* not counting what is here only as a twin */
    size_t scenarios; /* of the selected */
};
struct schedule_wish {
    const char *const *clauses;
    size_t clause_count;    /* only scenarios that cover one of these; none: all */
    unsigned modes;         /* mask */
    unsigned shard, shards; /* the shard-th of shards, from 1; 0 of 0: everything */
    unsigned long seed;     /* order shuffled by it; 0: not shuffled */
    unsigned repeat;        /* each selected case that many times; at least 1 */
};
void schedule_make(struct arena *arena, const struct corpus *corpus, const struct schedule_wish *wish,
                   struct schedule *out);

#endif
