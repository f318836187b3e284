/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab why - what is behind a scenario: the rule in our words, what it expects, its control twin, what is near it,
 * what is known of MTAs, and how to see it by hand. */
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "harness/command.h"
#include "harness/known.h"
#include "harness/ledger.h"
#include "harness/locate.h"

enum { NEAR_MAX = 8, NEAR_LEAST = 2 };

struct near {
    const struct scenario *scenario;
    unsigned score;
};
struct known_of {
    const char *mta;
    const struct known_failure *failure;
};
struct why {
    struct arena *arena;
    struct corpus *corpus;
    const struct clauses *clauses;
    const struct scenario *scenario;
    struct {
        struct near *items;
        size_t count, room;
    } near;
    struct {
        struct known_of *items;
        size_t count, room;
    } known;
};

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

/* ---- what is near it ---- */

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The same base, or one the base of the other; a clause in common; the same folder. */
static unsigned score(const struct scenario *a, const struct scenario *b)
{
    size_t folder = strcspn(a->name, "/");
    unsigned points = strncmp(a->name, b->name, folder + 1) == 0;
    points += same(a->base, b->base) || same(a->base, b->name) || same(b->base, a->name) ? 2 : 0;
    for (size_t i = 0; i < a->covers.count; i++)
        points += ledger_covers(b, a->covers.items[i]) ? 2 : 0;
    return points;
}

static int nearest_first(const void *a, const void *b)
{
    const struct near *one = a, *other = b;
    return one->score != other->score ? (one->score < other->score ? 1 : -1)
                                      : strcmp(one->scenario->title, other->scenario->title);
}

static void find_near(struct why *why)
{
    const char *last = "";
    for (size_t i = 0; i < why->corpus->count; i++) {
        const struct scenario *other = why->corpus->items[i];
        unsigned points = score(why->scenario, other);
        if (points < NEAR_LEAST || strcmp(other->name, last) == 0 || strcmp(other->name, why->scenario->name) == 0)
            continue;
        last = other->name;
        *ARENA_PUSH(why->arena, &why->near) = (struct near){other, points};
    }
    if (why->near.count > 0)
        qsort(why->near.items, why->near.count, sizeof *why->near.items, nearest_first);
    why->near.count = why->near.count < NEAR_MAX ? why->near.count : NEAR_MAX;
}

/* ---- what is known of MTAs ---- */

static void find_known(struct why *why)
{
    struct locate_names mtas = locate_adapter_names(why->arena);
    for (size_t i = 0; i < mtas.count; i++) {
        const char *path = locate_known_failures(why->arena, mtas.items[i]);
        struct known known = {0};
        if (path != NULL)
            known_read(why->arena, path, &known, why->corpus->diags);
        for (size_t k = 0; k < known.count; k++)
            if (known_names(&known.items[k], why->scenario->title))
                *ARENA_PUSH(why->arena, &why->known) = (struct known_of){mtas.items[i], &known.items[k]};
    }
}

/* ---- told ---- */

static const char *course_list(struct arena *arena, unsigned courses)
{
    const char *text = "";
    for (int course = COURSE_DELIVERED; message_course_words[course] != NULL; course++)
        if (courses >> course & 1)
            text = arena_printf(arena, "%s%s%s", text, text[0] != '\0' ? " or " : "", message_course_words[course]);
    return text;
}

static const char *accepted(struct arena *arena, const struct expectation *e)
{
    const char *text = course_list(arena, e->accept);
    for (size_t i = 0; i < e->recipient_count; i++)
        text = arena_printf(arena, "%s%s%s to %s", text, text[0] != '\0' ? ", " : "",
                            course_list(arena, e->recipients[i].accept), e->recipients[i].address);
    return text[0] != '\0' ? text : "as the lines of the scenario say";
}

static void print_line(const char *before, const char *text)
{
    fputs(before, stdout);
    text_print_escaped(stdout, text, strlen(text));
    fputc('\n', stdout);
}

static void print_rules(const struct why *why)
{
    puts("\nrule");
    for (size_t i = 0; i < why->scenario->covers.count; i++) {
        const struct clause *clause = clauses_find(why->clauses, why->scenario->covers.items[i]);
        if (clause != NULL)
            print_line(arena_printf(why->arena, "    %s %s: ", clause->id, clause->level), clause->says);
    }
}

