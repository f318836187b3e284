/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab claims - what others must see in the worlds of scenarios: for comparing with what they do see. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/claims.h"
#include "harness/command.h"

enum { MISTAKE = 2, TROUBLE = 3, NOTHING = 4 };

struct claiming {
    const char *folder; /* NULL: onto standard output */
    size_t number;
};

static bool print_file(struct arena *arena, const struct claiming *claiming, const char *name, FILE **out,
                       struct err *err)
{
    const char *folder = arena_printf(arena, "%s/%03zu", claiming->folder, claiming->number);
    const char *path = arena_printf(arena, "%s/%s", folder, name);
    if ((mkdir(claiming->folder, 0755) != 0 && errno != EEXIST) || (mkdir(folder, 0755) != 0 && errno != EEXIST))
        return err_set(err, ERR_SYSTEM, "cannot make %s: %s", folder, strerror(errno));
    *out = fopen(path, "we");
    return *out != NULL || err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
}

static bool finish(FILE *out, struct err *err)
{
    return fclose(out) == 0 || err_set(err, ERR_SYSTEM, "cannot write: %s", strerror(errno));
}

static bool write_files(struct arena *arena, const struct claiming *claiming, const struct plan *plan,
                        const struct claims *claims, struct err *err)
{
    FILE *out;
    if (!print_file(arena, claiming, "title", &out, err))
        return false;
    fprintf(out, "%s\n", plan->scenario->title);
    if (!finish(out, err) || !print_file(arena, claiming, "claims", &out, err))
        return false;
    claims_print(claims, out);
    if (!finish(out, err) || !print_file(arena, claiming, "fakedns.yaml", &out, err))
        return false;
    claims_print_fakedns(&plan->dns, out);
    return finish(out, err);
}

/* A key for every scenario's own: addresses are given in the order in which they are asked for. */
static bool claim_scenario(const struct scenario *scenario, struct claiming *claiming, struct diag_list *diags,
                           struct err *err)
{
    struct plan_pki *pki = plan_pki_new(NULL, err);
    struct plan *plan =
        pki != NULL ? plan_build(scenario, scenario->steps[0].world, PLAN_NET_LAB, pki, NULL, diags, err) : NULL;
    bool ok = plan != NULL;
    if (ok) {
        struct claims claims = {0};
        claims_of(plan->arena, plan, &claims);
        claiming->number++;
        if (claiming->folder == NULL)
            claims_print(&claims, stdout);
        else
            ok = write_files(plan->arena, claiming, plan, &claims, err);
        plan_free(&plan);
    }
    if (pki != NULL)
        plan_pki_free(&pki);
    return ok;
}

static int claim_corpus(struct corpus *corpus, const char *folder)
{
    struct claiming claiming = {.folder = folder};
    struct err err = {.kind = ERR_NONE};
    for (size_t i = 0; i < corpus->count && diag_errors(corpus->diags) == 0; i++)
        if (!claim_scenario(corpus->items[i], &claiming, corpus->diags, &err))
            break;
    diag_print(corpus->diags, stderr);
    if (err.kind != ERR_NONE)
        fprintf(stderr, "mtalab: %s\n", err.text);
    return diag_errors(corpus->diags) > 0 ? MISTAKE
           : err.kind != ERR_NONE         ? err.kind == ERR_INPUT ? MISTAKE : TROUBLE
           : corpus->count == 0           ? NOTHING
                                          : 0;
}

int command_claims(int argc, char **argv)
{
    const char *folder = NULL, *scenarios = NULL;
    const struct command_option options[] = {
        {"--write", "FOLDER", "a folder for each scenario there, with title, claims and fakedns.yaml", &folder},
        {"--scenarios", "FOLDER", "where the scenarios are", &scenarios},
    };
    struct command_line line = {
        .usage = "claims [--write FOLDER] [FILE|FOLDER|NAME]...",
        .doc = "Says what a validator, an SMTP client and a web client that are not ours must see in the worlds of\n"
               "scenarios, as they are at the first step: secure, insecure or bogus answers, matching TLSA records,\n"
               "trusted certificates. ci/tests/judge-dns.sh and judge-tls.sh compare it with what they do see.",
        .options = options,
        .option_count = COUNT(options)};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status)) {
        struct corpus *corpus = corpus_read(command_scenarios(arena, scenarios), line.words, line.word_count);
        status = claim_corpus(corpus, folder);
        corpus_free(&corpus);
    }
    arena_free(&arena);
    return status;
}
