/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/gate.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "engine/scope.h"

enum { DAY = 86400 };

bool gate_demands(const struct connector *c)
{
    return c != NULL && c->enabled && connector_dane(c) == DANE_MANDATORY;
}

bool gate_concerns(const struct connector *before, const struct connector *now)
{
    if (!gate_demands(now) || !gate_demands(before))
        return gate_demands(now);
    return !schema_texts_same(&before->recipient_domains, &now->recipient_domains) ||
           !schema_texts_same(&before->smart_hosts, &now->smart_hosts) ||
           before->all_accepted_domains != now->all_accepted_domains || before->route != now->route;
}

/* ---- which destinations ---- */

static struct gate_row *row_for(struct arena *arena, struct gate_rows *rows, const char *destination)
{
    for (size_t i = 0; i < rows->count; i++)
        if (text_name_equal(rows->items[i].destination, destination))
            return &rows->items[i];
    struct gate_row *row = ARENA_PUSH(arena, rows);
    *row = (struct gate_row){.destination = destination};
    return row;
}

/* Mail has gone there by it, or would now. */
static bool carries(struct arena *arena, const struct gate_question *q, const struct forecast *f)
{
    struct route_question question = {.sender = "",
                                      .recipient = arena_printf(arena, "postmaster@%s", f->destination),
                                      .domain = f->destination};
    return strcasecmp(f->connector, q->connector->name) == 0 ||
           (q->connector->enabled ? connector_choose(q->routing, &question).connector == q->connector
                                  : scope_any_covers(&q->connector->recipient_domains, f->destination));
}

static void add_named(struct arena *arena, const struct connector *c, struct gate_rows *rows)
{
    for (size_t i = 0; i < c->recipient_domains.count; i++)
        if (strchr(c->recipient_domains.items[i], '*') == NULL)
            row_for(arena, rows, c->recipient_domains.items[i]);
    for (size_t i = 0; connector_by_smart_host(c) && i < c->smart_hosts.count; i++)
        row_for(arena, rows, c->smart_hosts.items[i])->is_smart_host = true;
}

/* ---- what the past says ---- */

static const char *why_not(struct arena *arena, const struct gate_question *q, const struct forecast *f)
{
    int64_t against = f != NULL ? f->would_not + f->blocked + f->unknown : 0;
    if (against > 0)
        return arena_printf(arena, "%lld of %lld attempts would not have done: %s%s%s", (long long)against,
                            (long long)(against + f->would), f->code != NULL ? f->code : "", f->code != NULL ? " " : "",
                            f->why != NULL ? f->why : "DANE was not looked at");
    if (f == NULL || f->would == 0)
        return arena_printf(arena, "no mail went there by DANE in the last %lld days", (long long)q->days);
    if (q->history->now - f->first < (q->days - 1) * DAY)
        return arena_printf(arena, "it has been watched for %lld of %lld days only",
                            (long long)((q->history->now - f->first) / DAY), (long long)q->days);
    return NULL;
}

struct gate_rows gate_past(struct arena *arena, const struct gate_question *q)
{
    struct forecasts forecasts = summary_forecasts(arena, q->history);
    struct gate_rows rows = {0};
    add_named(arena, q->connector, &rows);
    for (size_t i = 0; i < forecasts.count; i++)
        if (carries(arena, q, &forecasts.items[i]))
            row_for(arena, &rows, forecasts.items[i].destination)->forecast = &forecasts.items[i];
    for (size_t i = 0; i < rows.count; i++)
        if (!rows.items[i].is_smart_host)
            rows.items[i].why = why_not(arena, q, rows.items[i].forecast);
    return rows;
}
