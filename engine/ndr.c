/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ndr.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/message.h"

enum { HEADER_MAX = 64 * 1024, LINE_MAX = 700 };

/* One line of ASCII, whatever a peer put into it. */
static const char *line(struct arena *arena, const char *text)
{
    char *safe = text_escape(arena, text, strnlen(text, LINE_MAX));
    safe[strnlen(safe, LINE_MAX)] = '\0';
    for (char *at = safe; *at != '\0'; at++)
        if ((unsigned char)*at & 0x80)
            *at = '?';
    return safe;
}

/* "550 5.4.310 ...", as SMTP would have said it; a server's own answer is that already. */
static const char *reply_of(struct arena *arena, struct status status)
{
    bool own = strspn(status.text, "0123456789") == 3 && status.text[3] == ' ';
    return line(arena, own ? status.text : arena_printf(arena, "550 %s %s", status.code, status.text));
}

static void write_head(FILE *out, struct arena *arena, const struct ndr *n)
{
    fprintf(out, "From: Mail Delivery System <postmaster@%s>\r\n", n->hostname);
    fprintf(out, "To: <%s>\r\nSubject: Undeliverable: mail could not be delivered\r\n", n->sender);
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
        fprintf(out, "  <%s>\r\n    %s - Server at %s returned '%s'\r\n", r->address, message_date(arena, n->now),
                n->hostname, reply_of(arena, r->status));
        if (r->last_error != NULL)
            fprintf(out, "    %s - Server at %s returned '450 %s'\r\n", message_date(arena, r->last_attempt),
                    r->remote_host != NULL ? r->remote_host : n->hostname, line(arena, r->last_error));
    }
    fprintf(out, "\r\n");
}

static void write_status(FILE *out, struct arena *arena, const struct ndr *n)
{
    fprintf(out, "--%s\r\nContent-Type: message/delivery-status\r\n\r\n", n->id);
    fprintf(out, "Reporting-MTA: dns; %s\r\nArrival-Date: %s\r\n", n->hostname, message_date(arena, n->arrived));
    for (size_t i = 0; i < n->recipient_count; i++) {
        const struct ndr_recipient *r = &n->recipients[i];
        fprintf(out, "\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: %s\r\n", r->address, r->status.code);
        if (r->remote_host != NULL)
            fprintf(out, "Remote-MTA: dns; %s\r\n", r->remote_host);
        fprintf(out, "Diagnostic-Code: smtp; %s\r\n", reply_of(arena, r->status));
        fprintf(out, "Last-Attempt-Date: %s\r\n", message_date(arena, r->last_attempt));
    }
    fprintf(out, "\r\n");
}

static void write_original(FILE *out, const struct ndr *n)
{
    size_t header = message_header_length(n->content, n->length);
    bool eight_bit = message_is_8bit(n->content, header);
    fprintf(out, "--%s\r\nContent-Type: text/rfc822-headers%s\r\n", n->id, eight_bit ? "; charset=utf-8" : "");
    fprintf(out, "%s\r\n", eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
    if (header > HEADER_MAX) { /* whole lines only */
        const char *cut = memrchr(n->content, '\n', HEADER_MAX);
        header = cut != NULL ? (size_t)(cut - n->content) + 1 : 0;
    }
    fwrite(n->content, 1, header, out);
    if (header < 2 || memcmp(n->content + header - 2, "\r\n", 2) != 0)
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
