/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/verdict_course.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "harness/sender_setup.h"

/* ---- events ---- */

static bool has_token(const struct journal_event *event, const char *token)
{
    return event->kind == JOURNAL_MX_MESSAGE && strcmp(journal_get(event, "token"), token) == 0;
}

/* The next of the names that a comma parts; false at the end. */
static bool next_name(const char **list, const char **name, size_t *length)
{
    *list += **list == ',';
    *name = *list;
    *length = strcspn(*list, ",");
    *list += *length;
    return *length > 0;
}

/* Without a list nothing can be said against the recipient. */
bool verdict_lists(const struct journal_event *event, const char *recipient)
{
    const char *list = journal_get(event, "recipients"), *name;
    bool any = *list != '\0';
    for (size_t length; next_name(&list, &name, &length);)
        if (strlen(recipient) == length && strncasecmp(name, recipient, length) == 0)
            return true;
    return !any;
}

static const struct journal_event *submission_of(const struct verdict_question *q, const char *token)
{
    for (size_t e = 0; e < journal_count(q->journal); e++) {
        const struct journal_event *event = journal_at(q->journal, e);
        if (event->kind == JOURNAL_LAB_SUBMIT && strcmp(journal_get(event, "token"), token) == 0)
            return event;
    }
    return NULL;
}

/* A report has no sender and goes to whom the message is from; what else has no sender is a message that lost it. */
static bool is_report(const struct verdict_question *q, const struct journal_event *event)
{
    const struct journal_event *submitted = submission_of(q, journal_get(event, "token"));
    return strcmp(journal_get(event, "bounce"), "yes") == 0 &&
           (submitted == NULL || verdict_lists(event, journal_get(submitted, "sender")));
}

static bool is_delivery(const struct verdict_question *q, const struct journal_event *event, const char *token)
{
    return has_token(event, token) && !is_report(q, event);
}

static bool was_given(const struct verdict_step *sent, const char *name, size_t length)
{
    for (size_t i = 0; i < sent->recipient_count; i++)
        if (strlen(sent->recipients[i]) == length && strncasecmp(sent->recipients[i], name, length) == 0)
            return true;
    return false;
}

/* ---- what the adapter says ---- */

static const struct verdict_status *status_of(const struct verdict_step *step, const char *recipient, const char *state)
{
    for (size_t i = 0; i < step->status_count; i++)
        if (strcasecmp(step->status[i].recipient, recipient) == 0 && strcmp(step->status[i].state, state) == 0)
            return &step->status[i];
    return NULL;
}

static size_t waiting(const struct verdict_step *step, const char *recipient)
{
    size_t count = 0;
    for (size_t i = 0; i < step->status_count; i++)
        count += strcasecmp(step->status[i].recipient, recipient) == 0 && strcmp(step->status[i].state, "queued") == 0;
    return count;
}

/* Messages to the recipient, sent up to this step, of which the wire has shown no end. The adapter does not
 * say which of
 * them it holds, so that as many have to wait. */
static size_t open_messages(const struct verdict_question *q, size_t step, const char *recipient)
{
    size_t count = 0;
    for (size_t i = 0; i <= step; i++) {
        const struct verdict_step *sent = &q->steps[i];
        bool open = sent->token != NULL && was_given(sent, recipient, strlen(recipient));
        for (size_t e = 0; open && e < q->steps[step].until; e++) {
            const struct journal_event *event = journal_at(q->journal, e);
            open = !has_token(event, sent->token) || !(is_report(q, event) || verdict_lists(event, recipient));
        }
        count += open;
    }
    return count;
}

/* ---- the course ---- */

const struct verdict_step *verdict_sent(const struct verdict_question *q, size_t i)
{
    while (q->steps[i].token == NULL && i > 0)
        i--;
    return q->steps[i].token != NULL ? &q->steps[i] : NULL;
}

const struct journal_event *verdict_delivery(const struct verdict_question *q, size_t i,
                                             const struct journal_event *after)
{
    const struct verdict_step *sent = verdict_sent(q, i), *step = &q->steps[i];
    size_t from = after != NULL ? after->seq + 1 : step->from;
    for (size_t e = from; sent != NULL && e < step->until; e++)
        if (is_delivery(q, journal_at(q->journal, e), sent->token))
            return journal_at(q->journal, e);
    return NULL;
}

