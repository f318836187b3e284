/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/history.h"

#include <unistd.h>

#include "engine/store.h"
#include "engine/tlsrpt_received.h"

enum { ROWS_MAX = 200000 };

static bool read_rows(struct arena *arena, struct store *store, struct history *h, struct err *err)
{
    sqlite3_stmt *rows = store_query(
        store, err,
        "SELECT event, destination, connector, host, mx_trust, host_trust, tlsa, sts_mode, demand, tls, cause, code,"
        " count(*), min(at), max(at), message, text, max(certificate_until), min(nullif(signed_until, 0)) FROM trace"
        " WHERE at >= ? GROUP BY event, destination, connector, host, mx_trust, host_trust, tlsa, sts_mode, demand,"
        " tls, cause, code ORDER BY destination, max(at) LIMIT ?",
        "ii", h->since, (int64_t)ROWS_MAX);
    while (rows != NULL && store_row(rows)) {
        struct history_row *r = ARENA_PUSH(arena, &h->rows);
        const char **texts[] = {&r->event, &r->destination, &r->connector, &r->host, &r->mx_trust, &r->host_trust,
                                &r->tlsa,  &r->sts_mode,    &r->demand,    &r->tls,  &r->cause,    &r->code};
        for (size_t i = 0; i < COUNT(texts); i++)
            *texts[i] = store_text(arena, rows, (int)i);
        r->count = sqlite3_column_int64(rows, 12);
        r->first = sqlite3_column_int64(rows, 13);
        r->last = sqlite3_column_int64(rows, 14);
        r->message = sqlite3_column_int64(rows, 15);
        r->text = store_text(arena, rows, 16);
        r->certificate_until = sqlite3_column_int64(rows, 17);
        r->signed_until = sqlite3_column_int64(rows, 18);
    }
    return rows != NULL;
}

static bool read_waiting(struct arena *arena, struct store *store, struct history *h, struct err *err)
{
    sqlite3_stmt *rows =
        store_query(store, err,
                    "SELECT domain, count(*), sum(age >= 3600), min(arrived), max(code), max(reason), sum(age < 900),"
                    " sum(age >= 900 AND age < 3600), sum(age >= 3600 AND age < 14400),"
                    " sum(age >= 14400 AND age < 43200), sum(age >= 43200) FROM (SELECT r.domain, r.code, r.reason,"
                    " m.arrived, ?1 - m.arrived AS age FROM recipient r JOIN message m ON m.id = r.message"
                    " WHERE r.state = 0) GROUP BY domain LIMIT ?2",
                    "ii", h->now, (int64_t)ROWS_MAX);
    while (rows != NULL && store_row(rows)) {
        struct history_waiting *w = ARENA_PUSH(arena, &h->waiting);
        *w = (struct history_waiting){.destination = store_text(arena, rows, 0),
                                      .count = sqlite3_column_int64(rows, 1),
                                      .late = sqlite3_column_int64(rows, 2),
                                      .oldest = sqlite3_column_int64(rows, 3),
                                      .code = store_text(arena, rows, 4),
                                      .reason = store_text(arena, rows, 5)};
        for (int i = 0; i < HISTORY_AGES; i++)
            w->ages[i] = sqlite3_column_int64(rows, 6 + i);
    }
    return rows != NULL;
}

static bool read_policies(struct arena *arena, struct store *store, struct history *h, struct err *err)
{
    sqlite3_stmt *rows = store_query(store, err,
                                     "SELECT p.domain, f.why, p.expires_at FROM sts_policy p JOIN sts_failure f"
                                     " ON f.domain = p.domain WHERE p.expires_at > ? AND f.failed_at > p.fetched_at"
                                     " LIMIT ?",
                                     "ii", h->now, (int64_t)ROWS_MAX);
    while (rows != NULL && store_row(rows))
        *ARENA_PUSH(arena, &h->policies) =
            (struct history_policy){store_text(arena, rows, 0), store_text(arena, rows, 1),
                                    sqlite3_column_int64(rows, 2)};
    return rows != NULL;
}

static bool read_file(struct arena *arena, const char *path, struct history *h,
                      bool (*read)(struct arena *arena, struct store *store, struct history *h, struct err *err),
                      struct err *err)
{
    if (access(path, F_OK) != 0)
        return true;
    struct store *store = store_open(path, "", false, err);
    bool fine = store != NULL && read(arena, store, h, err);
    store_close(&store);
    return fine;
}

static void take_report(struct arena *arena, const json_t *row, struct history *h)
{
    int64_t begins = json_integer_value(json_object_get(row, "begins"));
    int64_t bad = json_integer_value(json_object_get(row, "bad"));
    if (bad <= 0)
        return;
    const char *texts[4];
    static const char *const keys[] = {"organization", "domain", "result", "mx"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *text = json_string_value(json_object_get(row, keys[i]));
        texts[i] = arena_strdup(arena, text != NULL ? text : "");
    }
    *ARENA_PUSH(arena, &h->reports) = (struct history_report){texts[0], texts[1], texts[2], texts[3], bad, begins};
}

/* The sum of a policy's failures, which follow one by one and say more. */
static bool is_sum_of(const json_t *row, const json_t *next)
{
    const char *result = json_string_value(json_object_get(row, "result"));
    const char *detail = json_string_value(json_object_get(next, "result"));
    return result != NULL && *result == '\0' && detail != NULL && *detail != '\0';
}

bool history_read_reports(struct arena *arena, const struct engine_config *config, struct history *h, struct err *err)
{
    if (access(arena_printf(arena, "%s/tlsrpt.db", config->directory), F_OK) != 0)
        return true;
    struct tlsrpt_received *received = tlsrpt_received_open(config->directory, err);
    json_t *rows = received != NULL ? tlsrpt_received_since(received, h->since, err) : NULL, *row;
    bool fine = rows != NULL;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        if (!is_sum_of(row, json_array_get(rows, i + 1)))
            take_report(arena, row, h);
    }
    json_decref(rows);
    tlsrpt_received_close(&received);
    return fine;
}

static bool read_queue(struct arena *arena, const struct engine_config *config, struct history *out, struct err *err)
{
    return read_file(arena, arena_printf(arena, "%s/queue.db", config->directory), out, read_waiting, err);
}

bool history_read_waiting(struct arena *arena, const struct engine_config *config, int64_t now, struct history *out,
                          struct err *err)
{
    *out = (struct history){.now = now};
    return read_queue(arena, config, out, err);
}

bool history_read(struct arena *arena, const struct engine_config *config, int64_t since, int64_t now,
                  struct history *out, struct err *err)
{
    *out = (struct history){.now = now, .since = since};
    return read_file(arena, arena_printf(arena, "%s/trace.db", config->directory), out, read_rows, err) &&
           read_queue(arena, config, out, err) &&
           read_file(arena, arena_printf(arena, "%s/sts.db", config->directory), out, read_policies, err);
}
