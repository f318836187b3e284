/* SPDX-License-Identifier: BSD-2-Clause
 * mx_command - the server's side of the SMTP dialogue: what a client said so far, and the answer to its next line.
 *
 * No I/O: a session carries out what an answer says. The host's behaviour has its say at every step.
 *
 * Owns:    the envelope, until mx_dialogue_end().
 * Borrows: the host.
 * Errors:  none; what a client does wrong is answered. */
#ifndef FAKEMX_MX_COMMAND_H
#define FAKEMX_MX_COMMAND_H

#include "fakemx/mx_host.h"

enum { MX_LINE_MAX = 4096, MX_MESSAGE_MAX = 1 << 20, MX_RECIPIENTS_MAX = 100, MX_HITS_MAX = 4 };

struct mx_envelope {
    struct arena *arena; /* NULL: no transaction */
    const char *sender;  /* "" for <> */
    struct {
        const char **items;
        size_t count, room;
    } recipients;
    bool chunked; /* BDAT has begun */
};

struct mx_dialogue {
    const struct mx_host *host;
    bool tls;               /* behind STARTTLS */
    bool refused;           /* the greeting was no 220: nothing but QUIT is heard */
    bool greeted, extended; /* HELO or EHLO; EHLO */
    struct mx_envelope envelope;
    size_t chunk; /* bytes of a BDAT still to come */
    bool chunk_last;
};

/* What the session does after the reply. */
enum mx_then {
    MX_THEN_LISTEN,
    MX_THEN_DATA,   /* the text of a message comes */
    MX_THEN_CHUNK,  /* dialogue.chunk bytes come */
    MX_THEN_ACCEPT, /* the message is taken: keep it, then reply */
    MX_THEN_TLS,    /* a handshake begins */
    MX_THEN_GARBAGE,
    MX_THEN_GARBAGE_RST, /* the client's first bytes are answered with garbage, with RST */
    MX_THEN_STALL,
    MX_THEN_RESET,
    MX_THEN_CLOSE,
    MX_THEN_ENDLESS_LINE,
    MX_THEN_ENDLESS_LINES,
    MX_THEN_DRIP, /* endless lines, slowly */
};

struct mx_hit {
    size_t setting;
    const struct mx_doing *doing;
};

struct mx_answer {
    const char *verb;
    unsigned nth;       /* time that this step is reached at this host */
    const char *reply;  /* "250 mx1\nSIZE 1000": lines split by \n; NULL: none */
    const char *raw;    /* in place of the reply: bytes with escapes in them; NULL: none */
    const char *inject; /* bytes sent right behind the reply; NULL: none */
    int aside;          /* enum mx_act that leaves the reply as it is: MX_PIECEMEAL, MX_DEAF; else MX_REPLY */
    enum mx_then then;
    struct mx_hit hits[MX_HITS_MAX]; /* settings that took effect */
    size_t hit_count;
};

void mx_dialogue_begin(struct mx_dialogue *dialogue, const struct mx_host *host);
void mx_dialogue_secure(struct mx_dialogue *dialogue); /* TLS stands: what was said before is forgotten */
void mx_dialogue_reset(struct mx_dialogue *dialogue);  /* the transaction is over */
void mx_dialogue_end(struct mx_dialogue *dialogue);
size_t mx_dialogue_size_limit(const struct mx_dialogue *dialogue);

/* Answers live in the arena and the host, or are literals. */
struct mx_answer mx_greet(struct mx_dialogue *dialogue, struct arena *arena);
struct mx_answer mx_command(struct mx_dialogue *dialogue, struct arena *arena, const char *line);
struct mx_answer mx_end_of_data(struct mx_dialogue *dialogue, bool too_big);
struct mx_answer mx_end_of_chunk(struct mx_dialogue *dialogue, bool too_big);

/* The lines of a reply as they are sent, without CRLF: the code in front of each. */
struct mx_lines {
    const char **items;
    size_t count;
};
struct mx_lines mx_reply_lines(struct arena *arena, const char *reply);

#endif
