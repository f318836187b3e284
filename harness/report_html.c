/* SPDX-License-Identifier: BSD-2-Clause
 * One page that needs nothing but itself: scenarios x senders x modes, and behind every cell its story. The page is
 * report_page.html; the results stand in it as JSON. */
#include <string.h>

#include "harness/report_formats.h"

/* report_page.html as it is, and where it ends. */
extern const char report_page[], report_page_end[];
__asm__(".section .rodata\n"
        "report_page: .incbin \"harness/report_page.html\"\n"
        "report_page_end: .byte 0\n"
        ".previous\n");

static const char place[] = "<!--results-->";

/* Inside a script element no text may look like an element's end. */
static void print_in_script(const char *json, FILE *out)
{
    for (const char *less; (less = strchr(json, '<')) != NULL; json = less + 1)
        fprintf(out, "%.*s\\u003c", (int)(less - json), json);
    fputs(json, out);
}

static void results(const struct report_run *run, FILE *out)
{
    struct arena *arena = arena_new("report_html");
    const char *between = "";
    for (size_t i = 0; i < run->count; i++) {
        struct case_result result = run->results[i];
        if (result.is_twin)
            continue;
        result.journal = NULL;
        fputs(between, out);
        print_in_script(case_result_encode(arena, &result), out);
        between = ",\n";
    }
    arena_free(&arena);
}

bool report_html(const struct report_run *run, FILE *out)
{
    const char *at = strstr(report_page, place), *rest = at + strlen(place);
    fwrite(report_page, 1, (size_t)(at - report_page), out);
    results(run, out);
    fwrite(rest, 1, (size_t)(report_page_end - rest), out);
    return fflush(out) == 0 && !ferror(out);
}
