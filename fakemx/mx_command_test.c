/* SPDX-License-Identifier: BSD-2-Clause
 * Whole dialogues over loopback: what is sent, what must come back, which settings were hit. */
#include "fakemx/mx_command.h"

#include <string.h>

#include "base/testing.h"
#include "fakemx/mx_probe_test.h"

enum { LINES_MAX = 30 };
#define ENVELOPE                                                                                                       \
    "> EHLO probe", "< 250 STARTTLS", "> MAIL FROM:<a@b.example>", "< 250", "> RCPT TO:<c@d.example>", "< 250"
#define KEYWORDS(list) "{keywords: [" list "]}"

/* "> line" is sent with CRLF, "= bytes" as they are; "< text" begins the last line of the next reply; "< closed",
 * "< reset", "< silence" are what they say; "+" connects anew. */
static const struct {
    const char *name, *smtp, *hits;
    const char *lines[LINES_MAX];
} dialogues[] = {
    {"a message",
     "{}",
     "",
     {"< 220 mx1.partner.example ESMTP", ENVELOPE, "> DATA", "< 354", "> hello", "> .", "< 250", "> QUIT", "< 221",
      "< closed"}},
    {"HELO will do", "{}", "", {"< 220", "> HELO probe", "< 250 mx1.partner.example", "> MAIL FROM:<>", "< 250"}},
    {"small letters",
     "{}",
     "",
     {"< 220", "> ehlo probe", "< 250", "> mail from:<a@b>", "< 250", "> rcpt to:<c@d>", "< 250"}},
    {"pipelining",
     "{}",
     "",
     {"< 220", "> EHLO probe", "< 250", "= MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "< 250 2.1.0", "< 250 2.1.5",
      "< 354", "= x\r\n.\r\nQUIT\r\n", "< 250 2.0.0", "< 221", "< closed"}},
    {"two messages",
     "{}",
     "",
     {"< 220", ENVELOPE, "> DATA", "< 354", "> .", "< 250", "> MAIL FROM:<a@b>", "< 250", "> RCPT TO:<c@d>", "< 250",
      "> DATA", "< 354", "> .", "< 250"}},
    {"RSET ends a transaction", "{}", "", {"< 220", ENVELOPE, "> RSET", "< 250", "> DATA", "< 503", "> NOOP", "< 250"}},
    {"no MAIL without EHLO", "{}", "", {"< 220", "> MAIL FROM:<a@b>", "< 503"}},
    {"no RCPT without MAIL", "{}", "", {"< 220", "> EHLO probe", "< 250", "> RCPT TO:<c@d>", "< 503"}},
    {"no DATA without RCPT", "{}", "", {"< 220", "> EHLO x", "< 250", "> MAIL FROM:<a@b>", "< 250", "> DATA", "< 554"}},
    {"no second MAIL", "{}", "", {"< 220", ENVELOPE, "> MAIL FROM:<a@b>", "< 503"}},
    {"EHLO wants a name", "{}", "", {"< 220", "> EHLO", "< 501", "> HELO", "< 501"}},
    {"MAIL wants a path",
     "{}",
     "",
     {"< 220", "> EHLO x", "< 250", "> MAIL", "< 501", "> MAIL FROM:a@b", "< 501", "> MAIL FROM: <a@b>", "< 501",
      "> MAIL FROM:<a b@c>", "< 501", "> MAIL FROM:<a@b>x", "< 501", "> MAIL FROM:<\"a b>\"@c>", "< 250"}},
    {"RCPT wants an address",
     "{}",
     "",
     {"< 220", ENVELOPE, "> RCPT TO:<>", "< 501", "> RCPT TO:<c>", "< 501", "> RCPT TO:<c@>", "< 501",
      "> RCPT TO:<postmaster>", "< 250"}},
    {"no parameters where there are none",
     "{}",
     "",
     {"< 220", "> RSET x", "< 501", "> QUIT x", "< 501", "> DATA x", "< 501", "> STARTTLS x", "< 501"}},
    {"parameters need their keyword",
     KEYWORDS("8BITMIME"),
     "keywords",
     {"< 220", "> EHLO x", "< 250", "> MAIL FROM:<a@b> SIZE=1", "< 555", "> MAIL FROM:<a@b> BODY=8BITMIME", "< 250",
      "> RCPT TO:<a@b> NOTIFY=NEVER", "< 555"}},
    {"HELO takes no parameters", "{}", "", {"< 220", "> HELO x", "< 250", "> MAIL FROM:<a@b> SIZE=1", "< 555"}},
    {"SIZE is held",
     KEYWORDS("SIZE 10"),
     "keywords",
     {"< 220", ENVELOPE, "> RSET", "< 250", "> MAIL FROM:<a@b> SIZE=11", "< 552", "> MAIL FROM:<a@b> SIZE=10", "< 250",
      "> RCPT TO:<a@b>", "< 250", "> DATA", "< 354", "> more than ten", "> .", "< 552 5.3.4"}},
    {"what is offered besides, REQUIRETLS inside TLS alone",
     "{offers: [REQUIRETLS, SMTPUTF8, CHUNKING]}",
     "",
     {"< 220", "> EHLO x", "< 250 STARTTLS", "> MAIL FROM:<a@b> REQUIRETLS", "< 555",
      "> MAIL FROM:<\xc3\xa4@b> SMTPUTF8 BODY=8BITMIME", "< 250", "> RCPT TO:<c@d>", "< 250", "= BDAT 3 LAST\r\nab\n",
      "< 250"}},
    {"REQUIRETLS where it is offered",
     KEYWORDS("REQUIRETLS"),
     "keywords",
     {"< 220", "> EHLO x", "< 250", "> MAIL FROM:<a@b> REQUIRETLS", "< 250"}},
    {"unknown commands",
     "{}",
     "",
     {"< 220", "> HELP", "< 500", "> ", "< 500", "> STARTTLSS", "< 500", "> VRFY x", "< 252", "> VRFY", "< 501"}},
    {"bare line feeds", "{}", "", {"< 220", "= EHLO x\n", "< 500", "= \n", "< 500"}},
    {"STARTTLS after EHLO only",
     "{}",
     "",
     {"< 220", "> STARTTLS", "< 503", "> EHLO x", "< 250 STARTTLS", "> STARTTLS", "< 220"}},
    {"the client leaves in the middle", "{}", "", {"< 220", "= EHL", "+", "< 220"}},
    {"BDAT is not offered", "{}", "", {"< 220", ENVELOPE, "> BDAT 1 LAST", "< 502"}},
    {"a message in chunks",
     KEYWORDS("CHUNKING"),
     "keywords",
     {"< 220", ENVELOPE, "= BDAT 3\r\na\r\n", "< 250", "> DATA", "< 503", "= BDAT 2 LAST\r\n.\n", "< 250 2.0.0 Message",
      "> BDAT 0 LAST", "< 503"}},
    {"an empty last chunk",
     KEYWORDS("CHUNKING"),
     "keywords",
     {"< 220", ENVELOPE, "= BDAT 5\r\nQUIT\r", "< 250", "> BDAT 0 LAST", "< 250 2.0.0 Message"}},
    {"a chunk without a transaction is read",
     KEYWORDS("CHUNKING"),
     "keywords",
     {"< 220", "> EHLO x", "< 250", "= BDAT 6 LAST\r\nQUIT\r\n", "< 503", "> NOOP", "< 250"}},
    {"a chunk too many",
     KEYWORDS("CHUNKING, SIZE 4"),
     "keywords",
     {"< 220", ENVELOPE, "= BDAT 3\r\nabc", "< 250", "= BDAT 3 LAST\r\ndef", "< 552"}},
    {"chunks of a wrong size",
     KEYWORDS("CHUNKING"),
     "keywords",
     {"< 220", ENVELOPE, "> BDAT", "< 501", "> BDAT -1", "< 501", "> BDAT 9999999999", "< 501", "> BDAT 1 LATER",
      "< 501"}},

    {"greeting 554",
     "{greeting: 554 5.3.2 no}",
     "greeting",
     {"< 554 5.3.2 no", "> EHLO x", "< 503", "> QUIT", "< 221", "< closed"}},
    {"greeting 421", "{greeting: 421 4.3.2 no}", "greeting", {"< 421 4.3.2 no", "< closed"}},
    {"another greeting", "{greeting: 220 hello}", "greeting", {"< 220 hello", ENVELOPE}},
    {"greeting reset", "{greeting: reset}", "greeting", {"< reset"}},
    {"greeting close", "{greeting: close}", "greeting", {"< closed"}},
    {"greeting stall", "{greeting: stall}", "greeting", {"< silence", "> EHLO x", "< silence"}},
    {"tcp reset", "{tcp: reset}", "tcp", {"< reset"}},
    {"tcp stall", "{tcp: stall}", "tcp", {"< silence", "> QUIT", "< silence"}},
    {"EHLO refused, HELO not",
     "{ehlo: 502 5.5.1 no}",
     "ehlo",
     {"< 220", "> EHLO x", "< 502 5.5.1 no", "> HELO x", "< 250", "> MAIL FROM:<a@b>", "< 250"}},
    {"HELO refused", "{helo: 421 4.0.0 no}", "helo", {"< 220", "> HELO x", "< 421", "< closed"}},
    {"another answer to EHLO",
     "{ehlo: \"250 hi\\nSTARTTLS\\nX\", keywords: [A]}",
     "ehlo",
     {"< 220", "> EHLO x", "< 250 X", "> STARTTLS", "< 220"}},
    {"MAIL deferred",
     "{mail: 450 4.7.1 later}",
     "mail mail",
     {"< 220", "> EHLO x", "< 250", "> MAIL FROM:<a@b>", "< 450 4.7.1 later", "> RCPT TO:<c@d>", "< 503",
      "> MAIL FROM:<a@b>", "< 450"}},
    {"greylisting",
     "{rcpt: {reply: 451 4.7.1 later, nth: 1}}",
     "rcpt",
     {"< 220", "> EHLO x", "< 250", "> MAIL FROM:<a@b>", "< 250", "> RCPT TO:<c@d>", "< 451", "+", "< 220", ENVELOPE}},
    {"the second of two",
     "{rcpt: [{reply: 250 2.1.5 first, nth: 1}, {reply: 550 5.1.1 second, nth: 2}]}",
     "rcpt rcpt",
     {"< 220", ENVELOPE, "> RCPT TO:<x@d>", "< 550 5.1.1 second", "> RCPT TO:<y@d>", "< 250 2.1.5 Recipient"}},
    {"many lines",
     "{mail: \"550 5.7.1 one\\ntwo\\nthree\"}",
     "mail",
     {"< 220", "> EHLO x", "< 250", "> MAIL FROM:<a@b>", "< 550 three"}},
    {"no reply at all", "{mail: {reply: what}}", "mail", {"< 220", "> EHLO x", "< 250", "> MAIL FROM:<a@b>", "< what"}},
    {"DATA refused", "{data: 451 4.3.0 no}", "data", {"< 220", ENVELOPE, "> DATA", "< 451", "> NOOP", "< 250"}},
    {"DATA answered by a wrong class",
     "{data: 250 yes}",
     "data",
     {"< 220", ENVELOPE, "> DATA", "< 250 yes", "> NOOP", "< 250"}},
    {"DATA answered in other words",
     "{data: 354 please}",
     "data",
     {"< 220", ENVELOPE, "> DATA", "< 354 please", "> .", "< 250"}},
    {"DATA closes", "{data: close}", "data", {"< 220", ENVELOPE, "> DATA", "< closed"}},
    {"DATA resets", "{data: reset}", "data", {"< 220", ENVELOPE, "> DATA", "< reset"}},
    {"the message is deferred once",
     "{end-of-data: {reply: 451 4.3.0 no, nth: 1}}",
     "end-of-data",
     {"< 220", ENVELOPE, "> DATA", "< 354", "> .", "< 451", "> MAIL FROM:<a@b>", "< 250", "> RCPT TO:<c@d>", "< 250",
      "> DATA", "< 354", "> .", "< 250"}},
    {"the message is rejected",
     "{end-of-data: 550 5.7.1 no}",
     "end-of-data",
     {"< 220", ENVELOPE, "> DATA", "< 354", "> .", "< 550", "> QUIT", "< 221"}},
    {"silence after the message",
     "{end-of-data: stall}",
     "end-of-data",
     {"< 220", ENVELOPE, "> DATA", "< 354", "> .", "< silence"}},
    {"reset after the message",
     "{end-of-data: reset}",
     "end-of-data",
     {"< 220", ENVELOPE, "> DATA", "< 354", "> .", "< reset"}},
    {"QUIT without an answer", "{quit: close}", "quit", {"< 220", "> QUIT", "< closed"}},
    {"QUIT refused", "{quit: 500 no}", "quit", {"< 220", "> QUIT", "< 500", "> NOOP", "< 250"}},
    {"a chunk is deferred",
     "{keywords: [CHUNKING], data: 452 4.3.1 no}",
     "keywords data",
     {"< 220", ENVELOPE, "= BDAT 1\r\nx", "< 452"}},
    {"an 8xx reply in long form", "{ehlo: {reply: 850 what}}", "ehlo", {"< 220", "> EHLO x", "< 850 what"}},

    {"STARTTLS hidden", "{starttls: hidden}", "starttls", {"< 220", "> EHLO x", "< 250 ENHANCEDSTATUSCODES"}},
    {"STARTTLS said though hidden",
     "{starttls: hidden}",
     "starttls starttls",
     {"< 220", "> EHLO x", "< 250", "> STARTTLS", "< 502"}},
    {"STARTTLS refused for now",
     "{starttls: refused-454}",
     "starttls",
     {"< 220", "> EHLO x", "< 250 STARTTLS", "> STARTTLS", "< 454", "> NOOP", "< 250"}},
    {"STARTTLS refused",
     "{starttls: refused-502}",
     "starttls",
     {"< 220", "> EHLO x", "< 250 STARTTLS", "> STARTTLS", "< 502", "> NOOP", "< 250"}},
    {"STARTTLS refused in another way",
     "{starttls: refused-554}",
     "starttls",
     {"< 220", "> EHLO x", "< 250 STARTTLS", "> STARTTLS", "< 554", "> NOOP", "< 250"}},
    {"STARTTLS refused and the session ended",
     "{starttls: refused-421}",
     "starttls",
     {"< 220", "> EHLO x", "< 250 STARTTLS", "> STARTTLS", "< 421", "< closed"}},
    {"STARTTLS answered as if it were nothing",
     "{starttls: answered-250}",
     "starttls",
     {"< 220", "> EHLO x", "< 250 STARTTLS", "> STARTTLS", "< 250", "> NOOP", "< 250"}},
    {"a refusal nobody met", "{starttls: refused-502}", "", {"< 220", ENVELOPE}},
    {"STARTTLS stripped",
     "{starttls: stripped}",
     "starttls starttls",
     {"< 220", "> EHLO x", "< 250 XXXXXXXA", "> STARTTLS", "< 500"}},
    {"garbage for TLS",
     "{starttls: broken}",
     "starttls",
     {"< 220", "> EHLO x", "< 250", "= STARTTLS\r\nNOOP\r\n", "< 220", "< silence", "= \x16\x03\x01", "< this is not",
      "> NOOP", "< silence"}},
    {"replies byte by byte",
     "{greeting: piecemeal}",
     "greeting",
     {"< 220 mx1.partner.example ESMTP", ENVELOPE, "> DATA", "< 354", "> .", "< 250", "> QUIT", "< 221", "< closed"}},
    {"bytes as they are",
     "{mail: {raw: '250 lone\\rCR and \\ttab\\r\\n'}, rcpt: {raw: '450 later\\r\\n'}}",
     "mail rcpt",
     {"< 220", "> EHLO x", "< 250", "> MAIL FROM:<a@b>", "< 250 lone\rCR and \ttab", "> RCPT TO:<c@d>", "< 450 later",
      "> DATA", "< 554"}},
    {"deaf behind the 354",
     "{data: deaf}",
     "data",
     {"< 220", ENVELOPE, "> DATA", "< 354", "> .", "< silence", "> QUIT", "< silence"}},
    {"reset for TLS",
     "{starttls: reset}",
     "starttls",
     {"< 220", "> EHLO x", "< 250", "> STARTTLS", "< 220", "< silence", "= \x16\x03\x01", "< reset"}},
    {"close for TLS",
     "{starttls: close}",
     "starttls",
     {"< 220", "> EHLO x", "< 250", "> STARTTLS", "< 220", "< closed"}},
    {"silence for TLS",
     "{starttls: stall}",
     "starttls",
     {"< 220", "> EHLO x", "< 250", "> STARTTLS", "< 220", "= \x16\x03\x01", "< silence"}},
    {"what is pipelined behind STARTTLS is forgotten",
     "{}",
     "",
     {"< 220", "> EHLO x", "< 250", "= STARTTLS\r\nNOOP\r\nQUIT\r\n", "< 220", "< silence"}},
    {"bytes injected behind the 220",
     "{inject: '250 injected\\r\\n'}",
     "inject",
     {"< 220", "> EHLO x", "< 250", "> STARTTLS", "< 220", "< 250 injected"}},
};

