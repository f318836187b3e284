/* SPDX-License-Identifier: BSD-2-Clause
 * The rules that a scenario keeps beyond its keys: what is expected covers every mode once, what is named exists, a
 * base differs in one thing. */
#include <string.h>
#include <strings.h>

#include "base/table.h"
#include "base/text.h"
#include "fakedns/fakedns.h"
#include "harness/expect.h"
#include "harness/scenario_internal.h"
#include "harness/subject.h"

struct checking {
    struct arena *arena; /* scratch */
    const struct scenario_check *check;
    struct diag_list *diags;
    const struct scenario *scenario;
};

/* --- names of other catalogues --------------------------------------------------------------------------------- */

static const char *clause_id_at(const void *rows, size_t i)
{
    const struct clause *clause = clauses_at(rows, i);
    return clause != NULL ? clause->id : NULL;
}

static void check_covers(struct checking *c)
{
    const struct schema_texts *covers = &c->scenario->covers;
    for (size_t i = 0; c->check->clauses != NULL && i < covers->count; i++)
        if (clauses_find(c->check->clauses, covers->items[i]) == NULL)
            diag_error(c->diags, covers->at[i], "no clause has the id '%s'%s", covers->items[i],
                       scenario_did_you_mean(c->arena,
                                             table_nearest(covers->items[i], clause_id_at, c->check->clauses)));
}

static void check_needs(struct checking *c)
{
    const struct schema_texts *needs = &c->scenario->needs;
    for (size_t i = 0; i < needs->count; i++) {
        size_t k = 0;
        while (scenario_feature_words[k] != NULL && strcmp(scenario_feature_words[k], needs->items[i]) != 0)
            k++;
        if (scenario_feature_words[k] == NULL)
            diag_error(c->diags, needs->at[i], "no feature of a sender is called '%s'%s", needs->items[i],
                       scenario_did_you_mean(c->arena, table_nearest_word(needs->items[i], scenario_feature_words)));
    }
}

static const char *fault_name_at(const void *rows UNUSED, size_t i)
{
    const struct dns_fault_info *fault = fakedns_fault_at(i);
    return fault != NULL ? fault->name : NULL;
}

static void check_dns_fault(struct checking *c, const struct world_dns_fault *said)
{
    if (said->fault == NULL)
        return;
    const struct dns_fault_info *fault = fakedns_fault_find(said->fault);
    if (fault == NULL)
        diag_error(c->diags, said->at, "no DNS fault is called '%s'%s", said->fault,
                   scenario_did_you_mean(c->arena, table_nearest(said->fault, fault_name_at, NULL)));
    else if (fault->zone_wide_only && (said->type != NULL || said->owner != NULL))
        diag_error(c->diags, said->at, "'%s' spoils a whole zone; it takes no type and no owner", said->fault);
    if (said->nth < 0)
        diag_error(c->diags, said->at, "'nth' counts attempts from 1");
}

/* --- the world ------------------------------------------------------------------------------------------------- */

static const char *world_name_at(const void *rows, size_t i)
{
    const struct world *world = rows;
    return i < world->count ? world->names[i].name : NULL;
}

static bool looks_like_address(const char *text)
{
    return text[strspn(text, "0123456789.")] == '\0' || strchr(text, ':') != NULL;
}

static void check_mx(struct checking *c, const struct world *world, const struct world_name *name)
{
    for (size_t i = 0; i < name->mx.count; i++) {
        const char *host = world_mx_host(name->mx.items[i]);
        bool special = strcmp(host, "null") == 0 || strcmp(host, ".") == 0 || looks_like_address(host) ||
                       text_name_equal(host, SUBJECT_HOSTNAME);
        if (special || world_find(world, host) != NULL)
            continue;
        const char *nearest = table_nearest(host, world_name_at, world);
        if (nearest != NULL)
            diag_error(c->diags, name->mx.at[i], "the world has no '%s'; did you mean '%s'?", host, nearest);
        else
            diag_error(
                c->diags, name->mx.at[i],
                "the world has no '%s'; a well-behaved host is `%s: {}`, one without address `%s: {address: none}`",
                host, host, host);
    }
}

static void check_world(struct checking *c, const struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct world_name *name = &world->names[i];
        check_mx(c, world, name);
        for (size_t k = 0; k < name->dns.count; k++)
            check_dns_fault(c, &((const struct world_dns_fault *)name->dns.items)[k]);
        if (text_name_under(name->name, scenario_sender_domain))
            diag_error(c->diags, name->at, "%s is the sender's own domain and always sound", scenario_sender_domain);
    }
}

