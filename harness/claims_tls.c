/* SPDX-License-Identifier: BSD-2-Clause
 * What a TLS client must think of the hosts, by the scenario's words about certificates and TLSA records. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness/claims.h"

enum { DIGEST_NONE, DIGEST_SHA256, DIGEST_SHA512, DIGEST_COUNT }; /* matching types (RFC 6698 2.1.3) */

static void claim(struct arena *arena, struct claims *claims, const char *name, const char *about, const char *says,
                  const char *more)
{
    *ARENA_PUSH(arena, claims) = (struct claim){name, about, says, more};
}

static bool is_senders_own(const struct plan *plan, const char *host)
{
    return text_name_under(host, plan->sender_domain);
}

/* --- names in a certificate --- */

/* 6125-6.4.3, as openssl has it for a whole label and for DANE alike: the first label may be "*". */
static bool names_match(const char *pattern, const char *name)
{
    const char *dot = strchr(name, '.');
    if (strncmp(pattern, "*.", 2) == 0)
        return dot != NULL && text_name_equal(dot + 1, pattern + 2);
    return text_name_equal(pattern, name);
}

static bool certificate_names(const struct world_certificate *spec, const char *host, const char *name)
{
    if (spec->names_as == IDENTITY_NO_NAMES)
        return false;
    if (spec->names.count == 0)
        return text_name_equal(host, name);
    for (size_t i = 0; i < spec->names.count; i++) {
        const char *said = spec->names.items[i], *dot = strchr(host, '.'), *below = strchr(name, '.');
        if (strcmp(said, "*") == 0 ? dot != NULL && below != NULL && text_name_equal(dot, below)
                                   : names_match(said, name))
            return true;
    }
    return false;
}

/* --- PKIX --- */

static bool is_trusted(const struct world_certificate *spec)
{
    return spec->issuer == ISSUER_PUBLIC_ROOT && spec->chain != CHAIN_MISSING_INTERMEDIATE;
}

static const char *pkix_of(struct arena *arena, const struct world_certificate *spec, const char *host)
{
    const struct {
        bool holds;
        const char *word;
    } faults[] = {
        {!is_trusted(spec), "untrusted"},
        {spec->dates == DATES_EXPIRED, "expired"},
        {spec->dates == DATES_NOT_YET_VALID, "not-yet-valid"},
        {!certificate_names(spec, host, host), "wrong-name"},
    };
    const char *says = NULL;
    for (size_t i = 0; i < COUNT(faults); i++)
        if (faults[i].holds)
            says = says != NULL ? arena_printf(arena, "%s+%s", says, faults[i].word) : faults[i].word;
    return says != NULL ? says : spec->names_as == IDENTITY_CN_ONLY ? "cn-only" : "ok";
}

/* --- DANE --- */

struct record {
    unsigned usage, selector, matching;
    const char *of, *data;
}; /* "3 1 1 of other-key", "3 1 1 00ff" */

static struct record read_record(const char *said)
{
    struct record record = {.of = NULL};
    char *end;
    record.usage = (unsigned)strtoul(said, &end, 10);
    record.selector = (unsigned)strtoul(end, &end, 10);
    record.matching = (unsigned)strtoul(end, &end, 10);
    end += strspn(end, " ");
    if (strncmp(end, "of ", 3) == 0)
        record.of = end + 3;
    else if (*end != '\0')
        record.data = end;
    return record;
}

/* RFC 7672 3.1.3: usages 0 and 1 too. */
static bool is_usable(const struct record *record)
{
    static const size_t hex_lengths[DIGEST_COUNT] = {[DIGEST_SHA256] = 64, [DIGEST_SHA512] = 128};
    bool known = (record->usage == 2 || record->usage == 3) && record->selector <= 1 && record->matching < DIGEST_COUNT;
    return known && (record->data == NULL ||
                     (record->matching != DIGEST_NONE && strlen(record->data) == hex_lengths[record->matching]));
}

static bool names_anchor(const struct record *record, const struct world_certificate *spec)
{
    static const char *const roots[] = {[ISSUER_PUBLIC_ROOT] = "public-root",
                                        [ISSUER_UNKNOWN_ROOT] = "unknown-root",
                                        [ISSUER_PRIVATE_ROOT] = "private-root"};
    if (spec->issuer == ISSUER_SELF_SIGNED)
        return record->of == NULL || strcmp(record->of, "root") == 0;
    if (record->of != NULL && strcmp(record->of, "intermediate") == 0)
        return record->matching == DIGEST_NONE || spec->chain != CHAIN_MISSING_INTERMEDIATE;
    bool root = record->of == NULL || strcmp(record->of, "root") == 0 || strcmp(record->of, roots[spec->issuer]) == 0;
    return root && (record->matching == DIGEST_NONE ? spec->chain != CHAIN_MISSING_INTERMEDIATE
                                                    : spec->chain == CHAIN_WITH_ROOT);
}

