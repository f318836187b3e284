/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as the header of a message that rules look at. */
#include "engine/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *contains[] = {"X-Class: secret", "Subject: "}, *matches[] = {"Subject: ^(re|fw): .*[0-9]+$"};
    struct route_rule rule = {.name = "r",
                              .header_contains = {contains, NULL, COUNT(contains)},
                              .header_matches = {matches, NULL, COUNT(matches)},
                              .enabled = true};
    struct route_question question = {"a@b.example", "c@d.example", "d.example", (const char *)bytes, size};
    (void)rule_matches(&rule, &question);
    rule.header_contains.count = 0;
    (void)rule_matches(&rule, &question);
    return 0;
}
