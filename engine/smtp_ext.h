/* SPDX-License-Identifier: BSD-2-Clause
 * smtp_ext - what a server says it can do, from its answer to EHLO.
 *
 * Pure. A keyword that is not in the table is passed over. What was learned in the clear is void after STARTTLS
 * (3207-4.2-1): the caller parses the new answer into a fresh struct. */
#ifndef ENGINE_SMTP_EXT_H
#define ENGINE_SMTP_EXT_H

#include "engine/smtp_reply.h"

struct smtp_ext {
    bool starttls, pipelining, eightbitmime, enhanced_codes, chunking, smtputf8, requiretls, dsn;
    bool size;             /* SIZE was announced */
    int64_t size_limit;    /* 0: none */
};

struct smtp_ext smtp_ext_parse(const struct smtp_reply *ehlo);

#endif
