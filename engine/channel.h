/* SPDX-License-Identifier: BSD-2-Clause
 * channel - from what is known of a host to what the channel to it must be: the question for policy_decide(), and the
 * demands of its answer as TLS checks them. For deliveries and for those who only look. Pure. */
#ifndef ENGINE_CHANNEL_H
#define ENGINE_CHANNEL_H

#include "engine/engine_config.h"
#include "engine/sts.h"

struct channel_setting { /* what connector, configuration and message say */
    enum dane_mode dane;
    enum mta_sts_mode mta_sts;
    enum tls_setting tls;
    const char *tls_domain;
    bool insecure_mx_use, pass_fail_block, accept_bogus;
    bool as_exchange; /* profile: exchange */
    enum message_tls message;
    bool report; /* the message has the null sender */
};

/* connector NULL: none matches, the defaults rule. In test mode nothing is demanded. Of the message nothing is known
 * yet. */
struct channel_setting channel_setting(const struct engine_config *config, const struct connector *connector);
/* The same with nothing demanded and nothing looked at: for what must arrive in spite of all TLS faults (8460-3-5). */
struct channel_setting channel_without_demands(struct channel_setting setting);
/* Is TLSA asked for the hosts of this destination? Is its policy? Is bogus data taken as it is? */
bool channel_asks_tlsa(const struct channel_setting *setting, const struct mx_facts *mx);
bool channel_asks_sts(const struct channel_setting *setting);
bool channel_overrides_bogus(const struct channel_setting *setting);
/* Why there is no host to try; CAUSE_NONE: there is one. */
struct failure channel_no_host(const struct channel_setting *setting, const struct mx_facts *mx, bool by_smart_host);
/* The address that a next hop is, also where it stands in brackets; NULL: it is a name. */
const char *channel_address(struct arena *arena, const char *hop);
/* A next hop that is an address: no DNS, hence neither DANE nor MTA-STS (7672-2.2-12, 8461-3.4). */
const struct mx_facts *channel_literal(struct arena *arena, const char *address, uint16_t port,
                                       const struct host_facts **host);
/* The host without addresses that are no other machine's: whoever writes its zone is not to choose what listens here. A
 * smart host is the administrator's word, and stays as it is. */
const struct host_facts *channel_outward(struct arena *arena, const struct host_facts *host, bool by_smart_host);
/* sts NULL: not asked. */
struct policy_facts channel_facts(const struct channel_setting *setting, const struct mx_facts *mx,
                                  const struct host_facts *host, const struct sts_facts *sts);
bool channel_demands_tls(const struct channel_setting *setting, const struct policy_decision *decision);
/* Borrows everything; what is new lives in the arena. */
struct tls_demands channel_demands(struct arena *arena, const struct channel_setting *setting,
                                   const struct policy_decision *decision, const struct mx_facts *mx,
                                   const struct host_facts *host);

#endif
