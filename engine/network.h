/* SPDX-License-Identifier: BSD-2-Clause
 * network - "192.0.2.0/24", or one address, as a set of addresses. Pure. */
#ifndef ENGINE_NETWORK_H
#define ENGINE_NETWORK_H

#include "base/arena.h"
#include "base/netaddr.h"

struct network {
    int family;
    unsigned char bytes[16];
    unsigned bits;
};

bool network_parse(const char *text, struct network *out);
bool network_contains(const struct network *network, const struct sockaddr *address);
/* How many addresses a host can have in it (IPv4: without those of network and broadcast), at most limit; the i-th of
 * them as text. */
size_t network_size(const struct network *network, size_t limit);
const char *network_address(struct arena *arena, const struct network *network, size_t i);

#endif
