/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sts_fetch.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "engine/sts_policy.h"

enum { HEADERS_SIZE_MAX = 64 * 1024 };

struct sts_fetch {
    struct loop *loop;
    CURLM *multi;
    struct event *timer;
    char *ca_file;
    long timeout_ms;
    struct transfer *open; /* a list */
};

struct transfer {
    struct sts_fetch *owner;
    struct transfer *next, **link;
    struct arena *arena;
    CURL *easy;
    struct curl_slist *addresses;
    const char *host;
    char *body;
    size_t length, header_length;
    const char *too_big; /* what we broke off for */
    char error[CURL_ERROR_SIZE];
    void (*done)(void *arg, const struct sts_fetched *fetched);
    void *arg;
};

static void transfer_free(struct transfer *t)
{
    *t->link = t->next;
    if (t->next != NULL)
        t->next->link = t->link;
    if (t->easy != NULL) {
        curl_multi_remove_handle(t->owner->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->addresses);
    free(t->body);
    free(t);
}

/* What a transfer came to */

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

static struct sts_fetched transport_failed(struct transfer *t, CURLcode code)
{
    const char *text = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
    if (t->too_big != NULL)
        text = t->too_big;
    const char *why = arena_printf(t->arena, "%s: %s", t->host, text_escape(t->arena, text, strlen(text)));
    bool certificate = code == CURLE_PEER_FAILED_VERIFICATION;
    return failed(certificate ? "sts-webpki-invalid" : "sts-policy-fetch-error", why);
}

static struct sts_fetched judge(struct transfer *t, CURLcode code)
{
    if (code != CURLE_OK)
        return transport_failed(t, code);
    long status = 0;
    char *type = NULL;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    if (status != 200) /* 8461-3.3-6, 8461-3.3-7 */
        return failed("sts-policy-fetch-error",
                      arena_printf(t->arena, "%s: HTTP status %ld instead of 200", t->host, status));
    if (!is_plain_text(type))
        return failed("sts-policy-fetch-error",
                      arena_printf(t->arena, "%s: the media type is not text/plain", t->host));
    const char *body = t->length > 0 ? arena_memdup(t->arena, t->body, t->length) : "";
    return (struct sts_fetched){.body = body, .length = t->length};
}

static void finish(struct transfer *t, CURLcode code)
{
    struct sts_fetched fetched = judge(t, code);
    void (*done)(void *, const struct sts_fetched *) = t->done;
    void *arg = t->arg;
    transfer_free(t);
    done(arg, &fetched);
}

static void finish_all(struct sts_fetch *fetch)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(fetch->multi, &left)) != NULL;) {
        struct transfer *t = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(t, code);
    }
}

/* libcurl on our loop */

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
    struct sts_fetch *fetch = arg;
    int running, flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(fetch->multi, fd, flags, &running);
    finish_all(fetch);
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct sts_fetch *fetch = arg;
    int running;
    curl_multi_socket_action(fetch->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(fetch);
}

/* libcurl wants a socket watched, or no longer; watch: what we left there before. */
static int want_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *arg, void *watch)
{
    struct sts_fetch *fetch = arg;
    struct event *event = watch;
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        short flags = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);
        event = event_new(loop_base(fetch->loop), fd, flags, on_socket_event, fetch);
        if (event == NULL || event_add(event, NULL) != 0)
            abort();
    }
    curl_multi_assign(fetch->multi, fd, event);
    return 0;
}

static int want_timer(CURLM *multi UNUSED, long ms, void *arg)
{
    struct sts_fetch *fetch = arg;
    struct timeval span = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (ms < 0)
        evtimer_del(fetch->timer);
    else
        evtimer_add(fetch->timer, &span);
    return 0;
}

/* One transfer */

/* The length of a body is counted here: no header has to announce it (8461-3.3-11). */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t length = size * count;
    if (length > STS_POLICY_SIZE_MAX - t->length) {
        t->too_big = "the policy is bigger than 64 KiB";
        return 0;
    }
    char *grown = realloc(t->body, t->length + length + 1);
    if (grown == NULL)
        abort();
    t->body = grown;
    memcpy(t->body + t->length, bytes, length);
    t->length += length;
    return length;
}

