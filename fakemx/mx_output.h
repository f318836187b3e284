/* SPDX-License-Identifier: BSD-2-Clause
 * mx_output - what a host has to say, and how it gets out: at once, byte by byte, or slowly.
 *
 * Owns:    what waits to be sent. Borrows: the connection.
 * Errors:  NULL when memory is short.
 * Threads: one. */
#ifndef FAKEMX_MX_OUTPUT_H
#define FAKEMX_MX_OUTPUT_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdbool.h>

enum mx_pace {
    MX_AT_ONCE,
    MX_BYTE_BY_BYTE, /* each in a segment of its own, as soon as the one before has left */
    MX_SLOWLY,       /* a byte every 20 ms, for 5 s: who is still there then would wait for ever, and has a time-out */
};

struct mx_output;

struct mx_output *mx_output_new(struct bufferevent *io);
void mx_output_free(struct mx_output **output);
struct evbuffer *mx_output_buffer(const struct mx_output *output); /* whatever is to be sent is written there */
void mx_output_set_pace(struct mx_output *output, enum mx_pace pace); /* of all that follows */
bool mx_output_is_cut_off(const struct mx_output *output); /* the slow pace has come to its end */
/* The connection has sent what it had: is that all there is? */
bool mx_output_all_sent(struct mx_output *output);

#endif
