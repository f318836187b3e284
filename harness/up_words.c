/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "harness/case_timeline.h"
#include "harness/up.h"

enum { MISTAKE = 2, LINES_MAX = 60, SUBJECT_S = 60 };

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* ---- what is up ---- */

static void tell_defects(const struct up *up, FILE *out)
{
    for (size_t i = 0; i < up->plan->defect_count; i++)
        fprintf(out, "  wrong: %s\n", up->plan->defects[i].what);
    if (up->plan->defect_count == 0)
        fputs("  nothing is wrong\n", out);
}

/* What a sender has to do in this world, by whose word. */
static void tell_expected(const struct up *up, FILE *out)
{
    const struct scenario *scenario = up->sound ? up->scenario->from : up->scenario;
    const struct expectation *e = scenario_expects(&scenario->steps[up->step], up->wish.mode);
    const char *clause = scenario->covers.count > 0 ? scenario->covers.items[0] : "";
    for (int course = 0; e != NULL && message_course_words[course] != NULL; course++)
        if (e->accept & (1u << course))
            fprintf(out, "  a sender in mode %s: %s%s%s (%s)\n", mode_text(up->wish.mode), message_course_words[course],
                    e->code != NULL && course == COURSE_DEFERRED ? " with " : "",
                    e->code != NULL && course == COURSE_DEFERRED ? e->code : "", clause);
}

static bool show(struct up *up, const char *argument UNUSED, FILE *out)
{
    const struct scenario *scenario = up->scenario;
    fprintf(out, "The world of %s%s%s", scenario->title, up->sound ? ", without its defect" : "",
            up->by_hand.change != NULL ? ", changed by hand" : "");
    if (scenario->step_count > 1)
        fprintf(out, ", step %zu of %zu", up->step + 1, scenario->step_count);
    fputs(".\n", out);
    tell_defects(up, out);
    if (up->by_hand.change == NULL)
        tell_expected(up, out);
    return true;
}

/* ---- another world ---- */

static bool enter(struct up *up, const struct scenario *scenario, size_t step, FILE *out)
{
    if (!up_change(up, scenario, scenario->steps[step].world, out))
        return false;
    up->scenario = scenario;
    up->step = step;
    up->sound = false;
    up->by_hand = (struct up_by_hand){0};
    return show(up, NULL, out);
}

static bool become(struct up *up, const char *wanted, FILE *out)
{
    const struct scenario *scenario = up_find(up, wanted, out);
    return scenario != NULL && enter(up, scenario, 0, out);
}

/* Read once more, for somebody may have written in its file. */
static bool again(struct up *up, const char *argument UNUSED, FILE *out)
{
    return become(up, up->scenario->title, out);
}

static bool next(struct up *up, const char *argument UNUSED, FILE *out)
{
    const struct scenario *scenario = up->scenario;
    if (up->step + 1 >= scenario->step_count) {
        fprintf(out, "mtalab: %s has %zu step%s, and this is the last; 'mtalab world again' goes back to the first\n",
                scenario->title, scenario->step_count, plural(scenario->step_count));
        return false;
    }
    journal_next_attempt(up->journal);
    if (!enter(up, scenario, up->step + 1, out))
        return false;
    const struct scenario_step *step = &scenario->steps[up->step];
    if (step->advance_s > 0)
        fprintf(out, "  by now %.0f s have passed for the sender\n", step->advance_s);
    if (step->connectors != NULL)
        fputs("  the sender's connectors change in this step, which is left to you\n", out);
    return true;
}

/* ---- the defect, off and on ---- */

static bool go_sound(struct up *up, const char *argument UNUSED, FILE *out)
{
    const struct scenario *base = up->scenario->from;
    if (base == NULL) {
        fprintf(out, "mtalab: %s has no base, whose world would be without the defect\n", up->scenario->title);
        return false;
    }
    if (!up_change(up, base, base->steps[0].world, out))
        return false;
    up->sound = true;
    up->step = 0;
    return show(up, NULL, out);
}

static bool go_wrong(struct up *up, const char *argument UNUSED, FILE *out)
{
    return enter(up, up->scenario, 0, out);
}

/* ---- changes by hand ---- */

