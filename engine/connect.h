/* SPDX-License-Identifier: BSD-2-Clause
 * connect - one TCP connection to one address, or why there is none.
 *
 * Owns:   the attempt until done() is called; then the bufferevent is the callee's.
 * Errors: a NULL bufferevent with the cause and the reason.
 * Threads: one; done() comes from the loop, never from inside connect_start(). */
#ifndef ENGINE_CONNECT_H
#define ENGINE_CONNECT_H

#include <event2/bufferevent.h>

#include "base/loop.h"
#include "base/netaddr.h"
#include "engine/outcome.h"

struct connect_attempt;
typedef void connect_done(void *arg, struct bufferevent *io, enum cause cause, const char *why);

struct connect_attempt *connect_start(struct loop *loop, const struct netaddr *to, double timeout_s,
                                      connect_done *done, void *arg);
void connect_cancel(struct connect_attempt **attempt);     /* done() is not called any more */

struct timeval connect_timeval(double seconds);

#endif
