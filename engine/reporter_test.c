/* SPDX-License-Identifier: BSD-2-Clause
 * What becomes of a report that cannot be handed over; whole reports are made and sent by scenarios. */
#include "engine/reporter.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"
#include "engine/store.h"
#include "engine/tlsrpt_store.h"

enum { HOUR = 3600, PARCELS = REPORTER_AT_ONCE + 5 };

static struct arena *arena;
static struct loop *loop;
static struct clock now;
static struct reporter *reporter;
static struct err err;
static char directory[] = "/tmp/reporter_test.XXXXXX";
static unsigned offered;
static bool takes;

static bool take_mail(void *outside UNUSED, const struct message *message, int64_t *id, struct err *why)
{
    offered++;
    *id = 1;
    return takes ? strstr(message->content, "TLS-Report-Domain: partner.example") != NULL
                 : err_set(why, ERR_SYSTEM, "the disk is full");
}

static const char *write_key(void)
{
    const char *path = arena_printf(arena, "%s/key.pem", directory);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    FILE *file = fopen(path, "we");
    ck_assert(file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
    EVP_PKEY_free(key);
    return path;
}

static const char *path_of_store(void)
{
    return arena_printf(arena, "%s/tlsrpt.db", directory);
}

/* Reports of yesterday on their way to as many mailboxes. */
static void add_parcels(size_t count)
{
    struct tlsrpt_store *store = tlsrpt_store_open(path_of_store(), &err);
    struct tlsrpt_plan plan = {.domain = "partner.example", .day = clock_now(&now) - TLSRPT_DAY};
    struct tlsrpt_parcel parcel = {.report_id = "r", .name = "n", .body = "x", .length = 1, .made = clock_now(&now)};
    const char *uris[PARCELS];
    for (size_t i = 0; i < count; i++)
        uris[i] = arena_printf(arena, "mailto:%zu@partner.example", i);
    ck_assert(store != NULL && tlsrpt_store_add(store, &plan, &parcel, uris, count, &err));
    tlsrpt_store_close(&store);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path_of_store(), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void set_up(size_t parcels)
{
    static struct engine_config config;
    static const struct reporter_ports ports = {.mail = take_mail};
    arena = arena_new("test");
    loop = loop_new(&err);
    now = (struct clock){0}; /* tests may share a process */
    takes = false;
    memset(directory + sizeof directory - 7, 'X', 6);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    add_parcels(parcels);
    config.tlsrpt =
        (struct engine_tlsrpt){.contact = "tls@sender.example", .dkim_key = write_key(), .dkim_selector = "lab"};
    config.trace_keep = 90 * TLSRPT_DAY;
    reporter = reporter_new(&config, path_of_store(), &now, loop, &ports, &err);
    ck_assert_msg(reporter != NULL, "%s", err.text);
}

static void tear_down(void)
{
    reporter_free(&reporter);
    loop_free(&loop);
    static const char *const files[] = {"tlsrpt.db", "tlsrpt.db-wal", "tlsrpt.db-shm", "key.pem"};
    for (size_t i = 0; i < COUNT(files); i++)
        unlink(arena_printf(arena, "%s/%s", directory, files[i]));
    rmdir(directory);
    arena_free(&arena);
}

static unsigned offered_after(int64_t pause)
{
    offered = 0;
    clock_advance(&now, pause);
    reporter_tick(reporter);
    return offered;
}

START_TEST(a_queue_that_takes_it)
{
    set_up(1);
    takes = true;
    ck_assert_uint_eq(offered_after(0), 1);
    ck_assert_uint_eq(offered_after(HOUR), 0);
    tear_down();
}
END_TEST

START_TEST(a_queue_that_is_full)
{
    set_up(1);
    ck_assert_uint_eq(offered_after(0), 1);
    ck_assert_uint_eq(offered_after(1), 0); /* not every second */
    ck_assert_uint_eq(offered_after(5 * 60), 1);
    ck_assert_uint_eq(offered_after(5 * 60), 0);
    ck_assert_uint_eq(offered_after(24 * HOUR), 1); /* for a day, and no longer */
    ck_assert_uint_eq(offered_after(24 * HOUR), 0);
    tear_down();
}
END_TEST

START_TEST(those_that_fail_let_others_pass)
{
    set_up(PARCELS);
    ck_assert_uint_eq(offered_after(0), REPORTER_AT_ONCE);
    takes = true;
    ck_assert_uint_eq(offered_after(1), PARCELS - REPORTER_AT_ONCE);
    ck_assert_uint_eq(offered_after(5 * 60), REPORTER_AT_ONCE);
    tear_down();
}
END_TEST

START_TEST(a_store_that_cannot_be_written)
{
    set_up(2);
    run_sql("CREATE TRIGGER full BEFORE UPDATE ON parcel BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    takes = true;
    ck_assert_uint_eq(offered_after(0), 0); /* what cannot be noted is not sent */
    run_sql("DROP TRIGGER full");
    ck_assert_uint_eq(offered_after(60), 0); /* it rests */
    reporter_hurry(reporter);
    ck_assert_uint_eq(offered, 2);
    tear_down();
}
END_TEST

TEST_SUITE(reporter)
{
    TEST(a_queue_that_takes_it);
    TEST(a_queue_that_is_full);
    TEST(those_that_fail_let_others_pass);
    TEST(a_store_that_cannot_be_written);
}
