/* SPDX-License-Identifier: BSD-2-Clause
 * schema - what may stand in a file we read: keys, kinds, defaults, help, declared once.
 *
 * The loader, the defaults, the findings ("did you mean"), the JSON Schema and the reference manual all read the
 * same rows. A new setting is one row and its use.
 *
 * Owns:   values are written into the caller's struct; what they point to lives in the caller's arena.
 * Errors: findings in the diag_list, all of them; the struct then holds the defaults in place of what was wrong. */
#ifndef BASE_SCHEMA_H
#define BASE_SCHEMA_H

#include <stdio.h>

#include "base/tree.h"

enum schema_kind {          /* what the field of the struct is */
    SCHEMA_TEXT,            /* const char * (NULL when absent and otherwise is NULL) */
    SCHEMA_BOOL,            /* bool: yes, no, true, false */
    SCHEMA_NUMBER,          /* int64_t */
    SCHEMA_SECONDS,         /* double, seconds: 500ms, 30s, 5m, 2h, 1d, -2d; a bare number is an error */
    SCHEMA_SIZE,            /* int64_t, bytes: 512, 64KiB, 1MiB */
    SCHEMA_WORD,            /* int: index into words */
    SCHEMA_TEXTS,           /* struct schema_texts: a list of scalars, or one scalar */
    SCHEMA_SUB,             /* the struct of sub, in place */
    SCHEMA_SUBS,            /* struct schema_list of sub's structs; a single map counts as a list of one */
    SCHEMA_NAMED,           /* struct schema_named: a map whose keys are names and whose values are sub's structs */
    SCHEMA_NODE,            /* const struct tree_node *: handed on as it is; the owner reads it */
};

struct schema_texts { const char **items; struct srcpos *at; size_t count; };
struct schema_list  { void *items; size_t count; };                    /* items: array of sub's struct */
struct schema_named { struct schema_name { const char *name; struct srcpos at; void *value; } *items; size_t count; };

bool schema_texts_same(const struct schema_texts *a, const struct schema_texts *b); /* in the same order */

struct schema;
struct schema_field {
    const char *key;             /* "*": all keys that no other row takes, in a SCHEMA_NODE or SCHEMA_NAMED */
    enum schema_kind kind;
    size_t offset;
    const char *otherwise;       /* the default as it would be written in the file; NULL: zero, NULL, empty */
    const char *doc;             /* one sentence, for the manual and for editors */
    const char *const *words;    /* SCHEMA_WORD: NULL-terminated */
    const struct schema *sub;    /* SCHEMA_SUB, _SUBS, _NAMED */
    size_t at_offset;            /* where to write the value's struct srcpos; 0: nowhere (never the first member) */
    bool required;
    /* Accepts a scalar or list where a map is expected: turns it into the struct itself. For SCHEMA_SUB, _SUBS and
     * _NAMED values; see struct schema.short_form. */
};

struct schema {
    const char *name;            /* "scenario", for the manual and the JSON Schema */
    const char *doc;
    const struct schema_field *fields;
    size_t count;
    size_t size;                 /* of the struct */
    size_t node_offset;          /* where to write the struct tree_node * that was read; 0: nowhere */
    /* A shorter way of writing: called first with the node if it is not a map; returns the map it stands for, NULL
     * with a finding when it stands for nothing. NULL: only maps. */
    const struct tree_node *(*short_form)(struct arena *arena, const struct tree_node *node, struct diag_list *diags);
    const char *short_doc;       /* what the short form is, for the manual */
    /* What no single row can tell: looks at the struct when all of it was read from the map. NULL: nothing. */
    void (*check)(const void *value, const struct tree_node *map, struct diag_list *diags);
    bool placeholders;           /* of the outermost schema: "${name}" may stand anywhere, to be replaced before it is
                                  * read; for the JSON Schema alone */
};

#define SCHEMA_FIELD(type, member) offsetof(type, member)

/* Fills *out (of schema->size bytes). Unknown keys are findings, but for x-... A NULL node gives the defaults. */
void schema_read(struct arena *arena, const struct schema *schema, const struct tree_node *node, void *out,
                 struct diag_list *diags);
void schema_print_json(const struct schema *schema, const char *id, FILE *out);   /* JSON Schema 2020-12 */
void schema_print_manual(const struct schema *schema, FILE *out);                 /* Markdown */

/* The scalars by themselves, for those who read a SCHEMA_NODE. False: *out is untouched. Pure. */
bool schema_parse_seconds(const char *text, double *out);
bool schema_parse_size(const char *text, int64_t *out);
bool schema_parse_bool(const char *text, bool *out);
bool schema_parse_number(const char *text, int64_t *out);

/* A map made in code, for short forms: arguments are key, value pairs of (const char *, const struct tree_node *),
 * ended by NULL. */
const struct tree_node *schema_map(struct arena *arena, struct srcpos at, ...) __attribute__((sentinel));
const struct tree_node *schema_text(struct arena *arena, struct srcpos at, const char *text);

#endif
