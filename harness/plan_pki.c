/* SPDX-License-Identifier: BSD-2-Clause
 * Three authorities, each a root with an intermediate, and one identity for each host and certificate state. A host
 * keeps its key through all states, so that a change of its certificate leaves the key alone. */
#include <string.h>

#include "base/text.h"
#include "harness/plan_internal.h"
#include "harness/scenario_schema.h"

enum { DAY = 24 * 60 * 60, INTERMEDIATES_MANY = 100, GIANT_BYTES = 200 * 1024 };

struct authority {
    struct identity *root, *intermediate;
};

struct cached {
    const char *key;
    struct identity *identity;
};

struct plan_pki {
    struct arena *arena;
    const struct clock *clock;
    struct authority authorities[ISSUER_NONE]; /* by enum world_issuer; self-signed has none */
    struct {
        struct cached *items;
        size_t count, room;
    } identities;
    struct plan_pki_addresses addresses;
    struct dns_keyring *zone_keys;
    struct plan_report_key report_key; /* made when first wanted */
};

static const struct {
    enum world_issuer issuer;
    const char *word, *subject;
} authority_rows[] = {
    {ISSUER_PUBLIC_ROOT, "public-root", "Public Root"},
    {ISSUER_UNKNOWN_ROOT, "unknown-root", "Unknown Root"},
    {ISSUER_PRIVATE_ROOT, "private-root", "Private Root"},
};

static bool make_authority(struct plan_pki *pki, struct authority *authority, const char *subject, struct err *err)
{
    struct identity_spec spec = {.authority = true, .subject = subject};
    authority->root = identity_new(&spec, pki->clock, err);
    if (authority->root == NULL)
        return false;
    spec.issuer = authority->root;
    spec.subject = arena_printf(pki->arena, "%s, Intermediate", subject);
    return (authority->intermediate = identity_new(&spec, pki->clock, err)) != NULL;
}

struct plan_pki *plan_pki_new(const struct clock *clock, struct err *err)
{
    struct arena *arena = arena_new("plan_pki");
    struct plan_pki *pki = arena_alloc(arena, sizeof *pki);
    *pki = (struct plan_pki){.arena = arena, .clock = clock, .zone_keys = dns_keyring_new()};
    for (size_t i = 0; i < COUNT(authority_rows); i++)
        if (!make_authority(pki, &pki->authorities[authority_rows[i].issuer], authority_rows[i].subject, err)) {
            plan_pki_free(&pki);
            return NULL;
        }
    return pki;
}

const struct plan_report_key *plan_pki_report_key(struct plan_pki *pki, struct err *err)
{
    if (pki->report_key.private_pem == NULL && !plan_report_key_make(pki->arena, &pki->report_key, err))
        return NULL;
    return &pki->report_key;
}

void plan_pki_free(struct plan_pki **pki)
{
    if (*pki == NULL)
        return;
    struct arena *arena = (*pki)->arena;
    for (size_t i = 0; i < (*pki)->identities.count; i++)
        identity_free(&(*pki)->identities.items[i].identity);
    for (size_t i = 0; i < COUNT((*pki)->authorities); i++) {
        identity_free(&(*pki)->authorities[i].intermediate);
        identity_free(&(*pki)->authorities[i].root);
    }
    dns_keyring_free(&(*pki)->zone_keys);
    *pki = NULL;
    arena_free(&arena);
}

struct arena *plan_pki_arena(struct plan_pki *pki)
{
    return pki->arena;
}

struct plan_pki_addresses *plan_pki_addresses(struct plan_pki *pki)
{
    return &pki->addresses;
}

struct dns_keyring *plan_pki_zone_keys(struct plan_pki *pki)
{
    return pki->zone_keys;
}

const char *plan_pki_roots_pem(struct arena *arena, const struct plan_pki *pki)
{
    return identity_certificate_pem(arena, pki->authorities[ISSUER_PUBLIC_ROOT].root);
}

const struct identity *plan_pki_root(const struct plan_pki *pki, const char *word)
{
    for (size_t i = 0; i < COUNT(authority_rows); i++)
        if (strcmp(authority_rows[i].word, word) == 0)
            return pki->authorities[authority_rows[i].issuer].root;
    return NULL;
}

/* --- flaws ----------------------------------------------------------------------------------------------------- */

