/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/reading.h"
#include "harness/scenario_schema.h"

#include <string.h>

#include "base/table.h"
#include "fakedns/fakedns.h"

const char *const scenario_default_from = "alice@sender.example";
const char *const scenario_sender_domain = "sender.example", *const scenario_sender_host = "mx.sender.example";

const char *const message_course_words[] = {"unsaid", "delivered", "deferred", "bounced", NULL};
const char *const scenario_feature_words[] = {"queue",          "clock",          "forget",
                                              "exchange-codes", "exchange-retry", "tls-rpt",
                                              "connectors",     "smart-host",     "mta-sts-mandatory",
                                              "switches",       "requiretls",     "smtputf8",
                                              "8bitmime",       "chunking",       "bdat",
                                              "pipelining",     "tls-resumption", NULL};

static const char *const profile_words[] = {"rfc", "exchange", NULL};
static const char *const scope_order_words[] = {"most-specific", "exchange", NULL};
static const char *const revocation_words[] = {"soft", "hard", "off", NULL};
static const char *const insecure_mx_words[] = {"skip", "use", NULL};
static const char *const pass_fail_words[] = {"deliver", "block", NULL};
static const char *const dnssec_words[] = {"signed", "unsigned", NULL};
static const char *const ds_words[] = {"right", "missing", NULL};
static const char *const hit_words[] = {"by-default", "must", "may", "never", NULL};
static const char *const channel_words[] = {"unsaid", "clear", "tls", NULL};
static const char *const issuer_words[] = {"public-root", "unknown-root", "self-signed", "private-root", "none", NULL};
static const char *const dates_words[] = {"valid", "expired", "not-yet-valid", NULL};
static const char *const chain_words[] = {"full", "with-root", "missing-intermediate", NULL};
const char *const scenario_flaw_words[] = {"none",
                                           "client-only",
                                           "authority",
                                           "critical-extension",
                                           "expired-intermediate",
                                           "intermediate-without-authority",
                                           "intermediate-without-signing",
                                           "intermediate-for-other-names",
                                           "intermediate-without-room",
                                           "expired-root",
                                           "root-without-room",
                                           "chain-out-of-order",
                                           "weak-key",
                                           "weak-signature",
                                           "spoilt-signature",
                                           "stolen",
                                           "long-chain",
                                           "giant",
                                           NULL};
static_assert(COUNT(scenario_flaw_words) == FLAW_COUNT + 1, "one word per flaw");
static const char *const revocation_by_words[] = {"ocsp", "crl", "both", "stapled", NULL};
static const char *const names_as_words[] = {"alternative-names", "cn-only", "no-names", NULL};
static const char *const connector_mode_words[] = {"none", "opportunistic", "mandatory", NULL};
static const char *const connector_tls_words[] = {"opportunistic", "encryption-only", "certificate-validation",
                                                  "domain-validation", NULL};
static const char *const sts_mode_words[] = {"absent", "enforce", "testing", "none", NULL};

static const char *const tls_required_words[] = {"unsaid", "no", "no-twice", NULL};
static const char *const smuggle_words[] = {"none",        "lf-dot-lf",   "lf-dot-crlf",     "crlf-dot-lf", "cr-dot-cr",
                                            "cr-dot-crlf", "crlf-dot-cr", "crlf-dot-crcrlf", NULL};
static_assert(COUNT(smuggle_words) == SMUGGLE_COUNT + 1, "one word each");
static const char *const body_words[] = {"7bit", "8bit", NULL};

#define FIELD(type, key_, KIND, member, ...)                                                                           \
    {                                                                                                                  \
        .key = key_, .kind = SCHEMA_##KIND, .offset = offsetof(type, member), __VA_ARGS__                              \
    }

/* --- short ways of writing ------------------------------------------------------------------------------------- */

/* A word that stands for a map of one or two settings. */
struct short_word {
    const char *word;
    struct {
        const char *key, *value;
    } settings[2];
};

static const char *short_word_at(const void *rows, size_t i)
{
    return ((const struct short_word *)rows)[i].word;
}

