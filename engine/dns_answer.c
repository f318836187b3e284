/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/dns_answer.h"

#include <stdio.h>
#include <string.h>

enum { HEADER_LENGTH = 12, DNS_NAME_MAX = 255, DNS_LABEL_MAX = 63, POINTERS_MAX = 128, ALIASES_MAX = 32, CLASS_IN = 1 };

struct cursor {
    const unsigned char *packet;
    size_t length, at;
};

static bool read_u16(struct cursor *c, uint16_t *out)
{
    if (c->length - c->at < 2)
        return false;
    *out = (uint16_t)(c->packet[c->at] << 8 | c->packet[c->at + 1]);
    c->at += 2;
    return true;
}

static bool skip(struct cursor *c, size_t count)
{
    if (c->length - c->at < count)
        return false;
    c->at += count;
    return true;
}

/* One octet of a label as RFC 1035 5.1 writes it: at most four characters. */
static size_t write_octet(char *text, unsigned char octet)
{
    if (octet == '.' || octet == '\\' || octet <= ' ' || octet >= 0x7f)
        return (size_t)snprintf(text, sizeof "\\255", "\\%03u", octet);
    text[0] = (char)(octet >= 'A' && octet <= 'Z' ? octet - 'A' + 'a' : octet);
    return 1;
}

/* Moves to the next label of a name, through compression; *resume is where the name ends for the reader of the record,
 * set at the first jump. The length of the label, 0 at the end, -1 when malformed. */
static int next_label(struct cursor *walk, size_t *resume, unsigned *jumps)
{
    for (;;) {
        if (!skip(walk, 1))
            return -1;
        unsigned char head = walk->packet[walk->at - 1];
        if (head <= DNS_LABEL_MAX)
            return skip(walk, head) ? head : -1;
        if (head < 0xc0 || !skip(walk, 1) || ++*jumps > POINTERS_MAX)
            return -1;
        if (*resume == 0)
            *resume = walk->at;
        walk->at = (size_t)(head & 0x3f) << 8 | walk->packet[walk->at - 1];
        if (walk->at >= walk->length)
            return -1;
    }
}

static char *read_name(struct arena *arena, struct cursor *c)
{
    char text[4 * DNS_NAME_MAX + 2];
    struct cursor walk = *c;
    size_t length = 0, wire = 1, resume = 0;
    unsigned jumps = 0;
    for (int label; (label = next_label(&walk, &resume, &jumps)) != 0;) {
        if (label < 0 || (wire += 1 + (size_t)label) > DNS_NAME_MAX)
            return NULL;
        if (length > 0)
            text[length++] = '.';
        for (size_t i = walk.at - (size_t)label; i < walk.at; i++)
            length += write_octet(text + length, walk.packet[i]);
    }
    c->at = resume > 0 ? resume : walk.at;
    return length == 0 ? arena_strdup(arena, ".") : arena_strndup(arena, text, length);
}

struct wire_record {
    const char *owner;
    uint16_t type, class;
    struct dns_record rdata;
};

static bool read_record(struct arena *arena, struct cursor *c, struct wire_record *out)
{
    uint16_t length;
    out->owner = read_name(arena, c);
    if (out->owner == NULL || !read_u16(c, &out->type) || !read_u16(c, &out->class) || !skip(c, 4) ||
        !read_u16(c, &length) || !skip(c, length))
        return false;
    out->rdata = (struct dns_record){c->packet + c->at - length, length};
    return true;
}

struct wire_list {
    struct wire_record *items;
    size_t count, room;
};

/* Where the alias of a name leads; NULL: it is none. */
static const char *alias_of(struct arena *arena, const struct dns_answer *answer, const struct wire_list *list,
                            const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].type == DNS_CNAME && strcmp(list->items[i].owner, name) == 0)
            return dns_answer_name(arena, answer, &list->items[i].rdata, 0);
    return NULL;
}

/* False: a loop, or more links than anybody needs. That is an error, never an absence (7672-2.1.3-3). */
static bool follow_aliases(struct arena *arena, const struct wire_list *list, struct dns_answer *out)
{
    for (unsigned links = 0; links <= ALIASES_MAX; links++) {
        const char *target = alias_of(arena, out, list, out->expanded);
        if (target == NULL)
            return true;
        out->expanded = target;
    }
    return false;
}

static void pick_records(struct arena *arena, const struct wire_list *list, uint16_t type, struct dns_answer *out)
{
    struct {
        struct dns_record *items;
        size_t count, room;
    } picked = {0};
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].type == type && list->items[i].class == CLASS_IN &&
            strcmp(list->items[i].owner, out->expanded) == 0)
            *ARENA_PUSH(arena, &picked) = list->items[i].rdata;
    out->records = picked.items;
    out->count = picked.count;
}

/* RFC 4034 3.1: the signature's end is its fifth field. */
static void note_signature(const struct wire_record *record, struct dns_answer *out)
{
    enum { EXPIRATION_AT = 8 };
    const unsigned char *at = record->rdata.data + EXPIRATION_AT;
    if (record->type != DNS_RRSIG || record->rdata.length < EXPIRATION_AT + 4)
        return;
    int64_t until = (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    if (out->signed_until == 0 || until < out->signed_until)
        out->signed_until = until;
}

/* What is wrong behind the answer concerns nobody. */
static void note_denial(struct arena *arena, struct cursor *c, unsigned count, struct dns_answer *out)
{
    struct wire_record record;
    for (unsigned i = 0; i < count && read_record(arena, c, &record); i++)
        note_signature(&record, out);
}

bool dns_answer_read(struct arena *arena, const unsigned char *packet, size_t length, uint16_t type,
                     struct dns_answer *out)
{
    struct cursor c = {packet, length, 0};
    uint16_t flags, questions, answers, authorities;
    *out = (struct dns_answer){.packet = packet, .packet_length = length};
    if (length < HEADER_LENGTH || !skip(&c, 2) || !read_u16(&c, &flags) || !read_u16(&c, &questions) ||
        !read_u16(&c, &answers) || !read_u16(&c, &authorities) || !skip(&c, 2) || questions != 1)
        return false;
    out->rcode = flags & 0xf;
    out->name = out->expanded = read_name(arena, &c);
    if (out->name == NULL || !skip(&c, 4))
        return false;
    struct wire_list list = {0};
    for (unsigned i = 0; i < answers; i++) {
        struct wire_record record;
        if (!read_record(arena, &c, &record))
            return false;
        note_signature(&record, out);
        if (record.type == DNS_CNAME || record.type == type)
            *ARENA_PUSH(arena, &list) = record;
    }
    if (type != DNS_CNAME && !follow_aliases(arena, &list, out)) /* who asks for the alias itself wants no more */
        return false;
    pick_records(arena, &list, type, out);
    note_denial(arena, &c, authorities, out);
    return true;
}

char *dns_answer_name(struct arena *arena, const struct dns_answer *answer, const struct dns_record *record,
                      size_t offset)
{
    if (record->length <= offset)
        return NULL;
    struct cursor c = {answer->packet, answer->packet_length, (size_t)(record->data - answer->packet) + offset};
    return read_name(arena, &c);
}
