/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_received.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/store.h"
#include "engine/tlsrpt_store.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS received (id INTEGER PRIMARY KEY, arrived INTEGER NOT NULL, organization TEXT NOT NULL,"
    " report_id TEXT NOT NULL, begins INTEGER NOT NULL, report TEXT NOT NULL, UNIQUE (organization, report_id));"
    "CREATE INDEX IF NOT EXISTS received_begins ON received (begins);";

struct tlsrpt_received {
    struct store *store, *trace; /* trace NULL: there is none */
};

/* The tables of our own counts are made too, so that they can be asked for before the first report. */
struct tlsrpt_received *tlsrpt_received_open(const char *directory, struct err *err)
{
    struct arena *arena = arena_new("TLS reports received");
    const char *path = arena_printf(arena, "%s/tlsrpt.db", directory);
    const char *trace = arena_printf(arena, "%s/trace.db", directory);
    struct tlsrpt_received *r = calloc(1, sizeof *r);
    struct tlsrpt_store *own = tlsrpt_store_open(path, err);
    if (r == NULL)
        abort();
    if (own != NULL)
        r->store = store_open(path, schema, false, err);
    tlsrpt_store_close(&own);
    if (r->store != NULL && access(trace, R_OK) == 0)
        r->trace = store_open(trace, "", false, err);
    arena_free(&arena);
    if (r->store == NULL)
        tlsrpt_received_close(&r);
    return r;
}

void tlsrpt_received_close(struct tlsrpt_received **received)
{
    if (*received == NULL)
        return;
    store_close(&(*received)->store);
    store_close(&(*received)->trace);
    free(*received);
    *received = NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

bool tlsrpt_received_trim(struct tlsrpt_received *r, int64_t before, struct err *err)
{
    return store_run(r->store, err, "DELETE FROM received WHERE arrived < ?", "i", before);
}

bool tlsrpt_received_add(struct tlsrpt_received *r, const json_t *report, int64_t now, struct err *err)
{
    char *text = json_dumps(report, JSON_COMPACT);
    bool fine = store_run(r->store, err,
                          "INSERT OR REPLACE INTO received (arrived, organization, report_id, begins, report)"
                          " VALUES (?,?,?,?,?)",
                          "ittit", now, text_of(report, "organization"), text_of(report, "report-id"),
                          (int64_t)json_integer_value(json_object_get(report, "begins")), text != NULL ? text : "{}");
    free(text);
    return fine;
}

/* ---- what we did there ourselves ---- */

static void set_own(struct tlsrpt_received *r, json_t *row)
{
    sqlite3_stmt *rows =
        r->trace == NULL
            ? NULL
            : store_query(r->trace, NULL,
                          "SELECT count(*), count(cause) FROM trace WHERE at >= ?1 AND at < ?1 + 86400 AND host IS NOT"
                          " NULL AND recipient IS NULL AND (destination = ?2 OR host = ?2) AND (?3 = '' OR host = ?3)",
                          "itt", (int64_t)json_integer_value(json_object_get(row, "begins")), text_of(row, "domain"),
                          text_of(row, "mx"));
    bool known = rows != NULL && store_row(rows);
    json_object_set_new(row, "tries", json_integer(known ? sqlite3_column_int64(rows, 0) : 0));
    json_object_set_new(row, "failures", json_integer(known ? sqlite3_column_int64(rows, 1) : 0));
    if (known)
        store_end(rows);
}

/* ---- rows ---- */

static void add_row(json_t *list, const json_t *report, const json_t *policy, const json_t *failure)
{
    json_int_t day = json_integer_value(json_object_get(report, "begins"));
    json_int_t bad = failure != NULL ? json_integer_value(json_object_get(failure, "count"))
                                     : json_integer_value(json_object_get(policy, "bad"));
    json_array_append_new(list,
                          json_pack("{s:s,s:I,s:s,s:s,s:I,s:I,s:s,s:s}", "organization",
                                    text_of(report, "organization"), "begins", day, "type", text_of(policy, "type"),
                                    "domain", text_of(policy, "domain"), "good",
                                    failure != NULL ? 0 : json_integer_value(json_object_get(policy, "good")), "bad",
                                    bad, "result", text_of(failure, "result"), "mx", text_of(failure, "mx")));
}

static void add_report(json_t *list, const json_t *report, const char *domain)
{
    const json_t *policy, *failure;
    size_t i, k;
    json_array_foreach(json_object_get(report, "policies"), i, policy)
    {
        if (domain != NULL && !text_name_equal(domain, text_of(policy, "domain")))
            continue;
        add_row(list, report, policy, NULL);
        json_array_foreach(json_object_get(policy, "failures"), k, failure) add_row(list, report, policy, failure);
    }
}

static json_t *read_rows(struct tlsrpt_received *r, const char *domain, int64_t since, struct err *err)
{
    sqlite3_stmt *rows =
        store_query(r->store, err, "SELECT report FROM received WHERE begins >= ? ORDER BY begins, id", "i", since);
    json_t *list = rows != NULL ? json_array() : NULL;
    while (rows != NULL && store_row(rows)) {
        json_t *report = json_loads((const char *)sqlite3_column_text(rows, 0), 0, NULL);
        add_report(list, report, domain);
        json_decref(report);
    }
    return list;
}

json_t *tlsrpt_received_since(struct tlsrpt_received *r, int64_t since, struct err *err)
{
    return read_rows(r, NULL, since, err);
}

json_t *tlsrpt_received_list(struct tlsrpt_received *r, const char *domain, struct err *err)
{
    json_t *list = read_rows(r, domain, INT64_MIN, err), *row;
    size_t i;
    json_array_foreach(list, i, row) set_own(r, row);
    return list;
}

json_t *tlsrpt_received_own(struct tlsrpt_received *r, const char *domain, struct err *err)
{
    sqlite3_stmt *rows = store_query(r->store, err,
                                     "SELECT day, domain, type, policy_domain, good, bad FROM policy"
                                     " WHERE ?1 IS NULL OR domain = ?1 OR policy_domain = ?1 ORDER BY day, domain, id",
                                     "t", domain);
    json_t *list = rows != NULL ? json_array() : NULL;
    while (rows != NULL && store_row(rows))
        json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:s,s:I,s:I}", "begins",
                                              (json_int_t)sqlite3_column_int64(rows, 0), "asks",
                                              (const char *)sqlite3_column_text(rows, 1), "type",
                                              (const char *)sqlite3_column_text(rows, 2), "domain",
                                              (const char *)sqlite3_column_text(rows, 3), "good",
                                              (json_int_t)sqlite3_column_int64(rows, 4), "bad",
                                              (json_int_t)sqlite3_column_int64(rows, 5)));
    return list;
}
