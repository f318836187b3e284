/* SPDX-License-Identifier: BSD-2-Clause
 * command_words - every word of mtalab-engine, defined in its command_*.c; command.c puts them into one table. */
#ifndef ENGINE_COMMAND_WORDS_H
#define ENGINE_COMMAND_WORDS_H

#include "engine/command.h"

extern const struct command command_run, command_standby, command_stop, command_reload;
extern const struct command command_send;
extern const struct command command_queue, command_status, command_requeue, command_flush;
extern const struct command command_hold, command_release, command_remove;
extern const struct command command_trace;
extern const struct command command_tlsrpt;
extern const struct command command_route;
extern const struct command command_connector, command_fallback;
extern const struct command command_config, command_schema;
extern const struct command command_check;
extern const struct command command_validate, command_stage;
extern const struct command command_dossier;
extern const struct command command_what_if, command_gate, command_inventory, command_reports;
extern const struct command command_alerts;

#endif
