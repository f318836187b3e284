/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/testing.h"
#include "fakedns/dns_ask_test.h"

/* clang-format off */
static const struct {
    const char *name, *address, *qname, *qtype;
    unsigned how;
    const char *shape, *summary;
} answers[] = {
    {"an answer with its signature", "198.18.0.4", "partner.example", "MX", ASK_DO,
     "NOERROR aa | MX+ | |", "10 mx1.partner.example"},
    {"nobody asked for signatures", "198.18.0.4", "partner.example", "MX", ASK_PLAIN,
     "NOERROR aa | MX | |", "10 mx1.partner.example"},
    {"capitals make no difference", "198.18.0.4", "PARTNER.Example", "mx", ASK_PLAIN,
     "NOERROR aa | MX | |", "10 mx1.partner.example"},
    {"TLSA in short", "198.18.0.4", "_25._tcp.mx1.partner.example", "TLSA", ASK_DO,
     "NOERROR aa | TLSA+ | |", "3 1 1 9f2c…e1"},
    {"an alias is followed", "198.18.0.4", "alias.partner.example", "A", ASK_DO,
     "NOERROR aa | CNAME+ A+ | |", "alias of mx1.partner.example, 198.18.1.2"},
    {"the alias itself was asked for", "198.18.0.4", "alias.partner.example", "CNAME", ASK_DO,
     "NOERROR aa | CNAME+ | |", "mx1.partner.example"},
    {"an alias to a name without that type", "198.18.0.4", "alias.partner.example", "MX", ASK_DO,
     "NOERROR aa | CNAME+ | SOA+ NSEC+ |", "alias of mx1.partner.example, NODATA"},
    {"an alias out of the zone is left to the resolver", "198.18.0.4", "elsewhere.partner.example", "A", ASK_DO,
     "NOERROR aa | CNAME+ | |", "alias of mx.n3.net"},
    {"an alias to nothing", "198.18.0.4", "astray.partner.example", "A", ASK_DO,
     "NXDOMAIN aa | CNAME+ | SOA+ NSEC+ NSEC+ |", "alias of nothing.partner.example, no such name"},
    {"aliases in a circle end", "198.18.0.4", "round.partner.example", "A", ASK_DO,
     "NOERROR aa | CNAME+ CNAME+ | |", "alias of turn.partner.example, alias of round.partner.example"},
    {"a name that repeats a label", "198.18.0.4", "twice.partner.example", "MX", ASK_DO,
     "NOERROR aa | MX+ | |", "10 9.9"},
    {"DNAME", "198.18.0.4", "x.old.partner.example", "A", ASK_DO,
     "NOERROR aa | DNAME+ CNAME A+ | |", "new.partner.example, 198.18.1.3"},
    {"DNAME to nothing", "198.18.0.4", "y.old.partner.example", "A", ASK_DO,
     "NXDOMAIN aa | DNAME+ CNAME | SOA+ NSEC+ NSEC+ |", "new.partner.example, no such name"},
    {"the DNAME's own name is not redirected", "198.18.0.4", "old.partner.example", "A", ASK_DO,
     "NOERROR aa | | SOA+ NSEC+ |", "NODATA"},
    {"no such type", "198.18.0.4", "mx1.partner.example", "TLSA", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "NODATA"},
    {"no such name", "198.18.0.4", "nothing.partner.example", "A", ASK_DO,
     "NXDOMAIN aa | | SOA+ NSEC+ NSEC+ |", "no such name"},
    {"no such name, without proof", "198.18.0.4", "nothing.partner.example", "A", ASK_PLAIN,
     "NXDOMAIN aa | | SOA |", "no such name"},
    {"a name between names", "198.18.0.4", "_tcp.mx1.partner.example", "TLSA", ASK_DO,
     "NOERROR aa | | SOA+ NSEC+ |", "NODATA"},
    {"a wildcard", "198.18.0.4", "foo.wild.partner.example", "TXT", ASK_DO, "NOERROR aa | TXT+ | NSEC+ |", "\"wild\""},
    {"a wildcard takes more than one label", "198.18.0.4", "a.b.wild.partner.example", "TXT", ASK_DO,
     "NOERROR aa | TXT+ | NSEC+ |", "\"wild\""},
    {"a wildcard without that type", "198.18.0.4", "foo.wild.partner.example", "A", ASK_DO,
     "NOERROR aa | | SOA+ NSEC+ |", "NODATA"},
    {"a wildcard alias", "198.18.0.4", "foo.wildalias.partner.example", "A", ASK_DO,
     "NOERROR aa | CNAME+ A+ | NSEC+ |", "alias of mx1.partner.example, 198.18.1.2"},
    {"the wildcard by name", "198.18.0.4", "*.wild.partner.example", "TXT", ASK_DO,
     "NOERROR aa | TXT+ | |", "\"wild\""},
    {"a signed referral", "198.18.0.2", "mx1.partner.example", "A", ASK_DO,
     "NOERROR | | NS DS+ | A", "referral to partner.example"},
    {"a referral for who knows no DNSSEC", "198.18.0.2", "mx1.partner.example", "A", ASK_PLAIN,
     "NOERROR | | NS | A", "referral to partner.example"},
    {"a referral to an unsigned zone", "198.18.0.2", "plain.example", "MX", ASK_DO,
     "NOERROR | | NS NSEC+ | A", "referral to plain.example"},
    {"a referral opted out of", "198.18.0.3", "plain.net", "MX", ASK_DO,
     "NOERROR | | NS NSEC3+ NSEC3+ | A", "referral to plain.net"},
    {"a DS is the parent's", "198.18.0.2", "partner.example", "DS", ASK_DO, "NOERROR aa | DS+ | |", "1 record"},
    {"no DS, proved", "198.18.0.2", "plain.example", "DS", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "NODATA"},
    {"a DS asked of the child", "198.18.0.4", "partner.example", "DS", ASK_DO, "NOERROR aa | | SOA+ NSEC+ |", "NODATA"},
    {"the root's servers, with addresses", "198.18.0.1", ".", "NS", ASK_DO,
     "NOERROR aa | NS+ | | A+ AAAA+", "ns.root-servers"},
    {"the root's keys", "2001:db8::1", ".", "DNSKEY", ASK_DO, "NOERROR aa | DNSKEY+ | |", "2 records"},
    {"no such top-level domain", "198.18.0.1", "nothing", "A", ASK_DO,
     "NXDOMAIN aa | | SOA+ NSEC+ NSEC+ |", "no such name"},
    {"NSEC3: no such name", "198.18.0.5", "nothing.n3.net", "A", ASK_DO,
     "NXDOMAIN aa | | SOA+ NSEC3+ NSEC3+ NSEC3+ |", "no such name"},
    {"NSEC3: no such type", "198.18.0.5", "mx.n3.net", "TLSA", ASK_DO, "NOERROR aa | | SOA+ NSEC3+ |", "NODATA"},
    {"NSEC3: a name between names", "198.18.0.5", "c.n3.net", "A", ASK_DO, "NOERROR aa | | SOA+ NSEC3+ |", "NODATA"},
    {"NSEC3: a wildcard", "198.18.0.5", "foo.wild.n3.net", "TXT", ASK_DO, "NOERROR aa | TXT+ | NSEC3+ |", "\"wild\""},
    {"an unsigned zone", "198.18.0.6", "plain.net", "MX", ASK_DO, "NOERROR aa | MX | |", "10 mx.plain.net"},
    {"nothing in an unsigned zone", "198.18.0.6", "nothing.plain.net", "MX", ASK_DO,
     "NXDOMAIN aa | | SOA |", "no such name"},
    {"somebody else's zone", "198.18.0.4", "plain.net", "MX", ASK_DO, "REFUSED | | |", ""},
    {"the zone above", "198.18.0.4", "example", "SOA", ASK_DO, "REFUSED | | |", ""},
    {"ANY gets one RRset", "198.18.0.4", "partner.example", "ANY", ASK_DO,
     "NOERROR aa | NS+ | | A+", "ns.partner.example"},
    {"transfers are refused", "198.18.0.4", "partner.example", "AXFR", ASK_TCP, "REFUSED | | |", ""},
    {"zones of one address: the deepest", "198.18.0.8", "one.shared.example", "SOA", ASK_DO,
     "NOERROR aa | SOA+ | |", "1 record"},
    {"zones of one address: the one above", "198.18.0.8", "mx.shared.example", "A", ASK_DO,
     "NOERROR aa | A+ | |", "198.18.1.32"},
    {"zones of one address: DS from the one above", "198.18.0.8", "one.shared.example", "DS", ASK_DO,
     "NOERROR aa | DS+ | |", "1 record"},
    {"too long for UDP", "198.18.0.4", "many.partner.example", "TXT", ASK_PLAIN, "NOERROR aa tc | | |", "truncated"},
    {"too long for 512 bytes", "198.18.0.4", "nothing.partner.example", "A", ASK_DO | ASK_SMALL,
     "NXDOMAIN aa tc | | |", "truncated"},
    {"never too long for TCP", "198.18.0.4", "many.partner.example", "TXT", ASK_TCP, "NOERROR aa | TXT | |",
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" and 5 more"},
};
/* clang-format on */

