/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/posture.h"

#include <string.h>

#include "engine/trace.h"

enum { DAY = 86400, SIGNATURES_SHORT = 2 * DAY, CERTIFICATE_SHORT = 14 * DAY, MAX_AGE_SHORT = 7 * DAY };

const char *const grade_words[] = {"fine", "note", "warning", "failure"};
const char *const prospect_words[] = {"delivered", "waits", "bounces"};

/* ---- what becomes of a message ---- */

const char *posture_channel(const struct survey_visit *visit)
{
    bool dane = visit->tls.dane_passed, pkix = visit->tls.pkix_passed;
    if (dane || pkix)
        return dane && pkix ? "dane+pkix" : dane ? "dane" : "pkix";
    return visit->tls.encrypted ? "tls" : "clear";
}

static struct outlook of_failure(struct arena *arena, const struct survey *survey, const struct failure *failure,
                                 enum course course)
{
    return (struct outlook){.prospect = course == COURSE_BOUNCE ? PROSPECT_BOUNCES : PROSPECT_WAITS,
                            .status = status_of(arena, failure, survey->hop)};
}

/* The hosts in order, as a delivery tries them: the first that takes it ends it, else what tells most is told. */
struct outlook posture_outlook(struct arena *arena, const struct survey *survey)
{
    if (survey->no_host.cause != CAUSE_NONE)
        return of_failure(arena, survey, &survey->no_host, outcome_course(survey->no_host.cause, false, false));
    struct outlook outlook = {.prospect = PROSPECT_WAITS};
    enum cause told = CAUSE_NONE;
    for (size_t i = 0; i < survey->visit_count; i++) {
        const struct survey_visit *visit = &survey->visits[i];
        enum cause cause = visit->failure.cause;
        if (cause != CAUSE_NONE && !outcome_tells_more(told, cause))
            continue;
        outlook = cause == CAUSE_NONE ? (struct outlook){.prospect = PROSPECT_DELIVERED, .by = visit}
                                      : of_failure(arena, survey, &visit->failure,
                                                   outcome_course(cause, false, i + 1 < survey->visit_count));
        outlook.clause = visit->decision.clause;
        outlook.because = visit->decision.because;
        if (cause == CAUSE_NONE)
            break;
        told = cause;
    }
    return outlook;
}

/* ---- findings ---- */

struct search {
    struct arena *arena;
    const struct posture *posture;
    const struct survey *by_dane; /* opportunistic, without MTA-STS: what DANE alone finds */
    const struct survey *by_sts;  /* without DANE: what MTA-STS alone finds */
    struct findings *out;
};

static void say(struct search *s, struct finding finding)
{
    *ARENA_PUSH(s->arena, s->out) = finding;
}

/* A failure in the words and with the code that a non-delivery report would have. */
static void say_failure(struct search *s, const char *about, const struct failure *failure, const char *mend)
{
    struct status status = status_of(s->arena, failure, s->posture->domain);
    say(s, (struct finding){GRADE_FAIL, about, failure->host, status.code, status.text, mend});
}

static const struct {
    enum grade grade;
    const char *text, *mend;
} of_trust[] = {
    [TRUST_NOT_ASKED] = {GRADE_FINE, "was not asked", NULL},
    [TRUST_SECURE] = {GRADE_FINE, "signed and valid", NULL},
    [TRUST_INSECURE] = {GRADE_NOTE, "not signed: DANE cannot apply", "sign the zone, and have its DS record published"},
    [TRUST_OVERRIDDEN] = {GRADE_FAIL, "bogus", "mend the zone's signatures"},
    [TRUST_BOGUS] = {GRADE_FAIL, "bogus", "mend the zone's signatures"},
    [TRUST_FAILED] = {GRADE_FAIL, "the lookup failed", "let the name servers answer"},
};

static void find_mx(struct search *s)
{
    const struct mx_facts *mx = s->by_dane->mx;
    const struct failure *failure = &s->by_dane->no_host;
    if (failure->cause != CAUSE_NONE) {
        say_failure(s, "mx", failure, of_trust[mx->trust].mend);
        return;
    }
    say(s, (struct finding){.grade = of_trust[mx->trust].grade,
                            .about = "mx",
                            .text = arena_printf(s->arena, "MX: %zu host%s, %s", mx->host_count,
                                                 mx->host_count == 1 ? "" : "s", of_trust[mx->trust].text),
                            .mend = of_trust[mx->trust].mend});
}

