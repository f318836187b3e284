/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/reporter.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/dkim.h"
#include "engine/domain_name.h"
#include "engine/https.h"
#include "engine/tlsrpt_record.h"
#include "engine/tlsrpt_report.h"
#include "engine/tlsrpt_store.h"
#include "engine/unique.h"

enum { NAP = 3600, ANSWER_MAX = 64 * 1024 };

struct reporter {
    const struct engine_config *config;
    const struct clock *clock;
    struct loop *loop;
    struct reporter_ports ports;
    struct tlsrpt_store *store;
    struct dkim_key *key;
    struct https *https; /* NULL until the first upload */
    struct event *timer;
    struct errand *open; /* a list */
    size_t lookups, uploads;
    bool broken;     /* sessions are not counted: said once */
    bool rests;      /* the store could not be written: nothing is begun before the timer is up */
    int64_t trimmed; /* when */
};

/* One thing under way: a domain being asked, or a report on its way to an HTTPS endpoint. */
struct errand {
    struct reporter *reporter;
    struct errand *next, **link;
    struct arena *arena;
    struct tlsrpt_plan plan;     /* of a look-up */
    struct tlsrpt_parcel parcel; /* of an upload; id 0: a look-up */
    bool last;                   /* it is not tried again */
    struct tlsrpt_endpoint to;
};

static void complain(const char *what, const char *about, const char *why)
{
    fprintf(stderr, "mtalab-engine: TLS report for %s: %s: %s\n", about, what, why);
}

/* What cannot be noted would be done again and again: the reporter rests. */
static bool noted(struct reporter *r, const char *domain, bool fine, const struct err *err)
{
    if (!fine && !r->rests)
        complain("not noted", domain, err->text);
    r->rests |= !fine;
    return fine;
}

/* ---- errands ---- */

static struct errand *errand_new(struct reporter *r, struct arena *arena)
{
    struct errand *errand = arena_alloc(arena, sizeof *errand);
    *errand = (struct errand){.reporter = r, .arena = arena, .next = r->open, .link = &r->open};
    if (errand->next != NULL)
        errand->next->link = &errand->next;
    r->open = errand;
    return errand;
}

static void errand_free(struct errand *errand)
{
    struct arena *arena = errand->arena;
    *errand->link = errand->next;
    if (errand->next != NULL)
        errand->next->link = errand->link;
    arena_free(&arena);
}

bool reporter_busy(const struct reporter *r)
{
    return r->open != NULL;
}

static void errand_done(struct errand *errand)
{
    struct reporter *r = errand->reporter;
    if (errand->parcel.id != 0)
        r->uploads--;
    else
        r->lookups--;
    errand_free(errand);
    reporter_tick(r);
    if (!reporter_busy(r))
        r->ports.idle(r->ports.outside);
}

static bool is_under_way(const struct reporter *r, const struct tlsrpt_plan *plan, int64_t parcel)
{
    for (const struct errand *e = r->open; e != NULL; e = e->next)
        if (plan != NULL ? e->parcel.id == 0 && e->plan.day == plan->day && strcmp(e->plan.domain, plan->domain) == 0
                         : e->parcel.id == parcel)
            return true;
    return false;
}

/* ---- a parcel, wherever it goes ---- */

/* It is noted when it is tried next before it is tried, so that neither a crash nor a full disk sends it at once again.
 * *last: after this attempt it is given up. */
static bool begin_attempt(struct reporter *r, const struct tlsrpt_parcel *parcel, bool *last)
{
    struct retry_next next = retry_after(&retry_tls_report, parcel->attempts + 1, parcel->made, clock_now(r->clock));
    struct err err;
    bool fine = next.give_up ? tlsrpt_store_done(r->store, parcel->id, &err)
                             : tlsrpt_store_again(r->store, parcel->id, next.due, &err);
    *last = next.give_up;
    return noted(r, parcel->domain, fine, &err);
}

static void parcel_sent(struct reporter *r, const struct tlsrpt_parcel *parcel, bool last)
{
    struct err err;
    if (!last)
        (void)noted(r, parcel->domain, tlsrpt_store_done(r->store, parcel->id, &err), &err);
}

static void parcel_failed(const struct tlsrpt_parcel *parcel, bool last, const char *why)
{
    complain(last ? "given up" : "to be tried again", parcel->domain, why);
}

/* ---- a parcel for a mail address ---- */

static const char *submitter_of(struct reporter *r, struct arena *arena)
{
    return message_domain(arena, r->config->tlsrpt.contact);
}

