/* SPDX-License-Identifier: BSD-2-Clause
 * The policies of a plan: the record that announces one, its body, the host that serves it, and their defects.
 *
 * A sender comes by them in that order, so that only what stands first is sure to be met. */
#include <openssl/sha.h>
#include <string.h>

#include "base/text.h"
#include "fakests/web_policy.h"
#include "harness/plan_internal.h"

/* The patterns of a policy: those said, else the domain's MX hosts, else the domain itself. */
static struct schema_texts patterns_of(struct arena *arena, const struct world_name *domain)
{
    struct schema_texts patterns = domain->mta_sts.mx;
    if (patterns.count > 0)
        return patterns;
    patterns.items = arena_alloc(arena, (domain->mx.count + 1) * sizeof *patterns.items);
    for (size_t i = 0; i < domain->mx.count; i++)
        patterns.items[patterns.count++] = world_mx_host(domain->mx.items[i]);
    if (patterns.count == 0)
        patterns.items[patterns.count++] = domain->name;
    return patterns;
}

static const char *policy_of(struct arena *arena, const struct world_name *domain)
{
    static const char *const modes[] = {[WORLD_STS_ABSENT] = "none",
                                        [WORLD_STS_ENFORCE] = "enforce",
                                        [WORLD_STS_TESTING] = "testing",
                                        [WORLD_STS_NONE] = "none"};
    if (domain->mta_sts.policy != NULL)
        return domain->mta_sts.policy;
    struct schema_texts patterns = patterns_of(arena, domain);
    return web_policy_text(arena, modes[domain->mta_sts.mode], patterns.items, patterns.count,
                           (int64_t)domain->mta_sts.max_age_s);
}

/* An id that changes when the policy does (8461-3.1). */
static const char *id_of(struct arena *arena, const struct world_name *domain)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    if (domain->mta_sts.id != NULL)
        return domain->mta_sts.id;
    const char *policy = policy_of(arena, domain);
    SHA256((const unsigned char *)policy, strlen(policy), digest);
    return text_hex(arena, digest, 8);
}

struct schema_texts plan_sts_announcement(struct plan_builder *b, const struct world_name *domain, bool *departs)
{
    struct schema_texts txt = domain->mta_sts.txt;
    *departs = txt.count > 0;
    if (txt.count == 1 && (strcmp(txt.items[0], "none") == 0 || txt.items[0][0] == '\0'))
        return (struct schema_texts){0};
    if (txt.count > 0)
        return txt;
    txt.items = arena_alloc(b->arena, sizeof *txt.items);
    txt.items[0] = arena_printf(b->arena, "v=STSv1; id=%s;", id_of(b->arena, domain));
    txt.count = 1;
    return txt;
}

/* --- what is wrong --------------------------------------------------------------------------------------------- */

struct behaving {
    struct plan_builder *b;
    const struct plan_host *host;
};

static struct plan_defect *add_defect(struct plan_builder *b, const struct plan_host *host, const char *suffix,
                                      struct srcpos at)
{
    return plan_defect_add(b, MECHANISM_STS, host->name->name,
                           arena_printf(b->arena, "%s:%s", host->name->name, suffix), at);
}

static void behaves(void *arg, const char *setting)
{
    const struct behaving *behaving = arg;
    const struct world_name *name = behaving->host->name;
    struct plan_builder *b = behaving->b;
    const struct tree_node *map = tree_get(name->node, "https"), *said = tree_get(map, setting);
    struct plan_defect *defect = add_defect(b, behaving->host, setting,
                                            said != NULL  ? said->at
                                            : map != NULL ? map->at
                                                          : name->at);
    const char *value = said != NULL && said->kind == TREE_TEXT ? said->text
                        : map != NULL && map->kind == TREE_TEXT ? map->text
                                                                : NULL;
    defect->what = arena_printf(b->arena, "%s of %s%s%s", setting, name->name, value != NULL ? " is " : "",
                                value != NULL ? value : "");
    defect->visible = !(strcmp(setting, "https") == 0 && name->https.https == WEB_HTTPS_REFUSE);
}

