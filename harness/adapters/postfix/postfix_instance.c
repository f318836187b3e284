/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/postfix/postfix_instance.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/process.h"
#include "base/text.h"
#include "harness/adapters/adapter.h"

enum { LINE_SIZE = 8192, PATIENCE_S = 600, GREETINGS_MAX = 20 };

struct postfix_instance {
    char directory[PATH_MAX - 64];
    struct postfix_facts facts;
    struct postfix_log log;
    struct process *master;
    int lines;       /* the log socket */
    int queued;      /* inotify: something came into the deferred queue */
    char relay[300]; /* of the case before */
};

/* ---- what is installed ---- */

void postfix_facts_read(struct postfix_facts *facts)
{
    static const char *const argv[] = {"postconf",         "-d",         "-h",           "mail_version",
                                       "daemon_directory", "mail_owner", "setgid_group", NULL};
    char *text = process_output(argv, -1, NULL);
    *facts = (struct postfix_facts){.installed = false};
    facts->installed = text != NULL && sscanf(text, "%39s %199s %39s %39s", facts->version, facts->daemons,
                                              facts->owner, facts->group) == 4;
    free(text);
}

/* ---- directories ---- */

static const struct {
    const char *name;
    mode_t mode;
    bool owned, grouped; /* by mail_owner, setgid_group */
} folders[] = {
    {"etc", 0755, false, false},           {"data", 0700, true, false},           {"queue", 0755, false, false},
    {"queue/active", 0700, true, false},   {"queue/bounce", 0700, true, false},   {"queue/corrupt", 0700, true, false},
    {"queue/defer", 0700, true, false},    {"queue/deferred", 0700, true, false}, {"queue/flush", 0700, true, false},
    {"queue/hold", 0700, true, false},     {"queue/incoming", 0700, true, false}, {"queue/private", 0700, true, false},
    {"queue/saved", 0700, true, false},    {"queue/trace", 0700, true, false},    {"queue/pid", 0755, false, false},
    {"queue/maildrop", 01730, true, true}, {"queue/public", 02710, true, true},
};

static const char *path_in(const struct postfix_instance *instance, const char *name, char *path)
{
    snprintf(path, PATH_MAX, "%s/%s", instance->directory, name);
    return path;
}

static bool make_folders(const struct postfix_instance *instance, struct err *err)
{
    char path[PATH_MAX];
    const struct passwd *owner = getpwnam(instance->facts.owner);
    const struct group *group = getgrnam(instance->facts.group);
    if (owner == NULL || group == NULL)
        return err_set(err, ERR_SYSTEM, "there is no user %s or no group %s", instance->facts.owner,
                       instance->facts.group);
    for (size_t i = 0; i < COUNT(folders); i++) {
        path_in(instance, folders[i].name, path);
        uid_t uid = folders[i].owned ? owner->pw_uid : 0;
        gid_t gid = folders[i].grouped ? group->gr_gid : 0;
        if ((mkdir(path, 0700) != 0 && errno != EEXIST) || chown(path, uid, gid) != 0 ||
            chmod(path, folders[i].mode) != 0)
            return err_set(err, ERR_SYSTEM, "cannot make %s: %s", path, strerror(errno));
    }
    return true;
}

static void empty_queue(const struct postfix_instance *instance)
{
    static const char *const places[] = {"queue/incoming", "queue/active",   "queue/deferred", "queue/defer",
                                         "queue/bounce",   "queue/maildrop", "queue/corrupt"};
    char path[PATH_MAX];
    for (size_t i = 0; i < COUNT(places); i++)
        adapter_empty_folder(path_in(instance, places[i], path));
}

/* ---- configuration ---- */

/* What does not depend on the case. */
static const char usual[] =
    "compatibility_level = 3.6\n"
    "inet_protocols = all\n"
    "mydestination =\n"
    "local_recipient_maps =\n"
    "alias_maps =\n"
    "alias_database =\n"
    "notify_classes =\n"
    "enable_long_queue_ids = yes\n"
    "hash_queue_names = hold\n" /* a message in the deferred queue is then a file of that folder */
    /* The lab submits; nobody's name is looked up for it. */
    "mynetworks = 127.0.0.0/8 100.64.0.0/30\n"
    "smtpd_relay_restrictions = permit_mynetworks, reject\n"
    "smtpd_recipient_restrictions =\n"
    "smtpd_peername_lookup = no\n"
    "smtpd_client_connection_count_limit = 0\n"
    /* An attempt is made when it is asked for, and at no other time; no destination is given up in between. */
    "queue_run_delay = 1h\n"
    "minimal_backoff_time = 1s\n"
    "maximal_backoff_time = 1h\n"
    "default_destination_concurrency_failed_cohort_limit = 0\n"
    /* Only DNS counts, and nothing is kept from one delivery for the next. */
    "smtp_host_lookup = dns\n"
    "smtp_connection_cache_on_demand = no\n"
    "smtp_tls_connection_reuse = no\n"
    "smtp_tls_session_cache_database =\n"
    "smtp_tls_CApath =\n"
    "tls_append_default_CA = no\n"
    "smtp_tls_loglevel = 1\n"
    /* The time for a step is one for the whole of it, however slowly a peer drips. */
    "smtp_per_request_deadline = yes\n";

