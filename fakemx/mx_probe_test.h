/* SPDX-License-Identifier: BSD-2-Clause
 * mx_probe_test - a fake MX host on loopback and a client of ours that says what a test tells it, for tests only.
 *
 * Everything runs on one loop in one thread: reading at the client lets the fake work. */
#ifndef FAKEMX_MX_PROBE_TEST_H
#define FAKEMX_MX_PROBE_TEST_H

#include <openssl/ssl.h>

#include "fakemx/fakemx.h"

struct probe {
    struct arena *arena;
    struct loop *loop;
    struct journal *journal;
    struct fakemx *mx;
    struct fakemx_host host; /* as given to the fake, for changes */
    struct mx_behaviour behaviour;
    struct fakemx_sni sni;
    struct identity *root, *identity, *other; /* other: shown to SNI other.example, by a label that is made */
    struct identity *rsa_key, *beside;        /* NULL: none */
    int fd;                                   /* the client's connection, -1: none */
    SSL *ssl;                                 /* NULL: in clear */
    char bytes[70000];                        /* received and not yet looked at */
    size_t length;
    enum { PROBE_OPEN, PROBE_CLOSED, PROBE_RESET } state;
};

/* smtp: the behaviour as YAML. */
struct probe *probe_new(const char *smtp);
void probe_free(struct probe **probe);
void probe_behave(struct probe *probe, const char *smtp); /* into probe->behaviour; the fake is not told */
bool probe_change(struct probe *probe, const char *smtp);
/* From now on the host has a certificate with an RSA key besides; borrowed. */
const struct identity *probe_stand_beside(struct probe *probe);
bool probe_connect(struct probe *probe); /* another connection; false: refused */
void probe_disconnect(struct probe *probe);
void probe_send(struct probe *probe, const void *bytes, size_t length);
void probe_say(struct probe *probe, const char *line); /* and CRLF */
/* The last line of the next reply; "closed", "reset", or "silence". */
const char *probe_reply(struct probe *probe);
/* A handshake on what is said so far; true when it succeeded on our side. */
bool probe_tls(struct probe *probe, SSL_CTX *context, const char *sni);
void probe_idle(struct probe *probe); /* lets the fake finish what it has at hand */

/* The ids of all FAULT_HIT events, a blank between them. */
const char *probe_hits(struct probe *probe);
/* The last event of a kind, NULL: none. */
const struct journal_event *probe_event(const struct probe *probe, enum journal_kind kind);

#endif
