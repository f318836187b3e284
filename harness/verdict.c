/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/verdict.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "harness/expect.h"
#include "harness/verdict_always.h"
#include "harness/verdict_course.h"

const char *const verdict_words[] = {"PASS",  "FAIL",        "WARN",     "INFO",    "XFAIL",
                                     "XPASS", "UNSUPPORTED", "UNPROVEN", "UNKNOWN", NULL};
static_assert(COUNT(verdict_words) == VERDICT_COUNT + 1, "one word per verdict");

bool subject_has(const struct subject_facts *facts, const char *feature)
{
    for (size_t i = 0; i < facts->feature_count; i++)
        if (strcmp(facts->features[i], feature) == 0)
            return true;
    return false;
}

/* One judgement under way. */
struct bench {
    struct arena *arena;
    const struct verdict_question *q;
    struct verdict *out;
    const struct clause *strictest; /* of those covered; NULL: none is known, so MUST */
    size_t step;                    /* that is looked at */
};

static bool is_should(const struct clause *clause)
{
    return clause != NULL && strncmp(clause->level, "SHOULD", 6) == 0;
}

static double seconds_of(const struct journal_event *event)
{
    return (double)event->at_us / 1e6;
}

/* A difference that no level of a clause softens. */
static bool fails(struct bench *b, struct srcpos at, const struct journal_event *proof, const char *note,
                  const char *sentence)
{
    b->out->kind = VERDICT_FAIL;
    b->out->sentence = sentence;
    b->out->at = at;
    b->out->proof = proof;
    b->out->note = note;
    return true;
}

/* A difference: FAIL, or WARN where every clause concerned is no more than a SHOULD. */
static bool differs(struct bench *b, struct srcpos at, const struct journal_event *proof, const char *note,
                    const char *sentence)
{
    fails(b, at, proof, note, sentence);
    if (b->strictest != NULL) {
        b->out->clause = b->strictest->id;
        b->out->level = b->strictest->level;
    }
    b->out->kind = is_should(b->strictest) ? VERDICT_WARN : VERDICT_FAIL;
    return true;
}

static bool unknown(struct bench *b, struct srcpos at, const char *sentence)
{
    b->out->kind = VERDICT_UNKNOWN;
    b->out->sentence = sentence;
    b->out->at = at;
    return true;
}

static const char *came_at(struct bench *b, const char *what, const struct journal_event *event)
{
    return arena_printf(b->arena, "%s came at +%.3f s", what, seconds_of(event));
}

/* ---- what a delivery that must not be was like ---- */

static const struct journal_event *hit_of(const struct bench *b, const struct verdict_step *step,
                                          const struct plan_defect *defect)
{
    for (size_t i = step->from; i < step->until; i++) {
        const struct journal_event *event = journal_at(b->q->journal, i);
        if (event->kind == JOURNAL_FAULT_HIT && strcmp(journal_get(event, "id"), defect->id) == 0)
            return event;
    }
    return NULL;
}

static const char *phrase_tlsa(struct bench *b, const struct plan_defect *defect, const struct journal_event *hit,
                               bool clear)
{
    bool planted = hit == NULL || strstr(journal_get(hit, "fault"), "planted") != NULL;
    if (!planted)
        return arena_printf(b->arena, "although the TLSA lookup had failed (%s)", defect->what);
    return arena_printf(b->arena,
                        clear ? "in clear, although the host has secure TLSA records (%s)"
                              : "over TLS that DANE had not authenticated (%s)",
                        defect->what);
}

static const char *phrase_certificate(struct bench *b, const struct plan_defect *defect, bool dane)
{
    return arena_printf(b->arena,
                        dane ? "over TLS that DANE had not authenticated (%s)"
                             : "over TLS with a certificate that the MTA-STS policy forbids (%s)",
                        defect->what);
}

static const char *phrase_of(struct bench *b, const struct verdict_step *step, const struct plan_defect *defect,
                             bool clear)
{
    bool dane = mode_dane(b->q->mode) != MODE_DANE_NONE, sts = mode_sts(b->q->mode) != MODE_STS_NONE;
    switch (defect->mechanism) {
    case MECHANISM_TLSA:
        return dane ? phrase_tlsa(b, defect, hit_of(b, step, defect), clear) : NULL;
    case MECHANISM_CERTIFICATE:
        return dane || sts ? phrase_certificate(b, defect, dane && !sts) : NULL;
    case MECHANISM_STS:
        return sts ? arena_printf(b->arena, "although the MTA-STS policy in force forbids it (%s)", defect->what)
                   : NULL;
    case MECHANISM_SMTP:
        return clear && (dane || sts)
                   ? arena_printf(b->arena, "in clear, although TLS was demanded (%s)", defect->what)
                   : arena_printf(b->arena, "%s, although %s", clear ? "in clear" : "over TLS", defect->what);
    case MECHANISM_DNS:
        return arena_printf(b->arena, "although DNS had failed (%s)", defect->what);
    }
    return NULL;
}

