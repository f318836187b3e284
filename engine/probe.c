/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/probe.h"
#include "engine/unique.h"

#include <stdlib.h>
#include <string.h>

struct probe {
    struct outside *outside;
    const struct clock *clock;
    struct queue *queue;
    struct trace *trace;
    struct sessions *sessions;
    struct delivery_world world;
    json_t *report; /* an array of tallies, each with its sessions */
    bool over;      /* the attempt under way */
};

static bool same_word(const json_t *row, const char *key, const char *word)
{
    return strcmp(json_string_value(json_object_get(row, key)), word) == 0;
}

static json_t *tally_row(json_t *report, const struct tlsrpt_tally *tally, const char *mx)
{
    const char *policy = tlsrpt_policy_words[tally->policy], *result = tally->result != NULL ? tally->result : "";
    size_t i;
    json_t *row;
    json_array_foreach(report, i, row)
    {
        if (same_word(row, "policy", policy) && same_word(row, "domain", tally->domain) &&
            same_word(row, "result", result) && same_word(row, "mx", mx))
            return row;
    }
    json_array_append_new(report, json_pack("{s:s,s:s,s:s,s:s,s:i}", "policy", policy, "domain", tally->domain, "mx",
                                            mx, "result", result, "sessions", 0));
    return json_array_get(report, json_array_size(report) - 1);
}

static void count(void *arg, const struct tlsrpt_session *session)
{
    struct probe *p = arg;
    struct tlsrpt_tally tallies[TLSRPT_TALLIES_MAX];
    size_t found = tlsrpt_tallies(session, tallies);
    for (size_t i = 0; i < found; i++) {
        json_t *row = tally_row(p->report, &tallies[i], session->host != NULL ? session->host->name : "");
        json_int_t sessions = json_integer_value(json_object_get(row, "sessions"));
        json_object_set_new(row, "sessions", json_integer(sessions + 1));
    }
}

struct probe *probe_new(const struct engine_config *config, struct outside *outside, const struct clock *clock,
                        struct err *err)
{
    static const struct sessions_limits limits = {.transactions = 1};
    struct probe *p = calloc(1, sizeof *p);
    if (p == NULL)
        abort();
    *p = (struct probe){.outside = outside, .clock = clock};
    p->queue = queue_open(":memory:", false, clock, err);
    p->trace = trace_new(":memory:", config->trace_keep);
    p->sessions = sessions_new(outside->loop, clock, &limits);
    p->report = json_array();
    p->world = (struct delivery_world){
        .settle = {.config = config, .clock = clock, .queue = p->queue, .trace = p->trace},
        .ports = outside_ports(outside),
        .loop = outside->loop,
        .tls = outside->tls,
        .sessions = p->sessions,
        .smtp_port = OUTSIDE_SMTP_PORT,
        .count = count,
        .counter = p,
    };
    if (p->queue == NULL)
        probe_free(&p);
    return p;
}

void probe_free(struct probe **probe)
{
    struct probe *p = *probe;
    if (p == NULL)
        return;
    sessions_free(&p->sessions);
    trace_free(&p->trace);
    queue_close(&p->queue);
    json_decref(p->report);
    free(p);
    *probe = NULL;
}

static void on_delivery(void *arg, struct delivery *self UNUSED)
{
    ((struct probe *)arg)->over = true;
}

static bool attempt(struct probe *p, struct arena *arena, const struct connector *connector,
                    const struct message *message, struct err *err)
{
    struct queued_list due = {0};
    if (!queue_due(p->queue, arena, message_domain(arena, message->recipients[0]), &due, err) || due.count == 0)
        return false;
    struct delivery_job job = {.choice = {.connector = connector, .why = "named"},
                               .domain = due.items[0].domain,
                               .recipients = due.items,
                               .count = 1};
    p->over = false;
    struct delivery *delivery = delivery_start(&p->world, &job, on_delivery, p);
    loop_run_until(p->outside->loop, &p->over, -1);
    delivery_cancel(&delivery);
    return true;
}

/* The recipient's state; a report about it, if there is one, stays where it is and is never sent. */
static bool find_result(struct probe *p, struct arena *arena, int64_t message, struct probe_result *result,
                        struct err *err)
{
    struct queued_list list = {0};
    if (!queue_list(p->queue, arena, NULL, false, 1000, &list, err))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].message == message)
            *result = (struct probe_result){list.items[i].state, list.items[i].code, list.items[i].reason};
    return true;
}

bool probe_send(struct probe *p, struct arena *arena, const struct connector *connector, const struct message *message,
                struct probe_result *result, struct err *err)
{
    int64_t id;
    *result = (struct probe_result){.state = RECIPIENT_QUEUED, .code = "", .reason = ""};
    if (!queue_add(p->queue, message, &id, err))
        return false;
    trace_message(p->trace, clock_now(p->clock), id, TRACE_SUBMIT, message, "a probe");
    return attempt(p, arena, connector, message, err) && find_result(p, arena, id, result, err);
}

json_t *probe_trace(struct probe *p, struct err *err)
{
    json_t *request = json_pack("{s:b,s:i}", "events", 1, "limit", TRACE_ROWS_MAX - 1);
    trace_flush(p->trace, clock_now(p->clock));
    json_t *events = trace_list(p->trace, request, err);
    json_decref(request);
    return events;
}

json_t *probe_report(const struct probe *p)
{
    return json_incref(p->report);
}

struct message probe_message(struct arena *arena, const char *sender, const char *recipient, const char *hostname,
                             int64_t at)
{
    const char **recipients = arena_alloc(arena, sizeof *recipients);
    recipients[0] = recipient;
    const char *content =
        arena_printf(arena,
                     "From: <%s>\r\nTo: <%s>\r\nDate: %s\r\nSubject: Test of the mail path to your domain\r\n"
                     "Message-ID: <%lld.%s@%s>\r\nAuto-Submitted: auto-generated\r\n\r\n"
                     "This is a test of how mail reaches you, made by its sender's administrator. Nothing needs to be "
                     "done.\r\n",
                     sender, recipient, message_date(arena, at), (long long)at, unique_word(arena), hostname);
    return (struct message){.sender = sender,
                            .recipients = recipients,
                            .recipient_count = 1,
                            .content = content,
                            .length = strlen(content)};
}
