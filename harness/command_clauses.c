/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab clauses - the coverage ledger: what tests each normative sentence, or why nothing does. */
#include <jansson.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "harness/command.h"
#include "harness/ledger.h"

static void print_line(const char *before, const char *text)
{
    fputs(before, stdout);
    text_print_escaped(stdout, text, strlen(text));
    fputc('\n', stdout);
}

static void print_for_people(const struct corpus *corpus, const struct clause *clause)
{
    const char *why = ledger_why(corpus, clause), *last = "";
    printf("%-16s %-10s %-9s %s\n", clause->id, clause->level, clause->who,
           ledger_state_words[ledger_state(corpus, clause)]);
    print_line("    ", clause->says);
    if (why != NULL)
        print_line("    because: ", why);
    for (size_t i = 0; i < corpus->count; i++)
        if (ledger_covers(corpus->items[i], clause->id) && strcmp(corpus->items[i]->name, last) != 0) {
            last = corpus->items[i]->name;
            print_line("    - ", last);
        }
}

static void print_json(const struct corpus *corpus, const struct clause *clause)
{
    json_t *scenarios = json_array();
    for (size_t i = 0; i < corpus->count; i++)
        if (ledger_covers(corpus->items[i], clause->id))
            json_array_append_new(scenarios, json_string(corpus->items[i]->title));
    command_print_json(json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s?,s:o}", "id", clause->id, "rfc", clause->rfc,
                                 "section", clause->section, "level", clause->level, "who", clause->who, "says",
                                 clause->says, "seen", clause->seen, "state",
                                 ledger_state_words[ledger_state(corpus, clause)], "why", ledger_why(corpus, clause),
                                 "scenarios", scenarios));
}

static void print_sums(const struct ledger_sums *sums)
{
    printf("\n%-20s", "");
    for (size_t state = 0; state < LEDGER_STATE_COUNT; state++)
        printf("  %15s", ledger_state_words[state]);
    fputc('\n', stdout);
    for (size_t who = 0; who < LEDGER_SUBJECTS; who++)
        for (size_t level = 0; level < LEDGER_LEVELS; level++) {
            size_t all = 0;
            for (size_t state = 0; state < LEDGER_STATE_COUNT; state++)
                all += sums->of[who][level][state];
            if (all == 0)
                continue;
            printf("%-9s %-10s", ledger_subject_words[who], ledger_level_words[level]);
            for (size_t state = 0; state < LEDGER_STATE_COUNT; state++)
                printf("  %15zu", sums->of[who][level][state]);
            fputc('\n', stdout);
        }
}

static int run(struct arena *arena, const char *folder, const struct ledger_wish *wish, bool json)
{
    struct corpus *corpus = corpus_read(folder, NULL, 0);
    const struct clauses *clauses = clauses_read(arena, arena_printf(arena, "%s/clauses", folder), corpus->diags);
    size_t shown = 0;
    for (size_t i = 0; clauses_at(clauses, i) != NULL; i++)
        if (ledger_wants(wish, corpus, clauses_at(clauses, i))) {
            shown++;
            (json ? print_json : print_for_people)(corpus, clauses_at(clauses, i));
        }
    struct ledger_sums sums;
    struct ledger_wish states_of_all = *wish;
    states_of_all.only_open = false;
    ledger_sum(corpus, clauses, &states_of_all, &sums);
    if (!json && shown > 0)
        print_sums(&sums);
    ledger_check(corpus, clauses, corpus->diags);
    diag_print(corpus->diags, stderr);
    if (shown == 0)
        fprintf(stderr, "mtalab: no clause is what was asked for; 'mtalab clauses' lists them all\n");
    int status = diag_errors(corpus->diags) > 0 ? 2 : shown == 0 ? 4 : 0;
    corpus_free(&corpus);
    return status;
}

int command_clauses(int argc, char **argv)
{
    const char *json = NULL, *open = NULL, *scenarios = NULL;
    struct ledger_wish wish = {0};
    const struct command_option options[] = {
        {"--open", NULL, "only those that no scenario covers and nothing excuses", &open},
        {"--rfc", "NUMBER", "only of this RFC", &wish.rfc},
        {"--level", "LEVEL", "only MUST, MUST NOT, SHOULD, SHOULD NOT or MAY", &wish.level},
        {"--who", "SUBJECT", "only what binds the sender, reporter or receiver", &wish.who},
        {"--json", NULL, "one line of JSON for each", &json},
        {"--scenarios", "FOLDER", "where the scenarios and their clauses are", &scenarios},
    };
    struct command_line line = {"clauses [--open] [--rfc NUMBER] [--json] [RFC|SECTION|ID]...",
                                "Lists normative sentences by id (8461-4.1-2): which scenarios test each, or why none "
                                "does; and sums up.",
                                options,
                                COUNT(options),
                                NULL,
                                0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status)) {
        wish.words = line.words;
        wish.word_count = line.word_count;
        wish.only_open = open != NULL;
        status = !command_word_is_one_of("level", wish.level, ledger_level_words) ||
                         !command_word_is_one_of("subject", wish.who, ledger_subject_words)
                     ? 2
                     : run(arena, command_scenarios(arena, scenarios), &wish, json != NULL);
    }
    arena_free(&arena);
    return status;
}