/* Did DNS have TLSA records for the sender, which begin with their usage? */
static bool was_told_tlsa(const struct bench *b, const struct verdict_step *step)
{
    for (size_t i = step->from; i < step->until; i++) {
        const struct journal_event *event = journal_at(b->q->journal, i);
        if (event->kind == JOURNAL_DNS_ANSWER && strcmp(journal_get(event, "qtype"), "TLSA") == 0 &&
            isdigit((unsigned char)journal_get(event, "answer")[0]))
            return true;
    }
    return false;
}

/* What was wrong about sending: the mode's own rule first, then the defects of the world. */
static const char *what_was_wrong(struct bench *b, const struct verdict_step *step, bool clear)
{
    if (clear && mode_dane(b->q->mode) == MODE_DANE_MANDATORY)
        return "in clear, although DANE is mandatory and only an authenticated channel will do";
    for (size_t i = 0; i < step->plan->defect_count; i++) {
        const char *phrase = phrase_of(b, step, &step->plan->defects[i], clear);
        if (phrase != NULL)
            return phrase;
    }
    if (mode_dane(b->q->mode) == MODE_DANE_MANDATORY && !was_told_tlsa(b, step))
        return "over a channel that DANE had not authenticated, although DANE is mandatory";
    return clear ? "in clear, which must not be here" : "over TLS, although that host must not get it";
}

static const char *wrong_sending(struct bench *b, const struct verdict_step *step, const struct journal_event *event,
                                 const char *did)
{
    bool clear = strcmp(journal_get(event, "channel"), "clear") == 0;
    return arena_printf(b->arena, "%s %s %s %s.", b->q->subject->name, did, event->host,
                        what_was_wrong(b, step, clear));
}

/* ---- the course of the message ---- */

/* The first delivery of the step's message; NULL: none. */
static const struct journal_event *delivery(const struct bench *b, size_t step)
{
    return verdict_delivery(b->q, step, NULL);
}

/* COURSE_UNSAID of none. */
static enum message_course first_of(unsigned courses)
{
    enum message_course course = COURSE_UNSAID;
    while (courses != 0 && !(courses >> course & 1))
        course++;
    return course;
}

/* Which courses were right for whom: for everybody, or for one recipient. */
struct wish {
    const char *whom; /* NULL: everybody */
    unsigned accept;
    struct srcpos at;
};

static const char *course_sentence(struct bench *b, const struct wish *wish, const struct verdict_status *held,
                                   enum message_course got, const char *wanted)
{
    const char *name = b->q->subject->name;
    const char *to = wish->whom != NULL ? arena_printf(b->arena, " to %s", wish->whom) : "";
    if (got == COURSE_UNSAID)
        return arena_printf(b->arena, "%s lost the message%s: neither delivered, nor queued, nor reported.", name, to);
    if (got == COURSE_DEFERRED)
        return arena_printf(b->arena, "%s kept the message%s in the queue%s%s; it had to be %s.", name, to,
                            held != NULL && held->reason[0] != '\0' ? ", saying: " : "",
                            held != NULL ? held->reason : "", wanted);
    if (got == COURSE_BOUNCED)
        return arena_printf(b->arena, "%s gave the message%s up and reported a failure at once; it had to be %s.", name,
                            to, wanted);
    return arena_printf(b->arena, "%s delivered the message%s; it had to be %s.", name, to, wanted);
}

/* ---- the stages; true: the verdict stands ---- */

/* Whatever the scenario says: delivered wrongly, or in clear where only an authenticated channel will do. */
static bool judge_misdelivery(struct bench *b)
{
    const struct journal_event *proof = NULL;
    const char *did = verdict_misdelivery(b->arena, b->q, &proof);
    return did != NULL && fails(b, b->q->scenario->at, proof, came_at(b, "it", proof),
                                arena_printf(b->arena, "%s %s.", b->q->subject->name, did));
}

