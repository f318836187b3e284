/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakests/nginx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"

enum { SAYING_MAX = 1024, STOP_GRACE_MS = 0 }; /* it has nothing to bring to an end */

struct nginx {
    struct loop *loop;
    const char *directory;
    void (*settled)(void *arg);
    void *arg;
    const struct web_world *world;
    enum nginx_state state;
    struct process *process;
    struct arena *arena;     /* of what follows; renewed with every start */
    const char *configured;  /* nginx.conf and every PEM text of the child: tells whether a new world differs */
    struct event *listening; /* to its standard error, while it starts */
    int pipe;
    char said[SAYING_MAX]; /* on it */
    size_t said_length;
    char trouble[SAYING_MAX + 200];
};

/* ---- the configuration ---- */

/* Sessions are never resumed: each connection shows the certificate again. */
static const char common[] = "daemon off;\n"
                             "master_process off;\n"
                             "pid nginx.pid;\n"
                             "lock_file nginx.lock;\n"
                             "error_log nginx.log warn;\n"
                             "events { worker_connections %zu; }\n"
                             "http {\n"
                             "access_log off;\n"
                             "server_tokens off;\n"
                             "client_body_temp_path tmp;\n"
                             "proxy_temp_path tmp;\n"
                             "fastcgi_temp_path tmp;\n"
                             "uwsgi_temp_path tmp;\n"
                             "scgi_temp_path tmp;\n"
                             "ssl_protocols TLSv1.2 TLSv1.3;\n"
                             "ssl_ciphers DEFAULT:@SECLEVEL=0;\n"
                             "ssl_session_cache off;\n"
                             "ssl_session_tickets off;\n"
                             "proxy_http_version 1.1;\n"
                             "proxy_buffering off;\n"
                             "proxy_redirect off;\n"
                             "proxy_next_upstream off;\n"
                             "proxy_read_timeout 1d;\n";

/* One for each socket, so that every SNI and every Host gets the same certificate. Where upstream says X-Content-Length
 * or X-Transfer-Encoding nginx sends the header, and the body as it comes: it would put right what is wrong there. */
static const char server[] = "server {\n"
                             "    listen unix:%zu.sock ssl proxy_protocol;\n"
                             "    ssl_certificate %zu.pem;\n"
                             "    ssl_certificate_key %zu.key;\n"
                             "    location / {\n"
                             "        proxy_pass http://unix:" NGINX_UPSTREAM_SOCKET ":;\n"
                             "        proxy_set_header Host $http_host;\n"
                             "        proxy_set_header X-Connection $proxy_protocol_addr;\n"
                             "        proxy_set_header X-Host %zu;\n"
                             "        chunked_transfer_encoding off;\n"
                             "        proxy_hide_header X-Content-Length;\n"
                             "        proxy_hide_header X-Transfer-Encoding;\n"
                             "        add_header Content-Length $upstream_http_x_content_length always;\n"
                             "        add_header Transfer-Encoding $upstream_http_x_transfer_encoding always;\n"
                             "    }\n"
                             "}\n";

char *nginx_configuration(struct arena *arena, const struct web_world *world, bool as_root)
{
    size_t connections = world->count + 2 * NGINX_CONNECTIONS_MAX + 16;
    char *text = arena_printf(arena, "%s", as_root ? "user root;\n" : "");
    text = arena_printf(arena, "%s%s", text, arena_printf(arena, common, connections));
    for (size_t i = 0; i < world->count; i++)
        if (world->hosts[i].identity != NULL)
            text = arena_printf(arena, "%s%s", text, arena_printf(arena, server, i, i, i, i));
    return arena_printf(arena, "%s}\n", text);
}

/* Everything the child was or would be started with, as one text. */
static const char *describe(struct arena *arena, const struct web_world *world)
{
    char *text = nginx_configuration(arena, world, geteuid() == 0);
    for (size_t i = 0; i < world->count; i++)
        if (world->hosts[i].identity != NULL)
            text = arena_printf(arena, "%s%s%s", text, identity_chain_pem(arena, world->hosts[i].identity),
                                identity_key_pem(arena, world->hosts[i].identity));
    return text;
}

static bool write_text(const struct nginx *nginx, const char *name, const char *text, struct err *err)
{
    const char *path = arena_printf(nginx->arena, "%s/%s", nginx->directory, name);
    unlink(path);
    return text_write_file(path, text, strlen(text), err);
}

static bool write_files(const struct nginx *nginx, struct err *err)
{
    struct arena *arena = nginx->arena;
    const struct web_world *world = nginx->world;
    for (size_t i = 0; i < world->count; i++) {
        const struct identity *identity = world->hosts[i].identity;
        unlink(arena_printf(arena, "%s/%zu.sock", nginx->directory, i));
        if (identity != NULL &&
            !(write_text(nginx, arena_printf(arena, "%zu.pem", i), identity_chain_pem(arena, identity), err) &&
              write_text(nginx, arena_printf(arena, "%zu.key", i), identity_key_pem(arena, identity), err)))
            return false;
    }
    return write_text(nginx, "nginx.conf", nginx_configuration(arena, world, geteuid() == 0), err);
}

/* ---- the child ---- */

static void stop_listening(struct nginx *nginx)
{
    if (nginx->listening != NULL)
        event_free(nginx->listening);
    if (nginx->pipe >= 0)
        close(nginx->pipe);
    nginx->listening = NULL;
    nginx->pipe = -1;
}

