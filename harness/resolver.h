/* SPDX-License-Identifier: BSD-2-Clause
 * resolver - the unbound daemon on the subject's side, for subjects that do not validate by themselves.
 *
 * One process a worker; each case, and each change of its world, gives it another root and empties its caches, also of
 * what it thinks of servers.
 *
 * Owns:   the child and its files under the sandbox's directory.
 * Errors: false or NULL with *err filled. */
#ifndef HARNESS_RESOLVER_H
#define HARNESS_RESOLVER_H

#include "base/loop.h"
#include "harness/sandbox.h"

struct resolver;

struct resolver_world {
    const char *root_key, *root_hints; /* as fakedns_root_key(), fakedns_root_hints() */
    const char *options;               /* "name: value" lines */
};

bool resolver_installed(void);
struct resolver *resolver_start(const struct sandbox *sandbox, struct loop *loop, struct err *err) NODISCARD;
/* Returns when it answers from this world with empty caches. */
bool resolver_serve(struct resolver *resolver, const struct resolver_world *world, struct loop *loop, struct err *err)
    NODISCARD;
pid_t resolver_process_id(const struct resolver *resolver); /* 0: none */
void resolver_stop(struct resolver **resolver);

#endif
