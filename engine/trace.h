/* SPDX-License-Identifier: BSD-2-Clause
 * trace - why each message went the way it went, as Exchange's message trace tells it: for each recipient a status
 * (Pending, Delivered, Failed), and the events that led to it; per host tried the facts, the decision with its clause,
 * the code.
 *
 * Owns:   its SQLite file, opened at the first entry. Entries are kept for keep_s after a recipient's last event, also
 *         when queue and message are long gone, and are trimmed while the engine runs.
 * Errors: a trace that cannot be written never holds up mail; the first failure is said on standard error.
 * Threads: one. Entries are on disk after trace_flush(), at the latest TRACE_BATCH entries later; kill -9 loses what
 * came since, never mail. */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include <jansson.h>

#include "base/err.h"
#include "engine/session.h"
#include "engine/message.h"
#include "engine/sts.h"

enum { TRACE_BATCH = 200, TRACE_ROWS_MAX = 5000 };

/* The first ones are Exchange's; of a host: SKIP, it was not tried; TRY, it was. */
enum trace_event {
    TRACE_RECEIVE,  /* taken by SMTP */
    TRACE_SUBMIT,   /* put into the queue on this machine: by command, or a report of ours */
    TRACE_TRANSFER, /* recipients of one message part */
    TRACE_SEND,
    TRACE_DEFER,
    TRACE_FAIL,
    TRACE_DROP,
    TRACE_RESUBMIT,
    TRACE_HOLD,
    TRACE_RELEASE,
    TRACE_SKIP,
    TRACE_TRY,
    TRACE_EVENT_COUNT
};

struct trace_entry { /* a NULL text is left empty */
    int64_t at, message;
    unsigned attempt;
    enum trace_event event;
    const char *sender, *recipient, *destination, *connector, *connector_why;
    const char *host, *address;
    const struct mx_facts *mx; /* NULL: not known */
    const struct host_facts *facts;
    const struct sts_facts *sts;
    const struct policy_decision *decision;
    const struct tls_outcome *tls;
    const char *cause, *code, *text;
    const char *detail; /* of Defer and Fail: see led.h */
    int64_t next;       /* Defer: when again; 0: not said */
};

struct trace;

struct trace *trace_new(const char *path, double keep_s);
void trace_free(struct trace **trace);
/* Begins the story of a message: RECEIVE or SUBMIT, every recipient pending. why: who gave it, or what it is about. */
void trace_message(struct trace *trace, int64_t at, int64_t id, enum trace_event event, const struct message *message,
                   const char *why);
/* Called with every entry before it is written. */
void trace_watch(struct trace *trace, void (*note)(void *arg, const struct trace_entry *entry), void *arg);
void trace_add(struct trace *trace, const struct trace_entry *entry);
/* Everything on disk; now and then, what is too old is forgotten. */
void trace_flush(struct trace *trace, int64_t now);
/* What a request asks for: {"recipient","sender","domain","message","message-id","status","connector","code","host",
 * "to-ip","from-ip","since","until"; "events":true; "limit"}. The newest, oldest first, as an array of flat objects:
 * one a recipient, or one an event. NULL with *err filled. */
json_t *trace_list(struct trace *trace, const json_t *request, struct err *err);

const char *demand_word(enum tls_demand demand);
const char *trace_event_word(enum trace_event event);
const char *trust_word(enum dns_trust trust);
const char *tlsa_word(enum tlsa_state state);
const char *mx_word(enum mx_state state);
const char *sts_word(enum sts_policy_mode mode);

#endif
