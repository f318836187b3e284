/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/revocation.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/identity.h"
#include "base/loop.h"
#include "base/testing.h"
#include "base/text.h"

enum { DAY = 24 * 60 * 60 };

/* What the authority answers. */
enum answer { GOOD, REVOKED, OLD, FORGED, GARBAGE, HUGE_ANSWER, ERROR_503, NOBODY, SILENT };

struct bench {
    struct arena *arena;
    struct loop *loop;
    struct clock clock;
    struct identity *root, *leaf;
    enum answer answer;
    struct evhttp *http;
    uint16_t port;
    struct revocation *revocation;
    struct revocation_check *check;
    unsigned asked;
    bool done, passed;
    const char *why;
};

/* ---- answers ---- */

static void dates(enum answer answer, ASN1_TIME **from, ASN1_TIME **until)
{
    time_t now = time(NULL);
    *from = X509_time_adj_ex(NULL, answer == OLD ? -2 : 0, -60, &now);
    *until = X509_time_adj_ex(NULL, answer == OLD ? -1 : 1, 0, &now);
}

static unsigned char *make_ocsp(const struct bench *b, enum answer answer, int *length)
{
    ASN1_TIME *from, *until;
    dates(answer, &from, &until);
    const struct identity *signer = answer == FORGED ? b->leaf : b->root;
    X509 *leaf = identity_certificate(b->leaf), *root = identity_certificate(b->root);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf, root);
    bool revoked = answer == REVOKED;
    ck_assert_ptr_nonnull(OCSP_basic_add1_status(basic, id,
                                                 revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD, 0,
                                                 revoked ? from : NULL, from, until));
    ck_assert_int_eq(OCSP_basic_sign(basic, identity_certificate(signer), identity_key(signer), EVP_sha256(), NULL, 0),
                     1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *bytes = NULL;
    *length = i2d_OCSP_RESPONSE(response, &bytes);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return bytes;
}

static unsigned char *make_crl(const struct bench *b, enum answer answer, int *length)
{
    ASN1_TIME *from, *until;
    dates(answer, &from, &until);
    X509_CRL *crl = X509_CRL_new();
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(identity_certificate(b->root)));
    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, until);
    if (answer == REVOKED) {
        X509_REVOKED *entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(identity_certificate(b->leaf)));
        X509_REVOKED_set_revocationDate(entry, from);
        X509_CRL_add0_revoked(crl, entry);
    }
    X509_CRL_sign(crl, identity_key(answer == FORGED ? b->leaf : b->root), EVP_sha256());
    unsigned char *bytes = NULL;
    *length = i2d_X509_CRL(crl, &bytes);
    X509_CRL_free(crl);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return bytes;
}

static void fill(const struct bench *b, bool ocsp, struct evbuffer *body)
{
    int length = 0;
    unsigned char *bytes = ocsp ? make_ocsp(b, b->answer, &length) : make_crl(b, b->answer, &length);
    if (b->answer == GARBAGE)
        evbuffer_add_printf(body, "no answer");
    else
        evbuffer_add(body, bytes, (size_t)length);
    for (size_t i = 0; b->answer == HUGE_ANSWER && i < 1200; i++)
        evbuffer_add_printf(body, "%1024s", "");
    OPENSSL_free(bytes);
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct bench *b = arg;
    bool ocsp = strcmp(evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request)), "/ocsp") == 0;
    b->asked++;
    if (b->answer == SILENT)
        return;
    struct evbuffer *body = evbuffer_new();
    fill(b, ocsp, body);
    if (b->answer == ERROR_503)
        evhttp_send_error(request, 503, NULL);
    else
        evhttp_send_reply(request, 200, "OK", body);
    evbuffer_free(body);
}

/* ---- the bench ---- */

struct question {
    struct bench *b;
    struct event *event;
    struct host_facts facts;
    struct netaddr at;
    void (*done)(void *arg, const struct host_facts *facts);
    void *arg;
};

static void tell(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct question *q = arg;
    event_free(q->event);
    q->done(q->arg, &q->facts);
}

