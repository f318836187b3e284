/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/intake.h"

#include <string.h>

#include "engine/message.h"

/* Every line ends in CRLF, and NULs are gone. */
static const char *normalised(struct arena *arena, const char *content, size_t *length)
{
    char *out = arena_alloc(arena, 2 * *length + 1);
    size_t count = 0;
    for (size_t i = 0; i < *length; i++) {
        bool ends = content[i] == '\r' || content[i] == '\n';
        if (content[i] == '\r' && i + 1 < *length && content[i + 1] == '\n')
            i++;
        if (ends)
            memcpy(out + count, "\r\n", 2);
        else
            out[count] = content[i];
        count += ends ? 2 : content[i] != '\0';
    }
    *length = count;
    return out;
}

const char *intake_refusal(struct arena *arena, const struct engine_config *config, const char **content,
                           size_t *length)
{
    bool bare = message_has_bare_end(*content, *length), null = memchr(*content, '\0', *length) != NULL;
    if (bare && config->malformed == MALFORMED_REJECT)
        return "550 5.6.0 a CR or LF stands alone in the message";
    if (null && config->malformed == MALFORMED_REJECT)
        return "550 5.6.0 there is a NUL in the message";
    if (bare || null)
        *content = normalised(arena, *content, length);
    if (*length > (size_t)config->message_size + INTAKE_TRACE_MAX)
        return "552 5.3.4 message too big";
    if (message_received_count(*content, *length) > RECEIVED_MAX)
        return "554 5.4.6 the message goes round in circles";
    return NULL;
}
