/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/survey.h"

#include <string.h>

#include "base/text.h"
#include "engine/message.h"

struct survey_kept {
    struct survey_kept *next;
    struct session *session;
};

struct survey_session {
    struct survey_session *next;
    const struct survey_visit *visit; /* the first that wanted it */
    struct tls_demands demands;
    bool tls_demanded;
};

/* ---- one question at a time ---- */

struct answer {
    bool come;
    const void *facts;
};

static const void *wait_for(struct surveyor *s, struct answer *answer)
{
    loop_run_until(s->outside->loop, &answer->come, -1);
    return answer->facts;
}

static void on_mx(void *arg, const struct mx_facts *facts)
{
    *(struct answer *)arg = (struct answer){true, facts};
}

static void on_host(void *arg, const struct host_facts *facts)
{
    *(struct answer *)arg = (struct answer){true, facts};
}

static void on_sts(void *arg, const struct sts_facts *facts)
{
    *(struct answer *)arg = (struct answer){true, facts};
}

const struct sts_facts *survey_sts(struct surveyor *s, struct sts *sts, const char *domain)
{
    struct answer answer = {0};
    sts_find(sts, s->arena, domain, on_sts, &answer);
    return wait_for(s, &answer);
}

static const struct mx_facts *ask_mx(struct surveyor *s, const struct survey *survey)
{
    struct answer answer = {0};
    struct delivery_ports ports = outside_ports(s->outside);
    ports.mx(ports.outside, s->arena, survey->hop, channel_overrides_bogus(&survey->setting), on_mx, &answer);
    return wait_for(s, &answer);
}

static const struct host_facts *ask_host(struct surveyor *s, const struct survey *survey, const char *name,
                                         uint16_t port)
{
    struct answer answer = {0};
    struct delivery_ports ports = outside_ports(s->outside);
    ports.host(ports.outside, s->arena, name, port, channel_asks_tlsa(&survey->setting, survey->mx),
               channel_overrides_bogus(&survey->setting), on_host, &answer);
    return wait_for(s, &answer);
}

/* ---- speaking to a host ---- */

struct connection {
    bool come;
    struct bufferevent *io;
    enum cause cause;
    char why[160];
};

static void on_connect(void *arg, struct bufferevent *io, enum cause cause, const char *why)
{
    struct connection *c = arg;
    *c = (struct connection){.come = true, .io = io, .cause = cause};
    if (why != NULL)
        snprintf(c->why, sizeof c->why, "%s", why);
}

static struct connection connect_to(struct surveyor *s, const struct netaddr *address)
{
    struct connection c = {0};
    struct delivery_ports ports = outside_ports(s->outside);
    (void)ports.connect(ports.outside, address, engine_capped(s->config, s->config->timeouts.connect), on_connect, &c);
    loop_run_until(s->outside->loop, &c.come, -1);
    return c;
}

static void on_opened(void *arg, const struct session_opening *opening)
{
    *(struct answer *)arg = (struct answer){true, opening};
}

static void on_gone(void *arg, struct session *session)
{
    *(struct answer *)arg = (struct answer){true, session};
}

/* What it has found out about the peer is its own. */
static void keep(struct surveyor *s, struct session *session)
{
    struct survey_kept *kept = arena_alloc(s->arena, sizeof *kept);
    *kept = (struct survey_kept){s->kept, session};
    s->kept = kept;
}

/* Up to where mail might be sent, and politely out again. */
static void converse(struct surveyor *s, struct bufferevent *io, struct survey_visit *visit,
                     const struct survey_session *wanted, bool in_clear)
{
    struct answer answer = {0}, end = {0};
    struct session_setting setting = {
        .hostname = s->config->hostname,
        .tls = s->outside->tls,
        .demands = &wanted->demands,
        .without_tls = outcome_without_tls(&visit->decision, visit->facts->tlsa),
        .tls_demanded = wanted->tls_demanded,
        .in_clear = in_clear,
        .timeouts = engine_smtp_timeouts(s->config),
    };
    struct session *session = session_open(s->outside->loop, s->arena, io, &setting, on_opened, &answer);
    visit->failure = ((const struct session_opening *)wait_for(s, &answer))->failure;
    if (session_tls(session)->encrypted || !in_clear)
        visit->tls = *session_tls(session);
    session_quit(session, on_gone, &end);
    wait_for(s, &end);
    keep(s, session);
}

/* One address, once more in the clear where a delivery would. */
static void try_address(struct surveyor *s, struct survey_visit *visit, const struct survey_session *wanted,
                        const struct netaddr *address)
{
    bool in_clear = false;
    do {
        struct connection c = connect_to(s, address);
        visit->address = netaddr_text(s->arena, (const struct sockaddr *)&address->addr);
        if (c.io == NULL) {
            visit->failure = (struct failure){.cause = c.cause, .text = arena_strdup(s->arena, c.why)};
            return;
        }
        converse(s, c.io, visit, wanted, in_clear);
        in_clear = !in_clear && outcome_again_in_clear(visit->failure.cause, wanted->tls_demanded);
    } while (in_clear);
}

