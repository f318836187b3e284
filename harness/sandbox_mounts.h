/* SPDX-License-Identifier: BSD-2-Clause
 * sandbox_mounts - the files a subject sees instead of the machine's own: resolv.conf and its like, and an empty /run
 * in which no daemon's socket (name service cache, resolver, system log) can be reached.
 *
 * Call in a fresh mount namespace that may mount. Everything goes with the namespace.
 *
 * Errors: false with *err filled. */
#ifndef HARNESS_SANDBOX_MOUNTS_H
#define HARNESS_SANDBOX_MOUNTS_H

#include "base/err.h"

#define SANDBOX_DIRECTORY "/run/mtalab"
#define SANDBOX_CA SANDBOX_DIRECTORY "/ca.pem" /* shows through at every place where programs look for public roots */

bool sandbox_mounts_make(struct err *err) NODISCARD;

#endif
