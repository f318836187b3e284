/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/mode.h"

#include "base/testing.h"

static const struct {
    const char *text;
    unsigned set;
} sets[] = {
    {"dane=none,mta-sts=none", 1 << 0},
    {"mta-sts=opportunistic,dane=mandatory", 1 << 5},
    {"dane=mandatory", 1 << 4 | 1 << 5},
    {"mta-sts=none", 1 << 0 | 1 << 2 | 1 << 4},
    {"", 0},
    {"dane", 0},
    {"dane=", 0},
    {"dane=maybe", 0},
    {"dane=none,", 0},
    {"dane=none,dane=none", 0},
    {"dane=nonesuch,mta-sts=none", 0},
    {"tls=yes", 0},
};

START_TEST(a_set_of_modes_is_read)
{
    ck_assert_msg(mode_parse_set(sets[_i].text) == sets[_i].set, "%s: %x", sets[_i].text,
                  mode_parse_set(sets[_i].text));
}
END_TEST

static const struct {
    unsigned set;
    const char *text;
} said[] = {
    {MODES_ALL, "every mode"},
    {1 << 0, "dane=none,mta-sts=none"},
    {1 << 2 | 1 << 3 | 1 << 4 | 1 << 5, "dane=opportunistic|mandatory"},
    {1 << 0 | 1 << 2 | 1 << 4, "mta-sts=none"},
    {1 << 1 | 1 << 3, "dane=none|opportunistic,mta-sts=opportunistic"},
    {1 << 0 | 1 << 3, "dane=none,mta-sts=none; dane=opportunistic,mta-sts=opportunistic"},
};

START_TEST(a_set_of_modes_is_said)
{
    struct arena *arena = arena_new("mode_test");
    ck_assert_str_eq(mode_set_text(arena, said[_i].set), said[_i].text);
    arena_free(&arena);
}
END_TEST

START_TEST(a_mode_is_read_back_from_its_text)
{
    unsigned mode = 99;
    ck_assert(mode_parse(mode_text((unsigned)_i), &mode));
    ck_assert_uint_eq(mode, (unsigned)_i);
}
END_TEST

START_TEST(half_a_mode_is_none)
{
    unsigned mode;
    ck_assert(!mode_parse("dane=none", &mode));
}
END_TEST

TEST_SUITE(mode)
{
    TEST_LOOP(a_set_of_modes_is_read, COUNT(sets));
    TEST_LOOP(a_set_of_modes_is_said, COUNT(said));
    TEST_LOOP(a_mode_is_read_back_from_its_text, MODE_COUNT);
    TEST(half_a_mode_is_none);
}
