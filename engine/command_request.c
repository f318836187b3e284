/* SPDX-License-Identifier: BSD-2-Clause
 * What the commands that ask queue and trace share: their options become the keys of a request. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/command.h"
#include "engine/domain_name.h"
#include "engine/message.h"

bool command_is_recipient(struct arena *arena, const char *word)
{
    const char *path = arena_printf(arena, "<%s>", word);
    return strchr(word, '@') != NULL && message_parse_path(arena, &path, false) != NULL && *path == '\0';
}

const char *command_domain(const struct command_line *line)
{
    bool one = line->word_count == 1 && strchr(line->words[0], '@') == NULL;
    return one ? domain_name_ascii(line->arena, line->words[0]) : NULL;
}

/* "2026-06-01", "2026-06-01 08:00", "2026-06-01T08:00:00" (UTC), or "2h", "7d" before now. */
static bool read_time(const char *text, const struct engine_config *config, int64_t *at)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
    double ago;
    if (schema_parse_seconds(text, &ago)) {
        *at = (int64_t)time(NULL) + (int64_t)config->clock_offset - (int64_t)ago;
        return true;
    }
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        *at = (int64_t)timegm(&tm);
        if (end != NULL && *end == '\0')
            return true;
    }
    return false;
}

static bool is_one_of(const char *name, const char *a, const char *b)
{
    return strcmp(name, a) == 0 || strcmp(name, b) == 0;
}

static bool add(json_t *request, const char *name, const char *value, const struct engine_config *config)
{
    int64_t number;
    bool is_time = is_one_of(name, "since", "until"), is_number = is_one_of(name, "message", "limit");
    if (is_time ? !read_time(value, config, &number) : is_number && !schema_parse_number(value, &number)) {
        fprintf(stderr, "mtalab-engine: '%s' is no %s\n", value, is_time ? "time" : "number");
        return false;
    }
    return json_object_set_new(request, name, is_time || is_number ? json_integer(number) : json_string(value)) == 0;
}

static bool add_word(json_t *request, const char *word, const struct engine_config *config)
{
    bool number = *word != '\0' && strspn(word, "0123456789") == strlen(word);
    return add(request, number ? "message" : strchr(word, '@') != NULL ? "recipient" : "domain", word, config);
}

static bool is_own(const struct command *command, const struct command_option *option)
{
    return option >= command->options && option < command->options + command->option_count;
}

static bool add_option(json_t *request, const struct command_said *said, const struct engine_config *config)
{
    const char *name = said->option->name + 2;
    if (said->option->argument != NULL)
        return add(request, name, said->value, config);
    return strcmp(name, "all") == 0 || json_object_set_new(request, name, json_true()) == 0;
}

json_t *command_request(const struct command_line *line)
{
    json_t *request = json_pack("{s:s}", "do", line->command->name);
    bool fine = line->word_count <= 1;
    if (!fine)
        command_misused("one word is enough: a message's number, a recipient or a domain");
    else if (line->word_count == 1)
        fine = add_word(request, line->words[0], line->config);
    for (size_t i = 0; fine && i < line->said_count; i++)
        if (is_own(line->command, line->said[i].option))
            fine = add_option(request, &line->said[i], line->config);
    if (fine)
        return request;
    json_decref(request);
    return NULL;
}
