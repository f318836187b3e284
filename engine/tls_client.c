/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tls_client.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { AUTH_LEVEL = 1, OPPORTUNISTIC_LEVEL = 0 /* OpenSSL's security levels */, WAITING_MAX = 256 * 1024 };
enum { RESUMED_BYTES_MAX = 16 * 1024 /* of a ticket and the chain kept with it: a peer chooses both */ };

struct tls_client {
    SSL_CTX *ctx;
    X509_STORE *roots;
    struct revocation *revocation;
    struct tickets *tickets;
    int resumable_index; /* of struct resumable in an SSL */
};

/* A connection whose session may be resumed, or is. */
struct resumable {
    char *channel;
    time_t proven; /* when the peer showed its certificate */
    bool offered;  /* there was a session to resume */
    bool passed;   /* every demand is met: its tickets are worth something */
};

static void free_resumable(void *ssl UNUSED, void *resumable, CRYPTO_EX_DATA *data UNUSED, int index UNUSED,
                           long argl UNUSED, void *argp UNUSED)
{
    struct resumable *r = resumable;
    if (r != NULL)
        free(r->channel);
    free(r);
}

static int judged_later(X509_STORE_CTX *check UNUSED, void *arg UNUSED)
{
    return 1;
}

static int on_ticket(SSL *ssl, SSL_SESSION *session);

const char *tls_openssl_reason(void)
{
    unsigned long first = ERR_peek_error(), last = ERR_peek_last_error();
    const char *reason = last != 0 ? ERR_reason_error_string(last) : NULL;
    if (ERR_SYSTEM_ERROR(first))
        reason = strerror(ERR_GET_REASON(first)); /* what is above it says "system lib" only */
    ERR_clear_error();
    return reason != NULL ? reason : "OpenSSL does not say why";
}

struct tls_client *tls_client_new(const char *ca_file, struct err *err)
{
    struct tls_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        abort();
    client->ctx = SSL_CTX_new(TLS_client_method());
    client->roots = X509_STORE_new();
    if (client->ctx == NULL || client->roots == NULL || SSL_CTX_dane_enable(client->ctx) != 1) {
        err_set(err, ERR_SYSTEM, "cannot set up TLS: %s", tls_openssl_reason());
        tls_client_free(&client);
        return NULL;
    }
    int loaded =
        ca_file != NULL ? X509_STORE_load_file(client->roots, ca_file) : X509_STORE_set_default_paths(client->roots);
    if (loaded != 1) {
        err_set(err, ERR_INPUT, "cannot read the roots in %s: %s", ca_file != NULL ? ca_file : "OpenSSL's own place",
                tls_openssl_reason());
        tls_client_free(&client);
        return NULL;
    }
    /* Up to TLS 1.2 whoever learns the server's ticket key reads what was said before: no tickets, no resumption. */
    SSL_CTX_set_session_cache_mode(client->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client->ctx, on_ticket);
    SSL_CTX_set_app_data(client->ctx, client);
    client->resumable_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_resumable);
    SSL_CTX_set_options(client->ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* SMTP says by itself when it is over: a peer that just closes after its last reply takes nothing away. */
    SSL_CTX_set_options(client->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* The handshake goes on whatever is shown: tls_client_judge() has the verdict, of new sessions and resumed ones. */
    SSL_CTX_set_cert_verify_callback(client->ctx, judged_later, NULL);
    return client;
}

void tls_client_free(struct tls_client **client)
{
    if (client == NULL || *client == NULL)
        return;
    SSL_CTX_free((*client)->ctx);
    X509_STORE_free((*client)->roots);
    free(*client);
    *client = NULL;
}

void tls_client_set_revocation(struct tls_client *client, struct revocation *revocation)
{
    client->revocation = revocation;
}

void tls_client_set_tickets(struct tls_client *client, struct tickets *tickets)
{
    client->tickets = tickets;
}

/* What a channel is judged by, as one line */

static_assert(sizeof(void *) != 8 || sizeof(struct tls_demands) == 96, "a new demand belongs in tls_demands_key()");

static void print_record(const struct tlsa_record *r, FILE *out)
{
    fprintf(out, " %d-%d-%d-", r->usage, r->selector, r->matching);
    for (size_t i = 0; i < r->length; i++)
        fprintf(out, "%02x", r->data[i]);
}

/* A peer chooses how many records there are: each is written once. */
char *tls_demands_key(struct arena *arena, const struct tls_demands *d)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    fprintf(out, "%d%d%d%d%d sni=%s host=%s base=%s domain=%s", (int)d->demand, d->watch_pkix, d->keep_chain,
            d->as_exchange, (int)d->connector, d->sni != NULL ? d->sni : "", d->pkix_host != NULL ? d->pkix_host : "",
            d->tlsa_base != NULL ? d->tlsa_base : "", d->tls_domain != NULL ? d->tls_domain : "");
    for (size_t i = 0; i < d->dane_name_count; i++)
        fprintf(out, " name=%s", d->dane_names[i]);
    for (size_t i = 0; i < d->record_count; i++)
        print_record(&d->records[i], out);
    fclose(out);
    char *key = arena_strdup(arena, text);
    free(text);
    return key;
}

