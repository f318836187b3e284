/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/connector_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "engine/store.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS change (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, connector TEXT NOT NULL,"
    " key TEXT NOT NULL, value TEXT);"
    "CREATE TABLE IF NOT EXISTS note (change INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    /* What configuration files have said of modes; null: the connector is gone. */
    "CREATE TABLE IF NOT EXISTS written (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, connector TEXT NOT NULL,"
    " key TEXT NOT NULL, value TEXT);";

/* ---- what comes of changes ---- */

/* A value by itself is YAML; "a,b" is a list. */
static const struct tree_node *value_of(struct arena *arena, const struct connector_change *change,
                                        struct diag_list *diags)
{
    bool list = strchr(change->value, ',') != NULL && change->value[0] != '[';
    const char *text = list ? arena_printf(arena, "[%s]", change->value) : change->value;
    const char *name = arena_printf(arena, "%s of %s", change->key, change->connector);
    if (*text == '\0')
        return schema_text(arena, (struct srcpos){.file = name, .line = 1, .col = 1}, "");
    return tree_read_text(arena, name, text, strlen(text), diags);
}

static bool is_outdone(const struct change_list *changes, size_t i)
{
    const struct connector_change *change = &changes->items[i];
    for (size_t k = i + 1; k < changes->count; k++)
        if (strcasecmp(changes->items[k].connector, change->connector) == 0 &&
            strcmp(changes->items[k].key, change->key) == 0)
            return true;
    return false;
}

static const struct tree_node *changed_node(struct arena *arena, const struct connector *connector,
                                            const struct change_list *changes, struct diag_list *diags)
{
    const struct tree_node *node = connector->node;
    for (size_t i = 0; i < changes->count; i++) {
        const struct connector_change *change = &changes->items[i];
        if (strcasecmp(change->connector, connector->name) != 0 || change->value == NULL || is_outdone(changes, i))
            continue;
        const struct tree_node *value = value_of(arena, change, diags);
        struct tree_entry entry = {change->key, connector->at, value};
        struct tree_node set = {.kind = TREE_MAP, .at = connector->at, .entries = &entry, .count = 1};
        if (value != NULL)
            node = tree_merge(arena, node, arena_memdup(arena, &set, sizeof set));
    }
    return node;
}

static void check_names(const struct routing *written, const struct change_list *changes, struct diag_list *diags)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct connector_change *change = &changes->items[i];
        struct srcpos at = {.file = change->connector, .line = 1, .col = 1};
        if (change->value != NULL && !is_outdone(changes, i) && connector_find(written, change->connector) == NULL)
            diag_error(diags, at, "no connector is named '%s'", change->connector);
        if (strcmp(change->key, "name") == 0)
            diag_error(diags, at, "a connector keeps its name");
    }
}

bool connector_changed(struct arena *arena, const struct routing *written, const struct change_list *changes,
                       struct routing *out, struct diag_list *diags)
{
    struct connector *list = arena_alloc(arena, (written->connector_count + 1) * sizeof *list);
    check_names(written, changes, diags);
    for (size_t i = 0; i < written->connector_count; i++)
        schema_read(arena, &connector_schema, changed_node(arena, &written->connectors[i], changes, diags), &list[i],
                    diags);
    *out = *written;
    out->connectors = list;
    if (diag_errors(diags) == 0)
        connector_check(out, diags);
    return diag_errors(diags) == 0;
}

/* ---- the file ---- */

static const char *path_of(struct arena *arena, const struct engine_config *config)
{
    return arena_printf(arena, "%s/connectors.db", config->directory);
}

/* The last that a query's rows say of each setting, but for those taken back. */
static bool read_last(struct arena *arena, struct store *store, const char *query, struct change_list *out,
                      struct err *err)
{
    sqlite3_stmt *rows = store_query(store, err, query, "");
    while (rows != NULL && store_row(rows))
        *ARENA_PUSH(arena, out) = (struct connector_change){store_text(arena, rows, 0), store_text(arena, rows, 1),
                                                            store_text(arena, rows, 2), NULL};
    return rows != NULL;
}

/* Of changes, or of what the file said. */
#define LAST_OF(table)                                                                                                 \
    "SELECT connector, key, value FROM " table " AS c WHERE value IS NOT NULL AND id ="                                \
    " (SELECT max(id) FROM " table " WHERE connector = c.connector COLLATE NOCASE AND key = c.key) ORDER BY id"

