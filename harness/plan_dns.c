/* SPDX-License-Identifier: BSD-2-Clause
 * The zones of a world: the root, the top-level domains in use, every domain directly under one, and what else is said
 * to be a zone; the records that follow from the world, then the raw ones; and what is wrong on the way. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "harness/plan_internal.h"
#include "harness/scenario_schema.h"
#include "harness/sandbox_net.h"
#include "harness/subject.h"

/* --- which zones ----------------------------------------------------------------------------------------------- */

/* The last `labels` labels of a name; the name itself when it has no more. */
static const char *last_labels(const char *name, unsigned labels)
{
    const char *at = name + strlen(name);
    while (at > name) {
        if (at[-1] == '.' && labels-- == 1)
            break;
        at--;
    }
    return at;
}

static bool has_zone(const struct plan_builder *b, const char *name)
{
    for (size_t i = 0; i < b->zones.count; i++)
        if (strcmp(b->zones.items[i].name, name) == 0)
            return true;
    return false;
}

static bool may_begin_zone(const struct plan_builder *b, const char *name)
{
    const struct world_name *said = world_find(b->world, name);
    return said == NULL || said->zone;
}

static void add_zone(struct plan_builder *b, const char *name)
{
    static const struct world_dnssec sound = {.state = WORLD_SIGNED, .ds = WORLD_DS_RIGHT};
    const struct world_name *said = world_find(b->world, name);
    const struct world_dnssec *dnssec = said != NULL ? &said->dnssec : &sound;
    if (has_zone(b, name) || !may_begin_zone(b, name))
        return;
    *ARENA_PUSH(b->arena, &b->zones) = (struct fakedns_zone){
        .name = name,
        .is_signed = dnssec->state == WORLD_SIGNED,
        .ds = dnssec->state == WORLD_SIGNED && dnssec->ds == WORLD_DS_RIGHT,
        .algorithm = (enum dns_algorithm)dnssec->algorithm,
        .digest = (enum dns_digest)dnssec->digest,
        .denial = (enum dns_denial)dnssec->denial,
        .iterations = dnssec->iterations,
        .at = said != NULL ? said->at : (struct srcpos){0},
    };
}

const char *plan_zone_of(const struct plan_builder *b, const char *name)
{
    const char *best = ".";
    for (size_t i = 0; i < b->zones.count; i++)
        if (text_name_under(name, b->zones.items[i].name) && strlen(b->zones.items[i].name) > strlen(best))
            best = b->zones.items[i].name;
    return best;
}

/* The zone above, NULL for the root. */
static const struct fakedns_zone *parent_of(const struct plan_builder *b, const struct fakedns_zone *zone)
{
    const struct fakedns_zone *best = NULL;
    if (strcmp(zone->name, ".") == 0)
        return NULL;
    for (size_t i = 0; i < b->zones.count; i++) {
        const struct fakedns_zone *other = &b->zones.items[i];
        bool above = other != zone && (strcmp(other->name, ".") == 0 || text_name_under(zone->name, other->name));
        if (above && (best == NULL || strcmp(best->name, ".") == 0 || strlen(other->name) > strlen(best->name)))
            best = other;
    }
    return best;
}

static const struct fakedns_zone *find_zone(const struct plan_builder *b, const char *name)
{
    for (size_t i = 0; i < b->zones.count; i++)
        if (strcmp(b->zones.items[i].name, name) == 0)
            return &b->zones.items[i];
    return NULL;
}

bool plan_is_secure(const struct plan_builder *b, const char *name)
{
    static const char *const insecure_faults[] = {"ds-missing", "ds-unsupported-algorithm", "ds-abandoned-algorithm",
                                                  "ds-unsupported-digest"};
    for (const struct fakedns_zone *zone = find_zone(b, plan_zone_of(b, name)); zone != NULL;
         zone = parent_of(b, zone)) {
        if (!zone->is_signed || (!zone->ds && strcmp(zone->name, ".") != 0))
            return false;
        for (size_t i = 0; i < b->faults.count; i++)
            for (size_t k = 0; k < COUNT(insecure_faults); k++)
                if (strcmp(b->faults.items[i].zone, zone->name) == 0 &&
                    strcmp(b->faults.items[i].fault, insecure_faults[k]) == 0)
                    return false;
    }
    return true;
}

