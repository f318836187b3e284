/* SPDX-License-Identifier: BSD-2-Clause
 * web_request - the head of an HTTP request as nginx hands it on: our own marks, and what the client asked for.
 *
 * Pure; texts live in the arena given. Bounded by WEB_REQUEST_MAX. */
#ifndef FAKESTS_WEB_REQUEST_H
#define FAKESTS_WEB_REQUEST_H

#include "base/arena.h"

enum { WEB_REQUEST_MAX = 64 * 1024 };

struct web_request {
    const char *method, *path; /* the path with its query */
    const char *name;          /* Host, "" without */
    const char *agent;         /* User-Agent, "" without */
    size_t host;               /* of the world, by X-Host */
    unsigned conn;             /* of the journal, by X-Connection */
    const char *type;          /* Content-Type, "" without */
    size_t head, length;       /* bytes up to the body, and of the body as Content-Length says */
};

enum web_request_found { WEB_REQUEST_MORE, WEB_REQUEST_COMPLETE, WEB_REQUEST_BROKEN };

enum web_request_found web_request_parse(struct arena *arena, const char *bytes, size_t length,
                                         struct web_request *out);

/* A connection's number travels to nginx as the client's address in the PROXY protocol, and comes back in a header. */
enum { WEB_CONNECTION_TEXT = 32 };
void web_connection_write(unsigned conn, char text[WEB_CONNECTION_TEXT]);
unsigned web_connection_read(const char *text); /* 0: none */

#endif
