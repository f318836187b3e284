/* SPDX-License-Identifier: BSD-2-Clause
 * tree - a YAML file as nodes that know their place (libyaml's events; never its document API).
 *
 * The strict subset: UTF-8, at most 1 MiB, depth at most 32, one document, no tags, anchors, aliases or merge keys,
 * a key given twice is an error. Every plain scalar is text; a schema decides what it means.
 *
 * Owns:   nodes live in the arena given to tree_read(); they are never changed afterwards.
 * Errors: findings in the diag_list; reading goes on where it can. */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stdio.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"

enum tree_kind { TREE_TEXT, TREE_LIST, TREE_MAP };

struct tree_node {
    enum tree_kind kind;
    struct srcpos at;
    const char *text;                                        /* TREE_TEXT: NUL-terminated, no NUL inside */
    bool quoted;                                             /* TREE_TEXT: quoted or a block scalar */
    bool block;                                              /* TREE_TEXT: a | block; begins on line at.line + 1 */
    struct tree_entry { const char *key; struct srcpos at; const struct tree_node *value; } *entries;   /* TREE_MAP */
    const struct tree_node **items;                          /* TREE_LIST */
    size_t count;                                            /* of entries or items */
    const struct tree_index *index;                          /* of a big map, for tree_get() alone; NULL: none */
};

/* Reads a file, or text that has a name. The text is kept in the arena and registered with the diag_list.
 * NULL when nothing usable was read; the reason is then in diags. */
const struct tree_node *tree_read_file(struct arena *arena, const char *path, struct diag_list *diags);
const struct tree_node *tree_read_text(struct arena *arena, const char *name, const char *text, size_t length,
                                       struct diag_list *diags);
/* The value of a key of a map; NULL when absent or when node is no map. */
const struct tree_node *tree_get(const struct tree_node *map, const char *key);
/* A map in which change's entries replace or, where both sides are maps, merge into base's. NULL sides are allowed. */
const struct tree_node *tree_merge(struct arena *arena, const struct tree_node *base, const struct tree_node *change);
/* A copy of the tree in which every "${name}" is replaced by what node_of returns for the name; NULL there is a
 * finding. A scalar that is nothing but "${name}" becomes that node, whole; within a longer text, and in keys, the node
 * must be TREE_TEXT. What is put in is not looked through again. */
const struct tree_node *tree_substitute(struct arena *arena, const struct tree_node *node,
                                        const struct tree_node *(*node_of)(const void *arg, const char *name),
                                        const void *arg, struct diag_list *diags);

/* As YAML in one line, which reads as the same tree. */
void tree_print(const struct tree_node *node, FILE *out);

#endif
