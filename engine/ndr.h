/* SPDX-License-Identifier: BSD-2-Clause
 * ndr - a report of non-delivery: multipart/report (RFC 6522) with a delivery-status part (RFC 3464) and the message
 * that failed, or its header. Pure.
 *
 * Seven bits and short lines throughout, so that any server takes it: a header that is not like that is written
 * quoted-printable, a message that is not gives its header only.
 *
 * The caller sends it to the original sender with the null sender, and never makes one for a message that has that
 * itself (5321-4.5.4-2). */
#ifndef ENGINE_NDR_H
#define ENGINE_NDR_H

#include "engine/status.h"

enum { NDR_ORIGINAL_MAX = 64 * 1024 };

struct ndr_recipient {
    const char *address;
    struct status status;         /* 5.x */
    struct status last;           /* the 4.x one before expiry; code NULL: none */
    const char *remote_host;      /* NULL: none was reached */
    int64_t last_attempt;
};
struct ndr {
    const char *hostname, *id;    /* of the engine; of this report, fit for a Message-ID and a boundary */
    const char *sender;           /* whom it goes to */
    int64_t arrived, now;
    const struct ndr_recipient *recipients; size_t recipient_count;
    const char *content; size_t length;   /* the original */
    bool whole;                   /* return it, unless it has more than NDR_ORIGINAL_MAX bytes; else its header */
};

char *ndr_write(struct arena *arena, const struct ndr *ndr, size_t *length);

#endif
