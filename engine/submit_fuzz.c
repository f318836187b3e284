/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes a client sends, cut anywhere: no message with a lone CR or LF or a NUL, without recipients or beyond the
 * bounds gets in, whether such a message is refused or mended. */
#include "engine/submit.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MESSAGE_MAX = 4096, ROUNDS = 6 };

static bool keep(void *outside, const struct message *message, int64_t *id, bool *later UNUSED, struct err *err)
{
    (void)outside, (void)err;
    if (message->recipient_count == 0 || message->recipient_count > RECIPIENTS_MAX)
        abort();
    if (message_has_bare_end(message->content, message->length) || message->length > 2 * MESSAGE_MAX ||
        memchr(message->content, '\0', message->length) != NULL)
        abort();
    for (size_t i = 0; i < message->recipient_count; i++)
        if (strpbrk(message->recipients[i], "\r\n<>") != NULL && message->recipients[i][0] != '"')
            abort();
    *id = 1;
    return true;
}

static void feed(struct event_base *base, struct bufferevent *client, const char *bytes, size_t size)
{
    bufferevent_write(client, bytes, size);
    for (int i = 0; i < ROUNDS; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
    evbuffer_drain(bufferevent_get_input(client), evbuffer_get_length(bufferevent_get_input(client)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char hello[] = "EHLO me\r\nMAIL FROM:<s@z.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\n";
    struct engine_config config = {.hostname = "relay.example",
                                   .message_size = MESSAGE_MAX,
                                   .submission_memory = 2 * MESSAGE_MAX,
                                   .timeouts = {.idle = 60, .message = 60}};
    struct loop *loop = loop_new(NULL);
    struct submit_ports ports = {NULL, keep};
    struct submit *submit = submit_new(&config, NULL, loop, &ports);
    struct bufferevent *pair[2];
    if (loop == NULL || bufferevent_pair_new(loop_base(loop), BEV_OPT_CLOSE_ON_FREE, pair) != 0)
        abort();
    bufferevent_enable(pair[0], EV_READ | EV_WRITE);
    submit_serve(submit, pair[1], "[192.0.2.1]", true);
    if (size > 0 && bytes[0] & 1) /* straight into a message */
        feed(loop_base(loop), pair[0], hello, sizeof hello - 1);
    if (size > 0 && bytes[0] & 2)
        config.malformed = MALFORMED_NORMALISE;
    size_t cut = size > 1 ? bytes[1] * size / 256 : 0;
    feed(loop_base(loop), pair[0], (const char *)bytes, cut);
    feed(loop_base(loop), pair[0], (const char *)bytes + cut, size - cut);
    submit_free(&submit);
    bufferevent_free(pair[0]);
    loop_free(&loop);
    return 0;
}
