/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/dkim_check.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "harness/mail_head.h"

/* ---- tags ---- */

/* The value of a tag without blanks; NULL: it is not there. */
static char *tag(struct arena *arena, const struct mail_field *field, const char *name)
{
    char *list = arena_strndup(arena, field->text, field->length), *rest = strchr(list, ':') + 1, *item;
    while ((item = strsep(&rest, ";")) != NULL) {
        char *equals = strchr(item, '=');
        item += strspn(item, " \t\r\n");
        if (equals == NULL || strncmp(item, name, strlen(name)) != 0 ||
            item + strlen(name) + strspn(item + strlen(name), " \t\r\n") != equals)
            continue;
        char *to = equals + 1;
        for (char *at = to; *at != '\0'; at++)
            if (strchr(" \t\r\n", *at) == NULL)
                *to++ = *at;
        *to = '\0';
        return equals + 1;
    }
    return NULL;
}

/* ---- canonical forms ---- */

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* relaxed: every run of blanks is one, none at the end of the line. */
static void relax_line(FILE *out, const char *line, size_t length)
{
    while (length > 0 && blank(line[length - 1]))
        length--;
    for (size_t i = 0; i < length; i++)
        if (!blank(line[i]))
            fputc(line[i], out);
        else if (!blank(line[i + 1]))
            fputc(' ', out);
}

static void write_body(FILE *out, const char *body, const char *end, bool relaxed)
{
    size_t empty = 0;
    while (body < end) {
        const char *newline = memchr(body, '\n', (size_t)(end - body));
        size_t whole = newline != NULL ? (size_t)(newline - body) + 1 : (size_t)(end - body);
        size_t length = whole - (newline != NULL);
        length -= length > 0 && body[length - 1] == '\r';
        size_t kept = length;
        while (relaxed && kept > 0 && blank(body[kept - 1]))
            kept--;
        empty = kept == 0 ? empty + 1 : empty;
        for (; kept > 0 && empty > 0; empty--)
            fputs("\r\n", out);
        if (kept > 0 && relaxed)
            relax_line(out, body, kept);
        else
            fwrite(body, 1, kept, out);
        if (kept > 0)
            fputs("\r\n", out);
        body += whole;
    }
}

static void write_field(FILE *out, const char *text, size_t length, bool relaxed)
{
    if (!relaxed) {
        fwrite(text, 1, length, out);
        return;
    }
    const char *colon = memchr(text, ':', length);
    bool begun = false, gap = false;
    for (const char *at = text; at < colon; at++)
        if (!blank(*at))
            fputc(*at >= 'A' && *at <= 'Z' ? *at | 0x20 : *at, out);
    fputc(':', out);
    for (const char *at = colon + 1; at < text + length; at++) {
        bool space = blank(*at) || *at == '\r' || *at == '\n';
        if (!space && gap && begun)
            fputc(' ', out);
        gap = space;
        if (!space) {
            fputc(*at, out);
            begun = true;
        }
    }
    fputs("\r\n", out);
}

/* The signature's own field with an empty b=. */
static void write_unsigned(FILE *out, struct arena *arena, const struct mail_field *field, bool relaxed)
{
    const char *end = field->text + field->length, *at = strchr(field->text, ':');
    while (at < end) {
        const char *name = at + 1 + strspn(at + 1, " \t\r\n"), *next = memchr(name, ';', (size_t)(end - name));
        if (name[0] == 'b' && name[1 + strspn(name + 1, " \t\r\n")] == '=')
            break;
        if (next == NULL)
            return;
        at = next;
    }
    const char *equals = strchr(at, '='), *rest = memchr(equals, ';', (size_t)(end - equals));
    char *text = arena_printf(arena, "%.*s=%.*s", (int)(equals - field->text), field->text,
                              rest != NULL ? (int)(end - rest) : 0, rest != NULL ? rest : "");
    char *buffer = NULL;
    size_t size = 0;
    FILE *one = open_memstream(&buffer, &size);
    write_field(one, text, strlen(text), relaxed);
    fclose(one);
    while (size > 0 && (buffer[size - 1] == '\n' || buffer[size - 1] == '\r'))
        size--;
    fwrite(buffer, 1, size, out);
    free(buffer);
}

/* ---- the check ---- */

