/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab run - runs cases and says what came of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "harness/command.h"
#include "harness/locate.h"
#include "harness/runner.h"
#include "harness/sandbox.h"

enum { BUDGET_S = 20, WORKERS_MAX = 256, FORMATS_MAX = 8 };

struct options {
    const char *scenarios, *mta, *mode, *workers, *shard, *shuffle, *repeat, *fail_fast, *keep_journal, *known, *budget,
        *evidence, *verbose, *quiet, *loopback;
    const char *reports[FORMATS_MAX];
};

/* A run as the command line wants it. */
struct run {
    struct arena *arena;
    struct options said;
    struct command_line line;
    struct corpus *corpus;
    const struct clauses *clauses;
    struct schedule schedule;
    struct schedule_wish wish;
    struct known known;
    struct diag_list *known_diags;
    const char *known_path;
    struct runner_wish runner;
    struct report_run report;
    int evidence; /* the folder for it */
    FILE *out;
    bool terminal;
    int verbosity;
    size_t come, bad;
    bool everything; /* all there is was selected */
};

static int mistake(const char *what, const char *word)
{
    fprintf(stderr, "mtalab: %s: '%s'\n", what, word);
    return 2;
}

/* ---- what was said ---- */

static bool read_number(const char *text, unsigned long least, unsigned long most, unsigned long *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number < least || number > most)
        return false;
    *out = number;
    return true;
}

static bool read_shard(const char *text, struct schedule_wish *wish)
{
    char first[20];
    unsigned long shard, shards;
    const char *slash = strchr(text, '/');
    if (slash == NULL || slash - text >= (long)sizeof first)
        return false;
    snprintf(first, sizeof first, "%.*s", (int)(slash - text), text);
    if (!read_number(slash + 1, 1, 10000, &shards) || !read_number(first, 1, shards, &shard))
        return false;
    wish->shard = (unsigned)shard;
    wish->shards = (unsigned)shards;
    return true;
}

static int read_numbers(struct run *run)
{
    const struct options *said = &run->said;
    unsigned long workers = (unsigned long)sysconf(_SC_NPROCESSORS_ONLN), repeat = 1, budget = BUDGET_S;
    run->wish.modes = said->mode != NULL ? mode_parse_set(said->mode) : MODES_ALL;
    if (run->wish.modes == 0)
        return mistake("--mode wants dane=mandatory, or dane=none,mta-sts=opportunistic", said->mode);
    if (said->workers != NULL && !read_number(said->workers, 1, WORKERS_MAX, &workers))
        return mistake("-j wants a number of workers", said->workers);
    if (said->shard != NULL && !read_shard(said->shard, &run->wish))
        return mistake("--shard wants I/N, such as 2/4", said->shard);
    if (said->shuffle != NULL && !read_number(said->shuffle, 1, ~0UL, &run->wish.seed))
        return mistake("--shuffle wants a seed, a number from 1", said->shuffle);
    if (said->repeat != NULL && !read_number(said->repeat, 1, 100000, &repeat))
        return mistake("--repeat wants a number from 1", said->repeat);
    if (said->budget != NULL && !read_number(said->budget, 1, 3600, &budget))
        return mistake("--budget wants seconds", said->budget);
    run->wish.repeat = (unsigned)repeat;
    run->runner.workers = (unsigned)workers;
    run->runner.budget_s = (double)budget;
    run->verbosity = said->quiet != NULL ? REPORT_QUIET : said->verbose != NULL ? REPORT_VERBOSE : REPORT_NORMAL;
    return 0;
}

/* Words that are clauses choose among all scenarios; the others are scenarios, files and folders. */
static int read_corpus(struct run *run)
{
    const char *folder = command_scenarios(run->arena, run->said.scenarios);
    const char **clauses = arena_alloc(run->arena, (run->line.word_count + 1) * sizeof *clauses);
    const char **paths = arena_alloc(run->arena, (run->line.word_count + 1) * sizeof *paths);
    size_t clause_count = 0, path_count = 0;
    struct diag_list *diags = diag_new(run->arena);
    run->clauses = clauses_read(run->arena, arena_printf(run->arena, "%s/clauses", folder), diags);
    for (size_t i = 0; i < run->line.word_count; i++) {
        const char *word = run->line.words[i];
        if (run->clauses != NULL && clauses_find(run->clauses, word) != NULL)
            clauses[clause_count++] = word;
        else
            paths[path_count++] = word;
    }
    run->wish.clauses = clauses;
    run->wish.clause_count = clause_count;
    run->corpus = corpus_read(folder, paths, path_count);
    run->everything = run->line.word_count == 0 && run->wish.modes == MODES_ALL && run->wish.shards == 0;
    diag_print(run->corpus->diags, stderr);
    return diag_errors(run->corpus->diags) > 0 ? 2 : 0;
}

