/* SPDX-License-Identifier: BSD-2-Clause
 * web_front - port 443 of every policy host: who connects and the name asked for go into the journal, TCP and TLS
 * faults are done here, everything else is passed on to nginx byte by byte.
 *
 * Owns:    listeners, connections, nginx and its upstream.
 * Borrows: the loop, the journal, the directory's name and every world it was given; all must outlive it.
 * Errors:  false with *err filled; what listened before still does. What fails while a client waits is LAB_TROUBLE in
 *          the journal, and the connection ends.
 * At most NGINX_CONNECTIONS_MAX connections at once (more wait in the backlog), each with at most WEB_RELAY_MAX bytes
 * under way in either direction; a hello must come within a minute. */
#ifndef FAKESTS_WEB_FRONT_H
#define FAKESTS_WEB_FRONT_H

#include "fakests/web_host.h"
#include "fakests/web_report.h"

enum { WEB_RELAY_MAX = 64 * 1024 };

struct web_front;

struct web_front *web_front_new(struct loop *loop, struct journal *journal, const char *directory, struct err *err)
    NODISCARD;
/* From now on this world. Listeners are opened and closed once web_front_listen() was called. */
bool web_front_serve(struct web_front *front, const struct web_world *world, struct err *err) NODISCARD;
bool web_front_listen(struct web_front *front, struct err *err) NODISCARD;
const struct web_reports *web_front_reports(const struct web_front *front);
void web_front_free(struct web_front **front);

#endif
