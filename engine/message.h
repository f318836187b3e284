/* SPDX-License-Identifier: BSD-2-Clause
 * message - a mail as the queue keeps it: envelope and content; and the grammar of its addresses. Pure.
 *
 * Content is CRLF lines without dot-stuffing. */
#ifndef ENGINE_MESSAGE_H
#define ENGINE_MESSAGE_H

#include "base/arena.h"

enum { ADDRESS_MAX = 320, RECIPIENTS_MAX = 1000, RECEIVED_MAX = 100, FIELD_MAX = 998 };

/* What a message says about TLS on its way (RFC 8689): nothing; REQUIRETLS with MAIL; TLS-Required: No in it. A TLS
 * report of the engine's own is held up by nothing, the connector's demands included (8460-3-5). */
enum { MESSAGE_LINE_MAX = 700 };
enum message_tls { MESSAGE_TLS_UNSAID, MESSAGE_REQUIRETLS, MESSAGE_TLS_WAIVED, MESSAGE_TLS_REPORT, MESSAGE_TLS_COUNT };

struct message {
    const char *sender;                     /* "" is the null sender */
    const char *const *recipients; size_t recipient_count;
    const char *content; size_t length;
    bool report;                            /* made by the engine itself */
    const char *client;                     /* who gave it, "[192.0.2.1]"; NULL: not by SMTP. Not kept */
    enum message_tls tls;
    bool smtputf8;                          /* came with it: addresses and header may be UTF-8 (RFC 6531) */
};

/* Reads "<local@domain>" (or "<>" if null_allowed) at *text and moves *text behind it; the address without brackets
 * and source route, NULL when it is none. What is not ASCII must be UTF-8 (RFC 6531). */
char *message_parse_path(struct arena *arena, const char **text, bool null_allowed);
bool message_is_host(const char *text, size_t length);     /* a host name, or an address in brackets */
/* The part behind the last '@', in A-labels, lower case, without a trailing dot; an address literal keeps its
 * brackets. */
char *message_domain(struct arena *arena, const char *address);
/* The address inside "[192.0.2.1]" or "[IPv6:2001:db8::1]"; NULL: not a literal. */
char *message_literal(struct arena *arena, const char *domain);
/* How far the header goes: up to and with the empty line, or all of it. */
size_t message_header_length(const char *content, size_t length);
/* The first field of that name, unfolded, without blanks around it; "" when there is none. At most FIELD_MAX bytes. */
char *message_field(struct arena *arena, const char *content, size_t length, const char *name);
unsigned message_received_count(const char *content, size_t length);
bool message_is_8bit(const char *content, size_t length);
/* The parameter outranks the header (8689-4.1-3); a field that stands there twice says nothing (8689-3-3). */
enum message_tls message_tls(bool requiretls, const char *content, size_t length);
/* A CR or LF that stands alone: such a message would mean different things to different servers. */
bool message_has_bare_end(const char *content, size_t length);
/* One line of ASCII of at most MESSAGE_LINE_MAX bytes, whatever a peer put into it. */
char *message_line(struct arena *arena, const char *text);
/* "Mon, 01 Jun 2026 08:00:00 +0000" */
char *message_date(struct arena *arena, int64_t at);

#endif
