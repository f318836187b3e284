/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "harness/expect.h"
#include "harness/reading.h"
#include "harness/scenario_internal.h"
#include "harness/tls_report.h"

/* Index of the word; -1 with a finding. */
static int word_index(struct arena *arena, const char *const *words, const char *word, struct srcpos at,
                      const char *what, struct diag_list *diags)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    diag_error(diags, at, "no %s is called '%s'%s", what, word,
               scenario_did_you_mean(arena, table_nearest_word(word, words)));
    return -1;
}

/* The set of words as bits; all of them when nothing is said. */
static unsigned word_set(struct arena *arena, const char *const *words, const struct schema_texts *said,
                         const char *what, struct diag_list *diags)
{
    unsigned set = said->count == 0 ? ~0u : 0;
    for (size_t i = 0; i < said->count; i++) {
        int index = word_index(arena, words, said->items[i], said->at[i], what, diags);
        if (index >= 0)
            set |= 1u << index;
    }
    return set;
}

static unsigned modes_of(struct arena *arena, const struct file_when *when, struct diag_list *diags)
{
    unsigned dane = word_set(arena, mode_dane_words, &when->dane, "DANE mode", diags), set = 0;
    unsigned sts = word_set(arena, mode_sts_words, &when->mta_sts, "MTA-STS mode", diags);
    for (unsigned mode = 0; mode < MODE_COUNT; mode++)
        if ((dane >> mode_dane(mode) & 1) && (sts >> mode_sts(mode) & 1))
            set |= 1u << mode;
    return set;
}

struct lines {
    struct expect_line *items;
    size_t count, room;
};

/* What a line of evidence may name besides its word. */
static const char *line_name(struct arena *arena, enum expect_subject about, const struct world *world,
                             const char *name, struct srcpos at, struct diag_list *diags)
{
    if (about == EXPECT_DNS && strchr(name, '.') != NULL)
        return text_name(arena, name); /* a sender may ask for names that the world does not have */
    return world_host(arena, world, name, at, NULL, diags);
}

/* "no tlsa-query mx1": forbidden, word, name. */
static void add_line(struct arena *arena, struct lines *lines, enum expect_subject about, const char *host,
                     const struct world *world, const char *text, struct srcpos at, struct diag_list *diags)
{
    struct expect_line line = {.host = host, .at = at, .forbidden = strncmp(text, "no ", 3) == 0};
    const char *from = text + (line.forbidden ? 3 : 0) + strspn(text + (line.forbidden ? 3 : 0), " ");
    const char *word = arena_strndup(arena, from, strcspn(from, " "));
    const char *name = from + strlen(word) + strspn(from + strlen(word), " ");
    line.row = expect_find(about, word);
    if (line.row == NULL) {
        diag_error(diags, at, "nothing to be seen is called '%s' here%s", word,
                   scenario_did_you_mean(arena, expect_nearest(about, word)));
        return;
    }
    if (*name != '\0' && about == EXPECT_HOST) {
        diag_error(diags, at, "'%s' takes no name: it is about %s already", word, host);
        return;
    }
    if (*name != '\0' && (line.host = line_name(arena, about, world, name, at, diags)) == NULL)
        return;
    *ARENA_PUSH(arena, lines) = line;
}

static void add_texts(struct arena *arena, struct lines *lines, enum expect_subject about,
                      const struct schema_texts *texts, const struct world *world, struct diag_list *diags)
{
    for (size_t i = 0; i < texts->count; i++)
        add_line(arena, lines, about, NULL, world, texts->items[i], texts->at[i], diags);
}

/* mx1: [connect, no mail-from] */
static void add_host(struct arena *arena, struct lines *lines, const struct tree_entry *entry,
                     const struct world *world, struct diag_list *diags)
{
    const char *host = world_host(arena, world, entry->key, entry->at, &scenario_expectation_schema, diags);
    if (host == NULL)
        return;
    const struct tree_node *one[] = {entry->value};
    bool is_list = entry->value->kind == TREE_LIST;
    const struct tree_node *const *items = is_list ? entry->value->items : one;
    for (size_t i = 0; i < (is_list ? entry->value->count : 1); i++)
        if (items[i]->kind == TREE_TEXT)
            add_line(arena, lines, EXPECT_HOST, host, world, items[i]->text, items[i]->at, diags);
        else
            diag_error(diags, items[i]->at, "what must be seen of a host is a list of words");
}

