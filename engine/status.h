/* SPDX-License-Identifier: BSD-2-Clause
 * status - the enhanced code and the text for a failure, as Exchange Online words them. Pure. */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

#include "engine/outcome.h"

struct status {
    const char *code;    /* "4.7.323" */
    const char *text;    /* "tlsa-invalid: The domain failed DANE validation. (no TLSA record matches)" */
};

/* Results live in the arena, or are literals. destination: the next-hop domain. */
struct status status_of(struct arena *arena, const struct failure *failure, const char *destination);
/* The 5.x twin of a 4.x status, for the non-delivery report after expiry; a 5.x stays as it is. */
struct status status_expired(struct arena *arena, struct status last);
/* As an SMTP reply: "450 4.7.323 tlsa-invalid: ..."; what a server said itself is one already. */
bool status_is_reply(const char *text); /* the server's own words about one message: "550 5.1.1 no such user" */
const char *status_reply(struct arena *arena, struct status status);

#endif
