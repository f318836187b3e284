/* SPDX-License-Identifier: BSD-2-Clause
 * fakemx - many MX hosts in one process, each doing exactly what it is told, right or wrong.
 *
 * Owns:    sockets, sessions, TLS contexts.
 * Borrows: loop, journal, clock and every identity; they must outlive it. The config only during the call.
 * Errors:  false or NULL with *err filled.
 * Threads: one. Every byte a client sends is bounded (line 4 KiB, message 1 MiB, 200 sessions). */
#ifndef FAKEMX_FAKEMX_H
#define FAKEMX_FAKEMX_H

#include "base/clock.h"
#include "base/identity.h"
#include "base/journal.h"
#include "base/loop.h"
#include "base/schema.h"

/* What to do at a step instead of the usual; settings of one step form a list, the first whose nth fits is taken. */
enum mx_act { MX_REPLY, MX_STALL, MX_RESET, MX_CLOSE };
struct mx_doing {
    int act;                  /* enum mx_act; reply by default */
    const char *reply;        /* "450 4.2.0 later"; lines split by \n; the code goes in front of each line as SMTP wants */
    int64_t nth;              /* only the n-th time this step is reached at this host; 0: always */
    struct srcpos at;
};
extern const struct schema mx_doing_schema;         /* short form: "450 4.2.0 later", "stall", "reset", "close" */

/* Everything that can be set about a host's behaviour: mx_behaviour.c holds one row for each. Keys of the file are
 * the member names with '-' for '_'. */
struct mx_behaviour {
    int tcp;                  /* accept | refuse | reset (right after accept) | stall (accept, never greet) */
    int starttls;             /* offered | hidden | refused-454 | refused-502 | stripped (a man in the middle blanks it
                               * and answers 500) | broken (220, then garbage instead of TLS) | reset (220, then RST)
                               * | close (220, then FIN) | stall (220, then silence) | alert (fatal handshake_failure) */
    struct schema_list greeting, ehlo, helo, mail, rcpt, data, end_of_data, quit;   /* of struct mx_doing */
    struct schema_texts keywords;        /* EHLO keywords besides STARTTLS: default PIPELINING, SIZE 10240000, 8BITMIME,
                                          * ENHANCEDSTATUSCODES */
    struct schema_texts tls_keywords;    /* the same after STARTTLS; empty: as before */
    int tls_versions;         /* any | tls1.2-only | tls1.3-only | tls1.0-only */
    const char *inject;       /* bytes sent in clear right behind the 220 of STARTTLS; NULL: none (\r \n \t escapes) */
    bool sni_required;        /* abort with unrecognized_name when SNI is not one of the host's names */
};
extern const struct schema mx_behaviour_schema;

struct fakemx_host {
    const char *name;                                /* "mx1.partner.example"; greets with it; journal's host */
    const char *const *addresses; size_t address_count;
    uint16_t port;                                   /* 0: 25 */
    const struct mx_behaviour *behaviour;            /* NULL: well-behaved */
    const struct identity *identity;                 /* NULL: none, STARTTLS is not offered */
    struct fakemx_sni { const char *name; const struct identity *identity; } *sni; size_t sni_count;
    const char *identity_label;                      /* "expired", "key 41aa..": how the journal calls what was shown; NULL: made */
    /* Ids for FAULT_HIT. Behaviour that departs from the usual reports "<fault_prefix><setting>", e.g.
     * "mx1.partner.example:starttls", when it is stepped on; a handshake in which the certificate was sent reports
     * certificate_fault when that is not NULL. fault_prefix NULL: "<name>:". */
    const char *fault_prefix;
    const char *certificate_fault;
};

struct fakemx_config { const struct fakemx_host *hosts; size_t host_count; };

struct fakemx;

struct fakemx *fakemx_new(const struct fakemx_config *config, struct loop *loop, struct journal *journal,
                          struct err *err) NODISCARD;
bool fakemx_listen(struct fakemx *mx, struct err *err) NODISCARD;
/* Another world; sessions under way go on as they were; counters of n-th start anew for hosts whose behaviour changed. */
bool fakemx_change(struct fakemx *mx, const struct fakemx_config *config, struct err *err) NODISCARD;
void fakemx_free(struct fakemx **mx);

/* A setting that departs from the usual, for the plan: calls found() with each setting's name, e.g. "starttls". */
void mx_behaviour_departures(const struct mx_behaviour *behaviour, void (*found)(void *arg, const char *setting), void *arg);

/* What was accepted: messages are journal events MX_MESSAGE; the full text can be had here while the fake lives. */
const char *fakemx_message(const struct fakemx *mx, const char *token, size_t *length);  /* by "X-Mtalab-Token:" or by the
                                  * token appearing anywhere in it; the latest; NULL: none */
#endif
