/* SPDX-License-Identifier: BSD-2-Clause
 * scenario_internal - what the files that read scenarios share among themselves. */
#ifndef HARNESS_SCENARIO_INTERNAL_H
#define HARNESS_SCENARIO_INTERNAL_H

#include "harness/scenario_schema.h"

enum {
    SCENARIO_NAMES_MAX = 200,
    SCENARIO_LIST_MAX = 300,      /* of records or faults of a name */
    SCENARIO_VARIANTS_MAX = 64,
    SCENARIO_STEPS_MAX = 50,
    SCENARIO_RECIPIENTS_MAX = 100,
};

/* ---- scenario_world.c ---- */

/* The map of a world without what is said to be absent: names and keys whose value is `none` or an empty list. */
const struct tree_node *world_prune(struct arena *arena, const struct tree_node *world);
/* Names in lower case, zones decided, policy hosts of domains with a policy added. */
const struct world *world_make(struct arena *arena, const struct schema_named *names, struct srcpos at,
                               struct diag_list *diags);
/* The host that a word means: a full name, or a first label that only one name of the world has. NULL with a finding;
 * keys are further words that may have been meant. */
const char *world_host(struct arena *arena, const struct world *world, const char *word, struct srcpos at,
                       const struct schema *keys, struct diag_list *diags);

/* ---- scenario_expect.c ---- */

void expectation_make(struct arena *arena, const struct file_expectation *said, const struct world *world,
                      struct expectation *out, struct diag_list *diags);

/* ---- scenario_read.c ---- */

struct scenario_file;    /* one file with all its variants */
struct scenario_library; /* the files read so far, each once */

struct scenario_library *scenario_library_new(struct arena *arena, const char *directory, struct diag_list *diags);
/* Reads a file of that name, bases first; NULL with a finding: it is not there, or its bases go round in a circle. */
struct scenario_file *scenario_library_read(struct scenario_library *library, const char *name, const char *path,
                                            struct srcpos asked_at);
struct scenario_file *scenario_library_read_text(struct scenario_library *library, const char *name, const char *text,
                                                 size_t length);
const struct scenario *scenario_file_at(const struct scenario_file *file, size_t i); /* NULL at the end */
const struct tree_node *scenario_file_node(const struct scenario_file *file);        /* the file as it stands */
const struct tree_node *scenario_file_base_world(const struct scenario_file *file);  /* NULL: no base */

/* ---- scenario_check.c ---- */

struct scenario_check {
    const struct clauses *clauses; /* NULL: clauses are not checked */
    struct diag_list *diags;
};
void scenario_check(const struct scenario_check *check, const struct scenario *scenario);
void scenario_check_file(const struct scenario_check *check,
                         const struct scenario_file *file); /* what a file says once */

/* "; did you mean 'x'?" or "" for NULL. */
const char *scenario_did_you_mean(struct arena *arena, const char *nearest);

#endif