/* A base is named by its path in the scenarios' folder, or stands next to its file. */
static const char *name_as_base(const struct up *up, const struct scenario *scenario)
{
    size_t length = strlen(up->wish.scenarios);
    const char *slash = strrchr(scenario->name, '/');
    bool inside = strncmp(scenario->file, up->wish.scenarios, length) == 0 && scenario->file[length] == '/';
    return inside || slash == NULL ? scenario->name : slash + 1;
}

static const char *name_of_by_hand(const struct up *up, const struct scenario *scenario)
{
    const char *slash = strrchr(scenario->file, '/');
    return arena_printf(up->arena, "%.*s/changed by hand", slash != NULL ? (int)(slash - scenario->file) : 1,
                        slash != NULL ? scenario->file : ".");
}

/* What must happen is for its reader to say: until then, another thing than in the base. */
static const char *course_to_be_said(const struct up *up)
{
    const struct expectation *e = scenario_expects(&up->scenario->steps[0], up->wish.mode);
    bool delivered = e == NULL || e->accept & (1u << COURSE_DELIVERED);
    return message_course_words[delivered ? COURSE_DEFERRED : COURSE_DELIVERED];
}

/* The scenario that the changes make of the one that is up, which becomes its base. */
static const char *write_by_hand(struct up *up, const struct tree_node *change)
{
    char *text = NULL;
    size_t size = 0;
    const struct scenario *from = up->scenario;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "says: The world of %s, changed by hand.\ncovers: [%s]\nbase: %s\nbecause: It was changed by hand.\n",
            from->title, from->covers.count > 0 ? from->covers.items[0] : "", name_as_base(up, from));
    fputs("change:\n", out);
    for (size_t i = 0; i < change->count; i++) {
        fprintf(out, "  %s: ", change->entries[i].key);
        tree_print(change->entries[i].value, out);
        fputc('\n', out);
    }
    fprintf(out, "expect:   # say here what is right; 'when:' tells modes apart\n  - message: %s\n",
            course_to_be_said(up));
    fclose(out);
    const char *kept = arena_strdup(up->arena, text);
    free(text);
    return kept;
}

static const struct scenario *read_by_hand(struct up *up, const char *text, FILE *out)
{
    struct corpus *corpus = *ARENA_PUSH(up->arena, &up->corpora) =
        corpus_read_text(up->wish.scenarios, name_of_by_hand(up, up->scenario), text, strlen(text));
    if (diag_errors(corpus->diags) > 0)
        diag_print(corpus->diags, out);
    if (diag_errors(corpus->diags) > 0 || corpus->count == 0)
        return NULL;
    const struct scenario *base = corpus->items[0]->from;
    if (base != NULL && strcmp(base->variant, up->scenario->variant) == 0)
        return corpus->items[0];
    fprintf(out, "mtalab: of the variants of %s only the first can be changed by hand\n", up->scenario->name);
    return NULL;
}

static bool set(struct up *up, const char *said, FILE *out)
{
    struct diag_list *diags = diag_new(up->arena);
    const struct tree_node *more = tree_read_text(up->arena, "mtalab world set", said, strlen(said), diags);
    diag_print(diags, out);
    if (up->step > 0 || up->sound) {
        fputs("mtalab: this is not where the scenario begins; 'mtalab world again' goes there\n", out);
        return false;
    }
    if (more == NULL || more->kind != TREE_MAP) {
        fputs("mtalab: a change is written like 'mx1.partner.example: {certificate: expired}'\n", out);
        return false;
    }
    struct up_by_hand by_hand = {.change = tree_merge(up->arena, up->by_hand.change, more)};
    by_hand.text = write_by_hand(up, by_hand.change);
    const struct scenario *scenario = read_by_hand(up, by_hand.text, out);
    if (scenario == NULL || !up_change(up, scenario, scenario->steps[0].world, out))
        return false;
    up->by_hand = by_hand;
    return show(up, NULL, out);
}

static bool save(struct up *up, const char *argument UNUSED, FILE *out)
{
    if (up->by_hand.text == NULL)
        fputs("mtalab: nothing was changed by hand\n", out);
    else
        fputs(up->by_hand.text, out);
    return up->by_hand.text != NULL;
}

/* ---- what happened ---- */

