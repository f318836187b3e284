/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/engine_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/message.h"
#include "engine/metrics.h"
#include "engine/network.h"
#include "engine/partner.h"

static const char *const profile_words[] = {"rfc", "exchange", NULL};
static const char *const insecure_mx_words[] = {"skip", "use", NULL};
static const char *const malformed_words[] = {"reject", "normalise", NULL};
static const char *const report_original_words[] = {"header", "message", NULL};
static const char *const pass_fail_words[] = {"deliver", "block", NULL};
static const char *const revocation_words[] = {"soft", "hard", "off", NULL};
static const char *const order_words[] = {"most-specific", "exchange", NULL};
static const char *const required_of_words[] = {"network", "clients", "nobody", NULL};
static const char *const requiretls_from_words[] = {"loopback", "clients", "nobody", NULL};

/* clang-format off */
#define FIELD(type, word, form, member, value, text) \
    {.key = word, .kind = form, .offset = offsetof(type, member), .otherwise = value, .doc = text}
#define WORDS(type, word, member, value, list, text) \
    {.key = word, .kind = SCHEMA_WORD, .offset = offsetof(type, member), .otherwise = value, .words = list, .doc = text}
#define SUB(type, word, form, member, schema, text) \
    {.key = word, .kind = form, .offset = offsetof(type, member), .sub = schema, .doc = text}
#define NEEDED(type, word, form, member, text) \
    {.key = word, .kind = form, .offset = offsetof(type, member), .doc = text, .required = true}
#define SCHEMA(type, title, text, rows) \
    {.name = title, .doc = text, .fields = rows, .count = COUNT(rows), .size = sizeof(type)}

static const struct schema_field resolver_fields[] = {
    FIELD(struct engine_resolver, "root-hints", SCHEMA_TEXT, root_hints, NULL, "file with the root servers"),
    FIELD(struct engine_resolver, "trust-anchor", SCHEMA_TEXT, trust_anchor, "/usr/share/dns/root.key",
          "file with the root's DS or DNSKEY"),
    FIELD(struct engine_resolver, "options-file", SCHEMA_TEXT, options_file, NULL,
          "file with options of unbound, one 'name: value' a line"),
    FIELD(struct engine_resolver, "forward", SCHEMA_TEXT, forward, NULL,
          "address of a resolver to ask instead of the root servers"),
};
static const struct schema resolver_schema =
    SCHEMA(struct engine_resolver, "resolver", "the validating resolver inside the engine", resolver_fields);

#define TIMEOUT(key, member, otherwise, doc) FIELD(struct engine_timeouts, key, SCHEMA_SECONDS, member, otherwise, doc)
static const struct schema_field timeout_fields[] = {   /* 5321-4.5.3.2-2 */
    TIMEOUT("connect", connect, "30s", "for a TCP connection"),
    TIMEOUT("greeting", greeting, "5m", "for the greeting"),
    TIMEOUT("ehlo", ehlo, "5m", "for the answer to EHLO and HELO"),
    TIMEOUT("starttls", starttls, "2m", "for the answer to STARTTLS"),
    TIMEOUT("handshake", handshake, "2m", "for the TLS handshake"),
    TIMEOUT("mail", mail, "5m", "for the answer to MAIL"),
    TIMEOUT("rcpt", rcpt, "5m", "for the answer to each RCPT"),
    TIMEOUT("data", data, "2m", "for the answer to DATA"),
    TIMEOUT("block", block, "3m", "for each part (1 MiB) of a message to be taken"),
    TIMEOUT("body", body, "10m", "for the answer to the final dot"),
    TIMEOUT("quit", quit, "5s", "for the answer to QUIT"),
    TIMEOUT("policy", policy, "60s", "for the fetch of an MTA-STS policy"),
    TIMEOUT("revocation", revocation, "10s", "for each answer about a certificate's revocation"),
    TIMEOUT("idle", idle, "5m", "for the next command of a client that submits mail, and for each of its bytes"),
    TIMEOUT("message", message, "30m", "for the whole of a message that a client submits"),
};
static const struct schema timeout_schema =
    SCHEMA(struct engine_timeouts, "timeouts", "how long the engine waits", timeout_fields);

