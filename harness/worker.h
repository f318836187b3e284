/* SPDX-License-Identifier: BSD-2-Clause
 * worker - one sandbox with one subject, in which cases are run one after the other, each in a process of its own: a
 * case that crashes harms no other.
 *
 * Speaks with the runner by lines over one socket: the number of a case comes in, its result goes out as JSON; a line
 * that begins with '!' is the reason why this worker can run nothing. It ends when the socket does. */
#ifndef HARNESS_WORKER_H
#define HARNESS_WORKER_H

#include "harness/sandbox.h"
#include "harness/schedule.h"

struct worker_setting {
    int socket;
    int peer; /* the runner's end, inherited: closed at once, so that its closing is seen */
    const char *adapter;
    const struct schedule *schedule;
    const struct clauses *clauses;
    double budget_s;
    bool keep_journal;
    const int *evidence; /* open folder for packets and keys; NULL: none are kept */
};
/* For sandbox_spec.body; arg: struct worker_setting. */
int worker_main(const struct sandbox *sandbox, void *arg);

#endif
