/* SPDX-License-Identifier: BSD-2-Clause
 * postfix_instance - a private Postfix: its directories, its configuration, its master, its log.
 *
 * The master is our own child, and we are its log daemon: every line comes to a socket of ours before Postfix goes on,
 * so what it has accepted is known when the client knows it. No file is watched and no time is waited for.
 *
 * One instance serves many cases. smtp(8), which remembers keys and policies, lives for one delivery only, so that a
 * change of main.cf is in force for the next one; the queue manager is told to hold nothing against a destination.
 *
 * Owns:   everything under the directory; the processes.
 * Errors: false with *err filled. */
#ifndef HARNESS_ADAPTERS_POSTFIX_POSTFIX_INSTANCE_H
#define HARNESS_ADAPTERS_POSTFIX_POSTFIX_INSTANCE_H

#include "base/err.h"
#include "harness/adapters/postfix/postfix_log.h"

struct postfix_facts { /* of the installed Postfix, by postconf(1) */
    char version[40], daemons[200], owner[40], group[40];
    bool installed;
};
void postfix_facts_read(struct postfix_facts *facts);

struct postfix_settings {
    const char *level; /* smtp_tls_security_level */
    const char *ca, *hostname;
    const char *listen; /* address:port */
    const char *relay; /* relayhost; "": none */
    int patience_s;
    const char *policy_map; /* for smtp_tls_policy_maps; NULL: none */
};

struct postfix_instance;
struct postfix_instance *postfix_instance_new(const char *directory, const struct postfix_facts *facts,
                                              struct err *err);
int postfix_instance_socket(const struct postfix_instance *instance); /* readable: call postfix_instance_listen() */
void postfix_instance_listen(struct postfix_instance *instance);      /* reads what was logged */
/* An empty queue and these settings; starts the master if it does not run. */
bool postfix_instance_begin(struct postfix_instance *instance, const struct postfix_settings *settings,
                            struct err *err);
/* Waits until every message that is new has been tried; if there is none, all that are queued are tried again. */
bool postfix_instance_flush(struct postfix_instance *instance, struct err *err);
/* What `postqueue -j` says: a line of JSON for each message; to be freed; NULL: nothing. */
char *postfix_instance_queue(const struct postfix_instance *instance);
const struct postfix_log *postfix_instance_log(const struct postfix_instance *instance);
void postfix_instance_end(struct postfix_instance *instance); /* nothing of the case goes on */
void postfix_instance_free(struct postfix_instance **instance);

#endif
