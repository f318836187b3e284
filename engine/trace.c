/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/trace.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/filter.h"

enum { TRIM_EVERY_S = 3600, TRIM_ROWS = 20000, LIST_DEFAULT = 1000 };

/* What an event makes of its recipient; NULL: nothing new. */
static const struct {
    const char *word, *status;
} events[] = {
    [TRACE_RECEIVE] = {"Receive", "Pending"},
    [TRACE_SUBMIT] = {"Submit", "Pending"},
    [TRACE_TRANSFER] = {"Transfer", NULL},
    [TRACE_SEND] = {"Send", "Delivered"},
    [TRACE_DEFER] = {"Defer", "Pending"},
    [TRACE_FAIL] = {"Fail", "Failed"},
    [TRACE_DROP] = {"Drop", "Failed"},
    [TRACE_RESUBMIT] = {"Resubmit", "Pending"},
    [TRACE_HOLD] = {"Hold", "Pending"},
    [TRACE_RELEASE] = {"Release", "Pending"},
    [TRACE_SKIP] = {"Skip", NULL},
    [TRACE_TRY] = {"Try", NULL},
};
static_assert(COUNT(events) == TRACE_EVENT_COUNT, "every event has its word");
static const char *const trust_words[] = {"not-asked", "secure", "insecure", "overridden", "bogus", "failed"};
static const char *const tlsa_words[] = {"not-asked", "absent", "insecure", "unusable", "usable", "failed"};
static const char *const mx_words[] = {
    [MX_FOUND] = "found",          [MX_IMPLICIT] = "implicit",     [MX_NULL] = "null",
    [MX_NO_DOMAIN] = "no-domain",  [MX_NO_ADDRESS] = "no-address", [MX_LOOP] = "loop",
    [MX_LOOKUP_FAILED] = "failed",
};
static_assert(COUNT(mx_words) == MX_STATE_COUNT, "every state has its word");
static const char *const sts_words[] = {"absent", "none", "testing", "enforce"};
static const char *const demand_words[] = {"nothing", "tls", "dane", "pkix", "dane+pkix"};

#define COLUMNS                                                                                                        \
    "at, message, attempt, event, recipient, destination, connector, connector_why, host, address, mx, mx_trust, "     \
    "host_trust, tlsa, sts_mode, sts_id, sts_why, demand, clause, because, authenticated, tls, cipher, certificate, "  \
    "cause, code, text, detail, next, certificate_until, signed_until"
#define COLUMN_KINDS                                                                                                   \
    "iii"                                                                                                              \
    "ttttttttttttttttt"                                                                                                \
    "i"                                                                                                                \
    "ttttttt"                                                                                                          \
    "iii"
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS trace (id INTEGER PRIMARY KEY, " COLUMNS ");"
    "CREATE INDEX IF NOT EXISTS trace_at ON trace (at);"
    "CREATE INDEX IF NOT EXISTS trace_message ON trace (message);"
    "CREATE TABLE IF NOT EXISTS recipient (message INTEGER, recipient TEXT COLLATE NOCASE, domain TEXT, sender TEXT"
    " COLLATE NOCASE, message_id TEXT, received INTEGER, size INTEGER, status TEXT, connector TEXT, host TEXT,"
    " address TEXT, attempts INTEGER, code TEXT, text TEXT, last INTEGER, next INTEGER,"
    " PRIMARY KEY (message, recipient));"
    "CREATE INDEX IF NOT EXISTS recipient_address ON recipient (recipient);"
    "CREATE INDEX IF NOT EXISTS recipient_last ON recipient (last);";

struct trace {
    char *path;
    double keep_s;
    struct store *store;
    bool broken, writing; /* writing: a transaction is open */
    unsigned unwritten;
    int64_t trimmed;
    void (*note)(void *arg, const struct trace_entry *entry);
    void *note_arg;
};

const char *demand_word(enum tls_demand demand)
{
    return demand_words[demand];
}

const char *trace_event_word(enum trace_event event)
{
    return events[event].word;
}

const char *trust_word(enum dns_trust trust)
{
    return trust_words[trust];
}

const char *tlsa_word(enum tlsa_state state)
{
    return tlsa_words[state];
}

const char *mx_word(enum mx_state state)
{
    return mx_words[state];
}

