/* SPDX-License-Identifier: BSD-2-Clause
 * partner - what an administrator knows of a destination that no lookup tells: who looks after it, and how much it
 * matters. Borrows: the configuration's arena. */
#ifndef ENGINE_PARTNER_H
#define ENGINE_PARTNER_H

#include "base/schema.h"

struct partner {
    const char *domain, *owner, *dns, *note;
    int criticality;
};
extern const struct schema partner_schema;
extern const char *const partner_criticality_words[];

const struct partner *partner_find(const struct schema_list *partners, const char *domain); /* NULL: nothing is known */

#endif
