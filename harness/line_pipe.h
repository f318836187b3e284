/* SPDX-License-Identifier: BSD-2-Clause
 * line_pipe - lines from a child, waited for on a loop, so that everything else on the loop goes on meanwhile.
 *
 * Owns:   the descriptor and what was read ahead.
 * Bounds: a line of at most LINE_PIPE_MAX bytes. */
#ifndef HARNESS_LINE_PIPE_H
#define HARNESS_LINE_PIPE_H

#include "base/loop.h"

enum { LINE_PIPE_MAX = 8 << 20 };

struct line_pipe {
    int fd;
    char *bytes;
    size_t used, room, taken;
    bool ended;
};

void line_pipe_open(struct line_pipe *pipe, int fd); /* takes fd over */
/* The next line without its newline, valid until the next call; NULL when the time is up, the other side is gone
 * (pipe->ended) or the loop was stopped. */
char *line_pipe_next(struct line_pipe *pipe, struct loop *loop, double seconds);
void line_pipe_close(struct line_pipe *pipe);

#endif