static bool write_change(struct store *store, int64_t now, const struct connector_change *change, struct err *err)
{
    return store_run(store, err, "INSERT INTO change (at, connector, key, value) VALUES (?,?,?,?)", "ittt", now,
                     change->connector, change->key, change->value) &&
           (change->note == NULL ||
            store_run(store, err, "INSERT INTO note (change, text) VALUES (?,?)", "it", store_id(store), change->note));
}

static bool write_changes(struct store *store, int64_t now, const struct change_list *wanted, struct err *err)
{
    bool written = store_begin(store, err);
    for (size_t i = 0; written && i < wanted->count; i++)
        written = write_change(store, now, &wanted->items[i], err);
    return written && store_commit(store, err);
}

/* ---- both together ---- */

/* The first finding is the reason. */
static bool refused(struct arena *arena, const struct diag_list *diags, struct err *err)
{
    const char *text = diag_text(arena, diags), *first = strstr(text, "error: ");
    first = first != NULL ? first + strlen("error: ") : text;
    return err_set(err, ERR_INPUT, "%.*s", (int)strcspn(first, "\n"), first);
}

static bool put_into_force(struct arena *arena, const struct routing *written, const struct change_list *changes,
                           struct routing *out, struct err *err)
{
    struct diag_list *diags = diag_new(arena);
    return connector_changed(arena, written, changes, out, diags) || refused(arena, diags, err);
}

bool connector_changes_load(struct arena *arena, struct engine_config *config, struct err *err)
{
    struct change_list current = {0};
    const char *path = path_of(arena, config);
    if (access(path, F_OK) != 0)
        return true;
    struct store *store = store_open(path, schema, true, err);
    bool loaded = store != NULL && read_last(arena, store, LAST_OF("change"), &current, err);
    store_close(&store);
    if (!loaded || current.count == 0)
        return loaded;
    struct err why;
    return put_into_force(arena, &config->written, &current, &config->routing, &why) ||
           err_set(err, ERR_INPUT,
                   "changes made to connectors no longer fit the configuration: %.200s; take them back "
                   "with 'connector reset'",
                   why.text);
}

/* On top of what was changed before. */
static bool add_up(struct arena *arena, const struct engine_config *config, struct store *store,
                   const struct change_list *wanted, struct routing *out, struct err *err)
{
    struct change_list all = {0};
    if (store == NULL || !read_last(arena, store, LAST_OF("change"), &all, err))
        return false;
    for (size_t i = 0; i < wanted->count; i++)
        *ARENA_PUSH(arena, &all) = wanted->items[i];
    return put_into_force(arena, &config->written, &all, out, err);
}

bool connector_changes_try(struct arena *arena, const struct engine_config *config, const struct change_list *wanted,
                           struct routing *out, struct err *err)
{
    struct store *store = store_open(path_of(arena, config), schema, true, err);
    bool fits = add_up(arena, config, store, wanted, out, err);
    store_close(&store);
    return fits;
}

bool connector_changes_make(struct arena *arena, const struct engine_config *config, int64_t now,
                            const struct change_list *wanted, struct routing *out, struct err *err)
{
    struct store *store = store_open(path_of(arena, config), schema, true, err);
    bool made = add_up(arena, config, store, wanted, out, err) && write_changes(store, now, wanted, err);
    store_close(&store);
    return made;
}

bool connector_changes_read(struct arena *arena, const json_t *request, struct change_list *out, struct err *err)
{
    const char *name = json_string_value(json_object_get(request, "name")), *key;
    const char *note = json_string_value(json_object_get(request, "note"));
    json_t *set = json_object_get(request, "set"), *value;
    if (name == NULL || json_object_size(set) == 0)
        return err_set(err, ERR_INPUT, "which settings of which connector?");
    json_object_foreach(set, key, value)
    {
        if (!json_is_string(value) && !json_is_null(value))
            return err_set(err, ERR_INPUT, "the value of '%s' is text or null", key);
        const char *text = json_string_value(value);
        *ARENA_PUSH(arena, out) = (struct connector_change){arena_strdup(arena, name), arena_strdup(arena, key),
                                                            text != NULL ? arena_strdup(arena, text) : NULL,
                                                            note != NULL ? arena_strdup(arena, note) : NULL};
    }
    return true;
}

/* ---- what the file says ---- */

