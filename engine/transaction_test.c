/* SPDX-License-Identifier: BSD-2-Clause
 * What is said with which extension, and whose answer is whose, however the answers are cut. */
#include "engine/transaction.h"

#include <event2/buffer.h>
#include <string.h>
#include <strings.h>

#include "base/testing.h"

enum { ANSWERS_MAX = 8 };
enum cut { AT_ONCE, TOGETHER, BYTE_BY_BYTE, CUT_COUNT };

#define OK "250 2.0.0 ok\r\n"
#define GO "354 go\r\n"
#define NO_USER "550 5.1.1 nobody\r\n"
#define UMLAUT "\xc3\xa4"
#define SMALL "A: b\r\n\r\n.x"

/* What the server offers besides ENHANCEDSTATUSCODES and answers from MAIL on; what it is then told, commands that came
 * in one piece joined by +; what comes of the transaction and its two recipients. */
/* clang-format off */
static const struct row {
    const char *name, *offers;
    const char *answers[ANSWERS_MAX];
    const char *told;
    enum cause cause;
    enum recipient_fate fates[2];
    enum cause causes[2];
    struct transaction_mail mail;         /* NULL and 0: the usual */
    const char *first, *text;             /* recipient; what arrives; NULL: the usual */
} rows[] = {
#define DELIVERED CAUSE_NONE, {FATE_DELIVERED, FATE_DELIVERED}, {0}
#define FAILED(cause) cause, {FATE_FAILED, FATE_FAILED}, {cause, cause}
#define MAIL "MAIL FROM:<s@z.example>"
#define TWO "RCPT TO:<a@x.example> | RCPT TO:<b@x.example>"
#define GROUP "+RCPT TO:<a@x.example>+RCPT TO:<b@x.example>"
    {"nothing is offered", "", {OK, OK, OK, GO, OK}, MAIL " | " TWO " | DATA | .", DELIVERED},
    {"SIZE", "SIZE 100", {OK, OK, OK, GO, OK}, MAIL " SIZE=10 | " TWO " | DATA | .", DELIVERED},
    {"too big for SIZE", "SIZE 9", {0}, "", FAILED(CAUSE_TOO_BIG)},

    {"pipelined", "PIPELINING", {OK, OK, OK, GO, OK}, MAIL GROUP "+DATA | .", DELIVERED},
    {"pipelined, switched off", "PIPELINING", {OK, OK, OK, GO, OK}, MAIL " | " TWO " | DATA | .", DELIVERED,
     .mail = {.may_pipeline = true}},
    {"pipelined, the first refused", "PIPELINING", {OK, NO_USER, OK, GO, OK}, MAIL GROUP "+DATA | .",
     CAUSE_NONE, {FATE_FAILED, FATE_DELIVERED}, {CAUSE_RCPT_5XX, 0}},
    {"pipelined, the second for later", "PIPELINING", {OK, OK, "450 4.2.1 later\r\n", GO, OK}, MAIL GROUP "+DATA | .",
     CAUSE_NONE, {FATE_DELIVERED, FATE_FAILED}, {0, CAUSE_RCPT_4XX}},
    {"pipelined, MAIL refused", "PIPELINING", {"550 5.7.1 no\r\n", "503 no\r\n", "503 no\r\n", "503 no\r\n"},
     MAIL GROUP "+DATA", FAILED(CAUSE_MAIL_5XX)},
    {"pipelined, MAIL refused, DATA taken all the same", "PIPELINING",
     {"550 5.7.1 no\r\n", "503 no\r\n", "503 no\r\n", GO, OK}, MAIL GROUP "+DATA | .", FAILED(CAUSE_MAIL_5XX),
     .text = ""},
    {"pipelined, all refused", "PIPELINING", {OK, NO_USER, NO_USER, "554 no\r\n"}, MAIL GROUP "+DATA",
     CAUSE_NONE, {FATE_FAILED, FATE_FAILED}, {CAUSE_RCPT_5XX, CAUSE_RCPT_5XX}},
    {"pipelined, all refused, DATA taken all the same", "PIPELINING", {OK, NO_USER, NO_USER, GO, "554 empty\r\n"},
     MAIL GROUP "+DATA | .", CAUSE_NONE, {FATE_FAILED, FATE_FAILED}, {CAUSE_RCPT_5XX, CAUSE_RCPT_5XX}, .text = ""},
    {"pipelined, DATA refused", "PIPELINING", {OK, OK, OK, "452 full\r\n"}, MAIL GROUP "+DATA", FAILED(CAUSE_DATA_4XX)},
    {"pipelined, 421 at the first recipient", "PIPELINING", {OK, "421 bye\r\n", "421 bye\r\n", "421 bye\r\n"},
     MAIL GROUP "+DATA", FAILED(CAUSE_CLOSING)},
    {"pipelined, replies of several lines", "PIPELINING", {"250-2.0.0 a\r\n250 b\r\n", "250-x\r\n250-y\r\n250 z\r\n",
     "550-5.1.1 no\r\n550 5.1.1 body\r\n", GO, OK}, MAIL GROUP "+DATA | .",
     CAUSE_NONE, {FATE_DELIVERED, FATE_FAILED}, {0, CAUSE_RCPT_5XX}},

    {"a chunk", "CHUNKING", {OK, OK, OK, OK}, MAIL " | " TWO " | BDAT 12 LAST", DELIVERED},
    {"a chunk, switched off", "CHUNKING", {OK, OK, OK, GO, OK}, MAIL " | " TWO " | DATA | .", DELIVERED,
     .mail = {.may_chunk = true}},
    {"a chunk behind a group", "PIPELINING,CHUNKING", {OK, OK, OK, OK}, MAIL GROUP " | BDAT 12 LAST", DELIVERED},
    {"no chunk for nobody", "PIPELINING,CHUNKING", {OK, NO_USER, NO_USER}, MAIL GROUP,
     CAUSE_NONE, {FATE_FAILED, FATE_FAILED}, {CAUSE_RCPT_5XX, CAUSE_RCPT_5XX}},
    {"no chunk where MAIL is refused", "PIPELINING,CHUNKING", {"550 no\r\n", "503 no\r\n", "503 no\r\n"}, MAIL GROUP,
     FAILED(CAUSE_MAIL_5XX)},
    {"a chunk refused", "CHUNKING", {OK, OK, OK, "554 5.6.0 no\r\n"}, MAIL " | " TWO " | BDAT 12 LAST",
     FAILED(CAUSE_BODY_5XX)},

    {"8-bit", "8BITMIME", {OK, OK, OK, GO, OK}, MAIL " BODY=8BITMIME | " TWO " | DATA | .", DELIVERED,
     .mail = {.content = "A: b\r\n\r\n" UMLAUT "\r\n"}, .text = "A: b\r\n\r\n" UMLAUT "\r\n"},
    {"8-bit, not taken", "SIZE", {0}, "", FAILED(CAUSE_NO_8BIT), .mail = {.content = "A: b\r\n\r\n" UMLAUT "\r\n"}},

    {"SMTPUTF8 for a sender", "SMTPUTF8", {OK, OK, OK, GO, OK},
     "MAIL FROM:<" UMLAUT "@z.example> SMTPUTF8 | " TWO " | DATA | .", DELIVERED,
     .mail = {.sender = UMLAUT "@z.example", .smtputf8 = true}},
    {"SMTPUTF8 for a recipient", "SMTPUTF8", {OK, OK, OK, GO, OK},
     MAIL " SMTPUTF8 | RCPT TO:<" UMLAUT "@x.example> | RCPT TO:<b@x.example> | DATA | .", DELIVERED,
     .mail = {.smtputf8 = true}, .first = UMLAUT "@x.example"},
    {"SMTPUTF8 for a header", "8BITMIME,SMTPUTF8", {OK, OK, OK, GO, OK},
     MAIL " BODY=8BITMIME SMTPUTF8 | " TWO " | DATA | .", DELIVERED,
     .mail = {.smtputf8 = true, .content = "A: " UMLAUT "\r\n\r\n"}, .text = "A: " UMLAUT "\r\n\r\n"},
    {"SMTPUTF8 for nothing in it", "", {OK, OK, OK, GO, OK}, MAIL " | " TWO " | DATA | .", DELIVERED,
     .mail = {.smtputf8 = true}},
    {"SMTPUTF8 for a text alone", "8BITMIME", {OK, OK, OK, GO, OK}, MAIL " BODY=8BITMIME | " TWO " | DATA | .",
     DELIVERED, .mail = {.smtputf8 = true, .content = "A: b\r\n\r\n" UMLAUT "\r\n"},
     .text = "A: b\r\n\r\n" UMLAUT "\r\n"},
    {"SMTPUTF8 not offered, a sender", "", {0}, "", FAILED(CAUSE_NO_SMTPUTF8),
     .mail = {.sender = UMLAUT "@z.example", .smtputf8 = true}},
    {"SMTPUTF8 not offered, a header", "8BITMIME", {0}, "", FAILED(CAUSE_NO_SMTPUTF8),
     .mail = {.smtputf8 = true, .content = "A: " UMLAUT "\r\n\r\n"}},
    {"SMTPUTF8 not offered, one recipient", "", {OK, OK, GO, OK}, MAIL " | RCPT TO:<b@x.example> | DATA | .",
     CAUSE_NONE, {FATE_FAILED, FATE_DELIVERED}, {CAUSE_NO_SMTPUTF8, 0},
     .mail = {.smtputf8 = true}, .first = UMLAUT "@x.example"},
    {"the same, pipelined", "PIPELINING", {OK, OK, GO, OK}, MAIL "+RCPT TO:<b@x.example>+DATA | .",
     CAUSE_NONE, {FATE_FAILED, FATE_DELIVERED}, {CAUSE_NO_SMTPUTF8, 0},
     .mail = {.smtputf8 = true}, .first = UMLAUT "@x.example"},
    {"a header in UTF-8 that came without SMTPUTF8", "8BITMIME", {OK, OK, OK, GO, OK},
     MAIL " BODY=8BITMIME | " TWO " | DATA | .", DELIVERED,
     .mail = {.content = "A: " UMLAUT "\r\n\r\n"}, .text = "A: " UMLAUT "\r\n\r\n"},

    {"REQUIRETLS", "REQUIRETLS", {OK, OK, OK, GO, OK}, MAIL " REQUIRETLS | " TWO " | DATA | .", DELIVERED,
     .mail = {.requiretls = REQUIRETLS_DEMANDED}},
    {"REQUIRETLS not offered", "SIZE", {0}, "", FAILED(CAUSE_REQUIRETLS_UNMET),
     .mail = {.requiretls = REQUIRETLS_DEMANDED}},
    {"REQUIRETLS not said", "REQUIRETLS", {OK, OK, OK, GO, OK}, MAIL " | " TWO " | DATA | .", DELIVERED},
    {"REQUIRETLS wished, without a certificate", "REQUIRETLS", {OK, OK, OK, GO, OK}, MAIL " | " TWO " | DATA | .",
     DELIVERED, .mail = {.requiretls = REQUIRETLS_WISHED}},
    {"REQUIRETLS wished, not offered", "", {OK, OK, OK, GO, OK}, MAIL " | " TWO " | DATA | .", DELIVERED,
     .mail = {.requiretls = REQUIRETLS_WISHED}},
    {"530 to MAIL", "", {"530 5.7.0 STARTTLS\r\n"}, MAIL, FAILED(CAUSE_TLS_WANTED)},
    {"530 to MAIL, TLS waived", "", {"530 5.7.0 STARTTLS\r\n"}, MAIL, FAILED(CAUSE_TLS_INSISTED_ON),
     .mail = {.tls_waived = true}},
};
/* clang-format on */