static size_t on_header(char *bytes UNUSED, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    t->header_length += size * count;
    if (t->header_length <= HEADERS_SIZE_MAX)
        return size * count;
    t->too_big = "the headers are bigger than 64 KiB";
    return 0;
}

/* libcurl itself would accept the common name where a certificate has no DNS-ID; the policy host must be named by a
 * DNS-ID, a wildcard only as the whole first label (8461-3.3-3, 8461-3.3-4). */
static CURLcode want_dns_id(CURL *easy UNUSED, void *context, void *arg)
{
    const struct transfer *t = arg;
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, t->host, 0) == 1 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* "host:port:address,address": libcurl then asks no resolver. */
static struct curl_slist *address_list(struct arena *arena, const char *host, uint16_t port,
                                       const struct netaddr *addresses, size_t count)
{
    char *entry = arena_printf(arena, "%s:%u:", host, port);
    for (size_t i = 0; i < count; i++) {
        const char *address = netaddr_text(arena, (const struct sockaddr *)&addresses[i].addr);
        bool v6 = strchr(address, ':') != NULL;
        entry = arena_printf(arena, "%s%s%s%s%s", entry, i > 0 ? "," : "", v6 ? "[" : "", address, v6 ? "]" : "");
    }
    return curl_slist_append(NULL, entry);
}

/* Nothing of what libcurl would take from the environment, from a response's headers or from an earlier fetch:
 * no proxy, no redirect (8461-3.3-7), no caching (8461-3.3-8), no other protocol. */
static void set_options(struct transfer *t, const char *url)
{
    CURL *easy = t->easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mtalab-engine");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, t->owner->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, t->addresses);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (t->owner->ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, t->owner->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, want_dns_id);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
}

static struct transfer *transfer_new(struct sts_fetch *fetch, struct arena *arena, const char *host)
{
    struct transfer *t = calloc(1, sizeof *t);
    CURL *easy = curl_easy_init();
    if (t == NULL || easy == NULL)
        abort();
    t->owner = fetch;
    t->arena = arena;
    t->easy = easy;
    t->host = arena_strdup(arena, host);
    t->next = fetch->open;
    t->link = &fetch->open;
    if (t->next != NULL)
        t->next->link = &t->next;
    fetch->open = t;
    return t;
}

void sts_fetch_policy(struct sts_fetch *fetch, struct arena *arena, const char *host, uint16_t port,
                      const struct netaddr *addresses, size_t count,
                      void (*done)(void *arg, const struct sts_fetched *fetched), void *arg)
{
    struct transfer *t = transfer_new(fetch, arena, host);
    t->done = done;
    t->arg = arg;
    t->addresses = address_list(arena, host, port, addresses, count);
    if (port == 443)
        set_options(t, arena_printf(arena, "https://%s/.well-known/mta-sts.txt", host));
    else
        set_options(t, arena_printf(arena, "https://%s:%u/.well-known/mta-sts.txt", host, port));
    curl_multi_add_handle(fetch->multi, t->easy); /* sets the timer: all else happens from the loop */
}

struct sts_fetch *sts_fetch_new(const char *ca_file, double timeout_s, struct loop *loop, struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, ERR_SYSTEM, "cannot initialise libcurl");
        return NULL;
    }
    struct sts_fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL)
        abort();
    fetch->loop = loop;
    fetch->timeout_ms = (long)(timeout_s * 1000);
    fetch->ca_file = ca_file != NULL ? strdup(ca_file) : NULL;
    fetch->multi = curl_multi_init();
    fetch->timer = evtimer_new(loop_base(loop), on_timer, fetch);
    if (fetch->multi == NULL || fetch->timer == NULL)
        abort();
    curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETDATA, fetch);
    curl_multi_setopt(fetch->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(fetch->multi, CURLMOPT_TIMERDATA, fetch);
    return fetch;
}

void sts_fetch_free(struct sts_fetch **fetch)
{
    if (fetch == NULL || *fetch == NULL)
        return;
    while ((*fetch)->open != NULL)
        transfer_free((*fetch)->open);
    curl_multi_cleanup((*fetch)->multi);
    event_free((*fetch)->timer);
    free((*fetch)->ca_file);
    free(*fetch);
    *fetch = NULL;
    curl_global_cleanup();
}
