/* SPDX-License-Identifier: BSD-2-Clause
 * Mistakes in scenarios, each with its sentence and its place, and what is taken without one. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/testing.h"
#include "harness/scenario.h"

enum { ANSWER_MS = 100, BRACKETS = 200000 };

/* clang-format off */
#define WORLD "world:\n  partner.example: {mx: [mx1.partner.example]}\n  mx1.partner.example: {tlsa: [3 1 1]}\n"
#define SEND "send: {to: a@partner.example}\n"
#define EXPECT "expect: {message: delivered}\n"

static const struct { const char *name, *text, *place, *says; } mistakes[] = {
    {"unknown key", "says: x\nwrold: {}\n" WORLD SEND EXPECT, ":2:1:",
     "unknown key 'wrold' in this scenario, did you mean 'world'?"},
    {"unknown key of a name", "says: x\nworld:\n  partner.example: {tsla: [3 1 1]}\n" SEND EXPECT, ":3:21:",
     "did you mean 'tlsa'?"},
    {"key given twice", "says: x\nsays: y\n" WORLD SEND EXPECT, ":2:1:", "'says' is given twice"},
    {"tab", "says: x\nworld:\n\tpartner.example: {}\n", ":3:1:", "a tab cannot"},
    {"unclosed quote", "says: \"x\n" WORLD SEND EXPECT, ":1:7:", "never closed"},
    {"invalid UTF-8", "says: \xff\n" WORLD SEND EXPECT, ":1:7:", "not UTF-8"},
    {"no sentence", WORLD SEND EXPECT, ":1:1:", "'says' is missing"},
    {"not a map", "- a\n- b\n", ":1:1:", "a scenario is a map"},
    {"fault that is none", "says: x\n" WORLD "  x.partner.example: {dns: [servfial]}\n" SEND EXPECT, ":5:29:",
     "no DNS fault is called 'servfial'; did you mean 'servfail'?"},
    {"zone fault with a type", "says: x\n" WORLD "  b.example: {dns: [{fault: ds-wrong, type: A}]}\n" SEND EXPECT,
     ":5:29:", "spoils a whole zone"},
    {"a mode left out", "says: x\n" WORLD SEND "expect:\n  - when: {dane: [none, opportunistic]}\n"
     "    message: delivered\n", ":7:5:",
     "nothing is expected for dane=mandatory,mta-sts=none; dane=mandatory,mta-sts=opportunistic"},
    {"a mode twice", "says: x\n" WORLD SEND "expect:\n  - message: delivered\n"
     "  - when: {dane: none, mta-sts: none}\n    message: deferred\n", ":8:5:",
     "said twice for dane=none,mta-sts=none"},
    {"a recipient of whom nothing is said", "says: x\n" WORLD "send: {to: [a@partner.example, b@partner.example]}\n"
     "expect: {recipients: {a@partner.example: delivered}}\n", ":6:9:",
     "nothing is said of the recipient 'b@partner.example'"},
    {"a recipient of nobody", "says: x\n" WORLD SEND
     "expect: {recipients: {a@partner.example: delivered, c@partner.example: deferred}}\n", ":6:53:",
     "the message goes to no 'c@partner.example'"},
    {"a recipient's course", "says: x\n" WORLD SEND "expect: {recipients: {a@partner.example: delivred}}\n", ":6:42:",
     "no course is called 'delivred'; did you mean 'delivered'?"},
    {"a reading without a word", "says: x\n" WORLD SEND
     "expect: {reading: {mx-alias: {follow: delivered}}}\n", ":6:", "what follows from 'refuse' is not said"},
    {"a recipient without a course", "says: x\n" WORLD SEND
     "expect: {recipients: {a@partner.example: []}}\n", ":6:", "a course is wanted here"},
    {"a reading that nobody declares", "says: x\n" WORLD SEND
     "expect: {reading: {mx-alais: {follow: delivered}}}\n", ":6:20:",
     "senders declare nothing that is called 'mx-alais'; did you mean 'mx-alias'?"},
    {"a way that nobody goes", "says: x\n" WORLD SEND "expect: {reading: {mx-alias: {folow: delivered}}}\n", ":6:31:",
     "no way to go is called 'folow'; did you mean 'follow'?"},
    {"DANE mode that is none", "says: x\n" WORLD SEND
     "expect:\n  - when: {dane: oportunistic}\n    message: delivered\n", ":7:18:",
     "no DANE mode is called 'oportunistic'; did you mean"},
    {"course that is none", "says: x\n" WORLD SEND "expect: {message: defered}\n", ":6:19:",
     "did you mean 'deferred'?"},
    {"several courses without reason", "says: x\n" WORLD SEND "expect: {accept: [delivered, deferred]}\n", ":6:19:",
     "'latitude' or 'reading' says why"},
    {"evidence that is none", "says: x\n" WORLD SEND "expect: {message: delivered, mx1: [conect]}\n", ":6:36:",
     "did you mean 'connect'?"},
    {"evidence forbidden that is none", "says: x\n" WORLD SEND
     "expect: {message: delivered, dns: [no tlsa-qurey]}\n", ":6:36:", "did you mean 'tlsa-query'?"},
    {"host that is none", "says: x\n" WORLD SEND "expect: {message: delivered, mx2: [connect]}\n", ":6:30:",
     "no host of the world is called 'mx2'; did you mean 'mx1'?"},
    {"key of an expectation", "says: x\n" WORLD SEND "expect: {mesage: delivered}\n", ":6:10:",
     "did you mean 'message'?"},
    {"label of two names", "says: x\nworld:\n  a.example: {mx: [mx.a.example]}\n  mx.a.example: {}\n"
     "  mx.b.example: {}\nsend: {to: a@a.example}\nexpect: {mx: [connect]}\n", ":7:10:",
     "'mx' can be mx.a.example or mx.b.example"},
    {"MX host that is none", "says: x\nworld:\n  partner.example: {mx: [mx1.partner.example]}\n" SEND EXPECT,
     ":3:26:", "the world has no 'mx1.partner.example'"},
    {"name that is none", "says: x\nworld:\n  a..example: {}\n" SEND EXPECT, ":3:3:", "has an empty label"},
    {"name twice by case", "says: x\nworld:\n  a.example: {}\n  A.example: {}\n" SEND EXPECT, ":4:3:",
     "is given twice"},
    {"the sender's own domain", "says: x\nworld:\n  mx.sender.example: {}\n" SEND EXPECT, ":3:3:",
     "the sender's own domain"},
    {"certificate that is none", "says: x\nworld:\n  mx1.partner.example: {certificate: expird}\n" SEND EXPECT,
     ":3:38:", "did you mean 'expired'?"},
    {"policy mode that is none", "says: x\nworld:\n  partner.example: {mta-sts: enforced}\n" SEND EXPECT, ":3:30:",
     "did you mean 'enforce'?"},
    {"recipient that is none", "says: x\n" WORLD "send: {to: partner.example}\n" EXPECT, ":5:12:",
     "is no mail address"},
    {"nothing sent", "says: x\n" WORLD EXPECT, ":1:7:", "nothing is sent"},
    {"nothing expected", "says: x\n" WORLD SEND, ":1:7:", "nothing is expected"},
    {"modes without reason", "says: x\nmodes: [dane=none]\n" WORLD SEND EXPECT, ":1:7:", "'modes-because' says why"},
    {"mode that is none", "says: x\nmodes: [dane=maybe]\nmodes-because: y\n" WORLD SEND EXPECT, ":2:9:",
     "'dane=maybe' is no mode"},
    {"feature that is none", "says: x\nneeds: [klock]\n" WORLD SEND EXPECT, ":2:9:", "did you mean 'clock'?"},
    {"base that is none", "says: x\nbase: dane/nowhere\n" EXPECT, ":2:7:", "there is no scenario 'dane/nowhere'"},
    {"twin that is none", "says: x\ntwin: dane/nowhere\n" WORLD SEND EXPECT, ":2:7:",
     "there is no scenario 'dane/nowhere'"},
    {"change without base", "says: x\nchange: {}\n" WORLD SEND EXPECT, ":2:9:", "needs a base"},
    {"placeholder that is none", "says: x\nworld:\n  partner.example: {address: \"${ip}\"}\n" SEND EXPECT, ":3:30:",
     "'${ip}'"},
    {"axis that is used nowhere", "says: x\nvariants: {ip: [v4, v6]}\n" WORLD SEND EXPECT, ":2:12:",
     "${ip} stands nowhere"},
    {"too many variants", "says: x\nvariants: {a: [1,2,3,4,5,6,7,8,9], b: [1,2,3,4,5,6,7,8,9]}\n" WORLD SEND EXPECT,
     ":2:36:", "at most 64 variants"},
    {"time without unit", "says: x\n" WORLD
     "steps: [{advance: 30, send: {to: a@partner.example}, expect: {message: delivered}}]\n", ":5:19:",
     "a time with its unit"},
    {"expect beside steps", "says: x\n" WORLD "steps: [{send: {to: a@partner.example}}]\n" EXPECT, ":6:9:",
     "stands in the steps"},
};

