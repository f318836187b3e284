/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static struct journal *journal;
static struct arena *arena;

static void begin(void)
{
    journal = journal_new();
    arena = arena_new("test");
}

static void end(void)
{
    journal_free(&journal);
    ck_assert_ptr_null(journal);
    arena_free(&arena);
}

static char *json_of(const struct journal_event *event)
{
    char *buffer = NULL;
    size_t length;
    FILE *out = open_memstream(&buffer, &length);
    journal_write_json(event, out);
    fclose(out);
    char *copy = arena_strdup(arena, buffer);
    free(buffer);
    return copy;
}

START_TEST(an_event_keeps_what_it_was_given)
{
    char line[] = "EHLO client";
    unsigned conn = journal_connection(journal);
    ck_assert_uint_eq(conn, 1);
    const struct journal_event *event = journal_add(journal, JOURNAL_MX_COMMAND, "mx1.partner.example", conn, "line",
                                                    line, "verb", "EHLO", "channel", NULL, NULL);
    memset(line, 'x', strlen(line));
    ck_assert_str_eq(journal_get(event, "line"), "EHLO client");
    ck_assert_str_eq(journal_get(event, "verb"), "EHLO");
    ck_assert_str_eq(journal_get(event, "channel"), "");
    ck_assert_uint_eq(event->field_count, 2);
    ck_assert_str_eq(event->host, "mx1.partner.example");
    ck_assert_uint_eq(event->attempt, 1);
    ck_assert_uint_eq(event->seq, 0);
    ck_assert_int_ge(event->at_us, 0);
}
END_TEST

START_TEST(events_are_in_order_and_know_their_attempt)
{
    journal_add(journal, JOURNAL_LAB_ATTEMPT, NULL, 0, "number", "1", NULL);
    journal_next_attempt(journal);
    journal_add(journal, JOURNAL_LAB_ATTEMPT, NULL, 0, "number", "2", NULL);
    ck_assert_uint_eq(journal_count(journal), 2);
    ck_assert_uint_eq(journal_attempt(journal), 2);
    ck_assert_uint_eq(journal_at(journal, 0)->attempt, 1);
    ck_assert_uint_eq(journal_at(journal, 1)->attempt, 2);
    ck_assert_uint_eq(journal_at(journal, 1)->seq, 1);
    ck_assert_str_eq(journal_at(journal, 1)->host, "");
    ck_assert_int_ge(journal_at(journal, 1)->at_us, journal_at(journal, 0)->at_us);
}
END_TEST

START_TEST(a_long_value_is_cut_where_a_character_begins)
{
    char *value = arena_alloc(arena, 5000);
    memset(value, 'a', JOURNAL_VALUE_MAX - 1);
    strncpy(value + JOURNAL_VALUE_MAX - 1, "\xc3\xbc and so on", 100);
    const struct journal_event *event = journal_add(journal, JOURNAL_MX_SENT, "", 0, "line", value, NULL);
    ck_assert_uint_eq(strlen(journal_get(event, "line")), JOURNAL_VALUE_MAX - 1);
}
END_TEST

static void count_seen(void *arg, const struct journal_event *event)
{
    ck_assert_int_eq(event->kind, JOURNAL_LAB_CHANGE);
    ++*(int *)arg;
}

START_TEST(the_watcher_sees_each_event)
{
    int seen = 0;
    journal_watch(journal, count_seen, &seen);
    journal_add(journal, JOURNAL_LAB_CHANGE, NULL, 0, "what", "a", NULL);
    journal_add(journal, JOURNAL_LAB_CHANGE, NULL, 0, "what", "b", NULL);
    journal_watch(journal, NULL, NULL);
    journal_add(journal, JOURNAL_LAB_CHANGE, NULL, 0, "what", "c", NULL);
    ck_assert_int_eq(seen, 2);
}
END_TEST

