/* SPDX-License-Identifier: BSD-2-Clause
 * command_exchange - mtalab-engine connector import, export. */
#ifndef ENGINE_COMMAND_EXCHANGE_H
#define ENGINE_COMMAND_EXCHANGE_H

#include "engine/command.h"

int command_import(const struct command_line *line);
int command_export(const struct command_line *line);

#endif
