/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/revocation.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <time.h>

#include "base/text.h"
#include "engine/connect.h"

enum { ANSWER_MAX = 1024 * 1024, HEADERS_MAX = 64 * 1024, KEPT_MAX = 32, HTTP_PORT = 80 };

/* An answer that holds for a while. */
struct kept {
    char *key;
    unsigned char *bytes;
    size_t length;
    int64_t until;
};

struct revocation {
    enum revocation_mode mode;
    double timeout_s;
    struct revocation_ports ports;
    struct loop *loop;
    struct kept kept[KEPT_MAX];
    size_t next;                          /* to be replaced */
    LIST_HEAD(, revocation_check) checks; /* under way, or cancelled and still owed an answer */
};

/* Who is asked about a certificate, one after the other. */
enum source { SOURCE_STAPLED, SOURCE_OCSP, SOURCE_CRL, SOURCE_NONE };

struct revocation_check {
    LIST_ENTRY(revocation_check) link;
    struct revocation *owner;
    struct arena *arena;
    STACK_OF(X509) *chain;
    const unsigned char *stapled;
    size_t stapled_length;
    int index; /* of the certificate that is asked about */
    enum source source;
    const char *excuse; /* why nobody has vouched for it so far */
    const char *why;    /* why nobody vouched for one before */
    revocation_done *done;
    void *arg;
    bool resolving, cancelled;

    struct event *stepper; /* goes on from a fresh stack */
    struct evhttp_uri *uri;
    const char *key;
    struct evhttp_connection *connection;
    struct evbuffer *answer; /* NULL: none came */
};

/* ---- answers that are kept ---- */

static const struct kept *find_kept(const struct revocation *r, const char *key)
{
    for (size_t i = 0; i < KEPT_MAX; i++)
        if (r->kept[i].key != NULL && strcmp(r->kept[i].key, key) == 0 && r->kept[i].until > (int64_t)time(NULL))
            return &r->kept[i];
    return NULL;
}

static void drop_kept(struct kept *kept)
{
    free(kept->key);
    free(kept->bytes);
    *kept = (struct kept){0};
}

static void keep(struct revocation *r, const char *key, const unsigned char *bytes, size_t length, int64_t until)
{
    if (until <= (int64_t)time(NULL))
        return;
    struct kept *kept = &r->kept[r->next++ % KEPT_MAX];
    drop_kept(kept);
    *kept = (struct kept){strdup(key), malloc(length + 1), length, until};
    if (kept->key == NULL || kept->bytes == NULL)
        abort();
    memcpy(kept->bytes, bytes, length);
}

/* ---- the certificate that is asked about ---- */

static X509 *certificate_of(const struct revocation_check *c)
{
    return sk_X509_value(c->chain, c->index);
}

static X509 *issuer_of(const struct revocation_check *c)
{
    return sk_X509_value(c->chain, c->index + 1);
}

static const char *name_of(struct revocation_check *c)
{
    char name[256] = "";
    X509_NAME_oneline(X509_get_subject_name(certificate_of(c)), name, sizeof name);
    return text_escape(c->arena, name, strlen(name));
}

static bool is_http(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0;
}

static const char *ocsp_url(struct revocation_check *c)
{
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(certificate_of(c));
    const char *found = NULL;
    for (int i = 0; found == NULL && i < sk_OPENSSL_STRING_num(urls); i++)
        if (is_http(sk_OPENSSL_STRING_value(urls, i)))
            found = arena_strdup(c->arena, sk_OPENSSL_STRING_value(urls, i));
    X509_email_free(urls);
    return found;
}

static const char *url_in(struct arena *arena, const DIST_POINT *point)
{
    const DIST_POINT_NAME *name = point->distpoint;
    for (int i = 0; name != NULL && name->type == 0 && i < sk_GENERAL_NAME_num(name->name.fullname); i++) {
        int kind;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(name->name.fullname, i), &kind);
        if (kind != GEN_URI)
            continue;
        const char *url =
            arena_strndup(arena, (const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        if (is_http(url))
            return url;
    }
    return NULL;
}

static const char *crl_url(struct revocation_check *c)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(certificate_of(c), NID_crl_distribution_points, NULL, NULL);
    const char *found = NULL;
    for (int i = 0; found == NULL && i < sk_DIST_POINT_num(points); i++)
        found = url_in(c->arena, sk_DIST_POINT_value(points, i));
    CRL_DIST_POINTS_free(points);
    return found;
}

/* DER of the question about one certificate, in the arena. */
static const unsigned char *ocsp_request(struct revocation_check *c, size_t *length)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate_of(c), issuer_of(c));
    if (request == NULL || id == NULL || OCSP_request_add0_id(request, id) == NULL)
        abort();
    unsigned char *bytes = NULL;
    int size = i2d_OCSP_REQUEST(request, &bytes);
    const unsigned char *kept = arena_memdup(c->arena, bytes, (size_t)size);
    *length = (size_t)size;
    OPENSSL_free(bytes);
    OCSP_REQUEST_free(request);
    return kept;
}

