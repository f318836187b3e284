/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/schema.h"

#include <stdarg.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"

/* --- scalars -------------------------------------------------------------------------------------------------- */

/* Reads digits; false when there are none or the number does not fit. */
static bool read_digits(const char **text, uint64_t most, uint64_t *out)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    *out = value;
    return true;
}

bool schema_parse_number(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    uint64_t value;
    text += negative;
    if (!read_digits(&text, INT64_MAX, &value) || *text != '\0')
        return false;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

bool schema_parse_bool(const char *text, bool *out)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "no") != 0 && strcmp(text, "false") != 0)
        return false;
    *out = yes;
    return true;
}

bool schema_parse_size(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    uint64_t value;
    if (!read_digits(&text, INT64_MAX, &value))
        return false;
    for (size_t i = 0; i < COUNT(units); i++)
        if (strcmp(text, units[i].unit) == 0 && value <= (uint64_t)INT64_MAX >> units[i].shift) {
            *out = (int64_t)(value << units[i].shift);
            return true;
        }
    return false;
}

bool schema_parse_seconds(const char *text, double *out)
{
    static const struct {
        const char *unit;
        double times, parts;
    } units[] = {{"ms", 1, 1000}, {"s", 1, 1}, {"m", 60, 1}, {"h", 3600, 1}, {"d", 86400, 1}};
    static const double longest = 36500.0 * 86400;
    bool negative = *text == '-';
    uint64_t whole, fraction;
    text += negative;
    if (!read_digits(&text, UINT32_MAX, &whole))
        return false;
    double value = (double)whole;
    if (*text == '.') {
        const char *from = ++text;
        if (!read_digits(&text, UINT32_MAX, &fraction))
            return false;
        double scale = 1;
        for (; from < text; from++)
            scale *= 10;
        value += (double)fraction / scale;
    }
    for (size_t i = 0; i < COUNT(units); i++)
        if (strcmp(text, units[i].unit) == 0) {
            value = value * units[i].times / units[i].parts;
            if (value > longest)
                return false;
            *out = negative ? -value : value;
            return true;
        }
    return false;
}

/* --- nodes made in code --------------------------------------------------------------------------------------- */

const struct tree_node *schema_text(struct arena *arena, struct srcpos at, const char *text)
{
    struct tree_node *node = arena_alloc(arena, sizeof *node);
    *node = (struct tree_node){.kind = TREE_TEXT, .at = at, .text = text, .quoted = true};
    return node;
}

const struct tree_node *schema_map(struct arena *arena, struct srcpos at, ...)
{
    struct {
        struct tree_entry *items;
        size_t count, room;
    } entries = {0};
    const char *key;
    va_list args;
    va_start(args, at);
    while ((key = va_arg(args, const char *)) != NULL) {
        const struct tree_node *value = va_arg(args, const struct tree_node *);
        if (value != NULL)
            *ARENA_PUSH(arena, &entries) = (struct tree_entry){key, at, value};
    }
    va_end(args);
    struct tree_node *map = arena_alloc(arena, sizeof *map);
    *map = (struct tree_node){.kind = TREE_MAP, .at = at, .entries = entries.items, .count = entries.count};
    return map;
}

/* A default that is a list is written as words with commas between them. */
static const struct tree_node *list_of_words(struct arena *arena, const char *text)
{
    struct {
        const struct tree_node **items;
        size_t count, room;
    } list = {0};
    while (*text != '\0') {
        text += strspn(text, ", ");
        size_t length = strcspn(text, ",");
        size_t kept = length;
        while (kept > 0 && text[kept - 1] == ' ')
            kept--;
        if (kept > 0)
            *ARENA_PUSH(arena, &list) = schema_text(arena, (struct srcpos){0}, arena_strndup(arena, text, kept));
        text += length;
    }
    struct tree_node *node = arena_alloc(arena, sizeof *node);
    *node = (struct tree_node){.kind = TREE_LIST, .items = list.items, .count = list.count};
    return node;
}

/* --- reading -------------------------------------------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    struct diag_list *diags;
};

static void read_struct(struct reading *r, const struct schema *schema, const struct tree_node *node, void *out);

/* "key:" with nothing behind it. */
static bool is_nothing(const struct tree_node *node)
{
    return node->kind == TREE_TEXT && !node->quoted && node->text[0] == '\0';
}

static const char *describe(struct arena *arena, const struct tree_node *node)
{
    if (node->kind == TREE_LIST)
        return "a list";
    if (node->kind == TREE_MAP)
        return "a map";
    return is_nothing(node) ? "nothing" : arena_printf(arena, "'%.60s'", node->text);
}

static const char *join_words(struct arena *arena, const char *const *words)
{
    const char *joined = "";
    for (size_t i = 0; words[i] != NULL; i++)
        joined = arena_printf(arena, "%s%s%s", joined, i > 0 ? ", " : "", words[i]);
    return joined;
}

