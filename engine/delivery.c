/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/channel.h"
#include "engine/smart_host.h"
#include "engine/status.h"
#include "engine/transaction.h"

enum { HOSTS_MAX = 20, ADDRESSES_MAX = 8 };

struct waiting {
    const struct queued *recipient;
    bool open;
    enum course course;
    struct failure failure;
};

struct delivery {
    const struct delivery_world *world;
    struct delivery_job job;
    void (*done)(void *arg, struct delivery *self);
    void *arg;
    struct arena *arena;
    struct channel_setting setting;
    struct event *ender;
    const char *content;
    size_t length;
    struct waiting *recipients;

    const struct smart_host *hops; /* next hops: the domain, or smart hosts */
    size_t hop_count, hop;
    unsigned answers_awaited;
    const struct mx_facts *mx;
    const struct sts_facts *sts; /* NULL: not asked */
    bool rechecked;

    size_t host; /* in mx->hosts */
    const struct host_facts *facts;
    struct policy_decision decision;
    size_t address; /* in facts->addresses */

    bool in_clear, in_full; /* without TLS; without a session to resume */
    struct tls_demands demands;
    const char *own_ip;      /* of the connection; NULL: not known */
    const char *channel_key; /* all that it is judged by */
    struct connect_attempt *attempt;
    struct session *session;
    struct transaction_mail mail;
    const size_t *mail_who; /* its recipients, as indices into ours */
    struct transaction *transaction;
    const struct transaction_result *unstored; /* settled, and not on disk yet */
    bool traced;                               /* and the trace has it */
    TAILQ_ENTRY(delivery) link;                /* then: in the world's list */
    int64_t ended;                             /* when there was nothing more to try */
    bool reached;
};

static void begin_hop(struct delivery *d);
static void next_host(struct delivery *d);
static void try_address(struct delivery *d);
static void conclude(struct delivery *d);

/* ---- what the connector says ---- */

static const struct connector *connector_of(const struct delivery *d)
{
    return d->job.choice.connector;
}

static const char *connector_name(const struct delivery *d)
{
    return d->job.choice.connector != NULL ? d->job.choice.connector->name : "";
}

static bool by_smart_host(const struct delivery *d)
{
    return connector_by_smart_host(connector_of(d));
}

/* Of the MTA-STS policy in force; NULL: there is none. */
static const char *policy_name(const struct delivery *d)
{
    if (d->sts == NULL || d->sts->mode == STS_ABSENT)
        return NULL;
    return arena_printf(d->arena, "%d %s", (int)d->sts->mode, d->sts->id != NULL ? d->sts->id : "");
}

static uint16_t port_of(const struct delivery *d)
{
    return d->hops[d->hop].port != 0 ? d->hops[d->hop].port : d->world->smtp_port;
}

static const struct engine_config *config_of(const struct delivery *d)
{
    return d->world->settle.config;
}

/* ---- trace ---- */

static void trace_try(struct delivery *d, enum trace_event event, const struct failure *failure,
                      const struct tls_outcome *tls)
{
    struct status status = {NULL, NULL};
    if (failure != NULL)
        status = status_of(d->arena, failure, d->hops[d->hop].name);
    const struct connector_choice *choice = &d->job.choice;
    bool connected = event != TRACE_SKIP && d->facts != NULL && d->address < d->facts->address_count;
    trace_add(d->world->settle.trace,
              &(struct trace_entry){
                  .at = clock_now(d->world->settle.clock),
                  .message = d->job.recipients[0].message,
                  .attempt = d->job.recipients[0].attempts + 1,
                  .event = event,
                  .destination = d->job.domain,
                  .connector = connector_name(d),
                  .connector_why = choice->why,
                  .host = d->facts != NULL ? d->facts->name : NULL,
                  .address =
                      connected ? netaddr_text(d->arena, (const struct sockaddr *)&d->facts->addresses[d->address].addr)
                                : NULL,
                  .mx = d->mx,
                  .facts = d->facts,
                  .sts = d->sts,
                  .decision = d->facts != NULL ? &d->decision : NULL,
                  .tls = tls != NULL && tls->encrypted ? tls : NULL,
                  .cause = failure != NULL ? cause_name(failure->cause) : NULL,
                  .code = status.code,
                  .text = failure != NULL || tls == NULL ? status.text : tls->detail,
              });
}

