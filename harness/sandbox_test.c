/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/process.h"
#include "base/testing.h"

enum { ORDINARY_USER = 1000 };

/* ---- running a body in a sandbox, as one of several kinds of user ---- */

static const struct {
    const char *name;
    enum sandbox_kind kind;
    bool ordinary; /* as a user without any right */
} kinds[] = {
    {"as root", SANDBOX_ROOT, false},
    {"in a user namespace", SANDBOX_ROOTLESS, false},
    {"as an ordinary user", SANDBOX_AUTO, true},
};

static int run_here(enum sandbox_kind kind, int (*body)(const struct sandbox *sandbox, void *arg), void *arg)
{
    struct err err = {0};
    struct sandbox_spec spec = {.kind = kind, .body = body, .arg = arg};
    pid_t child = sandbox_spawn(&spec, &err);
    if (child < 0) {
        fprintf(stderr, "not tested: %s\n", err.text);
        return -1;
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static bool become_ordinary(void)
{
    return setresgid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
           setresuid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0;
}

/* The body's exit status; -1: this machine does not allow it. */
static int run_as(int row, int (*body)(const struct sandbox *sandbox, void *arg), void *arg)
{
    if (kinds[row].kind == SANDBOX_ROOT && geteuid() != 0) {
        fprintf(stderr, "not tested %s: we are not root\n", kinds[row].name);
        return -1;
    }
    if (!kinds[row].ordinary)
        return run_here(kinds[row].kind, body, arg);
    int status;
    fflush(NULL);
    pid_t user = fork();
    if (user == 0)
        _exit(geteuid() == 0 && !become_ordinary() ? 254 : run_here(kinds[row].kind, body, arg));
    ck_assert_int_eq(waitpid(user, &status, 0), user);
    ck_assert_int_eq(WEXITSTATUS(status) == 254, 0);
    return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

/* ---- nothing can leave ---- */

static const char *const outside[] = {"1.1.1.1",     "8.8.8.8",        "10.0.0.1",   "192.168.1.1", "169.254.169.254",
                                      "172.17.0.1",  "198.17.255.255", "198.20.0.0", "100.64.0.5",  "2606:4700::1111",
                                      "2001:db9::1", "fd00:53::5",     "2001:db7::1"};

static bool reaches(const char *address, int type)
{
    struct netaddr to;
    struct err err;
    if (!netaddr_parse(address, 443, &to, &err))
        return true;
    int fd = socket(to.addr.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int failed = fd >= 0 && connect(fd, (struct sockaddr *)&to.addr, to.length) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (failed != ENETUNREACH)
        fprintf(stderr, "%s: %s instead of ENETUNREACH\n", address, strerror(failed));
    return failed != ENETUNREACH;
}

static bool reaches_anything(void)
{
    for (size_t i = 0; i < COUNT(outside); i++)
        if (reaches(outside[i], SOCK_STREAM) || reaches(outside[i], SOCK_DGRAM))
            return true;
    return false;
}

static const struct {
    const char *prefix;
    unsigned length;
} known[] = {{"127.0.0.0", 8}, {"100.64.0.0", 30}, {"198.18.0.0", 15}, {"::1", 128},
             {"fe80::", 10},   {"fd00:53::", 126}, {"2001:db8::", 32}, {"ff00::", 8}};

static bool within(int family, const unsigned char *address, unsigned length, size_t row)
{
    unsigned char prefix[16];
    if (inet_pton(family, known[row].prefix, prefix) != 1 || length < known[row].length)
        return false;
    for (unsigned bit = 0; bit < known[row].length; bit++)
        if ((address[bit / 8] ^ prefix[bit / 8]) & (0x80 >> bit % 8))
            return false;
    return true;
}

static int judge_route(const struct nlmsghdr *message, void *strange)
{
    const struct rtmsg *route = mnl_nlmsg_get_payload(message);
    unsigned char to[16] = {0};
    const struct nlattr *attribute;
    mnl_attr_for_each(attribute, message, sizeof *route) if (mnl_attr_get_type(attribute) == RTA_DST)
        memcpy(to, mnl_attr_get_payload(attribute), route->rtm_family == AF_INET ? 4 : 16);
    for (size_t i = 0; i < COUNT(known); i++)
        if (within(route->rtm_family, to, route->rtm_dst_len, i))
            return MNL_CB_OK;
    char text[INET6_ADDRSTRLEN];
    fprintf(stderr, "a route to %s/%d\n", inet_ntop(route->rtm_family, to, text, sizeof text), route->rtm_dst_len);
    *(bool *)strange = true;
    return MNL_CB_OK;
}

static bool has_strange_route(int family)
{
    char buffer[16384] = {0};
    bool strange = false;
    struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = RTM_GETROUTE;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof *route);
    route->rtm_family = (unsigned char)family;
    if (socket == NULL || mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
        return true;
    ssize_t got;
    while ((got = mnl_socket_recvfrom(socket, buffer, sizeof buffer)) > 0)
        if (mnl_cb_run(buffer, (size_t)got, 0, 0, judge_route, &strange) <= 0)
            break;
    mnl_socket_close(socket);
    return strange || got <= 0;
}

static bool is_sealed(void)
{
    return !reaches_anything() && !has_strange_route(AF_INET) && !has_strange_route(AF_INET6);
}

static int look_for_a_way_out(const struct sandbox *sandbox, void *arg UNUSED)
{
    if (!is_sealed())
        return 1;
    if (!sandbox_enter_mta((void *)sandbox))
        return 2;
    return is_sealed() ? 0 : 3;
}

START_TEST(no_packet_can_leave)
{
    int status = run_as(_i, look_for_a_way_out, NULL);
    ck_assert_msg(status <= 0, "%s: %d", kinds[_i].name, status);
}
END_TEST

/* ---- what must work inside ---- */

static const struct {
    const char *address;
    uint16_t port;
} hosts[] = {
    {"198.18.0.1", 25}, {"198.19.254.255", 443}, {"198.18.77.7", 53}, {"2001:db8::1", 25}, {"2001:db8:ffff::9", 443}};

static bool connects(const struct sandbox *sandbox, const char *address, uint16_t port)
{
    struct netaddr at;
    struct err err = {0};
    if (!netaddr_parse(address, port, &at, &err))
        return false;
    int listener = netaddr_listen(&at, SOCK_STREAM, &err);
    if (setns(sandbox->mta, CLONE_NEWNET) != 0)
        return false;
    int client = socket(at.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = listener >= 0 && connect(client, (struct sockaddr *)&at.addr, at.length) == 0;
    if (!connected)
        fprintf(stderr, "%s port %u: %s %s\n", address, port, err.text, strerror(errno));
    close(client);
    close(listener);
    return setns(sandbox->inet, CLONE_NEWNET) == 0 && connected;
}

static int connect_to_fakes(const struct sandbox *sandbox, void *arg UNUSED)
{
    for (size_t i = 0; i < COUNT(hosts); i++)
        if ((sandbox->ipv6 || strchr(hosts[i].address, ':') == NULL) &&
            !connects(sandbox, hosts[i].address, hosts[i].port))
            return 1;
    return 0;
}

START_TEST(every_address_of_the_lab_can_be_a_host)
{
    int status = run_as(_i, connect_to_fakes, NULL);
    ck_assert_msg(status <= 0, "%s: %d", kinds[_i].name, status);
}
END_TEST

static bool says(const char *path, const char *words)
{
    char text[400] = "";
    FILE *in = fopen(path, "r");
    size_t got = in == NULL ? 0 : fread(text, 1, sizeof text - 1, in);
    if (in != NULL)
        fclose(in);
    text[got] = '\0';
    return strstr(text, words) != NULL;
}

static int look_at_files(const struct sandbox *sandbox, void *arg UNUSED)
{
    FILE *ca = fopen(sandbox->ca_path, "w");
    if (ca == NULL || fputs("the lab's roots", ca) < 0 || fclose(ca) != 0)
        return 1;
    if (!says("/etc/resolv.conf", "nameserver 127.0.0.1\noptions trust-ad"))
        return 2;
    if (access("/etc/ssl/certs/ca-certificates.crt", F_OK) == 0 &&
        !says("/etc/ssl/certs/ca-certificates.crt", "the lab's roots"))
        return 3;
    if (getpid() != 1 || getuid() != 0 || access("/run/user", F_OK) == 0)
        return 4;
    return 0;
}

START_TEST(the_subject_sees_files_of_the_lab)
{
    int status = run_as(_i, look_at_files, NULL);
    ck_assert_msg(status <= 0, "%s: %d", kinds[_i].name, status);
}
END_TEST

/* ---- nothing is left ---- */

/* Whoever lives in the sandbox holds the writing end; its end is seen when all of them are gone. */
static int leave_someone_behind(const struct sandbox *sandbox UNUSED, void *pipe)
{
    const int *ends = pipe;
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            setsid();
            for (;;)
                pause();
        }
    if (write(ends[1], "!", 1) != 1)
        return 1;
    for (;;)
        pause();
}

static bool everyone_is_gone(int from)
{
    char byte;
    return read(from, &byte, 1) == 0;
}

static pid_t spawn_crowd(int *ends)
{
    char byte;
    struct err err = {0};
    struct sandbox_spec spec = {.kind = SANDBOX_AUTO, .body = leave_someone_behind, .arg = ends};
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = sandbox_spawn(&spec, &err);
    if (child < 0)
        fprintf(stderr, "not tested: %s\n", err.text);
    else
        ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    return child;
}

START_TEST(killing_the_sandbox_ends_everyone_in_it)
{
    int ends[2];
    pid_t child = spawn_crowd(ends);
    if (child < 0)
        return;
    close(ends[1]);
    kill(child, SIGKILL);
    ck_assert(everyone_is_gone(ends[0]));
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    close(ends[0]);
}
END_TEST

START_TEST(everyone_dies_with_the_runner)
{
    int ends[2], ready[2];
    char byte;
    ck_assert_int_eq(pipe(ends) | pipe(ready), 0);
    fflush(NULL);
    pid_t runner = fork();
    if (runner == 0) {
        struct err err;
        struct sandbox_spec spec = {.kind = SANDBOX_AUTO, .body = leave_someone_behind, .arg = ends};
        close(ready[0]);
        if (sandbox_spawn(&spec, &err) < 0 || write(ready[1], "!", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    close(ready[1]);
    if (read(ready[0], &byte, 1) == 1)
        ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    kill(runner, SIGKILL);
    ck_assert(everyone_is_gone(ends[0]));
    ck_assert_int_eq(waitpid(runner, NULL, 0), runner);
    close(ends[0]);
    close(ready[0]);
}
END_TEST

TEST_SUITE(sandbox)
{
    TEST_LOOP(no_packet_can_leave, COUNT(kinds));
    TEST_LOOP(every_address_of_the_lab_can_be_a_host, COUNT(kinds));
    TEST_LOOP(the_subject_sees_files_of_the_lab, COUNT(kinds));
    TEST(killing_the_sandbox_ends_everyone_in_it);
    TEST(everyone_dies_with_the_runner);
}