static void find_addresses(void *outside, struct arena *arena UNUSED, const char *name, uint16_t port,
                           void (*done)(void *arg, const struct host_facts *facts), void *arg)
{
    struct bench *b = outside;
    struct question *q = arena_alloc(b->arena, sizeof *q);
    *q = (struct question){.b = b, .done = done, .arg = arg};
    ck_assert_str_eq(name, "status.example");
    ck_assert(netaddr_parse("127.0.0.1", port, &q->at, NULL));
    q->facts.addresses = &q->at;
    q->facts.address_count = b->answer == NOBODY ? 0 : 1;
    q->event = evtimer_new(loop_base(b->loop), tell, q);
    event_active(q->event, EV_TIMEOUT, 0);
}

static void make_identities(struct bench *b, bool ocsp, bool crl)
{
    struct err err;
    struct identity_spec root = {.authority = true, .subject = "Root"};
    static const char *const names[] = {"mx.example"};
    b->root = identity_new(&root, &b->clock, &err);
    struct identity_spec leaf = {.issuer = b->root, .names = names, .name_count = 1};
    leaf.ocsp_url = ocsp ? arena_printf(b->arena, "http://status.example:%u/ocsp", b->port) : NULL;
    leaf.crl_url = crl ? arena_printf(b->arena, "http://status.example:%u/crl", b->port) : NULL;
    b->leaf = identity_new(&leaf, &b->clock, &err);
    ck_assert_ptr_nonnull(b->leaf);
}

static void open_bench(struct bench *b, enum answer answer, bool ocsp, bool crl, enum revocation_mode mode)
{
    struct err err;
    *b = (struct bench){.arena = arena_new("test"), .loop = loop_new(&err), .answer = answer};
    b->http = evhttp_new(loop_base(b->loop));
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(b->http, "127.0.0.1", 0);
    ck_assert_ptr_nonnull(bound);
    evhttp_set_gencb(b->http, on_request, b);
    struct sockaddr_storage at;
    socklen_t length = sizeof at;
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &length);
    b->port = netaddr_port((struct sockaddr *)&at);
    make_identities(b, ocsp, crl);
    b->revocation =
        revocation_new(mode, answer == SILENT ? 0.05 : 10, &(struct revocation_ports){b, find_addresses}, b->loop);
}

static void close_bench(struct bench *b)
{
    revocation_cancel(&b->check);
    evhttp_free(b->http);
    revocation_free(&b->revocation);
    loop_free(&b->loop);
    identity_free(&b->leaf);
    identity_free(&b->root);
    arena_free(&b->arena);
}

static void on_done(void *arg, bool passed, const char *why)
{
    struct bench *b = arg;
    b->done = true;
    b->passed = passed;
    b->why = why != NULL ? arena_strdup(b->arena, why) : NULL;
    revocation_cancel(&b->check);
}

static STACK_OF(X509) *chain_of(const struct bench *b)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *both[] = {identity_certificate(b->leaf), identity_certificate(b->root)};
    for (size_t i = 0; i < COUNT(both); i++) {
        X509_up_ref(both[i]);
        sk_X509_push(chain, both[i]);
    }
    return chain;
}

static void run(struct bench *b, const unsigned char *stapled, int length)
{
    b->done = false;
    b->check = revocation_start(b->revocation, chain_of(b), stapled, (size_t)length, on_done, b);
    ck_assert(!b->done);
    ck_assert(loop_run_until(b->loop, &b->done, 10));
}

/* ---- tests ---- */

