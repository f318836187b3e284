/* SPDX-License-Identifier: BSD-2-Clause
 * tls_report_json - the JSON of a TLS report, held against RFC 8460 4. Pure. */
#ifndef HARNESS_TLS_REPORT_JSON_H
#define HARNESS_TLS_REPORT_JSON_H

#include "harness/tls_report.h"

/* Fills what the text says, and adds a flaw for whatever is not as the RFC has it. */
void tls_report_read_json(struct arena *arena, const char *text, size_t length, struct tls_report *out);

#endif
