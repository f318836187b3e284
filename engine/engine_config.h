/* SPDX-License-Identifier: BSD-2-Clause
 * engine_config - what an administrator may set, from a YAML file; the rows in engine_config.c are the manual.
 *
 * Owns:   the arena given to engine_config_read() holds everything.
 * Errors: findings with file:line:col in the diag_list; NULL when the file is of no use. */
#ifndef ENGINE_ENGINE_CONFIG_H
#define ENGINE_ENGINE_CONFIG_H

#include "base/netaddr.h"
#include "engine/connector.h"
#include "engine/session.h"
#include "engine/retry.h"

enum engine_profile { PROFILE_RFC, PROFILE_EXCHANGE };
enum insecure_mx { INSECURE_MX_SKIP, INSECURE_MX_USE };
enum malformed { MALFORMED_REJECT, MALFORMED_NORMALISE };
enum report_original { REPORT_HEADER, REPORT_MESSAGE };
enum pass_fail { PASS_FAIL_DELIVER, PASS_FAIL_BLOCK };
enum requiretls_from { REQUIRETLS_FROM_LOOPBACK, REQUIRETLS_FROM_CLIENTS, REQUIRETLS_FROM_NOBODY };

enum tls_required_of { TLS_REQUIRED_OF_NETWORK, TLS_REQUIRED_OF_CLIENTS, TLS_REQUIRED_OF_NOBODY };

struct engine_timeouts {             /* seconds; patience > 0 caps every one of them */
    double connect, greeting, ehlo, starttls, handshake, mail, rcpt, data, block, body, quit, policy;
    double revocation, idle, message;
};
struct engine_resolver { const char *root_hints, *trust_anchor, *options_file, *forward; };

struct engine_submission_tls {       /* certificate NULL: there is none */
    const char *certificate, *key;
    int required_of;                 /* enum tls_required_of */
    struct srcpos certificate_at, key_at;
};

struct engine_tlsrpt {               /* contact NULL: no TLS reports are made */
    const char *organization, *contact, *dkim_key, *dkim_selector, *dkim_domain;
    double delay;
    struct srcpos contact_at;
};

struct engine_alerts {               /* a NULL sink is none */
    const char *mail, *command, *file;
    int64_t late, limit;
    double signature, certificate;
};

struct engine_config {
    const char *file;                /* it was read from; NULL: none */
    struct schema_texts listen;      /* "127.0.0.1:25", "[::1]:25" */
    struct schema_texts clients;     /* networks that may submit: "127.0.0.0/8" */
    struct engine_submission_tls submission_tls;
    const char *hostname, *directory, *ca_file, *control;
    struct engine_resolver resolver;
    bool ipv4, ipv6;
    struct engine_timeouts timeouts;
    double patience;
    struct schema_texts retry;       /* exchange, rfc, or the pauses one by one */
    double expiry;                   /* 0: the plan's own */
    int revocation;                  /* enum revocation_mode */
    int profile, insecure_mx, pass_fail, requiretls_from;
    bool accept_bogus;               /* none-accepts-bogus */
    bool pipelining, chunking;
    bool fsync;
    double clock_offset, trace_keep;
    int report_original;             /* enum report_original */
    int malformed;                   /* enum malformed */
    int64_t submission_memory, sessions_per_client;
    int64_t message_size, destinations, slow_destinations, per_destination;
    double keep_connection, tls_sessions;
    int64_t messages_per_connection;
    struct engine_tlsrpt tlsrpt;
    struct engine_alerts alerts;
    const char *metrics;             /* "127.0.0.1:9465", "unix:/path"; NULL: not served */
    struct srcpos metrics_at;
    struct schema_list partners;     /* of struct partner */
    struct schema_list connectors;   /* of struct connector */
    struct schema_list rules;        /* of struct route_rule */

    struct retry_plan plan;          /* made of retry and expiry */
    struct routing routing;          /* made of connectors and rules; accepted domains and order are read into it */
    struct routing written;          /* the same, before connector_changes_load() */
};
extern const struct schema engine_config_schema;

struct engine_config *engine_config_read(struct arena *arena, const char *path, struct diag_list *diags);
struct engine_config *engine_config_parse(struct arena *arena, const struct tree_node *root, struct diag_list *diags);
/* The time-outs with patience as their cap, as a session wants them. */
struct smtp_timeouts engine_smtp_timeouts(const struct engine_config *config);
double engine_capped(const struct engine_config *config, double seconds);
/* Is the client in one of the networks that may submit? */
bool engine_client_allowed(const struct engine_config *config, const struct sockaddr *client);

#endif
