/* SPDX-License-Identifier: BSD-2-Clause
 * capture - a partner as `mtalab-engine check --json` saw it, written as a scenario that behaves the same. Pure.
 *
 * Keys and hashes are the lab's own: a TLSA record that matched becomes one that matches, one that did not names
 * another key. What each pair of modes would do becomes what the scenario expects.
 *
 * Errors: false with *err filled: the posture is of no use. What could not be carried over is said in comments. */
#ifndef HARNESS_CAPTURE_H
#define HARNESS_CAPTURE_H

#include <jansson.h>
#include <stdio.h>

#include "base/err.h"

/* posture: what check printed. */
bool capture_print(const json_t *posture, FILE *out, struct err *err) NODISCARD;

#endif
