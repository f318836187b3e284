/* SPDX-License-Identifier: BSD-2-Clause
 * dns_query - one question to DNS, its answer with the validator's verdict; the one door to libunbound.
 *
 * Owns:    the libunbound contexts and the questions under way.
 * Borrows: the loop; the options of dns_query_new() (files are read again at every dns_query_forget()).
 * Errors:  a failure is a result, with why it failed.
 * Threads: one; libunbound works on our loop. Answers come from the loop, never from inside dns_query_ask(). */
#ifndef ENGINE_DNS_QUERY_H
#define ENGINE_DNS_QUERY_H

#include "base/err.h"
#include "base/loop.h"
#include "engine/dns_answer.h"

struct dns_options {
    const char *root_hints, *trust_anchor; /* files */
    const char *options_file;              /* "name: value" lines for ub_ctx_set_option(); NULL: none */
    const char *forward;                   /* address of a resolver instead of the roots; NULL */
    uint16_t port;                         /* of SMTP hosts: 25 */
    bool ipv4, ipv6;
};
enum dns_how {
    DNS_VALIDATED,
    DNS_OVERRIDE_BOGUS, /* what is bogus is asked again without validation and then TRUST_OVERRIDDEN */
    DNS_PAST_CACHE,     /* validated, nothing remembered is used */
};

struct dns_result {
    enum dns_trust trust;
    bool nxdomain;
    struct dns_answer answer; /* unless trust_is_failure(): then names alone */
    const char *why;          /* when failed: "TLSA _25._tcp.mx.example: bogus (...)" */
};

struct dns_query;

struct dns_query *dns_query_new(const struct dns_options *options, struct loop *loop, struct err *err) NODISCARD;
void dns_query_free(struct dns_query **query); /* questions under way are never answered */
/* Fresh contexts; questions under way are answered as failed. The old ones stay in use when that does not work out. */
bool dns_query_forget(struct dns_query *query, struct err *err) NODISCARD;
void dns_query_ask(struct dns_query *query, struct arena *arena, const char *name, uint16_t type, enum dns_how how,
                   void (*done)(void *arg, const struct dns_result *result), void *arg);

#endif
