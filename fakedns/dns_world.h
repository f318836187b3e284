/* SPDX-License-Identifier: BSD-2-Clause
 * dns_world - all zones of a config, delegated and signed, with the faults that hold at one attempt of the sender; and
 * which of them each address serves.
 *
 * Owns:    its zones and everything in them.
 * Borrows: clock and keys, which must outlive it; the config only during the call.
 * Errors:  NULL with *err filled. */
#ifndef FAKEDNS_DNS_WORLD_H
#define FAKEDNS_DNS_WORLD_H

#include "base/netaddr.h"
#include "fakedns/dns_fault.h"
#include "fakedns/dns_sign.h"

enum { DNS_ZONES_MAX = 500, DNS_ADDRESSES_MAX = 1000, DNS_FAULTS_MAX = 500 };

/* What one address serves. The answer comes from the deepest zone that holds the name. */
struct dns_view {
    struct netaddr address;
    struct { struct dns_zone **items; size_t count, room; } zones;
    const struct dns_fault *faults;     /* of the whole world */
    size_t fault_count;
};

struct dns_world {
    struct arena *arena;
    struct dns_zone **zones; size_t zone_count;             /* in the order of the config */
    struct dns_fault *faults; size_t fault_count;
    struct { struct dns_view *items; size_t count, room; } views;
    const struct dns_zone *root;
    const char *root_key, *root_dnskey, *root_hints;
};

/* Faults of nth 0 hold, and those of this nth. */
struct dns_world *dns_world_new(const struct fakedns_config *config, unsigned nth, const struct clock *clock,
                                struct dns_keyring *keyring, struct err *err) NODISCARD;
const struct dns_view *dns_world_view(const struct dns_world *world, const struct sockaddr *address);  /* NULL: none */
struct dns_zone *dns_world_zone(const struct dns_world *world, const char *name);                      /* NULL: none */
void dns_world_free(struct dns_world **world);

#endif
