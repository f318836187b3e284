/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "fakemx/mx_command.h"
#include "fakemx/mx_data.h"
#include "fakemx/mx_output.h"

enum {
    WAITING_MAX = 64 * 1024, /* bytes that wait to be heard by us, or by the client */
    COMMANDS_MAX = 20000,
    IDLE_SECONDS = 300,
    LINGER_SECONDS = 5, /* for the client's own close after ours */
    ENDLESS_BYTES = 4 << 20,
    UPDATES_BYTES = 256 * 1024, /* of key updates, each of which costs both sides a derivation */
    MORE_AT_ONCE = 64,          /* of what is endless */
    REST_SHOWN = 80,            /* of what came where nothing may */
};

enum mode { HEAR_LINE, HEAR_DATA, HEAR_CHUNK, HEAR_GARBAGE_CUE, HEAR_RESET_CUE, HEAR_NOTHING, MODE_COUNT };
enum ending { GOES_ON, ENDS_BY_CLOSE, ENDS_BY_RESET };

struct mx_session {
    const struct mx_server *server;
    struct mx_witness witness;
    struct mx_dialogue dialogue;
    struct bufferevent *io;
    struct mx_output *output;
    struct evbuffer *plain; /* what the client said, deciphered */
    struct mx_tls *tls;
    struct mx_data data;
    enum mode mode;
    enum ending ending; /* to be carried out when all is sent */
    bool client_gone;   /* it has closed its side */
    bool over;
    bool answered; /* since bytes came last: a command behind it did not wait for the answer */
    bool deaf;     /* nothing more is read */
    unsigned commands;
    void (*say_more)(struct mx_session *session); /* of what is endless; NULL: nothing is */
    const char *endless;
    size_t endless_sent;
};

static struct evbuffer *output_of(const struct mx_session *session)
{
    return mx_output_buffer(session->output);
}

static const struct mx_behaviour *behaviour_of(const struct mx_session *session)
{
    return session->witness.host->config.behaviour;
}

static const char *channel_of(const struct mx_session *session)
{
    return session->dialogue.tls ? "tls" : "clear";
}

static const char *host_name(const struct mx_session *session)
{
    return session->witness.host->config.name;
}

/* ---- ending ---- */

static void set_idle_time(const struct mx_session *session, time_t seconds)
{
    bufferevent_set_timeouts(session->io, &(struct timeval){.tv_sec = seconds}, &(struct timeval){.tv_sec = seconds});
}

