/* SPDX-License-Identifier: BSD-2-Clause
 * mx_behaviour - the table of what can be set about an MX host, and what follows from the table alone: copies,
 * comparisons, departures from the usual, a setting in words.
 *
 * A setting is known by its place in struct mx_behaviour: MX_SETTING(starttls).
 * Pure; what is returned lives in the arena given. */
#ifndef FAKEMX_MX_BEHAVIOUR_H
#define FAKEMX_MX_BEHAVIOUR_H

#include "fakemx/fakemx.h"

#define MX_SETTING(member) offsetof(struct mx_behaviour, member)

/* Where a session can be; each is counted by host, and most have a setting that changes what is done there. */
enum mx_step {
    MX_STEP_GREETING,
    MX_STEP_EHLO,
    MX_STEP_HELO,
    MX_STEP_STARTTLS,
    MX_STEP_MAIL,
    MX_STEP_RCPT,
    MX_STEP_DATA,
    MX_STEP_BDAT,
    MX_STEP_CHUNK, /* the end of any BDAT chunk but the last */
    MX_STEP_END_OF_DATA,
    MX_STEP_RSET,
    MX_STEP_NOOP,
    MX_STEP_VRFY,
    MX_STEP_QUIT,
    MX_STEP_OTHER,
    MX_STEP_COUNT
};

/* What to do at the n-th time a step is reached, NULL: the usual. */
const struct mx_doing *mx_behaviour_doing(const struct mx_behaviour *behaviour, enum mx_step step, unsigned nth,
                                           const char *line);
/* The versions of TLS that are really spoken: what a setting needs comes before what tls_versions says. */
enum mx_tls_versions mx_behaviour_tls_versions(const struct mx_behaviour *behaviour);
size_t mx_step_setting(enum mx_step step); /* only for a step at which mx_behaviour_doing() found something */

const struct mx_behaviour *mx_behaviour_copy(struct arena *arena,
                                             const struct mx_behaviour *from); /* NULL: the usual */
bool mx_behaviour_equal(const struct mx_behaviour *a, const struct mx_behaviour *b);
bool mx_setting_departs(const struct mx_behaviour *behaviour, size_t setting);
const char *mx_setting_name(size_t setting); /* "end-of-data" */
/* "starttls: hidden"; doing: which of a step's list, NULL for other settings. */
const char *mx_setting_words(struct arena *arena, const struct mx_behaviour *behaviour, size_t setting,
                             const struct mx_doing *doing);

#endif
