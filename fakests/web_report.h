/* SPDX-License-Identifier: BSD-2-Clause
 * web_report - what was POSTed to hosts that take TLS reports, kept byte for byte.
 *
 * Owns:   the bytes. At most WEB_REPORTS_BYTES are kept. */
#ifndef FAKESTS_WEB_REPORT_H
#define FAKESTS_WEB_REPORT_H

#include "base/arena.h"

enum { WEB_REPORT_MAX = 256 * 1024, WEB_REPORTS_BYTES = 16 * 1024 * 1024 };

struct web_report {
    const char *host, *type; /* type: Content-Type, "" without */
    const char *bytes;
    size_t length;
};
struct web_reports;

struct web_reports *web_reports_new(void);
void web_reports_free(struct web_reports **reports);
bool web_reports_add(struct web_reports *reports, const struct web_report *report); /* false: there is no room */
const struct web_report *web_reports_at(const struct web_reports *reports, size_t n); /* NULL: there are no more */

#endif