static const struct { const char *name, *text; } sound[] = {
    {"smallest", "says: x\n" WORLD SEND EXPECT},
    {"x- keys", "says: x\nx-note: {any: [thing]}\n" WORLD SEND EXPECT},
    {"null MX", "says: x\nworld:\n  partner.example: {mx: null}\n" SEND "expect: {message: bounced}\n"},
    {"removed name in a step", "says: x\n" WORLD "steps:\n  - send: {to: a@partner.example}\n"
     "    expect: {message: delivered}\n"
     "  - change: {mx1.partner.example: {tlsa: none}}\n    send: {to: b@partner.example}\n"
     "    expect: {message: delivered}\n"},
    {"policy host by its own key",
     "says: x\nworld:\n  partner.example: {mx: [mx1.partner.example], mta-sts: enforce}\n  mx1.partner.example: {}\n"
     SEND "expect: {message: delivered, web: [request partner.example]}\n"},
    {"message of a restricted mode", "says: x\nmodes: [\"dane=none,mta-sts=none\"]\nmodes-because: y\n" WORLD SEND
     EXPECT},
};
/* clang-format on */

static char *findings(struct corpus *corpus)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    diag_print(corpus->diags, out);
    fclose(out);
    return text;
}

/* Is there a line with both? */
static bool has_line(const char *text, const char *place, const char *says)
{
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL) {
        const char *end = strchrnul(line, '\n'), *at = strstr(line, place), *sentence = strstr(line, says);
        if (at != NULL && at < end && sentence != NULL && sentence < end)
            return true;
    }
    return false;
}

