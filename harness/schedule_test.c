/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/schedule.h"

#include <string.h>

#include "base/testing.h"

enum { BOTH = 1 << 0 | 1 << 2 };

static const char *clauses[] = {"7672-2.2-3", "8461-5-1"};

static const struct scenario twin = {.title = "dane/twin", .modes = BOTH, .covers = {.items = &clauses[0], .count = 1}};
static const struct scenario left = {.title = "dane/left",
                                     .modes = BOTH,
                                     .twin = &twin,
                                     .covers = {.items = &clauses[1], .count = 1}};
static const struct scenario right = {.title = "dane/right", .modes = 1 << 2, .twin = &twin};
static const struct scenario *all[] = {&left, &right, &twin};

static const struct {
    const char *name;
    size_t first, count; /* of all[] that are in the corpus */
    struct schedule_wish wish;
    size_t items, selected, only_twins;
} cases[] = {
    {"everything: the twin is selected itself", 0, 3, {.modes = MODES_ALL, .repeat = 1}, 5, 5, 0},
    {"a twin that was not selected comes along once a mode", 0, 2, {.modes = MODES_ALL, .repeat = 1}, 5, 3, 2},
    {"one mode", 0, 2, {.modes = 1 << 2, .repeat = 1}, 3, 2, 1},
    {"a mode that nobody has", 0, 3, {.modes = 1 << 5, .repeat = 1}, 0, 0, 0},
    {"by clause",
     0,
     3,
     {.modes = MODES_ALL, .clauses = (const char *const[]){"8461-5-1"}, .clause_count = 1, .repeat = 1},
     4,
     2,
     2},
    {"a clause that nobody covers",
     0,
     3,
     {.modes = MODES_ALL, .clauses = (const char *const[]){"1-1"}, .clause_count = 1, .repeat = 1},
     0,
     0,
     0},
    {"repeated, twins not", 0, 2, {.modes = 1 << 2, .repeat = 3}, 7, 6, 1},
    {"first half", 0, 3, {.modes = MODES_ALL, .shard = 1, .shards = 2, .repeat = 1}, 4, 3, 1},
    {"second half", 0, 3, {.modes = MODES_ALL, .shard = 2, .shards = 2, .repeat = 1}, 3, 2, 1},
};

START_TEST(cases_are_selected)
{
    struct arena *arena = arena_new("test");
    struct corpus corpus = {.items = &all[cases[_i].first], .count = cases[_i].count};
    struct schedule schedule;
    schedule_make(arena, &corpus, &cases[_i].wish, &schedule);
    size_t only_twins = 0;
    for (size_t i = 0; i < schedule.count; i++)
        only_twins += schedule.items[i].is_twin;
    ck_assert_msg(schedule.count == cases[_i].items && schedule.selected == cases[_i].selected &&
                      only_twins == cases[_i].only_twins,
                  "%s: %zu items, %zu selected, %zu only twins", cases[_i].name, schedule.count, schedule.selected,
                  only_twins);
    arena_free(&arena);
}
END_TEST

START_TEST(a_twin_is_of_the_same_mode_and_comes_before)
{
    struct arena *arena = arena_new("test");
    struct corpus corpus = {.items = all, .count = COUNT(all)};
    struct schedule_wish wish = {.modes = MODES_ALL, .repeat = 2, .seed = (unsigned long)_i};
    struct schedule schedule;
    schedule_make(arena, &corpus, &wish, &schedule);
    for (size_t i = 0; i < schedule.count; i++) {
        const struct schedule_item *item = &schedule.items[i];
        if (item->scenario->twin == NULL)
            continue;
        ck_assert(item->twin >= 0 && item->twin < (long)i);
        ck_assert_str_eq(schedule.items[item->twin].scenario->title, "dane/twin");
        ck_assert_uint_eq(schedule.items[item->twin].mode, item->mode);
    }
    arena_free(&arena);
}
END_TEST

START_TEST(shards_are_everything_together)
{
    struct arena *arena = arena_new("test");
    struct corpus corpus = {.items = all, .count = COUNT(all)};
    size_t selected = 0;
    for (unsigned shard = 1; shard <= 3; shard++) {
        struct schedule_wish wish = {.modes = MODES_ALL, .repeat = 1, .shard = shard, .shards = 3};
        struct schedule schedule;
        schedule_make(arena, &corpus, &wish, &schedule);
        selected += schedule.selected;
    }
    ck_assert_uint_eq(selected, 5);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(schedule)
{
    TEST_LOOP(cases_are_selected, COUNT(cases));
    TEST_LOOP(a_twin_is_of_the_same_mode_and_comes_before, 5);
    TEST(shards_are_everything_together);
}
