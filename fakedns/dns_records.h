/* SPDX-License-Identifier: BSD-2-Clause
 * dns_records - a zone's records as somebody wrote them (master-file text), read with a place for every mistake.
 *
 * ldns takes numbers that are too large, and text that stands behind the last field, without a word; here every field
 * is looked at before ldns sees it. $ORIGIN, $TTL, comments, quotes, parentheses and \# are understood.
 *
 * Owns:   nothing; every ldns_rr handed to take() is take()'s.
 * Errors: each mistake goes to wrong(), reading goes on with the next record. */
#ifndef FAKEDNS_DNS_RECORDS_H
#define FAKEDNS_DNS_RECORDS_H

#include "base/arena.h"
#include "fakedns/dns_name.h"

enum { DNS_DEFAULT_TTL = 300, DNS_RECORDS_MAX = 5000 };

struct dns_place { unsigned line, col, length; };     /* within the text, from 1 */

struct dns_records_reader {
    /* The reason when the record cannot be taken (it is then ours to free); NULL: taken. */
    const char *(*take)(void *arg, ldns_rr *rr);
    void (*wrong)(void *arg, struct dns_place at, const char *text);
    void *arg;
};

void dns_records_read(struct arena *arena, const ldns_rdf *zone, const char *text,
                      const struct dns_records_reader *reader);

#endif
