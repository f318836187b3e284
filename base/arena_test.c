/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include <string.h>

#include "base/testing.h"

static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 2047, 2048, 5000, 65536, 1 << 20};

START_TEST(pieces_are_zeroed_aligned_and_apart)
{
    struct arena *arena = arena_new("test");
    unsigned char *before = arena_alloc(arena, sizes[_i]);
    memset(before, 0xff, sizes[_i]);
    for (int round = 0; round < 50; round++) {
        unsigned char *piece = arena_alloc(arena, sizes[_i]);
        ck_assert_uint_eq((uintptr_t)piece % 16, 0);
        size_t zeros = 0;
        while (zeros < sizes[_i] && piece[zeros] == 0)
            zeros++;
        ck_assert_uint_eq(zeros, sizes[_i]);
        memset(piece, 0xff, sizes[_i]);
        ck_assert_ptr_ne(piece, before);
        before = piece;
    }
    arena_free(&arena);
    ck_assert_ptr_null(arena);
}
END_TEST

START_TEST(small_pieces_go_on_after_a_big_one)
{
    struct arena *arena = arena_new("test");
    char *small = arena_strdup(arena, "small");
    char *big = arena_alloc(arena, 100000);
    char *next = arena_strdup(arena, "next");
    memset(big, 'x', 100000);
    ck_assert_str_eq(small, "small");
    ck_assert_str_eq(next, "next");
    arena_free(&arena);
}
END_TEST

START_TEST(growing_copies_and_zeroes_the_rest)
{
    struct arena *arena = arena_new("test");
    char *old = arena_strdup(arena, "abc");
    char *grown = arena_grow(arena, old, 3, 100);
    ck_assert_str_eq(grown, "abc");
    ck_assert_int_eq(grown[99], 0);
    grown[0] = 'x';
    ck_assert_str_eq(old, "abc");
    ck_assert_str_eq(arena_grow(arena, NULL, 0, 1), "");
    arena_free(&arena);
}
END_TEST

START_TEST(pushed_items_keep_their_order)
{
    struct arena *arena = arena_new("test");
    struct {
        int *items;
        size_t count, room;
    } list = {0};
    for (int i = 0; i < 1000; i++)
        *ARENA_PUSH(arena, &list) = i;
    ck_assert_uint_eq(list.count, 1000);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(list.items[i], i);
    arena_free(&arena);
}
END_TEST

START_TEST(texts_are_printed_and_copied)
{
    struct arena *arena = arena_new("test");
    ck_assert_str_eq(arena_printf(arena, "%s-%d", "port", 25), "port-25");
    ck_assert_str_eq(arena_strndup(arena, "abcdef", 3), "abc");
    ck_assert_str_eq(arena_printf(arena, "%s", ""), "");
    ck_assert_mem_eq(arena_memdup(arena, "a\0b", 3), "a\0b", 3);
    arena_free(&arena);
    arena_free(&arena);
    arena_free(NULL);
}
END_TEST

TEST_SUITE(arena)
{
    TEST_LOOP(pieces_are_zeroed_aligned_and_apart, COUNT(sizes));
    TEST(small_pieces_go_on_after_a_big_one);
    TEST(growing_copies_and_zeroes_the_rest);
    TEST(pushed_items_keep_their_order);
    TEST(texts_are_printed_and_copied);
}
