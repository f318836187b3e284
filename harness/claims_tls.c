/* SPDX-License-Identifier: BSD-2-Clause
 * What a TLS client must think of the hosts, by the scenario's words about certificates and TLSA records. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness/claims.h"
#include "harness/plan_internal.h"

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

/* 6125-6.4.3: the first label may be "*". */
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
    if (spec->flaw != FLAW_NONE && spec->flaw != FLAW_CHAIN_OUT_OF_ORDER && spec->flaw != FLAW_AUTHORITY &&
        spec->flaw != FLAW_LONG_CHAIN)
        return "flawed";
    for (size_t i = 0; i < COUNT(faults); i++)
        if (faults[i].holds)
            says = says != NULL ? arena_printf(arena, "%s+%s", says, faults[i].word) : faults[i].word;
    return says != NULL ? says : spec->names_as == IDENTITY_CN_ONLY ? "cn-only" : "ok";
}

/* The label names the first name only. */
static const char *in_words(struct arena *arena, const struct world_certificate *spec)
{
    const char *text = plan_certificate_label(arena, spec);
    for (size_t i = 1; text != NULL && i < spec->names.count; i++)
        text = arena_printf(arena, "%s %s", text, spec->names.items[i]);
    return text;
}

static void claim_pkix(struct arena *arena, const char *host, const struct world_certificate *spec,
                       struct claims *claims)
{
    if (spec->certificate_file == NULL)
        claim(arena, claims, host, "pkix", pkix_of(arena, spec, host), in_words(arena, spec));
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
    if (spec->issuer == ISSUER_SELF_SIGNED) /* open in the RFCs; no client here takes a leaf for its own anchor */
        return false;
    bool again = record->of != NULL && strcmp(record->of, "reissued-intermediate") == 0;
    if (again && record->selector == 0)
        return false;
    if (again || (record->of != NULL && strcmp(record->of, "intermediate") == 0))
        return record->matching == DIGEST_NONE || spec->chain != CHAIN_MISSING_INTERMEDIATE;
    bool root = record->of == NULL || strcmp(record->of, "root") == 0 || strcmp(record->of, roots[spec->issuer]) == 0;
    return root && (record->matching == DIGEST_NONE ? spec->chain != CHAIN_MISSING_INTERMEDIATE
                                                    : spec->chain == CHAIN_WITH_ROOT);
}

struct shown {
    const char *host;
    const struct world_certificate *spec;
    const struct schema_texts references; /* the names that one of must be in the certificate */
};

