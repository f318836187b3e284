/* SPDX-License-Identifier: BSD-2-Clause
 * GitHub's workflow commands: a difference is annotated at its line of the scenario. */
#include "harness/report_formats.h"

/* What a verdict is to GitHub; NULL: nothing to be told. */
static const char *const commands[VERDICT_COUNT] = {
    [VERDICT_FAIL] = "error",    [VERDICT_XPASS] = "error",  [VERDICT_UNPROVEN] = "error",
    [VERDICT_UNKNOWN] = "error", [VERDICT_WARN] = "warning",
};

/* A percent sign, line ends and, in properties, what separates them. */
static void escaped(const char *text, const char *also, FILE *out)
{
    for (; *text != '\0'; text++) {
        bool special = *text == '%' || (unsigned char)*text < ' ' || *text == 127;
        for (const char *c = also; *c != '\0'; c++)
            special |= *c == *text;
        fprintf(out, special ? "%%%02X" : "%c", (unsigned char)*text);
    }
}

static void annotation(struct arena *arena, const struct case_result *result, FILE *out)
{
    fprintf(out, "::%s title=", commands[result->kind]);
    escaped(case_name(arena, result), ",:", out);
    if (result->file != NULL) {
        fputs(",file=", out);
        escaped(result->file, ",:", out);
        fprintf(out, ",line=%u,col=%u", result->line, result->col);
    }
    fputs("::", out);
    escaped(arena_printf(arena, "%s: %s%s%s", verdict_words[result->kind],
                         result->sentence != NULL ? result->sentence : "", result->rule != NULL ? "\n" : "",
                         result->rule != NULL ? result->rule : ""),
            "", out);
    fputc('\n', out);
}

bool report_github(const struct report_run *run, FILE *out)
{
    struct arena *arena = arena_new("report_github");
    for (size_t i = 0; i < run->count; i++)
        if (!run->results[i].is_twin && commands[run->results[i].kind] != NULL)
            annotation(arena, &run->results[i], out);
    arena_free(&arena);
    return fflush(out) == 0 && !ferror(out);
}
