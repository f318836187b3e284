/* SPDX-License-Identifier: BSD-2-Clause
 * reload - which settings a running engine cannot change. Pure. */
#ifndef ENGINE_RELOAD_H
#define ENGINE_RELOAD_H

#include "engine/engine_config.h"

/* The keys, with commas between, whose new values wait for the next start; "" when there are none. All others rule from
 * each message's next attempt on. */
const char *reload_waits(struct arena *arena, const struct engine_config *now, const struct engine_config *next);

#endif