/* Before the handshake */

static bool wants_dane(const struct tls_demands *d)
{
    return d->demand == DEMAND_DANE || d->demand == DEMAND_DANE_AND_PKIX;
}

static bool wants_pkix(const struct tls_demands *d)
{
    return d->demand == DEMAND_PKIX || d->demand == DEMAND_DANE_AND_PKIX;
}

static bool wants_anything(const struct tls_demands *d)
{
    return d->demand != DEMAND_NOTHING || d->connector != TLS_SETTING_OPPORTUNISTIC;
}

/* Names for SNI and for comparison have no trailing dot (6066-3). */
static const char *plain_name(struct arena *arena, const char *name)
{
    return text_name(arena, name);
}

/* Where nothing demands TLS, old TLS is better than none (7435-3); else TLS 1.2 is the least (9325-3.1.1, 8461-7.2). */
static bool set_strength(SSL *ssl, const struct tls_demands *d)
{
    SSL_set_security_level(ssl, wants_anything(d) ? AUTH_LEVEL : OPPORTUNISTIC_LEVEL);
    return SSL_set_min_proto_version(ssl, wants_anything(d) ? TLS1_2_VERSION : TLS1_VERSION) == 1;
}

/* 7672-8.1-1, 8461-7.1-3 */
static bool set_sni(SSL *ssl, struct arena *arena, const struct tls_demands *d)
{
    if (d->sni == NULL)
        return true;
    return SSL_set_tlsext_host_name(ssl, plain_name(arena, d->sni)) == 1;
}

/* The TLSA records and the names that DANE-TA accepts: the base domain, the next-hop domain, and what that expands to
 * (7672-3.2.2). DANE-EE looks at neither names nor dates (7672-3.1.1). */
static bool set_dane(SSL *ssl, struct arena *arena, const struct tls_demands *d)
{
    if (SSL_dane_enable(ssl, plain_name(arena, d->tlsa_base)) != 1)
        return false;
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS); /* 7672-3.2.3-3 */
    for (size_t i = 0; i < d->dane_name_count; i++)
        if (SSL_add1_host(ssl, plain_name(arena, d->dane_names[i])) != 1)
            return false;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct tlsa_record *r = &d->records[i];
        /* A record that OpenSSL refuses after all can match nothing, so it is left out: the demand stands. */
        if (SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching, r->data, r->length) < 0)
            return false;
    }
    return true;
}

static bool checks_certificate(const struct tls_demands *d)
{
    return d->connector == TLS_SETTING_CERTIFICATE_VALIDATION || d->connector == TLS_SETTING_DOMAIN_VALIDATION;
}

/* Sessions to be resumed */

