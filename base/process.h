/* SPDX-License-Identifier: BSD-2-Clause
 * process - a child: spawned with exactly the descriptors and environment it is given, watched, stopped by its id.
 *
 * Owns:    the child until process_stop(). The child dies with its parent (PR_SET_PDEATHSIG).
 * Borrows: the loop given to process_watch().
 * Threads: one. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"

struct process;

struct process_spec {
    const char *const *argv;         /* argv[0] is looked up in PATH */
    const char *const *environment;  /* "NAME=value", NULL-terminated; NULL: inherited */
    const char *directory;           /* NULL: inherited */
    int in, out, err;                /* descriptors for 0, 1, 2; -1: /dev/null. Not closed by us */
    bool (*before_exec)(void *arg);  /* in the child: enter a namespace, mount; may be NULL. It must come back: the
                                      * parent waits for it. False, with errno set: the child exits 127 */
    void *arg;
};

/* Returns once the program runs; NULL when it could not be run or before_exec said false. */
struct process *process_spawn(const struct process_spec *spec, struct err *err) NODISCARD;
pid_t process_id(const struct process *process);
bool process_alive(struct process *process);                 /* reaps without waiting */
/* Calls on_end once, from the loop, when the child has ended. The process may be stopped in there; stopping it before
 * ends the watch. */
bool process_watch(struct process *process, struct loop *loop, void (*on_end)(void *arg), void *arg,
                   struct err *err) NODISCARD;
/* SIGTERM, then SIGKILL after grace_ms; waits for the end. The exit status as waitpid() gives it. */
int process_stop(struct process **process, int grace_ms);
int process_wait(struct process **process);
/* Runs a program to its end: what it wrote on standard output, to be freed. What it complains of goes to the descriptor
 * err_to; -1: nowhere. NULL when it could not be run. */
char *process_output(const char *const *argv, int err_to, struct err *err) NODISCARD;
/* Finds a program: in PATH, then /usr/sbin, /sbin, /usr/local/sbin. False when there is none. */
bool process_find(const char *program, char *path, size_t size);

#endif
