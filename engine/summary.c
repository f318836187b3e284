/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/partner.h"
#include "engine/status.h"
#include "engine/trace.h"

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* A session over which mail could go. */
static bool was_open(const struct history_row *row)
{
    return is(row->event, trace_event_word(TRACE_TRY)) && is(row->cause, "");
}

bool summary_has_failed(const struct history_row *row)
{
    return is(row->event, trace_event_word(TRACE_DEFER)) || is(row->event, trace_event_word(TRACE_FAIL));
}

static const char *class_of(const struct history_row *row)
{
    if (strncmp(row->demand, "dane", 4) == 0)
        return "dane";
    return is(row->demand, "pkix") ? "mta-sts" : *row->tls != '\0' ? "tls" : "none";
}

const char *summary_class(const struct history_row *row)
{
    return is(row->event, trace_event_word(TRACE_SEND)) ? class_of(row) : NULL;
}

static const struct {
    const char *code, *kind;
} kinds[] = {
    {".7.321", "DANE"},  {".7.322", "DANE"},  {".7.323", "DANE"}, {".7.324", "DANE"},      {".7.325", "DANE"},
    {".4.8", "MTA-STS"}, {".7.5", "MTA-STS"}, {".7.320", "TLS"},  {".7.30", "REQUIRETLS"},
};

static const char *kind_of(const char *code)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (code[0] != '\0' && is(code + 1, kinds[i].code))
            return kinds[i].kind;
    return NULL;
}

bool summary_is_security(const char *code)
{
    return kind_of(code) != NULL;
}

/* ---- would mandatory have delivered? ---- */

static int index_of(const char *word, const char *(*word_at)(int value), int count)
{
    for (int i = 0; i < count; i++)
        if (is(word_at(i), word))
            return i;
    return 0;
}

static const char *trust_at(int value)
{
    return trust_word((enum dns_trust)value);
}
static const char *tlsa_at(int value)
{
    return tlsa_word((enum tlsa_state)value);
}

/* The same question that a delivery asks, with mandatory for the mode. */
static struct policy_decision decide_mandatory(const struct history_row *row)
{
    struct policy_facts facts = {
        .dane = DANE_MANDATORY,
        .mta_sts = MTA_STS_NONE,
        .mx_trust = (enum dns_trust)index_of(row->mx_trust, trust_at, TRUST_FAILED + 1),
        .host_trust = (enum dns_trust)index_of(row->host_trust, trust_at, TRUST_FAILED + 1),
        .tlsa = (enum tlsa_state)index_of(row->tlsa, tlsa_at, TLSA_LOOKUP_FAILED + 1),
    };
    return policy_decide(&facts);
}

/* Nobody looked: DANE is none there, and what was looked at does not rule it out. */
static bool is_unknown(const struct history_row *row)
{
    return is(row->tlsa, tlsa_word(TLSA_NOT_ASKED)) && is(row->mx_trust, trust_word(TRUST_SECURE)) &&
           is(row->host_trust, trust_word(TRUST_SECURE));
}

static void count_against(struct arena *arena, struct forecast *f, const struct history_row *row, const char *code,
                          const char *why)
{
    f->code = code;
    f->why = *row->host != '\0' ? arena_printf(arena, "%s: %s", row->host, why) : why;
}

static void count_sent(struct arena *arena, struct forecast *f, const struct history_row *row)
{
    struct policy_decision decision = decide_mandatory(row);
    if (is(class_of(row), "dane") && decision.act == ACT_TRY) {
        f->would += row->count;
    } else if (is_unknown(row) || decision.act == ACT_TRY) {
        f->unknown += row->count; /* records that nobody compared with the certificate */
    } else {
        struct failure failure = {.cause = CAUSE_HOST_SKIPPED, .reason = decision.reason, .text = decision.because};
        f->would_not += row->count;
        count_against(arena, f, row, status_of(arena, &failure, row->destination).code, decision.because);
    }
}

