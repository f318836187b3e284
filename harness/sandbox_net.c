/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/sandbox_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/* Index 1 is always lo. The veth's is ours to choose, and high enough to be free of tunnels that modules bring. */
enum { LO = 1, VETH = 100, MESSAGE_SIZE = 1024 };

enum side { INET, MTA };

static const struct {
    enum side side;
    const char *address;
    unsigned prefix;
} addresses[] = {
    {INET, SANDBOX_NET_INET_V4, 30},
    {MTA, SANDBOX_NET_MTA_V4, 30},
    {INET, SANDBOX_NET_INET_V6, 126},
    {MTA, SANDBOX_NET_MTA_V6, 126},
};

/* Every route there is besides those that the kernel makes for the addresses above. */
static const struct {
    enum side side;
    const char *to;
    unsigned prefix;
    unsigned char table, type;
    const char *via; /* NULL: none */
    unsigned link;   /* 0: none */
} routes[] = {
    {INET, "198.18.0.0", 15, RT_TABLE_LOCAL, RTN_LOCAL, NULL, LO},
    {INET, "2001:db8::", 32, RT_TABLE_LOCAL, RTN_LOCAL, NULL, LO},
    {INET, "198.19.255.0", 24, RT_TABLE_LOCAL, RTN_BLACKHOLE, NULL, 0}, /* hosts that never answer at all */
    {MTA, "198.18.0.0", 15, RT_TABLE_MAIN, RTN_UNICAST, SANDBOX_NET_INET_V4, VETH},
    {MTA, "2001:db8::", 32, RT_TABLE_MAIN, RTN_UNICAST, SANDBOX_NET_INET_V6, VETH},
};

/* ---- netlink ---- */

static struct mnl_socket *dial(void)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (socket != NULL && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0)
        return socket;
    if (socket != NULL)
        mnl_socket_close(socket);
    return NULL;
}

static struct nlmsghdr *request(char *buffer, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    return message;
}

/* Sends and waits for the kernel's yes; false with errno. */
static bool ask(struct mnl_socket *socket, struct nlmsghdr *message)
{
    char answer[8192];
    if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
        return false;
    ssize_t got = mnl_socket_recvfrom(socket, answer, sizeof answer);
    return got >= 0 && mnl_cb_run(answer, (size_t)got, 0, 0, NULL, NULL) >= 0;
}

static int family_of(const char *address, unsigned char bytes[static 16])
{
    if (inet_pton(AF_INET, address, bytes) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, address, bytes) == 1 ? AF_INET6 : AF_UNSPEC;
}

static size_t address_size(int family)
{
    return family == AF_INET ? 4 : 16;
}

/* ---- what is asked for ---- */

static bool make_veth(struct mnl_socket *inet, int mta)
{
    char buffer[MESSAGE_SIZE] = {0};
    struct nlmsghdr *message = request(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof *link);
    link->ifi_index = VETH;
    mnl_attr_put_strz(message, IFLA_IFNAME, "mta");
    struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
    struct nlattr *peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
    struct ifinfomsg *other = mnl_nlmsg_put_extra_header(message, sizeof *other);
    other->ifi_index = VETH;
    mnl_attr_put_strz(message, IFLA_IFNAME, "inet");
    mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)mta);
    mnl_attr_nest_end(message, peer);
    mnl_attr_nest_end(message, data);
    mnl_attr_nest_end(message, info);
    return ask(inet, message);
}

static bool add_address(struct mnl_socket *socket, const char *address, unsigned prefix)
{
    char buffer[MESSAGE_SIZE] = {0};
    unsigned char bytes[16];
    int family = family_of(address, bytes);
    struct nlmsghdr *message = request(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    struct ifaddrmsg *fields = mnl_nlmsg_put_extra_header(message, sizeof *fields);
    fields->ifa_family = (unsigned char)family;
    fields->ifa_prefixlen = (unsigned char)prefix;
    fields->ifa_flags = IFA_F_PERMANENT | IFA_F_NODAD; /* looking for duplicates would cost a second */
    fields->ifa_index = VETH;
    mnl_attr_put(message, IFA_LOCAL, address_size(family), bytes);
    mnl_attr_put(message, IFA_ADDRESS, address_size(family), bytes);
    return ask(socket, message);
}

static bool switch_on(struct mnl_socket *socket, int index)
{
    char buffer[MESSAGE_SIZE] = {0};
    struct nlmsghdr *message = request(buffer, RTM_NEWLINK, 0);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof *link);
    link->ifi_index = index;
    link->ifi_flags = link->ifi_change = IFF_UP;
    return ask(socket, message);
}

