/* SPDX-License-Identifier: BSD-2-Clause
 * TAP 13: a known failure is still to be mended, what the subject does not have is skipped. */
#include <string.h>

#include "base/text.h"
#include "harness/report_formats.h"

static const struct {
    bool ok;
    const char *directive;
} points[VERDICT_COUNT] = {
    [VERDICT_PASS] = {true, NULL},          [VERDICT_FAIL] = {false, NULL},     [VERDICT_WARN] = {true, NULL},
    [VERDICT_INFO] = {true, NULL},          [VERDICT_XFAIL] = {false, "TODO"},  [VERDICT_XPASS] = {false, NULL},
    [VERDICT_UNSUPPORTED] = {true, "SKIP"}, [VERDICT_UNPROVEN] = {false, NULL}, [VERDICT_UNKNOWN] = {false, NULL},
};

/* In a description a # would begin a directive. */
static void description(const char *text, FILE *out)
{
    for (const char *hash; (hash = strchr(text, '#')) != NULL; text = hash + 1) {
        text_print_escaped(out, text, (size_t)(hash - text));
        fputs("\\#", out);
    }
    text_print_escaped(out, text, strlen(text));
}

/* A text of YAML in double quotes, escaped as JSON is. */
static void quoted(const char *key, const char *text, FILE *out)
{
    fprintf(out, "  %s: \"", key);
    text_print_json(out, text);
    fputs("\"\n", out);
}

static void diagnostics(const struct case_result *result, FILE *out)
{
    fputs("  ---\n", out);
    quoted("verdict", verdict_words[result->kind], out);
    quoted("message", result->sentence != NULL ? result->sentence : "", out);
    if (result->clause != NULL)
        quoted("clause", result->clause, out);
    if (result->rule != NULL)
        quoted("rule", result->rule, out);
    for (size_t i = 0; i < result->line_count; i++)
        if (result->lines[i].proof)
            quoted("proof", result->lines[i].text, out);
    if (result->file != NULL) {
        quoted("file", result->file, out);
        fprintf(out, "  line: %u\n", result->line);
    }
    fputs("  ...\n", out);
}

bool report_tap(const struct report_run *run, FILE *out)
{
    struct arena *arena = arena_new("report_tap");
    size_t number = 0;
    fprintf(out, "TAP version 13\n1..%zu\n", run->selected);
    for (size_t i = 0; i < run->count; i++) {
        const struct case_result *result = &run->results[i];
        if (result->is_twin)
            continue;
        fprintf(out, "%s %zu - ", points[result->kind].ok ? "ok" : "not ok", ++number);
        description(case_name(arena, result), out);
        if (points[result->kind].directive != NULL)
            fprintf(out, " # %s", points[result->kind].directive);
        fputc('\n', out);
        if (result->kind != VERDICT_PASS)
            diagnostics(result, out);
    }
    arena_free(&arena);
    return fflush(out) == 0 && !ferror(out);
}
