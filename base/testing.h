/* SPDX-License-Identifier: BSD-2-Clause
 * testing - how an x_test.c joins its folder's test program.
 *
 *     START_TEST(names_are_compared) { ... cases[_i] ... } END_TEST
 *     TEST_SUITE(text)
 *     {
 *         TEST_LOOP(names_are_compared, COUNT(cases));
 *         TEST(empty_text_is_fine);
 *     }
 *
 * The suite registers itself; every x_test.c of a folder is linked into build/test/<folder>_test. */
#ifndef BASE_TESTING_H
#define BASE_TESTING_H

#include <check.h>

#include "base/base.h"

void testing_register(const char *name, void (*fill)(TCase *tcase));

#define TEST_SUITE(name)                                                                       \
    static void name##_fill(TCase *testing_case);                                              \
    __attribute__((constructor)) static void name##_register(void)                             \
    {                                                                                          \
        testing_register(#name, name##_fill);                                                  \
    }                                                                                          \
    static void name##_fill(TCase *testing_case)
#define TEST(function) tcase_add_test(testing_case, function)
#define TEST_LOOP(function, count) tcase_add_loop_test(testing_case, function, 0, (int)(count))

#endif
