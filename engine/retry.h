/* SPDX-License-Identifier: BSD-2-Clause
 * retry - when a recipient is tried again, and when it is given up. Pure.
 *
 * Exchange: at 0, 15 and 30 minutes, then every hour, for 24 hours. RFC 5321 4.5.4.1: every 30 minutes, for 5 days. */
#ifndef ENGINE_RETRY_H
#define ENGINE_RETRY_H

#include "base/base.h"

struct retry_plan {
    const double *pauses_s;     /* between attempts; the last one goes on */
    size_t count;
    double expiry_s;            /* age at which a message is given up */
};
extern const struct retry_plan retry_exchange, retry_rfc;
extern const struct retry_plan retry_tls_report; /* doubling, for a day (8460-5.5) */

struct retry_next { bool give_up; int64_t due; };

/* After the attempts-th attempt (from 1) failed at now. The last attempt falls on the moment of expiry. */
struct retry_next retry_after(const struct retry_plan *plan, unsigned attempts, int64_t arrived, int64_t now);

#endif
