/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/text.h"
#include "harness/mode.h"
#include "harness/report.h"

static const struct {
    const char *colour;
    bool expected;   /* one line is enough */
    const char *doc; /* for the summary */
} looks[VERDICT_COUNT] = {
    [VERDICT_PASS] = {"32", true, "as the clause demands"},
    [VERDICT_FAIL] = {"31;1", false, "a conformance difference"},
    [VERDICT_WARN] = {"33", false, "a SHOULD not met"},
    [VERDICT_INFO] = {"36", true, "another choice where the RFCs leave room"},
    [VERDICT_XFAIL] = {"33", true, "a known failure"},
    [VERDICT_XPASS] = {"31;1", false, "listed as a known failure, and passed"},
    [VERDICT_UNSUPPORTED] = {"90", true, "the subject does not have it"},
    [VERDICT_UNPROVEN] = {"31", false, "the control twin does not pass"},
    [VERDICT_UNKNOWN] = {"35;1", false, "the lab itself failed"},
};

static void verdict_word(enum verdict_kind kind, bool colour, FILE *out)
{
    if (colour)
        fprintf(out, "\033[%sm%s\033[0m", looks[kind].colour, verdict_words[kind]);
    else
        fputs(verdict_words[kind], out);
    int pad = 4 - (int)strlen(verdict_words[kind]);
    fprintf(out, "%*s", pad > 0 ? pad : 0, "");
}

static void print_text(FILE *out, const char *text)
{
    text_print_escaped(out, text, strlen(text));
}

static void head(const struct case_result *r, bool colour, FILE *out)
{
    verdict_word(r->kind, colour, out);
    fputs("  ", out);
    print_text(out, r->title);
    fprintf(out, "   dane=%s mta-sts=%s", mode_dane_words[mode_dane(r->mode)], mode_sts_words[mode_sts(r->mode)]);
    if (r->clause != NULL)
        fprintf(out, "    %s %s", r->clause, r->level != NULL ? r->level : "");
    fprintf(out, "   %.2f s\n", r->seconds);
}

static void timeline(const struct case_result *r, bool colour, FILE *out)
{
    for (size_t i = 0; i < r->line_count; i++) {
        const struct case_line *line = &r->lines[i];
        fprintf(out, "      %+.3f  %-4s  ", line->at_s, line->actor);
        print_text(out, line->text);
        if (line->proof)
            fputs(colour ? "   \033[31m<- proof\033[0m" : "   <- proof", out);
        fputc('\n', out);
    }
}

static void foot(const struct case_result *r, FILE *out)
{
    if (r->partly != NULL)
        fprintf(out, "      not judged: %s\n", r->partly);
    if (r->twin != NULL)
        fprintf(out, "      twin    %s %s\n", r->twin,
                r->twin_kind == VERDICT_PASS ? "passed" : verdict_words[r->twin_kind]);
    fprintf(out, "      by hand mtalab up '%s' --mode %s\n\n", r->title, mode_text(r->mode));
}

static void story(const struct report_run *run, const struct case_result *r, bool colour, FILE *out)
{
    fputs("      ", out);
    print_text(out, r->sentence != NULL ? r->sentence : "");
    if (r->rule != NULL) {
        fputs("\n      ", out);
        print_text(out, r->rule);
    }
    fputs("\n\n", out);
    if (r->file != NULL && r->line > 0) {
        fprintf(out, "      %s:%u:%u\n", r->file, r->line, r->col);
        struct srcpos at = {r->file, r->line, r->col, r->length};
        diag_print_excerpt(run->corpus->diags, at, r->note, 8, out);
        fputc('\n', out);
    }
    timeline(r, colour, out);
    foot(r, out);
}

void report_terminal_case(const struct report_run *run, const struct case_result *result, int verbosity, bool colour,
                          FILE *out)
{
    bool expected = looks[result->kind].expected;
    if (result->is_twin || verbosity == REPORT_QUIET || (expected && verbosity == REPORT_NORMAL))
        return;
    head(result, colour, out);
    if (!expected || result->kind == VERDICT_UNSUPPORTED || result->kind == VERDICT_INFO ||
        result->kind == VERDICT_XFAIL) {
        if (expected) {
            fputs("      ", out);
            print_text(out, result->sentence != NULL ? result->sentence : "");
            fputc('\n', out);
        } else {
            story(run, result, colour, out);
        }
    }
}

/* By the clause's level: how many cases were judged, how many as expected. */
static void by_level(const struct report_run *run, const char *level, FILE *out)
{
    size_t judged = 0, fine = 0;
    for (size_t i = 0; i < run->count; i++) {
        const struct case_result *r = &run->results[i];
        if (r->is_twin || r->level == NULL || strncmp(r->level, level, strlen(level)) != 0 ||
            r->kind == VERDICT_UNSUPPORTED || r->kind == VERDICT_UNKNOWN)
            continue;
        judged++;
        fine += r->kind == VERDICT_PASS || r->kind == VERDICT_INFO;
    }
    if (judged > 0)
        fprintf(out, "  %-7s %zu of %zu cases as the clause demands\n", level, fine, judged);
}

void report_terminal_summary(const struct report_run *run, bool colour, FILE *out)
{
    size_t counts[VERDICT_COUNT] = {0}, twins = 0;
    for (size_t i = 0; i < run->count; i++) {
        counts[run->results[i].kind] += !run->results[i].is_twin;
        twins += run->results[i].is_twin;
    }
    fprintf(out, "\n%s: %zu cases selected", run->subject, run->selected);
    if (twins > 0)
        fprintf(out, ", %zu control twins besides", twins);
    fprintf(out, ", %.1f s\n", run->seconds);
    for (int k = 0; k < VERDICT_COUNT; k++) {
        if (counts[k] == 0)
            continue;
        fprintf(out, "  %5zu ", counts[k]);
        verdict_word((enum verdict_kind)k, colour, out);
        fprintf(out, "  %s\n", looks[k].doc);
    }
    if (run->count - twins < run->selected)
        fprintf(out, "  %5zu not run\n", run->selected - (run->count - twins));
    by_level(run, "MUST", out);
    by_level(run, "SHOULD", out);
}
