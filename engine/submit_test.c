/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/submit.h"

#include <event2/buffer.h>
#include <string.h>

#include "base/testing.h"

enum { ROUNDS = 40, KEPT_MAX = 4 };

#define EHLO "EHLO me\r\n"
#define BEGIN EHLO "MAIL FROM:<s@z.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\n"
#define TO_A EHLO "MAIL FROM:<s@z.example>\r\nRCPT TO:<a@x.example>\r\n"
#define END "\r\n.\r\nQUIT\r\n"
#define TWENTY_ERRORS                                                                                                  \
    "X\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\n"
#define TEN_IDLE "NOOP\r\nRSET\r\nEHLO me\r\nNOOP\r\nRSET\r\nNOOP\r\nRSET\r\nHELO me\r\nNOOP\r\nRSET\r\n"
#define TEN_250 "250 250 250 250 250 250 250 250 250 250 "
#define BIG_MAIL "MAIL FROM:<> SIZE=2000\r\n"
#define TEN_BIG BIG_MAIL BIG_MAIL BIG_MAIL BIG_MAIL BIG_MAIL BIG_MAIL BIG_MAIL BIG_MAIL BIG_MAIL BIG_MAIL
#define TEN_552 "552 552 552 552 552 552 552 552 552 552 "
#define HUNDRED "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define BIG HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