/* How it was sent, or what was asked. A message says nothing of its manner, so the word does. */
static const char *forbidden_manner(struct bench *b, const struct expect_line *line, const struct journal_event *event)
{
    bool message = event->kind == JOURNAL_MX_MESSAGE;
    return arena_printf(b->arena, "%s did what it must never do here: %s%s%s%s.", b->q->subject->name,
                        journal_sentence(b->arena, event), message ? " (" : "", message ? line->row->word : "",
                        message ? ")" : "");
}

/* That it was sent: the message itself, where that was the end of it. */
static const char *forbidden_sending(struct bench *b, size_t index, const struct journal_event *event)
{
    const struct verdict_step *step = &b->q->steps[index];
    const struct journal_event *message = delivery(b, index);
    if (message != NULL && text_name_equal(message->host, event->host))
        event = message;
    return wrong_sending(b, step, event,
                         event->kind == JOURNAL_MX_MESSAGE ? "sent the message to" : "began to send the message to");
}

static bool judge_forbidden_lines(struct bench *b, size_t index, const struct expectation *e)
{
    const struct verdict_step *step = &b->q->steps[index];
    for (size_t i = 0; i < e->line_count; i++) {
        const struct expect_line *line = &e->lines[i];
        const struct journal_event *event =
            line->forbidden
                ? expect_seen(b->q->journal, step->from, step->until, line->row, line->host, step->plan->sender_domain)
                : NULL;
        if (event == NULL)
            continue;
        bool sending = !line->row->manner && (event->kind == JOURNAL_MX_COMMAND || event->kind == JOURNAL_MX_MESSAGE);
        return differs(b, line->at, event, came_at(b, line->row->word, event),
                       sending ? forbidden_sending(b, index, event) : forbidden_manner(b, line, event));
    }
    return false;
}

static bool in_clear(const struct journal_event *message)
{
    return strcmp(journal_get(message, "channel"), "clear") == 0;
}

/* Must the message not be delivered, to one of these recipients or at all? Where that stands as *at. */
static bool forbids(const struct expectation *e, const struct journal_event *message, struct srcpos *at)
{
    *at = e->message_at;
    if (e->accept != 0 && !(e->accept & (1u << COURSE_DELIVERED)))
        return true;
    for (size_t i = 0; i < e->recipient_count; i++) {
        const struct expect_recipient *r = &e->recipients[i];
        *at = r->at;
        if (!(r->accept & (1u << COURSE_DELIVERED)) && verdict_lists(message, r->address))
            return true;
    }
    return false;
}

static bool judge_forbidden_delivery(struct bench *b, size_t index, const struct expectation *e)
{
    const struct verdict_step *step = &b->q->steps[index];
    bool mandatory = mode_dane(b->q->mode) == MODE_DANE_MANDATORY;
    for (const struct journal_event *message = NULL; (message = verdict_delivery(b->q, index, message)) != NULL;) {
        struct srcpos at;
        bool forbidden = forbids(e, message, &at);
        bool wrong_channel = in_clear(message) && (e->channel == 2 || mandatory);
        if (!forbidden && !wrong_channel)
            continue;
        const char *sentence = wrong_sending(b, step, message, "sent the message to");
        const char *note = came_at(b, "the message", message);
        if (in_clear(message) && mandatory)
            return fails(b, forbidden ? at : e->at, message, note, sentence);
        return differs(b, forbidden ? at : e->channel_at, message, note, sentence);
    }
    return false;
}

static bool judge_forbidden_defects(struct bench *b, const struct verdict_step *step, const struct expectation *e)
{
    for (size_t i = 0; i < step->plan->defect_count; i++) {
        const struct plan_defect *defect = &step->plan->defects[i];
        const struct journal_event *hit = hit_of(b, step, defect);
        if (hit == NULL || plan_hit_rule(defect, b->q->mode, e) != HIT_NEVER)
            continue;
        return differs(b, e->at, hit, came_at(b, "it", hit),
                       arena_printf(b->arena, "%s met what this mode never looks at: %s.", b->q->subject->name,
                                    defect->what));
    }
    return false;
}

static bool judge_submission(struct bench *b, const struct verdict_step *step, const struct expectation *e)
{
    for (size_t i = step->from; i < step->until; i++) {
        const struct journal_event *event = journal_at(b->q->journal, i);
        if (event->kind == JOURNAL_LAB_SUBMIT && strcmp(journal_get(event, "accepted"), "no") == 0)
            return unknown(b, e->at,
                           arena_printf(b->arena, "%s did not take the message that the lab submitted: %s",
                                        b->q->subject->name, journal_get(event, "reply")));
    }
    return false;
}

