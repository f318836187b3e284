/* SPDX-License-Identifier: BSD-2-Clause
 * Handshakes in one process, over a pair of buffers, with a server of OpenSSL's. */
#include "engine/tls_client.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/identity.h"
#include "base/loop.h"
#include "base/testing.h"
#include "base/text.h"

enum { DAY = 24 * 60 * 60 };

/* Certificates. The public root is what the client trusts; nobody trusts the private one. */
enum issuer { PUBLIC_ROOT, PUBLIC_INTERMEDIATE, PRIVATE_ROOT, PRIVATE_INTERMEDIATE, EXPIRED_INTERMEDIATE, SELF };
enum dates { GOOD, EXPIRED, NOT_YET };
enum matched { NO_RECORD, LEAF, ISSUER, ISSUER_OF_ISSUER, STRANGER };

struct shown { /* what the server presents */
    enum issuer issuer;
    const char *names[2];
    enum identity_names names_as;
    enum dates dates;
    enum identity_chain chain;
};
struct record {
    uint8_t usage, selector, matching;
    enum matched of;
};
struct expected {
    enum policy_reason reason;
    bool dane, pkix;
    const char *detail;
};

struct world {
    struct arena *arena;
    struct loop *loop;
    struct identity *issuers[SELF], *stranger, *server;
    struct tls_client *client;
    char ca_file[40];
};

static struct identity *identity_of(const struct identity_spec *spec)
{
    struct err err;
    struct identity *made = identity_new(spec, NULL, &err);
    ck_assert_msg(made != NULL, "%s", err.text);
    return made;
}

static struct identity *authority(const char *subject, const struct identity *issuer, double not_after_s)
{
    struct identity_spec spec = {.issuer = issuer, .authority = true, .subject = subject};
    if (not_after_s != 0) {
        spec.not_before_s = -100 * DAY;
        spec.not_after_s = not_after_s;
    }
    return identity_of(&spec);
}

static struct world world_new(void)
{
    struct err err;
    struct world w = {.arena = arena_new("test"), .loop = loop_new(&err), .ca_file = "/tmp/tls_client_test.XXXXXX"};
    w.issuers[PUBLIC_ROOT] = authority("public root", NULL, 0);
    w.issuers[PRIVATE_ROOT] = authority("private root", NULL, 0);
    w.issuers[PUBLIC_INTERMEDIATE] = authority("public intermediate", w.issuers[PUBLIC_ROOT], 0);
    w.issuers[PRIVATE_INTERMEDIATE] = authority("private intermediate", w.issuers[PRIVATE_ROOT], 0);
    w.issuers[EXPIRED_INTERMEDIATE] = authority("expired intermediate", w.issuers[PRIVATE_ROOT], -DAY);
    w.stranger = authority("stranger", NULL, 0);
    const char *pem = identity_certificate_pem(w.arena, w.issuers[PUBLIC_ROOT]);
    close(mkstemp(w.ca_file));
    ck_assert(text_write_file(w.ca_file, pem, strlen(pem), &err));
    w.client = tls_client_new(w.ca_file, &err);
    ck_assert_msg(w.client != NULL, "%s", err.text);
    return w;
}

static void world_free(struct world *w)
{
    tls_client_free(&w->client);
    unlink(w->ca_file);
    for (size_t i = 0; i < COUNT(w->issuers); i++)
        identity_free(&w->issuers[i]);
    identity_free(&w->stranger);
    identity_free(&w->server);
    loop_free(&w->loop);
    arena_free(&w->arena);
}

static struct identity *server_of(const struct world *w, const struct shown *shown)
{
    struct identity_spec spec = {.names = shown->names, .names_as = shown->names_as};
    spec.name_count = shown->names[0] == NULL ? 0 : shown->names[1] == NULL ? 1 : 2;
    spec.issuer = shown->issuer != SELF ? w->issuers[shown->issuer] : NULL;
    if (shown->dates != GOOD) {
        spec.not_before_s = shown->dates == EXPIRED ? -90 * DAY : DAY;
        spec.not_after_s = shown->dates == EXPIRED ? -DAY : 90 * DAY;
    }
    struct identity *made = identity_of(&spec);
    identity_show(made, shown->chain);
    return made;
}

/* One handshake */

struct session {
    struct bufferevent *client, *server;
    bool client_done, server_done, both_done;
    short client_event;
};

static void on_client(struct bufferevent *io UNUSED, short what, void *arg)
{
    struct session *s = arg;
    s->client_done = true;
    s->client_event = what;
    s->both_done = s->server_done || what != BEV_EVENT_CONNECTED;
}

static void on_server(struct bufferevent *io UNUSED, short what UNUSED, void *arg)
{
    struct session *s = arg;
    s->server_done = true;
    s->both_done = s->client_done;
}

static SSL_CTX *server_context(const struct identity *identity, int version)
{
    struct err err;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, version != 0 ? version : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ctx, version != 0 ? version : TLS1_3_VERSION);
    ck_assert_msg(identity_use(identity, ctx, &err), "%s", err.text);
    return ctx;
}

