/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/fakemx.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/text.h"
#include "fakemx/mx_listen.h"
#include "fakemx/mx_session.h"

enum { SESSIONS_MAX = 200, STALLED_MAX = 12000 /* with hosts that never say a word, besides */ };

struct world {
    struct mx_host *hosts;
    size_t count;
};

struct fakemx {
    struct arena *arena; /* this struct, and the hosts of every world: sessions may still be in an earlier one */
    struct loop *loop;
    struct world world;
    struct mx_listeners *listeners;
    bool listening;
    struct mx_server server;
    struct mx_session *sessions[SESSIONS_MAX + STALLED_MAX]; /* the stalled ones last; NULL: free */
};

/* ---- worlds ---- */

static const struct mx_host *find_host(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->count; i++)
        if (text_name_equal(world->hosts[i].config.name, name))
            return &world->hosts[i];
    return NULL;
}

static struct world world_of(struct fakemx *mx, const struct fakemx_config *config)
{
    struct world world = {.hosts = arena_alloc(mx->arena, config->host_count * sizeof *world.hosts),
                          .count = config->host_count};
    for (size_t i = 0; i < world.count; i++)
        mx_host_copy(mx->arena, &config->hosts[i], find_host(&mx->world, config->hosts[i].name), &world.hosts[i]);
    return world;
}

static bool world_check(const struct fakemx *mx, const struct world *world, struct err *err)
{
    for (size_t i = 0; i < world->count; i++) {
        struct err why = {0};
        const struct fakemx_host *host = &world->hosts[i].config;
        if (host->identity != NULL && !mx_tls_check(mx->server.contexts, &world->hosts[i], &why))
            return err_set(err, why.kind, "%s: %s", host->name, why.text);
    }
    return true;
}

/* ---- connections ---- */

static void on_ended(void *arg, struct mx_session *session)
{
    struct fakemx *mx = arg;
    for (size_t i = 0; i < COUNT(mx->sessions); i++)
        if (mx->sessions[i] == session)
            mx->sessions[i] = NULL;
}

static struct mx_session **free_place(struct fakemx *mx, bool stalled)
{
    size_t end = stalled ? COUNT(mx->sessions) : SESSIONS_MAX;
    for (size_t i = stalled ? SESSIONS_MAX : 0; i < end; i++)
        if (mx->sessions[i] == NULL)
            return &mx->sessions[i];
    return NULL;
}

static void witness_connect(const struct mx_witness *witness, evutil_socket_t fd)
{
    struct sockaddr_storage from = {0}, to = {0};
    socklen_t from_length = sizeof from, to_length = sizeof to;
    struct arena *arena = arena_new("connect");
    getpeername(fd, (struct sockaddr *)&from, &from_length);
    getsockname(fd, (struct sockaddr *)&to, &to_length);
    journal_add(witness->journal, JOURNAL_MX_CONNECT, witness->host->config.name, witness->conn, "from",
                netaddr_text_port(arena, (struct sockaddr *)&from), "address",
                netaddr_text_port(arena, (struct sockaddr *)&to), NULL);
    arena_free(&arena);
}

/* Ends a connection that never becomes a session, by RST. */
static void drop(const struct mx_witness *witness, evutil_socket_t fd, const char *reason)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(fd);
    journal_add(witness->journal, JOURNAL_MX_CLOSE, witness->host->config.name, witness->conn, "by", "server", "reason",
                reason, NULL);
}

static void begin_session(struct fakemx *mx, const struct mx_witness *witness, evutil_socket_t fd)
{
    struct mx_session **place = free_place(mx, witness->host->config.behaviour->tcp == MX_TCP_STALL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct bufferevent *io =
        place != NULL ? bufferevent_socket_new(loop_base(mx->loop), fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    if (io == NULL)
        drop(witness, fd, "too many sessions");
    else
        *place = mx_session_new(&mx->server, witness->host, witness->conn, io);
}

static void on_accepted(void *arg, const struct mx_host *host, evutil_socket_t fd)
{
    struct fakemx *mx = arg;
    struct mx_witness witness = {mx->server.journal, host, journal_connection(mx->server.journal)};
    witness_connect(&witness, fd);
    if (host->config.behaviour->tcp == MX_TCP_RESET) {
        mx_witness_hit(&witness, MX_SETTING(tcp), NULL);
        drop(&witness, fd, "reset");
    } else {
        begin_session(mx, &witness, fd);
    }
}

/* ---- the façade ---- */

struct fakemx *fakemx_new(const struct fakemx_config *config, struct loop *loop, struct journal *journal,
                          struct err *err)
{
    struct arena *arena = arena_new("fakemx");
    struct fakemx *mx = arena_alloc(arena, sizeof *mx);
    *mx = (struct fakemx){.arena = arena, .loop = loop};
    mx->server = (struct mx_server){journal, mx_mailbox_new(), mx_tls_contexts_new(config->keys, err), on_ended, mx};
    mx->listeners = mx_listeners_new(loop, journal, on_accepted, mx);
    mx->world = world_of(mx, config);
    if (mx->server.contexts == NULL || mx->listeners == NULL || !world_check(mx, &mx->world, err))
        fakemx_free(&mx);
    return mx;
}

bool fakemx_listen(struct fakemx *mx, struct err *err)
{
    mx->listening = mx_listeners_set(mx->listeners, mx->world.hosts, mx->world.count, err);
    return mx->listening;
}

bool fakemx_change(struct fakemx *mx, const struct fakemx_config *config, struct err *err)
{
    struct world world = world_of(mx, config);
    if (!world_check(mx, &world, err) ||
        (mx->listening && !mx_listeners_set(mx->listeners, world.hosts, world.count, err)))
        return false;
    mx->world = world;
    return true;
}

void fakemx_free(struct fakemx **mx)
{
    if (mx == NULL || *mx == NULL)
        return;
    mx_listeners_free(&(*mx)->listeners);
    for (size_t i = 0; i < COUNT((*mx)->sessions); i++)
        mx_session_free(&(*mx)->sessions[i]);
    mx_tls_contexts_free(&(*mx)->server.contexts);
    mx_mailbox_free(&(*mx)->server.mailbox);
    struct arena *arena = (*mx)->arena;
    *mx = NULL;
    arena_free(&arena);
}

static const char *text_of(const struct mx_message *message, size_t *length)
{
    if (message == NULL)
        return NULL;
    if (length != NULL)
        *length = message->length;
    return message->text;
}

const char *fakemx_message(const struct fakemx *mx, const char *token, size_t *length)
{
    return text_of(mx_mailbox_find(mx->server.mailbox, token), length);
}

const char *fakemx_message_at(const struct fakemx *mx, size_t n, size_t *length)
{
    return text_of(mx_mailbox_at(mx->server.mailbox, n), length);
}
