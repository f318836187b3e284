/* SPDX-License-Identifier: BSD-2-Clause
 * fakemx - many MX hosts in one process, each doing exactly what it is told, right or wrong.
 *
 * Owns:    sockets, sessions, TLS contexts.
 * Borrows: loop, journal, clock and every identity; they must outlive it. The config only during the call.
 * Errors:  false or NULL with *err filled.
 * Threads: one. Every byte a client sends is bounded (line 4 KiB, message 1 MiB, 200 sessions, and 12,000 with hosts
 * that never say a word). */
#ifndef FAKEMX_FAKEMX_H
#define FAKEMX_FAKEMX_H

#include "base/clock.h"
#include "base/identity.h"
#include "base/journal.h"
#include "base/loop.h"
#include "base/schema.h"

/* What to do at a step instead of the usual; settings of one step form a list, the first whose nth fits is taken. A
 * reply of the usual's class (2xx, 3xx) takes the place of its text; with any other the command has no effect. */
enum mx_act {
    MX_REPLY,
    MX_STALL,
    MX_RESET,
    MX_CLOSE,
    MX_ENDLESS_LINE,
    MX_ENDLESS_LINES,
    MX_DRIP,
    MX_PIECEMEAL,
    MX_DEAF
};
struct mx_doing {
    int act;           /* enum mx_act; reply by default */
    const char *reply; /* "450 4.2.0 later"; lines split by \n; the code goes in front of each line as SMTP wants;
                        * without a code the lines are sent as they are */
    const char *raw;   /* in its place: bytes sent as they are (\r \n \t \0 escapes) */
    int64_t nth;       /* only the n-th time this step is reached at this host; 0: always */
    const char *with;  /* only where the command's line has this in it, in whatever letters; NULL: whatever it says */
    struct srcpos at;
};
extern const struct schema mx_doing_schema; /* short form: "450 4.2.0 later", or what is done instead: "stall" */

/* The reason with which a connection ends that was kept for as long as bytes drip in it. */
#define MX_CUT_OFF "cut off after bytes had dripped for 5 s"

enum mx_tcp { MX_TCP_ACCEPT, MX_TCP_REFUSE, MX_TCP_RESET, MX_TCP_STALL };
enum mx_starttls {
    MX_STARTTLS_OFFERED,
    MX_STARTTLS_HIDDEN,
    MX_STARTTLS_REFUSED_454,
    MX_STARTTLS_REFUSED_502,
    MX_STARTTLS_REFUSED_554,
    MX_STARTTLS_REFUSED_421,
    MX_STARTTLS_ANSWERED_250,
    MX_STARTTLS_STRIPPED,
    MX_STARTTLS_BROKEN,
    MX_STARTTLS_RESET,
    MX_STARTTLS_CLOSE,
    MX_STARTTLS_STALL,
    MX_STARTTLS_ALERT,
    MX_STARTTLS_SLOW,
    MX_STARTTLS_FLOODED,
    MX_STARTTLS_RENEGOTIATED,
};
enum mx_tls_versions { MX_TLS_ANY, MX_TLS_1_2_ONLY, MX_TLS_1_3_ONLY, MX_TLS_1_0_ONLY, MX_TLS_VERSIONS_COUNT };

enum mx_ciphers { MX_CIPHERS_ANY, MX_CIPHERS_ANONYMOUS, MX_CIPHERS_COUNT };
enum mx_groups { MX_GROUPS_ANY, MX_GROUPS_P384_ONLY };

enum mx_client_certificate {
    MX_CLIENT_CERTIFICATE_NOT_ASKED,
    MX_CLIENT_CERTIFICATE_ASKED,
    MX_CLIENT_CERTIFICATE_REQUIRED
};

/* Everything that can be set about a host's behaviour: mx_behaviour.c holds one row for each. Keys of the file are
 * the member names with '-' for '_'. */