static const struct schema_field submission_tls_fields[] = {
    {.key = "certificate", .kind = SCHEMA_TEXT, .offset = offsetof(struct engine_submission_tls, certificate),
     .at_offset = offsetof(struct engine_submission_tls, certificate_at),
     .doc = "file with the certificate, and behind it its chain, PEM; read anew by reload"},
    {.key = "key", .kind = SCHEMA_TEXT, .offset = offsetof(struct engine_submission_tls, key),
     .at_offset = offsetof(struct engine_submission_tls, key_at),
     .doc = "file with its private key, PEM"},
    WORDS(struct engine_submission_tls, "required-of", required_of, "network", required_of_words,
          "who may submit inside TLS only: clients that are not on this machine, all clients, or nobody"),
};
static const struct schema submission_tls_schema =
    SCHEMA(struct engine_submission_tls, "submission-tls", "STARTTLS where mail is taken", submission_tls_fields);

static const struct schema_field tlsrpt_fields[] = {
    FIELD(struct engine_tlsrpt, "organization", SCHEMA_TEXT, organization, NULL,
          "who reports; without it: the domain of contact"),
    {.key = "contact", .kind = SCHEMA_TEXT, .offset = offsetof(struct engine_tlsrpt, contact),
     .at_offset = offsetof(struct engine_tlsrpt, contact_at),
     .doc = "mail address of who answers for the reports; without it none are made"},
    FIELD(struct engine_tlsrpt, "dkim-key", SCHEMA_TEXT, dkim_key, NULL,
          "file with the private key that signs reports sent by mail, PEM: RSA or Ed25519"),
    FIELD(struct engine_tlsrpt, "dkim-selector", SCHEMA_TEXT, dkim_selector, NULL,
          "where the key is published: <selector>._domainkey.<dkim-domain>"),
    FIELD(struct engine_tlsrpt, "dkim-domain", SCHEMA_TEXT, dkim_domain, NULL, "without it: the domain of contact"),
    FIELD(struct engine_tlsrpt, "delay", SCHEMA_SECONDS, delay, "4h",
          "a report leaves this long after its UTC day at the latest, at random"),
};
static const struct schema tlsrpt_schema =
    SCHEMA(struct engine_tlsrpt, "tls-rpt", "reports about TLS to those who ask for them (RFC 8460)", tlsrpt_fields);

static const struct schema_field alerts_fields[] = {
    FIELD(struct engine_alerts, "mail", SCHEMA_TEXT, mail, NULL, "address that is told by mail, through this engine"),
    FIELD(struct engine_alerts, "command", SCHEMA_TEXT, command, NULL,
          "program that is told: kind and subject are its arguments, the sentence is on its standard input"),
    FIELD(struct engine_alerts, "file", SCHEMA_TEXT, file, NULL, "file that is told, one JSON object a line"),
    FIELD(struct engine_alerts, "late", SCHEMA_NUMBER, late, "1",
          "so many recipients of a destination that wait longer than an hour"),
    FIELD(struct engine_alerts, "limit", SCHEMA_NUMBER, limit, "50",
          "so many alerts are told a day, and then that there are more"),
    FIELD(struct engine_alerts, "signature", SCHEMA_SECONDS, signature, "1d", "life left of a DNSSEC signature"),
    FIELD(struct engine_alerts, "certificate", SCHEMA_SECONDS, certificate, "14d", "life left of a certificate"),
};
static const struct schema alerts_schema =
    SCHEMA(struct engine_alerts, "alerts", "when to tell whom: see mtalab-engine alerts --tell", alerts_fields);