static unsigned char *decode(struct arena *arena, const char *text, size_t *length)
{
    size_t size = strlen(text);
    unsigned char *bytes = arena_alloc(arena, size + 4);
    int got = size % 4 == 0 ? EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)size) : -1;
    *length = got > 0 ? (size_t)got : 0;
    for (size_t i = size; *length > 0 && i > 0 && text[i - 1] == '='; i--)
        (*length)--;
    return bytes;
}

static bool body_is_intact(struct arena *arena, const struct mail_head *head, const char *end, const char *hash,
                           bool relaxed)
{
    char *text = NULL;
    size_t size = 0, length = 0;
    unsigned char digest[EVP_MAX_MD_SIZE];
    FILE *out = open_memstream(&text, &size);
    write_body(out, head->body, end, relaxed);
    fclose(out);
    EVP_Digest(text, size, digest, NULL, EVP_sha256(), NULL);
    free(text);
    const unsigned char *said = decode(arena, hash, &length);
    return length == 32 && memcmp(said, digest, 32) == 0;
}

/* RFC 8463 3: what is signed is the digest. Made of its raw bytes, the key is had at once; from PEM it takes OpenSSL
 * longer than all the rest. */
static bool verify(struct arena *arena, const char *public_key, const char *text, size_t size,
                   const unsigned char *signature, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t key_length = 0;
    const unsigned char *raw = decode(arena, public_key, &key_length);
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, key_length);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_Digest(text, size, digest, NULL, EVP_sha256(), NULL);
    bool good = key != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(ctx, signature, length, digest, 32) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good;
}

static bool signature_is_right(struct arena *arena, struct mail_head *head, const struct mail_field *own, char *names,
                               const char *signature, bool relaxed, const char *public_key)
{
    char *text = NULL, *name;
    size_t size = 0, length = 0;
    FILE *out = open_memstream(&text, &size);
    while ((name = strsep(&names, ":")) != NULL) {
        const struct mail_field *field = mail_head_use(head, name);
        if (field != NULL)
            write_field(out, field->text, field->length, relaxed);
    }
    write_unsigned(out, arena, own, relaxed);
    fclose(out);
    const unsigned char *bytes = decode(arena, signature, &length);
    bool good = verify(arena, public_key, text, size, bytes, length);
    free(text);
    return good;
}

static bool names_both(const char *names)
{
    return strcasestr(names, "TLS-Report-Domain") != NULL && strcasestr(names, "TLS-Report-Submitter") != NULL;
}

static const char *trouble_with(struct arena *arena, struct mail_head *head, const struct mail_field *own,
                                const char *end, const char *public_key)
{
    const char *algorithm = tag(arena, own, "a"), *hash = tag(arena, own, "bh"), *signature = tag(arena, own, "b"),
               *form = tag(arena, own, "c");
    char *names = tag(arena, own, "h");
    if (algorithm == NULL || hash == NULL || signature == NULL || names == NULL)
        return "the DKIM signature lacks what it must have";
    bool rsa = strcmp(algorithm, "rsa-sha256") == 0;
    if (!rsa && strcmp(algorithm, "ed25519-sha256") != 0)
        return "the DKIM signature is of an algorithm that must not be used";
    if (public_key == NULL)
        return NULL;
    if (rsa)
        return "the DKIM signature is by another key than the lab has given out";
    const char *slash = form != NULL ? strchr(form, '/') : NULL;
    bool head_relaxed = form != NULL && strncmp(form, "relaxed", 7) == 0;
    if (!body_is_intact(arena, head, end, hash, slash != NULL && strcmp(slash, "/relaxed") == 0))
        return "the DKIM signature does not fit the body";
    if (!signature_is_right(arena, head, own, names, signature, head_relaxed, public_key))
        return "the DKIM signature does not fit the header";
    return NULL;
}

struct dkim_found dkim_check(struct arena *arena, const char *text, size_t length, const char *public_key)
{
    struct mail_head head;
    mail_head_read(text, text + length, &head);
    const struct mail_field *own = mail_head_use(&head, "DKIM-Signature");
    if (own == NULL)
        return (struct dkim_found){.domain = "", .trouble = "there is no DKIM signature"};
    const char *domain = tag(arena, own, "d"), *names = tag(arena, own, "h");
    return (struct dkim_found){
        .present = true,
        .domain = domain != NULL ? text_name(arena, domain) : "",
        .has_length = tag(arena, own, "l") != NULL,
        .covers_report_fields = names != NULL && names_both(names),
        .trouble = trouble_with(arena, &head, own, text + length, public_key),
    };
}
