/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/table.h"
#include "harness/scenario_internal.h"

enum { FOLDERS_MAX = 8, FILES_MAX = 20000 };

struct names {
    const char **items;
    size_t count, room;
};

struct reading {
    struct corpus *corpus;
    struct scenario_library *library;
    struct scenario_check check;
    struct names paths; /* of the files to read */
};

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool ends_in_yaml(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

static void add_path(struct reading *reading, const char *path)
{
    for (size_t i = 0; i < reading->paths.count; i++)
        if (strcmp(reading->paths.items[i], path) == 0)
            return;
    if (reading->paths.count < FILES_MAX)
        *ARENA_PUSH(reading->corpus->arena, &reading->paths) = path;
}

/* Every scenario below a folder. */
static void add_folder(struct reading *reading, const char *path, unsigned depth)
{
    DIR *folder = depth < FOLDERS_MAX ? opendir(path) : NULL;
    if (folder == NULL) {
        diag_error(reading->corpus->diags, (struct srcpos){0}, "cannot look into the folder '%s'", path);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "clauses") == 0)
            continue;
        char *inside = arena_printf(reading->corpus->arena, "%s/%s", path, entry->d_name);
        if (is_folder(inside))
            add_folder(reading, inside, depth + 1);
        else if (ends_in_yaml(entry->d_name))
            add_path(reading, inside);
    }
    closedir(folder);
}

static char *without_slashes_at_end(struct arena *arena, const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return arena_strndup(arena, path, length);
}

/* "dane/matching-key" for a file of the scenarios' folder, else the path without its end. */
static char *name_of(const struct corpus *corpus, const char *path)
{
    size_t length = corpus->directory != NULL ? strlen(corpus->directory) : 0;
    if (length > 0 && strncmp(path, corpus->directory, length) == 0 && path[length] == '/')
        path += length + 1;
    return arena_strndup(corpus->arena, path, ends_in_yaml(path) ? strlen(path) - 5 : strlen(path));
}

static const char *name_at(const void *rows, size_t i)
{
    const struct names *names = rows;
    return i < names->count ? names->items[i] : NULL;
}

/* Nothing is called so: say what is. */
static void report_missing(struct reading *reading, const char *wanted)
{
    struct arena *arena = reading->corpus->arena;
    struct names kept = reading->paths, names = {0};
    const char *directory = reading->corpus->directory;
    if (directory != NULL && !is_folder(directory)) {
        diag_error(reading->corpus->diags, (struct srcpos){0},
                   "there is no file or folder '%s', nor a folder '%s' with scenarios; --scenarios says where it is",
                   wanted, directory);
        return;
    }
    reading->paths = (struct names){0};
    if (directory != NULL)
        add_folder(reading, directory, 0);
    for (size_t i = 0; i < reading->paths.count; i++)
        *ARENA_PUSH(arena, &names) = name_of(reading->corpus, reading->paths.items[i]);
    reading->paths = kept;
    diag_error(reading->corpus->diags, (struct srcpos){0}, "there is no scenario, file or folder '%s'%s", wanted,
               scenario_did_you_mean(arena, table_nearest(wanted, name_at, &names)));
}

/* A path, or a name under the scenarios' folder, with or without .yaml. */
static void add_wanted(struct reading *reading, const char *wanted)
{
    struct arena *arena = reading->corpus->arena;
    const char *path = without_slashes_at_end(arena, wanted), *directory = reading->corpus->directory;
    const char *candidates[] = {
        directory != NULL ? arena_printf(arena, "%s/%s.yaml", directory, path) : path,
        directory != NULL ? arena_printf(arena, "%s/%s", directory, path) : path,
        path,
        arena_printf(arena, "%s.yaml", path),
    };
    for (size_t i = 0; i < COUNT(candidates); i++) {
        if (is_file(candidates[i])) {
            add_path(reading, candidates[i]);
            return;
        }
        if (is_folder(candidates[i])) {
            add_folder(reading, candidates[i], 0);
            return;
        }
    }
    report_missing(reading, wanted);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_titles(const void *a, const void *b)
{
    return strcmp((*(const struct scenario *const *)a)->title, (*(const struct scenario *const *)b)->title);
}

static void take_file(struct reading *reading, const struct scenario_file *file)
{
    if (file == NULL)
        return;
    scenario_check_file(&reading->check, file);
    for (size_t i = 0; scenario_file_at(file, i) != NULL; i++) {
        scenario_check(&reading->check, scenario_file_at(file, i));
        *ARENA_PUSH(reading->corpus->arena, reading->corpus) = scenario_file_at(file, i);
    }
}

static struct reading reading_new(const char *directory)
{
    struct arena *arena = arena_new("corpus");
    struct corpus *corpus = arena_alloc(arena, sizeof *corpus);
    *corpus = (struct corpus){.arena = arena, .diags = diag_new(arena)};
    corpus->directory = directory != NULL ? without_slashes_at_end(arena, directory) : NULL;
    struct reading reading = {.corpus = corpus,
                              .library = scenario_library_new(arena, corpus->directory, corpus->diags),
                              .check = {.diags = corpus->diags}};
    if (directory != NULL)
        reading.check.clauses =
            clauses_read(arena, arena_printf(arena, "%s/clauses", corpus->directory), corpus->diags);
    return reading;
}

struct corpus *corpus_read(const char *directory, const char *const *paths, size_t count)
{
    struct reading reading = reading_new(directory);
    struct corpus *corpus = reading.corpus;
    for (size_t i = 0; i < count; i++)
        add_wanted(&reading, paths[i]);
    if (count == 0)
        add_folder(&reading, corpus->directory != NULL ? corpus->directory : ".", 0);
    if (reading.paths.count > 0)
        qsort(reading.paths.items, reading.paths.count, sizeof *reading.paths.items, compare_paths);
    for (size_t i = 0; i < reading.paths.count; i++)
        take_file(&reading, scenario_library_read(reading.library, name_of(corpus, reading.paths.items[i]),
                                                  reading.paths.items[i], (struct srcpos){0}));
    if (corpus->count > 0)
        qsort(corpus->items, corpus->count, sizeof *corpus->items, compare_titles);
    return corpus;
}

struct corpus *corpus_read_text(const char *directory, const char *name, const char *text, size_t length)
{
    struct reading reading = reading_new(directory);
    take_file(&reading, scenario_library_read_text(reading.library, name, text, length));
    return reading.corpus;
}

void corpus_free(struct corpus **corpus)
{
    if (*corpus == NULL)
        return;
    struct arena *arena = (*corpus)->arena;
    *corpus = NULL;
    arena_free(&arena);
}
