/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/validation.h"

#include "base/text.h"
#include "engine/posture.h"
#include "engine/trace.h"

const char *const task_status_words[] = {"Succeeded", "Failed", "Skipped"};

/* Which task a failure belongs to. */
enum stage { STAGE_RESOLVE, STAGE_CONNECT, STAGE_EHLO, STAGE_STARTTLS, STAGE_CERTIFICATE, STAGE_DANE, STAGE_STS };

static const struct {
    enum policy_reason reason;
    enum stage stage;
} of_reason[] = {
    {REASON_DNS_FAILED, STAGE_RESOLVE},
    {REASON_DNSSEC_INVALID, STAGE_DANE},
    {REASON_TLSA_INVALID, STAGE_DANE},
    {REASON_DANE_REQUIRED, STAGE_DANE},
    {REASON_CERTIFICATE_EXPIRED, STAGE_DANE},
    {REASON_CERTIFICATE_HOST_MISMATCH, STAGE_DANE},
    {REASON_STS_MX_MISMATCH, STAGE_STS},
    {REASON_STS_CERTIFICATE, STAGE_STS},
    {REASON_STARTTLS_NOT_SUPPORTED, STAGE_STARTTLS},
    {REASON_TLS_REQUIRED, STAGE_STARTTLS},
    {REASON_CONNECTOR_CERTIFICATE, STAGE_CERTIFICATE},
};

static const struct {
    enum cause cause;
    enum stage stage;
} of_cause[] = {
    {CAUSE_HOST_UNRESOLVED, STAGE_RESOLVE},  {CAUSE_CONNECT_REFUSED, STAGE_CONNECT},
    {CAUSE_CONNECT_TIMEOUT, STAGE_CONNECT},  {CAUSE_CONNECT_FAILED, STAGE_CONNECT},
    {CAUSE_STARTTLS_BROKEN, STAGE_STARTTLS}, {CAUSE_HANDSHAKE_FAILED, STAGE_STARTTLS},
};

/* Is it that? Whatever else goes wrong goes wrong while the two talk: EHLO. */
static bool failed_at(const struct survey_visit *visit, enum stage stage)
{
    const struct failure *f = &visit->failure;
    if (f->cause == CAUSE_NONE)
        return false;
    bool demand = f->cause == CAUSE_DEMAND_UNMET || f->cause == CAUSE_HOST_SKIPPED;
    bool no_tls = f->cause == CAUSE_DEMAND_UNMET && !visit->tls.encrypted;
    for (size_t i = 0; demand && i < COUNT(of_reason); i++)
        if (of_reason[i].reason == f->reason)
            return stage == (no_tls ? STAGE_STARTTLS : of_reason[i].stage);
    for (size_t i = 0; i < COUNT(of_cause); i++)
        if (of_cause[i].cause == f->cause)
            return stage == of_cause[i].stage;
    return stage == STAGE_EHLO;
}

static struct task done(const char *detail)
{
    return (struct task){.status = TASK_SUCCEEDED, .detail = detail};
}

static struct task skipped(const char *detail)
{
    return (struct task){.status = TASK_SKIPPED, .detail = detail};
}

static bool connected(const struct survey_visit *visit)
{
    return visit->address != NULL && !failed_at(visit, STAGE_CONNECT);
}

struct look {
    struct arena *arena;
    const struct survey *survey;
    const struct survey_visit *visit;
};

static struct task resolve(const struct look *l)
{
    return done(arena_printf(l->arena, "%zu address%s, MX %s, addresses %s", l->visit->facts->address_count,
                             l->visit->facts->address_count == 1 ? "" : "es", trust_word(l->survey->mx->trust),
                             trust_word(l->visit->facts->trust)));
}

static struct task connect_to(const struct look *l)
{
    return l->visit->address != NULL ? done(l->visit->address) : skipped("not reached");
}

static struct task ehlo(const struct look *l)
{
    return connected(l->visit) ? done("answered") : skipped("not reached");
}

static struct task starttls(const struct look *l)
{
    if (!connected(l->visit) || failed_at(l->visit, STAGE_EHLO))
        return skipped("not reached");
    if (!l->visit->tls.encrypted)
        return skipped("not offered and not demanded: mail goes in the clear");
    return done(arena_printf(l->arena, "%s, %s", l->visit->tls.version, l->visit->tls.cipher));
}

static struct task certificate(const struct look *l)
{
    struct certificate_view view;
    const struct tls_outcome *tls = &l->visit->tls;
    if (tls->chain_length == 0 || !certificate_read(l->arena, &tls->chain[0], &view))
        return skipped("none was shown");
    return done(arena_printf(l->arena, "%s, names %s, by %s, until %s", view.subject, view.names, view.issuer,
                             text_time(l->arena, view.until, TEXT_DAY)));
}

static struct task dane(const struct look *l)
{
    if (l->survey->setting.dane == DANE_NONE)
        return skipped("smtp-dane is none");
    if (l->visit->tls.dane_passed)
        return done("authenticated by TLSA records");
    return skipped(arena_printf(l->arena, "TLSA records: %s", tlsa_word(l->visit->facts->tlsa)));
}

static struct task mta_sts(const struct look *l)
{
    if (l->survey->sts == NULL)
        return skipped("mta-sts is none, or the next hop has no name");
    if (l->visit->tls.pkix_passed)
        return done(arena_printf(l->arena, "policy %s, mode %s: listed, certificate valid", l->survey->sts->id,
                                 sts_word(l->survey->sts->mode)));
    return skipped(arena_printf(l->arena, "policy: %s", sts_word(l->survey->sts->mode)));
}

static const struct {
    const char *name;
    enum stage stage;
    struct task (*look)(const struct look *l);
} rows[VALIDATION_TASKS] = {
    {"Resolve", STAGE_RESOLVE, resolve},
    {"Connection", STAGE_CONNECT, connect_to},
    {"SMTP EHLO", STAGE_EHLO, ehlo},
    {"STARTTLS", STAGE_STARTTLS, starttls},
    {"Certificate", STAGE_CERTIFICATE, certificate},
    {"DANE", STAGE_DANE, dane},
    {"MTA-STS", STAGE_STS, mta_sts},
};

void validation_of(struct arena *arena, const struct survey *survey, const struct survey_visit *visit,
                   struct task tasks[VALIDATION_TASKS])
{
    struct look look = {arena, survey, visit};
    for (size_t i = 0; i < VALIDATION_TASKS; i++) {
        if (failed_at(visit, rows[i].stage)) {
            struct status status = status_of(arena, &visit->failure, survey->hop);
            tasks[i] =
                (struct task){.status = TASK_FAILED, .detail = arena_printf(arena, "%s %s", status.code, status.text)};
        } else {
            tasks[i] = rows[i].look(&look);
        }
        tasks[i].name = rows[i].name;
    }
}

bool validation_passed(const struct task tasks[VALIDATION_TASKS])
{
    for (size_t i = 0; i < VALIDATION_TASKS; i++)
        if (tasks[i].status == TASK_FAILED)
            return false;
    return true;
}
