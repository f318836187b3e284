/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_ask_test.h"

#include <string.h>

#include "base/testing.h"

#define ADDRESSES(...)                                                                                                 \
    .addresses = (const char *const[]){__VA_ARGS__}, .address_count = COUNT(((const char *const[]){__VA_ARGS__}))

/* clang-format off */
static const struct fakedns_zone zones[] = {
    {.name = ".", .is_signed = true, ADDRESSES("198.18.0.1", "2001:db8::1")},
    {.name = "example", .is_signed = true, .ds = true, ADDRESSES("198.18.0.2")},
    {.name = "net", .is_signed = true, .ds = true, .denial = DNS_NSEC3_OPT_OUT, ADDRESSES("198.18.0.3")},
    {.name = "partner.example", .is_signed = true, .ds = true, ADDRESSES("198.18.0.4"), .records =
        "@              MX    10 mx1\n"
        "               A     198.18.1.1\n"
        "mx1            A     198.18.1.2\n"
        "_25._tcp.mx1   TLSA  3 1 1 ( 9f2c0000000000000000000000000000\n"
        "                             000000000000000000000000000000e1 )\n"
        "alias          CNAME mx1\n"
        "elsewhere      CNAME mx.n3.net.\n"
        "astray         CNAME nothing\n"
        "round          CNAME turn\n"
        "turn           CNAME round\n"
        "twice          MX    10 9.9.\n"
        "*.wild         TXT   wild\n"
        "*.wildalias    CNAME mx1\n"
        "old            DNAME new\n"
        "x.new          A     198.18.1.3\n"
        "many           TXT   \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n"
        "               TXT   \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"\n"
        "               TXT   \"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\"\n"
        "               TXT   \"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\"\n"
        "               TXT   \"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\"\n"
        "               TXT   \"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"\n"},
    {.name = "n3.net", .is_signed = true, .ds = true, .denial = DNS_NSEC3, ADDRESSES("198.18.0.5"), .records =
        "@ MX 10 mx\nmx A 198.18.1.12\n_25._tcp.mx TLSA 3 1 1 00ff\n*.wild TXT wild\na.b.c A 198.18.1.13\n"},
    {.name = "plain.net", ADDRESSES("198.18.0.6"), .records = "@ MX 10 mx\nmx A 198.18.1.22\n"},
    {.name = "two.net", .is_signed = true, .ds = true, ADDRESSES("198.18.0.9", "2001:db8::9"), .records =
        "@ MX 10 mx\nmx A 198.18.1.42\n"},
    {.name = "plain.example", ADDRESSES("198.18.0.7")},
    {.name = "one.shared.example", .is_signed = true, .ds = true, ADDRESSES("198.18.0.8")},
    {.name = "shared.example", .is_signed = true, .ds = true, ADDRESSES("198.18.0.8"), .records = "mx A 198.18.1.32\n"},
};
/* clang-format on */

const struct fakedns_config ask_config = {.zones = zones, .zone_count = COUNT(zones)};

bool asked_new(struct asked *asked, const struct fakedns_config *config, unsigned nth, struct err *err)
{
    *asked = (struct asked){.arena = arena_new("asked"), .keyring = dns_keyring_new()};
    asked->world = dns_world_new(config, nth, &asked->clock, asked->keyring, err);
    if (asked->world == NULL)
        asked_free(asked);
    return asked->world != NULL;
}

void asked_free(struct asked *asked)
{
    dns_world_free(&asked->world);
    dns_keyring_free(&asked->keyring);
    arena_free(&asked->arena);
}

size_t ask_query(uint8_t *bytes, const char *name, const char *type, unsigned how)
{
    const uint8_t opt[] = {0, 0, 41, how & ASK_SMALL ? 2 : 4, 0, 0, 0, how & ASK_DO ? 0x80 : 0, 0, 0, 0};
    struct arena *arena = arena_new("query");
    ldns_rdf *wire = ldns_dname_new_frm_str(name);
    ck_assert_ptr_nonnull(wire);
    size_t size = ldns_rdf_size(wire);
    unsigned number = ldns_get_rr_type_by_name(type);
    memcpy(bytes, (const uint8_t[]){0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, 12);
    memcpy(bytes + 12, ldns_rdf_data(wire), size);
    memcpy(bytes + 12 + size, (const uint8_t[]){(uint8_t)(number >> 8), (uint8_t)number, 0, 1}, 4);
    size += 16;
    if (how & (ASK_DO | ASK_SMALL)) {
        bytes[11] = 1;
        memcpy(bytes + size, opt, sizeof opt);
        size += sizeof opt;
    }
    ldns_rdf_deep_free(wire);
    arena_free(&arena);
    return size;
}

void ask(struct asked *asked, const char *address, const char *name, const char *type, unsigned how,
         struct dns_reply *reply)
{
    uint8_t query[512];
    size_t size = ask_query(query, name, type, how);
    struct netaddr at;
    ck_assert(netaddr_parse(address, 53, &at, NULL));
    const struct dns_view *view = dns_world_view(asked->world, (const struct sockaddr *)&at.addr);
    ck_assert_ptr_nonnull(view);
    dns_answer(asked->arena, view, how & ASK_TCP ? DNS_TCP : DNS_UDP, query, size, reply);
}

static bool is_signed(const ldns_rr_list *section, const ldns_rr *rr)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *other = ldns_rr_list_rr(section, i);
        if (ldns_rr_get_type(other) == LDNS_RR_TYPE_RRSIG &&
            ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(other)) == ldns_rr_get_type(rr) &&
            ldns_dname_compare(ldns_rr_owner(other), ldns_rr_owner(rr)) == 0)
            return true;
    }
    return false;
}

