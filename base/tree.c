/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/tree.h"

#include <string.h>
#include <yaml.h>

#include "base/text.h"

enum { BYTES_MAX = 1 << 20, DEPTH_MAX = 32, BIG_MAP = 16, SUBSTITUTED_MAX = 16 << 20 };

/* Open addressing: a slot is 0 or the number of an entry, from 1. */
struct tree_index {
    size_t mask;
    uint32_t slots[];
};

struct entries {
    struct tree_entry *items;
    size_t count, room;
};

struct nodes {
    const struct tree_node **items;
    size_t count, room;
};

/* --- maps ----------------------------------------------------------------------------------------------------- */

static size_t hash(const char *key)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (; *key != '\0'; key++)
        value = (value ^ (unsigned char)*key) * 0x100000001b3u;
    return (size_t)(value ^ value >> 32);
}

static struct tree_index *index_new(struct arena *arena, size_t count)
{
    size_t room = 1;
    while (room < 2 * count)
        room *= 2;
    struct tree_index *index = arena_alloc(arena, sizeof *index + room * sizeof index->slots[0]);
    index->mask = room - 1;
    return index;
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t slot_of(const struct tree_index *index, const struct tree_entry *entries, const char *key)
{
    size_t at = hash(key) & index->mask;
    while (index->slots[at] != 0 && strcmp(entries[index->slots[at] - 1].key, key) != 0)
        at = (at + 1) & index->mask;
    return at;
}

static struct tree_entry *find_entry(struct tree_entry *entries, size_t count, const struct tree_index *index,
                                     const char *key)
{
    if (index != NULL) {
        uint32_t number = index->slots[slot_of(index, entries, key)];
        return number != 0 ? &entries[number - 1] : NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].key, key) == 0)
            return &entries[i];
    return NULL;
}

/* Puts the entries into the map: of those with the same key only the first, the others are findings. */
static void fill_map(struct arena *arena, struct tree_node *map, const struct entries *entries, struct diag_list *diags)
{
    struct tree_index *index = entries->count > BIG_MAP ? index_new(arena, entries->count) : NULL;
    size_t kept = 0;
    for (size_t i = 0; i < entries->count; i++) {
        struct tree_entry entry = entries->items[i];
        const struct tree_entry *first = find_entry(entries->items, kept, index, entry.key);
        if (first != NULL) {
            if (diags != NULL)
                diag_error(diags, entry.at, "the key '%s' is given twice; first in line %u, column %u", entry.key,
                           first->at.line, first->at.col);
            continue;
        }
        size_t slot = index != NULL ? slot_of(index, entries->items, entry.key) : 0;
        entries->items[kept++] = entry;
        if (index != NULL)
            index->slots[slot] = (uint32_t)kept;
    }
    map->entries = entries->items;
    map->count = kept;
    map->index = index;
}

const struct tree_node *tree_get(const struct tree_node *map, const char *key)
{
    if (map == NULL || map->kind != TREE_MAP)
        return NULL;
    const struct tree_entry *entry = find_entry(map->entries, map->count, map->index, key);
    return entry != NULL ? entry->value : NULL;
}

const struct tree_node *tree_merge(struct arena *arena, const struct tree_node *base, const struct tree_node *change)
{
    if (change == NULL)
        return base;
    if (base == NULL || base->kind != TREE_MAP || change->kind != TREE_MAP)
        return change;
    struct entries merged = {.count = base->count, .room = base->count};
    merged.items = arena_memdup(arena, base->entries, base->count * sizeof *base->entries);
    for (size_t i = 0; i < change->count; i++) {
        const struct tree_entry *entry = &change->entries[i];
        struct tree_entry *same = find_entry(merged.items, base->count, base->index, entry->key);
        if (same == NULL)
            *ARENA_PUSH(arena, &merged) = *entry;
        else
            *same = (struct tree_entry){entry->key, entry->at, tree_merge(arena, same->value, entry->value)};
    }
    struct tree_node *map = arena_alloc(arena, sizeof *map);
    *map = (struct tree_node){.kind = TREE_MAP, .at = change->at};
    fill_map(arena, map, &merged, NULL);
    return map;
}