static void print_expected(const struct why *why)
{
    const struct scenario *s = why->scenario;
    puts("\nexpected");
    for (size_t i = 0; i < s->step_count; i++) {
        if (s->step_count > 1)
            printf("    step %zu\n", i + 1);
        for (size_t k = 0; k < s->steps[i].expectation_count; k++) {
            const struct expectation *e = &s->steps[i].expectations[k];
            const char *room = e->latitude != NULL ? e->latitude : e->reading;
            printf("    %s: %s%s%s", mode_set_text(why->arena, e->modes & s->modes), accepted(why->arena, e),
                   e->code != NULL ? ", " : "", e->code != NULL ? e->code : "");
            print_line(room != NULL ? ", room: " : "", room != NULL ? room : "");
        }
    }
}

static void print_known(const struct why *why)
{
    puts("\nwhat MTAs do");
    if (why->known.count == 0)
        puts("    nothing is known to differ");
    for (size_t i = 0; i < why->known.count; i++) {
        const struct known_of *known = &why->known.items[i];
        printf("    %s", known->mta);
        for (size_t k = 0; k < known->failure->versions.count; k++)
            printf("%s%s", k == 0 ? " " : ", ", known->failure->versions.items[k]);
        printf(" (%s)\n", mode_set_text(why->arena, known->failure->modes));
        print_line("        seen: ", known->failure->seen != NULL ? known->failure->seen : "");
        print_line("        why: ", known->failure->reason != NULL ? known->failure->reason : "");
    }
}

static void print_for_people(const struct why *why)
{
    const struct scenario *s = why->scenario, *twin = s->twin;
    print_line("", s->title);
    print_line("    ", s->says != NULL ? s->says : "");
    print_line(arena_printf(why->arena, "    %s:%u", s->file, s->at.line), "");
    print_rules(why);
    print_expected(why);
    puts("\ncontrol twin");
    print_line("    ", twin != NULL ? twin->title : "none: it is sound itself");
    if (twin != NULL)
        print_line("        ", twin->says != NULL ? twin->says : "");
    puts("\nnear it");
    for (size_t i = 0; i < why->near.count; i++) {
        print_line("    ", why->near.items[i].scenario->name);
        print_line("        ", why->near.items[i].scenario->says != NULL ? why->near.items[i].scenario->says : "");
    }
    print_known(why);
    puts("\nby hand");
    print_line("    ", arena_printf(why->arena, "mtalab run -v '%s'", s->name));
    print_line("    ", arena_printf(why->arena, "mtalab up '%s'", s->title));
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

static void print_json(const struct why *why)
{
    const struct scenario *s = why->scenario;
    command_print_json(json_pack("{s:s,s:s?,s:s,s:i,s:s?,s:o,s:o,s:s?,s:o,s:o}", "title", s->title, "says", s->says,
                                 "file", s->file, "line", (int)s->at.line, "because", s->because, "rules", rules(why),
                                 "expected", expected(s), "twin", s->twin != NULL ? s->twin->title : NULL, "near",
                                 near(why), "known", known(why)));
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
    why->near.count = why->known.count = 0;
    find_near(why);
    find_known(why);
    (json ? print_json : print_for_people)(why);
    return 0;
}

static int run(struct arena *arena, const struct command_line *line, const char *folder, bool json)
{
    struct diag_list *diags = diag_new(arena);
    struct why why = {.arena = arena, .corpus = corpus_read(folder, NULL, 0)};
    why.clauses = clauses_read(arena, arena_printf(arena, "%s/clauses", folder), diags);
    int status = line->word_count == 0 ? 2 : 0;
    if (line->word_count == 0)
        fputs("mtalab: why what? Name a scenario; mtalab list shows them\n", stderr);
    for (size_t i = 0; i < line->word_count && status == 0; i++)
        status = explain(&why, line->words[i], json);
    diag_print(why.corpus->diags, stderr);
    status = status == 0 && diag_errors(why.corpus->diags) > 0 ? 2 : status;
    corpus_free(&why.corpus);
    return status;
}

int command_why(int argc, char **argv)
{
    const char *json = NULL, *scenarios = NULL;
    const struct command_option options[] = {
        {"--json", NULL, "one line of JSON for each", &json},
        {"--scenarios", "FOLDER", "where the scenarios are", &scenarios},
    };
    struct command_line line = {"why [--json] SCENARIO...",
                                "Says what is behind a scenario: the rule in our words, what it expects, its control "
                                "twin, what is near it, what is\nknown of MTAs, and how to see it by hand.",
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
