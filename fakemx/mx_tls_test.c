/* SPDX-License-Identifier: BSD-2-Clause
 * Handshakes over loopback with a client of OpenSSL's: what is shown, what is witnessed. */
#include <string.h>

#include "base/testing.h"
#include "fakemx/mx_probe_test.h"

/* Says EHLO and STARTTLS; true when the 220 came. */
static bool ask_for_tls(struct probe *probe)
{
    ck_assert(probe_connect(probe));
    probe_reply(probe);
    probe_say(probe, "EHLO probe");
    probe_reply(probe);
    probe_say(probe, "STARTTLS");
    return strncmp(probe_reply(probe), "220", 3) == 0;
}

static SSL_CTX *client(const struct probe *probe, int lowest, int highest, bool verifies, bool trusts)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, lowest);
    SSL_CTX_set_max_proto_version(context, highest);
    if (lowest < TLS1_2_VERSION)
        SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0");
    if (verifies)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (trusts)
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), identity_certificate(probe->root));
    return context;
}

static const struct {
    const char *name, *smtp, *sni;
    int lowest, highest; /* of the client */
    bool verifies, trusts;
    const char *version;     /* of MX_TLS, NULL: it fails */
    const char *certificate; /* its label; "?": one that is made */
    const char *failure;     /* in MX_TLS_FAILED, NULL: none */
    const char *offered, *hits;
} handshakes[] = {
    {"TLS 1.3", "{}", "mx1.partner.example", TLS1_2_VERSION, TLS1_3_VERSION, true, true, "TLSv1.3", "trusted", NULL,
     "TLSv1.3 TLSv1.2", "certificate"},
    {"TLS 1.2", "{}", "mx1.partner.example", TLS1_2_VERSION, TLS1_2_VERSION, true, true, "TLSv1.2", "trusted", NULL,
     "TLSv1.2", "certificate"},
    {"no SNI", "{}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, true, true, "TLSv1.3", "trusted", NULL, NULL, "certificate"},
    {"another SNI", "{}", "nobody.example", TLS1_2_VERSION, TLS1_3_VERSION, true, true, "TLSv1.3", "trusted", NULL,
     NULL, "certificate"},
    {"SNI of another certificate", "{}", "OTHER.example", TLS1_2_VERSION, TLS1_3_VERSION, true, true, "TLSv1.3", "?",
     NULL, NULL, "certificate"},
    {"client rejects it in TLS 1.3", "{}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, true, false, NULL, NULL,
     "alert from the client: unknown CA", NULL, "certificate"},
    {"client rejects it in TLS 1.2", "{}", NULL, TLS1_2_VERSION, TLS1_2_VERSION, true, false, NULL, NULL,
     "alert from the client: unknown CA", NULL, "certificate"},
    {"TLS 1.2 only", "{tls-versions: tls1.2-only}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, false, false, "TLSv1.2",
     "trusted", NULL, NULL, "tls-versions certificate"},
    {"TLS 1.3 only", "{tls-versions: tls1.3-only}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, false, false, "TLSv1.3",
     "trusted", NULL, NULL, "tls-versions certificate"},
    {"TLS 1.3 only is too new", "{tls-versions: tls1.3-only}", NULL, TLS1_2_VERSION, TLS1_2_VERSION, false, false, NULL,
     NULL, "alert to the client: protocol version", NULL, "tls-versions"},
    {"TLS 1.0 only", "{tls-versions: tls1.0-only}", NULL, TLS1_VERSION, TLS1_3_VERSION, false, false, "TLSv1",
     "trusted", NULL, "TLSv1.3 TLSv1.2 TLSv1.1 TLSv1", "tls-versions certificate"},
    {"TLS 1.0 only is too old", "{tls-versions: tls1.0-only}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, false, false, NULL,
     NULL, "alert to the client: protocol version", NULL, "tls-versions"},
    {"a client of yesterday", "{}", NULL, TLS1_VERSION, TLS1_VERSION, false, false, NULL, NULL,
     "alert to the client: protocol version", "TLSv1", ""},
    {"SNI required and right", "{sni-required: yes}", "mx1.partner.example.", TLS1_2_VERSION, TLS1_3_VERSION, false,
     false, "TLSv1.3", "trusted", NULL, NULL, "sni-required certificate"},
    {"SNI required and wrong", "{sni-required: yes}", "nobody.example", TLS1_2_VERSION, TLS1_3_VERSION, false, false,
     NULL, NULL, "alert to the client: unrecognized name", NULL, "sni-required"},
    {"SNI required and missing", "{sni-required: yes}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, false, false, NULL, NULL,
     "alert to the client: unrecognized name", NULL, "sni-required"},
    {"asked for a certificate", "{client-certificate: asked}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, false, false,
     "TLSv1.3", "trusted", NULL, NULL, "client-certificate certificate"},
    {"without the certificate it must have", "{client-certificate: required}", NULL, TLS1_2_VERSION, TLS1_2_VERSION,
     false, false, NULL, NULL, "peer did not return a certificate", NULL, "client-certificate certificate"},
    {"anonymous suites that the client does not have", "{ciphers: anonymous}", NULL, TLS1_2_VERSION, TLS1_3_VERSION,
     false, false, NULL, NULL, "alert to the client: handshake failure", NULL, "ciphers"},
    {"another group than the first", "{groups: p384-only}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, true, true, "TLSv1.3",
     "trusted", NULL, NULL, "groups certificate"},
    {"TLS 1.2 has no second hello", "{groups: p384-only}", NULL, TLS1_2_VERSION, TLS1_2_VERSION, true, true, "TLSv1.2",
     "trusted", NULL, NULL, "certificate"},
    {"flooded", "{starttls: flooded}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, false, false, "TLSv1.3", "trusted", NULL,
     NULL, "certificate starttls"},
    {"not flooded by TLS 1.2", "{starttls: flooded}", NULL, TLS1_2_VERSION, TLS1_2_VERSION, false, false, NULL, NULL,
     "alert to the client: protocol version", NULL, ""},
    {"renegotiated", "{starttls: renegotiated}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, false, false, "TLSv1.2",
     "trusted", NULL, NULL, "certificate starttls"},
    {"not renegotiated by TLS 1.3", "{starttls: renegotiated}", NULL, TLS1_3_VERSION, TLS1_3_VERSION, false, false,
     NULL, NULL, "alert to the client: protocol version", NULL, ""},
    {"a short hello", "{hello-limit: 16000}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, true, true, "TLSv1.3", "trusted",
     NULL, NULL, "certificate"},
    {"an alert", "{starttls: alert}", NULL, TLS1_2_VERSION, TLS1_3_VERSION, false, false, NULL, NULL,
     "alert to the client: handshake failure", NULL, "starttls"},
};

static void check_failure(struct probe *probe, const char *name, const char *failure)
{
    const struct journal_event *event = probe_event(probe, JOURNAL_MX_TLS_FAILED);
    ck_assert_msg((event != NULL) == (failure != NULL), "%s", name);
    if (event != NULL)
        ck_assert_msg(strstr(journal_get(event, "reason"), failure) != NULL, "%s: %s", name,
                      journal_get(event, "reason"));
    ck_assert_msg(failure == NULL || probe_event(probe, JOURNAL_MX_CLOSE) != NULL, "%s", name);
}

static void check_success(struct probe *probe, size_t row)
{
    const char *name = handshakes[row].name, *sni = handshakes[row].sni;
    const struct journal_event *event = probe_event(probe, JOURNAL_MX_TLS);
    ck_assert_msg((event != NULL) == (handshakes[row].version != NULL), "%s", name);
    if (event == NULL)
        return;
    const struct identity *shown = handshakes[row].certificate[0] == '?' ? probe->other : probe->identity;
    ck_assert_msg(strcmp(journal_get(event, "version"), handshakes[row].version) == 0, "%s", name);
    ck_assert_msg(strcmp(journal_get(event, "sni"), sni != NULL ? sni : "") == 0, "%s", name);
    ck_assert_str_eq(journal_get(event, "resumed"), "no");
    ck_assert_str_eq(journal_get(event, "spki_sha256"), identity_tlsa_data(probe->arena, shown, 1, 1));
    ck_assert_str_eq(journal_get(event, "cert_sha256"), identity_tlsa_data(probe->arena, shown, 0, 1));
    if (shown == probe->identity)
        ck_assert_str_eq(journal_get(event, "certificate"), "trusted");
    else
        ck_assert_uint_eq(strlen(journal_get(event, "certificate")), strlen("41aa…07"));
}

START_TEST(handshakes_are_witnessed)
{
    struct probe *probe = probe_new(handshakes[_i].smtp);
    SSL_CTX *context =
        client(probe, handshakes[_i].lowest, handshakes[_i].highest, handshakes[_i].verifies, handshakes[_i].trusts);
    ck_assert(ask_for_tls(probe));
    bool ok = probe_tls(probe, context, handshakes[_i].sni);
    const struct journal_event *hello = probe_event(probe, JOURNAL_MX_HELLO);
    ck_assert_msg(ok == (handshakes[_i].version != NULL), "%s", handshakes[_i].name);
    ck_assert_ptr_nonnull(hello);
    if (handshakes[_i].offered != NULL)
        ck_assert_str_eq(journal_get(hello, "versions"), handshakes[_i].offered);
    check_success(probe, (size_t)_i);
    probe_disconnect(probe);
    check_failure(probe, handshakes[_i].name, handshakes[_i].failure);
    ck_assert_msg(strcmp(probe_hits(probe), handshakes[_i].hits) == 0, "%s: hits '%s'", handshakes[_i].name,
                  probe_hits(probe));
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

START_TEST(an_anonymous_handshake_shows_no_certificate)
{
    struct probe *probe = probe_new("{ciphers: anonymous}");
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_2_VERSION, false, false);
    SSL_CTX_set_cipher_list(context, "aNULL:@SECLEVEL=0");
    ck_assert(ask_for_tls(probe));
    ck_assert(probe_tls(probe, context, NULL));
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_TLS), "certificate"), "none");
    ck_assert_str_eq(probe_hits(probe), "ciphers");
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