/* Where the adapter says in this step that the message waits; NULL: nowhere. */
static const struct journal_event *told_of(const struct bench *b, size_t index, const struct verdict_status *held)
{
    const struct verdict_step *step = &b->q->steps[index];
    for (size_t i = step->from; held != NULL && i < step->until; i++) {
        const struct journal_event *event = journal_at(b->q->journal, i);
        if (event->kind == JOURNAL_SUBJECT_STATUS && strcmp(journal_get(event, "recipient"), held->recipient) == 0 &&
            strcmp(journal_get(event, "state"), held->state) == 0)
            return event;
    }
    return NULL;
}

static bool judge_wish(struct bench *b, size_t index, const struct wish *wish, const char *wanted,
                       struct verdict_course *course)
{
    verdict_course(b->arena, b->q, index, wish->whom, course);
    unsigned wrong = course->got & ~wish->accept;
    enum message_course got = first_of(wrong != 0 ? wrong : course->got);
    const struct journal_event *proof = got == COURSE_BOUNCED    ? course->report
                                        : got == COURSE_DEFERRED ? told_of(b, index, course->held)
                                                                 : delivery(b, index);
    const char *sentence = course_sentence(b, wish, course->held, got, wanted);
    if (wrong != 0 && got == COURSE_UNSAID)
        return fails(b, wish->at, NULL, NULL, sentence);
    if (wrong != 0)
        return differs(b, wish->at, proof, NULL, sentence);
    return course->contradiction != NULL &&
           fails(b, wish->at, proof, NULL,
                 arena_printf(b->arena, "%s %s.", b->q->subject->name, course->contradiction));
}

static bool judge_recipients(struct bench *b, size_t index, const struct expectation *e)
{
    struct verdict_course course;
    for (size_t i = 0; i < e->recipient_count; i++) {
        const struct expect_recipient *r = &e->recipients[i];
        const struct wish wish = {r->address, r->accept, r->at};
        if (judge_wish(b, index, &wish, message_course_words[first_of(r->accept)], &course))
            return true;
    }
    return false;
}

/* What the declared reading allows; everything that is accepted where none is declared. */
static unsigned declared(const struct bench *b, const struct expectation *e, const char **word)
{
    const struct subject_facts *subject = b->q->subject;
    *word = e->reading != NULL && subject->reading != NULL ? subject->reading(subject->reading_arg, e->reading) : NULL;
    for (size_t i = 0; *word != NULL && i < e->reading_count; i++)
        if (strcmp(e->readings[i].word, *word) == 0)
            return e->readings[i].accept;
    return e->accept;
}

/* Where there is room: what was chosen, and whether the sender's adapter says so. */
static void note_choice(struct bench *b, unsigned got, const struct expectation *e)
{
    const char *name = b->q->subject->name, *word;
    bool as_declared = (got & ~declared(b, e, &word)) == 0;
    unsigned others = got & ~(1u << e->preferred);
    if ((others == 0 && as_declared) || b->out->kind == VERDICT_WARN)
        return;
    const char *chosen = message_course_words[first_of(others != 0 ? others : got)];
    b->out->kind = as_declared ? VERDICT_INFO : VERDICT_WARN;
    b->out->at = e->message_at;
    if (!as_declared)
        b->out->sentence =
            arena_printf(b->arena, "%s declares '%s: %s', and the message was %s.", name, e->reading, word, chosen);
    else
        b->out->sentence =
            arena_printf(b->arena, "%s chose %s where the RFCs leave room (%s)%s; the first choice is %s.", name,
                         chosen, e->latitude != NULL ? e->latitude : e->reading, word != NULL ? ", as it declares" : "",
                         message_course_words[e->preferred]);
}

static bool judge_course(struct bench *b, size_t index, const struct expectation *e)
{
    struct verdict_course course;
    if (verdict_sent(b->q, index) == NULL)
        return false;
    if (e->recipient_count > 0)
        return judge_recipients(b, index, e);
    const struct wish wish = {NULL, e->accept, e->message_at};
    if (e->accept == 0)
        return false;
    if (judge_wish(b, index, &wish, message_course_words[e->preferred], &course))
        return true;
    if (e->latitude != NULL || e->reading != NULL)
        note_choice(b, course.got, e);
    return false;
}

static bool judge_channel(struct bench *b, size_t index, const struct expectation *e)
{
    for (const struct journal_event *message = NULL; (message = verdict_delivery(b->q, index, message)) != NULL;)
        if (e->channel == 1 && !in_clear(message))
            return differs(b, e->channel_at, message, NULL,
                           arena_printf(b->arena, "%s used TLS where the message had to go in clear.",
                                        b->q->subject->name));
    return false;
}