static struct session handshake(struct world *w, SSL_CTX *server, const struct tls_demands *demands)
{
    struct session s = {0};
    struct bufferevent *pair[2];
    struct err err;
    ck_assert_int_eq(bufferevent_pair_new(loop_base(w->loop), BEV_OPT_CLOSE_ON_FREE, pair), 0);
    s.client = pair[0];
    s.server = bufferevent_openssl_filter_new(loop_base(w->loop), pair[1], SSL_new(server), BUFFEREVENT_SSL_ACCEPTING,
                                              BEV_OPT_CLOSE_ON_FREE);
    ck_assert_msg(tls_client_start(w->client, &s.client, demands, &err), "%s", err.text);
    return s;
}

static void finish(struct world *w, struct session *s)
{
    bufferevent_setcb(s->client, NULL, NULL, on_client, s);
    bufferevent_setcb(s->server, NULL, NULL, on_server, s);
    bufferevent_enable(s->client, EV_READ | EV_WRITE);
    bufferevent_enable(s->server, EV_READ | EV_WRITE);
    loop_run_until(w->loop, &s->both_done, 10);
}

static void session_free(struct session *s)
{
    bufferevent_free(s->client);
    bufferevent_free(s->server);
}

/* Judged sessions */

static const struct identity *matched_identity(const struct world *w, enum matched of)
{
    const struct identity *issuer = identity_issuer(w->server);
    switch (of) {
    case LEAF:
        return w->server;
    case ISSUER:
        return issuer != NULL ? issuer : w->server;
    case ISSUER_OF_ISSUER:
        return identity_issuer(issuer);
    case NO_RECORD:
    case STRANGER:
        break;
    }
    return w->stranger;
}

static size_t records_of(struct world *w, const struct record *records, struct tlsa_record *out)
{
    size_t count = 0;
    for (; count < 2 && records[count].of != NO_RECORD; count++) {
        const struct record *r = &records[count];
        const char *hex = identity_tlsa_data(w->arena, matched_identity(w, r->of), r->selector, r->matching);
        unsigned char *bytes;
        out[count] = (struct tlsa_record){.usage = r->usage, .selector = r->selector, .matching = r->matching};
        ck_assert(text_unhex(w->arena, hex, &bytes, &out[count].length));
        out[count].data = bytes;
    }
    return count;
}

static const char *const next_hop[] = {"partner.example", "expanded.example"};

static void check_session(const char *name, struct world *w, struct tls_demands demands,
                          const struct expected *expected)
{
    SSL_CTX *server = server_context(w->server, 0);
    struct session s = handshake(w, server, &demands);
    finish(w, &s);
    ck_assert_msg(s.client_event == BEV_EVENT_CONNECTED, "%s: %s", name, tls_client_failure(s.client, w->arena));
    struct tls_outcome got;
    tls_client_judge(w->client, s.client, &demands, w->arena, &got);
    ck_assert_msg(got.reason == expected->reason && got.dane_passed == expected->dane &&
                      got.pkix_passed == expected->pkix,
                  "%s: reason %d (%s) dane %d pkix %d (%s)", name, got.reason, got.detail, got.dane_passed,
                  got.pkix_passed, got.pkix_detail);
    ck_assert_msg((got.detail == NULL) == (got.reason == REASON_NONE), "%s: a detail exactly when refused", name);
    if (expected->detail != NULL)
        ck_assert_msg(strstr(got.detail, expected->detail) != NULL, "%s: %s", name, got.detail);
    ck_assert(got.encrypted && strcmp(got.version, "TLSv1.3") == 0 && strlen(got.certificate_sha256) == 64);
    session_free(&s);
    SSL_CTX_free(server);
}

#define MX "mx.partner.example"
#define SPKI_DIGEST(usage, of)                                                                                         \
    {                                                                                                                  \
        {                                                                                                              \
            usage, 1, 1, of                                                                                            \
        }                                                                                                              \
    }
#define CERT_DIGEST(usage, of)                                                                                         \
    {                                                                                                                  \
        {                                                                                                              \
            usage, 0, 1, of                                                                                            \
        }                                                                                                              \
    }
#define PASSES                                                                                                         \
    {                                                                                                                  \
        REASON_NONE, true, false, NULL                                                                                 \
    }
#define MISMATCH                                                                                                       \
    {                                                                                                                  \
        REASON_TLSA_INVALID, false, false, "no TLSA record matches"                                                    \
    }
#define WRONG_NAME                                                                                                     \
    {                                                                                                                  \
        REASON_CERTIFICATE_HOST_MISMATCH, false, false, "SubjectMismatch"                                              \
    }

