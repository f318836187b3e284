/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"

static const char policy_text[] = "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 1000\n";
static const char none_text[] = "version: STSv1\nmode: none\nmax_age: 1000\n";

struct fixture {
    char directory[40];
    char path[60];
    struct arena *arena;
    struct sts_cache *cache;
};

static void reopen(struct fixture *f)
{
    struct err err;
    sts_cache_close(&f->cache);
    f->cache = sts_cache_open(f->path, &err);
    ck_assert_msg(f->cache != NULL, "%s", err.text);
}

static struct fixture fixture_new(void)
{
    struct fixture f = {.directory = "/tmp/sts_cache_test.XXXXXX", .arena = arena_new("test")};
    ck_assert_ptr_nonnull(mkdtemp(f.directory));
    snprintf(f.path, sizeof f.path, "%s/sts.db", f.directory);
    reopen(&f);
    return f;
}

static void fixture_free(struct fixture *f)
{
    sts_cache_close(&f->cache);
    arena_free(&f->arena);
    unlink(f->path);
    rmdir(f->directory);
}

static void put(struct fixture *f, const char *domain, const char *id, const char *text, int64_t at)
{
    struct sts_cached entry = {.text = text, .fetched_at = at, .expires_at = at + 1000};
    snprintf(entry.id, sizeof entry.id, "%s", id);
    sts_cache_put(f->cache, domain, &entry);
}

static const struct {
    const char *name;
    int64_t now;
    bool found;
} lives[] = {
    {"at once", 5000, true},
    {"one second before the end", 5999, true},
    {"at the end (8461-5.1-5)", 6000, false},
    {"long after", 99999, false},
};

START_TEST(a_policy_lives_for_max_age)
{
    struct fixture f = fixture_new();
    struct sts_cached got;
    put(&f, "a.example", "id1", policy_text, 5000);
    reopen(&f); /* a restart forgets nothing */
    ck_assert_msg(sts_cache_find(f.cache, f.arena, "a.example", lives[_i].now, &got) == lives[_i].found, "%s",
                  lives[_i].name);
    if (lives[_i].found)
        ck_assert(strcmp(got.id, "id1") == 0 && got.policy.mode == STS_ENFORCE && got.policy.mx_count == 1 &&
                  got.fetched_at == 5000 && got.expires_at == 6000 && strcmp(got.text, policy_text) == 0);
    ck_assert(!sts_cache_find(f.cache, f.arena, "b.example", lives[_i].now, &got));
    fixture_free(&f);
}
END_TEST

START_TEST(a_new_policy_replaces_the_old_one)
{
    struct fixture f = fixture_new();
    struct sts_cached got;
    put(&f, "a.example", "id1", policy_text, 5000);
    put(&f, "a.example", "id2", none_text, 5500);
    ck_assert(sts_cache_find(f.cache, f.arena, "a.example", 6400, &got));
    ck_assert(strcmp(got.id, "id2") == 0 && got.policy.mode == STS_MODE_NONE);
    fixture_free(&f);
}
END_TEST

static const struct {
    const char *name, *domain, *id;
    int64_t now;
    bool lately;
} failures[] = {
    {"at once", "a.example", "id1", 5000, true},
    {"within five minutes (8461-3.3-9)", "a.example", "id1", 5299, true},
    {"after five minutes", "a.example", "id1", 5300, false},
    {"another id at once", "a.example", "id2", 5001, false},
    {"another domain", "b.example", "id1", 5001, false},
};

START_TEST(a_failed_fetch_waits)
{
    struct fixture f = fixture_new();
    const struct sts_fetch_failure noted = {"sts-webpki-invalid", "it has expired"};
    struct sts_fetch_failure got = {0};
    sts_cache_put_failure(f.cache, "a.example", "id1", &noted, 5000);
    reopen(&f);
    bool lately =
        sts_cache_failed_lately(f.cache, f.arena, failures[_i].domain, failures[_i].id, failures[_i].now, &got);
    ck_assert_msg(lately == failures[_i].lately, "%s", failures[_i].name);
    if (lately)
        ck_assert(strcmp(got.result_type, noted.result_type) == 0 && strcmp(got.why, noted.why) == 0);
    put(&f, "a.example", "id1", policy_text, 5000);
    ck_assert(!sts_cache_failed_lately(f.cache, f.arena, "a.example", "id1", 5001, &got));
    fixture_free(&f);
}
END_TEST

START_TEST(old_policies_are_found_for_refreshing)
{
    struct fixture f = fixture_new();
    const char *domains[4];
    put(&f, "young.example", "id", policy_text, 5600);
    put(&f, "old.example", "id", policy_text, 5300);
    put(&f, "older.example", "id", policy_text, 5200);
    put(&f, "dead.example", "id", policy_text, 4000);
    ck_assert_uint_eq(sts_cache_aging(f.cache, f.arena, 5900, 86400, "", 4, domains), 2);
    ck_assert_str_eq(domains[0], "old.example");
    ck_assert_str_eq(domains[1], "older.example");
    ck_assert_uint_eq(sts_cache_aging(f.cache, f.arena, 5900, 86400, "old.example", 4, domains), 1);
    ck_assert_str_eq(domains[0], "older.example");
    ck_assert_uint_eq(sts_cache_aging(f.cache, f.arena, 5900, 250, "", 4, domains), 3);
    ck_assert_uint_eq(sts_cache_aging(f.cache, f.arena, 5900, 250, "", 1, domains), 1);
    fixture_free(&f);
}
END_TEST

TEST_SUITE(sts_cache)
{
    TEST_LOOP(a_policy_lives_for_max_age, COUNT(lives));
    TEST(a_new_policy_replaces_the_old_one);
    TEST_LOOP(a_failed_fetch_waits, COUNT(failures));
    TEST(old_policies_are_found_for_refreshing);
}
