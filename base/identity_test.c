/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/identity.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"
#include "base/text.h"

enum { DAY = 24 * 60 * 60 };

/* A root, an intermediate below it and a root that nobody trusts. */
struct authorities {
    struct identity *root, *intermediate, *unknown_root;
};

static struct identity *authority(const char *subject, const struct identity *issuer)
{
    struct err err;
    struct identity_spec spec = {.issuer = issuer, .authority = true, .subject = subject};
    struct identity *identity = identity_new(&spec, NULL, &err);
    ck_assert_ptr_nonnull(identity);
    return identity;
}

static struct authorities authorities_new(void)
{
    struct authorities made = {.root = authority("root", NULL), .unknown_root = authority("unknown root", NULL)};
    made.intermediate = authority("intermediate", made.root);
    return made;
}

static void authorities_free(struct authorities *authorities)
{
    identity_free(&authorities->root);
    identity_free(&authorities->intermediate);
    identity_free(&authorities->unknown_root);
}

static struct identity *leaf(const struct identity_spec *spec)
{
    struct err err;
    struct identity *identity = identity_new(spec, NULL, &err);
    ck_assert_msg(identity != NULL, "%s", err.text);
    return identity;
}

/* The certificates in a PEM text. */
static STACK_OF(X509) *certificates_of(const char *pem)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(pem, -1);
    for (X509 *one; (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL;)
        sk_X509_push(list, one);
    BIO_free(bio);
    return list;
}

/* What a client that trusts root says of the chain shown, for a host name; X509_V_OK or the error. */
static int verify(const struct identity *root, const struct identity *shown, const char *host)
{
    struct arena *arena = arena_new("verify");
    STACK_OF(X509) *chain = certificates_of(identity_chain_pem(arena, shown));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, identity_certificate(root));
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain);
    X509_STORE_CTX_set_default(context, "ssl_server");
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set1_host(param, host, 0);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    int error = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_pop_free(chain, X509_free);
    arena_free(&arena);
    return error;
}

enum signer { ROOT, INTERMEDIATE, UNKNOWN_ROOT, ITSELF };

static const char long_label[] = "mx1.a-label-of-quite-some-length.another-label-of-quite-some-length.partner.example";

