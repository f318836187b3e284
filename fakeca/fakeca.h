/* SPDX-License-Identifier: BSD-2-Clause
 * fakeca - the HTTP side of certificate authorities: who asks whether a certificate is revoked gets an answer, right or
 * wrong. http://<anything>/<host>/ocsp takes OCSP questions about the certificate of that host, /<host>/crl gives the
 * list of its issuer.
 *
 * Owns:    the HTTP server. Borrows: loop, journal, clock and every identity; they must outlive it.
 * Errors:  false or NULL with *err filled.
 * Threads: one. A question has at most 16 KiB. */
#ifndef FAKECA_FAKECA_H
#define FAKECA_FAKECA_H

#include "base/journal.h"
#include "base/loop.h"
#include "fakeca/ca_answer.h"

struct fakeca_certificate {
    const char *host; /* whose certificate it is */
    const struct identity *identity;
    enum ca_says says;
};
struct fakeca_config {
    const char *address; /* NULL: nobody listens */
    uint16_t port;       /* 0: 80 */
    const struct fakeca_certificate *certificates;
    size_t count;
};

struct fakeca;

struct fakeca *fakeca_new(const struct fakeca_config *config, const struct clock *clock, struct loop *loop,
                          struct journal *journal, struct err *err) NODISCARD;
bool fakeca_change(struct fakeca *ca, const struct fakeca_config *config, struct err *err) NODISCARD;
void fakeca_free(struct fakeca **ca);

#endif
