/* SPDX-License-Identifier: BSD-2-Clause
 * A file becomes its scenarios in these steps: its base is read first; the base's world and the file's change make its
 * world, still with ${axis} in it; for each combination of axis values these are put in; the schema reads the rest. */
#include <string.h>
#include <unistd.h>

#include "base/table.h"
#include "harness/scenario_internal.h"
#include "harness/sender_setup.h"

enum { BASES_MAX = 16 };

struct axis_value {
    const char *name;
    const struct tree_node *node;
};
struct axis {
    const char *name;
    struct srcpos at;
    bool used;
    struct axis_value *values;
    size_t count;
};

struct scenario_file {
    const char *name, *path;
    bool reading;                         /* a base that is being read is its own base */
    bool base_failed;                     /* it says a base, but there is none: only its keys are checked */
    unsigned depth;                       /* how many bases and twins stand below it */
    const struct tree_node *node;         /* as it stands in the file */
    const struct tree_node *world, *send; /* with the base's */
    struct sender_setup sender;           /* the same */
    struct scenario_file *base, *twin;    /* twin NULL: it is the base */
    struct axis *axes;
    size_t axis_count;
    struct {
        const struct scenario **items;
        size_t count, room;
    } variants;
};

struct scenario_library {
    struct arena *arena;
    const char *directory;
    struct diag_list *diags;
    struct {
        struct scenario_file **items;
        size_t count, room;
    } files;
};

/* One combination of axis values of a file; those of its bases have their first one. */
struct variant {
    struct scenario_library *library;
    struct scenario_file *file;
    const size_t *choice;
};

struct scenario_library *scenario_library_new(struct arena *arena, const char *directory, struct diag_list *diags)
{
    struct scenario_library *library = arena_alloc(arena, sizeof *library);
    *library = (struct scenario_library){.arena = arena, .directory = directory, .diags = diags};
    return library;
}

const struct scenario *scenario_file_at(const struct scenario_file *file, size_t i)
{
    return i < file->variants.count ? file->variants.items[i] : NULL;
}

const struct tree_node *scenario_file_node(const struct scenario_file *file)
{
    return file->node;
}

const struct tree_node *scenario_file_base_world(const struct scenario_file *file)
{
    return file->base != NULL ? file->base->world : NULL;
}

/* --- axes ------------------------------------------------------------------------------------------------------ */

enum { VALUE_NAME_MAX = 60 };

/* Does a name of a value fit into a title? */
static bool fits_title(const char *name)
{
    return name[0] != '\0' && strlen(name) <= VALUE_NAME_MAX && strpbrk(name, ",[]@=\n") == NULL;
}

/* The scalars in a value, one after the other: {status: 404} is called 404. */
static char *join_texts(struct arena *arena, char *joined, const struct tree_node *node)
{
    if (node->kind == TREE_TEXT)
        return arena_printf(arena, "%s%s%s", joined, joined[0] != '\0' ? " " : "", node->text);
    for (size_t i = 0; i < node->count && strlen(joined) <= VALUE_NAME_MAX; i++)
        joined = join_texts(arena, joined, node->kind == TREE_LIST ? node->items[i] : node->entries[i].value);
    return joined;
}

static bool has_value(const struct axis *axis, const char *name)
{
    for (size_t i = 0; i < axis->count; i++)
        if (strcmp(axis->values[i].name, name) == 0)
            return true;
    return false;
}

/* A value is called what it is, or by its number where that makes no name. */
static const char *name_of_value(struct arena *arena, const struct axis *axis, const struct tree_node *value)
{
    char *name = join_texts(arena, arena_strdup(arena, ""), value);
    return fits_title(name) && !has_value(axis, name) ? name : arena_printf(arena, "%zu", axis->count + 1);
}

