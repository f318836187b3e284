/* SPDX-License-Identifier: BSD-2-Clause
 * verdict_always - what no sender may do in any case, whatever the scenario says or leaves unsaid. Pure. */
#ifndef HARNESS_VERDICT_ALWAYS_H
#define HARNESS_VERDICT_ALWAYS_H

#include "harness/verdict.h"

struct verdict_breach {
    const char *did;    /* "asked for TLSA records, at which the mode does not look", for a sentence */
    const char *clause; /* whose level it is judged at; NULL: as a MUST */
    const struct journal_event *proof;
};
/* The first breach; false: there is none. */
bool verdict_breach(const struct verdict_question *question, struct verdict_breach *out);

#endif