START_TEST(a_hello_that_is_too_long_ends_it)
{
    struct probe *probe = probe_new("{hello-limit: 64}");
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_3_VERSION, false, false);
    ck_assert(ask_for_tls(probe));
    ck_assert(!probe_tls(probe, context, NULL));
    ck_assert_ptr_null(probe_event(probe, JOURNAL_MX_HELLO));
    ck_assert_ptr_nonnull(probe_event(probe, JOURNAL_MX_TLS_FAILED));
    ck_assert_str_eq(probe_hits(probe), "hello-limit");
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

static const struct {
    const char *takes;
    bool beside; /* is what is shown */
} keys[] = {
    {"ECDSA+SHA256:RSA-PSS+SHA256", false},
    {"RSA-PSS+SHA256:ECDSA+SHA256", false},
    {"RSA-PSS+SHA256", true},
};

START_TEST(of_two_keys_the_first_that_the_client_takes_is_shown)
{
    struct probe *probe = probe_new("{}");
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_3_VERSION, false, false);
    ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(context, keys[_i].takes), 1);
    const struct identity *rsa = probe_stand_beside(probe), *shown = keys[_i].beside ? rsa : probe->identity;
    ck_assert(ask_for_tls(probe));
    ck_assert(probe_tls(probe, context, "mx1.partner.example"));
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_TLS), "spki_sha256"),
                     identity_tlsa_data(probe->arena, shown, 1, 1));
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

