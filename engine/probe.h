/* SPDX-License-Identifier: BSD-2-Clause
 * probe - a mail of our own, sent through one connector by a delivery like any other, beside the engine and its queue.
 *
 * Owns:    a queue and a trace in memory. Borrows: config, outside, clock.
 * Errors:  false with *err filled; a mail that is not delivered is a result.
 * Threads: one; probe_send() runs the loop until the attempt is over. */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include "engine/outside.h"

struct probe;

struct probe_result {
    enum recipient_state state;
    const char *code, *reason; /* arena */
};

struct probe *probe_new(const struct engine_config *config, struct outside *outside, const struct clock *clock,
                        struct err *err) NODISCARD;
void probe_free(struct probe **probe);
/* One attempt. connector NULL: by the defaults. */
bool probe_send(struct probe *probe, struct arena *arena, const struct connector *connector,
                const struct message *message, struct probe_result *result, struct err *err) NODISCARD;
/* What was traced so far, an array of events; NULL with *err filled. */
json_t *probe_trace(struct probe *probe, struct err *err);
/* What a TLS report would say of it: an array of {"policy", "domain", "mx", "result" ("": success), "sessions"}. A new
 * reference. */
json_t *probe_report(const struct probe *probe);
/* A mail that says what it is. */
struct message probe_message(struct arena *arena, const char *sender, const char *recipient, const char *hostname,
                             int64_t at);

#endif
