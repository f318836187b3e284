/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/message.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "engine/domain_name.h"

/* The length of a run of these ASCII characters and of what is not ASCII. */
static size_t span(const char *text, const char *ascii)
{
    size_t length = 0;
    while ((unsigned char)text[length] & 0x80 || (text[length] != '\0' && strchr(ascii, text[length]) != NULL))
        length++;
    return length;
}

static bool may_be_quoted(char byte)
{
    return (unsigned char)byte >= ' ' && byte != 0x7f;
}

/* The length of a local part: dot-atom or quoted string; 0: neither. */
static size_t local_length(const char *text)
{
    if (*text != '"')
        return span(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.");
    for (size_t i = 1; may_be_quoted(text[i]); i++) {
        if (text[i] == '"')
            return i + 1;
        if (text[i] == '\\' && may_be_quoted(text[i + 1]))
            i++;
    }
    return 0;
}

static size_t domain_length(const char *text)
{
    if (*text != '[')
        return span(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    size_t inside = strspn(text + 1, "abcdefABCDEFIPv0123456789.:");
    return text[1 + inside] == ']' ? inside + 2 : 0;
}

static bool name_is_sound(const char *name, size_t length)
{
    if (length == 0 || length > 254 || name[0] == '.')
        return false;
    for (size_t i = 0, label = 0; i < length; i++) {
        label = name[i] == '.' ? 0 : label + 1;
        if (label > 63 || (name[i] == '.' && name[i + 1] == '.'))
            return false;
    }
    return true;
}

/* Is the domain one, also where it is written in another script? */
static bool domain_is_sound(struct arena *arena, const char *domain, size_t length)
{
    if (*domain == '[')
        return true;
    return name_is_sound(domain, length) &&
           (!message_is_8bit(domain, length) || domain_name_ascii(arena, arena_strndup(arena, domain, length)) != NULL);
}

bool message_is_host(const char *text, size_t length)
{
    return length > 0 && !message_is_8bit(text, length) && domain_length(text) == length &&
           (*text == '[' || name_is_sound(text, length));
}

char *message_parse_path(struct arena *arena, const char **text, bool null_allowed)
{
    const char *at = *text;
    if (*at++ != '<')
        return NULL;
    if (*at == '>' && null_allowed) {
        *text = at + 1;
        return arena_strdup(arena, "");
    }
    if (*at == '@') { /* a source route is passed over: RFC 5321 C */
        at += strcspn(at, ":>");
        if (*at++ != ':')
            return NULL;
    }
    size_t local = local_length(at);
    if (local == 0 || local > 64 || at[local] != '@')
        return NULL;
    size_t domain = domain_length(at + local + 1);
    const char *end = at + local + 1 + domain;
    bool utf8 = text_is_utf8(at, (size_t)(end - at), NULL);
    if (domain == 0 || *end != '>' || !utf8 || !domain_is_sound(arena, at + local + 1, domain))
        return NULL;
    *text = end + 1;
    return arena_strndup(arena, at, (size_t)(end - at));
}

char *message_domain(struct arena *arena, const char *address)
{
    const char *at = strrchr(address, '@'), *domain = at != NULL ? at + 1 : address;
    char *ascii = message_is_8bit(domain, strlen(domain)) ? domain_name_ascii(arena, domain) : NULL;
    return ascii != NULL ? ascii : text_name(arena, domain);
}

char *message_literal(struct arena *arena, const char *domain)
{
    size_t length = strlen(domain);
    if (length < 3 || domain[0] != '[' || domain[length - 1] != ']')
        return NULL;
    bool tagged = strncasecmp(domain + 1, "ipv6:", 5) == 0;
    char *inside = arena_strndup(arena, domain + (tagged ? 6 : 1), length - (tagged ? 7 : 2));
    unsigned char bytes[16];
    return inet_pton(tagged ? AF_INET6 : AF_INET, inside, bytes) == 1 ? inside : NULL;
}

size_t message_header_length(const char *content, size_t length)
{
    if (length >= 2 && memcmp(content, "\r\n", 2) == 0)
        return 2;
    const char *end = memmem(content, length, "\r\n\r\n", 4);
    return end != NULL ? (size_t)(end - content) + 4 : length;
}

static bool begins_field(const char *line, size_t length, const char *name)
{
    size_t size = strlen(name);
    return length > size && strncasecmp(line, name, size) == 0 && line[size] == ':';
}

/* From behind the colon to the end of the field, folded lines included. */
static char *unfolded(struct arena *arena, const char *at, const char *end)
{
    char *text = arena_alloc(arena, FIELD_MAX + 1);
    size_t count = 0;
    for (; at < end && count < FIELD_MAX; at++) {
        bool line_ends = *at == '\n' && (at + 1 == end || (at[1] != ' ' && at[1] != '\t'));
        if (line_ends)
            break;
        bool blank = *at == ' ' || *at == '\t';
        if (*at != '\r' && *at != '\n' && !(blank && count == 0))
            text[count++] = blank ? ' ' : *at;
    }
    while (count > 0 && text[count - 1] == ' ')
        count--;
    text[count] = '\0';
    return text;
}

char *message_field(struct arena *arena, const char *content, size_t length, const char *name)
{
    const char *end = content + message_header_length(content, length);
    for (const char *line = content; line < end;) {
        if (begins_field(line, (size_t)(end - line), name))
            return unfolded(arena, line + strlen(name) + 1, end);
        const char *next = memchr(line, '\n', (size_t)(end - line));
        line = next != NULL ? next + 1 : end;
    }
    return arena_strdup(arena, "");
}

static unsigned count_fields(const char *content, size_t length, const char *name)
{
    unsigned count = 0;
    for (const char *line = content, *end = content + message_header_length(content, length); line < end;) {
        count += begins_field(line, (size_t)(end - line), name);
        const char *next = memchr(line, '\n', (size_t)(end - line));
        line = next != NULL ? next + 1 : end;
    }
    return count;
}

unsigned message_received_count(const char *content, size_t length)
{
    return count_fields(content, length, "Received");
}

static bool waives_tls(const char *content, size_t length)
{
    if (count_fields(content, length, "TLS-Required") != 1)
        return false;
    struct arena *arena = arena_new("TLS-Required");
    bool waives = strcasecmp(message_field(arena, content, length, "TLS-Required"), "No") == 0;
    arena_free(&arena);
    return waives;
}

enum message_tls message_tls(bool requiretls, const char *content, size_t length)
{
    if (requiretls)
        return MESSAGE_REQUIRETLS;
    return waives_tls(content, length) ? MESSAGE_TLS_WAIVED : MESSAGE_TLS_UNSAID;
}

bool message_is_8bit(const char *content, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)content[i] & 0x80)
            return true;
    return false;
}

bool message_has_bare_end(const char *content, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (content[i] == '\r' && (i + 1 == length || content[i + 1] != '\n'))
            return true;
        if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r'))
            return true;
    }
    return false;
}

char *message_line(struct arena *arena, const char *text)
{
    char *safe = text_escape(arena, text, strnlen(text, MESSAGE_LINE_MAX));
    safe[strnlen(safe, MESSAGE_LINE_MAX)] = '\0';
    for (char *at = safe; *at != '\0'; at++)
        if ((unsigned char)*at & 0x80)
            *at = '?';
    return safe;
}

char *message_date(struct arena *arena, int64_t at)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)at;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return arena_printf(arena, "%.3s, %02d %.3s %d %02d:%02d:%02d +0000", days + 3 * tm.tm_wday, tm.tm_mday,
                        months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
