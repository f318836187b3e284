/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab clauses - the coverage ledger: which scenarios test which normative sentence. */
#include <string.h>

#include "base/text.h"
#include "harness/command.h"
#include "harness/scenario.h"

static bool covers(const struct scenario *scenario, const char *id)
{
    for (size_t i = 0; i < scenario->covers.count; i++)
        if (strcmp(scenario->covers.items[i], id) == 0)
            return true;
    return false;
}

/* Is the clause one of those asked for: an id, a section ("8461-4.1"), an RFC? */
static bool wanted(const struct command_line *line, const struct clause *clause)
{
    for (size_t i = 0; i < line->word_count; i++) {
        const char *word = line->words[i];
        size_t length = strlen(word);
        if (strncmp(clause->id, word, length) == 0 && (clause->id[length] == '\0' || strchr("-.", clause->id[length])))
            return true;
    }
    return line->word_count == 0;
}

static size_t count_covering(const struct corpus *corpus, const char *id)
{
    size_t count = 0;
    for (size_t i = 0; i < corpus->count; i++)
        count += covers(corpus->items[i], id);
    return count;
}

static void print_for_people(const struct corpus *corpus, const struct clause *clause)
{
    printf("%-16s %-10s %-9s ", clause->id, clause->level, clause->who);
    text_print_escaped(stdout, clause->says, strlen(clause->says));
    fputc('\n', stdout);
    const char *last = "";
    for (size_t i = 0; i < corpus->count; i++)
        if (covers(corpus->items[i], clause->id) && strcmp(corpus->items[i]->name, last) != 0) {
            printf("    ");
            last = corpus->items[i]->name;
            text_print_escaped(stdout, last, strlen(last));
            fputc('\n', stdout);
        }
}

static void print_json(const struct corpus *corpus, const struct clause *clause)
{
    const struct {
        const char *key, *value;
    } pairs[] = {
        {"id", clause->id},   {"rfc", clause->rfc},   {"section", clause->section}, {"level", clause->level},
        {"who", clause->who}, {"says", clause->says}, {"seen", clause->seen},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        printf("%s\"%s\": \"", i == 0 ? "{" : ", ", pairs[i].key);
        text_print_json(stdout, pairs[i].value);
        fputc('"', stdout);
    }
    const char *before = ", \"scenarios\": [\"";
    for (size_t i = 0; i < corpus->count; i++)
        if (covers(corpus->items[i], clause->id)) {
            fputs(before, stdout);
            text_print_json(stdout, corpus->items[i]->title);
            before = "\", \"";
        }
    puts(strcmp(before, "\", \"") == 0 ? "\"]}" : ", \"scenarios\": []}");
}

/* How many sentences of each level a sender has to keep, and how many are covered. */
static void print_sums(const struct corpus *corpus, const struct clauses *clauses, const struct command_line *line)
{
    static const char *const levels[] = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"};
    for (size_t k = 0; k < COUNT(levels); k++) {
        size_t all = 0, covered = 0;
        for (size_t i = 0; clauses_at(clauses, i) != NULL; i++) {
            const struct clause *clause = clauses_at(clauses, i);
            if (strcmp(clause->level, levels[k]) != 0 || strcmp(clause->who, "sender") != 0 || !wanted(line, clause))
                continue;
            all++;
            covered += count_covering(corpus, clause->id) > 0;
        }
        printf("%-10s of senders: %zu of %zu covered\n", levels[k], covered, all);
    }
}

static int run(struct arena *arena, const struct command_line *line, const char *folder, const char *json,
               const char *missing)
{
    struct corpus *corpus = corpus_read(folder, NULL, 0);
    const struct clauses *clauses = clauses_read(arena, arena_printf(arena, "%s/clauses", folder), corpus->diags);
    size_t shown = 0;
    for (size_t i = 0; clauses_at(clauses, i) != NULL; i++) {
        const struct clause *clause = clauses_at(clauses, i);
        if (!wanted(line, clause) || (missing != NULL && count_covering(corpus, clause->id) > 0))
            continue;
        shown++;
        (json != NULL ? print_json : print_for_people)(corpus, clause);
    }
    if (json == NULL)
        print_sums(corpus, clauses, line);
    diag_print(corpus->diags, stderr);
    int status = diag_errors(corpus->diags) > 0 ? 2 : shown == 0 ? 4 : 0;
    corpus_free(&corpus);
    return status;
}

int command_clauses(int argc, char **argv)
{
    const char *json = NULL, *missing = NULL, *scenarios = NULL;
    const struct command_option options[] = {
        {"--json", NULL, "one line of JSON for each", &json},
        {"--missing", NULL, "only those that no scenario covers", &missing},
        {"--scenarios", "FOLDER", "where the scenarios and their clauses are", &scenarios},
    };
    struct command_line line = {"clauses [--missing] [--json] [RFC|SECTION|ID]...",
                                "Lists normative sentences by id (8461-4.1-2) with the scenarios that test them.",
                                options,
                                COUNT(options),
                                NULL,
                                0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status))
        status = run(arena, &line, command_scenarios(arena, scenarios), json, missing);
    arena_free(&arena);
    return status;
}