static const struct {
    const char *name;
    struct shown shown;
    struct record records[2];
    bool insecure_mx;
    struct expected expected;
} dane[] = {
    /* DANE-EE: the leaf, whatever it says of itself */
    {"K0 3 1 1", {.issuer = PRIVATE_ROOT, .names = {MX}}, SPKI_DIGEST(3, LEAF), .expected = PASSES},
    {"K0 3 0 1", {.issuer = PRIVATE_ROOT, .names = {MX}}, CERT_DIGEST(3, LEAF), .expected = PASSES},
    {"K0 3 1 2", {.issuer = PRIVATE_ROOT, .names = {MX}}, {{3, 1, 2, LEAF}}, .expected = PASSES},
    {"K0 3 0 0", {.issuer = PRIVATE_ROOT, .names = {MX}}, {{3, 0, 0, LEAF}}, .expected = PASSES},
    {"K0 3 1 0", {.issuer = PRIVATE_ROOT, .names = {MX}}, {{3, 1, 0, LEAF}}, .expected = PASSES},
    {"T2 3 1 1 of another", {.issuer = PRIVATE_ROOT, .names = {MX}}, SPKI_DIGEST(3, STRANGER), .expected = MISMATCH},
    {"T2 trusted, right name, but not the record's",
     {.issuer = PUBLIC_ROOT, .names = {MX}},
     SPKI_DIGEST(3, STRANGER),
     .expected = MISMATCH},
    {"T3 the second matches",
     {.issuer = PRIVATE_ROOT, .names = {MX}},
     {{3, 1, 1, STRANGER}, {3, 1, 1, LEAF}},
     .expected = PASSES},
    {"K1 expired", {.issuer = PRIVATE_ROOT, .names = {MX}, .dates = EXPIRED}, SPKI_DIGEST(3, LEAF), .expected = PASSES},
    {"K1 not yet valid",
     {.issuer = PRIVATE_ROOT, .names = {MX}, .dates = NOT_YET},
     SPKI_DIGEST(3, LEAF),
     .expected = PASSES},
    {"K2 wrong name", {.issuer = PRIVATE_ROOT, .names = {"other.example"}}, SPKI_DIGEST(3, LEAF), .expected = PASSES},
    {"K2 no name",
     {.issuer = PRIVATE_ROOT, .names = {MX}, .names_as = IDENTITY_NO_NAMES},
     SPKI_DIGEST(3, LEAF),
     .expected = PASSES},
    {"K3 self-signed", {.issuer = SELF, .names = {MX}}, SPKI_DIGEST(3, LEAF), .expected = PASSES},
    {"K3 chain not shown",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_LEAF_ONLY},
     SPKI_DIGEST(3, LEAF),
     .expected = PASSES},
    {"K6 3 1 1 of the issuer",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_WITH_ROOT},
     SPKI_DIGEST(3, ISSUER),
     .expected = MISMATCH},
    {"K6 3 0 1 of the root",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_WITH_ROOT},
     CERT_DIGEST(3, ISSUER_OF_ISSUER),
     .expected = MISMATCH},
    /* DANE-TA: chain, names, dates */
    {"K10 2 0 1 of the root, shown",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_WITH_ROOT},
     CERT_DIGEST(2, ISSUER_OF_ISSUER),
     .expected = PASSES},
    {"K26 2 1 1 of the root, shown",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_WITH_ROOT},
     SPKI_DIGEST(2, ISSUER_OF_ISSUER),
     .expected = PASSES},
    {"K11 next-hop domain only",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"partner.example"}},
     CERT_DIGEST(2, ISSUER),
     .expected = PASSES},
    {"K12 expanded next-hop domain only",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"expanded.example"}},
     CERT_DIGEST(2, ISSUER),
     .expected = PASSES},
    {"K13 insecure MX: next-hop domain only",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"partner.example"}},
     CERT_DIGEST(2, ISSUER),
     .insecure_mx = true,
     .expected = WRONG_NAME},
    {"K13 insecure MX: base domain",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}},
     CERT_DIGEST(2, ISSUER),
     .insecure_mx = true,
     .expected = PASSES},
    {"K14 names match nothing",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"other.example"}},
     CERT_DIGEST(2, ISSUER),
     .expected = WRONG_NAME},
    {"K16 no DNS-ID, CN right",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .names_as = IDENTITY_CN_ONLY},
     CERT_DIGEST(2, ISSUER),
     .expected = PASSES},
    {"K17 wildcard",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"*.partner.example"}},
     CERT_DIGEST(2, ISSUER),
     .expected = PASSES},
    {"K18 wildcard for the apex's parent",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"*.mx.partner.example"}},
     CERT_DIGEST(2, ISSUER),
     .expected = WRONG_NAME},
    {"K18 partial wildcard",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"m*.partner.example"}},
     CERT_DIGEST(2, ISSUER),
     .expected = WRONG_NAME},
    {"K18 wildcard not leftmost",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"mx.*.example"}},
     CERT_DIGEST(2, ISSUER),
     .expected = WRONG_NAME},
    {"K19 leaf expired",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .dates = EXPIRED},
     CERT_DIGEST(2, ISSUER),
     .expected = {REASON_CERTIFICATE_EXPIRED, false, false, "Expired"}},
    {"K20 leaf not yet valid",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .dates = NOT_YET},
     CERT_DIGEST(2, ISSUER),
     .expected = {REASON_TLSA_INVALID, false, false, "NotYetValid"}},
    {"K21 root's digest, root not shown",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}},
     CERT_DIGEST(2, ISSUER_OF_ISSUER),
     .expected = MISMATCH},
    {"K22 the same, the root is public",
     {.issuer = PUBLIC_INTERMEDIATE, .names = {MX}},
     CERT_DIGEST(2, ISSUER_OF_ISSUER),
     .expected = MISMATCH},
    {"K23 2 0 0 of the root, root not shown",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}},
     {{2, 0, 0, ISSUER_OF_ISSUER}},
     .expected = PASSES},
    {"K23 2 0 0 of the issuer, leaf alone shown",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_LEAF_ONLY},
     {{2, 0, 0, ISSUER}},
     .expected = PASSES},
    {"K23 2 0 0, wrong name",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"other.example"}},
     {{2, 0, 0, ISSUER_OF_ISSUER}},
     .expected = WRONG_NAME},
    {"K24 2 1 0 of the root, root not shown",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}},
     {{2, 1, 0, ISSUER_OF_ISSUER}},
     .expected = PASSES},
    {"K25 2 1 0, topmost shown is expired",
     {.issuer = EXPIRED_INTERMEDIATE, .names = {MX}},
     {{2, 1, 0, ISSUER_OF_ISSUER}},
     .expected = {REASON_CERTIFICATE_EXPIRED, false, false, "Expired"}},
    {"K27 intermediate missing",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_LEAF_ONLY},
     CERT_DIGEST(2, ISSUER_OF_ISSUER),
     .expected = MISMATCH},
    {"K28 2 0 1 of the intermediate, root not shown",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}},
     CERT_DIGEST(2, ISSUER),
     .expected = PASSES},
    {"K29 intermediate expired",
     {.issuer = EXPIRED_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_WITH_ROOT},
     CERT_DIGEST(2, ISSUER_OF_ISSUER),
     .expected = {REASON_CERTIFICATE_EXPIRED, false, false, "Expired"}},
    {"K37 another authority's digest",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_WITH_ROOT},
     CERT_DIGEST(2, STRANGER),
     .expected = MISMATCH},
    {"G6 2 0 1 good, 3 1 1 stale",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}},
     {{2, 0, 1, ISSUER}, {3, 1, 1, STRANGER}},
     .expected = PASSES},
    {"G6 turned: 3 1 1 good, 2 0 1 stale, wrong name",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"other.example"}},
     {{2, 0, 1, STRANGER}, {3, 1, 1, LEAF}},
     .expected = PASSES},
    {"upper case and a trailing dot in names",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {"MX.Partner.Example"}},
     CERT_DIGEST(2, ISSUER),
     .expected = PASSES},
};

