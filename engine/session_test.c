/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/session.h"

#include <event2/buffer.h>
#include <string.h>

#include "base/testing.h"
#include "engine/transaction.h"

enum { ANSWERS_MAX = 12, RECIPIENTS = 2 };

#define EHLO "250-hi\r\n250 SIZE 1000\r\n"
#define EHLO_TLS "250-hi\r\n250 STARTTLS\r\n"
#define OK "250 2.0.0 ok\r\n"
#define GO "354 go\r\n"
#define BYE "221 bye\r\n"
#define GREETING "220 mx ESMTP\r\n"
#define CLOSE "close" /* the peer closes instead of answering */
#define SILENCE "silence"

/* What a scripted server answers, command by command; what it is then told; what comes of it. */
/* clang-format off */
static const struct row {
    const char *name;
    const char *answers[ANSWERS_MAX];   /* the first is the greeting */
    const char *commands;
    enum cause session;
    enum recipient_fate fates[RECIPIENTS];
    enum cause causes[RECIPIENTS];
    bool starttls, demanded, in_clear;  /* of the job */
    enum policy_reason reason;
    const char *content;                /* NULL: a small mail */
} rows[] = {
    {"delivered to two", {GREETING, EHLO, OK, OK, OK, GO, OK, BYE}, "EHLO MAIL RCPT RCPT DATA . QUIT",
     CAUSE_NONE, {FATE_DELIVERED, FATE_DELIVERED}, {0}, .starttls = false},
    {"three fates (5321-4.2.1)", {GREETING, EHLO, OK, "451 4.3.0 later\r\n", OK, GO, OK, BYE},
     "EHLO MAIL RCPT RCPT DATA . QUIT",
     CAUSE_NONE, {FATE_FAILED, FATE_DELIVERED}, {CAUSE_RCPT_4XX, 0}, .starttls = false},
    {"none accepted", {GREETING, EHLO, OK, "550 5.1.1 no\r\n", "450 x\r\n", BYE}, "EHLO MAIL RCPT RCPT QUIT",
     CAUSE_NONE, {FATE_FAILED, FATE_FAILED}, {CAUSE_RCPT_5XX, CAUSE_RCPT_4XX}, .starttls = false},
    {"HELO after EHLO is refused", {GREETING, "502 what?\r\n", OK, OK, OK, OK, GO, OK, BYE},
     "EHLO HELO MAIL RCPT RCPT DATA . QUIT",
     CAUSE_NONE, {FATE_DELIVERED, FATE_DELIVERED}, {0}, .starttls = false},
    {"both refused", {GREETING, "554 no\r\n", "554 no\r\n", BYE}, "EHLO HELO QUIT",
     CAUSE_EHLO_5XX, {FATE_FAILED, FATE_FAILED}, {CAUSE_EHLO_5XX, CAUSE_EHLO_5XX}, .starttls = false},
    {"554 greeting", {"554 no\r\n", BYE}, "QUIT", CAUSE_GREETING_5XX, {FATE_FAILED, FATE_FAILED}, {CAUSE_GREETING_5XX,
     CAUSE_GREETING_5XX}, .starttls = false},
    {"421 greeting", {"421 busy\r\n"}, "", CAUSE_CLOSING, {FATE_FAILED, FATE_FAILED}, {CAUSE_CLOSING, CAUSE_CLOSING},
     .starttls = false},
    {"550 to MAIL", {GREETING, EHLO, "550 no\r\n", BYE}, "EHLO MAIL QUIT", CAUSE_MAIL_5XX, {FATE_FAILED, FATE_FAILED},
     {CAUSE_MAIL_5XX, CAUSE_MAIL_5XX}, .starttls = false},
    {"530 to MAIL wants TLS", {GREETING, EHLO, "530 5.7.0 STARTTLS first\r\n", BYE}, "EHLO MAIL QUIT",
     CAUSE_TLS_WANTED, {FATE_FAILED, FATE_FAILED}, {CAUSE_TLS_WANTED, CAUSE_TLS_WANTED}, .starttls = false},
    {"452 to DATA", {GREETING, EHLO, OK, OK, "550 no\r\n", "452 full\r\n", BYE}, "EHLO MAIL RCPT RCPT DATA QUIT",
     CAUSE_DATA_4XX, {FATE_FAILED, FATE_FAILED}, {CAUSE_DATA_4XX, CAUSE_RCPT_5XX}, .starttls = false},
    {"554 to the dot", {GREETING, EHLO, OK, OK, OK, GO, "554 spam\r\n", BYE}, "EHLO MAIL RCPT RCPT DATA . QUIT",
     CAUSE_BODY_5XX, {FATE_FAILED, FATE_FAILED}, {CAUSE_BODY_5XX, CAUSE_BODY_5XX}, .starttls = false},
    {"421 in the middle", {GREETING, EHLO, OK, OK, "421 going down\r\n"}, "EHLO MAIL RCPT RCPT",
     CAUSE_CLOSING, {FATE_FAILED, FATE_FAILED}, {CAUSE_CLOSING, CAUSE_CLOSING}, .starttls = false},
    {"a reply too many behind EHLO", {GREETING, EHLO "250 more\r\n", SILENCE}, "EHLO MAIL", CAUSE_CLOSING,
     {FATE_FAILED, FATE_FAILED}, {CAUSE_CLOSING, CAUSE_CLOSING}, .starttls = false},
    {"closed at MAIL", {GREETING, EHLO, CLOSE}, "EHLO MAIL", CAUSE_LOST, {FATE_FAILED, FATE_FAILED}, {CAUSE_LOST,
     CAUSE_LOST}, .starttls = false},
    {"closed after the dot", {GREETING, EHLO, OK, OK, "550 no\r\n", GO, CLOSE}, "EHLO MAIL RCPT RCPT DATA .",
     CAUSE_LOST_AFTER_DOT, {FATE_FAILED, FATE_FAILED}, {CAUSE_LOST_AFTER_DOT, CAUSE_RCPT_5XX}, .starttls = false},
    {"closed instead of 221", {GREETING, EHLO, OK, OK, OK, GO, OK, CLOSE}, "EHLO MAIL RCPT RCPT DATA . QUIT",
     CAUSE_NONE, {FATE_DELIVERED, FATE_DELIVERED}, {0}, .starttls = false},
    {"silence", {SILENCE}, "", CAUSE_TIMEOUT, {FATE_FAILED, FATE_FAILED}, {CAUSE_TIMEOUT, CAUSE_TIMEOUT},
     .starttls = false},
    {"garbage", {"hello there\r\n"}, "", CAUSE_BAD_REPLY, {FATE_FAILED, FATE_FAILED}, {CAUSE_BAD_REPLY,
     CAUSE_BAD_REPLY}, .starttls = false},
    {"600", {GREETING, "600 what\r\n"}, "EHLO", CAUSE_BAD_REPLY, {FATE_FAILED, FATE_FAILED}, {CAUSE_BAD_REPLY,
     CAUSE_BAD_REPLY}, .starttls = false},
    {"bigger than SIZE", {GREETING, "250-hi\r\n250 SIZE 10\r\n", BYE}, "EHLO QUIT", CAUSE_TOO_BIG, {FATE_FAILED,
     FATE_FAILED}, {CAUSE_TOO_BIG, CAUSE_TOO_BIG}, .starttls = false},
    {"8-bit where it is not taken", {GREETING, EHLO, BYE}, "EHLO QUIT", CAUSE_NO_8BIT, {FATE_FAILED, FATE_FAILED},
     {CAUSE_NO_8BIT, CAUSE_NO_8BIT},
     .content = "A: b\r\n\r\n\xc3\xa4\r\n"},

    {"TLS demanded, not offered", {GREETING, EHLO, BYE}, "EHLO QUIT", CAUSE_DEMAND_UNMET, {FATE_FAILED, FATE_FAILED},
     {CAUSE_DEMAND_UNMET, CAUSE_DEMAND_UNMET}, .starttls = true, .demanded = true,
      .reason = REASON_STARTTLS_NOT_SUPPORTED},
    {"TLS demanded, only HELO", {GREETING, "500 what?\r\n", OK, BYE}, "EHLO HELO QUIT", CAUSE_DEMAND_UNMET,
     {FATE_FAILED, FATE_FAILED},
     {CAUSE_DEMAND_UNMET, CAUSE_DEMAND_UNMET}, .starttls = true, .demanded = true,
      .reason = REASON_STARTTLS_NOT_SUPPORTED},
    {"STARTTLS answered 454: in the clear", {GREETING, EHLO_TLS, "454 later\r\n", OK, OK, OK, GO, OK, BYE},
     "EHLO STAR MAIL RCPT RCPT DATA . QUIT",
     CAUSE_NONE, {FATE_DELIVERED, FATE_DELIVERED}, {0}, .starttls = true},
    {"STARTTLS answered 454, demanded", {GREETING, EHLO_TLS, "454 later\r\n", BYE}, "EHLO STAR QUIT",
     CAUSE_DEMAND_UNMET,
     {FATE_FAILED, FATE_FAILED}, {CAUSE_DEMAND_UNMET, CAUSE_DEMAND_UNMET}, .starttls = true, .demanded = true,
      .reason = REASON_STARTTLS_NOT_SUPPORTED},
    {"STARTTLS answered 250", {GREETING, EHLO_TLS, OK}, "EHLO STAR", CAUSE_STARTTLS_BROKEN, {FATE_FAILED, FATE_FAILED},
     {CAUSE_STARTTLS_BROKEN, CAUSE_STARTTLS_BROKEN}, .starttls = true},
    {"STARTTLS answered 421", {GREETING, EHLO_TLS, "421 no\r\n"}, "EHLO STAR", CAUSE_STARTTLS_BROKEN, {FATE_FAILED,
     FATE_FAILED},
     {CAUSE_STARTTLS_BROKEN, CAUSE_STARTTLS_BROKEN}, .starttls = true},
    {"STARTTLS answered by a close", {GREETING, EHLO_TLS, CLOSE}, "EHLO STAR", CAUSE_STARTTLS_BROKEN, {FATE_FAILED,
     FATE_FAILED},
     {CAUSE_STARTTLS_BROKEN, CAUSE_STARTTLS_BROKEN}, .starttls = true},
    {"replies behind the 220 (3207-6-3)", {GREETING, EHLO_TLS, "220 go\r\n250 injected\r\n"}, "EHLO STAR",
     CAUSE_STARTTLS_BROKEN,
     {FATE_FAILED, FATE_FAILED}, {CAUSE_STARTTLS_BROKEN, CAUSE_STARTTLS_BROKEN}, .starttls = true},
    {"the same, demanded", {GREETING, EHLO_TLS, "220 go\r\n250 injected\r\n"}, "EHLO STAR", CAUSE_DEMAND_UNMET,
     {FATE_FAILED, FATE_FAILED}, {CAUSE_DEMAND_UNMET, CAUSE_DEMAND_UNMET}, .starttls = true, .demanded = true,
      .reason = REASON_STARTTLS_NOT_SUPPORTED},
    {"the second try leaves STARTTLS alone", {GREETING, EHLO_TLS, OK, OK, OK, GO, OK, BYE},
     "EHLO MAIL RCPT RCPT DATA . QUIT",
     CAUSE_NONE, {FATE_DELIVERED, FATE_DELIVERED}, {0}, .starttls = true, .in_clear = true},
};
/* clang-format on */

