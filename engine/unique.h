/* SPDX-License-Identifier: BSD-2-Clause
 * unique - a word that nobody has used before, for message ids and boundaries. */
#ifndef ENGINE_UNIQUE_H
#define ENGINE_UNIQUE_H

#include "base/arena.h"

const char *unique_word(struct arena *arena); /* 24 hexadecimal digits */

#endif
