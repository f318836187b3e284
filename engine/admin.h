/* SPDX-License-Identifier: BSD-2-Clause
 * admin - what an administrator may ask of queue and trace, by a verb and a JSON object (see control.h).
 *
 * Borrows: the world. Errors: NULL with *err filled. */
#ifndef ENGINE_ADMIN_H
#define ENGINE_ADMIN_H

#include <jansson.h>

#include "engine/settle.h"

/* Is the verb one of these? Then *answer is it, or NULL with *err filled. What is due may have changed. */
bool admin_handle(const struct settle_world *world, const char *verb, const json_t *request, json_t **answer,
                  struct err *err);

#endif