/* A stapled response counts for its own handshake: whoever asks for revocations has a new one each time. */
static bool may_resume(const struct tls_client *client, const struct tls_demands *d)
{
    return client->tickets != NULL && d->channel != NULL && !checks_certificate(d);
}

static bool set_resumption(struct tls_client *client, SSL *ssl, const struct tls_demands *d)
{
    struct resumable *r = calloc(1, sizeof *r);
    if (r == NULL || (r->channel = strdup(d->channel)) == NULL)
        abort();
    SSL_SESSION *session = tickets_take(client->tickets, d->channel, &r->proven);
    bool good = SSL_set_ex_data(ssl, client->resumable_index, r) == 1;
    if (session != NULL)
        r->offered = SSL_set_session(ssl, session) == 1; /* where it cannot be had, the handshake is a full one */
    SSL_SESSION_free(session);
    return good;
}

static void note_passed(struct tls_client *client, SSL *ssl)
{
    struct resumable *r = SSL_get_ex_data(ssl, client->resumable_index);
    if (r == NULL)
        return;
    r->passed = true;
    if (!SSL_session_reused(ssl))
        r->proven = tickets_now(client->tickets);
}

bool tls_client_owes_full_handshake(struct tls_client *client, struct bufferevent *io)
{
    SSL *ssl = bufferevent_openssl_get_ssl(io);
    const struct resumable *r = ssl != NULL ? SSL_get_ex_data(ssl, client->resumable_index) : NULL;
    if (r == NULL || !r->offered)
        return false;
    tickets_forget_channel(client->tickets, r->channel);
    return true;
}

static bool is_small(SSL *ssl, const SSL_SESSION *session)
{
    const unsigned char *ticket;
    size_t bytes = 0;
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    SSL_SESSION_get0_ticket(session, &ticket, &bytes);
    for (int i = 0; i < sk_X509_num(chain); i++)
        bytes += (size_t)i2d_X509(sk_X509_value(chain, i), NULL);
    return bytes <= RESUMED_BYTES_MAX;
}

/* The session stays the connection's, which spoils it where it ends without a close_notify: a copy is kept. */
static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct tls_client *client = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct resumable *r = SSL_get_ex_data(ssl, client->resumable_index);
    if (r == NULL || !r->passed || SSL_version(ssl) < TLS1_3_VERSION || !is_small(ssl, session))
        return 0;
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    if (copy != NULL)
        tickets_give(client->tickets, r->channel, copy, r->proven);
    return 0;
}

static SSL *session_new(struct tls_client *client, const struct tls_demands *d)
{
    SSL *ssl = SSL_new(client->ctx);
    struct arena *arena = arena_new("TLS session");
    bool good = ssl != NULL && set_strength(ssl, d) && set_sni(ssl, arena, d) &&
                (!wants_dane(d) || set_dane(ssl, arena, d)) &&
                (!checks_certificate(d) || SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp) == 1) &&
                (!may_resume(client, d) || set_resumption(client, ssl, d));
    arena_free(&arena);
    if (good)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

