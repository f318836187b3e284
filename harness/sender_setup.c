/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/sender_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- as JSON ---- */

static void print_text(FILE *out, const char *text)
{
    fputc('"', out);
    text_print_json(out, text);
    fputc('"', out);
}

static void print_node(FILE *out, const struct tree_node *node)
{
    if (node->kind == TREE_TEXT) {
        print_text(out, node->text);
        return;
    }
    bool map = node->kind == TREE_MAP;
    fputc(map ? '{' : '[', out);
    for (size_t i = 0; i < node->count; i++) {
        fputs(i > 0 ? "," : "", out);
        if (map) {
            print_text(out, node->entries[i].key);
            fputc(':', out);
        }
        print_node(out, map ? node->entries[i].value : node->items[i]);
    }
    fputc(map ? '}' : ']', out);
}

/* The connector, with the mode's pair where it says nothing else. */
static const struct tree_node *in_mode(struct arena *arena, const struct tree_node *connector, unsigned mode)
{
    const struct tree_node *pair =
        schema_map(arena, connector->at, "smtp-dane",
                   schema_text(arena, connector->at, mode_dane_words[mode_dane(mode)]), "mta-sts",
                   schema_text(arena, connector->at, mode_sts_words[mode_sts(mode)]), NULL);
    return tree_merge(arena, pair, connector);
}

static const struct tree_node *all_in_mode(struct arena *arena, const struct tree_node *connectors, unsigned mode)
{
    struct tree_node *list = arena_memdup(arena, connectors, sizeof *connectors);
    list->items = arena_alloc(arena, connectors->count * sizeof *list->items);
    for (size_t i = 0; i < connectors->count; i++)
        list->items[i] = in_mode(arena, connectors->items[i], mode);
    return list;
}

char *sender_setup_json(struct arena *arena, const struct sender_setup *setup, unsigned mode)
{
    const struct {
        const char *key;
        const struct tree_node *node;
    } parts[] = {
        {"connectors", setup->connectors != NULL ? all_in_mode(arena, setup->connectors, mode) : NULL},
        {"rules", setup->rules},
        {"accepted-domains", setup->accepted_domains},
        {"switches", setup->switches},
    };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    fputc('{', out);
    for (size_t i = 0, said = 0; i < COUNT(parts); i++)
        if (parts[i].node != NULL) {
            fprintf(out, "%s\"%s\":", said++ > 0 ? "," : "", parts[i].key);
            print_node(out, parts[i].node);
        }
    fputs("}\n", out);
    fclose(out);
    char *kept = arena_strdup(arena, text);
    free(text);
    return kept;
}

/* ---- changes ---- */

static char *joined(struct arena *arena, const struct tree_node *value)
{
    if (value->kind == TREE_TEXT)
        return arena_strdup(arena, value->text);
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; value->kind == TREE_LIST && i < value->count; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? "," : "", joined(arena, value->items[i]));
    return text;
}

char *sender_setup_change(struct arena *arena, const struct tree_node *changes, size_t i)
{
    if (changes == NULL || changes->kind != TREE_MAP || i >= changes->count)
        return NULL;
    const struct tree_node *settings = changes->entries[i].value;
    char *line = arena_printf(arena, "connector %s", changes->entries[i].key);
    for (size_t k = 0; settings->kind == TREE_MAP && k < settings->count; k++)
        line =
            arena_printf(arena, "%s %s=%s", line, settings->entries[k].key, joined(arena, settings->entries[k].value));
    return line;
}

/* ---- smart hosts ---- */

static bool relays_to(const char *said, const struct world *world, const char *host)
{
    char name[256];
    if (said[strspn(said, "0123456789.[")] == ':' || strspn(said, "0123456789") > 0 || said[0] == '[')
        return true;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(said, ":"), said);
    const struct world_name *domain = world != NULL ? world_find(world, name) : NULL;
    return text_name_equal(name, host) || (domain != NULL && world_has_mx(domain, host));
}

bool sender_setup_relays_to(const struct sender_setup *setup, const struct world *world, const char *host)
{
    for (size_t i = 0; setup->connectors != NULL && i < setup->connectors->count; i++) {
        const struct tree_node *hosts = tree_get(setup->connectors->items[i], "smart-hosts");
        if (hosts != NULL && hosts->kind == TREE_TEXT && relays_to(hosts->text, world, host))
            return true;
        for (size_t k = 0; hosts != NULL && hosts->kind == TREE_LIST && k < hosts->count; k++)
            if (relays_to(hosts->items[k]->text, world, host))
                return true;
    }
    return false;
}

/* ---- needs ---- */

static bool any_says(const struct sender_setup *setup, const char *key, const char *word)
{
    for (size_t i = 0; setup->connectors != NULL && i < setup->connectors->count; i++) {
        const struct tree_node *said = tree_get(setup->connectors->items[i], key);
        if (said != NULL && (word == NULL || (said->kind == TREE_TEXT && strcmp(said->text, word) == 0)))
            return true;
    }
    return false;
}

/* One connector for all mail that says no more than where it goes: any relay can do that. */
static bool is_relay_alone(const struct sender_setup *setup)
{
    static const char *const keys[] = {"name", "recipient-domains", "smart-hosts"};
    if (setup->connectors == NULL || setup->connectors->count != 1 || setup->rules != NULL)
        return false;
    const struct tree_node *only = setup->connectors->items[0], *hosts = tree_get(only, "smart-hosts");
    bool plain = hosts != NULL && hosts->kind == TREE_TEXT && strchr(hosts->text, '/') == NULL &&
                 any_says(setup, "recipient-domains", "*");
    for (size_t i = 0; i < only->count; i++) {
        bool known = false;
        for (size_t k = 0; k < COUNT(keys); k++)
            known = known || strcmp(only->entries[i].key, keys[k]) == 0;
        plain = plain && known;
    }
    return plain;
}

const char *sender_setup_needs(const struct sender_setup *setup, size_t i)
{
    const struct {
        const char *feature;
        bool needed;
    } rows[] = {
        {"connectors", setup->connectors != NULL && !is_relay_alone(setup)},
        {"smart-host", any_says(setup, "smart-hosts", NULL)},
        {"mta-sts-mandatory", any_says(setup, "mta-sts", "mandatory")},
        {"switches", setup->switches != NULL},
    };
    for (size_t k = 0; k < COUNT(rows); k++)
        if (rows[k].needed && i-- == 0)
            return rows[k].feature;
    return NULL;
}
