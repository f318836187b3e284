/* SPDX-License-Identifier: BSD-2-Clause
 * tlsrpt_received - TLS reports that others sent, beside our own counts in tlsrpt.db, and what our trace says of the
 * same domain, day and MX host.
 *
 * Owns:   its part of the store. Errors: false or NULL with *err filled. Threads: one. */
#ifndef ENGINE_TLSRPT_RECEIVED_H
#define ENGINE_TLSRPT_RECEIVED_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

struct tlsrpt_received;

/* directory: the engine's; the trace there may lack. */
struct tlsrpt_received *tlsrpt_received_open(const char *directory, struct err *err) NODISCARD;
void tlsrpt_received_close(struct tlsrpt_received **received);

/* Forgets what arrived before that. */
bool tlsrpt_received_trim(struct tlsrpt_received *received, int64_t before, struct err *err) NODISCARD;
/* As tlsrpt_read() made it. One that is known by its sender and id replaces what was known. */
bool tlsrpt_received_add(struct tlsrpt_received *received, const json_t *report, int64_t now,
                         struct err *err) NODISCARD;
/* A row for each policy, and for each failure of it: {"organization", "begins", "type", "domain", "good", "bad",
 * "result", "mx", "tries", "failures"}; the last two are what we tried there on that day and what of it failed. domain:
 * a policy's; NULL: all. */
json_t *tlsrpt_received_list(struct tlsrpt_received *received, const char *domain, struct err *err);
/* The same without what we did there, of reports about days from then on. */
json_t *tlsrpt_received_since(struct tlsrpt_received *received, int64_t since, struct err *err);
/* The same of what we have counted ourselves, for reports to others: {"begins", "asks", "type", "domain", "good",
 * "bad"}. */
json_t *tlsrpt_received_own(struct tlsrpt_received *received, const char *domain, struct err *err);

#endif
