/* SPDX-License-Identifier: BSD-2-Clause
 * standby - one process that has loaded and set up every library, and forks an engine of itself for each configuration
 * it is told: a test bench that wants a fresh engine for every case pays for its work alone, not for its start.
 *
 * A line of standard input is the path of a configuration; the engine before it, if there is one, is ended first. The
 * answer on standard output is "ready" once the new one takes mail, or "failed". An empty line only ends the engine
 * that runs; the answer is "ended". The end of the input ends both.
 *
 * Owns:    the engine's process, which dies with this one.
 * Threads: one. */
#ifndef ENGINE_STANDBY_H
#define ENGINE_STANDBY_H

/* run() is called in the new process: it says ready by writing to ready_fd, and returns the exit status. */
int standby_serve(int (*run)(void *arg, const char *config_path, int ready_fd), void *arg);

#endif
