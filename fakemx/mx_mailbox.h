/* SPDX-License-Identifier: BSD-2-Clause
 * mx_mailbox - the messages that the fake accepted, found again by their token.
 *
 * Owns:    the texts. At most MX_MAILBOX_BYTES are kept.
 * Errors:  mx_mailbox_add() is NULL when there is no room. */
#ifndef FAKEMX_MX_MAILBOX_H
#define FAKEMX_MX_MAILBOX_H

#include <event2/buffer.h>

#include "base/arena.h"

enum { MX_MAILBOX_BYTES = 128 << 20 };

struct mx_message {
    const char *text;
    size_t length;
    const char *token;  /* of X-Mtalab-Token; "" */
    const char *sha256;      /* of the text, hex */
    const char *body_sha256; /* of what follows the header */
    bool eight_bit;          /* not all of it is ASCII */
    bool bare_end;           /* a CR or LF stands alone in it */
    const char *returns;     /* what it holds of another message, as a MIME part: "header", "whole" or "" */
};

struct mx_mailbox;

struct mx_mailbox *mx_mailbox_new(void);
/* A copy of the text; is_bounce: the token may stand in the headers of the message inside. Borrowed. */
const struct mx_message *mx_mailbox_add(struct mx_mailbox *mailbox, struct evbuffer *text, bool is_bounce);
/* The latest message of that token, or else the latest that has the token anywhere; NULL: none. */
const struct mx_message *mx_mailbox_find(const struct mx_mailbox *mailbox, const char *token);
const struct mx_message *mx_mailbox_at(const struct mx_mailbox *mailbox, size_t n); /* in order; NULL: no more */
void mx_mailbox_free(struct mx_mailbox **mailbox);

#endif
