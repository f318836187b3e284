/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "fakests/web_host.h"

static const char *const https_words[] = {
    [WEB_HTTPS_OK] = "ok",       [WEB_HTTPS_REFUSE] = "refuse",
    [WEB_HTTPS_RESET] = "reset", [WEB_HTTPS_CLOSE] = "close",
    [WEB_HTTPS_STALL] = "stall", [WEB_HTTPS_GARBAGE] = "garbage",
    [WEB_HTTPS_ALERT] = "alert", NULL,
};
static const char *const body_words[] = {
    [WEB_BODY_WHOLE] = "whole",
    [WEB_BODY_HALF] = "half",
    [WEB_BODY_ENDLESS] = "endless",
    [WEB_BODY_OVERSIZED] = "oversized",
    [WEB_BODY_EMPTY] = "empty",
    [WEB_BODY_SILENT] = "silent",
    [WEB_BODY_SLOW] = "slow",
    [WEB_BODY_GIANT] = "giant",
    [WEB_BODY_EXCESS] = "excess",
    [WEB_BODY_UNENDED] = "unended",
    [WEB_BODY_BROKEN_CHUNKS] = "broken-chunks",
    NULL,
};

/* The one place where a behaviour of a policy host is declared. */
static const struct schema_field fields[] = {
#define FIELD(name) .key = #name, .offset = SCHEMA_FIELD(struct web_behaviour, name)
    {FIELD(https), .kind = SCHEMA_WORD, .otherwise = "ok", .words = https_words,
     .doc = "What a connection meets: refuse: nothing listens; then, after the ClientHello was read, reset: a TCP "
            "reset; close: "
            "the end; stall: silence; garbage: bytes that are no TLS; alert: a fatal handshake_failure."},
    {FIELD(status), .kind = SCHEMA_NUMBER, .otherwise = "200", .doc = "The HTTP status of the policy's answer."},
    {FIELD(location), .kind = SCHEMA_TEXT,
     .doc = "The Location of a redirect; the status is 301 unless another one than 200 is given."},
    {FIELD(type), .kind = SCHEMA_TEXT, .otherwise = "text/plain", .doc = "The Content-Type; \"\" sends none."},
    {FIELD(headers), .kind = SCHEMA_TEXTS,
     .doc = "More header lines of the answer, such as `Cache-Control: max-age=86400`; no fault by themselves."},
    {FIELD(body), .kind = SCHEMA_WORD, .otherwise = "whole", .words = body_words,
     .doc = "How the body comes: half: fewer bytes than its Content-Length, then the end; endless: lines without end "
            "(cut off "
            "after 4 MiB); oversized: the policy with valid extensions up to more than 64 KiB; empty; silent: no "
            "answer at all; "
            "slow: a byte a second, never done; giant: endless behind a Content-Length of 1 GiB; excess: the whole "
            "behind a Content-Length that ends "
            "in its middle; unended: in chunks, without the last one; broken-chunks: in chunks, the size of one is no "
            "number."},
    {FIELD(policy), .kind = SCHEMA_TEXT, .doc = "The body byte for byte, in place of the policy of the domain."},
    {FIELD(reports), .kind = SCHEMA_BOOL, .otherwise = "no",
     .doc = "The host takes what is POSTed to it, TLS reports, and answers 201, or the status said."},
    {FIELD(nth), .kind = SCHEMA_NUMBER, .otherwise = "0",
     .doc = "The settings hold only for the n-th request for the policy (https: the n-th connection); 0: always."},
#undef FIELD
};

static bool is_word(const char *const *words, const char *text)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, text) == 0)
            return true;
    return false;
}

static const struct tree_node *read_word(struct arena *arena, const struct tree_node *node, struct diag_list *diags)
{
    if (node->kind != TREE_TEXT) {
        diag_error(diags, node->at, "a web behaviour is one word, a status, or a map of settings");
        return NULL;
    }
    int64_t number;
    const char *key = schema_parse_number(node->text, &number)                               ? "status"
                      : is_word(body_words, node->text) && !is_word(https_words, node->text) ? "body"
                                                                                             : "https";
    return schema_map(arena, node->at, key, node, NULL);
}

const struct schema web_behaviour_schema = {
    .name = "web_behaviour",
    .doc = "What a policy host does with those who ask for its policy.",
    .fields = fields,
    .count = COUNT(fields),
    .size = sizeof(struct web_behaviour),
    .short_form = read_word,
    .short_doc = "a word of https or body, or a status",
};

