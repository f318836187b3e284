/* SPDX-License-Identifier: BSD-2-Clause
 * locate - where the parts of mtalab lie: beside the program, in the source tree around it, or installed. */
#ifndef HARNESS_LOCATE_H
#define HARNESS_LOCATE_H

#include "base/arena.h"

const char *locate_adapter(struct arena *arena, const char *name);       /* a name, or a path; NULL: nowhere */
const char *locate_known_failures(struct arena *arena, const char *mta); /* NULL: there are none */
/* The MTAs whose adapters come with mtalab, in the order of their names. */
struct locate_names {
    const char **items;
    size_t count, room;
};
struct locate_names locate_adapter_names(struct arena *arena);
const char *locate_program_folder(struct arena *arena);                  /* where mtalab itself is */

#endif
