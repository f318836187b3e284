/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_packet.h"

#include <string.h>

enum { OPT_SIZE = 11, NAMES_MAX = 256, POINTER_REACH = 0x3fff, OUR_UDP_SIZE = 1232, RECORDS_READ_MAX = 32 };

/* --- reading --- */

struct cursor {
    const uint8_t *bytes;
    size_t size, at;
};

static bool take(struct cursor *from, size_t size)
{
    if (from->size - from->at < size)
        return false;
    from->at += size;
    return true;
}

static unsigned get16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* Over a name; no pointers, for in a question there is nothing to point to. */
static bool take_name(struct cursor *from, size_t *size)
{
    size_t begin = from->at;
    while (from->at < from->size) {
        uint8_t label = from->bytes[from->at];
        if (label > DNS_LABEL_MAX || !take(from, 1u + label) || from->at - begin > DNS_NAME_MAX)
            return false;
        if (label == 0) {
            *size = from->at - begin;
            return true;
        }
    }
    return false;
}

static bool read_question(struct arena *arena, struct cursor *from, struct dns_query *query)
{
    size_t begin = from->at, name_size;
    if (!take_name(from, &name_size) || !take(from, 4))
        return false;
    query->name = dns_name_new(arena, from->bytes + begin, name_size);
    query->question = from->bytes + begin;
    query->question_size = from->at - begin;
    query->type = get16(from->bytes + begin + name_size);
    query->class = get16(from->bytes + begin + name_size + 2);
    return true;
}

/* A record of the additional section; 6891-6.1.1: at most one OPT, at the root. */
static bool read_additional(struct cursor *from, struct dns_query *query)
{
    size_t name_size, begin;
    if (!take_name(from, &name_size))
        return false;
    begin = from->at;
    if (!take(from, 10))
        return false;
    const uint8_t *fixed = from->bytes + begin;
    if (!take(from, get16(fixed + 8)))
        return false;
    if (get16(fixed) != LDNS_RR_TYPE_OPT)
        return true;
    if (query->edns || name_size != 1)
        return false;
    query->edns = true;
    query->udp_size = get16(fixed + 2) < DNS_UDP_PLAIN ? DNS_UDP_PLAIN : get16(fixed + 2);
    query->edns_version = fixed[5];
    query->dnssec_ok = fixed[6] & 0x80;
    return true;
}

static unsigned read_body(struct arena *arena, struct cursor *from, struct dns_query *query)
{
    unsigned additional = get16(from->bytes + 10);
    if (query->opcode != 0)
        return LDNS_RCODE_NOTIMPL;
    if (get16(from->bytes + 4) != 1 || get16(from->bytes + 6) != 0 || get16(from->bytes + 8) != 0 ||
        additional > RECORDS_READ_MAX || !read_question(arena, from, query))
        return LDNS_RCODE_FORMERR;
    for (unsigned i = 0; i < additional; i++)
        if (!read_additional(from, query))
            return LDNS_RCODE_FORMERR;
    if (query->edns_version > 0)
        return DNS_RCODE_BADVERS;
    return query->type == LDNS_RR_TYPE_OPT ? LDNS_RCODE_FORMERR : LDNS_RCODE_NOERROR;
}

bool dns_query_read(struct arena *arena, const uint8_t *bytes, size_t size, struct dns_query *query)
{
    struct cursor from = {bytes, size, DNS_HEADER_SIZE};
    *query = (struct dns_query){.udp_size = DNS_UDP_PLAIN};
    if (size < DNS_HEADER_SIZE || size > DNS_QUERY_MAX || bytes[2] & 0x80)
        return false;
    query->id = (uint16_t)get16(bytes);
    query->opcode = bytes[2] >> 3 & 0x0f;
    query->recursion_desired = bytes[2] & 0x01;
    query->checking_disabled = bytes[3] & 0x10;
    query->rcode = read_body(arena, &from, query);
    return true;
}

/* --- writing --- */

struct dns_packet {
    const struct dns_query *query;
    uint8_t *bytes;
    size_t size, limit;        /* limit leaves room for OPT */
    uint16_t names[NAMES_MAX]; /* where names and their ends stand, to be pointed to */
    size_t name_count;
    uint16_t counts[DNS_SECTION_COUNT];
};

static bool put(struct dns_packet *packet, const void *bytes, size_t size)
{
    if (packet->limit - packet->size < size)
        return false;
    memcpy(packet->bytes + packet->size, bytes, size);
    packet->size += size;
    return true;
}