static const struct schema_field engine_fields[] = {
    FIELD(struct engine_config, "listen", SCHEMA_TEXTS, listen, "127.0.0.1:25",
          "where mail is taken by SMTP: address:port"),
    FIELD(struct engine_config, "clients", SCHEMA_TEXTS, clients, NULL,
          "networks that may submit; without any: 127.0.0.0/8 and ::1/128"),
    SUB(struct engine_config, "submission-tls", SCHEMA_SUB, submission_tls, &submission_tls_schema,
        "STARTTLS where mail is taken; without it, clients beyond this machine submit in clear"),
    NEEDED(struct engine_config, "hostname", SCHEMA_TEXT, hostname, "the engine's own name, for EHLO and reports"),
    NEEDED(struct engine_config, "directory", SCHEMA_TEXT, directory, "where queue, trace and policy cache are kept"),
    FIELD(struct engine_config, "control", SCHEMA_TEXT, control, NULL,
          "control socket; without it: control in the directory"),
    FIELD(struct engine_config, "ca-file", SCHEMA_TEXT, ca_file, "/etc/ssl/certs/ca-certificates.crt",
          "roots for MTA-STS and certificate-validation, PEM"),
    SUB(struct engine_config, "resolver", SCHEMA_SUB, resolver, &resolver_schema,
          "the validating resolver inside the engine"),
    FIELD(struct engine_config, "ipv4", SCHEMA_BOOL, ipv4, "yes", "deliver by IPv4"),
    FIELD(struct engine_config, "ipv6", SCHEMA_BOOL, ipv6, "yes", "deliver by IPv6"),
    SUB(struct engine_config, "timeouts", SCHEMA_SUB, timeouts, &timeout_schema, "how long the engine waits"),
    FIELD(struct engine_config, "patience", SCHEMA_SECONDS, patience, "0s", "caps every time-out; 0s: no cap"),
    FIELD(struct engine_config, "retry", SCHEMA_TEXTS, retry, "exchange",
          "exchange (15m, 15m, then 1h), rfc (30m), or a list of pauses"),
    FIELD(struct engine_config, "expiry", SCHEMA_SECONDS, expiry, "0s",
          "age at which a message is given up; 0s: 1d, with retry rfc 5d"),
    WORDS(struct engine_config, "profile", profile, "rfc", profile_words,
          "exchange: codes, checks of certificates and reports as the service is known to have them where they differ"),
    WORDS(struct engine_config, "dane-insecure-mx", insecure_mx, "skip", insecure_mx_words,
          "use: look at TLSA although the MX records are not secure"),
    WORDS(struct engine_config, "dane-pass-sts-fail", pass_fail, "deliver", pass_fail_words,
          "when DANE passes and an enforce policy fails"),
    WORDS(struct engine_config, "requiretls-from", requiretls_from, "loopback", requiretls_from_words,
          "who may submit with REQUIRETLS without TLS: clients on this machine, all, or nobody"),
    WORDS(struct engine_config, "revocation", revocation, "soft", revocation_words,
          "under certificate-validation and domain-validation, by OCSP and CRL: soft, only a certificate known to be "
          "revoked fails; hard, also one that nobody vouches for; off, nobody is asked"),
    FIELD(struct engine_config, "none-accepts-bogus", SCHEMA_BOOL, accept_bogus, "yes",
          "with smtp-dane none, bogus DNS data is taken as it is"),
    FIELD(struct engine_config, "pipelining", SCHEMA_BOOL, pipelining, "yes",
          "say all up to DATA in one go where a server offers PIPELINING"),
    FIELD(struct engine_config, "chunking", SCHEMA_BOOL, chunking, "yes",
          "send a message by BDAT instead of DATA where a server offers CHUNKING"),
    FIELD(struct engine_config, "fsync", SCHEMA_BOOL, fsync, "yes",
          "a message is on disk before it is accepted; no: only for laboratories"),
    FIELD(struct engine_config, "clock-offset", SCHEMA_SECONDS, clock_offset, "0s", "added to the system's time"),
    FIELD(struct engine_config, "trace-keep", SCHEMA_SECONDS, trace_keep, "30d", "how long traces are kept"),
    WORDS(struct engine_config, "report-original", report_original, "header", report_original_words,
          "what a report of non-delivery returns of the message; of one above 64 KiB or with 8-bit text, the header"),
    WORDS(struct engine_config, "malformed", malformed, "reject", malformed_words,
          "submitted mail with a lone CR or LF or a NUL: refused, or line ends mended and NULs taken out"),
    FIELD(struct engine_config, "submission-memory", SCHEMA_SIZE, submission_memory, "256MiB",
          "for all messages that are being submitted; at least message-size"),
    FIELD(struct engine_config, "sessions-per-client", SCHEMA_NUMBER, sessions_per_client, "100",
          "connections at once from one address that submits mail"),
    FIELD(struct engine_config, "message-size", SCHEMA_SIZE, message_size, "25MiB",
          "the largest message that is taken"),
    FIELD(struct engine_config, "destinations", SCHEMA_NUMBER, destinations, "100", "deliveries at once"),
    FIELD(struct engine_config, "slow-destinations", SCHEMA_NUMBER, slow_destinations, "12000",
          "deliveries that have lasted for a quarter of a second and do not count any more as deliveries at once"),
    FIELD(struct engine_config, "per-destination", SCHEMA_NUMBER, per_destination, "5",
          "deliveries at once to one destination, or by one smart host of a connector"),
    FIELD(struct engine_config, "keep-connection", SCHEMA_SECONDS, keep_connection, "2s",
          "how long a connection waits for the next message to the same destination under the same policy; 0s: never"),
    FIELD(struct engine_config, "messages-per-connection", SCHEMA_NUMBER, messages_per_connection, "100",
          "messages in one connection at most"),
    FIELD(struct engine_config, "tls-sessions", SCHEMA_SECONDS, tls_sessions, "1h",
          "how long a TLS session may be resumed by a connection that is judged by the same, counted from when the "
          "server showed its certificate; TLS 1.3 only; 0s: never"),
    SUB(struct engine_config, "tls-rpt", SCHEMA_SUB, tlsrpt, &tlsrpt_schema,
          "reports about TLS to those who ask for them (RFC 8460)"),
    {.key = "metrics", .kind = SCHEMA_TEXT, .offset = offsetof(struct engine_config, metrics),
     .at_offset = offsetof(struct engine_config, metrics_at),
     .doc = "where /metrics is served: 127.0.0.1:9465 or unix:/run/mtalab/metrics; without it: nowhere"},
    SUB(struct engine_config, "alerts", SCHEMA_SUB, alerts, &alerts_schema,
        "when to tell whom: see mtalab-engine alerts --tell"),
    SUB(struct engine_config, "partners", SCHEMA_SUBS, partners, &partner_schema,
        "what is known of destinations, for the inventory"),
    SUB(struct engine_config, "connectors", SCHEMA_SUBS, connectors, &connector_schema,
          "paths; the most specific one takes a recipient"),
    SUB(struct engine_config, "rules", SCHEMA_SUBS, rules, &route_rule_schema,
          "transport rules, which come before every scope; the first one that matches decides"),
    FIELD(struct engine_config, "accepted-domains", SCHEMA_TEXTS, routing.accepted_domains, NULL,
          "one's own domains, for connectors with all-accepted-domains"),
    WORDS(struct engine_config, "scope-order", routing.order, "most-specific", order_words,
          "which scope wins: exact, wildcard, accepted domains, *; exchange: accepted domains before wildcards"),
};
const struct schema engine_config_schema =
    SCHEMA(struct engine_config, "engine", "the delivery engine", engine_fields);
