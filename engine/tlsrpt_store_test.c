/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

#define DOMAIN "partner.example"
enum { MIDNIGHT = 1780272000, NOON = MIDNIGHT + 43200 };

static struct arena *arena;
static struct tlsrpt_store *store;
static struct err err;

static void set_up(void)
{
    arena = arena_new("test");
    store = tlsrpt_store_open(":memory:", &err);
    ck_assert_ptr_nonnull(store);
}

static void tear_down(void)
{
    tlsrpt_store_close(&store);
    arena_free(&arena);
}

/* One session with mx1; failure NULL: authenticated by DANE. */
static void count_with(unsigned char digest, int64_t now, const char *domain, const char *failure, const char *why)
{
    const unsigned char bytes[] = {digest, 2};
    const struct tlsa_record record = {3, 1, 1, bytes, 2};
    struct host_facts host = {.name = "mx1." DOMAIN,
                              .tlsa = TLSA_USABLE,
                              .tlsa_base = "mx1." DOMAIN,
                              .records = &record,
                              .record_count = 1,
                              .published_count = 1};
    struct tlsrpt_session session = {.domain = domain,
                                     .host = &host,
                                     .course = TLS_DONE,
                                     .why = why,
                                     .sending_ip = "192.0.2.1",
                                     .receiving_ip = "198.51.100.1"};
    session.tls.dane_failure = failure;
    ck_assert(tlsrpt_store_count(store, now, now - now % TLSRPT_DAY + TLSRPT_DAY, domain, &session, &err));
}

static void count(int64_t now, const char *domain, const char *failure, const char *why)
{
    count_with(1, now, domain, failure, why);
}

static struct tlsrpt_plan the_plan(int64_t until)
{
    struct tlsrpt_plans plans = {0};
    ck_assert(tlsrpt_store_plans(store, arena, until, 10, &plans, &err));
    ck_assert_uint_eq(plans.count, 1);
    return plans.items[0];
}

static const char *policies_of(const struct tlsrpt_plan *plan)
{
    json_t *policies = tlsrpt_store_policies(store, plan, &err);
    char *text = json_dumps(policies, JSON_COMPACT);
    const char *kept = arena_strdup(arena, text);
    free(text);
    json_decref(policies);
    return kept;
}

START_TEST(sessions_of_a_day)
{
    set_up();
    count(NOON, DOMAIN, NULL, NULL);
    count(NOON + 1, DOMAIN, NULL, NULL);
    count(NOON + 2, DOMAIN, "validation-failure", "no TLSA record \"matches\"\r\n");
    count(NOON + 3, DOMAIN, "validation-failure", "no TLSA record \"matches\"\r\n");
    struct tlsrpt_plan plan = the_plan(MIDNIGHT + TLSRPT_DAY);
    ck_assert_str_eq(plan.domain, DOMAIN);
    ck_assert_int_eq(plan.day, MIDNIGHT);
    ck_assert_str_eq(policies_of(&plan),
                     "[{\"policy\":{\"policy-type\":\"tlsa\",\"policy-string\":[\"3 1 1 0102\"],"
                     "\"policy-domain\":\"mx1.partner.example\"},\"summary\":{\"total-successful-session-count\":2,"
                     "\"total-failure-session-count\":2},\"failure-details\":[{\"result-type\":\"validation-failure\","
                     "\"sending-mta-ip\":\"192.0.2.1\",\"receiving-mx-hostname\":\"mx1.partner.example\","
                     "\"receiving-ip\":\"198.51.100.1\",\"failed-session-count\":2,"
                     "\"failure-reason-code\":\"no TLSA record \\\"matches\\\"\\r\\n\"}]}]");
    tear_down();
}
END_TEST

/* RPT-10: days are those of UTC, and nothing is lost at midnight. */
START_TEST(days_are_apart)
{
    set_up();
    count(MIDNIGHT - 1, DOMAIN, NULL, NULL);
    count(MIDNIGHT, DOMAIN, NULL, NULL);
    count(MIDNIGHT + TLSRPT_DAY - 1, DOMAIN, NULL, NULL);
    struct tlsrpt_plans plans = {0};
    ck_assert(tlsrpt_store_plans(store, arena, INT64_MAX, 10, &plans, &err));
    ck_assert_uint_eq(plans.count, 2);
    ck_assert_int_eq(plans.items[0].day, MIDNIGHT - TLSRPT_DAY);
    ck_assert_ptr_nonnull(strstr(policies_of(&plans.items[0]), "\"total-successful-session-count\":1"));
    ck_assert_ptr_nonnull(strstr(policies_of(&plans.items[1]), "\"total-successful-session-count\":2"));
    ck_assert_int_eq(the_plan(MIDNIGHT).day, MIDNIGHT - TLSRPT_DAY);
    tear_down();
}
END_TEST