struct bench {
    struct arena *arena;
    struct loop *loop;
    const struct row *row;
    struct bufferevent *server;
    size_t answers; /* given so far */
    bool in_data;
    char *commands, *body;
    struct session_setting setting;
    struct session *session;
    struct transaction_mail mail;
    struct failure failure; /* of the session, else of the transaction */
    const struct transaction_result *result;
    bool done;
};

static void answer(struct bench *b)
{
    const char *text = b->row->answers[b->answers++];
    ck_assert_msg(text != NULL, "%s: asked too much: %s", b->row->name, b->commands);
    if (strcmp(text, CLOSE) == 0) {
        bufferevent_flush(b->server, EV_WRITE, BEV_FINISHED);
    } else if (strcmp(text, SILENCE) != 0) {
        bufferevent_write(b->server, text, strlen(text));
    }
    b->in_data = strncmp(text, "354", 3) == 0;
}

static void on_line(struct bench *b, const char *line)
{
    bool dot = strcmp(line, ".") == 0;
    if (b->in_data && !dot) {
        b->body = arena_printf(b->arena, "%s%s\r\n", b->body, line);
        return;
    }
    b->commands = arena_printf(b->arena, "%s%s%.4s", b->commands, *b->commands ? " " : "", line);
    answer(b);
}

