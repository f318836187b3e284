/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/outcome.h"

#include "base/testing.h"

/* What is tried while addresses and hosts remain, while hosts remain, and at the last. */
/* clang-format off */
static const struct { const char *name; enum cause cause; enum course addresses, hosts, last; } courses[] = {
    {"NXDOMAIN bounces",                       CAUSE_NO_DOMAIN,       COURSE_BOUNCE,       COURSE_BOUNCE,
     COURSE_BOUNCE},
    {"null MX bounces",                        CAUSE_NULL_MX,         COURSE_BOUNCE,       COURSE_BOUNCE,
     COURSE_BOUNCE},
    {"mail for oneself bounces",               CAUSE_LOOP,            COURSE_BOUNCE,       COURSE_BOUNCE,
     COURSE_BOUNCE},
    {"an insecure denial waits",               CAUSE_INSECURE_DENIAL, COURSE_DEFER,        COURSE_DEFER,
     COURSE_DEFER},
    {"DNS failure waits",                      CAUSE_DNS_FAILED,      COURSE_DEFER,        COURSE_DEFER,
     COURSE_DEFER},
    {"a skipped host leads to the next",       CAUSE_HOST_SKIPPED,    COURSE_NEXT_HOST,    COURSE_NEXT_HOST,
     COURSE_DEFER},
    {"refused connection: next address",       CAUSE_CONNECT_REFUSED, COURSE_NEXT_ADDRESS, COURSE_NEXT_HOST,
     COURSE_DEFER},
    {"5xx greeting never bounces",             CAUSE_GREETING_5XX,    COURSE_NEXT_ADDRESS, COURSE_NEXT_HOST,
     COURSE_DEFER},
    {"5xx EHLO never bounces",                 CAUSE_EHLO_5XX,        COURSE_NEXT_ADDRESS, COURSE_NEXT_HOST,
     COURSE_DEFER},
    {"an unmet demand never bounces at once",  CAUSE_DEMAND_UNMET,    COURSE_NEXT_ADDRESS, COURSE_NEXT_HOST,
     COURSE_DEFER},
    {"530 to MAIL waits",                      CAUSE_TLS_WANTED,      COURSE_NEXT_HOST,    COURSE_NEXT_HOST,
     COURSE_DEFER},
    {"5xx to RCPT bounces",                    CAUSE_RCPT_5XX,        COURSE_BOUNCE,       COURSE_BOUNCE,
     COURSE_BOUNCE},
    {"4xx to RCPT: next host",                 CAUSE_RCPT_4XX,        COURSE_NEXT_HOST,    COURSE_NEXT_HOST,
     COURSE_DEFER},
    {"5xx to the final dot bounces",           CAUSE_BODY_5XX,        COURSE_BOUNCE,       COURSE_BOUNCE,
     COURSE_BOUNCE},
    {"lost after the dot: no second host",     CAUSE_LOST_AFTER_DOT,  COURSE_DEFER,        COURSE_DEFER,
     COURSE_DEFER},
    {"REQUIRETLS unmet everywhere bounces",    CAUSE_REQUIRETLS_UNMET, COURSE_NEXT_ADDRESS, COURSE_NEXT_HOST,
     COURSE_BOUNCE},
    {"530 to MAIL, TLS waived and not to be had", CAUSE_TLS_INSISTED_ON, COURSE_NEXT_HOST, COURSE_NEXT_HOST,
     COURSE_BOUNCE},
    {"no SMTPUTF8 anywhere bounces",           CAUSE_NO_SMTPUTF8,     COURSE_NEXT_HOST,    COURSE_NEXT_HOST,
     COURSE_BOUNCE},
    {"too big everywhere bounces",             CAUSE_TOO_BIG,         COURSE_NEXT_HOST,    COURSE_NEXT_HOST,
     COURSE_BOUNCE},
};
/* clang-format on */

START_TEST(failures_have_courses)
{
    ck_assert_msg(outcome_course(courses[_i].cause, true, true) == courses[_i].addresses, "%s", courses[_i].name);
    ck_assert_msg(outcome_course(courses[_i].cause, false, true) == courses[_i].hosts, "%s", courses[_i].name);
    ck_assert_msg(outcome_course(courses[_i].cause, false, false) == courses[_i].last, "%s", courses[_i].name);
}
END_TEST

