/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/settle.h"

#include <openssl/rand.h>

#include "base/text.h"
#include "engine/led.h"
#include "engine/ndr.h"

static struct retry_next next_of(const struct settle_world *world, const struct queued *recipient)
{
    return retry_after(&world->config->plan, recipient->attempts + 1, recipient->arrived, clock_now(world->clock));
}

bool settle_gives_up(const struct settle_world *world, const struct queued *recipient)
{
    return next_of(world, recipient).give_up;
}

static struct trace_entry entry_of(const struct settle_world *world, const struct settle_about *about,
                                   const struct queued *r, enum trace_event event, const struct settlement *s)
{
    return (struct trace_entry){
        .at = clock_now(world->clock),
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
    struct trace_entry entry = entry_of(world, about, f->recipient, gone ? TRACE_FAIL : TRACE_DEFER, s);
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
        list[i] =
            (struct settlement){recipients[i]->id, recipients[i]->message, RECIPIENT_DELIVERED, 0, "2.0.0", reply};
    bool fine = queue_settle(world->queue, list, count, NULL, NULL, err);
    for (size_t i = 0; fine && i < count; i++) {
        struct trace_entry entry = entry_of(world, about, recipients[i], TRACE_SEND, &list[i]);
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
    struct retry_next next = next_of(world, f->recipient);
    bool bounce = f->course == COURSE_BOUNCE || next.give_up;
    if (bounce)
        status = status_expired(arena, status);
    return (struct settlement){f->recipient->id, f->recipient->message, bounce ? RECIPIENT_BOUNCED : RECIPIENT_QUEUED,
                               next.due,         status.code,           status.text};
}

static struct ndr_recipient report_line(const struct settle_world *world, struct arena *arena,
                                        const struct settle_failed *f, const struct settlement *s, struct status last)
{
    return (struct ndr_recipient){
        .address = f->recipient->address,
        .status = {s->code, s->reason},
        .last_error = last.code != s->code ? arena_printf(arena, "%s %s", last.code, last.text) : NULL,
        .remote_host = f->failure.host,
        .last_attempt = clock_now(world->clock),
    };
}

/* The report goes to the sender with the null sender; none is made for a message that came with it (5321-4.5.4-2). */
static const struct message *make_report(const struct settle_world *world, struct arena *arena,
                                         const struct settle_about *about, const struct queued *about_message,
                                         const struct ndr_recipient *lines, size_t count)
{
    if (count == 0 || about_message->sender[0] == '\0')
        return NULL;
    unsigned char random[12];
    RAND_bytes(random, sizeof random);
    struct ndr ndr = {
        .hostname = world->config->hostname,
        .id = text_hex(arena, random, sizeof random),
        .sender = about_message->sender,
        .arrived = about_message->arrived,
        .now = clock_now(world->clock),
        .recipients = lines,
        .recipient_count = count,
        .content = about->content,
        .length = about->length,
    };
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
            lines[bounced++] = report_line(world, arena, &list[i], &settlements[i], last);
    }
    const struct message *report = make_report(world, arena, about, list[0].recipient, lines, bounced);
    int64_t report_id = 0;
    if (!queue_settle(world->queue, settlements, count, report, &report_id, err))
        return false;
    for (size_t i = 0; i < count; i++)
        trace_failure(world, arena, about, &list[i], &settlements[i]);
    if (report != NULL)
        trace_message(world->trace, clock_now(world->clock), report_id, TRACE_SUBMIT, report,
                      arena_printf(arena, "report about message %lld", (long long)list[0].recipient->message));
    return true;
}
