/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine route - which connector takes a recipient, and why. */
#include <stdlib.h>
#include <string.h>

#include "engine/command_words.h"
#include "engine/message.h"

/* What was said as --header, as the header of a message. */
static const char *header_of(const struct command_line *line, size_t *length)
{
    const char *header = "";
    for (size_t i = 0; i < line->said_count; i++)
        if (strcmp(line->said[i].option->name, "--header") == 0)
            header = arena_printf(line->arena, "%s%s\r\n", header, line->said[i].value);
    *length = strlen(header);
    return header;
}

static json_t *next_hops(const struct connector *c, const char *domain)
{
    json_t *hops = json_array();
    for (size_t i = 0; connector_by_smart_host(c) && i < c->smart_hosts.count; i++)
        json_array_append_new(hops, json_string(c->smart_hosts.items[i]));
    if (!connector_by_smart_host(c))
        json_array_append_new(hops, json_string(domain));
    return hops;
}

static json_t *describe(const struct route_question *question, const struct connector_choice *choice)
{
    const struct connector *c = choice->connector;
    return json_pack("{s:s,s:s,s:s?,s:s?,s:s,s:s?,s:s,s:s,s:s,s:b,s:o}", "recipient", question->recipient, "domain",
                     question->domain, "connector", c != NULL ? c->name : NULL, "scope", choice->scope, "why",
                     choice->why, "instead-of", choice->instead_of != NULL ? choice->instead_of->name : NULL,
                     "smtp-dane", connector_dane_words[c != NULL ? c->dane : DANE_OPPORTUNISTIC], "mta-sts",
                     connector_sts_words[c != NULL ? c->mta_sts : MTA_STS_OPPORTUNISTIC], "tls",
                     connector_tls_words[c != NULL ? c->tls : TLS_SETTING_OPPORTUNISTIC], "test-mode",
                     c != NULL && c->test_mode, "next-hops", next_hops(c, question->domain));
}

static const char *text_of(const json_t *answer, const char *key)
{
    const char *text = json_string_value(json_object_get(answer, key));
    return text != NULL ? text : "";
}

static void print_sentence(const json_t *answer, bool smart_host)
{
    const char *scope = text_of(answer, "scope"), *instead = text_of(answer, "instead-of"),
               *connector = text_of(answer, "connector");
    printf("%s: connector %s (%s%s%s", text_of(answer, "recipient"), *connector != '\0' ? connector : "none",
           text_of(answer, "why"), *scope != '\0' ? ": " : "", scope);
    printf("%s%s), smtp-dane %s, mta-sts %s, tls %s%s, by %s", *instead != '\0' ? ", instead of " : "", instead,
           text_of(answer, "smtp-dane"), text_of(answer, "mta-sts"), text_of(answer, "tls"),
           json_is_true(json_object_get(answer, "test-mode")) ? ", in test mode" : "", smart_host ? "" : "MX of ");
    const json_t *hops = json_object_get(answer, "next-hops");
    for (size_t i = 0; i < json_array_size(hops); i++)
        printf("%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(hops, i)));
    printf("\n");
}

static int do_route(const struct command_line *line)
{
    if (line->word_count != 1 || !command_is_recipient(line->arena, line->words[0]))
        return command_misused("route wants one recipient, user@domain");
    const char *sender = command_said(line, "--from");
    struct route_question question = {.sender = sender != NULL ? sender : "",
                                      .recipient = line->words[0],
                                      .domain = message_domain(line->arena, line->words[0])};
    question.header = header_of(line, &question.header_length);
    struct connector_choice choice = connector_choose(&line->config->routing, &question);
    json_t *answer = describe(&question, &choice);
    if (line->json)
        command_print_json(stdout, answer);
    else
        print_sentence(answer, connector_by_smart_host(choice.connector));
    json_decref(answer);
    return EXIT_SUCCESS;
}

static const struct command_option options[] = {
    {"--from", "SENDER", "whose mail it is, for rules; default the null sender"},
    {"--header", "FIELD", "a header field of the mail, for rules: 'X-Class: secret'; may be said several times"},
};
const struct command command_route = {.name = "route",
                                      .args = "RCPT",
                                      .doc = "which connector takes this recipient, and why",
                                      .run = do_route,
                                      .options = options,
                                      .option_count = COUNT(options)};
