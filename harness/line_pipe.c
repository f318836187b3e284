/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/line_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct wait {
    struct line_pipe *pipe;
    bool done;
};

void line_pipe_open(struct line_pipe *pipe, int fd)
{
    *pipe = (struct line_pipe){.fd = fd};
    evutil_make_socket_nonblocking(fd);
}

static void make_room(struct line_pipe *pipe)
{
    if (pipe->taken > 0) {
        memmove(pipe->bytes, pipe->bytes + pipe->taken, pipe->used - pipe->taken);
        pipe->used -= pipe->taken;
        pipe->taken = 0;
    }
    if (pipe->room - pipe->used < 2048) {
        pipe->room = pipe->room ? 2 * pipe->room : 8192;
        pipe->bytes = realloc(pipe->bytes, pipe->room);
        if (pipe->bytes == NULL)
            abort();
    }
}

static char *take_line(struct line_pipe *pipe)
{
    char *from = pipe->bytes + pipe->taken;
    char *end = pipe->used > pipe->taken ? memchr(from, '\n', pipe->used - pipe->taken) : NULL;
    if (end == NULL)
        return NULL;
    *end = '\0';
    pipe->taken += (size_t)(end - from) + 1;
    return from;
}

static bool has_line(const struct line_pipe *pipe)
{
    return pipe->used > pipe->taken && memchr(pipe->bytes + pipe->taken, '\n', pipe->used - pipe->taken) != NULL;
}

static void on_readable(evutil_socket_t fd, short what UNUSED, void *arg)
{
    struct wait *wait = arg;
    struct line_pipe *pipe = wait->pipe;
    make_room(pipe);
    ssize_t got = read(fd, pipe->bytes + pipe->used, pipe->room - pipe->used);
    if (got > 0)
        pipe->used += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        pipe->ended = true;
    wait->done = pipe->ended || has_line(pipe) || pipe->used - pipe->taken > LINE_PIPE_MAX;
}

char *line_pipe_next(struct line_pipe *pipe, struct loop *loop, double seconds)
{
    char *line = take_line(pipe);
    if (line != NULL || pipe->ended)
        return line;
    struct wait wait = {.pipe = pipe};
    struct event *readable = event_new(loop_base(loop), pipe->fd, EV_READ | EV_PERSIST, on_readable, &wait);
    if (readable == NULL || event_add(readable, NULL) != 0)
        return NULL;
    loop_run_until(loop, &wait.done, seconds > 0 ? seconds : 0);
    event_free(readable);
    return take_line(pipe);
}

void line_pipe_close(struct line_pipe *pipe)
{
    if (pipe->fd >= 0)
        close(pipe->fd);
    free(pipe->bytes);
    *pipe = (struct line_pipe){.fd = -1};
}
