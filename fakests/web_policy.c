/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakests/web_policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

char *web_policy_text(struct arena *arena, const char *mode, const char *const *mx, size_t mx_count, int64_t max_age_s)
{
    char *text = arena_printf(arena, "version: STSv1\r\nmode: %s\r\n", mode);
    for (size_t i = 0; i < mx_count; i++)
        text = arena_printf(arena, "%smx: %s\r\n", text, mx[i]);
    return arena_printf(arena, "%smax_age: %" PRId64 "\r\n", text, max_age_s);
}

char *web_policy_oversized(struct arena *arena, const char *policy, size_t *length)
{
    /* 8461-3.2: sts-policy-extension = field name ":" *WSP field value */
    static const char extension[] = "x-padding: all of these lines are valid extensions of an MTA-STS policy\r\n";
    enum { LINE = sizeof extension - 1 };
    size_t start = strlen(policy);
    bool ended = start == 0 || policy[start - 1] == '\n';
    size_t at = ended ? start : start + 2, room = at + WEB_POLICY_LIMIT + 2 * LINE;
    char *text = arena_alloc(arena, room);
    snprintf(text, room, "%s%s", policy, ended ? "" : "\r\n");
    for (size_t target = at + WEB_POLICY_LIMIT; at <= target; at += LINE)
        memcpy(text + at, extension, LINE);
    *length = at;
    return text;
}
