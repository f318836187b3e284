/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/settle.h"

#include <stdio.h>

#include "base/text.h"
#include "engine/led.h"
#include "engine/ndr.h"
#include "engine/unique.h"

static struct retry_next next_of(const struct settle_world *world, const struct queued *recipient, int64_t at)
{
    const struct retry_plan *plan = recipient->tls == MESSAGE_TLS_REPORT ? &retry_tls_report : &world->config->plan;
    return retry_after(plan, recipient->attempts + 1, recipient->arrived, at);
}

bool settle_gives_up(const struct settle_world *world, const struct queued *recipient, int64_t at)
{
    return next_of(world, recipient, at).give_up;
}

static struct trace_entry entry_of(const struct settle_about *about, const struct queued *r, enum trace_event event,
                                   const struct settlement *s)
{
    return (struct trace_entry){
        .at = about->at,
        .message = r->message,
        .attempt = r->attempts + 1,
        .event = event,
        .sender = r->sender,
        .recipient = r->address,
        .destination = about->destination,
        .connector = about->connector,
        .host = about->host,
        .address = about->address,
        .tls = about->tls,
        .code = s->code,
        .text = s->reason,
        .next = s->due,
    };
}

static void trace_failure(const struct settle_world *world, struct arena *arena, const struct settle_about *about,
                          const struct settle_failed *f, const struct settlement *s)
{
    bool gone = s->state == RECIPIENT_BOUNCED;
    struct trace_entry entry = entry_of(about, f->recipient, gone ? TRACE_FAIL : TRACE_DEFER, s);
    struct led led = {.status = {s->code, s->reason},
                      .host = f->failure.host,
                      .address = f->failure.address,
                      .hostname = world->config->hostname,
                      .at = entry.at};
    entry.cause = cause_name(f->failure.cause);
    entry.host = f->failure.host;
    entry.address = f->failure.address;
    entry.detail = led_text(arena, &led);
    trace_add(world->trace, &entry);
}

bool settle_delivered(const struct settle_world *world, const struct settle_about *about,
                      const struct queued *const *recipients, size_t count, const char *reply, struct err *err)
{
    struct arena *arena = arena_new("settle");
    struct settlement *list = arena_alloc(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct settlement){.id = recipients[i]->id,
                                      .message = recipients[i]->message,
                                      .state = RECIPIENT_DELIVERED,
                                      .code = "2.0.0",
                                      .reason = reply,
                                      .connector = about->connector};
    bool fine = queue_settle(world->queue, list, count, NULL, NULL, err);
    for (size_t i = 0; fine && !about->traced && i < count; i++) {
        struct trace_entry entry = entry_of(about, recipients[i], TRACE_SEND, &list[i]);
        entry.decision = &(struct policy_decision){.demand = about->demand};
        trace_add(world->trace, &entry);
    }
    arena_free(&arena);
    return fine;
}

/* What the queue is told about one recipient; *last is the status before expiry turned it into its 5.x twin. */
static struct settlement settlement_of(const struct settle_world *world, struct arena *arena,
                                       const struct settle_about *about, const struct settle_failed *f,
                                       struct status *last)
{
    struct status status = *last = status_of(arena, &f->failure, about->destination);
    struct retry_next next = next_of(world, f->recipient, about->at);
    bool bounce = f->course == COURSE_BOUNCE || next.give_up;
    if (bounce)
        status = status_expired(arena, status);
    return (struct settlement){.id = f->recipient->id,
                               .message = f->recipient->message,
                               .state = bounce ? RECIPIENT_BOUNCED : RECIPIENT_QUEUED,
                               .due = bounce ? 0 : next.due,
                               .code = status.code,
                               .reason = status.text,
                               .connector = about->connector};
}

static struct ndr_recipient report_line(const struct settle_about *about, const struct settle_failed *f,
                                        const struct settlement *s, struct status last)
{
    return (struct ndr_recipient){
        .address = f->recipient->address,
        .status = {s->code, s->reason},
        .last = last.code != s->code ? last : (struct status){NULL, NULL},
        .remote_host = f->failure.host,
        .last_attempt = about->at,
    };
}

/* Read for a report alone: a message that only waits costs no memory. A report without it is better than none. */
static const char *original(const struct settle_world *world, struct arena *arena, int64_t message, size_t *length)
{
    struct err err;
    const char *content = queue_content(world->queue, arena, message, length, &err);
    if (content != NULL)
        return content;
    fprintf(stderr, "mtalab-engine: %s\n", err.text);
    *length = 0;
    return "";
}