static void play(struct probe *probe, const char *name, const char *line)
{
    const char *text = line + (line[0] != '\0' && line[1] == ' ' ? 2 : 1);
    if (line[0] == '>') {
        probe_say(probe, text);
    } else if (line[0] == '=') {
        probe_send(probe, text, strlen(text));
    } else if (line[0] == '+') {
        ck_assert(probe_connect(probe));
    } else {
        const char *reply = probe_reply(probe);
        ck_assert_msg(strncmp(reply, text, strlen(text)) == 0, "%s: wanted '%s', got '%s'", name, text, reply);
    }
}

START_TEST(dialogues_go_as_told)
{
    struct probe *probe = probe_new(dialogues[_i].smtp);
    ck_assert(probe_connect(probe));
    for (size_t i = 0; i < LINES_MAX && dialogues[_i].lines[i] != NULL; i++)
        play(probe, dialogues[_i].name, dialogues[_i].lines[i]);
    const char *hits = probe_hits(probe);
    ck_assert_msg(strcmp(hits, dialogues[_i].hits) == 0, "%s: hits '%s'", dialogues[_i].name, hits);
    probe_free(&probe);
}
END_TEST

/* Sends a line of so many bytes, CRLF not counted. */
static void say_long(struct probe *probe, size_t length)
{
    char *line = arena_alloc(probe->arena, length + 3);
    memset(line, 'x', length);
    memcpy(line + length, "\r\n", 3);
    probe_send(probe, line, length + 2);
}

