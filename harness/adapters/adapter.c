/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness/adapters/adapter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

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

/* ---- answers ---- */

json_t *adapter_ok(void)
{
    return json_pack("{s:b}", "ok", 1);
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

int adapter_serve(const struct adapter_verb *verbs, size_t count, void *state)
{
    struct adapter_settings settings = {0};
    const struct adapter adapter = {state, &settings};
    char *line = NULL;
    size_t room = 0;
    bool stopped = false;
    while (!stopped && getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        stopped = strcmp(line, "stop") == 0;
        if (!say(answer_to(&adapter, verbs, count, line)))
            break;
    }
    free(line);
    arena_free(&settings.arena);
    return 0;
}