/* --- printing ------------------------------------------------------------------------------------------------- */

/* Means the same in quotes as without? Then without, if every place takes it so. */
static bool is_plain(const struct tree_node *node)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_. -";
    size_t length = strlen(node->text);
    bool blank_or_dash = length > 0 && (strchr(" -", node->text[0]) != NULL || node->text[length - 1] == ' ');
    return !node->quoted && !blank_or_dash && node->text[strspn(node->text, plain)] == '\0';
}

static void print_text(const char *text, bool plain, FILE *out)
{
    fputs(plain ? "" : "\"", out);
    if (plain)
        fputs(text, out);
    else
        text_print_json(out, text);
    fputs(plain ? "" : "\"", out);
}

void tree_print(const struct tree_node *node, FILE *out)
{
    if (node->kind == TREE_TEXT) {
        print_text(node->text, is_plain(node), out);
        return;
    }
    fputc(node->kind == TREE_MAP ? '{' : '[', out);
    for (size_t i = 0; i < node->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        if (node->kind == TREE_MAP) {
            struct tree_node key = {.kind = TREE_TEXT, .text = node->entries[i].key};
            tree_print(&key, out);
            fputs(": ", out);
        }
        tree_print(node->kind == TREE_MAP ? node->entries[i].value : node->items[i], out);
    }
    fputc(node->kind == TREE_MAP ? '}' : ']', out);
}

/* --- reading -------------------------------------------------------------------------------------------------- */

struct reader {
    struct arena *arena;
    struct diag_list *diags;
    const char *file, *text;
    size_t length;
    yaml_parser_t parser;
    unsigned depth;
};

static struct srcpos place_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct srcpos){reader->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1, 1};
}

/* Of something that stands in one line its length is known. */
static struct srcpos place_of_event(const struct reader *reader, const yaml_event_t *event)
{
    struct srcpos at = place_of(reader, event->start_mark);
    if (event->type == YAML_SCALAR_EVENT && event->start_mark.line == event->end_mark.line)
        at.length = (unsigned)(event->end_mark.index - event->start_mark.index);
    return at;
}

/* What libyaml would take, but an editor counts lines and columns otherwise, or nobody can see. */
static const char *why_not_allowed(uint32_t code)
{
    if (code == '\t' || code == '\n' || code == '\r')
        return NULL;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return "a control character";
    if (code == 0x2028 || code == 0x2029)
        return "a line separator that is no line feed";
    if (code == 0xfeff || code == 0xfffe || code == 0xffff)
        return "a character that is none";
    return NULL;
}

/* Says where the first byte or character is that no file of ours may hold. */
static bool check_characters(const struct reader *reader)
{
    struct srcpos at = {reader->file, 1, 1, 1};
    for (size_t i = 0, step; i < reader->length; i += step) {
        uint32_t code;
        step = text_utf8_step(reader->text + i, reader->length - i, &code);
        if (step == 0) {
            diag_error(reader->diags, at, "the byte 0x%02x is not UTF-8", (unsigned char)reader->text[i]);
            return false;
        }
        const char *why = why_not_allowed(code);
        if (why != NULL) {
            diag_error(reader->diags, at, "%s (U+%04X) cannot stand here", why, code);
            return false;
        }
        bool carriage_return_of_pair = code == '\r' && i + 1 < reader->length && reader->text[i + 1] == '\n';
        if (code == '\n' || (code == '\r' && !carriage_return_of_pair)) {
            at.line++;
            at.col = 1;
        } else {
            at.col++;
        }
    }
    return true;
}

static size_t offset_of(const struct reader *reader, yaml_mark_t mark)
{
    size_t offset = 0;
    uint32_t code;
    for (size_t i = 0; i < mark.index && offset < reader->length; i++) {
        size_t step = text_utf8_step(reader->text + offset, reader->length - offset, &code);
        offset += step > 0 ? step : 1;
    }
    return offset;
}

