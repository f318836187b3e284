/* SPDX-License-Identifier: BSD-2-Clause
 * The two prints of a schema: JSON Schema for editors, Markdown for people. */
#include <stdlib.h>
#include <string.h>

#include "base/schema.h"
#include "base/text.h"

/* The schema asked for and all below it, each once, in the order first met. A schema may hold itself. */
struct schemas {
    const struct schema **items;
    size_t count, room;
};

static void collect(struct arena *arena, struct schemas *found, const struct schema *schema)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i] == schema)
            return;
    *ARENA_PUSH(arena, found) = schema;
    for (size_t i = 0; i < schema->count; i++)
        if (schema->fields[i].sub != NULL)
            collect(arena, found, schema->fields[i].sub);
}

/* A name for links: two schemas may be called the same. */
static const char *link_name(struct arena *arena, const struct schemas *all, const struct schema *schema)
{
    unsigned namesakes = 0;
    for (size_t i = 0; all->items[i] != schema; i++)
        namesakes += strcmp(all->items[i]->name, schema->name) == 0;
    char *name =
        namesakes == 0 ? arena_strdup(arena, schema->name) : arena_printf(arena, "%s-%u", schema->name, namesakes);
    for (char *c = name; *c != '\0'; c++)
        if (*c == ' ' || *c == '/' || *c == '~')
            *c = '-';
    return name;
}

struct printing {
    struct arena *arena;
    struct schemas all;
    FILE *out;
    bool placeholders;
};

#define JSON_PLACEHOLDER "{\"type\": \"string\", \"pattern\": \"\\\\$\\\\{.+\\\\}\"}"

/* --- JSON Schema ---------------------------------------------------------------------------------------------- */

static void print_string(FILE *out, const char *text)
{
    fputc('"', out);
    text_print_json(out, text);
    fputc('"', out);
}

static void print_reference(const struct printing *p, const struct schema *schema)
{
    fputs("{\"$ref\": ", p->out);
    print_string(p->out, arena_printf(p->arena, "#/$defs/%s", link_name(p->arena, &p->all, schema)));
    fputc('}', p->out);
}

/* What looks like a number or a truth value is one for an editor, and a word for us. */
static void print_words(const struct printing *p, const char *const *words)
{
    fputs("\"enum\": [", p->out);
    for (size_t i = 0; words[i] != NULL; i++) {
        int64_t number;
        bool truth;
        fputs(i > 0 ? ", " : "", p->out);
        print_string(p->out, words[i]);
        if (schema_parse_number(words[i], &number))
            fprintf(p->out, ", %lld", (long long)number);
        else if (schema_parse_bool(words[i], &truth))
            fputs(truth ? ", true" : ", false", p->out);
    }
    fputc(']', p->out);
}

#define JSON_SCALAR "\"type\": [\"string\", \"number\", \"boolean\"]"

static void print_sub_kind(const struct printing *p, const struct schema_field *field)
{
    if (field->kind == SCHEMA_SUB) {
        fputs("\"allOf\": [", p->out);
        print_reference(p, field->sub);
        fputc(']', p->out);
    } else if (field->kind == SCHEMA_SUBS) {
        fputs("\"anyOf\": [{\"type\": [\"array\", \"null\"], \"items\": ", p->out);
        print_reference(p, field->sub);
        fputs("}, ", p->out);
        print_reference(p, field->sub);
        fputc(']', p->out);
    } else {
        fputs("\"type\": [\"object\", \"null\"], \"additionalProperties\": ", p->out);
        print_reference(p, field->sub);
    }
}

