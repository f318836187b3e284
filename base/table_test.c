/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/table.h"

#include <string.h>

#include "base/testing.h"

static const char *const words[] = {"delivered", "deferred", "bounced",           "no", "none",
                                    "tlsa",      "tls",      "signature-expired", "mx", NULL};

static const struct {
    const char *name, *wrong, *nearest;
} cases[] = {
    {"a letter too many", "bouncedd", "bounced"},
    {"a letter too few", "deferrd", "deferred"},
    {"two letters swapped", "delievred", "delivered"},
    {"another letter", "tlsb", "tlsa"},
    {"upper case", "BOUNCED", "bounced"},
    {"several mistakes in a long word", "sgnature-expierd", "signature-expired"},
    {"the nearest of two", "tlss", "tlsa"},
    {"a word of two letters", "mc", "mx"},
    {"nothing near", "quarantined", NULL},
    {"one letter is near to nothing", "x", NULL},
    {"empty", "", NULL},
    {"very long", "deferreddeferreddeferreddeferreddeferreddeferreddeferreddeferreddeferred", NULL},
};

START_TEST(the_nearest_word_is_found)
{
    const char *got = table_nearest_word(cases[_i].wrong, words);
    bool same =
        got == NULL ? cases[_i].nearest == NULL : cases[_i].nearest != NULL && strcmp(got, cases[_i].nearest) == 0;
    ck_assert_msg(same, "%s: %s", cases[_i].name, got != NULL ? got : "none");
}
END_TEST

TEST_SUITE(table)
{
    TEST_LOOP(the_nearest_word_is_found, COUNT(cases));
}
