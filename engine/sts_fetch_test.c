/* SPDX-License-Identifier: BSD-2-Clause
 * Fetches over loopback from a server that says what a row says, whatever it is asked. */
#include "engine/sts_fetch.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/identity.h"
#include "base/testing.h"
#include "base/text.h"

enum { DAY = 24 * 60 * 60, ENDLESS_PIECE = 16 * 1024 };

struct web {
    struct arena *arena;
    struct loop *loop;
    struct identity *root, *private_root, *server;
    SSL_CTX *ctx;
    struct evconnlistener *listener;
    struct bufferevent *connections[8];
    size_t connection_count;
    uint16_t port;
    const char *response;
    bool endless; /* its last piece again and again */
    unsigned requests;
    char request[512], sni[128];
    struct sts_fetch *fetch;
    char ca_file[40];
    bool done;
    struct sts_fetched fetched;
};

/* The server */

static void on_written(struct bufferevent *io, void *arg)
{
    struct web *web = arg;
    if (web->requests == 0)
        return;
    if (web->endless) {
        evbuffer_add_printf(bufferevent_get_output(io), "%x\r\n%*s\r\n", ENDLESS_PIECE, ENDLESS_PIECE, "");
        return;
    }
    SSL_shutdown(bufferevent_openssl_get_ssl(io));
    shutdown(bufferevent_getfd(io), SHUT_WR);
}

static void on_request(struct bufferevent *io, void *arg)
{
    struct web *web = arg;
    struct evbuffer *input = bufferevent_get_input(io);
    if (evbuffer_search(input, "\r\n\r\n", 4, NULL).pos < 0)
        return;
    web->requests++;
    int length = evbuffer_remove(input, web->request, sizeof web->request - 1);
    web->request[length > 0 ? length : 0] = '\0';
    bufferevent_write(io, web->response, strlen(web->response));
    if (web->response[0] == '\0')
        on_written(io, web);
}

static int on_server_name(SSL *ssl, int *alert UNUSED, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(((struct web *)arg)->sni, sizeof((struct web *)0)->sni, "%s", name != NULL ? name : "");
    return SSL_TLSEXT_ERR_OK;
}

static void on_connection(struct evconnlistener *listener UNUSED, evutil_socket_t fd, struct sockaddr *from UNUSED,
                          int length UNUSED, void *arg)
{
    struct web *web = arg;
    struct bufferevent *io = bufferevent_openssl_socket_new(loop_base(web->loop), fd, SSL_new(web->ctx),
                                                            BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    ck_assert_uint_lt(web->connection_count, COUNT(web->connections));
    web->connections[web->connection_count++] = io;
    bufferevent_setcb(io, on_request, on_written, NULL, web);
    bufferevent_enable(io, EV_READ | EV_WRITE);
}

/* The world around it */

struct certificate {
    const char *name;
    enum identity_names names_as;
    bool private_root, self_signed;
    int from_days, to_days;
};

static struct identity *identity_of(const struct identity_spec *spec)
{
    struct err err;
    struct identity *made = identity_new(spec, NULL, &err);
    ck_assert_msg(made != NULL, "%s", err.text);
    return made;
}

static void make_identities(struct web *web, const struct certificate *c)
{
    struct identity_spec authority = {.authority = true, .subject = "root"};
    web->root = identity_of(&authority);
    web->private_root = identity_of(&authority);
    const char *names[] = {c->name != NULL ? c->name : "mta-sts.partner.example"};
    struct identity_spec spec = {.names = names,
                                 .name_count = 1,
                                 .names_as = c->names_as,
                                 .not_before_s = c->from_days * (double)DAY,
                                 .not_after_s = c->to_days * (double)DAY};
    spec.issuer = c->self_signed ? NULL : c->private_root ? web->private_root : web->root;
    web->server = identity_of(&spec);
}

static void listen_on_loopback(struct web *web)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    web->listener =
        evconnlistener_new_bind(loop_base(web->loop), on_connection, web, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
                                (struct sockaddr *)&at, sizeof at);
    ck_assert_ptr_nonnull(web->listener);
    ck_assert_int_eq(getsockname(evconnlistener_get_fd(web->listener), (struct sockaddr *)&at, &length), 0);
    web->port = ntohs(at.sin_port);
}

static void web_start(struct web *web, const struct certificate *certificate)
{
    struct err err;
    *web = (struct web){.arena = arena_new("test"), .loop = loop_new(&err), .ca_file = "/tmp/sts_fetch_test.XXXXXX"};
    make_identities(web, certificate);
    const char *pem = identity_certificate_pem(web->arena, web->root);
    close(mkstemp(web->ca_file));
    ck_assert(text_write_file(web->ca_file, pem, strlen(pem), &err));
    web->ctx = SSL_CTX_new(TLS_server_method());
    ck_assert(identity_use(web->server, web->ctx, &err));
    SSL_CTX_set_tlsext_servername_callback(web->ctx, on_server_name);
    SSL_CTX_set_tlsext_servername_arg(web->ctx, web);
    listen_on_loopback(web);
    web->fetch = sts_fetch_new(web->ca_file, 20, web->loop, &err);
    ck_assert_ptr_nonnull(web->fetch);
}

