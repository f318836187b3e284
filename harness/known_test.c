/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/known.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"
#include "base/text.h"

static const char file[] = "failures:\n"
                           "  - scenario: dane/every\n"
                           "    reason: it is so.\n"
                           "    course: bounced\n"
                           "    seen: it is bounced\n"
                           "  - scenario: [dane/one, dane/another]\n"
                           "    modes: dane=mandatory\n"
                           "    versions: [3.7, 3.10]\n"
                           "    reason: it is so.\n"
                           "    course: [delivered, lost]\n"
                           "    seen: one of two is lost\n";

static const struct {
    const char *name, *title;
    unsigned mode;
    const char *subject;
    enum verdict_kind before, after;
    unsigned courses; /* 0: those of the entry */
} cases[] = {
    {"a known failure", "dane/every", 0, "postfix 3.7.11", VERDICT_FAIL, VERDICT_XFAIL},
    {"of a variant", "dane/every[ip=v6]", 0, "postfix 3.7.11", VERDICT_FAIL, VERDICT_XFAIL},
    {"of another scenario", "dane/every-other", 0, "postfix 3.7.11", VERDICT_FAIL, VERDICT_FAIL},
    {"of another course", "dane/every", 0, "postfix 3.7.11", VERDICT_FAIL, VERDICT_FAIL, 1u << COURSE_DELIVERED},
    {"of one more course", "dane/every", 0, "postfix 3.7.11", VERDICT_FAIL, VERDICT_FAIL,
     1u << COURSE_DELIVERED | 1u << COURSE_BOUNCED},
    {"of lost and delivered", "dane/one", 4, "postfix 3.7.11", VERDICT_FAIL, VERDICT_XFAIL,
     1u << COURSE_DELIVERED | 1u << COURSE_UNSAID},
    {"a pass that was not expected", "dane/every", 0, "postfix 3.7.11", VERDICT_PASS, VERDICT_XPASS},
    {"what the lab could not do stays unknown", "dane/every", 0, "postfix 3.7.11", VERDICT_UNKNOWN, VERDICT_UNKNOWN},
    {"what is not there stays unsupported", "dane/every", 0, "postfix 3.7.11", VERDICT_UNSUPPORTED,
     VERDICT_UNSUPPORTED},
    {"nothing proven", "dane/every", 0, "postfix 3.7.11", VERDICT_UNPROVEN, VERDICT_XFAIL},
    {"the second of several", "dane/another", 4, "postfix 3.7.11", VERDICT_FAIL, VERDICT_XFAIL},
    {"in its mode", "dane/one", 4, "postfix 3.7.11", VERDICT_FAIL, VERDICT_XFAIL},
    {"in another mode", "dane/one", 0, "postfix 3.7.11", VERDICT_FAIL, VERDICT_FAIL},
    {"in a version of the list", "dane/one", 4, "postfix 3.10", VERDICT_FAIL, VERDICT_XFAIL},
    {"in another version", "dane/one", 4, "postfix 3.71", VERDICT_FAIL, VERDICT_FAIL},
};

static void read_file(struct arena *arena, struct known *known)
{
    char path[] = "/tmp/known-XXXXXX";
    struct err err;
    struct diag_list *diags = diag_new(arena);
    int fd = mkstemp(path);
    ck_assert(fd >= 0 && text_write_file(path, file, strlen(file), &err));
    known_read(arena, path, known, diags);
    close(fd);
    unlink(path);
    ck_assert_uint_eq(diag_errors(diags), 0);
    ck_assert_uint_eq(known->count, 3);
}

START_TEST(verdicts_are_changed)
{
    struct arena *arena = arena_new("test");
    struct known known;
    read_file(arena, &known);
    size_t i = 0;
    while (i + 1 < known.count && !known_names(&known.items[i], cases[_i].title))
        i++;
    const struct known_failure *entry = &known.items[i];
    struct case_result result = {.title = cases[_i].title,
                                 .mode = cases[_i].mode,
                                 .subject = cases[_i].subject,
                                 .courses = cases[_i].courses != 0 ? cases[_i].courses : entry->courses,
                                 .kind = cases[_i].before,
                                 .sentence = "seen."};
    known_apply(arena, &known, &result);
    ck_assert_msg(result.kind == cases[_i].after, "%s: %s", cases[_i].name, verdict_words[result.kind]);
    arena_free(&arena);
}
END_TEST

START_TEST(an_entry_that_names_no_case_is_not_used)
{
    struct arena *arena = arena_new("test");
    struct known known;
    read_file(arena, &known);
    struct case_result result = {
        .title = "dane/one", .mode = 4, .subject = "postfix 4.0", .kind = VERDICT_PASS, .sentence = "seen."};
    known_apply(arena, &known, &result);
    ck_assert_int_eq(result.kind, VERDICT_PASS);
    ck_assert(!known.items[0].used && known.items[1].used);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(known)
{
    TEST_LOOP(verdicts_are_changed, COUNT(cases));
    TEST(an_entry_that_names_no_case_is_not_used);
}