static bool attempt(struct up *up, const char *argument UNUSED, FILE *out)
{
    journal_next_attempt(up->journal);
    if (up->subject != NULL && subject_ask(up->subject, up->loop, SUBJECT_S, "flush", NULL) != SUBJECT_YES) {
        fprintf(out, "mtalab: %s\n", subject_why(up->subject));
        return false;
    }
    fprintf(out, "attempt %u begins\n", journal_attempt(up->journal));
    return true;
}

static bool queue(struct up *up, const char *argument UNUSED, FILE *out)
{
    json_t *answer = NULL;
    const struct verdict_status *status;
    if (up->subject == NULL) {
        fputs("mtalab: the world has no subject; 'mtalab up --mta NAME' brings one\n", out);
        return false;
    }
    if (subject_ask(up->subject, up->loop, SUBJECT_S, "status", &answer) != SUBJECT_YES) {
        fprintf(out, "mtalab: %s\n", subject_why(up->subject));
        return false;
    }
    size_t count = subject_status(up->arena, answer, &status);
    for (size_t i = 0; i < count; i++) {
        char *reason = text_escape(up->arena, status[i].reason, strlen(status[i].reason));
        fprintf(out, "  %s: %s %s %s\n", status[i].recipient, status[i].state, status[i].code, reason);
    }
    json_decref(answer);
    return true;
}

static bool seen(struct up *up, const char *argument UNUSED, FILE *out)
{
    struct case_result told = {0};
    struct arena *arena = arena_new("seen");
    case_timeline(arena, up->journal, up->seen_to, NULL, NULL, LINES_MAX, &told);
    for (size_t i = 0; i < told.line_count; i++)
        fprintf(out, "  %+.3f  %-4s  %s\n", told.lines[i].at_s, told.lines[i].actor, told.lines[i].text);
    if (told.line_count == 0)
        fputs("  nothing\n", out);
    up->seen_to = journal_count(up->journal);
    arena_free(&arena);
    return true;
}

/* ---- the words ---- */

static const struct up_word words[] = {
    {"show", NULL, "what is up, what is wrong with it, and what a sender has to do", show},
    {"seen", NULL, "what was witnessed since the last time", seen},
    {"queue", NULL, "what the subject says of its messages", queue},
    {"next", NULL, "the next step of the scenario's course", next},
    {"off", NULL, "without the defect: the world of the scenario's base", go_sound},
    {"on", NULL, "with the defect again", go_wrong},
    {"set", "CHANGE", "changes names, as `change:` of a scenario does: 'mx1.partner.example: {certificate: expired}'",
     set},
    {"save", NULL, "prints the changes as a scenario", save},
    {"again", NULL, "as the scenario begins; its file is read once more", again},
    {"become", "SCENARIO", "the world of another scenario", become},
    {"attempt", NULL, "the sender's next attempt begins, of which a fault with `nth` may be; the subject makes it",
     attempt},
};

const struct up_word *up_word_at(size_t i)
{
    return i < COUNT(words) ? &words[i] : NULL;
}

static const char *name_at(const void *rows UNUSED, size_t i)
{
    return i < COUNT(words) ? words[i].name : NULL;
}

static const struct up_word *find_word(const char *name, FILE *out)
{
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i].name, name) == 0)
            return &words[i];
    const char *nearest = table_nearest(name, name_at, NULL);
    fprintf(out, "mtalab: no word is '%s'%s%s%s; try --help\n", name, nearest != NULL ? ", did you mean '" : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return NULL;
}

int up_obey(void *arg, const char *const *said, size_t count, FILE *out)
{
    struct up *up = arg;
    const struct up_word *word = find_word(count > 0 ? said[0] : words[0].name, out);
    size_t wanted = word != NULL && word->argument != NULL ? 2 : 1;
    if (word == NULL)
        return MISTAKE;
    if (count > wanted || (count < wanted && wanted == 2)) {
        fprintf(out, "mtalab: '%s' takes %s%s\n", word->name, wanted == 2 ? "one argument, " : "no argument",
                wanted == 2 ? word->argument : "");
        return MISTAKE;
    }
    return word->obey(up, wanted == 2 ? said[1] : NULL, out) ? 0 : MISTAKE;
}
