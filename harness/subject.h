/* SPDX-License-Identifier: BSD-2-Clause
 * subject - a mail server under test, driven through its adapter (docs/adapters.md): lines to its standard input, one
 * line of JSON back for each. Every wait runs the loop, so that the fakes go on serving.
 *
 * One subject lives as long as a worker and sees many cases, each in a process of its own that inherited the
 * conversation; a process that breaks off in the middle of it must say so, for the subject is then out of step.
 *
 * Owns:   the adapter's process, the facts.
 * Threads: one. */
#ifndef HARNESS_SUBJECT_H
#define HARNESS_SUBJECT_H

#include <jansson.h>

#include "base/loop.h"
#include "harness/sandbox.h"
#include "harness/verdict.h"

enum subject_answer {
    SUBJECT_YES,
    SUBJECT_UNSUPPORTED, /* subject_why() says what is missing */
    SUBJECT_ERROR,       /* it went wrong */
    SUBJECT_SILENT,      /* no answer in time */
    SUBJECT_GONE,        /* the adapter ended, or does not speak the contract */
};

struct subject;

/* Runs the adapter on the subject's side and has it describe itself. NULL when there is nobody to talk to. */
struct subject *subject_new(const char *adapter, const struct sandbox *sandbox, struct loop *loop, struct err *err)
    NODISCARD;
/* The probe of its honesty, then `start`. After SUBJECT_UNSUPPORTED nothing can be run with it here. */
enum subject_answer subject_start(struct subject *subject, struct loop *loop);

/* One verb; answer (may be NULL) gets the JSON, to be released by the caller, when it is yes. */
enum subject_answer subject_ask(struct subject *subject, struct loop *loop, double seconds, const char *line,
                                json_t **answer);
const char *subject_why(const struct subject *subject); /* of the last answer that was not yes */
const struct subject_facts *subject_facts(const struct subject *subject);
bool subject_uses_daemon(const struct subject *subject); /* wants the lab's unbound */
pid_t subject_process_id(const struct subject *subject); /* 0: none */
void subject_stop(struct subject **subject);

/* What `status` says, in the arena. */
size_t subject_status(struct arena *arena, const json_t *answer, const struct verdict_status **out);

#define SUBJECT_HOSTNAME "out.sender.example"
#define SUBJECT_PORT 2525

#endif
