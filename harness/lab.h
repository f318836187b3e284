/* SPDX-License-Identifier: BSD-2-Clause
 * lab - a plan that runs: the three fakes on one loop with one journal, and the files that a subject reads.
 *
 * Owns:   the fakes, and what they write under <directory>/case.
 * Borrows: everything in lab_setting, and the plans, which must outlive it.
 * Errors: false or NULL with *err filled.
 * Threads: one. */
#ifndef HARNESS_LAB_H
#define HARNESS_LAB_H

#include "harness/plan.h"
#include "harness/resolver.h"
#include "harness/sandbox.h"

struct lab_setting {
    const struct sandbox *sandbox;
    struct loop *loop;
    struct journal *journal;
    const struct clock *clock;
    struct resolver *resolver; /* NULL: the subject has its own */
    bool keys;                 /* TLS keys of MX hosts go into the journal */
};

struct lab;
struct lab *lab_start(const struct lab_setting *setting, struct plan *plan, struct err *err) NODISCARD;
/* Another world, with what was kept of the first: keys, connections under way. */
bool lab_change(struct lab *lab, struct plan *plan, struct err *err) NODISCARD;
/* The n-th message that an MX host took, the n-th TLS report that came by HTTPS; NULL: there are no more. */
const char *lab_message(const struct lab *lab, size_t n, size_t *length);
const char *lab_report(const struct lab *lab, size_t n, const char **type, size_t *length);
void lab_stop(struct lab **lab);
/* Takes away what a case left, however it ended. */
void lab_clear(const struct sandbox *sandbox);

/* What sender_setup_json() says, for a subject's case to begin with. */
bool lab_tell_connectors(const struct sandbox *sandbox, const char *json, struct err *err) NODISCARD;

/* Files in the sandbox's directory that keep their names while their content changes. */
#define LAB_ROOT_KEY "root.key"
#define LAB_ROOT_HINTS "root.hints"
#define LAB_RESOLVER_OPTIONS "resolver.options"
#define LAB_CONNECTORS "connectors.json" /* written before the subject's case begins */
#define LAB_DELV_ANCHOR "delv.anchor" /* for delv -a */
#define LAB_DKIM_KEY "dkim.pem"

#endif
