/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/exim/exim_instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "harness/adapters/adapter.h"

enum { LINE_SIZE = 16384, LOOK_AGAIN_MS = 200 };

struct exim_instance {
    char directory[PATH_MAX - 64], program[PATH_MAX];
    struct exim_log log;
    struct process *daemon;
    int lines, written; /* the main log; inotify: something was written there */
    char line[LINE_SIZE];
    size_t used;
    struct arena *arena; /* of the attempts */
    struct {
        struct process **items;
        size_t count, room;
    } attempts;
};

static const char *path_in(const struct exim_instance *instance, const char *name, char *path)
{
    snprintf(path, PATH_MAX, "%s/%s", instance->directory, name);
    return path;
}

/* ---- configuration ---- */

/* What does not depend on the case. */
static const char usual[] = "keep_environment =\n"
                            /* The lab submits; nobody's name is looked up for it. */
                            "acl_smtp_rcpt = accept\n"
                            "acl_smtp_data = accept\n"
                            "allow_domain_literals\n"
                            "host_lookup =\n"
                            "rfc1413_query_timeout = 0s\n"
                            "tls_advertise_hosts =\n"
                            "smtp_accept_max = 0\n"
                            "check_spool_space = 0\n"
                            "check_log_space = 0\n"
                            /* An attempt is made when it is asked for, and at no other time. */
                            "queue_only\n"
                            "deliver_drop_privilege\n"
                            "print_topbitchars\n"
                            "dns_dnssec_ok = 1\n";

static void write_router(FILE *out, const char *name, const char *options, const struct exim_settings *settings)
{
    fprintf(out, "%s:\n  %s\n  %s\n  self = fail\n  transport = out\n", name, options, settings->of_router);
}

static void write_relays(FILE *out, const struct exim_settings *settings)
{
    char options[700];
    snprintf(options, sizeof options, "driver = manualroute\n  host_find_failed = pass\n  route_list = * \"<+ %s\"",
             settings->relay_by_mx);
    if (settings->relay_by_mx[0] != '\0')
        write_router(out, "relay_by_mx", options, settings);
    snprintf(options, sizeof options, "driver = manualroute\n  route_list = * \"<+ %s\"", settings->relay);
    write_router(out, "relay", options, settings);
}

static void write_to_domains(FILE *out, const struct exim_settings *settings)
{
    write_router(out, "mx", "driver = dnslookup", settings);
    fputs("literal:\n  driver = ipliteral\n  transport = out\n", out);
}

static void write_routers(FILE *out, const struct exim_settings *settings)
{
    fputs("begin routers\n", out);
    if (settings->relay[0] == '\0')
        write_to_domains(out, settings);
    else
        write_relays(out, settings);
}

/* A connection takes one message, so that each is tried by itself. */
static void write_transport(FILE *out, const struct exim_settings *settings)
{
    static const char *const timeouts[] = {"connect", "command", "data", "final"};
    fprintf(out,
            "begin transports\nout:\n  driver = smtp\n  connection_max_messages = 1\n  utf8_downconvert = 0\n"
            "  tls_verify_certificates = %s\n  %s\n",
            settings->ca, settings->of_transport);
    for (size_t i = 0; i < COUNT(timeouts); i++)
        fprintf(out, "  %s_timeout = %ds\n", timeouts[i], settings->patience_s);
}

static void write_sections(FILE *out, const struct exim_settings *settings)
{
    write_routers(out, settings);
    write_transport(out, settings);
    fputs("begin retry\n* * F,4d,15m\n", out);
}