START_TEST(lines_are_bounded)
{
    struct probe *probe = probe_new("{}");
    ck_assert(probe_connect(probe));
    probe_reply(probe);
    say_long(probe, MX_LINE_MAX - 1);
    ck_assert_str_eq(probe_reply(probe), "500 5.5.1 Command unrecognized");
    say_long(probe, MX_LINE_MAX + 1000);
    ck_assert_str_eq(probe_reply(probe), "500 5.5.2 Line too long");
    ck_assert_str_eq(probe_reply(probe), "closed");
    probe_free(&probe);
}
END_TEST

START_TEST(recipients_are_bounded)
{
    struct probe *probe = probe_new("{}");
    static const char *const envelope[] = {"+", "< 220", ENVELOPE};
    for (size_t i = 0; i < COUNT(envelope); i++)
        play(probe, "envelope", envelope[i]);
    for (size_t i = 1; i < MX_RECIPIENTS_MAX; i++) {
        probe_say(probe, "RCPT TO:<c@d>");
        ck_assert_str_eq(probe_reply(probe), "250 2.1.5 Recipient ok");
    }
    probe_say(probe, "RCPT TO:<c@d>");
    ck_assert_str_eq(probe_reply(probe), "452 4.5.3 Too many recipients");
    probe_free(&probe);
}
END_TEST

