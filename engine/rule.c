/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/rule.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/scope.h"

/* Of a field's value, and of a header, so that the work is bounded. */
enum { VALUE_MAX = 4096, HEADER_MAX = 256 * 1024 };

/* clang-format off */
static const struct schema_field rule_fields[] = {
    {.key = "name", .kind = SCHEMA_TEXT, .offset = offsetof(struct route_rule, name), .required = true,
     .at_offset = offsetof(struct route_rule, at), .doc = "what traces call it"},
    {.key = "connector", .kind = SCHEMA_TEXT, .offset = offsetof(struct route_rule, connector), .required = true,
     .at_offset = offsetof(struct route_rule, connector_at),
     .doc = "the connector that it names, one that is only-by-rule"},
    {.key = "sender", .kind = SCHEMA_TEXTS, .offset = offsetof(struct route_rule, sender),
     .doc = "addresses or domains of the sender: a@contoso.com, contoso.com, *.contoso.com; <> is the null sender"},
    {.key = "recipient", .kind = SCHEMA_TEXTS, .offset = offsetof(struct route_rule, recipient),
     .doc = "addresses or domains of the recipient"},
    {.key = "recipient-domain", .kind = SCHEMA_TEXTS, .offset = offsetof(struct route_rule, recipient_domain),
     .doc = "domains of the recipient: contoso.com, *.contoso.com, *"},
    {.key = "header-contains", .kind = SCHEMA_TEXTS, .offset = offsetof(struct route_rule, header_contains),
     .doc = "a header field and a text that it contains, whatever its case: 'X-Class: secret'"},
    {.key = "header-matches", .kind = SCHEMA_TEXTS, .offset = offsetof(struct route_rule, header_matches),
     .doc = "a header field and an extended regular expression for its value: 'X-Class: ^(secret|board)$'"},
    {.key = "enabled", .kind = SCHEMA_BOOL, .offset = offsetof(struct route_rule, enabled), .otherwise = "yes",
     .doc = "a disabled rule is never looked at"},
};
/* clang-format on */
const struct schema route_rule_schema = {.name = "rule",
                                         .doc = "a transport rule; the first one that matches decides",
                                         .fields = rule_fields,
                                         .count = COUNT(rule_fields),
                                         .size = sizeof(struct route_rule)};

/* ---- header fields ---- */

/* The next field of the header from *at on, unfolded: its name's length, its value in the buffer. */
struct field {
    const char *name;
    size_t name_length;
    char value[VALUE_MAX];
};

static size_t line_end(const char *text, size_t length, size_t from)
{
    const char *end = memchr(text + from, '\n', length - from);
    return end != NULL ? (size_t)(end - text) + 1 : length;
}

static size_t append(struct field *field, size_t used, const char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    size_t room = VALUE_MAX - 1 - used, taken = length < room ? length : room;
    memcpy(field->value + used, text, taken);
    field->value[used + taken] = '\0';
    return used + taken;
}

static bool next_field(const struct route_question *q, size_t *at, struct field *field)
{
    const char *text = q->header;
    size_t length = q->header_length < HEADER_MAX ? q->header_length : HEADER_MAX;
    if (text == NULL || *at >= length)
        return false;
    size_t end = line_end(text, length, *at), colon = *at;
    while (colon < end && text[colon] != ':')
        colon++;
    field->name = text + *at;
    field->name_length = colon - *at;
    size_t begin = colon < end ? colon + 1 : end;
    while (begin < end && (text[begin] == ' ' || text[begin] == '\t'))
        begin++;
    size_t used = append(field, 0, text + begin, end - begin);
    while (end < length && (text[end] == ' ' || text[end] == '\t')) {
        size_t from = end;
        end = line_end(text, length, from);
        used = append(field, used, text + from, end - from);
    }
    *at = end;
    return true;
}

/* ---- conditions ---- */

/* "X-Class: secret": the name's length, and what stands behind the colon. */
static const char *split(const char *condition, size_t *name_length)
{
    *name_length = strcspn(condition, ":");
    const char *rest = condition + *name_length;
    return *rest == ':' ? rest + 1 + strspn(rest + 1, " ") : NULL;
}

