/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "harness/lab.h"
#include "harness/line_pipe.h"

extern char **environ;

enum { DESCRIBE_S = 10, START_S = 30 };

struct subject {
    struct arena *arena;
    const struct sandbox *sandbox;
    const char *directory; /* MTALAB_DIR */
    struct process *process;
    struct line_pipe says;
    int hears;
    json_t *described;
    struct subject_facts facts;
    char why[500];
};

/* ---- the adapter's process ---- */

static const char **environment(const struct subject *subject)
{
    const struct sandbox *box = subject->sandbox;
    struct {
        const char **items;
        size_t count, room;
    } list = {0};
    struct arena *arena = subject->arena;
    for (char **entry = environ; *entry != NULL; entry++)
        if (strncmp(*entry, "MTALAB_", 7) != 0)
            *ARENA_PUSH(arena, &list) = *entry;
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_DIR=%s", subject->directory);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_RESOLVER=%s", box->resolver);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_ROOT_KEY=%s/" LAB_ROOT_KEY, box->directory);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_ROOT_HINTS=%s/" LAB_ROOT_HINTS, box->directory);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_RESOLVER_OPTIONS=%s/" LAB_RESOLVER_OPTIONS, box->directory);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_CONNECTORS=%s/" LAB_CONNECTORS, box->directory);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_CA=%s", box->ca_path);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_DKIM_KEY=%s/" LAB_DKIM_KEY, box->directory);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_LISTEN=%s:%d", box->listen, SUBJECT_PORT);
    *ARENA_PUSH(arena, &list) = "MTALAB_HOSTNAME=" SUBJECT_HOSTNAME;
    *ARENA_PUSH(arena, &list) = "MTALAB_DANE=none";
    *ARENA_PUSH(arena, &list) = "MTALAB_MTA_STS=none";
    *ARENA_PUSH(arena, &list) = "MTALAB_PATIENCE=5";
    *ARENA_PUSH(arena, &list) = NULL;
    return list.items;
}

static int remove_entry(const char *path, const struct stat *status UNUSED, int flag UNUSED, struct FTW *at UNUSED)
{
    return remove(path);
}

static bool make_directory(const char *path, struct err *err)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return mkdir(path, 0755) == 0 || err_set(err, ERR_SYSTEM, "cannot make %s: %s", path, strerror(errno));
}

static const char *log_path(const struct subject *subject)
{
    return arena_printf(subject->arena, "%s.log", subject->directory);
}

/* What the adapter complains about goes to a file beside its directory. */
static int open_log(const struct subject *subject)
{
    return open(log_path(subject), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
}

static bool spawn_adapter(struct subject *subject, const char *adapter, struct err *err)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0)
        return err_set(err, ERR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return err_set(err, ERR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
    }
    int log = open_log(subject);
    struct process_spec spec = {.argv = (const char *const[]){adapter, NULL},
                                .environment = environment(subject),
                                .in = in[0],
                                .out = out[1],
                                .err = log,
                                .before_exec = sandbox_enter_mta,
                                .arg = (void *)subject->sandbox};
    subject->process = process_spawn(&spec, err);
    close(in[0]);
    close(out[1]);
    if (log >= 0)
        close(log);
    subject->hears = in[1];
    line_pipe_open(&subject->says, out[0]);
    return subject->process != NULL;
}

/* ---- one verb ---- */

static void remember(struct subject *subject, const char *text)
{
    snprintf(subject->why, sizeof subject->why, "%s", text);
}

static bool say(struct subject *subject, const char *line)
{
    size_t length = strlen(line);
    return write(subject->hears, line, length) == (ssize_t)length && write(subject->hears, "\n", 1) == 1;
}

static const char *first_word(const char *line, char *word, size_t size)
{
    snprintf(word, size, "%.*s", (int)strcspn(line, " "), line);
    return word;
}

/* The last line of what the adapter complained about; "" if there is none. */
static const char *last_words(const struct subject *subject)
{
    char end[512];
    FILE *log = fopen(log_path(subject), "re");
    size_t length = 0;
    if (log != NULL) {
        if (fseek(log, -(long)sizeof end, SEEK_END) != 0)
            rewind(log);
        length = fread(end, 1, sizeof end, log);
        fclose(log);
    }
    while (length > 0 && strchr("\n\r ", end[length - 1]) != NULL)
        length--;
    size_t begin = length;
    while (begin > 0 && end[begin - 1] != '\n')
        begin--;
    return text_escape(subject->arena, end + begin, length - begin);
}

static enum subject_answer no_answer(struct subject *subject, const char *line)
{
    char verb[40];
    const char *words = last_words(subject);
    first_word(line, verb, sizeof verb);
    snprintf(subject->why, sizeof subject->why, "the adapter %s '%s'%s%s",
             subject->says.ended ? "ended during" : "does not answer", verb,
             *words != '\0' ? "; the last it wrote to standard error: " : "", words);
    return subject->says.ended ? SUBJECT_GONE : SUBJECT_SILENT;
}

static enum subject_answer judge(struct subject *subject, const json_t *answer)
{
    const char *missing = json_string_value(json_object_get(answer, "unsupported"));
    const char *error = json_string_value(json_object_get(answer, "error"));
    if (json_is_true(json_object_get(answer, "ok")))
        return SUBJECT_YES;
    remember(subject, missing != NULL ? missing : error != NULL ? error : "the adapter said neither yes nor why not");
    return missing != NULL ? SUBJECT_UNSUPPORTED : SUBJECT_ERROR;
}

