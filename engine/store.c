/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/store.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATEMENTS_MAX = 48 };

struct store {
    sqlite3 *db;
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } prepared[STATEMENTS_MAX];
    size_t count;
    void (*dirty)(void *arg); /* NULL: every transaction is committed by itself */
    void *arg;
    bool pending;
    bool failed; /* then what is pending is to be undone */
};

struct predicate {
    bool (*of)(void *arg, int64_t id);
    void *arg;
};

static bool failed(struct store *store, struct err *err, const char *what)
{
    return err_set(err, ERR_SYSTEM, "%s: %s", what, sqlite3_errmsg(store->db));
}

static bool execute(struct store *store, const char *sql, struct err *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(store, err, sql);
}

static bool prepare_file(struct store *store, const char *schema, bool fsync, struct err *err)
{
    sqlite3_busy_timeout(store->db, 5000);
    return execute(store,
                   fsync ? "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=4000" /* 16 MiB, and fewer waits */
                         : "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=10000",
                   err) &&
           execute(store, fsync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF", err) &&
           execute(store, "BEGIN IMMEDIATE", err) && execute(store, schema, err) && execute(store, "COMMIT", err);
}

/* A new file belongs to whom its folder belongs to: a command that root gives must not leave one behind that the
 * engine's own user cannot write. */
static bool make_file(const char *path, struct err *err)
{
    char folder[PATH_MAX];
    struct stat owner;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return true; /* it is there, or SQLite says why not */
    snprintf(folder, sizeof folder, "%s", path);
    bool mine = geteuid() != 0 || (stat(dirname(folder), &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) == 0);
    close(fd);
    return mine || err_set(err, ERR_SYSTEM, "%s cannot be given to the owner of its folder", path);
}

/* SQLite opens a file that it may not write for reading only, and says so at the first change. */
static bool can_be_written(const struct store *store, const char *path, struct err *err)
{
    return sqlite3_db_readonly(store->db, "main") == 0 ||
           err_set(err, ERR_SYSTEM, "%s cannot be written: whose is it?", path);
}

struct store *store_open(const char *path, const char *schema, bool fsync, struct err *err)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        abort();
    if (strcmp(path, ":memory:") != 0 && !make_file(path, err)) {
        store_close(&store);
        return NULL;
    }
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        err_set(err, ERR_SYSTEM, "cannot open %s: %s", path, sqlite3_errmsg(store->db));
        store_close(&store);
        return NULL;
    }
    if (!prepare_file(store, schema, fsync, err) || !can_be_written(store, path, err))
        store_close(&store);
    return store;
}

void store_close(struct store **store)
{
    if (*store == NULL)
        return;
    for (size_t i = 0; i < (*store)->count; i++)
        sqlite3_finalize((*store)->prepared[i].statement);
    sqlite3_close((*store)->db);
    free(*store);
    *store = NULL;
}

static sqlite3_stmt *statement_of(struct store *store, const char *sql, struct err *err)
{
    for (size_t i = 0; i < store->count; i++)
        if (store->prepared[i].sql == sql) {
            sqlite3_reset(store->prepared[i].statement);
            return store->prepared[i].statement;
        }
    sqlite3_stmt *statement = NULL;
    if (store->count == STATEMENTS_MAX) {
        err_set(err, ERR_BUG, "too many statements");
        return NULL;
    }
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
        failed(store, err, sql);
        return NULL;
    }
    store->prepared[store->count].sql = sql;
    store->prepared[store->count++].statement = statement;
    return statement;
}

static void bind_arguments(sqlite3_stmt *statement, const char *kinds, va_list args)
{
    for (int i = 1; *kinds != '\0'; kinds++, i++) {
        if (*kinds == 'i') {
            sqlite3_bind_int64(statement, i, va_arg(args, int64_t));
        } else if (*kinds == 't') {
            sqlite3_bind_text(statement, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
        } else {
            const void *bytes = va_arg(args, const void *);
            sqlite3_bind_blob64(statement, i, bytes, va_arg(args, size_t), SQLITE_STATIC);
        }
    }
}

sqlite3_stmt *store_query(struct store *store, struct err *err, const char *sql, const char *kinds, ...)
{
    sqlite3_stmt *statement = statement_of(store, sql, err);
    va_list args;
    va_start(args, kinds);
    if (statement != NULL)
        bind_arguments(statement, kinds, args);
    va_end(args);
    return statement;
}

bool store_run(struct store *store, struct err *err, const char *sql, const char *kinds, ...)
{
    sqlite3_stmt *statement = statement_of(store, sql, err);
    if (statement == NULL)
        return false;
    va_list args;
    va_start(args, kinds);
    bind_arguments(statement, kinds, args);
    va_end(args);
    int result = sqlite3_step(statement);
    bool done = result == SQLITE_DONE || result == SQLITE_ROW || failed(store, err, sql);
    store_end(statement);
    return done;
}

bool store_row(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) == SQLITE_ROW)
        return true;
    store_end(statement);
    return false;
}

void store_end(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

char *store_text(struct arena *arena, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return arena_strdup(arena, text != NULL ? text : "");
}

int64_t store_id(const struct store *store)
{
    return sqlite3_last_insert_rowid(store->db);
}

int64_t store_changes(const struct store *store)
{
    return sqlite3_changes(store->db);
}

sqlite3_stmt *store_prepare(struct store *store, const char *sql, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
        failed(store, err, sql);
    return statement;
}

void store_drop(sqlite3_stmt *statement)
{
    sqlite3_finalize(statement);
}

static void call_predicate(sqlite3_context *call, int count UNUSED, sqlite3_value **values)
{
    const struct predicate *predicate = sqlite3_user_data(call);
    sqlite3_result_int(call, predicate->of(predicate->arg, sqlite3_value_int64(values[0])));
}

bool store_predicate(struct store *store, const char *name, bool (*of)(void *arg, int64_t id), void *arg,
                     struct err *err)
{
    struct predicate *predicate = malloc(sizeof *predicate);
    if (predicate == NULL)
        abort();
    *predicate = (struct predicate){of, arg};
    return sqlite3_create_function_v2(store->db, name, 1, SQLITE_UTF8, predicate, call_predicate, NULL, NULL, free) ==
               SQLITE_OK ||
           failed(store, err, name);
}

void store_group(struct store *store, void (*dirty)(void *arg), void *arg)
{
    store->dirty = dirty;
    store->arg = arg;
}

bool store_pending(const struct store *store)
{
    return store->pending;
}

bool store_flush(struct store *store, struct err *err)
{
    bool failed = store->failed;
    if (!store->pending)
        return true;
    store->pending = store->failed = false;
    if (!failed && execute(store, "COMMIT", err))
        return true;
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return failed ? err_set(err, ERR_SYSTEM, "what could not be written is undone") : false;
}

bool store_begin(struct store *store, struct err *err)
{
    if (store->dirty == NULL)
        return execute(store, "BEGIN IMMEDIATE", err);
    if (store->failed)
        return err_set(err, ERR_SYSTEM, "what came before could not be written");
    if (store->pending)
        return true;
    store->pending = true;
    store->failed = !execute(store, "BEGIN IMMEDIATE", err);
    store->dirty(store->arg);
    return !store->failed;
}

bool store_commit(struct store *store, struct err *err)
{
    if (store->dirty != NULL || execute(store, "COMMIT", err))
        return true;
    store_undo(store);
    return false;
}

void store_undo(struct store *store)
{
    store->failed = store->dirty != NULL;
    if (store->dirty == NULL)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}