static bool judge_required_lines(struct bench *b, const struct verdict_step *step, const struct expectation *e)
{
    for (size_t i = 0; i < e->line_count; i++) {
        const struct expect_line *line = &e->lines[i];
        if (line->forbidden || expect_seen(b->q->journal, step->from, step->until, line->row, line->host,
                                           step->plan->sender_domain) != NULL)
            continue;
        return differs(b, line->at, NULL, "never seen",
                       arena_printf(b->arena, "%s left out what had to be seen%s%s: %s.", b->q->subject->name,
                                    line->host != NULL ? " at " : "", line->host != NULL ? line->host : "",
                                    line->row->doc));
    }
    return false;
}

/* What the adapter says of a recipient of the step's message: of one that waits, where there is one. */
static const struct verdict_status *told(const struct bench *b, size_t index)
{
    const struct verdict_step *sent = verdict_sent(b->q, index), *step = &b->q->steps[index];
    const struct verdict_status *first = NULL;
    for (size_t i = 0; sent != NULL && i < step->status_count; i++)
        for (size_t r = 0; r < sent->recipient_count; r++) {
            if (strcasecmp(step->status[i].recipient, sent->recipients[r]) != 0)
                continue;
            if (strcmp(step->status[i].state, "queued") == 0)
                return &step->status[i];
            first = first != NULL ? first : &step->status[i];
        }
    return first;
}

static bool judge_code(struct bench *b, size_t index, const struct expectation *e)
{
    if (e->code == NULL)
        return false;
    if (!subject_has(b->q->subject, "exchange-codes")) {
        b->out->partly = "the status code: this subject does not use Exchange's";
        return false;
    }
    const struct verdict_status *status = told(b, index);
    const char *code = status != NULL ? status->code : "(none)";
    if (strcmp(code, e->code) == 0)
        return false;
    return differs(b, e->code_at, NULL, arena_printf(b->arena, "it was %s", code),
                   arena_printf(b->arena, "%s gave status %s; it had to be %s.", b->q->subject->name, code, e->code));
}

/* ---- TLS reports ---- */

/* What is wrong with a report's form, at the level of the clause that it breaks. */
static bool flawed(struct bench *b, struct srcpos at, const char *clause, const char *sentence)
{
    const struct clause *found = b->q->clauses != NULL && clause != NULL ? clauses_find(b->q->clauses, clause) : NULL;
    fails(b, at, NULL, NULL, sentence);
    b->out->clause = clause;
    b->out->level = found != NULL ? found->level : NULL;
    b->out->kind = is_should(found) ? VERDICT_WARN : VERDICT_FAIL;
    return true;
}

static bool judge_form(struct bench *b, const struct verdict_step *step, struct srcpos at)
{
    for (size_t i = 0; i < step->report_count; i++)
        for (size_t k = 0; k < step->reports[i].flaws.count; k++) {
            const struct tls_report_flaw *f = &step->reports[i].flaws.items[k];
            return flawed(b, at, f->clause,
                          arena_printf(b->arena, "%s sent a TLS report that is not in order: %s.", b->q->subject->name,
                                       f->what));
        }
    return false;
}

static bool judge_ids(struct bench *b, struct srcpos at)
{
    for (size_t i = 0; i < b->q->step_count; i++)
        for (size_t k = 0; k < b->q->steps[i].report_count; k++)
            for (size_t j = 0; j <= i; j++)
                for (size_t l = 0; l < (j < i ? b->q->steps[j].report_count : k); l++) {
                    const struct tls_report *one = &b->q->steps[i].reports[k], *other = &b->q->steps[j].reports[l];
                    bool same_day = one->begins == other->begins && one->by_mail != other->by_mail;
                    if (strcmp(one->id, other->id) == 0 && !same_day)
                        return flawed(b, at, "8460-4.4-3",
                                      arena_printf(b->arena, "%s used one report-id for two TLS reports.",
                                                   b->q->subject->name));
                }
    return false;
}

static bool lists_word(const struct schema_texts *texts, const char *word)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], word) == 0)
            return true;
    return false;
}

static const char *words_of(struct arena *arena, const struct schema_texts *texts)
{
    const char *list = "";
    for (size_t i = 0; i < texts->count; i++)
        list = arena_printf(arena, "%s%s%s", list, i > 0 ? " or " : "", texts->items[i]);
    return list;
}