static int takes_only_raw_keys(SSL *ssl UNUSED, unsigned type UNUSED, unsigned context UNUSED,
                               const unsigned char **extension, size_t *length, X509 *certificate UNUSED,
                               size_t place UNUSED, int *alert UNUSED, void *arg UNUSED)
{
    static const unsigned char types[] = {1, 2};
    *extension = types;
    *length = sizeof types;
    return 1;
}

/* An OpenSSL that knows raw keys itself does not let a test play with the extension. */
START_TEST(an_offer_to_take_a_raw_key_is_witnessed)
{
    struct probe *probe = probe_new("{}");
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_3_VERSION, false, false);
    enum { CERTIFICATE_TYPES = 20 };
    bool added = SSL_CTX_add_custom_ext(context, CERTIFICATE_TYPES, SSL_EXT_CLIENT_HELLO, takes_only_raw_keys, NULL,
                                        NULL, NULL, NULL) == 1;
    ck_assert(ask_for_tls(probe));
    ck_assert(probe_tls(probe, context, NULL));
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_TLS), "raw-keys"), added ? "yes" : "no");
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

START_TEST(a_message_goes_over_tls)
{
    static const struct {
        const char *say, *reply;
    } dialogue[] = {
        {"MAIL FROM:<a@b>", "503"},
        {"STARTTLS", "503"},
        {"EHLO probe", "250 REQUIRETLS"},
        {"STARTTLS", "503"},
        {"MAIL FROM:<a@b> REQUIRETLS", "250"},
        {"RCPT TO:<c@d>", "250"},
        {"DATA", "354"},
        {".", "250"},
        {"QUIT", "221"},
    };
    struct probe *probe = probe_new("{tls-keywords: [SIZE, REQUIRETLS]}");
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_3_VERSION, true, true);
    ck_assert(ask_for_tls(probe));
    ck_assert(probe_tls(probe, context, "mx1.partner.example"));
    for (size_t i = 0; i < COUNT(dialogue); i++) {
        probe_say(probe, dialogue[i].say);
        const char *reply = probe_reply(probe);
        ck_assert_msg(strncmp(reply, dialogue[i].reply, strlen(dialogue[i].reply)) == 0, "%s: %s", dialogue[i].say,
                      reply);
    }
    ck_assert_str_eq(probe_reply(probe), "closed");
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_MESSAGE), "channel"), "tls");
    ck_assert_str_eq(probe_hits(probe), "certificate tls-keywords");
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

static const struct {
    const char *name, *smtp, *reply;
} endings[] = {
    {"reply and close", "{mail: 421 4.3.2 no}", "421 4.3.2 no"},
    {"close", "{mail: close}", "closed"},
    {"reset", "{mail: reset}", "reset"},
    {"stall", "{mail: stall}", "silence"},
    {"the second EHLO", "{ehlo: {reply: 421 4.3.2 no, nth: 2}}", "closed"},
};

