/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine - the command line of the delivery engine. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/control.h"
#include "engine/engine.h"
#include "engine/message.h"
#include "engine/queue.h"
#include "engine/standby.h"

#define DEFAULT_CONFIG "/etc/mtalab/engine.yaml"
enum { EXIT_FAILED = 1, EXIT_USAGE = 2, CONTENT_MAX = 64 * 1024 * 1024 };

struct command_line {
    const char *config_path, *sender, *about;
    bool json;
    int ready_fd;  /* told when mail is taken; -1 */
    int orders_fd; /* ends the engine when it can be read; -1: signals do */
    int argc;
    char **argv; /* what is left */
    struct arena *arena;
    const struct engine_config *config;
};

static int failed(const struct err *err)
{
    fprintf(stderr, "mtalab-engine: %s\n", err->text);
    return EXIT_FAILED;
}

static int misused(const char *what)
{
    fprintf(stderr, "mtalab-engine: %s; see mtalab-engine --help\n", what);
    return EXIT_USAGE;
}

/* ---- run ---- */

static void on_end(evutil_socket_t number UNUSED, short what UNUSED, void *loop)
{
    loop_stop(loop);
}

/* A signal's number with EV_SIGNAL, a descriptor with EV_READ. */
static struct event *stop_at(struct loop *loop, int number, short what)
{
    struct event *event = event_new(loop_base(loop), number, what, on_end, loop);
    if (event == NULL || event_add(event, NULL) != 0)
        abort();
    return event;
}

static void say_ready(int fd)
{
    if (fd < 0)
        return;
    if (write(fd, "ready\n", 6) < 0) { /* nobody waits any more */
    }
    close(fd);
}

static int run_engine(struct loop *loop, const struct command_line *line)
{
    struct err err;
    struct engine *engine = engine_new(line->config, loop, &err);
    if (engine == NULL)
        return failed(&err);
    say_ready(line->ready_fd);
    bool begun = engine_begin(engine, &err);
    if (begun)
        loop_run_until(loop, NULL, -1);
    engine_free(&engine);
    return begun ? EXIT_SUCCESS : failed(&err);
}

static int do_run(const struct command_line *line)
{
    struct err err;
    struct loop *loop = loop_new(&err);
    if (loop == NULL)
        return failed(&err);
    bool ordered = line->orders_fd >= 0;
    struct event *end = ordered ? stop_at(loop, line->orders_fd, EV_READ) : stop_at(loop, SIGTERM, EV_SIGNAL);
    struct event *interrupt = stop_at(loop, SIGINT, EV_SIGNAL);
    int status = run_engine(loop, line);
    event_free(end);
    event_free(interrupt);
    loop_free(&loop);
    return status;
}

/* ---- one engine after the other ---- */

static bool load_config(struct command_line *line)
{
    struct diag_list *diags = diag_new(line->arena);
    line->config = engine_config_read(line->arena, line->config_path, diags);
    diag_print(diags, stderr);
    return line->config != NULL;
}

static int run_next(void *arg, const char *config_path, int ready_fd, int orders_fd)
{
    struct command_line line = *(const struct command_line *)arg;
    line.config_path = config_path;
    line.ready_fd = ready_fd;
    line.orders_fd = orders_fd;
    line.arena = arena_new("configuration");
    int status = load_config(&line) ? do_run(&line) : EXIT_USAGE;
    arena_free(&line.arena);
    return status;
}

static int do_standby(const struct command_line *line)
{
    return standby_serve(run_next, (void *)line);
}

/* ---- asking the running engine ---- */

