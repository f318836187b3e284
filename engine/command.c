/* SPDX-License-Identifier: BSD-2-Clause
 * The command line: which command, which options, which words. */
#include "engine/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "engine/command_words.h"
#include "engine/connector_change.h"

/* clang-format off */
static const struct command *const commands[] = {
    &command_run, &command_standby, &command_reload, &command_stop,
    &command_send, &command_queue, &command_status, &command_requeue, &command_flush,
    &command_hold, &command_release, &command_remove,
    &command_trace, &command_tlsrpt,
    &command_route, &command_connector, &command_fallback,
    &command_config, &command_schema,
    &command_check, &command_validate, &command_stage, &command_dossier,
    &command_what_if, &command_gate, &command_inventory, &command_reports, &command_alerts,
};
/* clang-format on */

static const struct command_option every_option[] = {
    {"--config", "FILE", "the configuration (" COMMAND_CONFIG ")"},
    {"--json", NULL, "JSON instead of a table"},
    {"--help", NULL, "this"},
};

const struct command *command_at(size_t i)
{
    return i < COUNT(commands) ? commands[i] : NULL;
}

int command_failed(const struct err *err)
{
    fprintf(stderr, "mtalab-engine: %s\n", err->text);
    return COMMAND_FAILED;
}

int command_misused(const char *what)
{
    fprintf(stderr, "mtalab-engine: %s; see mtalab-engine --help\n", what);
    return COMMAND_MISUSED;
}

/* ---- help ---- */

static void print_options(FILE *out, const struct command_option *options, size_t count)
{
    enum { WIDTH = 22 };
    for (size_t i = 0; i < count; i++) {
        char name[80];
        const char *argument = options[i].argument;
        snprintf(name, sizeof name, "%s%s%s", options[i].name, argument != NULL ? " " : "",
                 argument != NULL ? argument : "");
        fprintf(out, "  %-*s ", WIDTH, name);
        command_print_wrapped(out, options[i].doc, 2 + WIDTH + 1);
    }
}

static void print_help(FILE *out)
{
    fprintf(out, "usage: mtalab-engine COMMAND [--config FILE] [--json] ...\n\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(out, "  %-10s %-22s %s\n", commands[i]->name, commands[i]->args, commands[i]->doc);
    fprintf(out, "\n");
    print_options(out, every_option, COUNT(every_option));
}

static void print_paragraphs(struct arena *arena, const char *text)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, "\n");
        command_print_wrapped(stdout, arena_strndup(arena, text, (size_t)length), 0);
        text += length + (text[length] == '\n');
    }
    fputc('\n', stdout);
}

static int print_command_help(struct arena *arena, const struct command *command)
{
    printf("usage: mtalab-engine %s%s%s\n\n", command->name, *command->args != '\0' ? " " : "", command->args);
    command_print_wrapped(stdout, command->doc, 0);
    fputc('\n', stdout);
    if (command->details != NULL)
        print_paragraphs(arena, command->details);
    print_options(stdout, command->options, command->option_count);
    print_options(stdout, every_option, COUNT(every_option));
    return EXIT_SUCCESS;
}

/* ---- reading the line ---- */

static const char *name_at(const void *rows UNUSED, size_t i)
{
    return i < COUNT(commands) ? commands[i]->name : NULL;
}

static bool complain(const char *kind, const char *word, const char *nearest)
{
    fprintf(stderr, "mtalab-engine: no %s is called '%s'%s%s%s; see mtalab-engine --help\n", kind, word,
            nearest != NULL ? ", did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return false;
}

static bool find_command(struct command_line *line, const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(commands[i]->name, name) == 0) {
            line->command = commands[i];
            return true;
        }
    return complain("command", name, table_nearest(name, name_at, NULL));
}

static const struct command_option *option_in(const struct command_option *options, size_t count, const char *word)
{
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == length && strncmp(options[i].name, word, length) == 0)
            return &options[i];
    return NULL;
}

