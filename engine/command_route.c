/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine route - which connector takes a recipient, and why. */
#include <stdlib.h>

#include "engine/command_words.h"
#include "engine/message.h"

static const char *const dane_words[] = {"opportunistic", "mandatory", "none"};
static const char *const sts_words[] = {"opportunistic", "none"};

static int do_route(const struct command_line *line)
{
    if (line->word_count != 1)
        return command_misused("route wants one recipient");
    size_t count;
    const struct connector *connectors = engine_connectors(line->config, &count);
    const char *domain = message_domain(line->arena, line->words[0]);
    struct connector_choice choice = connector_choose(connectors, count, domain);
    const struct connector *c = choice.connector;
    const char *route = c != NULL && c->smart_hosts.count > 0 ? c->smart_hosts.items[0] : domain;
    const char *dane = dane_words[c != NULL ? c->dane : DANE_OPPORTUNISTIC],
               *sts = sts_words[c != NULL ? c->mta_sts : MTA_STS_OPPORTUNISTIC];
    if (line->json) {
        json_t *answer = json_pack("{s:s,s:s,s:s?,s:s?,s:s,s:s,s:s,s:s}", "recipient", line->words[0], "domain", domain,
                                   "connector", c != NULL ? c->name : NULL, "scope", choice.scope, "why", choice.why,
                                   "smtp-dane", dane, "mta-sts", sts, "next-hop", route);
        command_print_json(stdout, answer);
        json_decref(answer);
    } else {
        printf("%s: connector %s (%s%s%s), smtp-dane %s, mta-sts %s, next hop %s\n", line->words[0],
               c != NULL ? c->name : "none", choice.why, choice.scope != NULL ? ": " : "",
               choice.scope != NULL ? choice.scope : "", dane, sts, route);
    }
    return EXIT_SUCCESS;
}

const struct command command_route = {.name = "route",
                                      .args = "RCPT",
                                      .doc = "which connector takes this recipient, and why",
                                      .run = do_route};