START_TEST(a_full_journal_takes_no_more)
{
    ck_assert(!journal_full(journal));
    for (int i = 0; i < JOURNAL_MAX; i++)
        ck_assert_ptr_nonnull(journal_add(journal, JOURNAL_WEB_CLOSE, "", 0, NULL));
    ck_assert(!journal_full(journal));
    ck_assert_ptr_null(journal_add(journal, JOURNAL_WEB_CLOSE, "", 0, NULL));
    ck_assert(journal_full(journal));
    ck_assert_uint_eq(journal_count(journal), JOURNAL_MAX);
}
END_TEST

START_TEST(a_sentence_has_its_fields_filled_in)
{
    const struct journal_event *event =
        journal_add(journal, JOURNAL_DNS_ANSWER, "partner.example", 0, "qname", "a.example", "qtype", "TLSA", "rcode",
                    "NOERROR", "answer", "3 1 1 ab", NULL);
    ck_assert_str_eq(journal_sentence(arena, event), "answered a.example TLSA: NOERROR 3 1 1 ab");
    event = journal_add(journal, JOURNAL_DNS_ANSWER, "", 0, "qname", "a", "qtype", "A", "rcode", "NXDOMAIN", NULL);
    ck_assert_str_eq(journal_sentence(arena, event), "answered a A: NXDOMAIN");
    event = journal_add(journal, JOURNAL_MX_CLOSE, "mx1", 1, "by", "client", NULL);
    ck_assert_str_eq(journal_sentence(arena, event), "connection to mx1 closed by client");
    event = journal_add(journal, JOURNAL_MX_COMMAND, "mx1", 1, "line", "\x1b{line}", NULL);
    ck_assert_str_eq(journal_sentence(arena, event), "C: \\x1b{line}");
}
END_TEST

START_TEST(an_event_is_one_line_of_json)
{
    journal_next_attempt(journal);
    const struct journal_event *event =
        journal_add(journal, JOURNAL_MX_COMMAND, "mx1", 7, "line", "MAIL FROM:<\"a\r\n\"@b>", "verb", "MAIL", NULL);
    const char *json = json_of(event), *rest = strstr(json, ",\"attempt\"");
    ck_assert_ptr_nonnull(rest);
    ck_assert(strncmp(json, "{\"seq\":0,\"at_us\":", 17) == 0);
    ck_assert_str_eq(rest, ",\"attempt\":2,\"kind\":\"MX_COMMAND\",\"actor\":\"smtp\",\"host\":\"mx1\",\"conn\":7,"
                           "\"line\":\"MAIL FROM:<\\\"a\\u000d\\n\\\"@b>\",\"verb\":\"MAIL\"}\n");
}
END_TEST

static const char *const taken[] = {"seq", "at_us", "attempt", "kind", "actor", "conn"};

START_TEST(no_template_names_a_key_of_every_event)
{
    static const char *const templates[] = {
#define KIND(name, actor, text) text,
#include "base/journal_kinds.def"
#undef KIND
    };
    for (size_t i = 0; i < COUNT(templates); i++)
        ck_assert_msg(strstr(templates[i], arena_printf(arena, "{%s}", taken[_i])) == NULL, "%s", templates[i]);
}
END_TEST

START_TEST(kinds_have_names)
{
    ck_assert_str_eq(journal_kind_name(JOURNAL_DNS_QUERY), "DNS_QUERY");
    ck_assert_str_eq(journal_kind_actor(JOURNAL_DNS_QUERY), "dns");
}
END_TEST

TEST_SUITE(journal)
{
    tcase_add_checked_fixture(testing_case, begin, end);
    TEST(an_event_keeps_what_it_was_given);
    TEST(events_are_in_order_and_know_their_attempt);
    TEST(a_long_value_is_cut_where_a_character_begins);
    TEST(the_watcher_sees_each_event);
    TEST(a_full_journal_takes_no_more);
    TEST(a_sentence_has_its_fields_filled_in);
    TEST(an_event_is_one_line_of_json);
    TEST_LOOP(no_template_names_a_key_of_every_event, COUNT(taken));
    TEST(kinds_have_names);
}
