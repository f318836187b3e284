/* SPDX-License-Identifier: BSD-2-Clause
 * fakests - the HTTPS side of MTA-STS: a front of ours on port 443 (TCP, ClientHello and SNI into the journal; TCP and
 * TLS faults), nginx behind it on a unix socket as the HTTPS server of every policy host, and an upstream of ours that
 * sees every request before its answer leaves and does what nginx cannot do wrong.
 *
 * nginx is started at the first connection that needs it.
 *
 * Owns:    sockets, the nginx child, files under the directory given.
 * Borrows: loop, journal and every identity; they must outlive it. The config only during the call.
 * Errors:  false or NULL with *err filled.
 * Threads: one. */
#ifndef FAKESTS_FAKESTS_H
#define FAKESTS_FAKESTS_H

#include "base/clock.h"
#include "base/identity.h"
#include "base/journal.h"
#include "base/loop.h"
#include "base/schema.h"

enum web_https { WEB_HTTPS_OK, WEB_HTTPS_REFUSE, WEB_HTTPS_RESET, WEB_HTTPS_CLOSE, WEB_HTTPS_STALL, WEB_HTTPS_GARBAGE,
                 WEB_HTTPS_ALERT };
enum web_body { WEB_BODY_WHOLE, WEB_BODY_HALF, WEB_BODY_ENDLESS, WEB_BODY_OVERSIZED, WEB_BODY_EMPTY, WEB_BODY_SILENT,
                WEB_BODY_SLOW, WEB_BODY_GIANT, WEB_BODY_EXCESS, WEB_BODY_UNENDED, WEB_BODY_BROKEN_CHUNKS };

/* Everything that can be set about a policy host: web_behaviour.c holds one row for each. */
struct web_behaviour {
    int https;                /* enum web_https: ok | refuse (nothing listens); after the ClientHello was read: reset |
                               * close | stall (silence) | garbage (no TLS) | alert (fatal handshake_failure) */
    int64_t status;           /* 200 */
    const char *location;     /* of a redirect; makes a status of 200 a 301 */
    const char *type;         /* Content-Type; "text/plain"; "" sends none */
    struct schema_texts headers; /* more header lines of the policy's answer; no fault by themselves */
    int body;                 /* enum web_body: whole | half (fewer bytes than Content-Length, then close) | endless |
                               * oversized (valid policy padded beyond 64 KiB) | empty | silent (request read, never
                               * answered) | slow (a byte at a time, never done) | giant (endless behind a
                               * Content-Length of 1 GiB) | excess (more bytes than Content-Length) | unended (chunks
                               * without the last) | broken-chunks (one whose size is no number) */
    const char *policy;       /* the body byte for byte; NULL: the plan's */
    bool reports;             /* takes what is POSTed to it: TLS reports */
    int64_t nth;              /* the settings above hold only for the n-th request for the policy at this host (https:
                               * the n-th connection, where refuse is a reset); 0: always */
};
extern const struct schema web_behaviour_schema;

struct fakests_host {
    const char *name;                                /* "mta-sts.partner.example" */
    const char *const *addresses; size_t address_count;
    uint16_t port;                                   /* 0: 443 */
    const struct web_behaviour *behaviour;           /* NULL: well-behaved */
    const char *policy;                              /* body of /.well-known/mta-sts.txt; NULL: 404 */
    const struct identity *identity;                 /* NULL: only where https never lets TLS begin */
    const char *fault_prefix;                        /* FAULT_HIT ids "<prefix><setting>"; NULL: "<name>:" */
    const char *certificate_fault;                   /* reported when a handshake reached nginx; NULL: none */
    const char *policy_fault;                        /* reported when the policy was served; NULL: none */
};

struct fakests_config {
    const struct fakests_host *hosts; size_t host_count;
    const char *directory;                           /* private, exists; nginx's prefix and the unix sockets */
};

struct fakests;

struct fakests *fakests_new(const struct fakests_config *config, struct loop *loop, struct journal *journal,
                            struct err *err) NODISCARD;
bool fakests_listen(struct fakests *sts, struct err *err) NODISCARD;
bool fakests_change(struct fakests *sts, const struct fakests_config *config, struct err *err) NODISCARD;
void fakests_free(struct fakests **sts);             /* ends nginx */

/* The n-th TLS report that a host with `reports` took, from 0: its bytes; NULL: there are no more. */
const char *fakests_report(const struct fakests *sts, size_t n, const char **type, size_t *length);

/* Calls found() with the name of each setting that departs from the usual. NULL departs in nothing. */
void web_behaviour_departures(const struct web_behaviour *behaviour, void (*found)(void *arg, const char *setting),
                              void *arg);

#endif
