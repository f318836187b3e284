/* SPDX-License-Identifier: BSD-2-Clause
 * sts_policy - the text of an MTA-STS policy, read by the letter of RFC 8461 3.2 (errata 6253 and 7282 included). Pure.
 *
 * Owns:   the policy lives in the arena given.
 * Errors: false with *why, one sentence, a literal. */
#ifndef ENGINE_STS_POLICY_H
#define ENGINE_STS_POLICY_H

#include "engine/policy.h"

enum { STS_POLICY_SIZE_MAX = 64 * 1024 /* 8461-3.3-11 */, STS_MAX_AGE_MAX = 31557600 };

struct sts_policy {
    enum sts_policy_mode mode; /* STS_MODE_NONE, STS_TESTING, STS_ENFORCE */
    const char *const *mx;
    size_t mx_count; /* lower case: "mx.example", "*.example" */
    int64_t max_age; /* seconds, at most STS_MAX_AGE_MAX */
};

bool sts_policy_parse(struct arena *arena, const char *text, size_t length, struct sts_policy *out, const char **why);
/* 8461-4.1: does the name in the MX record match one of the patterns? "*." stands for exactly one label. */
bool sts_mx_matches(const char *const *mx, size_t count, const char *host);

#endif
