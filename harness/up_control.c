/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/up_control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_MAX = 64 * 1024, WORDS_MAX = 8, WAITING_MAX = 8, PATIENCE_S = 2, UNANSWERED = 3 };

struct up_control {
    int socket;
    struct event *comes;
    bool *asked;
};

static bool place_of(const char *path, struct sockaddr_un *at, struct err *err)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    return (size_t)snprintf(at->sun_path, sizeof at->sun_path, "%s", path) < sizeof at->sun_path ||
           err_set(err, ERR_SYSTEM, "the name is too long for a socket: %s", path);
}

/* ---- the world's side ---- */

static void on_somebody(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    *((struct up_control *)arg)->asked = true;
}

struct up_control *up_control_listen(const char *path, struct loop *loop, bool *asked, struct err *err)
{
    struct sockaddr_un at;
    if (!place_of(path, &at, err))
        return NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct up_control *control = malloc(sizeof *control);
    if (control == NULL)
        abort();
    *control = (struct up_control){.socket = fd, .asked = asked};
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, WAITING_MAX) != 0) {
        err_set(err, ERR_SYSTEM, "cannot listen at %s: %s", path, strerror(errno));
        up_control_free(&control);
        return NULL;
    }
    control->comes = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_somebody, control);
    event_add(control->comes, NULL);
    return control;
}

static size_t read_all(int fd, char *bytes, size_t room)
{
    size_t length = 0;
    for (ssize_t got; length < room && (got = read(fd, bytes + length, room - length)) > 0;)
        length += (size_t)got;
    return length;
}

static size_t split(const char *bytes, size_t length, const char **words)
{
    size_t count = 0;
    for (const char *at = bytes; at < bytes + length && count < WORDS_MAX; at += strlen(at) + 1)
        words[count++] = at;
    return count;
}

static void write_all(int fd, const char *bytes, size_t length)
{
    for (ssize_t put; length > 0 && (put = send(fd, bytes, length, MSG_NOSIGNAL)) > 0; length -= (size_t)put)
        bytes += put;
}

static void answer_one(int fd, int (*obey)(void *arg, const char *const *words, size_t count, FILE *out), void *arg)
{
    static char request[REQUEST_MAX + 1];
    const char *words[WORDS_MAX];
    char *text = NULL;
    size_t size = 0, length = read_all(fd, request, REQUEST_MAX);
    request[length] = '\0';
    FILE *out = open_memstream(&text, &size);
    fputc('0', out);
    int status = obey(arg, words, split(request, length, words), out);
    fclose(out);
    text[0] = (char)('0' + status);
    write_all(fd, text, size);
    free(text);
}

/* Whoever says nothing holds the world up for a moment, and no longer. */
void up_control_answer(struct up_control *control,
                       int (*obey)(void *arg, const char *const *words, size_t count, FILE *out), void *arg)
{
    static const struct timeval patience = {.tv_sec = PATIENCE_S};
    *control->asked = false;
    for (int fd; (fd = accept4(control->socket, NULL, NULL, SOCK_CLOEXEC)) >= 0; close(fd)) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        answer_one(fd, obey, arg);
    }
}

void up_control_free(struct up_control **control)
{
    if (*control == NULL)
        return;
    if ((*control)->comes != NULL)
        event_free((*control)->comes);
    if ((*control)->socket >= 0)
        close((*control)->socket);
    free(*control);
    *control = NULL;
}

/* ---- the other side ---- */

static bool say(int fd, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_all(fd, words[i], strlen(words[i]) + 1);
    return shutdown(fd, SHUT_WR) == 0;
}

int up_control_ask(const char *path, const char *const *words, size_t count, FILE *out, FILE *complaints,
                   struct err *err)
{
    struct sockaddr_un at;
    char status, bytes[4096];
    if (!place_of(path, &at, err))
        return UNANSWERED;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0 && say(fd, words, count) &&
                    read(fd, &status, 1) == 1;
    if (!answered)
        err_set(err, ERR_SYSTEM, "the world does not answer");
    for (ssize_t got; answered && (got = read(fd, bytes, sizeof bytes)) > 0;)
        fwrite(bytes, 1, (size_t)got, status == '0' ? out : complaints);
    if (fd >= 0)
        close(fd);
    return answered ? status - '0' : UNANSWERED;
}