/* ip: [v4, v6], or a map in which each value has a name. */
static bool read_axis(struct scenario_library *library, const struct tree_entry *entry, struct axis *axis)
{
    const struct tree_node *said = entry->value;
    *axis = (struct axis){.name = entry->key, .at = entry->at};
    if (said->kind == TREE_TEXT || said->count == 0 || !fits_title(entry->key)) {
        diag_error(library->diags, said->at, "'%s' wants a list of values, or a map that names them", entry->key);
        return false;
    }
    axis->values = arena_alloc(library->arena, said->count * sizeof *axis->values);
    for (size_t i = 0; i < said->count; i++) {
        const struct tree_node *value = said->kind == TREE_MAP ? said->entries[i].value : said->items[i];
        const char *name = said->kind == TREE_MAP ? said->entries[i].key : name_of_value(library->arena, axis, value);
        if (fits_title(name))
            axis->values[axis->count++] = (struct axis_value){name, value};
        else
            diag_error(library->diags, said->entries[i].at,
                       "the name of a value has 1 to %d characters, and none of , [ ] @ =", VALUE_NAME_MAX);
    }
    return axis->count > 0;
}

static void read_axes(struct scenario_library *library, struct scenario_file *file)
{
    const struct tree_node *said = tree_get(file->node, "variants");
    size_t product = 1;
    if (said == NULL)
        return;
    if (said->kind != TREE_MAP) {
        diag_error(library->diags, said->at, "'variants' is a map of axes, such as `ip: [v4, v6]`");
        return;
    }
    file->axes = arena_alloc(library->arena, said->count * sizeof *file->axes);
    for (size_t i = 0; i < said->count; i++) {
        struct axis axis;
        if (!read_axis(library, &said->entries[i], &axis))
            continue;
        product *= axis.count;
        if (product > SCENARIO_VARIANTS_MAX) {
            diag_error(library->diags, said->entries[i].at, "a scenario has at most %d variants",
                       SCENARIO_VARIANTS_MAX);
            return;
        }
        file->axes[file->axis_count++] = axis;
    }
}

static struct axis *find_axis(const struct scenario_file *file, const char *name)
{
    for (size_t i = 0; i < file->axis_count; i++)
        if (strcmp(file->axes[i].name, name) == 0)
            return &file->axes[i];
    return NULL;
}

/* What the plan generates and fills in itself: ${v4 of mx1.partner.example}, ${tlsa 3 1 1 of ...}. */
static bool is_generated(const char *name)
{
    return strstr(name, " of ") != NULL;
}

static const struct tree_node *value_of(const void *arg, const char *name)
{
    const struct variant *variant = arg;
    for (struct scenario_file *file = variant->file; file != NULL; file = file->base) {
        struct axis *axis = find_axis(file, name);
        if (axis == NULL)
            continue;
        axis->used = true;
        size_t chosen = file == variant->file ? variant->choice[axis - file->axes] : 0;
        return axis->values[chosen].node;
    }
    struct arena *arena = variant->library->arena;
    return is_generated(name) ? schema_text(arena, (struct srcpos){0}, arena_printf(arena, "${%s}", name)) : NULL;
}

static char *variant_text(struct arena *arena, const struct scenario_file *file, const size_t *choice)
{
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; i < file->axis_count; i++)
        text = arena_printf(arena, "%s%s%s=%s", text, i > 0 ? "," : "", file->axes[i].name,
                            file->axes[i].values[choice[i]].name);
    return text;
}

/* The variant of another file with the same values on the axes that both have; its first values on the others. */
static const struct scenario *variant_of(const struct scenario_file *other, const struct scenario_file *file,
                                         const size_t *choice)
{
    if (other == NULL || other->variants.count == 0)
        return NULL;
    size_t index = 0;
    for (size_t i = 0; i < other->axis_count; i++) {
        const struct axis *axis = &other->axes[i], *own = find_axis(file, axis->name);
        size_t at = 0;
        for (size_t k = 0; own != NULL && k < axis->count; k++)
            if (strcmp(axis->values[k].name, own->values[choice[own - file->axes]].name) == 0)
                at = k;
        index = index * axis->count + at;
    }
    return index < other->variants.count ? other->variants.items[index] : NULL;
}

