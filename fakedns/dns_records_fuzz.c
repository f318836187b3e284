/* SPDX-License-Identifier: BSD-2-Clause
 * Any text as the records of a zone: what is taken can be signed. */
#include "fakedns/dns_world.h"

enum { SIGNED_MOST = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sign_some(const struct dns_world *world)
{
    struct dns_zone *zone = dns_world_zone(world, "b.a");
    for (size_t i = 0; i < zone->rrsets.count && i < SIGNED_MOST; i++)
        dns_signatures(zone->rrsets.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const address[] = {"192.0.2.1"};
    struct arena *arena = arena_new("fuzz");
    struct diag_list *diags = diag_new(arena);
    struct dns_keyring *keyring = dns_keyring_new();
    const struct fakedns_zone zones[] = {
        {.name = ".", .addresses = address, .address_count = 1},
        {.name = "b.a",
         .addresses = address,
         .address_count = 1,
         .is_signed = true,
         .denial = (enum dns_denial)(size % DNS_DENIAL_COUNT),
         .records = arena_strndup(arena, (const char *)data, size)},
    };
    const struct fakedns_config config = {.zones = zones, .zone_count = COUNT(zones)};
    fakedns_check_records(&zones[1], diags);
    struct dns_world *world = dns_world_new(&config, 0, NULL, keyring, NULL);
    if (world != NULL)
        sign_some(world);
    dns_world_free(&world);
    dns_keyring_free(&keyring);
    arena_free(&arena);
    return 0;
}
