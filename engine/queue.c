/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/queue.h"

#include <search.h>
#include <stdlib.h>

#include "base/text.h"
#include "engine/store.h"

const char *const recipient_state_names[] = {"queued", "delivered", "bounced", "removed"};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, arrived INTEGER "
    "NOT NULL,"
    " size INTEGER NOT NULL, report INTEGER NOT NULL, recipients INTEGER NOT NULL, tls INTEGER NOT NULL,"
    " smtputf8 INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS content (message INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS recipient (id INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER NOT NULL, address "
    "TEXT NOT NULL,"
    " domain TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL,"
    " code TEXT NOT NULL, reason TEXT NOT NULL, connector TEXT NOT NULL, held INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS recipient_due ON recipient (due) WHERE state = 0 AND held = 0;"
    "CREATE INDEX IF NOT EXISTS recipient_to ON recipient (domain, due, message) WHERE state = 0 AND held = 0;"
    "CREATE INDEX IF NOT EXISTS recipient_message ON recipient (message, state);";

#define COLUMNS                                                                                                        \
    "SELECT r.id, r.message, r.address, r.domain, m.sender, m.arrived, r.due, m.size, r.attempts, r.state, r.code, "   \
    "r.reason, m.recipients, m.tls, m.smtputf8, r.connector, r.held"                                                   \
    " FROM recipient r JOIN message m ON m.id = r.message "
#define FREE " AND NOT taken(r.id) "

struct queue {
    struct store *store;
    const struct clock *clock;
    int64_t seen_id, seen_until; /* of recipients: what queue_destinations() has told */
    void *taken;                 /* tree of recipients in a delivery's hands */
};

/* ---- what is in a delivery's hands ---- */

static void *key_of(int64_t recipient)
{
    return (void *)(intptr_t)recipient;
}

static int compare_keys(const void *a, const void *b)
{
    return ((intptr_t)a > (intptr_t)b) - ((intptr_t)a < (intptr_t)b);
}

void queue_take(struct queue *queue, int64_t recipient)
{
    if (tsearch(key_of(recipient), &queue->taken, compare_keys) == NULL)
        abort();
}

void queue_release(struct queue *queue, int64_t recipient)
{
    tdelete(key_of(recipient), &queue->taken, compare_keys);
}

static bool is_taken(void *arg, int64_t recipient)
{
    return tfind(key_of(recipient), &((struct queue *)arg)->taken, compare_keys) != NULL;
}

static void forget_key(void *key UNUSED)
{
}

/* ---- birth and death ---- */

struct queue *queue_open(const char *path, bool fsync, const struct clock *clock, struct err *err)
{
    struct queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        abort();
    queue->clock = clock;
    queue->store = store_open(path, schema, fsync, err);
    if (queue->store == NULL || !store_predicate(queue->store, "taken", is_taken, queue, err))
        queue_close(&queue);
    return queue;
}

void queue_close(struct queue **queue)
{
    if (*queue == NULL)
        return;
    store_close(&(*queue)->store);
    tdestroy((*queue)->taken, forget_key);
    free(*queue);
    *queue = NULL;
}

/* ---- what comes ---- */

static bool add_recipients(struct queue *queue, const struct message *message, int64_t id, int64_t now, struct err *err)
{
    struct arena *arena = arena_new("queue_add");
    bool fine = true;
    for (size_t i = 0; fine && i < message->recipient_count; i++)
        fine =
            store_run(queue->store, err,
                      "INSERT INTO recipient (message, address, domain, state, attempts, due, code, reason, connector,"
                      " held) VALUES (?, ?, ?, 0, 0, ?, '', '', '', 0)",
                      "itti", id, message->recipients[i], message_domain(arena, message->recipients[i]), now);
    arena_free(&arena);
    return fine;
}