static char *section_shape(struct arena *arena, const ldns_rr_list *section)
{
    char *shape = arena_strdup(arena, "");
    const ldns_rr *before = NULL;
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(section, i);
        bool same = before != NULL && ldns_rr_get_type(before) == ldns_rr_get_type(rr) &&
                    ldns_dname_compare(ldns_rr_owner(before), ldns_rr_owner(rr)) == 0;
        before = rr;
        bool covered = ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && i > 0;
        if (!same && !covered)
            shape = arena_printf(arena, "%s %s%s", shape, dns_type_text(arena, ldns_rr_get_type(rr)),
                                 is_signed(section, rr) ? "+" : "");
    }
    return shape;
}

char *ask_shape(struct arena *arena, const struct dns_reply *reply)
{
    if (reply->deed != DNS_SEND)
        return arena_strdup(arena, reply->deed == DNS_IGNORE ? "ignored" : "hung up");
    ldns_pkt *packet = NULL;
    ldns_status status = ldns_wire2pkt(&packet, reply->packet, reply->length);
    if (status != LDNS_STATUS_OK && reply->malformed)
        return arena_strdup(arena, "broken");
    ck_assert_msg(status == LDNS_STATUS_OK, "ldns cannot read the answer: %s", ldns_get_errorstr_by_id(status));
    unsigned rcode = ldns_pkt_get_rcode(packet) | (unsigned)ldns_pkt_edns_extended_rcode(packet) << 4;
    char *shape = arena_printf(arena, "%s%s%s |%s |%s |%s", dns_rcode_text(rcode), ldns_pkt_aa(packet) ? " aa" : "",
                               ldns_pkt_tc(packet) ? " tc" : "", section_shape(arena, ldns_pkt_answer(packet)),
                               section_shape(arena, ldns_pkt_authority(packet)),
                               section_shape(arena, ldns_pkt_additional(packet)));
    ldns_pkt_free(packet);
    return shape;
}

char *ask_hits(struct arena *arena, const struct dns_reply *reply)
{
    char *hits = arena_strdup(arena, "");
    for (size_t i = 0; i < reply->hits.count; i++)
        hits = arena_printf(arena, "%s%s%s", hits, i > 0 ? " " : "", reply->hits.items[i]->id);
    return hits;
}
