/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/scope.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "engine/message.h"

static enum scope_kind covers(const char *scope, const char *domain)
{
    if (strcmp(scope, "*") == 0)
        return SCOPE_KIND_ALL;
    if (strncmp(scope, "*.", 2) == 0)
        return text_name_under(domain, scope + 2) && !text_name_equal(domain, scope + 2) ? SCOPE_KIND_WILDCARD
                                                                                         : SCOPE_KIND_NONE;
    return text_name_equal(scope, domain) ? SCOPE_KIND_EXACT : SCOPE_KIND_NONE;
}

static bool is_ascii(const char *name)
{
    return !message_is_8bit(name, strlen(name));
}

enum scope_kind scope_covers(const char *scope, const char *domain)
{
    if (is_ascii(scope) && is_ascii(domain))
        return covers(scope, domain);
    struct arena *arena = arena_new("scope");
    bool wildcard = strncmp(scope, "*.", 2) == 0;
    const char *name = message_domain(arena, wildcard ? scope + 2 : scope);
    enum scope_kind kind = covers(wildcard ? arena_printf(arena, "*.%s", name) : name, message_domain(arena, domain));
    arena_free(&arena);
    return kind;
}

bool scope_any_covers(const struct schema_texts *scopes, const char *domain)
{
    for (size_t i = 0; i < scopes->count; i++)
        if (scope_covers(scopes->items[i], domain) != SCOPE_KIND_NONE)
            return true;
    return false;
}

bool scope_covers_address(const char *pattern, const char *address)
{
    const char *at = strrchr(address, '@');
    if (strcmp(pattern, "<>") == 0)
        return address[0] == '\0';
    if (strchr(pattern, '@') != NULL)
        return strcasecmp(pattern, address) == 0;
    return at != NULL && scope_covers(pattern, at + 1) != SCOPE_KIND_NONE;
}

bool scope_makes_sense(const char *scope)
{
    const char *name = strncmp(scope, "*.", 2) == 0 ? scope + 2 : scope;
    return strcmp(scope, "*") == 0 || (*name != '\0' && strchr(name, '*') == NULL);
}