/* Inside of a transaction. */
static bool add_message(struct queue *queue, const struct message *message, int64_t *id, struct err *err)
{
    int64_t now = clock_now(queue->clock);
    if (!store_run(queue->store, err,
                   "INSERT INTO message (sender, arrived, size, report, recipients, tls, smtputf8)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?)",
                   "tiiiiii", message->sender, now, (int64_t)message->length, (int64_t)message->report,
                   (int64_t)message->recipient_count, (int64_t)message->tls, (int64_t)message->smtputf8))
        return false;
    *id = store_id(queue->store);
    return store_run(queue->store, err, "INSERT INTO content (message, bytes) VALUES (?, ?)", "ib", *id,
                     message->content, message->length) &&
           add_recipients(queue, message, *id, now, err);
}

bool queue_begin(struct queue *queue, struct err *err)
{
    return store_begin(queue->store, err);
}

bool queue_finish(struct queue *queue, bool fine, struct err *err)
{
    if (fine)
        return store_commit(queue->store, err);
    store_undo(queue->store);
    return false;
}

bool queue_add(struct queue *queue, const struct message *message, int64_t *id, struct err *err)
{
    int64_t row = 0;
    if (!store_begin(queue->store, err) || !queue_finish(queue, add_message(queue, message, &row, err), err))
        return false;
    if (id != NULL)
        *id = row;
    return true;
}

static void read_rows(sqlite3_stmt *rows, struct arena *arena, size_t limit, struct queued_list *list)
{
    while (list->count < limit && store_row(rows))
        *ARENA_PUSH(arena, list) = (struct queued){
            .id = sqlite3_column_int64(rows, 0),
            .message = sqlite3_column_int64(rows, 1),
            .address = store_text(arena, rows, 2),
            .domain = store_text(arena, rows, 3),
            .sender = store_text(arena, rows, 4),
            .arrived = sqlite3_column_int64(rows, 5),
            .due = sqlite3_column_int64(rows, 6),
            .size = sqlite3_column_int64(rows, 7),
            .attempts = (unsigned)sqlite3_column_int64(rows, 8),
            .state = (enum recipient_state)sqlite3_column_int(rows, 9),
            .code = store_text(arena, rows, 10),
            .reason = store_text(arena, rows, 11),
            .of_message = (size_t)sqlite3_column_int64(rows, 12),
            .tls = (enum message_tls)sqlite3_column_int(rows, 13),
            .smtputf8 = sqlite3_column_int(rows, 14) != 0,
            .connector = store_text(arena, rows, 15),
            .held = sqlite3_column_int(rows, 16) != 0,
        };
    store_end(rows);
}

void queue_group(struct queue *queue, void (*dirty)(void *arg), void *arg)
{
    store_group(queue->store, dirty, arg);
}

bool queue_pending(const struct queue *queue)
{
    return store_pending(queue->store);
}

bool queue_flush(struct queue *queue, struct err *err)
{
    return store_flush(queue->store, err);
}

static bool tell_rows(sqlite3_stmt *rows, int64_t *last_id, void (*tell)(void *arg, const char *destination), void *arg)
{
    if (rows == NULL)
        return false;
    while (store_row(rows)) {
        tell(arg, (const char *)sqlite3_column_text(rows, 0));
        if (sqlite3_column_int64(rows, 1) > *last_id)
            *last_id = sqlite3_column_int64(rows, 1);
    }
    return true;
}

bool queue_destinations(struct queue *queue, bool all, void (*tell)(void *arg, const char *destination), void *arg,
                        struct err *err)
{
    int64_t now = clock_now(queue->clock), since = all ? INT64_MIN : queue->seen_until;
    queue->seen_until = now;
    return tell_rows(
               store_query(queue->store, err,
                           "SELECT domain, max(id) FROM recipient WHERE state = 0 AND held = 0 AND due > ? AND due <= ?"
                           " GROUP BY domain",
                           "ii", since, now),
               &queue->seen_id, tell, arg) &&
           tell_rows(store_query(queue->store, err,
                                 "SELECT domain, id FROM recipient WHERE id > ? AND state = 0 AND held = 0", "i",
                                 queue->seen_id),
                     &queue->seen_id, tell, arg);
}

