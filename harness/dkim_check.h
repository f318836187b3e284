/* SPDX-License-Identifier: BSD-2-Clause
 * dkim_check - is the DKIM signature on a mail right (RFC 6376, RFC 8463)? For the key that the lab gave out. Pure. */
#ifndef HARNESS_DKIM_CHECK_H
#define HARNESS_DKIM_CHECK_H

#include "base/arena.h"

struct dkim_found {
    bool present, has_length, covers_report_fields; /* l= is there; h= names TLS-Report-Domain and -Submitter */
    const char *domain;                             /* d=, "" without */
    const char *trouble;                            /* why it is not valid; NULL: it is */
};
/* public_key: p= of its record, for the lab gives out ed25519 keys; NULL: only what the field says is looked at. */
struct dkim_found dkim_check(struct arena *arena, const char *text, size_t length, const char *public_key);

#endif
