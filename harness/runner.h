/* SPDX-License-Identifier: BSD-2-Clause
 * runner - runs a schedule with several workers at once and gives each case its final verdict, for which its control
 * twin and the known failures are looked at.
 *
 * Owns:   workers and their sandboxes; nothing of them is left when it returns, however it ends.
 * Errors: false with *err filled when nothing could be run. */
#ifndef HARNESS_RUNNER_H
#define HARNESS_RUNNER_H

#include "harness/known.h"
#include "harness/report.h"
#include "harness/sandbox.h"
#include "harness/schedule.h"

struct runner_wish {
    const struct schedule *schedule;
    const struct clauses *clauses;
    const char *adapter;    /* path */
    struct known *known;    /* NULL: none */
    unsigned workers;       /* at least 1 */
    enum sandbox_kind kind; /* AUTO falls back to LOOPBACK, and says so on standard error */
    double budget_s;
    bool keep_journal, fail_fast;
    const int *evidence; /* open folder for packets and keys; NULL: none are kept */
    /* Called once for each case, when its verdict is final, and once a result of any kind has come (result NULL). */
    void (*finished)(void *arg, const struct case_result *result);
    void *arg;
};
struct runner_outcome {
    struct case_result *results;
    size_t count; /* those that have run, in the schedule's order */
    bool interrupted;
};
bool runner_run(struct arena *arena, const struct runner_wish *wish, struct runner_outcome *out, struct err *err);

/* What a case's verdict becomes once its twin's is known. Pure. */
void runner_settle(struct arena *arena, struct case_result *result, const struct case_result *twin);

#endif
