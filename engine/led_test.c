/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/led.h"

#include "base/testing.h"

/* clang-format off */
static const struct { const char *name; struct led led; const char *text; } cases[] = {
    {"a refused connection",
     {{"4.4.316", "Connection refused [Message=errno 111]"}, "mx.example", "203.0.113.5:25", "relay.example",
      1509538365},
     "Reason: [{LED=450 4.4.316 Connection refused [Message=errno 111] [LastAttemptedServerName=mx.example]"
     " [LastAttemptedIP=203.0.113.5:25] [relay.example 2017-11-01T12:12:45Z]};{MSG=};{FQDN=mx.example};"
     "{IP=203.0.113.5};{LRT=11/1/2017 12:12:45 PM}]. OutboundProxyTargetIP: 203.0.113.5."
     " OutboundProxyTargetHostName: mx.example"},
    {"IPv6, after expiry, at midnight",
     {{"5.4.315", "Message expired, connection timed out"}, "mx.example", "[2001:db8::5]:25", "r", 1509494400},
     "Reason: [{LED=550 5.4.315 Message expired, connection timed out [LastAttemptedServerName=mx.example]"
     " [LastAttemptedIP=[2001:db8::5]:25] [r 2017-11-01T00:00:00Z]};{MSG=};{FQDN=mx.example};{IP=2001:db8::5};"
     "{LRT=11/1/2017 12:00:00 AM}]. OutboundProxyTargetIP: 2001:db8::5. OutboundProxyTargetHostName: mx.example"},
    {"what a server said itself keeps its code",
     {{"4.2.1", "451 4.2.1 later"}, "mx.example", NULL, "r", 1509494400},
     "Reason: [{LED=451 4.2.1 later [LastAttemptedServerName=mx.example] [r 2017-11-01T00:00:00Z]};{MSG=};"
     "{FQDN=mx.example};{IP=};{LRT=11/1/2017 12:00:00 AM}]. OutboundProxyTargetHostName: mx.example"},
    {"no server at all",
     {{"4.4.312", "DNS query failed"}, NULL, NULL, "r", 1509494400},
     "Reason: [{LED=450 4.4.312 DNS query failed [r 2017-11-01T00:00:00Z]};{MSG=};{FQDN=};{IP=};"
     "{LRT=11/1/2017 12:00:00 AM}]."},
};
/* clang-format on */

START_TEST(details_are_worded)
{
    struct arena *arena = arena_new("test");
    ck_assert_str_eq(led_text(arena, &cases[_i].led), cases[_i].text);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(led)
{
    TEST_LOOP(details_are_worded, COUNT(cases));
}
