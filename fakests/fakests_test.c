/* SPDX-License-Identifier: BSD-2-Clause
 * The whole of fakests, with the real nginx, met by a TLS client on loopback. */
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "base/testing.h"
#include "base/text.h"
#include "fakests/fakests.h"

#define NAME "mta-sts.partner.example"
#define POLICY "version: STSv1\r\nmode: none\r\nmax_age: 0\r\n"

struct lab {
    struct arena *arena;
    struct loop *loop;
    struct journal *journal;
    struct identity *root, *leaf;
    char directory[64];
    uint16_t port;
    struct fakests *sts;
    SSL_CTX *ctx;
    struct bufferevent *client;
    struct evbuffer *got;
    size_t got_length;
    bool done, verified;
    const char *until; /* a fault's id or an event's kind that ends the wait where the client would wait for ever */
};

/* ---- the lab ---- */

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, length) == 0);
    ck_assert(getsockname(fd, (struct sockaddr *)&at, &length) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

static bool is_fault(const struct journal_event *event, const char *id)
{
    return event->kind == JOURNAL_FAULT_HIT && strcmp(journal_get(event, "id"), id) == 0;
}

static void on_event_seen(void *arg, const struct journal_event *event)
{
    struct lab *lab = arg;
    if (lab->until != NULL && (is_fault(event, lab->until) || strcmp(journal_kind_name(event->kind), lab->until) == 0))
        lab->done = true;
}

static struct identity *make_leaf(struct lab *lab, bool expired)
{
    const char *name = NAME;
    struct identity_spec spec = {.issuer = lab->root, .names = &name, .name_count = 1};
    if (expired) {
        spec.not_before_s = -2 * 86400.0;
        spec.not_after_s = -86400.0;
    }
    struct err err = {0};
    struct identity *leaf = identity_new(&spec, NULL, &err);
    ck_assert_msg(leaf != NULL, "%s", err.text);
    return leaf;
}

static struct fakests_config config_of(struct lab *lab, struct fakests_host *host,
                                       const struct web_behaviour *behaviour)
{
    static const char *const addresses[] = {"127.0.0.1"};
    *host = (struct fakests_host){.name = NAME,
                                  .addresses = addresses,
                                  .address_count = 1,
                                  .port = lab->port,
                                  .behaviour = behaviour,
                                  .policy = POLICY,
                                  .identity = lab->leaf,
                                  .fault_prefix = "p:",
                                  .certificate_fault = "certificate",
                                  .policy_fault = "policy"};
    return (struct fakests_config){.hosts = host, .host_count = 1, .directory = lab->directory};
}

static struct lab *lab_new(const struct web_behaviour *behaviour, bool expired)
{
    struct arena *arena = arena_new("lab");
    struct lab *lab = arena_alloc(arena, sizeof *lab);
    struct err err = {0};
    lab->arena = arena;
    lab->loop = loop_new(&err);
    lab->journal = journal_new();
    lab->root = identity_new(&(struct identity_spec){.authority = true, .subject = "root"}, NULL, &err);
    lab->leaf = make_leaf(lab, expired);
    snprintf(lab->directory, sizeof lab->directory, "/tmp/fakests-test-XXXXXX");
    ck_assert(mkdtemp(lab->directory) != NULL);
    lab->port = free_port();
    lab->ctx = SSL_CTX_new(TLS_client_method());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(lab->ctx), identity_certificate(lab->root));
    SSL_CTX_set_verify(lab->ctx, SSL_VERIFY_PEER, NULL);
    lab->got = evbuffer_new();
    struct fakests_host host;
    struct fakests_config config = config_of(lab, &host, behaviour);
    lab->sts = fakests_new(&config, lab->loop, lab->journal, &err);
    ck_assert_msg(lab->sts != NULL && fakests_listen(lab->sts, &err), "%s", err.text);
    journal_watch(lab->journal, on_event_seen, lab);
    return lab;
}

static int remove_entry(const char *path, const struct stat *status UNUSED, int kind UNUSED, struct FTW *at UNUSED)
{
    return remove(path);
}

