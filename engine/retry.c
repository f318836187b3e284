/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/retry.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const double exchange_pauses[] = {15 * MINUTE, 15 * MINUTE, HOUR};
static const double rfc_pauses[] = {30 * MINUTE};

const struct retry_plan retry_exchange = {exchange_pauses, COUNT(exchange_pauses), DAY};
static const double doubling_pauses[] = {5 * MINUTE,  10 * MINUTE,  20 * MINUTE,  40 * MINUTE,
                                         80 * MINUTE, 160 * MINUTE, 320 * MINUTE, 640 * MINUTE};

const struct retry_plan retry_tls_report = {doubling_pauses, COUNT(doubling_pauses), DAY};
const struct retry_plan retry_rfc = {rfc_pauses, COUNT(rfc_pauses), 5 * DAY};

struct retry_next retry_after(const struct retry_plan *plan, unsigned attempts, int64_t arrived, int64_t now)
{
    int64_t end = arrived + (int64_t)plan->expiry_s;
    if (now >= end)
        return (struct retry_next){.give_up = true};
    size_t i = attempts == 0 ? 0 : attempts - 1;
    double pause = plan->pauses_s[i < plan->count ? i : plan->count - 1];
    int64_t due = now + (pause < 1 ? 1 : (int64_t)pause); /* never at once: 5321-4.5.4.1-2 */
    return (struct retry_next){.due = due < end ? due : end};
}
