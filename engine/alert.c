/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/alert.h"

#include <string.h>

#include "engine/status.h"
#include "engine/summary.h"
#include "engine/trace.h"

enum { DAY = 86400, HOUR = 3600, REFUSALS = 5 };

struct search {
    struct arena *arena;
    const struct alert_facts *facts;
    const char *kind;
    struct alerts *out;
};

static void add(struct search *s, const char *about, const char *text)
{
    *ARENA_PUSH(s->arena, s->out) = (struct alert){s->kind, about, text};
}

static void find_silent_engine(struct search *s)
{
    if (!s->facts->engine_answers)
        add(s, "", "the engine does not answer: nothing is delivered");
}

static void find_late(struct search *s)
{
    const struct history *h = s->facts->history;
    for (size_t i = 0; i < h->waiting.count; i++) {
        const struct history_waiting *w = &h->waiting.items[i];
        if (w->late > 0 && w->late >= s->facts->limits.late)
            add(s, w->destination,
                arena_printf(s->arena,
                             "%lld recipients at %s wait longer than an hour, the first for %lld hours: %s %s",
                             (long long)w->late, w->destination, (long long)((h->now - w->oldest) / HOUR), w->code,
                             w->reason));
    }
}

/* What came last to a destination: something that arrived, or a failure. What a server says about one message, or one
 * recipient, is none of the destination's; said again and again with nothing in between it is. */
struct course_of {
    const char *destination;
    int64_t good;                                /* when last; 0: never */
    const struct history_row *failure, *refusal; /* the latest; NULL: none */
    int64_t refusals;
};

static void note(struct course_of *course, const struct history_row *row)
{
    bool refused = status_is_reply(row->text);
    const struct history_row **latest = refused ? &course->refusal : &course->failure;
    if (summary_class(row) != NULL && row->last > course->good)
        course->good = row->last;
    if (!summary_has_failed(row))
        return;
    course->refusals += refused ? row->count : 0;
    if (*latest == NULL || row->last >= (*latest)->last)
        *latest = row;
}

/* A domain that never was is somebody's slip of the pen. */
static const struct history_row *what_fails(const struct course_of *course)
{
    const struct history_row *failure = course->failure, *refusal = course->refusal;
    if (failure != NULL && failure->last >= course->good &&
        (course->good != 0 || strcmp(failure->code, "5.4.310") != 0))
        return failure;
    bool keeps_refusing = refusal != NULL && refusal->last >= course->good && course->refusals >= REFUSALS;
    return keeps_refusing ? refusal : NULL;
}

static void add_failing(struct search *s, const struct course_of *course)
{
    const struct history_row *failure = what_fails(course);
    if (failure == NULL)
        return;
    add(s, course->destination,
        arena_printf(s->arena, "mail to %s %s: %s %s", course->destination,
                     course->good != 0 ? "arrived before, and fails now" : "fails", failure->code, failure->text));
}

/* The rows are sorted by destination. */
static void find_failing(struct search *s)
{
    const struct history *h = s->facts->history;
    struct course_of course = {.destination = ""};
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *row = &h->rows.items[i];
        if (strcmp(row->destination, course.destination) != 0) {
            add_failing(s, &course);
            course = (struct course_of){.destination = row->destination};
        }
        if (*row->destination != '\0')
            note(&course, row);
    }
    add_failing(s, &course);
}

/* Of each host what was seen last. */
static bool is_latest_of_host(const struct history *h, const struct history_row *row)
{
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *other = &h->rows.items[i];
        if (other != row && strcmp(other->host, row->host) == 0 &&
            (other->last > row->last || (other->last == row->last && other > row)) && other->certificate_until != 0)
            return false;
    }
    return true;
}

static const char *life_left(struct arena *arena, int64_t seconds)
{
    if (seconds < 0)
        return "has ended";
    return arena_printf(arena, "ends in %lld %s", (long long)(seconds / (seconds < 2 * DAY ? HOUR : DAY)),
                        seconds < 2 * DAY ? "hours" : "days");
}

static void find_certificates(struct search *s)
{
    const struct history *h = s->facts->history;
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *row = &h->rows.items[i];
        int64_t left = row->certificate_until - h->now;
        if (row->certificate_until == 0 || *row->host == '\0' || (double)left >= s->facts->limits.certificate ||
            !is_latest_of_host(h, row))
            continue;
        add(s, row->host,
            arena_printf(s->arena, "the certificate of %s (mail to %s) %s", row->host, row->destination,
                         life_left(s->arena, left)));
    }
}

/* A signature is renewed before it ends: what was seen is no older than its observation. */
static void find_signatures(struct search *s)
{
    const struct history *h = s->facts->history;
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *row = &h->rows.items[i];
        int64_t left = row->signed_until - row->last;
        if (row->signed_until == 0 || (double)left >= s->facts->limits.signature)
            continue;
        add(s, *row->host != '\0' ? row->host : row->destination,
            arena_printf(s->arena, "a DNSSEC signature for %s (mail to %s) %s",
                         *row->host != '\0' ? row->host : row->destination, row->destination,
                         life_left(s->arena, row->signed_until - h->now)));
    }
}

static void find_policies(struct search *s)
{
    const struct history *h = s->facts->history;
    for (size_t i = 0; i < h->policies.count; i++) {
        const struct history_policy *p = &h->policies.items[i];
        add(s, p->domain,
            arena_printf(s->arena, "the MTA-STS policy of %s cannot be fetched anew (%s); the cached one %s", p->domain,
                         p->why, life_left(s->arena, p->expires - h->now)));
    }
}

static void find_reports(struct search *s)
{
    const struct history *h = s->facts->history;
    for (size_t i = 0; i < h->reports.count; i++) {
        const struct history_report *r = &h->reports.items[i];
        add(s, r->domain,
            arena_printf(s->arena, "%s reports %lld failed sessions for %s%s%s%s%s",
                         *r->organization != '\0' ? r->organization : "somebody", (long long)r->bad, r->domain,
                         *r->mx != '\0' ? " at " : "", r->mx, *r->result != '\0' ? ": " : "", r->result));
    }
}

static const struct {
    const char *kind;
    void (*find)(struct search *s);
} kinds[] = {
    {"engine", find_silent_engine},     /* the engine does not answer */
    {"late", find_late},                /* recipients of a destination wait longer than an hour */
    {"failing", find_failing},          /* the last mail to a destination failed */
    {"certificate", find_certificates}, /* the certificate of an MX host is about to end */
    {"signature", find_signatures},     /* a DNSSEC signature of a destination is about to end */
    {"policy", find_policies},          /* an MTA-STS policy in force cannot be fetched anew */
    {"report", find_reports},           /* somebody's TLS report tells of failures */
};

static bool raised_before(const struct alerts *alerts, size_t count, const struct alert *alert)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(alerts->items[i].kind, alert->kind) == 0 && strcmp(alerts->items[i].about, alert->about) == 0)
            return true;
    return false;
}

struct alerts alerts_find(struct arena *arena, const struct alert_facts *facts)
{
    struct alerts found = {0}, once = {0};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct search search = {arena, facts, kinds[i].kind, &found};
        kinds[i].find(&search);
    }
    for (size_t i = 0; i < found.count; i++)
        if (!raised_before(&once, once.count, &found.items[i]))
            *ARENA_PUSH(arena, &once) = found.items[i];
    return once;
}