/* clang-format on */

/* The pauses of a list; NULL after a finding. */
static const double *read_pauses(struct arena *arena, const struct schema_texts *texts, struct diag_list *diags)
{
    double *pauses = arena_alloc(arena, (texts->count + 1) * sizeof *pauses);
    for (size_t i = 0; i < texts->count; i++)
        if (!schema_parse_seconds(texts->items[i], &pauses[i]) || pauses[i] < 1) {
            diag_error(diags, texts->at[i], "'%s': retry is exchange, rfc, or a list of pauses of at least 1s",
                       texts->items[i]);
            return NULL;
        }
    return pauses;
}

static struct retry_plan read_plan(struct arena *arena, const struct engine_config *config, struct diag_list *diags)
{
    const struct schema_texts *texts = &config->retry;
    struct retry_plan plan = retry_exchange;
    bool word = texts->count == 1;
    if (word && strcmp(texts->items[0], "rfc") == 0)
        plan = retry_rfc;
    else if (texts->count > 0 && !(word && strcmp(texts->items[0], "exchange") == 0)) {
        const double *pauses = read_pauses(arena, texts, diags);
        if (pauses != NULL)
            plan = (struct retry_plan){pauses, texts->count, retry_exchange.expiry_s};
    }
    if (config->expiry > 0)
        plan.expiry_s = config->expiry;
    return plan;
}