static void web_stop(struct web *web)
{
    sts_fetch_free(&web->fetch);
    for (size_t i = 0; i < web->connection_count; i++)
        bufferevent_free(web->connections[i]);
    evconnlistener_free(web->listener);
    SSL_CTX_free(web->ctx);
    identity_free(&web->root);
    identity_free(&web->private_root);
    identity_free(&web->server);
    unlink(web->ca_file);
    loop_free(&web->loop);
    arena_free(&web->arena);
}

static void on_fetched(void *arg, const struct sts_fetched *fetched)
{
    struct web *web = arg;
    web->fetched = *fetched;
    web->done = true;
}

static void fetch(struct web *web, const char *const *addresses, size_t count)
{
    struct netaddr at[4];
    for (size_t i = 0; i < count; i++)
        ck_assert(netaddr_parse(addresses[i], web->port, &at[i], NULL));
    sts_fetch_policy(web->fetch, web->arena, "mta-sts.partner.example", web->port, at, count, on_fetched, web);
    ck_assert(!web->done);
    ck_assert(loop_run_until(web->loop, &web->done, 30));
}

static const char *const home[] = {"127.0.0.1"};
static const struct certificate good_certificate = {NULL, IDENTITY_SAN, false, false, 0, 0};

#define OK "HTTP/1.1 200 OK\r\n"
#define PLAIN "Content-Type: text/plain\r\n"
#define BODY "Content-Length: 4\r\n\r\nbody"
#define FETCH_ERROR "sts-policy-fetch-error"