static const char *const timeouts[] = {"connect",   "helo",      "mail",     "rcpt", "data_init",
                                       "data_xfer", "data_done", "starttls", "quit", "rset"};

static const char services[] = "cleanup unix n - n - 0 cleanup\n"
                               "qmgr unix n - n 300 1 qmgr\n"
                               "tlsmgr unix - - n 1000? 1 tlsmgr\n"
                               "rewrite unix - - n - - trivial-rewrite\n"
                               "bounce unix - - n - 0 bounce\n"
                               "defer unix - - n - 0 bounce\n"
                               "trace unix - - n - 0 bounce\n"
                               "proxymap unix - - n - - proxymap\n"
                               "smtp unix - - n - - smtp\n"
                               "  -o max_use=1\n"
                               "showq unix n - n - - showq\n"
                               "error unix - - n - - error\n"
                               "retry unix - - n - - error\n"
                               "anvil unix - - n - 1 anvil\n";

/* A file of the configuration, written aside: a program that starts meanwhile must not read half of it. */
static FILE *open_aside(const struct postfix_instance *instance, const char *name, struct err *err)
{
    char path[PATH_MAX];
    FILE *out = fopen(path_in(instance, "etc/new", path), "we");
    if (out == NULL)
        err_set(err, ERR_SYSTEM, "cannot write %s for %s: %s", path, name, strerror(errno));
    return out;
}

/* Postfix programs sleep for a second when main.cf is younger than that. */
static bool put_in_place(const struct postfix_instance *instance, FILE *out, const char *name, struct err *err)
{
    char aside[PATH_MAX], path[PATH_MAX];
    struct timespec times[2] = {{.tv_sec = time(NULL) - 60}, {.tv_sec = time(NULL) - 60}};
    bool written = fflush(out) == 0 && futimens(fileno(out), times) == 0;
    written = fclose(out) == 0 && written;
    path_in(instance, "etc/new", aside);
    path_in(instance, name, path);
    return (written && rename(aside, path) == 0) ||
           err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
}

static bool write_main(const struct postfix_instance *instance, const struct postfix_settings *settings,
                       struct err *err)
{
    const char *directory = instance->directory;
    FILE *out = open_aside(instance, "main.cf", err);
    if (out == NULL)
        return false;
    fputs(usual, out);
    fprintf(out, "queue_directory = %s/queue\ndata_directory = %s/data\ndaemon_directory = %s\n", directory, directory,
            instance->facts.daemons);
    fprintf(out, "maillog_file = %s/log\nmaillog_file_prefixes = %s\n", directory, directory);
    fprintf(out, "myhostname = %s\ninet_interfaces = %.*s\n", settings->hostname,
            (int)(strrchr(settings->listen, ':') - settings->listen), settings->listen);
    if (settings->relay[0] != '\0')
        fprintf(out, "relayhost = %s\n", settings->relay);
    fprintf(out, "smtp_tls_CAfile = %s\nsmtp_tls_security_level = %s\n", settings->ca, settings->level);
    if (settings->policy_map != NULL)
        fprintf(out, "smtp_tls_policy_maps = %s\n", settings->policy_map);
    if (strncmp(settings->level, "dane", 4) == 0)
        fputs("smtp_dns_support_level = dnssec\n", out);
    for (size_t i = 0; i < COUNT(timeouts); i++)
        fprintf(out, "smtp_%s_timeout = %ds\n", timeouts[i], settings->patience_s);
    return put_in_place(instance, out, "etc/main.cf", err);
}

static bool write_master(const struct postfix_instance *instance, const char *listen, struct err *err)
{
    FILE *out = open_aside(instance, "master.cf", err);
    if (out == NULL)
        return false;
    fprintf(out, "%s inet n - n - - smtpd\n%s", listen, services);
    return put_in_place(instance, out, "etc/master.cf", err);
}

/* ---- the log ---- */

