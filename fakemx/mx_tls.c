/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { CHUNK = 16 * 1024, SNI_MAX = 256, NO_ALERT = -1 };
enum { CERTIFICATE_TYPES = 20 }; /* RFC 7250: the extension server_certificate_type */

struct mx_tls_contexts {
    SSL_CTX *items[MX_TLS_VERSIONS_COUNT][MX_CIPHERS_COUNT];
    bool keys;
};

struct mx_tls {
    SSL *ssl;
    BIO *from_client, *to_client; /* owned by ssl */
    const struct mx_witness *witness;
    enum mx_tls_state state;
    bool hello_seen, certificate_sent;
    bool raw_keys;     /* the client would take a key without a certificate */
    unsigned keys;     /* witnessed so far */
    char sni[SNI_MAX]; /* "" when there was none */
    const struct identity *identity;
    int alert_in, alert_out;
};

/* ---- what is shown ---- */

/* "41aa…07": the first two bytes and the last of the key's digest. */
static const char *label_of(struct arena *arena, const struct fakemx_host *host, const struct identity *identity)
{
    if (identity == host->identity && host->identity_label != NULL)
        return host->identity_label;
    const char *digest = identity_tlsa_data(arena, identity, 1, 1);
    return arena_printf(arena, "%.4s…%s", digest, digest + strlen(digest) - 2);
}

static bool is_host_name(const struct fakemx_host *host, const char *name)
{
    if (text_name_equal(host->name, name))
        return true;
    for (size_t i = 0; i < host->sni_count; i++)
        if (text_name_equal(host->sni[i].name, name))
            return true;
    return false;
}

static const struct identity *identity_for(const struct fakemx_host *host, const char *sni)
{
    for (size_t i = 0; i < host->sni_count; i++)
        if (*sni != '\0' && text_name_equal(host->sni[i].name, sni))
            return host->sni[i].identity;
    return host->identity;
}

/* A weak key can only be shown at the lowest security level. */
static bool show(SSL *ssl, const struct identity *identity, struct err *err)
{
    if (identity_use_ssl(identity, ssl, err))
        return true;
    SSL_set_security_level(ssl, 0);
    return identity_use_ssl(identity, ssl, err);
}

/* The host's own, and the one beside it: which of them OpenSSL shows is known when it is shown. */
static bool show_own(SSL *ssl, const struct fakemx_host *host, struct err *err)
{
    return show(ssl, host->identity, err) && (host->beside == NULL || identity_add_ssl(host->beside, ssl, err));
}

static const struct identity *shown(const struct fakemx_host *host, const struct identity *chosen, const SSL *ssl)
{
    bool beside = host->beside != NULL && SSL_get_certificate(ssl) == identity_certificate(host->beside);
    return beside ? host->beside : chosen;
}

/* ---- the ClientHello ---- */

/* RFC 6066 3: list length, then type, name length and name of each. More names than one stand with commas between. */
static void read_sni(SSL *ssl, char sni[static SNI_MAX])
{
    enum { LIST_HEAD = 2, NAME_HEAD = 3 };
    const unsigned char *extension;
    size_t length, said = 0;
    sni[0] = '\0';
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &length))
        return;
    for (size_t at = LIST_HEAD; at + NAME_HEAD < length;) {
        size_t name_length = (size_t)extension[at + 1] << 8 | extension[at + 2];
        bool is_host = extension[at] == TLSEXT_NAMETYPE_host_name;
        at += NAME_HEAD;
        if (name_length > length - at || said + 1 + name_length >= SNI_MAX)
            return;
        if (is_host)
            said += (size_t)snprintf(sni + said, SNI_MAX - said, "%s%.*s", said > 0 ? "," : "", (int)name_length,
                                     (const char *)extension + at);
        at += name_length;
    }
}

static const struct {
    unsigned number;
    const char *name;
} versions[] = {
    {0x0304, "TLSv1.3"}, {0x0303, "TLSv1.2"}, {0x0302, "TLSv1.1"}, {0x0301, "TLSv1"}, {0x0300, "SSLv3"},
};