const char *sts_word(enum sts_policy_mode mode)
{
    return sts_words[mode];
}

struct trace *trace_new(const char *path, double keep_s)
{
    struct trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL || asprintf(&trace->path, "%s", path) < 0)
        abort();
    trace->keep_s = keep_s;
    return trace;
}

static bool commit(struct trace *trace, struct err *err)
{
    bool was_writing = trace->writing;
    trace->writing = false;
    trace->unwritten = 0;
    return !was_writing || store_commit(trace->store, err);
}

void trace_free(struct trace **trace)
{
    if (*trace == NULL)
        return;
    (void)commit(*trace, NULL); /* nobody is left to be told */
    store_close(&(*trace)->store);
    free((*trace)->path);
    free(*trace);
    *trace = NULL;
}

static bool opened(struct trace *trace, struct err *err)
{
    if (trace->store == NULL)
        trace->store = store_open(trace->path, schema, false, err);
    return trace->store != NULL;
}

static bool begun(struct trace *trace, struct err *err)
{
    if (!opened(trace, err) || (!trace->writing && !store_begin(trace->store, err)))
        return false;
    trace->writing = true;
    return ++trace->unwritten < TRACE_BATCH || (commit(trace, err) && begun(trace, err));
}

static void check(struct trace *trace, bool fine, const struct err *err)
{
    if (fine || trace->broken)
        return;
    trace->broken = true;
    fprintf(stderr, "mtalab-engine: the trace is lost: %s\n", err->text);
}

/* ---- entries ---- */

/* The first signature to end among those that vouch for what was found; 0: there is none. */
static int64_t signed_until(const struct trace_entry *e)
{
    int64_t mx = e->mx != NULL ? e->mx->signed_until : 0, host = e->facts != NULL ? e->facts->signed_until : 0;
    return mx == 0 || (host != 0 && host < mx) ? host : mx;
}

static bool insert_event(struct trace *trace, const struct trace_entry *e, struct err *err)
{
    const struct policy_decision *d = e->decision;
    return store_run(trace->store, err,
                     "INSERT INTO trace (" COLUMNS
                     ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     COLUMN_KINDS, e->at, e->message, (int64_t)e->attempt, events[e->event].word, e->recipient,
                     e->destination, e->connector, e->connector_why, e->host, e->address,
                     e->mx ? mx_words[e->mx->state] : NULL, e->mx ? trust_words[e->mx->trust] : NULL,
                     e->facts ? trust_words[e->facts->trust] : NULL, e->facts ? tlsa_words[e->facts->tlsa] : NULL,
                     e->sts ? sts_words[e->sts->mode] : NULL, e->sts ? e->sts->id : NULL, e->sts ? e->sts->why : NULL,
                     d ? demand_words[d->demand] : NULL, d ? d->clause : NULL, d ? d->because : NULL,
                     (int64_t)(d != NULL && d->authenticated_domain && e->tls != NULL &&
                               (e->tls->dane_passed || e->tls->pkix_passed)),
                     e->tls ? e->tls->version : NULL, e->tls ? e->tls->cipher : NULL,
                     e->tls ? e->tls->certificate_sha256 : NULL, e->cause, e->code, e->text, e->detail, e->next,
                     e->tls ? e->tls->certificate_until : 0, signed_until(e));
}

/* A recipient whose beginning was not seen has what the event knows of it. */
static bool note_status(struct trace *trace, const struct trace_entry *e, struct err *err)
{
    static const char sql[] =
        "INSERT INTO recipient (message, recipient, domain, sender, received, status, connector, host, address,"
        " attempts, code, text, last, next) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?5,?13)"
        " ON CONFLICT (message, recipient) DO UPDATE SET status = excluded.status,"
        " connector = coalesce(excluded.connector, connector), host = coalesce(excluded.host, host),"
        " address = coalesce(excluded.address, address), attempts = max(excluded.attempts, coalesce(attempts, 0)),"
        " code = coalesce(excluded.code, code), text = iif(excluded.code IS NULL, text, excluded.text),"
        " last = excluded.last, next = excluded.next";
    return store_run(trace->store, err, sql, "itttittttitti", e->message, e->recipient, e->destination, e->sender,
                     e->at, events[e->event].status, e->connector, e->host, e->address, (int64_t)e->attempt, e->code,
                     e->text, e->next);
}

