/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/submit.h"

#include <event2/buffer.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "engine/connect.h"

enum { LISTENERS_MAX = 16, INPUT_MAX = 64 * 1024, OUTPUT_MAX = 256 * 1024, HELLO_MAX = 255 };

struct session {
    struct submit *submit;
    struct session *next, **from;
    struct bufferevent *io;
    struct arena *arena;      /* of the session */
    struct arena *mail_arena; /* of the transaction */
    const char *client;
    char hello[HELLO_MAX + 1]; /* printable ASCII; "": none yet */
    bool extended;             /* EHLO */
    unsigned errors;
    bool ending; /* closes when what was said is out */

    const char *sender; /* NULL: no transaction */
    struct {
        const char **items;
        size_t count, room;
    } recipients;
    bool in_data, too_big;
    struct evbuffer *body; /* with dot-stuffing taken off */
    enum scan { SCAN_LINE_START, SCAN_TEXT, SCAN_CR, SCAN_DOT, SCAN_DOT_CR, SCAN_END } scan;
};

struct submit {
    const struct engine_config *config;
    const struct clock *clock;
    struct loop *loop;
    struct submit_ports ports;
    struct evconnlistener *listeners[LISTENERS_MAX];
    size_t listener_count;
    struct session *sessions;
    unsigned session_count;
};

/* ---- the session's life ---- */

static void end_session(struct session *s)
{
    *s->from = s->next;
    if (s->next != NULL)
        s->next->from = s->from;
    s->submit->session_count--;
    bufferevent_free(s->io);
    evbuffer_free(s->body);
    arena_free(&s->mail_arena);
    arena_free(&s->arena);
    free(s);
}

static void say(struct session *s, const char *line)
{
    evbuffer_add_printf(bufferevent_get_output(s->io), "%s\r\n", line);
}

static void reset_transaction(struct session *s)
{
    arena_free(&s->mail_arena);
    s->mail_arena = arena_new("submission");
    s->sender = NULL;
    memset(&s->recipients, 0, sizeof s->recipients);
    evbuffer_drain(s->body, evbuffer_get_length(s->body));
    s->in_data = s->too_big = false;
}

static const char *wrong(struct session *s, const char *reply)
{
    if (++s->errors < SUBMIT_ERRORS_MAX)
        return reply;
    s->ending = true;
    return "421 4.7.0 too many errors";
}

/* ---- verbs: each answers with one reply, NULL when it has answered by itself ---- */

static const char *on_helo(struct session *s, const char *args)
{
    size_t length = strcspn(args, " ");
    if (length == 0 || length > HELLO_MAX)
        return wrong(s, "501 5.5.4 who are you?");
    reset_transaction(s);
    snprintf(s->hello, sizeof s->hello, "%.*s", (int)length, args);
    s->extended = false;
    return arena_printf(s->mail_arena, "250 %s", s->submit->config->hostname);
}

static const char *on_ehlo(struct session *s, const char *args)
{
    const char *reply = on_helo(s, args);
    if (reply[0] != '2')
        return reply;
    s->extended = true;
    return arena_printf(s->mail_arena,
                        "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE %lld",
                        s->submit->config->hostname, (long long)s->submit->config->message_size);
}

/* SIZE=n and BODY=7BIT|8BITMIME; NULL when all is well. */
static const char *mail_parameter(struct session *s, const char *parameter)
{
    int64_t size;
    if (strncasecmp(parameter, "SIZE=", 5) == 0) {
        if (!schema_parse_number(parameter + 5, &size) || size < 0)
            return wrong(s, "501 5.5.4 SIZE is a number");
        return size > s->submit->config->message_size ? "552 5.3.4 message too big" : NULL;
    }
    if (strcasecmp(parameter, "BODY=7BIT") == 0 || strcasecmp(parameter, "BODY=8BITMIME") == 0)
        return NULL;
    return wrong(s, "555 5.5.4 unknown parameter");
}