/* --- the tree of one variant ----------------------------------------------------------------------------------- */

/* A world as the file says it, with this variant's values in place of ${axis}: what they are is merged, not how they
 * are written. */
static const struct tree_node *world_of(const struct variant *variant, const struct scenario_file *file)
{
    struct arena *arena = variant->library->arena;
    const struct tree_node *said = tree_get(file->node, file->base != NULL ? "change" : "world");
    said = said != NULL ? tree_substitute(arena, said, value_of, variant, variant->library->diags) : NULL;
    return file->base != NULL ? tree_merge(arena, world_of(variant, file->base), said) : said;
}

/* The steps, with the whole world as it is then in place of each change. */
static const struct tree_node *steps_with_worlds(struct arena *arena, const struct tree_node *steps,
                                                 const struct tree_node *world)
{
    if (steps == NULL || steps->kind != TREE_LIST)
        return steps;
    struct tree_node *list = arena_memdup(arena, steps, sizeof *steps);
    list->items = arena_memdup(arena, steps->items, steps->count * sizeof *steps->items);
    for (size_t i = 0; i < list->count; i++) {
        const struct tree_node *change = tree_get(list->items[i], "change");
        if (change == NULL)
            continue;
        world = tree_merge(arena, world, change);
        struct tree_node *step = arena_memdup(arena, list->items[i], sizeof *step);
        step->entries = arena_memdup(arena, step->entries, step->count * sizeof *step->entries);
        for (size_t k = 0; k < step->count; k++)
            if (strcmp(step->entries[k].key, "change") == 0)
                step->entries[k].value = world;
        list->items[i] = step;
    }
    return list;
}

struct entries {
    struct tree_entry *items;
    size_t count, room;
};

static void add_entry(struct arena *arena, struct entries *entries, const char *key, const struct tree_node *value)
{
    if (value != NULL)
        *ARENA_PUSH(arena, entries) = (struct tree_entry){key, value->at, value};
}

static const struct tree_node *map_of(struct arena *arena, struct srcpos at, const struct entries *entries)
{
    struct tree_node *map = arena_alloc(arena, sizeof *map);
    *map = (struct tree_node){.kind = TREE_MAP, .at = at, .entries = entries->items, .count = entries->count};
    return map;
}

/* The file as if it had no base, still with ${axis} and without its world. */
static const struct tree_node *whole_tree(struct arena *arena, const struct scenario_file *file)
{
    static const char *const replaced[] = {"variants",   "world", "change",           "send",
                                           "connectors", "rules", "accepted-domains", "switches"};
    struct entries entries = {0};
    for (size_t i = 0; i < file->node->count; i++) {
        size_t k = 0;
        while (k < COUNT(replaced) && strcmp(replaced[k], file->node->entries[i].key) != 0)
            k++;
        if (k == COUNT(replaced))
            *ARENA_PUSH(arena, &entries) = file->node->entries[i];
    }
    add_entry(arena, &entries, "send", file->send);
    add_entry(arena, &entries, "connectors", file->sender.connectors);
    add_entry(arena, &entries, "rules", file->sender.rules);
    add_entry(arena, &entries, "accepted-domains", file->sender.accepted_domains);
    add_entry(arena, &entries, "switches", file->sender.switches);
    return map_of(arena, file->node->at, &entries);
}

/* What the schema reads of a variant: no base, no change, no ${axis}. */
static const struct tree_node *variant_tree(const struct variant *variant, const struct tree_node *whole)
{
    struct arena *arena = variant->library->arena;
    const struct tree_node *tree = tree_substitute(arena, whole, value_of, variant, variant->library->diags);
    const struct tree_node *world = world_of(variant, variant->file);
    struct entries entries = {0};
    for (size_t i = 0; i < tree->count; i++) {
        bool steps = strcmp(tree->entries[i].key, "steps") == 0;
        *ARENA_PUSH(arena, &entries) = tree->entries[i];
        if (steps)
            entries.items[i].value = steps_with_worlds(arena, tree->entries[i].value, world);
    }
    add_entry(arena, &entries, "world", world);
    return map_of(arena, tree->at, &entries);
}

