/* SPDX-License-Identifier: BSD-2-Clause
 * faults - everything that can be wrong or odd in a world, from the tables of the fakes and of scenarios: what it is,
 * the clause, and a scenario that shows it.
 *
 * Owns: everything lives in the arena. Borrows: the corpus. */
#ifndef HARNESS_FAULTS_H
#define HARNESS_FAULTS_H

#include "harness/scenario.h"

struct fault_row {
    const char *part;      /* of a world: "dns", "certificate", "smtp", ...: a key of a name */
    const char *title;     /* of the table that it stands in */
    const char *name;      /* "servfail"; "starttls: hidden"; "greeting" */
    const char *doc;       /* NULL: the row before says it for this one too */
    const char *note;      /* "bogus, whole zone"; "" */
    const char *clause;    /* NULL: none */
    const char *example;   /* title of a scenario; NULL: none has it */
};
struct fault_rows { struct fault_row *items; size_t count, room; };

struct fault_rows faults_list(struct arena *arena, const struct corpus *corpus);

#endif
