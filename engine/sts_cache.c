/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/store.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS sts_policy(domain TEXT PRIMARY KEY, id TEXT NOT NULL, text TEXT NOT NULL,"
    " fetched_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sts_failure(domain TEXT PRIMARY KEY, id TEXT NOT NULL, failed_at INTEGER NOT NULL,"
    " result_type TEXT NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;";

struct sts_cache {
    struct store *store;
};

struct sts_cache *sts_cache_open(const char *path, struct err *err)
{
    struct store *store = store_open(path, schema, true, err);
    if (store == NULL)
        return NULL;
    struct sts_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        abort();
    cache->store = store;
    return cache;
}

void sts_cache_close(struct sts_cache **cache)
{
    if (cache == NULL || *cache == NULL)
        return;
    store_close(&(*cache)->store);
    free(*cache);
    *cache = NULL;
}

static void take_row(struct arena *arena, sqlite3_stmt *row, struct sts_cached *out)
{
    *out = (struct sts_cached){0};
    snprintf(out->id, sizeof out->id, "%s", store_text(arena, row, 0));
    out->text = store_text(arena, row, 1);
    out->fetched_at = sqlite3_column_int64(row, 2);
    out->expires_at = sqlite3_column_int64(row, 3);
}

bool sts_cache_find(struct sts_cache *cache, struct arena *arena, const char *domain, int64_t now,
                    struct sts_cached *out)
{
    sqlite3_stmt *row =
        store_query(cache->store, NULL,
                    "SELECT id, text, fetched_at, expires_at FROM sts_policy WHERE domain = ? AND expires_at > ?", "ti",
                    domain, now);
    if (row == NULL || !store_row(row))
        return false;
    take_row(arena, row, out);
    store_end(row);
    const char *why;
    return sts_policy_parse(arena, out->text, strlen(out->text), &out->policy, &why);
}

void sts_cache_put(struct sts_cache *cache, const char *domain, const struct sts_cached *entry)
{
    bool stored = store_run(cache->store, NULL, "INSERT OR REPLACE INTO sts_policy VALUES(?, ?, ?, ?, ?)", "tttii",
                            domain, entry->id, entry->text, entry->fetched_at, entry->expires_at);
    if (stored && !store_run(cache->store, NULL, "DELETE FROM sts_failure WHERE domain = ?", "t", domain))
        return;
}

void sts_cache_put_failure(struct sts_cache *cache, const char *domain, const char *id,
                           const struct sts_fetch_failure *failure, int64_t now)
{
    if (!store_run(cache->store, NULL, "INSERT OR REPLACE INTO sts_failure VALUES(?, ?, ?, ?, ?)", "ttitt", domain, id,
                   now, failure->result_type, failure->why))
        return; /* one fetch too many is all that follows */
}

bool sts_cache_failed_lately(struct sts_cache *cache, struct arena *arena, const char *domain, const char *id,
                             int64_t now, struct sts_fetch_failure *out)
{
    sqlite3_stmt *row = store_query(cache->store, NULL,
                                    "SELECT result_type, why FROM sts_failure "
                                    "WHERE domain = ? AND id = ? AND failed_at > ? AND failed_at <= ?",
                                    "ttii", domain, id, now - STS_RETRY_SECONDS, now);
    if (row == NULL || !store_row(row))
        return false;
    *out = (struct sts_fetch_failure){store_text(arena, row, 0), store_text(arena, row, 1)};
    store_end(row);
    return true;
}

size_t sts_cache_aging(struct sts_cache *cache, struct arena *arena, int64_t now, int64_t age, const char *after,
                       size_t limit, const char **domains)
{
    size_t count = 0;
    sqlite3_stmt *row =
        store_query(cache->store, NULL,
                    "SELECT domain FROM sts_policy WHERE domain > ?4 AND expires_at > ?1 AND "
                    "?1 - fetched_at >= min(?2, (expires_at - fetched_at) / 2) ORDER BY domain LIMIT ?3",
                    "iiit", now, age, (int64_t)limit, after);
    while (row != NULL && store_row(row))
        if (count < limit)
            domains[count++] = store_text(arena, row, 0);
    return count;
}
