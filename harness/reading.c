/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/reading.h"

#include <string.h>

#include "base/base.h"
#include "base/table.h"

#define WORDS(...)                                                                                                     \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }
static const struct reading rows[] = {
    {"dane-insecure-mx", WORDS("skip", "use"), "DANE at hosts that an MX record without DNSSEC names"},
    {"mx-alias", WORDS("follow", "refuse"), "MX hosts that are aliases"},
    {"pkix-usages", WORDS("unusable", "check"), "TLSA records of the usages 0 and 1"},
    {"dane-pass-sts-fail", WORDS("deliver", "block"), "a host that DANE authenticates and an enforced policy rejects"},
    {"bogus-without-dane", WORDS("deliver", "wait"), "bogus data where DANE is not asked for"},
};

const struct reading *reading_at(size_t i)
{
    return i < COUNT(rows) ? &rows[i] : NULL;
}

const struct reading *reading_find(const char *key)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].key, key) == 0)
            return &rows[i];
    return NULL;
}

static const char *key_at(const void *all, size_t i)
{
    return i < COUNT(rows) ? ((const struct reading *)all)[i].key : NULL;
}

const char *reading_nearest(const char *key)
{
    return table_nearest(key, key_at, rows);
}
