/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/submit.h"

#include <event2/buffer.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/text.h"
#include "engine/connect.h"
#include "engine/intake.h"

enum { LISTENERS_MAX = 16, INPUT_MAX = 64 * 1024, OUTPUT_MAX = 256 * 1024, HELLO_MAX = 255, CHUNK_DIGITS_MAX = 18 };

struct session {
    struct submit *submit;
    struct session *next, **from;
    struct bufferevent *io;
    struct arena *arena;      /* of the session */
    struct arena *mail_arena; /* of the transaction */
    const char *client;
    char hello[HELLO_MAX + 1]; /* printable ASCII; "": none yet */
    bool extended;             /* EHLO */
    bool local;                /* from this machine */
    bool tls;                  /* inside TLS, or about to be */
    bool turning;              /* TLS begins when what was said is out */
    unsigned errors;
    unsigned idle, surplus; /* since the last message: commands that bring none nearer, recipients too many */
    bool deaf;              /* reads nothing until its replies are out */
    bool giving;            /* a message has begun, and has the time for it */
    struct event *deadline;
    bool ending; /* closes when what was said is out */

    const char *sender; /* NULL: no transaction */
    bool requiretls, smtputf8;
    struct {
        const char **items;
        size_t count, room;
    } recipients;
    enum hearing { HEAR_COMMAND, HEAR_BODY, HEAR_CHUNK, HEAR_NOTHING /* until it is on disk */ } hearing;
    const char *when_stored; /* the reply then */
    bool too_big, crowded;   /* crowded: no memory for it just now */
    struct {
        bool begun;   /* a BDAT has come in this transaction: no DATA any more */
        int64_t left; /* bytes still to come */
        bool empty;
        bool last;       /* the message ends with it */
        const char *why; /* it is thrown away, with this reply; NULL: it is kept */
    } chunk;
    struct evbuffer *body; /* with dot-stuffing taken off */
    enum scan { SCAN_LINE_START, SCAN_TEXT, SCAN_CR, SCAN_DOT, SCAN_DOT_CR, SCAN_END } scan;
};

struct submit {
    const struct engine_config *config;
    const struct clock *clock;
    struct loop *loop;
    struct submit_ports ports;
    struct tls_server *tls; /* NULL: none is offered */
    struct evconnlistener *listeners[LISTENERS_MAX];
    size_t listener_count;
    struct session *sessions;
    unsigned session_count;
    size_t held; /* bytes of messages that are being submitted */
};

/* ---- the session's life ---- */

