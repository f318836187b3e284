/* SPDX-License-Identifier: BSD-2-Clause
 * reading - where the RFCs leave room, which way a sender goes: the words by which its adapter declares that, and a
 * scenario says what follows from each. Pure. */
#ifndef HARNESS_READING_H
#define HARNESS_READING_H

#include <stddef.h>

struct reading {
    const char *key;                /* "dane-insecure-mx" */
    const char *const *words;       /* "skip", "use", NULL */
    const char *doc;
};
const struct reading *reading_find(const char *key);    /* NULL: no such key */
const struct reading *reading_at(size_t i);             /* NULL at the end */
const char *reading_nearest(const char *key);           /* NULL: none comes near */

#endif