static bool give_zone_addresses(struct plan_builder *b, struct fakedns_zone *zone)
{
    /* A server that stays silent is silent at each of its addresses: one is waited for less long. */
    bool both = b->net == PLAN_NET_LAB && !b->plan->silent;
    const char **addresses = arena_alloc(b->arena, 2 * sizeof *addresses);
    addresses[0] = plan_net_address(b, PLAN_NET_ZONE, zone->name, false, 0);
    addresses[1] = both ? plan_net_address(b, PLAN_NET_ZONE, zone->name, true, 0) : NULL;
    zone->addresses = addresses;
    zone->address_count = both ? 2 : 1;
    return addresses[0] != NULL && (!both || addresses[1] != NULL);
}

bool plan_dns_zones(struct plan_builder *b)
{
    add_zone(b, ".");
    for (unsigned labels = 1; labels <= 2; labels++)
        for (size_t i = 0; i < b->world->count; i++)
            if (strcmp(b->world->names[i].name, ".") != 0)
                add_zone(b, last_labels(b->world->names[i].name, labels));
    for (size_t i = 0; i < b->world->count; i++)
        if (b->world->names[i].zone)
            add_zone(b, b->world->names[i].name);
    for (size_t i = 0; i < b->zones.count; i++)
        if (!give_zone_addresses(b, &b->zones.items[i]))
            return false;
    return true;
}

/* --- texts of records ------------------------------------------------------------------------------------------ */

/* A character-string, or several where it is longer than 255 bytes. */
static const char *quoted(struct arena *arena, const char *text)
{
    char *out = arena_alloc(arena, 4 * strlen(text) + strlen(text) / 80 + 8), *at = out;
    size_t bytes = 0;
    *at++ = '"';
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (bytes++ == 255) {
            at = stpcpy(at, "\" \"");
            bytes = 1;
        }
        if (*c == '"' || *c == '\\')
            at += snprintf(at, 3, "\\%c", *c);
        else if (*c < 0x20 || *c >= 0x7f)
            at += snprintf(at, 5, "\\%03u", *c);
        else
            *at++ = (char)*c;
    }
    *at++ = '"';
    *at = '\0';
    return out;
}

static bool is_self_signed(const struct identity *identity)
{
    return identity_issuer(identity) == NULL;
}

static const struct identity *intermediate_of(const struct identity *own, const struct world_name *host,
                                              struct err *err)
{
    const struct identity *issuer = identity_issuer(own);
    if (issuer != NULL && !is_self_signed(issuer))
        return issuer;
    err_set(err, ERR_INPUT, "the certificate of %s has no intermediate", host->name);
    return NULL;
}

static const struct identity *rsa_identity(struct plan_builder *b, const struct world_name *host, struct err *err)
{
    if (host->has_rsa_certificate)
        return plan_pki_rsa(b->pki, host->name, &host->rsa_certificate, err);
    err_set(err, ERR_INPUT, "%s has no rsa-certificate", host->name);
    return NULL;
}

/* Whose data a record names: the certificate in use, or what stands behind "of". NULL with *err filled. */
static const struct identity *named_identity(struct plan_builder *b, const struct world_name *host, const char *who,
                                             unsigned usage, struct err *err)
{
    const struct world_certificate *spec = &host->certificate;
    const struct identity *own = plan_pki_identity(b->pki, host->name, spec, err);
    bool anchor = usage == 0 || usage == 2;
    if (own == NULL)
        return NULL;
    if (who != NULL && strcmp(who, "other-key") == 0)
        return plan_pki_other_key(b->pki, host->name, spec, err);
    if (who != NULL && strcmp(who, "renewed") == 0)
        return plan_pki_renewed(b->pki, host->name, spec, err);
    if (who != NULL && strcmp(who, "rsa-certificate") == 0)
        return rsa_identity(b, host, err);
    if (who != NULL && strcmp(who, "reissued-intermediate") == 0)
        return intermediate_of(own, host, err) != NULL ? plan_pki_reissued(b->pki, spec, err) : NULL;
    if (who != NULL && strcmp(who, "intermediate") == 0)
        return intermediate_of(own, host, err);
    if (who == NULL ? anchor : strcmp(who, "root") == 0)
        while (!is_self_signed(own))
            own = identity_issuer(own);
    return own;
}