/* libyaml's complaints, in words for the author of the file. */
static const struct {
    const char *problem, *context; /* context NULL: any */
    bool at_context;
    const char *sentence;
} complaints[] = {
    {"found unexpected end of stream", "while scanning a quoted scalar", true, "the quote opened here is never closed"},
    {"found unexpected document indicator", "while scanning a quoted scalar", true,
     "the quote opened here is never closed"},
    {"found a tab character that violates indentation", NULL, false, "a tab cannot indent YAML; use spaces"},
    {"found a tab character where an indentation space is expected", NULL, false,
     "a tab cannot indent YAML; use spaces"},
    {"mapping values are not allowed in this context", NULL, false,
     "a ':' cannot stand here; quote the text, or look at the indentation"},
    {"block sequence entries are not allowed in this context", NULL, false,
     "a list entry cannot begin here; give it a line of its own"},
    {"could not find expected ':'", NULL, true, "a ':' is missing after this key"},
    {"did not find expected key", "while parsing a block mapping", false,
     "a key is expected here; look at the indentation, or quote the text before"},
    {"did not find expected '-' indicator", NULL, false,
     "the next '-' of the list is expected here; look at the indentation"},
    {"did not find expected node content", NULL, false, "a value is expected here"},
    {"did not find expected <document start>", NULL, false,
     "this does not belong to what stands above; look at the indentation"},
    {"found unknown escape character", NULL, false,
     "there is no such escape; in double quotes a backslash is written twice, in single quotes once"},
    {"found undefined tag handle", NULL, false, "tags are not allowed"},
};

static void report_unclosed(const struct reader *reader, char bracket, size_t offset)
{
    struct srcpos opened = place_of(reader, reader->parser.context_mark);
    struct srcpos problem = place_of(reader, reader->parser.problem_mark);
    if (offset >= reader->length)
        diag_error(reader->diags, opened, "the '%c' opened here is never closed", bracket);
    else if (offset > 0 && strncmp(reader->text + offset - 1, "${", 2) == 0)
        diag_error(reader->diags, problem, "within [ ] and { } a text with '${...}' must be put in quotes");
    else
        diag_error(reader->diags, problem, "the '%c' of line %u, column %u is not closed before this", bracket,
                   opened.line, opened.col);
}

static void report_wrong_start(const struct reader *reader, size_t offset)
{
    struct srcpos at = place_of(reader, reader->parser.problem_mark);
    if (offset < reader->length && reader->text[offset] == '\t')
        diag_error(reader->diags, at, "a tab cannot indent YAML; use spaces");
    else
        diag_error(reader->diags, at, "a text cannot begin with this character; put it in quotes");
}

static bool report_known(const struct reader *reader, const char *problem, const char *context)
{
    for (size_t i = 0; i < COUNT(complaints); i++) {
        if (strcmp(problem, complaints[i].problem) != 0 ||
            (complaints[i].context != NULL && strcmp(context, complaints[i].context) != 0))
            continue;
        yaml_mark_t mark = complaints[i].at_context ? reader->parser.context_mark : reader->parser.problem_mark;
        diag_error(reader->diags, place_of(reader, mark), "%s", complaints[i].sentence);
        return true;
    }
    return false;
}

static void report_syntax(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    const char *context = parser->context != NULL ? parser->context : "";
    size_t offset = offset_of(reader, parser->problem_mark);
    if (strcmp(problem, "found character that cannot start any token") == 0)
        report_wrong_start(reader, offset);
    else if (strcmp(problem, "did not find expected ',' or ']'") == 0)
        report_unclosed(reader, '[', offset);
    else if (strcmp(problem, "did not find expected ',' or '}'") == 0)
        report_unclosed(reader, '{', offset);
    else if (!report_known(reader, problem, context))
        diag_error(reader->diags, place_of(reader, parser->problem_mark), "%s%s%s", problem, *context ? ", " : "",
                   context);
}

/* False when there is no next event to be had: the reason is then in the findings. */
static bool next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    report_syntax(reader);
    return false;
}

/* Anchors and tags are findings, reading goes on without them. */
static void refuse_properties(const struct reader *reader, const yaml_event_t *event, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor != NULL)
        diag_error(reader->diags, place_of(reader, event->start_mark), "anchors (&%s) are not allowed",
                   (const char *)anchor);
    if (tag != NULL)
        diag_error(reader->diags, place_of(reader, event->start_mark), "tags (!...) are not allowed");
}

