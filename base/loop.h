/* SPDX-License-Identifier: BSD-2-Clause
 * loop - the one libevent base of a process, run until an event has come or the budget is spent.
 *
 * Owns:    the event_base. Borrows: nothing.
 * Threads: one. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <event2/event.h>

#include "base/err.h"

struct loop;

struct loop *loop_new(struct err *err) NODISCARD;      /* also ignores SIGPIPE in this process */
struct event_base *loop_base(struct loop *loop);
/* Runs until *done is true (looked at after every round of events; NULL: never) or seconds have passed (negative: no
 * limit); true when done. Also ends, false, after loop_stop(). */
bool loop_run_until(struct loop *loop, const bool *done, double seconds);
void loop_stop(struct loop *loop);                     /* safe from a signal event; stays stopped */
bool loop_stopped(const struct loop *loop);
void loop_free(struct loop **loop);

#endif
