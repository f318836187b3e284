/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt_report.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/text.h"
#include "engine/message.h"

enum { DAY = 86400, GZIP_WINDOW = 15 + 16, LINE = 57 /* bytes in a line of base64 */ };

const char *tlsrpt_report_id(struct arena *arena, const struct tlsrpt_report *r)
{
    return r->exchange ? arena_printf(arena, "%s+%s", r->unique, r->domain)
                       : arena_printf(arena, "%s@%s", r->unique, r->submitter);
}

const char *tlsrpt_report_text(struct arena *arena, const struct tlsrpt_report *r, json_t *policies)
{
    if (r->exchange)
        tlsrpt_report_as_exchange(policies, r->domain);
    json_t *root = json_pack("{s:s,s:{s:s,s:s},s:s,s:s,s:o}", "organization-name", r->organization, "date-range",
                             "start-datetime", text_time(arena, r->day, TEXT_RFC3339), "end-datetime",
                             text_time(arena, r->day + DAY - 1, TEXT_RFC3339), "contact-info", r->contact, "report-id",
                             tlsrpt_report_id(arena, r), "policies", policies);
    char *text = json_dumps(root, JSON_INDENT(1));
    char *kept = arena_strdup(arena, text != NULL ? text : "{}");
    free(text);
    json_decref(root);
    return kept;
}

const char *tlsrpt_report_name(struct arena *arena, const struct tlsrpt_report *r)
{
    return arena_printf(arena, "%s!%s!%lld!%lld!%s.json.gz", r->submitter, r->domain, (long long)r->day,
                        (long long)(r->day + DAY - 1), r->unique);
}

const char *tlsrpt_report_gzip(struct arena *arena, const char *text, size_t length, size_t *compressed)
{
    z_stream z = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    size_t room = deflateBound(&z, length);
    char *out = arena_alloc(arena, room);
    z.next_in = (Bytef *)text;
    z.avail_in = (uInt)length;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    *compressed = z.total_out;
    deflateEnd(&z);
    return out;
}

/* ---- as the service writes them ---- */

static json_t *nested(json_t *strings)
{
    char *text = json_dumps(strings, JSON_COMPACT);
    for (char *at = text; at != NULL && *at != '\0'; at++)
        if (*at >= 'a' && *at <= 'f')
            *at = (char)(*at - 'a' + 'A');
    json_t *list = json_pack("[s]", text != NULL ? text : "[]");
    free(text);
    return list;
}

void tlsrpt_report_as_exchange(json_t *policies, const char *domain)
{
    size_t i;
    json_t *entry;
    json_array_foreach(policies, i, entry)
    {
        json_t *policy = json_object_get(entry, "policy"), *strings = json_object_get(policy, "policy-string");
        const char *type = json_string_value(json_object_get(policy, "policy-type"));
        if (type == NULL || strcmp(type, "tlsa") != 0)
            continue;
        json_object_set_new(policy, "policy-domain", json_string(domain));
        if (strings != NULL)
            json_object_set_new(policy, "policy-string", nested(strings));
    }
}

/* ---- mail ---- */

const char *const tlsrpt_mail_signed[] = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "TLS-Report-Domain",
    "TLS-Report-Submitter",
    NULL,
};

static void write_head(FILE *out, struct arena *arena, const struct tlsrpt_mail *m)
{
    fprintf(out, "From: <%s>\r\nTo: <%s>\r\n", m->contact, m->to);
    fprintf(out, "Subject: Report Domain: %s\r\n\tSubmitter: %s\r\n\tReport-ID: <%s>\r\n", m->domain, m->submitter,
            m->report_id);
    fprintf(out, "Date: %s\r\nMessage-ID: <%s@%s>\r\n", message_date(arena, m->now), m->boundary, m->submitter);
    fprintf(out, "TLS-Report-Domain: %s\r\nTLS-Report-Submitter: %s\r\n", m->domain, m->submitter);
    fprintf(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
    fprintf(out, "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n\tboundary=\"%s\"\r\n\r\n", m->boundary);
}

static void write_words(FILE *out, const struct tlsrpt_mail *m)
{
    fprintf(out, "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", m->boundary);
    fprintf(out,
            "This is an aggregate TLS report about mail to %s,\r\nsubmitted by %s. The report is attached.\r\n\r\n",
            m->domain, m->submitter);
}

static void write_base64(FILE *out, const char *bytes, size_t length)
{
    unsigned char line[4 * LINE / 3 + 5];
    for (size_t at = 0; at < length; at += LINE) {
        size_t take = length - at < LINE ? length - at : LINE;
        EVP_EncodeBlock(line, (const unsigned char *)bytes + at, (int)take);
        fprintf(out, "%s\r\n", (const char *)line);
    }
}

static void write_file(FILE *out, const struct tlsrpt_mail *m)
{
    fprintf(out, "--%s\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n", m->boundary);
    fprintf(out, "Content-Disposition: attachment;\r\n\tfilename=\"%s\"\r\n\r\n", m->name);
    write_base64(out, m->body, m->length);
    fprintf(out, "\r\n--%s--\r\n", m->boundary);
}

char *tlsrpt_mail_write(struct arena *arena, const struct tlsrpt_mail *m, size_t *length)
{
    char *buffer = NULL;
    FILE *out = open_memstream(&buffer, length);
    if (out == NULL)
        abort();
    write_head(out, arena, m);
    write_words(out, m);
    write_file(out, m);
    fclose(out);
    char *text = arena_strndup(arena, buffer, *length);
    free(buffer);
    return text;
}