/* Where a flaw sits, and what is otherwise there: an extension, or the dates. */
static const struct flaw {
    enum { AT_LEAF, AT_INTERMEDIATE, AT_ROOT } at;
    const char *extension, *value;
    bool expired, sha1, spoilt;
} flaws[FLAW_COUNT] = {
    [FLAW_CLIENT_ONLY] = {AT_LEAF, "extendedKeyUsage", "clientAuth", false},
    [FLAW_AUTHORITY] = {AT_LEAF, "basicConstraints", "critical,CA:TRUE", false},
    [FLAW_CRITICAL_EXTENSION] = {AT_LEAF, "1.3.6.1.4.1.5923.9.9", "critical,DER:0500", false},
    [FLAW_EXPIRED_INTERMEDIATE] = {AT_INTERMEDIATE, NULL, NULL, true},
    [FLAW_INTERMEDIATE_WITHOUT_AUTHORITY] = {AT_INTERMEDIATE, "basicConstraints", "critical,CA:FALSE", false},
    [FLAW_INTERMEDIATE_WITHOUT_SIGNING] = {AT_INTERMEDIATE, "keyUsage", "critical,cRLSign", false},
    [FLAW_INTERMEDIATE_FOR_OTHER_NAMES] = {AT_INTERMEDIATE, "nameConstraints",
                                           "critical,permitted;DNS:elsewhere.example", false},
    [FLAW_INTERMEDIATE_WITHOUT_ROOM] = {AT_INTERMEDIATE, "basicConstraints", "critical,CA:TRUE,pathlen:0", false},
    [FLAW_WEAK_SIGNATURE] = {AT_LEAF, .sha1 = true},
    [FLAW_SPOILT_SIGNATURE] = {AT_LEAF, .spoilt = true},
    [FLAW_EXPIRED_ROOT] = {AT_ROOT, NULL, NULL, true},
    [FLAW_LONG_CHAIN] = {AT_INTERMEDIATE, NULL, NULL, false},
    [FLAW_GIANT] = {AT_LEAF, NULL, NULL, false},
    [FLAW_ROOT_WITHOUT_ROOM] = {AT_ROOT, "basicConstraints", "critical,CA:TRUE,pathlen:0", false},
};

static void spoil(struct identity_spec *spec, const struct flaw *flaw)
{
    spec->extension = flaw->extension;
    spec->value = flaw->value;
    spec->sha1 = flaw->sha1;
    spec->spoilt = flaw->spoilt;
    if (!flaw->expired)
        return;
    spec->not_before_s = -60.0 * DAY;
    spec->not_after_s = -30.0 * DAY;
}

/* An extension that nobody knows, and that fills the certificate. */
static void blow_up(struct arena *arena, struct identity_spec *spec)
{
    static const char head[] = "ASN1:UTF8String:";
    char *value = arena_alloc(arena, sizeof head + GIANT_BYTES);
    memcpy(value, head, sizeof head - 1);
    memset(value + sizeof head - 1, 'x', GIANT_BYTES);
    spec->extension = "1.3.6.1.4.1.5923.9.9";
    spec->value = value;
}

/* --- certificate states ---------------------------------------------------------------------------------------- */

bool plan_certificate_departs(const struct world_certificate *spec)
{
    return spec->issuer != ISSUER_PUBLIC_ROOT || spec->dates != DATES_VALID ||
           spec->chain == CHAIN_MISSING_INTERMEDIATE || spec->names.count > 0 || spec->names_as != IDENTITY_SAN ||
           spec->certificate_file != NULL || spec->flaw != FLAW_NONE || spec->revocation > CA_GOOD;
}

const char *plan_certificate_label(struct arena *arena, const struct world_certificate *spec)
{
    static const char *const issuers[] = {[ISSUER_UNKNOWN_ROOT] = "of an unknown root",
                                          [ISSUER_SELF_SIGNED] = "self-signed",
                                          [ISSUER_PRIVATE_ROOT] = "of a private root"};
    static const char *const dates[] = {[DATES_EXPIRED] = "expired", [DATES_NOT_YET_VALID] = "not yet valid"};
    const char *parts[] = {
        spec->certificate_file != NULL ? arena_printf(arena, "from %s", spec->certificate_file) : NULL,
        spec->issuer < (int)COUNT(issuers) ? issuers[spec->issuer] : NULL,
        spec->dates < (int)COUNT(dates) ? dates[spec->dates] : NULL,
        spec->chain == CHAIN_MISSING_INTERMEDIATE ? "without its intermediate" : NULL,
        spec->names.count > 0
            ? arena_printf(arena, "for %s%s", spec->names.items[0], spec->names.count > 1 ? ", ..." : "")
            : NULL,
        spec->names_as == IDENTITY_CN_ONLY ? "with its name as CN only" : NULL,
        spec->names_as == IDENTITY_NO_NAMES ? "without names" : NULL,
        spec->revocation > CA_GOOD ? arena_printf(arena, "of revocation status %s", ca_says_words[spec->revocation])
                                   : NULL,
        spec->flaw != FLAW_NONE ? arena_printf(arena, "flawed (%s)", scenario_flaw_words[spec->flaw]) : NULL,
    };
    char *label = NULL;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i] != NULL)
            label = arena_printf(arena, "%s%s%s", label != NULL ? label : "", label != NULL ? ", " : "", parts[i]);
    return label;
}