static void count_row(struct arena *arena, struct forecast *f, const struct history_row *row)
{
    if (was_open(row)) {
        count_sent(arena, f, row);
    } else if (summary_is_security(row->code)) {
        f->blocked += row->count;
        count_against(arena, f, row, row->code, row->text);
    } else {
        f->other += row->count;
    }
    if (f->first == 0 || row->first < f->first)
        f->first = row->first;
    if (row->last > f->last)
        f->last = row->last;
}

/* The rows are sorted by destination. */
static struct forecast *forecast_for(struct arena *arena, struct forecasts *list, const struct history_row *row)
{
    struct forecast *last = list->count > 0 ? &list->items[list->count - 1] : NULL;
    if (last == NULL || !is(last->destination, row->destination)) {
        last = ARENA_PUSH(arena, list);
        *last = (struct forecast){.destination = row->destination};
    }
    if (*row->connector != '\0' || last->connector == NULL)
        last->connector = row->connector;
    return last;
}

struct forecasts summary_forecasts(struct arena *arena, const struct history *h)
{
    struct forecasts list = {0};
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *row = &h->rows.items[i];
        if (*row->destination != '\0' && (was_open(row) || summary_has_failed(row)))
            count_row(arena, forecast_for(arena, &list, row), row);
    }
    return list;
}

bool forecast_is_good(const struct forecast *f)
{
    return f->would > 0 && f->would_not == 0 && f->blocked == 0 && f->unknown == 0;
}

json_t *summary_what_if(struct arena *arena, const struct history *h)
{
    struct forecasts list = summary_forecasts(arena, h);
    json_t *rows = json_array();
    for (size_t i = 0; i < list.count; i++) {
        const struct forecast *f = &list.items[i];
        bool open = f->would == 0 && f->would_not == 0 && f->blocked == 0;
        json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s?,s:s?}", "destination",
                                              f->destination, "connector", f->connector, "mandatory",
                                              forecast_is_good(f) ? "would deliver"
                                              : open              ? "not known"
                                                                  : "would hold mail up",
                                              "would", (json_int_t)f->would, "would-not", (json_int_t)f->would_not,
                                              "blocked", (json_int_t)f->blocked, "other", (json_int_t)f->other,
                                              "unknown", (json_int_t)f->unknown, "first", (json_int_t)f->first, "last",
                                              (json_int_t)f->last, "code", f->code, "why", f->why));
    }
    return rows;
}

/* ---- reports ---- */

static json_t *waiting(const struct history *h)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < h->waiting.count; i++) {
        const struct history_waiting *w = &h->waiting.items[i];
        if (w->late > 0)
            json_array_append_new(rows, json_pack("{s:s,s:I,s:I,s:s,s:s}", "destination", w->destination, "recipients",
                                                  (json_int_t)w->late, "oldest", (json_int_t)w->oldest, "code", w->code,
                                                  "text", w->reason));
    }
    return rows;
}

static json_t *blocked(const struct history *h)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *row = &h->rows.items[i];
        if (summary_has_failed(row) && kind_of(row->code) != NULL)
            json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:I,s:s}", "destination", row->destination, "kind",
                                                  kind_of(row->code), "code", row->code, "count",
                                                  (json_int_t)row->count, "text", row->text));
    }
    return rows;
}

/* Adds to the number in the row of that name, which is made if need be. */
static json_t *row_named(json_t *rows, const char *key, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (is(json_string_value(json_object_get(row, key)), name))
            return row;
    }
    row = json_pack("{s:s}", key, name);
    json_array_append_new(rows, row);
    return row;
}

static void add_to(json_t *row, const char *key, int64_t count)
{
    json_object_set_new(row, key, json_integer(json_integer_value(json_object_get(row, key)) + count));
}

static json_t *sent(const struct history *h)
{
    static const char *const classes[] = {"dane", "mta-sts", "tls", "none"};
    json_t *rows = json_array();
    for (size_t i = 0; i < COUNT(classes); i++)
        add_to(row_named(rows, "protection", classes[i]), "sent", 0);
    for (size_t i = 0; i < h->rows.count; i++)
        if (summary_class(&h->rows.items[i]) != NULL)
            add_to(row_named(rows, "protection", summary_class(&h->rows.items[i])), "sent", h->rows.items[i].count);
    return rows;
}

