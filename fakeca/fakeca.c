/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakeca/fakeca.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>

#include "base/netaddr.h"
#include "base/text.h"

enum { HTTP_PORT = 80, QUESTION_MAX = 16 * 1024 };

struct fakeca {
    struct arena *arena; /* of the world */
    struct fakeca_config config;
    const struct clock *clock;
    struct loop *loop;
    struct journal *journal;
    struct evhttp *http; /* NULL: nobody listens */
};

/* ---- answering ---- */

/* "/<host>/ocsp": the certificate that the path is about, and what stands behind it. */
static const struct fakeca_certificate *find(const struct fakeca *ca, const char *path, const char **rest)
{
    size_t length = path != NULL && path[0] == '/' ? strcspn(path + 1, "/") : 0;
    for (size_t i = 0; length > 0 && i < ca->config.count; i++) {
        const struct fakeca_certificate *c = &ca->config.certificates[i];
        if (strlen(c->host) == length && strncmp(c->host, path + 1, length) == 0) {
            *rest = path + 1 + length;
            return c;
        }
    }
    return NULL;
}

static void witness(const struct fakeca *ca, struct evhttp_request *request, const struct fakeca_certificate *about,
                    const char *path)
{
    const char *says = about != NULL ? ca_says_words[about->says] : "not found";
    const char *host = evhttp_request_get_host(request);
    journal_add(ca->journal, JOURNAL_CA_REQUEST, host != NULL ? host : "", 0, "path", path != NULL ? path : "", "about",
                about != NULL ? about->host : "", "says", says, NULL);
}

typedef unsigned char *make_answer(struct arena *arena, const struct identity *certificate, enum ca_says says,
                                   time_t now, size_t *length);

static const struct {
    const char *path, *type;
    make_answer *make;
} answers[] = {
    {"/ocsp", "application/ocsp-response", ca_ocsp_response},
    {"/crl", "application/pkix-crl", ca_revocation_list},
};

static void answer(struct fakeca *ca, struct evhttp_request *request, const struct fakeca_certificate *about, size_t i)
{
    struct arena *arena = arena_new("answer");
    struct evbuffer *body = evbuffer_new();
    size_t length = 0;
    const unsigned char *bytes =
        answers[i].make(arena, about->identity, about->says, (time_t)clock_now(ca->clock), &length);
    if (body == NULL || bytes == NULL) {
        evhttp_send_error(request, 500, NULL);
    } else {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", answers[i].type);
        evbuffer_add(body, bytes, length);
        evhttp_send_reply(request, 200, "OK", body);
    }
    if (body != NULL)
        evbuffer_free(body);
    arena_free(&arena);
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct fakeca *ca = arg;
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request)), *rest = "";
    const struct fakeca_certificate *about = find(ca, path, &rest);
    size_t i = 0;
    witness(ca, request, about, path);
    while (i < COUNT(answers) && strcmp(answers[i].path, rest) != 0)
        i++;
    if (about != NULL && about->says == CA_UNAVAILABLE)
        evhttp_send_error(request, 503, NULL);
    else if (about == NULL || about->says == CA_NOTHING || i == COUNT(answers))
        evhttp_send_error(request, 404, NULL);
    else
        answer(ca, request, about, i);
}

/* ---- birth and death ---- */

static void stop(struct fakeca *ca)
{
    if (ca->http != NULL)
        evhttp_free(ca->http);
    ca->http = NULL;
    arena_free(&ca->arena);
}

static void copy(struct fakeca *ca, const struct fakeca_config *config)
{
    struct fakeca_certificate *list = arena_alloc(ca->arena, (config->count + 1) * sizeof *list);
    for (size_t i = 0; i < config->count; i++) {
        list[i] = config->certificates[i];
        list[i].host = arena_strdup(ca->arena, list[i].host);
    }
    ca->config = *config;
    ca->config.certificates = list;
}

static bool serve(struct fakeca *ca, const struct fakeca_config *config, struct err *err)
{
    struct netaddr at;
    if (!netaddr_parse(config->address, config->port != 0 ? config->port : HTTP_PORT, &at, err))
        return false;
    int fd = netaddr_listen(&at, SOCK_STREAM, err);
    if (fd < 0)
        return false;
    struct evconnlistener *listener =
        evconnlistener_new(loop_base(ca->loop), NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    ca->http = evhttp_new(loop_base(ca->loop));
    if (listener == NULL || ca->http == NULL || evhttp_bind_listener(ca->http, listener) == NULL)
        abort();
    evhttp_set_max_body_size(ca->http, QUESTION_MAX);
    evhttp_set_max_headers_size(ca->http, QUESTION_MAX);
    evhttp_set_gencb(ca->http, on_request, ca);
    return true;
}

bool fakeca_change(struct fakeca *ca, const struct fakeca_config *config, struct err *err)
{
    stop(ca);
    ca->arena = arena_new("fakeca");
    copy(ca, config);
    return config->address == NULL || serve(ca, config, err);
}

struct fakeca *fakeca_new(const struct fakeca_config *config, const struct clock *clock, struct loop *loop,
                          struct journal *journal, struct err *err)
{
    struct fakeca *ca = calloc(1, sizeof *ca);
    if (ca == NULL)
        abort();
    ca->clock = clock;
    ca->loop = loop;
    ca->journal = journal;
    if (!fakeca_change(ca, config, err))
        fakeca_free(&ca);
    return ca;
}

void fakeca_free(struct fakeca **ca)
{
    if (ca == NULL || *ca == NULL)
        return;
    stop(*ca);
    free(*ca);
    *ca = NULL;
}
