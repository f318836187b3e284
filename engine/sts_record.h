/* SPDX-License-Identifier: BSD-2-Clause
 * sts_record - the MTA-STS TXT record among all TXT records at _mta-sts.<domain> (RFC 8461 3.1). Pure. */
#ifndef ENGINE_STS_RECORD_H
#define ENGINE_STS_RECORD_H

#include "base/base.h"

enum { STS_ID_MAX = 32 };

enum sts_record_state { STS_RECORD_NONE, STS_RECORD_SEVERAL, STS_RECORD_INVALID, STS_RECORD_VALID };

struct sts_record {
    enum sts_record_state state;
    char id[STS_ID_MAX + 1]; /* STS_RECORD_VALID */
    const char *why;         /* otherwise; a literal */
};

/* Filter by "v=STSv1;", then exactly one, then its syntax (8461-3.1-6 .. 8461-3.1-8). */
struct sts_record sts_record_find(const char *const *records, size_t count);

#endif
