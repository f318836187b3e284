/* SPDX-License-Identifier: BSD-2-Clause
 * table - words by name: the nearest right word for a wrong one.
 *
 * Pure; owns nothing. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/base.h"

/* The word nearest to a misspelt one (Damerau-Levenshtein, case-insensitive), NULL when none is near enough to be
 * meant. word_at(rows, i) returns the i-th word, NULL at the end. */
const char *table_nearest(const char *wrong, const char *(*word_at)(const void *rows, size_t i), const void *rows);
/* The same over a NULL-terminated array of words. */
const char *table_nearest_word(const char *wrong, const char *const *words);

#endif