static const char *said_dane(const struct connector *c)
{
    return connector_dane_words[c->dane];
}
static const char *said_sts(const struct connector *c)
{
    return connector_sts_words[c->mta_sts];
}
static const char *said_enabled(const struct connector *c)
{
    return c->enabled ? "yes" : "no";
}
static const char *said_test(const struct connector *c)
{
    return c->test_mode ? "yes" : "no";
}

/* The settings that decide about the mode. */
static const struct {
    const char *key, *otherwise;
    const char *(*said)(const struct connector *c);
} mode_keys[] = {
    {"smtp-dane", "opportunistic", said_dane},
    {"mta-sts", "opportunistic", said_sts},
    {"enabled", "yes", said_enabled},
    {"test-mode", "no", said_test},
};

static const char *said_before(const struct change_list *before, const char *connector, size_t mode)
{
    for (size_t i = 0; i < before->count; i++)
        if (strcasecmp(before->items[i].connector, connector) == 0 &&
            strcmp(before->items[i].key, mode_keys[mode].key) == 0)
            return before->items[i].value;
    return mode_keys[mode].otherwise;
}

static void find_news(struct arena *arena, const struct routing *written, const struct change_list *before,
                      struct change_list *news)
{
    for (size_t i = 0; i < written->connector_count; i++)
        for (size_t k = 0; k < COUNT(mode_keys); k++) {
            const struct connector *c = &written->connectors[i];
            const char *value = mode_keys[k].said(c);
            if (strcmp(value, said_before(before, c->name, k)) != 0)
                *ARENA_PUSH(arena, news) = (struct connector_change){c->name, mode_keys[k].key, value, NULL};
        }
    for (size_t i = 0; i < before->count; i++)
        if (connector_find(written, before->items[i].connector) == NULL)
            *ARENA_PUSH(arena, news) =
                (struct connector_change){before->items[i].connector, before->items[i].key, NULL, NULL};
}

static bool write_news(struct store *store, int64_t now, const struct change_list *news, struct err *err)
{
    bool written = news->count == 0 || store_begin(store, err);
    for (size_t i = 0; written && i < news->count; i++)
        written = store_run(store, err, "INSERT INTO written (at, connector, key, value) VALUES (?,?,?,?)", "ittt", now,
                            news->items[i].connector, news->items[i].key, news->items[i].value);
    return written && (news->count == 0 || store_commit(store, err));
}

bool connector_changes_note(struct arena *arena, const struct engine_config *config, int64_t now,
                            struct change_list *news, struct err *err)
{
    struct change_list before = {0};
    const char *path = path_of(arena, config);
    *news = (struct change_list){0};
    find_news(arena, &config->written, &before, news);
    if (news->count == 0 && access(path, F_OK) != 0)
        return true; /* all of it is as by default */
    *news = (struct change_list){0};
    struct store *store = store_open(path, schema, config->fsync, err);
    bool read = store != NULL && read_last(arena, store, LAST_OF("written"), &before, err);
    if (read)
        find_news(arena, &config->written, &before, news);
    bool noted = read && write_news(store, now, news, err);
    store_close(&store);
    return noted;
}

json_t *connector_changes_log(struct arena *arena, const struct engine_config *config, struct err *err)
{
    const char *path = path_of(arena, config);
    if (access(path, F_OK) != 0)
        return json_array();
    struct store *store = store_open(path, schema, true, err);
    sqlite3_stmt *rows =
        store != NULL
            ? store_query(store, err,
                          "SELECT at, connector, key, value, 'command', text, id FROM change"
                          " LEFT JOIN note ON note.change = id UNION ALL"
                          " SELECT at, connector, key, value, 'file', NULL, id FROM written ORDER BY 1, 5 DESC, 7",
                          "")
            : NULL;
    json_t *list = rows != NULL ? json_array() : NULL;
    while (rows != NULL && store_row(rows))
        json_array_append_new(list,
                              json_pack("{s:I,s:s,s:s,s:s?,s:s,s:s}", "at", (json_int_t)sqlite3_column_int64(rows, 0),
                                        "connector", store_text(arena, rows, 1), "key", store_text(arena, rows, 2),
                                        "value", (const char *)sqlite3_column_text(rows, 3), "by",
                                        store_text(arena, rows, 4), "note", store_text(arena, rows, 5)));
    store_close(&store);
    return list;
}
