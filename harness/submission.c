/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/submission.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/netaddr.h"
#include "base/text.h"
#include "harness/line_pipe.h"

enum { REPLY_LINES_MAX = 100 };

/* ---- the message ---- */

/* The dot shows who forgets that dots are doubled on the wire (5321-4.5.2). */
static const char *const texts[] = {
    [BODY_7BIT] = "A message of the lab.\r\n.A line that begins with a dot.\r\n",
    [BODY_8BIT] = "Eine Nachricht \xc3\xbc"
                  "ber das Labor.\r\n.Ein Punkt f\xc3\xbchrt diese Zeile an.\r\n",
};
static const char filling[] = "This line is here for its length alone.\r\n";

static const char *body_of(struct arena *arena, const struct scenario_way *way)
{
    const char *text = texts[way->body];
    size_t lines = strlen(text) < (size_t)way->size ? ((size_t)way->size - strlen(text)) / strlen(filling) + 1 : 0;
    char *body = arena_alloc(arena, strlen(text) + lines * strlen(filling) + 1), *end = stpcpy(body, text);
    while (lines-- > 0)
        end = stpcpy(end, filling);
    return body;
}

/* What follows the text as it is, with nothing doubled. Its token is no message's of the lab. */
static const char *smuggled(struct arena *arena, const struct submission *s)
{
    static const char *const ends[] = {
        [SMUGGLE_LF_DOT_LF] = "\n.\n",
        [SMUGGLE_LF_DOT_CRLF] = "\n.\r\n",
        [SMUGGLE_CRLF_DOT_LF] = "\r\n.\n",
        [SMUGGLE_CR_DOT_CR] = "\r.\r",
        [SMUGGLE_CR_DOT_CRLF] = "\r.\r\n",
        [SMUGGLE_CRLF_DOT_CR] = "\r\n.\r",
        [SMUGGLE_CRLF_DOT_CRCRLF] = "\r\n.\r\r\n",
    };
    static_assert(COUNT(ends) == SMUGGLE_COUNT, "one end each");
    if (s->way->smuggle == SMUGGLE_NONE)
        return "";
    return arena_printf(arena,
                        "The end?%sMAIL FROM:<mallory@sender.example>\r\nRCPT TO:<%s>\r\nDATA\r\n"
                        "From: <mallory@sender.example>\r\nX-Mtalab-Token: smuggled\r\n\r\nSmuggled.\r\n",
                        ends[s->way->smuggle], s->to[0]);
}

char *submission_body_sha256(struct arena *arena, const struct submission *submission)
{
    if (submission->way->smuggle != SMUGGLE_NONE)
        return arena_strdup(arena, "");
    const char *body = body_of(arena, submission->way);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(body, strlen(body), digest, &length, EVP_sha256(), NULL);
    return text_hex(arena, digest, length);
}

static const char *recipients_line(struct arena *arena, const struct submission *s)
{
    const char *list = "";
    for (size_t i = 0; i < s->to_count; i++)
        list = arena_printf(arena, "%s%s<%s>", list, i > 0 ? ", " : "", s->to[i]);
    return list;
}

static const char *header_of(struct arena *arena, const struct submission *s)
{
    static const char *const tls_required[] = {
        [TLS_REQUIRED_UNSAID] = "",
        [TLS_REQUIRED_NO] = "TLS-Required: No\r\n",
        [TLS_REQUIRED_NO_TWICE] = "TLS-Required: No\r\nTLS-Required: No\r\n",
    };
    static const char *const types[] = {
        [BODY_7BIT] = "",
        [BODY_8BIT] = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                      "Content-Transfer-Encoding: 8bit\r\n",
    };
    char date[64];
    time_t now = clock_now(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &utc));
    return arena_printf(arena,
                        "From: <%s>\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@sender.example>\r\n"
                        "X-Mtalab-Token: %s\r\n%s%s\r\n",
                        s->from, recipients_line(arena, s), s->way->subject != NULL ? s->way->subject : s->token, date,
                        s->token, s->token, tls_required[s->way->tls_required], types[s->way->body]);
}

/* With another dot before each that begins a line (5321-4.5.2). */
static const char *stuffed(struct arena *arena, const char *text)
{
    char *out = arena_alloc(arena, 2 * strlen(text) + 1), *end = out;
    for (bool line_start = true; *text != '\0'; line_start = *text++ == '\n') {
        if (line_start && *text == '.')
            *end++ = '.';
        *end++ = *text;
    }
    *end = '\0';
    return out;
}

/* ---- the conversation ---- */

struct talk {
    struct arena *arena;
    struct loop *loop;
    struct line_pipe from;
    int64_t until_us;
    const char *reply; /* the last line of the last reply */
};