static bool is_recipients_domain(const struct verdict_step *sent, const char *domain)
{
    for (size_t i = 0; sent != NULL && i < sent->recipient_count; i++) {
        const char *at = strrchr(sent->recipients[i], '@');
        if (at != NULL && text_name_equal(at + 1, domain))
            return true;
    }
    return false;
}

/* Is the recipient's domain given where the TLSA base domain belongs? Names of hosts are many: aliases, wildcards. */
static bool is_no_base_domain(const struct plan *plan, const char *name)
{
    const struct world_name *domain = world_find(plan->world, name);
    for (size_t i = 0; i < plan->mx.host_count; i++)
        if (text_name_equal(plan->mx.hosts[i].name, name))
            return false;
    return domain != NULL && domain->mx.count > 0;
}

static bool fits(const struct expect_report *wanted, const struct tls_report *report,
                 const struct tls_report_entry *entry)
{
    return lists_word(&wanted->policy, entry->policy) &&
           (wanted->domain == NULL || text_name_equal(wanted->domain, entry->domain)) &&
           (wanted->by == NULL || (strcmp(wanted->by, "mail") == 0) == report->by_mail);
}

/* 8460-1.1-1, 8460-4.4-10: whom the entry is about, and whom its failures were with. */
static bool judge_names(struct bench *b, const struct verdict_step *step, const struct verdict_step *sent,
                        const struct tls_report_entry *entry, const struct expect_report *wanted, struct srcpos at)
{
    bool tlsa = strcmp(entry->policy, "tlsa") == 0, recipients = is_recipients_domain(sent, entry->domain);
    bool right =
        wanted->domain != NULL || (tlsa ? !(recipients && is_no_base_domain(step->plan, entry->domain)) : recipients);
    for (size_t i = 0; i < entry->details.count; i++) {
        const char *mx = entry->details.items[i].mx;
        if (*mx != '\0' && world_find(step->plan->world, mx) == NULL)
            return flawed(b, at, "8460-4.4-10",
                          arena_printf(b->arena, "%s reported a session with %s, which is no MX host.",
                                       b->q->subject->name, mx));
    }
    if (right)
        return false;
    flawed(b, at, "8460-1.1-1",
           arena_printf(b->arena, "%s reported %s under the policy-domain %s.", b->q->subject->name, entry->policy,
                        entry->domain));
    if (tlsa && recipients)
        b->out->kind = VERDICT_WARN; /* L32: much software does */
    return true;
}

static bool is_within(const char *range, int64_t count)
{
    int64_t least, most;
    return expect_range(range, &least, &most) && count >= least && count <= most;
}

struct tally {
    int64_t success, failure;
    size_t entries, accepted; /* accepted: failure details with a result that is */
    const char *other;        /* a result that is not */
};

static void tally_entry(const struct expect_report *wanted, const struct tls_report_entry *entry, struct tally *tally)
{
    tally->entries++;
    tally->success += entry->success;
    tally->failure += entry->failure;
    for (size_t i = 0; i < entry->details.count; i++)
        if (lists_word(&wanted->result, entry->details.items[i].result))
            tally->accepted++;
        else
            tally->other = entry->details.items[i].result;
}

/* Two endpoints may have got the same report: those of one way are looked at. */
static struct tally tally_step(const struct verdict_step *step, const struct expect_report *wanted)
{
    struct tally tally = {0};
    bool mail = false;
    for (size_t i = 0; i < step->report_count; i++)
        mail = mail || step->reports[i].by_mail;
    for (size_t i = 0; i < step->report_count; i++)
        for (size_t k = 0; k < step->reports[i].entries.count; k++)
            if (fits(wanted, &step->reports[i], &step->reports[i].entries.items[k]) &&
                (wanted->by != NULL || step->reports[i].by_mail == mail))
                tally_entry(wanted, &step->reports[i].entries.items[k], &tally);
    return tally;
}

