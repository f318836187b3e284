/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_listen.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, IDLE_S = 10, OUTPUT_MAX = 256 * 1024, LATE_MAX = 256, DATAGRAMS_A_ROUND = 32 };

/* One address. */
struct place {
    struct dns_listen *listen;
    struct netaddr address;
    int udp;
    struct event *datagrams;
    struct evconnlistener *tcp;
    struct place *next;
};

struct connection {
    struct dns_listen *listen;
    struct netaddr at, from;
    struct bufferevent *io;
    bool ended; /* by the peer, who may still be reading */
    struct connection *next;
};

/* An answer that waits. Its place or connection is NULL when that has gone. */
struct late {
    struct dns_listen *listen;
    struct place *place;
    struct connection *connection;
    struct netaddr to;
    struct event *timer;
    struct late *next;
    size_t length;
    uint8_t packet[];
};

struct dns_listen {
    struct loop *loop;
    dns_listen_ask *ask;
    void *arg;
    struct place *places;
    struct connection *connections;
    struct late *lates;
    size_t connection_count, late_count;
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        abort();
    return memory;
}

static struct sockaddr *plain(struct netaddr *address)
{
    return (struct sockaddr *)&address->addr;
}

/* --- sending, now or later --- */

static void send_udp(const struct place *place, const struct netaddr *to, const uint8_t *packet, size_t length)
{
    ssize_t sent = sendto(place->udp, packet, length, 0, (const struct sockaddr *)&to->addr, to->length);
    (void)sent; /* a datagram may be lost */
}

static void send_tcp(struct connection *connection, const uint8_t *packet, size_t length)
{
    const uint8_t prefix[] = {(uint8_t)(length >> 8), (uint8_t)length};
    bufferevent_write(connection->io, prefix, sizeof prefix);
    bufferevent_write(connection->io, packet, length);
}

static void late_free(struct late *late)
{
    for (struct late **at = &late->listen->lates; *at != NULL; at = &(*at)->next)
        if (*at == late) {
            *at = late->next;
            late->listen->late_count--;
            break;
        }
    event_free(late->timer);
    free(late);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    struct late *late = arg;
    (void)fd;
    (void)what;
    if (late->place != NULL)
        send_udp(late->place, &late->to, late->packet, late->length);
    else if (late->connection != NULL)
        send_tcp(late->connection, late->packet, late->length);
    late_free(late);
}

static void send_later(struct dns_listen *listen, struct place *place, struct connection *connection,
                       const struct netaddr *to, const struct dns_reply *reply)
{
    if (listen->late_count >= LATE_MAX)
        return;
    struct late *late = allocate(sizeof *late + reply->length);
    *late = (struct late){listen, place, connection, *to, NULL, listen->lates, reply->length};
    memcpy(late->packet, reply->packet, reply->length);
    late->timer = evtimer_new(loop_base(listen->loop), on_late, late);
    listen->lates = late;
    listen->late_count++;
    const struct timeval delay = {reply->delay_ms / 1000, reply->delay_ms % 1000 * 1000};
    evtimer_add(late->timer, &delay);
}

static void forget_lates(struct dns_listen *listen, const struct place *place, const struct connection *connection)
{
    for (struct late *late = listen->lates, *next; late != NULL; late = next) {
        next = late->next;
        if ((place != NULL && late->place == place) || (connection != NULL && late->connection == connection))
            late_free(late);
    }
}

/* --- UDP --- */

static void on_datagrams(evutil_socket_t fd, short what, void *arg)
{
    struct place *place = arg;
    (void)what;
    for (unsigned i = 0; i < DATAGRAMS_A_ROUND; i++) {
        uint8_t query[DNS_QUERY_MAX + 1];
        struct netaddr from = {.length = sizeof from.addr};
        ssize_t got = recvfrom(fd, query, sizeof query, 0, plain(&from), &from.length);
        if (got < 0)
            return;
        struct dns_reply reply;
        place->listen->ask(place->listen->arg, plain(&place->address), plain(&from), DNS_UDP, query, (size_t)got,
                           &reply);
        if (reply.deed != DNS_SEND)
            continue;
        if (reply.delay_ms > 0)
            send_later(place->listen, place, NULL, &from, &reply);
        else
            send_udp(place, &from, reply.packet, reply.length);
    }
}

/* --- TCP --- */

static void connection_free(struct connection *connection)
{
    struct dns_listen *listen = connection->listen;
    for (struct connection **at = &listen->connections; *at != NULL; at = &(*at)->next)
        if (*at == connection) {
            *at = connection->next;
            listen->connection_count--;
            break;
        }
    forget_lates(listen, NULL, connection);
    bufferevent_free(connection->io);
    free(connection);
}

/* False: the connection is gone. */
static bool serve(struct connection *connection, const uint8_t *query, size_t length)
{
    struct dns_listen *listen = connection->listen;
    struct dns_reply reply;
    listen->ask(listen->arg, plain(&connection->at), plain(&connection->from), DNS_TCP, query, length, &reply);
    if (reply.deed == DNS_HANG_UP) {
        connection_free(connection);
        return false;
    }
    if (reply.deed == DNS_SEND && reply.delay_ms > 0)
        send_later(listen, NULL, connection, &connection->from, &reply);
    else if (reply.deed == DNS_SEND)
        send_tcp(connection, reply.packet, reply.length);
    return true;
}