static struct tree_node *node_new(const struct reader *reader, enum tree_kind kind, const yaml_event_t *event)
{
    struct tree_node *node = arena_alloc(reader->arena, sizeof *node);
    node->kind = kind;
    node->at = place_of_event(reader, event);
    return node;
}

static const struct tree_node *read_text(const struct reader *reader, const yaml_event_t *event)
{
    struct tree_node *node = node_new(reader, TREE_TEXT, event);
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    refuse_properties(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(value, '\0', length) != NULL)
        diag_error(reader->diags, node->at, "a text cannot hold a NUL character");
    node->text = arena_strndup(reader->arena, value, length);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->block = event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE;
    return node;
}

static const struct tree_node *read_node(struct reader *reader, yaml_event_t *event);

static const struct tree_node *read_list(struct reader *reader, const yaml_event_t *begin)
{
    struct tree_node *list = node_new(reader, TREE_LIST, begin);
    refuse_properties(reader, begin, begin->data.sequence_start.anchor, begin->data.sequence_start.tag);
    struct nodes items = {0};
    yaml_event_t event;
    while (next_event(reader, &event)) {
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            list->items = items.items;
            list->count = items.count;
            return list;
        }
        const struct tree_node *item = read_node(reader, &event);
        if (item == NULL)
            return NULL;
        *ARENA_PUSH(reader->arena, &items) = item;
    }
    return NULL;
}

static void check_key(const struct reader *reader, const struct tree_node *key)
{
    if (key->kind != TREE_TEXT)
        diag_error(reader->diags, key->at, "a key must be a text, not a %s", key->kind == TREE_LIST ? "list" : "map");
    else if (!key->quoted && strcmp(key->text, "<<") == 0)
        diag_error(reader->diags, key->at, "merge keys (<<) are not allowed");
}

static const struct tree_node *read_map(struct reader *reader, const yaml_event_t *begin)
{
    struct tree_node *map = node_new(reader, TREE_MAP, begin);
    refuse_properties(reader, begin, begin->data.mapping_start.anchor, begin->data.mapping_start.tag);
    struct entries entries = {0};
    yaml_event_t event;
    while (next_event(reader, &event)) {
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            fill_map(reader->arena, map, &entries, reader->diags);
            return map;
        }
        const struct tree_node *key = read_node(reader, &event);
        if (key == NULL || !next_event(reader, &event))
            return NULL;
        check_key(reader, key);
        const struct tree_node *value = read_node(reader, &event);
        if (value == NULL)
            return NULL;
        if (key->kind == TREE_TEXT)
            *ARENA_PUSH(reader->arena, &entries) = (struct tree_entry){key->text, key->at, value};
    }
    return NULL;
}

static const struct tree_node *read_alias(const struct reader *reader, const yaml_event_t *event)
{
    struct tree_node *node = node_new(reader, TREE_TEXT, event);
    diag_error(reader->diags, node->at, "aliases (*%s) are not allowed; write the value again",
               (const char *)event->data.alias.anchor);
    node->text = "";
    return node;
}

/* Takes the event over. NULL when reading cannot go on. */
static const struct tree_node *read_node(struct reader *reader, yaml_event_t *event)
{
    const struct tree_node *node = NULL;
    bool opens = event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT;
    if (opens && reader->depth == DEPTH_MAX) {
        diag_error(reader->diags, place_of(reader, event->start_mark), "nested deeper than %d levels", DEPTH_MAX);
        yaml_event_delete(event);
        return NULL;
    }
    reader->depth += opens;
    if (event->type == YAML_SCALAR_EVENT)
        node = read_text(reader, event);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        node = read_list(reader, event);
    else if (event->type == YAML_MAPPING_START_EVENT)
        node = read_map(reader, event);
    else if (event->type == YAML_ALIAS_EVENT)
        node = read_alias(reader, event);
    reader->depth -= opens;
    yaml_event_delete(event);
    return node;
}

