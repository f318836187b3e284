/* SPDX-License-Identifier: BSD-2-Clause
 * plan - a world made concrete: addresses, keys, certificates, zones, policies, and the defects in it.
 *
 * Owns:    identities and configs, until plan_free().
 * Borrows: the scenario, the clock.
 * Errors:  mistakes of the scenario as findings with their place (a TLSA record of a host without certificate, ...);
 *          what the machine could not do in *err. */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include "base/clock.h"
#include "fakedns/fakedns.h"
#include "harness/scenario.h"

enum plan_mechanism {             /* what a defect belongs to; decides which modes must meet it */
    MECHANISM_DNS,                /* names, MX and addresses */
    MECHANISM_TLSA,
    MECHANISM_STS,                /* TXT record, policy host, policy */
    MECHANISM_SMTP,               /* an MX host's dialogue */
    MECHANISM_CERTIFICATE,        /* an MX host's certificate */
};
struct plan_defect {
    const char *id;               /* as in FAULT_HIT */
    const char *what;             /* "servfail for TLSA _25._tcp.mx1.partner.example" */
    enum plan_mechanism mechanism;
    const char *host;             /* the host or zone concerned */
    int hit;                      /* as the scenario says; HIT_DEFAULT: by mechanism and mode */
    bool visible;                 /* false: nothing can witness it (a port nobody listens on) */
    bool aside;                   /* a sender that looks at the mechanism need not come by: it stands in an insecure
                                   * zone, at a less preferred host, behind an alias or another defect, or in a later
                                   * attempt */
    bool under_dane;              /* secure TLSA records decide for this domain, so that MTA-STS may be left aside */
    struct srcpos at;
};
/* Where domains ask TLS reports to be sent unless a scenario says otherwise, and by whom and how they are signed. */
#define PLAN_REPORTS_TO "tls-reports@sender.example"
#define PLAN_REPORTS_FROM "tlsrpt@sender.example"
#define PLAN_DKIM_SELECTOR "lab"
struct plan_report_key { const char *private_pem, *public_key, *record; };   /* of DKIM; the second as in the third */

struct plan {
    struct arena *arena;
    const struct scenario *scenario;
    const struct world *world;
    struct fakedns_config dns;
    struct fakemx_config mx;
    struct fakeca_config ca;
    struct fakests_config sts;    /* directory is filled by the lab */
    struct plan_defect *defects; size_t defect_count;
    const char *ca_pem;           /* the public roots */
    bool silent;                  /* a server stays silent: the resolver gets short time-outs */
    const char *resolver_options; /* text of MTALAB_RESOLVER_OPTIONS */
    double patience_s;            /* MTALAB_PATIENCE */
    const struct plan_report_key *report_key;   /* NULL: the scenario expects no TLS reports */
    const char *sender_domain;    /* "sender.example": sound and DANE-authenticated: takes reports in every mode */
};

/* Keys of hosts and zones, and roots, that several plans of one case share, so that a change of the world changes only
 * what it says. */
struct plan_pki;
struct plan_pki *plan_pki_new(const struct clock *clock, struct err *err) NODISCARD;
void plan_pki_free(struct plan_pki **pki);
/* Makes ahead what all worlds have, the sender's own domain, and most: what is at partner.example when all is well. The
 * first use of the libraries comes with it. */
bool plan_pki_prepare(struct plan_pki *pki, struct err *err) NODISCARD;
/* Makes ahead the keys of a scenario: of zones, where they take long to make, and of reports. */
bool plan_pki_prepare_for(struct plan_pki *pki, const struct scenario *scenario, struct err *err) NODISCARD;

enum plan_net { PLAN_NET_LAB /* 198.18.0.0/15, 2001:db8::/32 */, PLAN_NET_LOOPBACK /* 127.0.0.0/8 */ };
struct plan *plan_build(const struct scenario *scenario, const struct world *world, enum plan_net net,
                        struct plan_pki *pki, const struct clock *clock, struct diag_list *diags,
                        struct err *err) NODISCARD;
void plan_free(struct plan **plan);
/* For who waits longer for a silent name server than a case can: the resolver takes a slow lab for none. */
void plan_take_time(struct plan *plan);

/* The rule for a defect in a mode when neither it nor the expectation says so. Pure. */
int plan_hit_rule(const struct plan_defect *defect, unsigned mode, const struct expectation *expectation);
const char *plan_address_of(const struct plan *plan, const char *host);   /* the first; NULL: none */

#endif