static bool in_network(const char *text, const struct sockaddr *client)
{
    struct network network;
    return network_parse(text, &network) && network_contains(&network, client);
}

bool engine_client_allowed(const struct engine_config *config, const struct sockaddr *client)
{
    if (config->clients.count == 0)
        return netaddr_is_loopback(client);
    for (size_t i = 0; i < config->clients.count; i++)
        if (in_network(config->clients.items[i], client))
            return true;
    return false;
}

static bool is_this_machine(const struct network *network)
{
    static const char *const own[] = {"127.0.0.0/8", "::1/128"};
    struct network o;
    for (size_t i = 0; i < COUNT(own); i++)
        if (network_parse(own[i], &o) && o.family == network->family && o.bits <= network->bits &&
            memcmp(o.bytes, network->bytes, o.bits / 8) == 0)
            return true;
    return false;
}

static void check_networks(const struct engine_config *config, struct diag_list *diags)
{
    struct network network;
    for (size_t i = 0; i < config->clients.count; i++) {
        const char *text = config->clients.items[i];
        if (!network_parse(text, &network))
            diag_error(diags, config->clients.at[i], "'%s' is no network like 192.0.2.0/24", text);
        else if (config->submission_tls.certificate == NULL && !is_this_machine(&network))
            diag_warning(diags, config->clients.at[i], "%s submits in clear: 'submission-tls' has no certificate",
                         text);
    }
}

static void check_listen(const struct engine_config *config, struct diag_list *diags)
{
    struct netaddr address;
    struct err err;
    for (size_t i = 0; i < config->listen.count; i++)
        if (!netaddr_parse_port(config->listen.items[i], &address, &err))
            diag_error(diags, config->listen.at[i], "%s", err.text);
}

static void check_submission_tls(const struct engine_submission_tls *said, struct diag_list *diags)
{
    if (said->certificate != NULL && said->key == NULL)
        diag_error(diags, said->certificate_at, "submission-tls has a certificate without a key");
    if (said->certificate == NULL && said->key != NULL)
        diag_error(diags, said->key_at, "submission-tls has a key without a certificate");
}

/* Reports by mail must be signed (8460-3-7), and whom they come from must be told (8460-4.4-2). */
static void check_tlsrpt(struct arena *arena, const struct engine_tlsrpt *said, struct srcpos at,
                         struct diag_list *diags)
{
    if (said->contact == NULL) {
        if (said->organization != NULL || said->dkim_key != NULL)
            diag_error(diags, at, "tls-rpt without contact: nobody answers for the reports");
        return;
    }
    const char *path = arena_printf(arena, "<%s>", said->contact);
    if (message_parse_path(arena, &path, false) == NULL || *path != '\0')
        diag_error(diags, said->contact_at, "'%s' is no mail address", said->contact);
    if (said->dkim_key == NULL || said->dkim_selector == NULL)
        diag_error(diags, said->contact_at, "reports are signed: tls-rpt wants dkim-key and dkim-selector");
    if (said->delay < 0 || said->delay > 86400)
        diag_error(diags, said->contact_at, "the delay of reports lies between 0s and 1d");
}

