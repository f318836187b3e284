/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "harness/scenario_internal.h"

static bool is_absent(const struct tree_node *value)
{
    if (value->kind == TREE_LIST)
        return value->count == 0 || (value->count == 1 && is_absent(value->items[0]));
    return value->kind == TREE_TEXT && !value->quoted && strcmp(value->text, "none") == 0;
}

/* Keys that mean the same when they are absent and when they say `none`. */
static bool means_nothing(const struct tree_entry *entry)
{
    static const char *const keys[] = {"mx", "cname", "dns", "records", "tlsa", "txt", "smtp", "https", "sni", NULL};
    for (size_t i = 0; keys[i] != NULL; i++)
        if (strcmp(keys[i], entry->key) == 0)
            return is_absent(entry->value);
    return false;
}

/* A copy of the map without the entries that drop() is true of. */
static struct tree_node *without(struct arena *arena, const struct tree_node *map,
                                 bool (*drop)(const struct tree_entry *))
{
    struct tree_node *copy = arena_memdup(arena, map, sizeof *map);
    copy->entries = arena_alloc(arena, map->count * sizeof *map->entries);
    copy->count = 0;
    copy->index = NULL;
    for (size_t i = 0; i < map->count; i++)
        if (!drop(&map->entries[i]))
            copy->entries[copy->count++] = map->entries[i];
    return copy;
}

static bool is_absent_name(const struct tree_entry *entry)
{
    return is_absent(entry->value);
}

const struct tree_node *world_prune(struct arena *arena, const struct tree_node *world)
{
    if (world == NULL || world->kind != TREE_MAP)
        return world;
    struct tree_node *pruned = without(arena, world, is_absent_name);
    for (size_t i = 0; i < pruned->count; i++)
        if (pruned->entries[i].value->kind == TREE_MAP)
            pruned->entries[i].value = without(arena, pruned->entries[i].value, means_nothing);
    return pruned;
}

/* What is wrong with a name; NULL: nothing. */
static const char *name_trouble(const char *name)
{
    if (strcmp(name, ".") == 0)
        return NULL;
    if (strlen(name) > 253)
        return "is longer than 253 characters";
    for (const char *label = name;; label++) {
        size_t length = strcspn(label, ".");
        if (length == 0)
            return "has an empty label";
        if (length > 63)
            return "has a label longer than 63 characters";
        label += length;
        if (*label == '\0')
            return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.*")] != '\0'
                       ? "may have letters, digits, '-', '_' and '*' only"
                       : NULL;
    }
}

static size_t label_count(const char *name)
{
    size_t count = strcmp(name, ".") != 0;
    for (; count > 0 && *name != '\0'; name++)
        count += *name == '.';
    return count;
}

/* Lists of a length that a zone can hold. */
static void limit_list(struct schema_texts *texts, struct diag_list *diags)
{
    if (texts->count <= SCENARIO_LIST_MAX)
        return;
    diag_error(diags, texts->at[SCENARIO_LIST_MAX], "a name has at most %d of these", SCENARIO_LIST_MAX);
    texts->count = SCENARIO_LIST_MAX;
}

static void limit_lists(struct world_name *name, struct diag_list *diags)
{
    struct schema_texts *lists[] = {&name->mx,      &name->address,    &name->tlsa,        &name->txt,
                                    &name->tls_rpt, &name->mta_sts.mx, &name->mta_sts.txt, &name->certificate.names};
    for (size_t i = 0; i < COUNT(lists); i++)
        limit_list(lists[i], diags);
    if (name->dns.count > SCENARIO_LIST_MAX) {
        diag_error(diags, name->at, "a name has at most %d faults", SCENARIO_LIST_MAX);
        name->dns.count = SCENARIO_LIST_MAX;
    }
}

static void settle_name(struct arena *arena, struct world_name *name, const struct schema_name *said,
                        struct diag_list *diags)
{
    name->name = text_name(arena, said->name);
    name->at = said->at;
    if (name->port < 1 || name->port > 65535) {
        diag_error(diags, name->at, "'port' lies between 1 and 65535");
        name->port = 25;
    }
    const char *trouble = name_trouble(name->name);
    if (trouble != NULL)
        diag_error(diags, said->at, "the name '%s' %s", said->name, trouble);
    limit_lists(name, diags);
    if (name->zone_at.file == NULL)
        name->zone = label_count(name->name) <= 2 || name->dnssec_at.file != NULL;
    name->has_certificate = tree_get(name->node, "certificate") != NULL;
    name->has_rsa_certificate = tree_get(name->node, "rsa-certificate") != NULL;
    name->has_smtp = tree_get(name->node, "smtp") != NULL;
    name->has_https = tree_get(name->node, "https") != NULL;
    name->has_mta_sts = tree_get(name->node, "mta-sts") != NULL && name->mta_sts.mode != WORLD_STS_ABSENT;
}