/* What a client sends, the codes it gets, and the one message that is then in the queue (behind its Received line). */
/* clang-format off */
static const struct { const char *name, *sends, *codes, *message; } cases[] = {
    {"a mail", BEGIN "Subject: x\r\n\r\nhello" END, "220 250 250 250 354 250 221", "Subject: x\r\n\r\nhello\r\n"},
    {"an empty one", BEGIN ".\r\nQUIT\r\n", "220 250 250 250 354 250 221", ""},
    {"dots are unstuffed", BEGIN "..a\r\n.b\r\nc.d\r\n...\r\n.\r\nQUIT\r\n", "220 250 250 250 354 250 221",
     ".a\r\nb\r\nc.d\r\n..\r\n"},
    {"8-bit and NUL-free", BEGIN "\xc3\xa4" END, "220 250 250 250 354 250 221", "\xc3\xa4\r\n"},
    {"HELO", "HELO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.example>\r\nDATA\r\nx" END, "220 250 250 250 354 250 221",
     "x\r\n"},
    {"parameters", EHLO "MAIL FROM:<s@z.example> SIZE=10 BODY=8BITMIME\r\nQUIT\r\n", "220 250 250 221", NULL},
    {"parameters after HELO", "HELO me\r\nMAIL FROM:<s@z.example> REQUIRETLS\r\nMAIL FROM:<s@z.example>\r\nQUIT\r\n",
     "220 250 555 250 221", NULL},
    {"parameters in small letters", EHLO "MAIL FROM:<s@z.example> size=10 body=7bit requiretls\r\nQUIT\r\n",
     "220 250 250 221", NULL},
    {"parameters with and without values",
     EHLO "MAIL FROM:<> SIZE\r\nMAIL FROM:<> BODY=BINARYMIME\r\nMAIL FROM:<> SMTPUTF8=1\r\n"
          "MAIL FROM:<> REQUIRETLS=1\r\nQUIT\r\n", "220 250 501 501 501 501 221", NULL},
    {"addresses in UTF-8", EHLO "MAIL FROM:<s@z.example> SMTPUTF8\r\n"
     "RCPT TO:<j\xc3\xb6rg@b\xc3\xbc" "cher.example>\r\nQUIT\r\n", "220 250 250 250 221", NULL},
    {"addresses in UTF-8 without SMTPUTF8", EHLO "MAIL FROM:<\xc3\xa4@z.example>\r\nMAIL FROM:<s@z.example>\r\n"
     "RCPT TO:<\xc3\xa4@x.example>\r\nQUIT\r\n", "220 250 553 250 553 221", NULL},
    {"what is no UTF-8", EHLO "MAIL FROM:<\xc3@z.example> SMTPUTF8\r\nQUIT\r\n", "220 250 500 221", NULL},
    {"a greeting in UTF-8", "EHLO \xc3\xa4\r\nQUIT\r\n", "220 501 221", NULL},

    {"a chunk", TO_A "BDAT 6 LAST\r\n.x\r\n..QUIT\r\n", "220 250 250 250 250 221", ".x\r\n.."},
    {"chunks", TO_A "BDAT 2\r\na\rBDAT 2\r\n\nbBDAT 0 LAST\r\nQUIT\r\n", "220 250 250 250 250 250 250 221", "a\r\nb"},
    {"commands in a chunk", TO_A "BDAT 8 LAST\r\nQUIT\r\n\r\nQUIT\r\n", "220 250 250 250 250 221", "QUIT\r\n\r\n"},
    {"a chunk without recipients", EHLO "MAIL FROM:<s@z.example>\r\nBDAT 3\r\na\r\nBDAT 3 LAST\r\na\r\nQUIT\r\n",
     "220 250 250 554 503 221", NULL},
    {"a chunk without MAIL", EHLO "BDAT 8\r\nQUIT\r\n\r\nQUIT\r\n", "220 250 503 221", NULL},
    {"DATA behind a chunk", TO_A "BDAT 3\r\na\r\nDATA\r\nBDAT 0 LAST\r\nQUIT\r\n", "220 250 250 250 250 503 250 221",
     "a\r\n"},
    {"RSET behind a chunk", TO_A "BDAT 3\r\na\r\nRSET\r\nDATA\r\nQUIT\r\n", "220 250 250 250 250 250 503 221", NULL},
    {"a lone CR at the end of a chunk", TO_A "BDAT 2 LAST\r\na\rQUIT\r\n", "220 250 250 250 550 221", NULL},
    {"chunks too big", TO_A "BDAT 1100\r\n" BIG "BDAT 1100\r\n" BIG "BDAT 1 LAST\r\nxQUIT\r\n",
     "220 250 250 250 250 552 503 221", NULL},
    {"a chunk that cannot be counted", TO_A "BDAT x LAST\r\nQUIT\r\n", "220 250 250 250 501", NULL},

    {"RSET", EHLO "MAIL FROM:<s@z.example>\r\nRSET\r\nRCPT TO:<a@x.example>\r\nQUIT\r\n", "220 250 250 250 503 221",
     NULL},
    {"NOOP, VRFY, small letters", "ehlo me\r\nnoop\r\nvrfy x\r\nquit\r\n", "220 250 250 252 221", NULL},

    {"smuggling: LF.LF", BEGIN "x\n.\nMAIL FROM:<e@z.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\ny" END,
     "220 250 250 250 354 550 221", NULL},
    {"smuggling: LF.CRLF", BEGIN "x\n.\r\nMAIL FROM:<e@z.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\ny" END,
     "220 250 250 250 354 550 221", NULL},
    {"smuggling: CRLF.LF", BEGIN "x\r\n.\nMAIL FROM:<e@z.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\ny" END,
     "220 250 250 250 354 550 221", NULL},
    {"smuggling: CR.CR", BEGIN "x\r.\rMAIL FROM:<e@z.example>\r\ny" END, "220 250 250 250 354 550 221", NULL},
    {"smuggling: CRLF.CR", BEGIN "x\r\n.\rMAIL FROM:<e@z.example>\r\ny" END, "220 250 250 250 354 550 221", NULL},
    {"smuggling: CRLF.CRCRLF", BEGIN "x\r\n.\r\r\nMAIL FROM:<e@z.example>\r\ny" END, "220 250 250 250 354 550 221",
     NULL},
    {"smuggling: CR.CRLF", BEGIN "x\r.\r\nMAIL FROM:<e@z.example>\r\ny" END, "220 250 250 250 354 550 221", NULL},
    {"a lone LF", BEGIN "a\nb" END, "220 250 250 250 354 550 221", NULL},

    {"too big by its word", EHLO "MAIL FROM:<s@z.example> SIZE=2000\r\nQUIT\r\n", "220 250 552 221", NULL},
    {"too big", BEGIN BIG "\r\n" BIG END, "220 250 250 250 354 552 221", NULL},
    {"the wrong order", "MAIL FROM:<s@z.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\nQUIT\r\n", "220 503 503 503 221",
     NULL},
    {"a second MAIL", EHLO "MAIL FROM:<s@z.example>\r\nMAIL FROM:<s@z.example>\r\nQUIT\r\n", "220 250 250 503 221",
     NULL},
    {"no recipient", EHLO "MAIL FROM:<s@z.example>\r\nDATA\r\nQUIT\r\n", "220 250 250 554 221", NULL},
    {"bad addresses", EHLO "MAIL FROM:<s@z..example>\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\nRCPT TO:<x>\r\nQUIT\r\n",
     "220 250 501 250 501 501 221", NULL},
    {"unknown parameters", EHLO "MAIL FROM:<> X=1\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.example> NOTIFY=NEVER\r\nQUIT\r\n",
     "220 250 555 250 555 221", NULL},
    {"LF does not end a command", "EHLO me\nMAIL FROM:<>\r\nQUIT\r\n", "220 500 221", NULL},
    {"unknown command", "FROB\r\nQUIT\r\n", "220 500 221", NULL},
    {"names of clients", "EHLO [192.0.2.1]\r\nEHLO [IPv6:2001:db8::1]\r\nHELO a_b.example.\r\nQUIT\r\n",
     "220 250 250 250 221", NULL},
    {"what is no name", "EHLO\r\nEHLO a(b)\r\nEHLO a..b\r\nHELO [x\r\nEHLO -;by\r\nQUIT\r\n",
     "220 501 501 501 501 501 221", NULL},
    {"a web browser", "POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO me\r\n", "220 421", NULL},
    {"too many commands without a message", TEN_IDLE TEN_IDLE TEN_IDLE TEN_IDLE TEN_IDLE TEN_IDLE TEN_IDLE TEN_IDLE
     TEN_IDLE TEN_IDLE "NOOP\r\nEHLO me\r\n", "220 " TEN_250 TEN_250 TEN_250 TEN_250 TEN_250 TEN_250 TEN_250 TEN_250
     TEN_250 TEN_250 "421", NULL},
    {"too big by its word, too often", EHLO TEN_BIG TEN_BIG TEN_BIG TEN_BIG TEN_BIG TEN_BIG TEN_BIG TEN_BIG TEN_BIG
     TEN_BIG "QUIT\r\n", "220 250 " TEN_552 TEN_552 TEN_552 TEN_552 TEN_552 TEN_552 TEN_552 TEN_552 TEN_552
     "552 552 552 552 552 552 552 552 552 421", NULL},
    {"a line too long", BIG BIG BIG "\r\nQUIT\r\n", "220 500", NULL},
    {"a line without end", BIG BIG BIG, "220 500", NULL},
    {"too many errors", TWENTY_ERRORS "QUIT\r\n",
     "220 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 421", NULL},
};
/* clang-format on */

