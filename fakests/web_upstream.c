/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakests/web_upstream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fakests/web_policy.h"

enum { GIANT_BYTES = 1 << 30 };
static const struct timeval slow_pace = {.tv_sec = 1}; /* between two bytes */
static const char filler[] = "x-endless: a policy that never comes to its end, line after line after line\r\n";

struct web_exchange {
    LIST_ENTRY(web_exchange) link;
    struct web_upstream *upstream;
    struct arena *arena;
    struct bufferevent *io;
    struct event *pace; /* of a slow answer */
    const struct web_host *host;
    struct web_request request;
    struct web_answer answer;
    size_t length, sent; /* of the body */
    bool answering, reported;
};

struct web_upstream {
    struct loop *loop;
    struct journal *journal;
    const struct web_world *world;
    struct evconnlistener *listener;
    struct web_reports *reports;
    LIST_HEAD(, web_exchange) exchanges;
};

/* ---- what a request gets ---- */

bool web_asks_for_policy(const struct web_request *request)
{
    static const char path[] = "/.well-known/mta-sts.txt";
    size_t length = strcspn(request->path, "?");
    return length == sizeof path - 1 && strncmp(request->path, path, length) == 0;
}

static bool brings_report(const struct web_host *host, const struct web_request *request)
{
    return host->behaviour.reports && strcmp(request->method, "POST") == 0;
}

static struct web_answer answer_report(const struct web_host *host, int64_t count)
{
    const struct web_behaviour *behaviour = web_behaviour_at(host, count);
    return (struct web_answer){
        .status = behaviour->status == 200 ? 201 : behaviour->status,
        .type = "text/plain",
        .location = behaviour->location,
        .body = "",
        .manner = (enum web_body)behaviour->body,
        .behaviour = behaviour,
    };
}

struct web_answer web_answer_for(const struct web_host *host, int64_t count, const struct web_request *request)
{
    if (brings_report(host, request))
        return answer_report(host, count);
    if (!web_asks_for_policy(request))
        return (struct web_answer){.status = 404, .type = "text/plain", .body = "not found\n"};
    if (strcmp(request->method, "GET") != 0)
        return (struct web_answer){.status = 405, .type = "text/plain", .body = "only GET\n"};
    const struct web_behaviour *behaviour = web_behaviour_at(host, count);
    const char *policy = behaviour->policy != NULL ? behaviour->policy : host->policy;
    bool redirect = behaviour->location != NULL && behaviour->status == 200;
    bool missing = policy == NULL && behaviour->status == 200 && !redirect;
    struct web_answer answer = {
        .status = missing    ? 404
                  : redirect ? 301
                             : behaviour->status,
        .type = behaviour->type != NULL ? behaviour->type : web_behaviour_usual.type,
        .location = behaviour->location,
        .body = policy != NULL ? policy : "no policy here\n",
        .manner = (enum web_body)behaviour->body,
        .behaviour = behaviour,
    };
    answer.policy = answer.status == 200 && answer.manner == WEB_BODY_WHOLE;
    return answer;
}

