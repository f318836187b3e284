/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/diag.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* How much of a long line is shown around the place. */
enum { SHOWN_BEFORE = 60, SHOWN_MAX = 110 };

struct source {
    const char *file, *text;
    size_t length;
};

struct finding {
    struct srcpos at;
    bool is_error;
    size_t nth, source;
    const char *text;
};

struct diag_list {
    struct arena *arena;
    struct {
        struct source *items;
        size_t count, room;
    } sources;
    struct {
        struct finding *items;
        size_t count, room;
    } findings;
    size_t errors, count;
};

struct diag_list *diag_new(struct arena *arena)
{
    struct diag_list *list = arena_alloc(arena, sizeof *list);
    list->arena = arena;
    return list;
}

void diag_source(struct diag_list *list, const char *file, const char *text, size_t length)
{
    *ARENA_PUSH(list->arena, &list->sources) = (struct source){file, text, length};
}

/* Files are told apart by name; the text registered last is the one that is shown. */
static const struct source *find_source(const struct diag_list *list, const char *file)
{
    for (size_t i = list->sources.count; file != NULL && i > 0; i--)
        if (strcmp(list->sources.items[i - 1].file, file) == 0)
            return &list->sources.items[i - 1];
    return NULL;
}

static bool same_place(struct srcpos a, struct srcpos b)
{
    bool same_file = a.file == b.file || (a.file != NULL && b.file != NULL && strcmp(a.file, b.file) == 0);
    return same_file && a.line == b.line && a.col == b.col;
}

/* What is read more than once (a base, a variant) is found wrong more than once. */
static bool is_known(const struct diag_list *list, struct srcpos at, const char *text)
{
    for (size_t i = 0; at.file != NULL && i < list->findings.count; i++)
        if (same_place(list->findings.items[i].at, at) && strcmp(list->findings.items[i].text, text) == 0)
            return true;
    return false;
}

static void add(struct diag_list *list, struct srcpos at, bool is_error, const char *fmt, va_list args)
    PRINTF_LIKE(4, 0);
static void add(struct diag_list *list, struct srcpos at, bool is_error, const char *fmt, va_list args)
{
    bool full = list->findings.count >= DIAG_MAX;
    const char *text = full ? NULL : arena_vprintf(list->arena, fmt, args);
    if (!full && is_known(list, at, text))
        return;
    list->errors += is_error;
    list->count++;
    if (full)
        return;
    const struct source *source = find_source(list, at.file);
    size_t nth = list->findings.count;
    *ARENA_PUSH(list->arena, &list->findings) = (struct finding){
        .at = at,
        .is_error = is_error,
        .nth = nth,
        .source = source != NULL ? (size_t)(source - list->sources.items) + 1 : 0,
        .text = text,
    };
}

void diag_error(struct diag_list *list, struct srcpos at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add(list, at, true, fmt, args);
    va_end(args);
}

void diag_warning(struct diag_list *list, struct srcpos at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add(list, at, false, fmt, args);
    va_end(args);
}

size_t diag_errors(const struct diag_list *list)
{
    return list->errors;
}

size_t diag_count(const struct diag_list *list)
{
    return list->count;
}

struct line {
    const char *text;
    size_t length;
};

/* Lines end as YAML has them end: \n, \r\n or \r. */
static bool find_line(const struct source *source, unsigned number, struct line *line)
{
    const char *at = source->text, *end = source->text + source->length;
    for (unsigned n = 1; number > 0; n++) {
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        if (n == number) {
            *line = (struct line){at, (size_t)(stop - at)};
            return true;
        }
        if (stop == end)
            return false;
        at = stop + (stop[0] == '\r' && stop + 1 < end && stop[1] == '\n' ? 2 : 1);
    }
    return false;
}

struct excerpt {
    unsigned first, last;   /* which characters of the line are shown, from 1 */
    unsigned from, to;      /* which of them are underlined */
    unsigned before, under; /* how many places these take on the screen */
};