const struct world_name *world_find(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->count; i++)
        if (text_name_equal(world->names[i].name, name))
            return &world->names[i];
    return NULL;
}

const char *world_mx_host(const char *text)
{
    const char *space = strrchr(text, ' ');
    return space != NULL ? space + 1 : text;
}

bool world_has_mx(const struct world_name *domain, const char *host)
{
    for (size_t i = 0; i < domain->mx.count; i++)
        if (text_name_equal(world_mx_host(domain->mx.items[i]), host))
            return true;
    return false;
}

/* A domain with a policy has a policy host, said or not. */
static void add_policy_hosts(struct arena *arena, struct world *world, struct diag_list *diags)
{
    for (size_t i = 0, count = world->count; i < count; i++) {
        const struct world_name *domain = &world->names[i];
        if (!domain->has_mta_sts || !domain->mta_sts.host)
            continue;
        struct schema_name said = {arena_printf(arena, "mta-sts.%s", domain->name), domain->at, NULL};
        if (world_find(world, said.name) != NULL)
            continue;
        struct world_name *host = &world->names[world->count++];
        schema_read(arena, &scenario_name_schema, NULL, host, diags);
        settle_name(arena, host, &said, diags);
    }
}

const struct world *world_make(struct arena *arena, const struct schema_named *names, struct srcpos at,
                               struct diag_list *diags)
{
    struct world *world = arena_alloc(arena, sizeof *world);
    world->at = at;
    size_t count = names->count;
    if (count > SCENARIO_NAMES_MAX) {
        diag_error(diags, names->items[SCENARIO_NAMES_MAX].at, "a world has at most %d names", SCENARIO_NAMES_MAX);
        count = SCENARIO_NAMES_MAX;
    }
    world->names = arena_alloc(arena, 2 * count * sizeof *world->names);
    for (size_t i = 0; i < count; i++) {
        struct world_name name = *(const struct world_name *)names->items[i].value;
        settle_name(arena, &name, &names->items[i], diags);
        const struct world_name *same = world_find(world, name.name);
        if (same != NULL)
            diag_error(diags, name.at, "the name '%s' is given twice; first in line %u", names->items[i].name,
                       same->at.line);
        else
            world->names[world->count++] = name;
    }
    add_policy_hosts(arena, world, diags);
    return world;
}

const char *scenario_did_you_mean(struct arena *arena, const char *nearest)
{
    return nearest != NULL ? arena_printf(arena, "; did you mean '%s'?", nearest) : "";
}

/* The word nearest to a wrong one among first labels, full names and keys. */
static const char *nearest_host(struct arena *arena, const struct world *world, const char *wrong,
                                const struct schema *keys)
{
    size_t key_count = keys != NULL ? keys->count : 0, count = 0;
    const char **words = arena_alloc(arena, (2 * world->count + key_count + 1) * sizeof *words);
    for (size_t i = 0; i < key_count; i++)
        if (strcmp(keys->fields[i].key, "*") != 0)
            words[count++] = keys->fields[i].key;
    for (size_t i = 0; i < world->count; i++) {
        words[count++] = arena_strndup(arena, world->names[i].name, strcspn(world->names[i].name, "."));
        words[count++] = world->names[i].name;
    }
    return table_nearest_word(wrong, words);
}

const char *world_host(struct arena *arena, const struct world *world, const char *word, struct srcpos at,
                       const struct schema *keys, struct diag_list *diags)
{
    const struct world_name *found = world_find(world, word);
    size_t length = strlen(word);
    for (size_t i = 0; found == NULL && i < world->count; i++) {
        const struct world_name *name = &world->names[i];
        if (strncasecmp(name->name, word, length) != 0 || name->name[length] != '.')
            continue;
        for (size_t k = i + 1; k < world->count; k++)
            if (strncasecmp(world->names[k].name, word, length) == 0 && world->names[k].name[length] == '.') {
                diag_error(diags, at, "'%s' can be %s or %s; write the full name", word, name->name,
                           world->names[k].name);
                return NULL;
            }
        found = name;
    }
    if (found != NULL)
        return found->name;
    if (keys != NULL && text_name_equal(word, scenario_sender_host)) /* for what is seen there */
        return scenario_sender_host;
    diag_error(diags, at, "%s '%s'%s",
               keys != NULL ? "no such key, and no host of the world is called" : "the world has no host", word,
               scenario_did_you_mean(arena, nearest_host(arena, world, word, keys)));
    return NULL;
}
