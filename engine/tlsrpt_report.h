/* SPDX-License-Identifier: BSD-2-Clause
 * tlsrpt_report - a TLS report as text, file and mail (RFC 8460 4.4, 5.1, 5.3). Pure.
 *
 * Owns: results live in the arena given. */
#ifndef ENGINE_TLSRPT_REPORT_H
#define ENGINE_TLSRPT_REPORT_H

#include <jansson.h>

#include "base/arena.h"

struct tlsrpt_report {
    const char *organization, *contact; /* an addr-spec */
    const char *submitter;              /* the contact's domain (8460-5.3-5) */
    const char *domain;                 /* that asked for it */
    const char *unique;                 /* letters and digits, never used before */
    int64_t day;                        /* UTC seconds at which it begins */
    bool exchange;                      /* as the service writes them: see tlsrpt_report_as_exchange() */
};

/* "unique@submitter"; of the service "unique+domain". */
const char *tlsrpt_report_id(struct arena *arena, const struct tlsrpt_report *report);
/* The JSON; takes the reference to policies. */
const char *tlsrpt_report_text(struct arena *arena, const struct tlsrpt_report *report, json_t *policies);
/* "submitter!domain!begin!end!unique.json.gz" */
const char *tlsrpt_report_name(struct arena *arena, const struct tlsrpt_report *report);
const char *tlsrpt_report_gzip(struct arena *arena, const char *text, size_t length, size_t *compressed);

/* What the service is known to write instead: tlsa records as one text with a JSON list of upper-case texts in it,
 * under the recipient's domain. */
void tlsrpt_report_as_exchange(json_t *policies, const char *domain);

struct tlsrpt_mail {
    const char *contact, *submitter, *domain;
    const char *report_id, *name; /* the file's */
    const char *to;
    const char *boundary; /* also the left side of the Message-ID */
    int64_t now;
    const char *body; /* compressed */
    size_t length;
};
extern const char *const tlsrpt_mail_signed[]; /* the fields that DKIM signs; NULL-terminated */
char *tlsrpt_mail_write(struct arena *arena, const struct tlsrpt_mail *mail, size_t *length);

#endif