/* A character as it is shown: a tab takes one place, what cannot be printed is escaped. */
static unsigned print_character(FILE *out, const char *text, size_t length)
{
    if (length == 1 && *text == '\t') {
        if (out != NULL)
            fputc(' ', out);
        return 1;
    }
    uint32_t code;
    bool shown = text_utf8_step(text, length, &code) == length && text_is_printable(code);
    if (out != NULL)
        text_print_escaped(out, text, length);
    return shown ? 1 : 4 * (unsigned)length;
}

/* Prints the part of the line that is shown (out may be NULL) and finds out where the place stands on the screen. */
static void walk_line(struct line line, struct excerpt *excerpt, FILE *out)
{
    uint32_t code;
    unsigned number = 1;
    excerpt->before = excerpt->under = 0;
    for (size_t i = 0; i < line.length && number <= excerpt->last; number++) {
        size_t step = text_utf8_step(line.text + i, line.length - i, &code);
        if (step == 0)
            step = 1;
        if (number >= excerpt->first) {
            unsigned places = print_character(out, line.text + i, step);
            if (number < excerpt->from)
                excerpt->before += places;
            else if (number < excerpt->to)
                excerpt->under += places;
        }
        i += step;
    }
}

static void print_underline(const struct excerpt *excerpt, const char *note, int indent, FILE *out)
{
    fprintf(out, "%*s^", indent + (int)excerpt->before, "");
    for (unsigned i = 1; i < excerpt->under; i++)
        fputc('~', out);
    if (note != NULL) {
        fputc(' ', out);
        text_print_escaped(out, note, strlen(note));
    }
    fputc('\n', out);
}

void diag_print_excerpt(const struct diag_list *list, struct srcpos at, const char *note, int indent, FILE *out)
{
    const struct source *source = find_source(list, at.file);
    struct line line;
    if (source == NULL || !find_line(source, at.line, &line))
        return;
    unsigned length = at.length > 0 ? at.length : 1;
    struct excerpt excerpt = {
        .first = at.col > SHOWN_BEFORE ? at.col - SHOWN_BEFORE : 1,
        .from = at.col,
        .to = length < SHOWN_MAX ? at.col + length : at.col + SHOWN_MAX,
    };
    excerpt.last = excerpt.first + SHOWN_MAX - 1;
    fprintf(out, "%*s", indent, "");
    walk_line(line, &excerpt, out);
    fputc('\n', out);
    if (at.col > 0)
        print_underline(&excerpt, note, indent, out);
}

static int compare(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    if (a->at.col != b->at.col)
        return a->at.col < b->at.col ? -1 : 1;
    return a->nth < b->nth ? -1 : 1;
}

static void print_place(struct srcpos at, FILE *out)
{
    if (at.file == NULL)
        return;
    text_print_escaped(out, at.file, strlen(at.file));
    if (at.line > 0)
        fprintf(out, ":%u", at.line);
    if (at.line > 0 && at.col > 0)
        fprintf(out, ":%u", at.col);
    fputs(": ", out);
}

void diag_print(const struct diag_list *list, FILE *out)
{
    size_t count = list->findings.count;
    if (count == 0)
        return;
    struct arena *arena = arena_new("diag_print");
    struct finding *sorted = arena_memdup(arena, list->findings.items, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        print_place(sorted[i].at, out);
        fputs(sorted[i].is_error ? "error: " : "warning: ", out);
        text_print_escaped(out, sorted[i].text, strlen(sorted[i].text));
        fputc('\n', out);
        diag_print_excerpt(list, sorted[i].at, NULL, 4, out);
    }
    if (list->count > count)
        fprintf(out, "and %zu more\n", list->count - count);
    arena_free(&arena);
}

char *diag_text(struct arena *arena, const struct diag_list *list)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    diag_print(list, out);
    fclose(out);
    char *kept = arena_strdup(arena, text);
    free(text);
    return kept;
}
