/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine alerts - what wants looking at, and telling it once: by mail, command or file. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "engine/alerts_told.h"
#include "engine/command_look.h"
#include "engine/command_words.h"
#include "engine/control.h"
#include "engine/engine.h"
#include "engine/queue.h"
#include "engine/unique.h"

enum { DAY = 86400, DAYS = 3 };

struct teller {
    const struct command_line *line;
    int64_t now;
};

/* ---- the sinks ---- */

static json_t *json_of(const struct teller *t, const struct alert *alert, const struct alert_age *age)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:b}", "kind", alert->kind, "about", alert->about, "text", alert->text, "since",
                     command_time(t->line->arena, age->since), "told", (int)age->told);
}

static bool tell_file(const struct teller *t, const struct alert *alert, const struct alert_age *age, struct err *err)
{
    const char *path = t->line->config->alerts.file;
    FILE *file = fopen(path, "ae");
    if (file == NULL)
        return err_set(err, ERR_SYSTEM, "cannot write %s", path);
    json_t *row = json_of(t, alert, age);
    json_object_set_new(row, "at", json_string(command_time(t->line->arena, t->now)));
    json_dumpf(row, file, JSON_COMPACT | JSON_PRESERVE_ORDER);
    fputc('\n', file);
    json_decref(row);
    return fclose(file) == 0 || err_set(err, ERR_SYSTEM, "cannot write %s", path);
}

/* The command gets kind and about as its arguments, the sentence on standard input. */
static bool tell_command(const struct teller *t, const struct alert *alert, const struct alert_age *age UNUSED,
                         struct err *err)
{
    struct arena *arena = t->line->arena;
    const char *argv[] = {t->line->config->alerts.command, alert->kind, message_line(arena, alert->about), NULL};
    FILE *text = tmpfile();
    if (text == NULL)
        return err_set(err, ERR_SYSTEM, "cannot make a file for the alert's text");
    fprintf(text, "%s\n", message_line(arena, alert->text));
    rewind(text);
    struct process_spec spec = {.argv = argv, .in = fileno(text), .out = STDOUT_FILENO, .err = STDERR_FILENO};
    struct process *process = process_spawn(&spec, err);
    bool spawned = process != NULL;
    int status = process_wait(&process);
    fclose(text);
    return spawned && (status == 0 || err_set(err, ERR_SYSTEM, "%s failed", argv[0]));
}

/* Into the engine's own queue, as a report: nothing is told about it when it fails. */
static bool tell_mail(const struct teller *t, const struct alert *alert, const struct alert_age *age UNUSED,
                      struct err *err)
{
    const struct engine_config *config = t->line->config;
    struct arena *arena = t->line->arena;
    struct clock clock = {(int64_t)config->clock_offset};
    const char *content =
        arena_printf(arena,
                     "From: <postmaster@%s>\r\nTo: <%s>\r\nDate: %s\r\nSubject: mtalab-engine: %s %s\r\n"
                     "Message-ID: <alert.%s@%s>\r\nAuto-Submitted: auto-generated\r\n\r\n%s\r\n",
                     config->hostname, config->alerts.mail, message_date(arena, t->now), alert->kind,
                     message_line(arena, alert->about), unique_word(arena), config->hostname,
                     message_line(arena, alert->text));
    struct message message = {.sender = "",
                              .recipients = (const char *const *)&config->alerts.mail,
                              .recipient_count = 1,
                              .content = content,
                              .length = strlen(content),
                              .report = true};
    int64_t id;
    struct queue *queue = queue_open(engine_queue_path(arena, config), config->fsync, &clock, err);
    bool added = queue != NULL && queue_add(queue, &message, &id, err);
    queue_close(&queue);
    struct err ignored; /* without an engine it waits for the next one */
    if (added)
        json_decref(
            control_ask(config->control, json_pack("{s:s,s:I}", "do", "queued", "message", (json_int_t)id), &ignored));
    return added;
}

static const struct sink {
    size_t offset; /* of its setting */
    bool (*tell)(const struct teller *t, const struct alert *alert, const struct alert_age *age, struct err *err);
} sinks[] = {
    {offsetof(struct engine_alerts, file), tell_file},
    {offsetof(struct engine_alerts, command), tell_command},
    {offsetof(struct engine_alerts, mail), tell_mail},
};

