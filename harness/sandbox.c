/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "harness/sandbox_mounts.h"
#include "harness/sandbox_net.h"

/* What the child tells its maker. */
struct word {
    bool stands;
    struct err err;
};

static bool failed(const char *what, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "cannot make %s: %s", what, strerror(errno));
}

static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

/* ---- namespaces ---- */

static bool write_id(const char *path, const char *text, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));
    int reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return written == (ssize_t)strlen(text) || failed("a user namespace", err);
}

static bool become_root_of_it(uid_t uid, gid_t gid, struct err *err)
{
    char users[40], groups[40];
    snprintf(users, sizeof users, "0 %u 1", (unsigned)uid);
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)gid);
    return write_id("/proc/self/uid_map", users, err) && write_id("/proc/self/setgroups", "deny", err) &&
           write_id("/proc/self/gid_map", groups, err);
}

/* The name of an interface that is up, besides lo; NULL: there is none. Tunnels that modules bring are down. */
static const char *way_out(char name[static IF_NAMESIZE])
{
    struct ifreq request;
    const char *found = NULL;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct if_nameindex *list = if_nameindex();
    for (const struct if_nameindex *at = list; at != NULL && at->if_index != 0 && found == NULL; at++) {
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", at->if_name);
        if (strcmp(at->if_name, "lo") != 0 && (ioctl(fd, SIOCGIFFLAGS, &request) != 0 || request.ifr_flags & IFF_UP))
            found = name;
        if (found != NULL)
            snprintf(name, IF_NAMESIZE, "%s", request.ifr_name);
    }
    if_freenameindex(list);
    close(fd);
    return found;
}

/* Into a network that somebody else made, and, without root, first into the user namespace that it belongs to. */
static bool join_network(enum sandbox_kind kind, const char *path, struct err *err)
{
    char name[IF_NAMESIZE];
    int network = open(path, O_RDONLY | O_CLOEXEC);
    int user = kind == SANDBOX_ROOTLESS && network >= 0 ? ioctl(network, NS_GET_USERNS) : -1;
    bool joined = network >= 0 && (kind != SANDBOX_ROOTLESS || setns(user, CLONE_NEWUSER) == 0) &&
                  setns(network, CLONE_NEWNET) == 0;
    if (!joined)
        err_set(err, ERR_SYSTEM, "cannot join the network of %s: %s", path, strerror(errno));
    else if (way_out(name) != NULL)
        err_set(err, ERR_SYSTEM, "%s is up in the network of %s: a world joins a network only where nothing but lo is",
                name, path);
    if (network >= 0)
        close(network);
    if (user >= 0)
        close(user);
    return err->kind == ERR_NONE;
}

static bool leave(enum sandbox_kind kind, const char *join, struct err *err)
{
    if (kind == SANDBOX_LOOPBACK)
        return true;
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (join != NULL)
        return join_network(kind, join, err) &&
               (unshare(CLONE_NEWNS | CLONE_NEWPID) == 0 || failed("mount and process namespaces", err));
    if (kind == SANDBOX_ROOTLESS) {
        /* An id map is written through /proc, which belongs to root while the process counts as not dumpable. */
        prctl(PR_SET_DUMPABLE, 1);
        if (unshare(CLONE_NEWUSER) != 0)
            return failed("a user namespace", err);
        if (!become_root_of_it(uid, gid, err))
            return false;
    }
    return unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) == 0 ||
           failed("mount, network and process namespaces", err);
}

static bool furnish_namespaces(struct sandbox *sandbox, struct err *err)
{
    struct sandbox_net net;
    if (!sandbox_mounts_make(err) || !sandbox_net_make(&net, err))
        return false;
    sandbox->inet = net.inet;
    sandbox->mta = net.mta;
    sandbox->ipv6 = net.ipv6;
    sandbox->directory = SANDBOX_DIRECTORY;
    sandbox->ca_path = SANDBOX_CA;
    sandbox->listen = SANDBOX_NET_MTA_V4;
    sandbox->resolver = "127.0.0.1";
    return true;
}

/* ---- without namespaces ---- */

static char loopback_directory[] = "/tmp/mtalab-XXXXXX", loopback_ca[sizeof loopback_directory + 8];

static int remove_entry(const char *path, const struct stat *status UNUSED, int flag UNUSED, struct FTW *at UNUSED)
{
    return remove(path);
}

