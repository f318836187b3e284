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

/* The last change of each setting, but for those taken back. */
static bool read_current(struct arena *arena, struct store *store, struct change_list *out, struct err *err)
{
    sqlite3_stmt *rows = store_query(store, err,
                                     "SELECT connector, key, value FROM change AS c WHERE value IS NOT NULL AND id ="
                                     " (SELECT max(id) FROM change WHERE connector = c.connector COLLATE NOCASE AND"
                                     " key = c.key) ORDER BY id",
                                     "");
    while (rows != NULL && store_row(rows))
        *ARENA_PUSH(arena, out) = (struct connector_change){store_text(arena, rows, 0), store_text(arena, rows, 1),
                                                            store_text(arena, rows, 2)};
    return rows != NULL;
}

static bool write_changes(struct store *store, int64_t now, const struct change_list *wanted, struct err *err)
{
    bool written = store_begin(store, err);
    for (size_t i = 0; written && i < wanted->count; i++)
        written = store_run(store, err, "INSERT INTO change (at, connector, key, value) VALUES (?,?,?,?)", "ittt", now,
                            wanted->items[i].connector, wanted->items[i].key, wanted->items[i].value);
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
    bool loaded = store != NULL && read_current(arena, store, &current, err);
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

bool connector_changes_make(struct arena *arena, const struct engine_config *config, int64_t now,
                            const struct change_list *wanted, struct routing *out, struct err *err)
{
    struct change_list all = {0};
    struct store *store = store_open(path_of(arena, config), schema, true, err);
    bool made = store != NULL && read_current(arena, store, &all, err);
    for (size_t i = 0; i < wanted->count; i++)
        *ARENA_PUSH(arena, &all) = wanted->items[i];
    made = made && put_into_force(arena, &config->written, &all, out, err) && write_changes(store, now, wanted, err);
    store_close(&store);
    return made;
}

bool connector_changes_read(struct arena *arena, const json_t *request, struct change_list *out, struct err *err)
{
    const char *name = json_string_value(json_object_get(request, "name")), *key;
    json_t *set = json_object_get(request, "set"), *value;
    if (name == NULL || json_object_size(set) == 0)
        return err_set(err, ERR_INPUT, "which settings of which connector?");
    json_object_foreach(set, key, value)
    {
        if (!json_is_string(value) && !json_is_null(value))
            return err_set(err, ERR_INPUT, "the value of '%s' is text or null", key);
        const char *text = json_string_value(value);
        *ARENA_PUSH(arena, out) = (struct connector_change){arena_strdup(arena, name), arena_strdup(arena, key),
                                                            text != NULL ? arena_strdup(arena, text) : NULL};
    }
    return true;
}

json_t *connector_changes_log(struct arena *arena, const struct engine_config *config, struct err *err)
{
    const char *path = path_of(arena, config);
    if (access(path, F_OK) != 0)
        return json_array();
    struct store *store = store_open(path, schema, true, err);
    sqlite3_stmt *rows =
        store != NULL ? store_query(store, err, "SELECT at, connector, key, value FROM change ORDER BY id", "") : NULL;
    json_t *list = rows != NULL ? json_array() : NULL;
    while (rows != NULL && store_row(rows))
        json_array_append_new(list,
                              json_pack("{s:I,s:s,s:s,s:s?}", "at", (json_int_t)sqlite3_column_int64(rows, 0),
                                        "connector", store_text(arena, rows, 1), "key", store_text(arena, rows, 2),
                                        "value", (const char *)sqlite3_column_text(rows, 3)));
    store_close(&store);
    return list;
}
