/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/alerts_told.h"

#include "engine/store.h"

static const char schema[] = "CREATE TABLE IF NOT EXISTS alert (kind TEXT NOT NULL, about TEXT NOT NULL, since INTEGER"
                             " NOT NULL, told INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (kind, about));"
                             "CREATE TABLE IF NOT EXISTS telling (at INTEGER NOT NULL);";
enum { DAY = 86400 };

static bool read_one(struct store *store, const struct alert *alert, struct alert_age *age, struct err *err)
{
    sqlite3_stmt *row = store_query(store, err, "SELECT since, told FROM alert WHERE kind = ? AND about = ?", "tt",
                                    alert->kind, alert->about);
    if (row == NULL)
        return false;
    if (store_row(row)) {
        *age = (struct alert_age){sqlite3_column_int64(row, 0), sqlite3_column_int(row, 1) != 0};
        store_end(row);
    }
    return true;
}

static bool see_one(struct store *store, int64_t now, const struct alert *alert, struct err *err)
{
    return store_run(store, err,
                     "INSERT INTO alert (kind, about, since, told, seen) VALUES (?1, ?2, ?3, 0, 1)"
                     " ON CONFLICT (kind, about) DO UPDATE SET seen = 1",
                     "tti", alert->kind, alert->about, now);
}

static bool see_all(struct store *store, int64_t now, const struct alerts *alerts, struct alert_age *ages,
                    struct err *err)
{
    bool fine = store_run(store, err, "UPDATE alert SET seen = 0", "");
    for (size_t i = 0; fine && i < alerts->count; i++) {
        ages[i] = (struct alert_age){.since = now};
        fine = see_one(store, now, &alerts->items[i], err) && read_one(store, &alerts->items[i], &ages[i], err);
    }
    return fine && store_run(store, err, "DELETE FROM alert WHERE seen = 0", "");
}

bool alerts_told_read(const char *path, int64_t now, const struct alerts *alerts, struct alert_age *ages,
                      struct err *err)
{
    struct store *store = store_open(path, schema, false, err);
    if (store == NULL)
        return false;
    bool fine = store_begin(store, err) && see_all(store, now, alerts, ages, err);
    if (fine)
        fine = store_commit(store, err);
    else
        store_undo(store);
    store_close(&store);
    return fine;
}

bool alerts_told_note(const char *path, int64_t now, const struct alert *alert, struct err *err)
{
    struct store *store = store_open(path, schema, false, err);
    bool fine = store != NULL &&
                store_run(store, err, "UPDATE alert SET told = 1 WHERE kind = ? AND about = ?", "tt", alert->kind,
                          alert->about) &&
                store_run(store, err, "DELETE FROM telling WHERE at <= ?", "i", now - DAY) &&
                store_run(store, err, "INSERT INTO telling (at) VALUES (?)", "i", now);
    store_close(&store);
    return fine;
}

bool alerts_told_today(const char *path, int64_t now, int64_t *count, struct err *err)
{
    struct store *store = store_open(path, schema, false, err);
    sqlite3_stmt *row =
        store != NULL ? store_query(store, err, "SELECT count(*) FROM telling WHERE at > ?", "i", now - DAY) : NULL;
    bool fine = row != NULL && store_row(row);
    if (fine) {
        *count = sqlite3_column_int64(row, 0);
        store_end(row);
    }
    store_close(&store);
    return fine;
}
