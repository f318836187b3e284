/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_store.h"

#include <stdlib.h>
#include <string.h>

#include "engine/store.h"

static const char schema[] =
    /* made: 0 until the counts stand in a report, then that report's number, -1 when nobody wanted one. */
    "CREATE TABLE IF NOT EXISTS policy (id INTEGER PRIMARY KEY, day INTEGER NOT NULL, domain TEXT NOT NULL,"
    " type TEXT NOT NULL, policy_domain TEXT NOT NULL, strings TEXT NOT NULL, mx TEXT NOT NULL,"
    " good INTEGER NOT NULL, bad INTEGER NOT NULL, made INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX IF NOT EXISTS policy_open ON policy (day, domain, type, policy_domain, strings, mx)"
    " WHERE made = 0;"
    "CREATE TABLE IF NOT EXISTS failure (policy INTEGER NOT NULL, result TEXT NOT NULL, reason TEXT NOT NULL,"
    " sending_ip TEXT NOT NULL, mx TEXT NOT NULL, receiving_ip TEXT NOT NULL, count INTEGER NOT NULL,"
    " UNIQUE (policy, result, reason, sending_ip, mx, receiving_ip));"
    "CREATE TABLE IF NOT EXISTS plan (day INTEGER NOT NULL, domain TEXT NOT NULL, due INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (day, domain));"
    "CREATE INDEX IF NOT EXISTS policy_day ON policy (day);"
    "CREATE INDEX IF NOT EXISTS plan_due ON plan (due);"
    "CREATE TABLE IF NOT EXISTS report (id INTEGER PRIMARY KEY AUTOINCREMENT, day INTEGER NOT NULL,"
    " domain TEXT NOT NULL, report_id TEXT NOT NULL, name TEXT NOT NULL, body BLOB);"
    "CREATE TABLE IF NOT EXISTS parcel (id INTEGER PRIMARY KEY, report INTEGER NOT NULL, uri TEXT NOT NULL,"
    " due INTEGER NOT NULL, made INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX IF NOT EXISTS parcel_report ON parcel (report);"
    "CREATE INDEX IF NOT EXISTS parcel_due ON parcel (due);";

struct tlsrpt_store {
    struct store *store;
};

struct tlsrpt_store *tlsrpt_store_open(const char *path, struct err *err)
{
    struct tlsrpt_store *s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    s->store = store_open(path, schema, false, err);
    if (s->store == NULL)
        tlsrpt_store_close(&s);
    return s;
}

void tlsrpt_store_close(struct tlsrpt_store **store)
{
    if (*store == NULL)
        return;
    store_close(&(*store)->store);
    free(*store);
    *store = NULL;
}

static bool finish(struct tlsrpt_store *s, bool fine, struct err *err)
{
    if (fine)
        return store_commit(s->store, err);
    store_undo(s->store);
    return false;
}

/* The one number that a question is answered with; -1: none. */
static int64_t number(sqlite3_stmt *rows)
{
    int64_t value = -1;
    if (rows != NULL && store_row(rows)) {
        value = sqlite3_column_type(rows, 0) != SQLITE_NULL ? sqlite3_column_int64(rows, 0) : -1;
        store_end(rows);
    }
    return value;
}

/* ---- counting ---- */

/* A list of texts as compact JSON; what is no UTF-8 is left out. */
static const char *as_json(struct arena *arena, const char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(items[i]));
    char *text = json_dumps(list, JSON_COMPACT);
    char *kept = arena_strdup(arena, text != NULL ? text : "[]");
    free(text);
    json_decref(list);
    return kept;
}