static void on_read(struct bufferevent *server, void *arg)
{
    struct bench *b = arg;
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(server), NULL, EVBUFFER_EOL_CRLF_STRICT)) != NULL) {
        on_line(b, line);
        free(line);
    }
}

static void on_gone(void *arg, struct session *session)
{
    ((struct bench *)arg)->done = true;
    session_drop(&session);
}

static void on_transaction(void *arg, const struct transaction_result *result)
{
    struct bench *b = arg;
    b->result = result;
    b->failure = result->failure;
    session_quit(b->session, on_gone, b);
}

static void on_opened(void *arg, const struct session_opening *opening)
{
    struct bench *b = arg;
    b->failure = opening->failure;
    if (b->failure.cause != CAUSE_NONE)
        session_quit(b->session, on_gone, b);
    else
        transaction_start(b->loop, b->arena, b->session, &b->mail, on_transaction, b);
}

static const char *const recipients[] = {"a@x.example", "b@x.example"};
static const char small_mail[] = "Subject: x\r\n\r\n.dot\r\n..two\r\nlast";

static struct session_setting setting_of(const struct row *row)
{
    static const struct tls_demands demands;
    double late = row->answers[0] == NULL || strcmp(row->answers[0], SILENCE) != 0 ? 60 : 0.001;
    return (struct session_setting){
        .hostname = "relay.example",
        .tls = row->starttls ? (struct tls_client *)recipients : NULL, /* only looked at after a clean 220 */
        .demands = &demands,
        .without_tls = REASON_STARTTLS_NOT_SUPPORTED,
        .tls_demanded = row->demanded,
        .in_clear = row->in_clear,
        .timeouts = {late, 60, 60, 60, 60, 60, 60, 60, 60},
    };
}

