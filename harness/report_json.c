/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/mode.h"
#include "harness/report_formats.h"

bool report_json(const struct report_run *run, FILE *out)
{
    struct arena *arena = arena_new("report_json");
    for (size_t i = 0; i < run->count; i++)
        if (!run->results[i].is_twin)
            fprintf(out, "%s\n", case_result_encode(arena, &run->results[i]));
    arena_free(&arena);
    return fflush(out) == 0 && !ferror(out);
}
