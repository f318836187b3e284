/* SPDX-License-Identifier: BSD-2-Clause
 * up - a world that stays up to work in: put up, changed while it runs, taken down. What is behind `mtalab up`.
 *
 * Owns:   the lab and what goes with it, from up_put() to up_take_down(); scenarios read, plans made and changes taken
 *         until then, because connections under way may still be about any of them.
 * Errors: false with *err filled, or said on the stream given, with places.
 * Threads: one; everything but up_find() happens inside of the sandbox. */
#ifndef HARNESS_UP_H
#define HARNESS_UP_H

#include "harness/evidence.h"
#include "harness/lab.h"
#include "harness/subject.h"

struct up_wish {
    const char *scenarios; /* the folder */
    const char *adapter;   /* path; NULL: no subject */
    const int *evidence;   /* open folder for packets and keys; NULL: none are kept */
    unsigned mode;         /* of the subject */
    void (*seen)(void *arg, const struct journal_event *event);
    void *arg;
};
struct up {
    struct arena *arena;
    struct up_wish wish;
    const struct scenario *scenario;
    size_t step;    /* of its course */
    bool sound;     /* its defect is switched off: the world is that of its base */
    size_t seen_to; /* events before were told */
    struct up_by_hand {
        const struct tree_node *change; /* as in a scenario; NULL: none */
        const char *text;               /* the scenario that it makes */
    } by_hand;
    const struct sandbox *sandbox;
    struct loop *loop;
    struct journal *journal;
    struct evidence *evidence;
    struct resolver *resolver; /* NULL: unbound is not installed */
    struct subject *subject;   /* NULL: none */
    struct lab *lab;
    struct clock clock;
    struct plan_pki *pki;
    struct plan *plan; /* in force */
    struct {
        struct plan **items;
        size_t count, room;
    } plans;
    struct {
        struct corpus **items;
        size_t count, room;
    } corpora;
};

struct up *up_new(const struct up_wish *wish);
void up_free(struct up **up);
/* A scenario by name or file; "dane/x[ip=v6]" is one variant of dane/x, without it the first that is for the mode.
 * NULL: there is none, which was said. */
const struct scenario *up_find(struct up *up, const char *wanted, FILE *out);
/* The world of up->scenario. */
bool up_put(struct up *up, const struct sandbox *sandbox, struct err *err) NODISCARD;
void up_take_down(struct up *up);
/* Another world takes the place of the one there is; keys of hosts and zones stay, and caches of ours are emptied. */
bool up_change(struct up *up, const struct scenario *scenario, const struct world *world, FILE *out);

/* What may be asked of a world that is up, and done to it: the words of `mtalab world` (up_words.c). */
struct up_word {
    const char *name, *argument, *doc; /* "next", NULL or "SCENARIO", one sentence */
    bool (*obey)(struct up *up, const char *argument, FILE *out);
};
const struct up_word *up_word_at(size_t i); /* NULL at the end */
/* Obeys them; the exit status. arg: struct up. Without words it says what is up. */
int up_obey(void *arg, const char *const *words, size_t count, FILE *out);

#endif
