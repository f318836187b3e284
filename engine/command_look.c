/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/command_look.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/engine.h"
#include "engine/sts_cache.h"
#include "engine/tlsa.h"
#include "engine/trace.h"

/* ---- an outside of one's own ---- */

/* The engine's own policies where there are some: what it would go by. */
static const char *sts_cache_path(const struct command_line *line)
{
    const char *path = arena_printf(line->arena, "%s/sts.db", line->config->directory);
    return access(line->config->directory, W_OK) == 0 ? path : ":memory:";
}

static bool begin(struct command_look *look, struct err *err)
{
    const struct command_line *line = look->line;
    struct sts_options options = {.cache_path = ":memory:",
                                  .ca_file = line->config->ca_file,
                                  .fetch_timeout_s = engine_capped(line->config, line->config->timeouts.policy),
                                  .port = OUTSIDE_HTTPS_PORT};
    look->loop = loop_new(err);
    if (look->loop == NULL ||
        !outside_open(&look->outside, line->config, sts_cache_path(line), &look->clock, look->loop, err))
        return false;
    look->fresh = sts_new(&options, look->outside.resolve, &look->clock, look->loop, err);
    return look->fresh != NULL;
}

bool command_look_begin(struct command_look *look, const struct command_line *line)
{
    struct err err;
    *look = (struct command_look){.line = line};
    clock_advance(&look->clock, (int64_t)line->config->clock_offset);
    look->surveyor = (struct surveyor){.arena = line->arena, .config = line->config, .outside = &look->outside};
    if (begin(look, &err))
        return true;
    command_failed(&err);
    command_look_end(look);
    return false;
}

void command_look_end(struct command_look *look)
{
    surveyor_end(&look->surveyor);
    sts_free(&look->fresh);
    outside_close(&look->outside);
    if (look->loop != NULL)
        loop_free(&look->loop);
}

int command_with_look(const struct command_line *line, int (*run)(struct command_look *look))
{
    struct command_look look;
    if (!command_look_begin(&look, line))
        return COMMAND_FAILED;
    int status = run(&look);
    command_look_end(&look);
    return status;
}

/* ---- looking ---- */

static const char *cached_id(struct command_look *look, const char *domain)
{
    struct err err;
    struct sts_cached cached;
    struct sts_cache *cache = sts_cache_open(sts_cache_path(look->line), &err);
    bool lives = cache != NULL && sts_cache_find(cache, look->line->arena, domain, clock_now(&look->clock), &cached);
    const char *id = lives ? arena_strdup(look->line->arena, cached.id) : NULL;
    sts_cache_close(&cache);
    return id;
}

const struct posture *command_look_at(struct command_look *look, const char *domain)
{
    struct arena *arena = look->line->arena;
    struct posture *posture = arena_alloc(arena, sizeof *posture);
    struct smart_host hop = {.name = text_name(arena, domain)};
    struct channel_setting setting = channel_setting(look->line->config, NULL);
    posture->domain = hop.name;
    posture->now = clock_now(&look->clock);
    posture->cached_id = cached_id(look, hop.name);
    for (int dane = 0; dane < POSTURE_DANE_MODES; dane++)
        for (int sts = 0; sts < POSTURE_STS_MODES; sts++) {
            setting.dane = (enum dane_mode)dane;
            setting.mta_sts = (enum mta_sts_mode)sts;
            posture->modes[dane][sts] = survey_hop(&look->surveyor, &hop, false, &setting);
        }
    posture->fresh = survey_sts(&look->surveyor, look->fresh, hop.name);
    return posture;
}

/* ---- as JSON ---- */

const char *command_time(struct arena *arena, int64_t at)
{
    return at != 0 ? text_time(arena, at, TEXT_RFC3339) : "";
}

static json_t *json_of_findings(const struct findings *findings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *f = &findings->items[i];
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s?,s:s?,s:s,s:s?}", "grade", grade_words[f->grade], "about",
                                        f->about, "host", f->host, "code", f->code, "text", f->text, "mend", f->mend));
    }
    return list;
}

static json_t *json_of_outlook(struct arena *arena, const struct survey *survey)
{
    struct outlook outlook = posture_outlook(arena, survey);
    const struct survey_visit *by = outlook.by;
    return json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:s?,s:s?,s:s?,s:s?}", "smtp-dane",
                     connector_dane_words[survey->setting.dane], "mta-sts",
                     connector_sts_words[survey->setting.mta_sts], "message", prospect_words[outlook.prospect], "host",
                     by != NULL ? by->name : NULL, "channel", by != NULL ? posture_channel(by) : NULL, "clause",
                     outlook.clause, "because", outlook.because, "code", outlook.status.code, "text",
                     outlook.status.text);
}

static json_t *json_of_modes(struct arena *arena, const struct posture *posture)
{
    json_t *list = json_array();
    for (int dane = 0; dane < POSTURE_DANE_MODES; dane++)
        for (int sts = 0; sts < POSTURE_STS_MODES; sts++)
            json_array_append_new(list, json_of_outlook(arena, posture->modes[dane][sts]));
    return list;
}

