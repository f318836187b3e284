/* SPDX-License-Identifier: BSD-2-Clause
 * scenario - one file: one world, one course of sending, and what must be seen. Plain structs, each with its place.
 *
 * Owns:   everything lives in the arena of the corpus it was read into. Read-only after scenario_read. */
#ifndef HARNESS_SCENARIO_H
#define HARNESS_SCENARIO_H

#include "base/schema.h"
#include "fakeca/fakeca.h"
#include "fakemx/fakemx.h"
#include "fakests/fakests.h"
#include "harness/mode.h"

/* ---- the world ---- */

enum world_dnssec_state { WORLD_SIGNED, WORLD_UNSIGNED };
enum world_ds { WORLD_DS_RIGHT, WORLD_DS_MISSING };

struct world_dns_fault {          /* dns: [{fault: servfail, type: TLSA, owner: ..., nth: 1}]; short form: the name */
    const char *fault, *type, *owner;
    int64_t nth;
    int hit;                      /* by default | must | may | never: enum scenario_hit */
    struct srcpos at;
};
struct world_dnssec {             /* short form: signed | unsigned | island (signed, but without DS) */
    int state;                    /* enum world_dnssec_state */
    int ds;                       /* enum world_ds */
    int algorithm, digest, denial; /* fakedns' words */
    int64_t iterations;           /* of NSEC3 */
};
enum world_issuer {
    ISSUER_PUBLIC_ROOT,
    ISSUER_UNKNOWN_ROOT,
    ISSUER_SELF_SIGNED,
    ISSUER_PRIVATE_ROOT,          /* trusted by nobody, for DANE-TA */
    ISSUER_NONE,                  /* no certificate at all: STARTTLS is not offered */
};
enum world_dates { DATES_VALID, DATES_EXPIRED, DATES_NOT_YET_VALID };
enum world_chain { CHAIN_FULL, CHAIN_WITH_ROOT, CHAIN_MISSING_INTERMEDIATE };
enum world_flaw {                 /* what only a look at extensions, authorities or the order of the chain shows */
    FLAW_NONE, FLAW_CLIENT_ONLY, FLAW_AUTHORITY, FLAW_CRITICAL_EXTENSION, FLAW_EXPIRED_INTERMEDIATE,
    FLAW_INTERMEDIATE_WITHOUT_AUTHORITY, FLAW_INTERMEDIATE_WITHOUT_SIGNING, FLAW_INTERMEDIATE_FOR_OTHER_NAMES,
    FLAW_INTERMEDIATE_WITHOUT_ROOM, FLAW_EXPIRED_ROOT, FLAW_ROOT_WITHOUT_ROOM, FLAW_CHAIN_OUT_OF_ORDER,
    FLAW_WEAK_KEY, FLAW_WEAK_SIGNATURE, FLAW_SPOILT_SIGNATURE, FLAW_STOLEN, FLAW_LONG_CHAIN, FLAW_GIANT, FLAW_COUNT
};
enum world_revocation_by { REVOCATION_BY_OCSP, REVOCATION_BY_CRL, REVOCATION_BY_BOTH, REVOCATION_BY_STAPLE };
struct world_certificate {        /* short form: trusted | unknown-root | private-root | self-signed | expired
                                   * | not-yet-valid | wrong-name | missing-intermediate | with-root | wildcard
                                   * | cn-only | no-names | none */
    int issuer, dates, chain, flaw;
    int revocation, revocation_by; /* enum ca_says, enum world_revocation_by */
    struct schema_texts names;    /* DNS-IDs; empty: the host's own name; "*" is *.<parent of the host> */
    int names_as;                 /* enum identity_names */
    const char *common_name;      /* NULL: the first name */
    bool intermediate;            /* leaf signed by an intermediate (default yes unless self-signed) */
    const char *certificate_file, *key_file;    /* the user's own; relative to the scenario file */
    struct srcpos at;
};
struct world_sts {                /* mta-sts: of a policy domain; short form: enforce | testing | none */
    int mode;                     /* enforce | testing | none, and "absent" (default when no mta-sts: key) */
    struct schema_texts mx;       /* default: the domain's MX hosts */
    double max_age_s;             /* 7d */
    const char *id;               /* default made */
    struct schema_texts txt;      /* the TXT records' texts instead of v=STSv1; id=...; the one word `none`: none */
    const char *policy;           /* the body byte for byte instead */
    struct srcpos policy_at;
    bool host;                    /* yes: a policy host mta-sts.<domain> exists */
};
enum world_sts_mode { WORLD_STS_ABSENT, WORLD_STS_ENFORCE, WORLD_STS_TESTING, WORLD_STS_NONE };

