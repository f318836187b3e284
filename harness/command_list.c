/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab list - the scenarios there are, each with its sentence. */
#include <string.h>

#include "base/text.h"
#include "harness/command.h"
#include "harness/scenario.h"

static void print_texts(const char *key, const struct schema_texts *texts)
{
    printf(", \"%s\": [", key);
    for (size_t i = 0; i < texts->count; i++) {
        fputs(i > 0 ? ", \"" : "\"", stdout);
        text_print_json(stdout, texts->items[i]);
        fputc('"', stdout);
    }
    fputc(']', stdout);
}

static void print_pair(const char *before, const char *key, const char *value)
{
    printf("%s\"%s\": ", before, key);
    if (value == NULL) {
        fputs("null", stdout);
        return;
    }
    fputc('"', stdout);
    text_print_json(stdout, value);
    fputc('"', stdout);
}

/* One line of JSON for each scenario. */
static void print_json(const struct scenario *scenario)
{
    print_pair("{", "title", scenario->title);
    print_pair(", ", "name", scenario->name);
    print_pair(", ", "variant", scenario->variant);
    print_pair(", ", "says", scenario->says);
    print_pair(", ", "file", scenario->file);
    printf(", \"line\": %u", scenario->at.line);
    print_pair(", ", "twin", scenario->twin != NULL ? scenario->twin->title : NULL);
    print_texts("covers", &scenario->covers);
    print_texts("needs", &scenario->needs);
    print_texts("tags", &scenario->tags);
    const char *before = ", \"modes\": [\"";
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        if (scenario->modes >> mode & 1) {
            printf("%s%s\"", before, mode_text(mode));
            before = ", \"";
        }
    puts("]}");
}

static void print_for_people(const struct scenario *scenario)
{
    text_print_escaped(stdout, scenario->title, strlen(scenario->title));
    fputs("\n    ", stdout);
    const char *says = scenario->says != NULL ? scenario->says : "";
    text_print_escaped(stdout, says, strlen(says));
    fputc('\n', stdout);
}

int command_list(int argc, char **argv)
{
    const char *json = NULL, *scenarios = NULL;
    const struct command_option options[] = {
        {"--json", NULL, "one line of JSON for each", &json},
        {"--scenarios", "FOLDER", "where the scenarios are", &scenarios},
    };
    struct command_line line = {"list [--json] [FILE|FOLDER|NAME]...",
                                "Lists scenarios, each variant by itself.",
                                options,
                                COUNT(options),
                                NULL,
                                0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status)) {
        struct corpus *corpus = corpus_read(command_scenarios(arena, scenarios), line.words, line.word_count);
        for (size_t i = 0; i < corpus->count; i++)
            (json != NULL ? print_json : print_for_people)(corpus->items[i]);
        diag_print(corpus->diags, stderr);
        status = diag_errors(corpus->diags) > 0 ? 2 : corpus->count == 0 ? 4 : 0;
        corpus_free(&corpus);
    }
    arena_free(&arena);
    return status;
}