static void lab_free(struct lab *lab)
{
    if (lab->client != NULL)
        bufferevent_free(lab->client);
    fakests_free(&lab->sts);
    nftw(lab->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    evbuffer_free(lab->got);
    SSL_CTX_free(lab->ctx);
    identity_free(&lab->leaf);
    identity_free(&lab->root);
    journal_free(&lab->journal);
    loop_free(&lab->loop);
    struct arena *arena = lab->arena;
    arena_free(&arena);
}

/* ---- the client ---- */

static void on_read(struct bufferevent *io, void *arg)
{
    struct lab *lab = arg;
    lab->got_length += evbuffer_get_length(bufferevent_get_input(io));
    evbuffer_add_buffer(lab->got, bufferevent_get_input(io));
}

static void on_event(struct bufferevent *io, short what, void *arg)
{
    struct lab *lab = arg;
    static const char request[] =
        "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " NAME "\r\nUser-Agent: test\r\nConnection: close\r\n\r\n";
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        lab->verified = true;
        bufferevent_write(io, request, sizeof request - 1);
    } else {
        on_read(io, arg);
        lab->done = true;
    }
}

static const char *visit(struct lab *lab, const char *until)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(lab->port)};
    SSL *ssl = SSL_new(lab->ctx);
    SSL_set_tlsext_host_name(ssl, NAME);
    SSL_set1_host(ssl, NAME);
    if (lab->client != NULL)
        bufferevent_free(lab->client);
    evbuffer_drain(lab->got, evbuffer_get_length(lab->got));
    lab->got_length = 0;
    lab->done = lab->verified = false;
    lab->until = until;
    lab->client = bufferevent_openssl_socket_new(loop_base(lab->loop), -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                                 BEV_OPT_CLOSE_ON_FREE);
    bufferevent_openssl_set_allow_dirty_shutdown(lab->client, 1);
    bufferevent_setcb(lab->client, on_read, NULL, on_event, lab);
    bufferevent_enable(lab->client, EV_READ | EV_WRITE);
    bufferevent_socket_connect(lab->client, (struct sockaddr *)&at, sizeof at);
    ck_assert_msg(loop_run_until(lab->loop, &lab->done, 20), "the visit did not end");
    evbuffer_add(lab->got, "", 1);
    return (const char *)evbuffer_pullup(lab->got, -1);
}

/* The kinds and fault ids in the order witnessed, but for the end, which either side may see first. */
static const char *story(struct lab *lab)
{
    char *text = arena_strdup(lab->arena, "");
    for (size_t i = 0; i < journal_count(lab->journal); i++) {
        const struct journal_event *event = journal_at(lab->journal, i);
        if (event->kind == JOURNAL_FAULT_HIT)
            text = arena_printf(lab->arena, "%s%s ", text, journal_get(event, "id"));
        else if (event->kind != JOURNAL_WEB_CLOSE)
            text = arena_printf(lab->arena, "%s%s ", text, journal_kind_name(event->kind));
    }
    return text;
}

/* ---- every behaviour ---- */

