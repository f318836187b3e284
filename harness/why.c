/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/why.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "harness/ledger.h"
#include "harness/locate.h"

enum { NEAR_MAX = 6, NEAR_LEAST = 3 };

/* ---- what is near it ---- */

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static unsigned in_common(const struct schema_texts *a, const struct schema_texts *b)
{
    unsigned common = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            common += strcmp(a->items[i], b->items[k]) == 0;
    return common;
}

static bool are_kin(const struct scenario *a, const struct scenario *b)
{
    return same(a->base, b->base) || same(a->base, b->name) || same(b->base, a->name) || a->twin == b;
}

/* Postures in common tell most, then clauses, then that one stands on the other; all of it in the same folder. */
static unsigned score(const struct scenario *a, const struct scenario *b)
{
    bool neighbours = strncmp(a->name, b->name, strcspn(a->name, "/") + 1) == 0;
    return 3 * in_common(&a->tags, &b->tags) + 2 * in_common(&a->covers, &b->covers) + 2 * are_kin(a, b) + neighbours;
}

static int nearest_first(const void *a, const void *b)
{
    const struct why_near *one = a, *other = b;
    return one->score != other->score ? (one->score < other->score ? 1 : -1)
                                      : strcmp(one->scenario->title, other->scenario->title);
}

/* Of a file with variants the first stands for all; the twin is told by itself. */
static void find_near(struct why *why)
{
    const char *last = "", *twin = why->scenario->twin != NULL ? why->scenario->twin->name : "";
    for (size_t i = 0; i < why->corpus->count; i++) {
        const struct scenario *other = why->corpus->items[i];
        unsigned points = score(why->scenario, other);
        if (points < NEAR_LEAST || strcmp(other->name, last) == 0 || strcmp(other->name, twin) == 0 ||
            strcmp(other->name, why->scenario->name) == 0)
            continue;
        last = other->name;
        *ARENA_PUSH(why->arena, &why->near) = (struct why_near){other, points};
    }
    if (why->near.count > 0)
        qsort(why->near.items, why->near.count, sizeof *why->near.items, nearest_first);
    why->near.count = why->near.count < NEAR_MAX ? why->near.count : NEAR_MAX;
}

/* ---- what MTAs do ---- */

static void find_known(struct why *why, const char *mta)
{
    const char *path = locate_known_failures(why->arena, mta);
    struct known known = {0};
    if (path != NULL)
        known_read(why->arena, path, &known, why->corpus->diags);
    for (size_t i = 0; i < known.count; i++)
        if (known_names(&known.items[i], why->scenario->title))
            *ARENA_PUSH(why->arena, &why->known) = (struct why_known){mta, &known.items[i]};
}

/* NULL: the adapter cannot be asked here. */
static json_t *description_of(struct arena *arena, const char *mta)
{
    const char *adapter = locate_adapter(arena, mta);
    const char *argv[] = {"sh", "-c", "echo describe | exec \"$0\"", adapter, NULL};
    char *said = adapter != NULL ? process_output(argv, -1, NULL) : NULL;
    json_t *described = said != NULL ? json_loads(said, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    free(said);
    return described;
}

/* What an MTA declares for several modes is told once. */
static void add_declared(struct why *why, const struct why_declared *declared)
{
    for (size_t i = 0; i < why->declared.count; i++) {
        struct why_declared *before = &why->declared.items[i];
        if (strcmp(before->mta, declared->mta) == 0 && before->reading == declared->reading &&
            before->accept == declared->accept) {
            before->modes |= declared->modes;
            return;
        }
    }
    *ARENA_PUSH(why->arena, &why->declared) = *declared;
}

static void declare(struct why *why, const char *mta, const json_t *described, const struct expectation *e)
{
    const char *word = json_string_value(json_object_get(json_object_get(described, "latitude"), e->reading));
    const char *version = json_string_value(json_object_get(described, "version"));
    for (size_t i = 0; word != NULL && i < e->reading_count; i++)
        if (strcmp(e->readings[i].word, word) == 0)
            add_declared(why,
                         &(struct why_declared){.mta = mta,
                                                .version = version != NULL ? arena_strdup(why->arena, version) : "",
                                                .word = e->readings[i].word,
                                                .reading = reading_find(e->reading),
                                                .accept = e->readings[i].accept,
                                                .modes = e->modes & why->scenario->modes});
}

static void find_declared(struct why *why, const char *mta)
{
    const struct scenario *s = why->scenario;
    json_t *described = NULL;
    for (size_t i = 0; i < s->step_count; i++)
        for (size_t k = 0; k < s->steps[i].expectation_count; k++) {
            const struct expectation *e = &s->steps[i].expectations[k];
            if (e->reading != NULL && described == NULL)
                described = description_of(why->arena, mta);
            if (e->reading != NULL)
                declare(why, mta, described, e);
        }
    json_decref(described);
}

void why_gather(struct why *why)
{
    struct locate_names mtas = locate_adapter_names(why->arena);
    why->mtas = "";
    why->near.count = why->known.count = why->declared.count = 0;
    find_near(why);
    for (size_t i = 0; i < mtas.count; i++) {
        find_known(why, mtas.items[i]);
        find_declared(why, mtas.items[i]);
        why->mtas = arena_printf(why->arena, "%s%s%s", why->mtas, i > 0 ? ", " : "", mtas.items[i]);
    }
}
