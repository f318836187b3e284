/* SPDX-License-Identifier: BSD-2-Clause
 * expect - what can be seen of a sender on the wire: each word a row, each row a function over the journal. Pure. */
#ifndef HARNESS_EXPECT_H
#define HARNESS_EXPECT_H

#include "base/journal.h"

enum expect_subject { EXPECT_HOST, EXPECT_DNS, EXPECT_WEB };

struct expect_row {
    const char *word;                    /* "mail-from", "tlsa-query", "request" */
    enum expect_subject about;
    const char *doc;
    /* Is this event the evidence? host: the host's name, or the name a dns or web word is about (NULL: any). */
    bool (*is)(const struct journal_event *event, const char *host);
    bool manner;                         /* how mail is sent, not that it is */
};
const struct expect_row *expect_find(enum expect_subject about, const char *word);   /* NULL: no such word */
const char *expect_nearest(enum expect_subject about, const char *word);

/* A number of sessions, "1", or from "1-2"; false: it is neither. */
bool expect_range(const char *text, int64_t *least, int64_t *most);
/* The first event from `from` up to `until` (exclusive) that is the evidence; NULL: not seen. Names under the sender's
 * own domain are never evidence for host NULL. */
const struct journal_event *expect_seen(const struct journal *journal, size_t from, size_t until,
                                        const struct expect_row *row, const char *host, const char *sender_domain);

#endif
