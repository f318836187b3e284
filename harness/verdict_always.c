/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/verdict_always.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/tree.h"
#include "harness/expect.h"

/* Does a connector say itself what the mode would say, from the beginning or from some step on? */
static bool connectors_say(const struct scenario *scenario, const char *key)
{
    const struct tree_node *list = scenario->sender.connectors;
    for (size_t i = 0; list != NULL && i < list->count; i++)
        if (tree_get(list->items[i], key) != NULL)
            return true;
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct tree_node *changes = scenario->steps[i].connectors;
        for (size_t k = 0; changes != NULL && k < changes->count; k++)
            if (tree_get(changes->entries[k].value, key) != NULL)
                return true;
    }
    return false;
}

static bool without_dane(const struct verdict_question *q)
{
    return mode_dane(q->mode) == MODE_DANE_NONE && !connectors_say(q->scenario, "smtp-dane");
}

static bool without_sts(const struct verdict_question *q)
{
    return mode_sts(q->mode) == MODE_STS_NONE && !connectors_say(q->scenario, "mta-sts");
}

static const struct rule {
    const char *word; /* of what must never be seen */
    enum expect_subject about;
    bool (*applies)(const struct verdict_question *q); /* NULL: always */
    const char *clause, *did;
} rules[] = {
    {"odd-sni", EXPECT_HOST, NULL, "6066-3-2", "named in SNI what is no host name in ASCII"},
    {"second-starttls", EXPECT_HOST, NULL, "3207-4.2-4", "said STARTTLS inside TLS"},
    {"tlsa-query", EXPECT_DNS, without_dane, NULL, "asked for TLSA records, at which its mode does not look"},
    {"mta-sts-query", EXPECT_DNS, without_sts, NULL, "asked for an MTA-STS policy, at which its mode does not look"},
};

static const char *sender_domain(const struct verdict_question *q)
{
    return q->step_count > 0 ? q->steps[0].plan->sender_domain : NULL;
}

static bool breaks(const struct rule *rule, const struct verdict_question *q, struct verdict_breach *out)
{
    if (rule->applies != NULL && !rule->applies(q))
        return false;
    const struct expect_row *row = expect_find(rule->about, rule->word);
    out->proof = expect_seen(q->journal, 0, journal_count(q->journal), row, NULL, sender_domain(q));
    out->did = rule->did;
    out->clause = rule->clause;
    return out->proof != NULL;
}

static bool offers_tls(const struct journal_event *event)
{
    const char *line = event->kind == JOURNAL_MX_SENT ? journal_get(event, "line") : "";
    return strlen(line) > 4 && strcasecmp(line + 4, "STARTTLS") == 0;
}

static bool wants_tls(const struct journal_event *event)
{
    return event->kind == JOURNAL_MX_COMMAND && strcasecmp(journal_get(event, "verb"), "STARTTLS") == 0;
}

/* Does the connection go on where STARTTLS was offered, and has the host heard none so far? */
static bool passes_tls_over(const struct verdict_question *q, const struct journal_event *sending)
{
    bool offered = false;
    for (size_t e = 0; e < sending->seq; e++) {
        const struct journal_event *event = journal_at(q->journal, e);
        if (wants_tls(event) && text_name_equal(event->host, sending->host))
            return false;
        offered |= offers_tls(event) && event->conn == sending->conn;
    }
    return offered;
}

/* 7435-3-5: in clear to a host that offers TLS, without an attempt at it; who has failed before may remember. */
static bool in_clear_for_no_reason(const struct verdict_question *q, struct verdict_breach *out)
{
    const struct expect_row *row = expect_find(EXPECT_HOST, "clear-mail-from");
    for (size_t e = 0; e < journal_count(q->journal); e++) {
        const struct journal_event *event = journal_at(q->journal, e);
        if (!row->is(event, NULL) || !passes_tls_over(q, event))
            continue;
        *out = (struct verdict_breach){"sent in clear, although the host offered STARTTLS", "7435-3-5", event};
        return true;
    }
    return false;
}

bool verdict_breach(const struct verdict_question *q, struct verdict_breach *out)
{
    for (size_t i = 0; i < COUNT(rules); i++)
        if (breaks(&rules[i], q, out))
            return true;
    return in_clear_for_no_reason(q, out);
}
