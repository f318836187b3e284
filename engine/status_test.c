/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/status.h"

#include <string.h>

#include "base/testing.h"

/* clang-format off */
static const struct { const char *name; struct failure failure; const char *code, *begins; } cases[] = {
    {"no STARTTLS under DANE", {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_STARTTLS_NOT_SUPPORTED},
     "4.7.321", "starttls-not-supported: Destination mail server must support TLS to receive mail."},
    {"expired", {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_CERTIFICATE_EXPIRED},
     "4.7.322", "certificate-expired: Destination mail server's certificate is expired."},
    {"no record matches", {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_TLSA_INVALID},
     "4.7.323", "tlsa-invalid: The domain failed DANE validation."},
    {"mandatory, but no DANE", {.cause = CAUSE_HOST_SKIPPED, .reason = REASON_DANE_REQUIRED}, "4.7.323",
     "dane-required:"},
    {"mandatory, insecure denial", {.cause = CAUSE_INSECURE_DENIAL}, "4.7.323", "dane-required:"},
    {"bogus", {.cause = CAUSE_HOST_SKIPPED, .reason = REASON_DNSSEC_INVALID},
     "4.7.324", "dnssec-invalid: Destination domain returned invalid DNSSEC records"},
    {"wrong name", {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_CERTIFICATE_HOST_MISMATCH},
     "4.7.325", "certificate-host-mismatch: Remote certificate MUST have"},
    {"not in the policy", {.cause = CAUSE_HOST_SKIPPED, .reason = REASON_STS_MX_MISMATCH},
     "4.4.8", "MX hosts of partner.example failed MTA-STS validation"},
    {"policy's certificate", {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_STS_CERTIFICATE, .text = "UntrustedRoot"},
     "4.7.5", "Remote certificate failed MTA-STS validation. Reason: UntrustedRoot"},
    {"connector's certificate", {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_CONNECTOR_CERTIFICATE}, "4.7.320",
     "Certificate validation failed"},
    {"connector's TLS", {.cause = CAUSE_DEMAND_UNMET, .reason = REASON_TLS_REQUIRED}, "4.4.317",
     "Cannot establish session"},
    {"DNS", {.cause = CAUSE_DNS_FAILED}, "4.4.312", "DNS query failed"},
    {"bogus, told as bogus", {.cause = CAUSE_DNS_FAILED, .reason = REASON_DNSSEC_INVALID}, "4.7.324",
     "dnssec-invalid:"},
    {"no channel for REQUIRETLS", {.cause = CAUSE_REQUIRETLS_UNMET, .reason = REASON_REQUIRETLS_CHANNEL}, "5.7.10",
     "Encryption needed"},
    {"no REQUIRETLS offered", {.cause = CAUSE_REQUIRETLS_UNMET, .reason = REASON_REQUIRETLS_KEYWORD}, "5.7.30",
     "REQUIRETLS needed"},
    {"no address", {.cause = CAUSE_NO_ADDRESS}, "4.4.312", "DNS query failed [Message=InfoNoRecords]"},
    {"no domain", {.cause = CAUSE_NO_DOMAIN}, "5.4.310", "DNS domain partner.example does not exist"},
    {"null MX", {.cause = CAUSE_NULL_MX}, "5.1.10", "Recipient domain partner.example does not accept mail"},
    {"loop", {.cause = CAUSE_LOOP}, "5.4.6", "Routing loop: this server is the best mail host of partner.example"},
    {"timed out", {.cause = CAUSE_CONNECT_TIMEOUT}, "4.4.315", "Connection timed out"},
    {"refused", {.cause = CAUSE_CONNECT_REFUSED}, "4.4.316", "Connection refused"},
    {"no session", {.cause = CAUSE_GREETING_5XX, .reply_code = 554}, "4.4.317", "Cannot establish session"},
    {"closed", {.cause = CAUSE_LOST}, "4.4.318", "Connection was closed abruptly"},
    {"the server's own code", {.cause = CAUSE_RCPT_5XX, .reply_code = 550, .enhanced = "5.1.1",
     .text = "550 5.1.1 who?"}, "5.1.1", "550 5.1.1 who?"},
    {"without a code of its own", {.cause = CAUSE_RCPT_4XX, .reply_code = 450, .text = "450 later"}, "4.0.0",
     "450 later"},
    {"without one, for good", {.cause = CAUSE_BODY_5XX, .reply_code = 554, .text = "554 no"}, "5.0.0", "554 no"},
};
static const struct { const char *name; struct status last; const char *code, *text; } expiries[] = {
    {"twin",                 {"4.4.316", "Connection refused"},       "5.4.316", "Message expired, connection refused"},
    {"capitals stay",        {"4.4.312", "DNS query failed"},         "5.4.312", "Message expired, DNS query failed"},
    {"small stays small",    {"4.7.323", "tlsa-invalid: The domain"}, "5.7.323",
     "Message expired, tlsa-invalid: The domain"},
    {"permanent stays",      {"5.1.1",   "550 5.1.1 who?"},           "5.1.1",   "550 5.1.1 who?"},
};
/* clang-format on */

START_TEST(failures_have_codes)
{
    struct arena *arena = arena_new("test");
    struct status got = status_of(arena, &cases[_i].failure, "partner.example");
    ck_assert_msg(strcmp(got.code, cases[_i].code) == 0, "%s: %s", cases[_i].name, got.code);
    ck_assert_msg(strncmp(got.text, cases[_i].begins, strlen(cases[_i].begins)) == 0, "%s: %s", cases[_i].name,
                  got.text);
    ck_assert_ptr_null(strchr(got.text, '{'));
    arena_free(&arena);
}
END_TEST

START_TEST(every_cause_has_a_text)
{
    struct arena *arena = arena_new("test");
    struct failure failure = {.cause = (enum cause)_i, .reply_code = 450, .text = "detail"};
    struct status got = status_of(arena, &failure, "partner.example");
    bool special = _i == CAUSE_NONE || _i == CAUSE_HOST_SKIPPED || _i == CAUSE_DEMAND_UNMET ||
                   _i == CAUSE_REQUIRETLS_UNMET; /* told by their reason */
    ck_assert_msg(special || strcmp(got.text, "unknown failure") != 0, "%s", cause_name((enum cause)_i));
    arena_free(&arena);
}
END_TEST

START_TEST(expiry_has_the_twin)
{
    struct arena *arena = arena_new("test");
    struct status got = status_expired(arena, expiries[_i].last);
    ck_assert_str_eq(got.code, expiries[_i].code);
    ck_assert_str_eq(got.text, expiries[_i].text);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(status)
{
    TEST_LOOP(failures_have_codes, COUNT(cases));
    TEST_LOOP(every_cause_has_a_text, CAUSE_COUNT);
    TEST_LOOP(expiry_has_the_twin, COUNT(expiries));
}
