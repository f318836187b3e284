/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/metrics.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "engine/summary.h"

enum { REQUEST_SECONDS = 5, HEADERS_MAX = 8192 };

/* ---- the families ---- */

enum family { SENT, DEFERRED, FAILED, CERTIFICATE, SIGNATURE, FAMILY_COUNT };

static const struct {
    const char *name, *type, *help, *labels[2];
} families[FAMILY_COUNT] = {
    [SENT] = {"mtalab_engine_sent_total",
              "counter",
              "Recipients that mail was sent to, by what protected the channel.",
              {"connector", "protection"}},
    [DEFERRED] = {"mtalab_engine_deferred_total", "counter", "Recipients put off, by status code.", {"code"}},
    [FAILED] = {"mtalab_engine_failed_total", "counter", "Recipients given up, by status code.", {"code"}},
    [CERTIFICATE] = {"mtalab_engine_certificate_end_seconds",
                     "gauge",
                     "When the certificate of an MX host ends.",
                     {"host"}},
    [SIGNATURE] = {"mtalab_engine_signature_end_seconds",
                   "gauge",
                   "When the first DNSSEC signature of an MX host ends.",
                   {"host"}},
};

struct series {
    const char *labels[2];
    int64_t value;
};

struct metrics {
    struct arena *arena;
    struct queue *queue;
    const struct clock *clock;
    struct {
        struct series *items;
        size_t count, room;
    } families[FAMILY_COUNT];
    int64_t received, left_out, began;
    struct evhttp *http;
    char *socket_path; /* to be removed at the end; NULL */
};

static bool same(const struct series *series, const char *first, const char *second)
{
    return strcmp(series->labels[0], first) == 0 && strcmp(series->labels[1], second) == 0;
}

/* NULL: there are too many. */
static int64_t *value_of(struct metrics *m, enum family family, const char *first, const char *second)
{
    for (size_t i = 0; i < m->families[family].count; i++)
        if (same(&m->families[family].items[i], first, second))
            return &m->families[family].items[i].value;
    if (m->families[family].count == METRICS_SERIES_MAX) {
        m->left_out++;
        return NULL;
    }
    struct series *series = ARENA_PUSH(m->arena, &m->families[family]);
    *series = (struct series){{arena_strdup(m->arena, first), arena_strdup(m->arena, second)}, 0};
    return &series->value;
}

static void count(struct metrics *m, enum family family, const char *first, const char *second)
{
    int64_t *value = value_of(m, family, first, second);
    if (value != NULL)
        ++*value;
}

static void set(struct metrics *m, enum family family, const char *first, int64_t to)
{
    int64_t *value = to != 0 ? value_of(m, family, first, "") : NULL;
    if (value != NULL)
        *value = to;
}

/* ---- what is noted ---- */

static void note_sent(struct metrics *m, const struct trace_entry *e)
{
    struct history_row row = {.event = trace_event_word(TRACE_SEND),
                              .demand = e->decision != NULL ? demand_word(e->decision->demand) : "",
                              .tls = e->tls != NULL ? e->tls->version : ""};
    count(m, SENT, e->connector != NULL ? e->connector : "", summary_class(&row));
}

static void note_host(struct metrics *m, const struct trace_entry *e)
{
    if (e->host != NULL && e->tls != NULL)
        set(m, CERTIFICATE, e->host, e->tls->certificate_until);
    if (e->host != NULL && e->facts != NULL)
        set(m, SIGNATURE, e->host, e->facts->signed_until);
}

/* A peer's own codes are no labels: he could make as many as he likes. */
static const char *label_of_code(const char *code)
{
    return code != NULL && summary_is_security(code) ? code : "other";
}

void metrics_note(struct metrics *m, const struct trace_entry *entry)
{
    if (entry->event == TRACE_TRY)
        note_host(m, entry);
    else if (entry->event == TRACE_SEND)
        note_sent(m, entry);
    else if (entry->event == TRACE_RECEIVE)
        m->received++;
    else if (entry->event == TRACE_DEFER)
        count(m, DEFERRED, label_of_code(entry->code), "");
    else if (entry->event == TRACE_FAIL)
        count(m, FAILED, label_of_code(entry->code), "");
}

/* ---- as text ---- */

static void print_label(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', out);
        fputs(*value == '\n' ? "\\n" : (const char[]){*value, '\0'}, out);
    }
    fputc('"', out);
}

static void print_family(const struct metrics *m, enum family f, FILE *out)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", families[f].name, families[f].help, families[f].name,
            families[f].type);
    for (size_t i = 0; i < m->families[f].count; i++) {
        const struct series *series = &m->families[f].items[i];
        fprintf(out, "%s{", families[f].name);
        print_label(out, families[f].labels[0], series->labels[0]);
        if (families[f].labels[1] != NULL) {
            fputc(',', out);
            print_label(out, families[f].labels[1], series->labels[1]);
        }
        fprintf(out, "} %lld\n", (long long)series->value);
    }
}

