/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts_fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/https.h"
#include "engine/sts_policy.h"

struct sts_fetch {
    struct https *https;
};

struct fetch {
    struct arena *arena;
    struct https_request request;
    void (*done)(void *arg, const struct sts_fetched *fetched);
    void *arg;
};

/* 8461-3.2-2: text/plain, whatever its parameters (8461-3.2-3). */
static bool is_plain_text(const char *type)
{
    static const char wanted[] = "text/plain";
    if (type == NULL || strncasecmp(type, wanted, sizeof wanted - 1) != 0)
        return false;
    type += sizeof wanted - 1;
    type += strspn(type, " \t");
    return *type == '\0' || *type == ';';
}

static struct sts_fetched failed(const char *failure, const char *why)
{
    return (struct sts_fetched){.failure = failure, .why = why};
}

static struct sts_fetched judge(struct fetch *f, const struct https_answer *answer)
{
    const char *host = f->request.host;
    if (answer->outcome != HTTPS_ANSWERED)
        return failed(answer->outcome == HTTPS_BAD_CERTIFICATE ? "sts-webpki-invalid" : "sts-policy-fetch-error",
                      answer->why);
    if (answer->status != 200) /* 8461-3.3-6, 8461-3.3-7 */
        return failed("sts-policy-fetch-error",
                      arena_printf(f->arena, "%s: HTTP status %ld instead of 200", host, answer->status));
    if (!is_plain_text(answer->type))
        return failed("sts-policy-fetch-error", arena_printf(f->arena, "%s: the media type is not text/plain", host));
    return (struct sts_fetched){.body = answer->body, .length = answer->length};
}

static void on_answer(void *arg, const struct https_answer *answer)
{
    struct fetch *f = arg;
    struct sts_fetched fetched = judge(f, answer);
    f->done(f->arg, &fetched);
}

void sts_fetch_policy(struct sts_fetch *fetch, struct arena *arena, const char *host, uint16_t port,
                      const struct netaddr *addresses, size_t count,
                      void (*done)(void *arg, const struct sts_fetched *fetched), void *arg)
{
    static const char path[] = ".well-known/mta-sts.txt";
    struct fetch *f = arena_alloc(arena, sizeof *f);
    *f = (struct fetch){.arena = arena, .done = done, .arg = arg};
    f->request = (struct https_request){
        .url = port == 443 ? arena_printf(arena, "https://%s/%s", host, path)
                           : arena_printf(arena, "https://%s:%u/%s", host, port, path),
        .host = arena_strdup(arena, host),
        .port = port,
        .addresses = addresses,
        .address_count = count,
        .answer_max = STS_POLICY_SIZE_MAX,
    };
    https_send(fetch->https, arena, &f->request, on_answer, f);
}

struct sts_fetch *sts_fetch_new(const char *ca_file, double timeout_s, struct loop *loop, struct err *err)
{
    struct sts_fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL)
        abort();
    fetch->https = https_new(ca_file, timeout_s, loop, err);
    if (fetch->https == NULL)
        sts_fetch_free(&fetch);
    return fetch;
}

void sts_fetch_free(struct sts_fetch **fetch)
{
    if (fetch == NULL || *fetch == NULL)
        return;
    https_free(&(*fetch)->https);
    free(*fetch);
    *fetch = NULL;
}
