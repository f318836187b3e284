/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/tls_report.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/text.h"
#include "harness/dkim_check.h"
#include "harness/mail_head.h"
#include "harness/tls_report_json.h"

enum { TEXT_MAX = 4 << 20 };

void tls_report_flaw(struct arena *arena, struct tls_report *report, const char *clause, const char *what)
{
    *ARENA_PUSH(arena, &report->flaws) = (struct tls_report_flaw){clause, what};
}

/* ---- values of a header's fields ---- */

/* A parameter of a Content-Type or Content-Disposition, quoted or not; "" without. */
static const char *parameter(struct arena *arena, const char *value, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strchr(value, ';'); at != NULL; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " ");
        if (strncasecmp(at, name, length) != 0 || at[length] != '=')
            continue;
        at += length + 1;
        return *at == '"' ? arena_strndup(arena, at + 1, strcspn(at + 1, "\""))
                          : arena_strndup(arena, at, strcspn(at, "; "));
    }
    return "";
}

static bool is_type(const char *value, const char *type)
{
    size_t length = strlen(type);
    return strncasecmp(value, type, length) == 0 && (value[length] == '\0' || strchr("; ", value[length]) != NULL);
}

bool tls_report_is_mail(const char *text, size_t length)
{
    struct arena *arena = arena_new("TLS report");
    struct mail_head head;
    mail_head_read(text, text + length, &head);
    const char *type = mail_head_value(arena, &head, "Content-Type");
    bool is = is_type(type, "multipart/report") && strcasecmp(parameter(arena, type, "report-type"), "tlsrpt") == 0;
    arena_free(&arena);
    return is;
}

/* ---- packing ---- */

static bool is_gzip(const char *bytes, size_t length)
{
    return length > 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

/* NULL: it is broken, or bigger than any report. */
static const char *unpack(struct arena *arena, const char *bytes, size_t length, size_t *unpacked)
{
    char *out = NULL;
    z_stream z = {.next_in = (Bytef *)bytes, .avail_in = (uInt)length};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return NULL;
    int state = Z_OK;
    for (size_t room = 16 * 1024; state == Z_OK && room <= TEXT_MAX; room *= 2) {
        out = arena_grow(arena, out, z.total_out, room);
        z.next_out = (Bytef *)out + z.total_out;
        z.avail_out = (uInt)(room - z.total_out);
        state = inflate(&z, Z_NO_FLUSH);
    }
    *unpacked = z.total_out;
    inflateEnd(&z);
    return state == Z_STREAM_END ? out : NULL;
}

/* The report itself, packed or not, as the media type promises it. */
static void read_body(struct arena *arena, const char *type, const char *bytes, size_t length, struct tls_report *out)
{
    bool packed = is_gzip(bytes, length), promised = is_type(type, "application/tlsrpt+gzip");
    if (!promised && !is_type(type, "application/tlsrpt+json"))
        tls_report_flaw(arena, out, out->by_mail ? "8460-5.3-3" : "8460-5.4-2",
                        arena_printf(arena, "the media type of the report is '%s'", type));
    else if (packed != promised)
        tls_report_flaw(arena, out, out->by_mail ? "8460-5.3-3" : "8460-5.4-2",
                        packed ? "the report is compressed, and its media type says that it is not"
                               : "the report is not compressed, and its media type says that it is");
    if (!packed)
        tls_report_flaw(arena, out, "8460-5.2-1", "the report is not compressed");
    size_t text_length = length;
    const char *text = packed ? unpack(arena, bytes, length, &text_length) : bytes;
    if (text == NULL)
        tls_report_flaw(arena, out, "8460-4-1", "the compressed report is broken");
    else
        tls_report_read_json(arena, text, text_length, out);
}

void tls_report_read_upload(struct arena *arena, const char *type, const char *bytes, size_t length,
                            struct tls_report *out)
{
    *out = (struct tls_report){.sha256 = "", .domain = "", .id = "", .contact = ""};
    read_body(arena, type, bytes, length, out);
}

/* ---- mail ---- */

/* Text in base64, with line ends in it; NULL: it is none. */
static const char *decode(struct arena *arena, const char *text, const char *end, size_t *length)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    unsigned char *out = arena_alloc(arena, (size_t)(end - text) + 64);
    int some = 0, rest = 0;
    EVP_DecodeInit(ctx);
    bool good = EVP_DecodeUpdate(ctx, out, &some, (const unsigned char *)text, (int)(end - text)) >= 0 &&
                EVP_DecodeFinal(ctx, out + some, &rest) >= 0;
    EVP_ENCODE_CTX_free(ctx);
    *length = (size_t)some + (size_t)rest;
    return good ? (const char *)out : NULL;
}