/* The report goes to the sender with the null sender; none is made for a message that came with it (5321-4.5.4-2). */
static const struct message *make_report(const struct settle_world *world, struct arena *arena,
                                         const struct settle_about *about, const struct queued *about_message,
                                         const struct ndr_recipient *lines, size_t count)
{
    if (count == 0 || about_message->sender[0] == '\0')
        return NULL;
    struct ndr ndr = {
        .hostname = world->config->hostname,
        .id = unique_word(arena),
        .sender = about_message->sender,
        .arrived = about_message->arrived,
        .now = about->at,
        .recipients = lines,
        .recipient_count = count,
        .whole =
            world->config->report_original == REPORT_MESSAGE && about_message->tls != MESSAGE_REQUIRETLS, /* 8689-5 */
    };
    ndr.content = original(world, arena, about_message->message, &ndr.length);
    struct message *report = arena_alloc(arena, sizeof *report);
    report->sender = "";
    report->recipients = arena_memdup(arena, &about_message->sender, sizeof about_message->sender);
    report->recipient_count = 1;
    report->report = true;
    report->tls = about_message->tls == MESSAGE_REQUIRETLS ? MESSAGE_REQUIRETLS : MESSAGE_TLS_UNSAID; /* 8689-5-1 */
    report->smtputf8 = about_message->smtputf8;
    report->content = ndr_write(arena, &ndr, &report->length);
    return report;
}

static bool settle_with_report(const struct settle_world *world, struct arena *arena, const struct settlement *list,
                               size_t count, const struct message *report, struct err *err)
{
    int64_t id = 0;
    if (!queue_settle(world->queue, list, count, report, &id, err))
        return false;
    if (report != NULL)
        trace_message(world->trace, clock_now(world->clock), id, TRACE_SUBMIT, report,
                      arena_printf(arena, "report about message %lld", (long long)list[0].message));
    return true;
}

bool settle_failures(const struct settle_world *world, const struct settle_about *about, struct arena *arena,
                     const struct settle_failed *list, size_t count, struct err *err)
{
    if (count == 0)
        return true;
    struct settlement *settlements = arena_alloc(arena, count * sizeof *settlements);
    struct ndr_recipient *lines = arena_alloc(arena, count * sizeof *lines);
    size_t bounced = 0;
    for (size_t i = 0; i < count; i++) {
        struct status last;
        settlements[i] = settlement_of(world, arena, about, &list[i], &last);
        if (settlements[i].state == RECIPIENT_BOUNCED)
            lines[bounced++] = report_line(about, &list[i], &settlements[i], last);
    }
    const struct message *report = make_report(world, arena, about, list[0].recipient, lines, bounced);
    if (!settle_with_report(world, arena, settlements, count, report, err))
        return false;
    for (size_t i = 0; i < count; i++)
        trace_failure(world, arena, about, &list[i], &settlements[i]);
    return true;
}

/* ---- removed by the administrator ---- */

static bool remove_from_message(const struct settle_world *world, struct arena *arena, const struct queued *list,
                                size_t count, bool report, struct err *err)
{
    static const struct status removed = {"5.3.2", "Removed from the queue by the administrator"};
    struct settle_about about = {.destination = list[0].domain, .at = clock_now(world->clock)};
    struct settlement *settlements = arena_alloc(arena, count * sizeof *settlements);
    struct ndr_recipient *lines = arena_alloc(arena, count * sizeof *lines);
    for (size_t i = 0; i < count; i++) {
        settlements[i] = (struct settlement){.id = list[i].id,
                                             .message = list[i].message,
                                             .state = RECIPIENT_REMOVED,
                                             .code = removed.code,
                                             .reason = removed.text};
        lines[i] = (struct ndr_recipient){.address = list[i].address,
                                          .status = removed,
                                          .last = {*list[i].code != '\0' ? list[i].code : NULL, list[i].reason},
                                          .last_attempt = about.at};
    }
    const struct message *told = report ? make_report(world, arena, &about, &list[0], lines, count) : NULL;
    if (!settle_with_report(world, arena, settlements, count, told, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct trace_entry entry = entry_of(&about, &list[i], TRACE_DROP, &settlements[i]);
        entry.attempt = list[i].attempts;
        entry.destination = list[i].domain;
        trace_add(world->trace, &entry);
    }
    return true;
}

bool settle_removed(const struct settle_world *world, struct arena *arena, const struct queued_list *list, bool report,
                    struct err *err)
{
    for (size_t i = 0, count; i < list->count; i += count) {
        for (count = 1; i + count < list->count && list->items[i + count].message == list->items[i].message;)
            count++;
        if (!remove_from_message(world, arena, &list->items[i], count, report, err))
            return false;
    }
    return true;
}
