/* SPDX-License-Identifier: BSD-2-Clause
 * ndr - a report of non-delivery: multipart/report (RFC 6522) with a delivery-status part (RFC 3464) and the header of
 * the message that failed. Pure.
 *
 * The caller sends it to the original sender with the null sender, and never makes one for a message that has that
 * itself (5321-4.5.4-2). */
#ifndef ENGINE_NDR_H
#define ENGINE_NDR_H

#include "engine/status.h"

struct ndr_recipient {
    const char *address;
    struct status status;         /* 5.x */
    const char *last_error;       /* the 4.x line before expiry; NULL: none */
    const char *remote_host;      /* NULL: none was reached */
    int64_t last_attempt;
};
struct ndr {
    const char *hostname, *id;    /* of the engine; of this report, fit for a Message-ID and a boundary */
    const char *sender;           /* whom it goes to */
    int64_t arrived, now;
    const struct ndr_recipient *recipients; size_t recipient_count;
    const char *content; size_t length;   /* the original */
};

char *ndr_write(struct arena *arena, const struct ndr *ndr, size_t *length);

#endif
