/* SPDX-License-Identifier: BSD-2-Clause
 * scenario_schema - what may stand in a scenario file: the rows, and the structs they fill.
 *
 * These structs are what the file says; scenario_read makes struct scenario of them. */
#ifndef HARNESS_SCENARIO_SCHEMA_H
#define HARNESS_SCENARIO_SCHEMA_H

#include "harness/scenario.h"

struct file_when {
    struct schema_texts dane, mta_sts;
};
struct file_expectation {
    struct file_when when;
    const struct tree_node *node;
    struct schema_texts accept;
    int message, channel, hit;
    const char *latitude, *code;
    struct schema_texts dns, web;
    const struct tree_node *reading, *recipients;
    struct schema_list report; /* of struct expect_report */
    struct srcpos report_at;
    const struct tree_node *hosts; /* hosts: a map of every key that is none of ours */
    struct srcpos message_at, accept_at, channel_at, code_at;
};
struct file_send {
    const char *from;
    struct schema_texts to;
    struct scenario_way way;
};
struct file_connector {
    const char *name, *tls_domain, *fallback;
    struct srcpos at;
    struct schema_texts recipient_domains, smart_hosts;
    int dane, mta_sts, tls;
    bool all_accepted_domains, only_by_rule, enabled, test_mode, fallback_on;
};
struct file_rule {
    const char *name, *connector;
    struct schema_texts sender, recipient, recipient_domain, header_contains, header_matches;
};
struct file_switches {
    int profile, scope_order, revocation, insecure_mx, pass_fail;
    bool accept_bogus, pipelining, chunking;
};
struct file_step {
    double advance;
    const struct tree_node *node;
    bool flush;
    struct schema_named connectors; /* of struct file_connector, for the check alone */
    struct file_send send;
    struct schema_named change; /* of struct world_name; handed in as the whole world of this step */
    struct schema_list expect;  /* of struct file_expectation */
};
struct file_scenario {
    const char *says;
    struct srcpos says_at, base_at, modes_at, change_at, world_at;
    const struct tree_node *node, *variants;
    struct schema_texts covers, needs, tags, modes;
    const char *because, *modes_because, *base, *twin;
    struct schema_named world, change; /* of struct world_name */
    struct file_send send;
    struct schema_list connectors, rules; /* of struct file_connector, struct file_rule, for the check alone */
    struct schema_texts accepted_domains;
    struct file_switches switches;    /* for the check alone */
    struct schema_list steps, expect; /* of struct file_step, struct file_expectation */
};

extern const struct schema scenario_schema;             /* struct file_scenario */
extern const struct schema scenario_name_schema;        /* struct world_name */
extern const struct schema scenario_expectation_schema; /* struct file_expectation */
extern const char *const scenario_feature_words[];      /* what needs: may name */
extern const char *const scenario_flaw_words[];         /* enum world_flaw */
extern const char *const scenario_default_from;         /* alice@sender.example */
extern const char *const scenario_sender_domain;        /* sender.example */
extern const char *const scenario_sender_host;          /* mx.sender.example */

#endif
