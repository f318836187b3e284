/* SPDX-License-Identifier: BSD-2-Clause
 * delivery - one attempt for the recipients of one message that share a next hop and a connector:
 * facts, decision, hosts in order, their addresses, course.
 *
 * Owns:    its arena, connection, session and transaction; itself until done() has been called.
 * Borrows: the world. The job is copied.
 * Errors:  every failure becomes a course for the recipients.
 * Threads: one; done() comes from the loop, never from inside delivery_start(). */
#ifndef ENGINE_DELIVERY_H
#define ENGINE_DELIVERY_H

#include <sys/queue.h>

#include "engine/connect.h"
#include "engine/sessions.h"
#include "engine/settle.h"
#include "engine/sts.h"
#include "engine/tlsrpt.h"

/* All that a delivery asks of the outside: engine.c plugs in libunbound, the policy cache and TCP, tests plug in
 * tables. */
struct delivery_ports {
    void *outside;
    void (*mx)(void *outside, struct arena *arena, const char *domain, bool override_bogus,
               void (*done)(void *arg, const struct mx_facts *facts), void *arg);
    void (*host)(void *outside, struct arena *arena, const char *host, uint16_t port, bool ask_tlsa,
                 bool override_bogus, void (*done)(void *arg, const struct host_facts *facts), void *arg);
    void (*sts)(void *outside, struct arena *arena, const char *domain, bool recheck,
                void (*done)(void *arg, const struct sts_facts *facts), void *arg);
    struct connect_attempt *(*connect)(void *outside, const struct netaddr *to, double timeout_s, connect_done *done,
                                       void *arg);
};
struct delivery;
TAILQ_HEAD(deliveries, delivery);
struct delivery_world {
    struct settle_world settle;
    struct delivery_ports ports;
    struct loop *loop;
    struct tls_client *tls;
    struct sessions *sessions;
    uint16_t smtp_port;
    /* Each session, and each host that was not even tried, as it ends; NULL: nobody counts. */
    void (*count)(void *counter, const struct tlsrpt_session *session);
    void *counter;
    struct deliveries *unstored;    /* those that wait until the queue is on disk; NULL: it always is */
};
struct delivery_job {
    struct connector_choice choice;
    const char *domain;                          /* of the recipients */
    const struct queued *recipients; size_t count;   /* all of one message */
};

struct delivery *delivery_start(const struct delivery_world *world, const struct delivery_job *job,
                                void (*done)(void *arg, struct delivery *self), void *arg);
void delivery_cancel(struct delivery **delivery);    /* its recipients stay as they are on disk */
bool delivery_reached(const struct delivery *delivery);    /* a server has taken up the mail, whatever it said then */

/* The queue is on disk: those that waited for that go on. */
void deliveries_stored(struct deliveries *unstored);
/* It could not be written, and is undone: those that waited for it are noted once more. */
void deliveries_undone(struct deliveries *unstored);

#endif
