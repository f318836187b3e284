/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/identity.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    DAY = 24 * 60 * 60,
    COMMON_NAME_MAX = 64, /* RFC 5280, ub-common-name */
    SERIAL_BYTES = 16,
    LOADED_MAX = 20, /* certificates of a user's file */
    RSA_BITS = 2048,
    WEAK_BITS = 1024,
    POINT_MAX = 256, /* bytes of a public key on a curve */
};
static const char organization[] = "mtalab";

/* One certificate, its key, and the certificate above it: a list that ends with the root. */
struct identity {
    EVP_PKEY *key; /* NULL: only the certificate is known (the chain of a user's file) */
    X509 *certificate;
    struct identity *issuer;
    enum identity_chain chain;
    unsigned char *staple; /* NULL: none */
    size_t staple_length;
};

/* Fills *err with what OpenSSL says and forgets it; NULL, so that a function can end with it. */
static void *openssl_failed(struct err *err, enum err_kind kind, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    err_set(err, kind, "cannot %s: %s", what, reason != NULL ? reason : "unknown reason");
    ERR_clear_error();
    return NULL;
}

void identity_free(struct identity **identity)
{
    if (identity == NULL || *identity == NULL)
        return;
    identity_free(&(*identity)->issuer);
    EVP_PKEY_free((*identity)->key);
    X509_free((*identity)->certificate);
    free((*identity)->staple);
    free(*identity);
    *identity = NULL;
}

/* Takes over key and certificate, even when it fails. */
static struct identity *identity_of(EVP_PKEY *key, X509 *certificate)
{
    struct identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL) {
        EVP_PKEY_free(key);
        X509_free(certificate);
        return NULL;
    }
    identity->key = key;
    identity->certificate = certificate;
    return identity;
}

static struct identity *identity_copy(const struct identity *from)
{
    if (from == NULL)
        return NULL;
    if (from->key != NULL)
        EVP_PKEY_up_ref(from->key);
    X509_up_ref(from->certificate);
    struct identity *copy = identity_of(from->key, from->certificate);
    if (copy == NULL)
        return NULL;
    copy->chain = from->chain;
    copy->issuer = identity_copy(from->issuer);
    if (from->issuer != NULL && copy->issuer == NULL)
        identity_free(&copy);
    return copy;
}

static bool is_self_signed(const struct identity *identity)
{
    return X509_NAME_cmp(X509_get_subject_name(identity->certificate), X509_get_issuer_name(identity->certificate)) ==
           0;
}

/* ---- making ---- */

static bool add_name_entry(X509_NAME *subject, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

/* The common name, NULL: none. A name too long for it is left out where a SAN says it too. */
static const char *common_name(const struct identity_spec *spec)
{
    const char *first = spec->name_count > 0 ? spec->names[0] : NULL;
    if (spec->subject != NULL)
        return spec->subject;
    if (first == NULL || spec->names_as == IDENTITY_NO_NAMES)
        return NULL;
    return spec->names_as == IDENTITY_SAN && strlen(first) > COMMON_NAME_MAX ? NULL : first;
}

static bool set_subject(X509 *certificate, const struct identity_spec *spec)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    const char *cn = common_name(spec);
    return add_name_entry(subject, "O", organization) && (cn == NULL || add_name_entry(subject, "CN", cn));
}

static bool set_serial(X509 *certificate, int serial)
{
    if (serial != 0)
        return ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial) == 1;
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, never zero */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return ok;
}

static bool set_dates(X509 *certificate, const struct identity_spec *spec, time_t now)
{
    double before = spec->not_before_s, after = spec->not_after_s;
    if (before == 0 && after == 0) {
        before = spec->authority ? -3650.0 * DAY : -1.0 * DAY;
        after = spec->authority ? 3650.0 * DAY : 90.0 * DAY;
    }
    return ASN1_TIME_set(X509_getm_notBefore(certificate), now + (time_t)before) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), now + (time_t)after) != NULL;
}

static bool add_dns_name(GENERAL_NAMES *names, const char *name)
{
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (general == NULL || text == NULL || ASN1_STRING_set(text, name, -1) != 1) {
        GENERAL_NAME_free(general);
        ASN1_IA5STRING_free(text);
        return false;
    }
    GENERAL_NAME_set0_value(general, GEN_DNS, text);
    if (sk_GENERAL_NAME_push(names, general) > 0)
        return true;
    GENERAL_NAME_free(general);
    return false;
}

