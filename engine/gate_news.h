/* SPDX-License-Identifier: BSD-2-Clause
 * gate_news - a configuration is about to rule: what it changes about modes goes into the dated log, and who demands
 * DANE now without having been seen to get through is told of. A file is not held up by the gate, only a command is.
 *
 * Errors: none that stop anything; what cannot be read or written is among what is told. */
#ifndef ENGINE_GATE_NEWS_H
#define ENGINE_GATE_NEWS_H

#include "engine/engine_config.h"

/* Lines for the administrator, "" for none. Nothing is said of destinations where no mail has gone. */
const char *gate_news(struct arena *arena, const struct engine_config *config, int64_t now);

#endif