static const char *reason_of(int64_t status)
{
    static const struct {
        int64_t status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Not Allowed"},
        {410, "Gone"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "As Told";
}

/* ---- one exchange ---- */

static void exchange_free(struct web_exchange *exchange)
{
    LIST_REMOVE(exchange, link);
    if (exchange->pace != NULL)
        event_free(exchange->pace);
    bufferevent_free(exchange->io);
    struct arena *arena = exchange->arena;
    arena_free(&arena);
}

static void report_answer(struct web_exchange *exchange)
{
    if (exchange->reported || !exchange->answering || exchange->answer.manner == WEB_BODY_SILENT)
        return;
    exchange->reported = true;
    struct arena *arena = exchange->arena;
    journal_add(exchange->upstream->journal, JOURNAL_WEB_ANSWER, exchange->host->name, exchange->request.conn, "status",
                arena_printf(arena, "%" PRId64, exchange->answer.status), "bytes",
                arena_printf(arena, "%zu", exchange->sent), NULL);
}

static void exchange_end(struct web_exchange *exchange)
{
    report_answer(exchange);
    exchange_free(exchange);
}

/* How the body's end is told. What begins with X is told by nginx as it is, and not held against the body. */
static const char by_chunks[] = "X-Transfer-Encoding: chunked\r\n";

static const char *by_length(const struct web_exchange *exchange)
{
    return arena_printf(exchange->arena, "Content-Length: %zu\r\n", exchange->length);
}

static void send_head(struct web_exchange *exchange, const char *framing)
{
    const struct web_answer *answer = &exchange->answer;
    struct evbuffer *out = bufferevent_get_output(exchange->io);
    evbuffer_add_printf(out, "HTTP/1.1 %" PRId64 " %s\r\n", answer->status, reason_of(answer->status));
    if (answer->type[0] != '\0')
        evbuffer_add_printf(out, "Content-Type: %s\r\n", answer->type);
    if (answer->location != NULL)
        evbuffer_add_printf(out, "Location: %s\r\n", answer->location);
    for (size_t i = 0; answer->behaviour != NULL && i < answer->behaviour->headers.count; i++)
        evbuffer_add_printf(out, "%s\r\n", answer->behaviour->headers.items[i]);
    evbuffer_add_printf(out, "%sConnection: close\r\n\r\n", framing);
}

static void send_bytes(struct web_exchange *exchange, size_t count)
{
    evbuffer_add(bufferevent_get_output(exchange->io), exchange->answer.body + exchange->sent, count);
    exchange->sent += count;
}

static void send_text(struct web_exchange *exchange, const char *text)
{
    evbuffer_add(bufferevent_get_output(exchange->io), text, strlen(text));
}

static void send_chunk(struct web_exchange *exchange, size_t count)
{
    evbuffer_add_printf(bufferevent_get_output(exchange->io), "%zx\r\n", count);
    send_bytes(exchange, count);
    send_text(exchange, "\r\n");
}

static void send_whole(struct web_exchange *exchange)
{
    send_head(exchange, by_length(exchange));
    send_bytes(exchange, exchange->length);
    report_answer(exchange);
}

static void send_half(struct web_exchange *exchange)
{
    exchange->length += exchange->length == 0; /* half of nothing lacks a byte too */
    send_head(exchange, by_length(exchange));
    send_bytes(exchange, exchange->length / 2);
    report_answer(exchange);
}

static void send_empty(struct web_exchange *exchange)
{
    exchange->length = 0;
    send_head(exchange, by_length(exchange));
    report_answer(exchange);
}

/* Without a Content-Length, so that only who counts notices. */
static void send_oversized(struct web_exchange *exchange)
{
    exchange->answer.body = web_policy_oversized(exchange->arena, exchange->answer.body, &exchange->length);
    send_head(exchange, by_chunks);
    send_chunk(exchange, exchange->length);
    send_text(exchange, "0\r\n\r\n");
    report_answer(exchange);
}

static void send_unended(struct web_exchange *exchange)
{
    send_head(exchange, by_chunks);
    send_chunk(exchange, exchange->length);
    report_answer(exchange);
}

static void send_broken_chunks(struct web_exchange *exchange)
{
    send_head(exchange, by_chunks);
    send_chunk(exchange, exchange->length / 2);
    send_text(exchange, "no number\r\n");
    send_bytes(exchange, exchange->length - exchange->sent);
    send_text(exchange, "\r\n0\r\n\r\n");
    report_answer(exchange);
}

static void send_excess(struct web_exchange *exchange)
{
    send_head(exchange, arena_printf(exchange->arena, "X-Content-Length: %zu\r\n", exchange->length / 2));
    send_bytes(exchange, exchange->length);
    report_answer(exchange);
}

static void send_fillers(struct web_exchange *exchange)
{
    enum { LINE = sizeof filler - 1, LINES = 128 };
    bool chunked = exchange->answer.manner == WEB_BODY_ENDLESS;
    struct evbuffer *out = bufferevent_get_output(exchange->io);
    if (chunked)
        evbuffer_add_printf(out, "%x\r\n", LINE * LINES);
    for (size_t i = 0; i < LINES; i++)
        evbuffer_add_reference(out, filler, LINE, NULL, NULL);
    if (chunked)
        evbuffer_add_printf(out, "\r\n");
    exchange->sent += (size_t)LINE * LINES;
}

/* More follows whenever the last lines are gone: on_written(). */
static void send_endless(struct web_exchange *exchange)
{
    send_head(exchange, by_chunks);
    send_fillers(exchange);
}

static void send_giant(struct web_exchange *exchange)
{
    exchange->length = GIANT_BYTES;
    send_head(exchange, by_length(exchange));
    send_fillers(exchange);
}

/* The last byte is never sent; then it is the client that ends it. */
static void on_pace(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct web_exchange *exchange = arg;
    if (exchange->sent + 1 < exchange->length)
        send_bytes(exchange, 1);
    else
        event_del(exchange->pace);
}

static void send_slow(struct web_exchange *exchange)
{
    exchange->length += exchange->length == 0;
    send_head(exchange, by_length(exchange));
    exchange->pace = event_new(loop_base(exchange->upstream->loop), -1, EV_PERSIST, on_pace, exchange);
    if (exchange->pace != NULL)
        event_add(exchange->pace, &slow_pace);
}

static void send_nothing(struct web_exchange *exchange UNUSED)
{
}

static const struct {
    void (*send)(struct web_exchange *exchange);
    bool stays; /* is not over when what was written is gone */
} manners[] = {
    [WEB_BODY_WHOLE] = {send_whole, false},
    [WEB_BODY_HALF] = {send_half, false},
    [WEB_BODY_ENDLESS] = {send_endless, true},
    [WEB_BODY_OVERSIZED] = {send_oversized, false},
    [WEB_BODY_EMPTY] = {send_empty, false},
    [WEB_BODY_SILENT] = {send_nothing, true},
    [WEB_BODY_SLOW] = {send_slow, true},
    [WEB_BODY_GIANT] = {send_giant, true},
    [WEB_BODY_EXCESS] = {send_excess, false},
    [WEB_BODY_UNENDED] = {send_unended, false},
    [WEB_BODY_BROKEN_CHUNKS] = {send_broken_chunks, false},
};

static void report_faults(struct web_exchange *exchange)
{
    const struct web_answer *answer = &exchange->answer;
    const struct web_host *host = exchange->host;
    struct journal *journal = exchange->upstream->journal;
    if (answer->behaviour != NULL)
        web_faults_hit(journal, host, exchange->request.conn, answer->behaviour, WEB_PART_ANSWER);
    if (answer->policy && host->policy_fault != NULL)
        journal_add(journal, JOURNAL_FAULT_HIT, host->name, exchange->request.conn, "id", host->policy_fault, "fault",
                    "policy served", NULL);
}

/* Taken is what was answered so. */
static void keep_report(struct web_exchange *exchange, const char *body)
{
    const struct web_request *request = &exchange->request;
    if (exchange->answer.status / 100 == 2)
        web_reports_add(exchange->upstream->reports,
                        &(struct web_report){exchange->host->name, request->type, body, request->length});
}

static void answer_request(struct web_exchange *exchange, struct web_host *host, const char *body)
{
    const struct web_request *request = &exchange->request;
    exchange->host = host;
    journal_add(exchange->upstream->journal, JOURNAL_WEB_REQUEST, host->name, request->conn, "method", request->method,
                "name", request->name, "path", request->path, "agent", request->agent, NULL);
    bool report = brings_report(host, request);
    if (report || (web_asks_for_policy(request) && strcmp(request->method, "GET") == 0))
        host->requests++;
    exchange->answer = web_answer_for(host, host->requests, request);
    if (report)
        keep_report(exchange, body);
    exchange->length = strlen(exchange->answer.body);
    exchange->answering = true;
    report_faults(exchange);
    manners[exchange->answer.manner].send(exchange);
}

static void on_read(struct bufferevent *io, void *arg)
{
    struct web_exchange *exchange = arg;
    struct evbuffer *in = bufferevent_get_input(io);
    size_t length = evbuffer_get_length(in);
    if (exchange->answering) {
        evbuffer_drain(in, length);
        return;
    }
    const char *bytes = (const char *)evbuffer_pullup(in, -1);
    switch (web_request_parse(exchange->arena, bytes, length, &exchange->request)) {
    case WEB_REQUEST_MORE:
        return;
    case WEB_REQUEST_COMPLETE:
        if (exchange->request.length > WEB_REPORT_MAX)
            break;
        if (length < exchange->request.head + exchange->request.length)
            return; /* the body is still to come */
        if (exchange->request.host < exchange->upstream->world->count) {
            answer_request(exchange, &exchange->upstream->world->hosts[exchange->request.host],
                           bytes + exchange->request.head);
            return;
        }
        break;
    case WEB_REQUEST_BROKEN:
        break;
    }
    exchange_free(exchange);
}

static void on_written(struct bufferevent *io UNUSED, void *arg)
{
    struct web_exchange *exchange = arg;
    if (!exchange->answering)
        return;
    bool endless = exchange->answer.manner == WEB_BODY_ENDLESS || exchange->answer.manner == WEB_BODY_GIANT;
    if (endless && exchange->sent < WEB_ENDLESS_BYTES)
        send_fillers(exchange);
    else if (endless || !manners[exchange->answer.manner].stays)
        exchange_end(exchange);
}

static void on_event(struct bufferevent *io UNUSED, short what, void *arg)
{
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        exchange_end(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from UNUSED,
                      int from_length UNUSED, void *arg)
{
    struct web_upstream *upstream = arg;
    struct bufferevent *io = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    if (io == NULL) {
        close(fd);
        return;
    }
    struct arena *arena = arena_new("web exchange");
    struct web_exchange *exchange = arena_alloc(arena, sizeof *exchange);
    exchange->upstream = upstream;
    exchange->arena = arena;
    exchange->io = io;
    LIST_INSERT_HEAD(&upstream->exchanges, exchange, link);
    bufferevent_setcb(io, on_read, on_written, on_event, exchange);
    bufferevent_setwatermark(io, EV_READ, 0, WEB_REQUEST_MAX + WEB_REPORT_MAX);
    bufferevent_enable(io, EV_READ | EV_WRITE);
}

/* ---- the socket ---- */

static int listen_at(const char *path, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path) {
        err_set(err, ERR_SYSTEM, "the name of a unix socket is too long: %s", path);
        return -1;
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    err_set(err, ERR_SYSTEM, "cannot listen on %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

struct web_upstream *web_upstream_new(struct loop *loop, struct journal *journal, const char *socket_path,
                                      struct err *err)
{
    int fd = listen_at(socket_path, err);
    if (fd < 0)
        return NULL;
    struct web_upstream *upstream = calloc(1, sizeof *upstream);
    if (upstream != NULL)
        upstream->listener = evconnlistener_new(loop_base(loop), on_accept, upstream,
                                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (upstream == NULL || upstream->listener == NULL) {
        close(fd);
        free(upstream);
        err_set(err, ERR_SYSTEM, "out of memory");
        return NULL;
    }
    upstream->loop = loop;
    upstream->journal = journal;
    upstream->reports = web_reports_new();
    LIST_INIT(&upstream->exchanges);
    return upstream;
}

void web_upstream_serve(struct web_upstream *upstream, const struct web_world *world)
{
    upstream->world = world;
}

const struct web_reports *web_upstream_reports(const struct web_upstream *upstream)
{
    return upstream->reports;
}

void web_upstream_free(struct web_upstream **upstream)
{
    if (upstream == NULL || *upstream == NULL)
        return;
    for (struct web_exchange *exchange; (exchange = LIST_FIRST(&(*upstream)->exchanges)) != NULL;)
        exchange_free(exchange);
    web_reports_free(&(*upstream)->reports);
    evconnlistener_free((*upstream)->listener);
    free(*upstream);
    *upstream = NULL;
}