/* A course, or a list of them: the set, 0 with a finding. The first of them as *first, which may be NULL. */
static unsigned courses_of(struct arena *arena, const struct tree_node *node, int *first, struct diag_list *diags)
{
    const struct tree_node *one[] = {node};
    bool is_list = node->kind == TREE_LIST;
    const struct tree_node *const *items = is_list ? node->items : one;
    unsigned set = 0;
    if (is_list && node->count == 0)
        diag_error(diags, node->at, "a course is wanted here: delivered, deferred or bounced");
    for (size_t i = is_list ? node->count : 1; i-- > 0;) {
        if (items[i]->kind != TREE_TEXT) {
            diag_error(diags, items[i]->at, "a course is wanted here: delivered, deferred or bounced");
            continue;
        }
        int course = word_index(arena, message_course_words, items[i]->text, items[i]->at, "course", diags);
        if (course > COURSE_UNSAID)
            set |= 1u << course;
        if (course > COURSE_UNSAID && first != NULL)
            *first = course;
    }
    return set;
}

/* {skip: delivered, use: [deferred, bounced]}: all of it is accepted, the first course said is the preferred one. */
static void settle_words(struct arena *arena, const struct reading *reading, const struct tree_node *map,
                         struct expectation *out, struct diag_list *diags)
{
    out->readings = arena_alloc(arena, (map->count + 1) * sizeof *out->readings);
    for (size_t i = 0; i < map->count; i++) {
        const struct tree_entry *entry = &map->entries[i];
        if (word_index(arena, reading->words, entry->key, entry->at, "way to go", diags) < 0)
            continue;
        int first = COURSE_UNSAID;
        struct expect_reading row = {entry->key, courses_of(arena, entry->value, &first, diags)};
        out->readings[out->reading_count++] = row;
        out->accept |= row.accept;
        if (out->preferred == COURSE_UNSAID)
            out->preferred = first;
    }
    for (size_t i = 0; reading->words[i] != NULL; i++)
        if (tree_get(map, reading->words[i]) == NULL)
            diag_error(diags, map->at, "what follows from '%s' is not said", reading->words[i]);
}

static void settle_reading(struct arena *arena, const struct tree_node *said, struct expectation *out,
                           struct diag_list *diags)
{
    if (said == NULL)
        return;
    bool fits = said->kind == TREE_MAP && said->count == 1 && said->entries[0].value->kind == TREE_MAP;
    if (!fits || out->accept != 0) {
        diag_error(diags, said->at,
                   fits ? "with 'reading' neither 'message' nor 'accept' is said"
                        : "a reading is {KEY: {WORD: COURSE, ...}}, such as {mx-alias: {follow: delivered, refuse: "
                          "deferred}}");
        return;
    }
    const struct tree_entry *entry = &said->entries[0];
    const struct reading *reading = reading_find(entry->key);
    out->message_at = entry->at;
    out->reading = entry->key;
    if (reading == NULL)
        diag_error(diags, entry->at, "senders declare nothing that is called '%s'%s", entry->key,
                   scenario_did_you_mean(arena, reading_nearest(entry->key)));
    else
        settle_words(arena, reading, entry->value, out, diags);
}

static void settle_recipients(struct arena *arena, const struct tree_node *said, struct expectation *out,
                              struct diag_list *diags)
{
    if (said == NULL)
        return;
    if (said->kind != TREE_MAP || out->accept != 0) {
        diag_error(diags, said->at,
                   said->kind == TREE_MAP ? "with 'recipients' neither 'message' nor 'accept' nor 'reading' is said"
                                          : "recipients are a map: their addresses, and what becomes of the message");
        return;
    }
    out->recipients = arena_alloc(arena, (said->count + 1) * sizeof *out->recipients);
    for (size_t i = 0; i < said->count; i++)
        out->recipients[out->recipient_count++] =
            (struct expect_recipient){said->entries[i].key, courses_of(arena, said->entries[i].value, NULL, diags),
                                      said->entries[i].at};
}

