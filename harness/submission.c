/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/submission.h"

#include <errno.h>
#include <openssl/evp.h>
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

/* The dot shows who forgets that dots are doubled on the wire (5321-4.5.2). */
static const char body_before_dot[] = "A message of the lab.\r\n",
                  body_from_dot[] = ".A line that begins with a dot.\r\n";

char *submission_body_sha256(struct arena *arena)
{
    char body[sizeof body_before_dot + sizeof body_from_dot];
    int length = snprintf(body, sizeof body, "%s%s", body_before_dot, body_from_dot);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;
    EVP_Digest(body, (size_t)length, digest, &digest_length, EVP_sha256(), NULL);
    return text_hex(arena, digest, digest_length);
}

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

static bool expect(struct talk *talk, const char *line, int class)
{
    size_t length = line != NULL ? strlen(line) : 0;
    if (line != NULL && send(talk->from.fd, line, length, MSG_NOSIGNAL) != (ssize_t)length) {
        talk->reply = "the subject closed the connection";
        return false;
    }
    return hear(talk) / 100 == class;
}

static const char *recipients_line(struct arena *arena, const struct submission *s)
{
    const char *list = "";
    for (size_t i = 0; i < s->to_count; i++)
        list = arena_printf(arena, "%s%s<%s>", list, i > 0 ? ", " : "", s->to[i]);
    return list;
}

static const char *message(struct arena *arena, const struct submission *s)
{
    char date[64];
    time_t now = clock_now(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &utc));
    return arena_printf(arena,
                        "From: <%s>\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@sender.example>\r\n"
                        "X-Mtalab-Token: %s\r\n\r\n%s.%s.\r\n",
                        s->from, recipients_line(arena, s), s->token, date, s->token, s->token, body_before_dot,
                        body_from_dot);
}

static bool converse(struct talk *talk, const struct submission *s)
{
    struct arena *arena = talk->arena;
    if (!expect(talk, NULL, 2) || !expect(talk, "EHLO lab.sender.example\r\n", 2) ||
        !expect(talk, arena_printf(arena, "MAIL FROM:<%s>\r\n", s->from), 2))
        return false;
    for (size_t i = 0; i < s->to_count; i++)
        if (!expect(talk, arena_printf(arena, "RCPT TO:<%s>\r\n", s->to[i]), 2))
            return false;
    return expect(talk, "DATA\r\n", 3) && expect(talk, message(arena, s), 2);
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
