/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "engine/dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t types[] = {DNS_A, DNS_CNAME, DNS_MX, DNS_TXT, DNS_TLSA};
    for (size_t t = 0; t < COUNT(types); t++) {
        struct arena *arena = arena_new("fuzz");
        struct dns_answer answer;
        if (dns_answer_read(arena, data, size, types[t], &answer)) {
            for (size_t i = 0; i < answer.count; i++) {
                const struct dns_record *record = &answer.records[i];
                if (record->data < data || record->data + record->length > data + size)
                    abort();
                dns_answer_name(arena, &answer, record, types[t] == DNS_MX ? 2 : 0);
            }
            if (answer.name == NULL || answer.expanded == NULL)
                abort();
        }
        arena_free(&arena);
    }
    return 0;
}
