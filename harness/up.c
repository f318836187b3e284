/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/up.h"

#include <stdlib.h>
#include <string.h>

#include "harness/sender_setup.h"

enum { SUBJECT_S = 60 };

struct up *up_new(const struct up_wish *wish)
{
    struct arena *arena = arena_new("up");
    struct up *up = arena_alloc(arena, sizeof *up);
    *up = (struct up){.arena = arena, .wish = *wish};
    return up;
}

void up_free(struct up **up)
{
    struct arena *arena = (*up)->arena;
    for (size_t i = 0; i < (*up)->corpora.count; i++)
        corpus_free(&(*up)->corpora.items[i]);
    arena_free(&arena);
    *up = NULL;
}

/* ---- scenarios ---- */

static const struct scenario *first_for(const struct corpus *corpus, unsigned mode)
{
    for (size_t i = 0; i < corpus->count; i++)
        if (corpus->items[i]->modes & (1u << mode))
            return corpus->items[i];
    return corpus->count > 0 ? corpus->items[0] : NULL;
}

static const struct scenario *called(const struct corpus *corpus, const char *title)
{
    for (size_t i = 0; i < corpus->count; i++)
        if (strcmp(corpus->items[i]->title, title) == 0)
            return corpus->items[i];
    return NULL;
}

const struct scenario *up_find(struct up *up, const char *wanted, FILE *out)
{
    const char *bracket = strchr(wanted, '[');
    const char *name = bracket != NULL ? arena_strndup(up->arena, wanted, (size_t)(bracket - wanted)) : wanted;
    struct corpus *corpus = *ARENA_PUSH(up->arena, &up->corpora) = corpus_read(up->wish.scenarios, &name, 1);
    diag_print(corpus->diags, out);
    if (diag_errors(corpus->diags) > 0)
        return NULL;
    const struct scenario *first = first_for(corpus, up->wish.mode);
    const struct scenario *found = bracket != NULL ? called(corpus, wanted) : first;
    if (found == NULL && first != NULL)
        fprintf(out, "mtalab: there is no variant %s of %s; '%s' is one\n", bracket, name, first->title);
    return found;
}

/* ---- the world ---- */

static struct plan *make_plan(struct up *up, const struct scenario *scenario, const struct world *world, FILE *out,
                              struct err *err)
{
    struct diag_list *diags = diag_new(up->arena);
    enum plan_net net = up->sandbox->kind == SANDBOX_LOOPBACK ? PLAN_NET_LOOPBACK : PLAN_NET_LAB;
    struct plan *plan = plan_build(scenario, world, net, up->pki, &up->clock, diags, err);
    diag_print(diags, out);
    if (plan == NULL && diag_errors(diags) > 0)
        err_set(err, ERR_INPUT, "the scenario has mistakes");
    if (plan == NULL)
        return NULL;
    plan_take_time(plan);
    return *ARENA_PUSH(up->arena, &up->plans) = plan;
}

bool up_change(struct up *up, const struct scenario *scenario, const struct world *world, FILE *out)
{
    struct err err = {0};
    struct plan *plan = make_plan(up, scenario, world, out, &err);
    if (plan == NULL || !lab_change(up->lab, plan, &err)) {
        fprintf(out, "mtalab: %s\n", err.text);
        return false;
    }
    up->plan = plan;
    journal_add(up->journal, JOURNAL_LAB_CHANGE, "", 0, "what", "by hand", NULL);
    if (up->subject != NULL)
        subject_ask(up->subject, up->loop, SUBJECT_S, "forget", NULL); /* where it has that */
    return true;
}

/* ---- up and down ---- */

static bool start_lab(struct up *up, struct err *err)
{
    if (up->wish.evidence != NULL && (up->evidence = evidence_start(up->loop, err)) == NULL)
        return false;
    if (resolver_installed() && (up->resolver = resolver_start(up->sandbox, up->loop, err)) == NULL)
        return false;
    struct lab_setting setting = {up->sandbox, up->loop, up->journal, &up->clock, up->resolver, up->evidence != NULL};
    up->lab = lab_start(&setting, up->plan, err);
    return up->lab != NULL;
}

static bool start_subject(struct up *up, struct err *err)
{
    if (up->wish.adapter == NULL)
        return true;
    up->subject = subject_new(up->wish.adapter, up->sandbox, up->loop, err);
    if (up->subject == NULL)
        return false;
    return subject_start(up->subject, up->loop) == SUBJECT_YES ||
           err_set(err, ERR_SYSTEM, "%s", subject_why(up->subject));
}

static bool begin(struct up *up, struct err *err)
{
    unsigned mode = up->wish.mode;
    const char *line =
        arena_printf(up->arena, "begin MTALAB_DANE=%s MTALAB_MTA_STS=%s MTALAB_PATIENCE=%g",
                     mode_dane_words[mode_dane(mode)], mode_sts_words[mode_sts(mode)], up->plan->patience_s);
    const char *setup = sender_setup_json(up->arena, &up->scenario->sender, mode);
    if (!lab_tell_connectors(up->sandbox, setup, err))
        return false;
    return up->subject == NULL || subject_ask(up->subject, up->loop, SUBJECT_S, line, NULL) == SUBJECT_YES ||
           err_set(err, ERR_SYSTEM, "%s", subject_why(up->subject));
}

bool up_put(struct up *up, const struct sandbox *sandbox, struct err *err)
{
    up->sandbox = sandbox;
    up->journal = journal_new();
    journal_watch(up->journal, up->wish.seen, up->wish.arg);
    if ((up->loop = loop_new(err)) == NULL || (up->pki = plan_pki_new(&up->clock, err)) == NULL)
        return false;
    up->plan = make_plan(up, up->scenario, up->scenario->steps[0].world, stderr, err);
    return up->plan != NULL && start_lab(up, err) && start_subject(up, err) && begin(up, err);
}

/* Under the name of the scenario that it began with. */
static void keep_evidence(struct up *up)
{
    struct err err = {0};
    if (up->evidence == NULL || up->plans.count == 0)
        return;
    const char *title = up->plans.items[0]->scenario->title;
    const char *name = arena_printf(up->arena, "%s@%s", title, mode_text(up->wish.mode));
    if (!evidence_write(up->evidence, up->journal, *up->wish.evidence, name, &err))
        fprintf(stderr, "mtalab: %s\n", err.text);
}

void up_take_down(struct up *up)
{
    keep_evidence(up);
    subject_stop(&up->subject);
    lab_stop(&up->lab);
    evidence_stop(&up->evidence);
    resolver_stop(&up->resolver);
    while (up->plans.count > 0)
        plan_free(&up->plans.items[--up->plans.count]);
    if (up->pki != NULL)
        plan_pki_free(&up->pki);
    journal_free(&up->journal);
    loop_free(&up->loop);
}