static const char *mail_parameters(struct session *s, const char *text)
{
    char *all = arena_strdup(s->mail_arena, text), *rest = NULL;
    for (char *word = strtok_r(all, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        const char *reply = mail_parameter(s, word);
        if (reply != NULL)
            return reply;
    }
    return NULL;
}

static const char *on_mail(struct session *s, const char *args)
{
    if (s->hello[0] == '\0')
        return wrong(s, "503 5.5.1 EHLO first");
    if (s->sender != NULL)
        return wrong(s, "503 5.5.1 a transaction is open already");
    if (strncasecmp(args, "FROM:", 5) != 0)
        return wrong(s, "501 5.5.4 MAIL FROM:<address>");
    const char *at = args + 5 + strspn(args + 5, " ");
    char *sender = message_parse_path(s->mail_arena, &at, true);
    if (sender == NULL || (*at != '\0' && *at != ' '))
        return wrong(s, "501 5.1.7 bad sender address");
    const char *reply = mail_parameters(s, at);
    if (reply != NULL) {
        reset_transaction(s); /* whoever asks again and again fills no memory */
        return reply;
    }
    s->sender = sender;
    return "250 2.1.0 ok";
}

static const char *on_rcpt(struct session *s, const char *args)
{
    if (s->sender == NULL)
        return wrong(s, "503 5.5.1 MAIL first");
    if (strncasecmp(args, "TO:", 3) != 0)
        return wrong(s, "501 5.5.4 RCPT TO:<address>");
    if (s->recipients.count == RECIPIENTS_MAX)
        return "452 4.5.3 too many recipients";
    const char *at = args + 3 + strspn(args + 3, " ");
    char *recipient = message_parse_path(s->mail_arena, &at, false);
    if (recipient == NULL)
        return wrong(s, "501 5.1.3 bad recipient address");
    if (*at != '\0')
        return wrong(s, "555 5.5.4 unknown parameter");
    *ARENA_PUSH(s->mail_arena, &s->recipients) = recipient;
    return "250 2.1.5 ok";
}

static const char *on_data(struct session *s, const char *args)
{
    if (*args != '\0')
        return wrong(s, "501 5.5.4 DATA takes no argument");
    if (s->recipients.count == 0)
        return wrong(s, s->sender != NULL ? "554 5.5.1 no valid recipients" : "503 5.5.1 MAIL first");
    s->in_data = true;
    s->scan = SCAN_LINE_START;
    return "354 end with <CRLF>.<CRLF>";
}

static const char *on_rset(struct session *s, const char *args UNUSED)
{
    reset_transaction(s);
    return "250 2.0.0 ok";
}

static const char *on_noop(struct session *s UNUSED, const char *args UNUSED)
{
    return "250 2.0.0 ok";
}
static const char *on_vrfy(struct session *s UNUSED, const char *args UNUSED)
{
    return "252 2.1.5 send it and see";
}

static const char *on_quit(struct session *s, const char *args UNUSED)
{
    s->ending = true;
    return "221 2.0.0 bye";
}

static const struct {
    const char *verb;
    const char *(*handle)(struct session *s, const char *args);
} verbs[] = {
    {"EHLO", on_ehlo}, {"HELO", on_helo}, {"MAIL", on_mail}, {"RCPT", on_rcpt}, {"DATA", on_data},
    {"RSET", on_rset}, {"NOOP", on_noop}, {"QUIT", on_quit}, {"VRFY", on_vrfy},
};

static const char *answer(struct session *s, const char *line)
{
    size_t length = strcspn(line, " ");
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strlen(verbs[i].verb) == length && strncasecmp(line, verbs[i].verb, length) == 0)
            return verbs[i].handle(s, line + length + strspn(line + length, " "));
    return wrong(s, "500 5.5.2 unknown command");
}

/* ---- commands ---- */

/* A command may not hold CR, LF or NUL, nor anything that is not ASCII. */
static bool command_is_sound(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || (unsigned char)line[i] > '~')
            return false;
    return true;
}

/* One command, if a whole one is there. */
static bool take_command(struct session *s)
{
    struct evbuffer *in = bufferevent_get_input(s->io);
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n", 2, NULL);
    size_t length = end.pos >= 0 ? (size_t)end.pos : evbuffer_get_length(in);
    char line[SUBMIT_LINE_MAX + 1];
    if (length > SUBMIT_LINE_MAX) {
        say(s, "500 5.5.2 line too long");
        s->ending = true;
    }
    if (length > SUBMIT_LINE_MAX || end.pos < 0)
        return false;
    evbuffer_copyout(in, line, length);
    evbuffer_drain(in, length + 2);
    while (length > 0 && line[length - 1] == ' ')
        length--;
    line[length] = '\0';
    say(s, command_is_sound(line, length) ? answer(s, line) : wrong(s, "500 5.5.2 not a command"));
    return true;
}

