/* SPDX-License-Identifier: BSD-2-Clause
 * domain_name - a domain as somebody wrote it, turned into the name that DNS, SNI and URLs want. Pure. */
#ifndef ENGINE_DOMAIN_NAME_H
#define ENGINE_DOMAIN_NAME_H

#include "base/arena.h"

enum { DOMAIN_NAME_MAX = 253, DOMAIN_LABEL_MAX = 63 };

/* Lower case, A-labels, no trailing dot. NULL for what cannot be a domain: empty, an empty or overlong label, too long,
 * a label that IDNA does not know. */
char *domain_name_ascii(struct arena *arena, const char *name);
/* "192.0.2.1", "2001:db8::1", "[192.0.2.1]", "[IPv6:2001:db8::1]": never a name, no DANE, no MTA-STS (7672-2.2-12,
 * 8461-3.4-2). */
bool domain_name_is_address(const char *name);
/* Domain of RFC 5321 4.1.2: letters, digits, hyphens inside a label; at least one label. Not NUL-terminated. */
bool domain_name_is_domain(const char *name, size_t length);

#endif
