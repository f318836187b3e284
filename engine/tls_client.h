/* SPDX-License-Identifier: BSD-2-Clause
 * tls_client - the TLS layer put under an unchanged SMTP session, and the check of the peer's certificate that the
 * decision demands: DANE (RFC 7672), PKIX with the MX host's name (RFC 8461), a connector's own domain, or nothing.
 *
 * A session is resumed (TLS 1.3 only) where the earlier one was judged by the very same, passed, and the connector does
 * not ask for revocations, which want a fresh answer. The chain of the earlier one is judged anew, by today's records,
 * roots and date.
 *
 * Owns:    the SSL_CTX with the CA bundle.
 * Errors:  false with *err filled (ERR_PEER) and the reason in the result.
 * Threads: one. */
#ifndef ENGINE_TLS_CLIENT_H
#define ENGINE_TLS_CLIENT_H

#include <event2/bufferevent.h>
#include <openssl/ssl.h>

#include "engine/certificate.h"
#include "engine/policy.h"
#include "engine/revocation.h"
#include "engine/tickets.h"

struct tls_client;

struct tls_client *tls_client_new(const char *ca_file, struct err *err) NODISCARD;
void tls_client_free(struct tls_client **client);
/* What OpenSSL says of its last failure, as one sentence; its queue is then empty. */
const char *tls_openssl_reason(void);
/* Borrowed; without it nobody is asked about revocation. */
void tls_client_set_revocation(struct tls_client *client, struct revocation *revocation);
/* Borrowed; without it no session is resumed. */
void tls_client_set_tickets(struct tls_client *client, struct tickets *tickets);

struct tls_demands {
    enum tls_demand demand;
    bool watch_pkix;       /* check PKIX too, report only */
    const char *sni;       /* TLSA base domain under DANE (7672-8.1), else the host; NULL: none, it is an address */
    const char *pkix_host; /* the MX host as in the MX record */
    const struct tlsa_record *records;
    size_t record_count;
    const char *tlsa_base;
    const char *const *dane_names;
    size_t dane_name_count; /* further reference identifiers: next-hop domain and its expanded form */
    enum tls_setting connector;
    const char *tls_domain; /* the connector's own demand, on top */
    bool as_exchange;       /* DANE-EE looks at dates and names, and MTA-STS takes a CN */
    bool keep_chain;        /* what the peer showed is to be looked at afterwards */
    const char *channel;    /* sessions_key(): a TLS session is resumed in the same one alone; NULL: never */
};
/* Everything in it but the channel as one line: two channels with different lines are judged differently. */
char *tls_demands_key(struct arena *arena, const struct tls_demands *demands);

struct tls_outcome {
    bool encrypted, dane_passed, pkix_passed;
    bool resumed; /* the peer proved earlier that it has the certificate's key; what it had shown is judged anew */
    enum policy_reason reason; /* REASON_NONE: every demand is met */
    const char *detail;        /* "no TLSA record matches", "Expired (certificate has expired)", ... arena; where every
                                * demand is met: that the session was resumed, or what nobody would say of a
                                * revocation */
    const char *dane_failure, *pkix_failure; /* TLS-RPT result types of failed checks, also of PKIX only watched */
    const char *pkix_detail;                 /* as detail, for the PKIX check alone */
    const char *version, *cipher, *certificate_sha256; /* arena; hex */
    int64_t certificate_until;                         /* UTC seconds; 0: unknown */
    const struct certificate *chain;                   /* keep_chain: the leaf first */
    size_t chain_length;
};

/* Turns the plaintext link into TLS in place; *io is then owned by the new layer. Fails if bytes came behind the 220
 * (CVE-2021-22947). The handshake itself runs on the loop: BEV_EVENT_CONNECTED or an error event follows. Certificate
 * checks never abort the handshake: they are judged afterwards by tls_client_judge, before any command is sent. */
bool tls_client_start(struct tls_client *client, struct bufferevent **io, const struct tls_demands *demands,
                      struct err *err) NODISCARD;
/* After BEV_EVENT_CONNECTED: are the demands met? */
void tls_client_judge(struct tls_client *client, struct bufferevent *io, const struct tls_demands *demands,
                      struct arena *arena, struct tls_outcome *out);
/* When every demand is met, and the connector's own wants to know whether a certificate is revoked: done() follows.
 * NULL: nobody has to be asked. */
struct revocation_check *tls_client_ask_revocation(struct tls_client *client, struct bufferevent *io,
                                                   const struct tls_demands *demands, revocation_done *done, void *arg);
/* After a handshake that came to nothing: was a session to be resumed by it? Then none of its channel will be: servers,
 * and what stands before them, may bear no ticket, and a full handshake is owed. */
bool tls_client_owes_full_handshake(struct tls_client *client, struct bufferevent *io);
/* After an error event in the handshake: why, in one sentence. */
const char *tls_client_failure(struct bufferevent *io, struct arena *arena);

#endif