/* Worlds without what they say is absent. Runs on a tree whose maps are our own copies. */
static void prune_worlds(struct arena *arena, const struct tree_node *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_entry *entry = &tree->entries[i];
        if (strcmp(entry->key, "world") == 0)
            entry->value = world_prune(arena, entry->value);
        for (size_t k = 0;
             strcmp(entry->key, "steps") == 0 && entry->value->kind == TREE_LIST && k < entry->value->count; k++)
            for (size_t n = 0; entry->value->items[k]->kind == TREE_MAP && n < entry->value->items[k]->count; n++) {
                struct tree_entry *said = &entry->value->items[k]->entries[n];
                if (strcmp(said->key, "change") == 0)
                    said->value = world_prune(arena, said->value);
            }
    }
}

/* --- from what the file says to the scenario ------------------------------------------------------------------- */

static void add_text(struct arena *arena, struct schema_texts *texts, const char *item, struct srcpos at)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], item) == 0)
            return;
    texts->items =
        arena_grow(arena, texts->items, texts->count * sizeof *texts->items, (texts->count + 1) * sizeof *texts->items);
    texts->at = arena_grow(arena, texts->at, texts->count * sizeof *texts->at, (texts->count + 1) * sizeof *texts->at);
    texts->items[texts->count] = item;
    texts->at[texts->count++] = at;
}

static void take_expectations(struct variant *variant, const struct schema_list *said, struct scenario_step *step)
{
    struct arena *arena = variant->library->arena;
    step->expectation_count = said->count;
    step->expectations = arena_alloc(arena, said->count * sizeof *step->expectations);
    for (size_t i = 0; i < said->count; i++)
        expectation_make(arena, &((const struct file_expectation *)said->items)[i], step->world, &step->expectations[i],
                         variant->library->diags);
}

static void take_send(struct scenario_library *library, const struct file_send *said, struct scenario_step *step)
{
    step->from = said->from != NULL ? said->from : scenario_default_from;
    step->to = said->to;
    step->way = said->way;
    if (step->to.count > SCENARIO_RECIPIENTS_MAX) {
        diag_error(library->diags, step->to.at[SCENARIO_RECIPIENTS_MAX], "a message has at most %d recipients",
                   SCENARIO_RECIPIENTS_MAX);
        step->to.count = SCENARIO_RECIPIENTS_MAX;
    }
}

static void take_step(struct variant *variant, const struct file_step *said, const struct world *world,
                      struct scenario_step *step)
{
    struct scenario_library *library = variant->library;
    step->at = said->node != NULL ? said->node->at : (struct srcpos){0};
    step->changes = tree_get(said->node, "change") != NULL;
    step->world = step->changes ? world_make(library->arena, &said->change, step->at, library->diags) : world;
    step->advance_s = said->advance;
    step->flush = said->flush;
    step->connectors = tree_get(said->node, "connectors");
    take_send(library, &said->send, step);
    take_expectations(variant, &said->expect, step);
}

static void take_steps(struct variant *variant, const struct file_scenario *said, struct scenario *scenario)
{
    struct scenario_library *library = variant->library;
    const struct world *world = world_make(library->arena, &said->world, said->world_at, library->diags);
    bool course = said->steps.count > 0;
    scenario->step_count = course ? said->steps.count : 1;
    if (scenario->step_count > SCENARIO_STEPS_MAX) {
        diag_error(library->diags, scenario->at, "a course has at most %d steps", SCENARIO_STEPS_MAX);
        scenario->step_count = SCENARIO_STEPS_MAX;
    }
    scenario->steps = arena_alloc(library->arena, scenario->step_count * sizeof *scenario->steps);
    if (!course) {
        scenario->steps[0] = (struct scenario_step){.world = world, .at = scenario->at};
        take_send(library, &said->send, &scenario->steps[0]);
        take_expectations(variant, &said->expect, &scenario->steps[0]);
        return;
    }
    for (size_t i = 0; i < scenario->step_count; i++) {
        take_step(variant, &((const struct file_step *)said->steps.items)[i], world, &scenario->steps[i]);
        world = scenario->steps[i].world;
    }
}

