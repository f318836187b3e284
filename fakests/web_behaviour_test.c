/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/testing.h"
#include "fakests/web_upstream.h"

/* ---- the table ---- */

struct behaving {
    struct web_behaviour https;
};
static const struct schema_field behaving_fields[] = {
    {.key = "https", .kind = SCHEMA_SUB, .offset = offsetof(struct behaving, https), .sub = &web_behaviour_schema},
};
static const struct schema behaving_schema = {.name = "behaving",
                                              .fields = behaving_fields,
                                              .count = COUNT(behaving_fields),
                                              .size = sizeof(struct behaving)};

struct found {
    char text[200];
    size_t length;
};

static void note(void *arg, const char *setting)
{
    struct found *found = arg;
    found->length += (size_t)snprintf(found->text + found->length, sizeof found->text - found->length, "%s ", setting);
}

static const struct {
    const char *name, *text, *departures;
    size_t mistakes;
} files[] = {
    {"nothing said", "{}", "", 0},
    {"everything usual", "https: {https: ok, status: 200, type: text/plain, body: whole, nth: 0}", "", 0},
    {"a word of https", "https: refuse", "https ", 0},
    {"a word of body", "https: oversized", "body ", 0},
    {"a status", "https: 404", "status ", 0},
    {"no type", "https: {type: \"\"}", "type ", 0},
    {"a redirect", "https: {location: https://other.example/}", "location ", 0},
    {"headers are no fault", "https: {headers: [\"Cache-Control: no-cache\"]}", "", 0},
    {"a policy of its own, the second time", "https: {policy: x, nth: 2}", "policy ", 0},
    {"all at once", "https: {https: alert, status: 500, location: /, type: text/html, body: slow, policy: x}",
     "https status location type body policy ", 0},
    {"a misspelt word", "https: refuze", "", 1},
    {"a list", "https: [refuse]", "", 1},
    {"an unknown setting", "https: {stauts: 200}", "", 1},
};
START_TEST(a_behaviour_is_read_and_its_departures_are_named)
{
    struct arena *arena = arena_new("test");
    struct diag_list *diags = diag_new(arena);
    struct behaving read = {0};
    struct found found = {0};
    const struct tree_node *node = tree_read_text(arena, "test", files[_i].text, strlen(files[_i].text), diags);
    schema_read(arena, &behaving_schema, node, &read, diags);
    web_behaviour_departures(&read.https, note, &found);
    ck_assert_msg(diag_errors(diags) == files[_i].mistakes, "%s: %zu mistakes", files[_i].name, diag_errors(diags));
    ck_assert_msg(strcmp(found.text, files[_i].departures) == 0, "%s: %s", files[_i].name, found.text);
    arena_free(&arena);
}
END_TEST

START_TEST(the_usual_departs_in_nothing)
{
    struct found found = {0};
    web_behaviour_departures(&web_behaviour_usual, note, &found);
    web_behaviour_departures(NULL, note, &found);
    ck_assert_str_eq(found.text, "");
}
END_TEST

/* ---- what a request gets ---- */

#define USUAL .status = 200, .type = "text/plain"
static const struct {
    const char *name, *method, *path;
    struct web_behaviour behaviour;
    const char *policy;
    int64_t count, status;
    const char *body;
    enum web_body manner;
    bool served;
} answers[] = {
    {"the policy", "GET", "/.well-known/mta-sts.txt", {USUAL}, "P", 1, 200, "P", WEB_BODY_WHOLE, true},
    {"a query changes nothing", "GET", "/.well-known/mta-sts.txt?x", {USUAL}, "P", 1, 200, "P", WEB_BODY_WHOLE, true},
    {"another path", "GET", "/.well-known/mta-sts.txt2", {USUAL}, "P", 1, 404, "not found\n", WEB_BODY_WHOLE, false},
    {"another path of a bad host",
     "GET",
     "/",
     {USUAL, .body = WEB_BODY_SILENT},
     "P",
     1,
     404,
     "not found\n",
     WEB_BODY_WHOLE,
     false},
    {"another method", "POST", "/.well-known/mta-sts.txt", {USUAL}, "P", 1, 405, "only GET\n", WEB_BODY_WHOLE, false},
    {"no policy", "GET", "/.well-known/mta-sts.txt", {USUAL}, NULL, 1, 404, "no policy here\n", WEB_BODY_WHOLE, false},
    {"an own policy",
     "GET",
     "/.well-known/mta-sts.txt",
     {USUAL, .policy = "Q"},
     "P",
     1,
     200,
     "Q",
     WEB_BODY_WHOLE,
     true},
    {"a status",
     "GET",
     "/.well-known/mta-sts.txt",
     {.status = 503, .type = ""},
     "P",
     1,
     503,
     "P",
     WEB_BODY_WHOLE,
     false},
    {"a location redirects",
     "GET",
     "/.well-known/mta-sts.txt",
     {USUAL, .location = "/x"},
     "P",
     1,
     301,
     "P",
     WEB_BODY_WHOLE,
     false},
    {"with the status given",
     "GET",
     "/.well-known/mta-sts.txt",
     {.status = 307, .location = "/x"},
     "P",
     1,
     307,
     "P",
     WEB_BODY_WHOLE,
     false},
    {"half a body",
     "GET",
     "/.well-known/mta-sts.txt",
     {USUAL, .body = WEB_BODY_HALF},
     "P",
     1,
     200,
     "P",
     WEB_BODY_HALF,
     false},
    {"the second time it holds",
     "GET",
     "/.well-known/mta-sts.txt",
     {.status = 404, .nth = 2},
     "P",
     2,
     404,
     "P",
     WEB_BODY_WHOLE,
     false},
    {"the third time no more",
     "GET",
     "/.well-known/mta-sts.txt",
     {.status = 404, .nth = 2},
     "P",
     3,
     200,
     "P",
     WEB_BODY_WHOLE,
     true},
};
START_TEST(a_request_gets_the_answer_set)
{
    struct web_host host = {.name = "h", .behaviour = answers[_i].behaviour, .policy = answers[_i].policy};
    struct web_request request = {.method = answers[_i].method, .path = answers[_i].path, .name = "h", .agent = ""};
    struct web_answer got = web_answer_for(&host, answers[_i].count, &request);
    ck_assert_msg(got.status == answers[_i].status, "%s: status %d", answers[_i].name, (int)got.status);
    ck_assert_msg(strcmp(got.body, answers[_i].body) == 0, "%s: body %s", answers[_i].name, got.body);
    ck_assert_msg(got.manner == answers[_i].manner, "%s: manner %d", answers[_i].name, (int)got.manner);
    ck_assert_msg(got.policy == answers[_i].served, "%s: served %d", answers[_i].name, (int)got.policy);
}
END_TEST

TEST_SUITE(web_behaviour)
{
    TEST_LOOP(a_behaviour_is_read_and_its_departures_are_named, COUNT(files));
    TEST(the_usual_departs_in_nothing);
    TEST_LOOP(a_request_gets_the_answer_set, COUNT(answers));
}
