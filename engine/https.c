/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/https.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct https {
    struct loop *loop;
    CURLM *multi;
    struct event *timer;
    char *ca_file;
    long timeout_ms;
    struct transfer *open; /* a list */
};

struct transfer {
    struct https *owner;
    struct transfer *next, **link;
    struct arena *arena;
    CURL *easy;
    struct curl_slist *addresses;
    struct https_request request;
    struct curl_slist *headers;
    char *body;
    size_t length, header_length;
    const char *too_big; /* what we broke off for */
    char error[CURL_ERROR_SIZE];
    void (*done)(void *arg, const struct https_answer *answer);
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
    curl_slist_free_all(t->headers);
    free(t->body);
    free(t);
}

/* What a transfer came to */

static struct https_answer failed(struct transfer *t, CURLcode code)
{
    const char *text = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
    if (t->too_big != NULL)
        text = t->too_big;
    bool certificate = code == CURLE_PEER_FAILED_VERIFICATION;
    return (struct https_answer){
        .outcome = certificate ? HTTPS_BAD_CERTIFICATE : HTTPS_FAILED,
        .why = arena_printf(t->arena, "%s: %s", t->request.host, text_escape(t->arena, text, strlen(text))),
    };
}

static struct https_answer judge(struct transfer *t, CURLcode code)
{
    if (code != CURLE_OK)
        return failed(t, code);
    struct https_answer answer = {.outcome = HTTPS_ANSWERED, .length = t->length};
    char *type = NULL;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    answer.type = type != NULL ? arena_strdup(t->arena, type) : NULL;
    answer.body = t->length > 0 ? arena_memdup(t->arena, t->body, t->length) : "";
    return answer;
}

static void finish(struct transfer *t, CURLcode code)
{
    struct https_answer answer = judge(t, code);
    void (*done)(void *, const struct https_answer *) = t->done;
    void *arg = t->arg;
    transfer_free(t);
    done(arg, &answer);
}

static void finish_all(struct https *https)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(https->multi, &left)) != NULL;) {
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
    struct https *https = arg;
    int running, flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(https->multi, fd, flags, &running);
    finish_all(https);
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct https *https = arg;
    int running;
    curl_multi_socket_action(https->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(https);
}

/* libcurl wants a socket watched, or no longer; watch: what we left there before. */
static int want_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *arg, void *watch)
{
    struct https *https = arg;
    struct event *event = watch;
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        short flags = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);
        event = event_new(loop_base(https->loop), fd, flags, on_socket_event, https);
        if (event == NULL || event_add(event, NULL) != 0)
            abort();
    }
    curl_multi_assign(https->multi, fd, event);
    return 0;
}

static int want_timer(CURLM *multi UNUSED, long ms, void *arg)
{
    struct https *https = arg;
    struct timeval span = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (ms < 0)
        evtimer_del(https->timer);
    else
        evtimer_add(https->timer, &span);
    return 0;
}

/* One transfer */

static const char *too_big(struct transfer *t, const char *what)
{
    return arena_printf(t->arena, "the %s bigger than %zu KiB", what, t->request.answer_max / 1024);
}

/* The length of a body is counted here: no header has to announce it (8461-3.3-11). */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t length = size * count;
    if (length > t->request.answer_max - t->length) {
        t->too_big = too_big(t, "answer is");
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
    if (t->header_length <= t->request.answer_max)
        return size * count;
    t->too_big = too_big(t, "headers are");
    return 0;
}

/* libcurl itself would accept the common name where a certificate has no DNS-ID; the host must be named by a DNS-ID, a
 * wildcard only as the whole first label (8461-3.3-3, 8461-3.3-4). */
static CURLcode want_dns_id(CURL *easy UNUSED, void *context, void *arg)
{
    const struct transfer *t = arg;
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, t->request.host, 0) == 1 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
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

/* 8461-3.3-7, 8461-3.3-8: no redirect, no caching. */
static void set_options(struct transfer *t)
{
    CURL *easy = t->easy;
    curl_easy_setopt(easy, CURLOPT_URL, t->request.url);
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

/* What is posted is borrowed, not copied. */
static void set_post(struct transfer *t)
{
    t->headers = curl_slist_append(NULL, arena_printf(t->arena, "Content-Type: %s", t->request.type));
    t->headers = curl_slist_append(t->headers, "Expect:"); /* no pause before the body */
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->request.length);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->request.body);
}

static struct transfer *transfer_new(struct https *https, struct arena *arena, const struct https_request *request)
{
    struct transfer *t = calloc(1, sizeof *t);
    CURL *easy = curl_easy_init();
    if (t == NULL || easy == NULL)
        abort();
    *t = (struct transfer){
        .owner = https, .arena = arena, .easy = easy, .request = *request, .next = https->open, .link = &https->open};
    if (t->next != NULL)
        t->next->link = &t->next;
    https->open = t;
    return t;
}

void https_send(struct https *https, struct arena *arena, const struct https_request *request,
                void (*done)(void *arg, const struct https_answer *answer), void *arg)
{
    struct transfer *t = transfer_new(https, arena, request);
    t->done = done;
    t->arg = arg;
    t->addresses = address_list(arena, request->host, request->port, request->addresses, request->address_count);
    set_options(t);
    if (request->body != NULL)
        set_post(t);
    curl_multi_add_handle(https->multi, t->easy); /* sets the timer: all else happens from the loop */
}

struct https *https_new(const char *ca_file, double timeout_s, struct loop *loop, struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, ERR_SYSTEM, "cannot initialise libcurl");
        return NULL;
    }
    struct https *https = calloc(1, sizeof *https);
    if (https == NULL)
        abort();
    https->loop = loop;
    https->timeout_ms = (long)(timeout_s * 1000);
    https->ca_file = ca_file != NULL ? strdup(ca_file) : NULL;
    https->multi = curl_multi_init();
    https->timer = evtimer_new(loop_base(loop), on_timer, https);
    if (https->multi == NULL || https->timer == NULL)
        abort();
    curl_multi_setopt(https->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(https->multi, CURLMOPT_SOCKETDATA, https);
    curl_multi_setopt(https->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(https->multi, CURLMOPT_TIMERDATA, https);
    return https;
}

void https_free(struct https **https)
{
    if (https == NULL || *https == NULL)
        return;
    while ((*https)->open != NULL)
        transfer_free((*https)->open);
    curl_multi_cleanup((*https)->multi);
    event_free((*https)->timer);
    free((*https)->ca_file);
    free(*https);
    *https = NULL;
    curl_global_cleanup();
}
