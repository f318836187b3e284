/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "engine/sts_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken keeps its promises; and a line feed at the end, or CRLF throughout, makes no difference. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz");
    struct sts_policy policy, again;
    const char *why;
    bool good = sts_policy_parse(arena, (const char *)data, size, &policy, &why);
    if (good == (why != NULL))
        abort();
    if (good && (policy.max_age < 0 || policy.max_age > STS_MAX_AGE_MAX || policy.mode == STS_ABSENT ||
                 (policy.mode != STS_MODE_NONE && policy.mx_count == 0)))
        abort();
    for (size_t i = 0; good && i < policy.mx_count; i++)
        sts_mx_matches(policy.mx, policy.mx_count, policy.mx[i]);
    if (good && size > 0 && size < STS_POLICY_SIZE_MAX && data[size - 1] != '\n') {
        char *longer = arena_strndup(arena, (const char *)data, size);
        longer[size] = '\n';
        if (!sts_policy_parse(arena, longer, size + 1, &again, &why) || again.mode != policy.mode)
            abort();
    }
    arena_free(&arena);
    return 0;
}