START_TEST(dane_is_judged)
{
    struct world w = world_new();
    struct tlsa_record records[2];
    w.server = server_of(&w, &dane[_i].shown);
    struct tls_demands demands = {
        .demand = DEMAND_DANE, .sni = MX, .pkix_host = MX, .tlsa_base = MX ".", .records = records};
    demands.record_count = records_of(&w, dane[_i].records, records);
    demands.dane_names = next_hop;
    demands.dane_name_count = dane[_i].insecure_mx ? 0 : COUNT(next_hop);
    check_session(dane[_i].name, &w, demands, &dane[_i].expected);
    world_free(&w);
}
END_TEST

#define STS(detail)                                                                                                    \
    {                                                                                                                  \
        REASON_STS_CERTIFICATE, false, false, detail                                                                   \
    }
#define VALID                                                                                                          \
    {                                                                                                                  \
        REASON_NONE, false, true, NULL                                                                                 \
    }

static const struct {
    const char *name;
    struct shown shown;
    struct expected expected;
} pkix[] = {
    {"V1 valid", {.issuer = PUBLIC_INTERMEDIATE, .names = {MX}}, VALID},
    {"V1 valid, root shown too",
     {.issuer = PUBLIC_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_WITH_ROOT},
     VALID},
    {"V1 second name", {.issuer = PUBLIC_ROOT, .names = {"other.example", MX}}, VALID},
    {"V4 case differs", {.issuer = PUBLIC_ROOT, .names = {"MX.PARTNER.example"}}, VALID},
    {"V7 unknown root",
     {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_WITH_ROOT},
     STS("UntrustedRoot")},
    {"V7 unknown root, not shown", {.issuer = PRIVATE_INTERMEDIATE, .names = {MX}}, STS("UntrustedRoot")},
    {"V7 self-signed", {.issuer = SELF, .names = {MX}}, STS("UntrustedRoot")},
    {"V8 expired", {.issuer = PUBLIC_ROOT, .names = {MX}, .dates = EXPIRED}, STS("Expired")},
    {"V9 not yet valid", {.issuer = PUBLIC_ROOT, .names = {MX}, .dates = NOT_YET}, STS("NotYetValid")},
    {"V10 another host", {.issuer = PUBLIC_ROOT, .names = {"mx2.partner.example"}}, STS("SubjectMismatch")},
    {"V11 recipient domain only", {.issuer = PUBLIC_ROOT, .names = {"partner.example"}}, STS("SubjectMismatch")},
    {"V13 CN only", {.issuer = PUBLIC_ROOT, .names = {MX}, .names_as = IDENTITY_CN_ONLY}, STS("SubjectMismatch")},
    {"V14 wildcard", {.issuer = PUBLIC_ROOT, .names = {"*.partner.example"}}, VALID},
    {"V14 wildcard two labels up", {.issuer = PUBLIC_ROOT, .names = {"*.example"}}, STS("SubjectMismatch")},
    {"V14 partial wildcard", {.issuer = PUBLIC_ROOT, .names = {"m*.partner.example"}}, STS("SubjectMismatch")},
    {"V15 intermediate not shown",
     {.issuer = PUBLIC_INTERMEDIATE, .names = {MX}, .chain = IDENTITY_CHAIN_LEAF_ONLY},
     STS("UntrustedRoot")},
};