START_TEST(a_report_on_its_way)
{
    static const char *const uris[] = {"mailto:a@b.example", "https://c.example/"};
    set_up();
    count(NOON, DOMAIN, NULL, NULL);
    struct tlsrpt_plan plan = the_plan(INT64_MAX);
    struct tlsrpt_parcel parcel = {
        .report_id = "r1", .name = "n.json.gz", .body = "a\0b", .length = 3, .due = 100, .made = 90};
    struct tlsrpt_parcels parcels = {0};
    ck_assert(tlsrpt_store_add(store, &plan, &parcel, uris, COUNT(uris), &err));
    ck_assert(tlsrpt_store_parcels(store, arena, 99, 10, &parcels, &err));
    ck_assert_uint_eq(parcels.count, 0);
    ck_assert(tlsrpt_store_parcels(store, arena, 100, 10, &parcels, &err));
    ck_assert_uint_eq(parcels.count, 2);
    ck_assert_str_eq(parcels.items[1].uri, "https://c.example/");
    ck_assert_mem_eq(parcels.items[0].body, "a\0b", 3);
    ck_assert(tlsrpt_store_done(store, parcels.items[0].id, &err));
    ck_assert(tlsrpt_store_again(store, parcels.items[1].id, 150, &err));
    ck_assert_int_eq(tlsrpt_store_next(store), 150);
    ck_assert(tlsrpt_store_done(store, parcels.items[1].id, &err));
    ck_assert(tlsrpt_store_next(store) == INT64_MAX);
    tear_down();
}
END_TEST

START_TEST(what_is_reported_is_not_reported_again)
{
    static const char *const uris[] = {"mailto:a@b.example"};
    struct tlsrpt_parcel parcel = {.report_id = "r1", .name = "n", .body = "x", .length = 1};
    set_up();
    for (int i = 0; i < 3; i++) {
        count(NOON + i, DOMAIN, NULL, NULL);
        struct tlsrpt_plan plan = the_plan(INT64_MAX);
        ck_assert_ptr_nonnull(strstr(policies_of(&plan), "\"total-successful-session-count\":1"));
        ck_assert(i == 1 ? tlsrpt_store_drop(store, &plan, &err)
                         : tlsrpt_store_add(store, &plan, &parcel, uris, 1, &err));
        ck_assert_str_eq(policies_of(&plan), "[]");
    }
    tear_down();
}
END_TEST

START_TEST(failures_have_a_bound)
{
    set_up();
    for (int i = 0; i < TLSRPT_DETAILS_MAX + 50; i++)
        count(NOON, DOMAIN, "validation-failure", arena_printf(arena, "reason %d", i));
    struct tlsrpt_plan plan = the_plan(INT64_MAX);
    json_t *policies = tlsrpt_store_policies(store, &plan, &err), *entry = json_array_get(policies, 0);
    ck_assert_uint_eq(json_array_size(json_object_get(entry, "failure-details")), TLSRPT_DETAILS_MAX + 1);
    json_t *plain = json_array_get(json_object_get(entry, "failure-details"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(plain, "failed-session-count")), 50);
    json_decref(policies);
    tear_down();
}
END_TEST

START_TEST(policies_have_a_bound)
{
    set_up();
    for (int i = 0; i < TLSRPT_POLICIES_MAX + 50; i++)
        count_with((unsigned char)i, NOON, DOMAIN, NULL, NULL);
    struct tlsrpt_plan plan = the_plan(INT64_MAX);
    json_t *policies = tlsrpt_store_policies(store, &plan, &err);
    ck_assert_uint_eq(json_array_size(policies), TLSRPT_POLICIES_MAX + 1);
    ck_assert_ptr_nonnull(strstr(policies_of(&plan), "{\"policy\":{\"policy-type\":\"tlsa\",\"policy-domain\":"
                                                     "\"" DOMAIN "\"},\"summary\":"
                                                     "{\"total-successful-session-count\":50,"));
    json_decref(policies);
    tear_down();
}
END_TEST

START_TEST(old_days_are_forgotten)
{
    set_up();
    count(NOON, DOMAIN, "validation-failure", NULL);
    struct tlsrpt_plan plan = the_plan(INT64_MAX);
    ck_assert(tlsrpt_store_trim(store, MIDNIGHT + TLSRPT_DAY, &err));
    ck_assert_str_ne(policies_of(&plan), "[]"); /* not reported yet */
    ck_assert(tlsrpt_store_drop(store, &plan, &err));
    ck_assert(tlsrpt_store_trim(store, MIDNIGHT + TLSRPT_DAY, &err));
    tear_down();
}
END_TEST

TEST_SUITE(tlsrpt_store)
{
    TEST(sessions_of_a_day);
    TEST(days_are_apart);
    TEST(a_report_on_its_way);
    TEST(what_is_reported_is_not_reported_again);
    TEST(failures_have_a_bound);
    TEST(policies_have_a_bound);
    TEST(old_days_are_forgotten);
}
