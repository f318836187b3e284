/* SPDX-License-Identifier: BSD-2-Clause
 * exim_home - what the program of a distribution needs around it: the user it was compiled for, and a process that runs
 * as that user.
 *
 * Errors: false with *err filled. */
#ifndef HARNESS_ADAPTERS_EXIM_EXIM_HOME_H
#define HARNESS_ADAPTERS_EXIM_EXIM_HOME_H

#include "base/err.h"

struct exim_facts {
    char program[4000]; /* "": not found */
    char version[40];   /* "4.96"; "": it does not run */
    bool dane, smtputf8;
};

/* This process, and all that it runs, becomes Exim's user, and owns the directory; where the machine has no such user,
 * a passwd and a group file that have it are seen in place of the machine's. Root becomes it as anybody would; root of
 * a namespace with a single id takes that user's number for it. facts->program is set before: $MTALAB_EXIM; the
 * installed one; the one that bring-exim has put beside our programs, seen in the directory, for its user need not get
 * to where we are. */
bool exim_home_enter(const char *directory, struct exim_facts *facts, struct err *err);
/* The rest, as the program says it. */
void exim_facts_read(struct exim_facts *facts);

#endif
