/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/smart_host.h"

#include <string.h>

#include "base/text.h"
#include "engine/network.h"

enum { NETWORK_MAX = 256 }; /* of a network, so many addresses take part */

/* ":2525" behind a name or address, "[address]:2525". False: no port. */
static bool parse_port(const char *text, uint16_t *port)
{
    int64_t number;
    if (!schema_parse_number(text, &number) || number < 1 || number > 65535)
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t length = strlen(name);
    return length > 0 && length <= 253 && name[0] != '.' && name[0] != '-' && strspn(name, allowed) == length &&
           strstr(name, "..") == NULL;
}

bool smart_host_parse(struct arena *arena, const char *text, struct smart_host *out)
{
    struct network network;
    const char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');
    *out = (struct smart_host){.name = arena_strdup(arena, text)};
    if (text[0] == '[' && bracket != NULL) {
        out->name = arena_strndup(arena, text + 1, (size_t)(bracket - text - 1));
        bool with_port = bracket[1] == ':' && parse_port(bracket + 2, &out->port);
        return (with_port || bracket[1] == '\0') && network_parse(out->name, &network);
    }
    if (colon != NULL && strchr(text, ':') == colon) {
        out->name = arena_strndup(arena, text, (size_t)(colon - text));
        if (!parse_port(colon + 1, &out->port))
            return false;
    }
    if (network_parse(out->name, &network))
        return true;
    out->by_name = true;
    out->name = text_name(arena, out->name);
    return is_name(out->name) && out->name[strspn(out->name, "0123456789.")] != '\0';
}

struct hops {
    struct smart_host *items;
    size_t count, room;
};

static void add_network(struct arena *arena, const struct smart_host *host, struct random_source random,
                        struct hops *hops)
{
    struct network network;
    if (!network_parse(host->name, &network))
        return;
    size_t size = network_size(&network, SIZE_MAX), count = size < NETWORK_MAX ? size : NETWORK_MAX;
    size_t first = size > count ? random.below(random.arg, (uint32_t)size) : 0;
    for (size_t i = 0; i < count; i++)
        *ARENA_PUSH(arena, hops) =
            (struct smart_host){network_address(arena, &network, (first + i) % size), host->port, false};
}

static void shuffle(struct hops *hops, struct random_source random)
{
    for (size_t left = hops->count; left > 1; left--) {
        size_t other = random.below(random.arg, (uint32_t)left);
        struct smart_host last = hops->items[left - 1];
        hops->items[left - 1] = hops->items[other];
        hops->items[other] = last;
    }
}

size_t smart_hosts_spread(struct arena *arena, const struct schema_texts *texts, struct random_source random,
                          const struct smart_host **out)
{
    struct hops hops = {0};
    for (size_t i = 0; i < texts->count; i++) {
        struct smart_host host;
        if (!smart_host_parse(arena, texts->items[i], &host))
            continue; /* a finding when the configuration was read */
        if (host.by_name)
            *ARENA_PUSH(arena, &hops) = host;
        else
            add_network(arena, &host, random, &hops);
    }
    shuffle(&hops, random);
    *out = hops.items;
    return hops.count < SMART_HOSTS_MAX ? hops.count : SMART_HOSTS_MAX;
}