static bool same_session(const struct survey_session *a, const struct survey_session *b)
{
    return strcmp(a->visit->name, b->visit->name) == 0 && a->tls_demanded == b->tls_demanded &&
           a->demands.demand == b->demands.demand && a->demands.watch_pkix == b->demands.watch_pkix &&
           a->demands.connector == b->demands.connector && text_same(a->demands.sni, b->demands.sni);
}

static void visit_addresses(struct surveyor *s, struct survey_visit *visit, const struct survey_session *session)
{
    size_t count = visit->facts->address_count;
    for (size_t i = 0; i < count; i++) {
        try_address(s, visit, session, &visit->facts->addresses[i]);
        if (visit->failure.cause == CAUSE_NONE ||
            outcome_course(visit->failure.cause, i + 1 < count, false) != COURSE_NEXT_ADDRESS)
            break;
    }
    visit->failure.host = visit->name;
}

/* Whoever demands the same as another has before shares what came of it. */
static void speak(struct surveyor *s, const struct survey *survey, struct survey_visit *visit)
{
    struct survey_session *session = arena_alloc(s->arena, sizeof *session);
    session->visit = visit;
    session->tls_demanded = channel_demands_tls(&survey->setting, &visit->decision);
    session->demands = channel_demands(s->arena, &survey->setting, &visit->decision, survey->mx, visit->facts);
    session->demands.keep_chain = true;
    for (const struct survey_session *held = s->sessions; held != NULL; held = held->next)
        if (same_session(held, session)) {
            visit->address = held->visit->address;
            visit->failure = held->visit->failure;
            visit->tls = held->visit->tls;
            return;
        }
    visit_addresses(s, visit, session);
    session->next = s->sessions;
    s->sessions = session;
}

/* ---- the hosts of a next hop ---- */

static void visit_host(struct surveyor *s, const struct survey *survey, struct survey_visit *visit)
{
    visit->facts = channel_outward(s->arena, visit->facts, survey->by_smart_host);
    struct policy_facts known = channel_facts(&survey->setting, survey->mx, visit->facts, survey->sts);
    visit->decision = policy_decide(&known);
    const char *why = visit->facts->why;
    if (visit->decision.act == ACT_SKIP_HOST)
        visit->failure = (struct failure){.cause = CAUSE_HOST_SKIPPED,
                                          .reason = visit->decision.reason,
                                          .text = why != NULL ? why : visit->decision.because,
                                          .host = visit->name};
    else if (visit->facts->address_count == 0)
        visit->failure =
            (struct failure){.cause = CAUSE_HOST_UNRESOLVED,
                             .text = why != NULL ? why : arena_printf(s->arena, "%s has no address", visit->name),
                             .host = visit->name};
    else
        speak(s, survey, visit);
}

static void survey_literal(struct surveyor *s, struct survey *survey, const char *address, uint16_t port)
{
    survey->visits = arena_alloc(s->arena, sizeof *survey->visits);
    survey->visit_count = 1;
    survey->visits[0].name = address;
    survey->mx = channel_literal(s->arena, address, port, &survey->visits[0].facts);
    visit_host(s, survey, &survey->visits[0]);
}

static void survey_hosts(struct surveyor *s, struct survey *survey, uint16_t port)
{
    survey->visits = arena_alloc(s->arena, (survey->mx->host_count + 1) * sizeof *survey->visits);
    survey->visit_count = survey->mx->host_count;
    for (size_t i = 0; i < survey->visit_count; i++) {
        struct survey_visit *visit = &survey->visits[i];
        visit->name = survey->mx->hosts[i].name;
        visit->facts = ask_host(s, survey, visit->name, port);
        visit_host(s, survey, visit);
    }
}

const struct survey *survey_hop(struct surveyor *s, const struct smart_host *hop, bool by_smart_host,
                                const struct channel_setting *setting)
{
    struct survey *survey = arena_alloc(s->arena, sizeof *survey);
    *survey = (struct survey){.setting = *setting, .hop = hop->name, .by_smart_host = by_smart_host};
    uint16_t port = hop->port != 0 ? hop->port : OUTSIDE_SMTP_PORT;
    const char *literal = channel_address(s->arena, hop->name);
    if (literal != NULL) {
        survey_literal(s, survey, literal, port);
        return survey;
    }
    survey->mx = ask_mx(s, survey);
    if (channel_asks_sts(setting))
        survey->sts = survey_sts(s, s->outside->sts, survey->hop);
    survey->no_host = channel_no_host(setting, survey->mx, by_smart_host);
    if (survey->no_host.cause == CAUSE_NONE)
        survey_hosts(s, survey, port);
    return survey;
}

void surveyor_end(struct surveyor *s)
{
    for (; s->kept != NULL; s->kept = s->kept->next)
        session_drop(&s->kept->session);
}
