/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "base/testing.h"

enum { TURNS_MAX = 64 };

/* A script, word by word: "+a" something is due at a; "a" the next turn is a's, "-" nobody's; "a!" the oldest turn of a
 * went well, "a?" it came to nothing, "a0" nothing was due, "a~" its peer keeps it waiting; "a>" it goes through the
 * gate, "a|" it would, but the gate is full. */
static const struct {
    const char *name;
    struct dispatch_limits limits;
    const char *script;
} rows[] = {
    {"in turn", {10, 10, 5}, "+a a a! a a0 +b b b! b b0 +a +b a b a b"},
    {"of unknown ones the oldest and the newest", {10, 10, 1}, "+a +b +c +d +e a e b d c -"},
    {"before any of them is asked twice", {10, 10, 5}, "+a +b +c +d +e a e b d c a"},
    {"nothing is due", {10, 10, 5}, "- +a a a0 -"},
    {"few at once to one destination", {10, 10, 2}, "+a a a - a! a -"},
    {"few at once in all", {2, 10, 5}, "+a +b a b - a! a - b! a"},
    {"a new destination is not kept out by a busy one", {4, 10, 9}, "+a a a! a a a +b b -"},
    {"nor can new ones take everything", {4, 10, 1}, "+a a a! a a0 +b +c +d +e e b d - +a a"},
    {"whoever waits for his peer makes room", {2, 10, 5}, "+a +b a b - a~ a - b~ b -"},
    {"but not for ever", {1, 1, 5}, "+a +b a a~ b b~ - a! b! a"},
    {"a silent destination is asked once at a time", {8, 10, 5}, "+a a a? a - a? a - a! a a"},
    {"silent ones have a part of the slots", {8, 10, 5}, "+a +b +c a a? c c? b b? a c - +d d d d d d -"},
    {"few at once through a gate", {10, 10, 2}, "+a a a> a a> +c c c| - a! a a| c c> c c| -"},
    {"a gate lets in who waits longest", {10, 10, 1}, "+a a a> +b b b| +c c c| - a0 b b> - b0 c c> -"},
    {"whoever is let in comes before the others", {10, 10, 1}, "+a a a> +b b b| a! a a| b b> - b0 a a> -"},
    {"and the next, where nothing is due", {10, 10, 1}, "+a a a> +b b b| +c c c| a0 b b0 c c> -"},
    {"or where the way is another", {10, 10, 1}, "+a a a> +b b b| +c c c| a0 b b! b b| c c> -"},
    {"a gate holds up nobody else", {10, 10, 1}, "+a a a> +b b b| +c c -"},
    {"what was due stays due", {10, 10, 1}, "+a a +a - a! a a0 -"},
};

struct bench {
    struct dispatch *dispatch;
    struct dispatch_turn *turns[TURNS_MAX];
    size_t count;
};

static void next_is(struct bench *b, const char *word, const char *name, size_t at)
{
    struct dispatch_turn *turn = dispatch_next(b->dispatch);
    const char *got = turn != NULL ? dispatch_destination(turn) : "-";
    ck_assert_msg(strcmp(got, word) == 0, "%s: word %zu: %s, not %s", name, at, got, word);
    if (turn != NULL)
        b->turns[b->count++] = turn;
}

static void with_turn(struct bench *b, char destination, char what)
{
    static const char ends[] = "!?0";
    size_t i = 0;
    while (i < b->count && (b->turns[i] == NULL || dispatch_destination(b->turns[i])[0] != destination))
        i++;
    ck_assert_uint_lt(i, b->count);
    if (what == '~')
        dispatch_slow(b->turns[i]);
    else if (strchr(">|", what) != NULL)
        ck_assert(dispatch_pass(&b->turns[i], "gate", 1) == (what == '>'));
    else
        dispatch_end(&b->turns[i], (enum dispatch_end)(strchr(ends, what) - ends));
}