struct shown {
    const char *host, *base, *domain;
    const struct world_certificate *spec;
}; /* base: where the records stand */

static bool authenticates(const struct record *record, const struct shown *shown)
{
    if (record->data != NULL)
        return false;
    if (record->usage == 3)
        return record->of == NULL || text_name_equal(record->of, shown->host) ||
               (record->selector == 1 && strcmp(record->of, "renewed") == 0) ||
               (shown->spec->issuer == ISSUER_SELF_SIGNED && strcmp(record->of, "root") == 0);
    bool named = certificate_names(shown->spec, shown->host, shown->base) ||
                 (shown->domain != NULL && certificate_names(shown->spec, shown->host, shown->domain));
    return names_anchor(record, shown->spec) && shown->spec->dates == DATES_VALID && named;
}

/* 7671-9: of digests for one usage and selector only the strongest counts. */
static bool is_outdone(const struct record *record, const struct schema_texts *records)
{
    for (size_t i = 0; record->matching != DIGEST_NONE && i < records->count; i++) {
        struct record other = read_record(records->items[i]);
        if (is_usable(&other) && other.usage == record->usage && other.selector == record->selector &&
            other.matching > record->matching)
            return true;
    }
    return false;
}

static const char *dane_of(const struct schema_texts *records, const struct shown *shown)
{
    bool usable = false;
    for (size_t i = 0; i < records->count; i++) {
        struct record record = read_record(records->items[i]);
        usable = usable || is_usable(&record);
        if (is_usable(&record) && !is_outdone(&record, records) && authenticates(&record, shown))
            return "match";
    }
    return usable ? "mismatch" : "unusable";
}

static const char *joined(struct arena *arena, const struct schema_texts *texts)
{
    const char *text = texts->items[0];
    for (size_t i = 1; i < texts->count; i++)
        text = arena_printf(arena, "%s; %s", text, texts->items[i]);
    return text;
}

static const char *host_of_mx(const char *text)
{
    const char *space = strrchr(text, ' ');
    return space != NULL ? space + 1 : text;
}

/* The domain that mail goes to by this MX host. */
static const char *domain_of(const struct world *world, const char *host)
{
    for (size_t i = 0; i < world->count; i++)
        for (size_t k = 0; k < world->names[i].mx.count; k++)
            if (text_name_equal(host_of_mx(world->names[i].mx.items[k]), host))
                return world->names[i].name;
    return NULL;
}

static void claim_dane(struct arena *arena, const struct plan *plan, const struct world_name *base,
                       const struct world_name *host, struct claims *claims)
{
    const char *domain = domain_of(plan->world, base->name);
    struct shown shown = {host->name, base->name, domain, &host->certificate};
    if (base->tlsa.count > 0)
        claim(arena, claims, base->name, "dane", dane_of(&base->tlsa, &shown), joined(arena, &base->tlsa));
}

/* --- MX hosts --- */

static bool has_stall(const struct schema_list *doings)
{
    for (size_t i = 0; i < doings->count; i++)
        if (((const struct mx_doing *)doings->items)[i].act == MX_STALL)
            return true;
    return false;
}

/* What the scenario writes for a setting: the text in the place of the map, or of the key in it. NULL: nothing short. */
static const char *said_of(const struct world_name *name, const char *map, const char *key)
{
    const struct tree_node *node = name->node != NULL ? tree_get(name->node, map) : NULL;
    if (node != NULL && node->kind == TREE_MAP)
        node = tree_get(node, key);
    return node != NULL && node->kind == TREE_TEXT ? node->text : NULL;
}

/* Does a client get to see the certificate? *why: the setting that keeps it away, or the only version that is spoken. */
static const char *tls_of(struct arena *arena, const struct world_name *name, const char **why)
{
    static const char *const versions[MX_TLS_VERSIONS_COUNT] = {
        [MX_TLS_1_2_ONLY] = "TLSv1.2", [MX_TLS_1_3_ONLY] = "TLSv1.3"};
    const struct mx_behaviour *smtp = &name->smtp;
    const struct {
        bool departs, silent;
        const char *key;
    } settings[] = {
        {name->certificate.issuer == ISSUER_NONE, false, "certificate"},
        {smtp->tcp != MX_TCP_ACCEPT, smtp->tcp == MX_TCP_STALL, "tcp"},
        {smtp->greeting.count > 0, has_stall(&smtp->greeting), "greeting"},
        {smtp->ehlo.count > 0, has_stall(&smtp->ehlo), "ehlo"},
        {smtp->starttls != MX_STARTTLS_OFFERED, smtp->starttls == MX_STARTTLS_STALL, "starttls"},
        {smtp->tls_versions == MX_TLS_1_0_ONLY, false, "tls-versions"},
    };
    for (size_t i = 0; i < COUNT(settings); i++)
        if (settings[i].departs) {
            const char *said = said_of(name, "smtp", settings[i].key);
            *why = said != NULL ? arena_printf(arena, "%s %s", settings[i].key, said) : settings[i].key;
            return settings[i].silent ? "silent" : "none";
        }
    *why = versions[smtp->tls_versions];
    return "shown";
}