bool tls_client_start(struct tls_client *client, struct bufferevent **io, const struct tls_demands *demands,
                      struct err *err)
{
    /* 3207-6-3: what came in the clear behind the 220 was never protected; an attacker may have put it there. */
    if (evbuffer_get_length(bufferevent_get_input(*io)) > 0)
        return err_set(err, ERR_PEER, "plaintext came behind the reply to STARTTLS");
    ERR_clear_error();
    SSL *ssl = session_new(client, demands);
    if (ssl == NULL)
        return err_set(err, ERR_SYSTEM, "cannot prepare TLS: %s", tls_openssl_reason());
    bufferevent_setwatermark(*io, EV_WRITE, 0, WAITING_MAX); /* else what is written here piles up below */
    struct bufferevent *tls = bufferevent_openssl_filter_new(bufferevent_get_base(*io), *io, ssl,
                                                             BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    if (tls == NULL) {
        SSL_free(ssl);
        return err_set(err, ERR_SYSTEM, "cannot stack TLS on the connection");
    }
    *io = tls;
    return true;
}

/* After the handshake */

/* What an error of OpenSSL's verification means for DANE, for a report (RFC 8460 4.3), and in words. */
static const struct meaning {
    int code;
    enum policy_reason dane;
    const char *report, *word;
} meanings[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, REASON_CERTIFICATE_EXPIRED, "certificate-expired", "Expired"},
    {X509_V_ERR_CERT_NOT_YET_VALID, REASON_TLSA_INVALID, "certificate-expired", "NotYetValid"},
    {X509_V_ERR_HOSTNAME_MISMATCH, REASON_CERTIFICATE_HOST_MISMATCH, "certificate-host-mismatch", "SubjectMismatch"},
    {X509_V_ERR_DANE_NO_MATCH, REASON_TLSA_INVALID, "validation-failure", "NoTlsaMatch"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, REASON_TLSA_INVALID, "certificate-not-trusted", "UntrustedRoot"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, REASON_TLSA_INVALID, "certificate-not-trusted", "UntrustedRoot"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, REASON_TLSA_INVALID, "certificate-not-trusted", "UntrustedRoot"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, REASON_TLSA_INVALID, "certificate-not-trusted", "UntrustedRoot"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, REASON_TLSA_INVALID, "certificate-not-trusted", "UntrustedRoot"},
};
static const struct meaning any_other = {-1, REASON_TLSA_INVALID, "certificate-not-trusted", "Invalid"};

static const struct meaning *meaning_of(int code)
{
    for (size_t i = 0; i < COUNT(meanings); i++)
        if (meanings[i].code == code)
            return &meanings[i];
    return &any_other;
}

static const char *words_of(struct arena *arena, int code)
{
    return arena_printf(arena, "%s (%s)", meaning_of(code)->word, X509_verify_cert_error_string(code));
}

/* How the name is compared when a chain is checked against our roots. */
enum name_rule { NAME_ANY, NAME_SAN_ONLY /* 8461-4.2-3 */, NAME_SAN_OR_CN };

static bool set_name(X509_VERIFY_PARAM *param, const char *name, enum name_rule rule)
{
    if (rule == NAME_ANY)
        return true;
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (rule == NAME_SAN_ONLY)
        flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    X509_VERIFY_PARAM_set_hostflags(param, flags);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

/* The chain that the peer showed, in this handshake or in the one that is resumed. NULL: it has shown nothing. */
static X509_STORE_CTX *check_new(SSL *ssl, X509_STORE *roots)
{
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    if (leaf == NULL)
        return NULL;
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    if (check == NULL || X509_STORE_CTX_init(check, roots, leaf, SSL_get_peer_cert_chain(ssl)) != 1)
        abort();
    X509_STORE_CTX_set_default(check, "ssl_server");
    return check;
}

/* A verdict of OpenSSL, and how it puts it: X509_V_OK, or why not. */
static int check_verdict(X509_STORE_CTX *check)
{
    int verdict = X509_verify_cert(check) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(check);
    ERR_clear_error();
    return verdict;
}

static bool has_a_name(X509 *leaf, struct arena *arena, const struct tls_demands *d)
{
    bool has =
        X509_check_host(leaf, plain_name(arena, d->tlsa_base), 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
    for (size_t i = 0; !has && i < d->dane_name_count; i++)
        has = X509_check_host(leaf, plain_name(arena, d->dane_names[i]), 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                              NULL) == 1;
    return has;
}

/* What Microsoft says of a certificate that a record matches, without a word of the record's usage. */
static int exchange_verdict(X509 *leaf, struct arena *arena, const struct tls_demands *d)
{
    if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
        return X509_V_ERR_CERT_HAS_EXPIRED;
    if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
        return X509_V_ERR_CERT_NOT_YET_VALID;
    return has_a_name(leaf, arena, d) ? X509_V_OK : X509_V_ERR_HOSTNAME_MISMATCH;
}

/* By the records and names of set_dane(), and no roots. */
static int dane_verdict(struct tls_client *client, SSL *ssl)
{
    X509_STORE_CTX *check = check_new(ssl, SSL_CTX_get_cert_store(client->ctx));
    if (check == NULL)
        return X509_V_ERR_DANE_NO_MATCH;
    X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(check), SSL_get0_param(ssl));
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(check), AUTH_LEVEL);
    X509_STORE_CTX_set0_dane(check, SSL_get0_dane(ssl));
    int verdict = check_verdict(check);
    X509_STORE_CTX_free(check);
    SSL_set_verify_result(ssl, verdict); /* which SSL_get0_dane_authority() goes by */
    if (verdict != X509_V_OK)
        return verdict;
    return SSL_get0_dane_authority(ssl, NULL, NULL) >= 0 ? X509_V_OK : X509_V_ERR_DANE_NO_MATCH;
}