static bool insert(struct trace *trace, const struct trace_entry *entry, struct err *err)
{
    return begun(trace, err) && insert_event(trace, entry, err) &&
           (entry->recipient == NULL || events[entry->event].status == NULL || note_status(trace, entry, err));
}

void trace_watch(struct trace *trace, void (*note)(void *arg, const struct trace_entry *entry), void *arg)
{
    trace->note = note;
    trace->note_arg = arg;
}

void trace_add(struct trace *trace, const struct trace_entry *entry)
{
    struct err err;
    if (trace->note != NULL)
        trace->note(trace->note_arg, entry);
    if (!trace->broken)
        check(trace, insert(trace, entry, &err), &err);
}

/* ---- a message's beginning ---- */

static bool insert_recipient(struct trace *trace, int64_t at, int64_t id, const struct message *message, size_t i,
                             const char *message_id, struct err *err)
{
    struct arena *arena = arena_new("trace");
    bool fine = store_run(
        trace->store, err,
        "INSERT OR IGNORE INTO recipient (message, recipient, domain, sender, message_id, received, size, status,"
        " attempts, last) VALUES (?1,?2,?3,?4,?5,?6,?7,'Pending',0,?6)",
        "ittttii", id, message->recipients[i], message_domain(arena, message->recipients[i]), message->sender,
        message_id, at, (int64_t)message->length);
    arena_free(&arena);
    return fine;
}

/* Where a message comes from, and what it says of its way (RFC 8689). */
static const char *origin(struct arena *arena, const struct message *message, const char *why)
{
    static const char *const ways[MESSAGE_TLS_COUNT] = {
        [MESSAGE_REQUIRETLS] = "REQUIRETLS", [MESSAGE_TLS_WAIVED] = "TLS-Required: No"};
    const char *way = ways[message->tls];
    return way != NULL ? arena_printf(arena, "%s, %s", why != NULL ? why : "", way) : why;
}

static bool insert_message(struct trace *trace, int64_t at, int64_t id, enum trace_event event,
                           const struct message *message, const char *why, struct err *err)
{
    struct arena *arena = arena_new("trace");
    const char *message_id = message_field(arena, message->content, message->length, "Message-ID");
    struct trace_entry entry = {.at = at, .message = id, .event = event, .text = origin(arena, message, why)};
    bool fine = begun(trace, err) && insert_event(trace, &entry, err);
    for (size_t i = 0; fine && i < message->recipient_count; i++)
        fine = insert_recipient(trace, at, id, message, i, message_id, err);
    arena_free(&arena);
    return fine;
}

void trace_message(struct trace *trace, int64_t at, int64_t id, enum trace_event event, const struct message *message,
                   const char *why)
{
    struct err err;
    if (trace->note != NULL)
        trace->note(trace->note_arg, &(struct trace_entry){.at = at, .message = id, .event = event, .text = why});
    if (!trace->broken)
        check(trace, insert_message(trace, at, id, event, message, why, &err), &err);
}

/* ---- to disk, and away ---- */

/* Some of what is too old; *more: there may be others. */
static bool trim(struct trace *trace, int64_t before, bool *more, struct err *err)
{
    bool fine =
        store_run(trace->store, err, "DELETE FROM trace WHERE id IN (SELECT id FROM trace WHERE at < ? LIMIT ?)", "ii",
                  before, (int64_t)TRIM_ROWS);
    *more = store_changes(trace->store) == TRIM_ROWS;
    fine =
        fine && store_run(trace->store, err,
                          "DELETE FROM recipient WHERE rowid IN (SELECT rowid FROM recipient WHERE last < ? LIMIT ?)",
                          "ii", before, (int64_t)TRIM_ROWS);
    *more |= store_changes(trace->store) == TRIM_ROWS;
    return fine;
}

void trace_flush(struct trace *trace, int64_t now)
{
    struct err err;
    bool more = false, fine = true;
    if (trace->broken || trace->store == NULL)
        return;
    if (now - trace->trimmed >= TRIM_EVERY_S && begun(trace, &err)) {
        fine = trim(trace, now - (int64_t)trace->keep_s, &more, &err);
        trace->trimmed = more ? 0 : now;
    }
    check(trace, commit(trace, &err) && fine, &err);
}

