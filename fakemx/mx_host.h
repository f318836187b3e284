/* SPDX-License-Identifier: BSD-2-Clause
 * mx_host - one host of the fake as its sessions see it, and the witness who writes down what happens there.
 *
 * Owns:    hosts live in the arena given to mx_host_copy(); the counters may be shared by a host and its successor.
 * Borrows: identities; the journal. */
#ifndef FAKEMX_MX_HOST_H
#define FAKEMX_MX_HOST_H

#include "fakemx/mx_behaviour.h"

struct mx_host {
    struct fakemx_host config; /* behaviour is never NULL here, fault_prefix neither, port never 0 */
    unsigned *counts;          /* by enum mx_step: how often it was reached */
};

/* before: the host of that name in the world before, whose counters go on when it behaves the same; NULL: none. */
void mx_host_copy(struct arena *arena, const struct fakemx_host *from, const struct mx_host *before,
                  struct mx_host *to);

struct mx_witness { /* of one connection */
    struct journal *journal;
    const struct mx_host *host;
    unsigned conn;
};

void mx_witness_hit(const struct mx_witness *witness, size_t setting, const struct mx_doing *doing);
void mx_witness_certificate_hit(const struct mx_witness *witness, const char *label);

#endif
