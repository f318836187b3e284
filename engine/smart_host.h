/* SPDX-License-Identifier: BSD-2-Clause
 * smart_host - what a connector sends its mail to instead of the recipient domain's MX: a name, an address or a
 * network, each with a port if need be: "gateway.example", "gateway.example:2525", "192.0.2.1", "[2001:db8::1]:2525",
 * "192.0.2.0/29". Pure: randomness is given. */
#ifndef ENGINE_SMART_HOST_H
#define ENGINE_SMART_HOST_H

#include "base/schema.h"
#include "engine/hosts.h"

enum { SMART_HOSTS_MAX = 20 }; /* next hops tried in one attempt */

struct smart_host {
    const char *name; /* a name, an address, or address/bits */
    uint16_t port;    /* 0: that of SMTP */
    bool by_name;     /* only then are there DANE and MTA-STS (7672-2.2-12, 8461-3.4) */
};

/* False: it is none of these. */
bool smart_host_parse(struct arena *arena, const char *text, struct smart_host *out) NODISCARD;
/* The next hops of a list, networks spelled out, all of them equals and therefore in random order; at most
 * SMART_HOSTS_MAX. */
size_t smart_hosts_spread(struct arena *arena, const struct schema_texts *texts, struct random_source random,
                          const struct smart_host **out);

#endif