static bool authenticates(const struct record *record, const struct shown *shown)
{
    if (record->data != NULL)
        return false;
    if (record->usage == 3)
        return record->of == NULL || text_name_equal(record->of, shown->host) ||
               (record->selector == 1 && strcmp(record->of, "renewed") == 0) ||
               (shown->spec->issuer == ISSUER_SELF_SIGNED && strcmp(record->of, "root") == 0);
    bool named = false;
    for (size_t i = 0; i < shown->references.count; i++)
        named = named || certificate_names(shown->spec, shown->host, shown->references.items[i]);
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

/* 7672-3.2.2: the name where the records stand, the domains that have it as MX host, and the aliases of these. */
static struct schema_texts references_of(struct arena *arena, const struct world *world, const char *base)
{
    struct schema_texts references = {.items = arena_alloc(arena, (1 + 2 * world->count) * sizeof *references.items)};
    references.items[references.count++] = base;
    for (size_t i = 0; i < world->count; i++)
        if (world_has_mx(&world->names[i], base))
            references.items[references.count++] = world->names[i].name;
    for (size_t i = 0; i < world->count; i++)
        for (size_t k = 1; world->names[i].cname != NULL && k < references.count; k++)
            if (text_name_equal(world->names[i].cname, references.items[k])) {
                references.items[references.count++] = world->names[i].name;
                break;
            }
    return references;
}

/* What is shown to a client that asks for a name. */
static const struct world_certificate *certificate_for(const struct world_name *host, const char *name)
{
    for (size_t i = 0; i < host->sni.count; i++)
        if (text_name_equal(host->sni.items[i].name, name))
            return host->sni.items[i].value;
    return &host->certificate;
}

/* A matching type for private use, which Postfix has a use for. */
static bool is_private(const struct schema_texts *records)
{
    enum { PRIVATE = 255 };
    for (size_t i = 0; i < records->count; i++)
        if (read_record(records->items[i]).matching == PRIVATE)
            return true;
    return false;
}

static void claim_dane(struct arena *arena, const struct plan *plan, const struct world_name *base,
                       const struct world_name *host, struct claims *claims)
{
    const struct shown shown = {host->name, certificate_for(host, base->name),
                                references_of(arena, plan->world, base->name)};
    if (base->tlsa.count == 0 || is_private(&base->tlsa) || shown.spec->flaw != FLAW_NONE)
        return;
    for (size_t i = 0; i < shown.references.count; i++)
        claim(arena, claims, base->name, "reference", shown.references.items[i], NULL);
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

/* What the scenario writes for a setting: the text in the place of the map, or of the key in it. NULL: nothing. */
static const char *said_of(const struct world_name *name, const char *map, const char *key)
{
    const struct tree_node *node = name->node != NULL ? tree_get(name->node, map) : NULL;
    if (node != NULL && node->kind == TREE_MAP)
        node = tree_get(node, key);
    return node != NULL && node->kind == TREE_TEXT ? node->text : NULL;
}

static bool refuses(const struct schema_list *doings)
{
    for (size_t i = 0; i < doings->count; i++) {
        const struct mx_doing *doing = &((const struct mx_doing *)doings->items)[i];
        if (doing->act != MX_REPLY || (doing->reply != NULL && doing->reply[0] >= '4'))
            return true;
    }
    return false;
}

/* Nothing can be claimed of a host that says one thing first and another later, never ends, or speaks in pieces, of
 * which openssl makes nothing. */
static bool changes(const struct schema_list *doings)
{
    static const bool beyond[] = {
        [MX_ENDLESS_LINE] = true, [MX_ENDLESS_LINES] = true, [MX_DRIP] = true, [MX_PIECEMEAL] = true, [MX_DEAF] = true};
    for (size_t i = 0; i < doings->count; i++) {
        const struct mx_doing *doing = &((const struct mx_doing *)doings->items)[i];
        if (doing->nth != 0 || beyond[doing->act])
            return true;
    }
    return false;
}

static bool is_erratic(const struct mx_behaviour *smtp)
{
    return changes(&smtp->greeting) || changes(&smtp->ehlo) || smtp->starttls == MX_STARTTLS_SLOW ||
           smtp->starttls == MX_STARTTLS_FLOODED || smtp->starttls == MX_STARTTLS_RENEGOTIATED;
}

/* Why no client gets to see the certificate: "starttls broken"; *silent: because nobody answers. NULL: it is shown. */
static const char *hindrance(struct arena *arena, const struct world_name *name, bool *silent)
{
    const struct mx_behaviour *smtp = &name->smtp;
    const struct {
        bool holds, silent;
        const char *key;
    } settings[] = {
        {name->certificate.issuer == ISSUER_NONE, false, "certificate"},
        {name->certificate.flaw == FLAW_STOLEN || name->certificate.flaw == FLAW_GIANT, false, "certificate"},
        {smtp->ciphers == MX_CIPHERS_ANONYMOUS, false, "ciphers"},
        {smtp->tcp != MX_TCP_ACCEPT, smtp->tcp == MX_TCP_STALL, "tcp"},
        {refuses(&smtp->greeting), has_stall(&smtp->greeting), "greeting"},
        {refuses(&smtp->ehlo), has_stall(&smtp->ehlo), "ehlo"},
        {smtp->starttls != MX_STARTTLS_OFFERED, smtp->starttls == MX_STARTTLS_STALL, "starttls"},
        {smtp->tls_versions == MX_TLS_1_0_ONLY, false, "tls-versions"},
    };
    for (size_t i = 0; i < COUNT(settings); i++)
        if (settings[i].holds) {
            const char *said = said_of(name, "smtp", settings[i].key);
            *silent = settings[i].silent;
            return said != NULL ? arena_printf(arena, "%s %s", settings[i].key, said) : settings[i].key;
        }
    return NULL;
}

struct departures {
    struct arena *arena;
    const char *text;
};

static void depart(void *arg, const char *setting)
{
    struct departures *departures = arg;
    departures->text = arena_printf(departures->arena, "%s %s", departures->text, setting);
}

/* "TLSv1.2 tls-versions": the only version, and what else is unusual about a host that shows its certificate. */
static const char *peculiarities(struct arena *arena, const struct world_name *host)
{
    static const char *const versions[MX_TLS_VERSIONS_COUNT] = {
        [MX_TLS_ANY] = "any", [MX_TLS_1_2_ONLY] = "TLSv1.2", [MX_TLS_1_3_ONLY] = "TLSv1.3"};
    struct departures departures = {arena, versions[host->smtp.tls_versions]};
    mx_behaviour_departures(&host->smtp, depart, &departures);
    return arena_printf(arena, "%s%s", departures.text, host->sni.count > 0 ? " sni" : "");
}

static void claim_shown(struct arena *arena, const struct plan *plan, const struct world_name *host,
                        const char *address, struct claims *claims)
{
    claim(arena, claims, host->name, "tls", "shown", peculiarities(arena, host));
    claim_pkix(arena, host->name, certificate_for(host, host->name), claims);
    claim_dane(arena, plan, host, host, claims);
    for (size_t i = 0; i < plan->world->count; i++) {
        const struct world_name *alias = &plan->world->names[i];
        if (alias->cname == NULL || !text_name_equal(alias->cname, host->name) || alias->tlsa.count == 0)
            continue;
        claim(arena, claims, alias->name, "address", address, NULL);
        claim_dane(arena, plan, alias, host, claims);
    }
}

/* --- revocation --- */

/* What others can be brought to say: of an answer that cannot be believed, nothing. A stapled one they do not check. */
static void claim_revocation(struct arena *arena, const struct plan *plan, const struct world_name *host,
                             struct claims *claims)
{
    static const char *const ways[] = {[REVOCATION_BY_OCSP] = "ocsp",
                                       [REVOCATION_BY_CRL] = "crl",
                                       [REVOCATION_BY_BOTH] = "crl",
                                       [REVOCATION_BY_STAPLE] = "stapled"};
    const struct world_certificate *spec = &host->certificate;
    bool plain = spec->revocation == CA_GOOD || spec->revocation == CA_REVOKED;
    if (spec->revocation == CA_NOTHING || (!plain && spec->revocation_by == REVOCATION_BY_STAPLE))
        return;
    claim(arena, claims, host->name, "revocation", plain ? ca_says_words[spec->revocation] : "none",
          arena_printf(arena, "%s %s", ways[spec->revocation_by], plan->ca.address != NULL ? plan->ca.address : "-"));
}

static void claim_mx_host(struct arena *arena, const struct plan *plan, const struct fakemx_host *served,
                          struct claims *claims)
{
    const struct world_name *host = world_find(plan->world, served->name);
    bool silent;
    if (host == NULL || is_senders_own(plan, served->name) || is_erratic(&host->smtp))
        return;
    const char *why = hindrance(arena, host, &silent);
    claim(arena, claims, host->name, "address", served->addresses[0], NULL);
    if (why != NULL)
        claim(arena, claims, host->name, "tls", silent ? "silent" : "none", why);
    else
        claim_shown(arena, plan, host, served->addresses[0], claims);
    if (why == NULL)
        claim_revocation(arena, plan, host, claims);
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
    static const char *const bodies[] = {[WEB_BODY_HALF] = "cut",        [WEB_BODY_ENDLESS] = "large",
                                         [WEB_BODY_OVERSIZED] = "large", [WEB_BODY_EMPTY] = "empty",
                                         [WEB_BODY_SILENT] = "silent",   [WEB_BODY_SLOW] = "silent",
                                         [WEB_BODY_GIANT] = "large",     [WEB_BODY_EXCESS] = "ok",
                                         [WEB_BODY_UNENDED] = "cut",     [WEB_BODY_BROKEN_CHUNKS] = "broken"};
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
    if (strcmp(says, "broken") != 0 && strcmp(says, "silent") != 0 && served->identity != NULL)
        claim_pkix(arena, host->name, &host->certificate, claims);
    claim(arena, claims, host->name, "https", says, why);
}

void claims_tls(struct arena *arena, const struct plan *plan, struct claims *claims)
{
    for (size_t i = 0; i < plan->mx.host_count; i++) /* those who judge come by port 25 */
        if (plan->mx.hosts[i].port == 25)
            claim_mx_host(arena, plan, &plan->mx.hosts[i], claims);
    for (size_t i = 0; i < plan->sts.host_count; i++)
        claim_policy_host(arena, plan, &plan->sts.hosts[i], claims);
}
