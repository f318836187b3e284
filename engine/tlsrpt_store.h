/* SPDX-License-Identifier: BSD-2-Clause
 * tlsrpt_store - sessions counted by UTC day, domain and policy, and the reports made of them until they are sent; on
 * disk, so that a restart forgets neither.
 *
 * Owns:   the store (tlsrpt.db in the engine's directory).
 * Errors: false or NULL with *err filled.
 * Threads: one. At most TLSRPT_POLICIES_MAX different policies are told apart within one domain and day, and
 * TLSRPT_DETAILS_MAX different failures within one of them; further ones are counted without what tells them apart. */
#ifndef ENGINE_TLSRPT_STORE_H
#define ENGINE_TLSRPT_STORE_H

#include <jansson.h>

#include "engine/tlsrpt.h"

enum { TLSRPT_DAY = 86400, TLSRPT_POLICIES_MAX = 100, TLSRPT_DETAILS_MAX = 1000 };

struct tlsrpt_store;

struct tlsrpt_store *tlsrpt_store_open(const char *path, struct err *err) NODISCARD;
void tlsrpt_store_close(struct tlsrpt_store **store);

/* domain: lower case A-labels. The report about the day is due at `due`, unless one is planned already. */
bool tlsrpt_store_count(struct tlsrpt_store *store, int64_t now, int64_t due, const char *domain,
                        const struct tlsrpt_session *session, struct err *err) NODISCARD;

/* ---- reports to be made ---- */

struct tlsrpt_plan {
    const char *domain;
    int64_t day, due; /* UTC seconds at which the day begins */
    unsigned attempts;
};
struct tlsrpt_plans {
    struct tlsrpt_plan *items;
    size_t count, room;
};
/* Those due by then, the oldest first, at most limit. */
bool tlsrpt_store_plans(struct tlsrpt_store *store, struct arena *arena, int64_t until, size_t limit,
                        struct tlsrpt_plans *plans, struct err *err) NODISCARD;
/* Whatever is planned or on its way is due now. */
bool tlsrpt_store_hurry(struct tlsrpt_store *store, int64_t now, struct err *err) NODISCARD;
/* The domain could not be asked: again at due. */
bool tlsrpt_store_put_off(struct tlsrpt_store *store, const struct tlsrpt_plan *plan, int64_t due,
                          struct err *err) NODISCARD;
/* Nobody wants it: what was counted is dropped. */
bool tlsrpt_store_drop(struct tlsrpt_store *store, const struct tlsrpt_plan *plan, struct err *err) NODISCARD;
/* "policies" of the report (8460-4.4), a new reference. */
json_t *tlsrpt_store_policies(struct tlsrpt_store *store, const struct tlsrpt_plan *plan, struct err *err);

/* ---- reports to be sent ---- */

struct tlsrpt_parcel { /* one report for one endpoint */
    int64_t id;
    const char *uri, *domain, *report_id, *name; /* the file's */
    const char *body;                            /* JSON, compressed */
    size_t length;
    int64_t due, made;
    unsigned attempts;
};
struct tlsrpt_parcels {
    struct tlsrpt_parcel *items;
    size_t count, room;
};
/* One transaction: a parcel for each endpoint, and what was counted is reported. parcel: without uri. */
bool tlsrpt_store_add(struct tlsrpt_store *store, const struct tlsrpt_plan *plan, const struct tlsrpt_parcel *parcel,
                      const char *const *uris, size_t uri_count, struct err *err) NODISCARD;
bool tlsrpt_store_parcels(struct tlsrpt_store *store, struct arena *arena, int64_t until, size_t limit,
                          struct tlsrpt_parcels *parcels, struct err *err) NODISCARD;
bool tlsrpt_store_again(struct tlsrpt_store *store, int64_t parcel, int64_t due, struct err *err) NODISCARD;
/* Sent or given up; the last parcel of a report takes its body with it. */
bool tlsrpt_store_done(struct tlsrpt_store *store, int64_t parcel, struct err *err) NODISCARD;

/* When something is due next; INT64_MAX: nothing is. */
int64_t tlsrpt_store_next(struct tlsrpt_store *store);
/* Forgets what was reported for days before that. */
bool tlsrpt_store_trim(struct tlsrpt_store *store, int64_t before, struct err *err) NODISCARD;

#endif
