/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

#define MODE(dane, sts, message, channel)                                                                              \
    "{\"smtp-dane\":\"" dane "\",\"mta-sts\":\"" sts "\",\"message\":\"" message "\",\"channel\":" channel "}"
#define SIX(message)                                                                                                   \
    "\"modes\":[" MODE("opportunistic", "opportunistic", message, "null") "," MODE(                                    \
        "opportunistic", "none", message,                                                                              \
        "null") "," MODE("mandatory", "opportunistic", message,                                                        \
                         "null") "," MODE("mandatory", "none", message,                                                \
                                          "null") "," MODE("none", "opportunistic", message,                           \
                                                           "null") "," MODE("none", "none", "delivered",               \
                                                                            "\"clear\"") "]"
#define SEEN(hosts, policy)                                                                                            \
    "{\"domain\":\"p.example\",\"at\":\"2026-11-29T08:00:00Z\",\"mx\":{\"state\":\"found\",\"dnssec\":\"secure\"},"    \
    "\"hosts\":[" hosts "],\"policy\":" policy "," SIX("waits") "}"
#define CERTIFICATE(names, until)                                                                                      \
    "{\"subject\":\"a\",\"issuer\":\"b\",\"chain\":2,\"names\":\"" names                                               \
    "\",\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"" until "\"}"
#define HOST(name, more) "{\"host\":\"" name "\",\"address\":\"192.0.2.1\",\"dnssec\":\"secure\"" more "}"
#define RECORD(matches) ",\"tlsa\":\"usable\",\"records\":[{\"record\":\"3 1 1 00ff\",\"matches\":" matches "}]"
#define TLS ",\"tls\":\"TLSv1.3\""
#define NO_POLICY "{\"mode\":\"absent\"}"

static const struct {
    const char *name, *posture;
    const char *holds, *lacks; /* NULL: nothing */
} rows[] = {
    {"a matching record",
     SEEN(HOST("mx.p.example", TLS RECORD("0") ",\"certificate\":" CERTIFICATE("mx.p.example", "2027-01-01T00:00:00Z")),
          NO_POLICY),
     "tlsa: [3 1 1]\n", "certificate:"},
    {"a record of another key",
     SEEN(HOST("mx.p.example",
               TLS RECORD("null") ",\"certificate\":" CERTIFICATE("mx.p.example", "2027-01-01T00:00:00Z")),
          NO_POLICY),
     "tlsa: [3 1 1 of other-key]\n", NULL},
    {"a record of an issuer",
     SEEN(HOST("mx.p.example", TLS RECORD("1") ",\"certificate\":" CERTIFICATE("mx.p.example", "2027-01-01T00:00:00Z")),
          NO_POLICY),
     "tlsa: [3 1 1 of intermediate]\n", NULL},
    {"an old certificate of another name",
     SEEN(HOST("mx.p.example", TLS ",\"certificate\":" CERTIFICATE("a.b *.c.example", "2026-02-01T00:00:00Z")),
          NO_POLICY),
     "certificate: {dates: expired, names: [another.mx.p.example]}\n", NULL},
    {"a wildcard that covers",
     SEEN(HOST("mx.p.example", TLS ",\"certificate\":" CERTIFICATE("*.p.example", "2027-02-01T00:00:00Z")), NO_POLICY),
     "address: v4\nexpect:", "certificate:"},
    {"without STARTTLS", SEEN(HOST("mx.p.example", ""), NO_POLICY), "smtp: {starttls: hidden}\n", NULL},
    {"nobody answers", SEEN(HOST("mx.p.example", ",\"failure\":\"connect-timeout\""), NO_POLICY),
     "smtp: {tcp: stall}\n", NULL},
    {"a host elsewhere, unsigned",
     SEEN("{\"host\":\"in.mx.q.example\",\"address\":\"192.0.2.1\",\"dnssec\":\"insecure\"" TLS "}", NO_POLICY),
     "  q.example: {dnssec: unsigned}\n  in.mx.q.example:\n", "zone: yes"},
    {"a policy",
     SEEN(HOST("mx.p.example", TLS), "{\"mode\":\"enforce\",\"max-age\":600,\"mx\":[\"*.p.example\",\"a\\\"b\"]}"),
     "mta-sts: {mode: enforce, max-age: 600s, mx: [\"*.p.example\", \"a\\\"b\"]}\n", NULL},
    {"what each mode would do", SEEN(HOST("mx.p.example", ""), NO_POLICY),
     "  - when: {dane: none, mta-sts: none}\n    message: delivered\n    channel: clear\n", NULL},
    {"a mode that is no word", SEEN(HOST("mx.p.example", TLS), "{\"mode\":\"none}\\n  x: {\"}"), "expect:", "  x: {"},
    {"a name that is none", SEEN(HOST("mx.p.example: {}\\n  x", ""), NO_POLICY), NULL, "x"},
    {"something else", "{\"domain\":\"p.example\"}", NULL, "world"},
    {"a domain that does not exist", "{\"domain\":\"p.example\",\"mx\":{\"state\":\"no-domain\"}," SIX("bounces") "}",
     NULL, "world"},
};

START_TEST(a_posture_becomes_a_scenario)
{
    char *text = NULL;
    size_t size = 0;
    struct err err = {0};
    json_t *posture = json_loads(rows[_i].posture, 0, NULL);
    FILE *out = open_memstream(&text, &size);
    ck_assert_msg(posture != NULL, "%s: no JSON", rows[_i].name);
    ck_assert_msg(capture_print(posture, out, &err) == (rows[_i].holds != NULL), "%s: %s", rows[_i].name, err.text);
    fclose(out);
    ck_assert_msg(rows[_i].holds == NULL || strstr(text, rows[_i].holds) != NULL, "%s: '%s' is not in\n%s",
                  rows[_i].name, rows[_i].holds, text);
    ck_assert_msg(rows[_i].lacks == NULL || strstr(text, rows[_i].lacks) == NULL, "%s: '%s' is in\n%s", rows[_i].name,
                  rows[_i].lacks, text);
    json_decref(posture);
    free(text);
}
END_TEST

TEST_SUITE(capture)
{
    TEST_LOOP(a_posture_becomes_a_scenario, COUNT(rows));
}
