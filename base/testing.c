/* SPDX-License-Identifier: BSD-2-Clause
 * The main of every test program: all suites that registered themselves, or only those named on the command line. */
#include "base/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUITES_MAX = 200, TEST_SECONDS = 60 };

static struct registered {
    const char *name;
    void (*fill)(TCase *tcase);
} suites[SUITES_MAX];
static size_t suite_count;

void testing_register(const char *name, void (*fill)(TCase *tcase))
{
    if (suite_count == SUITES_MAX) {
        fprintf(stderr, "testing: more than %d suites\n", SUITES_MAX);
        abort();
    }
    suites[suite_count++] = (struct registered){name, fill};
}

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc <= 1;
}

int main(int argc, char **argv)
{
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < suite_count; i++) {
        if (!wanted(suites[i].name, argc, argv))
            continue;
        Suite *suite = suite_create(suites[i].name);
        TCase *tcase = tcase_create(suites[i].name);
        tcase_set_timeout(tcase, TEST_SECONDS);
        suites[i].fill(tcase);
        suite_add_tcase(suite, tcase);
        srunner_add_suite(runner, suite);
    }
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner), run = srunner_ntests_run(runner);
    srunner_free(runner);
    if (run == 0)
        fprintf(stderr, "no test was run\n");
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
