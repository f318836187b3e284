/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/filter.h"

#include <string.h>

#include "base/table.h"

struct known { /* all keys that a request may have */
    const struct filter_row *rows;
    size_t row_count;
    const char *const *others;
};

static const char *word_at(const void *arg, size_t i)
{
    const struct known *known = arg;
    return i < known->row_count ? known->rows[i].key : NULL;
}

static const struct filter_row *find_row(const struct known *known, const char *key)
{
    for (size_t i = 0; i < known->row_count; i++)
        if (strcmp(known->rows[i].key, key) == 0)
            return &known->rows[i];
    return NULL;
}

static bool is_other(const struct known *known, const char *key)
{
    for (size_t i = 0; known->others != NULL && known->others[i] != NULL; i++)
        if (strcmp(known->others[i], key) == 0)
            return true;
    return strcmp(key, "do") == 0 || strcmp(key, "limit") == 0;
}

static bool unknown(const struct known *known, const char *key, struct err *err)
{
    const char *nearest = table_nearest(key, word_at, known);
    return err_set(err, ERR_INPUT, "nothing is picked out by '%s'%s%s%s", key,
                   nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?" : "");
}

static bool is_of_kind(const json_t *value, char kind)
{
    return kind == 'i' ? json_is_integer(value) || json_is_true(value) : json_is_string(value);
}

static bool add(struct arena *arena, const struct filter_row *row, const json_t *value, struct filter *out,
                struct err *err)
{
    if (out->count == FILTER_VALUES_MAX || !is_of_kind(value, row->kind))
        return err_set(err, ERR_INPUT, "%s wants %s", row->key, row->kind == 'i' ? "a number" : "a text");
    out->where = arena_printf(arena, "%s AND %s", out->where, row->where);
    out->values[out->count].kind = row->kind;
    out->values[out->count].number = json_is_true(value) ? 1 : json_integer_value(value);
    out->values[out->count++].text = json_is_string(value) ? arena_strdup(arena, json_string_value(value)) : NULL;
    return true;
}

bool filter_read(struct arena *arena, const struct filter_row *rows, size_t row_count, const char *const *others,
                 const json_t *request, struct filter *out, struct err *err)
{
    struct known known = {rows, row_count, others};
    const char *key;
    json_t *value;
    *out = (struct filter){.where = "1"};
    json_object_foreach((json_t *)request, key, value)
    {
        const struct filter_row *row = find_row(&known, key);
        if (row == NULL ? !is_other(&known, key) && !unknown(&known, key, err) : !add(arena, row, value, out, err))
            return false;
    }
    return true;
}

sqlite3_stmt *filter_query(struct store *store, struct arena *arena, const char *before, const struct filter *filter,
                           const char *after, size_t limit, struct err *err)
{
    static const struct filter all = {.where = "1"};
    const struct filter *f = filter != NULL ? filter : &all;
    sqlite3_stmt *rows = store_prepare(store, arena_printf(arena, "%s%s%s%zu", before, f->where, after, limit), err);
    for (size_t i = 0; rows != NULL && i < f->count; i++)
        if (f->values[i].kind == 'i')
            sqlite3_bind_int64(rows, (int)i + 1, f->values[i].number);
        else
            sqlite3_bind_text(rows, (int)i + 1, f->values[i].text, -1, SQLITE_TRANSIENT);
    return rows;
}