/* What is wrong with the numbers; NULL: nothing. */
static const char *trouble_with_tally(struct bench *b, const struct expect_report *wanted, const struct tally *tally)
{
    bool may_be_fine = lists_word(&wanted->result, "none"), fine = wanted->result.count == 0;
    const char *what = words_of(b->arena, &wanted->policy);
    if (tally->entries == 0)
        return wanted->optional || may_be_fine
                   ? NULL
                   : arena_printf(b->arena, "left the sessions under %s out of its TLS report", what);
    if (tally->other != NULL)
        return arena_printf(b->arena, "reported %s under %s; it had to be %s", tally->other, what,
                            fine ? "a success" : words_of(b->arena, &wanted->result));
    if (!fine && !may_be_fine && tally->accepted == 0)
        return arena_printf(b->arena, "reported no failure under %s; it had to be %s", what,
                            words_of(b->arena, &wanted->result));
    const char *success = wanted->success != NULL ? wanted->success : fine ? "1-1000000" : "0-1000000";
    const char *failure = wanted->failure != NULL ? wanted->failure : fine ? "0" : "0-1000000";
    if (!is_within(success, tally->success))
        return arena_printf(b->arena, "reported %lld successful sessions under %s", (long long)tally->success, what);
    if (!is_within(failure, tally->failure))
        return arena_printf(b->arena, "reported %lld failed sessions under %s", (long long)tally->failure, what);
    return NULL;
}

/* An entry that no expectation is about. */
static bool judge_surplus(struct bench *b, const struct verdict_step *step, const struct verdict_step *sent,
                          const struct expectation *e)
{
    for (size_t i = 0; i < step->report_count; i++)
        for (size_t k = 0; k < step->reports[i].entries.count; k++) {
            const struct tls_report_entry *entry = &step->reports[i].entries.items[k];
            const struct expect_report *wanted = NULL;
            for (size_t j = 0; j < e->report_count && wanted == NULL; j++)
                if (fits(&e->reports[j], &step->reports[i], entry))
                    wanted = &e->reports[j];
            if (wanted == NULL)
                return differs(b, e->report_at, NULL, NULL,
                               arena_printf(b->arena, "%s reported %s for %s, which must not be here.",
                                            b->q->subject->name, entry->policy, entry->domain));
            if (judge_names(b, step, sent, entry, wanted, e->report_at))
                return true;
        }
    return false;
}

static bool judge_reports(struct bench *b, size_t index, const struct expectation *e)
{
    const struct verdict_step *step = &b->q->steps[index], *sent = verdict_sent(b->q, index);
    if (e->report_count == 0)
        return false;
    if (!subject_has(b->q->subject, "tls-rpt")) {
        b->out->partly = "the TLS reports: this subject sends none";
        return false;
    }
    if (e->reports[0].none)
        return step->report_count > 0 &&
               differs(b, e->report_at, NULL, NULL,
                       arena_printf(b->arena, "%s sent a TLS report that nobody had asked for: %s.",
                                    b->q->subject->name, tls_report_summary(b->arena, &step->reports[0])));
    for (size_t i = 0; i < e->report_count; i++) {
        struct tally tally = tally_step(step, &e->reports[i]);
        const char *trouble = trouble_with_tally(b, &e->reports[i], &tally);
        if (trouble != NULL)
            return differs(b, e->report_at, NULL, NULL, arena_printf(b->arena, "%s %s.", b->q->subject->name, trouble));
    }
    return judge_surplus(b, step, sent, e) || judge_form(b, step, e->report_at) || judge_ids(b, e->report_at);
}

/* Was the question asked at all by which this defect is found? Where asking is the sender's duty, not asking is
 * a difference. */
static bool asked_for(struct bench *b, const struct verdict_step *step, enum plan_mechanism mechanism)
{
    const char *word = mechanism == MECHANISM_TLSA ? "tlsa-query" : mechanism == MECHANISM_STS ? "mta-sts-query" : NULL;
    return word == NULL || expect_seen(b->q->journal, 0, step->until, expect_find(EXPECT_DNS, word), NULL,
                                       step->plan->sender_domain) != NULL;
}

/* All steps in which this plan was in force, seen as one. */
static struct verdict_step span_of(const struct bench *b, size_t step)
{
    struct verdict_step span = b->q->steps[step];
    for (size_t i = 0; i < b->q->step_count; i++) {
        if (b->q->steps[i].plan != span.plan)
            continue;
        span.from = b->q->steps[i].from < span.from ? b->q->steps[i].from : span.from;
        span.until = b->q->steps[i].until > span.until ? b->q->steps[i].until : span.until;
    }
    return span;
}

static bool judge_defects(struct bench *b, size_t index, const struct expectation *e)
{
    struct verdict_step span = span_of(b, index), *step = &span;
    for (size_t i = 0; i < step->plan->defect_count; i++) {
        const struct plan_defect *defect = &step->plan->defects[i];
        if (!defect->visible || plan_hit_rule(defect, b->q->mode, e) != HIT_MUST || hit_of(b, step, defect) != NULL)
            continue;
        if (asked_for(b, step, defect->mechanism))
            return unknown(b, defect->at,
                           arena_printf(b->arena, "the defect was never met, so nothing is proven: %s.", defect->what));
        return differs(b, defect->at, NULL, "never asked for",
                       arena_printf(b->arena, "%s never asked for what it has to ask in this mode: %s.",
                                    b->q->subject->name, defect->what));
    }
    return false;
}