START_TEST(a_question_has_its_answer)
{
    struct asked asked;
    struct err err = {.text = ""};
    ck_assert_msg(asked_new(&asked, &ask_config, 0, &err), "%s", err.text);
    struct dns_reply reply;
    ask(&asked, answers[_i].address, answers[_i].qname, answers[_i].qtype, answers[_i].how, &reply);
    char *shape = ask_shape(asked.arena, &reply);
    ck_assert_msg(strcmp(shape, answers[_i].shape) == 0, "%s: %s", answers[_i].name, shape);
    ck_assert_msg(strcmp(reply.summary, answers[_i].summary) == 0, "%s: \"%s\"", answers[_i].name, reply.summary);
    ck_assert_uint_eq(reply.hits.count, 0);
    asked_free(&asked);
}
END_TEST

/* Byte by byte, where the helper cannot go. */
#define QUESTION                                                                                                       \
    "\x01x\x07"                                                                                                        \
    "example\0\0\1\0\1"
static const struct {
    const char *name, *bytes;
    size_t size;
    const char *shape;
} packets[] = {
#define PACKET(name, bytes, shape)                                                                                     \
    {                                                                                                                  \
        name, bytes, sizeof bytes - 1, shape                                                                           \
    }
    PACKET("an empty datagram", "", "ignored"),
    PACKET("half a header", "\0\1\0\0\0\1\0\0", "ignored"),
    PACKET("an answer", "\0\1\x80\0\0\1\0\0\0\0\0\0" QUESTION, "ignored"),
    PACKET("no question", "\0\1\0\0\0\0\0\0\0\0\0\0", "FORMERR | | |"),
    PACKET("two questions", "\0\1\0\0\0\2\0\0\0\0\0\0" QUESTION QUESTION, "FORMERR | | |"),
    PACKET("a question cut short", "\0\1\0\0\0\1\0\0\0\0\0\0\1x\7exa", "FORMERR | | |"),
    PACKET("a pointer in the question", "\0\1\0\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", "FORMERR | | |"),
    PACKET("a notification", "\0\1\x20\0\0\1\0\0\0\0\0\0" QUESTION, "NOTIMP | | |"),
    PACKET("class CH", "\0\1\0\0\0\1\0\0\0\0\0\0\1x\7example\0\0\1\0\3", "REFUSED | | |"),
    PACKET("EDNS version 1", "\0\1\0\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\0\0\1\0\0\0\0", "BADVERS | | |"),
    PACKET("two OPT records", "\0\1\0\0\0\1\0\0\0\0\0\2" QUESTION "\0\0\x29\4\0\0\0\0\0\0\0\0\0\x29\4\0\0\0\0\0\0\0",
           "FORMERR | | |"),
    PACKET("an EDNS option longer than the packet", "\0\1\0\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\0\0\0\0\0\0\x09",
           "FORMERR | | |"),
    PACKET("an EDNS option nobody knows", "\0\1\0\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\0\0\0\0\0\0\5\xff\1\0\1x",
           "NXDOMAIN aa | | SOA |"),
#undef PACKET
};

