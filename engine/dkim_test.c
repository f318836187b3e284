/* SPDX-License-Identifier: BSD-2-Clause
 * Whether a stranger believes the signature is asked of a stranger: ci/tests/tls-reports.sh. */
#include "engine/dkim.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"

static const char *write_key(struct arena *arena, EVP_PKEY *pkey)
{
    char *path = arena_strdup(arena, "/tmp/dkim_test.XXXXXX");
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    EVP_PKEY_free(pkey);
    return path;
}

static struct dkim_key *read_and_remove(const char *path, struct err *err)
{
    struct dkim_key *key = dkim_key_read(path, err);
    unlink(path);
    return key;
}

static const char *const headers[] = {"From", "Subject", "Missing", NULL};

static char *sign(struct arena *arena, EVP_PKEY *pkey, const char *content)
{
    struct err err;
    struct dkim_key *key = read_and_remove(write_key(arena, pkey), &err);
    ck_assert_msg(key != NULL, "%s", err.text);
    struct dkim_signing signing = {key, "sender.example", "lab", headers, 1700000000};
    char *field = dkim_sign(arena, &signing, content, strlen(content), &err);
    ck_assert_msg(field != NULL, "%s", err.text);
    dkim_key_free(&key);
    return field;
}

static EVP_PKEY *ed25519(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* The hashes of relaxed bodies; the first is that of RFC 8463 A.3. */
static const struct body {
    const char *name, *body, *hash;
} bodies[] = {
    {"RFC 8463", "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n",
     "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="},
    {"blanks and empty lines", "Hi.\t\r\n\r\nWe lost  the game. \tAre you hungry yet?\r\n \r\nJoe. \r\n\r\n \r\n",
     "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="},
    {"the last line without an end", "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.",
     "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="},
    {"nothing", "", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
    {"only empty lines", "\r\n \r\n\r\n", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
};

START_TEST(bodies_are_hashed_relaxed)
{
    struct arena *arena = arena_new("test");
    const char *field = sign(arena, ed25519(), arena_printf(arena, "From: a\r\nSubject: b\r\n\r\n%s", bodies[_i].body));
    ck_assert_msg(strstr(field, arena_printf(arena, "bh=%s;", bodies[_i].hash)) != NULL, "%s: %s", bodies[_i].name,
                  field);
    arena_free(&arena);
}
END_TEST

static const char *signature_in(const char *field)
{
    return strstr(field, "\tb=");
}

START_TEST(fields_are_signed_relaxed)
{
    struct arena *arena = arena_new("test");
    const char *path = write_key(arena, ed25519());
    struct err err;
    struct dkim_key *key = read_and_remove(path, &err);
    struct dkim_signing signing = {key, "sender.example", "lab", headers, 1700000000};
    const char *plain = "From: a b\r\nTo: x\r\nSubject: b\r\n\r\nhi\r\n",
               *folded = "from:a\r\n\tb \r\nTo: other\r\nSUBJECT:  b\r\n\r\nhi\r\n",
               *other = "From: a c\r\nTo: x\r\nSubject: b\r\n\r\nhi\r\n";
    const char *first = dkim_sign(arena, &signing, plain, strlen(plain), &err);
    ck_assert_str_eq(signature_in(first), signature_in(dkim_sign(arena, &signing, folded, strlen(folded), &err)));
    ck_assert_str_ne(signature_in(first), signature_in(dkim_sign(arena, &signing, other, strlen(other), &err)));
    ck_assert_ptr_null(strstr(first, " l=")); /* 8460-3-8 */
    dkim_key_free(&key);
    arena_free(&arena);
}
END_TEST

START_TEST(algorithms)
{
    struct arena *arena = arena_new("test");
    const char *content = "From: a\r\nSubject: b\r\n\r\nhi\r\n";
    ck_assert_ptr_nonnull(strstr(sign(arena, ed25519(), content), "a=ed25519-sha256;"));
    ck_assert_ptr_nonnull(strstr(sign(arena, EVP_RSA_gen(1024), content), "a=rsa-sha256;"));
    arena_free(&arena);
}
END_TEST

START_TEST(keys_that_will_not_do)
{
    struct arena *arena = arena_new("test");
    struct err err;
    ck_assert_ptr_null(read_and_remove(write_key(arena, EVP_RSA_gen(512)), &err));
    ck_assert_ptr_null(read_and_remove(write_key(arena, EVP_EC_gen("P-256")), &err));
    ck_assert_ptr_null(dkim_key_read("/nonexistent", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent"));
    arena_free(&arena);
}
END_TEST

TEST_SUITE(dkim)
{
    TEST_LOOP(bodies_are_hashed_relaxed, COUNT(bodies));
    TEST(fields_are_signed_relaxed);
    TEST(algorithms);
    TEST(keys_that_will_not_do);
}
