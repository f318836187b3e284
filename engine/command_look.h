/* SPDX-License-Identifier: BSD-2-Clause
 * command_look - what the commands share that look at destinations themselves: an outside of their own, the surveys of
 * a domain, and how all of that is printed.
 *
 * Owns:    loop and outside, until command_look_end(). Borrows: the command line.
 * Errors:  false, and why was said. */
#ifndef ENGINE_COMMAND_LOOK_H
#define ENGINE_COMMAND_LOOK_H

#include "engine/command.h"
#include "engine/posture.h"

struct command_look {
    const struct command_line *line;
    struct clock clock;
    struct loop *loop;
    struct outside outside;
    struct sts *fresh; /* policies past every cache */
    struct surveyor surveyor;
};

bool command_look_begin(struct command_look *look, const struct command_line *line);
void command_look_end(struct command_look *look);

/* Both around run(); its status, or that nothing could be looked at. */
int command_with_look(const struct command_line *line, int (*run)(struct command_look *look));

/* Every pair of modes by MX, and the policy as it is published. */
const struct posture *command_look_at(struct command_look *look, const char *domain);

/* One object: findings, modes, hosts, policy, verdict. */
json_t *command_posture_json(struct arena *arena, const struct posture *posture);
extern const struct command_table command_findings_table, command_modes_table;
/* "2026-11-29T07:30:00Z"; "" for 0. */
const char *command_time(struct arena *arena, int64_t at);

#endif
