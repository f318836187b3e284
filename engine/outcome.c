/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/outcome.h"

#include <string.h>

#include "base/text.h"

enum scope { SCOPE_DESTINATION, SCOPE_HOST, SCOPE_ADDRESS, SCOPE_RECIPIENT };

/* Whom a failure concerns, what to do when no host is left, and how much it tells. A failure that concerns an address
 * goes on to the host's next address, then, like one that concerns the host, to the next host. One forged 554 greeting
 * must not bounce; an unmet REQUIRETLS bounces only where it is all that is wrong (8689-4.2.1-10), hence its weight;
 * a message that may have arrived (lost-after-dot) is not given to a second host at once. */
/* clang-format off */
static const struct { const char *name; enum scope scope; enum course last; int weight; } causes[] = {
    [CAUSE_NONE]              = {"none",              SCOPE_DESTINATION, COURSE_DEFER,  0},
    [CAUSE_NO_DOMAIN]         = {"no-domain",         SCOPE_DESTINATION, COURSE_BOUNCE, 3}, /* 5321-5.1 */
    [CAUSE_NULL_MX]           = {"null-mx",           SCOPE_DESTINATION, COURSE_BOUNCE, 3}, /* 7505-3-2 */
    [CAUSE_NO_ADDRESS]        = {"no-address",        SCOPE_DESTINATION, COURSE_DEFER,  2},
    [CAUSE_LOOP]              = {"loop",              SCOPE_DESTINATION, COURSE_BOUNCE, 3}, /* 5321-5.1-17 */
    [CAUSE_DNS_FAILED]        = {"dns-failed",        SCOPE_DESTINATION, COURSE_DEFER,  2}, /* 7672-2.1.2 */
    [CAUSE_INSECURE_DENIAL]   = {"insecure-denial",   SCOPE_DESTINATION, COURSE_DEFER,  3}, /* 7672-2.2.1 */
    [CAUSE_HOST_SKIPPED]      = {"host-skipped",      SCOPE_HOST,        COURSE_DEFER,  3},
    [CAUSE_HOST_UNRESOLVED]   = {"host-unresolved",   SCOPE_HOST,        COURSE_DEFER,  1},
    [CAUSE_REQUIRETLS_UNMET]  = {"requiretls-unmet",  SCOPE_ADDRESS,     COURSE_BOUNCE, 0}, /* 8689-4.2.1 */
    [CAUSE_CONNECT_REFUSED]   = {"connect-refused",   SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_CONNECT_TIMEOUT]   = {"connect-timeout",   SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_CONNECT_FAILED]    = {"connect-failed",    SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_GREETING_4XX]      = {"greeting-4xx",      SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_GREETING_5XX]      = {"greeting-5xx",      SCOPE_ADDRESS,     COURSE_DEFER,  1}, /* 5321-4.2.1 */
    [CAUSE_EHLO_4XX]          = {"ehlo-4xx",          SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_EHLO_5XX]          = {"ehlo-5xx",          SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_STARTTLS_BROKEN]   = {"starttls-broken",   SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_HANDSHAKE_FAILED]  = {"handshake-failed",  SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_DEMAND_UNMET]      = {"demand-unmet",      SCOPE_ADDRESS,     COURSE_DEFER,  3}, /* 7672-2.2-4, 8461-5-6 */
    [CAUSE_TIMEOUT]           = {"timeout",           SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_LOST]              = {"lost",              SCOPE_ADDRESS,     COURSE_DEFER,  1}, /* 5321-3.8-1 */
    [CAUSE_BAD_REPLY]         = {"bad-reply",         SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_CLOSING]           = {"closing",           SCOPE_ADDRESS,     COURSE_DEFER,  1},
    [CAUSE_TLS_WANTED]        = {"tls-wanted",        SCOPE_HOST,        COURSE_DEFER,  2},
    [CAUSE_TLS_INSISTED_ON]   = {"tls-insisted-on",   SCOPE_HOST,        COURSE_BOUNCE, 2}, /* 8689-4.2.2-2 */
    [CAUSE_MAIL_4XX]          = {"mail-4xx",          SCOPE_HOST,        COURSE_DEFER,  2},
    [CAUSE_MAIL_5XX]          = {"mail-5xx",          SCOPE_RECIPIENT,   COURSE_BOUNCE, 3},
    [CAUSE_RCPT_4XX]          = {"rcpt-4xx",          SCOPE_HOST,        COURSE_DEFER,  2},
    [CAUSE_RCPT_5XX]          = {"rcpt-5xx",          SCOPE_RECIPIENT,   COURSE_BOUNCE, 3},
    [CAUSE_DATA_4XX]          = {"data-4xx",          SCOPE_HOST,        COURSE_DEFER,  2},
    [CAUSE_DATA_5XX]          = {"data-5xx",          SCOPE_RECIPIENT,   COURSE_BOUNCE, 3},
    [CAUSE_BODY_4XX]          = {"body-4xx",          SCOPE_HOST,        COURSE_DEFER,  2},
    [CAUSE_BODY_5XX]          = {"body-5xx",          SCOPE_RECIPIENT,   COURSE_BOUNCE, 3},
    [CAUSE_LOST_AFTER_DOT]    = {"lost-after-dot",    SCOPE_RECIPIENT,   COURSE_DEFER,  3},
    [CAUSE_TOO_BIG]           = {"too-big",           SCOPE_HOST,        COURSE_BOUNCE, 2},
    [CAUSE_NO_8BIT]           = {"no-8bit",           SCOPE_HOST,        COURSE_BOUNCE, 2},
    [CAUSE_NO_SMTPUTF8]       = {"no-smtputf8",       SCOPE_HOST,        COURSE_BOUNCE, 2}, /* 6531-3.2 */
    [CAUSE_INTERNAL]          = {"internal",          SCOPE_DESTINATION, COURSE_DEFER,  3},
};
/* clang-format on */
static_assert(COUNT(causes) == CAUSE_COUNT, "every cause has its row");