static char *write_mail(struct reporter *r, struct arena *arena, const struct tlsrpt_parcel *parcel, const char *to,
                        size_t *length, struct err *err)
{
    const struct engine_tlsrpt *said = &r->config->tlsrpt;
    int64_t now = clock_now(r->clock);
    struct tlsrpt_mail mail = {
        .contact = said->contact,
        .submitter = submitter_of(r, arena),
        .domain = parcel->domain,
        .report_id = parcel->report_id,
        .name = parcel->name,
        .to = to,
        .boundary = unique_word(arena),
        .now = now,
        .body = parcel->body,
        .length = parcel->length,
    };
    const char *text = tlsrpt_mail_write(arena, &mail, length);
    struct dkim_signing signing = {
        .key = r->key,
        .domain = said->dkim_domain != NULL ? said->dkim_domain : mail.submitter,
        .selector = said->dkim_selector,
        .headers = tlsrpt_mail_signed,
        .now = now,
    };
    const char *signature = dkim_sign(arena, &signing, text, *length, err);
    if (signature == NULL)
        return NULL;
    *length += strlen(signature);
    return arena_printf(arena, "%s%s", signature, text);
}

/* From the null sender: nobody reports that a report could not be delivered. The queue delivers it. */
static void send_mail(struct reporter *r, struct arena *arena, const struct tlsrpt_parcel *parcel, const char *to,
                      bool last)
{
    struct err err;
    struct message message = {
        .sender = "", .recipients = &to, .recipient_count = 1, .report = true, .tls = MESSAGE_TLS_REPORT};
    int64_t id;
    message.content = write_mail(r, arena, parcel, to, &message.length, &err);
    if (message.content != NULL && r->ports.mail(r->ports.outside, &message, &id, &err))
        parcel_sent(r, parcel, last);
    else
        parcel_failed(parcel, last, err.text);
}

/* ---- a parcel for an HTTPS endpoint ---- */

static void upload_failed(struct errand *errand, const char *why)
{
    parcel_failed(&errand->parcel, errand->last, why);
    errand_done(errand);
}

static void on_uploaded(void *arg, const struct https_answer *answer)
{
    struct errand *errand = arg;
    if (answer->outcome != HTTPS_ANSWERED) {
        upload_failed(errand, answer->why);
        return;
    }
    if (answer->status / 100 != 2) {
        upload_failed(errand, arena_printf(errand->arena, "%s answered %ld", errand->to.host, answer->status));
        return;
    }
    parcel_sent(errand->reporter, &errand->parcel, errand->last);
    errand_done(errand);
}

static void on_endpoint_host(void *arg, const struct host_facts *host)
{
    struct errand *errand = arg;
    struct reporter *r = errand->reporter;
    struct err err;
    if (trust_is_failure(host->trust) || host->address_count == 0) {
        upload_failed(errand, host->why != NULL ? host->why : "the endpoint has no address");
        return;
    }
    if (r->https == NULL)
        r->https = https_new(r->config->ca_file, engine_capped(r->config, r->config->timeouts.policy), r->loop, &err);
    if (r->https == NULL) {
        upload_failed(errand, arena_strdup(errand->arena, err.text));
        return;
    }
    struct https_request request = {
        .url = errand->to.uri,
        .host = errand->to.host,
        .port = errand->to.port,
        .addresses = host->addresses,
        .address_count = host->address_count,
        .body = errand->parcel.body,
        .length = errand->parcel.length,
        .type = "application/tlsrpt+gzip",
        .answer_max = ANSWER_MAX,
    };
    https_send(r->https, errand->arena, &request, on_uploaded, errand);
}

static void start_upload(struct reporter *r, const struct tlsrpt_parcel *parcel, bool last)
{
    struct arena *arena = arena_new("TLS report upload");
    struct errand *errand = errand_new(r, arena);
    errand->parcel = *parcel;
    errand->last = last;
    errand->parcel.domain = arena_strdup(arena, parcel->domain);
    errand->parcel.body = arena_memdup(arena, parcel->body, parcel->length);
    r->uploads++;
    if (!tlsrpt_endpoint_read(arena, arena_strdup(arena, parcel->uri), &errand->to)) {
        upload_failed(errand, "the endpoint is none");
        return;
    }
    resolve_addresses(r->ports.resolve, arena, errand->to.host, errand->to.port, on_endpoint_host, errand);
}

/* ---- parcels ---- */

