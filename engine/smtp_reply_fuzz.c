/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes a server sends: replies, EHLO keywords, texts; the same whether they come at once or drip. */
#include <stdlib.h>
#include <string.h>

#include "engine/message.h"
#include "engine/smtp_ext.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A hash over everything that was understood, in pieces of at most step bytes. */
static uint64_t read_all(const char *bytes, size_t size, size_t step)
{
    struct arena *arena = arena_new("fuzz");
    struct smtp_reply_parser *parser = smtp_reply_new();
    enum smtp_reply_state state = SMTP_REPLY_MORE;
    uint64_t hash = 14695981039346656037U;
    for (size_t at = 0, used; at < size && state != SMTP_REPLY_BAD; at += used) {
        state = smtp_reply_feed(parser, bytes + at, size - at < step ? size - at : step, &used);
        if (state != SMTP_REPLY_DONE)
            continue;
        const struct smtp_reply *reply = smtp_reply_get(parser);
        if (reply->line_count == 0 || reply->line_count > SMTP_REPLY_LINES_MAX)
            abort();
        const char *text = smtp_reply_text(arena, reply);
        if (message_has_bare_end(text, strlen(text)))
            abort(); /* what goes into traces and reports is one line */
        hash = (hash ^ (uint64_t)smtp_ext_parse(reply).size_limit ^ strlen(text)) * 1099511628211U;
    }
    smtp_reply_free(&parser);
    arena_free(&arena);
    return hash ^ (uint64_t)state;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (read_all((const char *)bytes, size, size + 1) != read_all((const char *)bytes, size, 1))
        abort();
    return 0;
}
