/* SPDX-License-Identifier: BSD-2-Clause
 * smtp_reply - what an SMTP server answers, read from bytes as they come (RFC 5321 4.2).
 *
 * Pure. Owns: the parser keeps the lines of the reply it reads; smtp_reply_free() ends it.
 * Errors:     SMTP_REPLY_BAD, with why in smtp_reply_why(); the connection is then of no more use.
 * A reply is at most SMTP_REPLY_LINES_MAX lines of SMTP_REPLY_LINE_MAX bytes. */
#ifndef ENGINE_SMTP_REPLY_H
#define ENGINE_SMTP_REPLY_H

#include "base/arena.h"

enum { SMTP_REPLY_LINE_MAX = 2048, SMTP_REPLY_LINES_MAX = 100 };

struct smtp_reply {
    int code;                      /* 200 .. 599 */
    char enhanced[12];             /* "4.7.1" when the first line has one of the same class, else "" */
    const char *const *lines;      /* texts behind the code (and, in the first line, behind the enhanced code) */
    size_t line_count;             /* at least 1 */
};
enum smtp_reply_state { SMTP_REPLY_MORE, SMTP_REPLY_DONE, SMTP_REPLY_BAD };

struct smtp_reply_parser;

struct smtp_reply_parser *smtp_reply_new(void);
void smtp_reply_free(struct smtp_reply_parser **parser);
/* Takes bytes up to the end of the first full reply; *used says how many. Feeding on after DONE begins the next. */
enum smtp_reply_state smtp_reply_feed(struct smtp_reply_parser *parser, const char *bytes, size_t length, size_t *used);
const struct smtp_reply *smtp_reply_get(const struct smtp_reply_parser *parser);   /* after DONE, until the next feed */
const char *smtp_reply_why(const struct smtp_reply_parser *parser);                /* after BAD */
/* "550 5.1.1 no such user / see there", escaped, cut to a readable length. */
char *smtp_reply_text(struct arena *arena, const struct smtp_reply *reply);

static inline int smtp_reply_class(const struct smtp_reply *reply) { return reply->code / 100; }

#endif