static void check_metrics(const struct engine_config *config, struct diag_list *diags)
{
    struct err err;
    if (config->metrics != NULL && !metrics_address_is_local(config->metrics, &err))
        diag_error(diags, config->metrics_at, "%s", err.text);
}

static void check_limits(const struct engine_config *config, struct srcpos at, struct diag_list *diags)
{
    if (config->destinations < 1 || config->destinations > 10000 || config->per_destination < 1 ||
        config->per_destination > 10000)
        diag_error(diags, at, "destinations and per-destination are numbers from 1 to 10000");
    if (config->slow_destinations < 0 || config->slow_destinations > 100000)
        diag_error(diags, at, "slow-destinations is a number from 0 to 100000");
    if (config->messages_per_connection < 1 || config->messages_per_connection > 1000000)
        diag_error(diags, at, "messages-per-connection is a number from 1 to 1000000");
    if (config->message_size < 1024 || config->message_size > INT64_C(1) << 30)
        diag_error(diags, at, "message-size lies between 1KiB and 900MiB");
    if (config->submission_memory < config->message_size)
        diag_error(diags, at, "submission-memory is no less than message-size");
    if (config->sessions_per_client < 1 || config->sessions_per_client > 10000)
        diag_error(diags, at, "sessions-per-client is a number from 1 to 10000");
    if (config->alerts.late < 1 || config->alerts.limit < 1)
        diag_error(diags, at, "alerts: late and limit are numbers from 1");
    if (!config->ipv4 && !config->ipv6)
        diag_error(diags, at, "with neither ipv4 nor ipv6 nothing can be delivered");
}

static void take_routing(struct engine_config *config)
{
    config->routing.connectors = config->connectors.items;
    config->routing.connector_count = config->connectors.count;
    config->routing.rules = config->rules.items;
    config->routing.rule_count = config->rules.count;
    config->written = config->routing;
}

struct engine_config *engine_config_parse(struct arena *arena, const struct tree_node *root, struct diag_list *diags)
{
    struct engine_config *config = arena_alloc(arena, sizeof *config);
    schema_read(arena, &engine_config_schema, root, config, diags);
    take_routing(config);
    connector_check(&config->routing, diags);
    check_networks(config, diags);
    check_listen(config, diags);
    check_submission_tls(&config->submission_tls, diags);
    check_metrics(config, diags);
    check_limits(config, root->at, diags);
    check_tlsrpt(arena, &config->tlsrpt, root->at, diags);
    if (config->control == NULL && config->directory != NULL)
        config->control = arena_printf(arena, "%s/control", config->directory);
    config->plan = read_plan(arena, config, diags);
    return diag_errors(diags) == 0 ? config : NULL;
}

struct engine_config *engine_config_read(struct arena *arena, const char *path, struct diag_list *diags)
{
    const char *file = arena_strdup(arena, path);
    const struct tree_node *root = tree_read_file(arena, file, diags);
    struct engine_config *config = root != NULL ? engine_config_parse(arena, root, diags) : NULL;
    if (config != NULL)
        config->file = file;
    return config;
}

double engine_capped(const struct engine_config *config, double seconds)
{
    return config->patience > 0 && config->patience < seconds ? config->patience : seconds;
}

struct smtp_timeouts engine_smtp_timeouts(const struct engine_config *config)
{
    const struct engine_timeouts *t = &config->timeouts;
    return (struct smtp_timeouts){
        .greeting = engine_capped(config, t->greeting),
        .ehlo = engine_capped(config, t->ehlo),
        .starttls = engine_capped(config, t->starttls),
        .handshake = engine_capped(config, t->handshake),
        .mail = engine_capped(config, t->mail),
        .rcpt = engine_capped(config, t->rcpt),
        .data = engine_capped(config, t->data),
        .block = engine_capped(config, t->block),
        .body = engine_capped(config, t->body),
        .quit = engine_capped(config, t->quit),
    };
}
