/* SPDX-License-Identifier: BSD-2-Clause
 * why - what stands behind a scenario, gathered for `mtalab why`, and told to people.
 *
 * Owns:    everything lives in the arena.
 * Borrows: the corpus, the clauses. */
#ifndef HARNESS_WHY_H
#define HARNESS_WHY_H

#include "harness/known.h"
#include "harness/reading.h"
#include "harness/scenario.h"

struct why_near {
    const struct scenario *scenario;
    unsigned score;
};
struct why_known { /* an MTA does otherwise */
    const char *mta;
    const struct known_failure *failure;
};
struct why_declared { /* an MTA says which way it goes */
    const char *mta, *version, *word;
    const struct reading *reading;
    unsigned accept; /* what is right then: 1 << enum message_course */
    unsigned modes;
};
struct why {
    struct arena *arena;
    const struct corpus *corpus;
    const struct clauses *clauses;
    const struct scenario *scenario;
    struct {
        struct why_near *items;
        size_t count, room;
    } near;
    struct {
        struct why_known *items;
        size_t count, room;
    } known;
    struct {
        struct why_declared *items;
        size_t count, room;
    } declared;
    const char *mtas; /* whose adapters come with mtalab, known to differ or not: "postfix, exim" */
};

/* The scenarios most like it; what the adapters' files and the adapters themselves say of it. */
void why_gather(struct why *why);
void why_tell(const struct why *why, FILE *out);

#endif