static int64_t policy_row(struct tlsrpt_store *s, struct arena *arena, int64_t day, const char *domain,
                          const struct tlsrpt_session *session, const struct tlsrpt_tally *tally, struct err *err)
{
    int64_t known =
        number(store_query(s->store, err, "SELECT count(*) FROM policy WHERE day = ? AND domain = ? AND made = 0", "it",
                           day, domain));
    bool plain = known >= TLSRPT_POLICIES_MAX; /* who changes his records all the time */
    struct tlsrpt_strings strings = {0};
    if (!plain)
        strings = tlsrpt_policy_strings(arena, session, tally->policy);
    bool has_mx = tally->policy == TLSRPT_STS && strings.count > 0;
    return number(store_query(s->store, err,
                              "INSERT INTO policy (day, domain, type, policy_domain, strings, mx, good, bad)"
                              " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (day, domain, type, policy_domain, strings, mx)"
                              " WHERE made = 0 DO UPDATE SET good = good + excluded.good, bad = bad + excluded.bad"
                              " RETURNING id",
                              "ittttt"
                              "ii",
                              day, domain, tlsrpt_policy_words[tally->policy], plain ? domain : tally->domain,
                              as_json(arena, strings.items, strings.count),
                              as_json(arena, has_mx ? session->sts->mx : NULL, has_mx ? session->sts->mx_count : 0),
                              (int64_t)(tally->result == NULL), (int64_t)(tally->result != NULL)));
}

static bool count_failure(struct tlsrpt_store *s, int64_t policy, const struct tlsrpt_session *session,
                          const struct tlsrpt_tally *tally, struct err *err)
{
    int64_t known = number(store_query(s->store, err, "SELECT count(*) FROM failure WHERE policy = ?", "i", policy));
    bool plain = known >= TLSRPT_DETAILS_MAX;
    /* What kept a policy from being had does not concern a host. */
    bool host = !plain && !(tally->policy == TLSRPT_STS && strncmp(tally->result, "sts-", 4) == 0);
    const char *ip = host && session->sending_ip != NULL ? session->sending_ip : "",
               *peer = host && session->receiving_ip != NULL ? session->receiving_ip : "",
               *reason = !plain && tally->reason != NULL ? tally->reason : "";
    return store_run(s->store, err,
                     "INSERT INTO failure (policy, result, reason, sending_ip, mx, receiving_ip, count)"
                     " VALUES (?,?,?,?,?,?,1) ON CONFLICT DO UPDATE SET count = count + 1",
                     "ittttt", policy, tally->result, reason, ip, host ? session->host->name : "", peer);
}

static bool count_tally(struct tlsrpt_store *s, struct arena *arena, int64_t day, const char *domain,
                        const struct tlsrpt_session *session, const struct tlsrpt_tally *tally, struct err *err)
{
    int64_t policy = policy_row(s, arena, day, domain, session, tally, err);
    return policy >= 0 && (tally->result == NULL || count_failure(s, policy, session, tally, err));
}

bool tlsrpt_store_count(struct tlsrpt_store *s, int64_t now, int64_t due, const char *domain,
                        const struct tlsrpt_session *session, struct err *err)
{
    struct tlsrpt_tally tallies[TLSRPT_TALLIES_MAX];
    size_t count = tlsrpt_tallies(session, tallies);
    int64_t day = now - now % TLSRPT_DAY;
    if (count == 0)
        return true;
    struct arena *arena = arena_new("tlsrpt");
    bool fine = store_begin(s->store, err);
    bool begun = fine;
    for (size_t i = 0; fine && i < count; i++)
        fine = count_tally(s, arena, day, domain, session, &tallies[i], err);
    fine = fine && store_run(s->store, err, "INSERT OR IGNORE INTO plan (day, domain, due) VALUES (?,?,?)", "iti", day,
                             domain, due);
    arena_free(&arena);
    return begun && finish(s, fine, err);
}

/* ---- plans ---- */

bool tlsrpt_store_plans(struct tlsrpt_store *s, struct arena *arena, int64_t until, size_t limit,
                        struct tlsrpt_plans *plans, struct err *err)
{
    sqlite3_stmt *rows =
        store_query(s->store, err,
                    "SELECT domain, day, due, attempts FROM plan WHERE due <= ? ORDER BY due, domain LIMIT ?", "ii",
                    until, (int64_t)limit);
    if (rows == NULL)
        return false;
    while (store_row(rows))
        *ARENA_PUSH(arena, plans) = (struct tlsrpt_plan){
            .domain = store_text(arena, rows, 0),
            .day = sqlite3_column_int64(rows, 1),
            .due = sqlite3_column_int64(rows, 2),
            .attempts = (unsigned)sqlite3_column_int64(rows, 3),
        };
    return true;
}

bool tlsrpt_store_hurry(struct tlsrpt_store *s, int64_t now, struct err *err)
{
    return store_run(s->store, err, "UPDATE plan SET due = ?1 WHERE due > ?1", "i", now) &&
           store_run(s->store, err, "UPDATE parcel SET due = ?1 WHERE due > ?1", "i", now);
}

