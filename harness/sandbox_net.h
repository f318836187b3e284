/* SPDX-License-Identifier: BSD-2-Clause
 * sandbox_net - the two network namespaces of a lab and the wire between them, made over netlink.
 *
 *     inet  every fake host: all of 198.18.0.0/15 and 2001:db8::/32 are its own addresses
 *     mta   the subject and its resolver: routes to those two prefixes and to nothing else
 *
 * Needs CAP_NET_ADMIN over the namespaces it makes. There is no route out of either.
 *
 * Owns:   nothing; the descriptors in struct sandbox_net are the caller's.
 * Errors: false with *err filled. */
#ifndef HARNESS_SANDBOX_NET_H
#define HARNESS_SANDBOX_NET_H

#include "base/err.h"

#define SANDBOX_NET_INET_V4 "100.64.0.1"
#define SANDBOX_NET_MTA_V4 "100.64.0.2"
#define SANDBOX_NET_INET_V6 "fd00:53::1"
#define SANDBOX_NET_MTA_V6 "fd00:53::2"

struct sandbox_net {
    int inet, mta; /* descriptors of the namespaces */
    bool ipv6;     /* this kernel has it */
};

/* Turns the namespace of the caller into mta and moves the caller into a new one, inet. */
bool sandbox_net_make(struct sandbox_net *out, struct err *err) NODISCARD;
/* From inet: takes the wire away, which the kernel would do some time after the end. */
void sandbox_net_cut(void);

#endif
