/* SPDX-License-Identifier: BSD-2-Clause
 * case - scenario x mode x subject: run to its verdict, and what is kept of it.
 *
 * A case_result travels from the process that ran the case to the runner and the reports as one line of JSON. */
#ifndef HARNESS_CASE_H
#define HARNESS_CASE_H

#include "harness/verdict.h"

struct case_line {                /* one line of the time line shown */
    double at_s;
    const char *actor, *text;
    bool proof;                   /* the event that decided */
};
struct case_result {              /* plain data in the arena of whoever decoded it */
    const char *title;            /* "dane/key-of-another-certificate[ip=v6]" */
    unsigned mode;
    const char *subject;          /* "postfix 3.7.11" */
    enum verdict_kind kind;
    const char *sentence, *note, *clause, *level, *partly;
    const char *rule;             /* the clause in full: "RFC 7672, 3.2: ..."; NULL where nothing is to be explained */
    unsigned courses;             /* as in struct verdict */
    const char *file; unsigned line, col, length;
    double seconds, cpu_seconds;
    struct case_line *lines; size_t line_count;
    const char *twin;             /* title of the control twin; NULL: none */
    enum verdict_kind twin_kind;  /* filled by the runner once both are known */
    bool is_twin;                 /* ran only as somebody's twin: not counted */
    const char *journal;          /* JSON lines, kept only when asked for; NULL */
};
char *case_name(struct arena *arena, const struct case_result *result);   /* title@dane=..,mta-sts=.. */
char *case_result_encode(struct arena *arena, const struct case_result *result);           /* one line of JSON */
bool case_result_decode(struct arena *arena, const char *line, struct case_result *out, struct err *err) NODISCARD;

#endif
