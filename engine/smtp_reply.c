/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/smtp_reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { TEXT_MAX = 400 };

struct smtp_reply_parser {
    struct arena *arena; /* of the reply under way */
    struct smtp_reply reply;
    const char *lines[SMTP_REPLY_LINES_MAX];
    char line[SMTP_REPLY_LINE_MAX];
    size_t length;
    enum smtp_reply_state state;
    const char *why;
};

struct smtp_reply_parser *smtp_reply_new(void)
{
    struct smtp_reply_parser *parser = calloc(1, sizeof *parser);
    if (parser == NULL)
        abort();
    parser->arena = arena_new("smtp reply");
    return parser;
}

void smtp_reply_free(struct smtp_reply_parser **parser)
{
    if (*parser == NULL)
        return;
    arena_free(&(*parser)->arena);
    free(*parser);
    *parser = NULL;
}

static void begin_reply(struct smtp_reply_parser *p)
{
    arena_free(&p->arena);
    p->arena = arena_new("smtp reply");
    p->reply = (struct smtp_reply){.lines = p->lines};
    p->length = 0;
    p->state = SMTP_REPLY_MORE;
}

static enum smtp_reply_state bad(struct smtp_reply_parser *p, const char *why)
{
    p->why = why;
    return SMTP_REPLY_BAD;
}

/* How many digits stand at the start, at most max. */
static size_t digits(const char *text, size_t max)
{
    size_t n = 0;
    while (n < max && isdigit((unsigned char)text[n]))
        n++;
    return n;
}

/* RFC 2034: class "." subject "." detail, of the same class as the code. Its length, 0 if there is none. */
static size_t enhanced_length(const char *text, int code)
{
    if (text[0] - '0' != code / 100 || text[1] != '.')
        return 0;
    size_t subject = digits(text + 2, 3);
    if (subject == 0 || text[2 + subject] != '.')
        return 0;
    size_t detail = digits(text + 3 + subject, 3);
    size_t length = 3 + subject + detail;
    return detail > 0 && (text[length] == ' ' || text[length] == '\0') ? length : 0;
}

static void take_enhanced(struct smtp_reply *reply, const char **text)
{
    size_t length = enhanced_length(*text, reply->code);
    memcpy(reply->enhanced, *text, length);
    reply->enhanced[length] = '\0';
    *text += length;
    while (length > 0 && **text == ' ')
        (*text)++;
}

/* One line without its end: "250-text", "250 text" or "250" (5321-4.2.1-3). */
static enum smtp_reply_state take_line(struct smtp_reply_parser *p)
{
    if (p->length > 0 && p->line[p->length - 1] == '\r')
        p->length--;
    p->line[p->length] = '\0';
    for (size_t i = 0; i < p->length; i++)
        if (p->line[i] == '\0')
            p->line[i] = '\x01'; /* odd text does not undo what the code says (5321-4.2-1) */
    if (digits(p->line, 3) != 3 || (p->line[3] != '\0' && p->line[3] != ' ' && p->line[3] != '-'))
        return bad(p, "a reply line does not begin with a code");
    int code = 100 * (p->line[0] - '0') + 10 * (p->line[1] - '0') + (p->line[2] - '0');
    if (code < 200 || code > 599) /* 5321-4.2-3 */
        return bad(p, "a reply code outside of 200 to 599");
    if (p->reply.line_count > 0 && code != p->reply.code)
        return bad(p, "the code changes within a reply");
    if (p->reply.line_count == SMTP_REPLY_LINES_MAX)
        return bad(p, "a reply of too many lines");
    const char *text = p->line[3] != '\0' ? p->line + 4 : "";
    p->reply.code = code;
    if (p->reply.line_count == 0)
        take_enhanced(&p->reply, &text);
    p->lines[p->reply.line_count++] = arena_strdup(p->arena, text);
    bool last = p->line[3] != '-';
    p->length = 0;
    return last ? SMTP_REPLY_DONE : SMTP_REPLY_MORE;
}

enum smtp_reply_state smtp_reply_feed(struct smtp_reply_parser *p, const char *bytes, size_t length, size_t *used)
{
    *used = 0;
    if (p->state == SMTP_REPLY_BAD)
        return SMTP_REPLY_BAD;
    if (p->state == SMTP_REPLY_DONE || p->reply.lines == NULL)
        begin_reply(p);
    while (*used < length && p->state == SMTP_REPLY_MORE) {
        char byte = bytes[(*used)++];
        if (byte == '\n')
            p->state = take_line(p);
        else if (p->length == sizeof p->line - 1)
            p->state = bad(p, "a reply line that is too long");
        else
            p->line[p->length++] = byte;
    }
    return p->state;
}

const struct smtp_reply *smtp_reply_get(const struct smtp_reply_parser *p)
{
    return &p->reply;
}

const char *smtp_reply_why(const struct smtp_reply_parser *p)
{
    return p->why;
}

char *smtp_reply_text(struct arena *arena, const struct smtp_reply *reply)
{
    char *text = arena_printf(arena, "%d%s%s", reply->code, reply->enhanced[0] ? " " : "", reply->enhanced);
    for (size_t i = 0; i < reply->line_count && strlen(text) < TEXT_MAX; i++)
        text = arena_printf(arena, "%s%s%s", text, i == 0 ? " " : " / ", reply->lines[i]);
    return text_escape(arena, text, strnlen(text, TEXT_MAX));
}