static void send_parcel(struct reporter *r, struct arena *arena, const struct tlsrpt_parcel *parcel)
{
    struct tlsrpt_endpoint to;
    bool last;
    if (!begin_attempt(r, parcel, &last))
        return;
    if (!tlsrpt_endpoint_read(arena, parcel->uri, &to) || to.mail == NULL)
        start_upload(r, parcel, last);
    else
        send_mail(r, arena, parcel, to.mail, last);
}

static void send_parcels(struct reporter *r, int64_t until)
{
    struct arena *arena = arena_new("TLS reports");
    struct tlsrpt_parcels parcels = {0};
    struct err err;
    if (!tlsrpt_store_parcels(r->store, arena, until, REPORTER_AT_ONCE + r->uploads, &parcels, &err))
        complain("cannot be read", "anybody", err.text);
    for (size_t i = 0; i < parcels.count && r->uploads < REPORTER_AT_ONCE && !r->rests; i++)
        if (!is_under_way(r, NULL, parcels.items[i].id))
            send_parcel(r, arena, &parcels.items[i]);
    arena_free(&arena);
}

/* ---- a report ---- */

/* The service's are 18 digits: tenths of microseconds since 1601. */
static const char *unique_of(const struct reporter *r, struct arena *arena)
{
    unsigned char random[3];
    RAND_bytes(random, sizeof random);
    unsigned fraction = (unsigned)random[0] << 16 | (unsigned)random[1] << 8 | random[2];
    if (r->config->profile != PROFILE_EXCHANGE)
        return unique_word(arena);
    return arena_printf(arena, "%lld%07u", (long long)clock_now(r->clock) + 11644473600LL, fraction % 10000000);
}

static bool make_report(struct reporter *r, struct arena *arena, const struct tlsrpt_plan *plan,
                        const struct tlsrpt_record *record, struct err *err)
{
    const struct engine_tlsrpt *said = &r->config->tlsrpt;
    json_t *policies = tlsrpt_store_policies(r->store, plan, err);
    if (policies == NULL)
        return false;
    struct tlsrpt_report report = {
        .organization = said->organization != NULL ? said->organization : submitter_of(r, arena),
        .contact = said->contact,
        .submitter = submitter_of(r, arena),
        .domain = plan->domain,
        .unique = unique_of(r, arena),
        .day = plan->day,
        .exchange = r->config->profile == PROFILE_EXCHANGE,
    };
    const char *text = tlsrpt_report_text(arena, &report, policies);
    int64_t now = clock_now(r->clock);
    struct tlsrpt_parcel parcel = {
        .report_id = tlsrpt_report_id(arena, &report),
        .name = tlsrpt_report_name(arena, &report),
        .due = now,
        .made = now,
    };
    parcel.body = tlsrpt_report_gzip(arena, text, strlen(text), &parcel.length);
    const char *uris[TLSRPT_ENDPOINTS_MAX];
    for (size_t i = 0; i < record->endpoint_count; i++)
        uris[i] = record->endpoints[i].uri;
    return tlsrpt_store_add(r->store, plan, &parcel, uris, record->endpoint_count, err);
}

/* ---- asking a domain ---- */

static bool act_on_record(struct errand *errand, const struct txt_facts *txt, struct err *err)
{
    struct reporter *r = errand->reporter;
    const struct tlsrpt_plan *plan = &errand->plan;
    int64_t due = plan->day + TLSRPT_DAY + (int64_t)r->config->tlsrpt.delay; /* at the latest */
    struct retry_next next = retry_after(&retry_tls_report, plan->attempts + 1, due, clock_now(r->clock));
    if (trust_is_failure(txt->trust) && !next.give_up)
        return tlsrpt_store_put_off(r->store, plan, next.due, err);
    struct tlsrpt_record record = tlsrpt_record_find(errand->arena, txt->records, txt->count);
    if (trust_is_failure(txt->trust) || record.endpoint_count == 0)
        return tlsrpt_store_drop(r->store, plan, err);
    return make_report(r, errand->arena, plan, &record, err);
}

static void on_txt(void *arg, const struct txt_facts *txt)
{
    struct errand *errand = arg;
    struct err err;
    (void)noted(errand->reporter, errand->plan.domain, act_on_record(errand, txt, &err), &err);
    errand_done(errand);
}

static void ask(struct reporter *r, const struct tlsrpt_plan *plan)
{
    struct arena *arena = arena_new("TLS report look-up");
    struct errand *errand = errand_new(r, arena);
    errand->plan = *plan;
    errand->plan.domain = arena_strdup(arena, plan->domain);
    r->lookups++;
    resolve_txt(r->ports.resolve, arena, arena_printf(arena, "_smtp._tls.%s", plan->domain), on_txt, errand);
}