/* What a sender must have to be led through a step. */
static void add_needs(struct arena *arena, const struct scenario_step *step, struct schema_texts *needs)
{
    const struct scenario_way *way = &step->way;
    const struct {
        bool needed;
        const char *feature;
    } rows[] = {
        {step->advance_s > 0, "clock"},
        {step->flush, "queue"},
        {step->connectors != NULL, "connectors"},
        {way->requiretls || way->tls_required != TLS_REQUIRED_UNSAID, "requiretls"},
        {way->smtputf8, "smtputf8"},
        {way->body == BODY_8BIT, "8bitmime"},
        {way->bdat, "chunking"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].needed)
            add_text(arena, needs, rows[i].feature, step->at);
}

static void take_modes(struct variant *variant, const struct file_scenario *said, const struct scenario *base,
                       struct scenario *scenario)
{
    scenario->modes = said->modes.count == 0 ? MODES_ALL : 0;
    scenario->modes_because = said->modes_because;
    for (size_t i = 0; i < said->modes.count; i++) {
        unsigned set = mode_parse_set(said->modes.items[i]);
        if (set == 0)
            diag_error(variant->library->diags, said->modes.at[i],
                       "'%s' is no mode; one is dane=mandatory, or dane=opportunistic,mta-sts=none",
                       said->modes.items[i]);
        scenario->modes |= set;
    }
    if (said->modes.count == 0 && base != NULL && base->modes != MODES_ALL) {
        scenario->modes = base->modes;
        scenario->modes_because = base->modes_because;
    }
}

/* A single connector counts as a list of one. */
static const struct tree_node *as_list(struct arena *arena, const struct tree_node *node)
{
    if (node == NULL || node->kind != TREE_MAP)
        return node;
    struct tree_node *list = arena_alloc(arena, sizeof *list);
    *list = (struct tree_node){.kind = TREE_LIST, .at = node->at, .count = 1};
    list->items = arena_memdup(arena, &node, sizeof node);
    return list;
}

static void take_sender(struct arena *arena, const struct tree_node *tree, struct scenario *scenario)
{
    scenario->sender = (struct sender_setup){
        .connectors = as_list(arena, tree_get(tree, "connectors")),
        .rules = as_list(arena, tree_get(tree, "rules")),
        .accepted_domains = tree_get(tree, "accepted-domains"),
        .switches = tree_get(tree, "switches"),
    };
    const char *feature;
    for (size_t i = 0; (feature = sender_setup_needs(&scenario->sender, i)) != NULL; i++)
        add_text(arena, &scenario->needs, feature, scenario->at);
}