static bool wrong(struct reading *r, const struct schema_field *field, const struct tree_node *node,
                  const char *expected)
{
    diag_error(r->diags, node->at, "'%s' wants %s, not %s", field->key, expected, describe(r->arena, node));
    return false;
}

static bool read_text(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    if (node->kind != TREE_TEXT || is_nothing(node))
        return wrong(r, field, node, "a text");
    *(const char **)to = node->text;
    return true;
}

static bool read_bool(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    return (node->kind == TREE_TEXT && schema_parse_bool(node->text, to)) || wrong(r, field, node, "yes or no");
}

static bool read_number(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    return (node->kind == TREE_TEXT && schema_parse_number(node->text, to)) || wrong(r, field, node, "a whole number");
}

static bool read_seconds(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    return (node->kind == TREE_TEXT && schema_parse_seconds(node->text, to)) ||
           wrong(r, field, node, "a time with its unit (500ms, 30s, 5m, 2h, 1d)");
}

static bool read_size(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    return (node->kind == TREE_TEXT && schema_parse_size(node->text, to)) ||
           wrong(r, field, node, "a size in bytes (512, 64KiB, 1MiB)");
}

static bool read_word(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    for (int i = 0; node->kind == TREE_TEXT && field->words[i] != NULL; i++)
        if (strcmp(node->text, field->words[i]) == 0) {
            *(int *)to = i;
            return true;
        }
    const char *nearest = node->kind == TREE_TEXT ? table_nearest_word(node->text, field->words) : NULL;
    const char *words = join_words(r->arena, field->words);
    if (nearest == NULL)
        return wrong(r, field, node, arena_printf(r->arena, "one of: %s", words));
    diag_error(r->diags, node->at, "'%s' knows no '%s', did you mean '%s'? It is one of: %s", field->key, node->text,
               nearest, words);
    return false;
}

bool schema_texts_same(const struct schema_texts *a, const struct schema_texts *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = text_same(a->items[i], b->items[i]);
    return same;
}

static bool read_texts(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    bool single = node->kind == TREE_TEXT && !is_nothing(node);
    if (node->kind == TREE_MAP)
        return wrong(r, field, node, "a text or a list of texts");
    size_t count = single ? 1 : node->kind == TREE_LIST ? node->count : 0;
    struct schema_texts texts = {.items = arena_alloc(r->arena, count * sizeof *texts.items),
                                 .at = arena_alloc(r->arena, count * sizeof *texts.at)};
    bool all_read = true;
    for (size_t i = 0; i < count; i++) {
        const struct tree_node *item = single ? node : node->items[i];
        if (item->kind != TREE_TEXT || is_nothing(item)) {
            all_read = wrong(r, field, item, "texts in its list");
            continue;
        }
        texts.items[texts.count] = item->text;
        texts.at[texts.count++] = item->at;
    }
    if (all_read)
        *(struct schema_texts *)to = texts;
    return all_read;
}

static bool read_sub(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    read_struct(r, field->sub, node, to);
    return true;
}

static bool read_subs(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    struct schema_list *list = to;
    size_t size = field->sub->size;
    list->count = node->kind == TREE_LIST ? node->count : is_nothing(node) ? 0 : 1;
    list->items = arena_alloc(r->arena, list->count * size);
    for (size_t i = 0; i < list->count; i++)
        read_struct(r, field->sub, node->kind == TREE_LIST ? node->items[i] : node, (char *)list->items + i * size);
    return true;
}

static bool read_named(struct reading *r, const struct schema_field *field, const struct tree_node *node, void *to)
{
    struct schema_named *named = to;
    if (node->kind != TREE_MAP && !is_nothing(node))
        return wrong(r, field, node, "a map of names");
    named->count = node->count;
    named->items = arena_alloc(r->arena, named->count * sizeof *named->items);
    for (size_t i = 0; i < named->count; i++) {
        named->items[i] =
            (struct schema_name){node->entries[i].key, node->entries[i].at, arena_alloc(r->arena, field->sub->size)};
        read_struct(r, field->sub, node->entries[i].value, named->items[i].value);
    }
    return true;
}

static bool read_whole_node(struct reading *r UNUSED, const struct schema_field *field UNUSED,
                            const struct tree_node *node, void *to)
{
    *(const struct tree_node **)to = node;
    return true;
}

/* Each writes its value, or leaves it alone, says why and is false. */
static bool (*const readers[])(struct reading *r, const struct schema_field *field, const struct tree_node *node,
                               void *to) = {
    [SCHEMA_TEXT] = read_text,       [SCHEMA_BOOL] = read_bool,       [SCHEMA_NUMBER] = read_number,
    [SCHEMA_SECONDS] = read_seconds, [SCHEMA_SIZE] = read_size,       [SCHEMA_WORD] = read_word,
    [SCHEMA_TEXTS] = read_texts,     [SCHEMA_SUB] = read_sub,         [SCHEMA_SUBS] = read_subs,
    [SCHEMA_NAMED] = read_named,     [SCHEMA_NODE] = read_whole_node,
};