static void print_kind(const struct printing *p, const struct schema_field *field)
{
    static const char *const plain[] = {
        [SCHEMA_TEXT] = JSON_SCALAR,
        [SCHEMA_BOOL] = "\"enum\": [\"yes\", \"no\", \"true\", \"false\", true, false]",
        [SCHEMA_NUMBER] = "\"type\": [\"integer\", \"string\"], \"pattern\": \"^-?[0-9]+$\"",
        [SCHEMA_SECONDS] = "\"type\": \"string\", \"pattern\": \"^-?[0-9]+(\\\\.[0-9]+)?(ms|s|m|h|d)$\"",
        [SCHEMA_SIZE] = "\"type\": [\"integer\", \"string\"], \"minimum\": 0, \"pattern\": \"^[0-9]+(KiB|MiB|GiB)?$\"",
        [SCHEMA_TEXTS] =
            "\"anyOf\": [{" JSON_SCALAR "}, {\"type\": [\"array\", \"null\"], \"items\": {" JSON_SCALAR "}}]",
        [SCHEMA_NODE] = "",
    };
    if (field->kind == SCHEMA_WORD)
        print_words(p, field->words);
    else if (field->sub != NULL)
        print_sub_kind(p, field);
    else
        fputs(plain[field->kind], p->out);
}

static void print_default(const struct printing *p, const struct schema_field *field)
{
    int64_t number;
    bool truth;
    fputs(", \"default\": ", p->out);
    if (field->kind == SCHEMA_BOOL && schema_parse_bool(field->otherwise, &truth))
        fputs(truth ? "true" : "false", p->out);
    else if (field->kind == SCHEMA_NUMBER && schema_parse_number(field->otherwise, &number))
        fprintf(p->out, "%lld", (long long)number);
    else
        print_string(p->out, field->otherwise);
}

static void print_property(const struct printing *p, const struct schema_field *field)
{
    fputs("        ", p->out);
    print_string(p->out, field->key);
    fputs(p->placeholders ? ": {\"anyOf\": [{" : ": {", p->out);
    print_kind(p, field);
    if (p->placeholders)
        fputs("}, " JSON_PLACEHOLDER "], ", p->out);
    else if (field->kind != SCHEMA_NODE)
        fputs(", ", p->out);
    fputs("\"description\": ", p->out);
    print_string(p->out, field->doc != NULL ? field->doc : "");
    if (field->otherwise != NULL)
        print_default(p, field);
    fputc('}', p->out);
}

/* The keys of the map itself. A map of which nothing is required may be left empty. */
static void print_object(const struct printing *p, const struct schema *schema)
{
    const char *before = "[";
    fputs("\"type\": [\"object\"", p->out);
    bool required = false;
    for (size_t i = 0; i < schema->count; i++)
        required = required || schema->fields[i].required;
    fputs(required ? "]" : ", \"null\"]", p->out);
    size_t count = schema->count;
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->fields[i].key, "*") == 0)
            count--;
    fprintf(p->out, ",\n      \"additionalProperties\": %s, \"patternProperties\": {\"^x-\": {}%s}",
            count < schema->count ? "true" : "false", p->placeholders ? ", \"\\\\$\\\\{\": {}" : "");
    if (required) {
        fputs(",\n      \"required\": ", p->out);
        for (size_t i = 0; i < schema->count; i++)
            if (schema->fields[i].required) {
                fputs(before, p->out);
                print_string(p->out, schema->fields[i].key);
                before = ", ";
            }
        fputc(']', p->out);
    }
    fputs(",\n      \"properties\": {\n", p->out);
    size_t printed = 0;
    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->fields[i].key, "*") == 0)
            continue;
        print_property(p, &schema->fields[i]);
        fputs(++printed < count ? ",\n" : "\n", p->out);
    }
    fputs("      }", p->out);
}

static void print_definition(const struct printing *p, const struct schema *schema)
{
    fputs("    ", p->out);
    print_string(p->out, link_name(p->arena, &p->all, schema));
    fputs(": {\"description\": ", p->out);
    print_string(p->out, schema->doc != NULL ? schema->doc : "");
    fputs(", ", p->out);
    bool forms = schema->short_form != NULL || p->placeholders;
    if (schema->short_form != NULL) {
        fputs("\"anyOf\": [{\"type\": [\"string\", \"number\", \"boolean\", \"array\"], \"description\": ", p->out);
        print_string(p->out, schema->short_doc != NULL ? schema->short_doc : "");
        fputs("}, {", p->out);
    } else if (forms) {
        fputs("\"anyOf\": [" JSON_PLACEHOLDER ", {", p->out);
    }
    print_object(p, schema);
    fputs(forms ? "}]}" : "}", p->out);
}