static bool add_names(X509 *certificate, const struct identity_spec *spec)
{
    if (spec->names_as != IDENTITY_SAN || spec->name_count == 0)
        return true;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool ok = names != NULL;
    for (size_t i = 0; ok && i < spec->name_count; i++)
        ok = add_dns_name(names, spec->names[i]);
    ok = ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

static bool add_extension(X509 *certificate, X509V3_CTX *context, const char *name, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, context, name, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool add_url(X509 *certificate, X509V3_CTX *context, const char *name, const char *kind, const char *url)
{
    char value[512];
    int length = url != NULL ? snprintf(value, sizeof value, "%sURI:%s", kind, url) : 0;
    return length == 0 || (length < (int)sizeof value && add_extension(certificate, context, name, value));
}

static bool add_extensions(X509 *certificate, const struct identity_spec *spec)
{
    static const struct {
        const char *name, *authority, *leaf; /* as in openssl.cnf; NULL: left out */
    } rows[] = {
        {"basicConstraints", "critical,CA:TRUE", "critical,CA:FALSE"},
        {"keyUsage", "critical,keyCertSign,cRLSign", "critical,digitalSignature"},
        {"extendedKeyUsage", NULL, "serverAuth"},
        {"subjectKeyIdentifier", "hash", "hash"},
        {"authorityKeyIdentifier", "keyid", "keyid"},
    };
    const char *other = spec->extension != NULL ? spec->extension : "";
    X509V3_CTX context;
    X509V3_set_ctx(&context, spec->issuer != NULL ? spec->issuer->certificate : certificate, certificate, NULL, NULL,
                   0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *value = spec->authority ? rows[i].authority : rows[i].leaf;
        if (value != NULL && strcmp(rows[i].name, other) != 0 &&
            !add_extension(certificate, &context, rows[i].name, value))
            return false;
    }
    return add_url(certificate, &context, "authorityInfoAccess", "OCSP;", spec->ocsp_url) &&
           add_url(certificate, &context, "crlDistributionPoints", "", spec->crl_url) &&
           (spec->extension == NULL || add_extension(certificate, &context, spec->extension, spec->value)) &&
           add_names(certificate, spec);
}

static bool sign(X509 *certificate, const struct identity_spec *spec, EVP_PKEY *key)
{
    if (X509_sign(certificate, key, spec->sha1 ? EVP_sha1() : EVP_sha256()) <= 0)
        return false;
    const ASN1_BIT_STRING *signature;
    X509_get0_signature(&signature, NULL, certificate);
    if (spec->spoilt)
        signature->data[signature->length - 1] ^= 1;
    return true;
}

static X509 *certificate_make(const struct identity_spec *spec, EVP_PKEY *key, time_t now)
{
    X509 *certificate = X509_new();
    const struct identity *issuer = spec->issuer;
    if (certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_serial(certificate, spec->serial) && set_dates(certificate, spec, now) && set_subject(certificate, spec) &&
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer->certificate : certificate)) &&
        X509_set_pubkey(certificate, key) == 1 && add_extensions(certificate, spec) &&
        sign(certificate, spec, issuer != NULL ? issuer->key : key))
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* Takes over key, even when it fails. */
static struct identity *make_with(const struct identity_spec *spec, EVP_PKEY *key, const struct clock *clock,
                                  struct err *err)
{
    if (spec->issuer != NULL && spec->issuer->key == NULL) {
        EVP_PKEY_free(key);
        err_set(err, ERR_INPUT, "the issuer's key is not known");
        return NULL;
    }
    X509 *certificate = certificate_make(spec, key, clock_now(clock));
    if (certificate == NULL) {
        EVP_PKEY_free(key);
        return openssl_failed(err, ERR_INPUT, "make a certificate");
    }
    struct identity *identity = identity_of(key, certificate);
    if (identity != NULL)
        identity->issuer = identity_copy(spec->issuer);
    if (identity == NULL || (spec->issuer != NULL && identity->issuer == NULL)) {
        identity_free(&identity);
        err_set(err, ERR_SYSTEM, "out of memory");
    }
    return identity;
}

struct identity *identity_new(const struct identity_spec *spec, const struct clock *clock, struct err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key == NULL)
        return openssl_failed(err, ERR_SYSTEM, "make a key");
    return make_with(spec, key, clock, err);
}

static struct identity *lender_of(EVP_PKEY *key, struct err *err)
{
    struct identity *identity = key != NULL ? identity_of(key, NULL) : NULL;
    if (identity == NULL)
        openssl_failed(err, ERR_SYSTEM, "make a key");
    return identity;
}

struct identity *identity_new_key(struct err *err)
{
    return lender_of(EVP_EC_gen("P-256"), err);
}

