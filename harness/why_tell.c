/* SPDX-License-Identifier: BSD-2-Clause
 * What stands behind a scenario, as a page to read. */
#include <string.h>

#include "base/text.h"
#include "harness/expect.h"
#include "harness/why.h"

enum { WIDTH = 100, INDENT = 4, FILE_MAX = 1 << 20 };

struct page {
    const struct why *why;
    struct arena *arena;
    FILE *out;
};

/* ---- lines ---- */

static int columns_of(const char *text, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80; /* UTF-8: not the rest of a character */
    return columns;
}

/* Words, as many as fit; the first line begins with head, further ones under what stands behind it. */
static void say(const struct page *page, const char *head, const char *text)
{
    int hang = columns_of(head, strlen(head)), column = hang;
    fputs(head, page->out);
    for (const char *word = text + strspn(text, " \n"); *word != '\0'; word += strspn(word, " \n")) {
        size_t length = strcspn(word, " \n");
        int columns = columns_of(word, length);
        if (column > hang && column + 1 + columns > WIDTH) {
            fprintf(page->out, "\n%*s", hang, "");
            column = hang;
        }
        if (column > hang)
            column += fputc(' ', page->out) == ' ';
        text_print_escaped(page->out, word, length);
        column += columns;
        word += length;
    }
    fputc('\n', page->out);
}

static void say_indented(const struct page *page, unsigned depth, const char *text)
{
    say(page, arena_printf(page->arena, "%*s", (int)depth * INDENT, ""), text);
}

static void head(const struct page *page, const char *title)
{
    fprintf(page->out, "\n%s\n", title);
}

/* ---- the world, in the scenario's own lines ---- */

/* From a key at the margin to the next one. */
static void say_block(const struct page *page, const char *file, const char *key)
{
    const char *start = arena_printf(page->arena, "\n%s:", key);
    const char *found = strstr(file, start);
    if (found == NULL)
        return;
    for (const char *line = found + 1, *first = line; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (line != first && length > 0 && line[0] != ' ')
            return;
        fprintf(page->out, "%*s", length > 0 ? INDENT : 0, "");
        text_print_escaped(page->out, line, length);
        fputc('\n', page->out);
        line += length + (line[length] == '\n');
    }
}

static void say_world(const struct page *page)
{
    static const char *const keys[] = {"variants", "world", "change", "connectors", "rules", "send", "steps"};
    const struct scenario *s = page->why->scenario;
    const char *file = text_read_file(page->arena, s->file, FILE_MAX, NULL, NULL);
    head(page, s->base != NULL ? arena_printf(page->arena, "the world of %s, and in it", s->base) : "the world");
    for (size_t i = 0; file != NULL && i < COUNT(keys); i++)
        if (strcmp(keys[i], "steps") != 0 || s->step_count > 1)
            say_block(page, file, keys[i]);
}

/* ---- what is right ---- */

static const char *course_list(struct arena *arena, unsigned courses)
{
    const char *text = "";
    for (int course = COURSE_DELIVERED; message_course_words[course] != NULL; course++)
        if (courses >> course & 1)
            text = arena_printf(arena, "%s%s%s", text, text[0] != '\0' ? " or " : "", message_course_words[course]);
    return text;
}

static const char *add(struct arena *arena, const char *text, const char *between, const char *more)
{
    return more[0] == '\0' ? text : arena_printf(arena, "%s%s%s", text, text[0] != '\0' ? between : "", more);
}

static const char *message_text(struct arena *arena, const struct expectation *e)
{
    static const char *const channels[] = {"", " in clear", " over TLS"};
    const char *text = course_list(arena, e->accept);
    for (size_t i = 0; i < e->recipient_count; i++)
        text =
            add(arena, text, ", ",
                arena_printf(arena, "%s to %s", course_list(arena, e->recipients[i].accept), e->recipients[i].address));
    text = arena_printf(arena, "%s%s", text, text[0] != '\0' ? channels[e->channel] : "");
    return e->code != NULL ? add(arena, text, " as ", e->code) : text;
}

/* "mx1.partner.example: starttls, no mail-from" for each host; questions and requests by themselves. */
static const char *lines_text(struct arena *arena, const struct expectation *e)
{
    const char *text = "";
    for (size_t i = 0; i < e->line_count; i++) {
        const struct expect_line *line = &e->lines[i], *before = i > 0 ? &e->lines[i - 1] : NULL;
        bool goes_on = before != NULL && before->row->about == line->row->about && before->host != NULL &&
                       line->host != NULL && strcmp(before->host, line->host) == 0;
        const char *word = arena_printf(arena, "%s%s", line->forbidden ? "no " : "", line->row->word);
        if (!goes_on && line->host != NULL)
            word = arena_printf(arena, line->row->about == EXPECT_HOST ? "%s: %s" : "%2$s %1$s", line->host, word);
        text = add(arena, text, goes_on ? ", " : "; ", word);
    }
    return text;
}

