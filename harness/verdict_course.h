/* SPDX-License-Identifier: BSD-2-Clause
 * verdict_course - what became of a message, recipient by recipient, and what may become of none. Pure.
 *
 * The wire comes first: what a host took, and what report came home. The adapter is asked for what no wire shows, and
 * only that: whether the message still waits. */
#ifndef HARNESS_VERDICT_COURSE_H
#define HARNESS_VERDICT_COURSE_H

#include "harness/verdict.h"

struct verdict_course {
    unsigned got;                        /* mask of 1 << enum message_course, over all recipients */
    const struct journal_event *report;  /* the failure report that came home; NULL: none */
    const struct verdict_status *held;   /* what the adapter says of the first recipient that waits; NULL */
    const char *contradiction; /* what cannot be together: "delivered the message and still queues it"; NULL */
};

/* The step that sent the message which step i is about: its own, or the last one before it. NULL: nothing was sent. */
const struct verdict_step *verdict_sent(const struct verdict_question *question, size_t i);
/* Of all recipients in this step; or of one alone, since the message was sent. */
void verdict_course(struct arena *arena, const struct verdict_question *question, size_t i, const char *only,
                    struct verdict_course *out);
/* Is the recipient one of those of the message that a host took? */
bool verdict_lists(const struct journal_event *event, const char *recipient);

/* The first message with that token that a host took during the step; not a report of its failure, which comes home. */
const struct journal_event *verdict_delivery(const struct verdict_question *question, size_t i,
                                             const struct journal_event *after);

/* What no course allows: a delivery that nobody asked for, twice, altered, or to a host that is not of the domain. What
 * was done, for a sentence; NULL: nothing of the kind. */
const char *verdict_misdelivery(struct arena *arena, const struct verdict_question *question,
                                const struct journal_event **proof);

#endif
