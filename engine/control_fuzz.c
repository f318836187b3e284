/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes at the control socket: each line gets one line of JSON with "ok" in it, or the connection ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ROUNDS = 4, ANSWERS_MAX = 1 << 20 };

struct desk {
    struct control_client *waiting; /* for an answer that comes later */
};

static json_t *handle(void *engine, const char *verb, const json_t *request, struct control_client *client, bool *later,
                      struct err *err)
{
    struct desk *desk = engine;
    if (strcmp(verb, "wait") == 0 && desk->waiting == NULL) {
        desk->waiting = client;
        *later = true;
        return NULL;
    }
    if (json_object_size(request) < 2) {
        err_set(err, ERR_INPUT, "nothing is said but '%.40s'", verb);
        return NULL;
    }
    return json_pack("{s:b,s:s}", "ok", 1, "verb", verb);
}

static void gone(void *engine, struct control_client *client)
{
    struct desk *desk = engine;
    if (desk->waiting != client)
        abort();
    desk->waiting = NULL;
}

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
    return fd;
}

static void turn(struct loop *loop)
{
    for (int i = 0; i < ROUNDS; i++)
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
}

static void check_answers(int fd)
{
    static char text[ANSWERS_MAX];
    ssize_t length = recv(fd, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    for (char *line, *rest = text; (line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
        json_t *answer = json_loads(line, 0, NULL);
        if (!json_is_boolean(json_object_get(answer, "ok")))
            abort();
        json_decref(answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/control_fuzz.%d", (int)getpid());
    struct desk desk = {NULL};
    struct loop *loop = loop_new(NULL);
    struct control_ports ports = {&desk, handle, gone};
    struct control *control = loop != NULL ? control_new(path, loop, &ports, NULL) : NULL;
    if (control == NULL)
        abort();
    int fd = connect_to(path);
    if (size > 0 && send(fd, bytes, size, MSG_NOSIGNAL) < 0 && errno != EPIPE)
        abort();
    turn(loop);
    if (desk.waiting != NULL) {
        struct control_client *client = desk.waiting;
        desk.waiting = NULL;
        control_answer(client, json_pack("{s:b}", "ok", 1));
        turn(loop);
    }
    check_answers(fd);
    close(fd);
    turn(loop);
    control_free(&control);
    loop_free(&loop);
    return 0;
}
