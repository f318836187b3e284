/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "engine/tlsrpt_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz");
    struct err err = {0};
    json_t *report = tlsrpt_read(arena, (const char *)data, size, &err);
    if ((report == NULL) != (err.kind == ERR_PEER))
        abort();
    if (report != NULL && (!json_is_string(json_object_get(report, "organization")) ||
                           json_array_size(json_object_get(report, "policies")) > TLSRPT_POLICIES_MAX))
        abort();
    json_decref(report);
    arena_free(&arena);
    return 0;
}