enum { BY_OCSP = 1, BY_CRL = 2 };
/* clang-format off */
static const struct { const char *name; enum answer answer; int by; bool soft, hard; unsigned asked; } rows[] = {
    {"OCSP: good",                   GOOD,        BY_OCSP,          true,  true,  1},
    {"CRL: good",                    GOOD,        BY_CRL,           true,  true,  1},
    {"both: the first will do",      GOOD,        BY_OCSP | BY_CRL, true,  true,  1},
    {"OCSP: revoked",                REVOKED,     BY_OCSP,          false, false, 1},
    {"CRL: revoked",                 REVOKED,     BY_CRL,           false, false, 1},
    {"OCSP: of yesterday",           OLD,         BY_OCSP,          true,  false, 1},
    {"CRL: of yesterday",            OLD,         BY_CRL,           true,  false, 1},
    {"OCSP: forged",                 FORGED,      BY_OCSP,          true,  false, 1},
    {"CRL: forged",                  FORGED,      BY_CRL,           true,  false, 1},
    {"OCSP: garbage, then the CRL",  GARBAGE,     BY_OCSP | BY_CRL, true,  false, 2},
    {"CRL: without end",             HUGE_ANSWER, BY_CRL,           true,  false, 1},
    {"OCSP: 503",                    ERROR_503,   BY_OCSP,          true,  false, 1},
    {"no address",                   NOBODY,      BY_OCSP | BY_CRL, true,  false, 0},
    {"silence",                      SILENT,      BY_OCSP | BY_CRL, true,  false, 2},
    {"nobody to ask",                GOOD,        0,                true,  false, 0},
};
/* clang-format on */

START_TEST(an_answer_decides_where_it_can_be_believed)
{
    for (int hard = 0; hard < 2; hard++) {
        struct bench b;
        open_bench(&b, rows[_i].answer, rows[_i].by & BY_OCSP, rows[_i].by & BY_CRL,
                   hard ? REVOCATION_HARD : REVOCATION_SOFT);
        run(&b, NULL, 0);
        ck_assert_msg(b.passed == (hard ? rows[_i].hard : rows[_i].soft), "%s, %s: %s", rows[_i].name,
                      hard ? "hard" : "soft", b.why != NULL ? b.why : "passed");
        ck_assert_msg(b.asked == rows[_i].asked, "%s: asked %u times", rows[_i].name, b.asked);
        bool vouched = rows[_i].answer == GOOD && (rows[_i].by != 0 || !hard);
        ck_assert_msg((b.why == NULL) == vouched, "%s: %s", rows[_i].name, b.why);
        close_bench(&b);
    }
}
END_TEST

START_TEST(an_answer_is_kept_until_it_expires)
{
    struct bench b;
    open_bench(&b, GOOD, true, false, REVOCATION_HARD);
    run(&b, NULL, 0);
    run(&b, NULL, 0);
    ck_assert(b.passed);
    ck_assert_uint_eq(b.asked, 1);
    close_bench(&b);
}
END_TEST

/* clang-format off */
static const struct { const char *name; enum answer stapled, asked; bool passed; unsigned count; } staples[] = {
    {"good: nobody is asked",           GOOD,    REVOKED, true,  0},
    {"revoked: nobody is asked",        REVOKED, GOOD,    false, 0},
    {"forged: the authority is asked",  FORGED,  REVOKED, false, 1},
    {"old: the authority is asked",     OLD,     GOOD,    true,  1},
};
/* clang-format on */

START_TEST(a_stapled_answer_comes_first)
{
    struct bench b;
    int length;
    open_bench(&b, staples[_i].asked, true, false, REVOCATION_HARD);
    unsigned char *stapled = make_ocsp(&b, staples[_i].stapled, &length);
    run(&b, stapled, length);
    ck_assert_msg(b.passed == staples[_i].passed && b.asked == staples[_i].count, "%s", staples[_i].name);
    OPENSSL_free(stapled);
    close_bench(&b);
}
END_TEST

START_TEST(a_check_may_be_cancelled_at_any_time)
{
    for (int turns = 0; turns < 6; turns++) {
        struct bench b;
        open_bench(&b, SILENT, true, true, REVOCATION_HARD);
        b.check = revocation_start(b.revocation, chain_of(&b), NULL, 0, on_done, &b);
        for (int i = 0; i < turns; i++)
            loop_run_until(b.loop, NULL, 0);
        revocation_cancel(&b.check);
        loop_run_until(b.loop, NULL, 0);
        ck_assert(!b.done);
        close_bench(&b);
    }
}
END_TEST

TEST_SUITE(revocation)
{
    TEST_LOOP(an_answer_decides_where_it_can_be_believed, COUNT(rows));
    TEST(an_answer_is_kept_until_it_expires);
    TEST_LOOP(a_stapled_answer_comes_first, COUNT(staples));
    TEST(a_check_may_be_cancelled_at_any_time);
}
