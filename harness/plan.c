/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/plan.h"

#include <string.h>

#include "base/text.h"
#include "harness/plan_internal.h"
#include "harness/scenario_schema.h"

/* What a resolver learned by the way, or asks for piecemeal, hides questions that scenarios look for. */
#define EVERY_WORLD                                                                                                    \
    "do-not-query-localhost: no\n"                                                                                     \
    "trust-anchor-signaling: no\n"                                                                                     \
    "aggressive-nsec: no\n"                                                                                            \
    "qname-minimisation: no\n"
/* With every server answering, unbound's own times are right. Where one stays silent they cost 17 s a name: with these
 * it is a fraction of a second, but a lab that is held up for 200 ms looks silent too: they are not for every world.
 * infra-cache-max-rtt must stay above unknown-server-time-limit, or every lookup fails at once. */
#define TIMES(unknown, least, most)                                                                                    \
    "outbound-msg-retry: 1\nunknown-server-time-limit: " unknown "\ninfra-cache-min-rtt: " least                       \
    "\ninfra-cache-max-rtt: " most "\n"
static const char usual_options[] = EVERY_WORLD;
static const char impatient_options[] = EVERY_WORLD TIMES("200", "200", "400");
/* A silent server costs seconds, and a lab must be held up for half of one to look so. */
static const char patient_options[] = EVERY_WORLD TIMES("500", "500", "1000");

void plan_take_time(struct plan *plan)
{
    if (plan->silent)
        plan->resolver_options = patient_options;
}

/* --- the sender's own domain ----------------------------------------------------------------------------------- */

static struct schema_texts one_text(struct arena *arena, const char *text)
{
    struct schema_texts texts = {arena_alloc(arena, sizeof *texts.items), arena_alloc(arena, sizeof *texts.at), 1};
    texts.items[0] = text;
    return texts;
}

static struct world_name sound_name(struct arena *arena, struct diag_list *diags, const char *name)
{
    struct world_name sound;
    schema_read(arena, &scenario_name_schema, NULL, &sound, diags);
    sound.name = name;
    return sound;
}

static bool asks_authority(const struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        if (plan_certificate_names_authority(&world->names[i].certificate))
            return true;
    return false;
}

/* Reports of failed messages go there, so it must be right in every mode: signed, DANE-authenticated, trusted. */
static const struct world *with_sender(struct plan_builder *b, const struct world *world)
{
    struct world *all = arena_memdup(b->arena, world, sizeof *world);
    const char *host = scenario_sender_host;
    all->names = arena_alloc(b->arena, (world->count + 3) * sizeof *all->names);
    if (world->count > 0)
        memcpy(all->names, world->names, world->count * sizeof *all->names);
    struct world_name domain = sound_name(b->arena, b->diags, scenario_sender_domain),
                      mx = sound_name(b->arena, b->diags, host);
    domain.zone = true;
    domain.mx = one_text(b->arena, host);
    mx.tlsa = one_text(b->arena, "3 1 1");
    all->names[all->count++] = domain;
    all->names[all->count++] = mx;
    if (asks_authority(world)) {
        struct world_name authority = sound_name(b->arena, b->diags, PLAN_CA_HOST);
        authority.address = one_text(b->arena, "v4");
        all->names[all->count++] = authority;
    }
    return all;
}

/* --- defects --------------------------------------------------------------------------------------------------- */

struct plan_defect *plan_defect_add(struct plan_builder *b, enum plan_mechanism mechanism, const char *host,
                                    const char *id, struct srcpos at)
{
    struct plan_defect *defect = ARENA_PUSH(b->arena, &b->defects);
    *defect = (struct plan_defect){
        .id = id, .what = id, .mechanism = mechanism, .host = host, .hit = HIT_DEFAULT, .visible = true, .at = at};
    return defect;
}

/* The domain whose policy a name belongs to. */
static const char *policy_domain(const char *name)
{
    static const char *const labels[] = {"mta-sts.", "_mta-sts."};
    for (size_t i = 0; i < COUNT(labels); i++)
        if (strncmp(name, labels[i], strlen(labels[i])) == 0)
            return name + strlen(labels[i]);
    return name;
}