static void find_addresses(struct search *s)
{
    for (size_t i = 0; i < s->by_dane->visit_count; i++) {
        const struct survey_visit *visit = &s->by_dane->visits[i];
        enum dns_trust trust = visit->facts->trust;
        if (trust_is_failure(trust) || visit->facts->address_count == 0)
            say_failure(s, "address", &visit->failure, of_trust[trust].mend);
        else if (s->by_dane->mx->trust == TRUST_SECURE)
            say(s, (struct finding){.grade = of_trust[trust].grade,
                                    .about = "address",
                                    .host = visit->name,
                                    .text = arena_printf(s->arena, "address: %s", of_trust[trust].text),
                                    .mend = of_trust[trust].mend});
    }
}

/* What the records of a host are worth; those that are to be used are judged by the certificate. */
static const struct {
    enum grade grade;
    const char *text, *mend;
} of_tlsa[] = {
    [TLSA_ABSENT] = {GRADE_NOTE, "no TLSA records: no DANE here", "publish a record 3 1 1 of the key in use"},
    [TLSA_INSECURE] = {GRADE_NOTE, "TLSA records are not signed and count for nothing",
                       "sign the zone that the TLSA records are in"},
    [TLSA_UNUSABLE] = {GRADE_WARN, "TLSA records, but none that SMTP can use: encryption without authentication",
                       "publish a record 3 1 1 of the key in use; usages 0 and 1 are not for SMTP"},
};

static void find_tlsa(struct search *s)
{
    for (size_t i = 0; i < s->by_dane->visit_count; i++) {
        const struct survey_visit *visit = &s->by_dane->visits[i];
        enum tlsa_state state = visit->facts->tlsa;
        if (state == TLSA_LOOKUP_FAILED)
            say_failure(s, "tlsa", &visit->failure,
                        "let the name servers answer for _25._tcp: an absence is NOERROR or NXDOMAIN, signed");
        else if (state < (enum tlsa_state)COUNT(of_tlsa) && of_tlsa[state].text != NULL)
            say(s, (struct finding){.grade = of_tlsa[state].grade,
                                    .about = "tlsa",
                                    .host = visit->name,
                                    .text = of_tlsa[state].text,
                                    .mend = of_tlsa[state].mend});
        if (state == TLSA_USABLE && visit->facts->unusable_count > 0)
            say(s, (struct finding){.grade = GRADE_NOTE,
                                    .about = "tlsa",
                                    .host = visit->name,
                                    .text = arena_printf(s->arena, "%zu TLSA record%s that nobody can use",
                                                         visit->facts->unusable_count,
                                                         visit->facts->unusable_count == 1 ? "" : "s"),
                                    .mend = "take these records away"});
    }
}

/* What is to be done about an unmet demand of DANE or MTA-STS. */
static const char *const mend_of_reason[REASON_COUNT] = {
    [REASON_STARTTLS_NOT_SUPPORTED] = "let the host offer STARTTLS, and mend its TLS",
    [REASON_CERTIFICATE_EXPIRED] = "renew the certificate",
    [REASON_TLSA_INVALID] = "publish TLSA records of the certificate in use, before it is put into use",
    [REASON_CERTIFICATE_HOST_MISMATCH] = "let the certificate name the MX host",
    [REASON_DNSSEC_INVALID] = "mend the zone's signatures",
    [REASON_STS_CERTIFICATE] = "let every MX host show a valid certificate of a public authority with its own name",
    [REASON_STS_MX_MISMATCH] = "list this host in the policy, then change the id of the TXT record",
};

/* Was it the demand for security that was not met, or something that has nothing to do with it? */
static bool is_security(const struct failure *failure)
{
    return failure->cause == CAUSE_DEMAND_UNMET || failure->cause == CAUSE_HOST_SKIPPED;
}

static void find_sessions(struct search *s)
{
    for (size_t i = 0; i < s->by_dane->visit_count; i++) {
        const struct survey_visit *visit = &s->by_dane->visits[i];
        const struct failure *failure = &visit->failure;
        if (failure->cause == CAUSE_HOST_SKIPPED || failure->cause == CAUSE_HOST_UNRESOLVED)
            continue; /* said of its addresses and TLSA records */
        if (failure->cause != CAUSE_NONE)
            say_failure(s, is_security(failure) ? "dane" : "session", failure, mend_of_reason[failure->reason]);
        else if (visit->decision.demand == DEMAND_DANE)
            say(s, (struct finding){.grade = GRADE_FINE,
                                    .about = "dane",
                                    .host = visit->name,
                                    .text = arena_printf(s->arena, "authenticated by its TLSA records, %s",
                                                         visit->tls.version)});
        else
            say(s, (struct finding){.grade = visit->tls.encrypted ? GRADE_FINE : GRADE_WARN,
                                    .about = "session",
                                    .host = visit->name,
                                    .text = visit->tls.encrypted
                                                ? arena_printf(s->arena, "STARTTLS works, %s", visit->tls.version)
                                                : "no TLS: mail goes in the clear",
                                    .mend = visit->tls.encrypted ? NULL : "let the host offer STARTTLS"});
    }
}