struct world_name {               /* one key of world: */
    const char *name;             /* lower case, no trailing dot */
    struct srcpos at;
    const struct tree_node *node; /* as merged */
    bool zone;                    /* a zone begins here: zone: as said; else top-level domains, names directly under
                                   * one, and every name with dnssec: */
    struct srcpos zone_at;        /* file NULL: not said */
    struct world_dnssec dnssec;
    struct srcpos dnssec_at;      /* file NULL: not said */
    struct schema_texts mx;       /* "mx1.partner.example", "10 mx1..."; without numbers 10, 20, ...; the one word
                                   * `null` is the null MX, `none` no MX record */
    const char *cname;
    struct schema_list dns;       /* of struct world_dns_fault */
    const char *records; struct srcpos records_at;   /* raw zone text, names relative to this name */
    int64_t port;                 /* of its SMTP server: 25 */
    struct schema_texts address;  /* v4, v6, dead-v4, dead-v6 (published, nobody listens), none, or literal addresses of
                                   * the lab; default v4 for hosts */
    struct schema_texts tlsa;     /* "3 1 1", "3 1 1 of other-key", "2 0 1 of root", "2 1 1 of intermediate",
                                   * "3 1 1 of renewed", "3 1 1 of mx2.partner.example", "3 1 1 <hex>" */
    struct schema_texts txt;
    struct schema_texts tls_rpt;  /* the TXT records' texts at _smtp._tls; default: one, where a report is expected; the
                                   * one word `none`: none */
    struct world_certificate certificate; bool has_certificate;
    struct world_certificate rsa_certificate; bool has_rsa_certificate;  /* beside it */
    struct schema_named sni;      /* of struct world_certificate: shown instead when the hello names this */
    struct mx_behaviour smtp; bool has_smtp;
    struct web_behaviour https; bool has_https;
    struct world_sts mta_sts; bool has_mta_sts;
};
struct world { struct world_name *names; size_t count; struct srcpos at; };
const struct world_name *world_find(const struct world *world, const char *name);
const char *world_mx_host(const char *text);          /* of "10 mx1.partner.example", or without a preference */
bool world_has_mx(const struct world_name *domain, const char *host);

/* ---- what must be seen ---- */

enum scenario_hit { HIT_DEFAULT, HIT_MUST, HIT_MAY, HIT_NEVER };
enum message_course { COURSE_UNSAID, COURSE_DELIVERED, COURSE_DEFERRED, COURSE_BOUNCED };
extern const char *const message_course_words[];     /* "unsaid", "delivered", "deferred", "bounced", NULL */

struct expect_row;                                    /* expect.h */
struct expect_line {              /* mx1: [connect, starttls, no mail-from]; dns: [no tlsa-query mx1]; web: [request] */
    const char *host;             /* full name of the host; for dns and web the name behind the word, or NULL: any */
    const struct expect_row *row;
    bool forbidden;               /* "no ..." */
    struct srcpos at;
};
struct expect_report {            /* an entry that TLS reports must have; short form: ok | none */
    bool none;                    /* no report at all */
    struct schema_texts policy;   /* tlsa, sts, no-policy-found: those accepted */
    struct schema_texts result;   /* result types accepted; "none": there may be no failure; empty: there is none */
    const char *success, *failure;    /* how many sessions, "1" or "1-2"; NULL: unsaid */
    const char *domain;           /* policy-domain; NULL: what the RFC says */
    bool optional;                /* there may be no such entry */
    const char *by;               /* mail | https; NULL: either */
    struct srcpos at;
};
struct expect_reading {           /* what follows from one of the ways that senders go */
    const char *word;             /* "skip" */
    unsigned accept;
};
struct expect_recipient { const char *address; unsigned accept; struct srcpos at; };
struct expectation {              /* one item of expect: */
    unsigned modes;               /* when: as a mask; without when: all */
    unsigned accept;              /* mask of 1 << enum message_course; message: X is a mask of one */
    int preferred;                /* the first of accept */
    const char *latitude;         /* "L18"; NULL */
    const char *reading;          /* key of a row of reading.c that says why several are right; NULL */
    struct expect_reading *readings; size_t reading_count;
    struct expect_recipient *recipients; size_t recipient_count;   /* then accept is empty */
    int channel;                  /* 0 unsaid, 1 clear, 2 tls */
    const char *code;             /* "4.7.323"; judged only for subjects with exchange-codes */
    struct expect_line *lines; size_t line_count;
    struct srcpos at, message_at, channel_at, code_at;
    int hit;                      /* faults: must | may | never hit in these modes; default by mechanism */
    const struct expect_report *reports; size_t report_count;    /* entries of TLS reports; none: not asked for */
    struct srcpos report_at;
};