/* One event that has nothing of its own to say. Returns its type, YAML_NO_EVENT after an error. */
static yaml_event_type_t skip_event(struct reader *reader)
{
    yaml_event_t event;
    if (!next_event(reader, &event))
        return YAML_NO_EVENT;
    yaml_event_type_t type = event.type;
    if (type == YAML_DOCUMENT_START_EVENT &&
        event.data.document_start.tag_directives.start != event.data.document_start.tag_directives.end)
        diag_error(reader->diags, place_of(reader, event.start_mark), "tags are not allowed");
    yaml_event_delete(&event);
    return type;
}

/* After the one document only the end may come. */
static bool read_end(struct reader *reader)
{
    yaml_event_t event;
    if (skip_event(reader) != YAML_DOCUMENT_END_EVENT || !next_event(reader, &event))
        return false;
    if (event.type == YAML_DOCUMENT_START_EVENT)
        diag_error(reader->diags, place_of(reader, event.start_mark),
                   "a second document begins here; only one is allowed");
    yaml_event_delete(&event);
    return true;
}

static const struct tree_node *read_document(struct reader *reader)
{
    yaml_event_t event;
    yaml_event_type_t type = skip_event(reader);
    if (type == YAML_STREAM_START_EVENT)
        type = skip_event(reader);
    if (type == YAML_STREAM_END_EVENT)
        diag_error(reader->diags, (struct srcpos){.file = reader->file}, "there is nothing in this file");
    if (type != YAML_DOCUMENT_START_EVENT || !next_event(reader, &event))
        return NULL;
    const struct tree_node *node = read_node(reader, &event);
    return node != NULL && read_end(reader) ? node : NULL;
}

