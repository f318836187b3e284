/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab list - the scenarios there are, each with its sentence. */
#include <string.h>

#include "base/text.h"
#include "harness/command.h"
#include "harness/ledger.h"

struct filter {
    const char *tag, *clause, *level, *mode;
    unsigned modes;
    const struct clauses *clauses;
};

enum style { PEOPLE, JSON, MARKDOWN };

static bool has_tag(const struct scenario *scenario, const char *tag)
{
    for (size_t i = 0; tag != NULL && i < scenario->tags.count; i++)
        if (strcmp(scenario->tags.items[i], tag) == 0)
            return true;
    return tag == NULL;
}

/* Does it test a clause that is asked for, of the level that is asked for? */
static bool tests_clause(const struct filter *filter, const struct corpus *corpus, const struct scenario *scenario)
{
    struct ledger_wish wish = {&filter->clause, filter->clause != NULL, .level = filter->level};
    for (size_t i = 0; i < scenario->covers.count; i++) {
        const struct clause *clause = clauses_find(filter->clauses, scenario->covers.items[i]);
        if (clause != NULL && ledger_wants(&wish, corpus, clause))
            return true;
    }
    return filter->clause == NULL && filter->level == NULL;
}

static bool passes(const struct filter *filter, const struct corpus *corpus, const struct scenario *scenario)
{
    return has_tag(scenario, filter->tag) && tests_clause(filter, corpus, scenario) &&
           (scenario->modes & filter->modes) != 0;
}

static json_t *texts(const struct schema_texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}

static json_t *modes(unsigned set)
{
    json_t *list = json_array();
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        if (set >> mode & 1)
            json_array_append_new(list, json_string(mode_text(mode)));
    return list;
}

static void print_json(const struct scenario *s)
{
    command_print_json(json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:i,s:s?,s:o,s:o,s:o,s:o}", "title", s->title, "name", s->name,
                                 "variant", s->variant, "says", s->says, "file", s->file, "line", (int)s->at.line,
                                 "twin", s->twin != NULL ? s->twin->title : NULL, "covers", texts(&s->covers), "needs",
                                 texts(&s->needs), "tags", texts(&s->tags), "modes", modes(s->modes)));
}

/* A catalogue in Markdown: one heading a folder, one row a file. */
static void print_markdown(const struct scenario *scenario, const struct scenario *last)
{
    size_t folder = strcspn(scenario->name, "/");
    if (last != NULL && strcmp(last->name, scenario->name) == 0)
        return;
    if (last == NULL || strncmp(last->name, scenario->name, folder + 1) != 0)
        printf("\n## %.*s\n\n| scenario | what it says | clauses |\n|---|---|---|\n", (int)folder, scenario->name);
    printf("| [%s](../scenarios/%s.yaml) | ", scenario->name + folder + (scenario->name[folder] == '/'),
           scenario->name);
    for (const char *c = scenario->says != NULL ? scenario->says : ""; *c != '\0'; c++)
        printf(strchr("|*_<", *c) != NULL ? "\\%c" : "%c", *c);
    fputs(" | ", stdout);
    for (size_t i = 0; i < scenario->covers.count; i++)
        printf("%s%s", i > 0 ? ", " : "", scenario->covers.items[i]);
    fputs(" |\n", stdout);
}

static void print_for_people(const struct scenario *scenario)
{
    text_print_escaped(stdout, scenario->title, strlen(scenario->title));
    fputs("\n    ", stdout);
    const char *says = scenario->says != NULL ? scenario->says : "";
    text_print_escaped(stdout, says, strlen(says));
    fputc('\n', stdout);
}

static int run(struct arena *arena, const struct command_line *line, const char *folder, struct filter *filter,
               enum style style)
{
    struct corpus *corpus = corpus_read(folder, line->words, line->word_count);
    filter->clauses = clauses_read(arena, arena_printf(arena, "%s/clauses", folder), diag_new(arena));
    const struct scenario *last = NULL;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct scenario *scenario = corpus->items[i];
        if (!passes(filter, corpus, scenario))
            continue;
        if (style == MARKDOWN)
            print_markdown(scenario, last);
        else
            (style == JSON ? print_json : print_for_people)(scenario);
        last = scenario;
    }
    diag_print(corpus->diags, stderr);
    if (last == NULL && diag_errors(corpus->diags) == 0)
        fputs("mtalab: no scenario is what was asked for; 'mtalab list' lists them all\n", stderr);
    int status = diag_errors(corpus->diags) > 0 ? 2 : last == NULL ? 4 : 0;
    corpus_free(&corpus);
    return status;
}

/* False: what was said is wrong, and that was said. */
static bool check_filter(struct filter *filter)
{
    filter->modes = filter->mode != NULL ? mode_parse_set(filter->mode) : MODES_ALL;
    if (filter->modes == 0)
        fprintf(stderr, "mtalab: '%s' is no mode; write dane=mandatory or dane=none,mta-sts=opportunistic\n",
                filter->mode);
    return filter->modes != 0 && command_word_is_one_of("level", filter->level, ledger_level_words);
}

int command_list(int argc, char **argv)
{
    const char *json = NULL, *markdown = NULL, *scenarios = NULL;
    struct filter filter = {0};
    const struct command_option options[] = {
        {"--tag", "TAG", "only those with this tag", &filter.tag},
        {"--clause", "CLAUSE", "only those that test this clause (an id, a section, an RFC)", &filter.clause},
        {"--level", "LEVEL", "only those that test a MUST, MUST NOT, SHOULD, SHOULD NOT or MAY", &filter.level},
        {"--mode", "MODE", "only those for a mode, such as dane=mandatory", &filter.mode},
        {"--json", NULL, "one line of JSON for each", &json},
        {"--markdown", NULL, "a catalogue, in Markdown, instead", &markdown},
        {"--scenarios", "FOLDER", "where the scenarios are", &scenarios},
    };
    struct command_line line = {
        "list [--tag TAG] [--clause CLAUSE] [--level LEVEL] [--mode MODE] [FILE|FOLDER|NAME]...",
        "Lists scenarios, each variant by itself.",
        options,
        COUNT(options),
        NULL,
        0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status))
        status = check_filter(&filter) ? run(arena, &line, command_scenarios(arena, scenarios), &filter,
                                             json != NULL       ? JSON
                                             : markdown != NULL ? MARKDOWN
                                                                : PEOPLE)
                                       : 2;
    arena_free(&arena);
    return status;
}
