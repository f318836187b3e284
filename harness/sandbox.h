/* SPDX-License-Identifier: BSD-2-Clause
 * sandbox - a place of its own for a worker: two network namespaces joined by a wire, with no route out; files of its
 * own; and a pid namespace whose first process is the worker, so that nothing of it survives the worker, or the runner.
 *
 * Works without root (a user namespace in which the user is root), as root (no user namespace, so that programs can
 * change to other users), and, where namespaces are forbidden, on 127.0.0.0/8 for what can be run there.
 *
 * Owns:   the child; inside of it namespaces, mounts and the private directory.
 * Errors: what could not be made, and why, in *err. Nothing is left behind. */
#ifndef HARNESS_SANDBOX_H
#define HARNESS_SANDBOX_H

#include <sys/types.h>

#include "base/err.h"

enum sandbox_kind {
    SANDBOX_AUTO,     /* the best that this machine allows: root, rootless, loopback */
    SANDBOX_ROOT,     /* namespaces but for the user's: the real root */
    SANDBOX_ROOTLESS, /* every namespace */
    SANDBOX_LOOPBACK, /* none */
};

struct sandbox {
    enum sandbox_kind kind;
    int inet, mta; /* network namespaces; -1 in a loopback sandbox */
    bool ipv6;
    const char *directory; /* private, empty, on a tmpfs where there are namespaces */
    const char *ca_path;   /* rewrite it in place: it shows through at the system's own places */
    const char *listen;    /* where a subject takes mail: address */
    const char *resolver;  /* where the subject's resolver is */
};

/* Forks; body runs in the child as the first process of a fresh sandbox, on the inet side, and its result is the
 * child's exit status. Returns when the sandbox stands. The child has a session of its own, unless keep_terminal, and
 * dies with the caller; killing it ends everything in it. -1 on failure. */
struct sandbox_spec {
    enum sandbox_kind kind; /* ROOT or ROOTLESS with join */
    bool keep_terminal;
    const char *join; /* path of somebody's network namespace, which becomes mta; refused where more than lo is up */
    int (*body)(const struct sandbox *sandbox, void *arg);
    void *arg;
};
pid_t sandbox_spawn(const struct sandbox_spec *spec, struct err *err) NODISCARD;

/* Hook for process_spec.before_exec: the child goes over to the subject's side. arg: struct sandbox. */
bool sandbox_enter_mta(void *sandbox);
/* May this process bind port 25? What a loopback sandbox needs. */
bool sandbox_loopback_possible(void);

#endif
