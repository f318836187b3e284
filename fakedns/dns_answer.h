/* SPDX-License-Identifier: BSD-2-Clause
 * dns_answer - what a name server of the lab says: a question and the zones of one address in, a packet out
 * (1034-4.3.2, 4035-3.1, 5155-7.2, 6672, 6891).
 *
 * Pure, but for signatures that are made when first wanted.
 *
 * Owns:   nothing; everything of a reply lives in the arena given.
 * Errors: none; a bad question has its rcode. */
#ifndef FAKEDNS_DNS_ANSWER_H
#define FAKEDNS_DNS_ANSWER_H

#include "fakedns/dns_packet.h"
#include "fakedns/dns_world.h"

enum dns_transport { DNS_UDP, DNS_TCP };
enum dns_deed { DNS_SEND, DNS_IGNORE, DNS_HANG_UP };    /* HANG_UP: TCP only, the connection is closed */

struct dns_item {
    enum dns_section section;
    const ldns_rdf *owner;              /* in the answer; NULL: the RRset's own */
    struct dns_rrset *rrset;
    const ldns_rr *made;                /* instead of an RRset: a CNAME made from a DNAME */
    bool only_signatures;
    bool written;
};

struct dns_reply {
    struct arena *arena;
    const struct dns_view *view;
    struct dns_query query;
    enum dns_transport transport;
    struct dns_zone *zone;              /* that was asked; NULL: none of ours */
    enum dns_deed deed;
    unsigned delay_ms;
    unsigned rcode;
    bool authoritative, truncated, wrong_id, malformed, oversized;
    bool unrelated;                     /* what else of that type there is comes first */
    bool passed_over;                   /* by a fault that is about other servers than this one */
    bool settled;                       /* by a fault: nothing is looked up */
    struct { struct dns_item *items; size_t count, room; } items;
    struct dns_fault_list hits;         /* faults that were stepped on, each once */
    const char *summary;                /* "3 1 1 9f2c...e1", "referral to example", "NODATA" */
    const uint8_t *packet;
    size_t length;
};

void dns_answer(struct arena *arena, const struct dns_view *view, enum dns_transport transport, const uint8_t *query,
                size_t length, struct dns_reply *reply);
const char *dns_rcode_text(unsigned rcode);     /* "NOERROR", ... */

#endif
