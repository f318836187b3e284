/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/smtp_ext.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
static const struct { const char *keyword; size_t flag; } keywords[] = {
    {"STARTTLS", offsetof(struct smtp_ext, starttls)},     {"PIPELINING", offsetof(struct smtp_ext, pipelining)},
    {"8BITMIME", offsetof(struct smtp_ext, eightbitmime)}, {"ENHANCEDSTATUSCODES", offsetof(struct smtp_ext, enhanced_codes)},
    {"CHUNKING", offsetof(struct smtp_ext, chunking)},     {"SMTPUTF8", offsetof(struct smtp_ext, smtputf8)},
    {"REQUIRETLS", offsetof(struct smtp_ext, requiretls)}, {"DSN", offsetof(struct smtp_ext, dsn)},
    {"SIZE", offsetof(struct smtp_ext, size)},
};
/* clang-format on */

/* RFC 1870: "SIZE", "SIZE 0" and a number of more than 20 digits all mean that no limit is known. */
static int64_t size_limit(const char *parameter)
{
    size_t length = strspn(parameter, "0123456789");
    if (length == 0 || length > 18 || (parameter[length] != '\0' && parameter[length] != ' '))
        return 0;
    return strtoll(parameter, NULL, 10);
}

static void take_keyword(struct smtp_ext *ext, const char *line)
{
    size_t length = strcspn(line, " ");
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (strlen(keywords[i].keyword) == length && strncasecmp(line, keywords[i].keyword, length) == 0) {
            *(bool *)((char *)ext + keywords[i].flag) = true;
            if (keywords[i].flag == offsetof(struct smtp_ext, size))
                ext->size_limit = size_limit(line + length + strspn(line + length, " "));
        }
}

struct smtp_ext smtp_ext_parse(const struct smtp_reply *ehlo)
{
    struct smtp_ext ext = {0};
    for (size_t i = 1; i < ehlo->line_count; i++) /* the first line greets */
        take_keyword(&ext, ehlo->lines[i]);
    return ext;
}