/* ---- message ---- */

static const char *received_line(struct session *s)
{
    return arena_printf(s->mail_arena, "Received: from %s (%s)\r\n\tby %s with %s;\r\n\t%s\r\n", s->hello, s->client,
                        s->submit->config->hostname, s->extended ? "ESMTP" : "SMTP",
                        message_date(s->mail_arena, clock_now(s->submit->clock)));
}

static const char *store_message(struct session *s, const char *content, size_t length)
{
    struct message message = {.sender = s->sender,
                              .recipients = s->recipients.items,
                              .recipient_count = s->recipients.count,
                              .content = content,
                              .length = length,
                              .client = s->client};
    struct err err;
    int64_t id;
    if (!s->submit->ports.accept(s->submit->ports.outside, &message, &id, &err)) {
        fprintf(stderr, "mtalab-engine: cannot queue a message: %s\n", err.text);
        return "451 4.3.0 cannot queue the message now";
    }
    return arena_printf(s->mail_arena, "250 2.0.0 queued as %lld", (long long)id);
}

static const char *judge_message(struct session *s)
{
    if (s->too_big)
        return "552 5.3.4 message too big";
    const char *received = received_line(s);
    evbuffer_prepend(s->body, received, strlen(received));
    size_t length = evbuffer_get_length(s->body);
    const char *content = (const char *)evbuffer_pullup(s->body, -1);
    if (message_has_bare_end(content, length))
        return "550 5.6.0 a CR or LF stands alone in the message";
    if (message_received_count(content, length) > RECEIVED_MAX)
        return "554 5.4.6 the message goes round in circles";
    return store_message(s, content, length);
}

static void keep(struct session *s, const char *bytes, size_t length)
{
    if (s->too_big || evbuffer_get_length(s->body) + length > (size_t)s->submit->config->message_size) {
        s->too_big = true;
        evbuffer_drain(s->body, evbuffer_get_length(s->body));
        return;
    }
    evbuffer_add(s->body, bytes, length);
}

/* A line is begun only by CRLF: "<LF>.<LF>", "<LF>.<CRLF>", "<CR>.<CR>" and their like are text (RFC 5321 2.3.8). */
static enum scan scan_next(enum scan state, char byte)
{
    if (state == SCAN_LINE_START && byte == '.')
        return SCAN_DOT;
    if (state == SCAN_DOT && byte == '\r')
        return SCAN_DOT_CR;
    if (state == SCAN_DOT_CR && byte == '\n')
        return SCAN_END;
    if (state == SCAN_CR && byte == '\n')
        return SCAN_LINE_START;
    return byte == '\r' ? SCAN_CR : SCAN_TEXT;
}

/* Takes bytes of the message up to CRLF.CRLF; true at the end; *used says how many were taken. A dot that begins a line
 * is left out; a CR behind it is held back until it is clear whether it belongs to the end. */
static bool scan_body(struct session *s, const char *bytes, size_t length, size_t *used)
{
    size_t begin = 0; /* of what is not kept yet */
    for (*used = 0; *used < length;) {
        enum scan before = s->scan;
        s->scan = scan_next(before, bytes[(*used)++]);
        if (s->scan == SCAN_END)
            return true;
        if (before == SCAN_DOT_CR)
            keep(s, "\r", 1);
        if (s->scan == SCAN_DOT || s->scan == SCAN_DOT_CR) {
            keep(s, bytes + begin, *used - 1 - begin);
            begin = *used;
        }
    }
    keep(s, bytes + begin, length - begin);
    return false;
}

static bool take_body(struct session *s)
{
    struct evbuffer *in = bufferevent_get_input(s->io);
    size_t length = evbuffer_get_contiguous_space(in), used = 0;
    if (length == 0)
        return false;
    bool end = scan_body(s, (const char *)evbuffer_pullup(in, (ev_ssize_t)length), length, &used);
    evbuffer_drain(in, used);
    if (end) {
        say(s, judge_message(s));
        reset_transaction(s);
    }
    return true;
}

/* ---- events ---- */

