/* SPDX-License-Identifier: BSD-2-Clause
 * evidence - what crossed the wire of a case, as one pcapng file: the packets, and the TLS keys of the sessions with MX
 * hosts (nginx gives away none of its own), so that Wireshark opens and decrypts it.
 *
 * Owns:    the packet socket and the packets kept, at most EVIDENCE_BYTES_MAX of them; what is beyond is counted.
 * Errors:  NULL or false with *err filled: without namespaces of the lab's own nothing is captured.
 * Threads: one. */
#ifndef HARNESS_EVIDENCE_H
#define HARNESS_EVIDENCE_H

#include <stdio.h>

#include "base/journal.h"
#include "base/loop.h"

enum { EVIDENCE_BYTES_MAX = 64 * 1024 * 1024 };

struct evidence;

/* Everything that passes through this network namespace from now on. */
struct evidence *evidence_start(struct loop *loop, struct err *err);
void evidence_stop(struct evidence **evidence);

struct evidence_packet { int64_t at_us; const unsigned char *bytes; size_t length; };   /* at_us: since 1970 */
struct evidence_file {
    const struct evidence_packet *packets; size_t count;
    uint64_t lost;            /* seen by the kernel, and not kept */
    const char *keys;         /* NSS key log, one line each; "" */
};
/* pcapng (draft-ietf-opsawg-pcapng): one Ethernet interface, keys before packets. False: writing failed. */
bool evidence_print(const struct evidence_file *file, FILE *out);
/* Where a case of this name has its file: it may hold slashes, and leads nowhere but below the folder. */
const char *evidence_path(struct arena *arena, const char *name);
/* That file below an open folder; the folders on the way are made. */
bool evidence_write(struct evidence *evidence, const struct journal *journal, int folder, const char *name,
                    struct err *err) NODISCARD;

#endif