/* How far a sender has come when it meets an MTA-STS defect: record, DNS of the host, connection, certificate, answer,
 * policy. */
static int sts_stage(const struct plan_defect *defect)
{
    static const struct {
        const char *end;
        int stage;
    } stages[] = {
        {":mta-sts-txt", 0},
        {":https", 2},
        {":certificate", 3},
        {":policy", 5},
    };
    for (size_t i = 0; i < COUNT(stages); i++) {
        size_t length = strlen(defect->id), end = strlen(stages[i].end);
        if (length > end && strcmp(defect->id + length - end, stages[i].end) == 0)
            return stages[i].stage;
    }
    return strstr(defect->id, ":dns-") != NULL ? 1 : 4;
}

static bool is_announced(const struct plan_builder *b, const char *domain)
{
    const struct world_name *name = world_find(b->world, domain);
    const struct schema_texts *txt = name != NULL ? &name->mta_sts.txt : NULL;
    return name != NULL && name->has_mta_sts && !(txt->count == 1 && strcmp(txt->items[0], "none") == 0);
}

/* Of the defects of one policy only the first on the way is sure to be met. */
static void settle_sts(struct plan_builder *b, struct plan_defect *defect)
{
    const char *domain = policy_domain(defect->host);
    if (!is_announced(b, domain))
        defect->aside = true;
    for (size_t i = 0; i < b->defects.count; i++) {
        const struct plan_defect *other = &b->defects.items[i];
        if (other->mechanism == MECHANISM_STS && strcmp(policy_domain(other->host), domain) == 0 &&
            sts_stage(other) < sts_stage(defect))
            defect->aside = true;
    }
    for (size_t i = 0; i < b->hosts.count; i++) {
        const struct plan_host *host = &b->hosts.items[i];
        const struct world_name *served = host->role == PLAN_MX ? plan_domain_of(b, host->name->name) : NULL;
        if (served != NULL && text_name_equal(served->name, domain) && host->name->tlsa.count > 0 &&
            plan_is_secure(b, served->name) && plan_is_secure(b, host->name->name))
            defect->under_dane = true;
    }
}

static bool is_broken_dns(const struct plan_builder *b, const struct plan_defect *defect)
{
    for (size_t i = 0; i < b->faults.count; i++)
        if (b->faults.items[i].id == defect->id)
            return fakedns_fault_find(b->faults.items[i].fault)->bogus;
    return false;
}

/* Whether a sender comes by depends on all that is in its way. */
static void settle_defects(struct plan_builder *b)
{
    size_t broken = 0;
    for (size_t i = 0; i < b->defects.count; i++)
        broken += b->defects.items[i].mechanism == MECHANISM_DNS && is_broken_dns(b, &b->defects.items[i]);
    for (size_t i = 0; i < b->defects.count; i++) {
        struct plan_defect *defect = &b->defects.items[i];
        const struct world_name *domain = plan_domain_of(b, defect->host);
        if (broken > (defect->mechanism == MECHANISM_DNS))
            defect->aside = true;
        if (defect->mechanism == MECHANISM_STS)
            settle_sts(b, defect);
        /* 7672-2.2.1, 2.2.2: behind insecure MX or address records TLSA need not, or should not, be asked for. */
        if (defect->mechanism == MECHANISM_TLSA &&
            (!plan_is_secure(b, defect->host) || domain == NULL || !plan_is_secure(b, domain->name)))
            defect->aside = true;
    }
}

/* --- the whole ------------------------------------------------------------------------------------------------- */

static bool has_silent_fault(const struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        for (size_t k = 0; k < world->names[i].dns.count; k++) {
            const struct world_dns_fault *said = &((const struct world_dns_fault *)world->names[i].dns.items)[k];
            const struct dns_fault_info *info = said->fault != NULL ? fakedns_fault_find(said->fault) : NULL;
            if (info != NULL && info->silent)
                return true;
        }
    return false;
}

