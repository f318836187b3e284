/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/runner.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/testing.h"
#include "base/text.h"

/* ---- twins ---- */

static const struct {
    enum verdict_kind kind, twin, after;
} pairs[] = {
    {VERDICT_PASS, VERDICT_PASS, VERDICT_PASS},
    {VERDICT_PASS, VERDICT_INFO, VERDICT_PASS},
    {VERDICT_PASS, VERDICT_FAIL, VERDICT_UNPROVEN},
    {VERDICT_INFO, VERDICT_FAIL, VERDICT_UNPROVEN},
    {VERDICT_PASS, VERDICT_UNKNOWN, VERDICT_UNKNOWN},
    {VERDICT_FAIL, VERDICT_FAIL, VERDICT_FAIL},
    {VERDICT_FAIL, VERDICT_PASS, VERDICT_FAIL},
    {VERDICT_UNSUPPORTED, VERDICT_FAIL, VERDICT_UNSUPPORTED},
    {VERDICT_PASS, VERDICT_UNSUPPORTED, VERDICT_UNPROVEN},
};

START_TEST(a_pass_needs_a_twin_that_passes)
{
    struct arena *arena = arena_new("test");
    struct case_result twin = {.title = "dane/twin", .kind = pairs[_i].twin},
                       result = {.kind = pairs[_i].kind, .sentence = "x"};
    runner_settle(arena, &result, &twin);
    ck_assert_msg(result.kind == pairs[_i].after, "%s with a twin %s: %s", verdict_words[pairs[_i].kind],
                  verdict_words[pairs[_i].twin], verdict_words[result.kind]);
    arena_free(&arena);
}
END_TEST

/* ---- adapters that are not to be believed ---- */

#define DESCRIBE                                                                                                       \
    "describe*) echo '{\"ok\":true,\"name\":\"odd\",\"version\":\"1\",\"modes\":[{\"dane\":\"none\","                  \
    "\"mta-sts\":\"none\"}],\"features\":[],\"resolver\":\"own\"}';; "
#define ADAPTER(rest) "#!/bin/sh\nwhile read -r line; do case $line in " DESCRIBE rest " esac; done\n"
#define HONEST "frobnicate|*=frobnicate*) echo '{\"ok\":false,\"unsupported\":\"no\"}';; "

static const struct {
    const char *name, *script;
    bool runs; /* cases get a verdict */
    enum verdict_kind kind;
    const char *says; /* in the verdict's sentence, or in the error */
} adapters[] = {
    {"says yes to everything", ADAPTER("*) echo '{\"ok\":true}';;"), false, 0, "is not believed"},
    {"ends at once", "#!/bin/sh\nexit 0\n", false, 0, "ended"},
    {"speaks no JSON", "#!/bin/sh\nwhile read -r line; do echo hello; done\n", false, 0, "not JSON"},
    {"cannot start here", ADAPTER(HONEST "start) echo '{\"ok\":false,\"unsupported\":\"needs root\"}';;"), true,
     VERDICT_UNSUPPORTED, "needs root"},
    {"fails to begin",
     ADAPTER(HONEST "begin*) echo '{\"ok\":false,\"error\":\"no luck\"}';; *) echo '{\"ok\":true}';;"), true,
     VERDICT_UNKNOWN, "no luck"},
    {"dies in the case", ADAPTER(HONEST "begin*) exit 1;; *) echo '{\"ok\":true}';;"), true, VERDICT_UNKNOWN,
     "ended during 'begin'"},
    {"does not take mail", ADAPTER(HONEST "*) echo '{\"ok\":true}';;"), true, VERDICT_UNKNOWN,
     "did not take the message"},
};

static const char scenario[] = "says: The message is delivered.\n"
                               "world:\n"
                               "  partner.example: {mx: [mx1.partner.example]}\n"
                               "  mx1.partner.example: {certificate: trusted}\n"
                               "send: {to: someone@partner.example}\n"
                               "modes: [dane=none]\n"
                               "expect: {message: delivered}\n";

struct seen {
    size_t results;
};

static void count_result(void *arg, const struct case_result *result)
{
    ((struct seen *)arg)->results += result != NULL;
}

static void write_script(char *path, const char *text)
{
    struct err err;
    int fd = mkstemp(path);
    ck_assert(fd >= 0 && text_write_file(path, text, strlen(text), &err));
    close(fd);
    ck_assert_int_eq(chmod(path, 0755), 0);
}

START_TEST(an_adapter_is_judged_before_its_subject)
{
    char path[] = "/tmp/adapter-XXXXXX";
    struct arena *arena = arena_new("test");
    struct err err = {0};
    struct corpus *corpus = corpus_read_text(NULL, "test", scenario, strlen(scenario));
    struct schedule schedule;
    struct schedule_wish wish = {.modes = 1, .repeat = 1};
    schedule_make(arena, corpus, &wish, &schedule);
    ck_assert_uint_eq(schedule.count, 1);
    write_script(path, adapters[_i].script);
    struct seen seen = {0};
    struct runner_wish run = {
        .schedule = &schedule, .adapter = path, .workers = 1, .budget_s = 5, .finished = count_result, .arg = &seen};
    struct runner_outcome outcome;
    bool ran = runner_run(arena, &run, &outcome, &err);
    unlink(path);
    if (ran || strstr(err.text, "cannot make") == NULL) { /* else namespaces are forbidden here */
        ck_assert_msg(ran == adapters[_i].runs, "%s: %s", adapters[_i].name, err.text);
        const char *said = ran ? outcome.results[0].sentence : err.text;
        ck_assert_msg(strstr(said, adapters[_i].says) != NULL, "%s: %s", adapters[_i].name, said);
        ck_assert_msg(!ran || outcome.results[0].kind == adapters[_i].kind, "%s: %s", adapters[_i].name, said);
        ck_assert_uint_eq(seen.results, ran ? 1 : 0);
    }
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(runner)
{
    TEST_LOOP(a_pass_needs_a_twin_that_passes, COUNT(pairs));
    TEST_LOOP(an_adapter_is_judged_before_its_subject, COUNT(adapters));
}
