/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/mail_head.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void add_line(struct mail_head *head, const char *line, size_t length)
{
    if (is_blank(line[0]) && head->count > 0)
        head->fields[head->count - 1].length += length;
    else if (head->count < MAIL_FIELDS_MAX)
        head->fields[head->count++] = (struct mail_field){line, length, false};
}

void mail_head_read(const char *text, const char *end, struct mail_head *out)
{
    out->count = 0;
    out->body = end;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text)), *next = newline != NULL ? newline + 1 : end;
        if (next - text <= 2 && (text[0] == '\r' || text[0] == '\n')) {
            out->body = next;
            return;
        }
        add_line(out, text, (size_t)(next - text));
        text = next;
    }
}

/* Where the value begins; NULL: it is another field. */
static const char *value_of(const struct mail_field *field, const char *name)
{
    const char *at = field->text + strlen(name), *end = field->text + field->length;
    if (field->length <= strlen(name) || strncasecmp(field->text, name, strlen(name)) != 0)
        return NULL;
    while (at < end && is_blank(*at))
        at++;
    return at < end && *at == ':' ? at + 1 : NULL;
}

static char *unfold(struct arena *arena, const char *value, size_t length)
{
    char *copy = arena_strndup(arena, value, length), *to = copy;
    for (const char *at = copy; *at != '\0'; at++)
        if (*at != '\r' && *at != '\n')
            *to++ = *at == '\t' ? ' ' : *at;
    while (to > copy && to[-1] == ' ')
        to--;
    *to = '\0';
    return copy + strspn(copy, " ");
}

const char *mail_head_value(struct arena *arena, const struct mail_head *head, const char *name)
{
    for (size_t i = 0; i < head->count; i++) {
        const struct mail_field *field = &head->fields[i];
        const char *value = value_of(field, name);
        if (value != NULL)
            return unfold(arena, value, (size_t)(field->text + field->length - value));
    }
    return "";
}

const struct mail_field *mail_head_use(struct mail_head *head, const char *name)
{
    for (size_t i = head->count; i-- > 0;)
        if (!head->fields[i].used && value_of(&head->fields[i], name) != NULL) {
            head->fields[i].used = true;
            return &head->fields[i];
        }
    return NULL;
}