struct identity *identity_new_rsa_key(struct err *err)
{
    return lender_of(EVP_RSA_gen(RSA_BITS), err);
}

struct identity *identity_new_weak_key(struct err *err)
{
    return lender_of(EVP_RSA_gen(WEAK_BITS), err);
}

/* The key of these parts. */
static EVP_PKEY *key_of_parts(OSSL_PARAM *parts)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parts) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/* The public half of one and the private half of another. NULL: they are not on the curve that all have. */
static EVP_PKEY *join_halves(EVP_PKEY *public_half, EVP_PKEY *private_half)
{
    unsigned char point[POINT_MAX];
    size_t length;
    BIGNUM *secret = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parts = NULL;
    if (builder != NULL && private_half != NULL &&
        EVP_PKEY_get_octet_string_param(public_half, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &length) == 1 &&
        EVP_PKEY_get_bn_param(private_half, OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1 &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, length) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1)
        parts = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY *key = parts != NULL ? key_of_parts(parts) : NULL;
    OSSL_PARAM_free(parts);
    OSSL_PARAM_BLD_free(builder);
    BN_clear_free(secret);
    return key;
}

bool identity_lose_key(struct identity *identity, struct err *err)
{
    EVP_PKEY *stranger = EVP_EC_gen("P-256"), *joined = join_halves(identity->key, stranger);
    EVP_PKEY_free(stranger);
    if (joined == NULL) {
        openssl_failed(err, ERR_INPUT, "take the key away");
        return false;
    }
    EVP_PKEY_free(identity->key);
    identity->key = joined;
    return true;
}

struct identity *identity_new_with_key(const struct identity_spec *spec, const struct identity *key_of,
                                       const struct clock *clock, struct err *err)
{
    if (key_of->key == NULL) {
        err_set(err, ERR_INPUT, "the key of that certificate is not known");
        return NULL;
    }
    EVP_PKEY_up_ref(key_of->key);
    return make_with(spec, key_of->key, clock, err);
}

/* ---- a user's files ---- */

/* A key with a pass phrase is refused rather than asked for. */
static int no_passphrase(char *buffer UNUSED, int size UNUSED, int writing UNUSED, void *arg UNUSED)
{
    return -1;
}

static EVP_PKEY *load_key(const char *path, struct err *err)
{
    BIO *file = BIO_new_file(path, "r");
    EVP_PKEY *key = file != NULL ? PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL) : NULL;
    BIO_free(file);
    if (key == NULL) {
        err_set(err, ERR_INPUT, "%s: no private key in PEM form can be read from it", path);
        ERR_clear_error();
    }
    return key;
}

/* The certificates of a file as a list, in the file's order. */
static struct identity *load_chain(const char *path, struct err *err)
{
    struct identity *first = NULL, **last = &first;
    BIO *file = BIO_new_file(path, "r");
    for (int i = 0; file != NULL && i < LOADED_MAX; i++) {
        X509 *certificate = PEM_read_bio_X509(file, NULL, no_passphrase, NULL);
        if (certificate == NULL)
            break;
        *last = identity_of(NULL, certificate);
        if (*last == NULL)
            break;
        last = &(*last)->issuer;
    }
    BIO_free(file);
    ERR_clear_error();
    if (first == NULL)
        err_set(err, ERR_INPUT, "%s: no certificate in PEM form can be read from it", path);
    return first;
}

struct identity *identity_load(const char *certificate_path, const char *key_path, struct err *err)
{
    struct identity *identity = load_chain(certificate_path, err);
    if (identity == NULL)
        return NULL;
    identity->chain = IDENTITY_CHAIN_WITH_ROOT; /* what the user gave is shown as it is */
    identity->key = load_key(key_path, err);
    if (identity->key != NULL && X509_check_private_key(identity->certificate, identity->key) != 1) {
        err_set(err, ERR_INPUT, "the key in %s does not belong to the first certificate in %s", key_path,
                certificate_path);
        ERR_clear_error();
        identity_free(&identity);
    } else if (identity->key == NULL) {
        identity_free(&identity);
    }
    return identity;
}

/* ---- showing ---- */

void identity_show(struct identity *identity, enum identity_chain chain)
{
    identity->chain = chain;
}

X509 *identity_certificate(const struct identity *identity)
{
    return identity->certificate;
}

EVP_PKEY *identity_key(const struct identity *identity)
{
    return identity->key;
}

const struct identity *identity_issuer(const struct identity *identity)
{
    return identity->issuer;
}

