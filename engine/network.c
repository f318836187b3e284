/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/schema.h"

static unsigned width(int family)
{
    return family == AF_INET6 ? 128 : 32;
}

bool network_parse(const char *text, struct network *out)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
    int64_t prefix = -1;
    if (length >= sizeof address || (slash != NULL && !schema_parse_number(slash + 1, &prefix)))
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    *out = (struct network){.family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET};
    unsigned most = width(out->family);
    if (slash != NULL && (prefix < 0 || prefix > most))
        return false;
    out->bits = slash != NULL ? (unsigned)prefix : most;
    return inet_pton(out->family, address, out->bytes) == 1;
}

static bool same_network(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

bool network_contains(const struct network *network, const struct sockaddr *address)
{
    if (network->family != address->sa_family)
        return false;
    const void *own = network->family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                                                  : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    return same_network(network->bytes, own, network->bits);
}

/* The addresses of network and broadcast are no host's (RFC 3021: but for /31 and /32). */
static bool has_edges(const struct network *network)
{
    return network->family == AF_INET && network->bits < 31;
}

size_t network_size(const struct network *network, size_t limit)
{
    unsigned free_bits = width(network->family) - network->bits;
    size_t size = free_bits < 20 ? (size_t)1 << free_bits : (size_t)1 << 20;
    size -= has_edges(network) ? 2 : 0;
    return size < limit ? size : limit;
}

const char *network_address(struct arena *arena, const struct network *network, size_t i)
{
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];
    size_t last = width(network->family) / 8 - 1, carry = i + (has_edges(network) ? 1 : 0);
    memcpy(bytes, network->bytes, sizeof bytes);
    for (unsigned bit = network->bits; bit < width(network->family); bit++)
        bytes[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
    for (size_t at = last; carry > 0; at--, carry >>= 8)
        bytes[at] |= (unsigned char)(carry & 0xff);
    return arena_strdup(arena, inet_ntop(network->family, bytes, text, sizeof text));
}