START_TEST(sessions_end_within_tls)
{
    struct probe *probe = probe_new(endings[_i].smtp);
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_3_VERSION, true, true);
    ck_assert(ask_for_tls(probe));
    ck_assert(probe_tls(probe, context, "mx1.partner.example"));
    probe_say(probe, "EHLO probe");
    probe_reply(probe);
    probe_say(probe, "MAIL FROM:<a@b>");
    const char *reply = probe_reply(probe);
    ck_assert_msg(strcmp(reply, endings[_i].reply) == 0, "%s: %s", endings[_i].name, reply);
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

START_TEST(a_client_that_leaves_after_the_handshake_is_witnessed)
{
    struct probe *probe = probe_new("{}");
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_3_VERSION, false, false);
    ck_assert(ask_for_tls(probe));
    ck_assert(probe_tls(probe, context, NULL));
    SSL_shutdown(probe->ssl);
    probe_idle(probe);
    const struct journal_event *event = probe_event(probe, JOURNAL_MX_CLOSE);
    ck_assert_str_eq(journal_get(event, "by"), "client");
    ck_assert_str_eq(journal_get(event, "reason"), "TLS close_notify");
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

START_TEST(a_client_that_leaves_within_the_handshake_is_witnessed)
{
    struct probe *probe = probe_new("{}");
    ck_assert(ask_for_tls(probe));
    probe_disconnect(probe);
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_TLS_FAILED), "reason"), "the connection was closed");
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_CLOSE), "by"), "client");
    probe_free(&probe);
}
END_TEST

START_TEST(plaintext_behind_starttls_is_forgotten)
{
    struct probe *probe = probe_new("{}");
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_3_VERSION, true, true);
    ck_assert(probe_connect(probe));
    probe_reply(probe);
    probe_say(probe, "EHLO probe");
    probe_reply(probe);
    probe_say(probe, "STARTTLS\r\nEHLO injected\r\nMAIL FROM:<attacker@b>");
    ck_assert_str_eq(probe_reply(probe), "220 2.0.0 Ready to start TLS");
    const struct journal_event *stray = probe_event(probe, JOURNAL_MX_COMMAND);
    ck_assert_str_eq(journal_get(stray, "verb"), "");
    ck_assert_str_eq(journal_get(stray, "line"), "EHLO injected\\x0d\\x0aMAIL FROM:<attacker@b>\\x0d\\x0a");
    ck_assert(probe_tls(probe, context, "mx1.partner.example"));
    ck_assert_str_eq(probe_reply(probe), "silence");
    probe_say(probe, "MAIL FROM:<a@b>");
    ck_assert_str_eq(probe_reply(probe), "503 5.5.1 Bad sequence of commands");
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

START_TEST(bytes_that_are_no_tls_are_refused)
{
    struct probe *probe = probe_new("{}");
    ck_assert(ask_for_tls(probe));
    probe_say(probe, "NOOP, with enough bytes for a record's header");
    probe_idle(probe);
    ck_assert_ptr_nonnull(probe_event(probe, JOURNAL_MX_TLS_FAILED));
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_CLOSE), "by"), "server");
    probe_free(&probe);
}
END_TEST

START_TEST(sessions_are_not_resumed)
{
    struct probe *probe = probe_new("{}");
    SSL_CTX *context = client(probe, TLS1_2_VERSION, TLS1_2_VERSION, true, true);
    ck_assert(ask_for_tls(probe));
    ck_assert(probe_tls(probe, context, "mx1.partner.example"));
    ck_assert(!SSL_SESSION_is_resumable(SSL_get0_session(probe->ssl)));
    SSL_CTX_free(context);
    probe_free(&probe);
}
END_TEST

TEST_SUITE(mx_tls)
{
    TEST_LOOP(handshakes_are_witnessed, COUNT(handshakes));
    TEST(an_anonymous_handshake_shows_no_certificate);
    TEST(a_hello_that_is_too_long_ends_it);
    TEST_LOOP(of_two_keys_the_first_that_the_client_takes_is_shown, COUNT(keys));
    TEST(an_offer_to_take_a_raw_key_is_witnessed);
    TEST(a_message_goes_over_tls);
    TEST_LOOP(sessions_end_within_tls, COUNT(endings));
    TEST(a_client_that_leaves_after_the_handshake_is_witnessed);
    TEST(a_client_that_leaves_within_the_handshake_is_witnessed);
    TEST(plaintext_behind_starttls_is_forgotten);
    TEST(bytes_that_are_no_tls_are_refused);
    TEST(sessions_are_not_resumed);
}
