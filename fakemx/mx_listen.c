/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_listen.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/netaddr.h"

struct mx_listener {
    struct mx_listeners *all;
    struct mx_listener *next;
    struct netaddr at;
    struct evconnlistener *socket;
    const struct mx_host *host, *coming; /* coming: while a new set is being put together */
};

struct mx_listeners {
    struct loop *loop;
    struct journal *journal;
    void (*accepted)(void *arg, const struct mx_host *host, evutil_socket_t fd);
    void *arg;
    struct mx_listener *first;
};

struct mx_listeners *mx_listeners_new(struct loop *loop, struct journal *journal,
                                      void (*accepted)(void *arg, const struct mx_host *host, evutil_socket_t fd),
                                      void *arg)
{
    struct mx_listeners *listeners = calloc(1, sizeof *listeners);
    if (listeners != NULL)
        *listeners = (struct mx_listeners){.loop = loop, .journal = journal, .accepted = accepted, .arg = arg};
    return listeners;
}

static void on_accept(struct evconnlistener *socket UNUSED, evutil_socket_t fd, struct sockaddr *from UNUSED,
                      int length UNUSED, void *arg)
{
    const struct mx_listener *listener = arg;
    listener->all->accepted(listener->all->arg, listener->host, fd);
}

/* Out of descriptors, most likely. To try again at once would keep the loop busy with nothing else. */
static void on_accept_error(struct evconnlistener *socket, void *arg)
{
    const struct mx_listener *listener = arg;
    journal_add(listener->all->journal, JOURNAL_LAB_TROUBLE, listener->host->config.name, 0, "what",
                strerror(EVUTIL_SOCKET_ERROR()), NULL);
    evconnlistener_disable(socket);
}

static bool same_address(const struct netaddr *a, const struct netaddr *b)
{
    return a->length == b->length && memcmp(&a->addr, &b->addr, a->length) == 0;
}

static struct mx_listener *find(const struct mx_listeners *listeners, const struct netaddr *at)
{
    struct mx_listener *listener = listeners->first;
    while (listener != NULL && !same_address(&listener->at, at))
        listener = listener->next;
    return listener;
}

static struct mx_listener *open_at(struct mx_listeners *listeners, const struct netaddr *at, struct err *err)
{
    struct mx_listener *listener = calloc(1, sizeof *listener);
    int fd = listener != NULL ? netaddr_listen(at, SOCK_STREAM, err) : -1;
    if (fd < 0) {
        free(listener);
        return NULL;
    }
    *listener = (struct mx_listener){.all = listeners, .at = *at};
    listener->socket = evconnlistener_new(loop_base(listeners->loop), on_accept, listener,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (listener->socket == NULL) {
        close(fd);
        free(listener);
        err_set(err, ERR_SYSTEM, "cannot watch a listening socket");
        return NULL;
    }
    evconnlistener_set_error_cb(listener->socket, on_accept_error);
    listener->next = listeners->first;
    listeners->first = listener;
    return listener;
}

static bool add_address(struct mx_listeners *listeners, const struct mx_host *host, const char *address,
                        struct err *err)
{
    struct netaddr at;
    if (!netaddr_parse(address, host->config.port, &at, err))
        return false;
    struct mx_listener *listener = find(listeners, &at);
    if (listener != NULL && listener->coming != NULL)
        return err_set(err, ERR_INPUT, "%s port %u is the address of both %s and %s", address, host->config.port,
                       listener->coming->config.name, host->config.name);
    if (listener == NULL)
        listener = open_at(listeners, &at, err);
    if (listener == NULL)
        return false;
    listener->coming = host;
    return true;
}

static bool add_host(struct mx_listeners *listeners, const struct mx_host *host, struct err *err)
{
    if (host->config.behaviour->tcp == MX_TCP_REFUSE)
        return true;
    for (size_t i = 0; i < host->config.address_count; i++)
        if (!add_address(listeners, host, host->config.addresses[i], err))
            return false;
    return true;
}

static void free_listener(struct mx_listener *listener)
{
    evconnlistener_free(listener->socket);
    free(listener);
}

/* The set that was put together begins, or is forgotten: listeners without a host go away. */
static void settle(struct mx_listeners *listeners, bool begin)
{
    for (struct mx_listener **at = &listeners->first; *at != NULL;) {
        struct mx_listener *listener = *at;
        if (begin)
            listener->host = listener->coming;
        listener->coming = NULL;
        if (listener->host != NULL) {
            at = &listener->next;
            continue;
        }
        *at = listener->next;
        free_listener(listener);
    }
}

bool mx_listeners_set(struct mx_listeners *listeners, const struct mx_host *hosts, size_t count, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = add_host(listeners, &hosts[i], err);
    settle(listeners, ok);
    return ok;
}

void mx_listeners_free(struct mx_listeners **listeners)
{
    if (*listeners == NULL)
        return;
    while ((*listeners)->first != NULL) {
        struct mx_listener *listener = (*listeners)->first;
        (*listeners)->first = listener->next;
        free_listener(listener);
    }
    free(*listeners);
    *listeners = NULL;
}
