/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/netaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/schema.h"

enum { TEXT_MAX = INET6_ADDRSTRLEN + sizeof "[]:65535" };

bool netaddr_parse(const char *address, uint16_t port, struct netaddr *out, struct err *err)
{
    struct netaddr parsed = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&parsed.addr;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&parsed.addr;
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        parsed.length = sizeof *v4;
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        parsed.length = sizeof *v6;
    } else {
        return err_set(err, ERR_INPUT, "'%s' is not an IP address", address);
    }
    *out = parsed;
    return true;
}

bool netaddr_parse_port(const char *address, struct netaddr *out, struct err *err)
{
    char host[TEXT_MAX];
    const char *colon = strrchr(address, ':');
    int64_t port;
    size_t length = colon != NULL ? (size_t)(colon - address) : 0;
    if (length == 0 || length >= sizeof host || !schema_parse_number(colon + 1, &port) || port < 0 || port > 65535)
        return err_set(err, ERR_INPUT, "'%s' is not address:port", address);
    bool bracketed = address[0] == '[' && address[length - 1] == ']' && length > 2;
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? length - 2 : length), bracketed ? address + 1 : address);
    return netaddr_parse(host, (uint16_t)port, out, err);
}

bool netaddr_is_loopback(const struct sockaddr *addr)
{
    switch (addr->sa_family) {
    case AF_INET:
        return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)addr)->sin6_addr);
    default:
        return false;
    }
}

static bool v4_leads_out(uint32_t address)
{
    uint32_t first = address >> 24;
    return first != 0 && first != 127 && first < 224;
}

bool netaddr_leads_out(const struct sockaddr *addr)
{
    if (addr->sa_family == AF_INET)
        return v4_leads_out(ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr));
    if (addr->sa_family != AF_INET6)
        return false;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;
    uint32_t last;
    memcpy(&last, v6->s6_addr + 12, sizeof last);
    if (IN6_IS_ADDR_V4MAPPED(v6) || IN6_IS_ADDR_V4COMPAT(v6))
        return v4_leads_out(ntohl(last));
    return !IN6_IS_ADDR_LOOPBACK(v6) && !IN6_IS_ADDR_UNSPECIFIED(v6) && !IN6_IS_ADDR_MULTICAST(v6);
}

uint16_t netaddr_port(const struct sockaddr *addr)
{
    switch (addr->sa_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)addr)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)addr)->sin6_port);
    default:
        return 0;
    }
}

static void write_address(const struct sockaddr *addr, char text[static TEXT_MAX])
{
    const void *bytes = addr->sa_family == AF_INET    ? (const void *)&((const struct sockaddr_in *)addr)->sin_addr
                        : addr->sa_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)addr)->sin6_addr
                                                      : NULL;
    if (bytes == NULL || inet_ntop(addr->sa_family, bytes, text, TEXT_MAX) == NULL)
        snprintf(text, TEXT_MAX, "local");
}

const char *netaddr_text(struct arena *arena, const struct sockaddr *addr)
{
    char text[TEXT_MAX];
    write_address(addr, text);
    return arena_strdup(arena, text);
}

const char *netaddr_text_port(struct arena *arena, const struct sockaddr *addr)
{
    char text[TEXT_MAX];
    write_address(addr, text);
    switch (addr->sa_family) {
    case AF_INET:
        return arena_printf(arena, "%s:%u", text, netaddr_port(addr));
    case AF_INET6:
        return arena_printf(arena, "[%s]:%u", text, netaddr_port(addr));
    default:
        return arena_strdup(arena, text);
    }
}

static bool switch_on(int fd, int level, int option)
{
    return setsockopt(fd, level, option, &(int){1}, sizeof(int)) == 0;
}

static bool prepare(int fd, const struct netaddr *at, int type)
{
    if (!switch_on(fd, SOL_SOCKET, SO_REUSEADDR))
        return false;
    if (at->addr.ss_family == AF_INET6 &&
        (!switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) || !switch_on(fd, IPPROTO_IPV6, IPV6_FREEBIND)))
        return false;
    if (bind(fd, (const struct sockaddr *)&at->addr, at->length) != 0)
        return false;
    return type != SOCK_STREAM || listen(fd, SOMAXCONN) == 0;
}

int netaddr_listen(const struct netaddr *at, int type, struct err *err)
{
    int fd = socket(at->addr.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && prepare(fd, at, type))
        return fd;
    int reason = errno;
    if (fd >= 0)
        close(fd);
    char text[TEXT_MAX];
    write_address((const struct sockaddr *)&at->addr, text);
    err_set(err, ERR_SYSTEM, "cannot listen on %s port %u: %s", text, netaddr_port((const struct sockaddr *)&at->addr),
            strerror(reason));
    return -1;
}