START_TEST(a_mistake_is_shown_with_its_place)
{
    int64_t began = clock_monotonic_us();
    struct corpus *corpus = corpus_read_text(NULL, "t.yaml", mistakes[_i].text, strlen(mistakes[_i].text));
    char *text = findings(corpus);
    ck_assert_msg(diag_errors(corpus->diags) > 0, "%s: no mistake was found", mistakes[_i].name);
    ck_assert_msg(has_line(text, mistakes[_i].place, mistakes[_i].says), "%s: not at %s but:\n%s", mistakes[_i].name,
                  mistakes[_i].place, text);
    ck_assert_msg(clock_monotonic_us() - began < ANSWER_MS * 1000 * 10, "%s: too slow", mistakes[_i].name);
    free(text);
    corpus_free(&corpus);
}
END_TEST

#define EXPIRED                                                                                                        \
    "says: x\nworld:\n  partner.example: {mx: [mx1.partner.example]}\n  mx1.partner.example: {certificate: expired}\n"

static const struct {
    const char *name, *text;
    bool doubted;
} met[] = {
    {"a certificate that may be passed by", EXPIRED SEND EXPECT, true},
    {"one that must be met", EXPIRED SEND "expect: {message: delivered, mx1: [starttls]}\n", false},
    {"one that must not be met", EXPIRED SEND "expect: {message: deferred, mx1: [no connect]}\n", false},
    {"one that may be met, as is said", EXPIRED SEND "expect: {message: delivered, faults: may}\n", false},
    {"no mail, but no connection forbidden", EXPIRED SEND "expect: {message: deferred, mx1: [no mail-from]}\n", true},
};