struct bench {
    struct arena *arena;
    struct loop *loop;
    const struct row *row;
    enum cut cut;
    struct bufferevent *server;
    struct event *pump; /* sends what is waiting, as the row wants it cut */
    struct evbuffer *waiting;
    size_t answers; /* given since EHLO */
    size_t chunk;   /* bytes of it still to come */
    bool in_data, more;
    char *told, *text;
    struct session *session;
    struct transaction_mail mail;
    const char *recipients[2];
    const struct transaction_result *result;
    bool done;
};

/* ---- the server ---- */

static void on_pump(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct bench *b = arg;
    size_t length = b->cut == BYTE_BY_BYTE ? 1 : evbuffer_get_length(b->waiting);
    char bytes[1024];
    length = (size_t)evbuffer_remove(b->waiting, bytes, length);
    bufferevent_write(b->server, bytes, length);
    if (evbuffer_get_length(b->waiting) > 0)
        event_active(b->pump, EV_TIMEOUT, 0);
}

static void answer(struct bench *b, const char *text)
{
    if (b->cut == AT_ONCE) {
        bufferevent_write(b->server, text, strlen(text));
        return;
    }
    evbuffer_add(b->waiting, text, strlen(text));
    event_active(b->pump, EV_TIMEOUT, 0);
}

