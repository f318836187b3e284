/* SPDX-License-Identifier: BSD-2-Clause
 * web_policy - the body of an MTA-STS policy (8461-3.2). Pure; texts live in the arena given. */
#ifndef FAKESTS_WEB_POLICY_H
#define FAKESTS_WEB_POLICY_H

#include "base/arena.h"

enum { WEB_POLICY_LIMIT = 64 * 1024 }; /* 8461-3.3: what a sender should at most take */

/* Nothing is checked: a mode or a pattern that the RFC does not know is written as it stands. */
char *web_policy_text(struct arena *arena, const char *mode, const char *const *mx, size_t mx_count, int64_t max_age_s);
/* The policy and, behind it, valid extension lines until it is longer than WEB_POLICY_LIMIT. */
char *web_policy_oversized(struct arena *arena, const char *policy, size_t *length);

#endif