static void print_one(FILE *out, const char *name, const char *type, const char *help, int64_t value)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name, (long long)value);
}

void metrics_print(struct metrics *m, FILE *out)
{
    struct queue_depth depth = {0};
    int64_t now = clock_now(m->clock);
    queue_depth(m->queue, &depth);
    for (int f = 0; f < FAMILY_COUNT; f++)
        print_family(m, (enum family)f, out);
    print_one(out, "mtalab_engine_received_total", "counter", "Messages taken by SMTP.", m->received);
    print_one(out, "mtalab_engine_series_left_out_total", "counter", "Values that found no room.", m->left_out);
    print_one(out, "mtalab_engine_queue_recipients", "gauge", "Recipients in the queue.", depth.recipients);
    print_one(out, "mtalab_engine_queue_late_recipients", "gauge", "Recipients that wait longer than an hour.",
              depth.late);
    print_one(out, "mtalab_engine_queue_oldest_seconds", "gauge", "How long the first recipient has been waiting.",
              depth.oldest != 0 ? now - depth.oldest : 0);
    print_one(out, "mtalab_engine_start_time_seconds", "gauge", "When the engine began.", m->began);
}

/* ---- serving ---- */

static void on_request(struct evhttp_request *request, void *arg)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    metrics_print(arg, out);
    fclose(out);
    evbuffer_add(evhttp_request_get_output_buffer(request), text, length);
    free(text);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "text/plain; version=0.0.4; charset=utf-8");
    evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

static int listen_unix(struct metrics *m, const char *path, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path)
        return err_set(err, ERR_INPUT, "%s is too long for a socket", path) - 1;
    memcpy(at.sun_path, path, strlen(path) + 1);
    struct stat there;
    if (lstat(path, &there) == 0 && S_ISSOCK(there.st_mode))
        unlink(path); /* of an engine that crashed; any other file stays, and is an error */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && chmod(path, 0660) == 0 && listen(fd, 16) == 0) {
        m->socket_path = arena_strdup(m->arena, path);
        return fd;
    }
    err_set(err, ERR_SYSTEM, "cannot listen on %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int listen_at(struct metrics *m, const char *at, struct err *err)
{
    struct netaddr address;
    if (strncmp(at, "unix:", 5) == 0)
        return listen_unix(m, at + 5, err);
    return netaddr_parse_port(at, &address, err) ? netaddr_listen(&address, SOCK_STREAM, err) : -1;
}

static bool serve(struct metrics *m, const char *at, struct loop *loop, struct err *err)
{
    int fd = listen_at(m, at, err);
    if (fd < 0)
        return false;
    m->http = evhttp_new(loop_base(loop));
    if (m->http == NULL || evhttp_accept_socket(m->http, fd) != 0) {
        close(fd);
        return err_set(err, ERR_SYSTEM, "cannot serve metrics");
    }
    evhttp_set_allowed_methods(m->http, EVHTTP_REQ_GET);
    evhttp_set_timeout(m->http, REQUEST_SECONDS);
    evhttp_set_max_headers_size(m->http, HEADERS_MAX);
    evhttp_set_max_body_size(m->http, 0);
    return evhttp_set_cb(m->http, "/metrics", on_request, m) == 0;
}

bool metrics_address_is_local(const char *at, struct err *err)
{
    struct netaddr address;
    if (strncmp(at, "unix:/", 6) == 0)
        return true;
    if (!netaddr_parse_port(at, &address, err))
        return false;
    return netaddr_is_loopback((const struct sockaddr *)&address.addr) ||
           err_set(err, ERR_INPUT, "'%s': metrics are for this machine: a loopback address or unix:/PATH", at);
}

struct metrics *metrics_new(const char *at, struct queue *queue, const struct clock *clock, struct loop *loop,
                            struct err *err)
{
    struct metrics *m = calloc(1, sizeof *m);
    if (m == NULL)
        abort();
    *m = (struct metrics){.arena = arena_new("metrics"), .queue = queue, .clock = clock, .began = clock_now(clock)};
    if (at != NULL && !serve(m, at, loop, err))
        metrics_free(&m);
    return m;
}

void metrics_free(struct metrics **metrics)
{
    struct metrics *m = *metrics;
    if (m == NULL)
        return;
    if (m->http != NULL)
        evhttp_free(m->http);
    if (m->socket_path != NULL)
        unlink(m->socket_path);
    arena_free(&m->arena);
    free(m);
    *metrics = NULL;
}