static double time_left(const struct talk *talk)
{
    return (double)(talk->until_us - clock_monotonic_us()) / 1e6;
}

/* The code of the next reply; 0 when none comes. */
static int hear(struct talk *talk)
{
    for (int lines = 0; lines < REPLY_LINES_MAX; lines++) {
        char *line = line_pipe_next(&talk->from, talk->loop, time_left(talk));
        if (line == NULL) {
            talk->reply = talk->from.ended ? "the subject closed the connection" : "the subject does not answer";
            return 0;
        }
        line[strcspn(line, "\r")] = '\0';
        talk->reply = arena_strdup(talk->arena, line);
        if (strlen(line) >= 3 && line[3] != '-')
            return (int)strtol(line, NULL, 10);
    }
    return 0;
}

/* All of it; a subject that does not read is waited for. */
static bool send_all(const struct talk *talk, const char *bytes)
{
    for (size_t left = strlen(bytes); left > 0;) {
        ssize_t sent = send(talk->from.fd, bytes, left, MSG_NOSIGNAL);
        struct pollfd writable = {.fd = talk->from.fd, .events = POLLOUT};
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0 && poll(&writable, 1, (int)(time_left(talk) * 1000)) <= 0)
            return false;
        left -= sent > 0 ? (size_t)sent : 0;
        bytes += sent > 0 ? sent : 0;
    }
    return true;
}

static bool expect(struct talk *talk, const char *line, int class)
{
    if (line != NULL && !send_all(talk, line)) {
        talk->reply = "the subject closed the connection";
        return false;
    }
    return hear(talk) / 100 == class;
}

static const char *mail_line(struct arena *arena, const struct submission *s)
{
    const struct scenario_way *way = s->way;
    const char *size = way->size > 0 ? arena_printf(arena, " SIZE=%lld", (long long)way->size) : "";
    return arena_printf(arena, "MAIL FROM:<%s>%s%s%s%s\r\n", s->from, size,
                        way->body == BODY_8BIT ? " BODY=8BITMIME" : "", way->smtputf8 ? " SMTPUTF8" : "",
                        way->requiretls ? " REQUIRETLS" : "");
}

static bool hand_in_by_data(struct talk *talk, const char *header, const char *body, const char *unstuffed)
{
    return expect(talk, "DATA\r\n", 3) &&
           expect(talk, arena_printf(talk->arena, "%s%s%s.\r\n", header, stuffed(talk->arena, body), unstuffed), 2);
}

static bool hand_in_by_bdat(struct talk *talk, const char *header, const char *body)
{
    return expect(talk, arena_printf(talk->arena, "BDAT %zu\r\n%s", strlen(header), header), 2) &&
           expect(talk, arena_printf(talk->arena, "BDAT %zu LAST\r\n%s", strlen(body), body), 2);
}

static bool converse(struct talk *talk, const struct submission *s)
{
    struct arena *arena = talk->arena;
    if (!expect(talk, NULL, 2) || !expect(talk, "EHLO lab.sender.example\r\n", 2) ||
        !expect(talk, mail_line(arena, s), 2))
        return false;
    for (size_t i = 0; i < s->to_count; i++)
        if (!expect(talk, arena_printf(arena, "RCPT TO:<%s>\r\n", s->to[i]), 2))
            return false;
    const char *header = header_of(arena, s), *body = body_of(arena, s->way);
    return s->way->bdat ? hand_in_by_bdat(talk, header, body) : hand_in_by_data(talk, header, body, smuggled(arena, s));
}

static int dial(const struct submission *s, struct err *err)
{
    struct netaddr to;
    if (!netaddr_parse(s->address, s->port, &to, err))
        return -1;
    int fd = socket(to.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to.addr, to.length) != 0 && errno != EINPROGRESS) {
        err_set(err, ERR_SYSTEM, "cannot connect to the subject: %s", strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

bool submission_send(struct arena *arena, const struct submission *submission, struct loop *loop, double seconds,
                     const char **reply)
{
    struct err err = {0};
    struct talk talk = {.arena = arena, .loop = loop, .until_us = clock_monotonic_us() + (int64_t)(seconds * 1e6)};
    int fd = dial(submission, &err);
    if (fd < 0) {
        *reply = arena_strdup(arena, err.text);
        return false;
    }
    line_pipe_open(&talk.from, fd);
    bool taken = converse(&talk, submission);
    *reply = talk.reply;
    (void)!send(fd, "QUIT\r\n", 6, MSG_NOSIGNAL); /* an answer is not waited for */
    line_pipe_close(&talk.from);
    return taken;
}
