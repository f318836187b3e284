/* SPDX-License-Identifier: BSD-2-Clause
 * tlsrpt - what one session, or a host that was not even tried, is in a TLS report (RFC 8460 4): facts and outcome in,
 * tallies out. Pure.
 *
 * Owns: texts live in the arena given or are borrowed from the session. */
#ifndef ENGINE_TLSRPT_H
#define ENGINE_TLSRPT_H

#include "engine/session.h"
#include "engine/sts.h"

enum tlsrpt_policy { TLSRPT_TLSA, TLSRPT_STS, TLSRPT_NO_POLICY, TLSRPT_POLICY_COUNT };
extern const char *const tlsrpt_policy_words[]; /* "tlsa", "sts", "no-policy-found" */

struct tlsrpt_session {
    const char *domain; /* the next hop, which may ask for reports */
    enum dane_mode dane;
    const struct host_facts *host;
    const struct sts_facts *sts; /* NULL: not asked */
    struct policy_decision decision;
    enum tls_course course;                /* TLS_UNTRIED: nothing is known of the host's TLS */
    struct tls_outcome tls;                /* with TLS_DONE */
    const char *why;                       /* how the failure was put; NULL */
    const char *sending_ip, *receiving_ip; /* NULL: there was no connection */
};

struct tlsrpt_tally {
    enum tlsrpt_policy policy;
    const char *domain; /* policy-domain: for tlsa the TLSA base domain (8460-1.1-1) */
    const char *result; /* result-type; NULL: a success */
    const char *reason; /* failure-reason-code; NULL */
};

/* One for each policy that the session was under, and one for a policy that could not be had. A mechanism that the
 * connector does not look at is not spoken of. */
enum { TLSRPT_TALLIES_MAX = 3 };
size_t tlsrpt_tallies(const struct tlsrpt_session *session, struct tlsrpt_tally tallies[TLSRPT_TALLIES_MAX]);

/* policy-string (8460-4.5): TLSA records in presentation form, or the policy's lines, errors and all. */
struct tlsrpt_strings {
    const char **items;
    size_t count, room;
};
struct tlsrpt_strings tlsrpt_policy_strings(struct arena *arena, const struct tlsrpt_session *session,
                                            enum tlsrpt_policy policy);

#endif