static const char *left(struct arena *arena, int64_t seconds)
{
    if (seconds < 2 * DAY)
        return arena_printf(arena, "%lld hours", (long long)(seconds / 3600));
    return arena_printf(arena, "%lld days", (long long)(seconds / DAY));
}

static void find_life(struct search *s, const char *host, int64_t until)
{
    int64_t life = until - s->posture->now;
    if (until == 0)
        return;
    bool brief = life < SIGNATURES_SHORT;
    say(s, (struct finding){.grade = brief ? GRADE_WARN : GRADE_FINE,
                            .about = "signatures",
                            .host = host,
                            .text = arena_printf(s->arena, "the first signature ends in %s", left(s->arena, life)),
                            .mend = brief ? "sign the zone anew in time: what is expired is bogus" : NULL});
}

static void find_signatures(struct search *s)
{
    if (s->by_dane->mx->trust == TRUST_SECURE)
        find_life(s, NULL, s->by_dane->mx->signed_until);
    for (size_t i = 0; i < s->by_dane->visit_count; i++)
        if (s->by_dane->visits[i].facts->trust == TRUST_SECURE)
            find_life(s, s->by_dane->visits[i].name, s->by_dane->visits[i].facts->signed_until);
}

static void find_dates(struct search *s)
{
    for (size_t i = 0; i < s->by_dane->visit_count; i++) {
        const struct survey_visit *visit = &s->by_dane->visits[i];
        int64_t until = visit->tls.certificate_until, life = until - s->posture->now;
        if (until == 0)
            continue;
        say(s,
            (struct finding){
                .grade = life < CERTIFICATE_SHORT ? GRADE_WARN : GRADE_FINE,
                .about = "certificate",
                .host = visit->name,
                .text = life < 0 ? "the certificate has expired"
                                 : arena_printf(s->arena, "the certificate ends in %s", left(s->arena, life)),
                .mend = life < CERTIFICATE_SHORT ? "renew it; keep the key, or publish its TLSA record first" : NULL});
    }
}

int posture_in_chain(const struct survey_visit *visit, const struct tlsa_record *record)
{
    for (size_t i = 0; i < visit->tls.chain_length; i++)
        if (certificate_matches(&visit->tls.chain[i], record))
            return (int)i;
    return -1;
}

/* A record beside the one in use is what makes a change of keys safe. */
static void find_rollover(struct search *s)
{
    for (size_t i = 0; i < s->by_dane->visit_count; i++) {
        const struct survey_visit *visit = &s->by_dane->visits[i];
        size_t in_use = 0, count = visit->facts->tlsa == TLSA_USABLE ? visit->facts->record_count : 0;
        for (size_t r = 0; r < count; r++)
            in_use += posture_in_chain(visit, &visit->facts->records[r]) >= 0;
        if (in_use == 0)
            continue; /* no session, or a mismatch, which has been said */
        say(s, (struct finding){.grade = count > in_use ? GRADE_FINE : GRADE_NOTE,
                                .about = "rollover",
                                .host = visit->name,
                                .text =
                                    arena_printf(s->arena, "%zu TLSA record%s of what is in use, %zu of something else",
                                                 in_use, in_use == 1 ? "" : "s", count - in_use),
                                .mend = count > in_use
                                            ? NULL
                                            : "before the key changes, publish the next one's record beside this one"});
    }
}

static void find_policy(struct search *s)
{
    const struct sts_facts *sts = s->posture->fresh;
    if (sts->mode == STS_ABSENT && sts->failure == NULL) {
        say(s, (struct finding){.grade = GRADE_NOTE,
                                .about = "mta-sts",
                                .text = arena_printf(s->arena, "no policy: %s", sts->why),
                                .mend = "publish an MTA-STS policy, in testing mode to begin with"});
    } else if (sts->mode == STS_ABSENT) {
        say(s, (struct finding){.grade = GRADE_FAIL,
                                .about = "mta-sts",
                                .text = arena_printf(s->arena, "%s: %s", sts->failure, sts->why),
                                .mend = "let the policy be served as RFC 8461 wants it"});
    } else {
        say(s, (struct finding){.grade = sts->mode == STS_ENFORCE ? GRADE_FINE : GRADE_NOTE,
                                .about = "mta-sts",
                                .text = arena_printf(s->arena, "policy %s, mode %s", sts->id, sts_word(sts->mode))});
    }
}

