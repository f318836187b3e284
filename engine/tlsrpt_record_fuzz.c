/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "engine/tlsrpt_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two records, parted by a newline; each also behind a version, so that the filter is passed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz");
    char *text = arena_strndup(arena, (const char *)data, size);
    char *second = strchr(text, '\n');
    if (second != NULL)
        *second++ = '\0';
    const char *records[] = {text, second}, *versioned[] = {arena_printf(arena, "v=TLSRPTv1;%s", text)};
    struct tlsrpt_record found[] = {tlsrpt_record_find(arena, records, second != NULL ? 2 : 1),
                                    tlsrpt_record_find(arena, versioned, 1)};
    for (size_t i = 0; i < COUNT(found); i++) {
        if ((found[i].state == TLSRPT_RECORD_VALID) != (found[i].why == NULL))
            abort();
        for (size_t k = 0; k < found[i].endpoint_count; k++)
            if ((found[i].endpoints[k].mail == NULL) == (found[i].endpoints[k].host == NULL))
                abort();
    }
    arena_free(&arena);
    return 0;
}