struct bench {
    struct arena *arena;
    struct loop *loop;
    struct submit *submit;
    struct engine_config *config;
    struct bufferevent *client;
    const char *kept[KEPT_MAX];
    size_t kept_count;
    enum message_tls tls;
    bool smtputf8, fails, later;
};

static bool keep(void *outside, const struct message *message, int64_t *id, bool *later, struct err *err)
{
    struct bench *b = outside;
    if (b->fails)
        return err_set(err, ERR_SYSTEM, "disk full");
    const char *text = arena_strndup(b->arena, message->content, message->length);
    ck_assert_str_eq(message->recipients[0], "a@x.example");
    ck_assert_uint_lt(b->kept_count, KEPT_MAX);
    b->kept[b->kept_count++] = text;
    b->tls = message->tls;
    b->smtputf8 = message->smtputf8;
    *id = 7;
    *later = b->later;
    return true;
}

static void open_bench_of(struct bench *b, const char *requiretls_from, bool local)
{
    struct err err;
    *b = (struct bench){.arena = arena_new("test"), .loop = loop_new(&err)};
    const char *text =
        arena_printf(b->arena, "hostname: relay.example\ndirectory: /tmp/x\nmessage-size: 2KiB\nrequiretls-from: %s\n",
                     requiretls_from);
    struct diag_list *diags = diag_new(b->arena);
    const struct tree_node *root = tree_read_text(b->arena, "engine.yaml", text, strlen(text), diags);
    struct engine_config *config = (struct engine_config *)engine_config_parse(b->arena, root, diags);
    config->message_size = 1500;
    struct submit_ports ports = {b, keep};
    struct bufferevent *pair[2];
    b->config = config;
    b->submit = submit_new(config, NULL, b->loop, &ports);
    ck_assert_int_eq(bufferevent_pair_new(loop_base(b->loop), BEV_OPT_CLOSE_ON_FREE, pair), 0);
    b->client = pair[0];
    bufferevent_enable(b->client, EV_READ | EV_WRITE);
    submit_serve(b->submit, pair[1], "[192.0.2.1]", local);
}