static const char *ehlo_answer(struct bench *b)
{
    char *offers = arena_strdup(b->arena, b->row->offers), *keyword;
    const char *text = "";
    while ((keyword = strsep(&offers, ",")) != NULL)
        if (*keyword != '\0')
            text = arena_printf(b->arena, "%s250-%s\r\n", text, keyword);
    return arena_printf(b->arena, "250-hi\r\n%s250 ENHANCEDSTATUSCODES\r\n", text);
}

static void answer_next(struct bench *b)
{
    const char *text = b->answers < ANSWERS_MAX ? b->row->answers[b->answers] : NULL;
    ck_assert_msg(text != NULL, "%s: asked too much: %s", b->row->name, b->told);
    b->answers++;
    b->in_data = strncmp(text, "354", 3) == 0;
    answer(b, text);
}

static void on_command(struct bench *b, const char *line)
{
    if (strncmp(line, "EHLO", 4) == 0) {
        answer(b, ehlo_answer(b));
    } else if (strcmp(line, "QUIT") == 0) {
        answer(b, "221 bye\r\n");
    } else {
        b->told = arena_printf(b->arena, "%s%s%s", b->told, *b->told == '\0' ? "" : b->more ? "+" : " | ", line);
        b->more = true;
        if (sscanf(line, "BDAT %zu LAST", &b->chunk) != 1)
            answer_next(b);
    }
}

