/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/submit.h"

#include <event2/buffer.h>
#include <string.h>

#include "base/testing.h"

enum { ROUNDS = 40, KEPT_MAX = 4 };

#define EHLO "EHLO me\r\n"
#define BEGIN EHLO "MAIL FROM:<s@z.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\n"
#define END "\r\n.\r\nQUIT\r\n"
#define TWENTY_ERRORS                                                                                                  \
    "X\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\n"
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
    struct bufferevent *client;
    const char *kept[KEPT_MAX];
    size_t kept_count;
    bool fails;
};

static bool keep(void *outside, const struct message *message, int64_t *id, struct err *err)
{
    struct bench *b = outside;
    if (b->fails)
        return err_set(err, ERR_SYSTEM, "disk full");
    const char *text = arena_strndup(b->arena, message->content, message->length);
    ck_assert_str_eq(message->recipients[0], "a@x.example");
    ck_assert_uint_lt(b->kept_count, KEPT_MAX);
    b->kept[b->kept_count++] = text;
    *id = 7;
    return true;
}

static void open_bench(struct bench *b)
{
    static const char text[] = "hostname: relay.example\ndirectory: /tmp/x\nmessage-size: 2KiB\n";
    struct err err;
    *b = (struct bench){.arena = arena_new("test"), .loop = loop_new(&err)};
    struct diag_list *diags = diag_new(b->arena);
    const struct tree_node *root = tree_read_text(b->arena, "engine.yaml", text, strlen(text), diags);
    struct engine_config *config = (struct engine_config *)engine_config_parse(b->arena, root, diags);
    config->message_size = 1500;
    struct submit_ports ports = {b, keep};
    struct bufferevent *pair[2];
    b->submit = submit_new(config, NULL, b->loop, &ports);
    ck_assert_int_eq(bufferevent_pair_new(loop_base(b->loop), BEV_OPT_CLOSE_ON_FREE, pair), 0);
    b->client = pair[0];
    bufferevent_enable(b->client, EV_READ | EV_WRITE);
    submit_serve(b->submit, pair[1], "[192.0.2.1]");
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
    for (const char *at = cases[_i].sends; *at != '\0'; at++) {
        bufferevent_write(b.client, at, 1);
        for (int i = 0; i < 4; i++)
            event_base_loop(loop_base(b.loop), EVLOOP_NONBLOCK);
    }
    say(&b, "", 0);
    check(&b, _i);
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
    TEST_LOOP(bytes_may_drip, COUNT(cases));
    TEST(no_250_when_it_is_not_on_disk);
    TEST(a_nul_is_no_command);
}
