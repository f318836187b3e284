/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/faults.h"

#include <string.h>

#include "fakedns/fakedns.h"
#include "harness/scenario_schema.h"

struct listing {
    struct arena *arena;
    const struct corpus *corpus;
    struct fault_rows rows;
};

/* ---- a scenario that shows it ---- */

/* Does a name of a world have what is asked for? */
typedef bool test(const void *what, const struct world_name *name);

static bool world_has(const struct world *world, test *has, const void *what)
{
    for (size_t i = 0; i < world->count; i++)
        if (has(what, &world->names[i]))
            return true;
    return false;
}

static bool scenario_has(const struct scenario *scenario, test *has, const void *what)
{
    for (size_t i = 0; i < scenario->step_count; i++)
        if (world_has(scenario->steps[i].world, has, what))
            return true;
    return false;
}

/* The first whose twin is without it: it is what that scenario is about. Else the first that has it. */
static const struct scenario *example_of(const struct listing *l, test *has, const void *what)
{
    const struct scenario *any = NULL;
    for (size_t i = 0; i < l->corpus->count; i++) {
        const struct scenario *scenario = l->corpus->items[i];
        if (!scenario_has(scenario, has, what))
            continue;
        if (scenario->twin != NULL && !scenario_has(scenario->twin, has, what))
            return scenario;
        any = any != NULL ? any : scenario;
    }
    return any;
}

static void add(struct listing *l, struct fault_row row, test *has, const void *what)
{
    const struct scenario *example = example_of(l, has, what);
    row.example = example != NULL ? example->title : NULL;
    if (row.clause == NULL && example != NULL && example->covers.count > 0)
        row.clause = example->covers.items[0];
    *ARENA_PUSH(l->arena, &l->rows) = row;
}

/* ---- DNS ---- */

static bool has_dns_fault(const void *what, const struct world_name *name)
{
    const struct dns_fault_info *fault = what;
    const struct world_dns_fault *list = name->dns.items;
    for (size_t i = 0; i < name->dns.count; i++)
        if (list[i].fault != NULL && strcmp(list[i].fault, fault->name) == 0)
            return true;
    return false;
}

static const char *note_on(const struct dns_fault_info *fault)
{
    const char *how = fault->silent ? "silence" : fault->bogus ? "bogus" : "";
    if (!fault->zone_wide_only)
        return how;
    return fault->bogus ? "bogus, whole zone" : "whole zone";
}

static void list_dns(struct listing *l)
{
    static const struct {
        enum dns_fault_place place;
        const char *title;
    } places[] = {
        {DNS_FAULT_OF_ZONE, "What holds a zone to its parent"},
        {DNS_FAULT_OF_RECORDS, "Records that are there, and their signatures"},
        {DNS_FAULT_OF_DENIAL, "The proof that something is absent"},
        {DNS_FAULT_OF_ANSWER, "The answer as a whole"},
    };
    for (size_t i = 0; i < COUNT(places); i++)
        for (size_t k = 0; fakedns_fault_at(k) != NULL; k++) {
            const struct dns_fault_info *fault = fakedns_fault_at(k);
            if (fakedns_fault_place(fault) == places[i].place)
                add(l,
                    (struct fault_row){.part = "dns",
                                       .title = places[i].title,
                                       .name = fault->name,
                                       .doc = fault->doc,
                                       .note = note_on(fault),
                                       .clause = fault->clause},
                    has_dns_fault, fault);
        }
}

/* ---- settings of hosts, certificates, policies ---- */

struct setting {
    const struct schema_field *part, *field; /* smtp, and starttls in it */
    const void *defaults;                    /* the part's struct, when nothing is said */
    int word;                                /* of a SCHEMA_WORD */
};

static bool text_differs(const char *value, const char *otherwise)
{
    return value != NULL && (otherwise == NULL || strcmp(value, otherwise) != 0);
}

static bool differs(const struct schema_field *field, const void *value, const void *otherwise)
{
    static const size_t sizes[] = {
        [SCHEMA_BOOL] = sizeof(bool),
        [SCHEMA_NUMBER] = sizeof(int64_t),
        [SCHEMA_SIZE] = sizeof(int64_t),
        [SCHEMA_SECONDS] = sizeof(double),
    };
    switch (field->kind) {
    case SCHEMA_TEXT:
        return text_differs(*(const char *const *)value, *(const char *const *)otherwise);
    case SCHEMA_NODE:
        return *(const void *const *)value != NULL;
    case SCHEMA_TEXTS:
        return ((const struct schema_texts *)value)->count != ((const struct schema_texts *)otherwise)->count;
    case SCHEMA_SUBS:
    case SCHEMA_NAMED:
        return ((const struct schema_list *)value)->count > 0;
    case SCHEMA_SUB:
        return false;
    default:
        return memcmp(value, otherwise, sizes[field->kind]) != 0;
    }
}

static bool has_setting(const void *what, const struct world_name *name)
{
    const struct setting *setting = what;
    const char *part = (const char *)name + setting->part->offset;
    const void *value = part + setting->field->offset;
    if (setting->field->kind == SCHEMA_WORD)
        return *(const int *)value == setting->word;
    return differs(setting->field, value, (const char *)setting->defaults + setting->field->offset);
}

static bool is_default(const struct schema_field *field, const char *word)
{
    return field->otherwise != NULL ? strcmp(field->otherwise, word) == 0 : word == field->words[0];
}

static void list_words(struct listing *l, struct setting setting, struct fault_row row)
{
    const char *doc = row.doc;
    for (int i = 0; setting.field->words[i] != NULL; i++) {
        if (is_default(setting.field, setting.field->words[i]))
            continue;
        setting.word = i;
        row.name = arena_printf(l->arena, "%s: %s", setting.field->key, setting.field->words[i]);
        row.doc = doc;
        doc = NULL;
        add(l, row, has_setting, &setting);
    }
}

/* What is needed to say something, and says nothing odd by itself. */
static bool is_plain(const struct schema_field *field)
{
    return field->required || field->kind == SCHEMA_SUB || strcmp(field->key, "*") == 0;
}

static void list_part(struct listing *l, const struct schema_field *part)
{
    void *defaults = arena_alloc(l->arena, part->sub->size);
    schema_read(l->arena, part->sub, NULL, defaults, diag_new(l->arena));
    for (size_t i = 0; i < part->sub->count; i++) {
        const struct schema_field *field = &part->sub->fields[i];
        struct setting setting = {part, field, defaults, 0};
        struct fault_row row = {part->key, part->sub->doc, field->key, field->doc, "", NULL, NULL};
        if (is_plain(field))
            continue;
        if (field->kind == SCHEMA_WORD)
            list_words(l, setting, row);
        else
            add(l, row, has_setting, &setting);
    }
}

struct fault_rows faults_list(struct arena *arena, const struct corpus *corpus)
{
    struct listing l = {.arena = arena, .corpus = corpus};
    list_dns(&l);
    for (size_t i = 0; i < scenario_name_schema.count; i++)
        if (scenario_name_schema.fields[i].kind == SCHEMA_SUB)
            list_part(&l, &scenario_name_schema.fields[i]);
    return l.rows;
}
