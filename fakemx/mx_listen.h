/* SPDX-License-Identifier: BSD-2-Clause
 * mx_listen - a listening socket for each address of each host.
 *
 * Owns:    the sockets.
 * Borrows: the loop, the journal, the hosts set last.
 * Errors:  false with *err filled; what was listened on before stays so. */
#ifndef FAKEMX_MX_LISTEN_H
#define FAKEMX_MX_LISTEN_H

#include "base/loop.h"
#include "fakemx/mx_host.h"

struct mx_listeners;

/* accepted() is given the new socket. */
struct mx_listeners *mx_listeners_new(struct loop *loop, struct journal *journal,
                                      void (*accepted)(void *arg, const struct mx_host *host, evutil_socket_t fd),
                                      void *arg);
/* Listens for these hosts from now on; a host that refuses connections has no socket. */
bool mx_listeners_set(struct mx_listeners *listeners, const struct mx_host *hosts, size_t count, struct err *err)
    NODISCARD;
void mx_listeners_free(struct mx_listeners **listeners);

#endif
