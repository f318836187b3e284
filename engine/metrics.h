/* SPDX-License-Identifier: BSD-2-Clause
 * metrics - what the engine has done since it began, as counters that only grow, and how it stands, in Prometheus' text
 * format; served on a loopback address or a unix socket to whoever asks for /metrics.
 *
 * Owns:    counters, listener. Borrows: queue, clock, loop.
 * Errors:  NULL with *err filled.
 * Threads: one. At most METRICS_SERIES_MAX series of a kind: what comes then is left out and counted. */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include <stdio.h>

#include "base/clock.h"
#include "base/loop.h"
#include "engine/queue.h"
#include "engine/trace.h"

enum { METRICS_SERIES_MAX = 2000 };

struct metrics;

/* at: "127.0.0.1:9465", "[::1]:9465" or "unix:/run/mtalab/metrics"; NULL: not served. */
struct metrics *metrics_new(const char *at, struct queue *queue, const struct clock *clock, struct loop *loop,
                            struct err *err) NODISCARD;
void metrics_free(struct metrics **metrics);
void metrics_note(struct metrics *metrics, const struct trace_entry *entry);
void metrics_print(struct metrics *metrics, FILE *out);
/* Is it a place where only this machine can ask? */
bool metrics_address_is_local(const char *at, struct err *err) NODISCARD;

#endif
