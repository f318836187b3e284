/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/locate.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"

const char *locate_program_folder(struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return ".";
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    *slash = '\0';
    return arena_strdup(arena, path);
}

/* The first of the places that is there, seen from the program's folder; each % in a place stands for the name. */
static const char *first_there(struct arena *arena, const char *const *places, const char *name, int how)
{
    const char *folder = locate_program_folder(arena);
    for (; *places != NULL; places++) {
        char *path = arena_printf(arena, "%s/", folder);
        for (const char *part = *places; part != NULL;) {
            const char *mark = strchr(part, '%');
            path = mark == NULL ? arena_printf(arena, "%s%s", path, part)
                                : arena_printf(arena, "%s%.*s%s", path, (int)(mark - part), part, name);
            part = mark == NULL ? NULL : mark + 1;
        }
        if (access(path, how) == 0)
            return path;
    }
    return NULL;
}

const char *locate_adapter(struct arena *arena, const char *name)
{
    static const char *const places[] = {"mtalab-adapter-%", "../../harness/adapters/%/mtalab-adapter-%",
                                         "../share/mtalab/adapters/%/mtalab-adapter-%", NULL};
    char path[PATH_MAX];
    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0 ? arena_strdup(arena, realpath(name, path) != NULL ? path : name) : NULL;
    const char *found = first_there(arena, places, name, X_OK);
    if (found != NULL)
        return found;
    return process_find(arena_printf(arena, "mtalab-adapter-%s", name), path, sizeof path) ? arena_strdup(arena, path)
                                                                                           : NULL;
}

const char *locate_known_failures(struct arena *arena, const char *mta)
{
    static const char *const places[] = {"../../harness/adapters/%/known-failures.yaml",
                                         "../share/mtalab/adapters/%/known-failures.yaml", NULL};
    return strchr(mta, '/') == NULL ? first_there(arena, places, mta, R_OK) : NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct locate_names locate_adapter_names(struct arena *arena)
{
    static const char *const places[] = {"../../harness/adapters", "../share/mtalab/adapters"};
    struct locate_names names = {0};
    for (size_t i = 0; i < COUNT(places) && names.count == 0; i++) {
        DIR *folder = opendir(arena_printf(arena, "%s/%s", locate_program_folder(arena), places[i]));
        for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
            if (entry->d_name[0] != '.' && strchr(entry->d_name, '.') == NULL)
                *ARENA_PUSH(arena, &names) = arena_strdup(arena, entry->d_name);
        if (folder != NULL)
            closedir(folder);
    }
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    return names;
}