/* The next certificate that is shown after one, NULL: none. */
static const struct identity *shown_after(const struct identity *leaf, const struct identity *one)
{
    const struct identity *next = one->issuer;
    if (next == NULL || leaf->chain == IDENTITY_CHAIN_LEAF_ONLY)
        return NULL;
    return leaf->chain == IDENTITY_CHAIN_FULL && is_self_signed(next) ? NULL : next;
}

/* The certificates sent behind the leaf, borrowed; freed with sk_X509_free(). */
static STACK_OF(X509) *shown_chain(const struct identity *leaf)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    for (const struct identity *one = shown_after(leaf, leaf); chain != NULL && one != NULL;
         one = shown_after(leaf, one))
        if (sk_X509_insert(chain, one->certificate, leaf->chain == IDENTITY_CHAIN_OUT_OF_ORDER ? 0 : -1) <= 0) {
            sk_X509_free(chain);
            return NULL;
        }
    return chain;
}

static bool used(bool ok, STACK_OF(X509) *chain, struct err *err)
{
    sk_X509_free(chain);
    if (!ok)
        openssl_failed(err, ERR_INPUT, "show the certificate");
    return ok;
}

void identity_staple(struct identity *identity, const unsigned char *response, size_t length)
{
    free(identity->staple);
    identity->staple = malloc(length + 1);
    if (identity->staple == NULL)
        abort();
    memcpy(identity->staple, response, length);
    identity->staple_length = length;
}

/* A server sends it when its context has a status callback, and the client has asked. */
static bool use_staple(const struct identity *identity, SSL *ssl)
{
    if (identity->staple == NULL)
        return true;
    unsigned char *copy = OPENSSL_memdup(identity->staple, identity->staple_length);
    return copy != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)identity->staple_length) == 1;
}

bool identity_use(const struct identity *identity, SSL_CTX *ctx, struct err *err)
{
    STACK_OF(X509) *chain = shown_chain(identity);
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
    return used(chain != NULL && SSL_CTX_use_cert_and_key(ctx, identity->certificate, identity->key, chain, 1) == 1,
                chain, err);
}

bool identity_use_ssl(const struct identity *identity, SSL *ssl, struct err *err)
{
    SSL_certs_clear(ssl);
    SSL_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
    return identity_add_ssl(identity, ssl, err);
}

bool identity_add_ssl(const struct identity *identity, SSL *ssl, struct err *err)
{
    STACK_OF(X509) *chain = shown_chain(identity);
    return used(chain != NULL && SSL_use_cert_and_key(ssl, identity->certificate, identity->key, chain, 1) == 1 &&
                    use_staple(identity, ssl),
                chain, err);
}

/* ---- as text ---- */

static char *pem_text(struct arena *arena, BIO *bio)
{
    char *bytes = NULL;
    long length = bio != NULL ? BIO_get_mem_data(bio, &bytes) : 0;
    char *text = arena_strndup(arena, length > 0 ? bytes : "", length > 0 ? (size_t)length : 0);
    BIO_free(bio);
    return text;
}

char *identity_chain_pem(struct arena *arena, const struct identity *identity)
{
    BIO *bio = BIO_new(BIO_s_mem());
    for (const struct identity *one = identity; bio != NULL && one != NULL; one = shown_after(identity, one))
        PEM_write_bio_X509(bio, one->certificate);
    return pem_text(arena, bio);
}

char *identity_certificate_pem(struct arena *arena, const struct identity *identity)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL)
        PEM_write_bio_X509(bio, identity->certificate);
    return pem_text(arena, bio);
}

char *identity_key_pem(struct arena *arena, const struct identity *identity)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL && identity->key != NULL)
        PEM_write_bio_PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL);
    return pem_text(arena, bio);
}

char *identity_tlsa_data(struct arena *arena, const struct identity *identity, unsigned selector, unsigned matching)
{
    if (selector > 1 || matching > 2)
        return NULL;
    unsigned char *bytes = NULL, digest[EVP_MAX_MD_SIZE];
    int length = selector == 0 ? i2d_X509(identity->certificate, &bytes)
                               : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(identity->certificate), &bytes);
    if (length <= 0)
        return NULL;
    char *text = NULL;
    unsigned digest_length;
    if (matching == 0)
        text = text_hex(arena, bytes, (size_t)length);
    else if (EVP_Digest(bytes, (size_t)length, digest, &digest_length, matching == 1 ? EVP_sha256() : EVP_sha512(),
                        NULL))
        text = text_hex(arena, digest, digest_length);
    OPENSSL_free(bytes);
    return text;
}
