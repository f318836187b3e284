/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tlsrpt.h"

#include <stdio.h>
#include <string.h>

#include "base/testing.h"

#define MX "mx1.partner.example"
static const char *const listed[] = {MX};
static const char *const unlisted[] = {"other.example"};
#define POLICY(in_force, patterns)                                                                                     \
    &(struct sts_facts)                                                                                                \
    {                                                                                                                  \
        .mode = in_force, .mx = patterns, .mx_count = 1                                                                \
    }
#define UNFETCHED(in_force, how)                                                                                       \
    &(struct sts_facts)                                                                                                \
    {                                                                                                                  \
        .mode = in_force, .mx = listed, .mx_count = 1, .failure = how                                                  \
    }
#define SKIP(what)                                                                                                     \
    {                                                                                                                  \
        .act = ACT_SKIP_HOST, .reason = what                                                                           \
    }
#define OK .course = TLS_DONE

#pragma GCC diagnostic ignored "-Woverride-init"

/* What is known of a session, and what it says: "policy:result", "policy:ok", parted by blanks. */
static const struct row {
    const char *name;
    enum tlsa_state tlsa;
    struct tlsrpt_session session;
    const char *says;
} rows[] = {
    {"T1 authenticated", TLSA_USABLE, {OK}, "tlsa:ok"},
    {"T2 no record matches", TLSA_USABLE, {OK, .tls.dane_failure = "validation-failure"}, "tlsa:validation-failure"},
    {"T4 all unusable, delivered over TLS", TLSA_UNUSABLE, {OK}, "tlsa:tlsa-invalid"},
    {"T4 (c) all unusable", TLSA_UNUSABLE, {.decision = SKIP(REASON_TLSA_INVALID)}, "tlsa:tlsa-invalid"},
    {"T5 unusable, no STARTTLS", TLSA_UNUSABLE, {.course = TLS_NOT_OFFERED}, "tlsa:starttls-not-supported"},
    {"T13 bogus TLSA", TLSA_LOOKUP_FAILED, {.decision = SKIP(REASON_DNSSEC_INVALID)}, "tlsa:dnssec-invalid"},
    {"D3 (c) no TLSA under mandatory", TLSA_ABSENT, {.decision = SKIP(REASON_DANE_REQUIRED)}, "tlsa:dane-required"},
    {"D3 (b) no TLSA", TLSA_ABSENT, {OK}, "no-policy-found:ok"},
    {"D1 no STARTTLS, no policy",
     TLSA_NOT_ASKED,
     {.course = TLS_NOT_OFFERED},
     "no-policy-found:starttls-not-supported"},
    {"S1 no STARTTLS under DANE", TLSA_USABLE, {.course = TLS_NOT_OFFERED}, "tlsa:starttls-not-supported"},
    {"S3 STARTTLS refused", TLSA_ABSENT, {.course = TLS_REFUSED}, "no-policy-found:starttls-not-supported"},
    {"S7 a failed handshake", TLSA_ABSENT, {.course = TLS_BROKEN}, "no-policy-found:validation-failure"},
    {"S19 no connection", TLSA_USABLE, {.course = TLS_UNTRIED}, ""},
    {"S19 no connection under a policy", TLSA_ABSENT, {.sts = POLICY(STS_ENFORCE, listed)}, ""},
    {"K1 DANE-EE: what PKIX says does not matter",
     TLSA_USABLE,
     {OK, .tls.pkix_failure = "certificate-expired"},
     "tlsa:ok"},
    {"V1 an enforce policy is met", TLSA_ABSENT, {OK, .sts = POLICY(STS_ENFORCE, listed)}, "sts:ok"},
    {"V2 not listed under enforce",
     TLSA_ABSENT,
     {.decision = SKIP(REASON_STS_MX_MISMATCH), .sts = POLICY(STS_ENFORCE, unlisted)},
     "sts:validation-failure"},
    {"V2 not listed under testing, delivered",
     TLSA_ABSENT,
     {OK, .sts = POLICY(STS_TESTING, unlisted)},
     "sts:validation-failure"},
    {"V7 expired under enforce",
     TLSA_ABSENT,
     {OK, .sts = POLICY(STS_ENFORCE, listed), .tls.pkix_failure = "certificate-expired"},
     "sts:certificate-expired"},
    {"R11 testing fails, delivered",
     TLSA_ABSENT,
     {OK, .sts = POLICY(STS_TESTING, listed), .tls.pkix_failure = "certificate-host-mismatch"},
     "sts:certificate-host-mismatch"},
    {"testing without STARTTLS",
     TLSA_ABSENT,
     {.course = TLS_NOT_OFFERED, .sts = POLICY(STS_TESTING, listed)},
     "sts:starttls-not-supported"},
    {"R21 mode none is as good as none", TLSA_ABSENT, {OK, .sts = POLICY(STS_MODE_NONE, listed)}, "no-policy-found:ok"},
    {"R21 mode none, no STARTTLS",
     TLSA_ABSENT,
     {.course = TLS_NOT_OFFERED, .sts = POLICY(STS_MODE_NONE, listed)},
     "no-policy-found:starttls-not-supported"},
    {"P14 no policy to be had",
     TLSA_ABSENT,
     {OK, .sts = UNFETCHED(STS_ABSENT, "sts-webpki-invalid")},
     "no-policy-found:ok sts:sts-webpki-invalid"},
    {"P12 the cached policy rules",
     TLSA_ABSENT,
     {OK, .sts = UNFETCHED(STS_ENFORCE, "sts-policy-fetch-error")},
     "sts:ok sts:sts-policy-fetch-error"},
    {"X2 both pass", TLSA_USABLE, {OK, .sts = POLICY(STS_ENFORCE, listed)}, "tlsa:ok sts:ok"},
    {"X2 DANE passes, the policy does not",
     TLSA_USABLE,
     {OK, .sts = POLICY(STS_ENFORCE, listed), .tls.pkix_failure = "certificate-not-trusted"},
     "tlsa:ok sts:certificate-not-trusted"},
    {"X2 DANE passes, the host is not listed",
     TLSA_USABLE,
     {OK, .sts = POLICY(STS_ENFORCE, unlisted)},
     "tlsa:ok sts:validation-failure"},
    {"X3 DANE fails, the policy passes",
     TLSA_USABLE,
     {OK, .sts = POLICY(STS_ENFORCE, listed), .tls.dane_failure = "validation-failure"},
     "tlsa:validation-failure sts:ok"},
    {"X5 the TLSA lookup failed: nothing of the policy",
     TLSA_LOOKUP_FAILED,
     {.decision = SKIP(REASON_DNSSEC_INVALID), .sts = POLICY(STS_ENFORCE, listed)},
     "tlsa:dnssec-invalid"},
    {"X8 no STARTTLS under both",
     TLSA_USABLE,
     {.course = TLS_NOT_OFFERED, .sts = POLICY(STS_ENFORCE, listed)},
     "tlsa:starttls-not-supported sts:starttls-not-supported"},
    {"L34 DANE none is silent about records", TLSA_USABLE, {OK, .dane = DANE_NONE}, "no-policy-found:ok"},
    {"a failed address lookup without DANE",
     TLSA_NOT_ASKED,
     {.dane = DANE_NONE, .decision = SKIP(REASON_DNS_FAILED)},
     ""},
};