static const struct tree_node *read_registered(struct arena *arena, const char *file, const char *text, size_t length,
                                               struct diag_list *diags)
{
    static const char mark[] = "\xef\xbb\xbf"; /* an editor's byte order mark is no character of the first line */
    if (length >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        length -= 3;
    }
    diag_source(diags, file, text, length);
    struct reader reader = {.arena = arena, .diags = diags, .file = file, .text = text, .length = length};
    if (length > BYTES_MAX) {
        diag_error(diags, (struct srcpos){.file = file}, "larger than 1 MiB");
        return NULL;
    }
    if (!check_characters(&reader))
        return NULL;
    if (!yaml_parser_initialize(&reader.parser)) {
        diag_error(diags, (struct srcpos){.file = file}, "out of memory");
        return NULL;
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    const struct tree_node *node = read_document(&reader);
    yaml_parser_delete(&reader.parser);
    return node;
}

const struct tree_node *tree_read_text(struct arena *arena, const char *name, const char *text, size_t length,
                                       struct diag_list *diags)
{
    return read_registered(arena, arena_strdup(arena, name), arena_strndup(arena, text, length), length, diags);
}

const struct tree_node *tree_read_file(struct arena *arena, const char *path, struct diag_list *diags)
{
    struct err err = {0};
    size_t length = 0;
    const char *text = text_read_file(arena, path, BYTES_MAX, &length, &err);
    if (text == NULL) {
        diag_error(diags, (struct srcpos){0}, "%s", err.text);
        return NULL;
    }
    return read_registered(arena, arena_strdup(arena, path), text, length, diags);
}

/* --- ${name} -------------------------------------------------------------------------------------------------- */

struct substitution {
    struct arena *arena;
    const struct tree_node *(*node_of)(const void *arg, const char *name);
    const void *arg;
    struct diag_list *diags;
    size_t bytes; /* put in so far: a short file must not grow without bound */
};

/* The name that a "${" at text opens; NULL when no "}" closes it. */
static const char *name_at(struct arena *arena, const char *text, size_t *length)
{
    if (strncmp(text, "${", 2) != 0)
        return NULL;
    size_t name_length = strcspn(text + 2, "${}");
    if (text[2 + name_length] != '}')
        return NULL;
    *length = name_length + 3;
    return arena_strndup(arena, text + 2, name_length);
}

static unsigned characters(const char *text, size_t length)
{
    unsigned count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* Where part of a text stands, if the text stands in the file as it is, with or without quotes around it. */
static struct srcpos place_within(struct srcpos at, const char *text, size_t offset, size_t length)
{
    unsigned whole = characters(text, strlen(text));
    if (at.length != whole && at.length != whole + 2)
        return at;
    at.col += characters(text, offset) + (at.length == whole + 2);
    at.length = characters(text + offset, length);
    return at;
}

static const char *text_for(struct substitution *s, const char *name, struct srcpos at)
{
    const struct tree_node *node = s->node_of(s->arg, name);
    if (node == NULL)
        diag_error(s->diags, at, "nothing is called '${%s}' here", name);
    else if (node->kind != TREE_TEXT)
        diag_error(s->diags, at, "'${%s}' is a %s and cannot stand within a text", name,
                   node->kind == TREE_LIST ? "list" : "map");
    else if ((s->bytes += strlen(node->text)) > SUBSTITUTED_MAX)
        diag_error(s->diags, at, "'${%s}' makes the texts too long", name);
    else
        return node->text;
    return "";
}

static const char *substitute_text(struct substitution *s, const char *text, struct srcpos at)
{
    if (strstr(text, "${") == NULL)
        return text;
    struct {
        char *items;
        size_t count, room;
    } result = {0};
    size_t length;
    for (size_t i = 0; text[i] != '\0';) {
        const char *name = name_at(s->arena, text + i, &length);
        if (name == NULL) {
            *ARENA_PUSH(s->arena, &result) = text[i++];
            continue;
        }
        const char *value = text_for(s, name, place_within(at, text, i, length));
        for (; *value != '\0'; value++)
            *ARENA_PUSH(s->arena, &result) = *value;
        i += length;
    }
    *ARENA_PUSH(s->arena, &result) = '\0';
    return result.items;
}

static const struct tree_node *substitute(struct substitution *s, const struct tree_node *node);

static const struct tree_node *substitute_scalar(struct substitution *s, const struct tree_node *node)
{
    size_t length = 0;
    const char *name = name_at(s->arena, node->text, &length);
    if (name != NULL && node->text[length] == '\0') {
        const struct tree_node *whole = s->node_of(s->arg, name);
        if (whole == NULL)
            diag_error(s->diags, node->at, "nothing is called '${%s}' here", name);
        return whole != NULL ? whole : node;
    }
    const char *text = substitute_text(s, node->text, node->at);
    if (text == node->text)
        return node;
    struct tree_node *copy = arena_memdup(s->arena, node, sizeof *node);
    copy->text = text;
    return copy;
}

static const struct tree_node *substitute_map(struct substitution *s, const struct tree_node *node)
{
    struct entries entries = {.count = node->count, .room = node->count};
    entries.items = arena_memdup(s->arena, node->entries, node->count * sizeof *node->entries);
    for (size_t i = 0; i < node->count; i++) {
        entries.items[i].key = substitute_text(s, node->entries[i].key, node->entries[i].at);
        entries.items[i].value = substitute(s, node->entries[i].value);
    }
    struct tree_node *copy = arena_memdup(s->arena, node, sizeof *node);
    fill_map(s->arena, copy, &entries, s->diags);
    return copy;
}

static const struct tree_node *substitute_list(struct substitution *s, const struct tree_node *node)
{
    struct tree_node *copy = arena_memdup(s->arena, node, sizeof *node);
    copy->items = arena_memdup(s->arena, node->items, node->count * sizeof *node->items);
    for (size_t i = 0; i < node->count; i++)
        copy->items[i] = substitute(s, node->items[i]);
    return copy;
}

static const struct tree_node *substitute(struct substitution *s, const struct tree_node *node)
{
    switch (node->kind) {
    case TREE_TEXT:
        return substitute_scalar(s, node);
    case TREE_LIST:
        return substitute_list(s, node);
    case TREE_MAP:
        return substitute_map(s, node);
    }
    return node;
}

const struct tree_node *tree_substitute(struct arena *arena, const struct tree_node *node,
                                        const struct tree_node *(*node_of)(const void *arg, const char *name),
                                        const void *arg, struct diag_list *diags)
{
    struct substitution s = {.arena = arena, .node_of = node_of, .arg = arg, .diags = diags};
    return node != NULL ? substitute(&s, node) : NULL;
}