/* The chain the peer showed, up to one of our roots, for a TLS server now (8461-4.2, RFC 5280). *chain, if wanted: as
 * it was verified. */
static int pkix_chain_verdict(struct tls_client *client, SSL *ssl, const char *name, enum name_rule rule,
                              STACK_OF(X509) **chain)
{
    X509_STORE_CTX *check = check_new(ssl, client->roots);
    if (check == NULL)
        return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(check);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    int verdict = X509_V_ERR_UNSPECIFIED;
    if (set_name(param, name, rule))
        verdict = check_verdict(check);
    if (chain != NULL && verdict == X509_V_OK)
        *chain = X509_STORE_CTX_get1_chain(check);
    X509_STORE_CTX_free(check);
    return verdict;
}

static int pkix_verdict(struct tls_client *client, SSL *ssl, const char *name, enum name_rule rule)
{
    return pkix_chain_verdict(client, ssl, name, rule, NULL);
}

/* The connector's domain, or "*.domain": any name below it. */
static int connector_verdict(struct tls_client *client, SSL *ssl, struct arena *arena, const struct tls_demands *d)
{
    if (d->connector == TLS_SETTING_CERTIFICATE_VALIDATION || d->tls_domain == NULL)
        return pkix_verdict(client, ssl, NULL, NAME_ANY);
    const char *name = plain_name(arena, d->tls_domain);
    if (strncmp(name, "*.", 2) == 0)
        name++; /* OpenSSL: ".domain" is whatever ends in it */
    return pkix_verdict(client, ssl, name, NAME_SAN_OR_CN);
}

/* The first demand that is not met is the reason told. */
static void unmet(struct tls_outcome *out, enum policy_reason reason, const char *detail)
{
    if (out->reason != REASON_NONE)
        return;
    out->reason = reason;
    out->detail = detail;
}

static void judge_dane(struct tls_client *client, SSL *ssl, const struct tls_demands *d, struct arena *arena,
                       struct tls_outcome *out)
{
    int verdict = dane_verdict(client, ssl);
    if (verdict == X509_V_OK && d->as_exchange)
        verdict = exchange_verdict(SSL_get0_peer_certificate(ssl), arena, d);
    out->dane_passed = verdict == X509_V_OK;
    if (out->dane_passed)
        return;
    out->dane_failure = meaning_of(verdict)->report;
    unmet(out, meaning_of(verdict)->dane,
          verdict == X509_V_ERR_DANE_NO_MATCH ? "no TLSA record matches" : words_of(arena, verdict));
}

static void judge_pkix(struct tls_client *client, SSL *ssl, const struct tls_demands *d, struct arena *arena,
                       struct tls_outcome *out)
{
    enum name_rule rule = d->as_exchange ? NAME_SAN_OR_CN : NAME_SAN_ONLY;
    int verdict = pkix_verdict(client, ssl, plain_name(arena, d->pkix_host), rule);
    out->pkix_passed = verdict == X509_V_OK;
    if (out->pkix_passed)
        return;
    out->pkix_failure = meaning_of(verdict)->report;
    out->pkix_detail = words_of(arena, verdict);
    if (wants_pkix(d))
        unmet(out, REASON_STS_CERTIFICATE, out->pkix_detail);
}

