/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/resolver.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "harness/line_pipe.h"

enum { READY_S = 5 };

struct resolver {
    const struct sandbox *sandbox;
    struct process *process;
    struct line_pipe says;
    char folder[PATH_MAX - 32];
    unsigned worlds; /* served so far */
};

/* Few ports to choose from: unbound shuffles every one that is allowed, which costs 30 ms for all of them. */
static const char settings[] = "server:\n"
                               "  do-daemonize: no\n"
                               "  chroot: \"\"\n"
                               "  username: \"\"\n"
                               "  pidfile: \"\"\n"
                               "  use-syslog: no\n"
                               "  verbosity: 0\n"
                               "  port: 53\n"
                               "  access-control: 127.0.0.0/8 allow\n"
                               "  module-config: \"validator iterator\"\n"
                               "  msg-cache-size: 1m\n"
                               "  rrset-cache-size: 1m\n"
                               "  key-cache-size: 256k\n"
                               "  neg-cache-size: 256k\n"
                               "  outgoing-port-avoid: 0-65535\n"
                               "  outgoing-port-permit: 20000-21023\n"
                               "  outgoing-range: 256\n"
                               "  num-queries-per-thread: 128\n"
                               "  so-rcvbuf: 0\n"
                               "  do-not-query-localhost: no\n"
                               "  local-zone: \"test.\" nodefault\n";

/* Where distributions confine unbound to its own folder, our directory shows through there. */
static const char *own_folder(const struct sandbox *sandbox, char *buffer, size_t size)
{
    static const char confined[] = "/var/lib/unbound";
    if (sandbox->kind != SANDBOX_LOOPBACK && access(confined, F_OK) == 0)
        return confined;
    snprintf(buffer, size, "%s/unbound", sandbox->directory);
    return mkdir(buffer, 0755) == 0 || errno == EEXIST ? buffer : NULL;
}

static bool write_files(const struct resolver *resolver, const struct resolver_world *world, struct err *err)
{
    char hints[PATH_MAX], config[PATH_MAX];
    snprintf(hints, sizeof hints, "%s/root.hints", resolver->folder);
    snprintf(config, sizeof config, "%s/unbound.conf", resolver->folder);
    if (world != NULL && !text_write_file(hints, world->root_hints, strlen(world->root_hints), err))
        return false;
    FILE *out = fopen(config, "we");
    if (out == NULL)
        return err_set(err, ERR_SYSTEM, "cannot write %s: %s", config, strerror(errno));
    /* What it thinks of servers, say that they are dead, it forgets only when that cache gets another size: than in the
     * world before, which was another process's. */
    fprintf(out, "%s  directory: \"%s\"\n  interface: %s\n  do-ip6: %s\n  infra-cache-numhosts: %u\n", settings,
            resolver->folder, resolver->sandbox->resolver, resolver->sandbox->ipv6 ? "yes" : "no",
            10000 + ((unsigned)getpid() * 8 + resolver->worlds) % 30000);
    if (world != NULL)
        fprintf(out, "  root-hints: \"%s\"\n  trust-anchor: \"%.*s\"\n%s\n", hints, (int)strcspn(world->root_key, "\n"),
                world->root_key, world->options != NULL ? world->options : "");
    fputs("remote-control:\n  control-enable: no\n", out);
    return fclose(out) == 0 || err_set(err, ERR_SYSTEM, "cannot write %s: %s", config, strerror(errno));
}

/* unbound says so when its sockets are open: whatever is sent from then on is answered. */
static bool wait_until_ready(struct resolver *resolver, struct loop *loop, struct err *err)
{
    char last[200] = "it said nothing";
    for (const char *line; (line = line_pipe_next(&resolver->says, loop, READY_S)) != NULL;) {
        if (strstr(line, "start of service") != NULL)
            return true;
        if (strstr(line, "service stopped") == NULL)
            snprintf(last, sizeof last, "%s", line);
    }
    return err_set(err, ERR_SYSTEM, "the unbound daemon does not start: %s", last);
}

bool resolver_installed(void)
{
    char path[PATH_MAX];
    return process_find("unbound", path, sizeof path);
}

static bool run(struct resolver *resolver, struct err *err)
{
    char config[PATH_MAX];
    int says[2];
    snprintf(config, sizeof config, "%s/unbound.conf", resolver->folder);
    if (pipe(says) != 0)
        return err_set(err, ERR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
    struct process_spec spec = {.argv = (const char *const[]){"unbound", "-dd", "-c", config, NULL},
                                .in = -1,
                                .out = -1,
                                .err = says[1],
                                .before_exec = sandbox_enter_mta,
                                .arg = (void *)resolver->sandbox};
    resolver->process = process_spawn(&spec, err);
    close(says[1]);
    line_pipe_open(&resolver->says, says[0]);
    return resolver->process != NULL;
}

struct resolver *resolver_start(const struct sandbox *sandbox, struct loop *loop, struct err *err)
{
    char buffer[PATH_MAX - 32];
    struct resolver *resolver = calloc(1, sizeof *resolver);
    const char *folder = own_folder(sandbox, buffer, sizeof buffer);
    if (resolver == NULL || folder == NULL) {
        err_set(err, ERR_SYSTEM, "cannot make a folder for unbound: %s", strerror(errno));
        free(resolver);
        return NULL;
    }
    *resolver = (struct resolver){.sandbox = sandbox, .says = {.fd = -1}};
    snprintf(resolver->folder, sizeof resolver->folder, "%s", folder);
    if (!write_files(resolver, NULL, err) || !run(resolver, err) || !wait_until_ready(resolver, loop, err))
        resolver_stop(&resolver);
    return resolver;
}

bool resolver_serve(struct resolver *resolver, const struct resolver_world *world, struct loop *loop, struct err *err)
{
    resolver->worlds++;
    if (!write_files(resolver, world, err))
        return false;
    if (kill(process_id(resolver->process), SIGHUP) != 0)
        return err_set(err, ERR_SYSTEM, "the unbound daemon is gone");
    return wait_until_ready(resolver, loop, err);
}

pid_t resolver_process_id(const struct resolver *resolver)
{
    return resolver != NULL && resolver->process != NULL ? process_id(resolver->process) : 0;
}

void resolver_stop(struct resolver **resolver)
{
    if (*resolver == NULL)
        return;
    process_stop(&(*resolver)->process, 500);
    line_pipe_close(&(*resolver)->says);
    free(*resolver);
    *resolver = NULL;
}