static void end_session(struct session *s)
{
    *s->from = s->next;
    if (s->next != NULL)
        s->next->from = s->from;
    s->submit->session_count--;
    s->submit->held -= evbuffer_get_length(s->body);
    event_free(s->deadline);
    tls_server_end(s->io);
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

static void drop_body(struct session *s)
{
    s->submit->held -= evbuffer_get_length(s->body);
    evbuffer_drain(s->body, evbuffer_get_length(s->body));
}

static void reset_transaction(struct session *s)
{
    arena_free(&s->mail_arena);
    s->mail_arena = arena_new("submission");
    s->sender = NULL;
    s->requiretls = s->smtputf8 = false;
    memset(&s->recipients, 0, sizeof s->recipients);
    memset(&s->chunk, 0, sizeof s->chunk);
    drop_body(s);
    s->hearing = HEAR_COMMAND;
    s->too_big = s->crowded = false;
}

/* What may be said often, but not for ever. */
static const char *bounded(struct session *s, unsigned *count, unsigned most, const char *reply, const char *enough)
{
    if (++*count <= most)
        return reply;
    s->ending = true;
    return enough;
}

static const char *wrong(struct session *s, const char *reply)
{
    return bounded(s, &s->errors, SUBMIT_ERRORS_MAX - 1, reply, "421 4.7.0 too many errors");
}

static const char *idle(struct session *s, const char *reply)
{
    return bounded(s, &s->idle, SUBMIT_IDLE_MAX, reply, "421 4.7.0 too many commands without a message");
}

static const char *surplus(struct session *s, const char *reply)
{
    return bounded(s, &s->surplus, SUBMIT_SURPLUS_MAX, reply, "421 4.7.0 far too many recipients");
}

/* ---- verbs: each answers with one reply, NULL when it has answered by itself ---- */

static const char *on_helo(struct session *s, const char *args)
{
    size_t length = strcspn(args, " ");
    if (length > HELLO_MAX || !message_is_host(args, length))
        return wrong(s, "501 5.5.4 who are you? A host name or an address in brackets");
    reset_transaction(s);
    snprintf(s->hello, sizeof s->hello, "%.*s", (int)length, args);
    s->extended = false;
    return idle(s, arena_printf(s->mail_arena, "250 %s", s->submit->config->hostname));
}

/* RFC 8689 2 wants it said in protected sessions only. */
static bool may_require_tls(const struct session *s)
{
    int from = s->submit->config->requiretls_from;
    return s->tls || from == REQUIRETLS_FROM_CLIENTS || (from == REQUIRETLS_FROM_LOOPBACK && s->local);
}

static bool offers_tls(const struct session *s)
{
    return s->submit->tls != NULL && !s->tls;
}

static bool must_start_tls(const struct session *s)
{
    int of = s->submit->config->submission_tls.required_of;
    return offers_tls(s) && (of == TLS_REQUIRED_OF_CLIENTS || (of == TLS_REQUIRED_OF_NETWORK && !s->local));
}

static const char *on_ehlo(struct session *s, const char *args)
{
    const char *reply = on_helo(s, args);
    if (reply[0] != '2')
        return reply;
    s->extended = true;
    return arena_printf(s->mail_arena,
                        "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
                        "250-ENHANCEDSTATUSCODES\r\n%s%s250 SIZE %lld",
                        s->submit->config->hostname, offers_tls(s) ? "250-STARTTLS\r\n" : "",
                        may_require_tls(s) ? "250-REQUIRETLS\r\n" : "", (long long)s->submit->config->message_size);
}

/* ---- parameters of MAIL: each NULL when all is well; value: what stands behind the =, NULL without one ---- */

static const char *on_size(struct session *s, const char *value)
{
    int64_t size;
    if (value == NULL || !schema_parse_number(value, &size) || size < 0)
        return wrong(s, "501 5.5.4 SIZE is a number");
    return size > s->submit->config->message_size ? idle(s, "552 5.3.4 message too big") : NULL;
}

/* What the message is counts, not what is said of it: it is looked at before it is sent on. */
static const char *on_body_type(struct session *s, const char *value)
{
    bool known = value != NULL && (strcasecmp(value, "7BIT") == 0 || strcasecmp(value, "8BITMIME") == 0);
    return known ? NULL : wrong(s, "501 5.5.4 BODY is 7BIT or 8BITMIME");
}

static const char *on_smtputf8(struct session *s, const char *value)
{
    s->smtputf8 = true;
    return value == NULL ? NULL : wrong(s, "501 5.5.4 SMTPUTF8 has no value");
}

static const char *on_requiretls(struct session *s, const char *value)
{
    if (!may_require_tls(s))
        return wrong(s, "555 5.5.4 REQUIRETLS is not offered here");
    s->requiretls = true;
    return value == NULL ? NULL : wrong(s, "501 5.5.4 REQUIRETLS has no value");
}

static const struct {
    const char *name;
    const char *(*take)(struct session *s, const char *value);
} parameters[] = {
    {"SIZE", on_size},
    {"BODY", on_body_type},
    {"SMTPUTF8", on_smtputf8},
    {"REQUIRETLS", on_requiretls},
};

static const char *mail_parameter(struct session *s, const char *parameter)
{
    if (!s->extended)
        return wrong(s, "555 5.5.4 parameters are for those who say EHLO");
    size_t length = strcspn(parameter, "=");
    for (size_t i = 0; i < COUNT(parameters); i++)
        if (strlen(parameters[i].name) == length && strncasecmp(parameter, parameters[i].name, length) == 0)
            return parameters[i].take(s, parameter[length] == '=' ? parameter + length + 1 : NULL);
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

/* ---- verbs of the transaction ---- */

/* An address that is not ASCII came without SMTPUTF8. */
static bool lacks_smtputf8(const struct session *s, const char *address)
{
    return !s->smtputf8 && message_is_8bit(address, strlen(address));
}

static const char *on_mail(struct session *s, const char *args)
{
    if (s->hello[0] == '\0')
        return wrong(s, "503 5.5.1 EHLO first");
    if (must_start_tls(s))
        return wrong(s, "530 5.7.0 STARTTLS first");
    if (s->sender != NULL)
        return wrong(s, "503 5.5.1 a transaction is open already");
    if (strncasecmp(args, "FROM:", 5) != 0)
        return wrong(s, "501 5.5.4 MAIL FROM:<address>");
    const char *at = args + 5 + strspn(args + 5, " ");
    char *sender = message_parse_path(s->mail_arena, &at, true);
    if (sender == NULL || (*at != '\0' && *at != ' '))
        return wrong(s, "501 5.1.7 bad sender address");
    const char *reply = mail_parameters(s, at);
    if (reply == NULL && lacks_smtputf8(s, sender))
        reply = wrong(s, "553 5.6.7 such an address wants SMTPUTF8");
    if (reply != NULL) {
        reset_transaction(s); /* whoever asks again and again fills no memory */
        return reply;
    }
    s->sender = sender;
    return idle(s, "250 2.1.0 ok");
}

static const char *on_rcpt(struct session *s, const char *args)
{
    if (s->sender == NULL)
        return wrong(s, "503 5.5.1 MAIL first");
    if (strncasecmp(args, "TO:", 3) != 0)
        return wrong(s, "501 5.5.4 RCPT TO:<address>");
    if (s->recipients.count == RECIPIENTS_MAX)
        return surplus(s, "452 4.5.3 too many recipients");
    const char *at = args + 3 + strspn(args + 3, " ");
    char *recipient = message_parse_path(s->mail_arena, &at, false);
    if (recipient == NULL)
        return wrong(s, "501 5.1.3 bad recipient address");
    if (lacks_smtputf8(s, recipient))
        return wrong(s, "553 5.6.7 such an address wants SMTPUTF8");
    if (*at != '\0')
        return wrong(s, "555 5.5.4 unknown parameter");
    *ARENA_PUSH(s->mail_arena, &s->recipients) = recipient;
    return "250 2.1.5 ok";
}

/* Why no message can come now; NULL: it can. */
static const char *not_ready(const struct session *s)
{
    if (s->sender == NULL)
        return "503 5.5.1 MAIL first";
    return s->recipients.count == 0 ? "554 5.5.1 no valid recipients" : NULL;
}

static const char *on_data(struct session *s, const char *args)
{
    if (*args != '\0')
        return wrong(s, "501 5.5.4 DATA takes no argument");
    const char *why = s->chunk.begun ? "503 5.5.1 BDAT has begun" : not_ready(s);
    if (why != NULL)
        return wrong(s, why);
    s->hearing = HEAR_BODY;
    s->scan = SCAN_LINE_START;
    return "354 end with <CRLF>.<CRLF>";
}

/* RFC 3030: the chunk follows at once, whatever is thought of it, and is answered when it is here. One that cannot be
 * counted ends the session: what follows could be taken for commands. */
static const char *on_bdat(struct session *s, const char *args)
{
    size_t digits = strspn(args, "0123456789");
    const char *rest = args + digits + strspn(args + digits, " ");
    bool last = strcasecmp(rest, "LAST") == 0;
    if (digits == 0 || digits > CHUNK_DIGITS_MAX || (*rest != '\0' && !last)) {
        s->ending = true;
        return "501 5.5.4 BDAT length [LAST]";
    }
    s->chunk.left = strtoll(args, NULL, 10);
    s->chunk.empty = s->chunk.left == 0;
    s->chunk.last = last;
    s->chunk.begun = s->sender != NULL;
    s->chunk.why = not_ready(s);
    s->hearing = HEAR_CHUNK;
    return NULL;
}

/* RFC 3207. What came behind it in clear would be taken for something said inside TLS: nobody honest does that. */
static const char *on_starttls(struct session *s, const char *args)
{
    if (!offers_tls(s))
        return wrong(s, "503 5.5.1 STARTTLS is not offered");
    if (*args != '\0')
        return wrong(s, "501 5.5.4 STARTTLS takes no argument");
    if (evbuffer_get_length(bufferevent_get_input(s->io)) > 0) {
        s->ending = true;
        return "501 5.5.1 STARTTLS, and then nothing before TLS";
    }
    s->turning = true;
    return "220 2.0.0 begin";
}

static const char *on_rset(struct session *s, const char *args UNUSED)
{
    reset_transaction(s);
    return idle(s, "250 2.0.0 ok");
}

static const char *on_noop(struct session *s, const char *args UNUSED)
{
    return idle(s, "250 2.0.0 ok");
}

static const char *on_vrfy(struct session *s, const char *args UNUSED)
{
    return idle(s, "252 2.1.5 send it and see");
}

/* A web browser that somebody has sent here: what else it brings must not be taken for commands. */
static const char *on_foreign(struct session *s, const char *args UNUSED)
{
    s->ending = true;
    return "421 4.7.0 this is SMTP";
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
    {"EHLO", on_ehlo},         {"HELO", on_helo},   {"MAIL", on_mail},    {"RCPT", on_rcpt},
    {"DATA", on_data},         {"BDAT", on_bdat},   {"RSET", on_rset},    {"NOOP", on_noop},
    {"STARTTLS", on_starttls}, {"QUIT", on_quit},   {"VRFY", on_vrfy},    {"GET", on_foreign},
    {"POST", on_foreign},      {"PUT", on_foreign}, {"HEAD", on_foreign}, {"OPTIONS", on_foreign},
    {"CONNECT", on_foreign},
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

/* A command may not hold CR, LF, NUL or any other control character, and is UTF-8. */
static bool command_is_sound(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            return false;
    return text_is_utf8(line, length, NULL);
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
    const char *reply = command_is_sound(line, length) ? answer(s, line) : wrong(s, "500 5.5.2 not a command");
    if (reply != NULL)
        say(s, reply);
    return true;
}

/* ---- message ---- */

/* RFC 3848, RFC 6531 4.3 */
static const char *protocol_of(const struct session *s)
{
    if (!s->extended)
        return "SMTP";
    return s->smtputf8 ? s->tls ? "UTF8SMTPS" : "UTF8SMTP" : s->tls ? "ESMTPS" : "ESMTP";
}

static const char *received_line(struct session *s)
{
    return arena_printf(s->mail_arena, "Received: from %s (%s)\r\n\tby %s with %s;\r\n\t%s\r\n", s->hello, s->client,
                        s->submit->config->hostname, protocol_of(s),
                        message_date(s->mail_arena, clock_now(s->submit->clock)));
}

static const char not_stored[] = "451 4.3.0 cannot queue the message now";

/* NULL: the answer comes when it is on disk. */
static const char *store_message(struct session *s, const char *content, size_t length)
{
    struct message message = {.sender = s->sender,
                              .recipients = s->recipients.items,
                              .recipient_count = s->recipients.count,
                              .content = content,
                              .length = length,
                              .client = s->client,
                              .tls = message_tls(s->requiretls, content, length),
                              .smtputf8 = s->smtputf8};
    struct err err;
    int64_t id;
    bool later = false;
    if (!s->submit->ports.accept(s->submit->ports.outside, &message, &id, &later, &err)) {
        fprintf(stderr, "mtalab-engine: cannot queue a message: %s\n", err.text);
        return not_stored;
    }
    s->idle = s->surplus = 0;
    const char *reply = arena_printf(s->mail_arena, "250 2.0.0 queued as %lld", (long long)id);
    if (!later)
        return reply;
    s->when_stored = reply;
    s->hearing = HEAR_NOTHING;
    return NULL;
}

/* The whole message is there. */
static const char *judge_message(struct session *s)
{
    if (s->too_big)
        return "552 5.3.4 message too big";
    if (s->crowded)
        return "452 4.3.1 too much mail at once, come again later";
    const char *received = received_line(s);
    evbuffer_prepend(s->body, received, strlen(received));
    s->submit->held += strlen(received);
    size_t length = evbuffer_get_length(s->body);
    const char *content = (const char *)evbuffer_pullup(s->body, -1);
    const char *refusal = intake_refusal(s->mail_arena, s->submit->config, &content, &length);
    return refusal != NULL ? refusal : store_message(s, content, length);
}

static void keep(struct session *s, const char *bytes, size_t length)
{
    s->too_big |= evbuffer_get_length(s->body) + length > (size_t)s->submit->config->message_size;
    s->crowded |= s->submit->held + length > (size_t)s->submit->config->submission_memory;
    if (s->too_big || s->crowded) {
        drop_body(s);
        return;
    }
    evbuffer_add(s->body, bytes, length);
    s->submit->held += length;
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

static void end_message(struct session *s)
{
    const char *reply = judge_message(s);
    if (reply == NULL)
        return;
    say(s, reply);
    reset_transaction(s);
}

static bool take_body(struct session *s)
{
    struct evbuffer *in = bufferevent_get_input(s->io);
    size_t length = evbuffer_get_contiguous_space(in), used = 0;
    if (length == 0)
        return false;
    bool end = scan_body(s, (const char *)evbuffer_pullup(in, (ev_ssize_t)length), length, &used);
    evbuffer_drain(in, used);
    if (end)
        end_message(s);
    return true;
}

static void end_chunk(struct session *s)
{
    bool last = s->chunk.last;
    const char *taken = "250 2.0.0 chunk taken";
    s->hearing = HEAR_COMMAND;
    if (s->chunk.why != NULL)
        say(s, wrong(s, s->chunk.why));
    else if (last || s->too_big || s->crowded)
        end_message(s);
    else
        say(s, s->chunk.empty ? idle(s, taken) : taken);
    if (s->chunk.why != NULL)
        reset_transaction(s);
}

static bool take_chunk(struct session *s)
{
    struct evbuffer *in = bufferevent_get_input(s->io);
    size_t length = evbuffer_get_contiguous_space(in);
    if ((int64_t)length > s->chunk.left)
        length = (size_t)s->chunk.left;
    if (length == 0 && s->chunk.left > 0)
        return false;
    if (s->chunk.why == NULL && length > 0)
        keep(s, (const char *)evbuffer_pullup(in, (ev_ssize_t)length), length);
    evbuffer_drain(in, length);
    s->chunk.left -= (int64_t)length;
    if (s->chunk.left == 0)
        end_chunk(s);
    return true;
}

static bool take_nothing(struct session *s UNUSED)
{
    return false;
}

/* ---- events ---- */

static void attend(struct session *s);

/* All that was said before counts no longer (RFC 3207 4.2). */
static void turn_to_tls(struct session *s)
{
    struct bufferevent *tls = s->submit->tls != NULL ? tls_server_accept(s->submit->tls, s->io) : NULL;
    if (tls == NULL) {
        end_session(s);
        return;
    }
    s->io = tls;
    s->turning = false;
    s->tls = true;
    s->hello[0] = '\0';
    s->extended = false;
    reset_transaction(s);
    attend(s);
}

static void on_written(struct bufferevent *io, void *arg)
{
    struct session *s = arg;
    if (s->ending) {
        end_session(s);
    } else if (s->turning) {
        turn_to_tls(s);
    } else if (s->deaf) {
        s->deaf = false;
        bufferevent_enable(io, EV_READ);
        bufferevent_trigger(io, EV_READ, BEV_TRIG_DEFER_CALLBACKS); /* for what is here already */
    }
}

/* A command has the time for a command, a message as a whole that for a message. */
static void set_deadline(struct session *s)
{
    const struct engine_timeouts *timeouts = &s->submit->config->timeouts;
    bool giving = s->hearing != HEAR_COMMAND || s->chunk.begun;
    if (giving && s->giving)
        return;
    struct timeval pause = connect_timeval(giving ? timeouts->message : timeouts->idle);
    s->giving = giving;
    event_add(s->deadline, &pause);
}

static void on_read(struct bufferevent *io, void *arg)
{
    static bool (*const takers[])(struct session * s) = {take_command, take_body, take_chunk, take_nothing};
    struct session *s = arg;
    bool more = true;
    while (more && !s->ending && !s->turning) {
        more = takers[s->hearing](s);
        if (more)
            set_deadline(s);
        if (evbuffer_get_length(bufferevent_get_output(io)) > OUTPUT_MAX) { /* it does not listen: let it */
            s->deaf = true;
            bufferevent_disable(io, EV_READ);
            return;
        }
    }
    if (s->ending || s->turning)
        bufferevent_disable(io, EV_READ); /* on_written() goes on */
}

/* What came meanwhile is heard now. */
static void answer_stored(struct session *s, bool fine)
{
    say(s, fine ? s->when_stored : not_stored);
    s->hearing = HEAR_COMMAND;
    reset_transaction(s);
    set_deadline(s);
    on_read(s->io, s);
}

void submit_stored(struct submit *submit, bool fine)
{
    for (struct session *s = submit->sessions; s != NULL; s = s->next)
        if (s->hearing == HEAR_NOTHING)
            answer_stored(s, fine);
}

/* Whoever does not take this either is gone at the next one. */
static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct session *s = arg;
    struct timeval pause = connect_timeval(s->submit->config->timeouts.idle);
    if (s->ending) {
        end_session(s);
        return;
    }
    say(s, "421 4.4.2 waited too long");
    s->ending = true;
    bufferevent_disable(s->io, EV_READ);
    event_add(s->deadline, &pause);
}

static void on_event(struct bufferevent *io UNUSED, short what, void *arg)
{
    struct session *s = arg;
    if (what & BEV_EVENT_CONNECTED) /* the handshake is over */
        return;
    if (what & BEV_EVENT_TIMEOUT && !s->ending)
        on_deadline(-1, 0, s);
    else
        end_session(s);
}

static void attend(struct session *s)
{
    struct timeval idle = connect_timeval(s->submit->config->timeouts.idle);
    bufferevent_setcb(s->io, on_read, on_written, on_event, s);
    bufferevent_setwatermark(s->io, EV_READ, 0, INPUT_MAX);
    bufferevent_set_timeouts(s->io, &idle, &idle);
    bufferevent_enable(s->io, EV_READ | EV_WRITE);
}

void submit_serve(struct submit *submit, struct bufferevent *io, const char *client, bool local)
{
    struct session *s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    s->submit = submit;
    s->io = io;
    s->arena = arena_new("session");
    s->mail_arena = arena_new("submission");
    s->client = arena_strdup(s->arena, client);
    s->local = local;
    s->body = evbuffer_new();
    s->next = submit->sessions;
    s->from = &submit->sessions;
    if (s->next != NULL)
        s->next->from = &s->next;
    submit->sessions = s;
    submit->session_count++;
    struct timeval idle = connect_timeval(submit->config->timeouts.idle);
    attend(s);
    s->deadline = evtimer_new(loop_base(submit->loop), on_deadline, s);
    if (s->deadline == NULL)
        abort();
    event_add(s->deadline, &idle);
    say(s, arena_printf(s->mail_arena, "220 %s ESMTP", submit->config->hostname));
}

static void refuse(evutil_socket_t fd, const char *reply)
{
    if (write(fd, reply, strlen(reply)) < 0) { /* it may have gone already */
    }
    close(fd);
}

static size_t sessions_of(const struct submit *submit, const char *client)
{
    size_t count = 0;
    for (const struct session *s = submit->sessions; s != NULL; s = s->next)
        count += strcmp(s->client, client) == 0;
    return count;
}

static void on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd, struct sockaddr *from,
                      int length UNUSED, void *arg)
{
    struct submit *submit = arg;
    if (!engine_client_allowed(submit->config, from)) {
        refuse(fd, "554 5.7.1 not for you\r\n");
        return;
    }
    struct arena *arena = arena_new("accept");
    const char *client = arena_printf(arena, "[%s]", netaddr_text(arena, from));
    if (submit->session_count >= SUBMIT_SESSIONS_MAX ||
        sessions_of(submit, client) >= (size_t)submit->config->sessions_per_client) {
        refuse(fd, "421 4.3.2 too many sessions\r\n");
        arena_free(&arena);
        return;
    }
    struct bufferevent *io = bufferevent_socket_new(loop_base(submit->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    if (io == NULL)
        close(fd);
    else
        submit_serve(submit, io, client, netaddr_is_loopback(from));
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
    if (!netaddr_parse_port(at, &address, err))
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

void submit_set_config(struct submit *submit, const struct engine_config *config)
{
    submit->config = config;
}

void submit_set_tls(struct submit *submit, struct tls_server *tls)
{
    tls_server_free(&submit->tls);
    submit->tls = tls;
}

void submit_free(struct submit **submit)
{
    if (*submit == NULL)
        return;
    for (size_t i = 0; i < (*submit)->listener_count; i++)
        evconnlistener_free((*submit)->listeners[i]);
    while ((*submit)->sessions != NULL)
        end_session((*submit)->sessions);
    tls_server_free(&(*submit)->tls);
    free(*submit);
    *submit = NULL;
}
