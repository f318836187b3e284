/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/why.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static const struct scenario *scenario_called(const struct corpus *corpus, const char *title)
{
    for (size_t i = 0; i < corpus->count; i++)
        if (strcmp(corpus->items[i]->title, title) == 0)
            return corpus->items[i];
    ck_abort_msg("no scenario %s", title);
    return NULL;
}

static struct why why_of(struct corpus *corpus, const char *title)
{
    struct why why = {.arena = corpus->arena, .corpus = corpus, .scenario = scenario_called(corpus, title)};
    why.clauses = clauses_read(corpus->arena, "scenarios/clauses", corpus->diags);
    why_gather(&why);
    return why;
}

#define KEY "dane/key-of-another-certificate"
static const struct {
    const char *title, *told;
} pages[] = {
    {KEY, "The TLSA record names another key; the message must wait.\n"},
    {KEY, "the world of dane/matching-key, and in it\n"},
    {KEY, "      mx1.partner.example: {tlsa: [3 1 1 of other-key]}\n"},
    {KEY, "deferred as 4.7.323; mx1.partner.example: connect, starttls, no"},
    {KEY, "    dane=none                      delivered\n"},
    {KEY, "    7672-3.2-2      MUST NOT   If DANE authentication fails"},
    {KEY, "has proved nothing here\n    dane/matching-key\n"},
    {KEY, "Of those that there are adapters for (engine"},
    {"dane/matching-key", "\nthe world\n    world:\n"},
    {"starttls/refused-with-tlsa[how=refused-502]", "        the message is bounced at once\n"},
    {"dns/mx-host-is-an-alias", "the RFCs leave room (MX hosts that"},
    {"smtp/refusal-is-not-remembered", "    step 2\n"},
};

START_TEST(a_page_tells_what_stands_behind)
{
    struct corpus *corpus = corpus_read("scenarios", NULL, 0);
    for (size_t i = 0; i < COUNT(pages); i++) {
        struct why why = why_of(corpus, pages[i].title);
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        why_tell(&why, out);
        fclose(out);
        ck_assert_msg(strstr(text, pages[i].told) != NULL, "%s: no '%s' in\n%s", pages[i].title, pages[i].told, text);
        free(text);
    }
    corpus_free(&corpus);
}
END_TEST

START_TEST(what_is_near_is_near_once)
{
    struct corpus *corpus = corpus_read("scenarios", NULL, 0);
    struct why why = why_of(corpus, KEY);
    ck_assert_uint_gt(why.near.count, 1);
    for (size_t i = 0; i < why.near.count; i++) {
        ck_assert_str_ne(why.near.items[i].scenario->name, "dane/matching-key"); /* its twin, told by itself */
        ck_assert(i == 0 || why.near.items[i].score <= why.near.items[i - 1].score);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(why.near.items[i].scenario->name, why.near.items[k].scenario->name);
    }
    corpus_free(&corpus);
}
END_TEST

TEST_SUITE(why)
{
    TEST(a_page_tells_what_stands_behind);
    TEST(what_is_near_is_near_once);
}