static void say_expectation(const struct page *page, const struct expectation *e)
{
    struct arena *arena = page->arena;
    const char *modes = mode_set_text(arena, e->modes & page->why->scenario->modes);
    const char *text = add(arena, message_text(arena, e), "; ", lines_text(arena, e));
    const char *room = e->reading != NULL ? reading_find(e->reading)->doc : e->latitude;
    if (room != NULL)
        text = add(arena, text, "; ", arena_printf(arena, "the RFCs leave room (%s)", room));
    say(page, arena_printf(arena, "%*s%-30s ", INDENT, "", modes), text[0] != '\0' ? text : "whatever else is right");
}

static void say_right(const struct page *page)
{
    const struct scenario *s = page->why->scenario;
    head(page, "right is");
    for (size_t i = 0; i < s->step_count; i++) {
        if (s->step_count > 1)
            fprintf(page->out, "%*sstep %zu\n", INDENT, "", i + 1);
        for (size_t k = 0; k < s->steps[i].expectation_count; k++)
            say_expectation(page, &s->steps[i].expectations[k]);
    }
    if (s->modes_because != NULL)
        say_indented(page, 1, arena_printf(page->arena, "Not for other modes: %s", s->modes_because));
}

/* ---- because ---- */

static void say_rules(const struct page *page)
{
    const struct scenario *s = page->why->scenario;
    head(page, "because");
    for (size_t i = 0; i < s->covers.count; i++) {
        const struct clause *clause = clauses_find(page->why->clauses, s->covers.items[i]);
        if (clause != NULL)
            say(page, arena_printf(page->arena, "%*s%-15s %-10s ", INDENT, "", clause->id, clause->level),
                clause->says);
    }
}

static void say_scenario(const struct page *page, const char *name, const struct scenario *s)
{
    say_indented(page, 1, name);
    say_indented(page, 2, s->says != NULL ? s->says : "");
}

static void say_twin(const struct page *page)
{
    const struct scenario *twin = page->why->scenario->twin;
    if (twin == NULL)
        return;
    head(page, "control twin: a sender that fails it has proved nothing here");
    say_scenario(page, twin->title, twin);
}

static void say_near(const struct page *page)
{
    if (page->why->near.count > 0)
        head(page, "near it");
    for (size_t i = 0; i < page->why->near.count; i++)
        say_scenario(page, page->why->near.items[i].scenario->name, page->why->near.items[i].scenario);
}

/* ---- what MTAs do ---- */

static void say_known(const struct page *page, const struct why_known *known)
{
    const struct known_failure *failure = known->failure;
    const char *versions = "";
    for (size_t i = 0; i < failure->versions.count; i++)
        versions = add(page->arena, versions, ", ", failure->versions.items[i]);
    const char *who = add(page->arena, known->mta, " ", versions);
    say_indented(page, 1,
                 add(page->arena, who, ": ", mode_set_text(page->arena, failure->modes & page->why->scenario->modes)));
    say_indented(page, 2, failure->seen != NULL ? failure->seen : "");
    say_indented(page, 2, failure->reason != NULL ? failure->reason : "");
}

static void say_declared(const struct page *page, const struct why_declared *declared)
{
    say_indented(page, 1,
                 arena_printf(page->arena, "%s %s: %s", declared->mta, declared->version,
                              mode_set_text(page->arena, declared->modes)));
    say_indented(page, 2,
                 arena_printf(page->arena, "declares '%s: %s' (%s), so that right is: %s", declared->reading->key,
                              declared->word, declared->reading->doc, course_list(page->arena, declared->accept)));
}

static void say_mtas(const struct page *page)
{
    const struct why *why = page->why;
    head(page, "what MTAs do");
    for (size_t i = 0; i < why->known.count; i++)
        say_known(page, &why->known.items[i]);
    for (size_t i = 0; i < why->declared.count; i++)
        say_declared(page, &why->declared.items[i]);
    if (why->known.count == 0)
        say_indented(page, 1,
                     arena_printf(page->arena, "Of those that there are adapters for (%s) none is known to differ.",
                                  why->mtas));
}

/* ---- by hand ---- */

static void say_by_hand(const struct page *page)
{
    const struct scenario *s = page->why->scenario;
    unsigned mode = 0;
    while (mode + 1 < MODE_COUNT && (s->modes >> mode & 1) == 0)
        mode++;
    for (unsigned other = mode; other < MODE_COUNT; other++) /* rather one in which DANE has a say */
        if (mode_dane(mode) == MODE_DANE_NONE && mode_dane(other) != MODE_DANE_NONE && (s->modes >> other & 1))
            mode = other;
    head(page, "see for yourself");
    fprintf(page->out, "%*smtalab run -v '%s'\n", INDENT, "", s->name);
    fprintf(page->out, "%*smtalab run '%s' --mta postfix\n", INDENT, "", s->name);
    fprintf(page->out, "%*smtalab up '%s' --mode %s\n", INDENT, "", s->title, mode_text(mode));
    fprintf(page->out, "%*s%s:%u\n", INDENT, "", s->file, s->at.line);
}

void why_tell(const struct why *why, FILE *out)
{
    const struct page page = {why, arena_new("page"), out};
    say(&page, "", why->scenario->title);
    say(&page, "", why->scenario->says != NULL ? why->scenario->says : "");
    say_world(&page);
    say_right(&page);
    say_rules(&page);
    say_twin(&page);
    say_mtas(&page);
    say_near(&page);
    say_by_hand(&page);
    struct arena *arena = page.arena;
    arena_free(&arena);
}