/* Where mail has gone in the clear. */
static json_t *in_clear(const struct history *h)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *row = &h->rows.items[i];
        const char *class = summary_class(row);
        if (class == NULL || !is(class, "none"))
            continue;
        json_t *line = row_named(rows, "destination", row->destination);
        add_to(line, "sent", row->count);
        json_object_set_new(line, "last", json_integer((json_int_t)row->last));
    }
    return rows;
}

static json_t *by_connector(const struct history *h)
{
    static const char *const columns[] = {"sent", "dane", "mta-sts", "tls", "none", "TLSv1.2", "TLSv1.3"};
    json_t *rows = json_array();
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *row = &h->rows.items[i];
        if (summary_class(row) == NULL)
            continue;
        json_t *line = row_named(rows, "connector", row->connector);
        for (size_t c = 0; c < COUNT(columns); c++)
            add_to(line, columns[c], 0);
        add_to(line, "sent", row->count);
        add_to(line, summary_class(row), row->count);
        if (*row->tls != '\0')
            add_to(line, row->tls, row->count);
    }
    return rows;
}

static json_t *ndr_codes(const struct history *h)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < h->rows.count; i++) {
        const struct history_row *row = &h->rows.items[i];
        if (!is(row->event, trace_event_word(TRACE_FAIL)))
            continue;
        json_t *line = row_named(rows, "code", row->code);
        add_to(line, "count", row->count);
        json_object_set_new(line, "message", json_integer((json_int_t)row->message));
        json_object_set_new(line, "text", json_string(row->text));
    }
    return rows;
}

json_t *summary_reports(struct arena *arena UNUSED, const struct history *h)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "queued", waiting(h), "blocked", blocked(h), "sent", sent(h), "clear",
                     in_clear(h), "connectors", by_connector(h), "ndr", ndr_codes(h));
}

/* ---- the queue ---- */

static int by_count(const void *a, const void *b)
{
    const struct history_waiting *const *x = a, *const *y = b;
    int64_t more = (*y)->count - (*x)->count;
    return more != 0 ? (more > 0 ? 1 : -1) : strcmp((*x)->destination, (*y)->destination);
}

json_t *summary_queue(struct arena *arena, const struct history *h)
{
    static const char *const ages[HISTORY_AGES] = {"15m", "1h", "4h", "12h", "longer"};
    size_t count = h->waiting.count;
    const struct history_waiting **sorted = arena_alloc(arena, (count + 1) * sizeof *sorted);
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        sorted[i] = &h->waiting.items[i];
    qsort(sorted, count, sizeof *sorted, by_count);
    for (size_t i = 0; i < count; i++) {
        const struct history_waiting *w = sorted[i];
        json_t *row = json_pack("{s:s,s:I}", "destination", w->destination, "total", (json_int_t)w->count);
        for (size_t a = 0; a < HISTORY_AGES; a++)
            json_object_set_new(row, ages[a], json_integer((json_int_t)w->ages[a]));
        json_object_set_new(row, "code", json_string(w->code));
        json_object_set_new(row, "reason", json_string(w->reason));
        json_array_append_new(rows, row);
    }
    return rows;
}

/* ---- inventory ---- */

struct entry { /* of one destination */
    const char *domain, *hosts, *last, *connector;
    int64_t last_at, volume, queued;
};
struct entries {
    struct entry *items;
    size_t count, room;
};

static struct entry *entry_for(struct arena *arena, struct entries *list, const char *domain)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_name_equal(list->items[i].domain, domain))
            return &list->items[i];
    struct entry *entry = ARENA_PUSH(arena, list);
    *entry = (struct entry){.domain = domain, .hosts = "", .last = "", .connector = ""};
    return entry;
}

static void note_host(struct arena *arena, struct entry *entry, const char *host)
{
    if (*host != '\0' && !text_has_word(entry->hosts, host))
        entry->hosts = arena_printf(arena, "%s%s%s", entry->hosts, *entry->hosts != '\0' ? " " : "", host);
}