/* failure NULL: the body is "body". */
static const struct {
    const char *name, *response, *failure, *why;
    bool endless;
} responses[] = {
    {"200 text/plain", OK PLAIN BODY, NULL, NULL, false},
    {"upper case type", OK "Content-Type: TEXT/Plain\r\n" BODY, NULL, NULL, false},
    {"parameters (P21)", OK "Content-Type: text/plain; charset=utf-16\r\n" BODY, NULL, NULL, false},
    {"chunked", OK PLAIN "Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n", NULL, NULL, false},
    {"until the end of the connection", OK PLAIN "Connection: close\r\n\r\nbody", NULL, NULL, false},
    {"100 before it", "HTTP/1.1 100 Continue\r\n\r\n" OK PLAIN BODY, NULL, NULL, false},
    {"201 (P18)", "HTTP/1.1 201 Created\r\n" PLAIN BODY, FETCH_ERROR, "201", false},
    {"203", "HTTP/1.1 203 Changed\r\n" PLAIN BODY, FETCH_ERROR, "203", false},
    {"204 (P18)", "HTTP/1.1 204 No Content\r\n\r\n", FETCH_ERROR, "204", false},
    {"206 (P18)", "HTTP/1.1 206 Partial Content\r\n" PLAIN BODY, FETCH_ERROR, "206", false},
    {"304 (P18)", "HTTP/1.1 304 Not Modified\r\n\r\n", FETCH_ERROR, "304", false},
    {"301 (P19)", "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\n" PLAIN BODY, FETCH_ERROR, "301", false},
    {"302 (P19)", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n" PLAIN BODY, FETCH_ERROR, "302", false},
    {"307 (P19)", "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\n" PLAIN BODY, FETCH_ERROR, "307", false},
    {"308 (P19)", "HTTP/1.1 308 Moved\r\nLocation: /elsewhere\r\n" PLAIN BODY, FETCH_ERROR, "308", false},
    {"401", "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\n" PLAIN BODY, FETCH_ERROR, "401", false},
    {"404", "HTTP/1.1 404 Not Found\r\n" PLAIN BODY, FETCH_ERROR, "404", false},
    {"500", "HTTP/1.1 500 Oh\r\n" PLAIN BODY, FETCH_ERROR, "500", false},
    {"no type (P20)", OK BODY, FETCH_ERROR, "text/plain", false},
    {"HTML (P20)", OK "Content-Type: text/html\r\n" BODY, FETCH_ERROR, "text/plain", false},
    {"type that begins alike", OK "Content-Type: text/plainer\r\n" BODY, FETCH_ERROR, "text/plain", false},
    {"big by its header (P22)", OK PLAIN "Content-Length: 65537\r\n\r\n", FETCH_ERROR, NULL, false},
    {"endless chunks (P23)", OK PLAIN "Transfer-Encoding: chunked\r\n\r\n", FETCH_ERROR, "64 KiB", true},
    {"shorter than announced (P23)", OK PLAIN "Content-Length: 5\r\n\r\nbody", FETCH_ERROR, NULL, false},
    {"cut chunk (P23)", OK PLAIN "Transfer-Encoding: chunked\r\n\r\n5\r\nbody", FETCH_ERROR, NULL, false},
    {"not HTTP", "220 mail.example ESMTP\r\n", FETCH_ERROR, NULL, false},
    {"nothing", "", FETCH_ERROR, NULL, false},
};

START_TEST(a_response_is_judged)
{
    struct web web;
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    web_start(&web, &good_certificate);
    web.response = responses[_i].response;
    web.endless = responses[_i].endless;
    fetch(&web, home, 1);
    const struct sts_fetched *got = &web.fetched;
    if (responses[_i].failure == NULL)
        ck_assert_msg(got->body != NULL && got->length == 4 && memcmp(got->body, "body", 4) == 0, "%s: %s",
                      responses[_i].name, got->why);
    else
        ck_assert_msg(got->body == NULL && strcmp(got->failure, responses[_i].failure) == 0, "%s: %s",
                      responses[_i].name, got->failure);
    if (responses[_i].why != NULL)
        ck_assert_msg(strstr(got->why, responses[_i].why) != NULL, "%s: %s", responses[_i].name, got->why);
    ck_assert_uint_eq(web.requests, 1);
    web_stop(&web);
}
END_TEST

START_TEST(the_request_is_what_the_rfc_says)
{
    struct web web;
    web_start(&web, &good_certificate);
    web.response = OK PLAIN BODY;
    fetch(&web, home, 1);
    ck_assert_msg(strncmp(web.request, "GET /.well-known/mta-sts.txt HTTP/1.1\r\n", 39) == 0, "%s", web.request);
    ck_assert_msg(strstr(web.request, "\r\nHost: mta-sts.partner.example:") != NULL, "%s", web.request);
    ck_assert_ptr_null(strstr(web.request, "If-"));
    ck_assert_str_eq(web.sni, "mta-sts.partner.example");
    web_stop(&web);
}
END_TEST

static const struct {
    const char *name;
    struct certificate certificate;
    bool good;
} certificates[] = {
    {"wildcard (P17)", {"*.partner.example", IDENTITY_SAN, false, false, 0, 0}, true},
    {"unknown root (P14)", {NULL, IDENTITY_SAN, true, false, 0, 0}, false},
    {"self-signed (P14)", {NULL, IDENTITY_SAN, false, true, 0, 0}, false},
    {"expired (P15)", {NULL, IDENTITY_SAN, false, false, -90, -1}, false},
    {"not yet valid (P15)", {NULL, IDENTITY_SAN, false, false, 1, 90}, false},
    {"the domain itself (P16)", {"partner.example", IDENTITY_SAN, false, false, 0, 0}, false},
    {"CN only (P16)", {NULL, IDENTITY_CN_ONLY, false, false, 0, 0}, false},
    {"no name", {NULL, IDENTITY_NO_NAMES, false, false, 0, 0}, false},
    {"wildcard too far up (P16)", {"*.example", IDENTITY_SAN, false, false, 0, 0}, false},
    {"partial wildcard (P16)", {"mta*.partner.example", IDENTITY_SAN, false, false, 0, 0}, false},
};

START_TEST(the_policy_hosts_certificate_is_judged)
{
    struct web web;
    web_start(&web, &certificates[_i].certificate);
    web.response = OK PLAIN BODY;
    fetch(&web, home, 1);
    ck_assert_msg((web.fetched.body != NULL) == certificates[_i].good, "%s: %s", certificates[_i].name,
                  web.fetched.why);
    if (!certificates[_i].good)
        ck_assert_msg(strcmp(web.fetched.failure, "sts-webpki-invalid") == 0 && web.requests == 0, "%s: %s",
                      certificates[_i].name, web.fetched.failure);
    web_stop(&web);
}
END_TEST

static const struct {
    const char *name, *addresses[2];
    size_t count;
    bool good;
} addresses[] = {
    {"the first one is dead (P46)", {"127.0.0.2", "127.0.0.1"}, 2, true},
    {"IPv6 is dead", {"::1", "127.0.0.1"}, 2, true},
    {"all are dead (P12)", {"127.0.0.2", "127.0.0.3"}, 2, false},
};

START_TEST(addresses_are_tried_in_turn)
{
    struct web web;
    web_start(&web, &good_certificate);
    web.response = OK PLAIN BODY;
    fetch(&web, addresses[_i].addresses, addresses[_i].count);
    ck_assert_msg((web.fetched.body != NULL) == addresses[_i].good, "%s: %s", addresses[_i].name, web.fetched.why);
    if (!addresses[_i].good)
        ck_assert_str_eq(web.fetched.failure, FETCH_ERROR);
    web_stop(&web);
}
END_TEST

START_TEST(a_fetch_under_way_can_be_dropped)
{
    struct web web;
    bool never = false;
    struct netaddr at;
    web_start(&web, &good_certificate);
    ck_assert(netaddr_parse("127.0.0.1", web.port, &at, NULL));
    sts_fetch_policy(web.fetch, web.arena, "mta-sts.partner.example", web.port, &at, 1, on_fetched, &web);
    loop_run_until(web.loop, &never, 0);
    web_stop(&web);
    ck_assert(!web.done);
}
END_TEST

TEST_SUITE(sts_fetch)
{
    TEST_LOOP(a_response_is_judged, COUNT(responses));
    TEST(the_request_is_what_the_rfc_says);
    TEST_LOOP(the_policy_hosts_certificate_is_judged, COUNT(certificates));
    TEST_LOOP(addresses_are_tried_in_turn, COUNT(addresses));
    TEST(a_fetch_under_way_can_be_dropped);
}
