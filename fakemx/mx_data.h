/* SPDX-License-Identifier: BSD-2-Clause
 * mx_data - the text of a message as it comes behind DATA (RFC 5321 4.5.2): only CRLF "." CRLF ends it, the dots added
 * in transit go away, everything else stays byte for byte.
 *
 * Pure. Owns: the text taken so far, until mx_data_free(). Text beyond the limit is read and forgotten. */
#ifndef FAKEMX_MX_DATA_H
#define FAKEMX_MX_DATA_H

#include <event2/buffer.h>

#include "base/base.h"

struct mx_data {
    enum { MX_DATA_LINE_START, MX_DATA_DOT, MX_DATA_DOT_CR, MX_DATA_TEXT, MX_DATA_CR } state;
    struct evbuffer *text;
    size_t limit;
    bool too_big;
};

void mx_data_begin(struct mx_data *data, size_t limit);
/* Takes bytes up to the end of the message; returns how many. */
size_t mx_data_take(struct mx_data *data, const char *bytes, size_t length, bool *ended);
/* Takes bytes as they are, of a BDAT chunk. */
void mx_data_append(struct mx_data *data, const char *bytes, size_t length);
void mx_data_free(struct mx_data *data);

#endif