static struct identity *find_cached(struct plan_pki *pki, const char *key)
{
    for (size_t i = 0; i < pki->identities.count; i++)
        if (strcmp(pki->identities.items[i].key, key) == 0)
            return pki->identities.items[i].identity;
    return NULL;
}

static struct identity *keep(struct plan_pki *pki, const char *key, struct identity *identity)
{
    if (identity != NULL)
        *ARENA_PUSH(pki->arena, &pki->identities) = (struct cached){arena_strdup(pki->arena, key), identity};
    return identity;
}

/* The identity that only lends its key: "key", "other-key", "rsa-key" or "weak-key". */
static struct identity *key_of(struct plan_pki *pki, const char *host, const char *which, struct err *err)
{
    const char *key = arena_printf(pki->arena, "%s %s", which, host);
    struct identity *known = find_cached(pki, key);
    if (known != NULL)
        return known;
    return keep(pki, key,
                strcmp(which, "weak-key") == 0  ? identity_new_weak_key(err)
                : strcmp(which, "rsa-key") == 0 ? identity_new_rsa_key(err)
                                                : identity_new_key(err));
}

/* DNS-IDs: what is said, with "*" for every host beside this one; else the host's own name. */
static const char *const *names_of(struct arena *arena, const char *host, const struct world_certificate *spec,
                                   size_t *count)
{
    const char *dot = strchr(host, '.');
    *count = spec->names.count > 0 ? spec->names.count : 1;
    const char **names = arena_alloc(arena, *count * sizeof *names);
    names[0] = host;
    for (size_t i = 0; i < spec->names.count; i++) {
        bool wildcard = strcmp(spec->names.items[i], "*") == 0;
        names[i] = wildcard ? arena_printf(arena, "*%s", dot != NULL ? dot : "") : spec->names.items[i];
    }
    return names;
}

/* An authority of this flaw alone; made once. NULL with *err filled. */
static const struct identity *flawed(struct plan_pki *pki, const struct world_certificate *said, const char *subject,
                                     const struct identity *issuer, bool spoilt, struct err *err)
{
    const char *key = arena_printf(pki->arena, "flawed %d %d %s", said->issuer, said->flaw, subject);
    struct identity *known = find_cached(pki, key);
    struct identity_spec spec = {.authority = true, .subject = subject, .issuer = issuer};
    if (spoilt)
        spoil(&spec, &flaws[said->flaw]);
    return known != NULL ? known : keep(pki, key, identity_new(&spec, pki->clock, err));
}

/* The last of a row of authorities, each signed by the one before. */
static const struct identity *last_of_many(struct plan_pki *pki, const struct world_certificate *said,
                                           const struct identity *issuer, struct err *err)
{
    for (int i = 1; issuer != NULL && i <= INTERMEDIATES_MANY; i++)
        issuer = flawed(pki, said, arena_printf(pki->arena, "Long Chain, Intermediate %d", i), issuer, false, err);
    return issuer;
}

/* Who signs the leaf; NULL: itself where it is self-signed, else *err is filled. */
static const struct identity *issuer_of(struct plan_pki *pki, const struct world_certificate *said, struct err *err)
{
    const struct authority *authority = &pki->authorities[said->issuer];
    const struct identity *root = authority->root;
    const struct flaw *flaw = &flaws[said->flaw];
    if (root == NULL || flaw->at == AT_LEAF)
        return said->intermediate ? authority->intermediate : root;
    if (flaw->at == AT_ROOT)
        root = flawed(pki, said, "Flawed Root", NULL, true, err);
    if (root == NULL || !said->intermediate)
        return root;
    if (said->flaw == FLAW_LONG_CHAIN)
        return last_of_many(pki, said, root, err);
    root = flawed(pki, said, "Flawed Root, Intermediate", root, flaw->at == AT_INTERMEDIATE, err);
    if (root == NULL || said->flaw != FLAW_INTERMEDIATE_WITHOUT_ROOM)
        return root;
    return flawed(pki, said, "Flawed Root, Second Intermediate", root, false, err);
}