/* ---- asking ---- */

static const struct filter_row filters[] = {
    {"recipient", "r.recipient = ?", 't'},
    {"sender", "r.sender = ?", 't'},
    {"domain", "r.domain = lower(?)", 't'},
    {"message", "r.message = ?", 'i'},
    {"message-id", "r.message_id = ?", 't'},
    {"status", "r.status = ? COLLATE NOCASE", 't'},
    {"connector", "r.connector = ? COLLATE NOCASE", 't'},
    {"code", "r.code GLOB ? || '*'", 't'},
    {"since", "r.received >= ?", 'i'},
    {"until", "r.received < ?", 'i'},
    {"host", "r.host = ? COLLATE NOCASE", 't'},
    {"to-ip", "trim(rtrim(rtrim(r.address, '0123456789'), ':'), '[]') = ?", 't'}, /* without its port */
    {"from-ip",
     "EXISTS (SELECT 1 FROM trace t WHERE t.message = r.message AND t.event = 'Receive'"
     " AND instr(t.text, '[' || ? || ']') = 1)",
     't'},
};
static const char *const other_keys[] = {"events", NULL};

static json_t *value_of(sqlite3_stmt *rows, int column)
{
    if (sqlite3_column_type(rows, column) == SQLITE_INTEGER)
        return json_integer(sqlite3_column_int64(rows, column));
    const char *text = (const char *)sqlite3_column_text(rows, column);
    json_t *value = text != NULL ? json_string(text) : json_null();
    return value != NULL ? value : json_string("(not UTF-8)");
}

static json_t *list_rows(sqlite3_stmt *rows)
{
    json_t *newest = json_array(), *list = json_array();
    while (store_row(rows)) {
        json_t *entry = json_object();
        for (int i = 0; i < sqlite3_column_count(rows); i++)
            json_object_set_new(entry, sqlite3_column_name(rows, i), value_of(rows, i));
        json_array_append_new(newest, entry);
    }
    for (size_t i = json_array_size(newest); i > 0; i--)
        json_array_append(list, json_array_get(newest, i - 1));
    json_decref(newest);
    store_drop(rows);
    return list;
}

/* An event concerns its recipient; without one, every recipient at its destination; without that, the message. The
 * recipients come first: there are few of them, and an index leads from them to their events. */
#define EVENTS_OF "WITH picked (mail, who, place) AS (SELECT message, recipient, domain FROM recipient r WHERE "
#define EVENTS                                                                                                         \
    " ORDER BY message DESC LIMIT 5000) SELECT " COLUMNS                                                               \
    " FROM picked CROSS JOIN trace ON trace.message = picked.mail"                                                     \
    " WHERE (trace.recipient IS NULL OR trace.recipient = who COLLATE NOCASE)"                                         \
    " AND (trace.destination IS NULL OR trace.destination = place)"                                                    \
    " GROUP BY trace.id ORDER BY trace.id DESC LIMIT "
#define RECIPIENTS                                                                                                     \
    "SELECT message, recipient, sender, message_id AS \"message-id\", received, size, status, connector, host, "       \
    "address,"                                                                                                         \
    " attempts, code, text, last, next FROM recipient r WHERE "

json_t *trace_list(struct trace *trace, const json_t *request, struct err *err)
{
    struct arena *arena = arena_new("trace");
    struct filter filter;
    json_int_t limit = json_integer_value(json_object_get(request, "limit"));
    bool of_events = json_is_true(json_object_get(request, "events"));
    sqlite3_stmt *rows = NULL;
    if (opened(trace, err) && filter_read(arena, filters, COUNT(filters), other_keys, request, &filter, err))
        rows = filter_query(trace->store, arena, of_events ? EVENTS_OF : RECIPIENTS, &filter,
                            of_events ? EVENTS : " ORDER BY message DESC, rowid DESC LIMIT ",
                            limit > 0 && limit < TRACE_ROWS_MAX ? (size_t)limit : LIST_DEFAULT, err);
    json_t *list = rows != NULL ? list_rows(rows) : NULL;
    arena_free(&arena);
    return list;
}