struct mx_behaviour {
    /* enum mx_tcp: accept | refuse (nothing listens: no FAULT_HIT can show it) | reset (right after accept) | stall
     * (accept, never greet) */
    int tcp;
    /* enum mx_starttls: offered | hidden | refused-454 | refused-502 | refused-554 | refused-421 (and the connection
     * closed) | answered-250 (which is no 220) | stripped (a man in the middle blanks it and answers 500) | broken
     * (220, garbage instead of TLS) | reset (220, RST) | close (220, FIN) | stall (220, silence) | alert (fatal
     * handshake_failure) | slow (the handshake, a byte every 20 ms) | flooded (after it key updates without end; the
     * host speaks TLS 1.3 alone) | renegotiated (after it a HelloRequest; TLS 1.2 alone). Broken and reset wait for the
     * client's first bytes: it has seen the 220. */
    int starttls;
    struct schema_list greeting, ehlo, helo, mail, rcpt, data, end_of_data, quit; /* of struct mx_doing */
    /* EHLO keywords besides STARTTLS: default PIPELINING, SIZE 1048576, 8BITMIME, ENHANCEDSTATUSCODES. What is not
     * offered is not taken either: CHUNKING, parameters; SIZE is held. */
    struct schema_texts keywords;
    struct schema_texts tls_keywords; /* the same after STARTTLS; empty: as before */
    struct schema_texts offers; /* further keywords, and what they stand for; REQUIRETLS inside TLS alone. No defect. */
    /* enum mx_tls_versions: any (1.2 and 1.3) | tls1.2-only | tls1.3-only | tls1.0-only */
    int tls_versions;
    /* enum mx_ciphers: any | anonymous (suites without a certificate; TLS 1.2 alone) */
    int ciphers;
    /* enum mx_groups: any | p384-only (which no client bets on: TLS 1.3 then takes a HelloRetryRequest, and that is
     * when it is reported) */
    int groups;
    int64_t hello_limit; /* bytes; a longer ClientHello ends the connection; 0: none */
    /* enum mx_client_certificate: not-asked | asked (any will do, or none) | required (any will do) */
    int client_certificate;
    const char *inject;   /* bytes sent in clear right behind the 220 of STARTTLS; NULL: none (\r \n \t escapes) */
    bool session_tickets; /* TLS sessions may be resumed by a ticket; no fault */
    bool ticket_alert;    /* whoever comes back with a ticket is answered by an alert */
    bool sni_required;    /* abort with unrecognized_name when SNI is not one of the host's names */
};
extern const struct schema mx_behaviour_schema;

struct fakemx_sni {
    const char *name;
    const struct identity *identity;
};

struct fakemx_host {
    const char *name; /* "mx1.partner.example"; greets with it; journal's host */
    const char *const *addresses;
    size_t address_count;
    uint16_t port;                        /* 0: 25 */
    const struct mx_behaviour *behaviour; /* NULL: well-behaved */
    const struct identity *identity;      /* NULL: none, STARTTLS is not offered */
    const struct identity *beside;        /* of another kind of key, for clients that do not take the first; or NULL */
    struct fakemx_sni *sni;               /* what is shown to a client that asks for another name */
    size_t sni_count;
    /* "expired": how the journal calls what was shown; NULL: made of the key's digest, like "41aa…07" */
    const char *identity_label;
    /* Ids for FAULT_HIT. Behaviour that departs from the usual reports "<fault_prefix><setting>", e.g.
     * "mx1.partner.example:starttls", each time it takes effect; a handshake in which the certificate was sent reports
     * certificate_fault when that is not NULL. fault_prefix NULL: "<name>:". */
    const char *fault_prefix;
    const char *certificate_fault;
};

struct fakemx_config {
    const struct fakemx_host *hosts;
    size_t host_count;
    bool keys; /* the TLS keys of sessions are witnessed too; as it is at the first configuration */
};

struct fakemx;

struct fakemx *fakemx_new(const struct fakemx_config *config, struct loop *loop, struct journal *journal,
                          struct err *err) NODISCARD;
bool fakemx_listen(struct fakemx *mx, struct err *err) NODISCARD;
/* Another world; sessions under way go on as they were; counters of n-th start anew where the behaviour changed. On
 * failure the old world stays. */
bool fakemx_change(struct fakemx *mx, const struct fakemx_config *config, struct err *err) NODISCARD;
void fakemx_free(struct fakemx **mx);

/* A setting that departs from the usual, for the plan: calls found() with each setting's key, e.g. "end-of-data". */
void mx_behaviour_departures(const struct mx_behaviour *behaviour, void (*found)(void *arg, const char *setting),
                             void *arg);

/* What was accepted: messages are journal events MX_MESSAGE; the full text can be had here while the fake lives. By
 * "X-Mtalab-Token:" or else by the token appearing anywhere in it; the latest; NULL: none. */
const char *fakemx_message(const struct fakemx *mx, const char *token, size_t *length);
/* The n-th that was accepted, from 0; NULL: there are no more. */
const char *fakemx_message_at(const struct fakemx *mx, size_t n, size_t *length);

#endif
