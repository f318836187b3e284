/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakests/web_front.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/un.h>
#include <unistd.h>

#include "fakests/nginx.h"
#include "fakests/web_hello.h"
#include "fakests/web_request.h"
#include "fakests/web_upstream.h"

enum {
    /* More than a ServerHello, a HelloRetryRequest or an alert alone; less than any flight with a certificate. */
    CERTIFICATE_FLIGHT = 256,
    RECORD_HANDSHAKE = 22,
};
static const struct timeval patience = {.tv_sec = 60}; /* for the hello, and for a client that takes nothing */

enum connection_state {
    CONNECTION_HELLO,   /* reads the ClientHello */
    CONNECTION_HELD,    /* a fault: nothing comes any more */
    CONNECTION_WAITING, /* for nginx */
    CONNECTION_RELAYED,
    CONNECTION_CLOSING, /* ends when what was written is gone */
};

struct web_connection {
    LIST_ENTRY(web_connection) link;
    struct web_front *front;
    struct arena *arena;
    unsigned number;
    enum connection_state state;
    const struct web_world *world; /* of the time it began */
    struct web_host *host;
    struct netaddr at;                   /* our address */
    struct bufferevent *client, *server; /* server: nginx, NULL before CONNECTION_RELAYED */
    size_t shown;                        /* bytes of nginx so far */
    bool handshake;                      /* they began with a handshake record */
    bool closed;                         /* WEB_CLOSE is in the journal */
};

struct web_listener {
    LIST_ENTRY(web_listener) link;
    struct web_front *front;
    struct netaddr at;
    struct evconnlistener *listener;
    bool fresh, wanted; /* while the world changes */
};

struct web_front {
    struct loop *loop;
    struct journal *journal;
    const struct web_world *world;
    struct nginx *nginx;
    struct web_upstream *upstream;
    LIST_HEAD(, web_listener) listeners;
    LIST_HEAD(, web_connection) connections;
    size_t connection_count;
    bool listening;
};

/* ---- addresses and hosts ---- */

static bool same_address(const struct netaddr *a, const struct netaddr *b)
{
    return a->length == b->length && memcmp(&a->addr, &b->addr, a->length) == 0;
}

static bool host_is_at(const struct web_host *host, const struct netaddr *at)
{
    for (size_t i = 0; i < host->at_count; i++)
        if (same_address(&host->at[i], at))
            return true;
    return false;
}

/* Several hosts may share an address: then the name asked for decides, and the first one has all the rest. */
static struct web_host *host_for(const struct web_world *world, const struct netaddr *at, const char *sni)
{
    struct web_host *first = NULL;
    for (size_t i = 0; i < world->count; i++) {
        struct web_host *host = &world->hosts[i];
        if (!host_is_at(host, at))
            continue;
        if (strcasecmp(host->name, sni) == 0)
            return host;
        first = first != NULL ? first : host;
    }
    return first;
}

static bool refuses(const struct web_host *host)
{
    return host->behaviour.https == WEB_HTTPS_REFUSE && host->behaviour.nth == 0;
}

/* ---- the end of a connection ---- */

static void heed_limit(struct web_front *front)
{
    struct web_listener *listener;
    bool full = front->connection_count >= NGINX_CONNECTIONS_MAX;
    LIST_FOREACH(listener, &front->listeners, link)
    if (full)
        evconnlistener_disable(listener->listener);
    else
        evconnlistener_enable(listener->listener);
}

static void connection_free(struct web_connection *connection)
{
    struct web_front *front = connection->front;
    LIST_REMOVE(connection, link);
    front->connection_count--;
    bufferevent_free(connection->client);
    if (connection->server != NULL)
        bufferevent_free(connection->server);
    struct arena *arena = connection->arena;
    arena_free(&arena);
    heed_limit(front);
}

static void report_close(struct web_connection *connection, const char *by)
{
    if (!connection->closed)
        journal_add(connection->front->journal, JOURNAL_WEB_CLOSE, connection->host->name, connection->number, "by", by,
                    NULL);
    connection->closed = true;
}

/* Ends when what io still has to write is gone. */
static void close_after(struct web_connection *connection, struct bufferevent *io)
{
    if (evbuffer_get_length(bufferevent_get_output(io)) == 0) {
        connection_free(connection);
        return;
    }
    connection->state = CONNECTION_CLOSING;
    bufferevent_disable(connection->client, EV_READ);
    if (connection->server != NULL)
        bufferevent_disable(connection->server, EV_READ);
    bufferevent_set_timeouts(io, NULL, &patience);
}

static void end_in_trouble(struct web_connection *connection, const char *what)
{
    journal_add(connection->front->journal, JOURNAL_LAB_TROUBLE, connection->host->name, connection->number, "what",
                what, NULL);
    report_close(connection, "server");
    connection_free(connection);
}