/* Another host, or the authority, that "of" may name. */
static const struct identity *identity_behind_of(struct plan_builder *b, const struct world_name *host, const char *who,
                                                 unsigned usage, struct err *err)
{
    const struct identity *root = who != NULL ? plan_pki_root(b->pki, who) : NULL;
    const struct world_name *other = who != NULL ? world_find(b->world, who) : NULL;
    static const char *const words[] = {
        "other-key", "renewed", "rsa-certificate", "intermediate", "reissued-intermediate", "root"};
    bool known = who == NULL || root != NULL || other != NULL;
    for (size_t i = 0; who != NULL && i < COUNT(words); i++)
        known = known || strcmp(words[i], who) == 0;
    if (!known) {
        err_set(err, ERR_INPUT,
                "'%s' is neither other-key, renewed, rsa-certificate, intermediate, reissued-intermediate, root, "
                "private-root, unknown-root, public-root nor a host of the world",
                who);
        return NULL;
    }
    return root != NULL ? root
                        : named_identity(b, other != NULL ? other : host, other != NULL ? NULL : who, usage, err);
}

struct tlsa {
    unsigned usage, selector, matching;
    const char *who, *hex;
};

/* "3 1 1", "3 1 1 of other-key", "3 1 1 00ff" */
static bool parse_tlsa(struct arena *arena, const char *text, struct tlsa *out)
{
    int at = 0;
    *out = (struct tlsa){0};
    if (sscanf(text, "%u %u %u%n", &out->usage, &out->selector, &out->matching, &at) != 3 ||
        !isdigit((unsigned char)text[0]))
        return false;
    if (out->usage > 255 || out->selector > 255 || out->matching > 255 || (text[at] != '\0' && text[at] != ' '))
        return false;
    const char *rest = text + at + strspn(text + at, " ");
    if (strncmp(rest, "of ", 3) == 0)
        out->who = text_name(arena, rest + 3 + strspn(rest + 3, " "));
    else if (*rest != '\0' && strcmp(rest, "nothing") != 0 && rest[strspn(rest, "0123456789abcdefABCDEF")] == '\0')
        out->hex = rest;
    else if (strcmp(rest, "nothing") == 0)
        out->hex = "";
    else if (*rest != '\0')
        return false;
    return out->hex == NULL || strlen(out->hex) % 2 == 0;
}

/* Would a sender that holds to RFC 7672 be content with what the host shows? */
static bool authenticates(struct arena *arena, const struct tlsa *tlsa, const char *data, const struct identity *shown,
                          const struct world_certificate *spec)
{
    bool usable = (tlsa->usage == 2 || tlsa->usage == 3) && tlsa->selector <= 1 && tlsa->matching <= 2;
    if (!usable)
        return false;
    if (tlsa->usage == 3)
        return strcmp(data, identity_tlsa_data(arena, shown, tlsa->selector, tlsa->matching)) == 0;
    for (const struct identity *above = identity_issuer(shown); above != NULL; above = identity_issuer(above)) {
        bool is_shown =
            is_self_signed(above) ? spec->chain == CHAIN_WITH_ROOT : spec->chain != CHAIN_MISSING_INTERMEDIATE;
        if ((is_shown || tlsa->matching == 0) &&
            strcmp(data, identity_tlsa_data(arena, above, tlsa->selector, tlsa->matching)) == 0)
            return true;
    }
    return false;
}

/* The host whose certificate a TLSA record of this name is about: itself, or what it is an alias of. */
static const struct world_name *tlsa_host(const struct plan_builder *b, const struct world_name *name)
{
    const struct world_name *host = world_find(b->world, plan_alias_end(b, name->name));
    return host != NULL ? host : name;
}