static bool put16(struct dns_packet *packet, unsigned value)
{
    return put(packet, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Does the name that we wrote at this place end like this one? We wrote it: its pointers lead backwards. */
static bool stands_at(const struct dns_packet *packet, size_t at, const uint8_t *name)
{
    for (;;) {
        while (packet->bytes[at] >= 0xc0)
            at = get16(packet->bytes + at) & POINTER_REACH;
        if (packet->bytes[at] != name[0])
            return false;
        if (name[0] == 0)
            return true;
        for (unsigned i = 1; i <= name[0]; i++)
            if (lower(packet->bytes[at + i]) != lower(name[i]))
                return false;
        at += 1u + name[0];
        name += 1u + name[0];
    }
}

static size_t find_name(const struct dns_packet *packet, size_t name_count, const uint8_t *name)
{
    for (size_t i = 0; i < name_count; i++)
        if (stands_at(packet, packet->names[i], name))
            return packet->names[i];
    return 0;
}

/* Only names that stand there whole are pointed to. */
static bool put_name(struct dns_packet *packet, const ldns_rdf *name, bool compress)
{
    const uint8_t *wire = ldns_rdf_data(name);
    const size_t whole = packet->name_count;
    while (compress && wire[0] != 0) {
        size_t known = find_name(packet, whole, wire);
        if (known != 0)
            return put16(packet, 0xc000u | (unsigned)known);
        size_t at = packet->size;
        if (!put(packet, wire, 1u + wire[0]))
            return false;
        if (at <= POINTER_REACH && packet->name_count < NAMES_MAX)
            packet->names[packet->name_count++] = (uint16_t)at;
        wire += 1u + wire[0];
    }
    return put(packet, wire, ldns_rdf_size(name) - (size_t)(wire - ldns_rdf_data(name)));
}

/* 3597-4: only the types of RFC 1035 have names that may be compressed. */
static bool compresses(ldns_rr_type type)
{
    return type == LDNS_RR_TYPE_NS || type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_SOA ||
           type == LDNS_RR_TYPE_MX || type == LDNS_RR_TYPE_PTR;
}

static bool put_rdata(struct dns_packet *packet, const ldns_rr *rr)
{
    size_t length_at = packet->size;
    bool fits = put16(packet, 0);
    for (size_t i = 0; fits && i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        fits = ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME
                   ? put_name(packet, field, compresses(ldns_rr_get_type(rr)))
                   : put(packet, ldns_rdf_data(field), ldns_rdf_size(field));
    }
    if (!fits)
        return false;
    size_t length = packet->size - length_at - 2;
    packet->bytes[length_at] = (uint8_t)(length >> 8);
    packet->bytes[length_at + 1] = (uint8_t)length;
    return true;
}

struct dns_packet *dns_packet_new(struct arena *arena, const struct dns_query *query, size_t limit)
{
    struct dns_packet *packet = arena_alloc(arena, sizeof *packet);
    packet->query = query;
    packet->bytes = arena_alloc(arena, limit);
    packet->limit = limit - (query->edns ? OPT_SIZE : 0);
    packet->size = DNS_HEADER_SIZE;
    if (query->name == NULL)
        return packet;
    for (const uint8_t *label = query->question; label[0] != 0; label += 1u + label[0])
        packet->names[packet->name_count++] = (uint16_t)(DNS_HEADER_SIZE + (label - query->question));
    put(packet, query->question, query->question_size);
    return packet;
}

bool dns_packet_add(struct dns_packet *packet, enum dns_section section, const ldns_rdf *owner, const ldns_rr *rr)
{
    struct dns_packet_mark before = dns_packet_mark(packet);
    uint32_t ttl = ldns_rr_ttl(rr);
    bool fits = put_name(packet, owner != NULL ? owner : ldns_rr_owner(rr), true) &&
                put16(packet, ldns_rr_get_type(rr)) && put16(packet, LDNS_RR_CLASS_IN) && put16(packet, ttl >> 16) &&
                put16(packet, ttl & 0xffff) && put_rdata(packet, rr);
    if (fits)
        packet->counts[section]++;
    else
        dns_packet_return(packet, before);
    return fits;
}

struct dns_packet_mark dns_packet_mark(const struct dns_packet *packet)
{
    struct dns_packet_mark mark = {.size = packet->size, .names = packet->name_count};
    memcpy(mark.counts, packet->counts, sizeof mark.counts);
    return mark;
}

void dns_packet_return(struct dns_packet *packet, struct dns_packet_mark mark)
{
    packet->size = mark.size;
    packet->name_count = mark.names;
    memcpy(packet->counts, mark.counts, sizeof mark.counts);
}

static void put_opt(struct dns_packet *packet, unsigned rcode)
{
    uint8_t opt[OPT_SIZE] = {0,
                             0,
                             LDNS_RR_TYPE_OPT,
                             OUR_UDP_SIZE >> 8,
                             OUR_UDP_SIZE & 0xff,
                             (uint8_t)(rcode >> 4),
                             0,
                             packet->query->dnssec_ok ? 0x80 : 0};
    packet->limit += OPT_SIZE;
    put(packet, opt, sizeof opt);
    packet->counts[DNS_ADDITIONAL_SECTION]++;
}

const uint8_t *dns_packet_finish(struct dns_packet *packet, const struct dns_packet_head *head, size_t *size)
{
    const struct dns_query *query = packet->query;
    uint8_t *bytes = packet->bytes;
    if (query->edns)
        put_opt(packet, head->rcode);
    bytes[0] = (uint8_t)(head->id >> 8);
    bytes[1] = (uint8_t)head->id;
    bytes[2] = (uint8_t)(0x80 | query->opcode << 3 | (head->authoritative ? 0x04 : 0) | (head->truncated ? 0x02 : 0) |
                         (query->recursion_desired ? 0x01 : 0));
    bytes[3] = (uint8_t)((query->checking_disabled ? 0x10 : 0) | (head->rcode & 0x0f));
    bytes[5] = query->name != NULL;
    for (unsigned i = 0; i < DNS_SECTION_COUNT; i++) {
        bytes[6 + 2 * i] = (uint8_t)(packet->counts[i] >> 8);
        bytes[7 + 2 * i] = (uint8_t)packet->counts[i];
    }
    *size = packet->size;
    return bytes;
}
