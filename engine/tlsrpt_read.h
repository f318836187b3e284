/* SPDX-License-Identifier: BSD-2-Clause
 * tlsrpt_read - a TLS report that somebody else wrote: a mail, a .json.gz or a .json; bounded whatever it holds, and
 * lenient where senders are known to depart from RFC 8460. Pure.
 *
 * Errors: NULL with *err filled (ERR_PEER). */
#ifndef ENGINE_TLSRPT_READ_H
#define ENGINE_TLSRPT_READ_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

/* Bytes as they come and unpacked; policies of a report; failures of a policy, and of the whole report; texts of a
 * list; bytes of a text, which is cut. */
enum {
    TLSRPT_FILE_MAX = 16 << 20,
    TLSRPT_TEXT_MAX = 16 << 20,
    TLSRPT_POLICIES_MAX = 1000,
    TLSRPT_FAILURES_MAX = 1000,
    TLSRPT_ROWS_MAX = 10000,
    TLSRPT_LIST_MAX = 100,
    TLSRPT_WORD_MAX = 500
};

/* {"organization", "contact", "report-id", "begins", "ends" (UTC seconds), "policies": [{"type", "domain", "strings",
 * "mx", "good", "bad", "failures": [{"result", "mx", "sending-ip", "receiving-ip", "reason", "count"}]}]}; every member
 * is there, texts and lists may be empty. A new reference. */
json_t *tlsrpt_read(struct arena *arena, const char *bytes, size_t length, struct err *err);

#endif