START_TEST(a_defect_that_may_be_passed_by_is_doubted)
{
    struct corpus *corpus = corpus_read_text(NULL, "t.yaml", met[_i].text, strlen(met[_i].text));
    char *text = findings(corpus);
    bool doubted = has_line(text, ":1:7:", "nothing says that mx1.partner.example is spoken to");
    ck_assert_msg(doubted == met[_i].doubted && diag_errors(corpus->diags) == 0, "%s: %s", met[_i].name, text);
    free(text);
    corpus_free(&corpus);
}
END_TEST

START_TEST(what_is_right_is_taken)
{
    struct corpus *corpus = corpus_read_text(NULL, "t.yaml", sound[_i].text, strlen(sound[_i].text));
    char *text = findings(corpus);
    ck_assert_msg(diag_count(corpus->diags) == 0 && corpus->count == 1, "%s: %s", sound[_i].name, text);
    free(text);
    corpus_free(&corpus);
}
END_TEST

START_TEST(all_mistakes_are_shown_at_once)
{
    static const char text[] = "says: x\ncolour: red\n" WORLD SEND "expect: {message: lost, mx9: [connect]}\n";
    struct corpus *corpus = corpus_read_text(NULL, "t.yaml", text, strlen(text));
    ck_assert_uint_eq(diag_errors(corpus->diags), 3);
    corpus_free(&corpus);
}
END_TEST

START_TEST(deep_brackets_are_refused_at_once)
{
    char *text = malloc(BRACKETS + 1);
    memset(text, '[', BRACKETS);
    text[BRACKETS] = '\0';
    int64_t began = clock_monotonic_us();
    struct corpus *corpus = corpus_read_text(NULL, "t.yaml", text, BRACKETS);
    ck_assert_uint_ge(diag_errors(corpus->diags), 1);
    ck_assert_int_lt(clock_monotonic_us() - began, ANSWER_MS * 1000);
    corpus_free(&corpus);
    free(text);
}
END_TEST

START_TEST(what_the_base_gives_need_not_be_said)
{
    static const char text[] = "says: x\nbase: dane/matching-key\nvariants: {tlsa: [3 1 1 of other-key, none]}\n"
                               "change: {mx1.partner.example: {tlsa: \"${tlsa}\"}}\nexpect: {message: deferred}\n";
    struct corpus *corpus = corpus_read_text("scenarios", "dane/x", text, strlen(text));
    char *said = findings(corpus);
    ck_assert_msg(corpus->count == 2 && diag_count(corpus->diags) == 0, "%s", said);
    const struct scenario *other = corpus->items[0], *none = corpus->items[1];
    ck_assert_str_eq(other->title, "dane/x[tlsa=3 1 1 of other-key]");
    ck_assert_str_eq(other->twin->title, "dane/matching-key");
    ck_assert_str_eq(other->steps[0].to.items[0], "someone@partner.example");
    ck_assert_uint_eq(world_find(other->steps[0].world, "MX1.partner.example.")->tlsa.count, 1);
    ck_assert_uint_eq(world_find(none->steps[0].world, "mx1.partner.example")->tlsa.count, 0);
    free(said);
    corpus_free(&corpus);
}
END_TEST

START_TEST(the_twin_has_the_same_values_on_shared_axes)
{
    static const char text[] = "says: x\nbase: dane/every-form-of-a-matching-record\nvariants: {tlsa: [3 0 1, 3 1 0]}\n"
                               "change: {mx1.partner.example: {tlsa: [\"${tlsa} of other-key\"]}}\n"
                               "expect: {message: deferred}\n";
    struct corpus *corpus = corpus_read_text("scenarios", "dane/x", text, strlen(text));
    char *said = findings(corpus);
    ck_assert_msg(corpus->count == 2 && diag_errors(corpus->diags) == 0, "%s", said);
    for (size_t i = 0; i < 2; i++)
        ck_assert_str_eq(corpus->items[i]->twin->variant, corpus->items[i]->variant);
    free(said);
    corpus_free(&corpus);
}
END_TEST