void schema_print_json(const struct schema *schema, const char *id, FILE *out)
{
    struct printing p = {.arena = arena_new("schema_print"), .out = out, .placeholders = schema->placeholders};
    collect(p.arena, &p.all, schema);
    fputs("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"$id\": ", out);
    print_string(out, id);
    fputs(",\n  \"title\": ", out);
    print_string(out, schema->name);
    fputs(",\n  \"$ref\": ", out);
    print_string(out, arena_printf(p.arena, "#/$defs/%s", link_name(p.arena, &p.all, schema)));
    fputs(",\n  \"$defs\": {\n", out);
    for (size_t i = 0; i < p.all.count; i++) {
        print_definition(&p, p.all.items[i]);
        fputs(i + 1 < p.all.count ? ",\n" : "\n", out);
    }
    fputs("  }\n}\n", out);
    arena_free(&p.arena);
}

/* --- Markdown ------------------------------------------------------------------------------------------------- */

/* In a table a bar would end the cell, and so would a line end. */
static void print_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void print_kind_for_people(const struct printing *p, const struct schema_field *field)
{
    static const char *const kinds[] = {
        [SCHEMA_TEXT] = "text",
        [SCHEMA_BOOL] = "`yes` or `no`",
        [SCHEMA_NUMBER] = "number",
        [SCHEMA_SECONDS] = "time (`30s`, `5m`, `-2d`)",
        [SCHEMA_SIZE] = "size (`512`, `64KiB`)",
        [SCHEMA_TEXTS] = "texts",
        [SCHEMA_SUB] = "map: ",
        [SCHEMA_SUBS] = "list of ",
        [SCHEMA_NAMED] = "names, each with ",
        [SCHEMA_NODE] = "see there",
    };
    if (field->kind == SCHEMA_WORD) {
        for (size_t i = 0; field->words[i] != NULL; i++)
            fprintf(p->out, "%s`%s`", i > 0 ? ", " : "", field->words[i]);
        return;
    }
    fputs(kinds[field->kind], p->out);
    if (field->sub != NULL)
        fprintf(p->out, "[%s](#%s)", field->sub->name, link_name(p->arena, &p->all, field->sub));
}

static void print_row(const struct printing *p, const struct schema_field *field)
{
    fprintf(p->out, "| `%s` | ", field->key);
    print_kind_for_people(p, field);
    fputs(" | ", p->out);
    if (field->otherwise != NULL) {
        fputc('`', p->out);
        print_cell(p->out, field->otherwise);
        fputc('`', p->out);
    } else if (field->required) {
        fputs("required", p->out);
    }
    fputs(" | ", p->out);
    print_cell(p->out, field->doc != NULL ? field->doc : "");
    fputs(" |\n", p->out);
}

static void print_section(const struct printing *p, const struct schema *schema, const char *level)
{
    fprintf(p->out, "%s %s\n\n", level, schema->name);
    if (schema->doc != NULL)
        fprintf(p->out, "%s\n\n", schema->doc);
    if (schema->short_form != NULL && schema->short_doc != NULL)
        fprintf(p->out, "Short form: %s\n\n", schema->short_doc);
    if (schema->count == 0)
        return;
    fputs("| key | kind | default | meaning |\n|---|---|---|---|\n", p->out);
    for (size_t i = 0; i < schema->count; i++)
        print_row(p, &schema->fields[i]);
    fputc('\n', p->out);
}

void schema_print_manual(const struct schema *schema, FILE *out)
{
    struct printing p = {.arena = arena_new("schema_print"), .out = out};
    collect(p.arena, &p.all, schema);
    for (size_t i = 0; i < p.all.count; i++)
        print_section(&p, p.all.items[i], i == 0 ? "##" : "###");
    arena_free(&p.arena);
}
