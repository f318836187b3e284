/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine tlsrpt - TLS reports sent, read and shown. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/command_words.h"
#include "engine/tlsrpt_read.h"
#include "engine/tlsrpt_received.h"

/* clang-format off */
static const struct command_column received_columns[] = {
    {"DAY", "begins"},  {"REPORTER", "organization"}, {"POLICY", "type"}, {"DOMAIN", "domain"},
    {"GOOD", "good"},    {"BAD", "bad"},                {"RESULT", "result"},
    {"MX", "mx"},       {"TRIES", "tries"},            {"FAILED", "failures"},
};
static const struct command_column own_columns[] = {
    {"DAY", "begins"}, {"ASKED FOR BY", "asks"}, {"POLICY", "type"}, {"DOMAIN", "domain"},
    {"GOOD", "good"},   {"BAD", "bad"},
};
/* clang-format on */

static int send_reports(const struct command_line *line)
{
    return command_show(line, json_pack("{s:s}", "do", "report"), NULL, NO_TABLE);
}

/* ---- reading ---- */

static char *read_input(struct arena *arena, size_t *length)
{
    char *text = arena_alloc(arena, TLSRPT_FILE_MAX + 2);
    *length = fread(text, 1, TLSRPT_FILE_MAX + 1, stdin);
    return text;
}

static bool ingest(const struct command_line *line, struct tlsrpt_received *received, const char *file)
{
    struct arena *arena = arena_new("TLS report");
    struct clock clock = {(int64_t)line->config->clock_offset};
    struct err err;
    size_t length = 0;
    const char *bytes = strcmp(file, "-") == 0 ? read_input(arena, &length)
                                               : text_read_file(arena, file, TLSRPT_FILE_MAX, &length, &err);
    json_t *report = bytes != NULL ? tlsrpt_read(arena, bytes, length, &err) : NULL;
    bool taken = report != NULL && tlsrpt_received_add(received, report, clock_now(&clock), &err);
    if (!taken)
        fprintf(stderr, "mtalab-engine: %s: %s\n", file, err.text);
    json_decref(report);
    arena_free(&arena);
    return taken;
}

/* What is wrong with one file does not keep the others out. */
static int ingest_files(const struct command_line *line, struct tlsrpt_received *received)
{
    struct clock clock = {(int64_t)line->config->clock_offset};
    struct err err;
    size_t taken = 0, count = line->word_count - 1;
    if (count == 0)
        return command_misused("tlsrpt ingest wants files, or - for standard input");
    if (!tlsrpt_received_trim(received, clock_now(&clock) - (int64_t)line->config->trace_keep, &err))
        return command_failed(&err);
    for (size_t i = 0; i < count; i++)
        taken += ingest(line, received, line->words[i + 1]);
    printf(line->json ? "{\"taken\":%zu,\"of\":%zu}\n" : "%zu of %zu reports taken\n", taken, count);
    return taken == count ? EXIT_SUCCESS : COMMAND_FAILED;
}

/* ---- showing ---- */

static int show(const struct command_line *line, struct tlsrpt_received *received)
{
    const char *domain = line->word_count > 1 ? line->words[1] : NULL;
    bool own = command_said(line, "--own") != NULL;
    struct err err;
    json_t *rows = own ? tlsrpt_received_own(received, domain, &err) : tlsrpt_received_list(received, domain, &err);
    if (rows == NULL)
        return command_failed(&err);
    command_print_rows(line, rows, own ? COMMAND_TABLE(own_columns) : COMMAND_TABLE(received_columns));
    json_decref(rows);
    return EXIT_SUCCESS;
}

static int with_store(const struct command_line *line,
                      int (*run)(const struct command_line *line, struct tlsrpt_received *received))
{
    struct err err;
    struct tlsrpt_received *received = tlsrpt_received_open(line->config->directory, &err);
    if (received == NULL)
        return command_failed(&err);
    int status = run(line, received);
    tlsrpt_received_close(&received);
    return status;
}

static int do_tlsrpt(const struct command_line *line)
{
    const char *what = line->word_count > 0 ? line->words[0] : "";
    if (strcmp(what, "send") == 0)
        return send_reports(line);
    if (strcmp(what, "ingest") == 0)
        return with_store(line, ingest_files);
    if (strcmp(what, "show") == 0)
        return with_store(line, show);
    return command_misused("tlsrpt wants send, ingest or show");
}

static const struct command_option options[] = {
    {"--own", NULL, "show: what this engine has counted for others, instead of what others reported"},
};
const struct command command_tlsrpt = {
    .name = "tlsrpt",
    .args = "send | ingest FILE... | show [DOMAIN]",
    .doc = "TLS reports: makes and sends those about what there is, reads those of others, shows them",
    .run = do_tlsrpt,
    .options = options,
    .option_count = COUNT(options),
    .details =
        "send asks the running engine to report what it has counted so far without waiting for the end of the UTC "
        "day.\n\n"
        "ingest reads reports as they come: a mail, a .json.gz or a .json; - is standard input, for a pipe from the "
        "mail server. Reports are kept as long as the trace; one that came before replaces itself.\n\n"
        "show lists them by day, reporter and policy, failures one by one, and beside them how often this engine "
        "tried the same domain or MX host on that day, and how often that failed.",
};
