/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "engine/tlsa.h"

const char *const tlsrpt_policy_words[] = {"tlsa", "sts", "no-policy-found"};
static_assert(COUNT(tlsrpt_policy_words) == TLSRPT_POLICY_COUNT, "every policy has its word");

/* What a session without TLS is called, whatever the policy (8460-4.3.1-1, 8460-4.3.3-1). */
static const char *const without_tls[] = {
    [TLS_UNTRIED] = NULL,
    [TLS_NOT_OFFERED] = "starttls-not-supported",
    [TLS_REFUSED] = "starttls-not-supported",
    [TLS_BROKEN] = "validation-failure",
    [TLS_DONE] = NULL,
};

static bool was_skipped(const struct tlsrpt_session *s)
{
    return s->decision.act == ACT_SKIP_HOST;
}

/* Nothing is known of what the host's TLS is like: a dead connection, a greeting that sends away (8460-4.3.4-1). */
static bool says_nothing(const struct tlsrpt_session *s)
{
    return !was_skipped(s) && s->course == TLS_UNTRIED;
}

/* ---- tlsa ---- */

/* Why DANE alone kept the host from being tried; NULL: it did not. */
static const char *skipped_by_dane(const struct tlsrpt_session *s)
{
    static const char *const results[REASON_COUNT] = {
        [REASON_DNSSEC_INVALID] = "dnssec-invalid",
        [REASON_DANE_REQUIRED] = "dane-required",
        [REASON_TLSA_INVALID] = "tlsa-invalid",
    };
    return was_skipped(s) ? results[s->decision.reason] : NULL;
}

static bool under_dane(const struct tlsrpt_session *s)
{
    bool has_records = s->host->tlsa == TLSA_USABLE || s->host->tlsa == TLSA_UNUSABLE;
    return s->dane != DANE_NONE && (skipped_by_dane(s) != NULL || has_records);
}

static const char *dane_result(const struct tlsrpt_session *s)
{
    if (skipped_by_dane(s) != NULL)
        return skipped_by_dane(s);
    if (s->course != TLS_DONE)
        return without_tls[s->course];
    if (s->host->tlsa == TLSA_UNUSABLE)
        return "tlsa-invalid"; /* 8460-4.3.2.1-1: delivered or not */
    return s->tls.dane_failure;
}

static size_t tally_dane(const struct tlsrpt_session *s, struct tlsrpt_tally *out)
{
    if (!under_dane(s) || (was_skipped(s) && skipped_by_dane(s) == NULL))
        return 0;
    const char *base = s->host->tlsa_base != NULL ? s->host->tlsa_base : s->host->name;
    *out = (struct tlsrpt_tally){TLSRPT_TLSA, base, dane_result(s), s->why};
    return 1;
}

/* ---- sts ---- */

/* A policy of mode none is as good as none (8461-6). */
static bool under_sts(const struct tlsrpt_session *s)
{
    return s->sts != NULL && (s->sts->mode == STS_ENFORCE || s->sts->mode == STS_TESTING);
}

static bool is_listed(const struct tlsrpt_session *s)
{
    return sts_mx_matches(s->sts->mx, s->sts->mx_count, s->host->name);
}

static size_t tally_sts(const struct tlsrpt_session *s, struct tlsrpt_tally *out)
{
    bool unlisted = under_sts(s) && !is_listed(s);
    bool kept_off = was_skipped(s) && !(unlisted && s->decision.reason == REASON_STS_MX_MISMATCH);
    if (!under_sts(s) || kept_off)
        return 0;
    *out = (struct tlsrpt_tally){TLSRPT_STS, s->domain, without_tls[s->course], s->why};
    if (unlisted && out->result == NULL) {
        out->result = "validation-failure"; /* 8460 has no word of its own for it */
        out->reason = "the policy does not list this MX host";
    } else if (s->course == TLS_DONE) {
        out->result = s->tls.pkix_failure;
        out->reason = s->tls.pkix_detail;
    }
    return 1;
}

/* A policy that could not be had, whether or not an older one rules in its place. */
static size_t tally_fetch(const struct tlsrpt_session *s, struct tlsrpt_tally *out)
{
    if (s->sts == NULL || s->sts->failure == NULL)
        return 0;
    *out = (struct tlsrpt_tally){TLSRPT_STS, s->domain, s->sts->failure, s->sts->why};
    return 1;
}

/* ---- together ---- */

static size_t tally_no_policy(const struct tlsrpt_session *s, struct tlsrpt_tally *out)
{
    if (under_dane(s) || under_sts(s) || was_skipped(s))
        return 0;
    *out = (struct tlsrpt_tally){TLSRPT_NO_POLICY, s->domain, without_tls[s->course], s->why};
    return 1;
}

size_t tlsrpt_tallies(const struct tlsrpt_session *s, struct tlsrpt_tally tallies[TLSRPT_TALLIES_MAX])
{
    size_t count = 0;
    if (says_nothing(s))
        return 0;
    count += tally_dane(s, &tallies[count]);
    count += tally_sts(s, &tallies[count]);
    count += tally_no_policy(s, &tallies[count]);
    count += tally_fetch(s, &tallies[count]);
    for (size_t i = 0; i < count; i++)
        if (tallies[i].result == NULL)
            tallies[i].reason = NULL;
    return count;
}

/* ---- policy-string ---- */

static void add_records(struct arena *arena, const struct host_facts *host, struct tlsrpt_strings *out)
{
    for (size_t i = 0; i < host->published_count; i++)
        *ARENA_PUSH(arena, out) = tlsa_text(arena, &host->records[i]);
}

/* Lines end in LF or CRLF (erratum 6253); what a peer put there travels as JSON. */
static void add_lines(struct arena *arena, const char *text, struct tlsrpt_strings *out)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n"), kept = length;
        while (kept > 0 && text[kept - 1] == '\r')
            kept--;
        if (kept > 0)
            *ARENA_PUSH(arena, out) = text_escape(arena, text, kept);
        text += length + (text[length] == '\n');
    }
}

struct tlsrpt_strings tlsrpt_policy_strings(struct arena *arena, const struct tlsrpt_session *s,
                                            enum tlsrpt_policy policy)
{
    struct tlsrpt_strings strings = {0};
    if (policy == TLSRPT_TLSA && s->host->tlsa_base != NULL)
        add_records(arena, s->host, &strings);
    else if (policy == TLSRPT_STS && under_sts(s) && s->sts->text != NULL)
        add_lines(arena, s->sts->text, &strings);
    return strings;
}
