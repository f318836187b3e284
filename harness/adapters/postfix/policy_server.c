/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/postfix/policy_server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"

struct policy_server {
    struct process *process;
    FILE *hears, *says;
    char version[40];
};

/* The next word that it says; NULL: it has ended. */
static const char *answer_of(struct policy_server *server, char *line, int size)
{
    if (fgets(line, size, server->says) == NULL)
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static bool is_ready(struct policy_server *server, struct err *err)
{
    char line[100];
    const char *answer = answer_of(server, line, sizeof line);
    return (answer != NULL && strcmp(answer, "ready") == 0) ||
           err_set(err, ERR_SYSTEM, "the policy server ended; its complaint is in the lab's log");
}

static bool spawn(struct policy_server *server, const char *program, struct err *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return err_set(err, ERR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
    struct process_spec spec = {.argv = (const char *const[]){program, NULL}, .in = in[0], .out = out[1], .err = 2};
    server->process = process_spawn(&spec, err);
    close(in[0]);
    close(out[1]);
    server->hears = fdopen(in[1], "w");
    server->says = fdopen(out[0], "r");
    return server->process != NULL && server->hears != NULL && server->says != NULL;
}

struct policy_server *policy_server_new(const char *program, struct err *err)
{
    char line[100];
    struct policy_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        abort();
    if (!spawn(server, program, err)) {
        policy_server_free(&server);
        return NULL;
    }
    const char *first = answer_of(server, line, sizeof line);
    if (first == NULL || sscanf(first, "here %39s", server->version) != 1) {
        err_set(err, ERR_SYSTEM, "the policy server does not start");
        policy_server_free(&server);
    }
    return server;
}

const char *policy_server_version(const struct policy_server *server)
{
    return server->version;
}

bool policy_server_begin(struct policy_server *server, const char *folder, const char *ca, int patience_s,
                         struct err *err)
{
    char path[PATH_MAX], text[PATH_MAX * 2];
    snprintf(path, sizeof path, "%s/policy.yaml", folder);
    int length = snprintf(text, sizeof text,
                          "path: %s/policy.sock\nmode: 0666\ncache_grace: 0\nshutdown_timeout: 1\n"
                          "default_zone: {strict_testing: false, timeout: %d}\n",
                          folder, patience_s);
    if (!text_write_file(path, text, (size_t)length, err))
        return false;
    fprintf(server->hears, "%s %s\n", ca, path);
    fflush(server->hears);
    return is_ready(server, err);
}

void policy_server_end(struct policy_server *server)
{
    fputs("\n", server->hears);
    fflush(server->hears);
    (void)is_ready(server, NULL);
}

void policy_server_free(struct policy_server **server)
{
    struct policy_server *it = *server;
    if (it == NULL)
        return;
    if (it->hears != NULL)
        fclose(it->hears);
    if (it->says != NULL)
        fclose(it->says);
    process_stop(&it->process, 2000);
    free(it);
    *server = NULL;
}
