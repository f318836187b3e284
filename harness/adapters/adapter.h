/* SPDX-License-Identifier: BSD-2-Clause
 * adapter - what adapters written in C share: the conversation with the lab (docs/adapters.md), one verb a line in, one
 * line of JSON out. An adapter is a table of verbs.
 *
 * Owns:   the settings of the case in hand; state is the adapter's own.
 * Errors: whatever a verb cannot do is an answer: unsupported, or an error. */
#ifndef HARNESS_ADAPTERS_ADAPTER_H
#define HARNESS_ADAPTERS_ADAPTER_H

#include <jansson.h>

#include "base/err.h"

/* Answers; each verb gives one back, adapter_serve() writes and frees it. */
json_t *adapter_ok(void); /* {"ok":true}; add to it what the verb has to say */
json_t *adapter_words(const char *const *words); /* a list of them; NULL ends it */
json_t *adapter_text(const char *bytes);         /* of a log, which may hold bytes of a peer that are no UTF-8 */
/* What has become of one recipient; all but state and code may be of a log. */
json_t *adapter_recipient(const char *address, const char *state, const char *code, const char *reason);
json_t *adapter_unsupported(const char *fmt, ...) PRINTF_LIKE(1, 2);
json_t *adapter_failed(const char *fmt, ...) PRINTF_LIKE(1, 2);
json_t *adapter_error(const struct err *err);

struct adapter {
    void *state;                       /* the adapter's own */
    struct adapter_settings *settings; /* of the case in hand */
};
struct adapter_verb {
    const char *name;
    json_t *(*run)(const struct adapter *adapter, const char *argument); /* argument: the rest of the line */
};

/* Reads verbs from standard input and answers them until `stop` was answered or the input ends. What `begin` brings as
 * NAME=VALUE is taken before the verb runs. Verbs that are not in the table are unsupported. The exit status. */
int adapter_serve(const struct adapter_verb *verbs, size_t count, void *state);

/* The same for an adapter that must listen to its MTA between verbs: readable(state) is called whenever fd(state)
 * has something to read while the next verb is waited for. */
struct adapter_source {
    int (*fd)(void *state); /* -1: nothing to listen to yet */
    void (*readable)(void *state);
};
int adapter_serve_beside(const struct adapter_source *source, const struct adapter_verb *verbs, size_t count,
                         void *state);

/* MTALAB_...: as begin said it for this case, or as the environment has it; "" when neither does. */
const char *adapter_setting(const struct adapter *adapter, const char *name);
int adapter_patience_s(const struct adapter *adapter); /* MTALAB_PATIENCE for MTAs that count in seconds, at least 1 */

/* The one smart host for all mail that the scenario may name in MTALAB_CONNECTORS: "gateway.example:2525". */
struct adapter_smart_host {
    char host[256]; /* "": none */
    bool is_address;
    unsigned port; /* 0: not said */
};
struct adapter_smart_host adapter_smart_host(const struct adapter *adapter);
struct adapter_smart_host adapter_read_smart_host(const char *said); /* NULL: none */

void adapter_empty_folder(const char *path); /* of its files; one that is not there is empty */

#endif
