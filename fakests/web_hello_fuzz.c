/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "fakests/web_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct web_hello whole, part;
    enum web_hello_found found = web_hello_parse(data, size, &whole);
    if (strlen(whole.sni) > WEB_SNI_MAX)
        abort();
    /* A verdict once given stands, whatever comes behind it. */
    if (found == WEB_HELLO_MORE && size > 0 && web_hello_parse(data, size - 1, &part) != WEB_HELLO_MORE)
        abort();
    return 0;
}
