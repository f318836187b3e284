/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_output.h"

#include <event2/event.h>
#include <stdlib.h>

static const struct timeval slow_pace = {.tv_usec = 20000}; /* between two bytes */
enum { SLOW_BYTES_MAX = 250 };

struct mx_output {
    struct bufferevent *io;
    struct evbuffer *held; /* what is not sent at once */
    struct event *tick;    /* lets the next byte go */
    enum mx_pace pace;
    unsigned ticks; /* of the slow pace */
};

static void let_a_byte_go(struct mx_output *output)
{
    char byte;
    if (evbuffer_remove(output->held, &byte, 1) == 1)
        bufferevent_write(output->io, &byte, 1);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct mx_output *output = arg;
    if (output->pace == MX_SLOWLY && output->ticks++ == SLOW_BYTES_MAX)
        bufferevent_trigger_event(output->io, BEV_EVENT_TIMEOUT, 0);
    else
        let_a_byte_go(output);
}

/* The first of what was held while nothing was under way. */
static void on_held(struct evbuffer *held, const struct evbuffer_cb_info *info, void *arg)
{
    (void)held;
    struct mx_output *output = arg;
    if (info->orig_size == 0 && info->n_added > 0)
        event_active(output->tick, EV_TIMEOUT, 0);
}

struct mx_output *mx_output_new(struct bufferevent *io)
{
    struct mx_output *output = calloc(1, sizeof *output);
    if (output == NULL)
        return NULL;
    *output = (struct mx_output){.io = io, .held = evbuffer_new()};
    output->tick = event_new(bufferevent_get_base(io), -1, EV_PERSIST, on_tick, output);
    if (output->held == NULL || output->tick == NULL || evbuffer_add_cb(output->held, on_held, output) == NULL)
        mx_output_free(&output);
    return output;
}

void mx_output_free(struct mx_output **output)
{
    if (*output == NULL)
        return;
    if ((*output)->tick != NULL)
        event_free((*output)->tick);
    if ((*output)->held != NULL)
        evbuffer_free((*output)->held);
    free(*output);
    *output = NULL;
}

struct evbuffer *mx_output_buffer(const struct mx_output *output)
{
    return output->pace == MX_AT_ONCE ? bufferevent_get_output(output->io) : output->held;
}

void mx_output_set_pace(struct mx_output *output, enum mx_pace pace)
{
    output->pace = pace;
    if (pace == MX_SLOWLY)
        event_add(output->tick, &slow_pace);
}

bool mx_output_is_cut_off(const struct mx_output *output)
{
    return output->ticks > SLOW_BYTES_MAX;
}

bool mx_output_all_sent(struct mx_output *output)
{
    if (evbuffer_get_length(bufferevent_get_output(output->io)) > 0)
        return false;
    bool more = evbuffer_get_length(output->held) > 0;
    if (more && output->pace == MX_BYTE_BY_BYTE)
        let_a_byte_go(output);
    return !more;
}
