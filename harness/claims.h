/* SPDX-License-Identifier: BSD-2-Clause
 * claims - what a plan says that others must see in its lab: what a validator must call each answer, what a TLS client
 * must think of each certificate. ci/tests/judge-dns.sh and judge-tls.sh ask delv, dnssec-verify, openssl, curl and
 * posttls-finger, so that plan and fakes are not the only ones to agree with each other.
 *
 * Pure. Claims about DNS come from zones, delegations and faults; those about certificates from the scenario's words,
 * never from the bytes that were made of them: whether the bytes mean the words is what is judged.
 *
 * Owns: nothing; claims live in the arena given and borrow names from the plan. */
#ifndef HARNESS_CLAIMS_H
#define HARNESS_CLAIMS_H

#include <stdio.h>

#include "harness/plan.h"

/* One line: NAME ABOUT SAYS [MORE].
 *
 *   NAME MX|A|AAAA|TLSA|TXT  secure | insecure | bogus | fails: what validating a lookup comes to. MORE, of the first
 *                            two: present | absent | opted-out: absent, but by a proof that 5155-9.2 does not call
 *                            authentic
 *   ZONE zone                verifies | spoilt: the signatures within a signed zone
 *   HOST address             where HOST listens
 *   HOST tls                 shown, MORE: the only version, or any, and the settings that depart from the usual;
 *                            none | silent, MORE: the setting that keeps TLS away
 *   HOST pkix                ok | cn-only | flawed, or of untrusted, expired, not-yet-valid, wrong-name those that
 *                            hold, joined by +; MORE: the certificate in words
 *   HOST dane                match | mismatch | unusable, MORE: the TLSA records as the scenario writes them
 *   HOST reference           a name that DANE-TA accepts in HOST's certificate
 *   HOST https               ok | empty | large | cut | broken | silent | the status, MORE: the setting behind it */
struct claim { const char *name, *about, *says, *more; };   /* more: NULL: nothing */
struct claims { struct claim *items; size_t count, room; };

/* Of the names that a sender to a domain asks for, and of all zones. */
void claims_dns(struct arena *arena, const struct fakedns_config *dns, const char *domain, struct claims *claims);
void claims_zones(struct arena *arena, const struct fakedns_config *dns, struct claims *claims);
/* Of the MX hosts and policy hosts, but for the sender's own. */
void claims_tls(struct arena *arena, const struct plan *plan, struct claims *claims);
/* Everything, for all domains that the scenario sends to. */
void claims_of(struct arena *arena, const struct plan *plan, struct claims *claims);
void claims_print(const struct claims *claims, FILE *out);
/* The zones and faults of a plan as the program fakedns reads them. */
void claims_print_fakedns(const struct fakedns_config *dns, FILE *out);

#endif