/* 8461-4.1: a wildcard stands for exactly the first label. */
static bool covers(const char *pattern, const char *host)
{
    const char *dot = strchr(host, '.');
    if (strncmp(pattern, "*.", 2) == 0)
        return dot != NULL && text_name_equal(dot + 1, pattern + 2);
    return text_name_equal(pattern, host);
}

static bool covers_all_hosts(struct arena *arena, const struct world_name *domain)
{
    struct schema_texts patterns = patterns_of(arena, domain);
    for (size_t i = 0; i < domain->mx.count; i++) {
        bool covered = false;
        for (size_t k = 0; k < patterns.count; k++)
            covered = covered || covers(patterns.items[k], world_mx_host(domain->mx.items[i]));
        if (!covered)
            return false;
    }
    return true;
}

static const char *policy_defect(struct plan_builder *b, const struct plan_host *host, const struct world_name *domain)
{
    bool raw = domain->mta_sts.policy != NULL;
    if (!raw && covers_all_hosts(b->arena, domain))
        return NULL;
    const struct schema_texts *mx = &domain->mta_sts.mx;
    struct plan_defect *defect = add_defect(b, host, "policy",
                                            raw             ? domain->mta_sts.policy_at
                                            : mx->count > 0 ? mx->at[0]
                                                            : domain->at);
    defect->what =
        arena_printf(b->arena,
                     raw ? "the policy of %s is said byte for byte" : "the policy of %s does not list every MX host",
                     domain->name);
    return defect->id;
}

static const char *certificate_defect(struct plan_builder *b, const struct plan_host *host)
{
    const struct world_certificate *certificate = &host->name->certificate;
    if (host->identity == NULL || !plan_certificate_departs(certificate))
        return NULL;
    struct plan_defect *defect =
        add_defect(b, host, "certificate", certificate->at.file != NULL ? certificate->at : host->name->at);
    defect->what = arena_printf(b->arena, "the certificate of %s is %s", host->name->name,
                                plan_certificate_label(b->arena, certificate));
    return defect->id;
}

/* --- the hosts ------------------------------------------------------------------------------------------------- */

static const struct world_name *domain_of(const struct plan_builder *b, const struct plan_host *host)
{
    const char *label = "mta-sts.";
    const struct world_name *domain = strncmp(host->name->name, label, strlen(label)) == 0
                                          ? world_find(b->world, host->name->name + strlen(label))
                                          : NULL;
    return domain != NULL && domain->has_mta_sts ? domain : NULL;
}

static bool stalls(const struct web_behaviour *https)
{
    return https->https == WEB_HTTPS_STALL || https->body == WEB_BODY_SILENT || https->body == WEB_BODY_SLOW ||
           https->body == WEB_BODY_ENDLESS || https->body == WEB_BODY_GIANT;
}

static void add_host(struct plan_builder *b, const struct plan_host *host, struct fakests_host *hosts, size_t *count)
{
    const struct world_name *name = host->name, *domain = domain_of(b, host);
    bool sink = name->https.reports; /* whoever sends a report comes by in every mode */
    if (!sink)
        web_behaviour_departures(&name->https, behaves, &(struct behaving){b, host});
    if (stalls(&name->https))
        b->plan->patience_s = PLAN_PATIENCE_STALLED_S;
    if (name->https.https == WEB_HTTPS_REFUSE || host->listening_count == 0)
        return;
    hosts[(*count)++] = (struct fakests_host){
        .name = name->name,
        .addresses = host->listening,
        .address_count = host->listening_count,
        .behaviour = &name->https,
        .policy = domain != NULL ? policy_of(b->arena, domain) : NULL,
        .identity = host->identity,
        .fault_prefix = arena_printf(b->arena, "%s:", name->name),
        .certificate_fault = sink ? NULL : certificate_defect(b, host),
        .policy_fault = domain != NULL ? policy_defect(b, host, domain) : NULL,
    };
}

bool plan_sts_hosts(struct plan_builder *b)
{
    struct fakests_host *hosts = arena_alloc(b->arena, b->hosts.count * sizeof *hosts);
    size_t count = 0;
    for (size_t i = 0; i < b->hosts.count; i++)
        if (b->hosts.items[i].role == PLAN_POLICY)
            add_host(b, &b->hosts.items[i], hosts, &count);
    b->plan->sts = (struct fakests_config){.hosts = hosts, .host_count = count};
    return true;
}
