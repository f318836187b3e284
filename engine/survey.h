/* SPDX-License-Identifier: BSD-2-Clause
 * survey - what a delivery would meet at a next hop: every host, not only the first that works, each spoken to up to
 * the point where mail would begin. With the delivery's own resolver, decisions and TLS.
 *
 * Owns:    sessions that are over, until surveyor_end(); results live in the arena, and as long.
 * Borrows: arena, config, outside.
 * Errors:  what fails is part of the result.
 * Threads: one; survey_hop() runs the loop until it is done. */
#ifndef ENGINE_SURVEY_H
#define ENGINE_SURVEY_H

#include "engine/channel.h"
#include "engine/outside.h"
#include "engine/smart_host.h"

struct survey_visit { /* of one host */
    const char *name;
    const struct host_facts *facts;
    struct policy_decision decision;
    const char *address;    /* spoken to last; NULL: none */
    struct failure failure; /* CAUSE_NONE: mail would go this way */
    struct tls_outcome tls;
};

struct survey { /* of one next hop, as one setting has it */
    struct channel_setting setting;
    const char *hop;
    bool by_smart_host;
    const struct mx_facts *mx;
    const struct sts_facts *sts; /* NULL: not asked */
    struct failure no_host;      /* CAUSE_NONE: there are hosts */
    struct survey_visit *visits; /* in the order in which they are tried */
    size_t visit_count;
};

struct surveyor {
    struct arena *arena;
    const struct engine_config *config;
    struct outside *outside;
    struct survey_session *sessions; /* held so far: whoever demands the same shares it */
    struct survey_kept *kept;
};
void surveyor_end(struct surveyor *surveyor);

const struct survey *survey_hop(struct surveyor *surveyor, const struct smart_host *hop, bool by_smart_host,
                                const struct channel_setting *setting);
/* The policy of a domain, asked of these policies, which may be others than the outside's. */
const struct sts_facts *survey_sts(struct surveyor *surveyor, struct sts *sts, const char *domain);

#endif