START_TEST(pkix_is_judged)
{
    struct world w = world_new();
    struct tls_demands demands = {.demand = DEMAND_PKIX, .sni = MX, .pkix_host = MX "."};
    w.server = server_of(&w, &pkix[_i].shown);
    check_session(pkix[_i].name, &w, demands, &pkix[_i].expected);

    /* Testing, or DANE that outranks it: seen, told, no obstacle. */
    struct expected watched = {REASON_NONE, false, pkix[_i].expected.pkix, NULL};
    demands.demand = DEMAND_TLS;
    demands.watch_pkix = true;
    check_session(pkix[_i].name, &w, demands, &watched);
    world_free(&w);
}
END_TEST

/* Both verdicts are there, each by itself; DANE's reason is told first. */
static const struct {
    const char *name;
    struct shown shown;
    enum matched of;
    enum tls_demand demand;
    bool watch;
    struct expected expected;
} interplay[] = {
    {"X2 both pass",
     {.issuer = PUBLIC_ROOT, .names = {MX}},
     LEAF,
     DEMAND_DANE_AND_PKIX,
     false,
     {REASON_NONE, true, true, NULL}},
    {"X2 DANE passes, PKIX fails",
     {.issuer = PRIVATE_ROOT, .names = {MX}},
     LEAF,
     DEMAND_DANE_AND_PKIX,
     false,
     {REASON_STS_CERTIFICATE, true, false, "UntrustedRoot"}},
    {"X2 DANE passes, PKIX is watched",
     {.issuer = PRIVATE_ROOT, .names = {MX}},
     LEAF,
     DEMAND_DANE,
     true,
     {REASON_NONE, true, false, NULL}},
    {"X3 DANE fails, PKIX passes: never rescued",
     {.issuer = PUBLIC_ROOT, .names = {MX}},
     STRANGER,
     DEMAND_DANE_AND_PKIX,
     false,
     {REASON_TLSA_INVALID, false, true, "no TLSA record"}},
    {"X3 DANE fails, PKIX is watched",
     {.issuer = PUBLIC_ROOT, .names = {MX}},
     STRANGER,
     DEMAND_DANE,
     true,
     {REASON_TLSA_INVALID, false, true, "no TLSA record"}},
    {"X3 both fail",
     {.issuer = PRIVATE_ROOT, .names = {MX}},
     STRANGER,
     DEMAND_DANE_AND_PKIX,
     false,
     {REASON_TLSA_INVALID, false, false, "no TLSA record"}},
    {"X4 unusable: PKIX alone",
     {.issuer = PUBLIC_ROOT, .names = {MX}},
     STRANGER,
     DEMAND_PKIX,
     false,
     {REASON_NONE, false, true, NULL}},
    {"records without a demand are nothing",
     {.issuer = PRIVATE_ROOT, .names = {MX}},
     STRANGER,
     DEMAND_TLS,
     false,
     {REASON_NONE, false, false, NULL}},
};

START_TEST(dane_and_pkix_are_two_verdicts)
{
    struct world w = world_new();
    struct tlsa_record records[2];
    const struct record wanted[2] = {{3, 1, 1, interplay[_i].of}};
    w.server = server_of(&w, &interplay[_i].shown);
    struct tls_demands demands = {.demand = interplay[_i].demand,
                                  .watch_pkix = interplay[_i].watch,
                                  .sni = MX,
                                  .pkix_host = MX,
                                  .tlsa_base = MX,
                                  .records = records};
    demands.record_count = records_of(&w, wanted, records);
    check_session(interplay[_i].name, &w, demands, &interplay[_i].expected);
    world_free(&w);
}
END_TEST

#define REFUSED(detail)                                                                                                \
    {                                                                                                                  \
        REASON_CONNECTOR_CERTIFICATE, false, false, detail                                                             \
    }
#define CONTENT                                                                                                        \
    {                                                                                                                  \
        REASON_NONE, false, false, NULL                                                                                \
    }

