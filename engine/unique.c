/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/unique.h"

#include <openssl/rand.h>

#include "base/text.h"

const char *unique_word(struct arena *arena)
{
    unsigned char random[12];
    RAND_bytes(random, sizeof random);
    return text_hex(arena, random, sizeof random);
}
