/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tls_server.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "engine/tls_client.h"

struct tls_server {
    SSL_CTX *ctx;
};

static bool load(SSL_CTX *ctx, const char *certificate, const char *key, struct err *err)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return err_set(err, ERR_INPUT, "cannot use the certificate in %s: %s", certificate, tls_openssl_reason());
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return err_set(err, ERR_INPUT, "cannot use the key in %s: %s", key, tls_openssl_reason());
    if (SSL_CTX_check_private_key(ctx) != 1)
        return err_set(err, ERR_INPUT, "the key in %s is another's than the certificate in %s: %s", key, certificate,
                       tls_openssl_reason());
    return true;
}

struct tls_server *tls_server_new(const char *certificate, const char *key, struct err *err)
{
    struct tls_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        abort();
    server->ctx = SSL_CTX_new(TLS_server_method());
    if (server->ctx == NULL || SSL_CTX_set_min_proto_version(server->ctx, TLS1_2_VERSION) != 1)
        err_set(err, ERR_SYSTEM, "cannot set up TLS: %s", tls_openssl_reason());
    else if (load(server->ctx, certificate, key, err)) {
        SSL_CTX_set_options(server->ctx,
                            SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
        return server;
    }
    tls_server_free(&server);
    return NULL;
}

void tls_server_free(struct tls_server **server)
{
    if (*server == NULL)
        return;
    SSL_CTX_free((*server)->ctx);
    free(*server);
    *server = NULL;
}

/* On the socket itself: what was written is then with the kernel when the buffer is empty, and may be followed by the
 * end. */
struct bufferevent *tls_server_accept(struct tls_server *server, struct bufferevent *io)
{
    SSL *ssl = SSL_new(server->ctx); /* has its own hold on the certificate */
    evutil_socket_t fd = bufferevent_getfd(io);
    struct bufferevent *tls = NULL;
    if (ssl != NULL && fd >= 0)
        tls = bufferevent_openssl_socket_new(bufferevent_get_base(io), fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE);
    if (tls == NULL) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    bufferevent_setfd(io, -1);
    bufferevent_free(io);
    return tls;
}

void tls_server_end(struct bufferevent *io)
{
    SSL *ssl = bufferevent_openssl_get_ssl(io);
    if (ssl != NULL && SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    ERR_clear_error();
}