static void on_written(struct bufferevent *io, void *arg)
{
    struct session *s = arg;
    if (s->ending)
        end_session(s);
    else
        bufferevent_enable(io, EV_READ);
}

static void on_read(struct bufferevent *io, void *arg)
{
    struct session *s = arg;
    bool more = true;
    while (more && !s->ending) {
        more = s->in_data ? take_body(s) : take_command(s);
        if (evbuffer_get_length(bufferevent_get_output(io)) > OUTPUT_MAX) { /* it does not listen: let it */
            bufferevent_disable(io, EV_READ);
            return;
        }
    }
    if (s->ending)
        bufferevent_disable(io, EV_READ); /* on_written() ends it */
}

static void on_event(struct bufferevent *io, short what, void *arg)
{
    struct session *s = arg;
    if (what & BEV_EVENT_TIMEOUT && !s->ending) {
        say(s, "421 4.4.2 waited too long");
        s->ending = true;
        bufferevent_disable(io, EV_READ);
        return;
    }
    end_session(s);
}

void submit_serve(struct submit *submit, struct bufferevent *io, const char *client)
{
    struct session *s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    s->submit = submit;
    s->io = io;
    s->arena = arena_new("session");
    s->mail_arena = arena_new("submission");
    s->client = arena_strdup(s->arena, client);
    s->body = evbuffer_new();
    s->next = submit->sessions;
    s->from = &submit->sessions;
    if (s->next != NULL)
        s->next->from = &s->next;
    submit->sessions = s;
    submit->session_count++;
    struct timeval idle = connect_timeval(submit->config->timeouts.idle);
    bufferevent_setcb(io, on_read, on_written, on_event, s);
    bufferevent_setwatermark(io, EV_READ, 0, INPUT_MAX);
    bufferevent_set_timeouts(io, &idle, &idle);
    bufferevent_enable(io, EV_READ | EV_WRITE);
    say(s, arena_printf(s->mail_arena, "220 %s ESMTP", submit->config->hostname));
}

static void refuse(evutil_socket_t fd, const char *reply)
{
    if (write(fd, reply, strlen(reply)) < 0) { /* it may have gone already */
    }
    close(fd);
}

static void on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd, struct sockaddr *from,
                      int length UNUSED, void *arg)
{
    struct submit *submit = arg;
    if (!engine_client_allowed(submit->config, from)) {
        refuse(fd, "554 5.7.1 not for you\r\n");
        return;
    }
    if (submit->session_count >= SUBMIT_SESSIONS_MAX) {
        refuse(fd, "421 4.3.2 too many sessions\r\n");
        return;
    }
    struct arena *arena = arena_new("accept");
    struct bufferevent *io = bufferevent_socket_new(loop_base(submit->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    if (io == NULL)
        close(fd);
    else
        submit_serve(submit, io, arena_printf(arena, "[%s]", netaddr_text(arena, from)));
    arena_free(&arena);
}

struct submit *submit_new(const struct engine_config *config, const struct clock *clock, struct loop *loop,
                          const struct submit_ports *ports)
{
    struct submit *submit = calloc(1, sizeof *submit);
    if (submit == NULL)
        abort();
    submit->config = config;
    submit->clock = clock;
    submit->loop = loop;
    submit->ports = *ports;
    return submit;
}

bool submit_listen(struct submit *submit, const char *at, struct err *err)
{
    struct netaddr address;
    if (submit->listener_count == LISTENERS_MAX)
        return err_set(err, ERR_INPUT, "more than %d addresses to listen at", LISTENERS_MAX);
    if (!engine_listen_address(at, &address, err))
        return false;
    int fd = netaddr_listen(&address, SOCK_STREAM, err);
    if (fd < 0)
        return false;
    struct evconnlistener *listener = evconnlistener_new(loop_base(submit->loop), on_accept, submit,
                                                         LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (listener == NULL)
        return err_set(err, ERR_SYSTEM, "cannot listen at %s", at);
    submit->listeners[submit->listener_count++] = listener;
    return true;
}

void submit_free(struct submit **submit)
{
    if (*submit == NULL)
        return;
    for (size_t i = 0; i < (*submit)->listener_count; i++)
        evconnlistener_free((*submit)->listeners[i]);
    while ((*submit)->sessions != NULL)
        end_session((*submit)->sessions);
    free(*submit);
    *submit = NULL;
}
