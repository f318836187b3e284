/* SPDX-License-Identifier: BSD-2-Clause
 * sender_setup - what a scenario tells the sender to do with its mail: connectors, rules, accepted domains; as adapters
 * read it. Pure. */
#ifndef HARNESS_SENDER_SETUP_H
#define HARNESS_SENDER_SETUP_H

#include "harness/scenario.h"

/* One JSON object with those of "connectors", "rules", "accepted-domains", "switches" that were said; keys and words
 * are the scenario's. A connector that says nothing of smtp-dane or mta-sts has the mode's. */
char *sender_setup_json(struct arena *arena, const struct sender_setup *setup, unsigned mode);
/* "connector NAME KEY=VALUE ..." for the i-th connector in a step's changes; NULL at the end. */
char *sender_setup_change(struct arena *arena, const struct tree_node *changes, size_t i);
/* May mail go to the host because it is a smart host, or an MX host of one? True as well where one is an address. */
bool sender_setup_relays_to(const struct sender_setup *setup, const struct world *world, const char *host);
/* What a sender must have for this: the i-th feature; NULL at the end. */
const char *sender_setup_needs(const struct sender_setup *setup, size_t i);

#endif
