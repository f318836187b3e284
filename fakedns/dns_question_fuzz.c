/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as a question to a signed world that is built once. The first byte chooses address and transport; whatever
 * is answered must be readable for ldns. */
#include <stdio.h>
#include <stdlib.h>

#include "fakedns/dns_answer.h"

#define ADDRESS(text) .addresses = (const char *const[]){text}, .address_count = 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fakedns_zone zones[] = {
    {.name = ".", .is_signed = true, ADDRESS("198.18.0.1")},
    {.name = "a",
     .is_signed = true,
     .ds = true,
     .denial = DNS_NSEC3,
     ADDRESS("198.18.0.2"),
     .records =
         "@ MX 10 b\nb A 192.0.2.1\n*.c TXT d\ne CNAME f.c\ng DNAME c\nh CNAME h\n*.i CNAME *.i\nj.k.l.m A 192.0.2.2"},
    {.name = "b", .is_signed = true, .ds = true, .denial = DNS_NSEC3_OPT_OUT, ADDRESS("198.18.0.3")},
    {.name = "c.b", ADDRESS("198.18.0.4"), .records = "g DNAME h\nx.h A 192.0.2.3\n* MX 10 a."},
    {.name = "d.b",
     .is_signed = true,
     .ds = true,
     ADDRESS("198.18.0.4"),
     .records = "* A 192.0.2.4\nx NS y\ny A 192.0.2.5"},
};
static const struct fakedns_fault faults[] = {
    {.fault = "signature-flipped", .zone = "a", .type = "MX"},
    {.fault = "denial-false", .zone = "a", .type = "TXT"},
    {.fault = "denial-missing", .zone = "d.b", .type = "MX"},
    {.fault = "servfail", .zone = "d.b", .type = "TLSA"},
    {.fault = "ds-missing", .zone = "d.b"},
    {.fault = "forged", .zone = "c.b"},
};

static const struct dns_world *the_world(void)
{
    static struct dns_world *world;
    static struct dns_keyring *keyring;
    if (world != NULL)
        return world;
    struct err err = {.text = ""};
    const struct fakedns_config config = {zones, COUNT(zones), faults, COUNT(faults), 53};
    keyring = dns_keyring_new();
    world = dns_world_new(&config, 0, NULL, keyring, &err);
    if (world == NULL) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return world;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dns_world *world = the_world();
    if (size == 0)
        return 0;
    struct arena *arena = arena_new("fuzz");
    struct dns_reply reply;
    dns_answer(arena, &world->views.items[data[0] % world->views.count], data[0] & 0x80 ? DNS_TCP : DNS_UDP, data + 1,
               size - 1, &reply);
    ldns_pkt *packet = NULL;
    if (reply.deed == DNS_SEND && ldns_wire2pkt(&packet, reply.packet, reply.length) != LDNS_STATUS_OK)
        abort();
    ldns_pkt_free(packet);
    arena_free(&arena);
    return 0;
}