/* The map that the word of a node stands for; NULL with a finding that names what was meant. */
static const struct tree_node *short_word_map(struct arena *arena, const struct short_word *rows, const char *what,
                                              const struct tree_node *node, struct diag_list *diags)
{
    if (node->kind != TREE_TEXT) {
        diag_error(diags, node->at, "%s is one word or a map", what);
        return NULL;
    }
    for (size_t i = 0; rows[i].word != NULL; i++) {
        if (strcmp(rows[i].word, node->text) != 0)
            continue;
        const struct tree_node *values[2] = {NULL};
        for (size_t k = 0; k < COUNT(values) && rows[i].settings[k].key != NULL; k++)
            values[k] = schema_text(arena, node->at, rows[i].settings[k].value);
        return schema_map(arena, node->at, rows[i].settings[0].key, values[0], rows[i].settings[1].key, values[1],
                          NULL);
    }
    const char *nearest = table_nearest(node->text, short_word_at, rows);
    diag_error(diags, node->at, "no %s is called '%s'%s%s%s", what, node->text,
               nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return NULL;
}

static const struct tree_node *certificate_short(struct arena *arena, const struct tree_node *node,
                                                 struct diag_list *diags)
{
    static const struct short_word words[] = {
        {"trusted", {{"issuer", "public-root"}}},
        {"unknown-root", {{"issuer", "unknown-root"}}},
        {"private-root", {{"issuer", "private-root"}}},
        {"self-signed", {{"issuer", "self-signed"}}},
        {"expired", {{"dates", "expired"}}},
        {"not-yet-valid", {{"dates", "not-yet-valid"}}},
        {"missing-intermediate", {{"chain", "missing-intermediate"}}},
        {"with-root", {{"chain", "with-root"}}},
        {"wrong-name", {{"names", "elsewhere.example"}}},
        {"wildcard", {{"names", "*"}}},
        {"cn-only", {{"names-as", "cn-only"}}},
        {"no-names", {{"names-as", "no-names"}}},
        {"revoked", {{"revocation", "revoked"}}},
        {"none", {{"issuer", "none"}}},
        {NULL, {{NULL, NULL}}},
    };
    return short_word_map(arena, words, "certificate", node, diags);
}

static const struct tree_node *report_short(struct arena *arena, const struct tree_node *node, struct diag_list *diags)
{
    static const struct short_word words[] = {
        {"none", {{"none", "yes"}}},  {"tlsa", {{"policy", "tlsa"}}},
        {"sts", {{"policy", "sts"}}}, {"no-policy-found", {{"policy", "no-policy-found"}}},
        {NULL, {{NULL, NULL}}},
    };
    return short_word_map(arena, words, "entry of a TLS report", node, diags);
}

static const struct tree_node *sts_short(struct arena *arena, const struct tree_node *node, struct diag_list *diags)
{
    static const struct short_word words[] = {
        {"enforce", {{"mode", "enforce"}}},
        {"testing", {{"mode", "testing"}}},
        {"none", {{"mode", "none"}}},
        {"absent", {{"mode", "absent"}}},
        {NULL, {{NULL, NULL}}},
    };
    return short_word_map(arena, words, "MTA-STS policy mode", node, diags);
}

static const struct tree_node *dnssec_short(struct arena *arena, const struct tree_node *node, struct diag_list *diags)
{
    static const struct short_word words[] = {
        {"signed", {{"state", "signed"}}},
        {"unsigned", {{"state", "unsigned"}}},
        {"island", {{"ds", "missing"}}},
        {NULL, {{NULL, NULL}}},
    };
    return short_word_map(arena, words, "state of a zone", node, diags);
}

static const struct tree_node *dns_fault_short(struct arena *arena, const struct tree_node *node,
                                               struct diag_list *diags)
{
    if (node->kind == TREE_TEXT)
        return schema_map(arena, node->at, "fault", node, NULL);
    diag_error(diags, node->at, "a DNS fault is its name, or a map with 'fault'");
    return NULL;
}

/* --- the world ------------------------------------------------------------------------------------------------- */

#define DNS_FAULT(...) FIELD(struct world_dns_fault, __VA_ARGS__)
static const struct schema_field dns_fault_fields[] = {
    DNS_FAULT("fault", TEXT, fault, .at_offset = offsetof(struct world_dns_fault, at), .required = true,
              .doc = "name of the fault, as listed by `mtalab faults`"),
    DNS_FAULT("type", TEXT, type, .doc = "only records of this type, such as TLSA; else every type"),
    DNS_FAULT("owner", TEXT, owner,
              .doc = "the record's name, if it is not this name (for TLSA: _25._tcp and this name); `*`: every name of "
                     "the zone"),
    DNS_FAULT("nth", NUMBER, nth, .doc = "only in the n-th attempt to deliver, from 1; 0: in all"),
    DNS_FAULT("hit", WORD, hit, .otherwise = "by-default", .words = hit_words,
              .doc = "whether the sender must, may or must never step on it; by default this follows from the mode"),
};
static const struct schema dns_fault_schema = {
    .name = "dns fault",
    .doc = "Something wrong with the DNS of a name.",
    .fields = dns_fault_fields,
    .count = COUNT(dns_fault_fields),
    .size = sizeof(struct world_dns_fault),
    .short_form = dns_fault_short,
    .short_doc = "the fault's name alone",
};

#define DNSSEC(...) FIELD(struct world_dnssec, __VA_ARGS__)
static const struct schema_field dnssec_fields[] = {
    DNSSEC("state", WORD, state, .otherwise = "signed", .words = dnssec_words, .doc = "whether the zone is signed"),
    DNSSEC("ds", WORD, ds, .otherwise = "right", .words = ds_words, .doc = "the DS record in the zone above"),
    DNSSEC("algorithm", WORD, algorithm, .otherwise = "ecdsa-p256", .words = dns_algorithm_words,
           .doc = "of the zone's keys and signatures"),
    DNSSEC("digest", WORD, digest, .otherwise = "sha-256", .words = dns_digest_words,
           .doc = "of the DS record in the zone above"),
    DNSSEC("denial", WORD, denial, .otherwise = "nsec", .words = dns_denial_words,
           .doc = "how the zone denies names and types"),
    DNSSEC("iterations", NUMBER, iterations, .otherwise = "0",
           .doc = "how often NSEC3 hashes a name beyond the first time, up to 65535"),
};
static const struct schema dnssec_schema = {
    .name = "dnssec",
    .doc = "How a zone is signed.",
    .fields = dnssec_fields,
    .count = COUNT(dnssec_fields),
    .size = sizeof(struct world_dnssec),
    .short_form = dnssec_short,
    .short_doc = "signed, unsigned, or island: signed, but without DS in the zone above",
};

#define CERTIFICATE(...) FIELD(struct world_certificate, __VA_ARGS__)
static const struct schema_field certificate_fields[] = {
    CERTIFICATE(
        "issuer", WORD, issuer, .otherwise = "public-root", .words = issuer_words,
        .at_offset = offsetof(struct world_certificate, at),
        .doc = "who signed it: the root that senders trust, one they do not know, the host itself, or a private root "
               "that only a DANE-TA record can vouch for; none: the host has no certificate and offers no STARTTLS"),
    CERTIFICATE("dates", WORD, dates, .otherwise = "valid", .words = dates_words, .doc = "whether it is valid now"),
    CERTIFICATE("chain", WORD, chain, .otherwise = "full", .words = chain_words, .doc = "what is sent above the leaf"),
    CERTIFICATE("names", TEXTS, names, .doc = "DNS names in it; default the host's own; `*` is *.<parent of the host>"),
    CERTIFICATE("names-as", WORD, names_as, .otherwise = "alternative-names", .words = names_as_words,
                .doc = "where the names stand"),
    CERTIFICATE("common-name", TEXT, common_name, .doc = "the CN, if it is not the first name"),
    CERTIFICATE(
        "flaw", WORD, flaw, .otherwise = "none", .words = scenario_flaw_words,
        .doc = "what else is odd: the leaf is for TLS clients only, is an authority, or has a critical extension "
               "that nobody knows; the intermediate is expired, no authority, may not sign, is for other "
               "names, or stands above another though its path length is 0; the root is expired or has a path length "
               "that leaves no room for the intermediate; the "
               "root is sent before the intermediate; the leaf's key is of 1024 bits, or its signature is by SHA-1 or "
               "does not verify; or it is stolen: shown by who has not its private key; or a hundred intermediates "
               "stand above it, or it is of 200 KiB"),
    CERTIFICATE("intermediate", BOOL, intermediate, .otherwise = "yes",
                .doc = "whether an intermediate stands between root and leaf"),
    CERTIFICATE("revocation", WORD, revocation, .otherwise = "none", .words = ca_says_words,
                .doc =
                    "what its authority answers when asked whether it is revoked, right or wrong; none: nobody can be "
                    "asked"),
    CERTIFICATE("revocation-by", WORD, revocation_by, .otherwise = "ocsp", .words = revocation_by_words,
                .doc = "where the certificate sends those who ask; stapled: nowhere, the host shows the answer itself"),
    CERTIFICATE("certificate-file", TEXT, certificate_file,
                .doc = "a PEM file of your own, leaf first, relative to the scenario"),
    CERTIFICATE("key-file", TEXT, key_file, .doc = "the PEM key that belongs to it"),
};
static const struct schema certificate_schema = {
    .name = "certificate",
    .doc = "The certificate a host shows. Everything is right unless said.",
    .fields = certificate_fields,
    .count = COUNT(certificate_fields),
    .size = sizeof(struct world_certificate),
    .short_form = certificate_short,
    .short_doc =
        "trusted, unknown-root, private-root, self-signed, expired, not-yet-valid, missing-intermediate, with-root, "
        "wrong-name, wildcard, cn-only, no-names, revoked, or none",
};

#define STS(...) FIELD(struct world_sts, __VA_ARGS__)
static const struct schema_field sts_fields[] = {
    STS("max-age", SECONDS, max_age_s, .otherwise = "7d", .doc = "the policy's max_age"),
    STS("mode", WORD, mode, .otherwise = "enforce", .words = sts_mode_words,
        .doc = "the policy's mode; absent: there is neither record nor policy host"),
    STS("mx", TEXTS, mx, .doc = "the policy's mx patterns; default the domain's MX hosts"),
    STS("id", TEXT, id, .doc = "the record's id; default made from the policy, so that it changes with it"),
    STS("txt", TEXTS, txt, .doc = "the TXT records at _mta-sts instead, one item each; none: no record"),
    STS("policy", TEXT, policy, .at_offset = offsetof(struct world_sts, policy_at),
        .doc = "the policy's body, byte for byte"),
    STS("host", BOOL, host, .otherwise = "yes", .doc = "whether a policy host mta-sts.<domain> exists"),
};
static const struct schema sts_schema = {
    .name = "mta-sts",
    .doc = "The MTA-STS policy of a domain: record, policy host and policy.",
    .fields = sts_fields,
    .count = COUNT(sts_fields),
    .size = sizeof(struct world_sts),
    .short_form = sts_short,
    .short_doc = "the mode alone: enforce, testing, none, or absent",
};

#define NAME(...) FIELD(struct world_name, __VA_ARGS__)
static const struct schema_field name_fields[] = {
    NAME(
        "mx", TEXTS, mx,
        .doc =
            "MX hosts, in order of preference (10, 20, ...) or each with its own (`10 mx1.partner.example`); null: the "
            "null MX; none: no MX record"),
    NAME("dnssec", SUB, dnssec, .sub = &dnssec_schema, .at_offset = offsetof(struct world_name, dnssec_at),
         .doc = "how the zone that begins here is signed; signed by default"),
    NAME("zone", BOOL, zone, .at_offset = offsetof(struct world_name, zone_at),
         .doc = "whether a zone begins here; default: directly under a top-level domain, and where dnssec is said"),
    NAME("cname", TEXT, cname, .doc = "this name is an alias of another"),
    NAME("address", TEXTS, address,
         .doc = "v4, v6, dead-v4 or dead-v6 (published, but nobody listens), an address of 198.18.0.0/15 or "
                "2001:db8::/32, or "
                "none; default v4 for hosts"),
    NAME("port", NUMBER, port, .otherwise = "25",
         .doc = "where its SMTP server listens; TLSA records then stand at _PORT._tcp"),
    NAME("tlsa", TEXTS, tlsa,
         .doc = "TLSA records of its port: `3 1 1` names the certificate in use; `3 1 1 of other-key` (or renewed, "
                "rsa-certificate, intermediate, reissued-intermediate, root, another host) names another; `3 1 1 00ff` "
                "holds just that"),
    NAME("txt", TEXTS, txt, .doc = "TXT records, one item each"),
    NAME("tls-rpt", TEXTS, tls_rpt,
         .doc = "the TXT records at _smtp._tls, one item each; none: no record; default: one that asks for reports by "
                "mail, "
                "where a scenario expects some"),
    NAME("records", TEXT, records, .at_offset = offsetof(struct world_name, records_at),
         .doc = "more records, in master-file syntax, names relative to this name"),
    NAME("dns", SUBS, dns, .sub = &dns_fault_schema, .doc = "what is wrong with the DNS of this name"),
    NAME("certificate", SUB, certificate, .sub = &certificate_schema, .doc = "what the host shows in TLS"),
    NAME("rsa-certificate", SUB, rsa_certificate, .sub = &certificate_schema,
         .doc = "what an MX host has besides, with an RSA key: shown to clients that do not take ECDSA"),
    NAME("sni", NAMED, sni, .sub = &certificate_schema,
         .doc = "what it shows instead to clients that ask for these names"),
    NAME("smtp", SUB, smtp, .sub = &mx_behaviour_schema, .doc = "how the host's SMTP server behaves"),
    NAME("mta-sts", SUB, mta_sts, .sub = &sts_schema, .doc = "the domain's MTA-STS policy"),
    NAME("https", SUB, https, .sub = &web_behaviour_schema, .doc = "how the policy host behaves (mta-sts.<domain>)"),
};
const struct schema scenario_name_schema = {
    .name = "name",
    .doc = "A name of the world: a domain, a host, or a zone. What is not said is sound.",
    .fields = name_fields,
    .count = COUNT(name_fields),
    .size = sizeof(struct world_name),
    .node_offset = offsetof(struct world_name, node),
};

/* --- what the sender is told ----------------------------------------------------------------------------------- */

#define CONNECTOR(...) FIELD(struct file_connector, __VA_ARGS__)
static const struct schema_field connector_fields[] = {
    CONNECTOR("name", TEXT, name, .at_offset = offsetof(struct file_connector, at),
              .doc = "what it is called, one word; needed but for a change"),
    CONNECTOR("recipient-domains", TEXTS, recipient_domains, .doc = "its scope: partner.example, *.partner.example, *"),
    CONNECTOR("all-accepted-domains", BOOL, all_accepted_domains, .otherwise = "no",
              .doc = "its scope is every domain of accepted-domains"),
    CONNECTOR("only-by-rule", BOOL, only_by_rule, .otherwise = "no", .doc = "only a rule sends mail through it"),
    CONNECTOR("smtp-dane", WORD, dane, .words = connector_mode_words,
              .doc = "what SMTP DANE decides here; not said: the mode of the case"),
    CONNECTOR("mta-sts", WORD, mta_sts, .words = connector_mode_words,
              .doc = "what MTA-STS decides here; not said: the mode of the case"),
    CONNECTOR("tls", WORD, tls, .otherwise = "opportunistic", .words = connector_tls_words,
              .doc = "what the connector itself demands"),
    CONNECTOR("tls-domain", TEXT, tls_domain, .doc = "the name in the certificate for domain-validation"),
    CONNECTOR("smart-hosts", TEXTS, smart_hosts,
              .doc = "where its mail goes instead: names, addresses, networks, with :port if need be"),
    CONNECTOR("enabled", BOOL, enabled, .otherwise = "yes", .doc = "a disabled connector is never chosen"),
    CONNECTOR("test-mode", BOOL, test_mode, .otherwise = "no", .doc = "what it demands is evaluated, not demanded"),
    CONNECTOR("fallback", TEXT, fallback, .doc = "the connector that takes over while fallback-on"),
    CONNECTOR("fallback-on", BOOL, fallback_on, .otherwise = "no", .doc = "mail goes by the fallback"),
};
static const struct schema connector_schema = {
    .name = "connector",
    .doc = "A path that the sender has for the mail of some recipients.",
    .fields = connector_fields,
    .count = COUNT(connector_fields),
    .size = sizeof(struct file_connector),
};

#define RULE(...) FIELD(struct file_rule, __VA_ARGS__)
static const struct schema_field rule_fields[] = {
    RULE("name", TEXT, name, .required = true, .doc = "what it is called"),
    RULE("connector", TEXT, connector, .required = true, .doc = "the connector that it names"),
    RULE("sender", TEXTS, sender, .doc = "addresses or domains of the sender"),
    RULE("recipient", TEXTS, recipient, .doc = "addresses or domains of the recipient"),
    RULE("recipient-domain", TEXTS, recipient_domain, .doc = "domains of the recipient"),
    RULE("header-contains", TEXTS, header_contains, .doc = "a header field and a text in it: `Subject: secret`"),
    RULE("header-matches", TEXTS, header_matches, .doc = "a header field and a regular expression for its value"),
};
static const struct schema rule_schema = {
    .name = "rule",
    .doc = "A transport rule; all its conditions must hold, and the first rule that matches decides.",
    .fields = rule_fields,
    .count = COUNT(rule_fields),
    .size = sizeof(struct file_rule),
};

/* --- what is sent, what must be seen --------------------------------------------------------------------------- */

#define SEND(...) FIELD(struct file_send, __VA_ARGS__)
static const struct schema_field send_fields[] = {
    SEND("to", TEXTS, to, .required = true, .doc = "recipients of the message"),
    SEND("from", TEXT, from, .otherwise = "alice@sender.example", .doc = "its sender"),
    SEND("requiretls", BOOL, way.requiretls, .otherwise = "no", .doc = "MAIL is said with REQUIRETLS (RFC 8689)"),
    SEND("tls-required", WORD, way.tls_required, .otherwise = "unsaid", .words = tls_required_words,
         .doc = "the header field TLS-Required: No (RFC 8689), once, or twice, which nobody may"),
    SEND("smtputf8", BOOL, way.smtputf8, .otherwise = "no", .doc = "MAIL is said with SMTPUTF8 (RFC 6531)"),
    SEND("subject", TEXT, way.subject, .doc = "its subject, if it is not the lab's own"),
    SEND("body", WORD, way.body, .otherwise = "7bit", .words = body_words,
         .doc = "8bit: its text is UTF-8 that is not ASCII, and MAIL says so (RFC 6152)"),
    SEND("size", SIZE, way.size, .otherwise = "0", .doc = "how long its text is at least; MAIL then says SIZE"),
    SEND("smuggle", WORD, way.smuggle, .otherwise = "none", .words = smuggle_words,
         .doc = "a second message inside, behind what some servers take for the end of the first (RFC 5321 2.3.8); the "
                "sender may then refuse the whole"),
    SEND("bdat", BOOL, way.bdat, .otherwise = "no",
         .doc = "handed in by BDAT, in two chunks, instead of DATA (RFC 3030)"),
};
static const struct schema send_schema = {
    .name = "send",
    .doc = "A message handed to the sender under test.",
    .fields = send_fields,
    .count = COUNT(send_fields),
    .size = sizeof(struct file_send),
};

#define WHEN(...) FIELD(struct file_when, __VA_ARGS__)
static const struct schema_field when_fields[] = {
    WHEN("dane", TEXTS, dane, .doc = "none, opportunistic, mandatory; default all"),
    WHEN("mta-sts", TEXTS, mta_sts, .doc = "none, opportunistic; default both"),
};
static const struct schema when_schema = {
    .name = "when",
    .doc = "The modes an expectation is for.",
    .fields = when_fields,
    .count = COUNT(when_fields),
    .size = sizeof(struct file_when),
};

#define REPORT(...) FIELD(struct expect_report, __VA_ARGS__)
static const struct schema_field report_fields[] = {
    REPORT("policy", TEXTS, policy, .at_offset = offsetof(struct expect_report, at),
           .doc = "policy types accepted: tlsa, sts, no-policy-found"),
    REPORT(
        "result", TEXTS, result,
        .doc =
            "result types accepted, at least one must be there; none among them: no failure is right too; without any: "
            "no failure, and a success"),
    REPORT("success", TEXT, success, .doc = "successful sessions: a number, or a range such as 1-2"),
    REPORT("failure", TEXT, failure, .doc = "failed sessions: a number or a range"),
    REPORT("domain", TEXT, domain, .doc = "the policy-domain; default the TLSA base domain or the recipient's domain"),
    REPORT("optional", BOOL, optional, .otherwise = "no", .doc = "there may be no such entry"),
    REPORT("by", TEXT, by, .doc = "mail or https: how a report with it came"),
    REPORT("none", BOOL, none, .otherwise = "no", .doc = "no report at all"),
};
static const struct schema report_schema = {
    .name = "report",
    .doc = "An entry of TLS reports: one policy.",
    .fields = report_fields,
    .count = COUNT(report_fields),
    .size = sizeof(struct expect_report),
    .short_form = report_short,
    .short_doc = "a policy type: sessions under it succeeded; or none: no report",
};

#define EXPECT(...) FIELD(struct file_expectation, __VA_ARGS__)
static const struct schema_field expectation_fields[] = {
    EXPECT("when", SUB, when, .sub = &when_schema, .doc = "the modes it is for; default all"),
    EXPECT("message", WORD, message, .otherwise = "unsaid", .words = message_course_words,
           .at_offset = offsetof(struct file_expectation, message_at), .doc = "what becomes of the message"),
    EXPECT("accept", TEXTS, accept, .doc = "more than one course is right; the first is preferred"),
    EXPECT("latitude", TEXT, latitude, .doc = "why several are right, in a few words"),
    EXPECT("reading", NODE, reading,
           .doc = "instead of accept, where senders declare which way they go: what follows from each, such as "
                  "`{dane-insecure-mx: {skip: delivered, use: deferred}}`"),
    EXPECT("recipients", NODE, recipients,
           .doc = "instead of message, what has become of it by now, recipient by recipient: `{a@b.example: delivered, "
                  "c@b.example: [deferred, bounced]}`"),
    EXPECT("channel", WORD, channel, .otherwise = "unsaid", .words = channel_words,
           .at_offset = offsetof(struct file_expectation, channel_at), .doc = "over what a delivered message went"),
    EXPECT("code", TEXT, code, .at_offset = offsetof(struct file_expectation, code_at),
           .doc = "enhanced status code; judged only for senders that have exchange-codes"),
    EXPECT("dns", TEXTS, dns, .doc = "questions that must be seen, or with `no` in front never; a name may follow"),
    EXPECT("web", TEXTS, web, .doc = "what must be seen at policy hosts, or never; a name may follow"),
    EXPECT("faults", WORD, hit, .otherwise = "by-default", .words = hit_words,
           .doc = "whether the world's defects must, may or must never be met in these modes"),
    EXPECT(
        "report", SUBS, report, .sub = &report_schema, .at_offset = offsetof(struct file_expectation, report_at),
        .doc =
            "what the TLS reports about this step must say, entry by entry; judged only for senders that have tls-rpt"),
    EXPECT("*", NODE, hosts,
           .doc =
               "any other key is a host (its first label where that is enough) with what must be seen of it, or never: "
               "`mx1: [connect, starttls, no mail-from]`"),
};
const struct schema scenario_expectation_schema = {
    .name = "expectation",
    .doc = "What must be seen in some modes.",
    .fields = expectation_fields,
    .count = COUNT(expectation_fields),
    .size = sizeof(struct file_expectation),
    .node_offset = offsetof(struct file_expectation, node),
};

#define SWITCH(...) FIELD(struct file_switches, __VA_ARGS__)
static const struct schema_field switch_fields[] = {
    SWITCH("profile", WORD, profile, .otherwise = "rfc", .words = profile_words, .doc = "whose codes and reports"),
    SWITCH("scope-order", WORD, scope_order, .otherwise = "most-specific", .words = scope_order_words,
           .doc = "do the accepted domains come behind wildcards or before them?"),
    SWITCH("revocation", WORD, revocation, .otherwise = "soft", .words = revocation_words,
           .doc = "what becomes of a certificate that nobody vouches for"),
    SWITCH("dane-insecure-mx", WORD, insecure_mx, .otherwise = "skip", .words = insecure_mx_words,
           .doc = "is TLSA asked for hosts that MX records without DNSSEC name?"),
    SWITCH("dane-pass-sts-fail", WORD, pass_fail, .otherwise = "deliver", .words = pass_fail_words,
           .doc = "what becomes of mail where DANE passes and a policy fails"),
    SWITCH("none-accepts-bogus", BOOL, accept_bogus, .otherwise = "yes",
           .doc = "is bogus data taken as it is where DANE is not asked for?"),
    SWITCH("pipelining", BOOL, pipelining, .otherwise = "yes", .doc = "are commands sent in one go?"),
    SWITCH("chunking", BOOL, chunking, .otherwise = "yes", .doc = "is a message sent by BDAT?"),
};
static const struct schema switches_schema = {
    .name = "switches",
    .doc = "Settings of the sender besides its connectors.",
    .fields = switch_fields,
    .count = COUNT(switch_fields),
    .size = sizeof(struct file_switches),
};

#define STEP(...) FIELD(struct file_step, __VA_ARGS__)
static const struct schema_field step_fields[] = {
    STEP("change", NAMED, change, .sub = &scenario_name_schema,
         .doc = "what is different in the world from here on, merged into it"),
    STEP("advance", SECONDS, advance, .doc = "the sender's clock moves on by this much first"),
    STEP("connectors", NAMED, connectors, .sub = &connector_schema,
         .doc = "settings of the sender's connectors, by name, that are different from here on"),
    STEP("flush", BOOL, flush, .otherwise = "no", .doc = "what is queued is tried once more"),
    STEP("send", SUB, send, .sub = &send_schema, .doc = "a message"),
    STEP("expect", SUBS, expect, .sub = &scenario_expectation_schema, .doc = "what must be seen in this step"),
};
static const struct schema step_schema = {
    .name = "step",
    .doc = "One step of a course of events.",
    .fields = step_fields,
    .count = COUNT(step_fields),
    .size = sizeof(struct file_step),
    .node_offset = offsetof(struct file_step, node),
};

#define SCENARIO(...) FIELD(struct file_scenario, __VA_ARGS__)
static const struct schema_field scenario_fields[] = {
    SCENARIO("says", TEXT, says, .at_offset = offsetof(struct file_scenario, says_at), .required = true,
             .doc = "in one sentence: the posture, and what the sender must do"),
    SCENARIO("covers", TEXTS, covers, .doc = "ids of the clauses that it tests, as listed by `mtalab clauses`"),
    SCENARIO("needs", TEXTS, needs, .doc = "what a sender must have, else the case is unsupported"),
    SCENARIO("tags", TEXTS, tags, .doc = "words to select by"),
    SCENARIO("modes", TEXTS, modes, .at_offset = offsetof(struct file_scenario, modes_at),
             .doc = "the modes it is for, such as dane=mandatory; default all six"),
    SCENARIO("modes-because", TEXT, modes_because, .doc = "why not for all"),
    SCENARIO("base", TEXT, base, .at_offset = offsetof(struct file_scenario, base_at),
             .doc = "the scenario whose world it changes, and its control twin: the same world without the defect"),
    SCENARIO("twin", TEXT, twin,
             .doc =
                 "another control twin than the base: a scenario in which what is right here would be wrong, where the "
                 "base expects the same"),
    SCENARIO("because", TEXT, because, .doc = "why more than one thing differs from the base"),
    SCENARIO("variants", NODE, variants,
             .doc = "axes along which it is multiplied: `ip: [v4, v6]`, used as ${ip}; a map instead of a list names "
                    "its values"),
    SCENARIO("world", NAMED, world, .sub = &scenario_name_schema, .at_offset = offsetof(struct file_scenario, world_at),
             .doc = "the names of the world"),
    SCENARIO("change", NAMED, change, .sub = &scenario_name_schema,
             .at_offset = offsetof(struct file_scenario, change_at),
             .doc = "what is different from the base's world, merged into it"),
    SCENARIO("connectors", SUBS, connectors, .sub = &connector_schema,
             .doc = "the connectors that the sender has; default those of the base, or one for all mail; what they do "
                    "not say of DANE and MTA-STS is the mode's"),
    SCENARIO("rules", SUBS, rules, .sub = &rule_schema,
             .doc = "the sender's transport rules; default those of the base"),
    SCENARIO("accepted-domains", TEXTS, accepted_domains,
             .doc = "the sender's accepted domains; default those of the base"),
    SCENARIO("switches", SUB, switches, .sub = &switches_schema,
             .doc = "what the sender is told besides; default that of the base"),
    SCENARIO("send", SUB, send, .sub = &send_schema, .doc = "the message; default that of the base"),
    SCENARIO("expect", SUBS, expect, .sub = &scenario_expectation_schema,
             .doc = "what must be seen; each mode exactly once"),
    SCENARIO("steps", SUBS, steps, .sub = &step_schema, .doc = "a course of events, instead of send and expect"),
};
const struct schema scenario_schema = {
    .name = "scenario",
    .doc = "One world, one course of sending, and what must be seen.",
    .fields = scenario_fields,
    .count = COUNT(scenario_fields),
    .size = sizeof(struct file_scenario),
    .node_offset = offsetof(struct file_scenario, node),
    .placeholders = true,
};

void scenario_print_json_schema(FILE *out)
{
    schema_print_json(&scenario_schema, "scenario.schema.json", out);
}

static void print_readings(FILE *out)
{
    const struct reading *row;
    fputs("\n## Readings\n\nWhere the RFCs leave room: the keys of `reading`, and of an adapter's `latitude`.\n\n"
          "| key | words | about |\n|---|---|---|\n",
          out);
    for (size_t i = 0; (row = reading_at(i)) != NULL; i++) {
        fprintf(out, "| `%s` |", row->key);
        for (size_t k = 0; row->words[k] != NULL; k++)
            fprintf(out, "%s `%s`", k > 0 ? "," : "", row->words[k]);
        fprintf(out, " | %s |\n", row->doc);
    }
}

void scenario_print_manual(FILE *out)
{
    schema_print_manual(&scenario_schema, out);
    print_readings(out);
}