static const struct {
    const char *name;
    struct shown shown;
    enum tls_setting connector;
    const char *tls_domain;
    struct expected expected;
} connectors[] = {
    {"C1 encryption only: self-signed", {.issuer = SELF, .names = {"x"}}, TLS_SETTING_ENCRYPTION_ONLY, NULL, CONTENT},
    {"C2 certificate validation: wrong name",
     {.issuer = PUBLIC_ROOT, .names = {"other.example"}},
     TLS_SETTING_CERTIFICATE_VALIDATION,
     NULL,
     CONTENT},
    {"C2 certificate validation: unknown root",
     {.issuer = PRIVATE_ROOT, .names = {MX}},
     TLS_SETTING_CERTIFICATE_VALIDATION,
     NULL,
     REFUSED("UntrustedRoot")},
    {"C2 certificate validation: expired",
     {.issuer = PUBLIC_ROOT, .names = {MX}, .dates = EXPIRED},
     TLS_SETTING_CERTIFICATE_VALIDATION,
     NULL,
     REFUSED("Expired")},
    {"C3 exact",
     {.issuer = PUBLIC_ROOT, .names = {"tls.contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "tls.contoso.example",
     CONTENT},
    {"C3 exact, upper case",
     {.issuer = PUBLIC_ROOT, .names = {"tls.contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "TLS.Contoso.example",
     CONTENT},
    {"C3 exact, by a wildcard",
     {.issuer = PUBLIC_ROOT, .names = {"*.contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "tls.contoso.example",
     CONTENT},
    {"C3 exact, another",
     {.issuer = PUBLIC_ROOT, .names = {"mail.contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "tls.contoso.example",
     REFUSED("SubjectMismatch")},
    {"C3 exact, a name below",
     {.issuer = PUBLIC_ROOT, .names = {"a.contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "contoso.example",
     REFUSED("SubjectMismatch")},
    {"C3 any below",
     {.issuer = PUBLIC_ROOT, .names = {"mail.contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "*.contoso.example",
     CONTENT},
    {"C3 any below, a wildcard",
     {.issuer = PUBLIC_ROOT, .names = {"*.contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "*.contoso.example",
     CONTENT},
    {"C3 any below, the domain itself",
     {.issuer = PUBLIC_ROOT, .names = {"contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "*.contoso.example",
     REFUSED("SubjectMismatch")},
    {"C3 any below, another that ends alike",
     {.issuer = PUBLIC_ROOT, .names = {"notcontoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "*.contoso.example",
     REFUSED("SubjectMismatch")},
    {"C3 right name, unknown root",
     {.issuer = PRIVATE_ROOT, .names = {"tls.contoso.example"}},
     TLS_SETTING_DOMAIN_VALIDATION,
     "tls.contoso.example",
     REFUSED("UntrustedRoot")},
};

START_TEST(the_connectors_own_demand_is_judged)
{
    struct world w = world_new();
    struct tls_demands demands = {.demand = DEMAND_TLS,
                                  .sni = MX,
                                  .pkix_host = MX,
                                  .connector = connectors[_i].connector,
                                  .tls_domain = connectors[_i].tls_domain};
    w.server = server_of(&w, &connectors[_i].shown);
    check_session(connectors[_i].name, &w, demands, &connectors[_i].expected);

    /* C4: both must hold. */
    const struct record leaf[2] = {{3, 1, 1, LEAF}};
    struct tlsa_record records[2];
    struct expected expected = connectors[_i].expected;
    expected.dane = true;
    demands.demand = DEMAND_DANE;
    demands.tlsa_base = MX;
    demands.records = records;
    demands.record_count = records_of(&w, leaf, records);
    check_session(connectors[_i].name, &w, demands, &expected);
    world_free(&w);
}
END_TEST

/* Versions: old TLS only where nothing demands TLS. */
static const struct {
    const char *name;
    enum tls_demand demand;
    enum tls_setting connector;
    int version;
    bool connected;
} versions[] = {
    {"TLS 1.2 (S9)", DEMAND_PKIX, TLS_SETTING_OPPORTUNISTIC, TLS1_2_VERSION, true},
    {"TLS 1.3 (S9)", DEMAND_PKIX, TLS_SETTING_OPPORTUNISTIC, TLS1_3_VERSION, true},
    {"TLS 1.0, nothing demanded (S8)", DEMAND_NOTHING, TLS_SETTING_OPPORTUNISTIC, TLS1_VERSION, true},
    {"TLS 1.1, nothing demanded (S8)", DEMAND_NOTHING, TLS_SETTING_OPPORTUNISTIC, TLS1_1_VERSION, true},
    {"TLS 1.1, encryption demanded (S8)", DEMAND_TLS, TLS_SETTING_OPPORTUNISTIC, TLS1_1_VERSION, false},
    {"TLS 1.1, certificate demanded (S8)", DEMAND_PKIX, TLS_SETTING_OPPORTUNISTIC, TLS1_1_VERSION, false},
    {"TLS 1.1, DANE demanded (S8)", DEMAND_DANE, TLS_SETTING_OPPORTUNISTIC, TLS1_1_VERSION, false},
    {"TLS 1.1, the connector's demand", DEMAND_NOTHING, TLS_SETTING_ENCRYPTION_ONLY, TLS1_1_VERSION, false},
};

START_TEST(tls_1_2_is_the_least_that_is_demanded)
{
    struct world w = world_new();
    struct shown shown = {.issuer = PUBLIC_ROOT, .names = {MX}};
    w.server = server_of(&w, &shown);
    struct tls_demands demands = {.demand = versions[_i].demand,
                                  .connector = versions[_i].connector,
                                  .sni = MX,
                                  .pkix_host = MX,
                                  .tlsa_base = MX};
    SSL_CTX *server = server_context(w.server, versions[_i].version);
    struct session s = handshake(&w, server, &demands);
    finish(&w, &s);
    ck_assert_msg((s.client_event == BEV_EVENT_CONNECTED) == versions[_i].connected, "%s", versions[_i].name);
    if (!versions[_i].connected)
        ck_assert_msg(strstr(tls_client_failure(s.client, w.arena), "protocol version") != NULL, "%s: %s",
                      versions[_i].name, tls_client_failure(s.client, w.arena));
    session_free(&s);
    SSL_CTX_free(server);
    world_free(&w);
}
END_TEST

/* SNI (N1, N6) */
static const struct {
    const char *name, *sni, *seen;
} snis[] = {
    {"a name", MX, MX},
    {"trailing dot", MX ".", MX},
    {"upper case", "MX.Partner.Example", MX},
    {"none", NULL, ""},
};

static int on_server_name(SSL *ssl, int *alert UNUSED, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(arg, 64, "%s", name != NULL ? name : "");
    return SSL_TLSEXT_ERR_OK;
}

START_TEST(sni_is_a_plain_name)
{
    struct world w = world_new();
    struct shown shown = {.issuer = PUBLIC_ROOT, .names = {MX}};
    char seen[64] = "";
    w.server = server_of(&w, &shown);
    struct tls_demands demands = {.demand = DEMAND_NOTHING, .sni = snis[_i].sni, .pkix_host = MX};
    SSL_CTX *server = server_context(w.server, 0);
    SSL_CTX_set_tlsext_servername_callback(server, on_server_name);
    SSL_CTX_set_tlsext_servername_arg(server, seen);
    struct session s = handshake(&w, server, &demands);
    finish(&w, &s);
    ck_assert_msg(strcmp(seen, snis[_i].seen) == 0, "%s: '%s'", snis[_i].name, seen);
    session_free(&s);
    SSL_CTX_free(server);
    world_free(&w);
}
END_TEST

/* Sessions that are resumed: a handshake, then a second one that differs from it as the row says. */
static const struct {
    const char *name;
    enum matched first, second; /* what the TLSA record names */
    const char *channel;        /* of the second; the first is "same" */
    enum tls_setting connector;
    int version, advance;
    bool another_server; /* whose tickets are sealed with other keys */
    bool resumed;
    enum policy_reason reason;
} resumptions[] = {
    {"the same channel", LEAF, LEAF, "same", .resumed = true},
    {"the same channel, but the record names another key: judged anew", LEAF, STRANGER, "same", .resumed = true,
     .reason = REASON_TLSA_INVALID},
    {"another channel", LEAF, LEAF, "other"},
    {"no channel", LEAF, LEAF, NULL},
    {"the first did not pass", STRANGER, LEAF, "same"},
    {"the ticket is refused", LEAF, LEAF, "same", .another_server = true},
    {"almost too old", LEAF, LEAF, "same", .advance = 3590, .resumed = true},
    {"too old", LEAF, LEAF, "same", .advance = 3600},
    {"TLS 1.2", LEAF, LEAF, "same", .version = TLS1_2_VERSION},
    {"revocation is asked about", LEAF, LEAF, "same", .connector = TLS_SETTING_CERTIFICATE_VALIDATION},
};

struct whole_session {
    struct world *world;
    const struct tls_demands *demands;
    struct tls_outcome outcome;
    bool over;
};

static void judge_at_once(struct bufferevent *io, short what, void *arg)
{
    struct whole_session *s = arg;
    ck_assert_int_eq(what, BEV_EVENT_CONNECTED);
    tls_client_judge(s->world->client, io, s->demands, s->world->arena, &s->outcome);
}

static void on_reply(struct bufferevent *io UNUSED, void *arg)
{
    ((struct whole_session *)arg)->over = true;
}

/* Up to the first reply, ahead of which tickets come. */
static struct tls_outcome whole_session(struct world *w, SSL_CTX *server, const struct tls_demands *demands)
{
    struct session s = handshake(w, server, demands);
    struct whole_session whole = {.world = w, .demands = demands};
    bufferevent_setcb(s.client, on_reply, NULL, judge_at_once, &whole);
    bufferevent_enable(s.client, EV_READ | EV_WRITE);
    bufferevent_enable(s.server, EV_READ | EV_WRITE);
    bufferevent_write(s.server, "250 hi\r\n", 8);
    loop_run_until(w->loop, &whole.over, 10);
    session_free(&s);
    return whole.outcome;
}

static struct tls_demands resumable_demands(struct world *w, enum matched of, enum tls_setting connector,
                                            const char *channel, struct tlsa_record *record)
{
    const struct record wanted[2] = {{3, 1, 1, of}};
    struct tls_demands demands = {.demand = DEMAND_DANE,
                                  .sni = MX,
                                  .tlsa_base = MX,
                                  .records = record,
                                  .connector = connector,
                                  .channel = channel};
    demands.record_count = records_of(w, wanted, record);
    return demands;
}

START_TEST(a_session_is_resumed_where_it_would_be_judged_by_the_same)
{
    struct world w = world_new();
    struct clock clock = {0};
    struct tickets *tickets = tickets_new(&clock, 3600);
    const struct shown shown = {.issuer = PUBLIC_ROOT, .names = {MX}};
    struct tlsa_record records[2];
    w.server = server_of(&w, &shown);
    SSL_CTX *first = server_context(w.server, resumptions[_i].version);
    SSL_CTX *second = resumptions[_i].another_server ? server_context(w.server, 0) : first;
    struct tls_demands before =
        resumable_demands(&w, resumptions[_i].first, resumptions[_i].connector, "same", &records[0]);
    struct tls_demands now =
        resumable_demands(&w, resumptions[_i].second, resumptions[_i].connector, resumptions[_i].channel, &records[1]);
    tls_client_set_tickets(w.client, tickets);
    struct tls_outcome outcome = whole_session(&w, first, &before);
    ck_assert_msg(!outcome.resumed, "%s: there was nothing to resume", resumptions[_i].name);
    clock_advance(&clock, resumptions[_i].advance);
    outcome = whole_session(&w, second, &now);
    ck_assert_msg(outcome.resumed == resumptions[_i].resumed && outcome.reason == resumptions[_i].reason,
                  "%s: resumed %d, reason %d (%s)", resumptions[_i].name, outcome.resumed, outcome.reason,
                  outcome.detail);
    ck_assert(outcome.certificate_sha256 != NULL);
    if (second != first)
        SSL_CTX_free(second);
    SSL_CTX_free(first);
    world_free(&w);
    tickets_free(&tickets);
}
END_TEST

/* What was proven once is not proven anew by resuming it. */
START_TEST(resumption_makes_no_session_younger)
{
    struct world w = world_new();
    struct clock clock = {0};
    struct tickets *tickets = tickets_new(&clock, 3600);
    const struct shown shown = {.issuer = PUBLIC_ROOT, .names = {MX}};
    struct tlsa_record record;
    w.server = server_of(&w, &shown);
    SSL_CTX *server = server_context(w.server, 0);
    struct tls_demands demands = resumable_demands(&w, LEAF, TLS_SETTING_OPPORTUNISTIC, "same", &record);
    tls_client_set_tickets(w.client, tickets);
    ck_assert(!whole_session(&w, server, &demands).resumed);
    clock_advance(&clock, 1900);
    ck_assert(whole_session(&w, server, &demands).resumed);
    ck_assert(whole_session(&w, server, &demands).resumed);
    ck_assert(whole_session(&w, server, &demands).resumed);
    clock_advance(&clock, 1900);
    ck_assert(!whole_session(&w, server, &demands).resumed);
    SSL_CTX_free(server);
    world_free(&w);
    tickets_free(&tickets);
}
END_TEST

/* S13, CVE-2021-22947 */
START_TEST(plaintext_behind_the_220_ends_it)
{
    struct world w = world_new();
    struct bufferevent *pair[2];
    struct err err = {0};
    struct tls_demands demands = {.demand = DEMAND_NOTHING, .sni = MX};
    bool never = false;
    ck_assert_int_eq(bufferevent_pair_new(loop_base(w.loop), BEV_OPT_CLOSE_ON_FREE, pair), 0);
    bufferevent_enable(pair[0], EV_READ);
    evbuffer_add(bufferevent_get_output(pair[1]), "250 injected\r\n", 14);
    loop_run_until(w.loop, &never, 0);
    struct bufferevent *io = pair[0];
    ck_assert(!tls_client_start(w.client, &io, &demands, &err));
    ck_assert(err.kind == ERR_PEER && io == pair[0]);
    bufferevent_free(pair[0]);
    bufferevent_free(pair[1]);
    world_free(&w);
}
END_TEST

START_TEST(a_peer_that_goes_away_is_a_failure)
{
    struct world w = world_new();
    struct bufferevent *pair[2];
    struct err err;
    struct session s = {0};
    struct tls_demands demands = {.demand = DEMAND_NOTHING, .sni = MX};
    ck_assert_int_eq(bufferevent_pair_new(loop_base(w.loop), BEV_OPT_CLOSE_ON_FREE, pair), 0);
    s.client = pair[0];
    ck_assert(tls_client_start(w.client, &s.client, &demands, &err));
    bufferevent_setcb(s.client, NULL, NULL, on_client, &s);
    bufferevent_enable(s.client, EV_READ | EV_WRITE);
    bufferevent_flush(pair[1], EV_WRITE, BEV_FINISHED);
    loop_run_until(w.loop, &s.both_done, 10);
    ck_assert(s.client_event != 0 && s.client_event != BEV_EVENT_CONNECTED);
    ck_assert_str_ne(tls_client_failure(s.client, w.arena), "");
    bufferevent_free(s.client);
    bufferevent_free(pair[1]);
    world_free(&w);
}
END_TEST

START_TEST(roots_that_cannot_be_read_are_told)
{
    struct err err = {0};
    ck_assert_ptr_null(tls_client_new("/nonexistent/roots.pem", &err));
    ck_assert(err.kind == ERR_INPUT && strstr(err.text, "/nonexistent/roots.pem") != NULL);
}
END_TEST

TEST_SUITE(tls_client)
{
    TEST_LOOP(dane_is_judged, COUNT(dane));
    TEST_LOOP(pkix_is_judged, COUNT(pkix));
    TEST_LOOP(dane_and_pkix_are_two_verdicts, COUNT(interplay));
    TEST_LOOP(the_connectors_own_demand_is_judged, COUNT(connectors));
    TEST_LOOP(tls_1_2_is_the_least_that_is_demanded, COUNT(versions));
    TEST_LOOP(sni_is_a_plain_name, COUNT(snis));
    TEST_LOOP(a_session_is_resumed_where_it_would_be_judged_by_the_same, COUNT(resumptions));
    TEST(resumption_makes_no_session_younger);
    TEST(plaintext_behind_the_220_ends_it);
    TEST(a_peer_that_goes_away_is_a_failure);
    TEST(roots_that_cannot_be_read_are_told);
}
