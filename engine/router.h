/* SPDX-License-Identifier: BSD-2-Clause
 * router - which connector takes each recipient in the queue. A message's header is read once, and only if some rule
 * looks at headers.
 *
 * Owns:    the header of one message, until router_end(). Borrows: routing, queue.
 * Errors:  a message that cannot be read has no header: no rule about headers holds. */
#ifndef ENGINE_ROUTER_H
#define ENGINE_ROUTER_H

#include "engine/connector.h"
#include "engine/queue.h"

struct router {
    const struct routing *routing;
    struct queue *queue;
    struct arena *arena; /* of the header; NULL: none was read */
    int64_t message;     /* whose header it is */
    const char *header;
    size_t header_length;
};

struct connector_choice router_choose(struct router *router, const struct queued *recipient);
void router_end(struct router *router);

#endif