START_TEST(messages_are_bounded)
{
    struct probe *probe = probe_new("{}");
    static const char *const before[] = {"+", "< 220", ENVELOPE, "> DATA", "< 354"};
    for (size_t i = 0; i < COUNT(before); i++)
        play(probe, "before", before[i]);
    for (size_t i = 0; i <= MX_MESSAGE_MAX / 5000; i++)
        say_long(probe, 5000);
    probe_say(probe, ".");
    ck_assert_str_eq(probe_reply(probe), "552 5.3.4 Message too big");
    ck_assert_ptr_null(probe_event(probe, JOURNAL_MX_MESSAGE));
    probe_free(&probe);
}
END_TEST

START_TEST(commands_are_bounded)
{
    enum { BLOCK = 60000 };
    struct probe *probe = probe_new("{}");
    ck_assert(probe_connect(probe));
    char *block = arena_alloc(probe->arena, BLOCK);
    for (size_t i = 0; i < BLOCK; i += 2)
        memcpy(block + i, "\r\n", 2);
    const char *reply = probe_reply(probe);
    probe_send(probe, block, BLOCK);
    do
        reply = probe_reply(probe);
    while (strncmp(reply, "500", 3) == 0);
    ck_assert_str_eq(reply, "421 4.7.0 Too many commands");
    ck_assert_str_eq(probe_reply(probe), "closed");
    probe_free(&probe);
}
END_TEST