struct failure failure_of(struct arena *arena, enum cause cause, const char *text)
{
    return (struct failure){.cause = cause, .text = text_escape(arena, text, strlen(text))};
}

struct failure failure_of_reply(struct arena *arena, enum cause cause, const struct smtp_reply *reply)
{
    struct failure f = {.cause = cause, .reply_code = reply->code, .text = smtp_reply_text(arena, reply)};
    memcpy(f.enhanced, reply->enhanced, sizeof f.enhanced);
    return f;
}

enum course outcome_course(enum cause cause, bool more_addresses, bool more_hosts)
{
    enum scope scope = causes[cause].scope;
    if (scope == SCOPE_ADDRESS && more_addresses)
        return COURSE_NEXT_ADDRESS;
    if ((scope == SCOPE_ADDRESS || scope == SCOPE_HOST) && more_hosts)
        return COURSE_NEXT_HOST;
    return causes[cause].last;
}

bool outcome_tells_more(enum cause before, enum cause after)
{
    return causes[after].weight >= causes[before].weight;
}

/* clang-format off */
static const struct { enum cause soft, hard; } replies[] = {
    [REPLY_TO_GREETING] = {CAUSE_GREETING_4XX, CAUSE_GREETING_5XX},
    [REPLY_TO_EHLO]     = {CAUSE_EHLO_4XX,     CAUSE_EHLO_5XX},
    [REPLY_TO_MAIL]     = {CAUSE_MAIL_4XX,     CAUSE_MAIL_5XX},
    [REPLY_TO_RCPT]     = {CAUSE_RCPT_4XX,     CAUSE_RCPT_5XX},
    [REPLY_TO_DATA]     = {CAUSE_DATA_4XX,     CAUSE_DATA_5XX},
    [REPLY_TO_BODY]     = {CAUSE_BODY_4XX,     CAUSE_BODY_5XX},
};
/* clang-format on */
static_assert(COUNT(replies) == REPLY_STEP_COUNT, "every step has its row");

/* By the first digit only (5321-4.2-2); 3xx decides nothing good outside of DATA and is then no proper reply. */
enum cause outcome_of_reply(enum reply_step step, int code)
{
    int good = step == REPLY_TO_DATA ? 3 : 2;
    if (code / 100 == good)
        return CAUSE_NONE;
    if (code == 421)
        return CAUSE_CLOSING;
    if (code == 530 && step == REPLY_TO_MAIL)
        return CAUSE_TLS_WANTED;
    if (code / 100 == 4)
        return replies[step].soft;
    return code / 100 == 5 ? replies[step].hard : CAUSE_BAD_REPLY;
}

bool outcome_again_in_clear(enum cause cause, bool tls_demanded)
{
    return !tls_demanded && (cause == CAUSE_HANDSHAKE_FAILED || cause == CAUSE_STARTTLS_BROKEN);
}

enum policy_reason outcome_without_tls(const struct policy_decision *decision, enum tlsa_state tlsa)
{
    enum tls_demand demand = decision->demand;
    if (decision->requiretls == REQUIRETLS_DEMANDED)
        return REASON_REQUIRETLS_CHANNEL;
    if (demand == DEMAND_PKIX)
        return REASON_STS_CERTIFICATE;
    if (demand == DEMAND_DANE || demand == DEMAND_DANE_AND_PKIX || tlsa == TLSA_UNUSABLE)
        return REASON_STARTTLS_NOT_SUPPORTED;
    return REASON_TLS_REQUIRED; /* the connector's own */
}

enum cause outcome_of_reason(enum cause usual, enum policy_reason reason)
{
    bool requiretls = reason == REASON_REQUIRETLS_CHANNEL || reason == REASON_REQUIRETLS_KEYWORD;
    return requiretls ? CAUSE_REQUIRETLS_UNMET : usual;
}

const char *cause_name(enum cause cause)
{
    return causes[cause].name;
}