static const struct {
    const char *name;
    enum signer signer;
    enum identity_names names_as;
    const char *dns_name;
    double not_before_s, not_after_s;
    enum identity_chain chain;
    const char *host;
    int error;
} states[] = {
    {"trusted by the root", ROOT, IDENTITY_SAN, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_FULL, "mx1.partner.example",
     X509_V_OK},
    {"trusted through an intermediate", INTERMEDIATE, IDENTITY_SAN, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_FULL,
     "mx1.partner.example", X509_V_OK},
    {"root shown too", INTERMEDIATE, IDENTITY_SAN, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_WITH_ROOT,
     "mx1.partner.example", X509_V_OK},
    {"out of order", INTERMEDIATE, IDENTITY_SAN, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_OUT_OF_ORDER,
     "mx1.partner.example", X509_V_OK},
    {"missing intermediate", INTERMEDIATE, IDENTITY_SAN, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_LEAF_ONLY,
     "mx1.partner.example", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    {"unknown root", UNKNOWN_ROOT, IDENTITY_SAN, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_FULL,
     "mx1.partner.example", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    {"unknown root, shown", UNKNOWN_ROOT, IDENTITY_SAN, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_WITH_ROOT,
     "mx1.partner.example", X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN},
    {"self-signed", ITSELF, IDENTITY_SAN, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_FULL, "mx1.partner.example",
     X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
    {"expired", ROOT, IDENTITY_SAN, "mx1.partner.example", -30 * DAY, -1 * DAY, IDENTITY_CHAIN_FULL,
     "mx1.partner.example", X509_V_ERR_CERT_HAS_EXPIRED},
    {"not yet valid", ROOT, IDENTITY_SAN, "mx1.partner.example", 1 * DAY, 30 * DAY, IDENTITY_CHAIN_FULL,
     "mx1.partner.example", X509_V_ERR_CERT_NOT_YET_VALID},
    {"valid beyond 2049", ROOT, IDENTITY_SAN, "mx1.partner.example", -1 * DAY, 36500.0 * DAY, IDENTITY_CHAIN_FULL,
     "mx1.partner.example", X509_V_OK},
    {"wrong name", ROOT, IDENTITY_SAN, "mx2.partner.example", 0, 0, IDENTITY_CHAIN_FULL, "mx1.partner.example",
     X509_V_ERR_HOSTNAME_MISMATCH},
    {"wildcard", ROOT, IDENTITY_SAN, "*.partner.example", 0, 0, IDENTITY_CHAIN_FULL, "mx1.partner.example", X509_V_OK},
    {"wildcard covers one label", ROOT, IDENTITY_SAN, "*.partner.example", 0, 0, IDENTITY_CHAIN_FULL,
     "a.mx1.partner.example", X509_V_ERR_HOSTNAME_MISMATCH},
    {"common name only", ROOT, IDENTITY_CN_ONLY, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_FULL,
     "mx1.partner.example", X509_V_OK},
    {"no names", ROOT, IDENTITY_NO_NAMES, "mx1.partner.example", 0, 0, IDENTITY_CHAIN_FULL, "mx1.partner.example",
     X509_V_ERR_HOSTNAME_MISMATCH},
    {"a name too long for a common name", ROOT, IDENTITY_SAN, long_label, 0, 0, IDENTITY_CHAIN_FULL, long_label,
     X509_V_OK},
};

START_TEST(certificate_states_verify_as_named)
{
    struct authorities authorities = authorities_new();
    const struct identity *issuers[] = {authorities.root, authorities.intermediate, authorities.unknown_root, NULL};
    struct identity *shown = leaf(&(struct identity_spec){.issuer = issuers[states[_i].signer],
                                                          .names = &states[_i].dns_name,
                                                          .name_count = 1,
                                                          .names_as = states[_i].names_as,
                                                          .not_before_s = states[_i].not_before_s,
                                                          .not_after_s = states[_i].not_after_s});
    identity_show(shown, states[_i].chain);
    int error = verify(authorities.root, shown, states[_i].host);
    ck_assert_msg(error == states[_i].error, "%s: %s", states[_i].name, X509_verify_cert_error_string(error));
    identity_free(&shown);
    authorities_free(&authorities);
}
END_TEST

/* clang-format off */
static const struct { const char *name; bool authority; const char *extension, *value; int error; } extensions[] = {
    {"for clients only", false, "extendedKeyUsage", "clientAuth", X509_V_ERR_INVALID_PURPOSE},
    {"unknown and critical", false, "1.3.6.1.4.1.5923.9.9", "critical,DER:0500",
     X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION},
    {"unknown", false, "1.3.6.1.4.1.5923.9.9", "DER:0500", X509_V_OK},
    {"for other names", true, "nameConstraints", "critical,permitted;DNS:elsewhere.example",
     X509_V_ERR_PERMITTED_VIOLATION},
    {"no authority", true, "basicConstraints", "critical,CA:FALSE", X509_V_ERR_INVALID_CA},
};
/* clang-format on */

/* In the leaf, or in the intermediate above it. */
START_TEST(one_extension_may_be_otherwise)
{
    static const char name[] = "mx1.partner.example", *const names[] = {name};
    struct authorities authorities = authorities_new();
    struct identity_spec above = {.issuer = authorities.root, .authority = true, .subject = "other intermediate"};
    struct identity_spec spec = {.names = names, .name_count = 1};
    struct identity_spec *odd = extensions[_i].authority ? &above : &spec;
    odd->extension = extensions[_i].extension;
    odd->value = extensions[_i].value;
    struct identity *intermediate = leaf(&above);
    spec.issuer = intermediate;
    struct identity *shown = leaf(&spec);
    int error = verify(authorities.root, shown, name);
    ck_assert_msg(error == extensions[_i].error, "%s: %s", extensions[_i].name, X509_verify_cert_error_string(error));
    identity_free(&shown);
    identity_free(&intermediate);
    authorities_free(&authorities);
}
END_TEST

START_TEST(a_signature_may_be_weak_or_wrong)
{
    static const char name[] = "mx1.partner.example", *const names[] = {name};
    struct authorities authorities = authorities_new();
    struct identity *weak =
        leaf(&(struct identity_spec){.names = names, .name_count = 1, .issuer = authorities.root, .sha1 = true});
    struct identity *wrong =
        leaf(&(struct identity_spec){.names = names, .name_count = 1, .issuer = authorities.root, .spoilt = true});
    ck_assert_int_eq(X509_get_signature_nid(identity_certificate(weak)), NID_ecdsa_with_SHA1);
    ck_assert_int_eq(verify(authorities.root, wrong, name), X509_V_ERR_CERT_SIGNATURE_FAILURE);
    identity_free(&weak);
    identity_free(&wrong);
    authorities_free(&authorities);
}
END_TEST

START_TEST(a_weak_key_is_one_of_1024_bits)
{
    struct err err;
    struct identity *key = identity_new_weak_key(&err);
    ck_assert_ptr_nonnull(key);
    ck_assert_int_eq(EVP_PKEY_get_bits(identity_key(key)), 1024);
    identity_free(&key);
}
END_TEST

/* What it signs does not verify with the key in the certificate. */
START_TEST(a_lost_key_signs_wrongly)
{
    unsigned char signature[128];
    size_t length = sizeof signature;
    struct err err;
    struct identity *shown = leaf(&(struct identity_spec){.subject = "leaf"});
    ck_assert(identity_lose_key(shown, &err));
    ck_assert_int_eq(X509_check_private_key(identity_certificate(shown), identity_key(shown)), 1);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, identity_key(shown)), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &length, (const unsigned char *)"text", 4), 1);
    EVP_MD_CTX_reset(context);
    EVP_PKEY *key = X509_get0_pubkey(identity_certificate(shown));
    ck_assert_int_eq(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
    ck_assert_int_ne(EVP_DigestVerify(context, signature, length, (const unsigned char *)"text", 4), 1);
    EVP_MD_CTX_free(context);
    identity_free(&shown);
}
END_TEST

START_TEST(common_name_only_has_no_san)
{
    const char *name = "mx1.partner.example";
    struct identity *shown =
        leaf(&(struct identity_spec){.names = &name, .name_count = 1, .names_as = IDENTITY_CN_ONLY});
    ck_assert_int_eq(X509_check_host(identity_certificate(shown), name, 0, 0, NULL), 1);
    ck_assert_int_eq(X509_check_host(identity_certificate(shown), name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL),
                     0);
    identity_free(&shown);
}
END_TEST

START_TEST(issuers_may_be_freed_first)
{
    struct authorities authorities = authorities_new();
    const char *name = "mx1.partner.example";
    struct identity *shown =
        leaf(&(struct identity_spec){.issuer = authorities.intermediate, .names = &name, .name_count = 1});
    identity_free(&authorities.intermediate);
    ck_assert_int_eq(verify(authorities.root, shown, name), X509_V_OK);
    authorities_free(&authorities);
    const struct identity *root = identity_issuer(identity_issuer(shown));
    ck_assert_ptr_nonnull(root);
    ck_assert_ptr_null(identity_issuer(root));
    ck_assert_int_eq(verify(root, shown, name), X509_V_OK);
    identity_free(&shown);
}
END_TEST

START_TEST(a_renewal_keeps_the_key)
{
    const char *name = "mx1.partner.example";
    const struct identity_spec spec = {.names = &name, .name_count = 1};
    struct identity *first = leaf(&spec);
    struct err err;
    struct identity *second = identity_new_with_key(&spec, first, NULL, &err);
    struct arena *arena = arena_new("test");
    ck_assert_str_eq(identity_tlsa_data(arena, first, 1, 1), identity_tlsa_data(arena, second, 1, 1));
    ck_assert_str_ne(identity_tlsa_data(arena, first, 0, 1), identity_tlsa_data(arena, second, 0, 1));
    arena_free(&arena);
    identity_free(&first);
    identity_free(&second);
}
END_TEST

START_TEST(dates_follow_the_clock)
{
    struct clock clock = {.offset_s = 1000 * (int64_t)DAY};
    struct err err;
    struct identity *shown = identity_new(&(struct identity_spec){.subject = "later"}, &clock, &err);
    time_t then = clock_now(&clock);
    ck_assert_int_lt(X509_cmp_time(X509_get0_notBefore(identity_certificate(shown)), &then), 0);
    ck_assert_int_gt(X509_cmp_current_time(X509_get0_notBefore(identity_certificate(shown))), 0);
    identity_free(&shown);
}
END_TEST

/* Runs a shell command in a directory and returns what it printed, without the line end. */
static char *output_of(struct arena *arena, const char *directory, const char *command)
{
    FILE *pipe = popen(arena_printf(arena, "cd %s && { %s; }", directory, command), "r");
    ck_assert_ptr_nonnull(pipe);
    char *text = arena_alloc(arena, 20000);
    size_t length = fread(text, 1, 19999, pipe);
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
    return text;
}

static const struct {
    const char *name;
    unsigned selector, matching;
    const char *command; /* how openssl itself makes the hex of leaf.pem */
} associations[] = {
    {"certificate, full", 0, 0, "openssl x509 -in leaf.pem -outform DER | od -An -v -tx1 | tr -d ' \\n'"},
    {"certificate, SHA2-256", 0, 1, "openssl x509 -in leaf.pem -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1"},
    {"certificate, SHA2-512", 0, 2, "openssl x509 -in leaf.pem -outform DER | openssl dgst -sha512 -r | cut -d' ' -f1"},
    {"key, full", 1, 0,
     "openssl x509 -in leaf.pem -noout -pubkey | openssl pkey -pubin -outform DER | od -An -v -tx1 | tr -d ' \\n'"},
    {"key, SHA2-256", 1, 1,
     "openssl x509 -in leaf.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r "
     "| cut -d' ' -f1"},
    {"key, SHA2-512", 1, 2,
     "openssl x509 -in leaf.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha512 -r "
     "| cut -d' ' -f1"},
};

static void write_pem(struct arena *arena, const char *directory, const char *file, const char *pem)
{
    struct err err;
    ck_assert_msg(text_write_file(arena_printf(arena, "%s/%s", directory, file), pem, strlen(pem), &err), "%s",
                  err.text);
}

static void remove_files(struct arena *arena, const char *directory)
{
    static const char *const files[] = {"leaf.pem", "key.pem", "other-key.pem", "locked.pem"};
    for (size_t i = 0; i < COUNT(files); i++)
        unlink(arena_printf(arena, "%s/%s", directory, files[i]));
    rmdir(directory);
}

START_TEST(tlsa_data_is_what_openssl_computes)
{
    struct arena *arena = arena_new("test");
    char directory[] = "/tmp/identity_test.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    struct identity *shown = leaf(&(struct identity_spec){.subject = "leaf"});
    write_pem(arena, directory, "leaf.pem", identity_certificate_pem(arena, shown));
    ck_assert_msg(strcmp(identity_tlsa_data(arena, shown, associations[_i].selector, associations[_i].matching),
                         output_of(arena, directory, associations[_i].command)) == 0,
                  "%s", associations[_i].name);
    remove_files(arena, directory);
    identity_free(&shown);
    arena_free(&arena);
}
END_TEST

START_TEST(unknown_association_is_null)
{
    struct arena *arena = arena_new("test");
    struct identity *shown = leaf(&(struct identity_spec){.subject = "leaf"});
    ck_assert_ptr_null(identity_tlsa_data(arena, shown, 2, 1));
    ck_assert_ptr_null(identity_tlsa_data(arena, shown, 1, 3));
    identity_free(&shown);
    arena_free(&arena);
}
END_TEST

START_TEST(files_are_loaded_and_shown_as_they_are)
{
    struct arena *arena = arena_new("test");
    struct authorities authorities = authorities_new();
    char directory[] = "/tmp/identity_test.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    const char *name = "mx1.partner.example";
    struct identity *made =
        leaf(&(struct identity_spec){.issuer = authorities.intermediate, .names = &name, .name_count = 1});
    identity_show(made, IDENTITY_CHAIN_WITH_ROOT);
    write_pem(arena, directory, "leaf.pem", identity_chain_pem(arena, made));
    write_pem(arena, directory, "key.pem", identity_key_pem(arena, made));
    write_pem(arena, directory, "other-key.pem", identity_key_pem(arena, authorities.root));
    output_of(arena, directory, "openssl ec -in key.pem -aes128 -passout pass:secret -out locked.pem 2>&1");
    const char *certificate = arena_printf(arena, "%s/leaf.pem", directory);

    struct err err;
    struct identity *loaded = identity_load(certificate, arena_printf(arena, "%s/key.pem", directory), &err);
    ck_assert_msg(loaded != NULL, "%s", err.text);
    ck_assert_str_eq(identity_chain_pem(arena, loaded), identity_chain_pem(arena, made));
    ck_assert_ptr_null(identity_new(&(struct identity_spec){.issuer = identity_issuer(loaded)}, NULL, &err));
    ck_assert_ptr_null(identity_load(certificate, arena_printf(arena, "%s/other-key.pem", directory), &err));
    ck_assert_ptr_nonnull(strstr(err.text, "does not belong"));
    ck_assert_ptr_null(identity_load(certificate, arena_printf(arena, "%s/locked.pem", directory), &err));
    ck_assert_ptr_null(identity_load("/nonexistent", "/nonexistent", &err));
    ck_assert_ptr_null(identity_load(arena_printf(arena, "%s/key.pem", directory), certificate, &err));

    remove_files(arena, directory);
    identity_free(&loaded);
    identity_free(&made);
    authorities_free(&authorities);
    arena_free(&arena);
}
END_TEST

START_TEST(an_identity_serves_many_contexts)
{
    struct err err;
    struct authorities authorities = authorities_new();
    struct identity *shown = leaf(&(struct identity_spec){.issuer = authorities.intermediate, .subject = "leaf"});
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    ck_assert_msg(identity_use(shown, context, &err), "%s", err.text);
    SSL *ssl = SSL_new(context);
    STACK_OF(X509) *chain = NULL;
    SSL_get0_chain_certs(ssl, &chain);
    ck_assert_int_eq(sk_X509_num(chain), 1);
    identity_show(shown, IDENTITY_CHAIN_LEAF_ONLY);
    ck_assert_msg(identity_use_ssl(shown, ssl, &err), "%s", err.text);
    SSL_get0_chain_certs(ssl, &chain);
    ck_assert_int_eq(chain == NULL ? 0 : sk_X509_num(chain), 0);
    ck_assert_ptr_eq(SSL_get_certificate(ssl), identity_certificate(shown));
    SSL_free(ssl);
    SSL_CTX_free(context);
    identity_free(&shown);
    authorities_free(&authorities);
}
END_TEST

TEST_SUITE(identity)
{
    TEST_LOOP(certificate_states_verify_as_named, COUNT(states));
    TEST_LOOP(one_extension_may_be_otherwise, COUNT(extensions));
    TEST(a_signature_may_be_weak_or_wrong);
    TEST(a_weak_key_is_one_of_1024_bits);
    TEST(a_lost_key_signs_wrongly);
    TEST(common_name_only_has_no_san);
    TEST(issuers_may_be_freed_first);
    TEST(a_renewal_keeps_the_key);
    TEST(dates_follow_the_clock);
    TEST_LOOP(tlsa_data_is_what_openssl_computes, COUNT(associations));
    TEST(unknown_association_is_null);
    TEST(files_are_loaded_and_shown_as_they_are);
    TEST(an_identity_serves_many_contexts);
}
