/* SPDX-License-Identifier: BSD-2-Clause
 * up_control - words said to a world that is up, over a unix socket inside of it: one request a connection.
 *
 * The words come, each with a NUL behind it; the answer is the exit status as a digit, then text.
 *
 * Owns:    the socket, until it is freed; its file goes with the sandbox.
 * Errors:  NULL or a status with *err filled.
 * Threads: one. */
#ifndef HARNESS_UP_CONTROL_H
#define HARNESS_UP_CONTROL_H

#include <stdio.h>

#include "base/loop.h"

struct up_control;

/* *asked becomes true when somebody comes; up_control_answer() is then to be called, from outside of the loop. */
struct up_control *up_control_listen(const char *path, struct loop *loop, bool *asked, struct err *err) NODISCARD;
/* Answers everybody who has come. */
void up_control_answer(struct up_control *control,
                       int (*obey)(void *arg, const char *const *words, size_t count, FILE *out), void *arg);
void up_control_free(struct up_control **control);

/* The other side: says the words, and prints what comes back. The exit status; 3 with *err when nobody answers. */
int up_control_ask(const char *path, const char *const *words, size_t count, FILE *out, FILE *complaints,
                   struct err *err);

#endif
