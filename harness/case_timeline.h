/* SPDX-License-Identifier: BSD-2-Clause
 * case_timeline - what of a journal a reader wants to see: the lines of the time line shown with a verdict. Pure. */
#ifndef HARNESS_CASE_TIMELINE_H
#define HARNESS_CASE_TIMELINE_H

#include "base/journal.h"
#include "harness/case.h"

/* Of the events from that one on; at most most lines, the proof (NULL: none) always among them; what is left out is
 * said in a line. */
void case_timeline(struct arena *arena, const struct journal *journal, size_t from, const struct journal_event *proof,
                   const char *sender_domain, size_t most, struct case_result *out);

#endif
