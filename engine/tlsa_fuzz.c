/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "engine/tlsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 16 };

/* RDATA of several records, each behind its length in two octets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tlsa_record records[RECORDS_MAX];
    size_t count = 0, unusable;
    while (size >= 2 && count < RECORDS_MAX) {
        size_t length = (size_t)data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        if (length > size)
            length = size;
        if (tlsa_parse(data, length, &records[count]))
            count++;
        data += length;
        size -= length;
    }
    size_t selected = tlsa_select(records, count, &unusable);
    if (selected + unusable > count || (selected == 0 && unusable != count))
        abort();
    for (size_t i = 0; i < selected; i++)
        if (!tlsa_usable(&records[i]))
            abort();
    return 0;
}