static const char *version_name(unsigned number)
{
    for (size_t i = 0; i < COUNT(versions); i++)
        if (versions[i].number == number)
            return versions[i].name;
    return NULL; /* reserved to keep servers honest (RFC 8701), or unknown */
}

/* The versions offered, in the client's order; without the extension the one that its hello is made of. */
static const char *offered_versions(struct arena *arena, SSL *ssl)
{
    const unsigned char *extension;
    size_t length;
    const char *offered = "";
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &extension, &length))
        return version_name(SSL_client_hello_get0_legacy_version(ssl));
    for (size_t i = 1; i + 1 < length; i += 2) {
        const char *name = version_name((unsigned)extension[i] << 8 | extension[i + 1]);
        if (name != NULL)
            offered = arena_printf(arena, "%s%s%s", offered, *offered != '\0' ? " " : "", name);
    }
    return offered;
}

/* RFC 7250 3: what the client takes in place of a certificate: a length of one byte, then one for each kind. */
static void read_certificate_types(struct mx_tls *tls, const unsigned char *extension, size_t length)
{
    enum { RAW_PUBLIC_KEY = 2 };
    tls->raw_keys = length > 1 && memchr(extension + 1, RAW_PUBLIC_KEY, length - 1) != NULL;
}

/* An OpenSSL that does not know the extension (before 3.2) hands it over here. */
static int on_certificate_types(SSL *ssl, unsigned type UNUSED, unsigned context UNUSED, const unsigned char *extension,
                                size_t length, X509 *certificate UNUSED, size_t place UNUSED, int *alert UNUSED,
                                void *arg UNUSED)
{
    read_certificate_types(SSL_get_app_data(ssl), extension, length);
    return 1;
}

static void witness_hello(struct mx_tls *tls)
{
    const struct mx_witness *witness = tls->witness;
    const struct mx_behaviour *behaviour = witness->host->config.behaviour;
    struct arena *arena = arena_new("hello");
    journal_add(witness->journal, JOURNAL_MX_HELLO, witness->host->config.name, witness->conn, "sni",
                tls->sni[0] != '\0' ? tls->sni : NULL, "versions", offered_versions(arena, tls->ssl), NULL);
    if (behaviour->tls_versions != MX_TLS_ANY)
        mx_witness_hit(witness, MX_SETTING(tls_versions), NULL);
    if (behaviour->ciphers != MX_CIPHERS_ANY)
        mx_witness_hit(witness, MX_SETTING(ciphers), NULL);
    if (behaviour->client_certificate != MX_CLIENT_CERTIFICATE_NOT_ASKED)
        mx_witness_hit(witness, MX_SETTING(client_certificate), NULL);
    if (behaviour->sni_required)
        mx_witness_hit(witness, MX_SETTING(sni_required), NULL);
    arena_free(&arena);
}

static bool brings_fatal_ticket(struct mx_tls *tls)
{
    const unsigned char *extension;
    size_t length;
    bool fatal = tls->witness->host->config.behaviour->ticket_alert &&
                 SSL_client_hello_get0_ext(tls->ssl, TLSEXT_TYPE_psk, &extension, &length) == 1;
    if (fatal)
        mx_witness_hit(tls->witness, MX_SETTING(ticket_alert), NULL);
    return fatal;
}