static void open_bench(struct bench *b)
{
    open_bench_of(b, "loopback", true);
}

static void close_bench(struct bench *b)
{
    submit_free(&b->submit);
    bufferevent_free(b->client);
    loop_free(&b->loop);
    arena_free(&b->arena);
}

static void say(struct bench *b, const char *bytes, size_t length)
{
    bufferevent_write(b->client, bytes, length);
    for (int i = 0; i < ROUNDS; i++)
        event_base_loop(loop_base(b->loop), EVLOOP_NONBLOCK);
}

/* "220 250 221": the code of each reply's last line. */
static char *codes(struct bench *b)
{
    char *codes = arena_strdup(b->arena, "");
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(b->client), NULL, EVBUFFER_EOL_CRLF_STRICT)) != NULL) {
        if (strlen(line) >= 4 && line[3] == ' ')
            codes = arena_printf(b->arena, "%s%s%.3s", codes, *codes ? " " : "", line);
        free(line);
    }
    return codes;
}

static void check(struct bench *b, int row)
{
    char *got = codes(b);
    ck_assert_msg(strcmp(got, cases[row].codes) == 0, "%s: %s", cases[row].name, got);
    ck_assert_msg(b->kept_count == (cases[row].message != NULL), "%s: %zu messages", cases[row].name, b->kept_count);
    if (cases[row].message == NULL)
        return;
    const char *body = strstr(b->kept[0], "+0000\r\n");
    ck_assert_msg(body != NULL && strncmp(b->kept[0], "Received: from me ([192.0.2.1])", 31) == 0, "%s", b->kept[0]);
    ck_assert_msg(strcmp(body + 7, cases[row].message) == 0, "%s: '%s'", cases[row].name, body + 7);
}

START_TEST(clients_are_answered)
{
    struct bench b;
    open_bench(&b);
    say(&b, cases[_i].sends, strlen(cases[_i].sends));
    check(&b, _i);
    close_bench(&b);
}
END_TEST

START_TEST(bytes_may_drip)
{
    struct bench b;
    open_bench(&b);
    b.later = true;
    for (const char *at = cases[_i].sends; *at != '\0'; at++) {
        bufferevent_write(b.client, at, 1);
        for (int i = 0; i < 4; i++)
            event_base_loop(loop_base(b.loop), EVLOOP_NONBLOCK);
        submit_stored(b.submit, true);
    }
    say(&b, "", 0);
    check(&b, _i);
    close_bench(&b);
}
END_TEST

/* A message is answered when it is on disk, and what comes behind it after that. */
START_TEST(nothing_is_promised_before_it_is_on_disk)
{
    static const char mail[] = BEGIN "x\r\n.\r\nNOOP\r\n";
    static const struct {
        bool fine;
        const char *codes;
    } rows[] = {{true, "250 250"}, {false, "451 250"}};
    struct bench b;
    open_bench(&b);
    b.later = true;
    say(&b, mail, strlen(mail));
    ck_assert_str_eq(codes(&b), "220 250 250 250 354");
    submit_stored(b.submit, rows[_i].fine);
    say(&b, "", 0);
    ck_assert_str_eq(codes(&b), rows[_i].codes);
    close_bench(&b);
}
END_TEST