static bool is_asked_by(const struct world_certificate *said, enum world_revocation_by by)
{
    return said->revocation != CA_NOTHING &&
           (said->revocation_by == (int)by || said->revocation_by == REVOCATION_BY_BOTH);
}

bool plan_certificate_names_authority(const struct world_certificate *said)
{
    return is_asked_by(said, REVOCATION_BY_OCSP) || is_asked_by(said, REVOCATION_BY_CRL);
}

static void name_authority(struct plan_pki *pki, const char *host, const struct world_certificate *said,
                           struct identity_spec *spec)
{
    if (is_asked_by(said, REVOCATION_BY_OCSP))
        spec->ocsp_url = arena_printf(pki->arena, "http://" PLAN_CA_HOST "/%s/ocsp", host);
    if (is_asked_by(said, REVOCATION_BY_CRL))
        spec->crl_url = arena_printf(pki->arena, "http://" PLAN_CA_HOST "/%s/crl", host);
}

static void staple(struct plan_pki *pki, struct identity *identity, const struct world_certificate *said)
{
    size_t length;
    if (said->revocation == CA_NOTHING || said->revocation_by != REVOCATION_BY_STAPLE)
        return;
    const unsigned char *response =
        ca_ocsp_response(pki->arena, identity, (enum ca_says)said->revocation, (time_t)clock_now(pki->clock), &length);
    if (response != NULL)
        identity_staple(identity, response, length);
}

static struct identity_spec spec_of(struct plan_pki *pki, const char *host, const struct world_certificate *said,
                                    const struct identity *issuer)
{
    static const struct {
        double before, after;
    } dates[] = {
        [DATES_VALID] = {0, 0},
        [DATES_EXPIRED] = {-60.0 * DAY, -30.0 * DAY},
        [DATES_NOT_YET_VALID] = {300.0 * DAY, 390.0 * DAY},
    };
    struct identity_spec spec = {
        .issuer = issuer,
        .subject = said->common_name,
        .names_as = (enum identity_names)said->names_as,
        .not_before_s = dates[said->dates].before,
        .not_after_s = dates[said->dates].after,
    };
    spec.names = names_of(pki->arena, host, said, &spec.name_count);
    name_authority(pki, host, said, &spec);
    if (flaws[said->flaw].at == AT_LEAF)
        spoil(&spec, &flaws[said->flaw]);
    if (said->flaw == FLAW_GIANT)
        blow_up(pki->arena, &spec);
    return spec;
}

static void show_chain(struct identity *identity, const struct world_certificate *said)
{
    static const enum identity_chain chains[] = {
        [CHAIN_FULL] = IDENTITY_CHAIN_FULL,
        [CHAIN_WITH_ROOT] = IDENTITY_CHAIN_WITH_ROOT,
        [CHAIN_MISSING_INTERMEDIATE] = IDENTITY_CHAIN_LEAF_ONLY,
    };
    identity_show(identity, said->flaw == FLAW_CHAIN_OUT_OF_ORDER ? IDENTITY_CHAIN_OUT_OF_ORDER : chains[said->chain]);
}

static const char *path_beside(struct arena *arena, const char *file, const char *path)
{
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    return path[0] == '/' || slash == NULL ? path : arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
}

static struct identity *load(struct plan_pki *pki, const struct world_certificate *said, struct err *err)
{
    if (said->key_file == NULL) {
        err_set(err, ERR_INPUT, "a certificate-file needs its key-file");
        return NULL;
    }
    return identity_load(path_beside(pki->arena, said->at.file, said->certificate_file),
                         path_beside(pki->arena, said->at.file, said->key_file), err);
}

/* Two certificates are the same when everything said about them is. */
static const char *cache_key(struct arena *arena, const char *which, const char *host,
                             const struct world_certificate *said)
{
    char *key = arena_printf(arena, "%s %s %d %d %d %d %d %d %d %d %s %s %s", which, host, said->issuer, said->dates,
                             said->chain, said->flaw, said->revocation, said->revocation_by, said->names_as,
                             said->intermediate, said->common_name != NULL ? said->common_name : "",
                             said->certificate_file != NULL ? said->certificate_file : "",
                             said->key_file != NULL ? said->key_file : "");
    for (size_t i = 0; i < said->names.count; i++)
        key = arena_printf(arena, "%s %s", key, said->names.items[i]);
    return key;
}