/* submitter "!" domain "!" begin "!" end ["!" unique] "." ("json" | "json.gz") */
static void check_name(struct arena *arena, const char *name, const char *submitter, bool packed,
                       struct tls_report *out)
{
    const char *ending = packed ? ".json.gz" : ".json";
    size_t length = strlen(name), end = strlen(ending);
    if (length < end || strcmp(name + length - end, ending) != 0)
        tls_report_flaw(arena, out, "8460-5.1-3",
                        arena_printf(arena, "the file '%s' does not end in %s", name, ending));
    const char *prefix =
        arena_printf(arena, "%s!%s!%lld!%lld", submitter, out->domain, (long long)out->begins, (long long)out->ends);
    size_t whole = strlen(prefix);
    if (strncasecmp(name, prefix, whole) != 0 || strchr("!.", name[whole]) == NULL)
        tls_report_flaw(arena, out, "8460-5.1-1",
                        arena_printf(arena, "the file is called '%s'; it had to begin with %s", name, prefix));
    for (const char *at = name; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x7f) {
            tls_report_flaw(arena, out, "8460-5.1-2", "the name of the file is not ASCII");
            return;
        }
}

/* The second part, which holds the report. */
static void read_part(struct arena *arena, const char *part, const char *end, const char *submitter,
                      struct tls_report *out)
{
    struct mail_head head;
    mail_head_read(part, end, &head);
    const char *bytes = head.body;
    size_t length = (size_t)(end - head.body);
    if (strcasecmp(mail_head_value(arena, &head, "Content-Transfer-Encoding"), "base64") == 0)
        bytes = decode(arena, head.body, end, &length);
    if (bytes == NULL) {
        tls_report_flaw(arena, out, "8460-5.3-2", "the attached report is no base64");
        return;
    }
    read_body(arena, mail_head_value(arena, &head, "Content-Type"), bytes, length, out);
    const char *disposition = mail_head_value(arena, &head, "Content-Disposition");
    check_name(arena, parameter(arena, disposition, "filename"), submitter, is_gzip(bytes, length), out);
}

/* The n-th part between two delimiters; NULL: there is none. */
static const char *part_of(struct arena *arena, const char *body, const char *end, const char *boundary, size_t n,
                           const char **part_end)
{
    const char *delimiter = arena_printf(arena, "--%s", boundary), *at = body;
    size_t length = strlen(delimiter);
    for (size_t i = 0;; i++) {
        const char *found = memmem(at, (size_t)(end - at), delimiter, length);
        if (i == n + 1 && found != NULL)
            *part_end = found >= at + 2 ? found - 2 : at;
        if (i == n + 1 || found == NULL)
            return i == n + 1 && found != NULL ? at : NULL;
        const char *line = memchr(found, '\n', (size_t)(end - found));
        if (line == NULL)
            return NULL;
        at = line + 1;
    }
}

static const char *domain_in(struct arena *arena, const char *contact)
{
    const char *at = strrchr(contact, '@');
    return at != NULL ? text_name(arena, at + 1) : "";
}