static struct transaction_mail mail_of(const struct row *row)
{
    const char *content = row->content != NULL ? row->content : small_mail;
    return (struct transaction_mail){"s@z.example", recipients, RECIPIENTS, content, strlen(content)};
}

static void converse(struct bench *b, const struct row *row)
{
    struct err err;
    *b = (struct bench){.arena = arena_new("test"), .loop = loop_new(&err), .row = row};
    b->commands = b->body = arena_strdup(b->arena, "");
    struct bufferevent *pair[2];
    ck_assert_int_eq(bufferevent_pair_new(loop_base(b->loop), BEV_OPT_CLOSE_ON_FREE, pair), 0);
    b->server = pair[1];
    bufferevent_setcb(b->server, on_read, NULL, NULL, b);
    bufferevent_enable(b->server, EV_READ | EV_WRITE);
    b->setting = setting_of(row);
    b->mail = mail_of(row);
    answer(b);
    b->session = session_open(b->loop, b->arena, pair[0], &b->setting, on_opened, b);
    ck_assert_msg(loop_run_until(b->loop, &b->done, 10), "%s: no end after: %s", row->name, b->commands);
}

static void release(struct bench *b)
{
    bufferevent_free(b->server);
    loop_free(&b->loop);
    arena_free(&b->arena);
}

/* Where the session did not come about, its failure is every recipient's. */
static void check_recipient(const struct bench *b, size_t i)
{
    const struct row *row = b->row;
    struct transaction_recipient r = {FATE_FAILED, b->failure};
    if (b->result != NULL)
        r = b->result->recipients[i];
    ck_assert_msg(r.fate == row->fates[i], "%s: recipient %zu: fate %d", row->name, i, r.fate);
    ck_assert_msg(r.failure.cause == row->causes[i], "%s: recipient %zu: %s", row->name, i,
                  cause_name(r.failure.cause));
}

START_TEST(servers_are_talked_to)
{
    struct bench b;
    const struct row *row = &rows[_i];
    converse(&b, row);
    ck_assert_msg(strcmp(b.commands, row->commands) == 0, "%s: %s", row->name, b.commands);
    ck_assert_msg(b.failure.cause == row->session, "%s: %s", row->name, cause_name(b.failure.cause));
    ck_assert_msg(b.failure.reason == row->reason, "%s: reason %d", row->name, b.failure.reason);
    bool delivered = row->fates[0] == FATE_DELIVERED || row->fates[1] == FATE_DELIVERED;
    ck_assert_msg(!delivered || b.result->reply != NULL, "%s: without a reply", row->name);
    for (size_t i = 0; i < RECIPIENTS; i++)
        check_recipient(&b, i);
    if (delivered)
        ck_assert_str_eq(b.body, "Subject: x\r\n\r\n..dot\r\n...two\r\nlast\r\n");
    release(&b);
}
END_TEST

TEST_SUITE(session)
{
    TEST_LOOP(servers_are_talked_to, COUNT(rows));
}