/* A domain that does not exist on purpose stands below one that does. */
static bool is_under_world(const struct world *world, const char *domain)
{
    for (size_t i = 0; i < world->count; i++)
        if (text_name_under(domain, world->names[i].name))
            return true;
    return false;
}

/* An address in brackets, or a name in another script: the world has its A-labels. */
static bool is_foreign(const char *domain)
{
    bool ascii = true;
    for (const char *at = domain; *at != '\0'; at++)
        ascii = ascii && (unsigned char)*at < 0x80;
    return domain[0] == '[' || !ascii;
}

static void check_recipients(struct checking *c, const struct scenario_step *step)
{
    for (size_t i = 0; i < step->to.count; i++) {
        const char *at = strrchr(step->to.items[i], '@');
        if (at == NULL || at == step->to.items[i] || at[1] == '\0') {
            diag_error(c->diags, step->to.at[i], "'%s' is no mail address", step->to.items[i]);
            continue;
        }
        const char *nearest = table_nearest(at + 1, world_name_at, step->world);
        if (!is_foreign(at + 1) && !is_under_world(step->world, at + 1) && nearest != NULL)
            diag_warning(c->diags, step->to.at[i], "the world has no '%s'; did you mean '%s'?", at + 1, nearest);
    }
}

/* --- what is expected ------------------------------------------------------------------------------------------ */

static char *mode_list(struct arena *arena, unsigned modes)
{
    char *list = arena_strdup(arena, "");
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        if (modes >> mode & 1)
            list = arena_printf(arena, "%s%s%s", list, *list != '\0' ? "; " : "", mode_text(mode));
    return list;
}

static bool has_text(const struct schema_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcasecmp(texts->items[i], text) == 0)
            return true;
    return false;
}

static void check_expectation(struct checking *c, const struct expectation *e)
{
    if ((e->accept & (e->accept - 1)) != 0 && e->latitude == NULL && e->reading == NULL)
        diag_error(c->diags, e->message_at, "where several courses are accepted, 'latitude' or 'reading' says why");
    if (e->channel != 0 && e->accept != 0 && (e->accept & 1u << COURSE_DELIVERED) == 0)
        diag_error(c->diags, e->channel_at, "'channel' is about a delivered message");
}

/* Each recipient of the message that the step is about, and nobody else. */
static void check_said_recipients(struct checking *c, const struct expectation *e, const struct schema_texts *to)
{
    for (size_t i = 0; i < e->recipient_count; i++)
        if (!has_text(to, e->recipients[i].address))
            diag_error(c->diags, e->recipients[i].at, "the message goes to no '%s'", e->recipients[i].address);
    for (size_t i = 0; e->recipient_count > 0 && i < to->count; i++) {
        bool said = false;
        for (size_t k = 0; k < e->recipient_count; k++)
            said |= strcasecmp(e->recipients[k].address, to->items[i]) == 0;
        if (!said)
            diag_error(c->diags, e->at, "nothing is said of the recipient '%s'", to->items[i]);
    }
}

/* The recipients of the message that was sent last. */
static const struct schema_texts *sent_to(const struct scenario *scenario, const struct scenario_step *step)
{
    while (step->to.count == 0 && step > scenario->steps)
        step--;
    return &step->to;
}

