/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dispatch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum standing { PROVEN, UNKNOWN, SUSPECT, STANDINGS };
enum { FIRST_BUCKETS = 64, REMEMBERED_MAX = 10000 };

/* Of a hundred slots: so many are kept for destinations of a standing, and so many it may have. */
static const struct {
    size_t least, most;
} shares[STANDINGS] = {
    [PROVEN] = {25, 100},
    [UNKNOWN] = {25, 75},
    [SUSPECT] = {5, 25},
};

TAILQ_HEAD(ring, destination);

struct destination {
    struct destination *next; /* of its bucket */
    TAILQ_ENTRY(destination) place;
    struct ring *ring; /* in which it is; NULL: none */
    enum standing standing;
    bool due;
    size_t under_way;
    struct gate *waits;  /* before that gate; NULL: before none */
    struct gate *let_in; /* by that gate for the turn that it has next; NULL: by none */
    char name[];
};

struct gate {
    struct gate *next;
    struct ring waiting;
    size_t under_way, promised; /* through it; to destinations that it has let in */
    char name[];
};

struct dispatch_turn {
    struct dispatch *dispatch;
    struct destination *destination;
    struct gate *gate;      /* it goes through; NULL: none */
    enum standing standing; /* when it began: whose share it takes */
    bool slow;
};

struct dispatch {
    struct dispatch_limits limits;
    struct ring rings[STANDINGS]; /* whose turn comes */
    struct ring asked;            /* whom nobody knows, but who has been asked already: behind the other unknown ones */
    struct ring idle;             /* with nothing due; only remembered */
    size_t busy[STANDINGS], slow, idle_count;
    size_t unknown; /* turns of those nobody knows, so far */
    struct destination **buckets;
    size_t bucket_count, count;
    struct gate *gates;
};

/* ---- the table ---- */

static size_t hash(const char *name)
{
    size_t value = 5381;
    while (*name != '\0')
        value = value * 33 ^ (unsigned char)*name++;
    return value;
}

static void *zeroed(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        abort();
    return memory;
}

static struct destination **bucket_of(struct dispatch *d, const char *name)
{
    return &d->buckets[hash(name) % d->bucket_count];
}

static void grow(struct dispatch *d)
{
    struct destination **old = d->buckets;
    size_t old_count = d->bucket_count;
    d->bucket_count = old_count > 0 ? 2 * old_count : FIRST_BUCKETS;
    d->buckets = zeroed(d->bucket_count * sizeof(struct destination *));
    for (size_t i = 0; i < old_count; i++)
        for (struct destination *at = old[i], *next; at != NULL; at = next) {
            struct destination **bucket = bucket_of(d, at->name);
            next = at->next;
            at->next = *bucket;
            *bucket = at;
        }
    free(old);
}

static struct destination *find(struct dispatch *d, const char *name)
{
    if (d->count >= d->bucket_count)
        grow(d);
    struct destination **bucket = bucket_of(d, name);
    for (struct destination *at = *bucket; at != NULL; at = at->next)
        if (strcmp(at->name, name) == 0)
            return at;
    size_t length = strlen(name) + 1;
    struct destination *made = zeroed(sizeof *made + length);
    memcpy(made->name, name, length);
    made->standing = UNKNOWN;
    made->next = *bucket;
    *bucket = made;
    d->count++;
    return made;
}

/* ---- places ---- */

static void step_out(struct dispatch *d, struct destination *it)
{
    if (it->ring == NULL)
        return;
    TAILQ_REMOVE(it->ring, it, place);
    d->idle_count -= it->ring == &d->idle;
    it->ring = NULL;
}

/* At the end of the ring, unless it is there already. */
static void step_in(struct dispatch *d, struct destination *it, struct ring *ring)
{
    if (it->ring == ring)
        return;
    step_out(d, it);
    it->ring = ring;
    TAILQ_INSERT_TAIL(ring, it, place);
    d->idle_count += ring == &d->idle;
}

static void forget(struct dispatch *d, struct destination *gone)
{
    struct destination **at = bucket_of(d, gone->name);
    step_out(d, gone);
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    d->count--;
    free(gone);
}

static struct ring *ring_of(struct dispatch *d, const struct destination *it)
{
    return it->standing == UNKNOWN && it->under_way > 0 ? &d->asked : &d->rings[it->standing];
}

/* Where it now belongs. A silent destination is asked by one delivery at a time. */
static void place(struct dispatch *d, struct destination *it)
{
    size_t most = it->standing == SUSPECT ? 1 : d->limits.per_destination;
    if (it->waits != NULL)
        step_in(d, it, &it->waits->waiting);
    else if (it->due && it->under_way < most)
        step_in(d, it, ring_of(d, it));
    else if (it->due || it->under_way > 0)
        step_out(d, it);
    else
        step_in(d, it, &d->idle);
    if (d->idle_count > REMEMBERED_MAX)
        forget(d, TAILQ_FIRST(&d->idle));
}

/* ---- gates ---- */

static struct gate *find_gate(struct dispatch *d, const char *name)
{
    for (struct gate *at = d->gates; at != NULL; at = at->next)
        if (strcmp(at->name, name) == 0)
            return at;
    size_t length = strlen(name) + 1;
    struct gate *made = zeroed(sizeof *made + length);
    memcpy(made->name, name, length);
    TAILQ_INIT(&made->waiting);
    made->next = d->gates;
    return d->gates = made;
}

static void let_one_in(struct dispatch *d, struct gate *gate)
{
    struct destination *first = TAILQ_FIRST(&gate->waiting);
    if (first == NULL)
        return;
    first->waits = NULL;
    first->let_in = gate;
    gate->promised++;
    place(d, first);
}