enum subject_answer subject_ask(struct subject *subject, struct loop *loop, double seconds, const char *line,
                                json_t **answer)
{
    if (!say(subject, line)) {
        subject->says.ended = true;
        return no_answer(subject, line);
    }
    const char *text = line_pipe_next(&subject->says, loop, seconds);
    if (text == NULL)
        return no_answer(subject, line);
    json_error_t why;
    json_t *read = json_loads(text, 0, &why);
    if (!json_is_object(read)) {
        json_decref(read);
        snprintf(subject->why, sizeof subject->why, "the adapter's answer is not JSON: %.200s", text);
        return SUBJECT_GONE;
    }
    enum subject_answer kind = judge(subject, read);
    if (kind == SUBJECT_YES && answer != NULL)
        *answer = read;
    else
        json_decref(read);
    return kind;
}

const char *subject_why(const struct subject *subject)
{
    return subject->why;
}

/* ---- what it is ---- */

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : otherwise;
}

static unsigned modes_of(struct arena *arena, const json_t *described)
{
    unsigned modes = 0, mode;
    size_t i;
    json_t *pair;
    json_array_foreach(json_object_get(described, "modes"), i,
                       pair) if (mode_parse(arena_printf(arena, "dane=%s,mta-sts=%s", text_of(pair, "dane", ""),
                                                         text_of(pair, "mta-sts", "")),
                                            &mode)) modes |= 1u << mode;
    return modes;
}

static const char *reading(const void *described, const char *key)
{
    return json_string_value(json_object_get(json_object_get(described, "latitude"), key));
}

static void take_facts(struct subject *subject)
{
    const json_t *d = subject->described, *features = json_object_get(d, "features");
    struct subject_facts *f = &subject->facts;
    const char **words = arena_alloc(subject->arena, (json_array_size(features) + 1) * sizeof *words);
    for (size_t i = 0; i < json_array_size(features); i++) {
        const char *word = json_string_value(json_array_get(features, i));
        if (word != NULL)
            words[f->feature_count++] = word;
    }
    f->features = words;
    f->name = text_of(d, "name", "subject");
    f->version = text_of(d, "version", "");
    f->modes = modes_of(subject->arena, d);
    f->reading = reading;
    f->reading_arg = d;
    f->own_resolver = strcmp(text_of(d, "resolver", "daemon"), "own") == 0;
    f->asynchronous_fetch = strcmp(text_of(d, "sts-fetch", "synchronous"), "asynchronous") == 0;
    f->needs_root = json_is_true(json_object_get(d, "needs-root"));
}

struct subject *subject_new(const char *adapter, const struct sandbox *sandbox, struct loop *loop, struct err *err)
{
    struct arena *arena = arena_new("subject");
    struct subject *subject = arena_alloc(arena, sizeof *subject);
    *subject = (struct subject){.arena = arena, .sandbox = sandbox, .says = {.fd = -1}, .hears = -1};
    subject->directory = arena_printf(arena, "%s/subject", sandbox->directory);
    if (!make_directory(subject->directory, err) || !spawn_adapter(subject, adapter, err)) {
        subject_stop(&subject);
        return NULL;
    }
    if (subject_ask(subject, loop, DESCRIBE_S, "describe", &subject->described) != SUBJECT_YES) {
        err_set(err, ERR_SYSTEM, "%s: %s", adapter, subject->why);
        subject_stop(&subject);
        return NULL;
    }
    take_facts(subject);
    return subject;
}

/* An adapter that says yes to what cannot be is not believed in anything else. */
enum subject_answer subject_start(struct subject *subject, struct loop *loop)
{
    static const char *const impossible[] = {"frobnicate", "begin MTALAB_DANE=frobnicate MTALAB_MTA_STS=none"};
    enum subject_answer started = SUBJECT_YES;
    for (size_t i = 0; i < COUNT(impossible); i++) {
        enum subject_answer got = subject_ask(subject, loop, START_S, impossible[i], NULL);
        if (got == SUBJECT_YES) {
            snprintf(subject->why, sizeof subject->why,
                     "the adapter says yes to '%s', which does not exist: it is not believed", impossible[i]);
            return SUBJECT_GONE;
        }
        if (got > SUBJECT_ERROR)
            return got;
        if (i == 0)
            started = subject_ask(subject, loop, START_S, "start", NULL);
        if (started != SUBJECT_YES)
            return started;
    }
    return SUBJECT_YES;
}

const struct subject_facts *subject_facts(const struct subject *subject)
{
    return &subject->facts;
}

bool subject_uses_daemon(const struct subject *subject)
{
    return !subject->facts.own_resolver;
}

size_t subject_status(struct arena *arena, const json_t *answer, const struct verdict_status **out)
{
    const json_t *messages = json_object_get(answer, "messages");
    size_t count = json_array_size(messages);
    struct verdict_status *list = arena_alloc(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        const json_t *message = json_array_get(messages, i);
        list[i] = (struct verdict_status){arena_strdup(arena, text_of(message, "recipient", "")),
                                          arena_strdup(arena, text_of(message, "state", "")),
                                          arena_strdup(arena, text_of(message, "code", "")),
                                          arena_strdup(arena, text_of(message, "reason", ""))};
    }
    *out = list;
    return count;
}

pid_t subject_process_id(const struct subject *subject)
{
    return subject != NULL && subject->process != NULL ? process_id(subject->process) : 0;
}

void subject_stop(struct subject **subject)
{
    if (subject == NULL || *subject == NULL)
        return;
    struct subject *it = *subject;
    if (it->hears >= 0) {
        say(it, "stop");
        close(it->hears);
    }
    process_stop(&it->process, 2000);
    line_pipe_close(&it->says);
    json_decref(it->described);
    struct arena *arena = it->arena; /* the subject lives in it */
    arena_free(&arena);
    *subject = NULL;
}