static void note_row(struct arena *arena, struct entry *entry, const struct history_row *row)
{
    const char *class = summary_class(row);
    if (class != NULL)
        entry->volume += row->count;
    note_host(arena, entry, row->host);
    if ((class == NULL && !summary_has_failed(row)) || row->last < entry->last_at)
        return;
    entry->last_at = row->last;
    entry->last = class != NULL ? class : row->code;
    entry->connector = row->connector;
}

static void collect(struct arena *arena, const struct engine_config *config, const struct history *h,
                    struct entries *list)
{
    const struct partner *partners = config->partners.items;
    for (size_t i = 0; i < config->partners.count; i++)
        entry_for(arena, list, partners[i].domain);
    for (size_t i = 0; i < config->routing.connector_count; i++) {
        const struct connector *c = &config->routing.connectors[i];
        for (size_t d = 0; d < c->recipient_domains.count; d++)
            if (strchr(c->recipient_domains.items[d], '*') == NULL)
                entry_for(arena, list, c->recipient_domains.items[d]);
    }
    for (size_t i = 0; i < h->rows.count; i++)
        if (*h->rows.items[i].destination != '\0')
            note_row(arena, entry_for(arena, list, h->rows.items[i].destination), &h->rows.items[i]);
    for (size_t i = 0; i < h->waiting.count; i++)
        entry_for(arena, list, h->waiting.items[i].destination)->queued = h->waiting.items[i].count;
}

/* "own" when every host lies below the domain, else whose names the hosts have. */
static const char *dns_of(struct arena *arena, const struct entry *entry, const struct partner *partner)
{
    if (partner != NULL && partner->dns != NULL)
        return partner->dns;
    const char *others = "";
    for (const char *at = entry->hosts; *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        const char *host = arena_strndup(arena, at, length), *zone = strchr(host, '.');
        at += length;
        if (text_name_under(host, entry->domain) || zone == NULL || text_has_word(others, zone + 1))
            continue;
        others = arena_printf(arena, "%s%s%s", others, *others != '\0' ? " " : "", zone + 1);
    }
    return *others != '\0' ? others : *entry->hosts != '\0' ? "own" : "";
}

static const char *path_of(struct arena *arena, const struct connector *c)
{
    if (!connector_by_smart_host(c))
        return "MX";
    const char *path = "smart host";
    for (size_t i = 0; i < c->smart_hosts.count; i++)
        path = arena_printf(arena, "%s %s", path, c->smart_hosts.items[i]);
    return path;
}

static json_t *row_of(struct arena *arena, const struct engine_config *config, const struct entry *entry)
{
    const struct partner *partner = partner_find(&config->partners, entry->domain);
    struct route_question question = {.sender = "",
                                      .recipient = arena_printf(arena, "postmaster@%s", entry->domain),
                                      .domain = entry->domain};
    const struct connector *c = connector_choose(&config->routing, &question).connector;
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:s}", "domain", entry->domain,
                     "criticality", partner_criticality_words[partner != NULL ? partner->criticality : 0], "owner",
                     partner != NULL && partner->owner != NULL ? partner->owner : "", "dns",
                     dns_of(arena, entry, partner), "path", path_of(arena, c), "connector", c != NULL ? c->name : "",
                     "smtp-dane", connector_dane_words[connector_dane(c)], "mta-sts",
                     connector_sts_words[connector_mta_sts(c)], "tls", connector_tls_words[connector_tls(c)], "last",
                     entry->last, "last-at", (json_int_t)entry->last_at, "volume", (json_int_t)entry->volume, "queued",
                     (json_int_t)entry->queued, "note", partner != NULL && partner->note != NULL ? partner->note : "");
}

json_t *summary_inventory(struct arena *arena, const struct engine_config *config, const struct history *h)
{
    struct entries list = {0};
    json_t *rows = json_array();
    collect(arena, config, h, &list);
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(rows, row_of(arena, config, &list.items[i]));
    return rows;
}
