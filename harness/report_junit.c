/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/text.h"
#include "harness/report_formats.h"

/* The element of JUnit that a verdict becomes; NULL: a plain pass. */
static const char *const elements[VERDICT_COUNT] = {
    [VERDICT_FAIL] = "failure",  [VERDICT_XPASS] = "failure",       [VERDICT_UNPROVEN] = "failure",
    [VERDICT_UNKNOWN] = "error", [VERDICT_UNSUPPORTED] = "skipped",
};

static size_t count_of(const struct report_run *run, const char *element)
{
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        const char *is = elements[run->results[i].kind];
        count += !run->results[i].is_twin && (element == NULL || (is != NULL && strcmp(is, element) == 0));
    }
    return count;
}

static void attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    text_print_xml(out, value == NULL ? "" : value);
    fputc('"', out);
}

static void timeline(const struct case_result *result, FILE *out)
{
    for (size_t i = 0; i < result->line_count; i++) {
        const struct case_line *line = &result->lines[i];
        fprintf(out, "%+.3f %-4s ", line->at_s, line->actor);
        text_print_xml(out, line->text);
        fputs(line->proof ? "   <- proof\n" : "\n", out);
    }
}

static void testcase(struct arena *arena, const struct case_result *result, FILE *out)
{
    fputs("  <testcase", out);
    attribute(out, "name", case_name(arena, result));
    attribute(out, "classname", result->subject);
    attribute(out, "file", result->file);
    fprintf(out, " line=\"%u\" time=\"%.3f\">\n", result->line, result->seconds);
    const char *element = elements[result->kind];
    if (element != NULL) {
        fprintf(out, "    <%s", element);
        attribute(out, "type", verdict_words[result->kind]);
        attribute(out, "message", result->sentence);
        fputs(">", out);
        text_print_xml(out, result->rule == NULL ? "" : result->rule);
        fputc('\n', out);
        timeline(result, out);
        fprintf(out, "</%s>\n", element);
    } else if (result->kind != VERDICT_PASS) {
        fprintf(out, "    <system-out>%s: ", verdict_words[result->kind]);
        text_print_xml(out, result->sentence == NULL ? "" : result->sentence);
        fputs("</system-out>\n", out);
    }
    fputs("  </testcase>\n", out);
}

bool report_junit(const struct report_run *run, FILE *out)
{
    struct arena *arena = arena_new("report_junit");
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"mtalab\"", out);
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n", count_of(run, NULL),
            count_of(run, "failure"), count_of(run, "error"), count_of(run, "skipped"), run->seconds);
    for (size_t i = 0; i < run->count; i++)
        if (!run->results[i].is_twin)
            testcase(arena, &run->results[i], out);
    fputs("</testsuite>\n", out);
    arena_free(&arena);
    return fflush(out) == 0 && !ferror(out);
}