static void find_max_age(struct search *s)
{
    const struct sts_facts *sts = s->posture->fresh;
    int64_t age = sts->expires_at - sts->fetched_at;
    if (sts->mode == STS_ABSENT || sts->mode == STS_MODE_NONE || age >= MAX_AGE_SHORT)
        return;
    say(s, (struct finding){.grade = GRADE_WARN,
                            .about = "mta-sts",
                            .text = arena_printf(s->arena, "max_age is %s: the policy is soon forgotten",
                                                 left(s->arena, age)),
                            .mend = "set max_age to weeks once the policy enforces"});
}

static void find_cached(struct search *s)
{
    const struct sts_facts *sts = s->posture->fresh;
    const char *cached = s->posture->cached_id;
    if (cached == NULL)
        return;
    bool same = sts->id != NULL && strcmp(sts->id, cached) == 0;
    say(s, (struct finding){.grade = same ? GRADE_FINE : GRADE_NOTE,
                            .about = "mta-sts",
                            .text = arena_printf(s->arena, "this engine remembers policy %s%s", cached,
                                                 same ? ", which is current" : ", another is published now")});
}

/* An entry that fits no MX host: harmless, and often what is left of a move. */
static bool fits_a_host(const struct search *s, const char *pattern)
{
    for (size_t i = 0; i < s->by_dane->mx->host_count; i++)
        if (sts_mx_matches(&pattern, 1, s->by_dane->mx->hosts[i].name))
            return true;
    return false;
}

static void find_stale_entries(struct search *s)
{
    const struct sts_facts *sts = s->posture->fresh;
    for (size_t i = 0; i < sts->mx_count; i++)
        if (!fits_a_host(s, sts->mx[i]))
            say(s, (struct finding){.grade = GRADE_NOTE,
                                    .about = "mta-sts",
                                    .text = arena_printf(s->arena, "mx: %s is the name of no MX host", sts->mx[i])});
}

/* In testing mode nothing is held up, but it would be once the policy enforces. */
static void find_policy_of_host(struct search *s, const struct survey_visit *visit)
{
    const struct sts_facts *sts = s->posture->fresh;
    bool enforced = sts->mode == STS_ENFORCE;
    struct failure failure = {.cause = CAUSE_HOST_SKIPPED, .host = visit->name};
    if (!sts_mx_matches(sts->mx, sts->mx_count, visit->name)) {
        failure.reason = REASON_STS_MX_MISMATCH;
        failure.text = arena_printf(s->arena, "%s is in no mx entry of policy %s", visit->name, sts->id);
    } else if (visit->tls.pkix_failure != NULL || (enforced && visit->failure.cause == CAUSE_DEMAND_UNMET)) {
        failure.reason = REASON_STS_CERTIFICATE;
        failure.text = visit->tls.pkix_detail != NULL ? visit->tls.pkix_detail : visit->failure.text;
    } else if (visit->tls.pkix_passed) {
        say(s, (struct finding){.grade = GRADE_FINE,
                                .about = "mta-sts",
                                .host = visit->name,
                                .text = "listed in the policy, its certificate is valid"});
    }
    if (failure.reason == REASON_NONE)
        return;
    say_failure(s, "mta-sts", &failure, mend_of_reason[failure.reason]);
    if (!enforced)
        s->out->items[s->out->count - 1].grade = GRADE_WARN;
}

static void find_policy_of_hosts(struct search *s)
{
    enum sts_policy_mode mode = s->posture->fresh->mode;
    for (size_t i = 0; (mode == STS_ENFORCE || mode == STS_TESTING) && i < s->by_sts->visit_count; i++)
        find_policy_of_host(s, &s->by_sts->visits[i]);
}

static void (*const searches[])(struct search *s) = {
    find_mx,       find_addresses, find_tlsa,    find_sessions, find_signatures,    find_dates,
    find_rollover, find_policy,    find_max_age, find_cached,   find_stale_entries, find_policy_of_hosts,
};

struct findings posture_findings(struct arena *arena, const struct posture *posture)
{
    struct findings findings = {0};
    struct search search = {arena, posture, posture->modes[DANE_OPPORTUNISTIC][MTA_STS_NONE],
                            posture->modes[DANE_NONE][MTA_STS_OPPORTUNISTIC], &findings};
    for (size_t i = 0; i < COUNT(searches); i++)
        searches[i](&search);
    return findings;
}

enum grade posture_worst(const struct findings *findings)
{
    enum grade worst = GRADE_FINE;
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].grade > worst)
            worst = findings->items[i].grade;
    return worst;
}
