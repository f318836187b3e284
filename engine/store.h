/* SPDX-License-Identifier: BSD-2-Clause
 * store - one SQLite file: opened with our settings, statements prepared once, arguments bound in one line.
 *
 * Owns:   the handle and the prepared statements. A statement from store_query() must be stepped to its end or given to
 *         store_end() before its SQL is used again.
 * Errors: false or NULL with *err filled.
 * Threads: one. */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include <sqlite3.h>

#include "base/arena.h"
#include "base/err.h"

struct store;

/* WAL; fsync: every commit is on disk before it returns (synchronous FULL). schema: run in one transaction, with IF NOT
 * EXISTS. A file that is not there is made, for its owner alone, who is the folder's when root makes it. */
struct store *store_open(const char *path, const char *schema, bool fsync, struct err *err) NODISCARD;
void store_close(struct store **store);

/* kinds: one letter an argument: i int64_t, t const char * (NULL: null), b const void *, size_t. The sql must be a
 * literal: its address is the key of the prepared statement. */
bool store_run(struct store *store, struct err *err, const char *sql, const char *kinds, ...) NODISCARD;
sqlite3_stmt *store_query(struct store *store, struct err *err, const char *sql, const char *kinds, ...) NODISCARD;
bool store_row(sqlite3_stmt *statement);            /* the next row is there; at the end the statement is ended */
void store_end(sqlite3_stmt *statement);
char *store_text(struct arena *arena, sqlite3_stmt *statement, int column);   /* "" for null */
int64_t store_id(const struct store *store);        /* of the row inserted last */
int64_t store_changes(const struct store *store);   /* rows that the last statement has changed */
/* A statement for once, of SQL that is no literal; ends with store_drop() instead of store_end(). */
sqlite3_stmt *store_prepare(struct store *store, const char *sql, struct err *err);
void store_drop(sqlite3_stmt *statement);

/* name(id) in SQL from here on: true or false, as of() says. */
bool store_predicate(struct store *store, const char *name, bool (*of)(void *arg, int64_t id), void *arg,
                     struct err *err) NODISCARD;

/* From here on what is committed is only on disk after store_flush(): many transactions share one. dirty() is called
 * when there is something to flush. A transaction that fails takes all of them with it: the disk is to blame, and what
 * came before is no safer than what came after. */
void store_group(struct store *store, void (*dirty)(void *arg), void *arg);
bool store_pending(const struct store *store);
/* Commits all since the last time, or, false, undoes it. */
bool store_flush(struct store *store, struct err *err) NODISCARD;

/* Nothing nests. A transaction that cannot be committed is undone. */
bool store_begin(struct store *store, struct err *err) NODISCARD;
bool store_commit(struct store *store, struct err *err) NODISCARD;
void store_undo(struct store *store);

#endif
