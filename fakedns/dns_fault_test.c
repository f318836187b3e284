/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/dns_fault.h"

#include <string.h>

#include "base/testing.h"
#include "fakedns/dns_ask_test.h"

#define TLSA "_25._tcp.mx1.partner.example"

/* What a validator with the zone's keys says of the first answer RRset. */
enum proof { NONE, VALID, EXPIRED, EARLY, STRANGER, BOGUS };

/* clang-format off */
static const struct {
    const char *name;
    struct fakedns_fault fault;
    unsigned attempt;
    const char *address, *qname, *qtype;
    unsigned how;
    const char *shape, *hits;
    enum proof proof;
} cases[] = {
#define PARTNER "198.18.0.4"
    {"no fault here", {.fault = "signature-expired", .zone = "partner.example", .type = "MX"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "", VALID},
    {"expired", {.fault = "signature-expired", .zone = "partner.example", .owner = TLSA, .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", EXPIRED},
    {"nobody looks at signatures", {.fault = "signature-expired", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_PLAIN, "NOERROR aa | TLSA | |", "", NONE},
    {"not yet valid", {.fault = "signature-not-yet-valid", .zone = "partner.example", .owner = TLSA}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", EARLY},
    {"flipped", {.fault = "signature-flipped", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", BOGUS},
    {"flipped in the whole zone", {.fault = "signature-flipped", .zone = "partner.example"}, 1,
     PARTNER, "partner.example", "MX", ASK_DO, "NOERROR aa | MX+ | |", "it", BOGUS},
    {"flipped under an alias", {.fault = "signature-flipped", .zone = "partner.example",
     .owner = "mx1.partner.example"}, 1,
     PARTNER, "alias.partner.example", "A", ASK_DO, "NOERROR aa | CNAME+ A+ | |", "it", VALID},
    {"flipped where a wildcard answers", {.fault = "signature-flipped", .zone = "partner.example",
     .owner = "foo.wild.partner.example", .type = "TXT"}, 1,
     PARTNER, "foo.wild.partner.example", "TXT", ASK_DO, "NOERROR aa | TXT+ | NSEC+ |", "it", NONE},
    {"flipped NSEC3 by the name it is about", {.fault = "signature-flipped", .zone = "n3.net", .owner = "mx.n3.net",
     .type = "NSEC3"}, 1,
     "198.18.0.5", "mx.n3.net", "TLSA", ASK_DO, "NOERROR aa | | SOA+ NSEC3+ |", "it", NONE},
    {"signed by a stranger", {.fault = "signature-wrong-signer", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", STRANGER},
    {"no signature", {.fault = "signature-missing", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA | |", "it", NONE},
    {"only at the second attempt", {.fault = "signature-missing", .zone = "partner.example", .type = "TLSA",
     .nth = 2}, 2,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA | |", "it", NONE},
    {"not at the first attempt", {.fault = "signature-missing", .zone = "partner.example", .type = "TLSA", .nth = 2}, 0,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "", VALID},
    {"an expired one too", {.fault = "signature-expired-beside", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", VALID},
    {"nobody's one too", {.fault = "signature-of-nobody-beside", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", VALID},
    {"keys of one tag", {.fault = "tag-shared-beside", .zone = "partner.example", .type = "DNSKEY"}, 1,
     PARTNER, "partner.example", "DNSKEY", ASK_DO, "NOERROR aa | DNSKEY+ | |", "it", VALID},
    {"a DS that is hidden", {.fault = "ds-denied", .zone = "partner.example"}, 1,
     "198.18.0.2", TLSA, "TLSA", ASK_DO, "NOERROR | | NS NSEC+ | A", "it", NONE},
    {"a DS that is hidden, asked for", {.fault = "ds-denied", .zone = "partner.example"}, 1,
     "198.18.0.2", "partner.example", "DS", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "it", NONE},
    {"half a proof", {.fault = "denial-incomplete", .zone = "n3.net"}, 1,
     "198.18.0.5", "nothing.n3.net", "A", ASK_DO, "NXDOMAIN aa | | SOA+ NSEC3+ NSEC3+ |", "it", NONE},
    {"the parent's proof", {.fault = "denial-from-above", .zone = "partner.example"}, 1,
     PARTNER, "nothing.partner.example", "A", ASK_DO, "NXDOMAIN aa | | SOA+ NSEC+ |", "it", NONE},
    {"an alias denied", {.fault = "denial-with-cname", .zone = "partner.example", .owner = "mx1.partner.example",
     .type = "TLSA"}, 1,
     PARTNER, "mx1.partner.example", "TLSA", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "it", NONE},
    {"no delegation", {.fault = "denial-without-ns", .zone = "example", .owner = "plain.example"}, 1,
     "198.18.0.2", "plain.example", "MX", ASK_DO, "NOERROR | | NS NSEC+ | A", "it", NONE},
    {"another hash", {.fault = "denial-of-unknown-hash", .zone = "n3.net", .owner = "mx.n3.net"}, 1,
     "198.18.0.5", "mx.n3.net", "TLSA", ASK_DO, "NOERROR aa | | SOA+ NSEC3+ |", "it", NONE},
    {"another flag", {.fault = "denial-of-unknown-flag", .zone = "n3.net", .owner = "mx.n3.net"}, 1,
     "198.18.0.5", "mx.n3.net", "TLSA", ASK_DO, "NOERROR aa | | SOA+ NSEC3+ |", "it", NONE},
    {"a stale DS too", {.fault = "stale-beside", .zone = "example", .owner = "partner.example", .type = "DS"}, 1,
     "198.18.0.2", "partner.example", "DS", ASK_DO, "NOERROR aa | DS+ | |", "it", NONE},
    {"a stale key too", {.fault = "stale-beside", .zone = "partner.example", .type = "DNSKEY"}, 1,
     PARTNER, "partner.example", "DNSKEY", ASK_DO, "NOERROR aa | DNSKEY+ | |", "it", VALID},
    {"a crowd", {.fault = "crowded", .zone = "partner.example", .owner = TLSA, .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO | ASK_TCP, "NOERROR aa | TLSA+ | |", "it", VALID},
    {"wrong DS", {.fault = "ds-wrong", .zone = "partner.example"}, 1,
     "198.18.0.2", TLSA, "TLSA", ASK_DO, "NOERROR | | NS DS+ | A", "it", NONE},
    {"no DS", {.fault = "ds-missing", .zone = "partner.example"}, 1,
     "198.18.0.2", TLSA, "TLSA", ASK_DO, "NOERROR | | NS NSEC+ | A", "it", NONE},
    {"no DS, asked for", {.fault = "ds-missing", .zone = "partner.example"}, 1,
     "198.18.0.2", "partner.example", "DS", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "it", NONE},
    {"no DS, opted out", {.fault = "ds-missing", .zone = "n3.net"}, 1,
     "198.18.0.3", "n3.net", "MX", ASK_DO, "NOERROR | | NS NSEC3+ | A", "it", NONE},
    {"DS of an unknown algorithm", {.fault = "ds-unsupported-algorithm", .zone = "partner.example"}, 1,
     "198.18.0.2", TLSA, "TLSA", ASK_DO, "NOERROR | | NS DS+ | A", "it", NONE},
    {"DS of an abandoned algorithm", {.fault = "ds-abandoned-algorithm", .zone = "partner.example"}, 1,
     "198.18.0.2", TLSA, "TLSA", ASK_DO, "NOERROR | | NS DS+ | A", "it", NONE},
    {"DS of an unknown digest", {.fault = "ds-unsupported-digest", .zone = "partner.example"}, 1,
     "198.18.0.2", TLSA, "TLSA", ASK_DO, "NOERROR | | NS DS+ | A", "it", NONE},
    {"no keys", {.fault = "dnskey-missing", .zone = "partner.example"}, 1,
     PARTNER, "partner.example", "DNSKEY", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "it", NONE},
    {"no proof", {.fault = "denial-missing", .zone = "partner.example"}, 1,
     PARTNER, "nothing.partner.example", "A", ASK_DO, "NXDOMAIN aa | | SOA+ |", "it", NONE},
    {"no proof of one type", {.fault = "denial-missing", .zone = "partner.example", .owner = "mx1.partner.example",
     .type = "TLSA"}, 1,
     PARTNER, "mx1.partner.example", "TLSA", ASK_DO, "NOERROR aa | | SOA+ |", "it", NONE},
    {"proof of another type", {.fault = "denial-missing", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, "mx1.partner.example", "MX", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "", NONE},
    {"no proof that a DS is absent", {.fault = "denial-missing", .zone = "example", .type = "DS"}, 1,
     "198.18.0.2", "plain.example", "MX", ASK_DO, "NOERROR | | NS | A", "it", NONE},
    {"a proof of nothing", {.fault = "denial-false", .zone = "partner.example"}, 1,
     PARTNER, "nothing.partner.example", "A", ASK_DO, "NXDOMAIN aa | | SOA+ NSEC+ |", "it", NONE},
    {"a hashed proof of nothing", {.fault = "denial-false", .zone = "n3.net"}, 1,
     "198.18.0.5", "nothing.n3.net", "A", ASK_DO, "NXDOMAIN aa | | SOA+ NSEC3+ |", "it", NONE},
    {"forged", {.fault = "forged", .zone = "partner.example", .type = "MX"}, 1,
     PARTNER, "partner.example", "MX", ASK_DO, "NOERROR aa | MX | |", "it", NONE},
    {"planted", {.fault = "planted", .zone = "partner.example", .owner = TLSA, .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", VALID},
    {"SERVFAIL", {.fault = "servfail", .zone = "partner.example", .owner = TLSA, .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "SERVFAIL | | |", "it", NONE},
    {"SERVFAIL is for one type", {.fault = "servfail", .zone = "partner.example", .owner = TLSA, .type = "TLSA"}, 1,
     PARTNER, TLSA, "A", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "", NONE},
    {"a name is there for its fault's sake", {.fault = "servfail", .zone = "partner.example",
     .owner = "_25._tcp.nothing.partner.example", .type = "TLSA"}, 1,
     PARTNER, "_tcp.nothing.partner.example", "A", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "", NONE},
    {"an alias is not followed to a fault", {.fault = "servfail", .zone = "partner.example",
     .owner = "mx1.partner.example", .type = "A"}, 1,
     PARTNER, "alias.partner.example", "A", ASK_DO, "NOERROR aa | CNAME+ | |", "", VALID},
    {"REFUSED", {.fault = "refused", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "REFUSED | | |", "it", NONE},
    {"NOTIMP", {.fault = "notimp", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOTIMP | | |", "it", NONE},
    {"FORMERR", {.fault = "formerr", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "FORMERR | | |", "it", NONE},
    {"silence", {.fault = "silent", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "ignored", "it", NONE},
    {"truncated", {.fault = "truncated-without-tcp", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa tc | | |", "it", NONE},
    {"truncated, over TCP", {.fault = "truncated-without-tcp", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO | ASK_TCP, "hung up", "it", NONE},
    {"another id", {.fault = "wrong-id", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", VALID},
    {"late", {.fault = "slow", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "NOERROR aa | TLSA+ | |", "it", VALID},
    {"malformed", {.fault = "malformed", .zone = "partner.example", .type = "TLSA"}, 1,
     PARTNER, TLSA, "TLSA", ASK_DO, "broken", "it", NONE},
    {"oversized", {.fault = "oversized", .zone = "partner.example", .type = "TXT"}, 1,
     PARTNER, "many.partner.example", "TXT", ASK_DO | ASK_SMALL, "NOERROR aa | TXT+ | |", "it", VALID},
    {"what else there is of the type comes first", {.fault = "unrelated", .zone = "partner.example", .type = "MX"}, 1,
     PARTNER, "partner.example", "MX", ASK_DO, "NOERROR aa | MX+ MX+ | |", "it", NONE},
    {"the server that knows", {.fault = "disagreeing", .zone = "two.net", .type = "MX"}, 1,
     "198.18.0.9", "two.net", "MX", ASK_DO, "NOERROR aa | MX+ | |", "", NONE},
    {"the server that denies", {.fault = "disagreeing", .zone = "two.net", .type = "MX"}, 1,
     "2001:db8::9", "two.net", "MX", ASK_DO, "NOERROR aa | | |", "it", NONE},
    {"half lame, the good half", {.fault = "half-lame", .zone = "two.net"}, 1,
     "198.18.0.9", "two.net", "MX", ASK_DO, "NOERROR aa | MX+ | |", "", NONE},
    {"half lame, the lame half", {.fault = "half-lame", .zone = "two.net"}, 1,
     "2001:db8::9", "two.net", "MX", ASK_DO, "REFUSED | | |", "it", NONE},
    {"lame", {.fault = "lame", .zone = "partner.example"}, 1,
     PARTNER, "mx1.partner.example", "A", ASK_DO, "REFUSED | | |", "it", NONE},
};
/* clang-format on */

static struct fakedns_config with_fault(const struct fakedns_fault *from, struct fakedns_fault *fault)
{
    struct fakedns_config config = ask_config;
    *fault = *from;
    fault->id = "it";
    config.faults = fault;
    config.fault_count = 1;
    return config;
}

static ldns_rr_list *public_keys(struct asked *asked, const char *zone)
{
    struct dns_node *apex = dns_zone_apex(dns_world_zone(asked->world, zone));
    return dns_node_get(apex, LDNS_RR_TYPE_DNSKEY)->rrs;
}

static enum proof prove(struct asked *asked, const struct dns_reply *reply)
{
    static const struct {
        ldns_status status;
        enum proof proof;
    } proofs[] = {
        {LDNS_STATUS_OK, VALID},
        {LDNS_STATUS_CRYPTO_SIG_EXPIRED, EXPIRED},
        {LDNS_STATUS_CRYPTO_SIG_NOT_INCEPTED, EARLY},
    };
    ldns_pkt *packet = NULL;
    ck_assert_int_eq(ldns_wire2pkt(&packet, reply->packet, reply->length), LDNS_STATUS_OK);
    ldns_rr_list *rrset = ldns_rr_list_new(), *signatures = ldns_rr_list_new();
    ldns_rr *first = ldns_rr_list_rr(ldns_pkt_answer(packet), 0);
    for (size_t i = 0; i < ldns_rr_list_rr_count(ldns_pkt_answer(packet)); i++) {
        ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_answer(packet), i);
        if (ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(first)) == 0)
            ldns_rr_list_push_rr(ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG ? signatures : rrset, rr);
    }
    ldns_status status = ldns_verify(rrset, signatures, public_keys(asked, "partner.example"), NULL);
    const ldns_rdf *signer = ldns_rr_rrsig_signame(ldns_rr_list_rr(signatures, 0));
    bool stranger = !dns_name_equal(signer, dns_world_zone(asked->world, "partner.example")->name);
    ldns_rr_list_free(rrset);
    ldns_rr_list_free(signatures);
    ldns_pkt_free(packet);
    if (stranger) /* ldns does not look */
        return STRANGER;
    for (size_t i = 0; i < COUNT(proofs); i++)
        if (proofs[i].status == status)
            return proofs[i].proof;
    return BOGUS;
}

START_TEST(a_fault_does_what_it_says)
{
    struct asked asked;
    struct fakedns_fault fault;
    struct err err = {.text = ""};
    struct fakedns_config config = with_fault(&cases[_i].fault, &fault);
    ck_assert_msg(asked_new(&asked, &config, cases[_i].attempt, &err), "%s: %s", cases[_i].name, err.text);
    struct dns_reply reply;
    ask(&asked, cases[_i].address, cases[_i].qname, cases[_i].qtype, cases[_i].how, &reply);
    char *shape = ask_shape(asked.arena, &reply), *hits = ask_hits(asked.arena, &reply);
    ck_assert_msg(strcmp(shape, cases[_i].shape) == 0, "%s: %s", cases[_i].name, shape);
    ck_assert_msg(strcmp(hits, cases[_i].hits) == 0, "%s: hits '%s'", cases[_i].name, hits);
    if (cases[_i].proof != NONE)
        ck_assert_msg(prove(&asked, &reply) == cases[_i].proof, "%s: proof %d", cases[_i].name, prove(&asked, &reply));
    asked_free(&asked);
}
END_TEST

START_TEST(every_fault_has_a_case)
{
    const struct dns_fault_info *info;
    for (size_t i = 0; (info = fakedns_fault_at(i)) != NULL; i++) {
        bool found = false;
        for (size_t k = 0; k < COUNT(cases); k++)
            found = found || (strcmp(cases[k].fault.fault, info->name) == 0 && strcmp(cases[k].hits, "it") == 0);
        ck_assert_msg(found, "%s has none", info->name);
        ck_assert_ptr_eq(fakedns_fault_find(info->name), info);
    }
}
END_TEST

/* clang-format off */
static const struct { struct fakedns_fault fault; const char *text; } mistakes[] = {
    {{.fault = "servfial", .zone = "partner.example"}, "unknown DNS fault 'servfial', did you mean 'servfail'?"},
    {{.fault = "servfail", .zone = "nowhere.example"}, "fault servfail: there is no zone nowhere.example"},
    {{.fault = "servfail", .zone = "partner.example", .owner = "mx.n3.net"},
     "fault servfail: mx.n3.net is not in zone partner.example"},
    {{.fault = "servfail", .zone = "partner.example", .type = "TLSE"}, "fault servfail: 'TLSE' is no record type"},
    {{.fault = "ds-wrong", .zone = "partner.example", .type = "DS"},
     "fault ds-wrong is about a whole zone: it takes no owner and no type"},
    {{.fault = "ds-wrong", .zone = "."}, "fault ds-wrong: zone . has no DS record that could be spoilt"},
    {{.fault = "ds-missing", .zone = "plain.net"}, "fault ds-missing: zone plain.net is not signed"},
    {{.fault = "signature-expired", .zone = "plain.net"}, "fault signature-expired: zone plain.net is not signed"},
    {{.fault = "signature-expired", .zone = "partner.example", .owner = "mx1.partner.example", .type = "TLSA"},
     "fault signature-expired finds nothing to spoil: zone partner.example has no signed TLSA record at "
     "mx1.partner.example"},
    {{.fault = "planted", .zone = "partner.example", .type = "SRV"},
     "fault planted finds nothing to spoil: zone partner.example has no SRV record at any name"},
    {{.fault = "planted", .zone = "partner.example", .owner = "nothing.partner.example"},
     "fault planted finds nothing to spoil: zone partner.example has no records at nothing.partner.example"},
    {{.fault = "denial-missing", .zone = "partner.example", .owner = "mx1.partner.example", .type = "A"},
     "fault denial-missing finds nothing to spoil: zone partner.example has a A record at mx1.partner.example"},
};
/* clang-format on */

START_TEST(a_fault_that_cannot_be_is_told)
{
    struct asked asked;
    struct fakedns_fault fault;
    struct err err = {.text = ""};
    struct fakedns_config config = with_fault(&mistakes[_i].fault, &fault);
    ck_assert(!asked_new(&asked, &config, 0, &err));
    ck_assert_str_eq(err.text, mistakes[_i].text);
    ck_assert_int_eq(err.kind, ERR_INPUT);
}
END_TEST

/* When the lab's clock has moved past a signature, there is a new one; an expired one stays expired. */
START_TEST(signatures_keep_up_with_the_clock)
{
    struct asked asked;
    struct dns_reply reply;
    ck_assert(asked_new(&asked, &ask_config, 0, NULL));
    ask(&asked, PARTNER, TLSA, "TLSA", ASK_DO, &reply);
    ck_assert_int_eq(prove(&asked, &reply), VALID);
    clock_advance(&asked.clock, (int64_t)400 * 24 * 3600);
    ask(&asked, PARTNER, TLSA, "TLSA", ASK_DO, &reply);
    ck_assert_int_eq(prove(&asked, &reply), VALID);
    const struct dns_rrset *tlsa = reply.items.items[0].rrset;
    ck_assert_int_gt(tlsa->signed_to, clock_now(&asked.clock));
    asked_free(&asked);
}
END_TEST

TEST_SUITE(dns_fault)
{
    TEST_LOOP(a_fault_does_what_it_says, COUNT(cases));
    TEST(every_fault_has_a_case);
    TEST_LOOP(a_fault_that_cannot_be_is_told, COUNT(mistakes));
    TEST(signatures_keep_up_with_the_clock);
}