/* A pass names the first clause covered; a difference the first that is more than a SHOULD, if there is one. */
static void name_clauses(struct bench *b)
{
    const struct verdict_question *q = b->q;
    const struct schema_texts *covers = &q->scenario->covers;
    if (covers->count == 0)
        return;
    const struct clause *first = q->clauses != NULL ? clauses_find(q->clauses, covers->items[0]) : NULL;
    b->out->clause = covers->items[0];
    b->out->level = first != NULL ? first->level : NULL;
    b->strictest = first;
    for (size_t i = 1; i < covers->count && is_should(b->strictest); i++)
        b->strictest = clauses_find(q->clauses, covers->items[i]);
}

static const struct expectation *expected(const struct bench *b, size_t step)
{
    return scenario_expects(&b->q->scenario->steps[step], b->q->mode);
}

/* Forbidden evidence is a difference whatever else happened, the lab's own trouble included. */
static bool judge_forbidden(struct bench *b)
{
    bool found = false;
    for (size_t i = 0; i < b->q->step_count && !found; i++) {
        const struct expectation *e = expected(b, i);
        b->step = i;
        found = e != NULL && (judge_forbidden_lines(b, i, e) || judge_forbidden_delivery(b, i, e) ||
                              judge_forbidden_defects(b, &b->q->steps[i], e));
    }
    return b->out->kind == VERDICT_FAIL || judge_misdelivery(b) || found;
}

static bool judge_rest(struct bench *b)
{
    for (size_t i = 0; i < b->q->step_count; i++) {
        const struct expectation *e = expected(b, i);
        const struct verdict_step *step = &b->q->steps[i];
        b->step = i;
        if (e != NULL && (judge_submission(b, step, e) || judge_course(b, i, e) || judge_channel(b, i, e) ||
                          judge_required_lines(b, step, e) || judge_code(b, i, e) || judge_reports(b, i, e)))
            return true;
    }
    for (size_t i = 0; i < b->q->step_count; i++)
        if (expected(b, i) != NULL && judge_defects(b, i, expected(b, i)))
            return true;
    return false;
}

/* What no sender may do in any case; nothing where the scenario has found a difference of its own. */
static bool judge_always(struct bench *b)
{
    struct verdict_breach breach;
    bool fine = b->out->kind == VERDICT_PASS || b->out->kind == VERDICT_INFO;
    if (!fine || !verdict_breach(b->q, &breach))
        return false;
    flawed(b, b->q->scenario->at, breach.clause, arena_printf(b->arena, "%s %s.", b->q->subject->name, breach.did));
    b->out->proof = breach.proof;
    b->out->note = came_at(b, "it", breach.proof);
    return true;
}

/* What the lab itself could not do: told by who ran the case, or witnessed by a fake. NULL: all went well. */
static const char *trouble_of(const struct verdict_question *q)
{
    for (size_t i = 0; q->trouble == NULL && i < journal_count(q->journal); i++)
        if (journal_at(q->journal, i)->kind == JOURNAL_LAB_TROUBLE)
            return journal_get(journal_at(q->journal, i), "what");
    return q->trouble;
}

static void judge(struct bench *b)
{
    const struct verdict_question *q = b->q;
    if (judge_forbidden(b))
        return;
    const char *trouble = trouble_of(q);
    if (trouble != NULL)
        unknown(b, q->scenario->at, arena_printf(b->arena, "the lab itself failed: %s", trouble));
    else if (journal_full(q->journal))
        unknown(b, q->scenario->at, "the journal is full: the sender did more than can be witnessed");
    else if (q->step_count < q->scenario->step_count)
        unknown(b, q->scenario->at, "the course of the scenario was not followed to its end");
    else if (!judge_rest(b))
        judge_always(b);
}

void verdict_judge(struct arena *arena, const struct verdict_question *question, struct verdict *out)
{
    struct bench b = {.arena = arena, .q = question, .out = out};
    *out = (struct verdict){.kind = VERDICT_PASS, .sentence = question->scenario->says};
    name_clauses(&b);
    judge(&b);
    struct verdict_course course = {0};
    if (question->step_count > 0)
        verdict_course(arena, question, b.step, NULL, &course);
    out->courses = course.got;
}
