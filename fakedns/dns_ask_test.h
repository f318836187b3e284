/* SPDX-License-Identifier: BSD-2-Clause
 * dns_ask_test - a small world for the tests of this folder, asked without a network; answers are read by ldns. */
#ifndef FAKEDNS_DNS_ASK_TEST_H
#define FAKEDNS_DNS_ASK_TEST_H

#include "fakedns/dns_answer.h"

enum { ASK_PLAIN = 0, ASK_DO = 1, ASK_TCP = 2, ASK_SMALL = 4 };     /* SMALL: takes 512 bytes, with EDNS */

extern const struct fakedns_config ask_config;     /* the world without faults */

struct asked {
    struct arena *arena;
    struct dns_keyring *keyring;
    struct dns_world *world;
    struct clock clock;
};

bool asked_new(struct asked *asked, const struct fakedns_config *config, unsigned nth, struct err *err);
void asked_free(struct asked *asked);
size_t ask_query(uint8_t *bytes, const char *name, const char *type, unsigned how);    /* of 512 */
void ask(struct asked *asked, const char *address, const char *name, const char *type, unsigned how,
         struct dns_reply *reply);
/* "NOERROR aa | MX+ A | SOA+ |": rcode and flags, then the RRsets of each section, + for a signed one. */
char *ask_shape(struct arena *arena, const struct dns_reply *reply);
/* "planted servfail" */
char *ask_hits(struct arena *arena, const struct dns_reply *reply);

#endif
