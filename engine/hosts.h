/* SPDX-License-Identifier: BSD-2-Clause
 * hosts - the order in which the hosts of a destination are tried. Pure: randomness is given. */
#ifndef ENGINE_HOSTS_H
#define ENGINE_HOSTS_H

#include "engine/resolve.h"

struct random_source {
    uint32_t (*below)(void *arg, uint32_t bound); /* evenly from 0 .. bound - 1 */
    void *arg;
};
/* Lower preference first (5321-5.1-12), equals in random order (5321-5.1-13); TLSA or MTA-STS play no part
 * (7672-2.2.1-3, 8461-8.4-1). */
void hosts_order(struct mx_host *hosts, size_t count, struct random_source random);

/* How many of these ordered hosts are better than self: a server that finds itself among the hosts tries none that is
 * as good as it or worse (5321-5.1-16), whatever TLSA or a policy would say of them (7672-2.2.1-4). */
size_t hosts_better_than(const struct mx_host *hosts, size_t count, const char *self);

/* The system's randomness. */
extern const struct random_source hosts_random;

#endif