static json_t *json_of_record(struct arena *arena, const struct survey_visit *visit, const struct tlsa_record *record)
{
    int at = posture_in_chain(visit, record); /* 0: the host's own certificate */
    return json_pack("{s:s,s:o}", "record", tlsa_text(arena, record), "matches",
                     at >= 0 ? json_integer(at) : json_null());
}

static json_t *json_of_certificate(struct arena *arena, const struct survey_visit *visit)
{
    struct certificate_view view;
    if (visit->tls.chain_length == 0 || !certificate_read(arena, &visit->tls.chain[0], &view))
        return json_null();
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i}", "subject", view.subject, "issuer", view.issuer, "names",
                     view.names, "from", command_time(arena, view.from), "until", command_time(arena, view.until),
                     "sha256", visit->tls.certificate_sha256, "chain", (int)visit->tls.chain_length);
}

/* What a policy thinks of the host's certificate: "passed", why not, or NULL: no policy asked. */
static const char *pkix_word(const struct posture *posture, const char *host)
{
    const struct survey *by_policy = posture->modes[DANE_NONE][MTA_STS_OPPORTUNISTIC];
    for (size_t i = 0; i < by_policy->visit_count; i++) {
        const struct tls_outcome *tls = &by_policy->visits[i].tls;
        if (strcmp(by_policy->visits[i].name, host) == 0)
            return tls->pkix_passed ? "passed" : tls->pkix_failure;
    }
    return NULL;
}

static json_t *json_of_host(struct arena *arena, const struct posture *posture, const struct survey_visit *visit)
{
    json_t *records = json_array();
    for (size_t i = 0; i < visit->facts->record_count; i++)
        json_array_append_new(records, json_of_record(arena, visit, &visit->facts->records[i]));
    bool failed = visit->failure.cause != CAUSE_NONE;
    return json_pack("{s:s,s:s?,s:s,s:s,s:s?,s:o,s:i,s:s,s:s?,s:s?,s:s?,s:o}", "host", visit->name, "address",
                     visit->address, "dnssec", trust_word(visit->facts->trust), "tlsa", tlsa_word(visit->facts->tlsa),
                     "tlsa-base", visit->facts->tlsa_base, "records", records, "unusable",
                     (int)visit->facts->unusable_count, "signed-until", command_time(arena, visit->facts->signed_until),
                     "tls", visit->tls.version, "failure", failed ? cause_name(visit->failure.cause) : NULL, "pkix",
                     pkix_word(posture, visit->name), "certificate", json_of_certificate(arena, visit));
}

static json_t *json_of_hosts(struct arena *arena, const struct posture *posture, const struct survey *survey)
{
    json_t *list = json_array();
    for (size_t i = 0; i < survey->visit_count; i++)
        json_array_append_new(list, json_of_host(arena, posture, &survey->visits[i]));
    return list;
}

static json_t *json_of_policy(struct arena *arena, const struct posture *posture)
{
    const struct sts_facts *sts = posture->fresh;
    json_t *mx = json_array();
    for (size_t i = 0; i < sts->mx_count; i++)
        json_array_append_new(mx, json_string(sts->mx[i]));
    return json_pack("{s:s,s:s?,s:s?,s:o,s:I,s:s?,s:s?,s:s}", "mode", sts_word(sts->mode), "id", sts->id, "cached-id",
                     posture->cached_id, "mx", mx, "max-age", (json_int_t)(sts->expires_at - sts->fetched_at),
                     "failure", sts->failure, "why", sts->why, "expires", command_time(arena, sts->expires_at));
}

json_t *command_posture_json(struct arena *arena, const struct posture *posture)
{
    const struct survey *by_dane = posture->modes[DANE_OPPORTUNISTIC][MTA_STS_NONE];
    /* Behind data that DNSSEC calls bogus there are hosts only for those who do not look. */
    const struct survey *hosts = by_dane->visit_count > 0 ? by_dane : posture->modes[DANE_NONE][MTA_STS_NONE];
    struct findings findings = posture_findings(arena, posture);
    return json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s,s:s},s:o,s:o,s:o,s:o}", "domain", posture->domain, "at",
                     command_time(arena, posture->now), "verdict", grade_words[posture_worst(&findings)], "mx", "state",
                     mx_word(by_dane->mx->state), "dnssec", trust_word(by_dane->mx->trust), "expanded",
                     by_dane->mx->expanded, "signed-until", command_time(arena, by_dane->mx->signed_until), "hosts",
                     json_of_hosts(arena, posture, hosts), "policy", json_of_policy(arena, posture), "findings",
                     json_of_findings(&findings), "modes", json_of_modes(arena, posture));
}

/* ---- as tables ---- */

/* clang-format off */
static const struct command_column findings_columns[] = {
    {"GRADE", "grade"}, {"ABOUT", "about"}, {"HOST", "host"}, {"CODE", "code"}, {"FINDING", "text"},
};
static const struct command_column modes_columns[] = {
    {"DANE", "smtp-dane"}, {"MTA-STS", "mta-sts"}, {"MESSAGE", "message"}, {"HOST", "host"},
    {"CHANNEL", "channel"}, {"CLAUSE", "clause"}, {"CODE", "code"}, {"TEXT", "text"},
};
/* clang-format on */
const struct command_table command_findings_table = {findings_columns, COUNT(findings_columns)};
const struct command_table command_modes_table = {modes_columns, COUNT(modes_columns)};