START_TEST(a_message_is_witnessed)
{
    struct probe *probe = probe_new("{}");
    static const char *const lines[] = {"+",     "< 220",   ENVELOPE, "> RCPT TO:<e@f.example>",
                                        "< 250", "> DATA",  "< 354",  "> X-Mtalab-Token: t1",
                                        "> ",    "> ..dot", "> .",    "< 250"};
    for (size_t i = 0; i < COUNT(lines); i++)
        play(probe, "a message", lines[i]);
    const struct journal_event *event = probe_event(probe, JOURNAL_MX_MESSAGE);
    ck_assert_ptr_nonnull(event);
    ck_assert_str_eq(journal_get(event, "sender"), "a@b.example");
    ck_assert_str_eq(journal_get(event, "recipients"), "c@d.example,e@f.example");
    ck_assert_str_eq(journal_get(event, "token"), "t1");
    ck_assert_str_eq(journal_get(event, "channel"), "clear");
    ck_assert_str_eq(journal_get(event, "bounce"), "no");
    size_t length;
    const char *text = fakemx_message(probe->mx, "t1", &length);
    ck_assert_str_eq(text, "X-Mtalab-Token: t1\r\n\r\n.dot\r\n");
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_ptr_null(fakemx_message(probe->mx, "t2", &length));
    probe_free(&probe);
}
END_TEST

