/* SPDX-License-Identifier: BSD-2-Clause
 * filter - which rows an administrator asks for: the keys of a request as conditions of a query.
 *
 * Owns:   nothing; results live in the arena. Values are bound, never written into the SQL.
 * Errors: false or NULL with *err filled (ERR_INPUT) for a key that no row names, or a value of the wrong kind. */
#ifndef ENGINE_FILTER_H
#define ENGINE_FILTER_H

#include <jansson.h>

#include "engine/store.h"

enum { FILTER_VALUES_MAX = 16 };

struct filter_row {
    const char *key;   /* "domain" */
    const char *where; /* "r.domain = ?", one ? */
    char kind;         /* t text, i number or true */
};
struct filter {
    const char *where; /* "1 AND r.domain = ? AND ..." */
    struct {
        char kind;
        int64_t number;
        const char *text;
    } values[FILTER_VALUES_MAX];
    size_t count;
};

/* Every key of the request but "do" and "limit" has to be a row's, or one of the others (NULL-terminated; NULL: none),
 * which the caller looks at himself. */
bool filter_read(struct arena *arena, const struct filter_row *rows, size_t row_count, const char *const *others,
                 const json_t *request, struct filter *out, struct err *err) NODISCARD;
/* "before <conditions> after <limit>", for store_row() and at last store_drop(); NULL filter: all. Both literals have
 * no ?; numbered parameters would clash. */
sqlite3_stmt *filter_query(struct store *store, struct arena *arena, const char *before, const struct filter *filter,
                           const char *after, size_t limit, struct err *err);

#endif