static const char *key_word(const char *which, const struct world_certificate *said)
{
    if (strcmp(which, "other-key") == 0 || strcmp(which, "rsa-key") == 0)
        return which;
    return said->flaw == FLAW_WEAK_KEY ? "weak-key" : "key";
}

/* which: of what key ("key", "other-key", "rsa-key"), and whether it is the certificate in use ("key") or another
 * ("renewed"). */
static const struct identity *identity_of(struct plan_pki *pki, const char *which, const char *host,
                                          const struct world_certificate *said, struct err *err)
{
    if (said->issuer == ISSUER_NONE) {
        err_set(err, ERR_INPUT, "%s has no certificate", host);
        return NULL;
    }
    const char *key = cache_key(pki->arena, which, host, said);
    struct identity *identity = find_cached(pki, key);
    if (identity != NULL)
        return identity;
    if (said->certificate_file != NULL && strcmp(which, "other-key") != 0)
        return keep(pki, key, load(pki, said, err));
    const struct identity *lender = key_of(pki, host, key_word(which, said), err);
    const struct identity *issuer = issuer_of(pki, said, err);
    if (issuer == NULL && said->issuer != ISSUER_SELF_SIGNED)
        return NULL;
    struct identity_spec spec = spec_of(pki, host, said, issuer);
    identity = lender != NULL ? keep(pki, key, identity_new_with_key(&spec, lender, pki->clock, err)) : NULL;
    if (identity == NULL || (said->flaw == FLAW_STOLEN && !identity_lose_key(identity, err)))
        return NULL;
    show_chain(identity, said);
    staple(pki, identity, said);
    return identity;
}

const struct identity *plan_pki_identity(struct plan_pki *pki, const char *host, const struct world_certificate *spec,
                                         struct err *err)
{
    return identity_of(pki, "in-use", host, spec, err);
}

const struct identity *plan_pki_other_key(struct plan_pki *pki, const char *host, const struct world_certificate *spec,
                                          struct err *err)
{
    return identity_of(pki, "other-key", host, spec, err);
}

const struct identity *plan_pki_renewed(struct plan_pki *pki, const char *host, const struct world_certificate *spec,
                                        struct err *err)
{
    return identity_of(pki, "renewed", host, spec, err);
}

const struct identity *plan_pki_reissued(struct plan_pki *pki, const struct world_certificate *spec, struct err *err)
{
    const struct authority *authority = &pki->authorities[spec->issuer];
    const char *key = arena_printf(pki->arena, "reissued %d", spec->issuer);
    struct identity *known = find_cached(pki, key);
    struct identity_spec again = {.authority = true,
                                  .subject = "Intermediate, issued again",
                                  .issuer = authority->root};
    if (known != NULL || authority->intermediate == NULL)
        return known;
    return keep(pki, key, identity_new_with_key(&again, authority->intermediate, pki->clock, err));
}

const struct identity *plan_pki_rsa(struct plan_pki *pki, const char *host, const struct world_certificate *spec,
                                    struct err *err)
{
    return identity_of(pki, "rsa-key", host, spec, err);
}

/* False where it is not the scenario that is wrong. */
static bool found_or_said(struct plan_builder *b, const struct identity *identity, const struct world_name *name,
                          const struct err *err)
{
    if (identity == NULL && err->kind != ERR_INPUT) {
        *b->err = *err;
        return false;
    }
    if (identity == NULL)
        diag_error(b->diags, name->certificate.at.file != NULL ? name->certificate.at : name->at, "%s", err->text);
    return true;
}

bool plan_pki_hosts(struct plan_builder *b)
{
    bool ok = true;
    for (size_t i = 0; ok && i < b->hosts.count; i++) {
        struct plan_host *host = &b->hosts.items[i];
        const struct world_name *name = host->name;
        struct err err = {0};
        if (name->certificate.issuer == ISSUER_NONE)
            continue;
        host->identity = plan_pki_identity(b->pki, name->name, &name->certificate, &err);
        ok = found_or_said(b, host->identity, name, &err);
        if (!ok || !name->has_rsa_certificate)
            continue;
        host->beside = plan_pki_rsa(b->pki, name->name, &name->rsa_certificate, &err);
        ok = found_or_said(b, host->beside, name, &err);
    }
    return ok;
}