const char *plan_tlsa_text(struct plan_builder *b, const struct world_name *name, const char *said, struct srcpos at,
                           bool *matches)
{
    const struct world_name *host = tlsa_host(b, name);
    const struct plan_host *shows = plan_host_find(b, host->name, PLAN_MX);
    struct tlsa tlsa;
    struct err err = {0};
    *matches = false;
    if (!parse_tlsa(b->arena, said, &tlsa)) {
        diag_error(b->diags, at, "'%s' is no TLSA record; one is `3 1 1`, `3 1 1 of other-key`, or `3 1 1 00ff`", said);
        return NULL;
    }
    const char *data = tlsa.hex;
    if (data == NULL) {
        const struct identity *named = identity_behind_of(b, host, tlsa.who, tlsa.usage, &err);
        /* Numbers that say nothing about how to make the data still hold some: what would match if it were compared. */
        unsigned selector = tlsa.selector <= 1 ? tlsa.selector : 1, matching = tlsa.matching <= 2 ? tlsa.matching : 0;
        data = named != NULL ? identity_tlsa_data(b->arena, named, selector, matching) : NULL;
    }
    if (data == NULL) {
        diag_error(b->diags, at, "%s", err.text);
        return NULL;
    }
    *matches = shows != NULL && shows->identity != NULL &&
               authenticates(b->arena, &tlsa, data, shows->identity, &host->certificate);
    if (data[0] == '\0')
        return arena_printf(b->arena, "\\# 3 %02x%02x%02x", tlsa.usage, tlsa.selector, tlsa.matching);
    return arena_printf(b->arena, "%u %u %u %s", tlsa.usage, tlsa.selector, tlsa.matching, data);
}

/* --- the records of a name ------------------------------------------------------------------------------------- */

struct zone_text {
    FILE *out;
    char *text;
    size_t size;
};

static void put(struct plan_builder *b, struct zone_text *texts, const char *owner, const char *type, const char *data)
{
    const char *zone = plan_zone_of(b, owner);
    for (size_t i = 0; i < b->zones.count; i++)
        if (strcmp(b->zones.items[i].name, zone) == 0)
            fprintf(texts[i].out, "%s%s %s %s\n", owner, strcmp(owner, ".") != 0 ? "." : "", type, data);
}

static const char *absolute(struct arena *arena, const char *name)
{
    size_t length = strlen(name);
    return length > 0 && name[length - 1] == '.' ? name : arena_printf(arena, "%s.", name);
}

static void put_mx(struct plan_builder *b, struct zone_text *texts, const struct world_name *name)
{
    for (size_t i = 0; i < name->mx.count; i++) {
        const char *said = name->mx.items[i], *space = strchr(said, ' ');
        char *end;
        long preference = space != NULL ? strtol(said, &end, 10) : 10 * ((long)i + 1);
        if (strcmp(said, "null") == 0)
            put(b, texts, name->name, "MX", "0 .");
        else if (space != NULL && (end != space || preference < 0 || preference > 65535))
            diag_error(b->diags, name->mx.at[i],
                       "'%s' is no MX record; one is `mx1.partner.example`, or with its preference "
                       "`10 mx1.partner.example`",
                       said);
        else
            put(b, texts, name->name, "MX",
                arena_printf(b->arena, "%ld %s", preference,
                             absolute(b->arena, space != NULL ? space + 1 + strspn(space + 1, " ") : said)));
    }
}

static const char *tlsa_owner(struct plan_builder *b, const struct world_name *name)
{
    return arena_printf(b->arena, "_%d._tcp.%s", (int)name->port, name->name);
}

static bool is_tlsa_owner(const char *owner)
{
    size_t digits = owner[0] == '_' ? strspn(owner + 1, "0123456789") : 0;
    return digits > 0 && strncmp(owner + 1 + digits, "._tcp.", 6) == 0;
}

/* One defect for the whole set, if anything in it is not what authenticates the host. */
static void put_tlsa(struct plan_builder *b, struct zone_text *texts, const struct world_name *name)
{
    const char *owner = tlsa_owner(b, name);
    const struct plan_host *host = plan_host_find(b, plan_alias_end(b, name->name), PLAN_MX);
    bool sound = true;
    for (size_t i = 0; i < name->tlsa.count; i++) {
        bool matches;
        const char *data = plan_tlsa_text(b, name, name->tlsa.items[i], name->tlsa.at[i], &matches);
        if (data != NULL)
            put(b, texts, owner, "TLSA", data);
        sound = sound && matches;
    }
    if (sound)
        return;
    struct plan_defect *defect =
        plan_defect_add(b, MECHANISM_TLSA, name->name, arena_printf(b->arena, "%s:tlsa", name->name), name->tlsa.at[0]);
    defect->what = arena_printf(b->arena, "TLSA of %s is %s%s", name->name, name->tlsa.items[0],
                                name->tlsa.count > 1 ? ", ..." : "");
    defect->aside = host == NULL || !host->first || name->cname != NULL;
    *ARENA_PUSH(b->arena, &b->faults) = (struct fakedns_fault){
        .fault = "planted", .zone = plan_zone_of(b, owner), .owner = owner, .type = "TLSA", .id = defect->id};
}

