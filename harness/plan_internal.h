/* SPDX-License-Identifier: BSD-2-Clause
 * plan_internal - what the files that build a plan share: addresses (plan_net), identities (plan_pki), then zones
 * (plan_dns), MX hosts (plan_mx) and policy hosts (plan_sts).
 *
 * Everything is in the plan's arena, but for addresses and identities, which live in the case's struct plan_pki. */
#ifndef HARNESS_PLAN_INTERNAL_H
#define HARNESS_PLAN_INTERNAL_H

#include "harness/plan.h"

/* A host of the world that answers on port 25 or 443. */
enum { PLAN_DEFECTS_MAX = 2000 };
#define PLAN_PATIENCE_S 5.0
#define PLAN_PATIENCE_STALLED_S 0.4

#define PLAN_CA_HOST "status.ca.example" /* whom certificates name that can be asked about */

enum plan_role { PLAN_MX, PLAN_POLICY };
struct plan_host {
    enum plan_role role;
    const struct world_name *name;
    const char *published; /* whose A and AAAA records lead here: the end of its aliases */
    const char **addresses;
    size_t address_count; /* in DNS */
    const char **listening;
    size_t listening_count;          /* without the dead ones */
    const struct identity *identity; /* NULL: none */
    const struct identity *beside;   /* with an RSA key; NULL: none */
    bool first;                      /* most preferred, and not behind an alias */
};

struct plan_builder {
    struct plan *plan;
    struct arena *arena;
    const struct world *world; /* with the sender's own names */
    struct plan_pki *pki;
    enum plan_net net;
    struct diag_list *diags;
    struct err *err;
    struct {
        struct plan_host *items;
        size_t count, room;
    } hosts;
    struct {
        struct plan_defect *items;
        size_t count, room;
    } defects;
    struct {
        struct fakedns_fault *items;
        size_t count, room;
    } faults;
    struct {
        struct fakedns_zone *items;
        size_t count, room;
    } zones;
};

struct plan_host *plan_host_find(const struct plan_builder *b, const char *name, enum plan_role role);
struct plan_defect *plan_defect_add(struct plan_builder *b, enum plan_mechanism mechanism, const char *host,
                                    const char *id, struct srcpos at);
/* Does anything in these DNS names' way stand in a zone that is not signed from the root down? */
bool plan_is_secure(const struct plan_builder *b, const char *name);
const char *plan_zone_of(const struct plan_builder *b, const char *name); /* the zone that holds a name */
const char *plan_alias_end(const struct plan_builder *b,
                           const char *name); /* the name at the end of CNAMEs of the world */
/* The domain whose MX records name the host (or which is its own host); NULL: none. */
const struct world_name *plan_domain_of(const struct plan_builder *b, const char *host);

/* ---- plan_net.c ---- */

enum plan_net_class { PLAN_NET_ZONE, PLAN_NET_MX, PLAN_NET_POLICY };
/* The same address for the same name, class and ordinal as long as the pki lives; NULL with *err when they run out. */
const char *plan_net_address(struct plan_builder *b, enum plan_net_class class, const char *name, bool v6,
                             unsigned ordinal);
bool plan_net_hosts(struct plan_builder *b); /* finds the hosts of the world and gives them addresses */

/* ---- plan_pki.c ---- */

struct arena *plan_pki_arena(struct plan_pki *pki);
struct plan_pki_address {
    const char *key, *address;
};
struct plan_pki_addresses {
    struct plan_pki_address *items;
    size_t count, room;
};
struct plan_pki_addresses *plan_pki_addresses(struct plan_pki *pki);
struct dns_keyring *plan_pki_zone_keys(struct plan_pki *pki);
const char *plan_pki_roots_pem(struct arena *arena, const struct plan_pki *pki);
const struct identity *plan_pki_root(const struct plan_pki *pki, const char *word); /* "private-root"; NULL: none */
/* What a host shows by its certificate:. NULL with *err filled. */
const struct identity *plan_pki_identity(struct plan_pki *pki, const char *host, const struct world_certificate *spec,
                                         struct err *err);
/* The same certificate with a key that is never shown; the same key with a certificate that is never shown. */
const struct identity *plan_pki_other_key(struct plan_pki *pki, const char *host, const struct world_certificate *spec,
                                          struct err *err);
const struct identity *plan_pki_renewed(struct plan_pki *pki, const char *host, const struct world_certificate *spec,
                                        struct err *err);
/* The intermediate's key in another certificate than the one that is shown. */
const struct identity *plan_pki_reissued(struct plan_pki *pki, const struct world_certificate *spec, struct err *err);
/* The same with an RSA key. */
const struct identity *plan_pki_rsa(struct plan_pki *pki, const char *host, const struct world_certificate *spec,
                                    struct err *err);
bool plan_certificate_departs(const struct world_certificate *spec);
const char *plan_certificate_label(struct arena *arena, const struct world_certificate *spec); /* "expired" */
bool plan_pki_hosts(struct plan_builder *b); /* gives each host its identity */

/* ---- plan_dns.c ---- */

bool plan_dns_zones(struct plan_builder *b);   /* which zones there are */
bool plan_dns_records(struct plan_builder *b); /* what stands in them, and what is wrong with it */
/* One TLSA record as text, "3 1 1 00ff.."; *matches: it authenticates what the host shows. NULL with a finding. */
const char *plan_tlsa_text(struct plan_builder *b, const struct world_name *name, const char *said, struct srcpos at,
                           bool *matches);

/* ---- plan_mx.c, plan_sts.c ---- */

bool plan_mx_hosts(struct plan_builder *b);
bool plan_sts_hosts(struct plan_builder *b);
/* The TXT records that announce a domain's policy; none: empty. *departs: they are not what the RFC wants. */
struct schema_texts plan_sts_announcement(struct plan_builder *b, const struct world_name *domain, bool *departs);

/* ---- plan_report.c ---- */

bool plan_report_key_make(struct arena *arena, struct plan_report_key *key, struct err *err);
/* The TXT records at _smtp._tls of a domain; none: empty. */
struct schema_texts plan_report_records(struct plan_builder *b, const struct world_name *name);
/* The key of this pki, made at the first call; NULL with *err filled. */
const struct plan_report_key *plan_pki_report_key(struct plan_pki *pki, struct err *err);

/* Does it send those who ask about its revocation to PLAN_CA_HOST? */
bool plan_certificate_names_authority(const struct world_certificate *said);
bool plan_ca(struct plan_builder *b);

#endif