/* ---- TLS reports ---- */

/* The session is open, or there is none because the host is skipped; opening NULL. A report's own is not
 * counted (8460-3-6). */
static void count_session(struct delivery *d, const char *why, const struct session_opening *opening)
{
    if (d->world->count == NULL || d->setting.message == MESSAGE_TLS_REPORT)
        return;
    struct tlsrpt_session session = {
        .domain = d->hops[d->hop].name,
        .dane = d->setting.dane,
        .host = d->facts,
        .sts = d->sts,
        .decision = d->decision,
        .why = why,
    };
    if (opening != NULL) {
        session.course = opening->tls_course;
        session.tls = *session_tls(d->session);
        session.sending_ip = d->own_ip;
        session.receiving_ip = netaddr_text(d->arena, (const struct sockaddr *)&d->facts->addresses[d->address].addr);
    }
    d->world->count(d->world->counter, &session);
}

/* ---- failures ---- */

static size_t host_count(const struct delivery *d)
{
    return d->mx->host_count < HOSTS_MAX ? d->mx->host_count : HOSTS_MAX;
}

static size_t address_count(const struct delivery *d)
{
    return d->facts->address_count < ADDRESSES_MAX ? d->facts->address_count : ADDRESSES_MAX;
}

static bool more_hosts(const struct delivery *d)
{
    return d->hop + 1 < d->hop_count || (d->mx != NULL && d->host + 1 < host_count(d));
}

static bool more_addresses(const struct delivery *d)
{
    return d->facts != NULL && d->address + 1 < address_count(d);
}

/* One recipient's failure: kept if it tells more than what it has met so far; closed when nothing else is tried. */
static enum course note_failure(const struct delivery *d, struct waiting *w, const struct failure *failure)
{
    enum course course = outcome_course(failure->cause, more_addresses(d), more_hosts(d));
    if (outcome_tells_more(w->failure.cause, failure->cause)) {
        w->failure = *failure;
        w->course = course == COURSE_BOUNCE ? COURSE_BOUNCE : COURSE_DEFER;
    }
    if (course == COURSE_DEFER || course == COURSE_BOUNCE)
        w->open = false;
    return course;
}

static bool any_open(const struct delivery *d)
{
    for (size_t i = 0; i < d->job.count; i++)
        if (d->recipients[i].open)
            return true;
    return false;
}

static void go_on(struct delivery *d, bool another_address)
{
    if (!any_open(d)) {
        conclude(d);
    } else if (another_address && more_addresses(d)) {
        d->address++;
        d->in_clear = d->in_full = false;
        try_address(d);
    } else {
        d->host++;
        next_host(d);
    }
}

/* The same failure for every recipient that is still open. */
static void all_failed(struct delivery *d, const struct failure *failure)
{
    bool another_address = false;
    for (size_t i = 0; i < d->job.count; i++)
        if (d->recipients[i].open && note_failure(d, &d->recipients[i], failure) == COURSE_NEXT_ADDRESS)
            another_address = true;
    go_on(d, another_address);
}

/* ---- the end of an attempt ---- */

static void on_end(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct delivery *d = arg;
    d->done(d->arg, d);
}

static struct settle_about about(const struct delivery *d, int64_t at)
{
    return (struct settle_about){.destination = d->job.domain, .connector = connector_name(d), .at = at};
}

static const char *address_text(const struct delivery *d)
{
    return netaddr_text_port(d->arena, (const struct sockaddr *)&d->facts->addresses[d->address].addr);
}

/* Not before it is needed: those that wait for silent hosts hold no content. */
static bool load_content(struct delivery *d)
{
    struct err err;
    if (d->content != NULL)
        return true;
    d->content = queue_content(d->world->settle.queue, d->arena, d->job.recipients[0].message, &d->length, &err);
    if (d->content != NULL)
        return true;
    fprintf(stderr, "mtalab-engine: %s\n", err.text);
    return false;
}