static bool write_configuration(const struct exim_instance *instance, const struct exim_settings *settings,
                                struct err *err)
{
    char path[PATH_MAX], aside[PATH_MAX];
    const char *directory = instance->directory;
    FILE *out = fopen(path_in(instance, "exim.conf.new", aside), "we");
    if (out == NULL)
        return err_set(err, ERR_SYSTEM, "cannot write %s: %s", aside, strerror(errno));
    fprintf(out, "exim_path = %s\nspool_directory = %s/spool\nlog_file_path = %s/log/%%slog\n", instance->program,
            directory, directory);
    fprintf(out, "pid_file_path = %s/exim.pid\nprimary_hostname = %s\nlocal_interfaces = %.*s\n", directory,
            settings->hostname, (int)(strrchr(settings->listen, ':') - settings->listen), settings->listen);
    fprintf(out, "daemon_smtp_ports = %s\n%s", strrchr(settings->listen, ':') + 1, usual);
    if (settings->own[0] != '\0')
        fprintf(out, "MTALAB_CA = %s\nMTALAB_DANE = %s\n.include %s\n", settings->ca, settings->dane, settings->own);
    else
        write_sections(out, settings);
    bool written = fclose(out) == 0 && rename(aside, path_in(instance, "exim.conf", path)) == 0;
    return written || err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
}

/* ---- processes ---- */

static bool lead_a_group(void *arg UNUSED)
{
    return setpgid(0, 0) == 0;
}

static struct process *run(const struct exim_instance *instance, const char *word, const char *id, struct err *err)
{
    char path[PATH_MAX];
    const char *const argv[] = {instance->program, "-C", path_in(instance, "exim.conf", path), word, id, NULL};
    struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .err = 2, .before_exec = lead_a_group};
    return process_spawn(&spec, err);
}

static void kill_group(struct process **process)
{
    if (*process == NULL)
        return;
    kill(-process_id(*process), SIGKILL);
    process_wait(process);
}