bool tlsrpt_store_put_off(struct tlsrpt_store *s, const struct tlsrpt_plan *plan, int64_t due, struct err *err)
{
    return store_run(s->store, err, "UPDATE plan SET attempts = attempts + 1, due = ? WHERE day = ? AND domain = ?",
                     "iit", due, plan->day, plan->domain);
}

static bool end_plan(struct tlsrpt_store *s, const struct tlsrpt_plan *plan, int64_t made, struct err *err)
{
    return store_run(s->store, err, "UPDATE policy SET made = ? WHERE day = ? AND domain = ? AND made = 0", "iit", made,
                     plan->day, plan->domain) &&
           store_run(s->store, err, "DELETE FROM plan WHERE day = ? AND domain = ?", "it", plan->day, plan->domain);
}

bool tlsrpt_store_drop(struct tlsrpt_store *s, const struct tlsrpt_plan *plan, struct err *err)
{
    return store_begin(s->store, err) && finish(s, end_plan(s, plan, -1, err), err);
}

/* ---- "policies" ---- */

/* Optional texts are left out where they are empty. */
static void set_text(json_t *object, const char *name, const char *text)
{
    if (text[0] != '\0')
        json_object_set_new(object, name, json_string(text));
}

static const char *column(sqlite3_stmt *rows, int index)
{
    const char *text = (const char *)sqlite3_column_text(rows, index);
    return text != NULL ? text : "";
}

static json_t *failure_details(struct tlsrpt_store *s, int64_t policy, struct err *err)
{
    json_t *list = json_array();
    sqlite3_stmt *rows = store_query(s->store, err,
                                     "SELECT result, sending_ip, mx, receiving_ip, count, reason FROM failure"
                                     " WHERE policy = ? ORDER BY result, mx, receiving_ip, reason",
                                     "i", policy);
    while (rows != NULL && store_row(rows)) {
        json_t *detail = json_pack("{s:s}", "result-type", column(rows, 0));
        set_text(detail, "sending-mta-ip", column(rows, 1));
        set_text(detail, "receiving-mx-hostname", column(rows, 2));
        set_text(detail, "receiving-ip", column(rows, 3));
        json_object_set_new(detail, "failed-session-count", json_integer(sqlite3_column_int64(rows, 4)));
        set_text(detail, "failure-reason-code", column(rows, 5));
        json_array_append_new(list, detail);
    }
    return list;
}

static void set_list(json_t *object, const char *name, const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    if (json_array_size(list) > 0)
        json_object_set(object, name, list);
    json_decref(list);
}

/* id, type, policy_domain, strings, mx, good, bad */
static json_t *policy_entry(struct tlsrpt_store *s, sqlite3_stmt *rows, struct err *err)
{
    json_t *policy = json_pack("{s:s}", "policy-type", column(rows, 1));
    set_list(policy, "policy-string", column(rows, 3));
    json_object_set_new(policy, "policy-domain", json_string(column(rows, 2)));
    set_list(policy, "mx-host", column(rows, 4));
    json_t *entry = json_pack("{s:o,s:{s:I,s:I}}", "policy", policy, "summary", "total-successful-session-count",
                              (json_int_t)sqlite3_column_int64(rows, 5), "total-failure-session-count",
                              (json_int_t)sqlite3_column_int64(rows, 6));
    json_t *details = failure_details(s, sqlite3_column_int64(rows, 0), err);
    if (json_array_size(details) > 0)
        json_object_set(entry, "failure-details", details);
    json_decref(details);
    return entry;
}

json_t *tlsrpt_store_policies(struct tlsrpt_store *s, const struct tlsrpt_plan *plan, struct err *err)
{
    sqlite3_stmt *rows = store_query(s->store, err,
                                     "SELECT id, type, policy_domain, strings, mx, good, bad FROM policy"
                                     " WHERE day = ? AND domain = ? AND made = 0 ORDER BY type, policy_domain, id",
                                     "it", plan->day, plan->domain);
    json_t *list = rows != NULL ? json_array() : NULL;
    while (rows != NULL && store_row(rows))
        json_array_append_new(list, policy_entry(s, rows, err));
    return list;
}

/* ---- parcels ---- */

