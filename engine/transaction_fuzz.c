/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes a server sends in a session and two transactions, in pieces as long as the first byte says, and then the
 * end: the client comes to its end too, and every recipient's fate is known. */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "engine/message.h"
#include "engine/transaction.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { RECIPIENTS = 3, TRANSACTIONS = 2, ROUNDS_MAX = 50 };

static const char *const recipients[RECIPIENTS] = {"a@x.example", "b@x.example", "c@x.example"};
static const char content[] = "Subject: x\r\n\r\n.\r\nx\r\n";

struct run {
    struct loop *loop;
    struct arena *arena;
    struct session *session;
    struct transaction *transaction;
    struct transaction_mail mail;
    unsigned done; /* transactions that came to their end */
    bool over;     /* nothing is said any more */
};

static bool is_one_line(const char *text)
{
    return text != NULL && !message_has_bare_end(text, strlen(text));
}

static void check(const struct transaction_result *result)
{
    for (size_t i = 0; i < RECIPIENTS; i++) {
        const struct transaction_recipient *r = &result->recipients[i];
        if (r->fate != FATE_DELIVERED && r->fate != FATE_FAILED)
            abort();
        if ((r->fate == FATE_FAILED) != (r->failure.cause != CAUSE_NONE))
            abort();
        if (!is_one_line(r->fate == FATE_FAILED ? r->failure.text : result->reply))
            abort();
    }
}

static void on_gone(void *arg, struct session *session)
{
    (void)session;
    ((struct run *)arg)->over = true;
}

static void begin_transaction(struct run *run);

static void on_done(void *arg, const struct transaction_result *result)
{
    struct run *run = arg;
    check(result);
    run->transaction = NULL;
    if (++run->done < TRANSACTIONS && !session_is_over(run->session))
        begin_transaction(run);
    else
        session_quit(run->session, on_gone, run);
}

static void begin_transaction(struct run *run)
{
    run->transaction = transaction_start(run->loop, run->arena, run->session, &run->mail, on_done, run);
}

static void on_opened(void *arg, const struct session_opening *opening)
{
    struct run *run = arg;
    if (opening->failure.cause == CAUSE_NONE)
        begin_transaction(run);
    else if (!is_one_line(opening->failure.text))
        abort();
    else
        session_quit(run->session, on_gone, run);
}

static void turn(const struct run *run, struct bufferevent *server)
{
    event_base_loop(loop_base(run->loop), EVLOOP_NONBLOCK);
    struct evbuffer *heard = bufferevent_get_input(server);
    evbuffer_drain(heard, evbuffer_get_length(heard));
}

static void converse(const struct run *run, struct bufferevent *server, const uint8_t *bytes, size_t size)
{
    size_t step = size > 0 ? bytes[0] + 1U : 1;
    for (size_t at = 1; at < size && !run->over; at += step) {
        bufferevent_write(server, bytes + at, size - at < step ? size - at : step);
        turn(run, server);
    }
    for (int i = 0; i < ROUNDS_MAX && !run->over; i++) {
        bufferevent_flush(server, EV_WRITE, BEV_FINISHED); /* a socket too tells its end to whoever asks again */
        turn(run, server);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct session_setting setting = {
        .hostname = "relay.example",
        .tls_demanded = size > 0 && bytes[0] == 0xff,
        .timeouts = {60, 60, 60, 60, 60, 60, 60, 60, 60},
    };
    struct run run = {
        .loop = loop_new(NULL),
        .arena = arena_new("fuzz"),
        .mail = {.sender = "s@z.example",
                 .recipients = recipients,
                 .recipient_count = RECIPIENTS,
                 .content = content,
                 .length = sizeof content - 1,
                 .may_pipeline = true,
                 .may_chunk = true},
    };
    struct bufferevent *pair[2];
    if (run.loop == NULL || bufferevent_pair_new(loop_base(run.loop), BEV_OPT_CLOSE_ON_FREE, pair) != 0)
        abort();
    bufferevent_enable(pair[0], EV_READ | EV_WRITE);
    run.session = session_open(run.loop, run.arena, pair[1], &setting, on_opened, &run);
    converse(&run, pair[0], bytes, size);
    if (!run.over)
        abort();
    session_drop(&run.session);
    bufferevent_free(pair[0]);
    arena_free(&run.arena);
    loop_free(&run.loop);
    return 0;
}