/* What is shown to a client that asks for the host by its name. */
static const struct world_certificate *certificate_of(const struct world_name *host)
{
    for (size_t i = 0; i < host->sni.count; i++)
        if (text_name_equal(host->sni.items[i].name, host->name))
            return host->sni.items[i].value;
    return &host->certificate;
}

static void claim_mx_host(struct arena *arena, const struct plan *plan, const struct fakemx_host *served,
                          struct claims *claims)
{
    const struct world_name *host = world_find(plan->world, served->name);
    const char *why;
    if (host == NULL || is_senders_own(plan, served->name))
        return;
    const char *says = tls_of(arena, host, &why);
    claim(arena, claims, host->name, "address", served->addresses[0], NULL);
    claim(arena, claims, host->name, "tls", says, why);
    if (strcmp(says, "shown") != 0)
        return;
    const struct world_certificate *spec = certificate_of(host);
    if (spec->certificate_file == NULL)
        claim(arena, claims, host->name, "pkix", pkix_of(arena, spec, host->name), NULL);
    claim_dane(arena, plan, host, host, claims);
    for (size_t i = 0; i < plan->world->count; i++) {
        const struct world_name *alias = &plan->world->names[i];
        if (alias->cname == NULL || !text_name_equal(alias->cname, host->name) || alias->tlsa.count == 0)
            continue;
        claim(arena, claims, alias->name, "address", served->addresses[0], NULL);
        claim_dane(arena, plan, alias, host, claims);
    }
}

/* --- policy hosts --- */

/* Of the first request for the policy; *why: the setting that departs. */
static const char *https_of(struct arena *arena, const struct world_name *name, bool policy, const char **why)
{
    static const char *const connections[] = {[WEB_HTTPS_RESET] = "broken",
                                              [WEB_HTTPS_CLOSE] = "broken",
                                              [WEB_HTTPS_STALL] = "silent",
                                              [WEB_HTTPS_GARBAGE] = "broken",
                                              [WEB_HTTPS_ALERT] = "broken"};
    static const char *const bodies[] = {
        [WEB_BODY_HALF] = "cut",    [WEB_BODY_ENDLESS] = "large", [WEB_BODY_OVERSIZED] = "large",
        [WEB_BODY_EMPTY] = "empty", [WEB_BODY_SILENT] = "silent", [WEB_BODY_SLOW] = "silent"};
    static const struct web_behaviour usual = {.status = 200};
    const struct web_behaviour *web = name->https.nth > 1 ? &usual : &name->https;
    *why = NULL;
    if (web->https != WEB_HTTPS_OK) {
        *why = said_of(name, "https", "https");
        return connections[web->https];
    }
    if (web->body != WEB_BODY_WHOLE) {
        *why = said_of(name, "https", "body");
        return bodies[web->body];
    }
    if (web->status != 200)
        return arena_printf(arena, "%lld", (long long)web->status);
    if (web->location != NULL)
        return "301";
    return policy || web->policy != NULL ? "ok" : "404";
}

static void claim_policy_host(struct arena *arena, const struct plan *plan, const struct fakests_host *served,
                              struct claims *claims)
{
    const struct world_name *host = world_find(plan->world, served->name);
    if (host == NULL || is_senders_own(plan, served->name))
        return;
    const char *why, *says = https_of(arena, host, served->policy != NULL, &why);
    claim(arena, claims, host->name, "address", served->addresses[0], NULL);
    if (strcmp(says, "broken") != 0 && strcmp(says, "silent") != 0 && served->identity != NULL &&
        host->certificate.certificate_file == NULL)
        claim(arena, claims, host->name, "pkix", pkix_of(arena, &host->certificate, host->name), NULL);
    claim(arena, claims, host->name, "https", says, why);
}

void claims_tls(struct arena *arena, const struct plan *plan, struct claims *claims)
{
    for (size_t i = 0; i < plan->mx.host_count; i++)
        claim_mx_host(arena, plan, &plan->mx.hosts[i], claims);
    for (size_t i = 0; i < plan->sts.host_count; i++)
        claim_policy_host(arena, plan, &plan->sts.hosts[i], claims);
}
