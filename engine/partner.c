/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/partner.h"

#include "base/text.h"

const char *const partner_criticality_words[] = {"normal", "low", "high", "critical", NULL};

/* clang-format off */
#define TEXT(word, member, text) \
    {.key = word, .kind = SCHEMA_TEXT, .offset = offsetof(struct partner, member), .doc = text}
static const struct schema_field fields[] = {
    {.key = "domain", .kind = SCHEMA_TEXT, .offset = offsetof(struct partner, domain), .required = true,
     .doc = "the destination"},
    TEXT("owner", owner, "who looks after it"),
    {.key = "criticality", .kind = SCHEMA_WORD, .offset = offsetof(struct partner, criticality), .otherwise = "normal",
     .words = partner_criticality_words, .doc = "how much its mail matters"},
    TEXT("dns", dns, "whose DNS it is; without it: told by the names of its hosts"),
    TEXT("note", note, "anything else"),
};
const struct schema partner_schema = {.name = "partner", .doc = "what is known of a destination", .fields = fields,
                                      .count = COUNT(fields), .size = sizeof(struct partner)};
/* clang-format on */

const struct partner *partner_find(const struct schema_list *partners, const char *domain)
{
    const struct partner *items = partners->items;
    for (size_t i = 0; i < partners->count; i++)
        if (text_name_equal(items[i].domain, domain))
            return &items[i];
    return NULL;
}
