/* SPDX-License-Identifier: BSD-2-Clause
 * scope - which domains an entry of a list covers: "contoso.com", "*.contoso.com", "*". Pure.
 *
 * "*.contoso.com" covers subdomains of any depth, not contoso.com itself; "*" covers everything, address literals
 * too. A name in UTF-8 is the same as its A-labels. */
#ifndef ENGINE_SCOPE_H
#define ENGINE_SCOPE_H

#include "base/schema.h"

enum scope_kind { SCOPE_KIND_NONE, SCOPE_KIND_ALL, SCOPE_KIND_WILDCARD, SCOPE_KIND_EXACT };

/* How the entry covers the domain; NONE: it does not. */
enum scope_kind scope_covers(const char *scope, const char *domain);
bool scope_any_covers(const struct schema_texts *scopes, const char *domain);
/* "a@contoso.com" is that address, "<>" the null sender, anything else a scope for the address's domain. */
bool scope_covers_address(const char *pattern, const char *address);
/* A star may stand only in front. */
bool scope_makes_sense(const char *scope);

#endif