/* When there is more to read, and when there is room for answers again. */
static void on_tcp(struct bufferevent *io, void *arg)
{
    struct connection *connection = arg;
    struct evbuffer *in = bufferevent_get_input(io), *out = bufferevent_get_output(io);
    uint8_t prefix[2], query[DNS_QUERY_MAX];
    while (evbuffer_get_length(out) < OUTPUT_MAX && evbuffer_copyout(in, prefix, sizeof prefix) == sizeof prefix) {
        size_t length = (size_t)prefix[0] << 8 | prefix[1];
        if (length > sizeof query) {
            connection_free(connection);
            return;
        }
        if (evbuffer_get_length(in) < sizeof prefix + length)
            return;
        evbuffer_drain(in, sizeof prefix);
        evbuffer_remove(in, query, length);
        if (!serve(connection, query, length))
            return;
    }
}

static void on_tcp_end(struct bufferevent *io, short what, void *arg)
{
    struct connection *connection = arg;
    connection->ended = what & BEV_EVENT_EOF && evbuffer_get_length(bufferevent_get_output(io)) > 0;
    if (!connection->ended)
        connection_free(connection);
}

static void on_tcp_written(struct bufferevent *io, void *arg)
{
    struct connection *connection = arg;
    if (connection->ended)
        connection_free(connection);
    else
        on_tcp(io, connection);
}

static void on_connect(struct evconnlistener *tcp, evutil_socket_t fd, struct sockaddr *from, int length, void *arg)
{
    struct place *place = arg;
    struct dns_listen *listen = place->listen;
    struct bufferevent *io = NULL;
    (void)tcp;
    if (listen->connection_count >= CONNECTIONS_MAX ||
        (io = bufferevent_socket_new(loop_base(listen->loop), fd, BEV_OPT_CLOSE_ON_FREE)) == NULL) {
        close(fd);
        return;
    }
    struct connection *connection = allocate(sizeof *connection);
    *connection = (struct connection){.listen = listen, .at = place->address, .io = io, .next = listen->connections};
    memcpy(&connection->from.addr, from, (size_t)length);
    connection->from.length = (socklen_t)length;
    listen->connections = connection;
    listen->connection_count++;
    struct timeval idle = {IDLE_S, 0};
    bufferevent_setcb(io, on_tcp, on_tcp_written, on_tcp_end, connection);
    bufferevent_setwatermark(io, EV_READ, 0, 4 * DNS_QUERY_MAX);
    bufferevent_set_timeouts(io, &idle, &idle);
    bufferevent_enable(io, EV_READ | EV_WRITE);
}

/* --- places --- */

static void place_close(struct place *place)
{
    struct dns_listen *listen = place->listen;
    forget_lates(listen, place, NULL);
    for (struct connection *connection = listen->connections, *next; connection != NULL; connection = next) {
        next = connection->next;
        if (memcmp(&connection->at, &place->address, sizeof place->address) == 0)
            connection_free(connection);
    }
    if (place->datagrams != NULL)
        event_free(place->datagrams);
    if (place->tcp != NULL)
        evconnlistener_free(place->tcp);
    if (place->udp >= 0)
        close(place->udp);
    free(place);
}

static struct place *place_open(struct dns_listen *listen, const struct netaddr *address, struct err *err)
{
    struct place *place = allocate(sizeof *place);
    struct event_base *base = loop_base(listen->loop);
    *place = (struct place){.listen = listen, .address = *address, .udp = -1};
    int tcp = -1;
    if ((place->udp = netaddr_listen(address, SOCK_DGRAM, err)) < 0 ||
        (tcp = netaddr_listen(address, SOCK_STREAM, err)) < 0) {
        place_close(place);
        return NULL;
    }
    place->datagrams = event_new(base, place->udp, EV_READ | EV_PERSIST, on_datagrams, place);
    place->tcp = evconnlistener_new(base, on_connect, place, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, tcp);
    if (place->tcp == NULL)
        close(tcp);
    if (place->datagrams == NULL || place->tcp == NULL || event_add(place->datagrams, NULL) != 0) {
        place_close(place);
        err_set(err, ERR_SYSTEM, "the event loop takes no more sockets");
        return NULL;
    }
    return place;
}

struct dns_listen *dns_listen_new(struct loop *loop, dns_listen_ask *ask, void *arg)
{
    struct dns_listen *listen = allocate(sizeof *listen);
    *listen = (struct dns_listen){.loop = loop, .ask = ask, .arg = arg};
    return listen;
}

static bool holds(const struct netaddr *addresses, size_t count, const struct netaddr *address)
{
    for (size_t i = 0; i < count; i++)
        if (addresses[i].length == address->length && memcmp(&addresses[i].addr, &address->addr, address->length) == 0)
            return true;
    return false;
}

static bool listens_on(const struct dns_listen *listen, const struct netaddr *address)
{
    for (const struct place *place = listen->places; place != NULL; place = place->next)
        if (holds(&place->address, 1, address))
            return true;
    return false;
}

static void close_all(struct place *places)
{
    while (places != NULL) {
        struct place *next = places->next;
        place_close(places);
        places = next;
    }
}

bool dns_listen_on(struct dns_listen *listen, const struct netaddr *addresses, size_t count, struct err *err)
{
    struct place *fresh = NULL, **end = &fresh;
    for (size_t i = 0; i < count; i++) {
        if (listens_on(listen, &addresses[i]) || holds(addresses, i, &addresses[i]))
            continue;
        if ((*end = place_open(listen, &addresses[i], err)) == NULL) {
            close_all(fresh);
            return false;
        }
        end = &(*end)->next;
    }
    for (struct place **at = &listen->places; *at != NULL;) {
        struct place *place = *at;
        if (holds(addresses, count, &place->address))
            at = &place->next;
        else {
            *at = place->next;
            place_close(place);
        }
    }
    *end = listen->places;
    listen->places = fresh;
    return true;
}

void dns_listen_free(struct dns_listen **listen)
{
    if (listen == NULL || *listen == NULL)
        return;
    while ((*listen)->connections != NULL)
        connection_free((*listen)->connections);
    close_all((*listen)->places);
    free(*listen);
    *listen = NULL;
}
