/* SPDX-License-Identifier: BSD-2-Clause
 * web_hello - the server name in a ClientHello, read without taking part in the handshake.
 *
 * Pure. Every length is checked against what has come; more than WEB_HELLO_MAX bytes are no hello. */
#ifndef FAKESTS_WEB_HELLO_H
#define FAKESTS_WEB_HELLO_H

#include "base/base.h"

enum { WEB_HELLO_MAX = 16 * 1024, WEB_SNI_MAX = 255 };

enum web_hello_found { WEB_HELLO_MORE, WEB_HELLO_COMPLETE, WEB_HELLO_NONE };

struct web_hello {
    char sni[WEB_SNI_MAX + 1]; /* "" without one; bytes that no name has are '?' */
};

/* Looks at the first bytes of a connection: a hello may be spread over several records and segments. */
enum web_hello_found web_hello_parse(const unsigned char *bytes, size_t length, struct web_hello *hello);

#endif