static void check_head(struct arena *arena, const struct mail_head *head, const char *submitter, struct tls_report *out)
{
    const char *subject = mail_head_value(arena, head, "Subject");
    if (out->domain[0] == '\0' || submitter[0] == '\0')
        tls_report_flaw(arena, out, "8460-5.3-4", "TLS-Report-Domain or TLS-Report-Submitter is missing");
    if (out->contact[0] != '\0' && !text_name_equal(submitter, domain_in(arena, out->contact)))
        tls_report_flaw(arena, out, "8460-5.3-5",
                        arena_printf(arena, "TLS-Report-Submitter is '%s', contact-info %s", submitter, out->contact));
    const char *wanted = arena_printf(arena, "Report Domain: %s Submitter: %s Report-ID: <", out->domain, submitter);
    if (strncasecmp(subject, wanted, strlen(wanted)) != 0)
        tls_report_flaw(arena, out, "8460-5.3-7", arena_printf(arena, "the subject is '%s'", subject));
}

static void check_signature(struct arena *arena, const char *text, size_t length, const char *submitter,
                            const char *public_key, struct tls_report *out)
{
    struct dkim_found found = dkim_check(arena, text, length, public_key);
    if (found.trouble != NULL)
        tls_report_flaw(arena, out, "8460-3-7", found.trouble);
    if (found.trouble == NULL && !text_name_under(submitter, found.domain))
        tls_report_flaw(arena, out, "8460-3-7",
                        arena_printf(arena, "%s signed what %s submits", found.domain, submitter));
    if (found.has_length)
        tls_report_flaw(arena, out, "8460-3-8", "the DKIM signature uses l=");
    if (found.present && !found.covers_report_fields)
        tls_report_flaw(arena, out, "8460-5.3-6", "the DKIM signature leaves the TLS-Report fields out");
}

static const char *sha256_of(struct arena *arena, const char *text, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text, length, digest, &size, EVP_sha256(), NULL);
    return text_hex(arena, digest, size);
}

void tls_report_read_mail(struct arena *arena, const char *text, size_t length, const char *public_key,
                          struct tls_report *out)
{
    const char *end = text + length, *part_end = end;
    struct mail_head head, head_of_words;
    mail_head_read(text, end, &head);
    *out = (struct tls_report){.by_mail = true, .sha256 = sha256_of(arena, text, length), .id = "", .contact = ""};
    const char *submitter = mail_head_value(arena, &head, "TLS-Report-Submitter");
    out->domain = mail_head_value(arena, &head, "TLS-Report-Domain");
    const char *boundary = parameter(arena, mail_head_value(arena, &head, "Content-Type"), "boundary");
    const char *words = part_of(arena, head.body, end, boundary, 0, &part_end);
    mail_head_read(words != NULL ? words : end, part_end, &head_of_words);
    if (words == NULL || is_type(mail_head_value(arena, &head_of_words, "Content-Type"), "application/tlsrpt+gzip"))
        tls_report_flaw(arena, out, "8460-5.3-2", "the first part of the mail is not for people");
    const char *part = part_of(arena, head.body, end, boundary, 1, &part_end);
    if (part == NULL)
        tls_report_flaw(arena, out, "8460-5.3-2", "the mail has no second part with the report");
    else
        read_part(arena, part, part_end, submitter, out);
    check_head(arena, &head, submitter, out);
    check_signature(arena, text, length, submitter, public_key, out);
}

const char *tls_report_summary(struct arena *arena, const struct tls_report *report)
{
    const char *text = "";
    for (size_t i = 0; i < report->entries.count; i++) {
        const struct tls_report_entry *e = &report->entries.items[i];
        text = arena_printf(arena, "%s%s%s %s: %lld good, %lld bad", text, i > 0 ? "; " : "", e->policy, e->domain,
                            (long long)e->success, (long long)e->failure);
        for (size_t k = 0; k < e->details.count; k++)
            text = arena_printf(arena, "%s%s%s%s", text, k == 0 ? " (" : ", ", e->details.items[k].result,
                                k + 1 == e->details.count ? ")" : "");
    }
    return text;
}
