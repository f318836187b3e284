/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/report.h"

#include "harness/report_formats.h"

static const struct report_format formats[] = {
    {"junit", "--junit", "JUnit XML, file and line on each testcase", report_junit},
    {"json", "--json", "JSON lines, one object a case with its verdict", report_json},
    {"tap", "--tap", "TAP 13, with diagnostics", report_tap},
    {"github", "--github", "GitHub annotations, one a difference", report_github},
    {"html", "--html", "one page: scenarios x modes, each cell with its story", report_html},
};

const struct report_format *report_format_at(size_t i)
{
    return i < COUNT(formats) ? &formats[i] : NULL;
}

int report_exit_status(const struct report_run *run)
{
    bool differs = false, unknown = false;
    for (size_t i = 0; i < run->count; i++) {
        enum verdict_kind kind = run->results[i].kind;
        if (run->results[i].is_twin)
            continue;
        differs |= kind == VERDICT_FAIL || kind == VERDICT_XPASS || kind == VERDICT_UNPROVEN;
        unknown |= kind == VERDICT_UNKNOWN;
    }
    return run->selected == 0 ? 4 : differs ? 1 : unknown ? 3 : 0;
}
