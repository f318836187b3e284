/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/connector_change.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"

static const char text[] = "hostname: relay.example\ndirectory: %s\nconnectors:\n"
                           "  - {name: Lab, recipient-domains: partner.example, smtp-dane: mandatory, fallback: old}\n"
                           "  - {name: old, recipient-domains: partner.example, enabled: no}\n";

struct bench {
    struct arena *arena;
    char directory[64];
    struct engine_config *config;
};

static void read_config(struct bench *b)
{
    struct diag_list *diags = diag_new(b->arena);
    const char *file = arena_printf(b->arena, text, b->directory);
    const struct tree_node *root = tree_read_text(b->arena, "engine.yaml", file, strlen(file), diags);
    b->config = engine_config_parse(b->arena, root, diags);
    ck_assert_ptr_nonnull(b->config);
}

static void open_bench(struct bench *b)
{
    *b = (struct bench){.arena = arena_new("test"), .directory = "/tmp/connector_change_test_XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(b->directory));
    read_config(b);
}

static void close_bench(struct bench *b)
{
    static const char *const names[] = {"connectors.db", "connectors.db-wal", "connectors.db-shm"};
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(arena_printf(b->arena, "%s/%s", b->directory, names[i]));
    ck_assert_int_eq(rmdir(b->directory), 0);
    arena_free(&b->arena);
}

static bool make_at(struct bench *b, int64_t now, const char *connector, const char *key, const char *value,
                    struct err *err)
{
    struct connector_change change = {connector, key, value, "why"};
    struct change_list list = {&change, 1, 1};
    return connector_changes_make(b->arena, b->config, now, &list, &b->config->routing, err);
}

static const struct connector *lab(const struct bench *b)
{
    return connector_find(&b->config->routing, "lab");
}

START_TEST(a_change_outlives_a_restart_until_it_is_taken_back)
{
    struct bench b;
    struct err err;
    open_bench(&b);
    ck_assert(make_at(&b, 100, "lab", "smtp-dane", "none", &err));
    ck_assert(make_at(&b, 200, "LAB", "smart-hosts", "gw.example,192.0.2.1", &err));
    ck_assert(make_at(&b, 300, "Lab", "fallback-on", "yes", &err));
    read_config(&b);
    ck_assert_int_eq(lab(&b)->dane, DANE_MANDATORY);
    ck_assert(connector_changes_load(b.arena, b.config, &err));
    ck_assert_int_eq(lab(&b)->dane, DANE_NONE);
    ck_assert_uint_eq(lab(&b)->smart_hosts.count, 2);
    ck_assert(lab(&b)->fallback_on);
    ck_assert(make_at(&b, 400, "Lab", "smart-hosts", NULL, &err) && make_at(&b, 500, "Lab", "smtp-dane", NULL, &err));
    ck_assert_int_eq(lab(&b)->dane, DANE_MANDATORY);
    ck_assert_uint_eq(lab(&b)->smart_hosts.count, 0);
    ck_assert(lab(&b)->fallback_on);
    json_t *log = connector_changes_log(b.arena, b.config, &err);
    ck_assert_uint_eq(json_array_size(log), 5);
    ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(log, 4), "at")), 500);
    ck_assert(json_is_null(json_object_get(json_array_get(log, 4), "value")));
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(log, 0), "note")), "why");
    json_decref(log);
    close_bench(&b);
}
END_TEST

START_TEST(what_the_file_says_of_modes_is_logged_once)
{
    static const size_t wanted[] = {2, 0}; /* Lab is mandatory, old is not enabled */
    struct bench b;
    struct err err;
    struct change_list news;
    open_bench(&b);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        ck_assert(connector_changes_note(b.arena, b.config, 100, &news, &err));
        ck_assert_uint_eq(news.count, wanted[i]);
    }
    b.config->written.connector_count = 1; /* old is gone */
    ck_assert(connector_changes_note(b.arena, b.config, 200, &news, &err));
    ck_assert_uint_eq(news.count, 1);
    ck_assert(strcmp(news.items[0].connector, "old") == 0 && news.items[0].value == NULL);
    json_t *log = connector_changes_log(b.arena, b.config, &err), *first = json_array_get(log, 0);
    ck_assert_uint_eq(json_array_size(log), 3);
    ck_assert_str_eq(json_string_value(json_object_get(first, "value")), "mandatory");
    ck_assert_str_eq(json_string_value(json_object_get(first, "by")), "file");
    json_decref(log);
    ck_assert(connector_changes_load(b.arena, b.config, &err)); /* a log, no change */
    close_bench(&b);
}
END_TEST