/* ---- faults ---- */

static void do_reset(struct web_connection *connection)
{
    struct linger at_once = {.l_onoff = 1};
    setsockopt(bufferevent_getfd(connection->client), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    report_close(connection, "server");
    connection_free(connection);
}

static void do_close(struct web_connection *connection)
{
    report_close(connection, "server");
    connection_free(connection);
}

static void do_stall(struct web_connection *connection)
{
    connection->state = CONNECTION_HELD;
}

static void send_and_close(struct web_connection *connection, const void *bytes, size_t length)
{
    bufferevent_write(connection->client, bytes, length);
    report_close(connection, "server");
    close_after(connection, connection->client);
}

static void do_garbage(struct web_connection *connection)
{
    static const char garbage[] = "This is not TLS, and no server of a policy would say so.\r\n";
    send_and_close(connection, garbage, sizeof garbage - 1);
}

static void do_alert(struct web_connection *connection)
{
    static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 40}; /* 8446-6: fatal, handshake_failure */
    send_and_close(connection, alert, sizeof alert);
}

static void (*const faults[])(struct web_connection *connection) = {
    [WEB_HTTPS_OK] = NULL,        [WEB_HTTPS_REFUSE] = do_reset, [WEB_HTTPS_RESET] = do_reset,
    [WEB_HTTPS_CLOSE] = do_close, [WEB_HTTPS_STALL] = do_stall,  [WEB_HTTPS_GARBAGE] = do_garbage,
    [WEB_HTTPS_ALERT] = do_alert,
};

/* ---- to nginx and back ---- */

static void relay(struct bufferevent *from, struct bufferevent *to)
{
    struct evbuffer *out = bufferevent_get_output(to);
    evbuffer_add_buffer(out, bufferevent_get_input(from));
    if (evbuffer_get_length(out) >= WEB_RELAY_MAX)
        bufferevent_disable(from, EV_READ);
}

/* The flight with the certificate is told from all others by its size: what it says is encrypted since TLS 1.3. */
static void watch_flight(struct web_connection *connection)
{
    struct evbuffer *in = bufferevent_get_input(connection->server);
    size_t before = connection->shown;
    unsigned char first = 0;
    if (before == 0 && evbuffer_copyout(in, &first, 1) == 1)
        connection->handshake = first == RECORD_HANDSHAKE;
    connection->shown += evbuffer_get_length(in);
    const struct web_host *host = connection->host;
    if (host->certificate_fault != NULL && connection->handshake && before < CERTIFICATE_FLIGHT &&
        connection->shown >= CERTIFICATE_FLIGHT)
        journal_add(connection->front->journal, JOURNAL_FAULT_HIT, host->name, connection->number, "id",
                    host->certificate_fault, "fault", "certificate shown", NULL);
}

static void on_server_read(struct bufferevent *server, void *arg)
{
    struct web_connection *connection = arg;
    watch_flight(connection);
    relay(server, connection->client);
}

static void on_server_written(struct bufferevent *server UNUSED, void *arg)
{
    struct web_connection *connection = arg;
    if (connection->state == CONNECTION_CLOSING)
        connection_free(connection);
    else
        bufferevent_enable(connection->client, EV_READ);
}

static void on_server_event(struct bufferevent *server UNUSED, short what, void *arg)
{
    struct web_connection *connection = arg;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) == 0)
        return;
    if (connection->state == CONNECTION_CLOSING) {
        connection_free(connection);
        return;
    }
    report_close(connection, "server");
    close_after(connection, connection->client);
}

