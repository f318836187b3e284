/* SPDX-License-Identifier: BSD-2-Clause
 * control - the administrator's door: a unix socket, one JSON object a line in, one a line out.
 *
 * {"do":"flush"} {"do":"wait"} {"do":"advance","seconds":900} {"do":"forget"} {"do":"reload"}
 * {"do":"stop"}
 * {"do":"connector","name":"lab","set":{"smtp-dane":"none","fallback-on":null}}, and those of admin.c:
 * {"do":"status"} {"do":"queue","domain":"b.example"} {"do":"requeue","connector":"lab"} {"do":"hold","message":7}
 * {"do":"release","message":7} {"do":"remove","message":7,"report":true} {"do":"queued","message":7}
 * {"do":"trace","domain":"b.example","events":true,"limit":100}
 * Answers: {"ok":true,...} or {"ok":false,"error":"..."}.
 *
 * Owns:    listener and connections. Borrows: loop, ports.
 * Errors:  false or NULL with *err filled; a bad request is answered.
 * Threads: one. At most CONTROL_CLIENTS_MAX connections, lines of CONTROL_LINE_MAX. The socket's mode is 0600. */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"

enum { CONTROL_CLIENTS_MAX = 32, CONTROL_LINE_MAX = 64 * 1024 };

struct control;
struct control_client;

struct control_ports {
    void *engine;
    /* The answer, or NULL: then control_answer() is called later, or *err is filled. */
    json_t *(*handle)(void *engine, const char *verb, const json_t *request, struct control_client *client, bool *later,
                      struct err *err);
    /* The client is gone: no answer is owed any more. */
    void (*gone)(void *engine, struct control_client *client);
};

struct control *control_new(const char *path, struct loop *loop, const struct control_ports *ports,
                            struct err *err) NODISCARD;
void control_answer(struct control_client *client, json_t *answer);     /* takes the answer */
void control_free(struct control **control);

/* The other side: asks and waits for the answer (NULL with *err filled). */
json_t *control_ask(const char *path, json_t *request, struct err *err);

#endif