static void read_default(struct reading *r, const struct schema_field *field, void *to)
{
    if (field->otherwise != NULL) {
        const struct tree_node *node = field->kind == SCHEMA_TEXTS
                                           ? list_of_words(r->arena, field->otherwise)
                                           : schema_text(r->arena, (struct srcpos){0}, field->otherwise);
        readers[field->kind](r, field, node, to);
    } else if (field->kind == SCHEMA_SUB) {
        read_struct(r, field->sub, NULL, to);
    }
}

/* Is there a row that takes the key? The row "*" takes none by its own name. */
static bool knows_key(const struct schema *schema, const char *key)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->fields[i].key, key) == 0 && strcmp(key, "*") != 0)
            return true;
    return strncmp(key, "x-", 2) == 0;
}

/* The map of those keys that no other row takes; NULL when there are none. */
static const struct tree_node *other_keys(struct reading *r, const struct schema *schema, const struct tree_node *map)
{
    struct tree_node *others = arena_alloc(r->arena, sizeof *others);
    *others = (struct tree_node){.kind = TREE_MAP, .at = map->at};
    others->entries = arena_alloc(r->arena, map->count * sizeof *map->entries);
    for (size_t i = 0; i < map->count; i++)
        if (!knows_key(schema, map->entries[i].key))
            others->entries[others->count++] = map->entries[i];
    return others->count > 0 ? others : NULL;
}

static void read_field(struct reading *r, const struct schema *schema, const struct schema_field *field,
                       const struct tree_node *map, char *out)
{
    bool others = map != NULL && strcmp(field->key, "*") == 0;
    const struct tree_node *node = others ? other_keys(r, schema, map) : tree_get(map, field->key);
    if (node == NULL && map != NULL && field->required)
        diag_error(r->diags, map->at, "'%s' is missing in this %s", field->key, schema->name);
    if (node == NULL || !readers[field->kind](r, field, node, out + field->offset))
        read_default(r, field, out + field->offset);
    if (node != NULL && field->at_offset != 0)
        *(struct srcpos *)(out + field->at_offset) = node->at;
}

static bool takes_other_keys(const struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->fields[i].key, "*") == 0)
            return true;
    return false;
}

static const char *key_of_field(const void *rows, size_t i)
{
    const struct schema *schema = rows;
    return i < schema->count ? schema->fields[i].key : NULL;
}

static void find_unknown_keys(struct reading *r, const struct schema *schema, const struct tree_node *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct tree_entry *entry = &map->entries[i];
        if (knows_key(schema, entry->key))
            continue;
        /* Findings beyond those that are kept need no help. */
        const char *nearest = diag_count(r->diags) < DIAG_MAX ? table_nearest(entry->key, key_of_field, schema) : NULL;
        if (nearest != NULL)
            diag_error(r->diags, entry->at, "unknown key '%s' in this %s, did you mean '%s'?", entry->key, schema->name,
                       nearest);
        else
            diag_error(r->diags, entry->at, "unknown key '%s' in this %s", entry->key, schema->name);
    }
}

/* The map that the node is or stands for; NULL, with a finding, when there is none. */
static const struct tree_node *map_of(struct reading *r, const struct schema *schema, const struct tree_node *node)
{
    if (node == NULL || node->kind == TREE_MAP)
        return node;
    if (is_nothing(node))
        return schema_map(r->arena, node->at, NULL);
    if (schema->short_form != NULL)
        return schema->short_form(r->arena, node, r->diags);
    diag_error(r->diags, node->at, "a %s is a map of keys and values, not %s", schema->name, describe(r->arena, node));
    return NULL;
}

static void read_struct(struct reading *r, const struct schema *schema, const struct tree_node *node, void *out)
{
    memset(out, 0, schema->size);
    const struct tree_node *map = map_of(r, schema, node);
    assert(map == NULL || map->kind == TREE_MAP);
    if (map != NULL && !takes_other_keys(schema))
        find_unknown_keys(r, schema, map);
    for (size_t i = 0; i < schema->count; i++)
        read_field(r, schema, &schema->fields[i], map, out);
    if (schema->node_offset != 0)
        *(const struct tree_node **)((char *)out + schema->node_offset) = map;
    if (map != NULL && schema->check != NULL)
        schema->check(out, map, r->diags);
}

void schema_read(struct arena *arena, const struct schema *schema, const struct tree_node *node, void *out,
                 struct diag_list *diags)
{
    struct reading r = {arena, diags};
    read_struct(&r, schema, node, out);
}
