/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/queue.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/testing.h"

struct bench {
    char path[64];
    struct clock clock;
    struct queue *queue;
    struct arena *arena;
};

static void open_bench(struct bench *b)
{
    struct err err;
    *b = (struct bench){.path = "/tmp/queue_test_XXXXXX", .arena = arena_new("test")};
    int fd = mkstemp(b->path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    b->queue = queue_open(b->path, false, &b->clock, &err);
    ck_assert_msg(b->queue != NULL, "%s", err.text);
}

static void close_bench(struct bench *b)
{
    queue_close(&b->queue);
    for (size_t i = 0; i < 3; i++)
        unlink(arena_printf(b->arena, "%s%s", b->path, (const char *[]){"", "-wal", "-shm"}[i]));
    arena_free(&b->arena);
}

/* A second handle on the same file, as after kill -9: nothing of the first one's memory counts. */
static void kill_bench(struct bench *b)
{
    struct err err;
    struct queue *after = queue_open(b->path, false, &b->clock, &err);
    ck_assert_ptr_nonnull(after);
    queue_close(&b->queue);
    b->queue = after;
}

static int64_t add_two(struct bench *b)
{
    static const char *const recipients[] = {"a@X.example", "b@y.example"};
    struct message message = {"s@z.example", recipients,         2,   "A: b\r\n\r\nbody\0!", 14, false,
                              NULL,          MESSAGE_REQUIRETLS, true};
    int64_t id;
    ck_assert(queue_add(b->queue, &message, &id, NULL));
    return id;
}

struct due_bench {
    struct bench *b;
    struct queued_list list;
};

static void on_destination(void *arg, const char *destination)
{
    struct due_bench *due = arg;
    ck_assert(queue_due(due->b->queue, due->b->arena, destination, &due->list, NULL));
}

/* One message for each destination. */
static struct queued_list due_now(struct bench *b)
{
    struct due_bench due = {.b = b};
    ck_assert(queue_destinations(b->queue, true, on_destination, &due, NULL));
    return due.list;
}

static void settle(struct bench *b, const struct queued *r, enum recipient_state state, int64_t due,
                   const struct message *report)
{
    struct settlement s = {r->id, r->message, state, due, "4.7.323", "why", "lab"};
    ck_assert(queue_settle(b->queue, &s, 1, report, NULL, NULL));
}

START_TEST(what_was_accepted_is_there_after_a_kill)
{
    struct bench b;
    open_bench(&b);
    int64_t id = add_two(&b);
    kill_bench(&b);
    struct queued_list due = due_now(&b);
    ck_assert_uint_eq(due.count, 2);
    ck_assert_str_eq(due.items[0].address, "a@X.example");
    ck_assert_str_eq(due.items[0].domain, "x.example");
    ck_assert_str_eq(due.items[1].sender, "s@z.example");
    ck_assert_int_eq(due.items[1].tls, MESSAGE_REQUIRETLS);
    ck_assert(due.items[1].smtputf8);
    size_t length;
    char *content = queue_content(b.queue, b.arena, id, &length, NULL);
    ck_assert_uint_eq(length, 14);
    ck_assert_mem_eq(content, "A: b\r\n\r\nbody\0!", 14);
    close_bench(&b);
}
END_TEST

START_TEST(what_is_in_hands_is_not_due_until_a_kill)
{
    struct bench b;
    open_bench(&b);
    add_two(&b);
    struct queued_list due = due_now(&b);
    queue_take(b.queue, due.items[0].id);
    queue_take(b.queue, due.items[1].id);
    ck_assert_uint_eq(due_now(&b).count, 0);
    queue_release(b.queue, due.items[1].id);
    ck_assert_uint_eq(due_now(&b).count, 1);
    kill_bench(&b);
    ck_assert_uint_eq(due_now(&b).count, 2);
    close_bench(&b);
}
END_TEST

static void note_destination(void *arg, const char *destination)
{
    struct bench *b = ((struct due_bench *)arg)->b;
    struct queued *told = ARENA_PUSH(b->arena, &((struct due_bench *)arg)->list);
    told->domain = arena_strdup(b->arena, destination);
}

static struct queued_list news(struct bench *b)
{
    struct due_bench due = {.b = b};
    ck_assert(queue_destinations(b->queue, false, note_destination, &due, NULL));
    return due.list;
}

START_TEST(destinations_are_told_when_something_is_due)
{
    struct bench b;
    open_bench(&b);
    add_two(&b);
    struct queued_list told = news(&b), due = due_now(&b);
    ck_assert_uint_eq(told.count, 2);
    ck_assert_str_eq(told.items[0].domain, "x.example");
    ck_assert_str_eq(told.items[1].domain, "y.example");
    ck_assert_uint_eq(news(&b).count, 0);
    settle(&b, &due.items[1], RECIPIENT_QUEUED, clock_now(&b.clock) + 900, NULL);
    clock_advance(&b.clock, 899);
    ck_assert_uint_eq(news(&b).count, 0);
    clock_advance(&b.clock, 1);
    told = news(&b);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_str_eq(told.items[0].domain, "y.example");
    add_two(&b);
    ck_assert_uint_eq(news(&b).count, 2);
    close_bench(&b);
}
END_TEST

static void count_dirty(void *arg)
{
    ++*(unsigned *)arg;
}

/* What another process, or this one after a kill, would find. */
static size_t on_disk(struct queue *other, struct arena *arena)
{
    struct queued_list list = {0};
    ck_assert(queue_list(other, arena, NULL, true, 10, &list, NULL));
    return list.count;
}

START_TEST(many_changes_are_committed_together)
{
    struct bench b;
    unsigned dirty = 0;
    struct err err;
    open_bench(&b);
    struct queue *other = queue_open(b.path, false, &b.clock, &err);
    queue_group(b.queue, count_dirty, &dirty);
    add_two(&b);
    add_two(&b);
    ck_assert_uint_eq(dirty, 1);
    ck_assert(queue_pending(b.queue));
    ck_assert_uint_eq(on_disk(other, b.arena), 0);
    ck_assert(queue_flush(b.queue, &err));
    ck_assert(!queue_pending(b.queue));
    ck_assert_uint_eq(on_disk(other, b.arena), 4);
    add_two(&b);
    ck_assert_uint_eq(dirty, 2);
    queue_close(&b.queue);
    ck_assert_uint_eq(on_disk(other, b.arena), 4);
    b.queue = other;
    close_bench(&b);
}
END_TEST

/* As on a full disk: no file may grow. */
static void fill_disk(bool full)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = full ? 0 : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* One recipient taken before what fails, one in it; one of them settled in it. */
START_TEST(a_commit_that_fails_is_undone_but_for_what_is_in_hands)
{
    struct bench b;
    unsigned dirty = 0;
    struct err err;
    open_bench(&b);
    add_two(&b);
    struct queued_list due = due_now(&b);
    queue_group(b.queue, count_dirty, &dirty);
    queue_take(b.queue, due.items[0].id);
    settle(&b, &due.items[0], RECIPIENT_QUEUED, clock_now(&b.clock) + 900, NULL);
    queue_take(b.queue, due.items[1].id);
    fill_disk(true);
    ck_assert(!queue_flush(b.queue, &err));
    fill_disk(false);
    ck_assert_uint_eq(due_now(&b).count, 0);
    queue_release(b.queue, due.items[0].id);
    due = due_now(&b);
    ck_assert_uint_eq(due.count, 1);
    ck_assert_uint_eq(due.items[0].attempts, 0);
    ck_assert_str_eq(due.items[0].address, "a@X.example");
    close_bench(&b);
}
END_TEST

/* What is larger than SQLite's memory of pages is written before the commit, and fails there. */
START_TEST(a_change_that_fails_takes_the_others_with_it)
{
    struct bench b;
    unsigned dirty = 0;
    struct err err;
    static const char *const recipients[] = {"a@x.example"};
    static char much[16 << 20];
    struct message large = {.recipients = recipients, .recipient_count = 1, .sender = "", .content = much};
    large.length = sizeof much;
    open_bench(&b);
    queue_group(b.queue, count_dirty, &dirty);
    add_two(&b);
    fill_disk(true);
    ck_assert(!queue_add(b.queue, &large, NULL, &err));
    fill_disk(false);
    ck_assert(!queue_add(b.queue, &large, NULL, &err));
    ck_assert(queue_pending(b.queue) && !queue_flush(b.queue, &err));
    ck_assert_uint_eq(due_now(&b).count, 0);
    ck_assert(queue_add(b.queue, &large, NULL, &err) && queue_flush(b.queue, &err));
    ck_assert_uint_eq(due_now(&b).count, 1);
    ck_assert_uint_eq(dirty, 2);
    close_bench(&b);
}
END_TEST

START_TEST(a_deferred_recipient_is_due_again)
{
    struct bench b;
    open_bench(&b);
    add_two(&b);
    struct queued_list due = due_now(&b);
    int64_t now = clock_now(&b.clock);
    settle(&b, &due.items[0], RECIPIENT_QUEUED, now + 900, NULL);
    settle(&b, &due.items[1], RECIPIENT_DELIVERED, 0, NULL);
    ck_assert_uint_eq(due_now(&b).count, 0);
    ck_assert_int_eq(queue_next_due(b.queue, INT64_MIN), now + 900);
    ck_assert_int_eq(queue_next_due(b.queue, now + 899), now + 900);
    ck_assert_int_eq(queue_next_due(b.queue, now + 900), INT64_MAX);
    kill_bench(&b);
    clock_advance(&b.clock, 901);
    struct queued_list again = due_now(&b);
    ck_assert_uint_eq(again.count, 1);
    ck_assert_uint_eq(again.items[0].attempts, 1);
    ck_assert_str_eq(again.items[0].code, "4.7.323");
    close_bench(&b);
}
END_TEST

START_TEST(an_end_is_an_end)
{
    struct bench b;
    open_bench(&b);
    int64_t id = add_two(&b);
    struct queued_list due = due_now(&b);
    settle(&b, &due.items[0], RECIPIENT_DELIVERED, 0, NULL);
    settle(&b, &due.items[0], RECIPIENT_QUEUED, 1, NULL); /* too late */
    settle(&b, &due.items[1], RECIPIENT_BOUNCED, 0, NULL);
    ck_assert_uint_eq(due_now(&b).count, 0);
    ck_assert_int_eq(queue_next_due(b.queue, INT64_MIN), INT64_MAX);
    size_t length;
    ck_assert_ptr_null(queue_content(b.queue, b.arena, id, &length, NULL)); /* dropped with the last recipient */
    struct queued_list all = {0};
    ck_assert(queue_list(b.queue, b.arena, NULL, false, 100, &all, NULL));
    ck_assert_uint_eq(all.count, 2);
    ck_assert_int_eq(all.items[0].state, RECIPIENT_DELIVERED);
    ck_assert_int_eq(all.items[1].state, RECIPIENT_BOUNCED);
    close_bench(&b);
}
END_TEST

START_TEST(a_bounce_and_its_report_come_together)
{
    struct bench b;
    open_bench(&b);
    add_two(&b);
    struct queued_list due = due_now(&b);
    static const char *const sender[] = {"s@z.example"};
    struct message report = {"", sender, 1, "x\r\n", 3, true, NULL, MESSAGE_TLS_UNSAID, false};
    settle(&b, &due.items[0], RECIPIENT_BOUNCED, 0, &report);
    kill_bench(&b);
    struct queued_list after = due_now(&b);
    ck_assert_uint_eq(after.count, 2);
    ck_assert_str_eq(after.items[1].address, "s@z.example");
    ck_assert_str_eq(after.items[1].sender, "");
    close_bench(&b);
}
END_TEST

/* The addresses that a request picks out, with blanks between. */
static const char *picked(struct bench *b, const char *request, bool free)
{
    struct err err;
    struct filter filter;
    struct queued_list list = {0};
    json_t *asked = json_loads(request, 0, NULL);
    const char *text = "";
    if (!queue_filter(b->arena, asked, &filter, &err) ||
        !queue_pick(b->queue, b->arena, &filter, 0, free, 100, &list, &err))
        text = arena_strdup(b->arena, err.text);
    for (size_t i = 0; i < list.count; i++)
        text = arena_printf(b->arena, "%s%s%s", text, i > 0 ? " " : "", list.items[i].address);
    json_decref(asked);
    return text;
}

/* Message 1: two recipients, of whom one has been tried and waits, the other is in hands. */
static void open_waiting(struct bench *b)
{
    open_bench(b);
    add_two(b);
    struct queued_list due = due_now(b);
    settle(b, &due.items[0], RECIPIENT_QUEUED, clock_now(&b->clock) + 900, NULL);
    queue_take(b->queue, due.items[1].id);
}

/* clang-format off */
static const struct { const char *request; bool free; const char *addresses; } picks[] = {
    {"{}", false, "a@X.example b@y.example"},
    {"{}", true, "a@X.example"},
    {"{\"message\":1}", false, "a@X.example b@y.example"},
    {"{\"message\":2}", false, ""},
    {"{\"recipient\":\"B@Y.example\"}", false, "b@y.example"},
    {"{\"domain\":\"X.EXAMPLE\"}", false, "a@X.example"},
    {"{\"sender\":\"S@z.example\"}", false, "a@X.example b@y.example"},
    {"{\"connector\":\"lab\"}", false, "a@X.example"},
    {"{\"code\":\"4.7\"}", false, "a@X.example"},
    {"{\"held\":1}", false, ""},
    {"{\"since\":99999999999}", false, ""},
    {"{\"until\":99999999999}", false, "a@X.example b@y.example"},
    {"{\"conector\":\"lab\"}", false, "nothing is picked out by 'conector'; did you mean 'connector'?"},
};
/* clang-format on */

START_TEST(requests_pick_out)
{
    struct bench b;
    open_waiting(&b);
    ck_assert_str_eq(picked(&b, picks[_i].request, picks[_i].free), picks[_i].addresses);
    close_bench(&b);
}
END_TEST

START_TEST(hurry_makes_one_due_or_all)
{
    struct bench b;
    open_waiting(&b);
    kill_bench(&b);
    ck_assert_uint_eq(due_now(&b).count, 1);
    ck_assert(queue_hurry(b.queue, 1, NULL));
    ck_assert_uint_eq(due_now(&b).count, 2);
    struct queued_list due = due_now(&b);
    settle(&b, &due.items[0], RECIPIENT_QUEUED, clock_now(&b.clock) + 900, NULL);
    ck_assert(queue_hurry_all(b.queue, NULL));
    ck_assert_uint_eq(due_now(&b).count, 2);
    close_bench(&b);
}
END_TEST

START_TEST(what_is_held_waits_until_it_is_released)
{
    struct bench b;
    open_waiting(&b);
    kill_bench(&b);
    ck_assert(queue_hold(b.queue, 1, true, NULL) && queue_hold(b.queue, 2, true, NULL));
    ck_assert(queue_hurry_all(b.queue, NULL) && queue_hurry(b.queue, 1, NULL));
    ck_assert_uint_eq(due_now(&b).count, 0);
    ck_assert_int_eq(queue_next_due(b.queue, INT64_MIN), INT64_MAX);
    kill_bench(&b);
    ck_assert_uint_eq(due_now(&b).count, 0);
    ck_assert(queue_hold(b.queue, 1, false, NULL));
    ck_assert_uint_eq(due_now(&b).count, 1);
    close_bench(&b);
}
END_TEST

START_TEST(only_finished_messages_are_trimmed)
{
    struct bench b;
    open_bench(&b);
    add_two(&b);
    struct queued_list due = due_now(&b), all = {0};
    settle(&b, &due.items[0], RECIPIENT_DELIVERED, 0, NULL);
    ck_assert(queue_trim(b.queue, clock_now(&b.clock) + 10, NULL));
    ck_assert_uint_eq(due_now(&b).count, 1);
    settle(&b, &due.items[1], RECIPIENT_DELIVERED, 0, NULL);
    ck_assert(queue_trim(b.queue, clock_now(&b.clock) + 10, NULL));
    ck_assert(queue_list(b.queue, b.arena, NULL, false, 100, &all, NULL));
    ck_assert_uint_eq(all.count, 0);
    close_bench(&b);
}
END_TEST

TEST_SUITE(queue)
{
    TEST(what_was_accepted_is_there_after_a_kill);
    TEST(what_is_in_hands_is_not_due_until_a_kill);
    TEST(destinations_are_told_when_something_is_due);
    TEST(many_changes_are_committed_together);
    TEST(a_commit_that_fails_is_undone_but_for_what_is_in_hands);
    TEST(a_change_that_fails_takes_the_others_with_it);
    TEST(a_deferred_recipient_is_due_again);
    TEST(an_end_is_an_end);
    TEST(a_bounce_and_its_report_come_together);
    TEST_LOOP(requests_pick_out, COUNT(picks));
    TEST(hurry_makes_one_due_or_all);
    TEST(what_is_held_waits_until_it_is_released);
    TEST(only_finished_messages_are_trimmed);
}
