/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/table.h"

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

const char *command_scenarios(struct arena *arena, const char *said)
{
    if (said != NULL)
        return said;
    const char *named = getenv("MTALAB_SCENARIOS");
    if (named != NULL && named[0] != '\0')
        return named;
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL)
        *slash = '\0';
    const char *places[] = {
        "scenarios",
        arena_printf(arena, "%s/../../scenarios", program),
        arena_printf(arena, "%s/../share/mtalab/scenarios", program),
        "/usr/local/share/mtalab/scenarios",
        "/usr/share/mtalab/scenarios",
    };
    for (size_t i = 0; i < COUNT(places); i++)
        if (is_folder(places[i]))
            return places[i];
    return "scenarios";
}

static void print_help(const struct command_line *line)
{
    printf("usage: mtalab %s\n\n%s\n\n", line->usage, line->doc);
    for (size_t i = 0; i < line->option_count; i++) {
        const struct command_option *option = &line->options[i];
        char name[80];
        snprintf(name, sizeof name, "%s%s%s", option->name, option->argument != NULL ? " " : "",
                 option->argument != NULL ? option->argument : "");
        printf("  %-20s %s\n", name, option->doc);
    }
    printf("  %-20s %s\n", "--help", "this");
}

static const char *option_name_at(const void *rows, size_t i)
{
    const struct command_line *line = rows;
    return i < line->option_count ? line->options[i].name : NULL;
}

/* How much of the word is the option's name: up to '='; of a short one the letter, its argument may follow at once. */
static size_t name_length(const char *word)
{
    return word[1] != '-' && word[1] != '\0' ? 2 : strcspn(word, "=");
}

static const struct command_option *find_option(const struct command_line *line, const char *word)
{
    size_t length = name_length(word);
    for (size_t i = 0; i < line->option_count; i++)
        if (strlen(line->options[i].name) == length && strncmp(line->options[i].name, word, length) == 0)
            return &line->options[i];
    const char *nearest = table_nearest(word, option_name_at, line);
    fprintf(stderr, "mtalab: no option is called '%.*s'%s%s%s; try --help\n", (int)strcspn(word, "="), word,
            nearest != NULL ? ", did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return NULL;
}

/* Takes an option and its argument: the next word, or what stands behind '=' or behind a single letter. */
static bool take_option(const struct command_line *line, char **argv, int argc, int *i)
{
    const struct command_option *option = find_option(line, argv[*i]);
    if (option == NULL)
        return false;
    const char *rest = argv[*i] + name_length(argv[*i]);
    if (option->argument == NULL && *rest == '\0') {
        *option->value = option->name;
        return true;
    }
    if (option->argument == NULL || (*rest == '\0' && *i + 1 >= argc)) {
        fprintf(stderr, "mtalab: %s takes %s argument\n", option->name, option->argument == NULL ? "no" : "an");
        return false;
    }
    *option->value = *rest != '\0' ? rest + (*rest == '=') : argv[++*i];
    return true;
}

bool command_read(struct arena *arena, struct command_line *line, int argc, char **argv, int *status)
{
    bool only_words = false;
    line->words = arena_alloc(arena, ((size_t)argc + 1) * sizeof *line->words);
    line->word_count = 0;
    *status = 2;
    for (int i = 1; i < argc; i++) {
        if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_help(line);
            *status = 0;
            return false;
        }
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (only_words || argv[i][0] != '-' || argv[i][1] == '\0')
            line->words[line->word_count++] = argv[i];
        else if (!take_option(line, argv, argc, &i))
            return false;
    }
    *status = 0;
    return true;
}

bool command_word_is_one_of(const char *what, const char *word, const char *const *words)
{
    if (word == NULL)
        return true;
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    const char *nearest = table_nearest_word(word, words);
    fprintf(stderr, "mtalab: '%s' is no %s%s%s%s\n", word, what, nearest != NULL ? ", did you mean '" : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return false;
}

void command_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    fputc('\n', stdout);
    json_decref(value);
}