bool queue_due(struct queue *queue, struct arena *arena, const char *destination, struct queued_list *list,
               struct err *err)
{
    sqlite3_stmt *rows =
        store_query(queue->store, err,
                    COLUMNS "WHERE r.state = 0 AND r.held = 0 AND r.domain = ?1 AND r.due <= ?2" FREE "AND r.message ="
                            " (SELECT r.message FROM recipient r WHERE r.state = 0 AND r.held = 0 AND r.domain = ?1"
                            " AND r.due <= ?2" FREE "ORDER BY r.due, r.message LIMIT 1) ORDER BY r.id",
                    "ti", destination, (int64_t)clock_now(queue->clock));
    if (rows == NULL)
        return false;
    read_rows(rows, arena, SIZE_MAX, list);
    return true;
}

int64_t queue_next_due(struct queue *queue, int64_t after)
{
    sqlite3_stmt *rows =
        store_query(queue->store, NULL,
                    "SELECT min(r.due) FROM recipient r WHERE r.state = 0 AND r.held = 0 AND r.due > ?" FREE, "i",
                    after);
    int64_t due = INT64_MAX;
    if (rows != NULL && store_row(rows)) {
        if (sqlite3_column_type(rows, 0) != SQLITE_NULL)
            due = sqlite3_column_int64(rows, 0);
        store_end(rows);
    }
    return due;
}

bool queue_hurry(struct queue *queue, int64_t recipient, struct err *err)
{
    return store_run(queue->store, err, "UPDATE recipient SET due = ?1 WHERE id = ?2 AND state = 0 AND due > ?1", "ii",
                     (int64_t)clock_now(queue->clock), recipient);
}

bool queue_hurry_all(struct queue *queue, struct err *err)
{
    return store_run(queue->store, err, "UPDATE recipient SET due = ?1 WHERE state = 0 AND held = 0 AND due > ?1", "i",
                     (int64_t)clock_now(queue->clock));
}

bool queue_hold(struct queue *queue, int64_t recipient, bool held, struct err *err)
{
    return store_run(queue->store, err, "UPDATE recipient SET held = ? WHERE id = ? AND state = 0", "ii", (int64_t)held,
                     recipient);
}

/* ---- what an administrator picks out ---- */

static const struct filter_row filters[] = {
    {"message", "r.message = ?", 'i'},
    {"recipient", "r.address = ? COLLATE NOCASE", 't'},
    {"domain", "r.domain = lower(?)", 't'},
    {"sender", "m.sender = ? COLLATE NOCASE", 't'},
    {"connector", "r.connector = ? COLLATE NOCASE", 't'},
    {"code", "r.code GLOB ? || '*'", 't'},
    {"since", "m.arrived >= ?", 'i'},
    {"until", "m.arrived < ?", 'i'},
    {"held", "r.held = ?", 'i'},
};

bool queue_filter(struct arena *arena, const json_t *request, struct filter *filter, struct err *err)
{
    static const char *const others[] = {"report", NULL};
    return filter_read(arena, filters, COUNT(filters), others, request, filter, err);
}

static bool read_picked(sqlite3_stmt *rows, struct arena *arena, size_t limit, struct queued_list *list)
{
    if (rows == NULL)
        return false;
    read_rows(rows, arena, limit, list);
    store_drop(rows);
    return true;
}

bool queue_pick(struct queue *queue, struct arena *arena, const struct filter *filter, int64_t after, bool free,
                size_t limit, struct queued_list *list, struct err *err)
{
    const char *before =
        arena_printf(arena, COLUMNS "WHERE r.state = 0 AND r.id > %lld%sAND ", (long long)after, free ? FREE : " ");
    return read_picked(filter_query(queue->store, arena, before, filter, " ORDER BY r.id LIMIT ", limit, err), arena,
                       limit, list);
}

bool queue_list(struct queue *queue, struct arena *arena, const struct filter *filter, bool only_queued, size_t limit,
                struct queued_list *list, struct err *err)
{
    const char *before = only_queued ? COLUMNS "WHERE r.state = 0 AND " : COLUMNS "WHERE ";
    return read_picked(filter_query(queue->store, arena, before, filter, " ORDER BY r.id LIMIT ", limit, err), arena,
                       limit, list);
}

/* ---- the end of attempts ---- */

