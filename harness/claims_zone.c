/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/claims_zone.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { LINE_MAX_BYTES = 4096 };

/* --- reading --- */

struct reader {
    struct claims_view *view;
    const struct fakedns_zone *zone;
    const char *origin, *owner;
};

static void add(struct claims_view *view, const struct fakedns_zone *zone, const char *owner, const char *type,
                const char *target)
{
    *ARENA_PUSH(view->arena, &view->records) = (struct claims_record){zone, owner, type, target};
}

/* A logical line: parentheses hold physical ones together, comments are gone. Returns what comes after. */
static const char *take_line(const char *text, char *line)
{
    size_t length = 0;
    bool quoted = false, comment = false;
    int depth = 0;
    for (; *text != '\0' && (*text != '\n' || depth > 0); text++) {
        quoted = quoted != (*text == '"' && !comment);
        comment = *text != '\n' && (comment || (*text == ';' && !quoted));
        bool bracket = !quoted && !comment && (*text == '(' || *text == ')');
        depth += bracket ? (*text == '(' ? 1 : -1) : 0;
        if (!comment && length + 1 < LINE_MAX_BYTES)
            line[length++] = bracket || *text == '\n' ? ' ' : *text;
    }
    line[length] = '\0';
    return text + (*text == '\n');
}

static const char *absolute(const struct reader *reader, const char *name)
{
    struct arena *arena = reader->view->arena;
    if (strcmp(name, "@") == 0)
        return reader->origin;
    if (name[0] != '\0' && name[strlen(name) - 1] == '.')
        return text_name(arena, name);
    return text_name(arena,
                     strcmp(reader->origin, ".") == 0 ? name : arena_printf(arena, "%s.%s", name, reader->origin));
}

static bool is_ttl_or_class(const char *word)
{
    return isdigit((unsigned char)word[0]) || strcasecmp(word, "IN") == 0;
}

static bool has_target(const char *type)
{
    return strcmp(type, "MX") == 0 || strcmp(type, "CNAME") == 0 || strcmp(type, "DNAME") == 0;
}