START_TEST(a_bounce_is_witnessed)
{
    struct probe *probe = probe_new("{}");
    static const char *const lines[] = {"+",
                                        "< 220",
                                        "> EHLO x",
                                        "< 250",
                                        "> MAIL FROM:<>",
                                        "< 250",
                                        "> RCPT TO:<a@b.example>",
                                        "< 250",
                                        "> DATA",
                                        "< 354",
                                        "> Subject: failed",
                                        "> ",
                                        "> X-Mtalab-Token: t1",
                                        "> .",
                                        "< 250"};
    for (size_t i = 0; i < COUNT(lines); i++)
        play(probe, "a bounce", lines[i]);
    const struct journal_event *event = probe_event(probe, JOURNAL_MX_MESSAGE);
    ck_assert_ptr_nonnull(event);
    ck_assert_str_eq(journal_get(event, "sender"), "");
    ck_assert_str_eq(journal_get(event, "token"), "t1");
    ck_assert_str_eq(journal_get(event, "bounce"), "yes");
    probe_free(&probe);
}
END_TEST

START_TEST(lines_are_witnessed)
{
    struct probe *probe = probe_new("{}");
    static const char *const lines[] = {"+", "< 220", "> EHLO x", "< 250", "> ehlo y", "< 250", "> STARTTLS", "< 220"};
    for (size_t i = 0; i < COUNT(lines); i++)
        play(probe, "lines", lines[i]);
    const struct journal_event *starttls = probe_event(probe, JOURNAL_MX_COMMAND),
                               *ehlo = journal_at(probe->journal, 9);
    ck_assert_str_eq(journal_get(starttls, "verb"), "STARTTLS");
    ck_assert_str_eq(journal_get(starttls, "channel"), "clear");
    ck_assert_int_eq(ehlo->kind, JOURNAL_MX_COMMAND);
    ck_assert_str_eq(journal_get(ehlo, "line"), "ehlo y");
    ck_assert_str_eq(journal_get(ehlo, "verb"), "EHLO");
    ck_assert_str_eq(journal_get(ehlo, "nth"), "2");
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_SENT), "line"), "220 2.0.0 Ready to start TLS");
    probe_disconnect(probe);
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_CLOSE), "by"), "client");
    probe_free(&probe);
}
END_TEST

/* The last command but one had waited for its answer, the last had not. */
START_TEST(commands_ahead_of_answers_are_witnessed)
{
    struct probe *probe = probe_new("{}");
    static const char *const lines[] = {"+",     "< 220", "> EHLO x", "< 250", "= MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n",
                                        "< 250", "< 250"};
    for (size_t i = 0; i < COUNT(lines); i++)
        play(probe, "lines", lines[i]);
    ck_assert_str_eq(journal_get(probe_event(probe, JOURNAL_MX_COMMAND), "early"), "yes");
    for (size_t i = 0; i < journal_count(probe->journal); i++)
        if (strcmp(journal_get(journal_at(probe->journal, i), "verb"), "MAIL") == 0)
            ck_assert_str_eq(journal_get(journal_at(probe->journal, i), "early"), "no");
    probe_free(&probe);
}
END_TEST

TEST_SUITE(mx_command)
{
    TEST_LOOP(dialogues_go_as_told, COUNT(dialogues));
    TEST(lines_are_bounded);
    TEST(recipients_are_bounded);
    TEST(messages_are_bounded);
    TEST(commands_are_bounded);
    TEST(a_message_is_witnessed);
    TEST(a_bounce_is_witnessed);
    TEST(lines_are_witnessed);
    TEST(commands_ahead_of_answers_are_witnessed);
}
