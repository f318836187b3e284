/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_mailbox.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { TOKEN_MAX = 200, MESSAGE_COST = 512 /* of a message besides its text */ };
static const char token_header[] = "X-Mtalab-Token:";

struct mx_mailbox {
    struct arena *arena;
    struct {
        struct mx_message **items;
        size_t count, room;
    } messages;
    size_t bytes;
};

struct mx_mailbox *mx_mailbox_new(void)
{
    struct arena *arena = arena_new("mailbox");
    struct mx_mailbox *mailbox = arena_alloc(arena, sizeof *mailbox);
    mailbox->arena = arena;
    return mailbox;
}

void mx_mailbox_free(struct mx_mailbox **mailbox)
{
    if (*mailbox == NULL)
        return;
    struct arena *arena = (*mailbox)->arena;
    *mailbox = NULL;
    arena_free(&arena);
}

/* The printable word behind the header's name. */
static const char *token_in(struct arena *arena, const char *value, const char *end)
{
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    size_t length = 0;
    while (value + length < end && length < TOKEN_MAX && value[length] > ' ' && value[length] < 0x7f)
        length++;
    return arena_strndup(arena, value, length);
}

static const char *find_token(struct arena *arena, const struct mx_message *message, bool is_bounce)
{
    const char *end = message->text + message->length;
    for (const char *line = message->text; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = next != NULL ? next : end;
        bool empty = line_end == line || (line_end == line + 1 && *line == '\r');
        if (empty && !is_bounce)
            break; /* the headers are over */
        if ((size_t)(line_end - line) >= strlen(token_header) &&
            strncasecmp(line, token_header, strlen(token_header)) == 0)
            return token_in(arena, line + strlen(token_header), line_end);
        line = line_end + 1;
    }
    return "";
}

static const char *sha256_of(struct arena *arena, const char *text, size_t text_length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(text, text_length, digest, &length, EVP_sha256(), NULL);
    return text_hex(arena, digest, length);
}

/* Relays add to the header; what follows the first empty line is the sender's. */
static const char *body_sha256_of(struct arena *arena, const struct mx_message *message)
{
    static const char gap[] = "\r\n\r\n";
    const char *found = memmem(message->text, message->length, gap, strlen(gap));
    const char *body = found != NULL ? found + strlen(gap) : message->text + message->length;
    return sha256_of(arena, body, (size_t)(message->text + message->length - body));
}

static bool is_eight_bit(const struct mx_message *message)
{
    for (size_t i = 0; i < message->length; i++)
        if ((unsigned char)message->text[i] & 0x80)
            return true;
    return false;
}

static const char *what_returns(const struct mx_message *message)
{
    static const char *const types[][2] = {
        {"Content-Type: message/rfc822", "whole"},
        {"Content-Type: text/rfc822-headers", "header"},
        {"Content-Type: message/global-headers", "header"},
    };
    for (size_t i = 0; i < COUNT(types); i++)
        if (memmem(message->text, message->length, types[i][0], strlen(types[i][0])) != NULL)
            return types[i][1];
    return "";
}

/* RFC 5321 2.3.8: neither may be sent without the other. */
static bool has_bare_end(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\r' ? i + 1 == length || text[i + 1] != '\n'
                            : text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            return true;
    return false;
}

const struct mx_message *mx_mailbox_add(struct mx_mailbox *mailbox, struct evbuffer *text, bool is_bounce)
{
    size_t length = evbuffer_get_length(text);
    if (length + MESSAGE_COST > MX_MAILBOX_BYTES - mailbox->bytes)
        return NULL;
    char *copy = arena_alloc(mailbox->arena, length + 1);
    evbuffer_copyout(text, copy, length);
    mailbox->bytes += length + MESSAGE_COST;
    struct mx_message *message = arena_alloc(mailbox->arena, sizeof *message);
    *message = (struct mx_message){.text = copy, .length = length};
    message->token = find_token(mailbox->arena, message, is_bounce);
    message->sha256 = sha256_of(mailbox->arena, copy, length);
    message->body_sha256 = body_sha256_of(mailbox->arena, message);
    message->eight_bit = is_eight_bit(message);
    message->returns = what_returns(message);
    message->bare_end = has_bare_end(copy, length);
    *ARENA_PUSH(mailbox->arena, &mailbox->messages) = message;
    return message;
}

static bool has_token(const struct mx_message *message, const char *token)
{
    return strcmp(message->token, token) == 0;
}

static bool has_text(const struct mx_message *message, const char *token)
{
    return memmem(message->text, message->length, token, strlen(token)) != NULL;
}

static const struct mx_message *latest(const struct mx_mailbox *mailbox, const char *token,
                                       bool (*fits)(const struct mx_message *message, const char *token))
{
    for (size_t i = mailbox->messages.count; i > 0; i--)
        if (fits(mailbox->messages.items[i - 1], token))
            return mailbox->messages.items[i - 1];
    return NULL;
}

const struct mx_message *mx_mailbox_find(const struct mx_mailbox *mailbox, const char *token)
{
    const struct mx_message *message = latest(mailbox, token, has_token);
    return message != NULL ? message : latest(mailbox, token, has_text);
}

const struct mx_message *mx_mailbox_at(const struct mx_mailbox *mailbox, size_t n)
{
    return n < mailbox->messages.count ? mailbox->messages.items[n] : NULL;
}
