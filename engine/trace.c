/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/trace.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/store.h"

static const char *const event_words[] = {"skip", "fail", "send", "deliver", "defer", "bounce"};
static const char *const trust_words[] = {"not-asked", "secure", "insecure", "overridden", "bogus", "failed"};
static const char *const tlsa_words[] = {"not-asked", "absent", "insecure", "unusable", "usable", "failed"};
static const char *const mx_words[] = {
    [MX_FOUND] = "found",          [MX_IMPLICIT] = "implicit",     [MX_NULL] = "null",
    [MX_NO_DOMAIN] = "no-domain",  [MX_NO_ADDRESS] = "no-address", [MX_LOOP] = "loop",
    [MX_LOOKUP_FAILED] = "failed",
};
static_assert(COUNT(mx_words) == MX_STATE_COUNT, "every state has its word");
static const char *const sts_words[] = {"absent", "none", "testing", "enforce"};
static const char *const demand_words[] = {"nothing", "tls", "dane", "pkix", "dane+pkix"};

#define COLUMNS                                                                                                        \
    "at, message, attempt, event, recipient, destination, connector, connector_why, host, address, mx, mx_trust, "     \
    "host_trust,"                                                                                                      \
    " tlsa, sts_mode, sts_id, sts_why, demand, clause, because, authenticated, tls, cipher, certificate, cause, "      \
    "code, text"
#define COLUMN_KINDS                                                                                                   \
    "iii"                                                                                                              \
    "ttttttttttttttttt"                                                                                                \
    "i"                                                                                                                \
    "tttttt"
static const char schema[] = "CREATE TABLE IF NOT EXISTS trace (id INTEGER PRIMARY KEY, " COLUMNS ");"
                             "CREATE INDEX IF NOT EXISTS trace_at ON trace (at);";

struct trace {
    char *path;
    double keep_s;
    struct store *store;
    bool broken, trimmed;
};

const char *demand_word(enum tls_demand demand)
{
    return demand_words[demand];
}

struct trace *trace_new(const char *path, double keep_s)
{
    struct trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL || asprintf(&trace->path, "%s", path) < 0)
        abort();
    trace->keep_s = keep_s;
    return trace;
}

void trace_free(struct trace **trace)
{
    if (*trace == NULL)
        return;
    store_close(&(*trace)->store);
    free((*trace)->path);
    free(*trace);
    *trace = NULL;
}

static bool opened(struct trace *trace, struct err *err)
{
    if (trace->store == NULL)
        trace->store = store_open(trace->path, schema, false, err);
    return trace->store != NULL;
}

static bool trim(struct trace *trace, int64_t now, struct err *err)
{
    if (trace->trimmed)
        return true;
    trace->trimmed = true;
    return store_run(trace->store, err, "DELETE FROM trace WHERE at < ?", "i", now - (int64_t)trace->keep_s);
}

static bool insert(struct trace *trace, const struct trace_entry *e, struct err *err)
{
    const struct policy_decision *d = e->decision;
    return store_run(trace->store, err,
                     "INSERT INTO trace (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     COLUMN_KINDS, e->at, e->message, (int64_t)e->attempt, event_words[e->event], e->recipient,
                     e->destination, e->connector, e->connector_why, e->host, e->address,
                     e->mx ? mx_words[e->mx->state] : NULL, e->mx ? trust_words[e->mx->trust] : NULL,
                     e->facts ? trust_words[e->facts->trust] : NULL, e->facts ? tlsa_words[e->facts->tlsa] : NULL,
                     e->sts ? sts_words[e->sts->mode] : NULL, e->sts ? e->sts->id : NULL, e->sts ? e->sts->why : NULL,
                     d ? demand_words[d->demand] : NULL, d ? d->clause : NULL, d ? d->because : NULL,
                     (int64_t)(d != NULL && d->authenticated_domain && e->tls != NULL &&
                               (e->tls->dane_passed || e->tls->pkix_passed)),
                     e->tls ? e->tls->version : NULL, e->tls ? e->tls->cipher : NULL,
                     e->tls ? e->tls->certificate_sha256 : NULL, e->cause, e->code, e->text);
}

void trace_add(struct trace *trace, const struct trace_entry *entry)
{
    struct err err;
    if (trace->broken || (opened(trace, &err) && insert(trace, entry, &err) && trim(trace, entry->at, &err)))
        return;
    trace->broken = true;
    fprintf(stderr, "mtalab-engine: the trace is lost: %s\n", err.text);
}

static json_t *value_of(sqlite3_stmt *rows, int column)
{
    if (sqlite3_column_type(rows, column) == SQLITE_INTEGER)
        return json_integer(sqlite3_column_int64(rows, column));
    const char *text = (const char *)sqlite3_column_text(rows, column);
    json_t *value = text != NULL ? json_string(text) : json_null();
    return value != NULL ? value : json_string("(not UTF-8)");
}

json_t *trace_list(struct trace *trace, const char *about, size_t limit, struct err *err)
{
    if (!opened(trace, err))
        return NULL;
    sqlite3_stmt *rows =
        store_query(trace->store, err,
                    "SELECT * FROM (SELECT id, " COLUMNS
                    " FROM trace WHERE ?1 IS NULL OR recipient = ?1 OR destination = ?1"
                    " OR message = CAST(?1 AS INTEGER) OR (recipient IS NULL AND message IN (SELECT message FROM trace"
                    " WHERE recipient = ?1)) ORDER BY id DESC LIMIT ?2) ORDER BY id",
                    "ti", about, (int64_t)limit);
    json_t *list = rows != NULL ? json_array() : NULL;
    while (rows != NULL && store_row(rows)) {
        json_t *entry = json_object();
        for (int i = 1; i < sqlite3_column_count(rows); i++)
            json_object_set_new(entry, sqlite3_column_name(rows, i), value_of(rows, i));
        json_array_append_new(list, entry);
    }
    return list;
}
