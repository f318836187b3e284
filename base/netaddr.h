/* SPDX-License-Identifier: BSD-2-Clause
 * netaddr - IP addresses and ports as text and as sockets want them. */
#ifndef BASE_NETADDR_H
#define BASE_NETADDR_H

#include <sys/socket.h>

#include "base/arena.h"
#include "base/err.h"

struct netaddr { struct sockaddr_storage addr; socklen_t length; };

bool netaddr_parse(const char *address, uint16_t port, struct netaddr *out, struct err *err) NODISCARD;
/* "198.18.0.1:25", "[2001:db8::1]:25" */
bool netaddr_parse_port(const char *address, struct netaddr *out, struct err *err) NODISCARD;
bool netaddr_is_loopback(const struct sockaddr *addr); /* 127.0.0.0/8, ::1 */
/* May it be another machine's? Not loopback, unspecified, multicast or reserved, nor one of these inside IPv6. */
bool netaddr_leads_out(const struct sockaddr *addr);
const char *netaddr_text(struct arena *arena, const struct sockaddr *addr); /* "198.18.0.1", "2001:db8::1" */
const char *netaddr_text_port(struct arena *arena, const struct sockaddr *addr); /* as netaddr_parse_port() reads it */
uint16_t netaddr_port(const struct sockaddr *addr);
/* Bound, non-blocking, close-on-exec, address reusable, IPV6_V6ONLY and IPV6_FREEBIND where that applies; -1 on
 * failure. SOCK_STREAM sockets listen. */
int netaddr_listen(const struct netaddr *at, int type, struct err *err) NODISCARD;

#endif
