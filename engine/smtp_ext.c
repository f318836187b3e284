/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/smtp_ext.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
#define KEYWORD(text, member) {text, offsetof(struct smtp_ext, member)}
static const struct { const char *keyword; size_t flag; } keywords[] = {
    KEYWORD("STARTTLS", starttls),   KEYWORD("PIPELINING", pipelining), KEYWORD("8BITMIME", eightbitmime),
    KEYWORD("CHUNKING", chunking),   KEYWORD("SMTPUTF8", smtputf8),     KEYWORD("ENHANCEDSTATUSCODES", enhanced_codes),
    KEYWORD("REQUIRETLS", requiretls), KEYWORD("DSN", dsn),             KEYWORD("SIZE", size),
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