static struct bufferevent *connect_to_nginx(struct web_connection *connection)
{
    struct web_front *front = connection->front;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t index = (size_t)(connection->host - connection->world->hosts);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct bufferevent *server = NULL;
    if (fd >= 0 && nginx_socket(front->nginx, index, at.sun_path, sizeof at.sun_path) &&
        connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        server = bufferevent_socket_new(loop_base(front->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    if (server == NULL && fd >= 0)
        close(fd);
    return server;
}

/* Our number of the connection goes along as the client's address, so that the upstream knows whom it answers. */
static void pass_on(struct web_connection *connection)
{
    struct bufferevent *server = connect_to_nginx(connection);
    if (server == NULL) {
        nginx_failed(connection->front->nginx);
        end_in_trouble(connection, nginx_trouble(connection->front->nginx));
        return;
    }
    connection->server = server;
    connection->state = CONNECTION_RELAYED;
    bufferevent_setcb(server, on_server_read, on_server_written, on_server_event, connection);
    bufferevent_setwatermark(server, EV_READ, 0, WEB_RELAY_MAX);
    bufferevent_enable(server, EV_READ | EV_WRITE);
    char address[WEB_CONNECTION_TEXT];
    web_connection_write(connection->number, address);
    evbuffer_add_printf(bufferevent_get_output(server), "PROXY TCP6 %s ::1 1 443\r\n", address);
    relay(connection->client, server);
}

static void go_on(struct web_connection *connection)
{
    struct nginx *nginx = connection->front->nginx;
    switch (nginx_need(nginx)) {
    case NGINX_READY:
        pass_on(connection);
        return;
    case NGINX_BROKEN:
        end_in_trouble(connection, nginx_trouble(nginx));
        return;
    case NGINX_IDLE:
    case NGINX_STARTING:
        connection->state = CONNECTION_WAITING;
        return;
    }
}

static void for_waiting(struct web_front *front, void (*each)(struct web_connection *connection))
{
    struct web_connection *connection = LIST_FIRST(&front->connections), *next;
    for (; connection != NULL; connection = next) {
        next = LIST_NEXT(connection, link);
        if (connection->state == CONNECTION_WAITING)
            each(connection);
    }
}

static void on_nginx_settled(void *arg)
{
    struct web_front *front = arg;
    if (nginx_need(front->nginx) == NGINX_BROKEN)
        journal_add(front->journal, JOURNAL_LAB_TROUBLE, "", 0, "what", nginx_trouble(front->nginx), NULL);
    for_waiting(front, go_on);
}

/* ---- the client ---- */

static void meet(struct web_connection *connection)
{
    struct web_host *host = connection->host;
    const struct web_behaviour *behaviour = web_behaviour_at(host, ++host->connections);
    bufferevent_set_timeouts(connection->client, NULL, NULL);
    web_faults_hit(connection->front->journal, host, connection->number, behaviour, WEB_PART_FRONT);
    if (faults[behaviour->https] != NULL)
        faults[behaviour->https](connection);
    else
        go_on(connection);
}

static void read_hello(struct web_connection *connection)
{
    struct evbuffer *in = bufferevent_get_input(connection->client);
    struct web_hello hello;
    enum web_hello_found found = web_hello_parse(evbuffer_pullup(in, -1), evbuffer_get_length(in), &hello);
    if (found == WEB_HELLO_MORE)
        return;
    connection->host = host_for(connection->world, &connection->at, hello.sni);
    if (found == WEB_HELLO_COMPLETE)
        journal_add(connection->front->journal, JOURNAL_WEB_HELLO, connection->host->name, connection->number, "sni",
                    hello.sni, NULL);
    meet(connection);
}

static void on_client_read(struct bufferevent *client, void *arg)
{
    struct web_connection *connection = arg;
    switch (connection->state) {
    case CONNECTION_HELLO:
        read_hello(connection);
        return;
    case CONNECTION_WAITING: /* kept, up to the watermark */
        return;
    case CONNECTION_RELAYED:
        relay(client, connection->server);
        return;
    case CONNECTION_HELD:
    case CONNECTION_CLOSING: {
        struct evbuffer *in = bufferevent_get_input(client);
        evbuffer_drain(in, evbuffer_get_length(in));
        return;
    }
    }
}

static void on_client_written(struct bufferevent *client UNUSED, void *arg)
{
    struct web_connection *connection = arg;
    if (connection->state == CONNECTION_CLOSING)
        connection_free(connection);
    else if (connection->server != NULL)
        bufferevent_enable(connection->server, EV_READ);
}

static void on_client_event(struct bufferevent *client UNUSED, short what, void *arg)
{
    struct web_connection *connection = arg;
    report_close(connection, (what & BEV_EVENT_TIMEOUT) != 0 ? "server" : "client");
    if (connection->server != NULL && connection->state == CONNECTION_RELAYED && (what & BEV_EVENT_EOF) != 0)
        close_after(connection, connection->server);
    else
        connection_free(connection);
}

static void connection_start(struct web_front *front, struct bufferevent *client, const struct web_listener *at,
                             const struct sockaddr *from)
{
    struct arena *arena = arena_new("web connection");
    struct web_connection *connection = arena_alloc(arena, sizeof *connection);
    *connection = (struct web_connection){
        .front = front,
        .arena = arena,
        .number = journal_connection(front->journal),
        .state = CONNECTION_HELLO,
        .world = front->world,
        .host = host_for(front->world, &at->at, ""),
        .at = at->at,
        .client = client,
    };
    LIST_INSERT_HEAD(&front->connections, connection, link);
    front->connection_count++;
    heed_limit(front);
    journal_add(front->journal, JOURNAL_WEB_CONNECT, connection->host->name, connection->number, "from",
                netaddr_text_port(arena, from), "address",
                netaddr_text_port(arena, (const struct sockaddr *)&at->at.addr), NULL);
    bufferevent_setcb(client, on_client_read, on_client_written, on_client_event, connection);
    bufferevent_setwatermark(client, EV_READ, 0, WEB_RELAY_MAX);
    bufferevent_set_timeouts(client, &patience, NULL);
    bufferevent_enable(client, EV_READ | EV_WRITE);
}

/* ---- listeners ---- */

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int from_length UNUSED, void *arg)
{
    struct web_listener *at = arg;
    struct bufferevent *client = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    /* What nginx sends in small pieces leaves at once, not when the client has acknowledged the piece before. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (client == NULL)
        close(fd);
    else
        connection_start(at->front, client, at, from);
}

static struct web_listener *open_listener(struct web_front *front, const struct netaddr *at, struct err *err)
{
    int fd = netaddr_listen(at, SOCK_STREAM, err);
    if (fd < 0)
        return NULL;
    struct web_listener *listener = calloc(1, sizeof *listener);
    if (listener != NULL)
        listener->listener = evconnlistener_new(loop_base(front->loop), on_accept, listener,
                                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (listener == NULL || listener->listener == NULL) {
        close(fd);
        free(listener);
        err_set(err, ERR_SYSTEM, "cannot watch a listening socket");
        return NULL;
    }
    listener->front = front;
    listener->at = *at;
    listener->fresh = true;
    LIST_INSERT_HEAD(&front->listeners, listener, link);
    return listener;
}

static bool want(struct web_front *front, const struct netaddr *at, struct err *err)
{
    struct web_listener *listener;
    LIST_FOREACH(listener, &front->listeners, link)
    if (same_address(&listener->at, at))
        break;
    if (listener == NULL)
        listener = open_listener(front, at, err);
    if (listener != NULL)
        listener->wanted = true;
    return listener != NULL;
}

static bool is_fresh(const struct web_listener *listener)
{
    return listener->fresh;
}

static bool is_unwanted(const struct web_listener *listener)
{
    return !listener->wanted;
}

static bool is_any(const struct web_listener *listener UNUSED)
{
    return true;
}

/* Those that stay are marked as neither fresh nor wanted. */
static void close_listeners(struct web_front *front, bool (*which)(const struct web_listener *listener))
{
    struct web_listener *listener = LIST_FIRST(&front->listeners), *next;
    for (; listener != NULL; listener = next) {
        next = LIST_NEXT(listener, link);
        if (which(listener)) {
            LIST_REMOVE(listener, link);
            evconnlistener_free(listener->listener);
            free(listener);
        } else {
            listener->fresh = listener->wanted = false;
        }
    }
}

static bool open_listeners(struct web_front *front, const struct web_world *world, struct err *err)
{
    for (size_t i = 0; i < world->count; i++)
        for (size_t k = 0; k < world->hosts[i].at_count && !refuses(&world->hosts[i]); k++)
            if (!want(front, &world->hosts[i].at[k], err)) {
                close_listeners(front, is_fresh);
                return false;
            }
    close_listeners(front, is_unwanted);
    return true;
}

/* ---- the module ---- */

struct web_front *web_front_new(struct loop *loop, struct journal *journal, const char *directory, struct err *err)
{
    struct web_front *front = calloc(1, sizeof *front);
    if (front == NULL)
        abort();
    front->loop = loop;
    front->journal = journal;
    LIST_INIT(&front->listeners);
    LIST_INIT(&front->connections);
    front->nginx = nginx_new(loop, directory, on_nginx_settled, front);
    struct arena *arena = arena_new("web front");
    front->upstream = web_upstream_new(loop, journal, arena_printf(arena, "%s/" NGINX_UPSTREAM_SOCKET, directory), err);
    arena_free(&arena);
    if (front->upstream == NULL)
        web_front_free(&front);
    return front;
}

bool web_front_serve(struct web_front *front, const struct web_world *world, struct err *err)
{
    if (front->listening && !open_listeners(front, world, err))
        return false;
    for_waiting(front, do_close);
    front->world = world;
    web_upstream_serve(front->upstream, world);
    nginx_serve(front->nginx, world);
    return true;
}

bool web_front_listen(struct web_front *front, struct err *err)
{
    front->listening = open_listeners(front, front->world, err);
    return front->listening;
}

const struct web_reports *web_front_reports(const struct web_front *front)
{
    return web_upstream_reports(front->upstream);
}

void web_front_free(struct web_front **front)
{
    if (front == NULL || *front == NULL)
        return;
    for (struct web_connection *connection; (connection = LIST_FIRST(&(*front)->connections)) != NULL;)
        connection_free(connection);
    close_listeners(*front, is_any);
    nginx_free(&(*front)->nginx);
    web_upstream_free(&(*front)->upstream);
    free(*front);
    *front = NULL;
}