static bool contains(const void *text, const char *value)
{
    return strcasestr(value, text) != NULL;
}

static bool matches(const void *expression, const char *value)
{
    return regexec(expression, value, 0, NULL, 0) == 0;
}

static bool any_field(const struct route_question *q, const char *name, size_t name_length,
                      bool (*holds)(const void *what, const char *value), const void *what)
{
    size_t at = 0;
    struct field field;
    while (next_field(q, &at, &field))
        if (field.name_length == name_length && strncasecmp(field.name, name, name_length) == 0 &&
            holds(what, field.value))
            return true;
    return false;
}

static bool header_contains(const struct route_question *q, const char *condition)
{
    size_t name_length;
    const char *text = split(condition, &name_length);
    return text != NULL && any_field(q, condition, name_length, contains, text);
}

/* The expression is made once, however many fields a mail has. */
static bool header_matches(const struct route_question *q, const char *condition)
{
    size_t name_length;
    regex_t compiled;
    const char *text = split(condition, &name_length);
    if (text == NULL || regcomp(&compiled, text, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
        return false;
    bool holds = any_field(q, condition, name_length, matches, &compiled);
    regfree(&compiled);
    return holds;
}

static bool any_header(const struct route_question *q, const struct schema_texts *list,
                       bool (*holds)(const struct route_question *q, const char *condition))
{
    for (size_t i = 0; i < list->count; i++)
        if (holds(q, list->items[i]))
            return true;
    return list->count == 0;
}

static bool any_address(const struct schema_texts *list, const char *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (scope_covers_address(list->items[i], address))
            return true;
    return list->count == 0;
}

bool rule_matches(const struct route_rule *rule, const struct route_question *q)
{
    return rule->enabled && any_address(&rule->sender, q->sender) && any_address(&rule->recipient, q->recipient) &&
           (rule->recipient_domain.count == 0 || scope_any_covers(&rule->recipient_domain, q->domain)) &&
           any_header(q, &rule->header_contains, header_contains) &&
           any_header(q, &rule->header_matches, header_matches);
}

bool rule_reads_header(const struct route_rule *rule)
{
    return rule->enabled && rule->header_contains.count + rule->header_matches.count > 0;
}

/* ---- findings ---- */

static void check_headers(const struct schema_texts *list, bool expressions, struct diag_list *diags)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t name_length;
        const char *text = split(list->items[i], &name_length);
        regex_t compiled;
        if (text == NULL || name_length == 0) {
            diag_error(diags, list->at[i], "'%s' is no header field and text, such as 'X-Class: secret'",
                       list->items[i]);
            continue;
        }
        int wrong = expressions ? regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB) : REG_NOMATCH;
        if (wrong == 0)
            regfree(&compiled);
        else if (expressions)
            diag_error(diags, list->at[i], "'%s' is no regular expression", text);
    }
}

static void check_patterns(const struct schema_texts *list, struct diag_list *diags)
{
    for (size_t i = 0; i < list->count; i++)
        if (strchr(list->items[i], '@') == NULL && !scope_makes_sense(list->items[i]))
            diag_error(diags, list->at[i], "'%s': a star may stand only in front: '*' or '*.example.com'",
                       list->items[i]);
}

void rule_check(const struct route_rule *rule, struct diag_list *diags)
{
    const struct schema_texts *patterns[] = {&rule->sender, &rule->recipient, &rule->recipient_domain};
    size_t conditions = rule->header_contains.count + rule->header_matches.count;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        check_patterns(patterns[i], diags);
        conditions += patterns[i]->count;
    }
    check_headers(&rule->header_contains, false, diags);
    check_headers(&rule->header_matches, true, diags);
    if (conditions == 0)
        diag_warning(diags, rule->at, "rule '%s' has no condition: it takes all mail",
                     rule->name != NULL ? rule->name : "(without a name)");
}