/* In the place where the programs look for postlogd. */
static bool open_log(struct postfix_instance *instance, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char path[PATH_MAX];
    if ((size_t)snprintf(at.sun_path, sizeof at.sun_path, "%s/queue/public/postlog", instance->directory) >=
        sizeof at.sun_path)
        return err_set(err, ERR_SYSTEM, "the directory's name is too long for a socket: %s", instance->directory);
    instance->lines = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    instance->queued = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (bind(instance->lines, (struct sockaddr *)&at, sizeof at) != 0 || chmod(at.sun_path, 0666) != 0 ||
        inotify_add_watch(instance->queued, path_in(instance, "queue/deferred", path), IN_MOVED_TO) < 0)
        return err_set(err, ERR_SYSTEM, "cannot listen to Postfix's log: %s", strerror(errno));
    return true;
}

int postfix_instance_socket(const struct postfix_instance *instance)
{
    return instance->lines;
}

void postfix_instance_listen(struct postfix_instance *instance)
{
    char line[LINE_SIZE];
    for (ssize_t got; (got = recv(instance->lines, line, sizeof line - 1, 0)) > 0;) {
        line[got] = '\0';
        fprintf(stderr, "%s\n", line);
        postfix_log_read(&instance->log, line);
    }
    while (read(instance->queued, line, sizeof line) > 0)
        ;
}

/* Reads the log until something is so. */
static bool wait_until(struct postfix_instance *instance, bool (*is_so)(const struct postfix_instance *),
                       const char *what, struct err *err)
{
    postfix_instance_listen(instance);
    while (!is_so(instance)) {
        struct pollfd waits[] = {{.fd = instance->lines, .events = POLLIN}, {.fd = instance->queued, .events = POLLIN}};
        if (!process_alive(instance->master))
            return err_set(err, ERR_SYSTEM, "Postfix ended while %s was waited for", what);
        if (poll(waits, COUNT(waits), PATIENCE_S * 1000) <= 0)
            return err_set(err, ERR_SYSTEM, "%s did not come", what);
        postfix_instance_listen(instance);
    }
    return true;
}

/* ---- the master ---- */

static bool lead_a_group(void *arg UNUSED)
{
    return setpgid(0, 0) == 0;
}

static bool is_started(const struct postfix_instance *instance)
{
    return instance->log.started;
}

/* Does smtpd(8) say 220 to who connects? Then it is bidden goodbye. */
static bool is_greeted(const char *listen)
{
    char host[64], line[512];
    struct netaddr to;
    const char *colon = strrchr(listen, ':');
    snprintf(host, sizeof host, "%.*s", (int)(colon - listen), listen);
    int fd = netaddr_parse(host, (uint16_t)strtoul(colon + 1, NULL, 10), &to, NULL)
                 ? socket(to.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)
                 : -1;
    bool greeted = fd >= 0 && connect(fd, (struct sockaddr *)&to.addr, to.length) == 0 &&
                   read(fd, line, sizeof line) > 3 && memcmp(line, "220", 3) == 0;
    greeted = greeted && write(fd, "QUIT\r\n", 6) == 6 && read(fd, line, sizeof line) > 0;
    close(fd);
    return greeted;
}

/* The master is heard of before its services can be used: now and then the first connection comes to nothing. */
static bool greet(const char *listen, struct err *err)
{
    for (int i = 0; i < GREETINGS_MAX; i++)
        if (is_greeted(listen))
            return true;
    return err_set(err, ERR_SYSTEM, "smtpd(8) does not greet at %s", listen);
}

static bool start_master(struct postfix_instance *instance, const char *listen, struct err *err)
{
    char program[PATH_MAX], etc[PATH_MAX];
    snprintf(program, sizeof program, "%s/master", instance->facts.daemons);
    const char *const argv[] = {program, "-d", "-c", path_in(instance, "etc", etc), NULL};
    struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .err = -1, .before_exec = lead_a_group};
    instance->log.started = false;
    instance->master = process_spawn(&spec, err);
    return instance->master != NULL && wait_until(instance, is_started, "its start", err) && greet(listen, err);
}

/* At once and with all of its children, which become ours: asked to stop, the master would sleep for a second. None of
 * them is left when the next one starts, to take a connection that is not for it. */
static void kill_master(struct postfix_instance *instance)
{
    if (instance->master == NULL)
        return;
    pid_t group = process_id(instance->master);
    kill(-group, SIGKILL);
    process_wait(&instance->master);
    while (waitpid(-group, NULL, 0) > 0 || errno == EINTR)
        ;
}

struct postfix_instance *postfix_instance_new(const char *directory, const struct postfix_facts *facts, struct err *err)
{
    struct postfix_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) {
        err_set(err, ERR_SYSTEM, "out of memory");
        return NULL;
    }
    *instance = (struct postfix_instance){.facts = *facts, .lines = -1, .queued = -1};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    snprintf(instance->directory, sizeof instance->directory, "%s", directory);
    if (!make_folders(instance, err) || !open_log(instance, err))
        postfix_instance_free(&instance);
    return instance;
}