static void hand_over(struct plan_builder *b)
{
    struct plan *plan = b->plan;
    plan->dns = (struct fakedns_config){.zones = b->zones.items,
                                        .zone_count = b->zones.count,
                                        .faults = b->faults.items,
                                        .fault_count = b->faults.count,
                                        .keyring = plan_pki_zone_keys(b->pki)};
    plan->defects = b->defects.items;
    plan->defect_count = b->defects.count;
    plan->ca_pem = plan_pki_roots_pem(plan->arena, b->pki);
    plan->resolver_options = plan->silent ? impatient_options : usual_options;
    plan->sender_domain = scenario_sender_domain;
}

static bool take_report_key(struct plan_builder *b)
{
    if (b->plan->scenario == NULL || !scenario_wants_reports(b->plan->scenario))
        return true;
    b->plan->report_key = plan_pki_report_key(b->pki, b->err);
    return b->plan->report_key != NULL;
}

struct plan *plan_build(const struct scenario *scenario, const struct world *world, enum plan_net net,
                        struct plan_pki *pki, const struct clock *clock UNUSED, struct diag_list *diags,
                        struct err *err)
{
    struct arena *arena = arena_new("plan");
    struct plan *plan = arena_alloc(arena, sizeof *plan);
    *plan = (struct plan){.arena = arena, .scenario = scenario, .world = world, .patience_s = PLAN_PATIENCE_S};
    struct plan_builder b = {.plan = plan, .arena = arena, .pki = pki, .net = net, .diags = diags, .err = err};
    size_t errors = diag_errors(diags);
    b.world = with_sender(&b, world);
    plan->silent = has_silent_fault(world);
    bool ok = take_report_key(&b) && plan_dns_zones(&b) && plan_net_hosts(&b) && plan_pki_hosts(&b) &&
              plan_dns_records(&b) && plan_mx_hosts(&b) && plan_sts_hosts(&b) && plan_ca(&b);
    if (ok && diag_errors(diags) > errors)
        ok = err_set(err, ERR_INPUT, "%s: the world cannot be built as it is said",
                     scenario != NULL ? scenario->title : "world");
    if (!ok) {
        plan_free(&plan);
        return NULL;
    }
    settle_defects(&b);
    hand_over(&b);
    return plan;
}

void plan_free(struct plan **plan)
{
    if (*plan == NULL)
        return;
    struct arena *arena = (*plan)->arena;
    *plan = NULL;
    arena_free(&arena);
}

/* --- ahead of time --------------------------------------------------------------------------------------------- */

static const char usual_domain[] = "partner.example";
static const char *const usual_hosts[] = {"mx1.partner.example", "mta-sts.partner.example"};

static bool prepare_hosts(struct plan_pki *pki, const struct world_certificate *sound, struct err *err)
{
    for (size_t i = 0; i < COUNT(usual_hosts); i++)
        if (plan_pki_identity(pki, usual_hosts[i], sound, err) == NULL)
            return false;
    return true;
}

bool plan_pki_prepare(struct plan_pki *pki, struct err *err)
{
    struct arena *arena = arena_new("plan_pki_prepare");
    struct diag_list *diags = diag_new(arena);
    struct world_name domain = sound_name(arena, diags, usual_domain);
    domain.zone = true;
    const struct world usual = {.names = &domain, .count = 1};
    struct plan *plan = plan_build(NULL, &usual, PLAN_NET_LAB, pki, NULL, diags, err);
    bool made = plan != NULL && fakedns_make_keys(plan_pki_zone_keys(pki), &plan->dns, err) &&
                prepare_hosts(pki, &domain.certificate, err);
    plan_free(&plan);
    arena_free(&arena);
    plan_pki_addresses(pki)->count = 0; /* they are given anew in each world */
    return made;
}

bool plan_pki_prepare_for(struct plan_pki *pki, const struct scenario *scenario, struct err *err)
{
    if (scenario_wants_reports(scenario) && plan_pki_report_key(pki, err) == NULL)
        return false;
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct world *world = scenario->steps[i].world;
        for (size_t k = 0; world != NULL && k < world->count; k++)
            if (!fakedns_make_slow_keys(plan_pki_zone_keys(pki), (enum dns_algorithm)world->names[k].dnssec.algorithm,
                                        err))
                return false;
    }
    return true;
}
