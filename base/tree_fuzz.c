/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes at all: reading them as YAML, by a schema, merged and substituted, ends in findings or in values. */
#include "base/schema.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct inner {
    const char *name;
    double wait_s;
    int64_t size, number;
    bool yes;
    int word;
};

struct outer {
    const char *says;
    struct schema_texts covers;
    struct inner sub;
    struct schema_list subs;
    struct schema_named names;
    const struct tree_node *rest;
};

static const char *const words[] = {"calm", "cross", "asleep", NULL};

static const struct schema_field inner_fields[] = {
    {.key = "name", .kind = SCHEMA_TEXT, .offset = SCHEMA_FIELD(struct inner, name), .required = true},
    {.key = "wait", .kind = SCHEMA_SECONDS, .offset = SCHEMA_FIELD(struct inner, wait_s), .otherwise = "30s"},
    {.key = "size", .kind = SCHEMA_SIZE, .offset = SCHEMA_FIELD(struct inner, size), .otherwise = "64KiB"},
    {.key = "number", .kind = SCHEMA_NUMBER, .offset = SCHEMA_FIELD(struct inner, number), .otherwise = "-1"},
    {.key = "yes", .kind = SCHEMA_BOOL, .offset = SCHEMA_FIELD(struct inner, yes), .otherwise = "yes"},
    {.key = "word", .kind = SCHEMA_WORD, .offset = SCHEMA_FIELD(struct inner, word), .words = words},
};

static const struct tree_node *inner_from_text(struct arena *arena, const struct tree_node *node,
                                               struct diag_list *diags)
{
    if (node->kind == TREE_TEXT)
        return schema_map(arena, node->at, "name", node, NULL);
    diag_error(diags, node->at, "a name or a map");
    return NULL;
}

static const struct schema inner_schema = {.name = "inner",
                                           .fields = inner_fields,
                                           .count = COUNT(inner_fields),
                                           .size = sizeof(struct inner),
                                           .short_form = inner_from_text};

static const struct schema_field outer_fields[] = {
    {.key = "says", .kind = SCHEMA_TEXT, .offset = SCHEMA_FIELD(struct outer, says)},
    {.key = "covers", .kind = SCHEMA_TEXTS, .offset = SCHEMA_FIELD(struct outer, covers), .otherwise = "a, b"},
    {.key = "sub", .kind = SCHEMA_SUB, .offset = SCHEMA_FIELD(struct outer, sub), .sub = &inner_schema},
    {.key = "subs", .kind = SCHEMA_SUBS, .offset = SCHEMA_FIELD(struct outer, subs), .sub = &inner_schema},
    {.key = "names", .kind = SCHEMA_NAMED, .offset = SCHEMA_FIELD(struct outer, names), .sub = &inner_schema},
    {.key = "rest", .kind = SCHEMA_NODE, .offset = SCHEMA_FIELD(struct outer, rest)},
};

static const struct schema outer_schema = {.name = "outer",
                                           .fields = outer_fields,
                                           .count = COUNT(outer_fields),
                                           .size = sizeof(struct outer)};

static const struct tree_node *value_of(const void *arg, const char *name)
{
    return tree_get(arg, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena *arena = arena_new("fuzz");
    struct diag_list *diags = diag_new(arena);
    const struct tree_node *node = tree_read_text(arena, "fuzz", (const char *)bytes, size, diags);
    struct outer outer;
    schema_read(arena, &outer_schema, node, &outer, diags);
    if (node == NULL && diag_errors(diags) == 0)
        abort(); /* nothing was read, and nobody is told why */
    node = tree_substitute(arena, node, value_of, node, diags);
    node = tree_merge(arena, node, tree_get(node, "change"));
    schema_read(arena, &outer_schema, node, &outer, diags);

    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere != NULL) {
        diag_print(diags, nowhere);
        fclose(nowhere);
    }
    arena_free(&arena);
    return 0;
}