static void ask_domains(struct reporter *r, int64_t until)
{
    struct arena *arena = arena_new("TLS reports");
    struct tlsrpt_plans plans = {0};
    struct err err;
    if (!tlsrpt_store_plans(r->store, arena, until, REPORTER_AT_ONCE + r->lookups, &plans, &err))
        complain("cannot be read", "anybody", err.text);
    for (size_t i = 0; i < plans.count && r->lookups < REPORTER_AT_ONCE; i++)
        if (!is_under_way(r, &plans.items[i], 0))
            ask(r, &plans.items[i]);
    arena_free(&arena);
}

/* ---- time ---- */

static void sleep_until_next(struct reporter *r)
{
    int64_t pause = r->rests ? NAP : tlsrpt_store_next(r->store) - clock_now(r->clock);
    struct timeval span = {.tv_sec = pause < 1 ? 1 : pause < NAP ? pause : NAP};
    evtimer_add(r->timer, &span);
}

static bool trim(struct reporter *r, struct err *err)
{
    r->trimmed = clock_now(r->clock);
    return tlsrpt_store_trim(r->store, r->trimmed - (int64_t)r->config->trace_keep, err);
}

void reporter_tick(struct reporter *r)
{
    int64_t now = clock_now(r->clock);
    struct err err;
    if (!r->rests && now - r->trimmed >= TLSRPT_DAY)
        (void)noted(r, "anybody", trim(r, &err), &err);
    if (!r->rests)
        ask_domains(r, now);
    if (!r->rests)
        send_parcels(r, now);
    sleep_until_next(r);
}

void reporter_hurry(struct reporter *r)
{
    struct err err;
    r->rests = false;
    (void)noted(r, "anybody", tlsrpt_store_hurry(r->store, clock_now(r->clock), &err), &err);
    reporter_tick(r);
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct reporter *r = arg;
    r->rests = false;
    reporter_tick(r);
}

/* ---- counting ---- */

/* The report is due when the day is over and a random part of the delay, so that not everybody sends at once
 * (8460-4.1-2). */
static int64_t due_after(const struct reporter *r, int64_t now)
{
    int64_t delay = (int64_t)r->config->tlsrpt.delay;
    uint32_t random = 0;
    RAND_bytes((unsigned char *)&random, sizeof random);
    return now - now % TLSRPT_DAY + TLSRPT_DAY + (delay > 0 ? (int64_t)random % delay : 0);
}

void reporter_count(void *reporter, const struct tlsrpt_session *session)
{
    struct reporter *r = reporter;
    struct arena *arena = arena_new("TLS report");
    bool named = !domain_name_is_address(session->domain);
    const char *domain = named ? domain_name_ascii(arena, session->domain) : NULL;
    int64_t now = clock_now(r->clock);
    struct err err;
    if (domain != NULL && !tlsrpt_store_count(r->store, now, due_after(r, now), domain, session, &err) && !r->broken) {
        r->broken = true;
        complain("sessions are not counted", domain, err.text);
    }
    if (!evtimer_pending(r->timer, NULL))
        sleep_until_next(r);
    arena_free(&arena);
}

/* ---- birth and death ---- */

static bool open_store(struct reporter *r, const char *path, struct err *err)
{
    r->store = tlsrpt_store_open(path, err);
    return r->store != NULL && trim(r, err);
}

struct reporter *reporter_new(const struct engine_config *config, const char *path, const struct clock *clock,
                              struct loop *loop, const struct reporter_ports *ports, struct err *err)
{
    struct reporter *r = calloc(1, sizeof *r);
    if (r == NULL)
        abort();
    *r = (struct reporter){.config = config, .clock = clock, .loop = loop, .ports = *ports};
    r->timer = evtimer_new(loop_base(loop), on_timer, r);
    if (r->timer == NULL)
        abort();
    r->key = dkim_key_read(config->tlsrpt.dkim_key, err);
    if (r->key == NULL || !open_store(r, path, err)) {
        reporter_free(&r);
        return NULL;
    }
    sleep_until_next(r); /* what is left from before */
    return r;
}

void reporter_free(struct reporter **reporter)
{
    struct reporter *r = *reporter;
    if (r == NULL)
        return;
    https_free(&r->https);
    while (r->open != NULL)
        errand_free(r->open);
    dkim_key_free(&r->key);
    tlsrpt_store_close(&r->store);
    event_free(r->timer);
    free(r);
    *reporter = NULL;
}