static void put_announcement(struct plan_builder *b, struct zone_text *texts, const struct world_name *name)
{
    const char *owner = arena_printf(b->arena, "_mta-sts.%s", name->name);
    bool departs;
    struct schema_texts txt = plan_sts_announcement(b, name, &departs);
    for (size_t i = 0; i < txt.count; i++)
        put(b, texts, owner, "TXT", quoted(b->arena, txt.items[i]));
    if (!departs || txt.count == 0)
        return;
    struct plan_defect *defect =
        plan_defect_add(b, MECHANISM_STS, name->name, arena_printf(b->arena, "%s:mta-sts-txt", name->name),
                        txt.at != NULL ? txt.at[0] : name->at);
    defect->what = arena_printf(b->arena, "TXT of %s is %s", owner, txt.items[0]);
    *ARENA_PUSH(b->arena, &b->faults) = (struct fakedns_fault){
        .fault = "planted", .zone = plan_zone_of(b, owner), .owner = owner, .type = "TXT", .id = defect->id};
}

static void put_report_records(struct plan_builder *b, struct zone_text *texts, const struct world_name *name)
{
    struct schema_texts records = plan_report_records(b, name);
    for (size_t i = 0; i < records.count; i++)
        put(b, texts, arena_printf(b->arena, "_smtp._tls.%s", name->name), "TXT", quoted(b->arena, records.items[i]));
    if (b->plan->report_key != NULL && text_name_equal(name->name, scenario_sender_domain))
        put(b, texts, arena_printf(b->arena, PLAN_DKIM_SELECTOR "._domainkey.%s", name->name), "TXT",
            quoted(b->arena, b->plan->report_key->record));
}

static void put_name(struct plan_builder *b, struct zone_text *texts, const struct world_name *name)
{
    if (name->cname != NULL)
        put(b, texts, name->name, "CNAME", absolute(b->arena, name->cname));
    put_mx(b, texts, name);
    if (name->tlsa.count > 0)
        put_tlsa(b, texts, name);
    for (size_t i = 0; i < name->txt.count; i++)
        put(b, texts, name->name, "TXT", quoted(b->arena, name->txt.items[i]));
    if (name->has_mta_sts)
        put_announcement(b, texts, name);
    put_report_records(b, texts, name);
}

static void put_addresses(struct plan_builder *b, struct zone_text *texts)
{
    for (size_t i = 0; i < b->hosts.count; i++) {
        const struct plan_host *host = &b->hosts.items[i];
        const struct plan_host *same = plan_host_find(b, host->published, PLAN_MX);
        if (same == NULL || same == host)
            for (size_t k = 0; k < host->address_count; k++)
                put(b, texts, host->published, strchr(host->addresses[k], ':') != NULL ? "AAAA" : "A",
                    host->addresses[k]);
    }
}

/* --- raw islands ----------------------------------------------------------------------------------------------- */