/* What a message says of its own way (RFC 8689, RFC 6531). */
/* clang-format off */
static const struct { const char *name, *parameters, *header; enum message_tls tls; bool smtputf8; } ways[] = {
    {"nothing",                     "",                    "Subject: x\r\n",            MESSAGE_TLS_UNSAID, false},
    {"SMTPUTF8",                    " SMTPUTF8",           "Subject: x\r\n",            MESSAGE_TLS_UNSAID, true},
    {"REQUIRETLS",                  " REQUIRETLS",         "Subject: x\r\n",            MESSAGE_REQUIRETLS, false},
    {"both",                        " SMTPUTF8 REQUIRETLS", "",                         MESSAGE_REQUIRETLS, true},
    {"the header",                  "",                    "TLS-Required: No\r\n",      MESSAGE_TLS_WAIVED, false},
    {"the header in small letters", "",                    "a: b\r\ntls-required:no \r\n", MESSAGE_TLS_WAIVED, false},
    {"the header, folded",          "",                    "TLS-Required:\r\n No\r\n",  MESSAGE_TLS_WAIVED, false},
    {"the header says Yes",         "",                    "TLS-Required: Yes\r\n",     MESSAGE_TLS_UNSAID, false},
    {"the header says more",        "",                    "TLS-Required: No way\r\n",  MESSAGE_TLS_UNSAID, false},
    {"the header says nothing",     "",                    "TLS-Required:\r\n",         MESSAGE_TLS_UNSAID, false},
    {"the header twice",            "", "TLS-Required: No\r\nTLS-Required: No\r\n",    MESSAGE_TLS_UNSAID, false},
    {"the header in the body",      "", "A: b\r\n\r\nTLS-Required: No\r\n",             MESSAGE_TLS_UNSAID, false},
    {"REQUIRETLS outranks the header", " REQUIRETLS",      "TLS-Required: No\r\n",      MESSAGE_REQUIRETLS, false},
};
/* clang-format on */

START_TEST(a_message_says_how_it_goes)
{
    struct bench b;
    open_bench(&b);
    const char *mail =
        arena_printf(b.arena, EHLO "MAIL FROM:<s@z.example>%s\r\nRCPT TO:<a@x.example>\r\nDATA\r\n%s" END,
                     ways[_i].parameters, ways[_i].header);
    say(&b, mail, strlen(mail));
    ck_assert_msg(b.kept_count == 1, "%s", ways[_i].name);
    ck_assert_msg(b.tls == ways[_i].tls && b.smtputf8 == ways[_i].smtputf8, "%s: %d %d", ways[_i].name, b.tls,
                  b.smtputf8);
    close_bench(&b);
}
END_TEST

/* clang-format off */
static const struct { const char *setting; bool local; const char *codes; } offers[] = {
    {"loopback", true,  "220 250 250"}, {"clients", true,  "220 250 250"}, {"nobody", true,  "220 250 555"},
    {"loopback", false, "220 250 555"}, {"clients", false, "220 250 250"}, {"nobody", false, "220 250 555"},
};
/* clang-format on */

START_TEST(who_may_require_tls)
{
    struct bench b;
    open_bench_of(&b, offers[_i].setting, offers[_i].local);
    say(&b, EHLO "MAIL FROM:<s@z.example> REQUIRETLS\r\n", strlen(EHLO "MAIL FROM:<s@z.example> REQUIRETLS\r\n"));
    ck_assert_str_eq(codes(&b), offers[_i].codes);
    close_bench(&b);
}
END_TEST

START_TEST(no_250_when_it_is_not_on_disk)
{
    struct bench b;
    open_bench(&b);
    b.fails = true;
    say(&b, BEGIN "x" END, strlen(BEGIN "x" END));
    ck_assert_str_eq(codes(&b), "220 250 250 250 354 451 221");
    close_bench(&b);
}
END_TEST

START_TEST(a_nul_is_no_text_either)
{
    static const char mail[] = BEGIN "a\0b" END;
    struct bench b;
    open_bench(&b);
    b.config->malformed = _i;
    say(&b, mail, sizeof mail - 1);
    ck_assert_str_eq(codes(&b), _i == MALFORMED_REJECT ? "220 250 250 250 354 550 221" : "220 250 250 250 354 250 221");
    ck_assert_uint_eq(b.kept_count, _i == MALFORMED_REJECT ? 0 : 1);
    close_bench(&b);
}
END_TEST

