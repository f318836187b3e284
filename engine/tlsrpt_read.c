/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_read.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <zlib.h>

#include "base/text.h"

enum { PARTS_DEEP_MAX = 5, PARTS_MAX = 50, GZIP_WINDOW = 15 + 16 };

struct bytes {
    const char *at;
    size_t length;
};

/* ---- unpacking ---- */

static bool is_gzip(struct bytes in)
{
    return in.length > 2 && memcmp(in.at, "\x1f\x8b", 2) == 0;
}

/* The room doubles until it is enough, or too much. */
static bool inflate_all(struct arena *arena, z_stream *z, struct bytes *out)
{
    char *text = NULL;
    int state = Z_OK;
    for (size_t room = 64 * 1024; state == Z_OK && room <= TLSRPT_TEXT_MAX; room *= 2) {
        text = arena_grow(arena, text, z->total_out, room);
        z->next_out = (Bytef *)text + z->total_out;
        z->avail_out = (uInt)(room - z->total_out);
        state = inflate(z, Z_NO_FLUSH);
    }
    *out = (struct bytes){text, z->total_out};
    return state == Z_STREAM_END;
}

static bool unpack(struct arena *arena, struct bytes in, struct bytes *out, struct err *err)
{
    z_stream z = {.next_in = (Bytef *)in.at, .avail_in = (uInt)in.length};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        abort();
    bool whole = inflate_all(arena, &z, out);
    inflateEnd(&z);
    return whole ||
           err_set(err, ERR_PEER, "the compressed report is broken, or bigger than %d MiB", TLSRPT_TEXT_MAX >> 20);
}

/* ---- mail ---- */

static const char *next_line(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline != NULL ? newline + 1 : end;
}

/* Where the header of this part is over. */
static const char *body_of(const char *at, const char *end)
{
    while (at < end) {
        const char *next = next_line(at, end);
        bool empty = at[0] == '\n' || (at[0] == '\r' && next - at == 2);
        at = next;
        if (empty)
            break;
    }
    return at;
}

/* The value of a field with its folded lines, at most TLSRPT_WORD_MAX of it; "" without. */
static const char *field(struct arena *arena, const char *at, const char *body, const char *name)
{
    size_t length = strlen(name);
    while (at < body) {
        const char *next = next_line(at, body);
        while (next < body && (*next == ' ' || *next == '\t'))
            next = next_line(next, body);
        if ((size_t)(next - at) > length && at[length] == ':' && strncasecmp(at, name, length) == 0) {
            size_t whole = (size_t)(next - at) - length - 1;
            const char *value =
                arena_strndup(arena, at + length + 1, whole < TLSRPT_WORD_MAX ? whole : TLSRPT_WORD_MAX);
            return value + strspn(value, " \t\r\n");
        }
        at = next;
    }
    return "";
}

static bool begins(const char *text, const char *word)
{
    return strncasecmp(text, word, strlen(word)) == 0;
}

static const char *boundary_of(struct arena *arena, const char *type)
{
    const char *at = strcasestr(type, "boundary=");
    if (at == NULL)
        return "";
    at += strlen("boundary=");
    return *at == '"' ? arena_strndup(arena, at + 1, strcspn(at + 1, "\""))
                      : arena_strndup(arena, at, strcspn(at, "; \t\r\n"));
}

static bool is_report(const char *type, const char *disposition)
{
    return begins(type, "application/tlsrpt") || begins(type, "application/gzip") ||
           begins(type, "application/x-gzip") || begins(type, "application/json") ||
           strcasestr(disposition, ".json") != NULL || strcasestr(type, ".json") != NULL;
}

