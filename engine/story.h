/* SPDX-License-Identifier: BSD-2-Clause
 * story - the trace of one message, told to a person. Pure, but for the stream. */
#ifndef ENGINE_STORY_H
#define ENGINE_STORY_H

#include <jansson.h>
#include <stdio.h>

/* Both as trace_list() gives them. */
void story_print(FILE *out, const json_t *recipients, const json_t *events);

#endif
