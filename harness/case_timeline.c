/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/case_timeline.h"

#include <string.h>

#include "base/text.h"

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

/* The questions that a sender asks for mail's sake, and whatever failed; not how a resolver walks down the tree. */
static bool tells_dns(const struct journal_event *event)
{
    static const char *const types[] = {"MX", "TLSA", "TXT", "CNAME", NULL};
    static const char *const fine[] = {"NOERROR", "NXDOMAIN", NULL};
    bool onwards = strncmp(journal_get(event, "answer"), "referral ", 9) == 0;
    return (is_one_of(journal_get(event, "qtype"), types) && !onwards) || !is_one_of(journal_get(event, "rcode"), fine);
}

/* Replies that are as usual go without saying. */
static bool tells_reply(const struct journal_event *event)
{
    char first = journal_get(event, "line")[0];
    return first != '2' && first != '3';
}

static bool always(const struct journal_event *event UNUSED)
{
    return true;
}

static bool (*const tells[JOURNAL_KIND_COUNT])(const struct journal_event *event) = {
    [JOURNAL_DNS_ANSWER] = tells_dns,  [JOURNAL_MX_CONNECT] = always,   [JOURNAL_MX_SENT] = tells_reply,
    [JOURNAL_MX_COMMAND] = always,     [JOURNAL_MX_TLS] = always,       [JOURNAL_MX_TLS_FAILED] = always,
    [JOURNAL_MX_MESSAGE] = always,     [JOURNAL_WEB_CONNECT] = always,  [JOURNAL_WEB_REQUEST] = always,
    [JOURNAL_WEB_ANSWER] = always,     [JOURNAL_FAULT_HIT] = always,    [JOURNAL_LAB_SUBMIT] = always,
    [JOURNAL_LAB_ADVANCE] = always,    [JOURNAL_LAB_CHANGE] = always,   [JOURNAL_LAB_TROUBLE] = always,
    [JOURNAL_SUBJECT_STATUS] = always, [JOURNAL_SUBJECT_SAYS] = always, [JOURNAL_LAB_REPORT] = always,
    [JOURNAL_CA_REQUEST] = always,
};

static bool is_senders_own(const struct journal_event *event, const char *sender_domain)
{
    return sender_domain != NULL &&
           (text_name_under(journal_get(event, "qname"), sender_domain) || text_name_under(event->host, sender_domain));
}

static bool is_shown(const struct journal_event *event, const struct journal_event *proof, const char *sender_domain)
{
    return event == proof ||
           (tells[event->kind] != NULL && tells[event->kind](event) && !is_senders_own(event, sender_domain));
}

static struct case_line line_of(struct arena *arena, const struct journal_event *event, bool proof)
{
    return (struct case_line){(double)event->at_us / 1e6, journal_kind_actor(event->kind),
                              journal_sentence(arena, event), proof};
}

void case_timeline(struct arena *arena, const struct journal *journal, size_t from, const struct journal_event *proof,
                   const char *sender_domain, size_t most, struct case_result *out)
{
    size_t shown = 0, position = 0, left_out = 0;
    for (size_t i = from; i < journal_count(journal); i++)
        shown += is_shown(journal_at(journal, i), proof, sender_domain);
    out->lines = arena_alloc(arena, (most + 3) * sizeof *out->lines);
    for (size_t i = from; i < journal_count(journal); i++) {
        const struct journal_event *event = journal_at(journal, i);
        if (!is_shown(event, proof, sender_domain))
            continue;
        bool middle = position >= most / 2 && position + most / 2 < shown && event != proof;
        position++;
        left_out += middle;
        if (middle && left_out > 1)
            continue;
        out->lines[out->line_count++] = line_of(arena, event, event == proof);
        if (middle)
            out->lines[out->line_count - 1].text =
                arena_printf(arena, "... %zu lines left out ...", shown - most / 2 * 2);
    }
}
