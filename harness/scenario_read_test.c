/* SPDX-License-Identifier: BSD-2-Clause
 * What a variant's world is: values of axes are merged as if they had been written where they stand. */
#include "harness/scenario.h"

#include <string.h>

#include "base/testing.h"

static const struct row {
    const char *name, *value; /* of the axis that stands for all of mx1 */
    const char *tlsa;         /* what is left of the world's record; NULL: nothing */
    int tcp;
} rows[] = {
    {"a map is merged", "{smtp: {tcp: refuse}}", "3 1 1", MX_TCP_REFUSE},
    {"down to where it differs", "{tlsa: [3 0 1]}", "3 0 1", MX_TCP_ACCEPT},
    {"an empty list takes away", "{tlsa: none}", NULL, MX_TCP_ACCEPT},
};

START_TEST(a_value_is_merged)
{
    const struct row *row = &rows[_i];
    struct arena *arena = arena_new("test");
    const char *text = arena_printf(
        arena,
        "says: x\nworld: {partner.example: {mx: [mx1.partner.example]}, mx1.partner.example: {tlsa: [3 1 1]}}\n"
        "variants: {host: {one: %s}}\nsteps:\n"
        "  - {change: {mx1.partner.example: \"${host}\"}, send: {to: a@partner.example}, expect: [{message: "
        "deferred}]}\n",
        row->value);
    struct corpus *corpus = corpus_read_text(NULL, "x/y", text, strlen(text));
    ck_assert_uint_eq(corpus->count, 1);
    const struct world_name *mx1 = world_find(corpus->items[0]->steps[0].world, "mx1.partner.example");
    ck_assert_msg(mx1->tlsa.count == (row->tlsa != NULL), "%s: %zu records", row->name, mx1->tlsa.count);
    if (row->tlsa != NULL)
        ck_assert_str_eq(mx1->tlsa.items[0], row->tlsa);
    ck_assert_msg((int)mx1->smtp.tcp == row->tcp, "%s: tcp %d", row->name, (int)mx1->smtp.tcp);
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(scenario_read)
{
    TEST_LOOP(a_value_is_merged, COUNT(rows));
}
