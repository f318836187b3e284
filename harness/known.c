/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/known.h"

#include <string.h>

static const char lost[] = "lost"; /* where a scenario says nothing at all */

struct row {
    const char *reason, *seen;
    struct schema_texts scenario, modes, versions, course;
};
struct file {
    struct schema_list failures;
};

static const struct schema_field row_fields[] = {
#define FIELD(name) .key = #name, .offset = SCHEMA_FIELD(struct row, name)
    {FIELD(scenario), .kind = SCHEMA_TEXTS, .required = true,
     .doc = "The scenario's name, or several; without its [variant] it stands for all of them."},
    {FIELD(modes), .kind = SCHEMA_TEXTS,
     .doc = "In which modes: dane=mandatory, or dane=none,mta-sts=none; every mode when absent."},
    {FIELD(reason), .kind = SCHEMA_TEXT, .required = true, .doc = "Why it differs."},
    {FIELD(seen), .kind = SCHEMA_TEXT, .required = true, .doc = "What is seen instead."},
    {FIELD(course), .kind = SCHEMA_TEXTS, .required = true,
     .doc = "What becomes of the message instead: delivered, deferred, bounced or lost; several, where recipients "
            "differ."},
    {FIELD(versions), .kind = SCHEMA_TEXTS, .doc = "Versions, or beginnings of them; every version when absent."},
#undef FIELD
};
static const struct schema row_schema = {
    .name = "known_failure",
    .doc = "Cases that are known to differ.",
    .fields = row_fields,
    .count = COUNT(row_fields),
    .size = sizeof(struct row),
};
static const struct schema_field file_fields[] = {
    {.key = "failures",
     .kind = SCHEMA_SUBS,
     .offset = SCHEMA_FIELD(struct file, failures),
     .sub = &row_schema,
     .doc = "One entry for each known difference."},
};
const struct schema known_schema = {
    .name = "known_failures",
    .doc = "What is known to differ in one MTA.",
    .fields = file_fields,
    .count = COUNT(file_fields),
    .size = sizeof(struct file),
};

static unsigned read_modes(const struct schema_texts *texts, struct diag_list *diags)
{
    unsigned modes = texts->count == 0 ? MODES_ALL : 0;
    for (size_t i = 0; i < texts->count; i++) {
        unsigned set = mode_parse_set(texts->items[i]);
        if (set == 0)
            diag_error(diags, texts->at[i], "'%s' is no mode; write dane=mandatory or dane=none,mta-sts=none",
                       texts->items[i]);
        modes |= set;
    }
    return modes;
}

static unsigned read_courses(const struct schema_texts *texts, struct diag_list *diags)
{
    unsigned courses = 0;
    for (size_t i = 0; i < texts->count; i++) {
        int course = strcmp(texts->items[i], lost) == 0 ? COURSE_UNSAID : COURSE_DELIVERED;
        while (course != COURSE_UNSAID && message_course_words[course] != NULL &&
               strcmp(message_course_words[course], texts->items[i]) != 0)
            course++;
        if (message_course_words[course] == NULL)
            diag_error(diags, texts->at[i], "'%s' is no course; write delivered, deferred, bounced or lost",
                       texts->items[i]);
        else
            courses |= 1u << course;
    }
    return courses;
}

/* One for each scenario that the row names. */
static void add_row(struct arena *arena, const struct row *row, struct known *out, struct diag_list *diags)
{
    struct known_failure entry = {.modes = read_modes(&row->modes, diags),
                                  .reason = row->reason,
                                  .seen = row->seen,
                                  .courses = read_courses(&row->course, diags),
                                  .versions = row->versions};
    for (size_t i = 0; i < row->scenario.count; i++) {
        entry.scenario = row->scenario.items[i];
        entry.at = row->scenario.at[i];
        *ARENA_PUSH(arena, out) = entry;
    }
}

void known_read(struct arena *arena, const char *path, struct known *out, struct diag_list *diags)
{
    struct file file;
    const struct tree_node *root = tree_read_file(arena, path, diags);
    schema_read(arena, &known_schema, root, &file, diags);
    const struct row *rows = file.failures.items;
    *out = (struct known){.count = 0};
    for (size_t i = 0; i < file.failures.count; i++)
        add_row(arena, &rows[i], out, diags);
}

bool known_names(const struct known_failure *entry, const char *title)
{
    size_t length = entry->scenario == NULL ? 0 : strlen(entry->scenario);
    return length > 0 && strncmp(title, entry->scenario, length) == 0 &&
           (title[length] == '\0' || title[length] == '[');
}

/* subject is "postfix 3.7.11". */
static bool is_version(const struct known_failure *entry, const char *subject)
{
    const char *version = subject != NULL ? strrchr(subject, ' ') : NULL;
    for (size_t i = 0; version != NULL && i < entry->versions.count; i++) {
        size_t length = strlen(entry->versions.items[i]);
        if (strncmp(version + 1, entry->versions.items[i], length) == 0 && strchr(".-+~", version[1 + length]) != NULL)
            return true;
    }
    return entry->versions.count == 0;
}

static enum verdict_kind changed(enum verdict_kind kind, bool as_known)
{
    switch (kind) {
    case VERDICT_FAIL:
    case VERDICT_WARN:
    case VERDICT_UNPROVEN:
        return as_known ? VERDICT_XFAIL : kind;
    case VERDICT_PASS:
    case VERDICT_INFO:
        return VERDICT_XPASS;
    default:
        return kind;
    }
}

static bool is_difference(enum verdict_kind kind)
{
    return kind == VERDICT_FAIL || kind == VERDICT_WARN || kind == VERDICT_UNPROVEN;
}

void known_apply(struct arena *arena, struct known *known, struct case_result *result)
{
    for (size_t i = 0; i < known->count; i++) {
        struct known_failure *entry = &known->items[i];
        if (!known_names(entry, result->title) || (entry->modes & 1u << result->mode) == 0)
            continue;
        entry->used = true;
        bool as_known = entry->courses == result->courses;
        enum verdict_kind kind = is_version(entry, result->subject) ? changed(result->kind, as_known) : result->kind;
        if (kind == result->kind && is_difference(kind) && !as_known)
            result->sentence =
                arena_printf(arena, "%s (Known is another difference: %s.)", result->sentence, entry->seen);
        else if (kind == VERDICT_XFAIL)
            result->sentence = arena_printf(arena, "known: %s %s", entry->reason, result->sentence);
        else if (kind == VERDICT_XPASS)
            result->sentence =
                arena_printf(arena, "passed, although it is listed as a known failure (%s)", entry->reason);
        result->kind = kind;
        return;
    }
}
