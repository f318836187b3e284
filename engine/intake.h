/* SPDX-License-Identifier: BSD-2-Clause
 * intake - what a message has to be to get into the queue, whoever gives it. Pure.
 *
 * A lone CR or LF, and a NUL, mean different things to different servers: with them a message may smuggle another one
 * past ours. They are refused, or made harmless, as the configuration says; they never get in, and so never get out. */
#ifndef ENGINE_INTAKE_H
#define ENGINE_INTAKE_H

#include "engine/engine_config.h"

enum { INTAKE_TRACE_MAX = 1024 }; /* what a Received line of ours may add to the size */

/* Why it is refused, as an SMTP reply; NULL: it is not, and *content and *length are what goes into the queue. */
const char *intake_refusal(struct arena *arena, const struct engine_config *config, const char **content,
                           size_t *length);

#endif
