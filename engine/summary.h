/* SPDX-License-Identifier: BSD-2-Clause
 * summary - what an administrator wants to know of a history: would mandatory DANE have delivered, who is who, what was
 * blocked and how the rest was sent. Pure: rows in, arrays of flat objects out.
 *
 * A delivery that went over a host without usable TLSA records counts against mandatory, although another host of that
 * destination might have authenticated: what was not tried is not known. */
#ifndef ENGINE_SUMMARY_H
#define ENGINE_SUMMARY_H

#include <jansson.h>

#include "engine/history.h"

/* What mandatory DANE would have made of a destination's mail. */
struct forecast {
    const char *destination, *connector;
    int64_t would, would_not, blocked, other, unknown; /* attempts: blocked by security as it is, failed otherwise */
    int64_t first, last;
    const char *code, *why; /* of what stands against it, the latest; NULL: nothing */
};
struct forecasts { struct forecast *items; size_t count, room; };
struct forecasts summary_forecasts(struct arena *arena, const struct history *history);
/* Something is known for, and nothing against it. */
bool forecast_is_good(const struct forecast *forecast);

json_t *summary_what_if(struct arena *arena, const struct history *history);
/* {"queued":[],"blocked":[],"sent":[],"clear":[],"connectors":[],"ndr":[]} */
json_t *summary_reports(struct arena *arena, const struct history *history);
/* What waits, by destination and age; the most first. */
json_t *summary_queue(struct arena *arena, const struct history *history);
json_t *summary_inventory(struct arena *arena, const struct engine_config *config, const struct history *history);
/* "dane", "mta-sts", "tls", "none": what protected mail that was sent, a Send row; NULL: another row. */
const char *summary_class(const struct history_row *row);
bool summary_has_failed(const struct history_row *row); /* recipients were deferred, or failed for good */
bool summary_is_security(const char *code); /* does the code tell of DANE, MTA-STS or a TLS demand? */

#endif
