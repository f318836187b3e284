/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

/* What a peer said may stand in any text. */
static struct case_line hostile_lines[] = {{0.25, "smtp", "S: 250 </script><b>\"x\" 100%\nnot ok 9\033[31m", true}};
static const struct case_result results[] = {
    {.title = "dane/a#b",
     .mode = 2,
     .subject = "some <mta> 1",
     .kind = VERDICT_FAIL,
     .sentence = "sent, by 100%\nnot ok 1 </script>: \"in clear\"",
     .clause = "7672-2.2-3",
     .level = "MUST",
     .rule = "RFC 7672, 2.2: <rule>\nnot ok 2",
     .file = "scenarios/dane/a,b.yaml",
     .line = 12,
     .col = 5,
     .lines = hostile_lines,
     .line_count = 1,
     .twin = "dane/c",
     .journal = "the whole journal"},
    {.title = "dane/c", .mode = 2, .subject = "some <mta> 1", .kind = VERDICT_PASS, .sentence = "fine"},
    {.title = "dane/twin", .mode = 2, .subject = "some <mta> 1", .kind = VERDICT_PASS, .is_twin = true},
    {.title = "dane/d", .mode = 5, .subject = "some <mta> 1", .kind = VERDICT_XFAIL, .sentence = "known"},
    {.title = "dane/e", .mode = 5, .subject = "some <mta> 1", .kind = VERDICT_UNSUPPORTED, .sentence = "has not"},
};
static const struct report_run run = {.subject = "some <mta> 1",
                                      .results = results,
                                      .count = COUNT(results),
                                      .selected = COUNT(results) - 1};

static const struct {
    const char *format, *name;
    const char *holds, *lacks; /* NULL: nothing */
} rows[] = {
    {"tap", "plan without twins", "1..4\n", "dane/twin"},
    {"tap", "a difference", "not ok 1 - dane/a\\#b@dane=opportunistic,mta-sts=none\n  ---\n  verdict: \"FAIL\"\n",
     NULL},
    {"tap", "a text cannot begin a line", "100%\\nnot ok 1", "\nnot ok 1 <"},
    {"tap", "a pass is one line", "\nok 2 - dane/c@dane=opportunistic,mta-sts=none\nnot ok 3", NULL},
    {"tap", "a known failure", "not ok 3 - dane/d@dane=mandatory,mta-sts=opportunistic # TODO\n", NULL},
    {"tap", "what it does not have", "ok 4 - dane/e@dane=mandatory,mta-sts=opportunistic # SKIP\n", NULL},
    {"tap", "the clause's own words", "  rule: \"RFC 7672, 2.2: <rule>\\nnot ok 2\"\n", NULL},
    {"tap", "the proof", "  proof: \"S: 250 </script>", NULL},
    {"github", "the clause's own words", "%0ARFC 7672, 2.2: <rule>%0Anot ok 2\n", NULL},
    {"json", "the clause's own words", "\"rule\":\"RFC 7672, 2.2: ", NULL},
    {"junit", "the clause's own words", ">RFC 7672, 2.2: &#60;rule&#62;", NULL},
    {"github", "place", "file=scenarios/dane/a%2Cb.yaml,line=12,col=5::FAIL: sent", NULL},
    {"github", "only differences", "::error title=dane/a#b@dane=opportunistic%2Cmta-sts=none,", "dane/c"},
    {"github", "a text cannot begin a command", "by 100%25%0Anot ok 1", "\nnot"},
    {"html", "a text cannot end the script", "\\u003c/script>", "1 </script>"},
    {"html", "without journals", "\"dane/c\"", "the whole journal"},
    {"html", "without twins that were not selected", "\"dane/e\"", "dane/twin"},
    {"html", "the page is whole", "</html>\n", "<!--results-->"},
    {"json", "an object a line", "{\"title\":\"dane/c\",", "dane/twin"},
    {"junit", "place", "file=\"scenarios/dane/a,b.yaml\" line=\"12\"", "dane/twin"},
    {"junit", "a text cannot end an element", "&#60;/script&#62;", "</script>"},
};

static char *written(const char *format)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; report_format_at(i) != NULL; i++)
        if (strcmp(report_format_at(i)->name, format) == 0)
            ck_assert(report_format_at(i)->write(&run, out));
    fclose(out);
    return text;
}

START_TEST(formats_tell_what_happened)
{
    char *text = written(rows[_i].format);
    ck_assert_msg(rows[_i].holds == NULL || strstr(text, rows[_i].holds) != NULL, "%s: %s: '%s' is not in\n%s",
                  rows[_i].format, rows[_i].name, rows[_i].holds, text);
    ck_assert_msg(rows[_i].lacks == NULL || strstr(text, rows[_i].lacks) == NULL, "%s: %s: '%s' is in\n%s",
                  rows[_i].format, rows[_i].name, rows[_i].lacks, text);
    free(text);
}
END_TEST

static const struct {
    const char *name;
    enum verdict_kind kind;
    int status;
} statuses[] = {
    {"pass", VERDICT_PASS, 0},
    {"fail", VERDICT_FAIL, 1},
    {"warn", VERDICT_WARN, 0},
    {"info", VERDICT_INFO, 0},
    {"known failure", VERDICT_XFAIL, 0},
    {"unexpected pass", VERDICT_XPASS, 1},
    {"unsupported", VERDICT_UNSUPPORTED, 0},
    {"unproven", VERDICT_UNPROVEN, 1},
    {"unknown", VERDICT_UNKNOWN, 3},
};

START_TEST(the_exit_status_is_that_of_the_worst)
{
    const struct case_result one[] = {{.title = "x", .kind = statuses[_i].kind},
                                      {.title = "twin", .kind = VERDICT_FAIL, .is_twin = true}};
    const struct report_run of_one = {.results = one, .count = COUNT(one), .selected = 1};
    const struct report_run of_none = {.selected = 0};
    ck_assert_msg(report_exit_status(&of_one) == statuses[_i].status, "%s", statuses[_i].name);
    ck_assert_int_eq(report_exit_status(&of_none), 4);
}
END_TEST

static bool summary_tells(const struct report_run *of, const char *what)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    report_terminal_summary(of, false, out);
    fclose(out);
    bool tells = strstr(text, what) != NULL;
    free(text);
    return tells;
}

START_TEST(what_was_not_run_is_told)
{
    struct report_run cut_short = run;
    cut_short.selected += 3;
    ck_assert(summary_tells(&cut_short, "      3 not run\n"));
    ck_assert(!summary_tells(&run, "not run"));
}
END_TEST

TEST_SUITE(report)
{
    TEST(what_was_not_run_is_told);
    TEST_LOOP(formats_tell_what_happened, COUNT(rows));
    TEST_LOOP(the_exit_status_is_that_of_the_worst, COUNT(statuses));
}