/* No mode twice in a step; the modes seen. */
static unsigned check_coverage(struct checking *c, const struct scenario_step *step)
{
    unsigned seen = 0;
    for (size_t i = 0; i < step->expectation_count; i++) {
        const struct expectation *e = &step->expectations[i];
        if (e->modes == 0) /* its 'when' is wrong, and that was said */
            return c->scenario->modes;
        unsigned modes = e->modes & c->scenario->modes;
        if (modes == 0)
            diag_error(c->diags, e->at, "the scenario is not for %s", mode_list(c->arena, e->modes));
        if ((modes & seen) != 0)
            diag_error(c->diags, e->at, "what is expected is said twice for %s", mode_list(c->arena, modes & seen));
        seen |= modes;
        check_expectation(c, e);
        check_said_recipients(c, e, sent_to(c->scenario, step));
    }
    return seen;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_texts(const struct schema_texts *a, const struct schema_texts *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

static bool same_report(const struct expect_report *a, const struct expect_report *b)
{
    return a->none == b->none && a->optional == b->optional && same_texts(&a->policy, &b->policy) &&
           same_texts(&a->result, &b->result) && same_text(a->success, b->success) &&
           same_text(a->failure, b->failure) && same_text(a->domain, b->domain) && same_text(a->by, b->by);
}

/* Where either is silent about reports the other may say what it likes. */
static bool reports_agree(const struct expectation *a, const struct expectation *b)
{
    bool agree = a->report_count == b->report_count || a->report_count == 0 || b->report_count == 0;
    for (size_t i = 0; agree && i < a->report_count && i < b->report_count; i++)
        agree = same_report(&a->reports[i], &b->reports[i]);
    return agree;
}

static bool courses_agree(unsigned a, unsigned b)
{
    return a == 0 || b == 0 || a == b;
}

/* What is said of a recipient; of all of them where nothing is said of each. */
static unsigned course_of(const struct expectation *e, const char *address)
{
    for (size_t i = 0; i < e->recipient_count; i++)
        if (same_text(e->recipients[i].address, address))
            return e->recipients[i].accept;
    return e->accept;
}

static bool recipients_agree(const struct expectation *a, const struct expectation *b)
{
    bool same = true;
    for (size_t i = 0; same && i < a->recipient_count; i++)
        same = courses_agree(a->recipients[i].accept, course_of(b, a->recipients[i].address));
    for (size_t i = 0; same && i < b->recipient_count; i++)
        same = courses_agree(b->recipients[i].accept, course_of(a, b->recipients[i].address));
    return same;
}

/* Who does not connect does nothing else, and who says no MAIL sends nothing. */
static bool is_part_of(const char *word, const char *whole)
{
    static const char *const parts[] = {"rcpt-to", "data", "message"};
    if (strcmp(word, whole) == 0 || strcmp(whole, "connect") == 0)
        return true;
    for (size_t i = 0; strcmp(whole, "mail-from") == 0 && i < COUNT(parts); i++)
        if (strcmp(word, parts[i]) == 0)
            return true;
    return false;
}

static bool forbids(const struct expect_line *forbidden, const struct expect_line *wanted)
{
    return forbidden->forbidden && !wanted->forbidden && forbidden->row->about == wanted->row->about &&
           (forbidden->host == NULL || same_text(forbidden->host, wanted->host)) &&
           is_part_of(wanted->row->word, forbidden->row->word);
}

/* Must one be seen that the other says must not? */
static bool lines_agree(const struct expectation *a, const struct expectation *b)
{
    for (size_t i = 0; i < a->line_count; i++)
        for (size_t k = 0; k < b->line_count; k++)
            if (forbids(&a->lines[i], &b->lines[k]) || forbids(&b->lines[k], &a->lines[i]))
                return false;
    return true;
}

/* Could one and the same conduct of a sender be what both want? Where the RFCs leave room, as much of it. */
static bool agree(const struct expectation *a, const struct expectation *b)
{
    if (a == NULL || b == NULL)
        return true;
    return courses_agree(a->accept, b->accept) && recipients_agree(a, b) && lines_agree(a, b) && reports_agree(a, b) &&
           (a->channel == b->channel || a->channel == 0 || b->channel == 0) &&
           (same_text(a->code, b->code) || a->code == NULL || b->code == NULL);
}

static bool steps_agree(const struct scenario *a, const struct scenario *b, unsigned mode)
{
    bool same = true;
    for (size_t i = 0; same && i < a->step_count && i < b->step_count; i++)
        same = agree(scenario_expects(&a->steps[i], mode), scenario_expects(&b->steps[i], mode));
    return same;
}

/* A case in which right is what is right in its twin proves nothing by it. */
static void check_against_twin(struct checking *c)
{
    const struct scenario *twin = c->scenario->twin;
    if (twin == NULL || c->scenario->step_count != twin->step_count)
        return;
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        if ((c->scenario->modes & twin->modes) >> mode & 1 && !steps_agree(c->scenario, twin, mode))
            return;
    diag_error(c->diags, c->scenario->at,
               "in every mode what is right in its twin '%s' is right here too; 'twin' names one in which it is not",
               twin->title);
}

/* --- what may be passed by ------------------------------------------------------------------------------------- */

/* Does an expectation say that the host is spoken to, or is not, or how it is with the defects? */
static bool speaks_of(const struct expectation *e, const char *host)
{
    if (e->hit != HIT_DEFAULT)
        return true;
    for (size_t i = 0; i < e->line_count; i++) {
        const struct expect_line *line = &e->lines[i];
        if (line->row->about == EXPECT_HOST && text_name_equal(line->host, host) &&
            (!line->forbidden || strcmp(line->row->word, "connect") == 0))
            return true;
    }
    return false;
}

static bool is_spoken_of(const struct scenario *scenario, const char *host)
{
    for (size_t i = 0; i < scenario->step_count; i++)
        for (size_t k = 0; k < scenario->steps[i].expectation_count; k++)
            if (speaks_of(&scenario->steps[i].expectations[k], host))
                return true;
    return false;
}

static bool is_mail_host(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->count; i++)
        if (world_has_mx(&world->names[i], name))
            return true;
    return false;
}

/* A host's odd certificate or dialogue is met for sure only where something has to be seen of the host (plan_hit.c). */
static void check_met(struct checking *c)
{
    const struct world *world = c->scenario->steps[0].world;
    for (size_t i = 0; i < world->count; i++) {
        const struct world_name *name = &world->names[i];
        bool deaf = name->has_smtp && name->smtp.tcp == MX_TCP_REFUSE; /* nobody can see that anybody came */
        if ((name->has_smtp || name->has_certificate) && !deaf && is_mail_host(world, name->name) &&
            !is_spoken_of(c->scenario, name->name))
            diag_warning(c->diags, c->scenario->at,
                         "nothing says that %s is spoken to, so that its smtp or certificate may never be met; write "
                         "`connect`, `starttls` or `tls` for it, or `faults`",
                         name->name);
    }
}

/* --- the whole ------------------------------------------------------------------------------------------------- */

static void check_course(struct checking *c)
{
    const struct expectation *first = NULL;
    unsigned seen = 0;
    bool sends = false;
    for (size_t i = 0; i < c->scenario->step_count; i++) {
        const struct scenario_step *step = &c->scenario->steps[i];
        if (i == 0 || step->changes)
            check_world(c, step->world);
        check_recipients(c, step);
        seen |= check_coverage(c, step);
        sends = sends || step->to.count > 0;
        first = first == NULL && step->expectation_count > 0 ? &step->expectations[0] : first;
    }
    unsigned missing = c->scenario->modes & ~seen;
    if (!sends)
        diag_error(c->diags, c->scenario->at, "nothing is sent; 'send' says to whom");
    if (first == NULL)
        diag_error(c->diags, c->scenario->at, "nothing is expected; 'expect' says what must be seen");
    else if (missing != 0)
        diag_error(c->diags, first->at, "nothing is expected for %s", mode_list(c->arena, missing));
}

void scenario_check(const struct scenario_check *check, const struct scenario *scenario)
{
    struct checking c = {arena_new("scenario_check"), check, check->diags, scenario};
    if (scenario->modes != MODES_ALL && scenario->modes_because == NULL && scenario->modes != 0)
        diag_error(c.diags, scenario->at, "it is not for every mode; 'modes-because' says why");
    check_covers(&c);
    check_needs(&c);
    check_course(&c);
    if (scenario->step_count > 0)
        check_met(&c);
    check_against_twin(&c);
    arena_free(&c.arena);
}

static bool same_node(const struct tree_node *a, const struct tree_node *b)
{
    if (a == NULL || b == NULL || a->kind != b->kind || a->count != b->count)
        return a == b;
    if (a->kind == TREE_TEXT)
        return strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < a->count; i++)
        if (a->kind == TREE_LIST ? !same_node(a->items[i], b->items[i])
                                 : !same_node(a->entries[i].value, tree_get(b, a->entries[i].key)))
            return false;
    return true;
}