static void settle_rest(struct delivery *d)
{
    struct settle_failed *list = arena_alloc(d->arena, (d->job.count + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < d->job.count; i++)
        if (d->recipients[i].failure.cause != CAUSE_NONE)
            list[count++] =
                (struct settle_failed){d->recipients[i].recipient, d->recipients[i].failure, d->recipients[i].course};
    struct err err;
    struct settle_about of = about(d, d->ended);
    if (!settle_failures(&d->world->settle, &of, d->arena, list, count, &err))
        fprintf(stderr, "mtalab-engine: %s\n", err.text);
    event_active(d->ender, EV_TIMEOUT, 0);
}

/* Is a recipient about to be given up because of a policy that may have changed meanwhile (8461-5-5)? */
static bool needs_recheck(const struct delivery *d)
{
    if (d->rechecked || d->sts == NULL || d->sts->mode != STS_ENFORCE)
        return false;
    for (size_t i = 0; i < d->job.count; i++) {
        const struct waiting *w = &d->recipients[i];
        bool waits = w->failure.cause == CAUSE_HOST_SKIPPED || w->failure.cause == CAUSE_DEMAND_UNMET;
        if (w->failure.cause == CAUSE_REQUIRETLS_UNMET ||
            (waits && settle_gives_up(&d->world->settle, w->recipient, d->ended)))
            return true;
    }
    return false;
}

static void try_again(struct delivery *d)
{
    for (size_t i = 0; i < d->job.count; i++) {
        struct waiting *w = &d->recipients[i];
        bool settled = w->course == COURSE_BOUNCE && w->failure.cause != CAUSE_REQUIRETLS_UNMET;
        if (w->failure.cause == CAUSE_NONE || settled)
            continue;
        *w = (struct waiting){.recipient = w->recipient, .open = true};
    }
    d->hop = 0;
    begin_hop(d);
}

static void on_recheck(void *arg, const struct sts_facts *sts)
{
    struct delivery *d = arg;
    bool same = sts->mode == d->sts->mode && sts->id != NULL && d->sts->id != NULL && strcmp(sts->id, d->sts->id) == 0;
    if (same)
        settle_rest(d);
    else
        try_again(d);
}

static void conclude(struct delivery *d)
{
    d->ended = clock_now(d->world->settle.clock);
    if (!needs_recheck(d)) {
        settle_rest(d);
        return;
    }
    d->rechecked = true;
    d->world->ports.sts(d->world->ports.outside, d->arena,
                        d->hops[d->hop < d->hop_count ? d->hop : d->hop_count - 1].name, true, on_recheck, d);
}

/* ---- one address ---- */

/* Was there anything to settle? */
static bool settle_accepted(struct delivery *d, const struct transaction_result *result)
{
    const struct queued **list = arena_alloc(d->arena, (d->job.count + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < d->mail.recipient_count; i++)
        if (result->recipients[i].fate == FATE_DELIVERED) {
            struct waiting *w = &d->recipients[d->mail_who[i]];
            *w = (struct waiting){.recipient = w->recipient};
            list[count++] = w->recipient;
        }
    struct err err;
    struct settle_about of = about(d, clock_now(d->world->settle.clock));
    of.host = d->facts->name;
    of.address = address_text(d);
    of.tls = session_tls(d->session)->encrypted ? session_tls(d->session) : NULL;
    of.demand = d->decision.demand;
    of.traced = d->traced;
    if (count > 0 && !settle_delivered(&d->world->settle, &of, list, count, result->reply, &err))
        fprintf(stderr, "mtalab-engine: delivered, but not noted: %s\n", err.text);
    else
        d->traced = true;
    return count > 0;
}

static void note_refusals(struct delivery *d, const struct transaction_result *result)
{
    bool another_address = false;
    for (size_t i = 0; i < d->mail.recipient_count; i++) {
        struct failure failure = result->recipients[i].failure;
        failure.host = d->facts->name;
        failure.address = address_text(d);
        if (result->recipients[i].fate == FATE_FAILED &&
            note_failure(d, &d->recipients[d->mail_who[i]], &failure) == COURSE_NEXT_ADDRESS)
            another_address = true;
    }
    go_on(d, another_address);
}

/* The session waits too: a server hears of nothing else before it is on disk that this message was delivered. */
static void finish_transaction(struct delivery *d, const struct transaction_result *result)
{
    if (result->failure.cause == CAUSE_REQUIRETLS_UNMET)
        sessions_end(d->world->sessions, &d->session); /* QUIT before the next host: 8689-4.2.1-8 */
    else
        sessions_give(d->world->sessions, &d->session, d->channel_key);
    note_refusals(d, result);
}

static void await_disk(struct delivery *d, const struct transaction_result *result)
{
    d->unstored = result;
    TAILQ_INSERT_TAIL(d->world->unstored, d, link);
}

static void stop_awaiting_disk(struct delivery *d)
{
    if (d->unstored != NULL)
        TAILQ_REMOVE(d->world->unstored, d, link);
    d->unstored = NULL;
}

void deliveries_stored(struct deliveries *unstored)
{
    struct delivery *d;
    while ((d = TAILQ_FIRST(unstored)) != NULL) {
        const struct transaction_result *result = d->unstored;
        stop_awaiting_disk(d);
        finish_transaction(d, result);
    }
}

void deliveries_undone(struct deliveries *unstored)
{
    struct delivery *d;
    TAILQ_FOREACH(d, unstored, link)
    settle_accepted(d, d->unstored);
}

/* A kept session that turns out to be dead costs no attempt: the message goes over another one. */
static void on_transaction(void *arg, const struct transaction_result *result)
{
    struct delivery *d = arg;
    d->transaction = NULL;
    if (result->unheard && session_transactions(d->session) > 1) {
        sessions_end(d->world->sessions, &d->session);
        try_address(d);
        return;
    }
    const struct failure *failure = result->failure.cause != CAUSE_NONE ? &result->failure : NULL;
    trace_try(d, TRACE_TRY, failure, session_tls(d->session));
    d->reached = !result->unheard;
    if (settle_accepted(d, result) && d->world->unstored != NULL && queue_pending(d->world->settle.queue))
        await_disk(d, result);
    else
        finish_transaction(d, result);
}

static void name_recipients(struct delivery *d)
{
    const char **names = arena_alloc(d->arena, (d->job.count + 1) * sizeof *names);
    size_t *who = arena_alloc(d->arena, (d->job.count + 1) * sizeof *who);
    size_t count = 0;
    for (size_t i = 0; i < d->job.count; i++)
        if (d->recipients[i].open) {
            who[count] = i;
            names[count++] = d->recipients[i].recipient->address;
        }
    d->mail_who = who;
    d->mail.recipients = names;
    d->mail.recipient_count = count;
}

static void begin_transaction(struct delivery *d)
{
    const struct queued *first = &d->job.recipients[0];
    if (!load_content(d)) {
        struct failure failure = {.cause = CAUSE_INTERNAL, .text = "the message is gone"};
        sessions_give(d->world->sessions, &d->session, d->channel_key);
        all_failed(d, &failure);
        return;
    }
    d->mail = (struct transaction_mail){
        .sender = first->sender,
        .content = d->content,
        .length = d->length,
        .smtputf8 = first->smtputf8,
        .tls_waived = first->tls == MESSAGE_TLS_WAIVED,
        .requiretls = d->decision.requiretls,
        .may_pipeline = config_of(d)->pipelining,
        .may_chunk = config_of(d)->chunking,
    };
    name_recipients(d);
    d->traced = false;
    d->transaction = transaction_start(d->world->loop, d->arena, d->session, &d->mail, on_transaction, d);
}

/* A session that could not be resumed proves nothing: neither the host's fault, nor leave to go on in the clear. */
static void begin_in_full(struct delivery *d)
{
    sessions_end(d->world->sessions, &d->session);
    d->in_full = true;
    try_address(d);
}

static void on_opened(void *arg, const struct session_opening *opening)
{
    struct delivery *d = arg;
    struct failure failure = opening->failure;
    if (opening->owes_full_handshake) {
        trace_try(d, TRACE_TRY, &failure, NULL);
        begin_in_full(d);
        return;
    }
    count_session(d, failure.text, opening);
    if (failure.cause == CAUSE_NONE) {
        begin_transaction(d);
        return;
    }
    trace_try(d, TRACE_TRY, &failure, session_tls(d->session));
    sessions_end(d->world->sessions, &d->session);
    if (!d->in_clear && outcome_again_in_clear(failure.cause, channel_demands_tls(&d->setting, &d->decision))) {
        d->in_clear = true;
        try_address(d);
        return;
    }
    failure.host = d->facts->name;
    failure.address = address_text(d);
    all_failed(d, &failure);
}

static struct session_setting session_setting(const struct delivery *d)
{
    return (struct session_setting){
        .hostname = config_of(d)->hostname,
        .tls = d->world->tls,
        .demands = &d->demands,
        .without_tls = outcome_without_tls(&d->decision, d->facts->tlsa),
        .tls_demanded = channel_demands_tls(&d->setting, &d->decision),
        .in_clear = d->in_clear,
        .timeouts = engine_smtp_timeouts(config_of(d)),
    };
}

static const char *channel_key(const struct delivery *d)
{
    return sessions_key(d->arena, &(struct sessions_channel){
                                      .next_hop = d->hops[d->hop].name,
                                      .host = d->facts->name,
                                      .address = &d->facts->addresses[d->address],
                                      .connector = connector_name(d),
                                      .policy = policy_name(d),
                                      .in_clear = d->in_clear,
                                      .tls_demanded = channel_demands_tls(&d->setting, &d->decision),
                                      .requiretls = d->decision.requiretls,
                                      .demands = &d->demands,
                                  });
}

/* NULL: not known. */
static const char *own_address(struct arena *arena, struct bufferevent *io)
{
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;
    bool known = getsockname(bufferevent_getfd(io), (struct sockaddr *)&own, &length) == 0 && own.ss_family != AF_UNIX;
    return known ? netaddr_text(arena, (const struct sockaddr *)&own) : NULL;
}

static void on_connect(void *arg, struct bufferevent *io, enum cause cause, const char *why)
{
    struct delivery *d = arg;
    d->attempt = NULL;
    if (io == NULL) {
        struct failure failure = {.cause = cause,
                                  .text = arena_strdup(d->arena, why),
                                  .host = d->facts->name,
                                  .address = address_text(d)};
        trace_try(d, TRACE_TRY, &failure, NULL);
        all_failed(d, &failure);
        return;
    }
    d->own_ip = own_address(d->arena, io);
    struct session_setting setting = session_setting(d);
    d->session = session_open(d->world->loop, d->arena, io, &setting, on_opened, d);
}

static void try_address(struct delivery *d)
{
    d->channel_key = channel_key(d);
    d->demands.channel = d->in_full ? NULL : d->channel_key;
    d->session = sessions_take(d->world->sessions, d->channel_key);
    if (d->session != NULL)
        begin_transaction(d);
    else
        d->attempt =
            d->world->ports.connect(d->world->ports.outside, &d->facts->addresses[d->address],
                                    engine_capped(config_of(d), config_of(d)->timeouts.connect), on_connect, d);
}

/* ---- one host ---- */

static void skip_host(struct delivery *d, struct failure failure)
{
    d->address = d->facts->address_count; /* none is left here */
    failure.host = d->facts->name;
    trace_try(d, TRACE_SKIP, &failure, NULL);
    if (d->decision.act == ACT_SKIP_HOST)
        count_session(d, failure.text, NULL);
    all_failed(d, &failure);
}

static void try_host(struct delivery *d)
{
    d->demands = channel_demands(d->arena, &d->setting, &d->decision, d->mx, d->facts);
    try_address(d);
}

/* In test mode: what the connector would have said, were it in earnest, for the trace. */
static void decide_in_earnest(struct delivery *d, struct policy_facts known)
{
    const struct connector *c = connector_of(d);
    if (c == NULL || !c->test_mode || d->decision.act == ACT_SKIP_HOST)
        return;
    known.dane = (enum dane_mode)c->dane;
    known.mta_sts = (enum mta_sts_mode)c->mta_sts;
    known.tls = (enum tls_setting)c->tls;
    struct policy_decision earnest = policy_decide(&known);
    if (earnest.act == ACT_SKIP_HOST)
        d->decision.because = arena_printf(d->arena, "%s; in test mode, else it would have waited: %s",
                                           d->decision.because, earnest.because);
    else if (earnest.demand != d->decision.demand)
        d->decision.because = arena_printf(d->arena, "%s; in test mode, else it would have demanded %s: %s",
                                           d->decision.because, demand_word(earnest.demand), earnest.because);
}

static void on_host(void *arg, const struct host_facts *facts)
{
    struct delivery *d = arg;
    d->facts = channel_outward(d->arena, facts, by_smart_host(d));
    d->address = 0;
    d->in_clear = d->in_full = false;
    struct policy_facts known = channel_facts(&d->setting, d->mx, d->facts, d->sts);
    d->decision = policy_decide(&known);
    decide_in_earnest(d, known);
    if (d->decision.act == ACT_SKIP_HOST)
        skip_host(d, (struct failure){.cause = outcome_of_reason(CAUSE_HOST_SKIPPED, d->decision.reason),
                                      .reason = d->decision.reason,
                                      .text = facts->why != NULL ? facts->why : d->decision.because});
    else if (d->facts->address_count == 0)
        skip_host(d, (struct failure){.cause = CAUSE_HOST_UNRESOLVED,
                                      .text = d->facts->why != NULL
                                                  ? d->facts->why
                                                  : arena_printf(d->arena, "%s has no address", facts->name)});
    else
        try_host(d);
}

static void next_host(struct delivery *d)
{
    d->facts = NULL;
    if (d->host >= host_count(d)) {
        d->hop++;
        begin_hop(d);
        return;
    }
    d->world->ports.host(d->world->ports.outside, d->arena, d->mx->hosts[d->host].name, port_of(d),
                         channel_asks_tlsa(&d->setting, d->mx), channel_overrides_bogus(&d->setting), on_host, d);
}

/* ---- one next hop: the domain, or a smart host ---- */

static void begin_hosts(struct delivery *d)
{
    struct failure failure = channel_no_host(&d->setting, d->mx, by_smart_host(d));
    d->host = 0;
    if (failure.cause == CAUSE_NONE) {
        next_host(d);
        return;
    }
    trace_try(d, TRACE_SKIP, &failure, NULL);
    for (size_t i = 0; i < d->job.count; i++)
        if (d->recipients[i].open) {
            note_failure(d, &d->recipients[i], &failure);
            d->recipients[i].open = d->hop + 1 < d->hop_count;
        }
    d->host = host_count(d);
    go_on(d, false);
}

static void answered(struct delivery *d)
{
    if (--d->answers_awaited == 0)
        begin_hosts(d);
}

/* Without the hosts that are no better than this one. */
static const struct mx_facts *without_loop(struct delivery *d, const struct mx_facts *mx)
{
    size_t better = hosts_better_than(mx->hosts, mx->host_count, config_of(d)->hostname);
    if (mx->state != MX_FOUND || better == mx->host_count)
        return mx;
    struct mx_facts *cut = arena_memdup(d->arena, mx, sizeof *mx);
    cut->host_count = better;
    if (better == 0) {
        cut->state = MX_LOOP;
        cut->why = arena_printf(d->arena, "the best MX host of %s is this server", mx->domain);
    }
    return cut;
}

static void on_mx(void *arg, const struct mx_facts *facts)
{
    struct delivery *d = arg;
    d->mx = without_loop(d, facts);
    answered(d);
}

static void on_sts(void *arg, const struct sts_facts *facts)
{
    struct delivery *d = arg;
    d->sts = facts;
    answered(d);
}

/* A next hop that is an address: no DNS, hence neither DANE nor MTA-STS (7672-2.2-12, 8461-3.4). */
static void begin_literal(struct delivery *d, const char *address)
{
    const struct host_facts *facts;
    d->mx = channel_literal(d->arena, address, port_of(d), &facts);
    d->host = 0;
    on_host(d, facts);
}

static void begin_hop(struct delivery *d)
{
    if (d->hop >= d->hop_count) {
        conclude(d);
        return;
    }
    d->mx = NULL;
    d->sts = NULL;
    d->facts = NULL;
    const char *hop = d->hops[d->hop].name, *literal = channel_address(d->arena, hop);
    if (literal != NULL) {
        begin_literal(d, literal);
        return;
    }
    bool ask_sts = channel_asks_sts(&d->setting);
    d->answers_awaited = ask_sts ? 2 : 1;
    if (ask_sts)
        d->world->ports.sts(d->world->ports.outside, d->arena, hop, false, on_sts, d);
    d->world->ports.mx(d->world->ports.outside, d->arena, hop, channel_overrides_bogus(&d->setting), on_mx, d);
}

/* ---- birth and death ---- */

static void copy_job(struct delivery *d, const struct delivery_job *job)
{
    struct queued *recipients = arena_memdup(d->arena, job->recipients, job->count * sizeof *recipients);
    d->recipients = arena_alloc(d->arena, job->count * sizeof *d->recipients);
    for (size_t i = 0; i < job->count; i++) {
        recipients[i].address = arena_strdup(d->arena, recipients[i].address);
        recipients[i].domain = arena_strdup(d->arena, recipients[i].domain);
        recipients[i].sender = arena_strdup(d->arena, recipients[i].sender);
        d->recipients[i] = (struct waiting){.recipient = &recipients[i], .open = true};
    }
    d->job = *job;
    d->job.recipients = recipients;
    d->job.domain = arena_strdup(d->arena, job->domain);
}

static void choose_hops(struct delivery *d)
{
    struct smart_host *hop = arena_alloc(d->arena, sizeof *hop);
    *hop = (struct smart_host){.name = d->job.domain, .by_name = true};
    d->hops = hop;
    d->hop_count = 1;
    if (by_smart_host(d))
        d->hop_count = smart_hosts_spread(d->arena, &connector_of(d)->smart_hosts, hosts_random, &d->hops);
}

struct delivery *delivery_start(const struct delivery_world *world, const struct delivery_job *job,
                                void (*done)(void *arg, struct delivery *self), void *arg)
{
    struct delivery *d = calloc(1, sizeof *d);
    if (d == NULL)
        abort();
    *d = (struct delivery){.world = world, .done = done, .arg = arg, .arena = arena_new("delivery")};
    d->ender = evtimer_new(loop_base(world->loop), on_end, d);
    if (d->ender == NULL)
        abort();
    copy_job(d, job);
    d->setting = channel_setting(config_of(d), d->job.choice.connector);
    d->setting.message = d->job.recipients[0].tls;
    d->setting.report = d->job.recipients[0].sender[0] == '\0';
    if (d->setting.message == MESSAGE_TLS_REPORT)
        d->setting = channel_without_demands(d->setting); /* 8460-5.3.1-1 */
    choose_hops(d);
    begin_hop(d);
    return d;
}

void delivery_cancel(struct delivery **delivery)
{
    struct delivery *d = *delivery;
    if (d == NULL)
        return;
    stop_awaiting_disk(d);
    connect_cancel(&d->attempt);
    transaction_cancel(&d->transaction);
    session_drop(&d->session);
    event_free(d->ender);
    arena_free(&d->arena);
    free(d);
    *delivery = NULL;
}

bool delivery_reached(const struct delivery *delivery)
{
    return delivery->reached;
}