/* ---- the course of a check ---- */

static void go_on(struct revocation_check *c)
{
    event_active(c->stepper, EV_TIMEOUT, 0);
}

static void finish(struct revocation_check *c, bool passed, const char *why)
{
    c->done(c->arg, passed, why); /* which cancels us */
}

static void next_certificate(struct revocation_check *c)
{
    c->index++;
    c->source = SOURCE_OCSP;
    c->excuse = NULL;
}

static enum revocation_status read_answer(struct revocation_check *c, const unsigned char *bytes, size_t length,
                                          int64_t *until)
{
    return c->source == SOURCE_CRL ? revocation_read_crl(bytes, length, certificate_of(c), issuer_of(c), until)
                                   : revocation_read_ocsp(bytes, length, certificate_of(c), issuer_of(c), until);
}

/* False: the check is over. */
static bool take(struct revocation_check *c, enum revocation_status status)
{
    if (status == REVOCATION_REVOKED) {
        finish(c, false, arena_printf(c->arena, "Revoked (%s)", name_of(c)));
        return false;
    }
    if (status == REVOCATION_GOOD)
        next_certificate(c);
    else
        c->source++;
    return true;
}

/* ---- asking by http ---- */

static void on_response(struct evhttp_request *request, void *arg)
{
    struct revocation_check *c = arg;
    if (request != NULL && evhttp_request_get_response_code(request) == 200) {
        c->answer = evbuffer_new();
        evbuffer_add_buffer(c->answer, evhttp_request_get_input_buffer(request));
    }
    go_on(c);
}

static void set_headers(struct evhttp_request *request, const char *host, bool post)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Host", host);
    evhttp_add_header(headers, "Connection", "close");
    if (post)
        evhttp_add_header(headers, "Content-Type", "application/ocsp-request");
}

static void destroy(struct revocation_check *c);

static void open_connection(struct revocation_check *c, const struct sockaddr *to)
{
    c->connection =
        evhttp_connection_base_new(loop_base(c->owner->loop), NULL, netaddr_text(c->arena, to), netaddr_port(to));
    if (c->connection == NULL)
        abort();
    struct timeval limit = connect_timeval(c->owner->timeout_s);
    evhttp_connection_set_timeout_tv(c->connection, &limit);
    evhttp_connection_set_max_body_size(c->connection, ANSWER_MAX);
    evhttp_connection_set_max_headers_size(c->connection, HEADERS_MAX);
}

static const char *target_of(struct revocation_check *c)
{
    const char *path = evhttp_uri_get_path(c->uri), *query = evhttp_uri_get_query(c->uri);
    return arena_printf(c->arena, "%s%s%s", path != NULL && *path != '\0' ? path : "/", query != NULL ? "?" : "",
                        query != NULL ? query : "");
}

static void send_request(struct revocation_check *c)
{
    struct evhttp_request *request = evhttp_request_new(on_response, c);
    bool post = c->source == SOURCE_OCSP;
    size_t length;
    if (request == NULL)
        abort();
    set_headers(request, evhttp_uri_get_host(c->uri), post);
    if (post) {
        const unsigned char *question = ocsp_request(c, &length);
        evbuffer_add(evhttp_request_get_output_buffer(request), question, length);
    }
    if (evhttp_make_request(c->connection, request, post ? EVHTTP_REQ_POST : EVHTTP_REQ_GET, target_of(c)) != 0)
        go_on(c);
}

static void on_addresses(void *arg, const struct host_facts *facts)
{
    struct revocation_check *c = arg;
    c->resolving = false;
    if (c->cancelled) {
        destroy(c);
    } else if (facts->address_count == 0) {
        go_on(c);
    } else {
        open_connection(c, (const struct sockaddr *)&facts->addresses[0].addr);
        send_request(c);
    }
}

static void end_fetch(struct revocation_check *c)
{
    if (c->uri != NULL)
        evhttp_uri_free(c->uri);
    if (c->connection != NULL)
        evhttp_connection_free(c->connection);
    if (c->answer != NULL)
        evbuffer_free(c->answer);
    c->uri = NULL;
    c->connection = NULL;
    c->answer = NULL;
}

/* False: it cannot even be asked. */
static bool fetch(struct revocation_check *c, const char *url)
{
    c->uri = evhttp_uri_parse(url);
    const char *host = c->uri != NULL ? evhttp_uri_get_host(c->uri) : NULL;
    int port = c->uri != NULL ? evhttp_uri_get_port(c->uri) : -1;
    if (host == NULL || *host == '\0' || port > 65535)
        return false;
    c->resolving = true;
    c->owner->ports.addresses(c->owner->ports.outside, c->arena, host, port > 0 ? (uint16_t)port : HTTP_PORT,
                              on_addresses, c);
    return true;
}