/* How many settings differ from those of the base: keys of a name, and within certificate, smtp and the like. */
static size_t count_differences(const struct tree_node *base, const struct tree_node *change, unsigned depth)
{
    size_t count = 0;
    if (same_node(base, change))
        return 0;
    if (depth == 0 || change->kind != TREE_MAP || change->count == 0)
        return 1;
    for (size_t i = 0; i < change->count; i++) {
        /* `mta-sts: enforce` is the short form of {mode: enforce}. */
        bool is_short = base != NULL && base->kind == TREE_TEXT;
        const struct tree_node *before = is_short ? base : tree_get(base, change->entries[i].key);
        count += count_differences(before, change->entries[i].value, depth - 1);
    }
    return count;
}

void scenario_check_file(const struct scenario_check *check, const struct scenario_file *file)
{
    const struct tree_node *node = scenario_file_node(file), *world = scenario_file_base_world(file);
    const struct tree_node *change = tree_get(node, "change"), *steps = tree_get(node, "steps");
    size_t differences = world != NULL && change != NULL ? count_differences(world, change, 3) : 0;
    if (differences > 1 && tree_get(node, "because") == NULL)
        diag_error(check->diags, change->at, "%zu things differ from the base; 'because' says why it is not one",
                   differences);
    if (change != NULL && world != NULL && differences == 0)
        diag_error(check->diags, change->at, "nothing here differs from the base");
    if (steps != NULL && tree_get(node, "expect") != NULL)
        diag_error(check->diags, tree_get(node, "expect")->at, "with 'steps' what is expected stands in the steps");
    if (steps != NULL && tree_get(node, "send") != NULL)
        diag_error(check->diags, tree_get(node, "send")->at, "with 'steps' what is sent stands in the steps");
}
