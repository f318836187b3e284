/* SPDX-License-Identifier: BSD-2-Clause
 * policy_server - the plug-in that brings MTA-STS to Postfix: asked over a socket, it answers with a TLS policy.
 *
 * The program given reads lines "CA-FILE CONFIGURATION", runs the server so in place of the one before, and writes
 * "ready"; an empty line only ends the one that runs.
 *
 * Owns:   the program and what it runs.
 * Errors: NULL or false with *err filled. */
#ifndef HARNESS_ADAPTERS_POSTFIX_POLICY_SERVER_H
#define HARNESS_ADAPTERS_POSTFIX_POLICY_SERVER_H

#include "base/err.h"

struct policy_server;

/* NULL: the plug-in is not installed, most likely. */
struct policy_server *policy_server_new(const char *program, struct err *err);
const char *policy_server_version(const struct policy_server *server);
/* A fresh one, with an empty cache, that listens at <folder>/policy.sock. patience_s: for DNS and HTTPS. */
bool policy_server_begin(struct policy_server *server, const char *folder, const char *ca, int patience_s,
                         struct err *err);
void policy_server_end(struct policy_server *server);
void policy_server_free(struct policy_server **server);

#endif
