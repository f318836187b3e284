/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dkim.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/message.h"

enum { RSA_BITS_MIN = 1024, SIGNATURE_MAX = 2048, FOLD = 70, SHA256_LENGTH = 32 };

struct dkim_key {
    EVP_PKEY *pkey;
};

/* ---- the key ---- */

static bool is_usable(const EVP_PKEY *pkey)
{
    int kind = EVP_PKEY_get_base_id(pkey);
    return kind == EVP_PKEY_ED25519 || (kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) >= RSA_BITS_MIN);
}

struct dkim_key *dkim_key_read(const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    EVP_PKEY *pkey = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file != NULL)
        fclose(file);
    if (pkey == NULL || !is_usable(pkey)) {
        err_set(err, ERR_INPUT, "%s: no private key of RSA (1024 bits or more) or Ed25519 in PEM", path);
        EVP_PKEY_free(pkey);
        return NULL;
    }
    struct dkim_key *key = calloc(1, sizeof *key);
    if (key == NULL)
        abort();
    key->pkey = pkey;
    return key;
}

void dkim_key_free(struct dkim_key **key)
{
    if (*key == NULL)
        return;
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}

/* ---- the relaxed forms (RFC 6376 3.4) ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Blanks become one, those at the end none; line breaks inside are left out. */
static char *squeeze(const char *from, const char *end, char *to)
{
    bool blank = false;
    for (; from < end; from++) {
        if (is_blank(*from)) {
            blank = true;
        } else if (*from != '\r' && *from != '\n') {
            if (blank)
                *to++ = ' ';
            blank = false;
            *to++ = *from;
        }
    }
    return to;
}

static const char *line_end(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    return newline != NULL ? newline + 1 : end;
}

static char *relaxed_body(struct arena *arena, const char *body, const char *end, size_t *length)
{
    char *out = arena_alloc(arena, (size_t)(end - body) + 3), *to = out, *kept = out;
    for (const char *line = body, *next; line < end; line = next) {
        next = line_end(line, end);
        char *start = to;
        to = squeeze(line, next, to);
        bool empty = to == start;
        *to++ = '\r';
        *to++ = '\n';
        if (!empty)
            kept = to;
    }
    *length = (size_t)(kept - out);
    return out;
}

/* "name: value\r\n", folded or not, as "name:value". */
static const char *relaxed_field(struct arena *arena, const char *field, const char *end)
{
    const char *colon = memchr(field, ':', (size_t)(end - field)), *value = colon + 1;
    char *out = arena_alloc(arena, (size_t)(end - field) + 1), *to = out;
    for (const char *at = field; at < colon; at++)
        if (!is_blank(*at))
            *to++ = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
    *to++ = ':';
    while (value < end && (is_blank(*value) || *value == '\r' || *value == '\n'))
        value++;
    *squeeze(value, end, to) = '\0';
    return out;
}

/* The field of that name with its folded lines; NULL: there is none. */
static const char *find_field(const char *head, const char *end, const char *name, const char **field_end)
{
    size_t length = strlen(name);
    for (const char *line = head, *next; line < end; line = next) {
        next = line_end(line, end);
        while (next < end && is_blank(*next))
            next = line_end(next, end);
        if ((size_t)(next - line) > length && strncasecmp(line, name, length) == 0 && line[length] == ':') {
            *field_end = next;
            return line;
        }
    }
    return NULL;
}

/* ---- the signature ---- */

static const char *base64(struct arena *arena, const unsigned char *bytes, size_t length)
{
    char *text = arena_alloc(arena, 4 * ((length + 2) / 3) + 1);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return text;
}

static const char *body_hash(struct arena *arena, const char *body, const char *end)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t length;
    const char *relaxed = relaxed_body(arena, body, end, &length);
    EVP_Digest(relaxed, length, digest, NULL, EVP_sha256(), NULL);
    return base64(arena, digest, SHA256_LENGTH);
}

/* Ed25519 signs the digest as if it were the message (RFC 8463 3). */
static const char *signature_of(struct arena *arena, const struct dkim_key *key, const char *text, struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE], signature[SIGNATURE_MAX];
    size_t length = sizeof signature;
    bool rsa = EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_RSA;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
    bool made = ctx != NULL && EVP_DigestSignInit(ctx, NULL, rsa ? EVP_sha256() : NULL, NULL, key->pkey) == 1 &&
                EVP_DigestSign(ctx, signature, &length, rsa ? (const unsigned char *)text : digest,
                               rsa ? strlen(text) : SHA256_LENGTH) == 1;
    EVP_MD_CTX_free(ctx);
    if (made)
        return base64(arena, signature, length);
    err_set(err, ERR_SYSTEM, "DKIM: OpenSSL cannot sign");
    return NULL;
}

static const char *folded(struct arena *arena, const char *text)
{
    const char *out = "";
    for (size_t left = strlen(text), take; left > 0; text += take, left -= take) {
        take = left < FOLD ? left : FOLD;
        out = arena_printf(arena, "%s\r\n\t%.*s", out, (int)take, text);
    }
    return out;
}

static const char *joined(struct arena *arena, const char *const *names)
{
    const char *list = names[0];
    for (size_t i = 1; names[i] != NULL; i++)
        list = arena_printf(arena, "%s:%s%s", list, i % 4 == 0 ? "\r\n\t" : "", names[i]);
    return list;
}

char *dkim_sign(struct arena *arena, const struct dkim_signing *s, const char *content, size_t length, struct err *err)
{
    const char *end = content + length, *body = content + message_header_length(content, length);
    bool rsa = EVP_PKEY_get_base_id(s->key->pkey) == EVP_PKEY_RSA;
    const char *text = "";
    for (size_t i = 0; s->headers[i] != NULL; i++) {
        const char *field_end, *field = find_field(content, body, s->headers[i], &field_end);
        if (field != NULL)
            text = arena_printf(arena, "%s%s\r\n", text, relaxed_field(arena, field, field_end));
    }
    const char *unsigned_field =
        arena_printf(arena,
                     "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed; d=%s; s=%s;\r\n\tt=%lld;\r\n\th=%s;\r\n\tbh=%s;\r\n"
                     "\tb=",
                     rsa ? "rsa-sha256" : "ed25519-sha256", s->domain, s->selector, (long long)s->now,
                     joined(arena, s->headers), body_hash(arena, body, end));
    text = arena_printf(arena, "%s%s", text,
                        relaxed_field(arena, unsigned_field, unsigned_field + strlen(unsigned_field)));
    const char *signature = signature_of(arena, s->key, text, err);
    return signature != NULL ? arena_printf(arena, "%s%s\r\n", unsigned_field, folded(arena, signature)) : NULL;
}
