/* SPDX-License-Identifier: BSD-2-Clause
 * report - results for people and machines: one file and one row for each format.
 *
 * Text that came from a peer is escaped in every format. */
#ifndef HARNESS_REPORT_H
#define HARNESS_REPORT_H

#include <stdio.h>

#include "harness/case.h"

struct report_run {               /* a whole run */
    const struct corpus *corpus;  /* for excerpts and clauses; its diags know the sources */
    const struct clauses *clauses;
    const char *subject;
    const struct case_result *results; size_t count;   /* twins that were not selected included, marked is_twin */
    double seconds;
    size_t selected;              /* cases selected */
};
enum { REPORT_QUIET, REPORT_NORMAL, REPORT_VERBOSE };

/* One result on the terminal: a line when as expected (only if verbose), the whole story otherwise. colour: ANSI. */
void report_terminal_case(const struct report_run *run, const struct case_result *result, int verbosity, bool colour,
                          FILE *out);
void report_terminal_summary(const struct report_run *run, bool colour, FILE *out);

struct report_format { const char *name, *option, *doc; bool (*write)(const struct report_run *run, FILE *out); };
const struct report_format *report_format_at(size_t i);        /* NULL at the end */

/* Exit status of a run: 0 as expected, 1 a conformance difference, 3 the lab failed and nothing worse, 4 nothing was
 * selected. */
int report_exit_status(const struct report_run *run);

#endif