static void settle_courses(struct arena *arena, const struct file_expectation *said, struct expectation *out,
                           struct diag_list *diags)
{
    out->preferred = said->message;
    if (said->message != COURSE_UNSAID)
        out->accept = 1u << said->message;
    for (size_t i = 0; i < said->accept.count; i++) {
        int course =
            word_index(arena, message_course_words, said->accept.items[i], said->accept.at[i], "course", diags);
        if (course <= COURSE_UNSAID)
            continue;
        if (out->preferred == COURSE_UNSAID)
            out->preferred = course;
        out->accept |= 1u << course;
        if (out->message_at.file == NULL)
            out->message_at = said->accept.at[i];
    }
}

/* ---- TLS reports ---- */

static void check_words(const struct schema_texts *said, const char *const *words, const char *what,
                        struct diag_list *diags)
{
    struct arena *arena = arena_new("report");
    for (size_t i = 0; i < said->count; i++)
        word_index(arena, words, said->items[i], said->at[i], what, diags);
    arena_free(&arena);
}

/* "1" or "1-2" */
static void check_range(const char *said, struct srcpos at, struct diag_list *diags)
{
    int64_t least, most;
    if (said != NULL && !expect_range(said, &least, &most))
        diag_error(diags, at, "'%s' is neither a number nor a range such as 1-2", said);
}

static void check_report(const struct expect_report *report, struct srcpos at, struct diag_list *diags)
{
    static const char *const by[] = {"mail", "https", NULL};
    check_words(&report->policy, tls_report_policies, "policy type", diags);
    check_words(&report->result, tls_report_results, "result type", diags);
    check_range(report->success, at, diags);
    check_range(report->failure, at, diags);
    if (report->by != NULL && strcmp(report->by, by[0]) != 0 && strcmp(report->by, by[1]) != 0)
        diag_error(diags, at, "a report comes by mail or by https, not by '%s'", report->by);
    if (!report->none && report->policy.count == 0)
        diag_error(diags, at, "which policy? tlsa, sts or no-policy-found");
}

static void check_reports(const struct expectation *e, struct diag_list *diags)
{
    for (size_t i = 0; i < e->report_count; i++)
        check_report(&e->reports[i], e->report_at, diags);
    if (e->report_count > 1 && (e->reports[0].none || e->reports[1].none))
        diag_error(diags, e->report_at, "'none' stands alone: there is no report then");
}

void expectation_make(struct arena *arena, const struct file_expectation *said, const struct world *world,
                      struct expectation *out, struct diag_list *diags)
{
    *out = (struct expectation){
        .modes = modes_of(arena, &said->when, diags),
        .latitude = said->latitude,
        .channel = said->channel,
        .code = said->code,
        .at = said->node != NULL ? said->node->at : (struct srcpos){0},
        .message_at = said->message_at,
        .channel_at = said->channel_at,
        .code_at = said->code_at,
        .hit = said->hit,
        .reports = said->report.items,
        .report_count = said->report.count,
        .report_at = said->report_at,
    };
    settle_courses(arena, said, out, diags);
    check_reports(out, diags);
    settle_reading(arena, said->reading, out, diags);
    settle_recipients(arena, said->recipients, out, diags);
    struct lines lines = {0};
    add_texts(arena, &lines, EXPECT_DNS, &said->dns, world, diags);
    add_texts(arena, &lines, EXPECT_WEB, &said->web, world, diags);
    for (size_t i = 0; said->hosts != NULL && i < said->hosts->count; i++)
        add_host(arena, &lines, &said->hosts->entries[i], world, diags);
    out->lines = lines.items;
    out->line_count = lines.count;
}