static void judge_connector(struct tls_client *client, SSL *ssl, const struct tls_demands *d, struct arena *arena,
                            struct tls_outcome *out)
{
    int verdict = connector_verdict(client, ssl, arena, d);
    if (verdict != X509_V_OK)
        unmet(out, REASON_CONNECTOR_CERTIFICATE, words_of(arena, verdict));
}

static int64_t end_of(const X509 *certificate)
{
    struct tm tm;
    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static struct certificate der_of(struct arena *arena, X509 *x509)
{
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    struct certificate copy = {NULL, length > 0 ? (size_t)length : 0};
    copy.der = arena_memdup(arena, length > 0 ? der : (const unsigned char *)"", copy.length);
    OPENSSL_free(der);
    return copy;
}

static void keep_chain(SSL *ssl, struct arena *arena, struct tls_outcome *out)
{
    STACK_OF(X509) *shown = SSL_get_peer_cert_chain(ssl);
    int count = shown != NULL ? sk_X509_num(shown) : 0;
    struct certificate *chain = arena_alloc(arena, ((size_t)count + 1) * sizeof *chain);
    for (int i = 0; i < count; i++)
        chain[out->chain_length++] = der_of(arena, sk_X509_value(shown, i));
    out->chain = chain;
}

static void describe(SSL *ssl, struct arena *arena, struct tls_outcome *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    out->encrypted = true;
    out->resumed = SSL_session_reused(ssl);
    out->version = arena_strdup(arena, SSL_get_version(ssl));
    out->cipher = arena_strdup(arena, SSL_get_cipher_name(ssl));
    if (leaf != NULL && X509_digest(leaf, EVP_sha256(), digest, &length) == 1)
        out->certificate_sha256 = text_hex(arena, digest, length);
    if (leaf != NULL)
        out->certificate_until = end_of(leaf);
}

void tls_client_judge(struct tls_client *client, struct bufferevent *io, const struct tls_demands *demands,
                      struct arena *arena, struct tls_outcome *out)
{
    SSL *ssl = bufferevent_openssl_get_ssl(io);
    *out = (struct tls_outcome){.reason = REASON_NONE};
    describe(ssl, arena, out);
    if (demands->keep_chain)
        keep_chain(ssl, arena, out);
    if (wants_dane(demands))
        judge_dane(client, ssl, demands, arena, out);
    if (wants_pkix(demands) || demands->watch_pkix)
        judge_pkix(client, ssl, demands, arena, out);
    if (checks_certificate(demands))
        judge_connector(client, ssl, demands, arena, out);
    if (out->reason == REASON_NONE)
        note_passed(client, ssl);
    if (out->reason == REASON_NONE && out->resumed)
        out->detail = "the TLS session was resumed; what its server had shown was judged anew";
}

struct revocation_check *tls_client_ask_revocation(struct tls_client *client, struct bufferevent *io,
                                                   const struct tls_demands *demands, revocation_done *done, void *arg)
{
    SSL *ssl = bufferevent_openssl_get_ssl(io);
    STACK_OF(X509) *chain = NULL;
    const unsigned char *stapled = NULL;
    if (client->revocation == NULL || !checks_certificate(demands) ||
        pkix_chain_verdict(client, ssl, NULL, NAME_ANY, &chain) != X509_V_OK)
        return NULL;
    long length = SSL_get_tlsext_status_ocsp_resp(ssl, &stapled);
    return revocation_start(client->revocation, chain, stapled, length > 0 ? (size_t)length : 0, done, arg);
}

const char *tls_client_failure(struct bufferevent *io, struct arena *arena)
{
    const char *text = "the peer ended the connection in the TLS handshake";
    for (unsigned long code; (code = bufferevent_get_openssl_error(io)) != 0;) {
        const char *reason = ERR_reason_error_string(code);
        if (reason != NULL)
            text = reason;
    }
    return arena_strdup(arena, text);
}