/* Told is told when every sink has taken it. */
static bool tell(const struct teller *t, const struct alert *alert, const struct alert_age *age, struct err *err)
{
    for (size_t i = 0; i < COUNT(sinks); i++) {
        const char *const *setting =
            (const char *const *)(const void *)((const char *)&t->line->config->alerts + sinks[i].offset);
        if (*setting != NULL && !sinks[i].tell(t, alert, age, err))
            return false;
    }
    return true;
}

/* ---- finding and telling ---- */

static bool engine_answers(const struct command_line *line)
{
    struct err err;
    json_t *answer = control_ask(line->config->control, json_pack("{s:s,s:i}", "do", "queue", "limit", 1), &err);
    bool answers = answer != NULL;
    json_decref(answer);
    return answers;
}

static bool find(const struct teller *t, struct alerts *out, struct err *err)
{
    const struct engine_alerts *config = &t->line->config->alerts;
    struct history history;
    struct alert_facts facts = {.history = &history,
                                .limits = {config->late, config->signature, config->certificate},
                                .engine_answers = engine_answers(t->line)};
    if (!history_read(t->line->arena, t->line->config, t->now - DAYS * DAY, t->now, &history, err) ||
        !history_read_reports(t->line->arena, t->line->config, &history, err))
        return false;
    *out = alerts_find(t->line->arena, &facts);
    return true;
}

/* clang-format off */
static const struct command_column columns[] = {
    {"KIND", "kind"}, {"SINCE", "since"}, {"ALERT", "text"},
};
/* clang-format on */

static void print(const struct teller *t, const struct alerts *alerts, const struct alert_age *ages)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < alerts->count; i++)
        json_array_append_new(rows, json_of(t, &alerts->items[i], &ages[i]));
    if (t->line->json)
        command_print_json(stdout, rows);
    else if (alerts->count > 0)
        command_print_table(stdout, rows, COMMAND_TABLE(columns));
    json_decref(rows);
}

/* So many a day, and then that there are more: whoever gets ten thousand mails reads none. */
static bool tell_one(const struct teller *t, const char *path, const struct alert *alert, struct alert_age *age,
                     struct err *err)
{
    static const struct alert more = {"more", "", "there are more alerts than are told a day: mtalab-engine alerts"};
    int64_t today;
    if (!alerts_told_today(path, t->now, &today, err))
        return false;
    int64_t left = t->line->config->alerts.limit - today;
    if (left < 0)
        return true;
    const struct alert *said = left > 0 ? alert : &more;
    bool fine = tell(t, said, age, err) && alerts_told_note(path, t->now, said, err);
    age->told = fine && left > 0;
    return fine;
}

static bool tell_new(const struct teller *t, const char *path, const struct alerts *alerts, struct alert_age *ages,
                     struct err *err)
{
    for (size_t i = 0; i < alerts->count; i++)
        if (!ages[i].told && !tell_one(t, path, &alerts->items[i], &ages[i], err))
            return false;
    return true;
}

static int do_alerts(const struct command_line *line)
{
    struct teller t = {line, (int64_t)time(NULL) + (int64_t)line->config->clock_offset};
    const char *path = arena_printf(line->arena, "%s/alerts.db", line->config->directory);
    struct err err;
    struct alerts alerts;
    if (!find(&t, &alerts, &err))
        return command_failed(&err);
    struct alert_age *ages = arena_alloc(line->arena, (alerts.count + 1) * sizeof *ages);
    if (!alerts_told_read(path, t.now, &alerts, ages, &err) ||
        (command_said(line, "--tell") != NULL && !tell_new(&t, path, &alerts, ages, &err)))
        return command_failed(&err);
    print(&t, &alerts, ages);
    return alerts.count == 0 ? EXIT_SUCCESS : COMMAND_FAILED;
}

static const struct command_option options[] = {
    {"--tell", NULL, "tells what is new to the sinks of the configuration, each alert once"},
};
const struct command command_alerts = {
    .name = "alerts",
    .args = "",
    .doc = "what wants looking at: mail that waits, destinations that fail, what is about to expire",
    .run = do_alerts,
    .options = options,
    .option_count = COUNT(options),
    .details =
        "Status 0: nothing; 1: something. To be run every few minutes with --tell, by a timer: the configuration's "
        "alerts: says whom, by mail, command or file. An alert is told again only after it was over, and no more than "
        "alerts: limit a day."};
