/* SPDX-License-Identifier: BSD-2-Clause
 * case_run - one case from its plan to its verdict, on a loop of its own.
 *
 * The world is made, the subject told that a case begins, then the scenario's steps are gone through: change, advance,
 * submit, wait for the attempt, ask for the status. The journal is then judged. Everything has to happen within one
 * budget; what does not is UNKNOWN, with what was being waited for.
 *
 * Borrows: everything in case_setting; the scenario. The result lives in the arena. */
#ifndef HARNESS_CASE_RUN_H
#define HARNESS_CASE_RUN_H

#include "harness/case.h"
#include "harness/resolver.h"
#include "harness/sandbox.h"
#include "harness/subject.h"

enum { CASE_LINES_MAX = 60 };

struct case_setting {
    const struct sandbox *sandbox;
    struct subject *subject;
    struct resolver *resolver; /* NULL: the subject validates by itself */
    const struct clauses *clauses;
    struct plan_pki *pki;
    double budget_s;
    bool keep_journal;
    const int *evidence; /* open folder for packets and keys; NULL: none are kept */
};

/* False: the conversation with the subject broke off, it has to be started anew. */
bool case_run(struct arena *arena, const struct case_setting *setting, const struct scenario *scenario, unsigned mode,
              struct case_result *out);

/* A result without a run: what could not even begin. */
void case_result_without_run(struct arena *arena, const struct scenario *scenario, unsigned mode,
                             const struct subject_facts *subject, enum verdict_kind kind, const char *sentence,
                             struct case_result *out);
/* What this subject lacks for the case; NULL: nothing. */
const char *case_lacks(struct arena *arena, const struct subject_facts *facts, const struct scenario *scenario,
                       unsigned mode);

#endif
