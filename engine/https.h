/* SPDX-License-Identifier: BSD-2-Clause
 * https - one HTTPS request, to addresses that we have found ourselves; the engine's door to libcurl.
 *
 * Nothing of what libcurl would take from the environment, from an answer's headers or from an earlier request: no
 * proxy, no redirect, no caching, no other protocol. The certificate must name the host by a DNS-ID.
 *
 * Owns:    the libcurl multi handle and the requests under way.
 * Borrows: the loop; of a request everything, until the answer.
 * Errors:  a request that fails is an answer, with why.
 * Threads: one; answers come from the loop. Requests under way at https_free() are never answered. */
#ifndef ENGINE_HTTPS_H
#define ENGINE_HTTPS_H

#include "base/loop.h"
#include "base/netaddr.h"

struct https;

struct https_request {
    const char *url, *host; /* host: A-labels, as in the URL */
    uint16_t port;
    const struct netaddr *addresses; /* tried in turn */
    size_t address_count;
    const char *body; /* NULL: GET; else POST, of that media type */
    size_t length;
    const char *type;
    size_t answer_max; /* of body and of headers each; more breaks it off */
};
enum https_outcome { HTTPS_ANSWERED, HTTPS_BAD_CERTIFICATE, HTTPS_FAILED };
struct https_answer {
    enum https_outcome outcome;
    long status;
    const char *type; /* Content-Type; NULL: none */
    const char *body;
    size_t length;
    const char *why; /* HTTPS_BAD_CERTIFICATE, HTTPS_FAILED: one sentence */
};

struct https *https_new(const char *ca_file, double timeout_s, struct loop *loop, struct err *err) NODISCARD;
void https_free(struct https **https);
void https_send(struct https *https, struct arena *arena, const struct https_request *request,
                void (*done)(void *arg, const struct https_answer *answer), void *arg);

#endif
