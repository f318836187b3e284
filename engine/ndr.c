/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ndr.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/message.h"

enum { FIELD_QUOTED_MAX = 250, SMTP_LINE_MAX = 998, QUOTED_LINE_MAX = 72 };

static const char *reply_of(struct arena *arena, struct status status)
{
    return message_line(arena, status_reply(arena, status));
}

/* An address in seven bits, as type;address (RFC 6533 3): in one that is not ASCII, what is not becomes \x{F6}. */
static const char *typed_address(struct arena *arena, const char *address)
{
    size_t left = strlen(address), step;
    if (!message_is_8bit(address, left))
        return arena_printf(arena, "rfc822; %s", address);
    char *text = arena_strdup(arena, "utf-8; ");
    for (uint32_t code; (step = text_utf8_step(address, left, &code)) > 0; address += step, left -= step) {
        bool plain = code < 0x80 && strchr("+=\\", (int)code) == NULL;
        text = plain ? arena_printf(arena, "%s%c", text, (int)code)
                     : arena_printf(arena, "%s\\x{%02X}", text, (unsigned)code);
    }
    return text;
}

static const char *seven_bit_address(struct arena *arena, const char *address)
{
    return strchr(typed_address(arena, address), ' ') + 1;
}

/* The original's own, if it can stand in a header line of ours. */
static const char *quoted_field(struct arena *arena, const struct ndr *n, const char *name)
{
    const char *text = message_field(arena, n->content, n->length, name);
    for (const char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            return "";
    return strlen(text) <= FIELD_QUOTED_MAX ? text : "";
}

static void write_head(FILE *out, struct arena *arena, const struct ndr *n)
{
    const char *subject = quoted_field(arena, n, "Subject"), *about = quoted_field(arena, n, "Message-ID");
    fprintf(out, "From: Mail Delivery System <postmaster@%s>\r\n", n->hostname);
    fprintf(out, "To: <%s>\r\nSubject: Undeliverable: %s\r\n", n->sender,
            *subject != '\0' ? subject : "mail could not be delivered");
    if (*about != '\0')
        fprintf(out, "In-Reply-To: %s\r\nReferences: %s\r\n", about, about);
    fprintf(out, "Date: %s\r\nMessage-ID: <%s@%s>\r\n", message_date(arena, n->now), n->id, n->hostname);
    fprintf(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
    fprintf(out, "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"%s\"\r\n\r\n", n->id);
}

static void write_words(FILE *out, struct arena *arena, const struct ndr *n)
{
    fprintf(out, "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", n->id);
    fprintf(out, "Your message could not be delivered to:\r\n\r\n");
    for (size_t i = 0; i < n->recipient_count; i++) {
        const struct ndr_recipient *r = &n->recipients[i];
        fprintf(out, "  <%s>\r\n    %s - Server at %s returned '%s'\r\n", seven_bit_address(arena, r->address),
                message_date(arena, n->now), n->hostname, reply_of(arena, r->status));
        if (r->last.code != NULL)
            fprintf(out, "    %s - Server at %s returned '%s'\r\n", message_date(arena, r->last_attempt),
                    r->remote_host != NULL ? r->remote_host : n->hostname, reply_of(arena, r->last));
    }
    fprintf(out, "\r\n");
}

static void write_status(FILE *out, struct arena *arena, const struct ndr *n)
{
    fprintf(out, "--%s\r\nContent-Type: message/delivery-status\r\n\r\n", n->id);
    fprintf(out, "Reporting-MTA: dns; %s\r\nArrival-Date: %s\r\n", n->hostname, message_date(arena, n->arrived));
    for (size_t i = 0; i < n->recipient_count; i++) {
        const struct ndr_recipient *r = &n->recipients[i];
        fprintf(out, "\r\nFinal-Recipient: %s\r\nAction: failed\r\nStatus: %s\r\n", typed_address(arena, r->address),
                r->status.code);
        if (r->remote_host != NULL)
            fprintf(out, "Remote-MTA: dns; %s\r\n", r->remote_host);
        fprintf(out, "Diagnostic-Code: smtp; %s\r\n", reply_of(arena, r->status));
        fprintf(out, "Last-Attempt-Date: %s\r\n", message_date(arena, r->last_attempt));
    }
    fprintf(out, "\r\n");
}

static bool is_plain(const char *text, size_t length)
{
    size_t column = 0;
    for (size_t i = 0; i < length; i++) {
        column = text[i] == '\n' ? 0 : column + 1;
        if ((unsigned char)text[i] >= 0x7f || text[i] == '\0' || column > SMTP_LINE_MAX)
            return false;
    }
    return true;
}

static bool ends_line(const char *text, size_t left)
{
    return left >= 2 && text[0] == '\r' && text[1] == '\n';
}

/* One byte as RFC 2045 6.7 wants it; how wide it has become. */
static size_t write_byte(FILE *out, char byte, bool last_of_line)
{
    bool blank = byte == ' ' || byte == '\t';
    if ((blank && !last_of_line) || (byte > ' ' && byte <= '~' && byte != '=')) {
        fputc(byte, out);
        return 1;
    }
    fprintf(out, "=%02X", (unsigned char)byte);
    return 3;
}

static void write_quoted(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0, column = 0; i < length; i++) {
        if (ends_line(text + i, length - i)) {
            fputs("\r\n", out);
            column = 0;
            i++;
            continue;
        }
        if (column >= QUOTED_LINE_MAX) {
            fputs("=\r\n", out);
            column = 0;
        }
        column += write_byte(out, text[i], i + 1 == length || ends_line(text + i + 1, length - i - 1));
    }
}

/* The header in whole lines. */
static size_t header_kept(const struct ndr *n)
{
    size_t header = message_header_length(n->content, n->length);
    if (header <= NDR_ORIGINAL_MAX)
        return header;
    const char *cut = memrchr(n->content, '\n', NDR_ORIGINAL_MAX);
    return cut != NULL ? (size_t)(cut - n->content) + 1 : 0;
}

static void write_original(FILE *out, const struct ndr *n)
{
    bool whole = n->whole && n->length <= NDR_ORIGINAL_MAX && is_plain(n->content, n->length);
    size_t length = whole ? n->length : header_kept(n);
    bool plain = is_plain(n->content, length);
    fprintf(out, "--%s\r\nContent-Type: %s\r\n", n->id, whole ? "message/rfc822" : "text/rfc822-headers");
    fprintf(out, "%s\r\n", plain ? "" : "Content-Transfer-Encoding: quoted-printable\r\n");
    if (plain)
        fwrite(n->content, 1, length, out);
    else
        write_quoted(out, n->content, length);
    if (length < 2 || memcmp(n->content + length - 2, "\r\n", 2) != 0)
        fprintf(out, "\r\n");
    fprintf(out, "\r\n--%s--\r\n", n->id);
}

char *ndr_write(struct arena *arena, const struct ndr *n, size_t *length)
{
    char *buffer = NULL;
    FILE *out = open_memstream(&buffer, length);
    if (out == NULL)
        abort();
    write_head(out, arena, n);
    write_words(out, arena, n);
    write_status(out, arena, n);
    write_original(out, n);
    fclose(out);
    char *text = arena_strndup(arena, buffer, *length);
    free(buffer);
    return text;
}
