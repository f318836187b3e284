/* SPDX-License-Identifier: BSD-2-Clause
 * dns_answer - a DNS response in wire format, read as far as a mail sender needs it: where the aliases lead, and the
 * records of one type there.
 *
 * Pure. Owns: results live in the arena given; records point into the packet, which must live as long.
 * Errors:     false: the packet is malformed. */
#ifndef ENGINE_DNS_ANSWER_H
#define ENGINE_DNS_ANSWER_H

#include "base/arena.h"

enum { DNS_A = 1, DNS_CNAME = 5, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28, DNS_RRSIG = 46, DNS_TLSA = 52 };
enum { DNS_NOERROR = 0, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3 };

/* What DNSSEC says of an answer or a denial. */
enum dns_trust {
    TRUST_NOT_ASKED,
    TRUST_SECURE,
    TRUST_INSECURE,   /* provably unsigned, outside of every trust anchor, or an opt-out span */
    TRUST_OVERRIDDEN, /* bogus, and taken all the same because the connector says DANE none */
    TRUST_BOGUS,      /* failed: a validator's verdict */
    TRUST_FAILED,     /* failed: SERVFAIL, REFUSED, timeout, malformed ... */
};
static inline bool trust_is_failure(enum dns_trust t)
{
    return t == TRUST_BOGUS || t == TRUST_FAILED;
}

struct dns_record {
    const unsigned char *data;
    size_t length;
}; /* RDATA; names in it may be compressed */

struct dns_answer {
    const unsigned char *packet;
    size_t packet_length;
    unsigned rcode;
    const char *name;     /* that was asked for, lower case */
    const char *expanded; /* the end of the aliases in the answer; equal to name if there are none */
    const struct dns_record *records;
    size_t count; /* of the type asked for, at expanded */
    int64_t signed_until; /* UTC seconds: the first end of a signature, that of a denial too; 0: there is none */
};

bool dns_answer_read(struct arena *arena, const unsigned char *packet, size_t length, uint16_t type,
                     struct dns_answer *out);
/* The name that stands at offset in a record's RDATA, in lower case; unusual octets as \DDD, "." for the root. NULL:
 * malformed. */
char *dns_answer_name(struct arena *arena, const struct dns_answer *answer, const struct dns_record *record,
                      size_t offset);

#endif
