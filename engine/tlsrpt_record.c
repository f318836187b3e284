/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_record.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/domain_name.h"
#include "engine/message.h"

static const char version[] = "v=TLSRPTv1"; /* case-sensitive */

/* ---- rua ---- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Percent signs decoded; NULL where they are none. */
static char *decode(struct arena *arena, const char *text, size_t length)
{
    char *out = arena_alloc(arena, length + 1), *to = out;
    for (size_t i = 0; i < length; i++) {
        bool coded = text[i] == '%';
        int high = coded && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (coded && low < 0)
            return NULL;
        *to++ = coded ? (char)(high << 4 | low) : text[i];
        i += coded ? 2 : 0;
    }
    *to = '\0';
    return out;
}

/* mailto:address, without what may stand behind a question mark. */
static bool take_mail(struct arena *arena, const char *rest, struct tlsrpt_endpoint *out)
{
    char *address = decode(arena, rest, strcspn(rest, "?"));
    if (address == NULL || strchr(address, '@') == NULL)
        return false;
    const char *path = arena_printf(arena, "<%s>", address);
    out->mail = message_parse_path(arena, &path, false);
    return out->mail != NULL && *path == '\0';
}

/* https://host[:port]/...; neither user names nor addresses instead of a name. */
static bool take_https(struct arena *arena, const char *rest, struct tlsrpt_endpoint *out)
{
    size_t authority = strcspn(rest, "/?#"), host = strcspn(rest, ":/?#");
    if (host == 0 || memchr(rest, '@', authority) != NULL || !domain_name_is_domain(rest, host))
        return false;
    out->host = domain_name_ascii(arena, arena_strndup(arena, rest, host));
    out->port = 443;
    if (rest[host] == ':') {
        size_t digits = strspn(rest + host + 1, "0123456789");
        unsigned long port = strtoul(rest + host + 1, NULL, 10);
        if (digits == 0 || digits > 5 || host + 1 + digits != authority || port == 0 || port > 65535)
            return false;
        out->port = (uint16_t)port;
    }
    return out->host != NULL && !domain_name_is_address(out->host);
}

/* Schemes are the same in any letters (RFC 3986 3.1). */
static const struct {
    const char *scheme;
    bool (*take)(struct arena *arena, const char *rest, struct tlsrpt_endpoint *out);
} schemes[] = {
    {"mailto:", take_mail},
    {"https://", take_https},
};

bool tlsrpt_endpoint_read(struct arena *arena, const char *uri, struct tlsrpt_endpoint *out)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        size_t length = strlen(schemes[i].scheme);
        *out = (struct tlsrpt_endpoint){.uri = uri};
        if (strncasecmp(uri, schemes[i].scheme, length) == 0)
            return strchr(uri, '!') == NULL && schemes[i].take(arena, uri + length, out);
    }
    return false;
}

static void add_endpoint(struct arena *arena, const char *uri, struct tlsrpt_record *record)
{
    struct tlsrpt_endpoint endpoint;
    if (record->endpoint_count < TLSRPT_ENDPOINTS_MAX && tlsrpt_endpoint_read(arena, uri, &endpoint))
        record->endpoints[record->endpoint_count++] = endpoint;
}

/* uri *(*WSP "," *WSP uri) */
static void take_rua(struct arena *arena, const char *value, size_t length, struct tlsrpt_record *record)
{
    const char *end = value + length;
    while (value < end) {
        value += strspn(value, " \t");
        size_t uri = strcspn(value, ",; \t");
        add_endpoint(arena, arena_strndup(arena, value, uri), record);
        value += uri;
        value += strspn(value, " \t");
        if (value < end && *value != ',')
            return; /* blanks inside: what follows is no address */
        value++;
    }
}

/* ---- fields ---- */

static bool is_name(const char *text, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    if (length == 0 || length > 32 || strchr(letters, text[0]) == NULL)
        return false;
    for (size_t i = 0; i < length; i++)
        if (strchr(letters, text[i]) == NULL && strchr("_-.", text[i]) == NULL)
            return false;
    return true;
}

/* One field, without the blanks around it; the first rua counts. */
static bool take_field(struct arena *arena, const char *text, size_t length, bool *has_rua,
                       struct tlsrpt_record *record)
{
    const char *equals = memchr(text, '=', length);
    if (equals == NULL || equals + 1 == text + length || !is_name(text, (size_t)(equals - text)))
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x7f || ((unsigned char)text[i] < ' ' && text[i] != '\t'))
            return false;
    if (strncmp(text, "rua=", 4) != 0)
        return true;
    if (!*has_rua)
        take_rua(arena, text + 4, length - 4, record);
    return *has_rua = true;
}

static bool take_fields(struct arena *arena, const char *at, struct tlsrpt_record *record)
{
    bool has_rua = false;
    while (*at == ';') {
        at += 1 + strspn(at + 1, " \t");
        size_t whole = strcspn(at, ";"), length = whole;
        while (length > 0 && strchr(" \t", at[length - 1]) != NULL)
            length--;
        bool last = at[whole] == '\0';
        if (!(last && length == 0) && !take_field(arena, at, length, &has_rua, record))
            return false;
        at += whole;
    }
    return has_rua;
}

static bool passes_filter(const char *text)
{
    size_t length = strlen(version);
    return strncmp(text, version, length) == 0 && text[length] == ';';
}

struct tlsrpt_record tlsrpt_record_find(struct arena *arena, const char *const *records, size_t count)
{
    struct tlsrpt_record record = {.state = TLSRPT_RECORD_NONE, .why = "there is no _smtp._tls record"};
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!passes_filter(records[i]))
            continue;
        if (found != NULL)
            return (struct tlsrpt_record){.state = TLSRPT_RECORD_SEVERAL,
                                          .why = "there are several _smtp._tls records"};
        found = records[i];
    }
    if (found == NULL)
        return record;
    if (!take_fields(arena, found + strlen(version), &record))
        return (struct tlsrpt_record){.state = TLSRPT_RECORD_INVALID, .why = "the _smtp._tls record is malformed"};
    record.state = TLSRPT_RECORD_VALID;
    record.why = NULL;
    return record;
}