struct sender_setup {             /* what the sender is told; NULL: not said */
    const struct tree_node *connectors, *rules;      /* lists of maps, checked by the schema */
    const struct tree_node *accepted_domains;
    const struct tree_node *switches;                /* a map */
};

enum tls_required { TLS_REQUIRED_UNSAID, TLS_REQUIRED_NO, TLS_REQUIRED_NO_TWICE };
enum smuggle {
    SMUGGLE_NONE, SMUGGLE_LF_DOT_LF, SMUGGLE_LF_DOT_CRLF, SMUGGLE_CRLF_DOT_LF, SMUGGLE_CR_DOT_CR, SMUGGLE_CR_DOT_CRLF,
    SMUGGLE_CRLF_DOT_CR, SMUGGLE_CRLF_DOT_CRCRLF, SMUGGLE_COUNT
};
enum send_body { BODY_7BIT, BODY_8BIT };
struct scenario_way {             /* how a message is handed in, and what it says of its way */
    bool requiretls, smtputf8;    /* parameters of MAIL */
    bool bdat;                    /* by BDAT, in two chunks */
    int tls_required;             /* the header field: enum tls_required */
    int body;                     /* enum send_body */
    int64_t size;                 /* bytes of text at least; 0: a few */
    const char *subject;          /* NULL: the token */
    int smuggle;                  /* what stands before a second message inside: enum smuggle */
};

struct scenario_step {
    const struct world *world;    /* in force from this step on */
    bool changes;                 /* this step changed it */
    double advance_s;             /* before sending; 0: none */
    bool flush;                   /* one more attempt of what is queued */
    const struct tree_node *connectors;      /* settings of connectors that change by then: {NAME: {KEY: VALUE}} */
    const char *from;             /* default alice@sender.example */
    struct schema_texts to;       /* empty: nothing is sent */
    struct scenario_way way;
    struct expectation *expectations; size_t expectation_count;
    struct srcpos at;
};

struct scenario {
    const char *name;             /* "dane/key-of-another-certificate" */
    const char *variant;          /* "ip=v6,tlsa=3 0 1"; "" without */
    const char *title;            /* name, with [variant] if any */
    const char *file;
    struct srcpos at;
    const char *says;
    struct schema_texts covers;   /* clause ids */
    struct schema_texts needs;    /* features a subject must have */
    struct schema_texts tags;
    const char *because;
    unsigned modes;               /* the modes it is for; all but where it says so */
    const char *modes_because;
    const char *base;             /* control twin's name; NULL: it is a twin itself */
    const struct scenario *from;  /* the base, of the same variant; NULL: none */
    const struct scenario *twin;  /* resolved; NULL: none */
    struct sender_setup sender;
    struct scenario_step *steps; size_t step_count;      /* at least one */
};
/* Does it say in any step what TLS reports must say? */
bool scenario_wants_reports(const struct scenario *scenario);
/* The expectation for a mode in a step; NULL where nothing is said. */
const struct expectation *scenario_expects(const struct scenario_step *step, unsigned mode);

/* ---- the corpus ---- */

struct corpus {
    struct arena *arena;
    const char *directory;                              /* the scenarios' root */
    const struct scenario **items; size_t count, room;  /* every variant is an item of its own; sorted by title */
    struct diag_list *diags;
};

/* Reads files (paths, folders, names under directory such as "dane/matching-key" or "dane"); bases are read too and
 * become twins but not items. Every mistake of every file lands in corpus->diags. Never NULL. */
struct corpus *corpus_read(const char *directory, const char *const *paths, size_t count);
void corpus_free(struct corpus **corpus);
/* Text as a file of that name; for tests and fuzzing. */
struct corpus *corpus_read_text(const char *directory, const char *name, const char *text, size_t length);

/* The catalogue of normative sentences, from scenarios/clauses/. Level: "MUST", "MUST NOT", "SHOULD", ... */
struct clause {
    const char *id, *rfc, *section, *level;
    const char *who;              /* sender, reporter, receiver */
    const char *says, *seen;
    const char *why_not;          /* why nobody can see from outside whether it is kept; "": it can be seen */
};
struct clauses;
struct clauses *clauses_read(struct arena *arena, const char *directory, struct diag_list *diags);
/* One file of the catalogue from memory: lines of id, section, level, who, says, seen, why-not (the last may lack). */
struct clauses *clauses_read_text(struct arena *arena, const char *text, struct diag_list *diags);
const struct clause *clauses_find(const struct clauses *clauses, const char *id);
const struct clause *clauses_at(const struct clauses *clauses, size_t i);   /* NULL at the end */

void scenario_print_json_schema(FILE *out);
void scenario_print_manual(FILE *out);

#endif