/* clang-format off */
static const struct { const char *name; enum reply_step step; int code; enum cause cause; } replies[] = {
    {"220",                      REPLY_TO_GREETING, 220, CAUSE_NONE},
    {"554 greeting",             REPLY_TO_GREETING, 554, CAUSE_GREETING_5XX},
    {"421 greeting",             REPLY_TO_GREETING, 421, CAUSE_CLOSING},
    {"450 greeting",             REPLY_TO_GREETING, 450, CAUSE_GREETING_4XX},
    {"354 to MAIL",              REPLY_TO_MAIL,     354, CAUSE_BAD_REPLY},
    {"530 to MAIL",              REPLY_TO_MAIL,     530, CAUSE_TLS_WANTED},
    {"530 to RCPT",              REPLY_TO_RCPT,     530, CAUSE_RCPT_5XX},
    {"251 to RCPT",              REPLY_TO_RCPT,     251, CAUSE_NONE},
    {"499 to RCPT",              REPLY_TO_RCPT,     499, CAUSE_RCPT_4XX},
    {"599 to RCPT",              REPLY_TO_RCPT,     599, CAUSE_RCPT_5XX},
    {"421 to RCPT",              REPLY_TO_RCPT,     421, CAUSE_CLOSING},
    {"354 to DATA",              REPLY_TO_DATA,     354, CAUSE_NONE},
    {"250 to DATA",              REPLY_TO_DATA,     250, CAUSE_BAD_REPLY},
    {"554 to the dot",           REPLY_TO_BODY,     554, CAUSE_BODY_5XX},
};
static const struct { const char *name; enum cause cause; bool demanded, clear; } clears[] = {
    {"handshake failed",            CAUSE_HANDSHAKE_FAILED, false, true},
    {"handshake failed, demanded",  CAUSE_HANDSHAKE_FAILED, true,  false},
    {"STARTTLS broken",             CAUSE_STARTTLS_BROKEN,  false, true},
    {"unmet demand",                CAUSE_DEMAND_UNMET,     false, false},
    {"a lost connection",           CAUSE_LOST,             false, false},
};
static const struct { const char *name; struct policy_decision decision; enum tlsa_state tlsa;
    enum policy_reason reason; } unmet[] = {
#define OF(demand_) {.demand = demand_}
    {"DANE",                OF(DEMAND_DANE),          TLSA_USABLE,    REASON_STARTTLS_NOT_SUPPORTED},
    {"DANE and MTA-STS",    OF(DEMAND_DANE_AND_PKIX), TLSA_USABLE,    REASON_STARTTLS_NOT_SUPPORTED},
    {"unusable records",    OF(DEMAND_TLS),           TLSA_UNUSABLE,  REASON_STARTTLS_NOT_SUPPORTED},
    {"MTA-STS",             OF(DEMAND_PKIX),          TLSA_ABSENT,    REASON_STS_CERTIFICATE},
    {"the connector",       OF(DEMAND_TLS),           TLSA_NOT_ASKED, REASON_TLS_REQUIRED},
#undef OF
    {"REQUIRETLS", {.demand = DEMAND_DANE, .requiretls = REQUIRETLS_DEMANDED}, TLSA_USABLE,
     REASON_REQUIRETLS_CHANNEL},
    {"REQUIRETLS, a wish", {.demand = DEMAND_DANE, .requiretls = REQUIRETLS_WISHED}, TLSA_USABLE,
     REASON_STARTTLS_NOT_SUPPORTED},
};
/* clang-format on */

START_TEST(replies_have_causes)
{
    enum cause got = outcome_of_reply(replies[_i].step, replies[_i].code);
    ck_assert_msg(got == replies[_i].cause, "%s: %s", replies[_i].name, cause_name(got));
}
END_TEST

START_TEST(clear_only_where_nothing_demands_tls)
{
    ck_assert_msg(outcome_again_in_clear(clears[_i].cause, clears[_i].demanded) == clears[_i].clear, "%s",
                  clears[_i].name);
}
END_TEST

START_TEST(an_unmet_demand_has_a_reason)
{
    ck_assert_msg(outcome_without_tls(&unmet[_i].decision, unmet[_i].tlsa) == unmet[_i].reason, "%s", unmet[_i].name);
}
END_TEST

START_TEST(security_outweighs_a_dead_connection)
{
    ck_assert(!outcome_tells_more(CAUSE_DEMAND_UNMET, CAUSE_CONNECT_REFUSED));
    ck_assert(outcome_tells_more(CAUSE_CONNECT_REFUSED, CAUSE_DEMAND_UNMET));
    ck_assert(outcome_tells_more(CAUSE_NONE, CAUSE_CONNECT_REFUSED));
    ck_assert(outcome_tells_more(CAUSE_DEMAND_UNMET, CAUSE_HOST_SKIPPED)); /* among equals the later one */
}
END_TEST

/* What may pass by itself outweighs it, in either order (8689-4.2.1-10). */
START_TEST(requiretls_bounces_only_where_nothing_else_is_wrong)
{
    ck_assert(outcome_tells_more(CAUSE_NONE, CAUSE_REQUIRETLS_UNMET));
    ck_assert(outcome_tells_more(CAUSE_REQUIRETLS_UNMET, CAUSE_CONNECT_REFUSED));
    ck_assert(!outcome_tells_more(CAUSE_CONNECT_REFUSED, CAUSE_REQUIRETLS_UNMET));
    ck_assert_int_eq(outcome_of_reason(CAUSE_HOST_SKIPPED, REASON_DANE_REQUIRED), CAUSE_HOST_SKIPPED);
    ck_assert_int_eq(outcome_of_reason(CAUSE_HOST_SKIPPED, REASON_REQUIRETLS_CHANNEL), CAUSE_REQUIRETLS_UNMET);
    ck_assert_int_eq(outcome_of_reason(CAUSE_DEMAND_UNMET, REASON_REQUIRETLS_KEYWORD), CAUSE_REQUIRETLS_UNMET);
}
END_TEST

TEST_SUITE(outcome)
{
    TEST_LOOP(failures_have_courses, COUNT(courses));
    TEST_LOOP(replies_have_causes, COUNT(replies));
    TEST_LOOP(clear_only_where_nothing_demands_tls, COUNT(clears));
    TEST_LOOP(an_unmet_demand_has_a_reason, COUNT(unmet));
    TEST(security_outweighs_a_dead_connection);
    TEST(requiretls_bounces_only_where_nothing_else_is_wrong);
}
