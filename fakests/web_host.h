/* SPDX-License-Identifier: BSD-2-Clause
 * web_host - a policy host as the modules of fakests share it: what was asked for, and how often it has been met.
 *
 * Owns:    nothing; hosts and all they point to live in the arena of fakests, to its end, so that a connection may
 *          outlast a change of the world. Identities are borrowed from the config. */
#ifndef FAKESTS_WEB_HOST_H
#define FAKESTS_WEB_HOST_H

#include "base/netaddr.h"
#include "fakests/fakests.h"

struct web_host {
    const char *name;
    const struct netaddr *at; /* every address, with its port */
    size_t at_count;
    struct web_behaviour behaviour;
    const char *policy;              /* NULL: 404 */
    const struct identity *identity; /* NULL: only for hosts that never need nginx */
    const char *fault_prefix, *certificate_fault, *policy_fault;
    int64_t connections, requests; /* so far: what nth is compared with */
};
struct web_world {
    struct web_host *hosts;
    size_t count;
};

/* What holds for the count-th connection or request: the behaviour set, or the usual one. */
const struct web_behaviour *web_behaviour_at(const struct web_host *host, int64_t count);
bool web_behaviour_equal(const struct web_behaviour *a, const struct web_behaviour *b);
extern const struct web_behaviour web_behaviour_usual;

/* Journals every departure of the behaviour in force that this part of fakests steps on. */
enum web_part { WEB_PART_FRONT, WEB_PART_ANSWER };
void web_faults_hit(struct journal *journal, const struct web_host *host, unsigned conn,
                    const struct web_behaviour *behaviour, enum web_part part);

#endif