static bool delivered_to(const struct verdict_question *q, size_t i, size_t from, const char *recipient)
{
    const struct verdict_step *sent = verdict_sent(q, i);
    for (size_t e = from; e < q->steps[i].until; e++) {
        const struct journal_event *event = journal_at(q->journal, e);
        if (is_delivery(q, event, sent->token) && verdict_lists(event, recipient))
            return true;
    }
    return false;
}

static const struct journal_event *report_in(const struct verdict_question *q, size_t i, size_t from, const char *token)
{
    for (size_t e = from; e < q->steps[i].until; e++) {
        const struct journal_event *event = journal_at(q->journal, e);
        if (has_token(event, token) && is_report(q, event))
            return event;
    }
    return NULL;
}

/* Who has no queue says by its states what it would have done: try again, or give up. */
static enum message_course course_off_the_wire(const struct verdict_question *q, size_t i, const char *recipient)
{
    const struct verdict_step *step = &q->steps[i];
    if (subject_has(q->subject, "queue")) {
        size_t held = waiting(step, recipient), open = open_messages(q, i, recipient);
        return held > 0 && held >= open ? COURSE_DEFERRED : COURSE_UNSAID;
    }
    if (status_of(step, recipient, "queued") != NULL)
        return COURSE_DEFERRED;
    return status_of(step, recipient, "bounced") != NULL ? COURSE_BOUNCED : COURSE_UNSAID;
}

/* Only message of its recipient: what waits is this one. */
static bool waits_for_sure(const struct verdict_question *q, size_t i, const char *recipient)
{
    size_t sent = 0;
    for (size_t k = 0; k <= i; k++)
        sent += q->steps[k].token != NULL && was_given(&q->steps[k], recipient, strlen(recipient));
    return sent == 1 && !q->subject->asynchronous_fetch && waiting(&q->steps[i], recipient) > 0;
}

/* What became of the message to one recipient, from an event on; true: it takes a report to end that. */
static bool follow(struct arena *arena, const struct verdict_question *q, size_t i, size_t from, const char *recipient,
                   struct verdict_course *out)
{
    bool delivered = delivered_to(q, i, from, recipient);
    enum message_course course = delivered ? COURSE_DELIVERED : course_off_the_wire(q, i, recipient);
    bool reported = course == COURSE_UNSAID && out->report != NULL;
    out->got |= 1u << (reported ? COURSE_BOUNCED : course);
    if (out->held == NULL && course == COURSE_DEFERRED)
        out->held = status_of(&q->steps[i], recipient, "queued");
    if (delivered && waits_for_sure(q, i, recipient))
        out->contradiction = arena_printf(arena, "delivered the message to %s, and still queues it", recipient);
    return reported || course == COURSE_BOUNCED;
}

void verdict_course(struct arena *arena, const struct verdict_question *q, size_t i, const char *only,
                    struct verdict_course *out)
{
    const struct verdict_step *sent = verdict_sent(q, i);
    size_t from = only != NULL && sent != NULL ? sent->from : q->steps[i].from;
    *out = (struct verdict_course){.report = sent != NULL ? report_in(q, i, from, sent->token) : NULL};
    bool report_needed = only != NULL;
    for (size_t r = 0; sent != NULL && r < sent->recipient_count; r++)
        if (only == NULL || strcasecmp(only, sent->recipients[r]) == 0)
            report_needed |= follow(arena, q, i, from, sent->recipients[r], out);
    if (out->report != NULL && !report_needed) {
        out->contradiction = out->got & (1u << COURSE_DEFERRED)
                                 ? "reported a failure, and still queues the message"
                                 : "delivered the message, and reported a failure as well";
        out->got |= 1u << COURSE_BOUNCED;
    }
}

/* ---- what no course allows ---- */

/* A host with the addresses that the plan gave it, and no others. */
static bool is_plain_host(const struct plan *plan, const char *name)
{
    const struct world_name *said = world_find(plan->world, name);
    bool has_host = false;
    for (size_t i = 0; i < plan->mx.host_count; i++)
        has_host |= text_name_equal(plan->mx.hosts[i].name, name);
    for (size_t i = 0; said != NULL && i < said->address.count; i++)
        has_host &= strpbrk(said->address.items[i], ".:") == NULL;
    return has_host && (said == NULL || said->records == NULL);
}