static void on_line(struct bench *b, const char *line)
{
    if (b->in_data && strcmp(line, ".") != 0)
        b->text = arena_printf(b->arena, "%s%s\r\n", b->text, line + (*line == '.'));
    else
        on_command(b, line);
}

static void take_chunk(struct bench *b, struct evbuffer *in)
{
    size_t length = b->chunk < evbuffer_get_length(in) ? b->chunk : evbuffer_get_length(in);
    char *bytes = arena_alloc(b->arena, length);
    evbuffer_remove(in, bytes, length);
    b->text = arena_printf(b->arena, "%s%.*s", b->text, (int)length, bytes);
    b->chunk -= length;
    if (b->chunk == 0)
        answer_next(b);
}

static void on_read(struct bufferevent *server, void *arg)
{
    struct bench *b = arg;
    struct evbuffer *in = bufferevent_get_input(server);
    char *line;
    b->more = false;
    while (b->chunk > 0 && evbuffer_get_length(in) > 0)
        take_chunk(b, in);
    while (b->chunk == 0 && (line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT)) != NULL) {
        on_line(b, line);
        free(line);
        if (b->chunk > 0 && evbuffer_get_length(in) > 0)
            take_chunk(b, in);
    }
}

/* ---- the client ---- */

static void on_gone(void *arg, struct session *session)
{
    ((struct bench *)arg)->done = true;
    session_drop(&session);
}

static void on_transaction(void *arg, const struct transaction_result *result)
{
    struct bench *b = arg;
    b->result = result;
    session_quit(b->session, on_gone, b);
}

static void on_opened(void *arg, const struct session_opening *opening)
{
    struct bench *b = arg;
    ck_assert_int_eq(opening->failure.cause, CAUSE_NONE);
    transaction_start(b->loop, b->arena, b->session, &b->mail, on_transaction, b);
}

static void make_mail(struct bench *b)
{
    b->mail = b->row->mail;
    b->recipients[0] = b->row->first != NULL ? b->row->first : "a@x.example";
    b->recipients[1] = "b@x.example";
    b->mail.recipients = b->recipients;
    b->mail.recipient_count = 2;
    b->mail.sender = b->mail.sender != NULL ? b->mail.sender : "s@z.example";
    b->mail.content = b->mail.content != NULL ? b->mail.content : SMALL;
    b->mail.length = strlen(b->mail.content);
    b->mail.may_pipeline = !b->row->mail.may_pipeline; /* in the table they switch off */
    b->mail.may_chunk = !b->row->mail.may_chunk;
}

