/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_behaviour.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

/* A behaviour as its file would say it; the findings, if any, in *diags. */
static const struct mx_behaviour *read_behaviour(struct arena *arena, const char *yaml, struct diag_list *diags)
{
    struct mx_behaviour *behaviour = arena_alloc(arena, sizeof *behaviour);
    const struct tree_node *node = tree_read_text(arena, "test.yaml", yaml, strlen(yaml), diags);
    schema_read(arena, &mx_behaviour_schema, node, behaviour, diags);
    return behaviour;
}

struct departures {
    struct arena *arena;
    const char *text;
};

static void add_departure(void *arg, const char *setting)
{
    struct departures *all = arg;
    all->text = arena_printf(all->arena, "%s%s%s", all->text, *all->text != '\0' ? " " : "", setting);
}

static const struct {
    const char *yaml, *departures;
} good[] = {
    {"{}", ""},
    {"{starttls: offered, tcp: accept, sni-required: no}", ""},
    {"{keywords: [PIPELINING, SIZE 1048576, 8BITMIME, ENHANCEDSTATUSCODES]}", ""},
    {"{tcp: refuse}", "tcp"},
    {"{starttls: refused-454}", "starttls"},
    {"{greeting: stall, ehlo: 502 no, helo: reset, mail: close}", "greeting ehlo helo mail"},
    {"{rcpt: 450 later, data: 451 no, end-of-data: 552 big, quit: stall}", "rcpt data end-of-data quit"},
    {"{mail: {reply: 450 4.7.1 later, nth: 1}}", "mail"},
    {"{mail: [{reply: 450 4.7.1 later, nth: 1}, {act: reset, nth: 2}, 550 no]}", "mail"},
    {"{keywords: [SIZE], tls-keywords: [REQUIRETLS], tls-versions: tls1.2-only}", "keywords tls-keywords tls-versions"},
    {"{inject: '250 ok\\r\\n', sni-required: yes}", "inject sni-required"},
    {"{groups: p384-only, hello-limit: 1400}", "groups hello-limit"},
    {"{ciphers: anonymous, tls-versions: tls1.2-only}", "tls-versions ciphers"},
    {"{greeting: piecemeal, mail: {raw: '250 ok\\n'}, rcpt: drip, data: deaf}", "greeting mail rcpt data"},
};

START_TEST(departures_are_the_settings_that_differ)
{
    struct arena *arena = arena_new("test");
    struct diag_list *diags = diag_new(arena);
    const struct mx_behaviour *behaviour = read_behaviour(arena, good[_i].yaml, diags);
    struct departures all = {arena, ""};
    diag_print(diags, stderr);
    ck_assert_uint_eq(diag_count(diags), 0);
    mx_behaviour_departures(behaviour, add_departure, &all);
    ck_assert_msg(strcmp(all.text, good[_i].departures) == 0, "%s: %s", good[_i].yaml, all.text);
    ck_assert(mx_behaviour_equal(behaviour, mx_behaviour_copy(arena, behaviour)));
    ck_assert(mx_behaviour_equal(behaviour, mx_behaviour_copy(arena, NULL)) == (*good[_i].departures == '\0'));
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *yaml, *finding;
} bad[] = {
    {"{mail: stal}", "did you mean 'stall'"},
    {"{mail: later}", "is no reply"},
    {"{mail: [[450 no]]}", "not a list"},
    {"{mail: {reply: 450 no, nth: often}}", "whole number"},
    {"{starttls: striped}", "did you mean 'stripped'"},
    {"{end_of_data: 450 no}", "did you mean 'end-of-data'"},
    {"{sni-required: perhaps}", "yes or no"},
    {"{ciphers: anonymous, tls-versions: tls1.3-only}", "is had with tls1.2-only; the host speaks tls1.3-only"},
    {"{starttls: flooded, tls-versions: tls1.2-only}", "is had with tls1.3-only; the host speaks tls1.2-only"},
    {"{starttls: renegotiated, tls-versions: tls1.3-only}", "is had with tls1.2-only"},
    {"{starttls: flooded, ciphers: anonymous}", "'ciphers: anonymous' is had with tls1.2-only"},
};

