/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakemx/mx_mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

static const struct mx_message *add(struct mx_mailbox *mailbox, const char *text, bool is_bounce)
{
    struct evbuffer *buffer = evbuffer_new();
    evbuffer_add(buffer, text, strlen(text));
    const struct mx_message *message = mx_mailbox_add(mailbox, buffer, is_bounce);
    evbuffer_free(buffer);
    return message;
}

static const struct {
    const char *name, *text;
    bool is_bounce;
    const char *token;
} tokens[] = {
    {"header", "From: a\r\nX-Mtalab-Token: t1\r\n\r\nbody\r\n", false, "t1"},
    {"header in small letters", "x-mtalab-token:t1\r\n\r\n", false, "t1"},
    {"a word ends at a blank", "X-Mtalab-Token: t1 (comment)\r\n\r\n", false, "t1"},
    {"in the body of a message", "From: a\r\n\r\nX-Mtalab-Token: t1\r\n", false, ""},
    {"in the message within a bounce", "From: a\r\n\r\nfailed\r\n\r\nX-Mtalab-Token: t1\r\n", true, "t1"},
    {"none", "From: a\r\n\r\nbody", false, ""},
    {"an empty one", "X-Mtalab-Token:", false, ""},
    {"no text", "", false, ""},
};

START_TEST(the_token_is_found)
{
    struct mx_mailbox *mailbox = mx_mailbox_new();
    const struct mx_message *message = add(mailbox, tokens[_i].text, tokens[_i].is_bounce);
    ck_assert_msg(strcmp(message->token, tokens[_i].token) == 0, "%s: %s", tokens[_i].name, message->token);
    mx_mailbox_free(&mailbox);
}
END_TEST

/* clang-format off */
static const struct { const char *text, *returns; bool eight_bit; } returned[] = {
    {"A: b\r\n\r\nbody\r\n", "", false},
    {"A: b\r\n\r\nb\xc3\xb6" "dy\r\n", "", true},
    {"A: b\r\n\r\n--x\r\nContent-Type: text/rfc822-headers\r\n\r\nC: d\r\n", "header", false},
    {"A: b\r\n\r\n--x\r\nContent-Type: message/global-headers\r\n\r\nC: d\r\n", "header", false},
    {"A: b\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nC: d\r\n\r\ne\r\n", "whole", false},
};
/* clang-format on */

START_TEST(what_is_in_a_message_is_seen)
{
    struct mx_mailbox *mailbox = mx_mailbox_new();
    const struct mx_message *message = add(mailbox, returned[_i].text, true);
    ck_assert_str_eq(message->returns, returned[_i].returns);
    ck_assert(message->eight_bit == returned[_i].eight_bit);
    mx_mailbox_free(&mailbox);
}
END_TEST

START_TEST(messages_are_found_by_token)
{
    struct mx_mailbox *mailbox = mx_mailbox_new();
    add(mailbox, "X-Mtalab-Token: one\r\n\r\nfirst", false);
    const struct mx_message *second = add(mailbox, "X-Mtalab-Token: one\r\n\r\nsecond", false);
    const struct mx_message *mention = add(mailbox, "Subject: about one and two\r\n\r\n", false);
    ck_assert_ptr_eq(mx_mailbox_find(mailbox, "one"), second);
    ck_assert_ptr_eq(mx_mailbox_find(mailbox, "two"), mention);
    ck_assert_ptr_null(mx_mailbox_find(mailbox, "three"));
    mx_mailbox_free(&mailbox);
}
END_TEST

START_TEST(the_digest_is_of_the_text)
{
    struct mx_mailbox *mailbox = mx_mailbox_new();
    ck_assert_str_eq(add(mailbox, "abc", false)->sha256,
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* FIPS 180-2, B.1 */
    mx_mailbox_free(&mailbox);
}
END_TEST

START_TEST(a_full_mailbox_takes_no_more)
{
    struct mx_mailbox *mailbox = mx_mailbox_new();
    struct evbuffer *big = evbuffer_new();
    size_t size = 16 << 20, taken = 0;
    char *bytes = calloc(1, size);
    evbuffer_add(big, bytes, size);
    while (taken < 100 && mx_mailbox_add(mailbox, big, false) != NULL)
        taken++;
    ck_assert_uint_eq(taken, MX_MAILBOX_BYTES / size - 1); /* each costs a little more than its text */
    ck_assert_ptr_nonnull(add(mailbox, "a small one", false));
    free(bytes);
    evbuffer_free(big);
    mx_mailbox_free(&mailbox);
}
END_TEST

TEST_SUITE(mx_mailbox)
{
    TEST_LOOP(the_token_is_found, COUNT(tokens));
    TEST_LOOP(what_is_in_a_message_is_seen, COUNT(returned));
    TEST(messages_are_found_by_token);
    TEST(the_digest_is_of_the_text);
    TEST(a_full_mailbox_takes_no_more);
}
