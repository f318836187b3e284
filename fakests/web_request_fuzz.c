/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "fakests/web_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz");
    struct web_request request;
    if (web_request_parse(arena, (const char *)data, size, &request) == WEB_REQUEST_COMPLETE &&
        strlen(request.method) + strlen(request.path) + strlen(request.name) + strlen(request.agent) > 2 * size)
        abort();
    arena_free(&arena);
    return 0;
}