/* ${v4 of mx1.partner.example}, ${v6 of ...}, ${tlsa 3 1 1 [of other-key] of ...}: as planned. NULL with a finding. */
static const char *generated(struct plan_builder *b, const char *what, struct srcpos at)
{
    const char *of = NULL; /* the last one: `tlsa 3 1 1 of other-key of HOST` */
    for (const char *at_of = strstr(what, " of "); at_of != NULL; at_of = strstr(at_of + 1, " of "))
        of = at_of;
    const struct world_name *name = of != NULL ? world_find(b->world, of + 4) : NULL;
    const struct plan_host *host = name != NULL ? plan_host_find(b, name->name, PLAN_MX) : NULL;
    host = host == NULL && name != NULL ? plan_host_find(b, name->name, PLAN_POLICY) : host;
    bool matches;
    if (host != NULL && strncmp(what, "tlsa ", 5) == 0)
        return plan_tlsa_text(b, name, arena_strndup(b->arena, what + 5, (size_t)(of - what - 5)), at, &matches);
    for (size_t i = 0; host != NULL && i < host->address_count; i++)
        if (strncmp(what, strchr(host->addresses[i], ':') != NULL ? "v6 of" : "v4 of", 5) == 0)
            return host->addresses[i];
    diag_error(b->diags, at,
               "'${%s}' is not made here; what is made is `v4 of HOST`, `v6 of HOST` and `tlsa 3 1 1 of HOST`", what);
    return NULL;
}

static const char *filled_in(struct plan_builder *b, const char *text, struct srcpos at)
{
    char *out = arena_strdup(b->arena, "");
    for (const char *from; (from = strstr(text, "${")) != NULL;) {
        const char *end = strchr(from, '}');
        if (end == NULL)
            break;
        const char *made = generated(b, arena_strndup(b->arena, from + 2, (size_t)(end - from - 2)), at);
        out = arena_printf(b->arena, "%s%.*s%s", out, (int)(from - text), text, made != NULL ? made : "");
        text = end + 1;
    }
    return arena_printf(b->arena, "%s%s", out, text);
}

/* The island's records stand last in their zone; mistakes in them are looked for here, where their place is known. */
static void put_island(struct plan_builder *b, struct zone_text *texts, const struct world_name *name)
{
    const char *zone = plan_zone_of(b, name->name);
    const char *text = arena_printf(b->arena, "$ORIGIN %s\n%s\n", absolute(b->arena, name->name),
                                    filled_in(b, name->records, name->records_at));
    struct fakedns_zone alone = *find_zone(b, zone);
    alone.records = text;
    alone.at = name->records_at; /* line 2 of the text is the line below the key */
    alone.at.col = 0;
    for (size_t i = 0; name->node != NULL && i < name->node->count; i++)
        if (strcmp(name->node->entries[i].key, "records") == 0)
            alone.at.col = name->node->entries[i].at.col + 2;
    fakedns_check_records(&alone, b->diags);
    for (size_t i = 0; i < b->zones.count; i++)
        if (strcmp(b->zones.items[i].name, zone) == 0)
            fputs(text, texts[i].out);
}

/* --- faults ---------------------------------------------------------------------------------------------------- */

static bool is_type(const struct world_dns_fault *said, const char *type)
{
    return said->type != NULL && strcasecmp(said->type, type) == 0;
}

/* The name a fault is about; NULL: every name of the zone. */
static const char *owner_of(struct plan_builder *b, const struct world_name *name, const struct world_dns_fault *said)
{
    const char *zone = plan_zone_of(b, name->name);
    bool at_apex = strcmp(zone, name->name) == 0;
    if (said->owner != NULL && strcmp(said->owner, "*") == 0)
        return NULL;
    if (said->owner != NULL)
        return text_name_under(said->owner, zone) || said->owner[strlen(said->owner) - 1] == '.'
                   ? text_name(b->arena, said->owner)
                   : arena_printf(b->arena, "%s.%s", text_name(b->arena, said->owner), name->name);
    if (is_type(said, "TLSA"))
        return at_apex && plan_host_find(b, name->name, PLAN_MX) == NULL ? NULL : tlsa_owner(b, name);
    return at_apex && said->type == NULL ? NULL : name->name;
}

static enum plan_mechanism mechanism_of(const struct world_name *name, const struct world_dns_fault *said,
                                        const char *owner)
{
    bool sts = strncmp(name->name, "mta-sts.", 8) == 0 || strncmp(name->name, "_mta-sts.", 9) == 0 ||
               (owner != NULL && (strncmp(owner, "_mta-sts.", 9) == 0 || strncmp(owner, "mta-sts.", 8) == 0));
    bool tlsa = is_type(said, "TLSA") || (owner != NULL && is_tlsa_owner(owner));
    return sts ? MECHANISM_STS : tlsa ? MECHANISM_TLSA : MECHANISM_DNS;
}

