/* SPDX-License-Identifier: BSD-2-Clause
 * rule - a transport rule: which mail of whom to whom takes a connector that is only used by rules. Pure.
 *
 * Every condition that a rule has must hold; of a condition's list one item is enough. */
#ifndef ENGINE_RULE_H
#define ENGINE_RULE_H

#include "base/schema.h"

struct route_rule {
    const char *name;
    struct srcpos at;
    const char *connector; /* that it names */
    struct srcpos connector_at;
    struct schema_texts sender, recipient; /* addresses, or domains as in a scope; "<>": the null sender */
    struct schema_texts recipient_domain;
    struct schema_texts header_contains; /* "X-Class: secret": the text anywhere in that field, any case */
    struct schema_texts header_matches;  /* "X-Class: ^(secret|board)$": extended regular expression */
    bool enabled;
};
extern const struct schema route_rule_schema;

struct route_question { /* one recipient of a message */
    const char *sender, *recipient, *domain;
    const char *header;
    size_t header_length; /* CRLF lines; NULL: not known, then no header condition holds */
};

bool rule_matches(const struct route_rule *rule, const struct route_question *question);
bool rule_reads_header(const struct route_rule *rule);
/* Findings within one rule: a field without a colon, an expression that is none, no condition at all. */
void rule_check(const struct route_rule *rule, struct diag_list *diags);

#endif
