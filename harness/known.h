/* SPDX-License-Identifier: BSD-2-Clause
 * known - the known failures of one MTA: which cases differ, why, what is seen instead, in which versions.
 *
 * Owns:   everything lives in the arena. */
#ifndef HARNESS_KNOWN_H
#define HARNESS_KNOWN_H

#include "base/schema.h"
#include "harness/case.h"

struct known_failure {
    const char *scenario; /* its title; without [variant] all its variants */
    unsigned modes;       /* mask */
    const char *reason, *seen;
    unsigned courses;             /* what becomes of the message instead: 1 << enum message_course */
    struct schema_texts versions; /* "3.7" stands for 3.7.11 too; empty: every version */
    struct srcpos at;
    bool used; /* a case was asked about that it names */
};
struct known {
    struct known_failure *items;
    size_t count, room;
};

extern const struct schema known_schema; /* of the file, for its manual */

void known_read(struct arena *arena, const char *path, struct known *out, struct diag_list *diags);
/* Is the entry about a scenario of this title ("dane/x[ip=v6]")? */
bool known_names(const struct known_failure *entry, const char *title);
/* Turns a difference that is known into XFAIL and a pass that was not expected into XPASS. A difference that is another
 * one than is known stays what it is. */
void known_apply(struct arena *arena, struct known *known, struct case_result *result);

#endif
