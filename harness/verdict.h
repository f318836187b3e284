/* SPDX-License-Identifier: BSD-2-Clause
 * verdict - what a case comes to: journal and expectations in, verdict with its proof out. Pure. */
#ifndef HARNESS_VERDICT_H
#define HARNESS_VERDICT_H

#include "base/journal.h"
#include "harness/plan.h"
#include "harness/scenario.h"
#include "harness/tls_report.h"

enum verdict_kind {
    VERDICT_PASS, VERDICT_FAIL, VERDICT_WARN, VERDICT_INFO, VERDICT_XFAIL, VERDICT_XPASS, VERDICT_UNSUPPORTED,
    VERDICT_UNPROVEN, VERDICT_UNKNOWN, VERDICT_COUNT
};
extern const char *const verdict_words[];            /* "PASS", ..., NULL */

struct subject_facts {            /* what an adapter's describe said */
    const char *name, *version;
    unsigned modes;               /* mask of the modes it has */
    const char *const *features; size_t feature_count;
    const char *(*reading)(const void *arg, const char *key); /* declared latitude; NULL: none */
    const void *reading_arg;
    bool own_resolver, asynchronous_fetch, needs_root;
};
bool subject_has(const struct subject_facts *facts, const char *feature);

struct verdict_status { const char *recipient, *state, *code, *reason; };   /* from the adapter */

struct verdict_step {             /* what one step of the course came to */
    size_t from, until;           /* its events in the journal */
    const char *token;            /* of the message sent; NULL: none */
    const char *const *recipients; size_t recipient_count;
    const struct verdict_status *status; size_t status_count;
    const struct plan *plan;      /* in force */
    const struct tls_report *reports; size_t report_count;     /* that came at its end */
};
struct verdict_question {
    const struct scenario *scenario;
    unsigned mode;
    const struct journal *journal;
    const struct verdict_step *steps; size_t step_count;
    const struct subject_facts *subject;
    const struct clauses *clauses;               /* may be NULL: level MUST is assumed */
    const char *trouble;                         /* the lab failed: why; NULL */
};
struct verdict {
    enum verdict_kind kind;
    const char *sentence;         /* "postfix sent the message over TLS that DANE had not authenticated." */
    struct srcpos at;             /* of the expectation concerned; file NULL: none */
    const char *note;             /* behind the caret: "MAIL FROM came at +0.031 s" */
    const struct journal_event *proof;           /* NULL: none */
    const char *clause, *level;   /* NULL: none */
    unsigned courses;             /* what became of the message in the step that decided: 1 << enum message_course, of
                                   * all recipients; COURSE_UNSAID: lost */
    const char *partly;           /* what could not be judged for this subject; NULL */
};
/* Forbidden evidence first, then what must be seen and the course of the message, then the defects that had to
 * be hit. */
void verdict_judge(struct arena *arena, const struct verdict_question *question, struct verdict *out);

#endif
