/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_data.h"

#include <string.h>

void mx_data_begin(struct mx_data *data, size_t limit)
{
    mx_data_free(data);
    *data = (struct mx_data){.text = evbuffer_new(), .limit = limit};
}

void mx_data_free(struct mx_data *data)
{
    if (data->text != NULL)
        evbuffer_free(data->text);
    *data = (struct mx_data){0};
}

void mx_data_append(struct mx_data *data, const char *bytes, size_t length)
{
    if (length == 0 || data->too_big)
        return;
    if (evbuffer_get_length(data->text) + length > data->limit || evbuffer_add(data->text, bytes, length) != 0) {
        data->too_big = true;
        evbuffer_drain(data->text, evbuffer_get_length(data->text));
    }
}

/* What follows a byte that is neither a dot at the start of a line nor part of ".CRLF". */
static int state_after(char byte, bool after_cr)
{
    if (byte == '\r')
        return MX_DATA_CR;
    return byte == '\n' && after_cr ? MX_DATA_LINE_START : MX_DATA_TEXT;
}

size_t mx_data_take(struct mx_data *data, const char *bytes, size_t length, bool *ended)
{
    size_t kept = 0; /* everything before it has been appended or dropped */
    *ended = false;
    for (size_t i = 0; i < length; i++) {
        if (data->state == MX_DATA_LINE_START && bytes[i] == '.') {
            mx_data_append(data, bytes + kept, i - kept);
            kept = i + 1;
            data->state = MX_DATA_DOT;
        } else if (data->state == MX_DATA_DOT && bytes[i] == '\r') {
            kept = i + 1; /* held back: it may belong to the end */
            data->state = MX_DATA_DOT_CR;
        } else if (data->state == MX_DATA_DOT_CR && bytes[i] == '\n') {
            *ended = true;
            return i + 1;
        } else {
            if (data->state == MX_DATA_DOT_CR)
                mx_data_append(data, "\r", 1);
            data->state = state_after(bytes[i], data->state == MX_DATA_CR);
        }
    }
    mx_data_append(data, bytes + kept, length - kept);
    return length;
}