/* All is sent: now the connection itself. */
static void carry_out_ending(struct mx_session *session)
{
    evutil_socket_t fd = bufferevent_getfd(session->io);
    if (session->ending == ENDS_BY_RESET && fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    if (session->ending == ENDS_BY_RESET || session->client_gone || fd < 0 || shutdown(fd, SHUT_WR) != 0)
        session->over = true;
    else
        set_idle_time(session,
                      LINGER_SECONDS); /* closed now, what is still on its way here would reset the connection */
}

/* by: "client" or "server"; a session ends once. */
static void end(struct mx_session *session, enum ending ending, const char *by, const char *reason)
{
    if (session->ending != GOES_ON)
        return;
    journal_add(session->witness.journal, JOURNAL_MX_CLOSE, host_name(session), session->witness.conn, "by", by,
                "reason", reason, NULL);
    if (session->tls != NULL && ending == ENDS_BY_CLOSE)
        mx_tls_close(session->tls, output_of(session));
    session->ending = ending;
    session->mode = HEAR_NOTHING;
    if (!session->client_gone)
        bufferevent_enable(session->io, EV_READ);
    if (mx_output_all_sent(session->output))
        carry_out_ending(session);
}

/* ---- sending ---- */

static void send_bytes(struct mx_session *session, const void *bytes, size_t length)
{
    if (session->tls != NULL)
        mx_tls_send(session->tls, bytes, length, output_of(session));
    else
        evbuffer_add(output_of(session), bytes, length);
}

/* The bytes that a text with \r, \n, \t, \0 and \\ in it stands for. */
static const char *unescape(struct arena *arena, const char *text, size_t *length)
{
    static const char marks[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
    char *out = arena_alloc(arena, strlen(text) + 1);
    *length = 0;
    for (; *text != '\0'; text++) {
        const char *mark = text[0] == '\\' && text[1] != '\0' ? strchr(marks, text[1]) : NULL;
        out[(*length)++] = mark != NULL ? bytes[mark - marks] : *text;
        text += mark != NULL;
    }
    return out;
}

static void send_unescaped(struct mx_session *session, struct arena *arena, const char *text)
{
    size_t length;
    const char *bytes = unescape(arena, text, &length);
    send_bytes(session, bytes, length);
}

static void witness_sent(const struct mx_session *session, const char *line)
{
    journal_add(session->witness.journal, JOURNAL_MX_SENT, host_name(session), session->witness.conn, "line", line,
                "channel", channel_of(session), NULL);
}

static void witness_line(const struct mx_session *session, struct arena *arena, const char *line, const char *verb,
                         unsigned nth)
{
    journal_add(session->witness.journal, JOURNAL_MX_COMMAND, host_name(session), session->witness.conn, "line", line,
                "verb", verb, "channel", channel_of(session), "nth", arena_printf(arena, "%u", nth), "early",
                session->answered ? "yes" : "no", NULL);
}

static void send_lines(struct mx_session *session, struct arena *arena, const char *reply)
{
    struct mx_lines lines = mx_reply_lines(arena, reply);
    const char *text = "";
    for (size_t i = 0; i < lines.count; i++) {
        witness_sent(session, lines.items[i]);
        text = arena_printf(arena, "%s%s\r\n", text, lines.items[i]);
    }
    send_bytes(session, text, strlen(text));
}

static void send_reply(struct mx_session *session, struct arena *arena, const struct mx_answer *answer)
{
    if (answer->aside == MX_PIECEMEAL)
        mx_output_set_pace(session->output, MX_BYTE_BY_BYTE);
    if (answer->raw != NULL) {
        witness_sent(session, answer->raw);
        send_unescaped(session, arena, answer->raw);
    } else if (answer->reply != NULL) {
        send_lines(session, arena, answer->reply);
    }
    if (answer->reply != NULL && answer->inject != NULL)
        send_unescaped(session, arena, answer->inject);
    session->deaf = session->deaf || answer->aside == MX_DEAF;
}

static void say_more_text(struct mx_session *session)
{
    for (int i = 0; i < MORE_AT_ONCE; i++)
        send_bytes(session, session->endless, strlen(session->endless));
}

static void say_more_updates(struct mx_session *session)
{
    for (int i = 0; i < MORE_AT_ONCE; i++)
        mx_tls_update_key(session->tls, output_of(session));
}

static void say_more(struct mx_session *session)
{
    size_t most = session->say_more == say_more_updates ? UPDATES_BYTES : ENDLESS_BYTES;
    if (session->say_more == NULL || session->endless_sent >= most)
        return;
    session->say_more(session);
    session->endless_sent += evbuffer_get_length(output_of(session));
}

/* Until the client goes, or has had its fill. */
static void begin_endless(struct mx_session *session, const char *text, enum mx_pace pace)
{
    mx_output_set_pace(session->output, pace);
    session->mode = HEAR_NOTHING;
    session->endless = text;
    session->say_more = text != NULL ? say_more_text : say_more_updates;
    say_more(session);
}

/* ---- carrying out an answer ---- */

/* Keeps the message; the reply when there is no room for it, NULL: it is kept. */
static const char *keep_message(struct mx_session *session, struct arena *arena)
{
    const struct mx_envelope *envelope = &session->dialogue.envelope;
    bool is_bounce = envelope->sender[0] == '\0';
    const struct mx_message *message = mx_mailbox_add(session->server->mailbox, session->data.text, is_bounce);
    if (message == NULL)
        return "452 4.3.1 Insufficient system storage";
    const char *recipients = envelope->recipients.items[0];
    for (size_t i = 1; i < envelope->recipients.count; i++)
        recipients = arena_printf(arena, "%s,%s", recipients, envelope->recipients.items[i]);
    journal_add(session->witness.journal, JOURNAL_MX_MESSAGE, host_name(session), session->witness.conn, "sender",
                envelope->sender, "recipients", recipients, "token", message->token, "size",
                arena_printf(arena, "%zu", message->length), "channel", channel_of(session), "sha256", message->sha256,
                "body", message->body_sha256, "bounce", is_bounce ? "yes" : "no", "returns", message->returns, "bits",
                message->eight_bit ? "8" : "7", "bare-end", message->bare_end ? "yes" : "no", NULL);
    return NULL;
}

/* RFC 3207 4, 4.2: nothing may come in clear behind STARTTLS; what does was never protected, and is forgotten. */
static void forget_the_rest(struct mx_session *session, struct arena *arena)
{
    char rest[REST_SHOWN];
    ev_ssize_t length = evbuffer_copyout(session->plain, rest, sizeof rest);
    if (length > 0)
        witness_line(session, arena, text_escape(arena, rest, (size_t)length), "", 0);
    evbuffer_drain(session->plain, evbuffer_get_length(session->plain));
}

static void start_tls(struct mx_session *session, struct arena *arena)
{
    forget_the_rest(session, arena);
    session->tls = mx_tls_new(session->server->contexts, &session->witness, NULL);
    if (session->tls == NULL)
        end(session, ENDS_BY_CLOSE, "server", "TLS cannot begin");
    if (behaviour_of(session)->starttls == MX_STARTTLS_SLOW)
        mx_output_set_pace(session->output, MX_SLOWLY);
}

static void await_cue(struct mx_session *session, enum mode mode)
{
    evbuffer_drain(session->plain, evbuffer_get_length(session->plain));
    session->mode = mode;
}

static void finish_chunk(struct mx_session *session);

static void begin_chunk(struct mx_session *session)
{
    struct mx_envelope *envelope = &session->dialogue.envelope;
    if (!envelope->chunked)
        mx_data_begin(&session->data, mx_dialogue_size_limit(&session->dialogue));
    envelope->chunked = envelope->arena != NULL;
    session->mode = HEAR_CHUNK;
    if (session->dialogue.chunk == 0)
        finish_chunk(session);
}

static void go_on(struct mx_session *session, struct arena *arena, const struct mx_answer *answer)
{
    bool after_reply = answer->reply != NULL;
    switch (answer->then) {
    case MX_THEN_LISTEN:
    case MX_THEN_ACCEPT:
        session->mode = HEAR_LINE;
        break;
    case MX_THEN_DATA:
        mx_data_begin(&session->data, mx_dialogue_size_limit(&session->dialogue));
        session->mode = HEAR_DATA;
        break;
    case MX_THEN_CHUNK:
        begin_chunk(session);
        break;
    case MX_THEN_TLS:
        start_tls(session, arena);
        break;
    case MX_THEN_GARBAGE:
        await_cue(session, HEAR_GARBAGE_CUE);
        break;
    case MX_THEN_GARBAGE_RST:
        await_cue(session, HEAR_RESET_CUE);
        break;
    case MX_THEN_STALL:
        session->mode = HEAR_NOTHING;
        break;
    case MX_THEN_RESET:
        end(session, ENDS_BY_RESET, "server", "reset");
        break;
    case MX_THEN_CLOSE:
        end(session, ENDS_BY_CLOSE, "server", after_reply ? answer->reply : "closed without a reply");
        break;
    case MX_THEN_ENDLESS_LINE:
        begin_endless(session, "250 and on ", MX_AT_ONCE);
        break;
    case MX_THEN_ENDLESS_LINES:
        begin_endless(session, "250-and on\r\n", MX_AT_ONCE);
        break;
    case MX_THEN_DRIP:
        begin_endless(session, "250-and on\r\n", MX_SLOWLY);
        break;
    }
}

static void carry_out(struct mx_session *session, struct arena *arena, struct mx_answer answer)
{
    for (size_t i = 0; i < answer.hit_count; i++)
        mx_witness_hit(&session->witness, answer.hits[i].setting, answer.hits[i].doing);
    const char *no_room = answer.then == MX_THEN_ACCEPT ? keep_message(session, arena) : NULL;
    if (no_room != NULL)
        answer.reply = no_room;
    send_reply(session, arena, &answer);
    session->answered = true;
    go_on(session, arena, &answer);
}

static void carry_out_end_of_text(struct mx_session *session, struct mx_answer answer, bool transaction_over)
{
    struct arena *arena = arena_new("end of text");
    carry_out(session, arena, answer);
    arena_free(&arena);
    if (transaction_over) {
        mx_dialogue_reset(&session->dialogue);
        mx_data_free(&session->data);
    }
}

static void finish_chunk(struct mx_session *session)
{
    struct mx_answer answer = mx_end_of_chunk(&session->dialogue, session->data.too_big);
    carry_out_end_of_text(session, answer, session->dialogue.chunk_last);
}

/* ---- hearing: one function for each mode; false when it wants more bytes than there are ---- */

static void refuse(struct mx_session *session, const char *reply, bool close)
{
    struct arena *arena = arena_new("refusal");
    carry_out(session, arena, (struct mx_answer){.reply = reply, .then = close ? MX_THEN_CLOSE : MX_THEN_LISTEN});
    arena_free(&arena);
}

static void hear_command(struct mx_session *session, struct arena *arena, const char *line)
{
    struct mx_answer answer = mx_command(&session->dialogue, arena, line);
    witness_line(session, arena, line, answer.verb, answer.nth);
    carry_out(session, arena, answer);
}

/* Takes the line that ends at the line feed at length. One that is no line of SMTP has no verb. */
static void take_line(struct mx_session *session, size_t length)
{
    struct arena *arena = arena_new("line");
    char *line = arena_alloc(arena, length + 1);
    evbuffer_remove(session->plain, line, length + 1);
    bool whole = length > 0 && line[length - 1] == '\r';
    line[whole ? length - 1 : length] = '\0';
    if (whole && strlen(line) == length - 1) {
        hear_command(session, arena, line);
    } else {
        witness_line(session, arena, text_escape(arena, line, whole ? length - 1 : length), "", 0);
        refuse(session, whole ? "500 5.5.2 No NUL allowed" : "500 5.5.2 Lines end with CRLF", false);
    }
    arena_free(&arena);
}

static bool hear_line(struct mx_session *session)
{
    struct evbuffer_ptr found = evbuffer_search(session->plain, "\n", 1, NULL);
    size_t length = found.pos >= 0 ? (size_t)found.pos : evbuffer_get_length(session->plain);
    if (length > MX_LINE_MAX)
        refuse(session, "500 5.5.2 Line too long", true);
    else if (found.pos < 0)
        return false;
    else if (++session->commands > COMMANDS_MAX)
        refuse(session, "421 4.7.0 Too many commands", true);
    else
        take_line(session, length);
    return true;
}

/* The bytes at hand that lie in one piece. */
static const char *peek(struct mx_session *session, size_t *length)
{
    *length = evbuffer_get_contiguous_space(session->plain);
    return (const char *)evbuffer_pullup(session->plain, (ev_ssize_t)*length);
}

static bool hear_data(struct mx_session *session)
{
    size_t length;
    bool ended;
    const char *bytes = peek(session, &length);
    evbuffer_drain(session->plain, mx_data_take(&session->data, bytes, length, &ended));
    if (ended)
        carry_out_end_of_text(session, mx_end_of_data(&session->dialogue, session->data.too_big), true);
    return true;
}

static bool hear_chunk(struct mx_session *session)
{
    size_t length;
    const char *bytes = peek(session, &length);
    if (length > session->dialogue.chunk)
        length = session->dialogue.chunk;
    mx_data_append(&session->data, bytes, length);
    evbuffer_drain(session->plain, length);
    session->dialogue.chunk -= length;
    if (session->dialogue.chunk == 0)
        finish_chunk(session);
    return true;
}

static bool hear_garbage_cue(struct mx_session *session)
{
    static const char garbage[] = "this is not the TLS you are looking for\r\n";
    send_bytes(session, garbage, strlen(garbage));
    session->mode = HEAR_NOTHING;
    return true;
}

static bool hear_reset_cue(struct mx_session *session)
{
    end(session, ENDS_BY_RESET, "server", "reset after STARTTLS");
    return true;
}

static bool hear_nothing(struct mx_session *session)
{
    evbuffer_drain(session->plain, evbuffer_get_length(session->plain));
    return true;
}

static void hear(struct mx_session *session)
{
    static bool (*const ears[MODE_COUNT])(struct mx_session * session) = {
        [HEAR_LINE] = hear_line,           [HEAR_DATA] = hear_data,
        [HEAR_CHUNK] = hear_chunk,         [HEAR_GARBAGE_CUE] = hear_garbage_cue,
        [HEAR_RESET_CUE] = hear_reset_cue, [HEAR_NOTHING] = hear_nothing,
    };
    bool satisfied = true;
    session->answered = false;
    while (satisfied && evbuffer_get_length(session->plain) > 0 &&
           evbuffer_get_length(output_of(session)) <= WAITING_MAX)
        satisfied = ears[session->mode](session);
    /* A client that does not read its answers is not read either. */
    if (session->deaf || evbuffer_get_length(session->plain) > WAITING_MAX)
        bufferevent_disable(session->io, EV_READ);
    else
        bufferevent_enable(session->io, EV_READ);
}

/* ---- the connection's events ---- */

static void leave_if_over(struct mx_session *session)
{
    if (!session->over)
        return;
    session->server->ended(session->server->arg, session);
    mx_session_free(&session);
}

static void look_at_tls(struct mx_session *session, enum mx_tls_state state)
{
    if (state != MX_TLS_OPEN || session->dialogue.tls)
        return;
    mx_dialogue_secure(&session->dialogue);
    int starttls = behaviour_of(session)->starttls;
    if (starttls == MX_STARTTLS_FLOODED || starttls == MX_STARTTLS_RENEGOTIATED)
        mx_witness_hit(&session->witness, MX_SETTING(starttls), NULL);
    if (starttls == MX_STARTTLS_FLOODED)
        begin_endless(session, NULL, MX_AT_ONCE);
    else if (starttls == MX_STARTTLS_RENEGOTIATED)
        mx_tls_renegotiate(session->tls, output_of(session));
}

static void end_with_tls(struct mx_session *session, enum mx_tls_state state)
{
    if (state == MX_TLS_CLOSED)
        end(session, ENDS_BY_CLOSE, "client", "TLS close_notify");
    else if (state == MX_TLS_FAILED)
        end(session, ENDS_BY_CLOSE, mx_tls_alert_came(session->tls) ? "client" : "server", "TLS failed");
}

static void on_read(struct bufferevent *io, void *arg)
{
    struct mx_session *session = arg;
    struct evbuffer *input = bufferevent_get_input(io);
    if (session->ending != GOES_ON) {
        evbuffer_drain(input, evbuffer_get_length(input));
        return;
    }
    if (session->tls == NULL) {
        evbuffer_add_buffer(session->plain, input);
        hear(session);
    } else {
        enum mx_tls_state state = mx_tls_take(session->tls, input, session->plain, output_of(session));
        look_at_tls(session, state);
        hear(session);
        end_with_tls(session, state);
    }
    leave_if_over(session);
}

static void on_write(struct bufferevent *io UNUSED, void *arg)
{
    struct mx_session *session = arg;
    if (!mx_output_all_sent(session->output))
        return;
    if (session->ending != GOES_ON) {
        carry_out_ending(session);
    } else {
        say_more(session);
        hear(session);
    }
    leave_if_over(session);
}

static void on_event(struct bufferevent *io UNUSED, short what, void *arg)
{
    struct mx_session *session = arg;
    bool timed_out = (what & BEV_EVENT_TIMEOUT) != 0, eof = (what & BEV_EVENT_EOF) != 0;
    const char *reason = timed_out ? (mx_output_is_cut_off(session->output) ? MX_CUT_OFF : "idle for too long")
                         : eof     ? "closed"
                                   : strerror(EVUTIL_SOCKET_ERROR());
    if (session->tls != NULL && session->ending == GOES_ON)
        mx_tls_gone(session->tls);
    session->client_gone = true;
    session->over = !eof || session->ending != GOES_ON; /* after the client's FIN it still gets what we have to say */
    end(session, ENDS_BY_CLOSE, timed_out ? "server" : "client", reason);
    leave_if_over(session);
}

/* ---- life ---- */

static void greet(struct mx_session *session)
{
    if (behaviour_of(session)->tcp == MX_TCP_STALL) {
        mx_witness_hit(&session->witness, MX_SETTING(tcp), NULL);
        session->mode = HEAR_NOTHING;
        return;
    }
    struct arena *arena = arena_new("greeting");
    carry_out(session, arena, mx_greet(&session->dialogue, arena));
    arena_free(&arena);
}

struct mx_session *mx_session_new(const struct mx_server *server, const struct mx_host *host, unsigned conn,
                                  struct bufferevent *io)
{
    struct mx_session *session = calloc(1, sizeof *session);
    struct evbuffer *plain = evbuffer_new();
    struct mx_output *output = mx_output_new(io);
    if (session == NULL || plain == NULL || output == NULL) {
        free(session);
        mx_output_free(&output);
        if (plain != NULL)
            evbuffer_free(plain);
        bufferevent_free(io);
        return NULL;
    }
    *session = (struct mx_session){.server = server,
                                   .io = io,
                                   .output = output,
                                   .plain = plain,
                                   .witness = {.journal = server->journal, .host = host, .conn = conn}};
    mx_dialogue_begin(&session->dialogue, host);
    bufferevent_setcb(io, on_read, on_write, on_event, session);
    bufferevent_setwatermark(io, EV_READ, 0, WAITING_MAX);
    set_idle_time(session, IDLE_SECONDS);
    bufferevent_enable(io, EV_READ | EV_WRITE);
    greet(session);
    if (session->over) /* the caller does not know it yet: end in a round of the loop */
        bufferevent_trigger_event(io, BEV_EVENT_EOF, BEV_OPT_DEFER_CALLBACKS);
    return session;
}

void mx_session_free(struct mx_session **session)
{
    if (*session == NULL)
        return;
    mx_tls_free(&(*session)->tls);
    mx_dialogue_end(&(*session)->dialogue);
    mx_data_free(&(*session)->data);
    evbuffer_free((*session)->plain);
    mx_output_free(&(*session)->output);
    bufferevent_free((*session)->io);
    free(*session);
    *session = NULL;
}
