/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab world - says a word to the world of `mtalab up`, from its shell. */
#include <stdlib.h>
#include <sys/stat.h>

#include "harness/command.h"
#include "harness/up.h"
#include "harness/up_control.h"

enum { MISTAKE = 2 };

static const char *doc_of_words(struct arena *arena)
{
    const char *doc =
        "Looks at the world of `mtalab up`, from the shell that it opened, and changes it while it runs.\n";
    const struct up_word *word;
    for (size_t i = 0; (word = up_word_at(i)) != NULL; i++) {
        const char *name = arena_printf(arena, "%s%s%s", word->name, word->argument != NULL ? " " : "",
                                        word->argument != NULL ? word->argument : "");
        doc = arena_printf(arena, "%s\n  %-20s %s", doc, name, word->doc);
    }
    return doc;
}

/* The world looks for files from where `mtalab up` was said. */
static const char *as_seen_there(struct arena *arena, const char *word)
{
    struct stat status;
    if (stat(word, &status) != 0 || !S_ISREG(status.st_mode))
        return word;
    char *path = realpath(word, NULL);
    const char *kept = path != NULL ? arena_strdup(arena, path) : word;
    free(path);
    return kept;
}

static int ask(struct arena *arena, const struct command_line *line)
{
    const char *path = getenv("MTALAB_WORLD");
    struct err err = {0};
    if (path == NULL) {
        fputs("mtalab: no world is up here; this is for the shell that 'mtalab up SCENARIO' opens\n", stderr);
        return MISTAKE;
    }
    if (line->word_count == 2)
        line->words[1] = as_seen_there(arena, line->words[1]);
    int status = up_control_ask(path, line->words, line->word_count, stdout, stderr, &err);
    if (err.kind != ERR_NONE)
        fprintf(stderr, "mtalab: %s\n", err.text);
    return status;
}

int command_world(int argc, char **argv)
{
    struct arena *arena = arena_new("command");
    struct command_line line = {.usage = "world [WORD [ARGUMENT]]", .doc = doc_of_words(arena)};
    int status;
    if (command_read(arena, &line, argc, argv, &status))
        status = ask(arena, &line);
    arena_free(&arena);
    return status;
}