static const struct {
    const char *name, *twin, *change, *expect;
    bool differs;
} twins[] = {
#define IS "mx1.partner.example: {tlsa: [3 1 1, 3 1 1 of other-key]}"
    {"the same", "", IS, "{message: delivered, mx1: [connect, starttls, mail-from]}", false},
    {"less of the same", "", IS, "{message: delivered}", false},
    {"nothing said", "", IS, "{mx1: [connect]}", false},
    {"another course", "", IS, "{message: deferred}", true},
    {"room where there is none", "", IS, "{accept: [delivered, deferred], latitude: L1}", true},
    {"in clear", "", IS, "{message: delivered, channel: clear}", true},
    {"must not be seen", "", IS, "{message: delivered, mx1: [no starttls]}", true},
    {"who does not connect does nothing", "", IS, "{mx1: [no connect]}", true},
    {"another report", "", IS, "{message: delivered, report: none}", true},
    {"another twin", "twin: dane/key-of-another-certificate\n", IS, "{message: delivered}", true},
    {"another twin, the same", "twin: dane/key-of-another-certificate\n", IS,
     "[{when: {dane: none}, message: delivered}, {when: {dane: [opportunistic, mandatory]}, message: deferred}]",
     false},
#undef IS
};

START_TEST(what_is_right_in_the_twin_must_be_wrong_here)
{
    struct arena *arena = arena_new("twins");
    const char *text = arena_printf(arena, "says: x\nbase: dane/matching-key\n%schange: {%s}\nexpect: %s\n",
                                    twins[_i].twin, twins[_i].change, twins[_i].expect);
    struct corpus *corpus = corpus_read_text("scenarios", "dane/x", text, strlen(text));
    char *said = findings(corpus);
    ck_assert_msg(diag_errors(corpus->diags) == (twins[_i].differs ? 0 : 1), "%s: %s", twins[_i].name, said);
    ck_assert_msg((strstr(said, "is right here too") == NULL) == twins[_i].differs, "%s: %s", twins[_i].name, said);
    free(said);
    corpus_free(&corpus);
    arena_free(&arena);
}
END_TEST

START_TEST(a_twin_may_be_another_than_the_base)
{
    static const char text[] = "says: x\nbase: dane/matching-key\ntwin: dane/key-of-another-certificate\n"
                               "change: {mx1.partner.example: {tlsa: [3 0 1]}}\nexpect: {message: delivered}\n";
    struct corpus *corpus = corpus_read_text("scenarios", "dane/x", text, strlen(text));
    ck_assert_uint_eq(corpus->count, 1);
    ck_assert_str_eq(corpus->items[0]->twin->title, "dane/key-of-another-certificate");
    ck_assert_str_eq(corpus->items[0]->base, "dane/matching-key");
    corpus_free(&corpus);
}
END_TEST

START_TEST(clauses_are_looked_up)
{
    static const char text[] = "says: x\ncovers: [8461-9.9-9, 7672-2.2-3]\n" WORLD SEND EXPECT;
    struct corpus *corpus = corpus_read_text("scenarios", "t", text, strlen(text));
    char *said = findings(corpus);
    ck_assert_msg(diag_errors(corpus->diags) == 1 && has_line(said, ":2:10:", "no clause has the id '8461-9.9-9'"),
                  "%s", said);
    free(said);
    corpus_free(&corpus);
}
END_TEST

START_TEST(every_scenario_we_ship_is_sound)
{
    struct corpus *corpus = corpus_read("scenarios", NULL, 0);
    char *said = findings(corpus);
    ck_assert_msg(diag_errors(corpus->diags) == 0 && corpus->count > 0, "%s", said);
    free(said);
    corpus_free(&corpus);
}
END_TEST

TEST_SUITE(scenario_check)
{
    TEST_LOOP(a_mistake_is_shown_with_its_place, COUNT(mistakes));
    TEST_LOOP(a_defect_that_may_be_passed_by_is_doubted, COUNT(met));
    TEST_LOOP(what_is_right_is_taken, COUNT(sound));
    TEST(all_mistakes_are_shown_at_once);
    TEST(deep_brackets_are_refused_at_once);
    TEST(what_the_base_gives_need_not_be_said);
    TEST(the_twin_has_the_same_values_on_shared_axes);
    TEST_LOOP(what_is_right_in_the_twin_must_be_wrong_here, COUNT(twins));
    TEST(a_twin_may_be_another_than_the_base);
    TEST(clauses_are_looked_up);
    TEST(every_scenario_we_ship_is_sound);
}
