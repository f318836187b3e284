/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab why - what is behind a scenario: its world, what is right there, the rules in our words, its control twin,
 * what MTAs do, what is near it, and how to see it by hand. */
#include <string.h>

#include "base/table.h"
#include "harness/command.h"
#include "harness/why.h"

/* ---- the scenario ---- */

/* "scenarios/dane/x.yaml" is "dane/x". */
static const char *as_name(struct arena *arena, const struct corpus *corpus, const char *word)
{
    size_t folder = strlen(corpus->directory), length = strlen(word);
    if (strncmp(word, corpus->directory, folder) == 0 && word[folder] == '/') {
        word += folder + 1;
        length -= folder + 1;
    }
    bool is_file = length > 5 && strcmp(word + length - 5, ".yaml") == 0;
    return arena_strndup(arena, word, is_file ? length - 5 : length);
}

static const char *title_at(const void *rows, size_t i)
{
    const struct corpus *corpus = rows;
    return i < corpus->count ? corpus->items[i]->title : NULL;
}

/* By its title, or its first variant by its name. */
static const struct scenario *find(const struct corpus *corpus, const char *name)
{
    for (size_t i = 0; i < corpus->count; i++)
        if (strcmp(corpus->items[i]->title, name) == 0)
            return corpus->items[i];
    for (size_t i = 0; i < corpus->count; i++)
        if (strcmp(corpus->items[i]->name, name) == 0)
            return corpus->items[i];
    return NULL;
}

/* ---- told as JSON ---- */

static json_t *mode_list(unsigned set)
{
    json_t *list = json_array();
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        if (set >> mode & 1)
            json_array_append_new(list, json_string(mode_text(mode)));
    return list;
}

static json_t *rules(const struct why *why)
{
    json_t *list = json_array();
    for (size_t i = 0; i < why->scenario->covers.count; i++) {
        const struct clause *clause = clauses_find(why->clauses, why->scenario->covers.items[i]);
        if (clause != NULL)
            json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "id", clause->id, "level", clause->level, "says",
                                                  clause->says));
    }
    return list;
}

static json_t *courses_json(unsigned set)
{
    json_t *courses = json_array();
    for (int course = COURSE_DELIVERED; message_course_words[course] != NULL; course++)
        if (set >> course & 1)
            json_array_append_new(courses, json_string(message_course_words[course]));
    return courses;
}

/* null where nothing is said of each. */
static json_t *recipients_json(const struct expectation *e)
{
    json_t *map = e->recipient_count > 0 ? json_object() : json_null();
    for (size_t i = 0; i < e->recipient_count; i++)
        json_object_set_new(map, e->recipients[i].address, courses_json(e->recipients[i].accept));
    return map;
}

static json_t *expected(const struct scenario *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->step_count; i++)
        for (size_t k = 0; k < s->steps[i].expectation_count; k++) {
            const struct expectation *e = &s->steps[i].expectations[k];
            json_array_append_new(list, json_pack("{s:i,s:o,s:o,s:o,s:s?,s:s?,s:s?}", "step", (int)i + 1, "modes",
                                                  mode_list(e->modes & s->modes), "accept", courses_json(e->accept),
                                                  "recipients", recipients_json(e), "code", e->code, "latitude",
                                                  e->latitude, "reading", e->reading));
        }
    return list;
}

static json_t *near(const struct why *why)
{
    json_t *list = json_array();
    for (size_t i = 0; i < why->near.count; i++)
        json_array_append_new(list, json_pack("{s:s,s:s?}", "name", why->near.items[i].scenario->name, "says",
                                              why->near.items[i].scenario->says));
    return list;
}

static json_t *known(const struct why *why)
{
    json_t *list = json_array();
    for (size_t i = 0; i < why->known.count; i++) {
        const struct known_failure *failure = why->known.items[i].failure;
        json_t *versions = json_array();
        for (size_t k = 0; k < failure->versions.count; k++)
            json_array_append_new(versions, json_string(failure->versions.items[k]));
        json_array_append_new(list, json_pack("{s:s,s:o,s:o,s:s?,s:s?}", "mta", why->known.items[i].mta, "versions",
                                              versions, "modes", mode_list(failure->modes), "seen", failure->seen,
                                              "reason", failure->reason));
    }
    return list;
}

static json_t *declared(const struct why *why)
{
    json_t *list = json_array();
    for (size_t i = 0; i < why->declared.count; i++) {
        const struct why_declared *one = &why->declared.items[i];
        json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:s,s:s,s:o}", "mta", one->mta, "version", one->version,
                                              "modes", mode_list(one->modes), "reading", one->reading->key, "word",
                                              one->word, "accept", courses_json(one->accept)));
    }
    return list;
}

static void print_json(const struct why *why)
{
    const struct scenario *s = why->scenario;
    command_print_json(json_pack("{s:s,s:s?,s:s,s:i,s:s?,s:o,s:o,s:s?,s:o,s:o,s:o}", "title", s->title, "says", s->says,
                                 "file", s->file, "line", (int)s->at.line, "because", s->because, "rules", rules(why),
                                 "expected", expected(s), "twin", s->twin != NULL ? s->twin->title : NULL, "near",
                                 near(why), "known", known(why), "declared", declared(why)));
}

/* ---- the command ---- */

static int explain(struct why *why, const char *word, bool json)
{
    why->scenario = find(why->corpus, as_name(why->arena, why->corpus, word));
    if (why->scenario == NULL) {
        const char *nearest = table_nearest(word, title_at, why->corpus);
        fprintf(stderr, "mtalab: there is no scenario '%s'%s%s%s\n", word, nearest != NULL ? ", did you mean '" : "",
                nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
        return 2;
    }
    why_gather(why);
    if (json)
        print_json(why);
    else
        why_tell(why, stdout);
    return 0;
}

static int run(struct arena *arena, const struct command_line *line, const char *folder, bool json)
{
    struct diag_list *diags = diag_new(arena);
    struct corpus *corpus = corpus_read(folder, NULL, 0);
    struct why why = {.arena = arena, .corpus = corpus};
    why.clauses = clauses_read(arena, arena_printf(arena, "%s/clauses", folder), diags);
    int status = line->word_count == 0 ? 2 : 0;
    if (line->word_count == 0)
        fputs("mtalab: why what? Name a scenario; mtalab list shows them\n", stderr);
    for (size_t i = 0; i < line->word_count && status == 0; i++)
        status = explain(&why, line->words[i], json);
    diag_print(corpus->diags, stderr);
    status = status == 0 && diag_errors(corpus->diags) > 0 ? 2 : status;
    corpus_free(&corpus);
    return status;
}

int command_why(int argc, char **argv)
{
    const char *json = NULL, *scenarios = NULL;
    const struct command_option options[] = {
        {"--json", NULL, "one line of JSON for each", &json},
        {"--scenarios", "FOLDER", "where the scenarios are", &scenarios},
    };
    struct command_line line = {
        "why [--json] SCENARIO...",
        "Says what is behind a scenario: its world, what is right there, the rules in our words, "
        "its control twin, what MTAs do,\nwhat is near it, and how to see it by hand.",
        options,
        COUNT(options),
        NULL,
        0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status))
        status = run(arena, &line, command_scenarios(arena, scenarios), json != NULL);
    arena_free(&arena);
    return status;
}
