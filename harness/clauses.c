/* SPDX-License-Identifier: BSD-2-Clause
 * The catalogue of clauses: one file for each RFC, one line for each normative sentence, in our own words. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness/scenario.h"

enum { COLUMNS_LEAST = 6, COLUMNS = 7, FILE_MAX = 1 << 20 };
static const char header[] = "id\tsection\tlevel\twho\tsays\tseen\twhy-not";

struct clauses {
    struct {
        struct clause *items;
        size_t count, room;
    } all; /* sorted by id */
};

/* Splits a line in place; false when it has too few or too many columns. The last may be left out, and is then "". */
static bool split(char *line, const char *columns[COLUMNS])
{
    size_t count = 0;
    for (char *column; (column = strsep(&line, "\t")) != NULL; count++)
        if (count < COLUMNS)
            columns[count] = column;
    for (size_t i = count; i < COLUMNS; i++)
        columns[i] = "";
    return count >= COLUMNS_LEAST && count <= COLUMNS;
}

static bool is_level(const char *word)
{
    static const char *const levels[] = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", NULL};
    for (size_t i = 0; levels[i] != NULL; i++)
        if (strcmp(levels[i], word) == 0)
            return true;
    return false;
}

/* "8461-4.1-2" belongs to RFC 8461. */
static const char *rfc_of(struct arena *arena, const char *id)
{
    return arena_strndup(arena, id, strcspn(id, "-"));
}

/* One clause a line; text is cut to pieces and must live on. */
static void read_lines(struct arena *arena, struct clauses *clauses, struct srcpos at, char *text,
                       struct diag_list *diags)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest), at.line++) {
        const char *column[COLUMNS];
        if (!split(line, column) || !is_level(column[2]))
            diag_error(diags, at,
                       "a clause is id, section, level (MUST, SHOULD NOT, ...), who, says, seen and perhaps why-not, "
                       "with tabs between");
        else
            *ARENA_PUSH(arena, &clauses->all) = (struct clause){
                .id = column[0],
                .rfc = rfc_of(arena, column[0]),
                .section = column[1],
                .level = column[2],
                .who = column[3],
                .says = column[4],
                .seen = column[5],
                .why_not = column[6],
            };
    }
}

static void read_file(struct arena *arena, struct clauses *clauses, const char *path, struct diag_list *diags)
{
    struct err err = {0};
    size_t length;
    char *text = text_read_file(arena, path, FILE_MAX, &length, &err);
    if (text == NULL) {
        diag_error(diags, (struct srcpos){0}, "%s", err.text);
        return;
    }
    size_t header_length = strlen(header);
    if (strncmp(text, header, header_length) != 0 || text[header_length] != '\n')
        diag_error(diags, (struct srcpos){path, 1, 1, 1},
                   "the first line of a clause file names its columns: id, section, level, who, says, seen, why-not");
    else
        read_lines(arena, clauses, (struct srcpos){path, 2, 1, 1}, text + header_length + 1, diags);
}

static int compare_clauses(const void *a, const void *b)
{
    return strverscmp(((const struct clause *)a)->id, ((const struct clause *)b)->id);
}

static struct clauses *sorted(struct clauses *clauses)
{
    if (clauses->all.count > 0)
        qsort(clauses->all.items, clauses->all.count, sizeof *clauses->all.items, compare_clauses);
    return clauses;
}

struct clauses *clauses_read(struct arena *arena, const char *directory, struct diag_list *diags)
{
    struct clauses *clauses = arena_alloc(arena, sizeof *clauses);
    DIR *folder = opendir(directory);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        const char *end = strrchr(entry->d_name, '.');
        if (strncmp(entry->d_name, "rfc", 3) == 0 && end != NULL && strcmp(end, ".tsv") == 0)
            read_file(arena, clauses, arena_printf(arena, "%s/%s", directory, entry->d_name), diags);
    }
    if (folder != NULL)
        closedir(folder);
    return sorted(clauses);
}

struct clauses *clauses_read_text(struct arena *arena, const char *text, struct diag_list *diags)
{
    struct clauses *clauses = arena_alloc(arena, sizeof *clauses);
    read_lines(arena, clauses, (struct srcpos){"clauses", 1, 1, 1}, arena_strdup(arena, text), diags);
    return sorted(clauses);
}

const struct clause *clauses_find(const struct clauses *clauses, const char *id)
{
    struct clause key = {.id = id};
    return clauses->all.count == 0 ? NULL
                                   : bsearch(&key, clauses->all.items, clauses->all.count, sizeof key, compare_clauses);
}

const struct clause *clauses_at(const struct clauses *clauses, size_t i)
{
    return i < clauses->all.count ? &clauses->all.items[i] : NULL;
}