static int on_hello(SSL *ssl, int *alert, void *arg UNUSED)
{
    struct mx_tls *tls = SSL_get_app_data(ssl);
    const struct fakemx_host *host = &tls->witness->host->config;
    if (tls->hello_seen) { /* the second, after a HelloRetryRequest */
        if (host->behaviour->groups != MX_GROUPS_ANY)
            mx_witness_hit(tls->witness, MX_SETTING(groups), NULL);
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    tls->hello_seen = true;
    read_sni(ssl, tls->sni);
    const unsigned char *types;
    size_t length;
    if (SSL_client_hello_get0_ext(ssl, CERTIFICATE_TYPES, &types, &length) == 1)
        read_certificate_types(tls, types, length);
    witness_hello(tls);
    if (host->behaviour->sni_required && !is_host_name(host, tls->sni)) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    tls->identity = identity_for(host, tls->sni);
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    if (brings_fatal_ticket(tls) || host->behaviour->starttls == MX_STARTTLS_ALERT || tls->identity == NULL)
        return SSL_CLIENT_HELLO_ERROR;
    bool ok = tls->identity == host->identity ? show_own(ssl, host, NULL) : show(ssl, tls->identity, NULL);
    return ok ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

/* Names were looked at in on_hello(); this acknowledges them. */
static int on_server_name(SSL *ssl UNUSED, int *alert UNUSED, void *arg UNUSED)
{
    return SSL_TLSEXT_ERR_OK;
}

/* ---- watching the handshake ---- */

static void on_info(const SSL *ssl, int where, int value)
{
    struct mx_tls *tls = SSL_get_app_data(ssl);
    int alert = value & 0xff;
    if ((where & SSL_CB_ALERT) == 0 || alert == SSL_AD_CLOSE_NOTIFY)
        return;
    *((where & SSL_CB_READ) != 0 ? &tls->alert_in : &tls->alert_out) = alert;
}

static void on_message(int sent, int version UNUSED, int type, const void *bytes, size_t length, SSL *ssl,
                       void *arg UNUSED)
{
    struct mx_tls *tls = SSL_get_app_data(ssl);
    if (!sent || type != SSL3_RT_HANDSHAKE || length == 0 || *(const unsigned char *)bytes != SSL3_MT_CERTIFICATE ||
        tls->certificate_sent)
        return;
    tls->certificate_sent = true;
    tls->identity = shown(&tls->witness->host->config, tls->identity, ssl);
    if (tls->identity == tls->witness->host->config.beside)
        return;
    struct arena *arena = arena_new("certificate");
    mx_witness_certificate_hit(tls->witness, label_of(arena, &tls->witness->host->config, tls->identity));
    arena_free(&arena);
}

static bool is_anonymous(const SSL *ssl)
{
    return SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(ssl)) == NID_auth_null;
}

/* So that whoever has the packets can read them. */
static void on_key(const SSL *ssl, const char *line)
{
    struct mx_tls *tls = SSL_get_app_data(ssl);
    const struct mx_witness *witness = tls->witness;
    if (tls->keys++ >= MX_TLS_KEYS_MAX) /* keys that are changed without end tell nothing more */
        return;
    journal_add(witness->journal, JOURNAL_MX_TLS_KEY, witness->host->config.name, witness->conn, "line", line, NULL);
}

static const char *what_was_shown(struct arena *arena, const struct mx_tls *tls)
{
    if (SSL_session_reused(tls->ssl))
        return "no certificate, but resumed a session";
    return is_anonymous(tls->ssl) ? "none" : label_of(arena, &tls->witness->host->config, tls->identity);
}

static void witness_handshake(const struct mx_tls *tls)
{
    const struct mx_witness *witness = tls->witness;
    struct arena *arena = arena_new("handshake");
    journal_add(witness->journal, JOURNAL_MX_TLS, witness->host->config.name, witness->conn, "sni",
                tls->sni[0] != '\0' ? tls->sni : NULL, "version", SSL_get_version(tls->ssl), "cipher",
                SSL_get_cipher_name(tls->ssl), "certificate", what_was_shown(arena, tls), "spki_sha256",
                identity_tlsa_data(arena, tls->identity, 1, 1), "cert_sha256",
                identity_tlsa_data(arena, tls->identity, 0, 1), "resumed", SSL_session_reused(tls->ssl) ? "yes" : "no",
                "raw-keys", tls->raw_keys ? "yes" : "no", NULL);
    arena_free(&arena);
}

static const char *failure_reason(struct arena *arena, const struct mx_tls *tls)
{
    unsigned long code = ERR_peek_last_error();
    const char *openssl = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (tls->alert_in != NO_ALERT)
        return arena_printf(arena, "alert from the client: %s", SSL_alert_desc_string_long(tls->alert_in));
    if (tls->alert_out != NO_ALERT && (openssl == NULL || ERR_GET_REASON(code) == SSL_R_CALLBACK_FAILED))
        return arena_printf(arena, "alert to the client: %s", SSL_alert_desc_string_long(tls->alert_out));
    if (tls->alert_out != NO_ALERT)
        return arena_printf(arena, "alert to the client: %s (%s)", SSL_alert_desc_string_long(tls->alert_out), openssl);
    return openssl != NULL ? openssl : "the connection was closed";
}

static void fail(struct mx_tls *tls)
{
    const struct mx_witness *witness = tls->witness;
    struct arena *arena = arena_new("failure");
    tls->state = MX_TLS_FAILED;
    journal_add(witness->journal, JOURNAL_MX_TLS_FAILED, witness->host->config.name, witness->conn, "reason",
                failure_reason(arena, tls), "raw-keys", tls->raw_keys ? "yes" : "no", NULL);
    ERR_clear_error();
    arena_free(&arena);
}

/* ---- contexts ---- */

/* What is stapled came with the identity. */
static int on_status(SSL *ssl UNUSED, void *arg UNUSED)
{
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *context_new(enum mx_tls_versions which, enum mx_ciphers ciphers)
{
    assert(ciphers == MX_CIPHERS_ANY || which == MX_TLS_1_2_ONLY);
    static const struct {
        int lowest, highest;
        const char *ciphers; /* NULL: as OpenSSL has them */
    } rows[MX_TLS_VERSIONS_COUNT] = {
        [MX_TLS_ANY] = {TLS1_2_VERSION, TLS1_3_VERSION, NULL},
        [MX_TLS_1_2_ONLY] = {TLS1_2_VERSION, TLS1_2_VERSION, NULL},
        [MX_TLS_1_3_ONLY] = {TLS1_3_VERSION, TLS1_3_VERSION, NULL},
        [MX_TLS_1_0_ONLY] = {TLS1_VERSION, TLS1_VERSION, "DEFAULT@SECLEVEL=0"},
    };
    const char *list = ciphers == MX_CIPHERS_ANONYMOUS ? "aNULL:@SECLEVEL=0" : rows[which].ciphers;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, rows[which].lowest) != 1 ||
        SSL_CTX_set_max_proto_version(context, rows[which].highest) != 1 || SSL_CTX_set_num_tickets(context, 0) != 1 ||
        (list != NULL && SSL_CTX_set_cipher_list(context, list) != 1)) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_client_hello_cb(context, on_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    SSL_CTX_set_tlsext_status_cb(context, on_status);
    SSL_CTX_set_info_callback(context, on_info);
    SSL_CTX_set_msg_callback(context, on_message);
    SSL_CTX_add_custom_ext(context, CERTIFICATE_TYPES, SSL_EXT_CLIENT_HELLO, NULL, NULL, NULL, on_certificate_types,
                           NULL);
    return context;
}

struct mx_tls_contexts *mx_tls_contexts_new(bool keys, struct err *err)
{
    struct mx_tls_contexts *contexts = calloc(1, sizeof *contexts);
    if (contexts == NULL)
        err_set(err, ERR_SYSTEM, "out of memory");
    else
        contexts->keys = keys;
    return contexts;
}

void mx_tls_contexts_free(struct mx_tls_contexts **contexts)
{
    if (*contexts == NULL)
        return;
    for (size_t i = 0; i < MX_TLS_VERSIONS_COUNT; i++)
        for (size_t k = 0; k < MX_CIPHERS_COUNT; k++)
            SSL_CTX_free((*contexts)->items[i][k]);
    free(*contexts);
    *contexts = NULL;
}

/* Made when the first session needs it. */
static SSL *ssl_new(struct mx_tls_contexts *contexts, const struct mx_host *host, struct err *err)
{
    const struct mx_behaviour *behaviour = host->config.behaviour;
    enum mx_tls_versions spoken = mx_behaviour_tls_versions(behaviour);
    SSL_CTX **context = &contexts->items[spoken][behaviour->ciphers];
    if (*context == NULL)
        *context = context_new(spoken, (enum mx_ciphers)behaviour->ciphers);
    if (*context != NULL && contexts->keys)
        SSL_CTX_set_keylog_callback(*context, on_key);
    SSL *ssl = *context != NULL ? SSL_new(*context) : NULL;
    if (ssl == NULL)
        err_set(err, ERR_SYSTEM, "OpenSSL cannot make a server");
    ERR_clear_error();
    return ssl;
}

bool mx_tls_check(struct mx_tls_contexts *contexts, const struct mx_host *host, struct err *err)
{
    SSL *ssl = ssl_new(contexts, host, err);
    bool ok = ssl != NULL && (host->config.identity == NULL || show_own(ssl, &host->config, err));
    for (size_t i = 0; ok && i < host->config.sni_count; i++)
        ok = show(ssl, host->config.sni[i].identity, err);
    SSL_free(ssl);
    return ok;
}

/* ---- one connection ---- */

static int any_will_do(int ok UNUSED, X509_STORE_CTX *context UNUSED)
{
    return 1;
}

static void ask_for_certificate(SSL *ssl, int how)
{
    static const int modes[] = {
        [MX_CLIENT_CERTIFICATE_NOT_ASKED] = SSL_VERIFY_NONE,
        [MX_CLIENT_CERTIFICATE_ASKED] = SSL_VERIFY_PEER,
        [MX_CLIENT_CERTIFICATE_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    SSL_set_verify(ssl, modes[how], any_will_do);
}

/* Sealed with the context's keys, which outlive a change of the world. */
static void hand_out_tickets(SSL *ssl)
{
    SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl, 1);
}

struct mx_tls *mx_tls_new(struct mx_tls_contexts *contexts, const struct mx_witness *witness, struct err *err)
{
    SSL *ssl = ssl_new(contexts, witness->host, err);
    struct mx_tls *tls = calloc(1, sizeof *tls);
    BIO *from_client = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
    if (ssl == NULL || tls == NULL || from_client == NULL || to_client == NULL) {
        SSL_free(ssl);
        BIO_free(from_client);
        BIO_free(to_client);
        free(tls);
        err_set(err, ERR_SYSTEM, "cannot begin a TLS connection");
        return NULL;
    }
    *tls = (struct mx_tls){.ssl = ssl,
                           .from_client = from_client,
                           .to_client = to_client,
                           .witness = witness,
                           .identity = witness->host->config.identity,
                           .alert_in = NO_ALERT,
                           .alert_out = NO_ALERT};
    SSL_set_bio(ssl, from_client, to_client);
    SSL_set_app_data(ssl, tls);
    SSL_set_accept_state(ssl);
    if (witness->host->config.behaviour->session_tickets)
        hand_out_tickets(ssl);
    if (witness->host->config.behaviour->groups == MX_GROUPS_P384_ONLY)
        SSL_set1_groups_list(ssl, "P-384");
    ask_for_certificate(ssl, witness->host->config.behaviour->client_certificate);
    return tls;
}

void mx_tls_free(struct mx_tls **tls)
{
    if (*tls == NULL)
        return;
    SSL_free((*tls)->ssl);
    free(*tls);
    *tls = NULL;
}

enum mx_tls_state mx_tls_state(const struct mx_tls *tls)
{
    return tls->state;
}

bool mx_tls_alert_came(const struct mx_tls *tls)
{
    return tls->alert_in != NO_ALERT;
}

static void hand_over(struct evbuffer *in, BIO *bio)
{
    char bytes[CHUNK];
    for (int n; (n = evbuffer_remove(in, bytes, sizeof bytes)) > 0;)
        BIO_write(bio, bytes, n);
}

static void flush(const struct mx_tls *tls, struct evbuffer *out)
{
    char bytes[CHUNK];
    for (int n; (n = BIO_read(tls->to_client, bytes, sizeof bytes)) > 0;)
        evbuffer_add(out, bytes, (size_t)n);
}

/* Looks at why OpenSSL stopped: for want of bytes, by the client's close_notify, or because something is wrong. */
static void look_at_stop(struct mx_tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        break;
    case SSL_ERROR_ZERO_RETURN:
        tls->state = MX_TLS_CLOSED;
        break;
    default:
        fail(tls);
    }
}

static void shake_hands(struct mx_tls *tls)
{
    int result = SSL_do_handshake(tls->ssl);
    if (result == 1) {
        tls->state = MX_TLS_OPEN;
        witness_handshake(tls);
    } else {
        look_at_stop(tls, result);
    }
}

static void read_plain(struct mx_tls *tls, struct evbuffer *plain)
{
    char bytes[CHUNK];
    int n;
    while ((n = SSL_read(tls->ssl, bytes, sizeof bytes)) > 0)
        evbuffer_add(plain, bytes, (size_t)n);
    look_at_stop(tls, n);
}

/* RFC 8446 5.1: a record says how long it is in the last two bytes of its head; a ClientHello is the first. */
static bool hello_is_too_long(const struct mx_tls *tls, const struct evbuffer *in)
{
    enum { HEAD = 5 };
    unsigned char head[HEAD];
    int64_t limit = tls->witness->host->config.behaviour->hello_limit;
    if (limit == 0 || tls->hello_seen || evbuffer_copyout((struct evbuffer *)in, head, HEAD) < HEAD)
        return false;
    return (head[HEAD - 2] << 8 | head[HEAD - 1]) > limit;
}

static enum mx_tls_state turn_away(struct mx_tls *tls)
{
    mx_witness_hit(tls->witness, MX_SETTING(hello_limit), NULL);
    fail(tls);
    return tls->state;
}

enum mx_tls_state mx_tls_take(struct mx_tls *tls, struct evbuffer *in, struct evbuffer *plain, struct evbuffer *out)
{
    if (hello_is_too_long(tls, in))
        return turn_away(tls);
    hand_over(in, tls->from_client);
    ERR_clear_error();
    if (tls->state == MX_TLS_HANDSHAKE)
        shake_hands(tls);
    if (tls->state == MX_TLS_OPEN)
        read_plain(tls, plain);
    flush(tls, out);
    return tls->state;
}

void mx_tls_send(struct mx_tls *tls, const void *bytes, size_t length, struct evbuffer *out)
{
    ERR_clear_error();
    if (tls->state == MX_TLS_OPEN && length > 0)
        SSL_write(tls->ssl, bytes, (int)length);
    flush(tls, out);
}

void mx_tls_update_key(struct mx_tls *tls, struct evbuffer *out)
{
    ERR_clear_error();
    if (tls->state == MX_TLS_OPEN && SSL_key_update(tls->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
        SSL_do_handshake(tls->ssl);
    ERR_clear_error();
    flush(tls, out);
}

void mx_tls_renegotiate(struct mx_tls *tls, struct evbuffer *out)
{
    ERR_clear_error();
    SSL_clear_options(tls->ssl, SSL_OP_NO_RENEGOTIATION);
    if (tls->state == MX_TLS_OPEN && SSL_renegotiate(tls->ssl) == 1)
        SSL_do_handshake(tls->ssl);
    ERR_clear_error();
    flush(tls, out);
}

void mx_tls_close(struct mx_tls *tls, struct evbuffer *out)
{
    ERR_clear_error();
    if (tls->state == MX_TLS_OPEN || tls->state == MX_TLS_CLOSED)
        SSL_shutdown(tls->ssl);
    flush(tls, out);
}

void mx_tls_gone(struct mx_tls *tls)
{
    ERR_clear_error();
    if (tls->state == MX_TLS_HANDSHAKE)
        fail(tls);
}
