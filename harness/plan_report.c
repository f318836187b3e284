/* SPDX-License-Identifier: BSD-2-Clause
 * What TLS reports need of a plan: records by which domains ask for them, and the key that signs them. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/text.h"
#include "harness/plan_internal.h"
#include "harness/scenario_schema.h"

static char *pem_of(struct arena *arena, EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool written = PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1;
    long length = written ? BIO_get_mem_data(out, &text) : 0;
    char *kept = arena_strndup(arena, text != NULL ? text : "", (size_t)length);
    BIO_free(out);
    return kept;
}

/* p= of an Ed25519 key is the key itself in base64 (RFC 8463 4). */
static const char *public_key_of(struct arena *arena, EVP_PKEY *key)
{
    unsigned char raw[32];
    char base64[4 * sizeof raw];
    size_t length = sizeof raw;
    if (EVP_PKEY_get_raw_public_key(key, raw, &length) != 1)
        return "";
    EVP_EncodeBlock((unsigned char *)base64, raw, (int)length);
    return arena_strdup(arena, base64);
}

bool plan_report_key_make(struct arena *arena, struct plan_report_key *key, struct err *err)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (pkey == NULL)
        return err_set(err, ERR_SYSTEM, "OpenSSL makes no Ed25519 key");
    key->private_pem = pem_of(arena, pkey);
    key->public_key = public_key_of(arena, pkey);
    key->record = arena_printf(arena, "v=DKIM1; k=ed25519; p=%s", key->public_key);
    EVP_PKEY_free(pkey);
    return true;
}

static bool is_recipients_domain(const struct scenario *scenario, const char *domain)
{
    for (size_t i = 0; i < scenario->step_count; i++)
        for (size_t k = 0; k < scenario->steps[i].to.count; k++) {
            const char *at = strrchr(scenario->steps[i].to.items[k], '@');
            if (at != NULL && text_name_equal(at + 1, domain))
                return true;
        }
    return false;
}

struct schema_texts plan_report_records(struct plan_builder *b, const struct world_name *name)
{
    struct schema_texts said = name->tls_rpt;
    if (said.count > 0)
        return said.count == 1 && strcmp(said.items[0], "none") == 0 ? (struct schema_texts){0} : said;
    const struct scenario *scenario = b->plan->scenario;
    if (scenario == NULL || !scenario_wants_reports(scenario) || !is_recipients_domain(scenario, name->name))
        return said;
    said.items = arena_alloc(b->arena, sizeof *said.items);
    said.items[said.count++] = "v=TLSRPTv1; rua=mailto:" PLAN_REPORTS_TO;
    return said;
}
