/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine run, standby, stop - the life of an engine. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/command_words.h"
#include "engine/engine.h"
#include "engine/gate_news.h"
#include "engine/standby.h"

struct life { /* of one engine */
    const struct engine_config *config;
    int ready_fd;  /* told when mail is taken; -1 */
    int orders_fd; /* ends the engine when it can be read; -1: signals do */
};

static void on_end(evutil_socket_t number UNUSED, short what UNUSED, void *loop)
{
    loop_stop(loop);
}

static void on_hangup(evutil_socket_t number UNUSED, short what UNUSED, void *engine)
{
    struct arena *arena = arena_new("reload");
    const char *said, *news = "";
    if (!engine_reload(engine, arena, &said, &news))
        fprintf(stderr, "mtalab-engine: %s\n", said);
    else if (*said != '\0')
        fprintf(stderr, "mtalab-engine: reloaded; %s: at the next start\n", said);
    fputs(news, stderr);
    arena_free(&arena);
}

/* A signal's number with EV_SIGNAL, a descriptor with EV_READ. */
static struct event *event_at(struct loop *loop, int number, short what, event_callback_fn done, void *arg)
{
    struct event *event = event_new(loop_base(loop), number, what, done, arg);
    if (event == NULL || event_add(event, NULL) != 0)
        abort();
    return event;
}

static struct event *stop_at(struct loop *loop, int number, short what)
{
    return event_at(loop, number, what, on_end, loop);
}

static void say_ready(int fd)
{
    if (fd < 0)
        return;
    if (write(fd, "ready\n", 6) < 0) { /* nobody waits any more */
    }
    close(fd);
}

static void tell_news(const struct engine_config *config)
{
    struct arena *arena = arena_new("news");
    fputs(gate_news(arena, config, (int64_t)time(NULL) + (int64_t)config->clock_offset), stderr);
    arena_free(&arena);
}

static int live(struct loop *loop, const struct life *life)
{
    struct err err;
    struct engine *engine = engine_new(life->config, loop, &err);
    if (engine == NULL)
        return command_failed(&err);
    tell_news(life->config);
    struct event *hangup = event_at(loop, SIGHUP, EV_SIGNAL | EV_PERSIST, on_hangup, engine);
    say_ready(life->ready_fd);
    bool begun = engine_begin(engine, &err);
    if (begun)
        loop_run_until(loop, NULL, -1);
    event_free(hangup);
    engine_free(&engine);
    return begun ? EXIT_SUCCESS : command_failed(&err);
}

/* Thousands of destinations may hang at once, each with its connection. */
static void allow_many_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fprintf(stderr, "mtalab-engine: the limit of descriptors stays as it is: %s\n", strerror(errno));
}

static int run_engine(const struct life *life)
{
    struct err err;
    struct loop *loop = loop_new(&err);
    if (loop == NULL)
        return command_failed(&err);
    allow_many_descriptors();
    signal(SIGXFSZ, SIG_IGN); /* a file too big is told like a full disk */
    bool ordered = life->orders_fd >= 0;
    struct event *end = ordered ? stop_at(loop, life->orders_fd, EV_READ) : stop_at(loop, SIGTERM, EV_SIGNAL);
    struct event *interrupt = stop_at(loop, SIGINT, EV_SIGNAL);
    int status = live(loop, life);
    event_free(end);
    event_free(interrupt);
    loop_free(&loop);
    return status;
}

static int do_run(const struct command_line *line)
{
    const char *ready = command_said(line, "--ready-fd");
    struct life life = {line->config, ready != NULL ? (int)strtol(ready, NULL, 10) : -1, -1};
    return run_engine(&life);
}

static int run_next(void *arg UNUSED, const char *config_path, int ready_fd, int orders_fd)
{
    struct command_line line = {.config_path = config_path, .arena = arena_new("configuration")};
    int status = COMMAND_MISUSED;
    if (command_load_config(&line)) {
        struct life life = {line.config, ready_fd, orders_fd};
        status = run_engine(&life);
    }
    arena_free(&line.arena);
    return status;
}

static int do_standby(const struct command_line *line UNUSED)
{
    return standby_serve(run_next, NULL);
}

static int do_stop(const struct command_line *line)
{
    return command_show(line, json_pack("{s:s}", "do", "stop"), NULL, NO_TABLE);
}

static int do_reload(const struct command_line *line)
{
    json_t *answer = command_ask(line, json_pack("{s:s}", "do", "reload"));
    if (answer == NULL)
        return COMMAND_FAILED;
    const char *waits = json_string_value(json_object_get(answer, "waits"));
    if (line->json)
        command_print_json(stdout, answer);
    else if (waits != NULL && *waits != '\0')
        printf("reloaded; %s: at the next start\n", waits);
    else
        printf("reloaded\n");
    const char *news = json_string_value(json_object_get(answer, "news"));
    if (!line->json && news != NULL)
        fputs(news, stderr);
    json_decref(answer);
    return EXIT_SUCCESS;
}

static const struct command_option run_options[] = {
    {"--ready-fd", "N", "writes a line to this descriptor when mail is taken, then closes it"},
};
const struct command command_run = {.name = "run",
                                    .args = "[CONFIG]",
                                    .doc = "takes mail and delivers it, until SIGTERM",
                                    .run = do_run,
                                    .options = run_options,
                                    .option_count = COUNT(run_options),
                                    .config_word = true};
const struct command command_standby = {.name = "standby",
                                        .args = "",
                                        .doc = "runs a fresh engine for each configuration named on standard input",
                                        .run = do_standby,
                                        .no_config = true};
const struct command command_reload = {.name = "reload",
                                       .args = "",
                                       .doc = "has the running engine read its configuration again",
                                       .run = do_reload,
                                       .details =
                                           "What changed rules from each message's next attempt on. A file with "
                                           "mistakes is refused, and the old configuration rules on. SIGHUP does "
                                           "the same; the engine then says on standard error what was wrong."};
const struct command command_stop = {.name = "stop", .args = "", .doc = "ends the engine", .run = do_stop};
