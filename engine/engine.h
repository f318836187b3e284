/* SPDX-License-Identifier: BSD-2-Clause
 * engine - the wiring: submission, queue, deliveries when they are due, control.
 *
 * Owns:    everything it wires. Borrows: the config, the loop.
 * Errors:  NULL or false with *err filled.
 * Threads: one. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/loop.h"
#include "engine/engine_config.h"

struct engine;

/* Listens and answers the control socket when it returns; engine_begin() opens what deliveries need. */
struct engine *engine_new(const struct engine_config *config, struct loop *loop, struct err *err) NODISCARD;
bool engine_begin(struct engine *engine, struct err *err) NODISCARD;
void engine_free(struct engine **engine);

/* Reads the configuration's file again; it rules from each message's next attempt on. One that is wrong is refused with
 * its findings, and the old one rules on. *said, in the arena: these findings, or the keys that need a restart; may be
 * "". *news: what gate_news() tells. */
bool engine_reload(struct engine *engine, struct arena *arena, const char **said, const char **news) NODISCARD;

/* Where the queue of this configuration lies. */
char *engine_queue_path(struct arena *arena, const struct engine_config *config);

#endif
