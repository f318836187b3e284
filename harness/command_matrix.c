/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab matrix - results of several senders side by side, on one HTML page. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/report_formats.h"

struct pile {
    struct case_result *items;
    size_t count, room;
};

/* The lines of a file that `mtalab run --json` wrote. */
static bool read_results(struct arena *arena, const char *path, struct pile *pile)
{
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        fprintf(stderr, "mtalab: %s: %s\n", path, strerror(errno));
        return false;
    }
    char *line = NULL;
    size_t room = 0, number = 0;
    struct err err = {0};
    bool sound = true;
    while (sound && getline(&line, &room, in) > 0) {
        number++;
        sound = case_result_decode(arena, line, ARENA_PUSH(arena, pile), &err);
    }
    if (!sound)
        fprintf(stderr, "mtalab: %s:%zu: no result of mtalab run --json: %s\n", path, number, err.text);
    free(line);
    fclose(in);
    return sound;
}

static bool write_page(const struct pile *pile, const char *path)
{
    const struct report_run run = {.results = pile->items, .count = pile->count, .selected = pile->count};
    FILE *out = path != NULL ? fopen(path, "we") : stdout;
    bool written = out != NULL && report_html(&run, out);
    int reason = errno;
    if (out != NULL && path != NULL && fclose(out) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "mtalab: cannot write %s: %s\n", path != NULL ? path : "the page", strerror(reason));
    return written;
}

int command_matrix(int argc, char **argv)
{
    const char *to = NULL;
    const struct command_option options[] = {{"--to", "FILE", "where the page is written; else standard output", &to}};
    struct command_line line = {"matrix RESULT... [--to FILE]",
                                "One HTML page, scenarios x senders x modes, from the files that `mtalab run --json` "
                                "wrote; each cell opens its "
                                "story.",
                                options,
                                COUNT(options),
                                NULL,
                                0};
    struct arena *arena = arena_new("command");
    struct pile pile = {0};
    int status;
    if (command_read(arena, &line, argc, argv, &status)) {
        status = 0;
        for (size_t i = 0; status == 0 && i < line.word_count; i++)
            status = read_results(arena, line.words[i], &pile) ? 0 : 2;
        if (status == 0 && pile.count == 0)
            status = (fputs("mtalab: matrix wants files with results\n", stderr), line.word_count == 0 ? 2 : 4);
        else if (status == 0)
            status = write_page(&pile, to) ? 0 : 3;
    }
    arena_free(&arena);
    return status;
}