static void stop_child(struct nginx *nginx)
{
    stop_listening(nginx);
    if (nginx->process != NULL)
        process_stop(&nginx->process, STOP_GRACE_MS);
    arena_free(&nginx->arena);
    nginx->configured = NULL;
    nginx->state = NGINX_IDLE;
}

static void break_down(struct nginx *nginx, const char *why)
{
    stop_listening(nginx);
    if (nginx->process != NULL)
        process_stop(&nginx->process, STOP_GRACE_MS);
    nginx->state = NGINX_BROKEN;
    snprintf(nginx->trouble, sizeof nginx->trouble, "%s", why);
}

/* The reason stands in what it said before it died, or in its log. */
void nginx_failed(struct nginx *nginx)
{
    const char *said = nginx->said;
    if (nginx->said_length == 0 && nginx->arena != NULL) {
        const char *path = arena_printf(nginx->arena, "%s/nginx.log", nginx->directory);
        const char *log = text_read_file(nginx->arena, path, 1 << 20, NULL, NULL);
        size_t length = log != NULL ? strlen(log) : 0;
        said = log == NULL ? "" : length < SAYING_MAX ? log : log + length - SAYING_MAX;
    }
    char why[sizeof nginx->trouble];
    snprintf(why, sizeof why, "nginx, the HTTPS server of the policy hosts, does not run: %.*s",
             (int)strcspn(said, "\n"), said);
    break_down(nginx, why);
}

static void on_said(evutil_socket_t fd, short what UNUSED, void *arg)
{
    struct nginx *nginx = arg;
    char rest[512];
    bool room = nginx->said_length < sizeof nginx->said - 1;
    ssize_t length = room ? read(fd, nginx->said + nginx->said_length, sizeof nginx->said - 1 - nginx->said_length)
                          : read(fd, rest, sizeof rest);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length > 0) {
        nginx->said_length += room ? (size_t)length : 0;
        return;
    }
    stop_listening(nginx);
    nginx->state = NGINX_READY;
    nginx->settled(nginx->arg);
}

static void on_end(void *arg)
{
    struct nginx *nginx = arg;
    nginx_failed(nginx);
    nginx->settled(nginx->arg);
}

static bool spawn(struct nginx *nginx, struct err *err)
{
    static const char *const arguments[] = {"nginx", "-p", "./", "-c", "nginx.conf", NULL};
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "OPENSSL_CONF=/dev/null", NULL};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_set(err, ERR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
    struct process_spec spec = {.argv = arguments,
                                .environment = environment,
                                .directory = nginx->directory,
                                .in = -1,
                                .out = -1,
                                .err = ends[1]};
    nginx->process = process_spawn(&spec, err);
    close(ends[1]);
    nginx->pipe = ends[0];
    if (nginx->process == NULL || !process_watch(nginx->process, nginx->loop, on_end, nginx, err))
        return false;
    nginx->listening = event_new(loop_base(nginx->loop), nginx->pipe, EV_READ | EV_PERSIST, on_said, nginx);
    return (nginx->listening != NULL && event_add(nginx->listening, NULL) == 0) ||
           err_set(err, ERR_SYSTEM, "out of memory");
}

static bool start(struct nginx *nginx, struct err *err)
{
    char path[256];
    if (!process_find("nginx", path, sizeof path))
        return err_set(err, ERR_SYSTEM, "nginx is not installed: it is the HTTPS server of the policy hosts");
    nginx->arena = arena_new("nginx");
    unlink(arena_printf(nginx->arena, "%s/nginx.log", nginx->directory));
    nginx->configured = describe(nginx->arena, nginx->world);
    nginx->said_length = 0;
    memset(nginx->said, 0, sizeof nginx->said);
    return write_files(nginx, err) && spawn(nginx, err);
}

enum nginx_state nginx_need(struct nginx *nginx)
{
    struct err err = {0};
    if (nginx->state != NGINX_IDLE)
        return nginx->state;
    nginx->state = NGINX_STARTING;
    if (!start(nginx, &err))
        break_down(nginx, err.text);
    return nginx->state;
}

/* ---- the module ---- */

struct nginx *nginx_new(struct loop *loop, const char *directory, void (*settled)(void *arg), void *arg)
{
    struct nginx *nginx = calloc(1, sizeof *nginx);
    if (nginx == NULL)
        abort();
    nginx->loop = loop;
    nginx->directory = directory;
    nginx->settled = settled;
    nginx->arg = arg;
    nginx->pipe = -1;
    return nginx;
}

void nginx_serve(struct nginx *nginx, const struct web_world *world)
{
    nginx->world = world;
    if (nginx->state == NGINX_IDLE)
        return;
    struct arena *arena = arena_new("nginx comparison");
    bool same = nginx->configured != NULL && strcmp(nginx->configured, describe(arena, world)) == 0;
    arena_free(&arena);
    if (!same)
        stop_child(nginx);
}

const char *nginx_trouble(const struct nginx *nginx)
{
    return nginx->trouble;
}

bool nginx_socket(const struct nginx *nginx, size_t host, char *path, size_t size)
{
    int length = snprintf(path, size, "%s/%zu.sock", nginx->directory, host);
    return length > 0 && (size_t)length < size;
}

void nginx_free(struct nginx **nginx)
{
    if (nginx == NULL || *nginx == NULL)
        return;
    stop_child(*nginx);
    free(*nginx);
    *nginx = NULL;
}
