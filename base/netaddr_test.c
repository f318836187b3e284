/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/netaddr.h"

#include <fcntl.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/testing.h"

static const struct {
    const char *name, *address, *text, *with_port;
} cases[] = {
    {"IPv4", "198.18.0.1", "198.18.0.1", "198.18.0.1:25"},
    {"IPv6", "2001:db8::1", "2001:db8::1", "[2001:db8::1]:25"},
    {"IPv6 written long", "2001:DB8:0:0:0:0:0:1", "2001:db8::1", "[2001:db8::1]:25"},
    {"too many numbers", "198.18.0.1.2", NULL, NULL},
    {"a name", "mx1.partner.example", NULL, NULL},
    {"brackets", "[::1]", NULL, NULL},
    {"empty", "", NULL, NULL},
};

START_TEST(addresses_are_read_and_printed)
{
    struct arena *arena = arena_new("test");
    struct netaddr addr = {0};
    struct err err = {0};
    bool good = netaddr_parse(cases[_i].address, 25, &addr, &err);
    ck_assert_msg(good == (cases[_i].text != NULL), "%s: %s", cases[_i].name, err.text);
    if (good) {
        const struct sockaddr *socket_address = (const struct sockaddr *)&addr.addr;
        ck_assert_str_eq(netaddr_text(arena, socket_address), cases[_i].text);
        ck_assert_str_eq(netaddr_text_port(arena, socket_address), cases[_i].with_port);
        ck_assert_uint_eq(netaddr_port(socket_address), 25);
        ck_assert_msg(netaddr_parse_port(cases[_i].with_port, &addr, &err), "%s", err.text);
        ck_assert_str_eq(netaddr_text_port(arena, socket_address), cases[_i].with_port);
    }
    arena_free(&arena);
}
END_TEST

static const char *const not_address_and_port[] = {
    "198.18.0.1",
    "198.18.0.1:",
    "198.18.0.1:x",
    "198.18.0.1:65536",
    "198.18.0.1:-1",
    ":25",
    "[]:25",
    "mx1.partner.example:25",
    "",
};

START_TEST(what_has_no_address_and_port_is_refused)
{
    struct netaddr addr;
    struct err err = {0};
    ck_assert_msg(!netaddr_parse_port(not_address_and_port[_i], &addr, &err), "%s", not_address_and_port[_i]);
    ck_assert(strstr(err.text, "'") != NULL);
}
END_TEST

static const struct {
    const char *address;
    bool loopback, out;
} places[] = {
    {"127.0.0.1", true, false},         {"127.255.255.254", true, false},  {"::1", true, false},
    {"128.0.0.1", false, true},         {"198.18.0.1", false, true},       {"::", false, false},
    {"2001:db8::1", false, true},       {"0.0.0.0", false, false},         {"0.1.2.3", false, false},
    {"126.255.255.255", false, true},   {"223.255.255.255", false, true},  {"224.0.0.1", false, false},
    {"255.255.255.255", false, false},  {"10.0.0.1", false, true},         {"ff02::1", false, false},
    {"::ffff:127.0.0.1", false, false}, {"::ffff:192.0.2.1", false, true}, {"::127.0.0.1", false, false},
    {"::ffff:0.0.0.0", false, false},
};

START_TEST(this_machine_is_told_from_others)
{
    struct netaddr addr;
    struct err err = {0};
    ck_assert(netaddr_parse(places[_i].address, 25, &addr, &err));
    ck_assert_msg(netaddr_is_loopback((const struct sockaddr *)&addr.addr) == places[_i].loopback, "%s",
                  places[_i].address);
    ck_assert_msg(netaddr_leads_out((const struct sockaddr *)&addr.addr) == places[_i].out, "%s", places[_i].address);
}
END_TEST

START_TEST(a_local_socket_has_no_port)
{
    struct arena *arena = arena_new("test");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    ck_assert_str_eq(netaddr_text_port(arena, (const struct sockaddr *)&addr), "local");
    ck_assert_uint_eq(netaddr_port((const struct sockaddr *)&addr), 0);
    arena_free(&arena);
}
END_TEST

START_TEST(a_listener_accepts_and_does_not_block)
{
    struct netaddr at, bound;
    struct err err = {0};
    ck_assert(netaddr_parse("127.0.0.1", 0, &at, &err));
    int listener = netaddr_listen(&at, SOCK_STREAM, &err);
    ck_assert_msg(listener >= 0, "%s", err.text);
    ck_assert(fcntl(listener, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(listener, F_GETFD) & FD_CLOEXEC);
    bound.length = sizeof bound.addr;
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&bound.addr, &bound.length), 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (const struct sockaddr *)&bound.addr, bound.length), 0);

    ck_assert_int_eq(netaddr_listen(&bound, SOCK_STREAM, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot listen on 127.0.0.1 port "));
    ck_assert_ptr_nonnull(strstr(err.text, "Address already in use"));
    close(client);
    close(listener);
}
END_TEST

START_TEST(a_datagram_socket_is_bound)
{
    struct netaddr at;
    struct err err = {0};
    ck_assert(netaddr_parse("127.0.0.1", 0, &at, &err));
    int fd = netaddr_listen(&at, SOCK_DGRAM, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    close(fd);
}
END_TEST

TEST_SUITE(netaddr)
{
    TEST_LOOP(addresses_are_read_and_printed, COUNT(cases));
    TEST_LOOP(what_has_no_address_and_port_is_refused, COUNT(not_address_and_port));
    TEST_LOOP(this_machine_is_told_from_others, COUNT(places));
    TEST(a_local_socket_has_no_port);
    TEST(a_listener_accepts_and_does_not_block);
    TEST(a_datagram_socket_is_bound);
}