#define MET "WEB_CONNECT WEB_HELLO "
#define ASKED MET "certificate WEB_REQUEST "
#define USUAL .status = 200, .type = "text/plain"
static const struct {
    const char *name;
    struct web_behaviour behaviour;
    const char *until, *status, *body, *story;
    size_t least, most; /* bytes of the answer, head included; 0: not looked at */
} rows[] = {
    {"the policy", {USUAL}, NULL, "200", POLICY, ASKED "policy WEB_ANSWER ", 0, 0},
    {"reset", {USUAL, .https = WEB_HTTPS_RESET}, NULL, NULL, NULL, MET "p:https ", 0, 0},
    {"close", {USUAL, .https = WEB_HTTPS_CLOSE}, NULL, NULL, NULL, MET "p:https ", 0, 0},
    {"stall", {USUAL, .https = WEB_HTTPS_STALL}, "p:https", NULL, NULL, MET "p:https ", 0, 0},
    {"garbage", {USUAL, .https = WEB_HTTPS_GARBAGE}, NULL, NULL, NULL, MET "p:https ", 0, 0},
    {"alert", {USUAL, .https = WEB_HTTPS_ALERT}, NULL, NULL, NULL, MET "p:https ", 0, 0},
    {"refuse", {USUAL, .https = WEB_HTTPS_REFUSE}, NULL, NULL, NULL, "", 0, 0},
    {"status", {.status = 404, .type = "text/plain"}, NULL, "404", POLICY, ASKED "p:status WEB_ANSWER ", 0, 0},
    {"redirect",
     {USUAL, .location = "https://a.example/"},
     NULL,
     "301",
     "Location: https://a.example/\r\n",
     ASKED "p:location WEB_ANSWER ",
     0,
     0},
    {"type",
     {.status = 200, .type = "text/html"},
     NULL,
     "200",
     "Content-Type: text/html\r\n",
     ASKED "p:type policy WEB_ANSWER ",
     0,
     0},
    {"headers",
     {USUAL, .headers = {(const char *[]){"Cache-Control: max-age=60"}, NULL, 1}},
     NULL,
     "200",
     "Cache-Control: max-age=60\r\n",
     ASKED "policy WEB_ANSWER ",
     0,
     0},
    {"half", {USUAL, .body = WEB_BODY_HALF}, NULL, "200", "version: STSv1", ASKED "p:body WEB_ANSWER ", 0, 0},
    {"endless",
     {USUAL, .body = WEB_BODY_ENDLESS},
     NULL,
     "200",
     "x-endless: ",
     ASKED "p:body WEB_ANSWER ",
     4 << 20,
     5 << 20},
    {"giant",
     {USUAL, .body = WEB_BODY_GIANT},
     NULL,
     "200",
     "x-endless: ",
     ASKED "p:body WEB_ANSWER ",
     4 << 20,
     5 << 20},
    {"oversized",
     {USUAL, .body = WEB_BODY_OVERSIZED},
     NULL,
     "200",
     "x-padding: ",
     ASKED "p:body WEB_ANSWER ",
     64 << 10,
     80 << 10},
    {"empty", {USUAL, .body = WEB_BODY_EMPTY}, NULL, "200", "Content-Length: 0\r\n", ASKED "p:body WEB_ANSWER ", 0, 0},
    {"excess", {USUAL, .body = WEB_BODY_EXCESS}, NULL, "200", "max_age: ", ASKED "p:body WEB_ANSWER ", 0, 0},
    {"unended",
     {USUAL, .body = WEB_BODY_UNENDED},
     NULL,
     "200",
     "Transfer-Encoding: chunked\r\n",
     ASKED "p:body WEB_ANSWER ",
     0,
     0},
    {"broken chunks",
     {USUAL, .body = WEB_BODY_BROKEN_CHUNKS},
     NULL,
     "200",
     "\r\nno number\r\n",
     ASKED "p:body WEB_ANSWER ",
     0,
     0},
    {"silent", {USUAL, .body = WEB_BODY_SILENT}, "p:body", NULL, NULL, ASKED "p:body ", 0, 0},
    {"slow", {USUAL, .body = WEB_BODY_SLOW}, "p:body", NULL, NULL, ASKED "p:body ", 0, 0},
    {"own policy", {USUAL, .policy = "own"}, NULL, "200", "\r\n\r\nown", ASKED "p:policy policy WEB_ANSWER ", 0, 0},
};
START_TEST(a_behaviour_is_met_and_witnessed)
{
    struct lab *lab = lab_new(&rows[_i].behaviour, false);
    const char *got = visit(lab, rows[_i].until);
    const char *seen = story(lab);
    ck_assert_msg(strcmp(seen, rows[_i].story) == 0, "%s: %s", rows[_i].name, seen);
    if (rows[_i].status == NULL)
        ck_assert_msg(lab->got_length == 0, "%s: got %s", rows[_i].name, got);
    else
        ck_assert_msg(strncmp(got + strlen("HTTP/1.1 "), rows[_i].status, 3) == 0, "%s: got %s", rows[_i].name, got);
    if (rows[_i].body != NULL)
        ck_assert_msg(strstr(got, rows[_i].body) != NULL, "%s: got %s", rows[_i].name, got);
    if (rows[_i].most != 0)
        ck_assert_msg(lab->got_length >= rows[_i].least && lab->got_length <= rows[_i].most, "%s: %zu bytes",
                      rows[_i].name, lab->got_length);
    lab_free(lab);
}
END_TEST

START_TEST(an_expired_certificate_is_shown_and_witnessed)
{
    struct lab *lab = lab_new(NULL, true);
    visit(lab, NULL);
    ck_assert(!lab->verified);
    ck_assert_str_eq(story(lab), MET "certificate ");
    lab_free(lab);
}
END_TEST

START_TEST(the_nth_request_alone_is_misled)
{
    struct web_behaviour behaviour = {.status = 503, .type = "text/plain", .nth = 2};
    struct lab *lab = lab_new(&behaviour, false);
    ck_assert(strstr(visit(lab, NULL), "200 OK") != NULL);
    ck_assert(strstr(visit(lab, NULL), "503 ") != NULL);
    ck_assert(strstr(visit(lab, NULL), "200 OK") != NULL);
    lab_free(lab);
}
END_TEST

