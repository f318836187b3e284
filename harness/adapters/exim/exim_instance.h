/* SPDX-License-Identifier: BSD-2-Clause
 * exim_instance - a private Exim: its directories, its configuration, its daemon, its attempts, its log.
 *
 * The daemon only takes mail (queue_only). Whatever comes into the queue, reports included, is tried at once by
 * a process of our own, the one that the daemon would have run; so the end of an attempt is the end of a child. No time
 * is waited for.
 *
 * One instance serves many cases: each attempt reads the configuration anew, and what Exim remembers of hosts is
 * deleted in between.
 *
 * Owns:   everything under the directory; the processes.
 * Errors: false with *err filled. */
#ifndef HARNESS_ADAPTERS_EXIM_EXIM_INSTANCE_H
#define HARNESS_ADAPTERS_EXIM_EXIM_INSTANCE_H

#include "base/err.h"
#include "harness/adapters/exim/exim_log.h"

struct exim_settings {
    const char *ca, *hostname;
    const char *listen;      /* address:port */
    const char *dane, *of_transport, *of_router; /* the mode, and the options that say it */
    const char *relay;       /* "gateway.example:2525" for route_list; "": mail goes where its domain says */
    const char *relay_by_mx; /* asked first: "gateway.example/mx:2525"; "": relay is an address */
    const char *own;         /* a file with routers, transports and retry rules in place of ours; "": none */
    int patience_s;
};

struct exim_instance;
struct exim_instance *exim_instance_new(const char *directory, const char *program, struct err *err);
int exim_instance_notices(const struct exim_instance *instance); /* readable: call exim_instance_listen() */
void exim_instance_listen(struct exim_instance *instance);       /* reads what was logged, begins attempts */
/* An empty queue and these settings; starts the daemon if it does not run. */
bool exim_instance_begin(struct exim_instance *instance, const struct exim_settings *settings, struct err *err);
/* Waits until every message that is new has been tried; if there is none, all that are queued are tried again. */
void exim_instance_flush(struct exim_instance *instance);
void exim_instance_forget(const struct exim_instance *instance); /* what it remembers of hosts */
const struct exim_log *exim_instance_log(const struct exim_instance *instance);
void exim_instance_end(struct exim_instance *instance); /* nothing of the case goes on */
void exim_instance_free(struct exim_instance **instance);

#endif
