/* SPDX-License-Identifier: BSD-2-Clause
 * exchange - connectors as Exchange Online writes them: records of `Get-OutboundConnector | ConvertTo-Json` in and out,
 * `Set-OutboundConnector` command lines out. Nothing is lost on the way: a property without a setting of ours is kept,
 * as JSON text, under `exchange:`.
 *
 * Errors: false with *err filled, with the record and the property; findings in the diag_list. */
#ifndef ENGINE_EXCHANGE_H
#define ENGINE_EXCHANGE_H

#include <jansson.h>

#include "engine/connector.h"

/* One record or a list of them, as the `connectors:` of a configuration. A list that is null is an empty one. */
bool exchange_import(const json_t *records, FILE *out, struct err *err) NODISCARD;
/* The record that says what the connector says. */
json_t *exchange_record(const struct connector *connector);
/* What can be set, as one command line; what cannot, as comments above it. */
void exchange_print_command(const struct connector *connector, bool is_new, FILE *out);
/* The map under `exchange:`: JSON texts, none of them a property that has a setting. */
void exchange_check(const struct connector *connector, struct diag_list *diags);

#endif