static bool from_base64(struct arena *arena, struct bytes in, struct bytes *out)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    unsigned char *bytes = arena_alloc(arena, in.length + 64);
    int some = 0, rest = 0;
    EVP_DecodeInit(ctx);
    bool good = EVP_DecodeUpdate(ctx, bytes, &some, (const unsigned char *)in.at, (int)in.length) >= 0 &&
                EVP_DecodeFinal(ctx, bytes + some, &rest) >= 0;
    EVP_ENCODE_CTX_free(ctx);
    *out = (struct bytes){(const char *)bytes, (size_t)some + (size_t)rest};
    return good;
}

static bool find_part(struct arena *arena, const char *at, const char *end, unsigned depth, struct bytes *out);

static bool find_among(struct arena *arena, const char *body, const char *end, const char *boundary, unsigned depth,
                       struct bytes *out)
{
    const char *delimiter = arena_printf(arena, "--%s", boundary), *part = NULL;
    size_t length = strlen(delimiter);
    unsigned count = 0;
    for (const char *line = body; line < end && count < PARTS_MAX; line = next_line(line, end)) {
        if ((size_t)(end - line) < length || memcmp(line, delimiter, length) != 0)
            continue;
        if (part != NULL && find_part(arena, part, line, depth + 1, out))
            return true;
        part = next_line(line, end);
        count++;
    }
    return part != NULL && part < end && find_part(arena, part, end, depth + 1, out);
}

/* The first part that may be a report. */
static bool find_part(struct arena *arena, const char *at, const char *end, unsigned depth, struct bytes *out)
{
    const char *body = body_of(at, end), *type = field(arena, at, body, "Content-Type");
    if (depth >= PARTS_DEEP_MAX)
        return false;
    if (begins(type, "multipart/")) {
        const char *boundary = boundary_of(arena, type);
        return *boundary != '\0' && find_among(arena, body, end, boundary, depth, out);
    }
    if (!is_report(type, field(arena, at, body, "Content-Disposition")))
        return false;
    *out = (struct bytes){body, (size_t)(end - body)};
    bool coded = begins(field(arena, at, body, "Content-Transfer-Encoding"), "base64");
    return !coded || from_base64(arena, *out, out);
}

/* ---- JSON, leniently ---- */

static const char *text_in(struct arena *arena, json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    size_t length = text != NULL ? strnlen(text, TLSRPT_WORD_MAX) : 0;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--; /* not cut in the middle of a character */
    return length > 0 ? arena_strndup(arena, text, length) : "";
}

static const char *name_in(struct arena *arena, json_t *object, const char *name)
{
    const char *text = text_in(arena, object, name);
    return *text != '\0' ? text_name(arena, text) : "";
}

/* A number, or a text that is one. */
static json_int_t count_in(json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    json_int_t count = json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : json_integer_value(value);
    return count > 0 ? count : 0;
}

/* RFC 3339; without a zone, as some write it, it is UTC. 0: it is none. */
static json_int_t date_in(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name)), *rest;
    struct tm tm = {0};
    int hours, minutes;
    char sign;
    if (text == NULL || (rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)) == NULL)
        return 0;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    json_int_t at = timegm(&tm);
    if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3 && (sign == '+' || sign == '-'))
        at -= (sign == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
    return at;
}

static void add_text(struct arena *arena, json_t *list, json_t *value)
{
    if (json_is_string(value) && json_array_size(list) < TLSRPT_LIST_MAX) {
        json_t *box = json_pack("{s:O}", "t", value);
        json_array_append_new(list, json_string(text_in(arena, box, "t")));
        json_decref(box);
    }
}

/* A list, a lone text, or, as the service writes it, a text with a list in it. */
static json_t *list_in(struct arena *arena, json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name), *list = json_array(), *item, *inner;
    size_t i, k;
    add_text(arena, list, value);
    json_array_foreach(value, i, item)
    {
        const char *text = json_string_value(item);
        json_t *nested = text != NULL && text[0] == '[' ? json_loads(text, 0, NULL) : NULL;
        if (json_is_array(nested)) {
            json_array_foreach(nested, k, inner) add_text(arena, list, inner);
        } else {
            add_text(arena, list, item);
        }
        json_decref(nested);
    }
    return list;
}