static bool settle_one(struct queue *queue, const struct settlement *s, struct err *err)
{
    return store_run(
               queue->store, err,
               "UPDATE recipient SET state = ?1, attempts = attempts + (?1 <> 3), due = ?2, code = ?3, reason = ?4,"
               " connector = coalesce(?5, connector) WHERE id = ?6 AND state = 0",
               "iittti", (int64_t)s->state, s->due, s->code, s->reason, s->connector, s->id) &&
           store_run(queue->store, err,
                     "DELETE FROM content WHERE message = ?1 AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = "
                     "?1 AND state = 0)",
                     "i", s->message);
}

bool queue_settle(struct queue *queue, const struct settlement *list, size_t count, const struct message *report,
                  int64_t *report_id, struct err *err)
{
    if (!store_begin(queue->store, err))
        return false;
    bool fine = true;
    int64_t row;
    for (size_t i = 0; fine && i < count; i++)
        fine = settle_one(queue, &list[i], err);
    if (fine && report != NULL)
        fine = add_message(queue, report, report_id != NULL ? report_id : &row, err);
    return queue_finish(queue, fine, err);
}

char *queue_content(struct queue *queue, struct arena *arena, int64_t message, size_t *length, struct err *err)
{
    sqlite3_stmt *rows = store_query(queue->store, err, "SELECT bytes FROM content WHERE message = ?", "i", message);
    if (rows == NULL)
        return NULL;
    if (!store_row(rows)) {
        err_set(err, ERR_SYSTEM, "message %lld has no content", (long long)message);
        return NULL;
    }
    *length = (size_t)sqlite3_column_bytes(rows, 0);
    char *content = arena_strndup(arena, *length > 0 ? sqlite3_column_blob(rows, 0) : "", *length);
    store_end(rows);
    return content;
}

static void read_recipients(struct queue *queue, struct arena *arena, int64_t id, struct message *message)
{
    struct {
        const char **items;
        size_t count, room;
    } list = {0};
    sqlite3_stmt *rows =
        store_query(queue->store, NULL, "SELECT address FROM recipient WHERE message = ? ORDER BY id", "i", id);
    while (rows != NULL && store_row(rows))
        *ARENA_PUSH(arena, &list) = store_text(arena, rows, 0);
    message->recipients = list.items;
    message->recipient_count = list.count;
}

bool queue_message(struct queue *queue, struct arena *arena, int64_t id, struct message *message, struct err *err)
{
    sqlite3_stmt *rows = store_query(queue->store, err, "SELECT sender, report FROM message WHERE id = ?", "i", id);
    if (rows == NULL)
        return false;
    if (!store_row(rows))
        return err_set(err, ERR_INPUT, "there is no message %lld", (long long)id);
    *message = (struct message){.sender = store_text(arena, rows, 0), .report = sqlite3_column_int(rows, 1) != 0};
    store_end(rows);
    read_recipients(queue, arena, id, message);
    message->content = queue_content(queue, arena, id, &message->length, err);
    return message->content != NULL;
}

bool queue_trim(struct queue *queue, int64_t older_than, struct err *err)
{
    static const char finished[] = "DELETE FROM message WHERE arrived < ? AND NOT EXISTS"
                                   " (SELECT 1 FROM recipient WHERE message = message.id AND state = 0)";
    if (!store_begin(queue->store, err))
        return false;
    return queue_finish(queue,
                        store_run(queue->store, err, finished, "i", older_than) &&
                            store_run(queue->store, err,
                                      "DELETE FROM recipient WHERE message NOT IN (SELECT id FROM message)", ""),
                        err);
}

void queue_depth(struct queue *queue, struct queue_depth *out)
{
    static const int64_t hour = 3600;
    sqlite3_stmt *row = store_query(queue->store, NULL,
                                    "SELECT count(*), sum(m.arrived <= ?), min(m.arrived) FROM recipient r"
                                    " JOIN message m ON m.id = r.message WHERE r.state = 0",
                                    "i", clock_now(queue->clock) - hour);
    if (row == NULL || !store_row(row))
        return;
    *out =
        (struct queue_depth){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)};
    store_end(row);
}