/* What the destination was promised is so no more; NULL: nothing was. */
static struct gate *take_promise(struct destination *it)
{
    struct gate *gate = it->let_in;
    if (gate != NULL)
        gate->promised--;
    it->let_in = NULL;
    return gate;
}

/* ---- turns ---- */

static size_t share(const struct dispatch *d, size_t percent)
{
    return (d->limits.slots * percent + 99) / 100;
}

static size_t all_busy(const struct dispatch *d)
{
    return d->busy[PROVEN] + d->busy[UNKNOWN] + d->busy[SUSPECT];
}

/* Of those nobody knows every other time the newest, so that a crowd of silent ones does not stand before it. NULL:
 * none. */
static struct destination *first_unknown(struct dispatch *d)
{
    if (TAILQ_EMPTY(&d->rings[UNKNOWN]))
        return TAILQ_FIRST(&d->asked);
    return ++d->unknown % 2 == 0 ? TAILQ_LAST(&d->rings[UNKNOWN], ring) : TAILQ_FIRST(&d->rings[UNKNOWN]);
}

/* The one that waits longest, while there are slots for its like; NULL: none. */
static struct destination *first(struct dispatch *d, enum standing s, size_t percent)
{
    if (d->busy[s] >= share(d, percent))
        return NULL;
    return s == UNKNOWN ? first_unknown(d) : TAILQ_FIRST(&d->rings[s]);
}

/* First whoever has less than what is kept for his like, then the proven before the others. */
static struct destination *choose(struct dispatch *d)
{
    struct destination *chosen = NULL;
    for (int s = 0; chosen == NULL && s < STANDINGS; s++)
        chosen = first(d, (enum standing)s, shares[s].least);
    for (int s = 0; chosen == NULL && s < STANDINGS; s++)
        chosen = first(d, (enum standing)s, shares[s].most);
    return chosen;
}

void dispatch_due(struct dispatch *dispatch, const char *destination)
{
    struct destination *to = find(dispatch, destination);
    to->due = true;
    place(dispatch, to);
}

struct dispatch_turn *dispatch_next(struct dispatch *dispatch)
{
    struct destination *to = all_busy(dispatch) < dispatch->limits.slots ? choose(dispatch) : NULL;
    if (to == NULL)
        return NULL;
    struct dispatch_turn *turn = zeroed(sizeof *turn);
    *turn = (struct dispatch_turn){.dispatch = dispatch, .destination = to, .standing = to->standing};
    dispatch->busy[turn->standing]++;
    to->under_way++;
    step_out(dispatch, to); /* behind the others now */
    place(dispatch, to);
    return turn;
}

const char *dispatch_destination(const struct dispatch_turn *turn)
{
    return turn->destination->name;
}

/* Its slot and its place at the destination are free again. */
static struct destination *give_up(struct dispatch_turn **turn)
{
    struct dispatch_turn *t = *turn;
    struct destination *to = t->destination;
    *(t->slow ? &t->dispatch->slow : &t->dispatch->busy[t->standing]) -= 1;
    to->under_way--;
    free(t);
    *turn = NULL;
    return to;
}

bool dispatch_pass(struct dispatch_turn **turn, const char *gate, size_t times)
{
    struct dispatch *d = (*turn)->dispatch;
    struct gate *through = find_gate(d, gate), *promised = take_promise((*turn)->destination);
    if (promised != NULL && promised != through)
        let_one_in(d, promised);
    if (through->under_way + through->promised < times * d->limits.per_destination) {
        (*turn)->gate = through;
        through->under_way++;
        return true;
    }
    struct destination *to = give_up(turn);
    to->waits = through;
    place(d, to);
    return false;
}

bool dispatch_slow(struct dispatch_turn *turn)
{
    struct dispatch *d = turn->dispatch;
    if (turn->slow || d->slow >= d->limits.slow)
        return turn->slow;
    turn->slow = true;
    d->slow++;
    d->busy[turn->standing]--;
    return true;
}

void dispatch_end(struct dispatch_turn **turn, enum dispatch_end how)
{
    static const enum standing next[] = {[DISPATCH_WENT] = PROVEN, [DISPATCH_CAME_TO_NOTHING] = SUSPECT};
    struct dispatch *d = (*turn)->dispatch;
    struct gate *gate = (*turn)->gate;
    struct destination *to = give_up(turn);
    if (gate != NULL)
        gate->under_way--;
    else
        gate = take_promise(to);
    if (how == DISPATCH_NOTHING_DUE)
        to->due = false;
    else
        to->standing = next[how];
    place(d, to);
    if (gate != NULL)
        let_one_in(d, gate);
}

/* ---- birth and death ---- */

struct dispatch *dispatch_new(const struct dispatch_limits *limits)
{
    struct dispatch *d = zeroed(sizeof *d);
    d->limits = *limits;
    for (int s = 0; s < STANDINGS; s++)
        TAILQ_INIT(&d->rings[s]);
    TAILQ_INIT(&d->asked);
    TAILQ_INIT(&d->idle);
    grow(d);
    return d;
}

void dispatch_limit(struct dispatch *dispatch, const struct dispatch_limits *limits)
{
    dispatch->limits = *limits;
}

void dispatch_free(struct dispatch **dispatch)
{
    struct dispatch *d = *dispatch;
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->bucket_count; i++)
        for (struct destination *at = d->buckets[i], *next; at != NULL; at = next) {
            next = at->next;
            free(at);
        }
    free(d->buckets);
    for (struct gate *at = d->gates, *next; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
    free(d);
    *dispatch = NULL;
}