static int print_json(json_t *answer)
{
    char *text = json_dumps(answer, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    printf("%s\n", text != NULL ? text : "null");
    free(text);
    return EXIT_SUCCESS;
}

static const char *field(json_t *row, const char *name, char buffer[32])
{
    json_t *value = json_object_get(row, name);
    if (json_is_integer(value))
        snprintf(buffer, 32, "%lld", (long long)json_integer_value(value));
    return json_is_integer(value) ? buffer : json_is_string(value) ? json_string_value(value) : "";
}

/* The named fields of each row, as columns of the given widths; what is longer pushes the rest. */
struct column {
    const char *title, *name;
    int width;
};
static void print_table(json_t *rows, const struct column *columns, size_t count)
{
    size_t i;
    json_t *row;
    for (size_t c = 0; c < count; c++)
        printf("%-*s ", columns[c].width, columns[c].title);
    printf("\n");
    json_array_foreach(rows, i, row)
    {
        for (size_t c = 0; c < count; c++) {
            char buffer[32];
            const char *text = field(row, columns[c].name, buffer);
            text_print_escaped(stdout, text, strlen(text));
            for (int pad = columns[c].width - (int)strlen(text); pad >= 0; pad--)
                putchar(' ');
        }
        printf("\n");
    }
}

static int show(const struct command_line *line, json_t *request, const char *rows, const struct column *columns,
                size_t count)
{
    struct err err;
    json_t *answer = control_ask(line->config->control, request, &err);
    if (answer == NULL)
        return failed(&err);
    int status = EXIT_SUCCESS;
    if (!json_is_true(json_object_get(answer, "ok"))) {
        const char *why = json_string_value(json_object_get(answer, "error"));
        fprintf(stderr, "mtalab-engine: %s\n", why != NULL ? why : "the engine refused");
        status = EXIT_FAILED;
    } else if (line->json) {
        print_json(rows != NULL ? json_object_get(answer, rows) : answer);
    } else if (rows != NULL) {
        print_table(json_object_get(answer, rows), columns, count);
    }
    json_decref(answer);
    return status;
}

/* clang-format off */
static const struct column queue_columns[] = {
    {"MESSAGE", "message", 7}, {"STATE", "state", 9}, {"RECIPIENT", "recipient", 30},
    {"TRIES", "attempts", 5},  {"CODE", "code", 8},   {"REASON", "reason", 0},
};
/* clang-format on */
/* clang-format off */
static const struct column trace_columns[] = {
    {"MESSAGE", "message", 7}, {"TRY", "attempt", 3},      {"EVENT", "event", 7}, {"RECIPIENT", "recipient", 24},
    {"HOST", "host", 28},      {"ADDRESS", "address", 15}, {"MX", "mx_trust", 9}, {"TLSA", "tlsa", 9},
    {"STS", "sts_mode", 7},    {"DEMAND", "demand", 9},    {"CLAUSE", "clause", 13},
    {"TLS", "tls", 7},         {"CODE", "code", 8},        {"TEXT", "text", 0},
};
/* clang-format on */

static int do_queue(const struct command_line *line)
{
    return show(line, json_pack("{s:s}", "do", "queue"), "messages", queue_columns, COUNT(queue_columns));
}

static int do_status(const struct command_line *line)
{
    return show(line, json_pack("{s:s}", "do", "status"), "messages", queue_columns, COUNT(queue_columns));
}

static int do_trace(const struct command_line *line)
{
    json_t *request = json_pack("{s:s}", "do", "trace");
    if (line->argc > 0)
        json_object_set_new(request, "about", json_string(line->argv[0]));
    return show(line, request, "trace", trace_columns, COUNT(trace_columns));
}

static int do_requeue(const struct command_line *line)
{
    json_int_t message = line->argc > 0 ? strtoll(line->argv[0], NULL, 10) : 0;
    if (line->argc > 0 && message <= 0)
        return misused("requeue wants the number of a message, or nothing");
    return show(line, json_pack("{s:s,s:I}", "do", "requeue", "message", message), NULL, NULL, 0);
}

static int do_flush(const struct command_line *line)
{
    return show(line, json_pack("{s:s}", "do", "flush"), NULL, NULL, 0);
}

static int do_stop(const struct command_line *line)
{
    return show(line, json_pack("{s:s}", "do", "stop"), NULL, NULL, 0);
}

/* ---- without the running engine ---- */

static const char *const dane_words[] = {"opportunistic", "mandatory", "none"};
static const char *const sts_words[] = {"opportunistic", "none"};

static int do_route(const struct command_line *line)
{
    if (line->argc != 1)
        return misused("route wants one recipient");
    size_t count;
    const struct connector *connectors = engine_connectors(line->config, &count);
    const char *domain = message_domain(line->arena, line->argv[0]);
    struct connector_choice choice = connector_choose(connectors, count, domain);
    const struct connector *c = choice.connector;
    const char *route = c != NULL && c->smart_hosts.count > 0 ? c->smart_hosts.items[0] : domain;
    const char *dane = dane_words[c != NULL ? c->dane : DANE_OPPORTUNISTIC],
               *sts = sts_words[c != NULL ? c->mta_sts : MTA_STS_OPPORTUNISTIC];
    if (line->json) {
        json_t *answer = json_pack("{s:s,s:s,s:s?,s:s?,s:s,s:s,s:s,s:s}", "recipient", line->argv[0], "domain", domain,
                                   "connector", c != NULL ? c->name : NULL, "scope", choice.scope, "why", choice.why,
                                   "smtp-dane", dane, "mta-sts", sts, "next-hop", route);
        print_json(answer);
        json_decref(answer);
    } else {
        printf("%s: connector %s (%s%s%s), smtp-dane %s, mta-sts %s, next hop %s\n", line->argv[0],
               c != NULL ? c->name : "none", choice.why, choice.scope != NULL ? ": " : "",
               choice.scope != NULL ? choice.scope : "", dane, sts, route);
    }
    return EXIT_SUCCESS;
}

/* Reads a mail from standard input; lone LFs become CRLF. */
static char *read_mail(struct arena *arena, size_t *length)
{
    struct {
        char *items;
        size_t count, room;
    } text = {0};
    int byte, before = 0;
    while ((byte = getchar()) != EOF && text.count < CONTENT_MAX) {
        if (byte == '\n' && before != '\r')
            *ARENA_PUSH(arena, &text) = '\r';
        *ARENA_PUSH(arena, &text) = (char)byte;
        before = byte;
    }
    *length = text.count;
    return text.items != NULL ? text.items : arena_strdup(arena, "");
}

static bool addresses_are_sound(const struct command_line *line)
{
    for (int i = -1; i < line->argc; i++) {
        const char *address = i < 0 ? line->sender : line->argv[i];
        const char *path = arena_printf(line->arena, "<%s>", address);
        if (message_parse_path(line->arena, &path, i < 0) == NULL || *path != '\0') {
            fprintf(stderr, "mtalab-engine: '%s' is no address\n", address);
            return false;
        }
    }
    return true;
}

/* Into the queue directly, whether or not an engine runs; one that runs is told. */
static int do_send(const struct command_line *line)
{
    struct err err;
    struct message message = {.sender = line->sender,
                              .recipients = (const char *const *)line->argv,
                              .recipient_count = (size_t)line->argc};
    if (line->argc == 0 || line->argc > RECIPIENTS_MAX)
        return misused("send wants recipients");
    if (!addresses_are_sound(line))
        return EXIT_USAGE;
    message.content = read_mail(line->arena, &message.length);
    if (message_has_bare_end(message.content, message.length))
        return misused("a CR stands alone in the mail");
    int64_t id;
    struct clock clock = {(int64_t)line->config->clock_offset};
    struct queue *queue = queue_open(engine_queue_path(line->arena, line->config), line->config->fsync, &clock, &err);
    bool queued = queue != NULL && queue_add(queue, &message, &id, &err);
    queue_close(&queue);
    if (!queued)
        return failed(&err);
    json_t *answer =
        control_ask(line->config->control, json_pack("{s:s,s:I}", "do", "requeue", "message", (json_int_t)id), &err);
    printf(line->json ? "{\"message\":%lld,\"engine\":%s}\n" : "queued as %lld%s\n", (long long)id,
           line->json ? (answer != NULL ? "true" : "false") : (answer != NULL ? "" : "; no engine runs"));
    json_decref(answer);
    return EXIT_SUCCESS;
}

static int do_check_config(const struct command_line *line)
{
    size_t count;
    (void)engine_connectors(line->config, &count);
    printf(line->json ? "{\"ok\":true,\"connectors\":%zu}\n" : "the configuration is sound; %zu connectors\n", count);
    return EXIT_SUCCESS;
}

/* ---- the command line ---- */

/* clang-format off */
static const struct {
    const char *name, *args, *doc;
    int (*run)(const struct command_line *line);
} commands[] = {
    {"run", "CONFIG [--ready-fd N]", "takes mail and delivers it, until SIGTERM", do_run},
    {"standby", "", "runs a fresh engine for each configuration named on standard input", do_standby},
    {"send", "[--from SENDER] RCPT...", "puts a mail from standard input into the queue", do_send},
    {"queue", "", "what waits, and why", do_queue},
    {"status", "", "every recipient that the queue knows", do_status},
    {"requeue", "[MESSAGE]", "tries queued mail now", do_requeue},
    {"flush", "", "tries all queued mail now and waits until each has finished an attempt", do_flush},
    {"trace", "[RCPT|DOMAIN|MESSAGE]", "for each attempt the facts, the decision, its clause, the code", do_trace},
    {"route", "RCPT", "which connector takes this recipient, and why", do_route},
    {"config", "", "checks the configuration", do_check_config},
    {"stop", "", "ends the engine", do_stop},
};
/* clang-format on */

static void print_help(FILE *out)
{
    fprintf(out, "usage: mtalab-engine COMMAND [--config FILE] [--json] ...\n\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(out, "  %-8s %-26s %s\n", commands[i].name, commands[i].args, commands[i].doc);
    fprintf(
        out,
        "\n  --config FILE   the configuration (" DEFAULT_CONFIG ")\n  --json          JSON instead of a table\n"
        "  --manual        everything that can be configured\n  --schema        the same as JSON Schema\n  --help\n");
}

enum { OPTION_CONFIG = 1000, OPTION_JSON, OPTION_READY, OPTION_FROM, OPTION_HELP, OPTION_MANUAL, OPTION_SCHEMA };
static const struct option options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"json", no_argument, NULL, OPTION_JSON},
    {"ready-fd", required_argument, NULL, OPTION_READY},
    {"from", required_argument, NULL, OPTION_FROM},
    {"help", no_argument, NULL, OPTION_HELP},
    {"manual", no_argument, NULL, OPTION_MANUAL},
    {"schema", no_argument, NULL, OPTION_SCHEMA},
    {NULL, 0, NULL, 0},
};