START_TEST(any_packet_is_taken_well)
{
    struct asked asked;
    ck_assert(asked_new(&asked, &ask_config, 0, NULL));
    struct netaddr at;
    ck_assert(netaddr_parse("198.18.0.2", 53, &at, NULL));
    const struct dns_view *view = dns_world_view(asked.world, (const struct sockaddr *)&at.addr);
    struct dns_reply reply;
    dns_answer(asked.arena, view, DNS_UDP, (const uint8_t *)packets[_i].bytes, packets[_i].size, &reply);
    char *shape = ask_shape(asked.arena, &reply);
    ck_assert_msg(strcmp(shape, packets[_i].shape) == 0, "%s: %s", packets[_i].name, shape);
    asked_free(&asked);
}
END_TEST

/* A resolver that mixes capitals into its question wants to see them again. */
START_TEST(the_question_comes_back_as_it_was)
{
    struct asked asked;
    ck_assert(asked_new(&asked, &ask_config, 0, NULL));
    struct dns_reply reply;
    ask(&asked, "198.18.0.4", "pArTnEr.eXaMpLe", "MX", ASK_PLAIN, &reply);
    ck_assert_mem_eq(reply.packet + 12, "\7pArTnEr\7eXaMpLe", 17);
    ck_assert_mem_eq(reply.packet, "\x12\x34", 2);
    asked_free(&asked);
}
END_TEST

TEST_SUITE(dns_answer)
{
    TEST_LOOP(a_question_has_its_answer, COUNT(answers));
    TEST_LOOP(any_packet_is_taken_well, COUNT(packets));
    TEST(the_question_comes_back_as_it_was);
}