START_TEST(what_is_as_by_default_needs_no_log)
{
    struct bench b;
    struct err err;
    struct change_list news;
    open_bench(&b);
    b.config->written.connector_count = 0;
    ck_assert(connector_changes_note(b.arena, b.config, 100, &news, &err));
    ck_assert_uint_eq(news.count, 0);
    close_bench(&b); /* its folder is empty */
}
END_TEST

START_TEST(a_change_is_tried_without_being_made)
{
    struct bench b;
    struct err err;
    struct routing next;
    struct connector_change change = {"lab", "smtp-dane", "none", NULL};
    struct change_list list = {&change, 1, 1};
    open_bench(&b);
    ck_assert(connector_changes_try(b.arena, b.config, &list, &next, &err));
    ck_assert_int_eq(connector_find(&next, "lab")->dane, DANE_NONE);
    ck_assert(connector_changes_load(b.arena, b.config, &err));
    ck_assert_int_eq(lab(&b)->dane, DANE_MANDATORY);
    close_bench(&b);
}
END_TEST

/* clang-format off */
static const struct { const char *name, *connector, *key, *value, *why; } refusals[] = {
    {"an unknown mode",    "lab",    "smtp-dane",   "mandatry",  "mandatory"},
    {"an unknown setting", "lab",    "smtp-dan",    "none",      "smtp-dane"},
    {"nobody",             "nobody", "smtp-dane",   "none",      "no connector is named 'nobody'"},
    {"a name",             "lab",    "name",        "other",     "keeps its name"},
    {"what cannot be",     "lab",    "smart-hosts", "192.0.2.1", "never be met by an IP address"},
    {"a scope twice",      "old",    "enabled",     "yes",       "in the scope of connector"},
    {"no YAML",            "lab",    "tls-domain",  "[a",        ""},
};
/* clang-format on */

START_TEST(a_change_that_makes_no_sense_is_refused)
{
    struct bench b;
    struct err err = {0};
    open_bench(&b);
    ck_assert_msg(!make_at(&b, 1, refusals[_i].connector, refusals[_i].key, refusals[_i].value, &err), "%s",
                  refusals[_i].name);
    ck_assert_msg(strstr(err.text, refusals[_i].why) != NULL, "%s: %s", refusals[_i].name, err.text);
    json_t *log = connector_changes_log(b.arena, b.config, &err);
    ck_assert_uint_eq(json_array_size(log), 0);
    json_decref(log);
    close_bench(&b);
}
END_TEST

START_TEST(a_change_that_no_longer_fits_stops_the_start)
{
    struct bench b;
    struct err err = {0};
    open_bench(&b);
    ck_assert(make_at(&b, 1, "lab", "smtp-dane", "none", &err));
    b.config->written.connector_count = 0;
    ck_assert(!connector_changes_load(b.arena, b.config, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "connector reset"));
    ck_assert(make_at(&b, 2, "lab", "smtp-dane", NULL, &err));
    ck_assert(connector_changes_load(b.arena, b.config, &err));
    close_bench(&b);
}
END_TEST

/* clang-format off */
static const struct { const char *request; size_t changes; bool read; } requests[] = {
    {"{\"name\":\"a\",\"set\":{\"smtp-dane\":\"none\",\"fallback-on\":null}}", 2, true},
    {"{\"name\":\"a\",\"set\":{}}",                0, false},
    {"{\"name\":\"a\",\"set\":{\"enabled\":true}}", 0, false},
    {"{\"set\":{\"enabled\":\"yes\"}}",            0, false},
    {"{\"name\":7,\"set\":[]}",                    0, false},
};
/* clang-format on */

START_TEST(a_request_is_read)
{
    struct arena *arena = arena_new("test");
    struct change_list list = {0};
    json_t *request = json_loads(requests[_i].request, 0, NULL);
    ck_assert(connector_changes_read(arena, request, &list, NULL) == requests[_i].read);
    ck_assert(!requests[_i].read || list.count == requests[_i].changes);
    json_decref(request);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(connector_change)
{
    TEST(a_change_outlives_a_restart_until_it_is_taken_back);
    TEST(what_the_file_says_of_modes_is_logged_once);
    TEST(what_is_as_by_default_needs_no_log);
    TEST(a_change_is_tried_without_being_made);
    TEST_LOOP(a_change_that_makes_no_sense_is_refused, COUNT(refusals));
    TEST(a_change_that_no_longer_fits_stops_the_start);
    TEST_LOOP(a_request_is_read, COUNT(requests));
}