/* One session's message is too much beside another's, and fits when that one is gone. */
/* Replies to the same line again and again, until the session is ended. */
static size_t told_until_the_end(struct bench *b, const char *line)
{
    size_t count = 0;
    say(b, TO_A, strlen(TO_A));
    codes(b);
    for (const char *got = ""; strstr(got, "421") == NULL;
         got = codes(b), count += (strlen(got) + 1) / strlen("250 ")) {
        ck_assert_uint_lt(count, 100000);
        for (int i = 0; i < 10; i++)
            bufferevent_write(b->client, line, strlen(line));
        say(b, "", 0);
    }
    return count;
}

/* clang-format off */
static const struct { const char *line; size_t answered; } endless[] = {
    {"RCPT TO:<a@x.example>\r\n", RECIPIENTS_MAX + SUBMIT_SURPLUS_MAX},
    {"BDAT 0\r\n", SUBMIT_IDLE_MAX - 1}, /* EHLO and MAIL came before */
};
/* clang-format on */

START_TEST(nothing_is_answered_for_ever)
{
    struct bench b;
    open_bench(&b);
    ck_assert_uint_eq(told_until_the_end(&b, endless[_i].line), endless[_i].answered);
    close_bench(&b);
}
END_TEST

START_TEST(memory_is_shared)
{
    struct bench b;
    open_bench(&b);
    b.config->submission_memory = 1500;
    struct bufferevent *other[2];
    ck_assert_int_eq(bufferevent_pair_new(loop_base(b.loop), BEV_OPT_CLOSE_ON_FREE, other), 0);
    bufferevent_enable(other[0], EV_READ | EV_WRITE);
    submit_serve(b.submit, other[1], "[192.0.2.2]", true);
    bufferevent_write(other[0], BEGIN BIG, strlen(BEGIN BIG));
    say(&b, "", 0);
    say(&b, BEGIN BIG "\r\n.\r\n", strlen(BEGIN BIG "\r\n.\r\n"));
    ck_assert_str_eq(codes(&b), "220 250 250 250 354 452");
    bufferevent_flush(other[0], EV_WRITE, BEV_FINISHED); /* it hangs up */
    say(&b, BEGIN BIG "\r\n.\r\n", strlen(BEGIN BIG "\r\n.\r\n"));
    ck_assert_str_eq(codes(&b), "250 250 250 354 250");
    bufferevent_free(other[0]);
    close_bench(&b);
}
END_TEST

/* A message that drips for ever, with never a pause that is too long. */
START_TEST(a_message_has_its_time)
{
    struct bench b;
    open_bench(&b);
    b.config->timeouts.message = 0.001;
    say(&b, BEGIN, strlen(BEGIN));
    ck_assert_str_eq(codes(&b), "220 250 250 250 354");
    bufferevent_write(b.client, "x", 1);
    for (int i = 0; i < 100 && evbuffer_get_length(bufferevent_get_input(b.client)) == 0; i++)
        event_base_loop(loop_base(b.loop), EVLOOP_ONCE);
    ck_assert_str_eq(codes(&b), "421");
    close_bench(&b);
}
END_TEST

START_TEST(a_nul_is_no_command)
{
    struct bench b;
    open_bench(&b);
    say(&b, "EHLO\0 me\r\nQUIT\r\n", 16);
    ck_assert_str_eq(codes(&b), "220 500 221");
    close_bench(&b);
}
END_TEST

TEST_SUITE(submit)
{
    TEST_LOOP(clients_are_answered, COUNT(cases));
    TEST_LOOP(nothing_is_promised_before_it_is_on_disk, 2);
    TEST_LOOP(bytes_may_drip, COUNT(cases));
    TEST_LOOP(a_message_says_how_it_goes, COUNT(ways));
    TEST_LOOP(who_may_require_tls, COUNT(offers));
    TEST(no_250_when_it_is_not_on_disk);
    TEST(a_nul_is_no_command);
    TEST_LOOP(a_nul_is_no_text_either, 2);
    TEST_LOOP(nothing_is_answered_for_ever, COUNT(endless));
    TEST(memory_is_shared);
    TEST(a_message_has_its_time);
}
