/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab check - every mistake of scenarios at once, each with its place. What the reader finds comes first; a scenario
 * without such mistakes is then built, so that records and faults that do not fit are found too. */
#include "base/loop.h"
#include "harness/command.h"
#include "harness/plan.h"

struct building {
    struct clock clock;
    struct loop *loop;
    struct journal *journal;
    struct diag_list *diags;
    struct err err; /* the machine failed */
};

/* The zones are made and signed, and the faults put in; nothing listens. */
static void try_dns(struct building *building, const struct scenario *scenario, const struct plan *plan)
{
    struct err err = {0};
    struct fakedns *dns = fakedns_new(&plan->dns, &building->clock, building->loop, building->journal, &err);
    if (dns == NULL && err.kind == ERR_INPUT)
        diag_error(building->diags, scenario->at, "its DNS cannot be made: %s", err.text);
    else if (dns == NULL)
        building->err = err;
    fakedns_free(&dns);
}

static void try_scenario(struct building *building, const struct scenario *scenario)
{
    struct err err = {0};
    struct plan_pki *pki = plan_pki_new(&building->clock, &err);
    for (size_t i = 0; pki != NULL && i < scenario->step_count; i++) {
        const struct scenario_step *step = &scenario->steps[i];
        if (i > 0 && !step->changes)
            continue;
        struct plan *plan =
            plan_build(scenario, step->world, PLAN_NET_LAB, pki, &building->clock, building->diags, &err);
        if (plan != NULL)
            try_dns(building, scenario, plan);
        else if (err.kind == ERR_INPUT && diag_errors(building->diags) == 0)
            diag_error(building->diags, scenario->at, "%s", err.text);
        plan_free(&plan);
    }
    if (err.kind != ERR_NONE && err.kind != ERR_INPUT)
        building->err = err;
    plan_pki_free(&pki);
}

/* False: the machine failed, and it was said. */
static bool try_all(const struct corpus *corpus)
{
    struct building building = {.diags = corpus->diags, .journal = journal_new()};
    building.loop = loop_new(&building.err);
    for (size_t i = 0; building.err.kind == ERR_NONE && i < corpus->count; i++)
        try_scenario(&building, corpus->items[i]);
    loop_free(&building.loop);
    journal_free(&building.journal);
    if (building.err.kind != ERR_NONE)
        fprintf(stderr, "mtalab: %s (%s)\n", building.err.text, building.err.where);
    return building.err.kind == ERR_NONE;
}

static int check(const char *directory, const struct command_line *line)
{
    struct corpus *corpus = corpus_read(directory, line->words, line->word_count);
    int status = 0;
    if (diag_errors(corpus->diags) == 0 && !try_all(corpus))
        status = 3;
    diag_print(corpus->diags, stderr);
    if (diag_errors(corpus->diags) > 0)
        status = 2;
    else if (corpus->count == 0)
        status = 4;
    if (status == 0)
        printf("%zu %s, no mistake\n", corpus->count, corpus->count == 1 ? "scenario" : "scenarios");
    corpus_free(&corpus);
    return status;
}

int command_check(int argc, char **argv)
{
    const char *scenarios = NULL;
    const struct command_option options[] = {{"--scenarios", "FOLDER", "where bases and clauses are", &scenarios}};
    struct command_line line = {
        "check [FILE|FOLDER|NAME]...",
        "Reads scenarios (all of them without an argument) and shows every mistake with its place.",
        options,
        COUNT(options),
        NULL,
        0};
    struct arena *arena = arena_new("command");
    int status;
    if (command_read(arena, &line, argc, argv, &status))
        status = check(command_scenarios(arena, scenarios), &line);
    arena_free(&arena);
    return status;
}
