/* SPDX-License-Identifier: BSD-2-Clause
 * dns_listen - UDP and TCP on the addresses of name servers: datagrams and length-prefixed messages in, answers out.
 *
 * One UDP socket an address, so that an answer comes from where the question went. TCP takes questions one after the
 * other as they come (7766-6.2.1.1).
 *
 * Owns:    sockets and connections.
 * Borrows: loop; ask() and its argument.
 * Errors:  false with *err filled; what listened before still does.
 * Bounds:  64 connections, 10 s of silence, 4 KiB a question, 256 KiB of answers that nobody reads. */
#ifndef FAKEDNS_DNS_LISTEN_H
#define FAKEDNS_DNS_LISTEN_H

#include "base/loop.h"
#include "base/netaddr.h"
#include "fakedns/dns_answer.h"

struct dns_listen;

/* Asks for the reply to what came to address at. reply lives until ask() is called again. */
typedef void dns_listen_ask(void *arg, const struct sockaddr *at, const struct sockaddr *from,
                            enum dns_transport transport, const uint8_t *query, size_t length, struct dns_reply *reply);

struct dns_listen *dns_listen_new(struct loop *loop, dns_listen_ask *ask, void *arg);
/* Listens on these addresses and on no other. */
bool dns_listen_on(struct dns_listen *listen, const struct netaddr *addresses, size_t count, struct err *err) NODISCARD;
void dns_listen_free(struct dns_listen **listen);

#endif