bool postfix_instance_begin(struct postfix_instance *instance, const struct postfix_settings *settings, struct err *err)
{
    postfix_instance_end(instance);
    bool same_relay = strcmp(instance->relay, settings->relay) == 0; /* trivial-rewrite(8) reads it when it starts */
    if (instance->master != NULL && (!process_alive(instance->master) || !same_relay))
        kill_master(instance);
    snprintf(instance->relay, sizeof instance->relay, "%s", settings->relay);
    if (!write_main(instance, settings, err))
        return false;
    return instance->master != NULL ||
           (write_master(instance, settings->listen, err) && start_master(instance, settings->listen, err));
}

/* ---- attempts ---- */

/* Deferred for good only when the queue manager has put it there: before that it would miss a flush. */
static bool is_over(const struct postfix_instance *instance, const struct postfix_message *message)
{
    char name[POSTFIX_ID_MAX + 20], path[PATH_MAX];
    snprintf(name, sizeof name, "queue/deferred/%s", message->id);
    return postfix_message_is_over(message) && (message->removed || access(path_in(instance, name, path), F_OK) == 0);
}

/* After a crash the queue manager waits for a minute: this attempt is over, and came to nothing. */
static bool all_over(const struct postfix_instance *instance)
{
    if (instance->log.crash != NULL)
        return true;
    for (size_t i = 0; i < instance->log.count; i++)
        if (!is_over(instance, instance->log.items[i]))
            return false;
    return true;
}

/* What `postqueue -f` tells the queue manager: forget dead destinations, look through everything deferred, whatever its
 * time, and everything incoming. */
static bool trigger(const struct postfix_instance *instance, struct err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%.80s/queue/public/qmgr", instance->directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool told = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && write(fd, "FADI", 4) == 4;
    int reason = errno;
    close(fd);
    return told || err_set(err, ERR_SYSTEM, "cannot reach Postfix's queue manager: %s", strerror(reason));
}

/* smtp(8) reports before it lets go of the message; one that is still locked would be put aside for a minute. */
static void wait_until_unlocked(const struct postfix_instance *instance, const struct postfix_message *message)
{
    char name[POSTFIX_ID_MAX + 20], path[PATH_MAX];
    snprintf(name, sizeof name, "queue/deferred/%s", message->id);
    int fd = open(path_in(instance, name, path), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    close(fd);
}

static bool try_again(struct postfix_instance *instance, struct err *err)
{
    bool any = false;
    for (size_t i = 0; i < instance->log.count; i++) {
        struct postfix_message *message = instance->log.items[i];
        any |= !message->removed;
        if (!message->removed)
            wait_until_unlocked(instance, message);
        message->active = message->removed;
        message->reported = false;
    }
    return !any || trigger(instance, err);
}

bool postfix_instance_flush(struct postfix_instance *instance, struct err *err)
{
    bool fresh = false;
    postfix_instance_listen(instance);
    for (size_t i = 0; i < instance->log.count; i++)
        fresh |= instance->log.items[i]->fresh;
    if (!fresh && !try_again(instance, err))
        return false;
    if (!wait_until(instance, all_over, "the end of an attempt", err))
        return false;
    for (size_t i = 0; i < instance->log.count; i++)
        instance->log.items[i]->fresh = false;
    return true;
}

char *postfix_instance_queue(const struct postfix_instance *instance)
{
    char etc[PATH_MAX];
    return process_output((const char *const[]){"postqueue", "-c", path_in(instance, "etc", etc), "-j", NULL}, -1,
                          NULL);
}

const struct postfix_log *postfix_instance_log(const struct postfix_instance *instance)
{
    return &instance->log;
}

/* An instance in the middle of something is killed; another one keeps its processes, and loses its messages. */
void postfix_instance_end(struct postfix_instance *instance)
{
    postfix_instance_listen(instance);
    if (!all_over(instance) || instance->log.crash != NULL)
        kill_master(instance);
    empty_queue(instance);
    postfix_instance_listen(instance);
    postfix_log_free(&instance->log);
}

void postfix_instance_free(struct postfix_instance **instance)
{
    if (*instance == NULL)
        return;
    kill_master(*instance);
    postfix_log_free(&(*instance)->log);
    if ((*instance)->lines >= 0)
        close((*instance)->lines);
    if ((*instance)->queued >= 0)
        close((*instance)->queued);
    free(*instance);
    *instance = NULL;
}