/* An option of the command, if it is known by now, or of every command. */
static const struct command_option *find_option(const struct command_line *line, const char *word)
{
    const struct command *command = line->command;
    const struct command_option *own =
        command != NULL ? option_in(command->options, command->option_count, word) : NULL;
    return own != NULL ? own : option_in(every_option, COUNT(every_option), word);
}

/* Takes an option and its argument: what stands behind '=', or the next word. */
static bool take_option(struct command_line *line, int argc, char **argv, int *i)
{
    const struct command_option *option = find_option(line, argv[*i]);
    if (option == NULL)
        return complain("option", argv[*i], NULL);
    const char *equals = strchr(argv[*i], '=');
    bool wants = option->argument != NULL;
    if (wants ? equals == NULL && *i + 1 >= argc : equals != NULL) {
        fprintf(stderr, "mtalab-engine: %s takes %s argument\n", option->name, wants ? "an" : "no");
        return false;
    }
    const char *value = !wants ? option->name : equals != NULL ? equals + 1 : argv[++*i];
    line->said[line->said_count++] = (struct command_said){option, value};
    return true;
}

static bool take_word(struct command_line *line, const char *word)
{
    if (line->command == NULL)
        return find_command(line, word);
    line->words[line->word_count++] = word;
    return true;
}

static bool read_line(struct command_line *line, int argc, char **argv)
{
    bool only_words = false, fine = true;
    line->words = arena_alloc(line->arena, ((size_t)argc + 1) * sizeof *line->words);
    line->said = arena_alloc(line->arena, ((size_t)argc + 1) * sizeof *line->said);
    for (int i = 1; fine && i < argc; i++) {
        bool is_word = only_words || argv[i][0] != '-' || argv[i][1] == '\0';
        if (!is_word && strcmp(argv[i], "--") == 0)
            only_words = true;
        else
            fine = is_word ? take_word(line, argv[i]) : take_option(line, argc, argv, &i);
    }
    return fine;
}

const char *command_said(const struct command_line *line, const char *option)
{
    for (size_t i = line->said_count; i > 0; i--)
        if (strcmp(line->said[i - 1].option->name, option) == 0)
            return line->said[i - 1].value;
    return NULL;
}

bool command_load_config(struct command_line *line)
{
    struct diag_list *diags = diag_new(line->arena);
    struct err err;
    struct engine_config *config = engine_config_read(line->arena, line->config_path, diags);
    diag_print(diags, stderr);
    line->config = config;
    bool as_written = line->command != NULL && line->command->as_written;
    if (config == NULL || as_written || connector_changes_load(line->arena, config, &err))
        return config != NULL;
    command_failed(&err);
    return false;
}

/* ---- running it ---- */

static int run_command(struct command_line *line)
{
    const struct command *command = line->command;
    const char *config = command_said(line, "--config");
    bool named = command->config_word && line->word_count > 0;
    line->config_path = named ? line->words[0] : config != NULL ? config : COMMAND_CONFIG;
    line->json = command_said(line, "--json") != NULL;
    if (line->word_count > 0 && *command->args == '\0')
        return command_misused(arena_printf(line->arena, "%s takes no words", command->name));
    return command->no_config || command_load_config(line) ? command->run(line) : COMMAND_MISUSED;
}

static int serve(struct command_line *line, int argc, char **argv)
{
    if (!read_line(line, argc, argv))
        return COMMAND_MISUSED;
    bool help = command_said(line, "--help") != NULL;
    if (help && line->command != NULL)
        return print_command_help(line->arena, line->command);
    if (line->command == NULL) {
        print_help(help ? stdout : stderr);
        return help ? EXIT_SUCCESS : COMMAND_MISUSED;
    }
    return run_command(line);
}

int command_main(int argc, char **argv)
{
    struct command_line line = {.arena = arena_new("command line")};
    int status = serve(&line, argc, argv);
    arena_free(&line.arena);
    return status;
}
