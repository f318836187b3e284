/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/ssl.h>
#include <string.h>

#include "base/testing.h"
#include "fakests/web_hello.h"

/* ---- hellos of a real client ---- */

static size_t make_hello(const char *sni, int version, unsigned char *bytes, size_t size)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_max_proto_version(ssl, version);
    if (sni != NULL)
        SSL_set_tlsext_host_name(ssl, sni);
    SSL_connect(ssl);
    int length = BIO_read(SSL_get_wbio(ssl), bytes, (int)size);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return length > 0 ? (size_t)length : 0;
}

static const struct {
    const char *name, *sni;
    int version;
} real[] = {
    {"TLS 1.3 with a name", "mta-sts.partner.example", TLS1_3_VERSION},
    {"TLS 1.2 with a name", "mta-sts.partner.example", TLS1_2_VERSION},
    {"TLS 1.3 without", NULL, TLS1_3_VERSION},
    {"TLS 1.2 without", NULL, TLS1_2_VERSION},
};
START_TEST(a_real_hello_is_read_whatever_pieces_it_comes_in)
{
    unsigned char bytes[4096];
    struct web_hello hello;
    const char *sni = real[_i].sni != NULL ? real[_i].sni : "";
    size_t length = make_hello(real[_i].sni, real[_i].version, bytes, sizeof bytes);
    for (size_t part = 0; part < length; part++)
        ck_assert_msg(web_hello_parse(bytes, part, &hello) == WEB_HELLO_MORE, "%s: cut at %zu", real[_i].name, part);
    ck_assert_int_eq(web_hello_parse(bytes, length, &hello), WEB_HELLO_COMPLETE);
    ck_assert_str_eq(hello.sni, sni);
}
END_TEST

/* The same message in records of a few bytes each: 8446-5.1 allows it. */
START_TEST(a_hello_may_be_spread_over_records)
{
    unsigned char whole[4096], spread[32768];
    struct web_hello hello;
    size_t length = make_hello("mta-sts.partner.example", TLS1_3_VERSION, whole, sizeof whole), at = 0;
    size_t step = (size_t)_i + 1;
    for (size_t from = 5; from < length; from += step) {
        size_t here = length - from < step ? length - from : step;
        memcpy(spread + at, (unsigned char[]){22, 3, 1, 0, (unsigned char)here}, 5);
        memcpy(spread + at + 5, whole + from, here);
        at += 5 + here;
    }
    ck_assert_int_eq(web_hello_parse(spread, at - 1, &hello), WEB_HELLO_MORE);
    ck_assert_int_eq(web_hello_parse(spread, at, &hello), WEB_HELLO_COMPLETE);
    ck_assert_str_eq(hello.sni, "mta-sts.partner.example");
}
END_TEST

/* ---- bytes of other kinds ---- */

#define BYTES(text) text, sizeof(text) - 1
#define RANDOM "0123456789abcdef0123456789abcdef"
static const struct {
    const char *name, *bytes;
    size_t length;
    enum web_hello_found found;
    const char *sni;
} rows[] = {
    {"nothing yet", BYTES(""), WEB_HELLO_MORE, ""},
    {"plain HTTP", BYTES("GET / HTTP/1.1\r\n"), WEB_HELLO_NONE, ""},
    {"an alert", BYTES("\x15\x03\x01\x00\x02\x02\x28"), WEB_HELLO_NONE, ""},
    {"a record without content", BYTES("\x16\x03\x01\x00\x00"), WEB_HELLO_NONE, ""},
    {"a record that is too long", BYTES("\x16\x03\x01\xff\xff"), WEB_HELLO_NONE, ""},
    {"another handshake message", BYTES("\x16\x03\x01\x00\x04\x02\x00\x00\x00"), WEB_HELLO_NONE, ""},
    {"a message that is too long", BYTES("\x16\x03\x01\x00\x04\x01\xff\xff\xff"), WEB_HELLO_NONE, ""},
    {"a hello that ends too early", BYTES("\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03"), WEB_HELLO_NONE, ""},
    {"a second record of another kind", BYTES("\x16\x03\x01\x00\x01\x01\x17\x03\x03\x00\x01z"), WEB_HELLO_NONE, ""},
    {"a hello without extensions",
     BYTES("\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03" RANDOM "\x00\x00\x02\x13\x01\x01\x00"), WEB_HELLO_COMPLETE,
     ""},
    {"extensions that are cut off are no names",
     BYTES("\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" RANDOM "\x00\x00\x02\x13\x01\x01\x00\x00\x20"),
     WEB_HELLO_COMPLETE, ""},
    {"bytes that no name has",
     BYTES("\x16\x03\x01\x00\x3b\x01\x00\x00\x37\x03\x03" RANDOM
           "\x00\x00\x02\x13\x01\x01\x00\x00\x0c\x00\x00\x00\x08\x00\x06\x00\x00\x03"
           "a\x00\n"),
     WEB_HELLO_COMPLETE, "a\?\?"},
};
START_TEST(other_bytes_are_told_apart)
{
    struct web_hello hello;
    enum web_hello_found found = web_hello_parse((const unsigned char *)rows[_i].bytes, rows[_i].length, &hello);
    ck_assert_msg(found == rows[_i].found, "%s: %d", rows[_i].name, (int)found);
    ck_assert_msg(strcmp(hello.sni, rows[_i].sni) == 0, "%s: %s", rows[_i].name, hello.sni);
}
END_TEST

TEST_SUITE(web_hello)
{
    TEST_LOOP(a_real_hello_is_read_whatever_pieces_it_comes_in, COUNT(real));
    TEST_LOOP(a_hello_may_be_spread_over_records, 7);
    TEST_LOOP(other_bytes_are_told_apart, COUNT(rows));
}