static void read_variant(struct variant *variant, const struct tree_node *whole)
{
    struct scenario_library *library = variant->library;
    struct scenario_file *file = variant->file;
    struct arena *arena = library->arena;
    const struct tree_node *tree = variant_tree(variant, whole);
    struct file_scenario said;
    prune_worlds(arena, tree);
    schema_read(arena, &scenario_schema, tree, &said, library->diags);

    struct scenario *scenario = arena_alloc(arena, sizeof *scenario);
    const struct scenario *base = variant_of(file->base, file, variant->choice);
    *scenario = (struct scenario){
        .name = file->name,
        .variant = variant_text(arena, file, variant->choice),
        .file = file->path,
        .at = said.says_at.file != NULL ? said.says_at : file->node->at,
        .says = said.says,
        .covers = said.covers,
        .needs = said.needs,
        .tags = said.tags,
        .because = said.because,
        .base = file->base != NULL ? file->base->name : NULL,
        .from = base,
        .twin = file->twin != NULL ? variant_of(file->twin, file, variant->choice) : base,
    };
    scenario->title =
        scenario->variant[0] != '\0' ? arena_printf(arena, "%s[%s]", file->name, scenario->variant) : file->name;
    take_modes(variant, &said, base, scenario);
    take_sender(arena, tree, scenario);
    take_steps(variant, &said, scenario);
    for (size_t i = 0; i < scenario->step_count; i++)
        add_needs(arena, &scenario->steps[i], &scenario->needs);
    for (size_t i = 0; base != NULL && i < base->needs.count; i++)
        add_text(arena, &scenario->needs, base->needs.items[i], base->needs.at[i]);
    *ARENA_PUSH(arena, &file->variants) = scenario;
}

/* Counts through all combinations, the last axis fastest. */
static void read_variants(struct scenario_library *library, struct scenario_file *file)
{
    const struct tree_node *whole = whole_tree(library->arena, file);
    size_t *choice = arena_alloc(library->arena, (file->axis_count + 1) * sizeof *choice);
    struct variant variant = {library, file, choice};
    for (bool more = true; more;) {
        read_variant(&variant, whole);
        size_t i = file->axis_count;
        while (i > 0 && ++choice[i - 1] == file->axes[i - 1].count)
            choice[--i] = 0;
        more = i > 0;
    }
    for (size_t i = 0; i < file->axis_count; i++)
        if (!file->axes[i].used)
            diag_error(library->diags, file->axes[i].at, "${%s} stands nowhere", file->axes[i].name);
}

/* --- files ----------------------------------------------------------------------------------------------------- */

static const struct tree_node *own_or(const struct scenario_file *file, const char *key, const struct tree_node *base)
{
    const struct tree_node *own = tree_get(file->node, key);
    return own != NULL ? own : base;
}

static void inherit_sender(struct scenario_file *file)
{
    struct sender_setup before = {0};
    if (file->base != NULL)
        before = file->base->sender;
    file->sender.connectors = own_or(file, "connectors", before.connectors);
    file->sender.rules = own_or(file, "rules", before.rules);
    file->sender.accepted_domains = own_or(file, "accepted-domains", before.accepted_domains);
    file->sender.switches = own_or(file, "switches", before.switches);
}

/* What a file takes over from its base, and what it must not say beside one. */
static void inherit(struct scenario_library *library, struct scenario_file *file)
{
    const struct tree_node *world = tree_get(file->node, "world"), *change = tree_get(file->node, "change");
    file->send = tree_get(file->node, "send");
    file->world = world;
    inherit_sender(file);
    if (file->base == NULL) {
        if (change != NULL && !file->base_failed)
            diag_error(library->diags, change->at, "'change' needs a base whose world it changes");
        return;
    }
    if (world != NULL)
        diag_error(library->diags, world->at, "a scenario with a base says 'change', not 'world'");
    file->world = tree_merge(library->arena, file->base->world, change);
    if (file->send == NULL && tree_get(file->node, "steps") == NULL)
        file->send = file->base->send;
}

static const char *file_name_at(const void *rows, size_t i)
{
    const struct scenario_library *library = rows;
    return i < library->files.count ? library->files.items[i]->name : NULL;
}

/* Beside the scenarios' folder a base may stand next to its file. */
static const char *path_of_other(struct scenario_library *library, const struct scenario_file *file, const char *name)
{
    const char *path = NULL, *slash = strrchr(file->path, '/');
    if (strstr(name, "..") != NULL || name[0] == '/')
        return NULL;
    if (library->directory != NULL)
        path = arena_printf(library->arena, "%s/%s.yaml", library->directory, name);
    if (path != NULL && access(path, R_OK) == 0)
        return path;
    if (library->directory == NULL || slash == NULL)
        return NULL;
    path = arena_printf(library->arena, "%.*s/%s.yaml", (int)(slash - file->path), file->path, name);
    return access(path, R_OK) == 0 ? path : NULL;
}

