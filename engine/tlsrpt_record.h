/* SPDX-License-Identifier: BSD-2-Clause
 * tlsrpt_record - who wants reports: the TXT record among all TXT records at _smtp._tls.<domain> (RFC 8460 3). Pure.
 *
 * Owns: addresses live in the arena given. */
#ifndef ENGINE_TLSRPT_RECORD_H
#define ENGINE_TLSRPT_RECORD_H

#include "base/arena.h"

enum { TLSRPT_ENDPOINTS_MAX = 10 };

enum tlsrpt_record_state { TLSRPT_RECORD_NONE, TLSRPT_RECORD_SEVERAL, TLSRPT_RECORD_INVALID, TLSRPT_RECORD_VALID };

struct tlsrpt_endpoint {
    const char *uri;  /* as written */
    const char *mail; /* mailto: the address; NULL: https */
    const char *host; /* https */
    uint16_t port;
};
struct tlsrpt_record {
    enum tlsrpt_record_state state;
    struct tlsrpt_endpoint endpoints[TLSRPT_ENDPOINTS_MAX]; /* TLSRPT_RECORD_VALID; those of use, maybe none */
    size_t endpoint_count;
    const char *why; /* otherwise; a literal */
};

/* One address; false: it is of no use. */
bool tlsrpt_endpoint_read(struct arena *arena, const char *uri, struct tlsrpt_endpoint *out);
/* Filter by "v=TLSRPTv1;", then exactly one (8460-3-12, 8460-3-13), then its syntax; unknown fields and schemes are
 * passed over (8460-3-19, 8460-3-3). */
struct tlsrpt_record tlsrpt_record_find(struct arena *arena, const char *const *records, size_t count);

#endif
