/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakedns/fakedns.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"
#include "base/text.h"
#include "fakedns/dns_ask_test.h"

static const char *const root_address[] = {"127.0.0.1"};
static const char *const bad_address[] = {"1.2.3"};
static const char *const other_address[] = {"127.0.0.2"};

struct served {
    struct loop *loop;
    struct journal *journal;
    struct fakedns *dns;
    struct fakedns_zone zones[2];
    struct fakedns_fault fault;
    struct fakedns_config config;
};

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
    struct netaddr at;
    ck_assert(netaddr_parse("127.0.0.1", 0, &at, NULL));
    int fd = netaddr_listen(&at, SOCK_STREAM, NULL);
    ck_assert_int_ge(fd, 0);
    getsockname(fd, (struct sockaddr *)&at.addr, &at.length);
    close(fd);
    return netaddr_port((const struct sockaddr *)&at.addr);
}

static void serve(struct served *served, const char *fault)
{
    struct err err = {.text = ""};
    *served = (struct served){.loop = loop_new(&err), .journal = journal_new()};
    served->zones[0] =
        (struct fakedns_zone){.name = ".", .is_signed = true, .addresses = root_address, .address_count = 1};
    served->zones[1] = (struct fakedns_zone){.name = "example",
                                             .is_signed = true,
                                             .ds = true,
                                             .addresses = root_address,
                                             .address_count = 1,
                                             .records = "mx A 192.0.2.1"};
    served->fault = (struct fakedns_fault){.fault = fault, .zone = "example", .type = "A", .id = "it"};
    served->config = (struct fakedns_config){.zones = served->zones,
                                             .zone_count = 2,
                                             .faults = &served->fault,
                                             .fault_count = fault != NULL,
                                             .port = free_port()};
    served->dns = fakedns_new(&served->config, NULL, served->loop, served->journal, &err);
    ck_assert_msg(served->dns != NULL && fakedns_listen(served->dns, &err), "%s", err.text);
}

static void end(struct served *served)
{
    fakedns_free(&served->dns);
    journal_free(&served->journal);
    loop_free(&served->loop);
}

static int dial(const struct served *served, const char *address, int type)
{
    struct netaddr at;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert(netaddr_parse(address, served->config.port, &at, NULL));
    connect(fd, (const struct sockaddr *)&at.addr, at.length);
    return fd;
}

/* Lets the server work until there is something to read, or the other side has closed. */
static ssize_t read_some(const struct served *served, int fd, uint8_t *bytes, size_t size)
{
    for (unsigned round = 0; round < 1000; round++) {
        ssize_t got = recv(fd, bytes, size, 0);
        if (got >= 0)
            return got;
        event_base_loop(loop_base(served->loop), EVLOOP_NONBLOCK);
    }
    return -1;
}

static bool ask_udp(const struct served *served, const char *address)
{
    uint8_t query[512], answer[2048];
    size_t size = ask_query(query, "mx.example", "A", ASK_DO);
    int fd = dial(served, address, SOCK_DGRAM);
    ck_assert_int_eq(send(fd, query, size, 0), (ssize_t)size);
    ssize_t got = read_some(served, fd, answer, sizeof answer);
    close(fd);
    return got > 12 && answer[0] == 0x12 && answer[1] == 0x34 && answer[7] == 2;
}

static void put_prefixed(int fd, const char *name)
{
    uint8_t bytes[514];
    size_t size = ask_query(bytes + 2, name, "A", ASK_DO);
    bytes[0] = (uint8_t)(size >> 8);
    bytes[1] = (uint8_t)size;
    ck_assert_int_eq(send(fd, bytes, size + 2, 0), (ssize_t)size + 2);
}

static const char *journal_text(struct arena *arena, const struct journal *journal)
{
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; i < journal_count(journal); i++)
        text = arena_printf(arena, "%s%s: %s\n", text, journal_at(journal, i)->host,
                            journal_sentence(arena, journal_at(journal, i)));
    return text;
}

START_TEST(udp_is_answered_and_told)
{
    struct served served;
    serve(&served, NULL);
    struct arena *arena = arena_new("test");
    ck_assert(ask_udp(&served, "127.0.0.1"));
    ck_assert_str_eq(journal_text(arena, served.journal), "example: asked mx.example A\n"
                                                          "example: answered mx.example A: NOERROR 192.0.2.1\n");
    ck_assert_str_eq(journal_get(journal_at(served.journal, 0), "do"), "yes");
    ck_assert_str_eq(journal_get(journal_at(served.journal, 0), "transport"), "udp");
    arena_free(&arena);
    end(&served);
}
END_TEST

