/* SPDX-License-Identifier: BSD-2-Clause
 * claims_zone - what stands in the zones of a plan, read from their text and looked up as 1034-4.3.2 has it: a second
 * opinion beside the fake's own, for claims.
 *
 * Owns:   nothing; everything lives in the arena given. Borrows the zones.
 * Errors: none: what it cannot read it passes over. */
#ifndef HARNESS_CLAIMS_ZONE_H
#define HARNESS_CLAIMS_ZONE_H

#include "base/arena.h"
#include "fakedns/fakedns.h"

struct claims_record {
    const struct fakedns_zone *zone;
    const char *owner, *type;      /* "mx1.partner.example", "MX" */
    const char *target;            /* the name that ends the data of MX, CNAME and DNAME; NULL */
};
struct claims_view {
    struct arena *arena;
    const struct fakedns_config *dns;
    struct { struct claims_record *items; size_t count, room; } records;
};

enum claims_finding { CLAIMS_THERE, CLAIMS_ALIAS, CLAIMS_NO_TYPE, CLAIMS_NO_NAME };
struct claims_found {
    enum claims_finding finding;
    const struct fakedns_zone *zone;
    const char *owner, *type;      /* of the records found: owner may be a wildcard, type CNAME or DNAME */
    bool by_wildcard;
    const char *alias;             /* where it leads; NULL */
};

void claims_view_read(struct arena *arena, const struct fakedns_config *dns, struct claims_view *view);
/* The deepest zone that holds a name; every config has a root. */
const struct fakedns_zone *claims_zone_of(const struct fakedns_config *dns, const char *name);
struct claims_found claims_find(const struct claims_view *view, const char *name, const char *type);
/* The records of an owner and type, one after the other; after NULL: the first. NULL: no more. */
const struct claims_record *claims_next(const struct claims_view *view, const char *owner, const char *type,
                                        const struct claims_record *after);

#endif
