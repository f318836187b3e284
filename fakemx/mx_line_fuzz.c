/* SPDX-License-Identifier: BSD-2-Clause
 * Arbitrary bytes from a client, in memory: the first byte chooses the host's behaviour, the second how the rest is cut
 * into pieces. */
#include <stdlib.h>
#include <string.h>

#include "fakemx/mx_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const behaviours[] = {
    "{}",
    "{keywords: [CHUNKING, SIZE 1000, DSN, SMTPUTF8], tls-keywords: [REQUIRETLS]}",
    "{starttls: broken, rcpt: {reply: 450 later, nth: 1}}",
    "{starttls: refused-454, end-of-data: {act: close, nth: 2}}",
    "{inject: '250 x\\r\\n', sni-required: yes, greeting: 220 hi, keywords: [CHUNKING]}",
};

struct run {
    struct event_base *base;
    struct mx_server server;
    struct mx_host host;
    struct bufferevent *client;
    struct mx_session *session; /* NULL: it has ended */
};

static void on_ended(void *arg, struct mx_session *session)
{
    (void)session;
    ((struct run *)arg)->session = NULL;
}

static const struct identity *identity(void)
{
    static struct identity *made; /* a key takes longer than a run */
    const char *name = "mx1.example";
    if (made == NULL)
        made = identity_new(&(struct identity_spec){.names = &name, .name_count = 1}, NULL, NULL);
    return made;
}

static void begin(struct run *run, struct arena *arena, uint8_t choice)
{
    const char *yaml = behaviours[choice % COUNT(behaviours)];
    struct diag_list *diags = diag_new(arena);
    struct mx_behaviour behaviour;
    struct bufferevent *pair[2];
    schema_read(arena, &mx_behaviour_schema, tree_read_text(arena, "fuzz", yaml, strlen(yaml), diags), &behaviour,
                diags);
    mx_host_copy(arena,
                 &(struct fakemx_host){.name = "mx1.example",
                                       .behaviour = &behaviour,
                                       .identity = identity(),
                                       .certificate_fault = "certificate"},
                 NULL, &run->host);
    run->base = event_base_new();
    run->server = (struct mx_server){journal_new(), mx_mailbox_new(), mx_tls_contexts_new(false, NULL), on_ended, run};
    if (bufferevent_pair_new(run->base, 0, pair) != 0)
        abort();
    run->client = pair[0];
    bufferevent_enable(run->client, EV_READ | EV_WRITE);
    run->session = mx_session_new(&run->server, &run->host, 1, pair[1]);
}

static void say(struct run *run, const uint8_t *bytes, size_t size)
{
    struct evbuffer *answers = bufferevent_get_input(run->client);
    bufferevent_write(run->client, bytes, size);
    event_base_loop(run->base, EVLOOP_NONBLOCK);
    evbuffer_drain(answers, evbuffer_get_length(answers));
    event_base_loop(run->base, EVLOOP_NONBLOCK);
}

static void finish(struct run *run)
{
    mx_session_free(&run->session);
    bufferevent_free(run->client);
    mx_mailbox_free(&run->server.mailbox);
    mx_tls_contexts_free(&run->server.contexts);
    event_base_loop(run->base, EVLOOP_NONBLOCK);
    event_base_free(run->base);
    journal_free(&run->server.journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2)
        return 0;
    struct arena *arena = arena_new("fuzz");
    struct run run = {0};
    size_t piece = (size_t)bytes[1] * 4 + 1;
    begin(&run, arena, bytes[0]);
    for (size_t at = 2; at < size && run.session != NULL; at += piece)
        say(&run, bytes + at, size - at < piece ? size - at : piece);
    finish(&run);
    arena_free(&arena);
    return 0;
}