static bool add_route(struct mnl_socket *socket, size_t row)
{
    char buffer[MESSAGE_SIZE] = {0};
    unsigned char to[16], via[16];
    int family = family_of(routes[row].to, to);
    struct nlmsghdr *message = request(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof *route);
    route->rtm_family = (unsigned char)family;
    route->rtm_dst_len = (unsigned char)routes[row].prefix;
    route->rtm_table = routes[row].table;
    route->rtm_type = routes[row].type;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_scope = routes[row].type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
    mnl_attr_put(message, RTA_DST, address_size(family), to);
    if (routes[row].via != NULL && family_of(routes[row].via, via) == family)
        mnl_attr_put(message, RTA_GATEWAY, address_size(family), via);
    if (routes[row].link != 0)
        mnl_attr_put_u32(message, RTA_OIF, routes[row].link);
    return ask(socket, message);
}

/* ---- all of it ---- */

static bool is_v6(const char *address)
{
    return strchr(address, ':') != NULL;
}

static bool failed(const char *what, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "cannot make the lab's network: %s: %s", what, strerror(errno));
}

static bool connect_sides(struct mnl_socket *const sockets[static 2], const struct sandbox_net *net, struct err *err)
{
    if (!make_veth(sockets[INET], net->mta))
        return failed("veth pair", err);
    for (size_t i = 0; i < COUNT(addresses); i++)
        if ((net->ipv6 || !is_v6(addresses[i].address)) &&
            !add_address(sockets[addresses[i].side], addresses[i].address, addresses[i].prefix))
            return failed(addresses[i].address, err);
    for (enum side side = INET; side <= MTA; side++)
        if (!switch_on(sockets[side], LO) || !switch_on(sockets[side], VETH))
            return failed("switching it on", err);
    for (size_t i = 0; i < COUNT(routes); i++)
        if ((net->ipv6 || !is_v6(routes[i].to)) && !add_route(sockets[routes[i].side], i))
            return failed(routes[i].to, err);
    return true;
}

/* Where /proc/sys is read-only there is IPV6_FREEBIND instead, and IPv6 as the machine has it. */
static void set_sysctl(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, value, strlen(value)) < 0)
        errno = 0;
    if (fd >= 0)
        close(fd);
}

static bool has_ipv6(void)
{
    static const char off[] = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
    char value = '1';
    int fd = open(off, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, &value, 1) < 0)
        value = '1';
    if (fd >= 0)
        close(fd);
    return value == '0';
}

static void prepare_ipv6(void)
{
    set_sysctl("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0");
    set_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0");
    set_sysctl("/proc/sys/net/ipv6/conf/default/accept_ra", "0");
    set_sysctl("/proc/sys/net/ipv6/conf/default/router_solicitations", "0");
}

static int own_namespace(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

bool sandbox_net_make(struct sandbox_net *out, struct err *err)
{
    struct sandbox_net net = {.mta = own_namespace(), .inet = -1};
    prepare_ipv6();
    struct mnl_socket *sockets[2] = {[MTA] = dial()};
    if (unshare(CLONE_NEWNET) == 0) {
        net.inet = own_namespace();
        sockets[INET] = dial();
    }
    prepare_ipv6();
    set_sysctl("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
    net.ipv6 = has_ipv6();
    bool made = sockets[INET] != NULL && sockets[MTA] != NULL ? connect_sides(sockets, &net, err)
                                                              : failed("network namespaces", err);
    for (enum side side = INET; side <= MTA; side++)
        if (sockets[side] != NULL)
            mnl_socket_close(sockets[side]);
    if (made)
        *out = net;
    return made;
}

void sandbox_net_cut(void)
{
    char buffer[MESSAGE_SIZE] = {0};
    struct mnl_socket *socket = dial();
    struct nlmsghdr *message = request(buffer, RTM_DELLINK, 0);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof *link);
    link->ifi_index = VETH;
    if (socket == NULL)
        return;
    ask(socket, message);
    mnl_socket_close(socket);
}
