/* SPDX-License-Identifier: BSD-2-Clause
 * The ledger, by rows: a clause, and what becomes of it where one scenario covers 7672-2.2-3. */
#include "harness/ledger.h"

#include <string.h>

#include "base/testing.h"

static const char catalogue[] =
    "7672-2.2-3\t2.2\tMUST\tsender\tsays\tseen\t\n"
    "7672-2.2-4\t2.2\tMUST\tsender\tsays\tseen\n"
    "7672-2.2.1-11\t2.2.1\tMUST NOT\tsender\tsays\tseen\tThe wording of a log stays inside.\n"
    "7672-3.1.2-2\t3.1.2\tMUST\treceiver\tsays\tseen\t\n"
    "8460-3-1\t3\tMUST\treporter\tsays\tseen\tunsupported yet: reports are not judged\n"
    "8461-3.2-1\t3.2\tSHOULD\tsender\tsays\tseen\t\n";

static const char scenario[] = "says: x\n"
                               "covers: [7672-2.2-3]\n"
                               "world: {partner.example: {mx: [mx1.partner.example]}, mx1.partner.example: {}}\n"
                               "send: {to: a@partner.example}\n"
                               "expect: {message: delivered}\n";

static struct corpus *one_scenario(const char *text)
{
    return corpus_read_text(NULL, "t", text, strlen(text));
}

static const struct {
    const char *id;
    enum ledger_state state;
    const char *why;
} states[] = {
    {"7672-2.2-3", LEDGER_COVERED, NULL},
    {"7672-2.2-4", LEDGER_OPEN, NULL},
    {"7672-2.2.1-11", LEDGER_NOT_OBSERVABLE, "The wording of a log stays inside."},
    {"7672-3.1.2-2", LEDGER_OTHER_SIDE, NULL},
    {"8460-3-1", LEDGER_UNSUPPORTED, "reports are not judged"},
    {"8461-3.2-1", LEDGER_OPEN, NULL},
};

START_TEST(a_clause_has_its_state)
{
    struct arena *arena = arena_new("ledger_test");
    struct corpus *corpus = one_scenario(scenario);
    const struct clauses *clauses = clauses_read_text(arena, catalogue, diag_new(arena));
    const struct clause *clause = clauses_find(clauses, states[_i].id);
    ck_assert_msg(clause != NULL, "%s is missing", states[_i].id);
    ck_assert_str_eq(ledger_state_words[ledger_state(corpus, clause)], ledger_state_words[states[_i].state]);
    const char *why = ledger_why(corpus, clause);
    ck_assert_str_eq(why != NULL ? why : "", states[_i].why != NULL ? states[_i].why : "");
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name;
    struct ledger_wish wish;
    const char *word;
    size_t count;
} wishes[] = {
    {"everything", {0}, NULL, 6},
    {"an RFC as option", {.rfc = "7672"}, NULL, 4},
    {"an RFC as word", {0}, "8461", 1},
    {"a section", {0}, "7672-2.2", 3},
    {"not a section that begins alike", {0}, "7672-3.1", 1},
    {"an id", {0}, "7672-2.2-3", 1},
    {"not an id that begins alike", {0}, "7672-2.2.1-1", 0},
    {"what is open", {.only_open = true}, NULL, 2},
    {"open and MUST", {.only_open = true, .level = "MUST"}, NULL, 1},
    {"MUST is not MUST NOT", {.level = "MUST"}, NULL, 4},
    {"of reporters", {.who = "reporter"}, NULL, 1},
};

START_TEST(what_is_asked_for_is_counted)
{
    struct arena *arena = arena_new("ledger_test");
    struct corpus *corpus = one_scenario(scenario);
    const struct clauses *clauses = clauses_read_text(arena, catalogue, diag_new(arena));
    struct ledger_wish wish = wishes[_i].wish;
    wish.words = &wishes[_i].word;
    wish.word_count = wishes[_i].word != NULL;
    struct ledger_sums sums;
    ledger_sum(corpus, clauses, &wish, &sums);
    const size_t *cells = &sums.of[0][0][0];
    size_t count = 0;
    for (size_t i = 0; i < sizeof sums.of / sizeof *cells; i++)
        count += cells[i];
    ck_assert_msg(count == wishes[_i].count, "%s: %zu clauses instead of %zu", wishes[_i].name, count,
                  wishes[_i].count);
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *name, *covers;
    size_t errors;
} claims[] = {
    {"a clause that can be seen", "covers: [7672-2.2-3]", 0},
    {"a clause that is said not to be seen", "covers: [7672-2.2.1-11]", 1},
    {"a clause that is said to wait", "covers: [8460-3-1]", 1},
};

START_TEST(a_reason_that_is_disproved_is_shown)
{
    struct arena *arena = arena_new("ledger_test");
    char *text = arena_printf(arena, "says: x\n%s%s", claims[_i].covers, strstr(scenario, "\nworld:"));
    struct corpus *corpus = one_scenario(text);
    struct diag_list *diags = diag_new(arena);
    ledger_check(corpus, clauses_read_text(arena, catalogue, diags), diags);
    ck_assert_msg(diag_errors(diags) == claims[_i].errors, "%s: %zu errors", claims[_i].name, diag_errors(diags));
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

/* What a sender or reporter must do under the RFCs this is about is tested, or said to be out of sight. */
static const char *const closed_rfcs[] = {"7671", "7672", "8460", "8461", "8689"};

START_TEST(nothing_a_sender_must_do_is_open)
{
    struct corpus *corpus = corpus_read("scenarios", NULL, 0);
    struct arena *arena = arena_new("ledger_test");
    struct diag_list *diags = diag_new(arena);
    const struct clauses *clauses = clauses_read(arena, "scenarios/clauses", diags);
    struct ledger_wish wish = {.rfc = closed_rfcs[_i], .only_open = true};
    for (size_t i = 0; clauses_at(clauses, i) != NULL; i++) {
        const struct clause *clause = clauses_at(clauses, i);
        ck_assert_msg(strncmp(clause->level, "MUST", 4) != 0 || !ledger_wants(&wish, corpus, clause), "%s is open",
                      clause->id);
    }
    ledger_check(corpus, clauses, diags);
    ck_assert_uint_eq(diag_errors(diags), 0);
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(ledger)
{
    TEST_LOOP(a_clause_has_its_state, COUNT(states));
    TEST_LOOP(what_is_asked_for_is_counted, COUNT(wishes));
    TEST_LOOP(a_reason_that_is_disproved_is_shown, COUNT(claims));
    TEST_LOOP(nothing_a_sender_must_do_is_open, COUNT(closed_rfcs));
}