START_TEST(destinations_take_turns)
{
    struct bench b = {.dispatch = dispatch_new(&rows[_i].limits)};
    char script[200], *rest = NULL;
    size_t at = 0;
    snprintf(script, sizeof script, "%s", rows[_i].script);
    for (char *word = strtok_r(script, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest), at++) {
        if (*word == '+')
            dispatch_due(b.dispatch, word + 1);
        else if (word[1] == '\0')
            next_is(&b, word, rows[_i].name, at);
        else
            with_turn(&b, word[0], word[1]);
    }
    for (size_t i = 0; i < b.count; i++)
        if (b.turns[i] != NULL)
            dispatch_end(&b.turns[i], DISPATCH_NOTHING_DUE);
    dispatch_free(&b.dispatch);
}
END_TEST

/* Ten thousand that stay silent, then one that works: it waits for a few of them, not for all. */
START_TEST(silent_destinations_hold_nobody_up)
{
    enum { SILENT = 10000, SLOTS = 100 };
    struct dispatch *d = dispatch_new(&(struct dispatch_limits){SLOTS, SILENT, 5});
    static struct dispatch_turn *turns[SILENT];
    char name[16];
    dispatch_due(d, "known");
    struct dispatch_turn *known = dispatch_next(d);
    dispatch_end(&known, DISPATCH_WENT);
    known = dispatch_next(d);
    dispatch_end(&known, DISPATCH_NOTHING_DUE);
    for (int i = 0; i < SILENT; i++) {
        snprintf(name, sizeof name, "s%d", i);
        dispatch_due(d, name);
    }
    size_t count = 0;
    while (count < SILENT && (turns[count] = dispatch_next(d)) != NULL)
        count++;
    ck_assert_uint_lt(count, SLOTS);
    dispatch_due(d, "known");
    known = dispatch_next(d);
    ck_assert_ptr_nonnull(known);
    ck_assert_str_eq(dispatch_destination(known), "known");
    for (size_t i = 0; i < count; i++)
        dispatch_slow(turns[i]);
    ck_assert_ptr_nonnull(turns[count] = dispatch_next(d));
    for (size_t i = 0; i <= count; i++)
        dispatch_end(&turns[i], DISPATCH_CAME_TO_NOTHING);
    dispatch_end(&known, DISPATCH_WENT);
    dispatch_free(&d);
}
END_TEST

/* Some that work, of which nobody knows that yet, due while a crowd of silent ones waits: they are not last. */
START_TEST(unknown_ones_pass_a_silent_crowd)
{
    enum { SILENT = 1000, WORKING = 20, SLOTS = 100, PATIENCE = 2 * WORKING };
    struct dispatch *d = dispatch_new(&(struct dispatch_limits){SLOTS, 2 * SILENT, 5});
    struct dispatch_turn *turns[SLOTS + PATIENCE];
    char name[16];
    for (int i = 0; i < SILENT; i++) {
        snprintf(name, sizeof name, "s%d", i);
        dispatch_due(d, name);
    }
    size_t count = 0, reached = 0;
    while (count < SLOTS && (turns[count] = dispatch_next(d)) != NULL)
        dispatch_slow(turns[count++]);
    for (int i = 0; i < WORKING; i++) {
        snprintf(name, sizeof name, "w%d", i);
        dispatch_due(d, name);
    }
    for (size_t i = 0; i < PATIENCE && (turns[count] = dispatch_next(d)) != NULL; i++) {
        reached += dispatch_destination(turns[count])[0] == 'w';
        dispatch_slow(turns[count++]);
    }
    ck_assert_uint_eq(reached, WORKING);
    while (count > 0)
        dispatch_end(&turns[--count], DISPATCH_NOTHING_DUE);
    dispatch_free(&d);
}
END_TEST

TEST_SUITE(dispatch)
{
    TEST_LOOP(destinations_take_turns, COUNT(rows));
    TEST(silent_destinations_hold_nobody_up);
    TEST(unknown_ones_pass_a_silent_crowd);
}