START_TEST(mistakes_are_findings)
{
    struct arena *arena = arena_new("test");
    struct diag_list *diags = diag_new(arena);
    read_behaviour(arena, bad[_i].yaml, diags);
    ck_assert_uint_eq(diag_errors(diags), 1);
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    diag_print(diags, out);
    fclose(out);
    ck_assert_msg(strstr(text, bad[_i].finding) != NULL, "%s: %s", bad[_i].yaml, text);
    ck_assert_msg(strstr(text, "test.yaml:1:") != NULL, "%s: %s", bad[_i].yaml, text);
    free(text);
    arena_free(&arena);
}
END_TEST

static const struct {
    const char *yaml;
    enum mx_step step;
    unsigned nth;
    const char *words; /* NULL: the usual */
    const char *line;
} doings[] = {
    {"{rcpt: {reply: 450 later, with: two@}}", MX_STEP_RCPT, 1, "rcpt: 450 later", "RCPT TO:<Two@b>"},
    {"{rcpt: {reply: 450 later, with: two@}}", MX_STEP_RCPT, 1, NULL, "RCPT TO:<one@b>"},
    {"{end-of-data: {reply: 450 later, with: two@}}", MX_STEP_END_OF_DATA, 1, NULL, NULL},
    {"{mail: 450 later}", MX_STEP_MAIL, 1, "mail: 450 later"},
    {"{mail: 450 later}", MX_STEP_MAIL, 7, "mail: 450 later"},
    {"{mail: 450 later}", MX_STEP_RCPT, 1, NULL},
    {"{mail: 450 later}", MX_STEP_NOOP, 1, NULL},
    {"{mail: {reply: 450 later, nth: 2}}", MX_STEP_MAIL, 1, NULL},
    {"{mail: {reply: 450 later, nth: 2}}", MX_STEP_MAIL, 2, "mail: 450 later"},
    {"{mail: {reply: 450 later, nth: 2}}", MX_STEP_MAIL, 3, NULL},
    {"{mail: [{act: stall, nth: 1}, 550 no]}", MX_STEP_MAIL, 1, "mail: stall"},
    {"{mail: [{act: stall, nth: 1}, 550 no]}", MX_STEP_MAIL, 2, "mail: 550 no"},
    {"{mail: {nth: 1}}", MX_STEP_MAIL, 1, NULL},
    {"{end-of-data: reset}", MX_STEP_END_OF_DATA, 1, "end-of-data: reset"},
    {"{data: close}", MX_STEP_CHUNK, 1, "data: close"},
    {"{greeting: 421 no}", MX_STEP_GREETING, 1, "greeting: 421 no"},
    {"{mail: {raw: '250 ok\\n'}}", MX_STEP_MAIL, 1, "mail: 250 ok\\n"},
    {"{rcpt: endless-line}", MX_STEP_RCPT, 1, "rcpt: endless-line"},
};

START_TEST(the_first_doing_that_fits_is_taken)
{
    struct arena *arena = arena_new("test");
    const struct mx_behaviour *behaviour = read_behaviour(arena, doings[_i].yaml, diag_new(arena));
    const struct mx_doing *doing = mx_behaviour_doing(behaviour, doings[_i].step, doings[_i].nth, doings[_i].line);
    ck_assert_msg((doing != NULL) == (doings[_i].words != NULL), "%s", doings[_i].yaml);
    if (doing != NULL)
        ck_assert_str_eq(mx_setting_words(arena, behaviour, mx_step_setting(doings[_i].step), doing), doings[_i].words);
    arena_free(&arena);
}
END_TEST

START_TEST(an_offer_is_no_departure)
{
    struct arena *arena = arena_new("test");
    struct diag_list *diags = diag_new(arena);
    const struct mx_behaviour *behaviour = read_behaviour(arena, "{offers: [CHUNKING]}", diags);
    struct departures all = {arena, ""};
    mx_behaviour_departures(behaviour, add_departure, &all);
    ck_assert_str_eq(all.text, "");
    ck_assert(mx_behaviour_equal(behaviour, mx_behaviour_copy(arena, behaviour)));
    ck_assert(!mx_behaviour_equal(behaviour, mx_behaviour_copy(arena, NULL))); /* and yet another behaviour */
    arena_free(&arena);
}
END_TEST

TEST_SUITE(mx_behaviour)
{
    TEST_LOOP(departures_are_the_settings_that_differ, COUNT(good));
    TEST(an_offer_is_no_departure);
    TEST_LOOP(mistakes_are_findings, COUNT(bad));
    TEST_LOOP(the_first_doing_that_fits_is_taken, COUNT(doings));
}