/* Every sender comes by a domain that has mail, its most preferred host, and the zones of these. */
static bool is_on_the_way(const struct plan_builder *b, const char *name)
{
    for (size_t i = 0; i < b->hosts.count; i++) {
        const struct plan_host *host = &b->hosts.items[i];
        const struct world_name *domain = host->role == PLAN_MX ? plan_domain_of(b, host->name->name) : NULL;
        if (host->first &&
            (text_name_under(host->name->name, name) || (domain != NULL && text_name_under(domain->name, name))))
            return true;
    }
    const struct world_name *own = world_find(b->world, name);
    return own != NULL && own->mx.count > 0;
}

static void add_fault(struct plan_builder *b, const struct world_name *name, const struct world_dns_fault *said)
{
    const struct dns_fault_info *info = fakedns_fault_find(said->fault);
    if (info == NULL)
        return; /* found by the check of the scenario */
    const char *owner = info->zone_wide_only ? NULL : owner_of(b, name, said);
    const char *zone = plan_zone_of(b, owner != NULL ? owner : name->name);
    if (is_type(said, "DS") && owner != NULL && strcmp(zone, owner) == 0 && parent_of(b, find_zone(b, zone)) != NULL)
        zone = parent_of(b, find_zone(b, zone))->name;
    if (info->zone_wide_only && strcmp(zone, name->name) != 0)
        diag_error(b->diags, said->at, "'%s' spoils a whole zone; the zone here is '%s'", said->fault, zone);
    const char *about = owner != NULL ? owner : zone;
    const char *id = arena_printf(b->arena, "%s:dns-%s%s%s-%zu", about, said->fault, said->type != NULL ? "-" : "",
                                  said->type != NULL ? said->type : "", b->faults.count);
    struct plan_defect *defect = plan_defect_add(b, mechanism_of(name, said, owner), name->name, id, said->at);
    defect->what = arena_printf(b->arena, "%s%s%s%s%s", said->fault, said->type != NULL ? " for " : " in ",
                                said->type != NULL ? said->type : "", said->type != NULL ? " " : "", about);
    defect->hit = said->hit;
    defect->aside =
        said->nth > 1 || is_type(said, "AAAA") || (defect->mechanism != MECHANISM_STS && !is_on_the_way(b, name->name));
    *ARENA_PUSH(b->arena, &b->faults) = (struct fakedns_fault){.fault = said->fault,
                                                               .zone = zone,
                                                               .owner = owner,
                                                               .type = said->type,
                                                               .nth = (unsigned)said->nth,
                                                               .id = defect->id};
}

/* --- the whole ------------------------------------------------------------------------------------------------- */

bool plan_dns_records(struct plan_builder *b)
{
    struct zone_text *texts = arena_alloc(b->arena, b->zones.count * sizeof *texts);
    bool ok = true;
    for (size_t i = 0; i < b->zones.count; i++)
        ok = (texts[i].out = open_memstream(&texts[i].text, &texts[i].size)) != NULL && ok;
    for (size_t i = 0; ok && i < b->world->count; i++) {
        const struct world_name *name = &b->world->names[i];
        put_name(b, texts, name);
        for (size_t k = 0; k < name->dns.count; k++)
            add_fault(b, name, &((const struct world_dns_fault *)name->dns.items)[k]);
    }
    if (ok)
        put_addresses(b, texts);
    if (ok && b->net == PLAN_NET_LAB) /* so that a sender knows itself among a domain's hosts */
        put(b, texts, SUBJECT_HOSTNAME, "A", SANDBOX_NET_MTA_V4);
    for (size_t i = 0; ok && i < b->world->count; i++)
        if (b->world->names[i].records != NULL)
            put_island(b, texts, &b->world->names[i]);
    for (size_t i = 0; i < b->zones.count; i++) {
        ok = texts[i].out != NULL && fclose(texts[i].out) == 0 && ok;
        b->zones.items[i].records = texts[i].text != NULL ? arena_strdup(b->arena, texts[i].text) : NULL;
        b->zones.items[i].at = (struct srcpos){0};
        free(texts[i].text);
    }
    return ok || err_set(b->err, ERR_SYSTEM, "cannot write the zones: out of memory");
}