const struct web_behaviour web_behaviour_usual = {.status = 200, .type = "text/plain"};

/* ---- departures ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool https_departs(const struct web_behaviour *b)
{
    return b->https != WEB_HTTPS_OK;
}

static bool status_departs(const struct web_behaviour *b)
{
    return b->status != 200;
}

static bool location_departs(const struct web_behaviour *b)
{
    return b->location != NULL;
}

static bool type_departs(const struct web_behaviour *b)
{
    return b->type != NULL && !same_text(b->type, web_behaviour_usual.type);
}

static bool body_departs(const struct web_behaviour *b)
{
    return b->body != WEB_BODY_WHOLE;
}

static bool policy_departs(const struct web_behaviour *b)
{
    return b->policy != NULL;
}

static const char *say_https(struct arena *arena UNUSED, const struct web_behaviour *b)
{
    return https_words[b->https];
}

static const char *say_status(struct arena *arena, const struct web_behaviour *b)
{
    return arena_printf(arena, "%" PRId64, b->status);
}

static const char *say_location(struct arena *arena UNUSED, const struct web_behaviour *b)
{
    return b->location;
}

static const char *say_type(struct arena *arena, const struct web_behaviour *b)
{
    return arena_printf(arena, "\"%s\"", b->type);
}

static const char *say_body(struct arena *arena UNUSED, const struct web_behaviour *b)
{
    return body_words[b->body];
}

static const char *say_policy(struct arena *arena, const struct web_behaviour *b)
{
    return arena_printf(arena, "%zu bytes of its own", strlen(b->policy));
}

static const struct {
    const char *setting;
    enum web_part part;
    bool unanswered; /* seen even where no answer comes */
    bool (*departs)(const struct web_behaviour *b);
    const char *(*say)(struct arena *arena, const struct web_behaviour *b);
} settings[] = {
    {"https", WEB_PART_FRONT, true, https_departs, say_https},
    {"status", WEB_PART_ANSWER, false, status_departs, say_status},
    {"location", WEB_PART_ANSWER, false, location_departs, say_location},
    {"type", WEB_PART_ANSWER, false, type_departs, say_type},
    {"body", WEB_PART_ANSWER, true, body_departs, say_body},
    {"policy", WEB_PART_ANSWER, false, policy_departs, say_policy},
};

void web_behaviour_departures(const struct web_behaviour *behaviour, void (*found)(void *arg, const char *setting),
                              void *arg)
{
    for (size_t i = 0; behaviour != NULL && i < COUNT(settings); i++)
        if (settings[i].departs(behaviour))
            found(arg, settings[i].setting);
}

void web_faults_hit(struct journal *journal, const struct web_host *host, unsigned conn,
                    const struct web_behaviour *behaviour, enum web_part part)
{
    bool answered = behaviour->body != WEB_BODY_SILENT;
    struct arena *arena = arena_new("web fault");
    for (size_t i = 0; i < COUNT(settings); i++) {
        if (settings[i].part != part || !settings[i].departs(behaviour) || !(answered || settings[i].unanswered))
            continue;
        const char *id = arena_printf(arena, "%s%s", host->fault_prefix, settings[i].setting);
        const char *fault = arena_printf(arena, "%s: %s", settings[i].setting, settings[i].say(arena, behaviour));
        journal_add(journal, JOURNAL_FAULT_HIT, host->name, conn, "id", id, "fault", fault, NULL);
    }
    arena_free(&arena);
}

const struct web_behaviour *web_behaviour_at(const struct web_host *host, int64_t count)
{
    bool holds = host->behaviour.nth == 0 || host->behaviour.nth == count;
    return holds ? &host->behaviour : &web_behaviour_usual;
}

static bool same_texts(const struct schema_texts *a, const struct schema_texts *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = same_text(a->items[i], b->items[i]);
    return same;
}

bool web_behaviour_equal(const struct web_behaviour *a, const struct web_behaviour *b)
{
    return a->https == b->https && a->status == b->status && same_text(a->location, b->location) &&
           same_text(a->type, b->type) && same_texts(&a->headers, &b->headers) && a->body == b->body &&
           same_text(a->policy, b->policy) && a->nth == b->nth && a->reports == b->reports;
}
