/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/adapter.h"

#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

enum { PATIENCE_MAX_S = 300 };

struct adapter_settings { /* the pairs of the last begin */
    struct arena *arena;
    struct pair {
        const char *name, *value;
    } * items;
    size_t count, room;
};

const char *adapter_setting(const struct adapter *adapter, const char *name)
{
    const struct adapter_settings *settings = adapter->settings;
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->items[i].name, name) == 0)
            return settings->items[i].value;
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

int adapter_patience_s(const struct adapter *adapter)
{
    double patience = atof(adapter_setting(adapter, "MTALAB_PATIENCE"));
    return patience < 1 ? 1 : patience > PATIENCE_MAX_S ? PATIENCE_MAX_S : (int)(patience + 0.99);
}

struct adapter_smart_host adapter_read_smart_host(const char *said)
{
    struct adapter_smart_host smart_host = {.port = 0};
    if (said != NULL && sscanf(said, "%255[^:]:%u", smart_host.host, &smart_host.port) > 0)
        smart_host.is_address = smart_host.host[strspn(smart_host.host, "0123456789.")] == '\0';
    return smart_host;
}

struct adapter_smart_host adapter_smart_host(const struct adapter *adapter)
{
    json_t *setup = json_load_file(adapter_setting(adapter, "MTALAB_CONNECTORS"), 0, NULL);
    const json_t *only = json_array_get(json_object_get(setup, "connectors"), 0);
    struct adapter_smart_host smart_host =
        adapter_read_smart_host(json_string_value(json_object_get(only, "smart-hosts")));
    json_decref(setup);
    return smart_host;
}

static void take_settings(struct adapter_settings *settings, const char *pairs)
{
    arena_free(&settings->arena);
    *settings = (struct adapter_settings){.arena = arena_new("adapter settings")};
    char *text = arena_strdup(settings->arena, pairs), *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        *ARENA_PUSH(settings->arena, settings) = (struct pair){word, equals + 1};
    }
}

void adapter_empty_folder(const char *path)
{
    char inside[PATH_MAX];
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.') {
            snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
            unlink(inside);
        }
    closedir(folder);
}

/* ---- answers ---- */

json_t *adapter_ok(void)
{
    return json_pack("{s:b}", "ok", 1);
}

json_t *adapter_words(const char *const *words)
{
    json_t *list = json_array();
    for (; *words != NULL; words++)
        json_array_append_new(list, json_string(*words));
    return list;
}

json_t *adapter_text(const char *bytes)
{
    json_t *text = json_string(bytes);
    return text != NULL ? text : json_string("(not UTF-8)");
}

json_t *adapter_recipient(const char *address, const char *state, const char *code, const char *reason)
{
    return json_pack("{s:o,s:s,s:s,s:o}", "recipient", adapter_text(address), "state", state, "code", code, "reason",
                     adapter_text(reason));
}

static json_t *refusal(const char *key, const char *fmt, va_list args)
{
    json_t *text = json_vsprintf(fmt, args);
    return json_pack("{s:b,s:o}", "ok", 0, key, text != NULL ? text : json_string("(not UTF-8)"));
}

json_t *adapter_unsupported(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    json_t *answer = refusal("unsupported", fmt, args);
    va_end(args);
    return answer;
}

json_t *adapter_failed(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    json_t *answer = refusal("error", fmt, args);
    va_end(args);
    return answer;
}

json_t *adapter_error(const struct err *err)
{
    return adapter_failed("%s", err->text);
}

/* ---- the conversation ---- */

static json_t *answer_to(const struct adapter *adapter, const struct adapter_verb *verbs, size_t count, char *line)
{
    char *argument = line + strcspn(line, " ");
    if (*argument != '\0')
        *argument++ = '\0';
    for (size_t i = 0; i < count; i++) {
        if (strcmp(verbs[i].name, line) != 0)
            continue;
        if (strcmp(line, "begin") == 0)
            take_settings(adapter->settings, argument);
        return verbs[i].run(adapter, argument);
    }
    return adapter_unsupported("there is no verb '%s'", line);
}

static bool say(json_t *answer)
{
    bool said = json_dumpf(answer, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0 && putchar('\n') != EOF &&
                fflush(stdout) == 0;
    json_decref(answer);
    return said;
}

/* Lines of standard input, read by ourselves: stdio would keep to itself what poll() is to see. */
struct input {
    char bytes[8192];
    size_t used, taken;
};

static char *take_line(struct input *input)
{
    char *from = input->bytes + input->taken, *end = memchr(from, '\n', input->used - input->taken);
    if (end == NULL)
        return NULL;
    *end = '\0';
    input->taken += (size_t)(end - from) + 1;
    from[strcspn(from, "\r")] = '\0';
    return from;
}

static bool read_more(struct input *input)
{
    memmove(input->bytes, input->bytes + input->taken, input->used - input->taken);
    input->used -= input->taken;
    input->taken = 0;
    ssize_t got = read(STDIN_FILENO, input->bytes + input->used, sizeof input->bytes - input->used);
    input->used += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static char *next_line(struct input *input, const struct adapter_source *source, void *state)
{
    for (;;) {
        char *line = take_line(input);
        if (line != NULL)
            return line;
        struct pollfd waits[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
        waits[1].fd = source != NULL ? source->fd(state) : -1;
        if (poll(waits, COUNT(waits), -1) < 0)
            return NULL;
        if (waits[1].revents & POLLIN)
            source->readable(state);
        if (waits[0].revents != 0 && !read_more(input))
            return NULL;
    }
}

int adapter_serve_beside(const struct adapter_source *source, const struct adapter_verb *verbs, size_t count,
                         void *state)
{
    struct adapter_settings settings = {0};
    const struct adapter adapter = {state, &settings};
    struct input input = {.used = 0};
    bool going = true;
    for (char *line; going && (line = next_line(&input, source, state)) != NULL;) {
        bool stop = strcmp(line, "stop") == 0;
        going = say(answer_to(&adapter, verbs, count, line)) && !stop;
    }
    arena_free(&settings.arena);
    return 0;
}

int adapter_serve(const struct adapter_verb *verbs, size_t count, void *state)
{
    return adapter_serve_beside(NULL, verbs, count, state);
}
