/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/standby.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"
#include "engine/resolve.h"
#include "engine/store.h"
#include "engine/sts_fetch.h"
#include "engine/tls_client.h"

/* The first use of a library costs far more than the next, which is all that an engine then pays. What fails here says
 * why when an engine wants it. */
static void warm_up(void)
{
    struct err err;
    struct loop *loop = loop_new(&err);
    if (loop == NULL)
        return;
    struct dns_options options = {.ipv4 = true};
    struct resolve *resolve = resolve_new(&options, loop, &err);
    struct sts_fetch *fetch = sts_fetch_new(NULL, 1, loop, &err);
    struct tls_client *tls = tls_client_new(NULL, &err);
    struct store *store = store_open(":memory:", "", false, &err);
    resolve_free(&resolve);
    sts_fetch_free(&fetch);
    tls_client_free(&tls);
    if (store != NULL)
        store_close(&store);
    loop_free(&loop);
}

static void say(const char *answer)
{
    puts(answer);
    fflush(stdout);
}

int standby_serve(int (*run)(void *arg, const char *config_path, int ready_fd, int orders_fd), void *arg)
{
    char line[PATH_MAX];
    int status = EXIT_SUCCESS;
    setvbuf(stdin, NULL, _IONBF, 0); /* what has come but was not asked for must show in the descriptor */
    warm_up();
    while (status == EXIT_SUCCESS && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0')
            say("ended");
        else
            status = run(arg, line, dup(STDOUT_FILENO), STDIN_FILENO);
    }
    return status;
}
