/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "engine/sts_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two records, parted by a newline. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    char *second = strchr(text, '\n');
    if (second != NULL)
        *second++ = '\0';
    const char *records[] = {text, second};
    struct sts_record record = sts_record_find(records, second != NULL ? 2 : 1);
    if ((record.state == STS_RECORD_VALID) != (record.why == NULL))
        abort();
    if (record.state == STS_RECORD_VALID && (record.id[0] == '\0' || strlen(record.id) > STS_ID_MAX))
        abort();
    free(text);
    return 0;
}
