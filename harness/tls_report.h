/* SPDX-License-Identifier: BSD-2-Clause
 * tls_report - a TLS report as it came (RFC 8460): what it says, and what is wrong with its form. Pure.
 *
 * Owns:   everything lives in the arena given; the bytes are borrowed for the call.
 * Errors: flaws, each with the clause that it breaks; what cannot be read is missing. */
#ifndef HARNESS_TLS_REPORT_H
#define HARNESS_TLS_REPORT_H

#include "base/arena.h"

struct tls_report_detail {
    const char *result, *mx; /* mx: receiving-mx-hostname, "" without */
    int64_t count;
};
struct tls_report_entry { /* one policy */
    const char *policy, *domain; /* policy-type, policy-domain; "" without */
    int64_t success, failure;
    size_t strings; /* of policy-string */
    struct {
        struct tls_report_detail *items;
        size_t count, room;
    } details;
};
struct tls_report_flaw {
    const char *clause, *what;
};
struct tls_report {
    bool by_mail;       /* else by HTTPS */
    const char *sha256; /* of the mail, as MX_MESSAGE has it; "" by HTTPS */
    const char *domain; /* of the file's name or TLS-Report-Domain; "" */
    const char *id, *contact;
    int64_t begins, ends; /* UTC seconds; 0: not said */
    struct {
        struct tls_report_entry *items;
        size_t count, room;
    } entries;
    struct {
        struct tls_report_flaw *items;
        size_t count, room;
    } flaws;
};

/* What may stand in policy-type and in result-type (IANA's registry and the word none, for expectations). */
extern const char *const tls_report_policies[], *const tls_report_results[];

bool tls_report_is_mail(const char *text, size_t length);
/* public_key: what the signature must be made with, as dkim_check() wants it; NULL: signatures are not verified. */
void tls_report_read_mail(struct arena *arena, const char *text, size_t length, const char *public_key,
                          struct tls_report *out);
void tls_report_read_upload(struct arena *arena, const char *type, const char *bytes, size_t length,
                            struct tls_report *out);
/* "tlsa mx1.partner.example 1 good, 2 bad (validation-failure)", entry by entry. */
const char *tls_report_summary(struct arena *arena, const struct tls_report *report);

void tls_report_flaw(struct arena *arena, struct tls_report *report, const char *clause, const char *what);

#endif
