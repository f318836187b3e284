/* SPDX-License-Identifier: BSD-2-Clause
 * ledger - the coverage ledger: what has become of each normative sentence. Pure.
 *
 * A sentence is covered by the scenarios that name it. One that none names is open, unless the catalogue says why
 * nobody outside can see whether it is kept ("unsupported yet: ..." where it waits for something to be built), or it
 * binds the receiving side, which the lab plays itself. */
#ifndef HARNESS_LEDGER_H
#define HARNESS_LEDGER_H

#include "harness/scenario.h"

enum ledger_state {
    LEDGER_COVERED,
    LEDGER_NOT_OBSERVABLE,
    LEDGER_UNSUPPORTED,
    LEDGER_OTHER_SIDE,
    LEDGER_OPEN,
    LEDGER_STATE_COUNT
};
extern const char *const ledger_state_words[]; /* "covered", "not observable", ..., NULL */

bool ledger_covers(const struct scenario *scenario, const char *id);
enum ledger_state ledger_state(const struct corpus *corpus, const struct clause *clause);
/* Why a clause is in its state, as far as the state is not the whole answer; NULL. */
const char *ledger_why(const struct corpus *corpus, const struct clause *clause);
/* Reasons that scenarios disprove: an error for each clause that is covered and yet said not to be observable. */
void ledger_check(const struct corpus *corpus, const struct clauses *clauses, struct diag_list *diags);

/* Which clauses are asked for. Empty members ask for all. */
struct ledger_wish {
    const char *const *words; /* ids, sections ("8461-4.1"), RFCs: one of them */
    size_t word_count;
    const char *rfc, *level, *who;
    bool only_open;
};
bool ledger_wants(const struct ledger_wish *wish, const struct corpus *corpus, const struct clause *clause);

/* How many of those asked for are in each state, by subject and level. */
enum { LEDGER_SUBJECTS = 3, LEDGER_LEVELS = 5 };
extern const char *const ledger_subject_words[]; /* sender, reporter, receiver, NULL */
extern const char *const ledger_level_words[];   /* MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, NULL */
struct ledger_sums {
    size_t of[LEDGER_SUBJECTS][LEDGER_LEVELS][LEDGER_STATE_COUNT];
};
void ledger_sum(const struct corpus *corpus, const struct clauses *clauses, const struct ledger_wish *wish,
                struct ledger_sums *sums);

#endif
