/* SPDX-License-Identifier: BSD-2-Clause
 * submission - one message handed to the subject by SMTP, as a mail client would. */
#ifndef HARNESS_SUBMISSION_H
#define HARNESS_SUBMISSION_H

#include "base/loop.h"
#include "harness/scenario.h"

struct submission {
    const char *address;
    uint16_t port;     /* of the subject */
    const char *token; /* in the header X-Mtalab-Token, and in the message id */
    const char *from;
    const char *const *to;
    size_t to_count;
    const struct scenario_way *way;
};
/* SHA-256, in hex, of its body: as it must arrive; "" where that cannot be said. */
char *submission_body_sha256(struct arena *arena, const struct submission *submission);
/* Runs the loop until the subject has taken or refused it. *reply: its last reply, or what went wrong, in the arena. */
bool submission_send(struct arena *arena, const struct submission *submission, struct loop *loop, double seconds,
                     const char **reply);

#endif