/* May mail for the domain go to the host? True as well where the world is too intricate to say. */
static bool may_go_to(const struct plan *plan, const char *domain, const char *host)
{
    const struct world_name *name = plan->world != NULL ? world_find(plan->world, domain) : NULL;
    if (name == NULL || name->cname != NULL || name->records != NULL)
        return true;
    bool plain = true;
    for (size_t i = 0; i < name->mx.count; i++) {
        const char *exchange = world_mx_host(name->mx.items[i]);
        if (text_name_equal(exchange, host))
            return true;
        plain &= is_plain_host(plan, exchange);
    }
    return name->mx.count == 0 ? text_name_equal(domain, host) : !plain;
}

static bool may_ever_go_to(const struct verdict_question *q, const char *domain, const char *host)
{
    for (size_t i = 0; i < q->step_count; i++)
        if (may_go_to(q->steps[i].plan, domain, host) ||
            sender_setup_relays_to(&q->scenario->sender, q->steps[i].plan->world, host))
            return true;
    return false;
}

static const char *wrong_recipient(struct arena *arena, const struct verdict_question *q,
                                   const struct verdict_step *sent, const struct journal_event *event)
{
    const char *list = journal_get(event, "recipients"), *name;
    for (size_t length; next_name(&list, &name, &length);) {
        if (!was_given(sent, name, length))
            return arena_printf(arena, "delivered the message to '%.*s', whom nobody named", (int)length, name);
        const char *recipient = arena_strndup(arena, name, length), *at = strrchr(recipient, '@');
        if (at != NULL && !may_ever_go_to(q, at + 1, event->host))
            return arena_printf(arena, "delivered the message for %s to %s, which is no host of that domain", at + 1,
                                event->host);
    }
    return NULL;
}

static const char *altered(const struct verdict_question *q, const struct journal_event *event)
{
    const struct journal_event *submitted = submission_of(q, journal_get(event, "token"));
    if (submitted == NULL)
        return NULL;
    const char *was = journal_get(submitted, "body"), *is = journal_get(event, "body");
    bool converted = strcmp(journal_get(submitted, "bits"), "8") == 0 && strcmp(journal_get(event, "bits"), "7") == 0;
    if (*was != '\0' && *is != '\0' && strcmp(was, is) != 0 && !converted) /* 6152-3-2 */
        return "altered the body of the message on its way";
    bool nameless = strcmp(journal_get(event, "bounce"), "yes") == 0 && *journal_get(submitted, "sender") != '\0';
    return nameless ? "delivered the message without its sender" : NULL;
}

static const char *twice(struct arena *arena, const struct verdict_question *q, const struct verdict_step *sent,
                         const struct journal_event *event)
{
    for (size_t r = 0; r < sent->recipient_count; r++)
        for (size_t e = 0; verdict_lists(event, sent->recipients[r]) && e < event->seq; e++) {
            const struct journal_event *before = journal_at(q->journal, e);
            if (is_delivery(q, before, sent->token) && verdict_lists(before, sent->recipients[r]))
                return arena_printf(arena, "delivered the message to %s twice", sent->recipients[r]);
        }
    return NULL;
}

static const struct verdict_step *step_of_token(const struct verdict_question *q, const char *token)
{
    for (size_t i = 0; i < q->step_count; i++)
        if (q->steps[i].token != NULL && strcmp(q->steps[i].token, token) == 0)
            return &q->steps[i];
    return NULL;
}

static bool is_tls_report(const struct verdict_question *q, const struct journal_event *event)
{
    for (size_t i = 0; i < q->step_count; i++)
        for (size_t k = 0; k < q->steps[i].report_count; k++)
            if (strcmp(q->steps[i].reports[k].sha256, journal_get(event, "sha256")) == 0)
                return true;
    return false;
}

const char *verdict_misdelivery(struct arena *arena, const struct verdict_question *q,
                                const struct journal_event **proof)
{
    for (size_t e = 0; e < journal_count(q->journal); e++) {
        const struct journal_event *event = journal_at(q->journal, e);
        const char *token = journal_get(event, "token"), *wrong = NULL;
        const struct verdict_step *sent = step_of_token(q, token);
        if (event->kind != JOURNAL_MX_MESSAGE || q->step_count == 0)
            continue;
        *proof = event;
        if (sent == NULL && submission_of(q, token) == NULL && strcmp(journal_get(event, "bounce"), "yes") != 0 &&
            !is_tls_report(q, event))
            return "delivered a message that was never submitted";
        if (sent == NULL || is_report(q, event))
            continue;
        if ((wrong = wrong_recipient(arena, q, sent, event)) != NULL || (wrong = altered(q, event)) != NULL ||
            (wrong = twice(arena, q, sent, event)) != NULL)
            return wrong;
    }
    return NULL;
}