/* *left: how many more the report may have. */
static json_t *read_failures(struct arena *arena, json_t *item, size_t *left)
{
    json_t *list = json_array(), *detail;
    size_t i;
    json_array_foreach(json_object_get(item, "failure-details"), i, detail)
    {
        if (i >= TLSRPT_FAILURES_MAX || *left == 0)
            break;
        --*left;
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s,s:s,s:s,s:I}", "result", text_in(arena, detail, "result-type"),
                                        "mx", name_in(arena, detail, "receiving-mx-hostname"), "sending-ip",
                                        text_in(arena, detail, "sending-mta-ip"), "receiving-ip",
                                        text_in(arena, detail, "receiving-ip"), "reason",
                                        text_in(arena, detail, "failure-reason-code"), "count",
                                        count_in(detail, "failed-session-count")));
    }
    return list;
}

static json_t *read_policy(struct arena *arena, json_t *item, size_t *left)
{
    json_t *policy = json_object_get(item, "policy"), *summary = json_object_get(item, "summary");
    return json_pack("{s:s,s:s,s:o,s:o,s:I,s:I,s:o}", "type", text_in(arena, policy, "policy-type"), "domain",
                     name_in(arena, policy, "policy-domain"), "strings", list_in(arena, policy, "policy-string"), "mx",
                     list_in(arena, policy, "mx-host"), "good", count_in(summary, "total-successful-session-count"),
                     "bad", count_in(summary, "total-failure-session-count"), "failures",
                     read_failures(arena, item, left));
}

static json_t *read_root(struct arena *arena, json_t *root)
{
    json_t *range = json_object_get(root, "date-range"), *policies = json_array(), *item;
    size_t i, left = TLSRPT_ROWS_MAX;
    json_array_foreach(json_object_get(root, "policies"), i, item)
    {
        if (i >= TLSRPT_POLICIES_MAX)
            break;
        json_array_append_new(policies, read_policy(arena, item, &left));
    }
    return json_pack("{s:s,s:s,s:s,s:I,s:I,s:o}", "organization", text_in(arena, root, "organization-name"), "contact",
                     text_in(arena, root, "contact-info"), "report-id", text_in(arena, root, "report-id"), "begins",
                     date_in(range, "start-datetime"), "ends", date_in(range, "end-datetime"), "policies", policies);
}

/* As JSON, it begins like one; a mail does not. */
static bool is_object(struct bytes in)
{
    size_t blank = 0;
    while (blank < in.length && strchr(" \t\r\n", in.at[blank]) != NULL && in.at[blank] != '\0')
        blank++;
    return blank < in.length && in.at[blank] == '{';
}

json_t *tlsrpt_read(struct arena *arena, const char *bytes, size_t length, struct err *err)
{
    bytes = text_past_mark(bytes, &length);
    struct bytes in = {bytes, length};
    json_error_t wrong = {.text = "it is empty"};
    bool mail = length > 0 && !is_object(in) && !is_gzip(in);
    if (length > TLSRPT_FILE_MAX || (mail && !find_part(arena, bytes, bytes + length, 0, &in))) {
        err_set(err, ERR_PEER, length > TLSRPT_FILE_MAX ? "it is too big for a TLS report" : "no TLS report is in it");
        return NULL;
    }
    if (is_gzip(in) && !unpack(arena, in, &in, err))
        return NULL;
    in.at = text_past_mark(in.at, &in.length);
    json_t *root = in.length > 0 ? json_loadb(in.at, in.length, 0, &wrong) : NULL, *read = NULL;
    if (json_is_array(json_object_get(root, "policies")))
        read = read_root(arena, root);
    else
        err_set(err, ERR_PEER, "the report is no TLS report: %.200s",
                root != NULL ? "it has no list of policies" : text_escape(arena, wrong.text, strlen(wrong.text)));
    json_decref(root);
    return read;
}
