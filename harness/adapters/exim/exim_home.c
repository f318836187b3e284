/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/exim/exim_home.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"

/* ---- the user ---- */

static const char user[] = "Debian-exim"; /* whom Debian and Ubuntu compile it for */
enum { FREE_ID = 64532 };                 /* for a user that is not there */

static bool failed(const char *what, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "cannot make a home for Exim: %s: %s", what, strerror(errno));
}

/* The machine's file with one line more, seen in its place. */
static bool add_line(const char *directory, const char *file, const char *line, struct err *err)
{
    char copy[PATH_MAX];
    struct arena *arena = arena_new("exim home");
    size_t length;
    const char *name = strrchr(file, '/') + 1, *old = text_read_file(arena, file, 1 << 20, &length, err);
    snprintf(copy, sizeof copy, "%s/%s", directory, name);
    const char *whole = old != NULL ? arena_printf(arena, "%s\n%s\n", line, old) : NULL;
    bool written = whole != NULL && text_write_file(copy, whole, strlen(whole), err);
    arena_free(&arena);
    return written && (mount(copy, file, NULL, MS_BIND, NULL) == 0 || failed(file, err));
}

static bool add_user(const char *directory, struct err *err)
{
    char of_user[200], of_group[200];
    snprintf(of_user, sizeof of_user, "%s:x:%d:%d::/:/usr/sbin/nologin", user, FREE_ID, FREE_ID);
    snprintf(of_group, sizeof of_group, "%s:x:%d:", user, FREE_ID);
    return add_line(directory, "/etc/passwd", of_user, err) && add_line(directory, "/etc/group", of_group, err);
}

/* ---- the program ---- */

static bool beside_us(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    path[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    snprintf(slash, size - (size_t)(slash - path), "/../exim/exim4");
    return access(path, X_OK) == 0;
}

/* The folder that a program is in, seen in the directory. */
static bool bring_within_reach(const char *directory, char *path, size_t size, struct err *err)
{
    char here[2000];
    *strrchr(path, '/') = '\0';
    snprintf(here, sizeof here, "%s/exim", directory);
    if ((mkdir(here, 0755) != 0 && errno != EEXIST) || mount(path, here, NULL, MS_BIND, NULL) != 0)
        return failed(path, err);
    snprintf(path, size, "%s/exim4", here);
    return true;
}

/* "": there is none. */
static bool find_program(const char *directory, char *path, size_t size, struct err *err)
{
    const char *said = getenv("MTALAB_EXIM");
    if (said != NULL)
        snprintf(path, size, "%s", said);
    else if (!process_find("exim4", path, size) && !process_find("exim", path, size) && beside_us(path, size))
        return bring_within_reach(directory, path, size, err);
    if (access(path, X_OK) != 0)
        path[0] = '\0';
    return true;
}

/* ---- becoming its user ---- */

static bool write_map(const char *path, unsigned inside, unsigned outside, struct err *err)
{
    char line[40];
    snprintf(line, sizeof line, "%u %u 1", inside, outside);
    return text_write_file(path, line, strlen(line), err);
}

static bool may_become_anybody(void)
{
    bool may = geteuid() == 0 && seteuid(FREE_ID) == 0;
    return may && seteuid(0) == 0;
}

static bool take_its_number(uid_t uid, gid_t gid, struct err *err)
{
    uid_t old_uid = geteuid();
    gid_t old_gid = getegid();
    prctl(PR_SET_DUMPABLE, 1); /* else /proc/self belongs to root */
    if (unshare(CLONE_NEWUSER) != 0)
        return failed("a user namespace", err);
    return write_map("/proc/self/uid_map", uid, old_uid, err) &&
           text_write_file("/proc/self/setgroups", "deny", 4, err) &&
           write_map("/proc/self/gid_map", gid, old_gid, err);
}

static bool change_to(const char *directory, uid_t uid, gid_t gid, struct err *err)
{
    return (chown(directory, uid, gid) == 0 && setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
            setresuid(uid, uid, uid) == 0) ||
           failed("its user", err);
}

bool exim_home_enter(const char *directory, struct exim_facts *facts, struct err *err)
{
    const struct passwd *there = getpwnam(user);
    uid_t uid = there != NULL ? there->pw_uid : FREE_ID;
    gid_t gid = there != NULL ? there->pw_gid : FREE_ID;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return failed("a private view of the file system", err);
    if (!find_program(directory, facts->program, sizeof facts->program, err) ||
        (there == NULL && !add_user(directory, err)))
        return false;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* an installed Exim would be root again */
    return may_become_anybody() ? change_to(directory, uid, gid, err) : take_its_number(uid, gid, err);
}

void exim_facts_read(struct exim_facts *facts)
{
    if (facts->program[0] == '\0')
        return;
    char *said = process_output((const char *const[]){facts->program, "-C", "/dev/null", "-bV", NULL}, 2, NULL);
    if (said != NULL && sscanf(said, "Exim version %39s", facts->version) == 1) {
        facts->dane = strstr(said, " DANE") != NULL;
        facts->smtputf8 = strstr(said, " I18N") != NULL;
    }
    free(said);
}
