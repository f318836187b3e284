/* SPDX-License-Identifier: BSD-2-Clause
 * mail_head - the header of a mail, or of a part of one, field by field (RFC 5322, 2.2). Pure.
 *
 * Borrows: the text. Fields after the 200th are as if they were not there. */
#ifndef HARNESS_MAIL_HEAD_H
#define HARNESS_MAIL_HEAD_H

#include "base/arena.h"

enum { MAIL_FIELDS_MAX = 200 };

struct mail_field {
    const char *text;
    size_t length; /* folded lines and the line end included */
    bool used;
};
struct mail_head {
    struct mail_field fields[MAIL_FIELDS_MAX];
    size_t count;
    const char *body; /* behind the empty line; the end of the text without one */
};

void mail_head_read(const char *text, const char *end, struct mail_head *out);
/* The first field of that name, unfolded, without blanks around it; "" without. */
const char *mail_head_value(struct arena *arena, const struct mail_head *head, const char *name);
/* The last field of that name which has not been used yet (how h= of DKIM counts, RFC 6376 5.4.2), now used; NULL. */
const struct mail_field *mail_head_use(struct mail_head *head, const char *name);

#endif