static bool add_parcels(struct tlsrpt_store *s, int64_t report, const struct tlsrpt_parcel *parcel,
                        const char *const *uris, size_t count, struct err *err)
{
    bool fine = true;
    for (size_t i = 0; fine && i < count; i++)
        fine = store_run(s->store, err, "INSERT INTO parcel (report, uri, due, made) VALUES (?,?,?,?)", "itii", report,
                         uris[i], parcel->due, parcel->made);
    return fine;
}

bool tlsrpt_store_add(struct tlsrpt_store *s, const struct tlsrpt_plan *plan, const struct tlsrpt_parcel *parcel,
                      const char *const *uris, size_t uri_count, struct err *err)
{
    if (!store_begin(s->store, err))
        return false;
    bool fine =
        store_run(s->store, err, "INSERT INTO report (day, domain, report_id, name, body) VALUES (?,?,?,?,?)", "itttb",
                  plan->day, plan->domain, parcel->report_id, parcel->name, parcel->body, parcel->length);
    int64_t report = store_id(s->store);
    fine = fine && add_parcels(s, report, parcel, uris, uri_count, err) && end_plan(s, plan, report, err);
    return finish(s, fine, err);
}

bool tlsrpt_store_parcels(struct tlsrpt_store *s, struct arena *arena, int64_t until, size_t limit,
                          struct tlsrpt_parcels *parcels, struct err *err)
{
    sqlite3_stmt *rows =
        store_query(s->store, err,
                    "SELECT p.id, p.uri, r.domain, r.report_id, r.name, r.body, p.due, p.made, p.attempts"
                    " FROM parcel p JOIN report r ON r.id = p.report WHERE p.due <= ? ORDER BY p.due, p.id LIMIT ?",
                    "ii", until, (int64_t)limit);
    if (rows == NULL)
        return false;
    while (store_row(rows)) {
        size_t length = (size_t)sqlite3_column_bytes(rows, 5);
        *ARENA_PUSH(arena, parcels) = (struct tlsrpt_parcel){
            .id = sqlite3_column_int64(rows, 0),
            .uri = store_text(arena, rows, 1),
            .domain = store_text(arena, rows, 2),
            .report_id = store_text(arena, rows, 3),
            .name = store_text(arena, rows, 4),
            .body = length > 0 ? arena_memdup(arena, sqlite3_column_blob(rows, 5), length) : "",
            .length = length,
            .due = sqlite3_column_int64(rows, 6),
            .made = sqlite3_column_int64(rows, 7),
            .attempts = (unsigned)sqlite3_column_int64(rows, 8),
        };
    }
    return true;
}

bool tlsrpt_store_again(struct tlsrpt_store *s, int64_t parcel, int64_t due, struct err *err)
{
    return store_run(s->store, err, "UPDATE parcel SET attempts = attempts + 1, due = ? WHERE id = ?", "ii", due,
                     parcel);
}

bool tlsrpt_store_done(struct tlsrpt_store *s, int64_t parcel, struct err *err)
{
    if (!store_begin(s->store, err))
        return false;
    return finish(s,
                  store_run(s->store, err,
                            "UPDATE report SET body = NULL WHERE id = (SELECT report FROM parcel WHERE id = ?1)"
                            " AND NOT EXISTS (SELECT 1 FROM parcel WHERE report = report.id AND id <> ?1)",
                            "i", parcel) &&
                      store_run(s->store, err, "DELETE FROM parcel WHERE id = ?", "i", parcel),
                  err);
}

int64_t tlsrpt_store_next(struct tlsrpt_store *s)
{
    int64_t due =
        number(store_query(s->store, NULL,
                           "SELECT min(due) FROM (SELECT due FROM plan UNION ALL SELECT due FROM parcel)", ""));
    return due >= 0 ? due : INT64_MAX;
}

bool tlsrpt_store_trim(struct tlsrpt_store *s, int64_t before, struct err *err)
{
    return store_run(s->store, err,
                     "DELETE FROM failure WHERE policy IN (SELECT id FROM policy WHERE made <> 0 AND day < ?)", "i",
                     before) &&
           store_run(s->store, err, "DELETE FROM policy WHERE made <> 0 AND day < ?", "i", before) &&
           store_run(s->store, err, "DELETE FROM report WHERE body IS NULL AND day < ?", "i", before);
}
