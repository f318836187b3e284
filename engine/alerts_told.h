/* SPDX-License-Identifier: BSD-2-Clause
 * alerts_told - which alerts have been told, so that each is told once, and again only after it was over.
 *
 * Owns:    nothing between calls; the file is opened for each.
 * Errors:  false with *err filled; nothing is then noted. */
#ifndef ENGINE_ALERTS_TOLD_H
#define ENGINE_ALERTS_TOLD_H

#include "engine/alert.h"

struct alert_age { int64_t since; bool told; };

/* Fills one age for each alert; what is over is forgotten. */
bool alerts_told_read(const char *path, int64_t now, const struct alerts *alerts, struct alert_age *ages,
                      struct err *err) NODISCARD;
bool alerts_told_note(const char *path, int64_t now, const struct alert *alert, struct err *err) NODISCARD;
/* How many were told in the last day, whatever has become of them. */
bool alerts_told_today(const char *path, int64_t now, int64_t *count, struct err *err) NODISCARD;

#endif
