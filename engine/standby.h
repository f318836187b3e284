/* SPDX-License-Identifier: BSD-2-Clause
 * standby - one process with every library loaded and set up, in which one engine after the other lives: a test bench
 * that wants a fresh engine for every case pays for its work alone, not for its start.
 *
 * A line of standard input is the path of a configuration. The engine before it, if there is one, is taken down first,
 * with all that it knew; "ready" on standard output says that the new one takes mail. An empty line only takes down the
 * one that runs; the answer is "ended". The end of the input ends it all, and so does an engine that cannot begin: it
 * says why on standard error.
 *
 * Threads: one. */
#ifndef ENGINE_STANDBY_H
#define ENGINE_STANDBY_H

/* run() is an engine's life: it writes "ready" to ready_fd, which it closes, and lives until orders_fd can be read. It
 * returns the exit status; unless that is 0 all ends. */
int standby_serve(int (*run)(void *arg, const char *config_path, int ready_fd, int orders_fd), void *arg);

#endif
