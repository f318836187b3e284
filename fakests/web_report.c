/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakests/web_report.h"

struct web_reports {
    struct arena *arena;
    struct {
        struct web_report *items;
        size_t count, room;
    } list;
    size_t bytes;
};

struct web_reports *web_reports_new(void)
{
    struct arena *arena = arena_new("TLS reports");
    struct web_reports *reports = arena_alloc(arena, sizeof *reports);
    reports->arena = arena;
    return reports;
}

void web_reports_free(struct web_reports **reports)
{
    if (*reports == NULL)
        return;
    struct arena *arena = (*reports)->arena;
    *reports = NULL;
    arena_free(&arena);
}

bool web_reports_add(struct web_reports *reports, const struct web_report *report)
{
    if (report->length > WEB_REPORTS_BYTES - reports->bytes)
        return false;
    reports->bytes += report->length;
    *ARENA_PUSH(reports->arena, &reports->list) = (struct web_report){
        .host = arena_strdup(reports->arena, report->host),
        .type = arena_strdup(reports->arena, report->type),
        .bytes = arena_memdup(reports->arena, report->bytes, report->length),
        .length = report->length,
    };
    return true;
}

const struct web_report *web_reports_at(const struct web_reports *reports, size_t n)
{
    return n < reports->list.count ? &reports->list.items[n] : NULL;
}