static void open_bench(struct bench *b, const struct row *row, enum cut cut)
{
    struct err err;
    struct bufferevent *pair[2];
    *b = (struct bench){.arena = arena_new("test"), .loop = loop_new(&err), .row = row, .cut = cut};
    b->told = b->text = arena_strdup(b->arena, "");
    b->waiting = evbuffer_new();
    b->pump = evtimer_new(loop_base(b->loop), on_pump, b);
    ck_assert_int_eq(bufferevent_pair_new(loop_base(b->loop), BEV_OPT_CLOSE_ON_FREE, pair), 0);
    b->server = pair[1];
    bufferevent_setcb(b->server, on_read, NULL, NULL, b);
    bufferevent_enable(b->server, EV_READ | EV_WRITE);
    make_mail(b);
    struct session_setting setting = {.hostname = "relay.example",
                                      .timeouts = {60, 60, 60, 60, 60, 60, 60, 60, 60, 60}};
    answer(b, "220 hi\r\n");
    b->session = session_open(b->loop, b->arena, pair[0], &setting, on_opened, b);
}

static void close_bench(struct bench *b)
{
    event_free(b->pump);
    evbuffer_free(b->waiting);
    bufferevent_free(b->server);
    loop_free(&b->loop);
    arena_free(&b->arena);
}

static void check(const struct bench *b)
{
    const struct row *row = b->row;
    ck_assert_msg(strcmp(b->told, row->told) == 0, "%s: told '%s'", row->name, b->told);
    ck_assert_msg(b->result->failure.cause == row->cause, "%s: %s", row->name, cause_name(b->result->failure.cause));
    for (size_t i = 0; i < 2; i++) {
        const struct transaction_recipient *r = &b->result->recipients[i];
        ck_assert_msg(r->fate == row->fates[i] && r->failure.cause == row->causes[i], "%s: recipient %zu: %d, %s",
                      row->name, i, r->fate, cause_name(r->failure.cause));
    }
    bool delivered = row->fates[0] == FATE_DELIVERED || row->fates[1] == FATE_DELIVERED;
    const char *text = row->text != NULL ? row->text : SMALL "\r\n";
    ck_assert_msg(!(delivered || row->text != NULL) || strcmp(b->text, text) == 0, "%s: '%s'", row->name, b->text);
}

START_TEST(answers_are_whose_they_are)
{
    struct bench b;
    open_bench(&b, &rows[_i / CUT_COUNT], (enum cut)(_i % CUT_COUNT));
    ck_assert_msg(loop_run_until(b.loop, &b.done, 10), "%s: no end after: %s", b.row->name, b.told);
    check(&b);
    close_bench(&b);
}
END_TEST

/* More than one part of a message is. */
#define CHUNK_OF_BIG "BDAT 2400016 LAST"
/* clang-format off */
static const struct row big_rows[] = {
    {"in parts", "", {OK, OK, OK, GO, OK}, MAIL " | " TWO " | DATA | .", DELIVERED},
    {"a chunk in parts", "CHUNKING", {OK, OK, OK, OK}, MAIL " | " TWO " | " CHUNK_OF_BIG, DELIVERED},
    {"refused before it was there", "", {OK, OK, OK, GO "552 5.3.4 big\r\n"}, MAIL " | " TWO " | DATA",
     FAILED(CAUSE_BODY_5XX)},
    {"taken before it was there", "", {OK, OK, OK, GO OK}, MAIL " | " TWO " | DATA", FAILED(CAUSE_BAD_REPLY)},
};
/* clang-format on */

START_TEST(big_messages_go_in_parts)
{
    enum { LINES = 8, DOTS = 300000 };
    struct arena *arena = arena_new("big");
    struct row row = big_rows[_i];
    char *big = arena_alloc(arena, LINES * (DOTS + 2) + 1);
    memset(big, '.', LINES * (DOTS + 2));
    for (char *end = big + DOTS; end < big + LINES * (DOTS + 2); end += DOTS + 2)
        memcpy(end, "\r\n", 2);
    row.mail.content = big;
    if (row.cause == CAUSE_NONE)
        row.text = big;
    struct bench b;
    open_bench(&b, &row, AT_ONCE);
    ck_assert_msg(loop_run_until(b.loop, &b.done, 10), "%s: no end after: %s", b.row->name, b.told);
    check(&b);
    close_bench(&b);
    arena_free(&arena);
}
END_TEST

TEST_SUITE(transaction)
{
    TEST_LOOP(big_messages_go_in_parts, COUNT(big_rows));
    TEST_LOOP(answers_are_whose_they_are, COUNT(rows) * CUT_COUNT);
}