static int read_known(struct run *run)
{
    run->known_path = run->said.known != NULL ? run->said.known : locate_known_failures(run->arena, run->said.mta);
    if (run->known_path == NULL)
        return 0;
    run->known_diags = diag_new(run->arena);
    known_read(run->arena, run->known_path, &run->known, run->known_diags);
    diag_print(run->known_diags, stderr);
    run->runner.known = &run->known;
    return diag_errors(run->known_diags) > 0 ? 2 : 0;
}

static int find_adapter(struct run *run)
{
    run->runner.adapter = locate_adapter(run->arena, run->said.mta);
    return run->runner.adapter != NULL ? 0 : mistake("there is no adapter (mtalab-adapter-NAME) for", run->said.mta);
}

/* ---- what is said ---- */

static void wipe_progress(const struct run *run)
{
    if (run->terminal)
        fputs("\r\033[K", run->out);
}

static void show_progress(const struct run *run)
{
    if (!run->terminal || run->verbosity == REPORT_QUIET)
        return;
    fprintf(run->out, "\r\033[K%zu of %zu", run->come, run->schedule.count);
    if (run->bad > 0)
        fprintf(run->out, ", %zu not as expected", run->bad);
    fflush(run->out);
}

static bool is_bad(const struct case_result *result)
{
    return !result->is_twin && (result->kind == VERDICT_FAIL || result->kind == VERDICT_XPASS ||
                                result->kind == VERDICT_UNPROVEN || result->kind == VERDICT_UNKNOWN);
}

static void on_finished(void *arg, const struct case_result *result)
{
    struct run *run = arg;
    if (result == NULL) {
        run->come++;
        show_progress(run);
        return;
    }
    run->bad += is_bad(result);
    wipe_progress(run);
    report_terminal_case(&run->report, result, run->verbosity, run->terminal, run->out);
    fflush(run->out);
}

static void announce(const struct run *run)
{
    if (run->verbosity == REPORT_QUIET)
        return;
    size_t twins = 0;
    for (size_t i = 0; i < run->schedule.count; i++)
        twins += run->schedule.items[i].is_twin;
    fprintf(run->out, "%zu cases of %zu scenarios selected", run->schedule.selected, run->schedule.scenarios);
    if (twins > 0)
        fprintf(run->out, " (and %zu control twins)", twins);
    fprintf(run->out, ", %s, %u %s\n", run->said.mta, run->runner.workers,
            run->runner.workers == 1 ? "worker" : "workers");
    fflush(run->out);
}

static bool write_report(const struct run *run, const struct report_format *format, const char *path)
{
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    bool written = out != NULL && format->write(&run->report, out);
    written &= out != NULL && (out == stdout ? fflush(out) : fclose(out)) == 0;
    if (!written)
        fprintf(stderr, "mtalab: cannot write the report %s: %s\n", path, strerror(errno));
    return written;
}

static bool write_reports(const struct run *run)
{
    bool written = true;
    for (size_t i = 0; report_format_at(i) != NULL && i < FORMATS_MAX; i++)
        if (run->said.reports[i] != NULL)
            written &= write_report(run, report_format_at(i), run->said.reports[i]);
    return written;
}

/* An entry that no case uses is out of date; false: there is one. */
static bool all_known_used(const struct run *run)
{
    bool used = true;
    for (size_t i = 0; i < run->known.count && run->everything; i++)
        if (!run->known.items[i].used) {
            fprintf(stderr, "%s:%u: no case uses this entry (%s)\n", run->known_path, run->known.items[i].at.line,
                    run->known.items[i].scenario);
            used = false;
        }
    return used;
}

/* ---- the run ---- */

static int sum_up(struct run *run, const struct runner_outcome *outcome, int64_t began_us)
{
    run->report.results = outcome->results;
    run->report.count = outcome->count;
    run->report.seconds = (double)(clock_monotonic_us() - began_us) / 1e6;
    for (size_t i = 0; i < outcome->count; i++)
        if (outcome->results[i].subject != NULL && outcome->results[i].subject[0] != '\0')
            run->report.subject = outcome->results[i].subject;
    wipe_progress(run);
    if (run->verbosity != REPORT_QUIET || outcome->interrupted)
        report_terminal_summary(&run->report, run->terminal, run->out);
    if (outcome->interrupted)
        fprintf(run->out, "interrupted: %zu of %zu cases had run\n", outcome->count, run->schedule.count);
    bool written = write_reports(run),
         used = outcome->interrupted || run->said.fail_fast != NULL || all_known_used(run);
    int status = report_exit_status(&run->report);
    return outcome->interrupted ? 130 : status == 0 && !used ? 1 : status == 0 && !written ? 3 : status;
}

/* Opened here: a path may mean something else in a sandbox. */
static bool open_evidence(struct run *run)
{
    struct err err = {0};
    if (run->said.evidence == NULL)
        return true;
    run->evidence = text_folder(run->said.evidence, &err);
    if (run->evidence < 0)
        fprintf(stderr, "mtalab: %s\n", err.text);
    run->runner.evidence = &run->evidence;
    return run->evidence >= 0;
}