/* Asks whoever is next about the certificate. False: nobody has to be waited for. */
static bool ask(struct revocation_check *c)
{
    const char *url = c->source == SOURCE_OCSP ? ocsp_url(c) : crl_url(c);
    int64_t until;
    size_t length;
    if (url == NULL) {
        c->source++;
        return false;
    }
    const unsigned char *question = c->source == SOURCE_OCSP ? ocsp_request(c, &length) : NULL;
    c->key = question != NULL ? arena_printf(c->arena, "%s %s", url, text_hex(c->arena, question, length)) : url;
    const struct kept *kept = find_kept(c->owner, c->key);
    if (kept != NULL) {
        if (take(c, read_answer(c, kept->bytes, kept->length, &until)))
            go_on(c);
        return true;
    }
    c->excuse = arena_printf(c->arena, "%s does not say whether %s is revoked", text_escape(c->arena, url, strlen(url)),
                             name_of(c));
    if (fetch(c, url))
        return true;
    end_fetch(c);
    c->source++;
    return false;
}

/* The answer that came, if any did; then the next question. */
static bool take_answer(struct revocation_check *c)
{
    if (c->uri == NULL)
        return true;
    size_t length = c->answer != NULL ? evbuffer_get_length(c->answer) : 0;
    const unsigned char *bytes = length > 0 ? evbuffer_pullup(c->answer, -1) : NULL;
    int64_t until = 0;
    enum revocation_status status = bytes != NULL ? read_answer(c, bytes, length, &until) : REVOCATION_UNKNOWN;
    if (status != REVOCATION_UNKNOWN)
        keep(c->owner, c->key, bytes, length, until);
    end_fetch(c);
    return take(c, status);
}

/* Nobody vouches for the certificate. False: the check is over. */
static bool leave_unknown(struct revocation_check *c)
{
    if (c->owner->mode == REVOCATION_HARD) {
        finish(c, false,
               c->excuse != NULL ? c->excuse : arena_printf(c->arena, "nobody says whether %s is revoked", name_of(c)));
        return false;
    }
    if (c->why == NULL)
        c->why = c->excuse;
    next_certificate(c);
    return true;
}

static void on_step(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct revocation_check *c = arg;
    int64_t until;
    bool going = take_answer(c);
    while (going && c->index + 1 < sk_X509_num(c->chain)) {
        if (c->source == SOURCE_NONE)
            going = leave_unknown(c);
        else if (c->source == SOURCE_STAPLED)
            going = take(c, c->stapled != NULL ? read_answer(c, c->stapled, c->stapled_length, &until)
                                               : REVOCATION_UNKNOWN);
        else if (ask(c))
            return;
    }
    if (going)
        finish(c, true, c->why);
}

/* ---- birth and death ---- */

struct revocation_check *revocation_start(struct revocation *r, STACK_OF(X509) *chain, const unsigned char *stapled,
                                          size_t length, revocation_done *done, void *arg)
{
    struct revocation_check *c = calloc(1, sizeof *c);
    if (c == NULL)
        abort();
    *c = (struct revocation_check){
        .owner = r, .arena = arena_new("revocation"), .chain = chain, .done = done, .arg = arg};
    if (stapled != NULL && length > 0) {
        c->stapled = arena_memdup(c->arena, stapled, length);
        c->stapled_length = length;
    }
    c->stepper = evtimer_new(loop_base(r->loop), on_step, c);
    if (c->stepper == NULL)
        abort();
    LIST_INSERT_HEAD(&r->checks, c, link);
    go_on(c);
    return c;
}

static void destroy(struct revocation_check *c)
{
    LIST_REMOVE(c, link);
    end_fetch(c);
    event_free(c->stepper);
    sk_X509_pop_free(c->chain, X509_free);
    arena_free(&c->arena);
    free(c);
}

void revocation_cancel(struct revocation_check **check)
{
    struct revocation_check *c = *check;
    *check = NULL;
    if (c != NULL && c->resolving)
        c->cancelled = true; /* until the resolver lets go of its arena */
    else if (c != NULL)
        destroy(c);
}

struct revocation *revocation_new(enum revocation_mode mode, double timeout_s, const struct revocation_ports *ports,
                                  struct loop *loop)
{
    struct revocation *r = calloc(1, sizeof *r);
    if (r == NULL)
        abort();
    *r = (struct revocation){.mode = mode, .timeout_s = timeout_s, .ports = *ports, .loop = loop};
    return r;
}

void revocation_free(struct revocation **revocation)
{
    if (*revocation == NULL)
        return;
    while (!LIST_EMPTY(&(*revocation)->checks))
        destroy(LIST_FIRST(&(*revocation)->checks));
    for (size_t i = 0; i < KEPT_MAX; i++)
        drop_kept(&(*revocation)->kept[i]);
    free(*revocation);
    *revocation = NULL;
}
