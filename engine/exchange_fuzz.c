/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as records of Exchange: refused, or a configuration that can be read and says the same again. */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Every property of the record that was read is in the one that is written. */
static void check_record(struct arena *arena, const struct tree_node *node, const json_t *record)
{
    struct connector connector;
    const char *name;
    json_t *value;
    schema_read(arena, &connector_schema, node, &connector, diag_new(arena));
    json_t *again = exchange_record(&connector);
    json_object_foreach((json_t *)record, name, value)
    {
        const json_t *kept = json_object_get(again, name);
        bool same = json_equal(value, kept) || (json_is_null(value) && kept != NULL) || json_is_object(value);
        if (!same)
            abort();
    }
    json_decref(again);
}

static void check_text(struct arena *arena, const char *text, const json_t *records)
{
    struct diag_list *diags = diag_new(arena);
    const struct tree_node *root = tree_read_text(arena, "imported", text, strlen(text), diags);
    const struct tree_node *list = tree_get(root, "connectors");
    if (root == NULL || diag_errors(diags) > 0)
        return; /* a text with a NUL, or more than a file may have */
    for (size_t i = 0; list != NULL && list->kind == TREE_LIST && i < list->count; i++)
        check_record(arena, list->items[i], json_is_array(records) ? json_array_get(records, i) : records);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    json_t *records = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    char *text = NULL;
    size_t length = 0;
    FILE *out = records != NULL ? open_memstream(&text, &length) : NULL;
    if (out == NULL) {
        json_decref(records);
        return 0;
    }
    bool imported = exchange_import(records, out, NULL);
    fclose(out);
    struct arena *arena = arena_new("fuzz");
    if (imported)
        check_text(arena, text, records);
    arena_free(&arena);
    free(text);
    json_decref(records);
    return 0;
}
