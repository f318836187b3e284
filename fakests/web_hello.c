/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakests/web_hello.h"

#include <string.h>

enum {
    RECORD_HEADER = 5, /* 8446-5.1: type, version, length */
    RECORD_HANDSHAKE = 22,
    RECORD_MAX = 16384,
    HANDSHAKE_HEADER = 4, /* 8446-4: type, length */
    HANDSHAKE_CLIENT_HELLO = 1,
    RANDOM_LENGTH = 32,
    EXTENSION_SERVER_NAME = 0, /* 6066-3 */
    NAME_HOST = 0,
};

/* A run of bytes that is eaten from the front; once something was missing it stays short. */
struct bytes {
    const unsigned char *at;
    size_t left;
    bool short_of;
};

static const unsigned char *take(struct bytes *from, size_t length)
{
    if (from->short_of || from->left < length) {
        from->short_of = true;
        return NULL;
    }
    const unsigned char *taken = from->at;
    from->at += length;
    from->left -= length;
    return taken;
}

static size_t take_number(struct bytes *from, size_t size)
{
    const unsigned char *digits = take(from, size);
    size_t number = 0;
    for (size_t i = 0; digits != NULL && i < size; i++)
        number = number << 8 | digits[i];
    return number;
}

/* A vector of TLS: its length in so many bytes, then its content. */
static struct bytes take_vector(struct bytes *from, size_t size)
{
    size_t length = take_number(from, size);
    const unsigned char *content = take(from, length);
    return (struct bytes){content, content != NULL ? length : 0, content == NULL};
}

static void read_host_name(struct bytes extension, struct web_hello *hello)
{
    struct bytes list = take_vector(&extension, 2);
    while (!list.short_of && list.left > 0) {
        size_t type = take_number(&list, 1);
        struct bytes name = take_vector(&list, 2);
        if (name.short_of || type != NAME_HOST)
            continue;
        size_t length = name.left < WEB_SNI_MAX ? name.left : WEB_SNI_MAX;
        for (size_t i = 0; i < length; i++)
            hello->sni[i] = name.at[i] > ' ' && name.at[i] < 0x7f ? (char)name.at[i] : '?';
        hello->sni[length] = '\0';
        return;
    }
}

/* 8446-4.1.2 */
static bool read_hello(struct bytes body, struct web_hello *hello)
{
    take(&body, 2 + RANDOM_LENGTH);
    take_vector(&body, 1); /* session id */
    take_vector(&body, 2); /* cipher suites */
    take_vector(&body, 1); /* compression methods */
    if (body.short_of)
        return false;
    struct bytes extensions = take_vector(&body, 2); /* a hello of old may end before them */
    while (!extensions.short_of && extensions.left > 0) {
        size_t type = take_number(&extensions, 2);
        struct bytes content = take_vector(&extensions, 2);
        if (type == EXTENSION_SERVER_NAME && !content.short_of)
            read_host_name(content, hello);
    }
    return true;
}

/* Joins the records' contents until the handshake message in them is whole. */
static enum web_hello_found join_records(struct bytes input, unsigned char *message, size_t *length)
{
    size_t joined = 0, wanted = HANDSHAKE_HEADER;
    while (joined < wanted) {
        if (input.left > 0 && input.at[0] != RECORD_HANDSHAKE)
            return WEB_HELLO_NONE;
        if (input.left < RECORD_HEADER)
            return WEB_HELLO_MORE;
        take(&input, RECORD_HEADER - 2);
        size_t record = take_number(&input, 2);
        if (record == 0 || record > RECORD_MAX)
            return WEB_HELLO_NONE;
        bool whole = record <= input.left;
        size_t here = whole ? record : input.left;
        if (joined + here > WEB_HELLO_MAX)
            return WEB_HELLO_NONE;
        memcpy(message + joined, take(&input, here), here);
        joined += here;
        if (joined >= 1 && message[0] != HANDSHAKE_CLIENT_HELLO)
            return WEB_HELLO_NONE;
        if (joined >= HANDSHAKE_HEADER)
            wanted = HANDSHAKE_HEADER + ((size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3]);
        if (wanted > WEB_HELLO_MAX)
            return WEB_HELLO_NONE;
        if (!whole && joined < wanted)
            return WEB_HELLO_MORE;
    }
    *length = wanted;
    return WEB_HELLO_COMPLETE;
}

enum web_hello_found web_hello_parse(const unsigned char *bytes, size_t length, struct web_hello *hello)
{
    unsigned char message[WEB_HELLO_MAX];
    size_t message_length = 0;
    hello->sni[0] = '\0';
    enum web_hello_found found = join_records((struct bytes){bytes, length, false}, message, &message_length);
    if (found != WEB_HELLO_COMPLETE)
        return found;
    struct bytes body = {message + HANDSHAKE_HEADER, message_length - HANDSHAKE_HEADER, false};
    return read_hello(body, hello) ? WEB_HELLO_COMPLETE : WEB_HELLO_NONE;
}
