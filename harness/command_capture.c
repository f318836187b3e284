/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab capture - looks at a real partner and writes a scenario that behaves the same. The look is the engine's:
 * `mtalab-engine check --json`, so that no second resolver and no second judgement grow here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "harness/capture.h"
#include "harness/command.h"
#include "harness/locate.h"

static json_t *look(struct arena *arena, const char *domain, const char *config, struct err *err)
{
    const char *argv[8] = {arena_printf(arena, "%s/mtalab-engine", locate_program_folder(arena)), "check", domain,
                           "--json"};
    if (config != NULL) {
        argv[4] = "--config";
        argv[5] = config;
    }
    json_error_t why;
    char *text = process_output(argv, STDERR_FILENO, err);
    json_t *posture = text != NULL ? json_loads(text, 0, &why) : NULL;
    if (text != NULL && posture == NULL)
        err_set(err, ERR_PEER, "%s printed no JSON", argv[0]);
    free(text);
    return posture;
}

static json_t *read_posture(const char *path, struct err *err)
{
    json_error_t why;
    json_t *posture = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &why) : json_load_file(path, 0, &why);
    if (posture == NULL)
        err_set(err, ERR_INPUT, "%s:%d:%d: %s", path, why.line, why.column, why.text);
    return posture;
}

static bool write_scenario(const json_t *posture, const char *path, struct err *err)
{
    FILE *out = path != NULL ? fopen(path, "we") : stdout;
    if (out == NULL)
        return err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    bool written = capture_print(posture, out, err);
    if (fflush(out) != 0 && written)
        written = err_set(err, ERR_SYSTEM, "cannot write the scenario: %s", strerror(errno));
    if (path != NULL)
        fclose(out);
    return written;
}

static int capture(struct arena *arena, const char *domain, const char *config, const char *from, const char *to)
{
    struct err err = {0};
    json_t *posture = from != NULL ? read_posture(from, &err) : look(arena, domain, config, &err);
    bool written = posture != NULL && write_scenario(posture, to, &err);
    json_decref(posture);
    if (!written)
        fprintf(stderr, "mtalab: %s\n", err.text);
    return written ? 0 : err.kind == ERR_INPUT ? 2 : 3;
}

int command_capture(int argc, char **argv)
{
    const char *config = NULL, *from = NULL, *to = NULL;
    const struct command_option options[] = {
        {"--config", "FILE", "the engine's configuration: its resolver, its roots", &config},
        {"--from", "FILE", "what `mtalab-engine check DOMAIN --json` printed, instead of a look; - for standard input",
         &from},
        {"--to", "FILE", "where the scenario is written; else standard output", &to},
    };
    struct command_line line = {"capture DOMAIN",
                                "Looks at a partner's DNS, DNSSEC, TLSA records, policy and certificates, and writes a "
                                "scenario that behaves the same.",
                                options,
                                COUNT(options),
                                NULL,
                                0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status)) {
        if (line.word_count == (from == NULL ? 1 : 0))
            status = capture(arena, from == NULL ? line.words[0] : NULL, config, from, to);
        else
            status = (fputs("mtalab: capture wants one domain, or --from\n", stderr), 2);
    }
    arena_free(&arena);
    return status;
}