/* Who has taken the message says so before he lets go of it, and an attempt gives up at once when it is locked. */
static void wait_until_unlocked(const struct exim_instance *instance, const struct exim_message *message)
{
    char name[EXIM_ID_MAX + 20], path[PATH_MAX];
    snprintf(name, sizeof name, "spool/input/%s-D", message->id);
    int fd = open(path_in(instance, name, path), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (fcntl(fd, F_SETLKW, &lock) != 0 && errno == EINTR)
        ;
    close(fd);
}

static void attempt(struct exim_instance *instance, struct exim_message *message, const char *word)
{
    struct err err = {0};
    wait_until_unlocked(instance, message);
    struct process *process = run(instance, word, message->id, &err);
    message->tried = true;
    if (process == NULL)
        fprintf(stderr, "%s\n", err.text);
    else
        *ARENA_PUSH(instance->arena, &instance->attempts) = process;
}

/* ---- the log ---- */

static bool open_log(struct exim_instance *instance, struct err *err)
{
    char path[PATH_MAX];
    if (mkdir(path_in(instance, "log", path), 0755) != 0)
        return err_set(err, ERR_SYSTEM, "cannot make %s: %s", path, strerror(errno));
    instance->lines = open(path_in(instance, "log/mainlog", path), O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    instance->written = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return (instance->lines >= 0 && inotify_add_watch(instance->written, path, IN_MODIFY) >= 0) ||
           err_set(err, ERR_SYSTEM, "cannot listen to Exim's log: %s", strerror(errno));
}

int exim_instance_notices(const struct exim_instance *instance)
{
    return instance->written;
}

static void take_lines(struct exim_instance *instance)
{
    char *from = instance->line, *end;
    instance->line[instance->used] = '\0';
    for (; (end = strchr(from, '\n')) != NULL; from = end + 1) {
        *end = '\0';
        fprintf(stderr, "%s\n", from);
        exim_log_read(&instance->log, from);
    }
    instance->used = from == instance->line && instance->used == LINE_SIZE - 1 ? 0 : strlen(from);
    memmove(instance->line, from, instance->used);
}

static void read_log(struct exim_instance *instance)
{
    char notices[4096];
    while (read(instance->written, notices, sizeof notices) > 0)
        ;
    for (ssize_t got;
         (got = read(instance->lines, instance->line + instance->used, LINE_SIZE - 1 - instance->used)) > 0;) {
        instance->used += (size_t)got;
        take_lines(instance);
    }
}

void exim_instance_listen(struct exim_instance *instance)
{
    read_log(instance);
    for (size_t i = 0; i < instance->log.count; i++)
        if (!instance->log.items[i]->tried)
            attempt(instance, instance->log.items[i], "-Mc");
}

const struct exim_log *exim_instance_log(const struct exim_instance *instance)
{
    return &instance->log;
}

/* ---- attempts ---- */

/* One that ends may leave a report behind, which is tried as well. */
static void wait_for_attempts(struct exim_instance *instance)
{
    exim_instance_listen(instance);
    for (size_t i = 0; i < instance->attempts.count; i++) {
        process_wait(&instance->attempts.items[i]);
        exim_instance_listen(instance);
    }
    instance->attempts.count = 0;
}

static void try_again(struct exim_instance *instance)
{
    for (size_t i = 0; i < instance->log.count; i++)
        if (!instance->log.items[i]->removed)
            attempt(instance, instance->log.items[i], "-M");
}

void exim_instance_flush(struct exim_instance *instance)
{
    bool fresh = false;
    exim_instance_listen(instance);
    for (size_t i = 0; i < instance->log.count; i++)
        fresh |= instance->log.items[i]->fresh;
    wait_for_attempts(instance);
    if (!fresh)
        try_again(instance);
    wait_for_attempts(instance);
    for (size_t i = 0; i < instance->log.count; i++)
        instance->log.items[i]->fresh = false;
}

/* ---- the instance ---- */

static bool start_daemon(struct exim_instance *instance, struct err *err)
{
    instance->log.started = false;
    instance->daemon = run(instance, "-bdf", NULL, err);
    while (instance->daemon != NULL && !instance->log.started) {
        if (!process_alive(instance->daemon))
            return err_set(err, ERR_SYSTEM, "Exim ended while its start was waited for");
        struct pollfd wait = {.fd = instance->written, .events = POLLIN};
        poll(&wait, 1, LOOK_AGAIN_MS);
        read_log(instance);
    }
    return instance->daemon != NULL;
}

struct exim_instance *exim_instance_new(const char *directory, const char *program, struct err *err)
{
    struct exim_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) {
        err_set(err, ERR_SYSTEM, "out of memory");
        return NULL;
    }
    *instance = (struct exim_instance){.lines = -1, .written = -1, .arena = arena_new("exim attempts")};
    snprintf(instance->directory, sizeof instance->directory, "%s", directory);
    snprintf(instance->program, sizeof instance->program, "%s", program);
    if (!open_log(instance, err))
        exim_instance_free(&instance);
    return instance;
}

bool exim_instance_begin(struct exim_instance *instance, const struct exim_settings *settings, struct err *err)
{
    exim_instance_end(instance);
    if (!write_configuration(instance, settings, err))
        return false;
    if (instance->daemon != NULL && !process_alive(instance->daemon))
        kill_group(&instance->daemon);
    return instance->daemon != NULL || start_daemon(instance, err);
}

void exim_instance_forget(const struct exim_instance *instance)
{
    char path[PATH_MAX];
    adapter_empty_folder(path_in(instance, "spool/db", path));
}

void exim_instance_end(struct exim_instance *instance)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < instance->attempts.count; i++)
        kill_group(&instance->attempts.items[i]);
    instance->attempts.count = 0;
    read_log(instance);
    exim_log_free(&instance->log);
    adapter_empty_folder(path_in(instance, "spool/input", path));
    adapter_empty_folder(path_in(instance, "spool/msglog", path));
    exim_instance_forget(instance);
}

void exim_instance_free(struct exim_instance **instance)
{
    if (*instance == NULL)
        return;
    exim_instance_end(*instance);
    kill_group(&(*instance)->daemon);
    arena_free(&(*instance)->arena);
    if ((*instance)->lines >= 0)
        close((*instance)->lines);
    if ((*instance)->written >= 0)
        close((*instance)->written);
    free(*instance);
    *instance = NULL;
}
