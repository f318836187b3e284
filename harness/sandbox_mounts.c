/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/sandbox_mounts.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define OURS SANDBOX_DIRECTORY "/etc/"

static const struct {
    const char *target;
    const char *content; /* NULL: SANDBOX_CA */
    bool needed;         /* also where the machine has none */
} files[] = {
    /* trust-ad: without it the C library hides the AD bit, and DANE silently never happens. */
    {"/etc/resolv.conf", "nameserver 127.0.0.1\noptions trust-ad edns0\nsearch sender.example\n", true},
    {"/etc/nsswitch.conf",
     "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\n"
     "services: files\nethers: files\nrpc: files\n",
     false},
    {"/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", false},
    {"/etc/ssl/certs/ca-certificates.crt", NULL, false},                /* Debian, Ubuntu, Alpine, Arch */
    {"/etc/ssl/cert.pem", NULL, false},                                 /* Alpine */
    {"/etc/ssl/ca-bundle.pem", NULL, false},                            /* SUSE */
    {"/etc/pki/tls/certs/ca-bundle.crt", NULL, false},                  /* Fedora */
    {"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", NULL, false}, /* Fedora */
};

static bool failed(const char *what, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "cannot make the lab's files: %s: %s", what, strerror(errno));
}

static bool make_folder(const char *path)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* ---- an /etc that can be changed ---- */

/* For a resolv.conf that cannot be mounted over, because it is missing or a link to nowhere: a folder of links to the
 * machine's own entries is put in the place of /etc. */
static bool link_entries(const char *from, const char *to)
{
    DIR *folder = opendir(from);
    if (folder == NULL)
        return false;
    char source[PATH_MAX], target[PATH_MAX];
    bool linked = true;
    for (const struct dirent *entry; linked && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strcmp(entry->d_name, "resolv.conf") == 0)
            continue;
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        linked = symlink(source, target) == 0;
    }
    closedir(folder);
    return linked;
}

static bool replace_etc(struct err *err)
{
    static const char old[] = "/run/etc-of-the-machine", new[] = "/run/etc";
    if (!make_folder(old) || !make_folder(new) || mount("/etc", old, NULL, MS_BIND | MS_REC, NULL) != 0 ||
        !link_entries(old, new) || !text_write_file("/run/etc/resolv.conf", "", 0, err) ||
        mount(new, "/etc", NULL, MS_BIND, NULL) != 0)
        return failed("an /etc of its own", err);
    return true;
}

/* ---- one file over another ---- */

static bool make_source(const char *target, const char *content, char *path, size_t size, struct err *err)
{
    if (content == NULL) {
        snprintf(path, size, "%s", SANDBOX_CA);
        return true;
    }
    snprintf(path, size, OURS "%s", strrchr(target, '/') + 1);
    return text_write_file(path, content, strlen(content), err);
}

static bool cover(size_t row, struct err *err)
{
    char source[PATH_MAX], target[PATH_MAX];
    if (!make_source(files[row].target, files[row].content, source, sizeof source, err))
        return false;
    bool there = realpath(files[row].target, target) != NULL;
    if (!there && !files[row].needed)
        return true;
    if (!there && (!replace_etc(err) || realpath(files[row].target, target) == NULL))
        return false;
    return mount(source, target, NULL, MS_BIND, NULL) == 0 || failed(files[row].target, err);
}

/* Distributions may confine unbound to its own folder, by a rule of AppArmor: ours shows through there. */
static bool cover_unbound(struct err *err)
{
    static const char ours[] = SANDBOX_DIRECTORY "/unbound", theirs[] = "/var/lib/unbound";
    if (access(theirs, F_OK) != 0)
        return true;
    return (make_folder(ours) && mount(ours, theirs, NULL, MS_BIND, NULL) == 0) || failed(theirs, err);
}

bool sandbox_mounts_make(struct err *err)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return failed("a private view of the file system", err);
    if (mount("mtalab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=256m") != 0)
        return failed("/run", err);
    if (!make_folder(SANDBOX_DIRECTORY) || !make_folder(OURS) || !text_write_file(SANDBOX_CA, "", 0, err))
        return failed(SANDBOX_DIRECTORY, err);
    /* Refused where a container masks parts of /proc: process ids are then those of the outside: no harm. */
    (void)!mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    for (size_t i = 0; i < COUNT(files); i++)
        if (!cover(i, err))
            return false;
    return cover_unbound(err);
}
