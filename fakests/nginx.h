/* SPDX-License-Identifier: BSD-2-Clause
 * nginx - the HTTPS server of every policy host: one child, one unix socket for each host, its chain and key in files.
 *
 * Started when it is first needed. It listens before it gives up its first standard error, so the end of that pipe says
 * that it is ready, or dead with the reason in the pipe: nothing is polled.
 *
 * Owns:    the child, the files nginx.conf, <n>.pem, <n>.key, <n>.sock and nginx.log in the directory.
 * Borrows: the loop, the directory's name, the world and its identities; all must outlive it.
 * Errors:  handed to settled() as text. */
#ifndef FAKESTS_NGINX_H
#define FAKESTS_NGINX_H

#include "fakests/web_host.h"

enum nginx_state { NGINX_IDLE, NGINX_STARTING, NGINX_READY, NGINX_BROKEN };

#define NGINX_UPSTREAM_SOCKET "upstream.sock" /* in the directory; the upstream listens there */
enum { NGINX_CONNECTIONS_MAX = 200 };         /* of clients at once */

struct nginx;

/* settled(arg) is called from the loop: when it has started, in NGINX_READY; when it has ended by itself, in
 * NGINX_BROKEN. */
struct nginx *nginx_new(struct loop *loop, const char *directory, void (*settled)(void *arg), void *arg);
/* Another world. A child that runs goes on when its configuration stays the same, and ends otherwise. */
void nginx_serve(struct nginx *nginx, const struct web_world *world);
/* Starts it if it does not run. */
enum nginx_state nginx_need(struct nginx *nginx);
/* It did not take a connection: it is broken from now on, until the configuration changes. */
void nginx_failed(struct nginx *nginx);
const char *nginx_trouble(const struct nginx *nginx); /* in NGINX_BROKEN */
/* Where the host's server listens; false when the directory's name is too long for a unix socket. */
bool nginx_socket(const struct nginx *nginx, size_t host, char *path, size_t size);
void nginx_free(struct nginx **nginx);

/* The text of nginx.conf. Names and paths of users do not stand in it. Pure. */
char *nginx_configuration(struct arena *arena, const struct web_world *world, bool as_root);

#endif