/* The file that a key names; NULL: none, or it cannot be had, and that was said. */
static struct scenario_file *read_other(struct scenario_library *library, struct scenario_file *file, const char *key)
{
    const struct tree_node *said = tree_get(file->node, key);
    if (said == NULL || said->kind != TREE_TEXT)
        return NULL;
    const char *path = path_of_other(library, file, said->text);
    if (path == NULL) {
        diag_error(library->diags, said->at, "there is no scenario '%s'%s", said->text,
                   scenario_did_you_mean(library->arena, table_nearest(said->text, file_name_at, library)));
        return NULL;
    }
    struct scenario_file *other = scenario_library_read(library, said->text, path, said->at);
    if (other == NULL)
        return NULL;
    if (other->depth + 1 > BASES_MAX) {
        diag_error(library->diags, said->at, "more than %d bases stand on each other", BASES_MAX);
        return NULL;
    }
    file->depth = other->depth + 1 > file->depth ? other->depth + 1 : file->depth;
    return other;
}

/* Without its world nothing can be said about names. */
static void check_keys_only(struct scenario_library *library, const struct scenario_file *file)
{
    struct file_scenario said;
    schema_read(library->arena, &scenario_schema, file->node, &said, library->diags);
}

static struct scenario_file *take_tree(struct scenario_library *library, struct scenario_file *file,
                                       const struct tree_node *node)
{
    if (node == NULL)
        return NULL;
    if (node->kind != TREE_MAP) {
        diag_error(library->diags, node->at, "a scenario is a map of keys and values");
        return NULL;
    }
    file->node = node;
    file->reading = true;
    file->base = read_other(library, file, "base");
    file->base_failed = file->base == NULL && tree_get(file->node, "base") != NULL;
    file->twin = read_other(library, file, "twin");
    inherit(library, file);
    read_axes(library, file);
    if (file->base_failed)
        check_keys_only(library, file);
    else
        read_variants(library, file);
    file->reading = false;
    return file;
}

static struct scenario_file *add_file(struct scenario_library *library, const char *name, const char *path)
{
    struct scenario_file *file = arena_alloc(library->arena, sizeof *file);
    *file =
        (struct scenario_file){.name = arena_strdup(library->arena, name), .path = arena_strdup(library->arena, path)};
    return *ARENA_PUSH(library->arena, &library->files) = file;
}

struct scenario_file *scenario_library_read(struct scenario_library *library, const char *name, const char *path,
                                            struct srcpos asked_at)
{
    for (size_t i = 0; i < library->files.count; i++) {
        struct scenario_file *file = library->files.items[i];
        if (strcmp(file->path, path) != 0)
            continue;
        if (file->reading)
            diag_error(library->diags, asked_at, "the bases go round in a circle: '%s' stands on itself", name);
        return file->reading || file->node == NULL ? NULL : file;
    }
    struct scenario_file *file = add_file(library, name, path);
    return take_tree(library, file, tree_read_file(library->arena, file->path, library->diags));
}

struct scenario_file *scenario_library_read_text(struct scenario_library *library, const char *name, const char *text,
                                                 size_t length)
{
    struct scenario_file *file = add_file(library, name, name);
    return take_tree(library, file, tree_read_text(library->arena, file->path, text, length, library->diags));
}

bool scenario_wants_reports(const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->step_count; i++)
        for (size_t k = 0; k < scenario->steps[i].expectation_count; k++)
            if (scenario->steps[i].expectations[k].report_count > 0)
                return true;
    return false;
}

const struct expectation *scenario_expects(const struct scenario_step *step, unsigned mode)
{
    for (size_t i = 0; i < step->expectation_count; i++)
        if (step->expectations[i].modes >> mode & 1)
            return &step->expectations[i];
    return NULL;
}
