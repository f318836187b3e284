/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/schedule.h"

#include <string.h>

static bool covers_one(const struct scenario *scenario, const struct schedule_wish *wish)
{
    for (size_t c = 0; c < scenario->covers.count; c++)
        for (size_t w = 0; w < wish->clause_count; w++)
            if (strcmp(scenario->covers.items[c], wish->clauses[w]) == 0)
                return true;
    return wish->clause_count == 0;
}

static bool in_shard(size_t position, const struct schedule_wish *wish)
{
    return wish->shards == 0 || position % wish->shards == wish->shard - 1;
}

/* The selected cases, each once, in the corpus's order. */
static void select_cases(struct arena *arena, const struct corpus *corpus, const struct schedule_wish *wish,
                         struct schedule *out)
{
    size_t position = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct scenario *scenario = corpus->items[i];
        unsigned modes = covers_one(scenario, wish) ? scenario->modes & wish->modes : 0;
        size_t before = out->count;
        for (unsigned mode = 0; mode < MODE_COUNT; mode++)
            if (modes & (1u << mode) && in_shard(position++, wish))
                *ARENA_PUSH(arena, out) = (struct schedule_item){scenario, mode, SCHEDULE_NO_TWIN, false};
        out->scenarios += out->count > before;
    }
}

/* A small generator of our own: the same seed gives the same order everywhere. */
static unsigned long next_random(unsigned long *state)
{
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return *state >> 33;
}

static void shuffle(struct schedule *schedule, unsigned long seed)
{
    for (size_t i = schedule->count; seed != 0 && i > 1; i--) {
        size_t other = next_random(&seed) % i;
        struct schedule_item item = schedule->items[i - 1];
        schedule->items[i - 1] = schedule->items[other];
        schedule->items[other] = item;
    }
}

static long find_case(const struct schedule *schedule, const char *title, unsigned mode)
{
    for (size_t i = 0; i < schedule->count; i++)
        if (schedule->items[i].mode == mode && strcmp(schedule->items[i].scenario->title, title) == 0)
            return (long)i;
    return SCHEDULE_NO_TWIN;
}

static const struct scenario *twin_of(const struct schedule_item *item)
{
    const struct scenario *twin = item->scenario->twin;
    return twin != NULL && twin->modes & (1u << item->mode) ? twin : NULL;
}

/* Twins come first: nobody's verdict then waits for long. */
static void put_twins_first(struct arena *arena, const struct schedule *selected, struct schedule *out)
{
    for (size_t i = 0; i < selected->count; i++) {
        const struct scenario *twin = twin_of(&selected->items[i]);
        unsigned mode = selected->items[i].mode;
        if (twin == NULL || find_case(out, twin->title, mode) != SCHEDULE_NO_TWIN)
            continue;
        bool is_twin = find_case(selected, twin->title, mode) == SCHEDULE_NO_TWIN;
        *ARENA_PUSH(arena, out) = (struct schedule_item){twin, mode, SCHEDULE_NO_TWIN, is_twin};
    }
    size_t twins = out->count;
    for (size_t i = 0; i < selected->count; i++) {
        const struct schedule_item *item = &selected->items[i];
        struct schedule so_far = {.items = out->items, .count = twins};
        if (find_case(&so_far, item->scenario->title, item->mode) == SCHEDULE_NO_TWIN)
            *ARENA_PUSH(arena, out) = *item;
    }
}

static void repeat_cases(struct arena *arena, struct schedule *schedule, unsigned times)
{
    size_t once = schedule->count;
    for (unsigned n = 1; n < times; n++)
        for (size_t i = 0; i < once; i++)
            if (!schedule->items[i].is_twin) {
                struct schedule_item again = schedule->items[i];
                *ARENA_PUSH(arena, schedule) = again;
            }
}

void schedule_make(struct arena *arena, const struct corpus *corpus, const struct schedule_wish *wish,
                   struct schedule *out)
{
    struct schedule selected = {0};
    select_cases(arena, corpus, wish, &selected);
    shuffle(&selected, wish->seed);
    *out = (struct schedule){.scenarios = selected.scenarios,
                             .selected = selected.count * (wish->repeat > 0 ? wish->repeat : 1)};
    put_twins_first(arena, &selected, out);
    for (size_t i = 0; i < out->count; i++) {
        const struct scenario *twin = twin_of(&out->items[i]);
        out->items[i].twin = twin != NULL ? find_case(out, twin->title, out->items[i].mode) : SCHEDULE_NO_TWIN;
    }
    repeat_cases(arena, out, wish->repeat);
}
