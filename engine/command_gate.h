/* SPDX-License-Identifier: BSD-2-Clause
 * command_gate - the gate before mandatory, for those who ask before they change a connector. */
#ifndef ENGINE_COMMAND_GATE_H
#define ENGINE_COMMAND_GATE_H

#include "engine/command_history.h"

/* Past and present of every destination of the connector, which is one of the routing's: rows for
 * command_gate_table. NULL: it could not be asked, and why was said. */
json_t *command_gate_rows(const struct past *past, const struct routing *routing, const struct connector *connector);
bool command_gate_is_open(const json_t *rows);
extern const struct command_table command_gate_table;

#endif
