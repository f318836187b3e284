/* SPDX-License-Identifier: BSD-2-Clause
 * trace - why each message went the way it went: per host tried the facts, the decision with its clause, the code; per
 * recipient what became of it.
 *
 * Owns:   its SQLite file, opened at the first entry.
 * Errors: a trace that cannot be written never holds up mail; the first failure is said on standard error.
 * Threads: one. */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include <jansson.h>

#include "base/err.h"
#include "engine/dialogue.h"
#include "engine/sts.h"

enum trace_event { TRACE_SKIP, TRACE_FAIL, TRACE_SEND, TRACE_DELIVER, TRACE_DEFER, TRACE_BOUNCE };

struct trace_entry {                 /* a NULL text is left empty */
    int64_t at, message;
    unsigned attempt;
    enum trace_event event;
    const char *recipient, *destination, *connector, *connector_why;
    const char *host, *address;
    const struct mx_facts *mx;           /* NULL: not known */
    const struct host_facts *facts;
    const struct sts_facts *sts;
    const struct policy_decision *decision;
    const struct tls_outcome *tls;
    const char *cause, *code, *text;
};

struct trace;

struct trace *trace_new(const char *path, double keep_s);
void trace_free(struct trace **trace);
void trace_add(struct trace *trace, const struct trace_entry *entry);
/* The latest entries, oldest first, as an array of flat objects; about: a recipient, a destination or a message's
 * number; NULL: all. NULL with *err filled. */
json_t *trace_list(struct trace *trace, const char *about, size_t limit, struct err *err);

const char *demand_word(enum tls_demand demand);

#endif