static void read_line(struct reader *reader, char *line)
{
    static const char blanks[] = " \t";
    bool same_owner = line[0] == ' ' || line[0] == '\t';
    char *rest = line, *word = strtok_r(line, blanks, &rest), *last = NULL;
    if (word == NULL)
        return;
    if (strcmp(word, "$ORIGIN") == 0 && (word = strtok_r(NULL, blanks, &rest)) != NULL)
        reader->origin = absolute(reader, word);
    if (word == NULL || line[0] == '$')
        return;
    if (!same_owner) {
        reader->owner = absolute(reader, word);
        word = strtok_r(NULL, blanks, &rest);
    }
    while (word != NULL && is_ttl_or_class(word))
        word = strtok_r(NULL, blanks, &rest);
    if (word == NULL || reader->owner == NULL)
        return;
    char *type = arena_strdup(reader->view->arena, word);
    for (char *at = type; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    while ((word = strtok_r(NULL, blanks, &rest)) != NULL)
        last = word;
    add(reader->view, reader->zone, reader->owner, type,
        last != NULL && has_target(type) ? absolute(reader, last) : NULL);
}

static void read_zone(struct claims_view *view, const struct fakedns_zone *zone)
{
    struct reader reader = {view, zone, zone->name, NULL};
    char line[LINE_MAX_BYTES];
    bool root = strcmp(zone->name, ".") == 0;
    add(view, zone, zone->name, "SOA", NULL);
    add(view, zone, root ? "ns.root-servers" : arena_printf(view->arena, "ns.%s", zone->name), "A", NULL);
    for (const char *text = zone->records != NULL ? zone->records : ""; *text != '\0';) {
        text = take_line(text, line);
        read_line(&reader, line);
    }
}

void claims_view_read(struct arena *arena, const struct fakedns_config *dns, struct claims_view *view)
{
    *view = (struct claims_view){.arena = arena, .dns = dns};
    for (size_t i = 0; i < dns->zone_count; i++)
        read_zone(view, &dns->zones[i]);
}

/* --- looking up --- */

static bool is_under(const char *name, const char *ancestor)
{
    return strcmp(ancestor, ".") == 0 || text_name_under(name, ancestor);
}

const struct fakedns_zone *claims_zone_of(const struct fakedns_config *dns, const char *name)
{
    const struct fakedns_zone *best = NULL;
    for (size_t i = 0; i < dns->zone_count; i++)
        if (is_under(name, dns->zones[i].name) && (best == NULL || is_under(dns->zones[i].name, best->name)))
            best = &dns->zones[i];
    assert(best != NULL);
    return best;
}

const struct claims_record *claims_next(const struct claims_view *view, const char *owner, const char *type,
                                        const struct claims_record *after)
{
    const struct fakedns_zone *zone = claims_zone_of(view->dns, owner);
    for (size_t i = after != NULL ? (size_t)(after - view->records.items) + 1 : 0; i < view->records.count; i++) {
        const struct claims_record *record = &view->records.items[i];
        if (record->zone == zone && strcmp(record->type, type) == 0 && text_name_equal(record->owner, owner))
            return record;
    }
    return NULL;
}

/* If only for the sake of a name below it. */
static bool exists(const struct claims_view *view, const struct fakedns_zone *zone, const char *name)
{
    for (size_t i = 0; i < view->records.count; i++)
        if (view->records.items[i].zone == zone && is_under(view->records.items[i].owner, name))
            return true;
    return false;
}

static const char *above(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot != NULL && dot[1] != '\0' ? dot + 1 : ".";
}

/* The DNAME that a name is under (6672-2.3); NULL: none. */
static const struct claims_record *redirection(const struct claims_view *view, const char *name)
{
    for (size_t i = 0; i < view->records.count; i++) {
        const struct claims_record *record = &view->records.items[i];
        if (strcmp(record->type, "DNAME") == 0 && record->target != NULL && is_under(name, record->owner) &&
            !text_name_equal(name, record->owner) && record->zone == claims_zone_of(view->dns, name))
            return record;
    }
    return NULL;
}

static struct claims_found at_owner(const struct claims_view *view, struct claims_found found, const char *type)
{
    const struct claims_record *alias = claims_next(view, found.owner, "CNAME", NULL);
    found.type = type;
    found.finding = CLAIMS_THERE;
    if (claims_next(view, found.owner, type, NULL) != NULL)
        return found;
    found.finding = alias != NULL && alias->target != NULL ? CLAIMS_ALIAS : CLAIMS_NO_TYPE;
    if (found.finding == CLAIMS_ALIAS) {
        found.type = "CNAME";
        found.alias = alias->target;
    }
    return found;
}

struct claims_found claims_find(const struct claims_view *view, const char *name, const char *type)
{
    struct claims_found found = {CLAIMS_NO_NAME, claims_zone_of(view->dns, name), name, type, false, NULL};
    const struct claims_record *dname = redirection(view, name);
    if (dname != NULL) {
        size_t kept = strlen(name) - strlen(dname->owner);
        found.finding = CLAIMS_ALIAS;
        found.owner = dname->owner;
        found.type = "DNAME";
        found.alias = arena_printf(view->arena, "%.*s%s", (int)kept, name, dname->target);
        return found;
    }
    if (exists(view, found.zone, name))
        return at_owner(view, found, type);
    const char *encloser = above(name);
    while (strcmp(encloser, ".") != 0 && !exists(view, found.zone, encloser))
        encloser = above(encloser);
    const char *wildcard = arena_printf(view->arena, "*.%s", encloser);
    if (!exists(view, found.zone, wildcard))
        return found;
    found.owner = wildcard;
    found.by_wildcard = true;
    return at_owner(view, found, type);
}
