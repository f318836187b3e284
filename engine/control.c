/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct control_client {
    struct control *control;
    struct control_client *next, **from;
    struct bufferevent *io;
    bool waiting; /* for an answer that comes later */
};

struct control {
    struct loop *loop;
    struct control_ports ports;
    struct evconnlistener *listener;
    struct control_client *clients;
    unsigned count;
    char path[108];
};

static void end_client(struct control_client *c)
{
    if (c->waiting)
        c->control->ports.gone(c->control->ports.engine, c);
    *c->from = c->next;
    if (c->next != NULL)
        c->next->from = c->from;
    c->control->count--;
    bufferevent_free(c->io);
    free(c);
}

static void write_answer(struct control_client *c, json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII);
    evbuffer_add_printf(bufferevent_get_output(c->io), "%s\n",
                        text != NULL ? text : "{\"ok\":false,\"error\":\"no memory\"}");
    free(text);
    json_decref(answer);
}

static json_t *refusal(const char *why)
{
    return json_pack("{s:b,s:s}", "ok", 0, "error", why);
}

static void take_request(struct control_client *c, const char *line, size_t length)
{
    json_error_t wrong;
    json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &wrong);
    const char *verb = json_string_value(json_object_get(request, "do"));
    struct err err = {.text = "what shall be done? {\"do\":\"...\"}"};
    json_t *answer = NULL;
    bool later = false;
    if (verb != NULL)
        answer = c->control->ports.handle(c->control->ports.engine, verb, request, c, &later, &err);
    c->waiting = later;
    if (!later)
        write_answer(c, answer != NULL ? answer : refusal(request != NULL ? err.text : wrong.text));
    json_decref(request);
}

static void read_requests(struct control_client *c)
{
    struct evbuffer *in = bufferevent_get_input(c->io);
    size_t length;
    char *line;
    while (!c->waiting && (line = evbuffer_readln(in, &length, EVBUFFER_EOL_LF)) != NULL) {
        take_request(c, line, length);
        free(line);
    }
}

static void on_read(struct bufferevent *io, void *arg)
{
    struct control_client *c = arg;
    read_requests(c);
    if (evbuffer_get_length(bufferevent_get_input(io)) > CONTROL_LINE_MAX)
        end_client(c);
}

static void on_event(struct bufferevent *io UNUSED, short what UNUSED, void *arg)
{
    end_client(arg);
}

void control_answer(struct control_client *client, json_t *answer)
{
    client->waiting = false;
    write_answer(client, answer);
    read_requests(client);
}

static void on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd, struct sockaddr *from UNUSED,
                      int length UNUSED, void *arg)
{
    struct control *control = arg;
    struct bufferevent *io = control->count < CONTROL_CLIENTS_MAX
                                 ? bufferevent_socket_new(loop_base(control->loop), fd, BEV_OPT_CLOSE_ON_FREE)
                                 : NULL;
    struct control_client *c = io != NULL ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
        if (io != NULL)
            bufferevent_free(io);
        else
            close(fd);
        return;
    }
    *c = (struct control_client){.control = control, .io = io, .next = control->clients, .from = &control->clients};
    if (c->next != NULL)
        c->next->from = &c->next;
    control->clients = c;
    control->count++;
    bufferevent_setcb(io, on_read, NULL, on_event, c);
    bufferevent_setwatermark(io, EV_READ, 0, CONTROL_LINE_MAX + 1);
    bufferevent_enable(io, EV_READ | EV_WRITE);
}

static bool fill_address(const char *path, struct sockaddr_un *to, struct err *err)
{
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to->sun_path)
        return err_set(err, ERR_INPUT, "the path of the control socket is too long: %s", path);
    memcpy(to->sun_path, path, strlen(path) + 1);
    return true;
}

static bool begin_listening(struct control *control, const char *path, struct err *err)
{
    struct sockaddr_un at;
    if (!fill_address(path, &at, err))
        return false;
    memcpy(control->path, path, strlen(path) + 1);
    struct stat there;
    if (lstat(path, &there) == 0 && S_ISSOCK(there.st_mode))
        unlink(path); /* of an engine that crashed; any other file stays, and is an error */
    mode_t mask = umask(0177);
    control->listener =
        evconnlistener_new_bind(loop_base(control->loop), on_accept, control,
                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16, (struct sockaddr *)&at, sizeof at);
    umask(mask);
    return control->listener != NULL || err_set(err, ERR_SYSTEM, "cannot listen at %s: %s", path, strerror(errno));
}

struct control *control_new(const char *path, struct loop *loop, const struct control_ports *ports, struct err *err)
{
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL)
        abort();
    control->loop = loop;
    control->ports = *ports;
    if (!begin_listening(control, path, err))
        control_free(&control);
    return control;
}

void control_free(struct control **control)
{
    if (*control == NULL)
        return;
    while ((*control)->clients != NULL) {
        struct bufferevent *io = (*control)->clients->io;
        evbuffer_unfreeze(bufferevent_get_output(io), 1); /* the answer to "stop" */
        evbuffer_write(bufferevent_get_output(io), bufferevent_getfd(io));
        end_client((*control)->clients);
    }
    if ((*control)->listener != NULL) {
        evconnlistener_free((*control)->listener);
        unlink((*control)->path);
    }
    free(*control);
    *control = NULL;
}

/* ---- the other side ---- */

static json_t *converse(int fd, const char *text, struct err *err)
{
    FILE *stream = fdopen(fd, "r+");
    if (stream == NULL) {
        close(fd);
        err_set(err, ERR_SYSTEM, "%s", strerror(errno));
        return NULL;
    }
    fprintf(stream, "%s\n", text);
    fflush(stream);
    json_error_t wrong;
    json_t *answer = json_loadf(stream, JSON_DISABLE_EOF_CHECK, &wrong);
    if (answer == NULL)
        err_set(err, ERR_PEER, "the engine gave no answer (%s)", wrong.text);
    fclose(stream);
    return answer;
}

json_t *control_ask(const char *path, json_t *request, struct err *err)
{
    struct sockaddr_un to;
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    json_t *answer = NULL;
    int fd = fill_address(path, &to, err) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        err_set(err, ERR_SYSTEM, "no engine answers at %s: %s", path, strerror(errno));
        close(fd);
    } else if (fd >= 0) {
        answer = converse(fd, text, err);
    }
    free(text);
    return answer;
}