START_TEST(a_fault_is_told_between_question_and_answer)
{
    struct served served;
    serve(&served, "servfail");
    struct arena *arena = arena_new("test");
    ask_udp(&served, "127.0.0.1");
    ck_assert_str_eq(journal_text(arena, served.journal), "example: asked mx.example A\n"
                                                          "example: defect met at example: servfail\n"
                                                          "example: answered mx.example A: SERVFAIL\n");
    ck_assert_str_eq(journal_get(journal_at(served.journal, 1), "id"), "it");
    arena_free(&arena);
    end(&served);
}
END_TEST

START_TEST(questions_over_one_connection_are_answered_in_turn)
{
    struct served served;
    serve(&served, NULL);
    int fd = dial(&served, "127.0.0.1", SOCK_STREAM);
    uint8_t answers[4096];
    size_t have = 0, seen = 0, at = 0;
    event_base_loop(loop_base(served.loop), EVLOOP_NONBLOCK);
    put_prefixed(fd, "mx.example");
    put_prefixed(fd, "nothing.example");
    while (seen < 2) {
        ssize_t got = read_some(&served, fd, answers + have, sizeof answers - have);
        ck_assert_int_gt(got, 0);
        have += (size_t)got;
        for (size_t length; have - at > 2 && have - at - 2 >= (length = answers[at] * 256u + answers[at + 1]); seen++) {
            ck_assert_uint_eq(answers[at + 5] & 0x0f, seen == 0 ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
            at += 2 + length;
        }
    }
    close(fd);
    end(&served);
}
END_TEST

START_TEST(who_asks_and_closes_is_answered)
{
    struct served served;
    uint8_t answer[4096];
    serve(&served, NULL);
    int fd = dial(&served, "127.0.0.1", SOCK_STREAM);
    put_prefixed(fd, "mx.example");
    shutdown(fd, SHUT_WR);
    ck_assert_int_gt(read_some(&served, fd, answer, sizeof answer), 12);
    ck_assert_int_eq(read_some(&served, fd, answer, sizeof answer), 0);
    close(fd);
    end(&served);
}
END_TEST

START_TEST(a_truncated_answer_cannot_be_had_by_tcp)
{
    struct served served;
    uint8_t byte;
    serve(&served, "truncated-without-tcp");
    int fd = dial(&served, "127.0.0.1", SOCK_STREAM);
    event_base_loop(loop_base(served.loop), EVLOOP_NONBLOCK);
    put_prefixed(fd, "mx.example");
    ck_assert_int_eq(read_some(&served, fd, &byte, 1), 0);
    close(fd);
    end(&served);
}
END_TEST

START_TEST(a_question_too_long_ends_the_connection)
{
    struct served served;
    uint8_t byte;
    serve(&served, NULL);
    int fd = dial(&served, "127.0.0.1", SOCK_STREAM);
    event_base_loop(loop_base(served.loop), EVLOOP_NONBLOCK);
    ck_assert_int_eq(send(fd, "\xff\xff", 2, 0), 2);
    ck_assert_int_eq(read_some(&served, fd, &byte, 1), 0);
    close(fd);
    end(&served);
}
END_TEST

START_TEST(connections_are_counted)
{
    enum { TOO_MANY = 65 };
    struct served served;
    uint8_t byte;
    int fds[TOO_MANY];
    serve(&served, NULL);
    for (size_t i = 0; i < TOO_MANY; i++) {
        fds[i] = dial(&served, "127.0.0.1", SOCK_STREAM);
        event_base_loop(loop_base(served.loop), EVLOOP_NONBLOCK);
    }
    ck_assert_int_eq(read_some(&served, fds[TOO_MANY - 1], &byte, 1), 0);
    for (size_t i = 0; i < TOO_MANY; i++)
        close(fds[i]);
    end(&served);
}
END_TEST

START_TEST(a_changed_world_keeps_its_keys_and_moves)
{
    struct served served;
    struct err err = {.text = ""};
    serve(&served, NULL);
    char *key = strdup(fakedns_root_key(served.dns));
    served.zones[1].addresses = other_address;
    ck_assert_msg(fakedns_change(served.dns, &served.config, &err), "%s", err.text);
    ck_assert_str_eq(fakedns_root_key(served.dns), key);
    ck_assert(ask_udp(&served, "127.0.0.2"));
    free(key);
    end(&served);
}
END_TEST

START_TEST(a_change_that_fails_changes_nothing)
{
    struct served served;
    struct err err = {.text = ""};
    serve(&served, NULL);
    served.zones[1].records = "mx A nonsense";
    served.zones[1].at = (struct srcpos){.file = "a.yaml", .line = 7, .col = 9};
    ck_assert(!fakedns_change(served.dns, &served.config, &err));
    ck_assert_str_eq(err.text, "a.yaml:7:14: 'nonsense' is not an IPv4 address");
    ck_assert(ask_udp(&served, "127.0.0.1"));
    end(&served);
}
END_TEST

START_TEST(a_fault_holds_at_its_attempt)
{
    struct served served;
    struct err err = {.text = ""};
    serve(&served, "servfail");
    served.fault.nth = 2;
    ck_assert_msg(fakedns_change(served.dns, &served.config, &err), "%s", err.text);
    ck_assert(ask_udp(&served, "127.0.0.1"));
    journal_next_attempt(served.journal);
    ck_assert(!ask_udp(&served, "127.0.0.1"));
    journal_next_attempt(served.journal);
    ck_assert(ask_udp(&served, "127.0.0.1"));
    end(&served);
}
END_TEST

/* clang-format off */
static const struct { const char *name; struct fakedns_zone zones[3]; size_t count; const char *text; } mistakes[] = {
#define ROOT {.name = ".", .addresses = root_address, .address_count = 1}
#define ZONE(zone, lines) {.name = zone, .addresses = root_address, .address_count = 1, .records = lines}
    {"no root", {ZONE("example", NULL)}, 1, "zone example has no parent zone, not even the root"},
    {"twice", {ROOT, ZONE("example", NULL), ZONE("Example.", NULL)}, 3, "zone example is there twice"},
    {"no name", {ROOT, ZONE("a..b", NULL)}, 2, "'a..b' is no domain name"},
    {"no address", {ROOT, {.name = "example"}}, 2, "zone example has no address"},
    {"a bad address", {ROOT, {.name = "example", .addresses = bad_address, .address_count = 1}}, 2, NULL},
    {"outside", {ROOT, ZONE("example", "mx.net. A 192.0.2.1")}, 2,
     "zone example, records line 1: this name lies outside the zone"},
    {"the child's", {ROOT, ZONE("example", "mx.a A 192.0.2.1"), ZONE("a.example", NULL)}, 3,
     "zone example, records line 1: this name belongs to zone a.example"},
    {"a SOA", {ROOT, ZONE("example", "\n@ SOA a b 1 2 3 4 5")}, 2,
     "zone example, records line 2: SOA records are made by the server here"},
    {"an NS of the zone", {ROOT, ZONE("example", "@ NS a")}, 2,
     "zone example, records line 1: NS records are made by the server here"},
    {"an alias in company", {ROOT, ZONE("example", "a CNAME b\na TXT c")}, 2,
     "zone example: a.example: a CNAME stands alone at its name"},
    {"two aliases", {ROOT, ZONE("example", "a CNAME b\na CNAME c")}, 2,
     "zone example: a.example: a CNAME stands alone at its name"},
    {"a DS by itself", {ROOT, ZONE("example", "a DS 1 13 2 00")}, 2,
     "zone example: a.example: a DS stands only where the zone delegates"},
#undef ROOT
#undef ZONE
};
/* clang-format on */

START_TEST(a_mistake_is_told)
{
    struct err err = {.text = ""};
    struct loop *loop = loop_new(&err);
    struct journal *journal = journal_new();
    const struct fakedns_config config = {.zones = mistakes[_i].zones, .zone_count = mistakes[_i].count};
    ck_assert_ptr_null(fakedns_new(&config, NULL, loop, journal, &err));
    if (mistakes[_i].text != NULL)
        ck_assert_msg(strcmp(err.text, mistakes[_i].text) == 0, "%s: %s", mistakes[_i].name, err.text);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    journal_free(&journal);
    loop_free(&loop);
}
END_TEST

TEST_SUITE(fakedns)
{
    TEST(udp_is_answered_and_told);
    TEST(a_fault_is_told_between_question_and_answer);
    TEST(questions_over_one_connection_are_answered_in_turn);
    TEST(who_asks_and_closes_is_answered);
    TEST(a_truncated_answer_cannot_be_had_by_tcp);
    TEST(a_question_too_long_ends_the_connection);
    TEST(connections_are_counted);
    TEST(a_changed_world_keeps_its_keys_and_moves);
    TEST(a_change_that_fails_changes_nothing);
    TEST(a_fault_holds_at_its_attempt);
    TEST_LOOP(a_mistake_is_told, COUNT(mistakes));
}