static int run_cases(struct run *run)
{
    struct err err = {0};
    struct runner_outcome outcome;
    int64_t began_us = clock_monotonic_us();
    schedule_make(run->arena, run->corpus, &run->wish, &run->schedule);
    run->runner.kind = run->said.loopback != NULL ? SANDBOX_LOOPBACK : SANDBOX_AUTO;
    if (run->runner.kind == SANDBOX_LOOPBACK)
        run->runner.workers = 1; /* there is one port 25 */
    if (run->runner.workers > run->schedule.count && run->schedule.count > 0)
        run->runner.workers = (unsigned)run->schedule.count;
    run->report = (struct report_run){.corpus = run->corpus,
                                      .clauses = run->clauses,
                                      .subject = run->said.mta,
                                      .selected = run->schedule.selected};
    announce(run);
    run->runner.schedule = &run->schedule;
    run->runner.clauses = run->clauses;
    run->runner.keep_journal = run->said.keep_journal != NULL;
    run->runner.fail_fast = run->said.fail_fast != NULL;
    if (!open_evidence(run))
        return 2;
    run->runner.finished = on_finished;
    run->runner.arg = run;
    bool ran = runner_run(run->arena, &run->runner, &outcome, &err);
    if (!ran) {
        fputs("mtalab: ", stderr);
        text_print_escaped(stderr, err.text, strlen(err.text)); /* it may quote an adapter */
        fputc('\n', stderr);
    }
    if (!ran && outcome.count == 0) {
        fputs("'mtalab doctor' says what blocks on this machine\n", stderr);
        return 3;
    }
    int status = sum_up(run, &outcome, began_us);
    return ran || status == 1 ? status : 3;
}

static bool report_on_stdout(const struct run *run)
{
    for (size_t i = 0; i < FORMATS_MAX; i++)
        if (run->said.reports[i] != NULL && strcmp(run->said.reports[i], "-") == 0)
            return true;
    return false;
}

static int read_command_line(struct run *run, int argc, char **argv)
{
    struct options *said = &run->said;
    const struct command_option fixed[] = {
        {"--mta", "NAME", "the subject: engine (default), postfix, ..., or the path of an adapter", &said->mta},
        {"--mode", "MODE", "only these modes: dane=mandatory, or dane=none,mta-sts=opportunistic", &said->mode},
        {"-j", "N", "so many workers; as many as there are processors by default", &said->workers},
        {"--shard", "I/N", "only the I-th of N parts, for several machines", &said->shard},
        {"--shuffle", "SEED", "in another order", &said->shuffle},
        {"--repeat", "N", "each case so many times", &said->repeat},
        {"--fail-fast", NULL, "ends at the first difference", &said->fail_fast},
        {"--keep-journal", NULL, "everything witnessed goes into the JSON report", &said->keep_journal},
        {"--evidence", "FOLDER", "what crossed the wire, a pcapng file with TLS keys for each case", &said->evidence},
        {"--known", "FILE", "the known failures; those of the adapter by default", &said->known},
        {"--budget", "SECONDS", "for each case, 20 by default; what takes longer is UNKNOWN", &said->budget},
        {"--scenarios", "FOLDER", "where scenarios and clauses are", &said->scenarios},
        {"--loopback", NULL, "without namespaces, on 127.0.0.0/8", &said->loopback},
        {"-v", NULL, "shows every case", &said->verbose},
        {"-q", NULL, "shows nothing but the exit status", &said->quiet},
    };
    struct command_option options[COUNT(fixed) + FORMATS_MAX];
    memcpy(options, fixed, sizeof fixed);
    size_t count = COUNT(fixed);
    for (size_t i = 0; report_format_at(i) != NULL && i < FORMATS_MAX; i++) {
        const struct report_format *format = report_format_at(i);
        options[count++] = (struct command_option){format->option, "FILE", format->doc, &said->reports[i]};
    }
    run->line = (struct command_line){
        .usage = "run [SCENARIO|FOLDER|CLAUSE]...",
        .doc = "Runs cases: each scenario in each mode. Exit status: 0 as expected, 1 a conformance "
               "difference, 2 a mistake in a scenario\nor here, 3 the lab failed, 4 nothing selected.",
        .options = options,
        .option_count = count};
    int status;
    if (!command_read(run->arena, &run->line, argc, argv, &status))
        return status == 0 ? -1 : status;
    said->mta = said->mta != NULL ? said->mta : "engine";
    return 0;
}

int command_run(int argc, char **argv)
{
    struct run run = {.arena = arena_new("run")};
    int status = read_command_line(&run, argc, argv);
    run.out = report_on_stdout(&run) ? stderr : stdout;
    run.terminal = isatty(fileno(run.out)) && getenv("NO_COLOR") == NULL;
    if (status == 0 && (status = read_numbers(&run)) == 0 && (status = find_adapter(&run)) == 0 &&
        (status = read_corpus(&run)) == 0 && (status = read_known(&run)) == 0)
        status = run_cases(&run);
    if (run.corpus != NULL)
        corpus_free(&run.corpus);
    arena_free(&run.arena);
    return status < 0 ? 0 : status;
}