/* ---- a world that changes ---- */

static const char *nginx_pid(struct lab *lab)
{
    const char *path = arena_printf(lab->arena, "%s/nginx.pid", lab->directory);
    const char *pid = text_read_file(lab->arena, path, 100, NULL, NULL);
    return pid != NULL ? pid : "";
}

static void change(struct lab *lab, const struct web_behaviour *behaviour)
{
    struct err err = {0};
    struct fakests_host host;
    struct fakests_config config = config_of(lab, &host, behaviour);
    ck_assert_msg(fakests_change(lab->sts, &config, &err), "%s", err.text);
}

START_TEST(nginx_lives_on_when_only_behaviour_changes)
{
    struct lab *lab = lab_new(NULL, false);
    ck_assert_str_eq(nginx_pid(lab), "");
    ck_assert(strstr(visit(lab, NULL), "200 OK") != NULL);
    const char *before = nginx_pid(lab);
    change(lab, &(struct web_behaviour){.status = 500});
    ck_assert(strstr(visit(lab, NULL), "500 ") != NULL);
    ck_assert_str_eq(nginx_pid(lab), before);
    lab_free(lab);
}
END_TEST

START_TEST(nginx_is_renewed_with_the_certificate)
{
    struct lab *lab = lab_new(NULL, false);
    ck_assert(strstr(visit(lab, NULL), "200 OK") != NULL);
    const char *before = nginx_pid(lab);
    struct identity *old = lab->leaf;
    lab->leaf = make_leaf(lab, true);
    change(lab, NULL);
    identity_free(&old);
    visit(lab, NULL);
    ck_assert(!lab->verified);
    ck_assert_str_ne(nginx_pid(lab), before);
    lab_free(lab);
}
END_TEST

START_TEST(a_host_may_go_and_come_back)
{
    struct lab *lab = lab_new(NULL, false);
    ck_assert(strstr(visit(lab, NULL), "200 OK") != NULL);
    change(lab, &(struct web_behaviour){USUAL, .https = WEB_HTTPS_REFUSE});
    ck_assert_str_eq(visit(lab, NULL), "");
    change(lab, NULL);
    ck_assert(strstr(visit(lab, NULL), "200 OK") != NULL);
    lab_free(lab);
}
END_TEST

START_TEST(a_dead_nginx_is_trouble_of_the_lab)
{
    struct lab *lab = lab_new(NULL, false);
    ck_assert(strstr(visit(lab, NULL), "200 OK") != NULL);
    lab->done = false;
    lab->until = "LAB_TROUBLE";
    kill((pid_t)strtol(nginx_pid(lab), NULL, 10), SIGKILL);
    ck_assert(loop_run_until(lab->loop, &lab->done, 20));
    ck_assert_str_eq(visit(lab, NULL), "");
    ck_assert(strstr(story(lab), "LAB_TROUBLE " MET "LAB_TROUBLE ") != NULL);
    lab_free(lab);
}
END_TEST

START_TEST(an_address_that_is_none_is_refused)
{
    struct err err = {0};
    const char *addresses[] = {"198.18.0.300"};
    struct fakests_host host = {.name = "h",
                                .addresses = addresses,
                                .address_count = 1,
                                .behaviour = &(struct web_behaviour){.https = WEB_HTTPS_REFUSE}};
    struct lab *lab = lab_new(NULL, false);
    struct fakests_config config = {.hosts = &host, .host_count = 1, .directory = lab->directory};
    ck_assert(!fakests_change(lab->sts, &config, &err));
    ck_assert(strstr(err.text, "198.18.0.300") != NULL);
    ck_assert(strstr(visit(lab, NULL), "200 OK") != NULL);
    lab_free(lab);
}
END_TEST

TEST_SUITE(fakests)
{
    char path[256];
    if (!process_find("nginx", path, sizeof path))
        return;
    TEST_LOOP(a_behaviour_is_met_and_witnessed, COUNT(rows));
    TEST(an_expired_certificate_is_shown_and_witnessed);
    TEST(the_nth_request_alone_is_misled);
    TEST(nginx_lives_on_when_only_behaviour_changes);
    TEST(nginx_is_renewed_with_the_certificate);
    TEST(a_host_may_go_and_come_back);
    TEST(a_dead_nginx_is_trouble_of_the_lab);
    TEST(an_address_that_is_none_is_refused);
}
