/* SPDX-License-Identifier: BSD-2-Clause
 * resolve - what DNS says about a destination, with its DNSSEC status.
 *
 * Owns:    the resolver (dns_query). Results live in the arena given with the question; the arena must live until the
 *          answer has come. Questions under way at resolve_free() are never answered.
 * Borrows: the loop, and the strings in the options.
 * Errors:  a lookup that fails is a result (trust LOOKUP_FAILED or LOOKUP_BOGUS), never an absence (7672-2.1.2).
 * Threads: one; every callback comes from the event loop, never from inside the call that asked. */
#ifndef ENGINE_RESOLVE_H
#define ENGINE_RESOLVE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/netaddr.h"
#include "engine/dns_query.h"

enum { HOST_ADDRESSES_MAX = 32 };

enum mx_state {
    MX_FOUND,
    MX_IMPLICIT,
    MX_NULL,
    MX_NO_DOMAIN /* NXDOMAIN */,
    MX_NO_ADDRESS /* nothing to connect to */,
    MX_LOOP /* this server is the best of its hosts */,
    MX_LOOKUP_FAILED,
    MX_STATE_COUNT
};

struct mx_host {
    const char *name;
    unsigned preference;
};
struct mx_facts {
    enum mx_state state;
    enum dns_trust trust; /* of the MX RRset and every alias leading to it (7672-2.2.1) */
    const char *domain;   /* as asked, lower case A-labels */
    const char *expanded; /* after aliases; equal to domain if none */
    const struct mx_host *hosts;
    size_t host_count; /* in delivery order: by preference, equals shuffled; implicit: the domain */
    int64_t signed_until; /* UTC seconds: when the first signature ends that vouches for the MX RRset; 0: none does */
    const char *why;   /* one sentence when failed: "MX partner.example: bogus (signature expired)" */
};

enum tlsa_state {
    TLSA_NOT_ASKED, /* DANE none, or the host's addresses are insecure (7672-2.2.2) */
    TLSA_ABSENT,    /* securely denied */
    TLSA_INSECURE,  /* an answer or a denial that is not secure */
    TLSA_UNUSABLE,  /* secure, but no record usable (7672-2.2) */
    TLSA_USABLE,
    TLSA_LOOKUP_FAILED, /* bogus or failed: the host is unreachable (7672-2.1.2) */
};
struct tlsa_record {
    uint8_t usage, selector, matching;
    const unsigned char *data;
    size_t length;
};
struct host_facts {
    const char *name;     /* as in the MX record */
    const char *expanded; /* after aliases */
    enum dns_trust trust; /* of the addresses and the aliases to them */
    const struct netaddr *addresses;
    size_t address_count; /* port 25 or as configured; v6 and v4 in the order to try */
    enum tlsa_state tlsa;
    const char *tlsa_base; /* TLSA_USABLE, TLSA_UNUSABLE: TLSA base domain, expanded or name (7672-2.2.3); else NULL */
    const struct tlsa_record *records;
    size_t record_count; /* the usable ones after digest agility */
    size_t published_count; /* with those behind them that are not to be gone by */
    size_t unusable_count;
    int64_t signed_until; /* as of mx_facts, for addresses and TLSA */
    const char *why; /* one sentence when failed */
};

struct resolve;

struct resolve *resolve_new(const struct dns_options *options, struct loop *loop, struct err *err) NODISCARD;
void resolve_free(struct resolve **resolve);
/* Drops every cached answer and reads the files in the options again; questions under way are answered as failed. */
bool resolve_forget(struct resolve *resolve, struct err *err) NODISCARD;

/* override_bogus: DANE none: bogus data is asked again without validation and then TRUST_OVERRIDDEN. */
void resolve_mx(struct resolve *r, struct arena *arena, const char *domain, bool override_bogus,
                void (*done)(void *arg, const struct mx_facts *facts), void *arg);
/* port: where its SMTP server listens, 0 for that of the options; TLSA is asked for that port (7672-2.2.3).
 * ask_tlsa: the connector looks at DANE and the MX RRset was secure (or dane-insecure-mx: use). */
void resolve_host(struct resolve *r, struct arena *arena, const char *host, uint16_t port, bool ask_tlsa,
                  bool override_bogus, void (*done)(void *arg, const struct host_facts *facts), void *arg);
/* The strings of each TXT record joined (a NUL in them becomes \x01); always validated. */
struct txt_facts {
    enum dns_trust trust;
    bool exists;
    const char **records;
    size_t count;
    const char *why;
};
void resolve_txt(struct resolve *r, struct arena *arena, const char *name,
                 void (*done)(void *arg, const struct txt_facts *facts), void *arg);
/* The same, past every cache. */
void resolve_txt_afresh(struct resolve *r, struct arena *arena, const char *name,
                        void (*done)(void *arg, const struct txt_facts *facts), void *arg);
/* Addresses of a name for HTTPS; always validated. */
void resolve_addresses(struct resolve *r, struct arena *arena, const char *name, uint16_t port,
                       void (*done)(void *arg, const struct host_facts *facts), void *arg);

#endif