START_TEST(sessions_are_tallied)
{
    const struct row *row = &rows[_i];
    struct host_facts host = {.name = MX, .tlsa = row->tlsa};
    struct tlsrpt_session session = row->session;
    struct tlsrpt_tally tallies[TLSRPT_TALLIES_MAX];
    char said[200] = "";
    session.domain = "partner.example";
    session.host = &host;
    size_t count = tlsrpt_tallies(&session, tallies);
    for (size_t i = 0; i < count; i++)
        snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s:%s", i > 0 ? " " : "",
                 tlsrpt_policy_words[tallies[i].policy], tallies[i].result != NULL ? tallies[i].result : "ok");
    ck_assert_msg(strcmp(said, row->says) == 0, "%s: '%s' instead of '%s'", row->name, said, row->says);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(tallies[i].domain, tallies[i].policy == TLSRPT_TLSA ? MX : "partner.example");
}
END_TEST

START_TEST(policy_strings)
{
    struct arena *arena = arena_new("test");
    static const unsigned char digest[] = {0xAB, 0x01};
    static const struct tlsa_record records[] = {{3, 1, 1, digest, sizeof digest},
                                                 {0, 1, 9, digest, 1},
                                                 {3, 1, 1, digest, 0}};
    struct host_facts host = {.name = MX, .tlsa_base = MX, .records = records, .record_count = 1, .published_count = 3};
    struct sts_facts policy = {.mode = STS_ENFORCE, .text = "version: STSv1\r\nmode: what\n\nmx: a\r\nmx: b"};
    struct tlsrpt_session session = {.host = &host, .sts = &policy};
    struct tlsrpt_strings tlsa = tlsrpt_policy_strings(arena, &session, TLSRPT_TLSA);
    ck_assert_uint_eq(tlsa.count, 3);
    ck_assert_str_eq(tlsa.items[2], "\\# 3 030101");
    ck_assert_str_eq(tlsa.items[0], "3 1 1 ab01");
    ck_assert_str_eq(tlsa.items[1], "0 1 9 ab");
    struct tlsrpt_strings sts = tlsrpt_policy_strings(arena, &session, TLSRPT_STS);
    ck_assert_uint_eq(sts.count, 4);
    ck_assert_str_eq(sts.items[1], "mode: what");
    ck_assert_str_eq(sts.items[3], "mx: b");
    ck_assert_uint_eq(tlsrpt_policy_strings(arena, &session, TLSRPT_NO_POLICY).count, 0);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(tlsrpt)
{
    TEST_LOOP(sessions_are_tallied, COUNT(rows));
    TEST(policy_strings);
}