static void clear_loopback(void)
{
    nftw(loopback_directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static bool furnish_loopback(struct sandbox *sandbox, struct err *err)
{
    if (mkdtemp(loopback_directory) == NULL)
        return failed("a private directory", err);
    snprintf(loopback_ca, sizeof loopback_ca, "%s/ca.pem", loopback_directory);
    sandbox->directory = loopback_directory;
    sandbox->ca_path = loopback_ca;
    sandbox->listen = sandbox->resolver = "127.0.0.1";
    return text_write_file(loopback_ca, "", 0, err);
}

bool sandbox_loopback_possible(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(25)};
    address.sin_addr.s_addr = htonl(0x7f190019); /* 127.25.0.25 */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool possible = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return possible;
}

/* ---- the processes: one that leaves, and one that is the first of the new pid namespace ---- */

/* Handlers of the maker would speak to the maker's loop. */
static void reset_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    for (size_t i = 0; i < COUNT(numbers); i++)
        signal(numbers[i], SIG_DFL);
}

static void tell(int to, const struct word *word)
{
    if (write(to, word, sizeof *word) != (ssize_t)sizeof *word)
        _exit(1);
    close(to);
}

static int live(const struct sandbox_spec *spec, enum sandbox_kind kind, int ready)
{
    struct sandbox sandbox = {.kind = kind, .inet = -1, .mta = -1};
    struct word word = {0};
    word.stands =
        kind == SANDBOX_LOOPBACK ? furnish_loopback(&sandbox, &word.err) : furnish_namespaces(&sandbox, &word.err);
    tell(ready, &word);
    if (!word.stands)
        return 1;
    int status = spec->body(&sandbox, spec->arg);
    if (kind == SANDBOX_LOOPBACK)
        clear_loopback();
    if (spec->join != NULL)
        sandbox_net_cut();
    return status;
}

/* Without what the maker wants done at its own end. */
static void leave_now(int status) __attribute__((noreturn));
static void leave_now(int status)
{
    fflush(NULL);
    _exit(status);
}

static int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void host(const struct sandbox_spec *spec, enum sandbox_kind kind, pid_t parent, int ready)
    __attribute__((noreturn));
static void host(const struct sandbox_spec *spec, enum sandbox_kind kind, pid_t parent, int ready)
{
    struct word word = {0};
    die_with(parent);
    reset_signals();
    if (!spec->keep_terminal)
        setsid();
    if (!leave(kind, spec->join, &word.err)) {
        tell(ready, &word);
        _exit(1);
    }
    if (kind == SANDBOX_LOOPBACK)
        leave_now(live(spec, kind, ready)); /* there is no pid namespace to be the first of */
    pid_t self = getpid(), first = fork();
    if (first == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pid_t above = getppid(); /* 0: it is outside of our pid namespace, where it waits for us */
        if (above != 0 && above != self)
            _exit(1);
        leave_now(live(spec, kind, ready));
    }
    if (first < 0) {
        failed("the first process of the sandbox", &word.err);
        tell(ready, &word);
        _exit(1);
    }
    close(ready);
    _exit(wait_for(first));
}

static bool hear(int from, struct err *err)
{
    struct word word;
    ssize_t got;
    do
        got = read(from, &word, sizeof word);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof word)
        return err_set(err, ERR_SYSTEM, "the sandbox ended before it stood");
    if (!word.stands && err != NULL)
        *err = word.err;
    return word.stands;
}

static pid_t spawn(const struct sandbox_spec *spec, enum sandbox_kind kind, struct err *err)
{
    int ready[2];
    pid_t parent = getpid();
    if (pipe2(ready, O_CLOEXEC) != 0)
        return failed("a pipe", err), -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ready[0]);
        host(spec, kind, parent, ready[1]);
    }
    close(ready[1]);
    bool stands = child > 0 ? hear(ready[0], err) : failed("a process", err);
    close(ready[0]);
    if (!stands && child > 0)
        wait_for(child);
    return stands ? child : -1;
}

pid_t sandbox_spawn(const struct sandbox_spec *spec, struct err *err)
{
    if (spec->kind != SANDBOX_AUTO)
        return spawn(spec, spec->kind, err);
    pid_t child = geteuid() == 0 ? spawn(spec, SANDBOX_ROOT, err) : -1;
    return child >= 0 ? child : spawn(spec, SANDBOX_ROOTLESS, err);
}

bool sandbox_enter_mta(void *arg)
{
    const struct sandbox *sandbox = arg;
    return sandbox->mta < 0 || setns(sandbox->mta, CLONE_NEWNET) == 0;
}
