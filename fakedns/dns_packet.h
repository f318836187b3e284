/* SPDX-License-Identifier: BSD-2-Clause
 * dns_packet - questions read from the wire, answers written to it.
 *
 * Pure. The bytes of a question come from a peer: every length in them is checked, nothing in them is followed.
 *
 * Owns:   nothing; everything lives in the arena given.
 * Errors: a question that cannot be answered properly says with which rcode to answer, or that it deserves none. */
#ifndef FAKEDNS_DNS_PACKET_H
#define FAKEDNS_DNS_PACKET_H

#include "fakedns/dns_name.h"

enum { DNS_HEADER_SIZE = 12, DNS_QUERY_MAX = 4096, DNS_PACKET_MAX = 65535, DNS_UDP_PLAIN = 512, DNS_UDP_MOST = 4096 };
enum { DNS_RCODE_BADVERS = 16 };

struct dns_query {
    uint16_t id;
    unsigned opcode;
    bool recursion_desired, checking_disabled;
    const ldns_rdf *name;               /* lower case; NULL: the question could not be read */
    const uint8_t *question;            /* as it came, in its own capitals */
    size_t question_size;
    ldns_rr_type type;
    ldns_rr_class class;
    bool edns, dnssec_ok;
    uint8_t edns_version;
    size_t udp_size;                    /* what the peer takes: 512 without EDNS */
    unsigned rcode;                     /* what is wrong with it; 0: nothing */
};

/* False: no question at all, to be ignored. */
bool dns_query_read(struct arena *arena, const uint8_t *bytes, size_t size, struct dns_query *query);

enum dns_section { DNS_ANSWER_SECTION, DNS_AUTHORITY_SECTION, DNS_ADDITIONAL_SECTION, DNS_SECTION_COUNT };

struct dns_packet;

struct dns_packet *dns_packet_new(struct arena *arena, const struct dns_query *query, size_t limit);
/* False: it does not fit; the packet is then as it was. NULL owner: the record's own. */
bool dns_packet_add(struct dns_packet *packet, enum dns_section section, const ldns_rdf *owner, const ldns_rr *rr);
/* What has been added so far, to come back to. */
struct dns_packet_mark { size_t size, names; uint16_t counts[DNS_SECTION_COUNT]; };
struct dns_packet_mark dns_packet_mark(const struct dns_packet *packet);
void dns_packet_return(struct dns_packet *packet, struct dns_packet_mark mark);
struct dns_packet_head { unsigned rcode; uint16_t id; bool authoritative, truncated; };
/* Writes header and OPT; the bytes are the arena's. */
const uint8_t *dns_packet_finish(struct dns_packet *packet, const struct dns_packet_head *head, size_t *size);

#endif