/* -1: go on; otherwise the exit status. */
static int take_option(struct command_line *line, int option)
{
    switch (option) {
    case OPTION_CONFIG:
        line->config_path = optarg;
        return -1;
    case OPTION_JSON:
        line->json = true;
        return -1;
    case OPTION_READY:
        line->ready_fd = (int)strtol(optarg, NULL, 10);
        return -1;
    case OPTION_FROM:
        line->sender = optarg;
        return -1;
    case OPTION_HELP:
        print_help(stdout);
        return EXIT_SUCCESS;
    case OPTION_MANUAL:
        schema_print_manual(&engine_config_schema, stdout);
        return EXIT_SUCCESS;
    case OPTION_SCHEMA:
        schema_print_json(&engine_config_schema, "engine", stdout);
        return EXIT_SUCCESS;
    default:
        return EXIT_USAGE;
    }
}

static int run_command(struct command_line *line)
{
    const char *name = line->argv[0];
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(commands[i].name, name) == 0) {
            line->argc--;
            line->argv++;
            if (commands[i].run == do_run && line->argc > 0) {
                line->config_path = line->argv[0];
                line->argc--;
            }
            return commands[i].run == do_standby || load_config(line) ? commands[i].run(line) : EXIT_USAGE;
        }
    fprintf(stderr, "mtalab-engine: unknown command '%s'\n", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct command_line line = {.config_path = DEFAULT_CONFIG, .sender = "", .ready_fd = -1, .orders_fd = -1};
    int option, status = -1;
    while (status < 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
        status = take_option(&line, option);
    if (status >= 0)
        return status;
    line.argc = argc - optind;
    line.argv = argv + optind;
    if (line.argc == 0) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    line.arena = arena_new("command line");
    status = run_command(&line);
    arena_free(&line.arena);
    return status;
}
