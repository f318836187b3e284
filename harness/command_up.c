/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab up - a scenario's world, alive: a shell, or a command, on the side of the sender, while everything that the
 * fakes witness goes by. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "harness/command.h"
#include "harness/lab.h"
#include "harness/locate.h"
#include "harness/scenario.h"
#include "harness/sender_setup.h"
#include "harness/subject.h"

extern char **environ;

enum { SUBJECT_S = 60, LAB_FAILED = 3 };

/* What is put up, and how. */
struct up {
    struct arena *arena;
    const char *mode_text, *mta, *journal_path, *scenarios, *verbose, *loopback;
    const char *adapter; /* path; NULL: no subject */
    const char *const *command;
    bool interactive; /* a shell for a person, rather than a command */
    const struct scenario *scenario;
    unsigned mode;
    FILE *journal_out;
    /* inside of the sandbox: */
    const struct sandbox *sandbox;
    struct loop *loop;
    struct journal *journal;
    struct resolver *resolver;
    struct subject *subject;
    struct clock clock;
    struct plan_pki *pki;
    struct plan *plan;
    struct lab *lab;
    bool ended;
};

/* ---- what is said ---- */

static void on_event(void *arg, const struct journal_event *event)
{
    const struct up *up = arg;
    if (up->journal_out != NULL) {
        journal_write_json(event, up->journal_out);
        fflush(up->journal_out);
    }
    if (up->verbose == NULL)
        return;
    struct arena *arena = arena_new("line");
    fprintf(stderr, "%+.3f  %-4s  %s\n", (double)event->at_us / 1e6, journal_kind_actor(event->kind),
            journal_sentence(arena, event));
    arena_free(&arena);
}

static void print_hosts(const struct up *up)
{
    for (size_t i = 0; i < up->plan->mx.host_count; i++) {
        const struct fakemx_host *host = &up->plan->mx.hosts[i];
        printf("  %-32s %s port %u\n", host->name, host->address_count > 0 ? host->addresses[0] : "nowhere",
               host->port);
    }
    for (size_t i = 0; i < up->plan->sts.host_count; i++) {
        const struct fakests_host *host = &up->plan->sts.hosts[i];
        printf("  %-32s %s port 443\n", host->name, host->address_count > 0 ? host->addresses[0] : "nowhere");
    }
    if (up->resolver != NULL)
        printf("  %-32s %s port 53\n", "resolver (unbound, validating)", up->sandbox->resolver);
    if (up->subject != NULL)
        printf("  %-32s %s port %d\n", subject_facts(up->subject)->name, up->sandbox->listen, SUBJECT_PORT);
}

static const char *domain_of(const struct scenario *scenario)
{
    const struct schema_texts *to = &scenario->steps[0].to;
    const char *at = to->count > 0 ? strchr(to->items[0], '@') : NULL;
    return at != NULL ? at + 1 : "partner.example";
}

static bool is_senders_own(const struct up *up, const char *host)
{
    const char *end = strstr(host, up->plan->sender_domain);
    return end != NULL && strcmp(end, up->plan->sender_domain) == 0;
}

static void print_commands_for_hosts(const struct up *up)
{
    for (size_t i = 0; i < up->plan->mx.host_count; i++) {
        const struct fakemx_host *host = &up->plan->mx.hosts[i];
        if (is_senders_own(up, host->name) || host->address_count == 0)
            continue;
        if (up->resolver != NULL)
            printf("  delv -a \"$MTALAB_DELV_ANCHOR\" @%s _%u._tcp.%s TLSA\n", up->sandbox->resolver, host->port,
                   host->name);
        printf("  openssl s_client -starttls smtp -connect %s:%u -servername %s -verify_hostname %s -CAfile "
               "\"$MTALAB_CA\"\n",
               host->addresses[0], host->port, host->name, host->name);
    }
    for (size_t i = 0; i < up->plan->sts.host_count; i++) {
        const struct fakests_host *host = &up->plan->sts.hosts[i];
        if (host->address_count > 0)
            printf("  curl --cacert \"$MTALAB_CA\" --resolve %s:443:%s https://%s/.well-known/mta-sts.txt\n",
                   host->name, host->addresses[0], host->name);
    }
}

static void print_world(const struct up *up)
{
    const struct schema_texts *to = &up->scenario->steps[0].to;
    printf("The world of %s is up, mode %s. It goes when this shell ends.\n\n", up->scenario->title,
           mode_text(up->mode));
    print_hosts(up);
    puts("\nto try:");
    if (up->resolver != NULL)
        printf("  delv -a \"$MTALAB_DELV_ANCHOR\" @%s %s MX\n", up->sandbox->resolver, domain_of(up->scenario));
    print_commands_for_hosts(up);
    if (up->subject != NULL && to->count > 0)
        printf("  swaks --server %s:%d --from %s --to %s\n", up->sandbox->listen, SUBJECT_PORT,
               up->scenario->steps[0].from, to->items[0]);
    putchar('\n');
    fflush(stdout);
}

/* ---- the world ---- */

static bool build_plan(struct up *up, struct err *err)
{
    struct diag_list *diags = diag_new(up->arena);
    enum plan_net net = up->sandbox->kind == SANDBOX_LOOPBACK ? PLAN_NET_LOOPBACK : PLAN_NET_LAB;
    up->pki = plan_pki_new(&up->clock, err);
    up->plan = up->pki == NULL
                   ? NULL
                   : plan_build(up->scenario, up->scenario->steps[0].world, net, up->pki, &up->clock, diags, err);
    diag_print(diags, stderr);
    if (up->plan == NULL && diag_errors(diags) > 0)
        err_set(err, ERR_INPUT, "the scenario has mistakes");
    return up->plan != NULL;
}

static bool start_subject(struct up *up, struct err *err)
{
    if (up->adapter == NULL)
        return true;
    up->subject = subject_new(up->adapter, up->sandbox, up->loop, err);
    if (up->subject == NULL)
        return false;
    return subject_start(up->subject, up->loop) == SUBJECT_YES ||
           err_set(err, ERR_SYSTEM, "%s", subject_why(up->subject));
}

static bool begin(struct up *up, struct err *err)
{
    const char *line =
        arena_printf(up->arena, "begin MTALAB_DANE=%s MTALAB_MTA_STS=%s MTALAB_PATIENCE=%g",
                     mode_dane_words[mode_dane(up->mode)], mode_sts_words[mode_sts(up->mode)], up->plan->patience_s);
    const char *setup = sender_setup_json(up->arena, &up->scenario->sender, up->mode);
    if (!lab_tell_connectors(up->sandbox, setup, err))
        return false;
    return up->subject == NULL || subject_ask(up->subject, up->loop, SUBJECT_S, line, NULL) == SUBJECT_YES ||
           err_set(err, ERR_SYSTEM, "%s", subject_why(up->subject));
}

static bool put_up(struct up *up, struct err *err)
{
    up->journal = journal_new();
    journal_watch(up->journal, on_event, up);
    up->loop = loop_new(err);
    if (up->loop == NULL || !build_plan(up, err))
        return false;
    if (resolver_installed() && (up->resolver = resolver_start(up->sandbox, up->loop, err)) == NULL)
        return false;
    struct lab_setting setting = {up->sandbox, up->loop, up->journal, &up->clock, up->resolver};
    up->lab = lab_start(&setting, up->plan, err);
    return up->lab != NULL && start_subject(up, err) && begin(up, err);
}

static void take_down(struct up *up)
{
    subject_stop(&up->subject);
    lab_stop(&up->lab);
    resolver_stop(&up->resolver);
    if (up->plan != NULL)
        plan_free(&up->plan);
    if (up->pki != NULL)
        plan_pki_free(&up->pki);
    journal_free(&up->journal);
    loop_free(&up->loop);
}

/* ---- the command on the sender's side ---- */

static const char **environment(const struct up *up)
{
    struct {
        const char **items;
        size_t count, room;
    } list = {0};
    struct arena *arena = up->arena;
    const char *folder = up->sandbox->directory;
    for (char **entry = environ; *entry != NULL; entry++)
        if (strncmp(*entry, "MTALAB_", 7) != 0 && (!up->interactive || strncmp(*entry, "PS1=", 4) != 0))
            *ARENA_PUSH(arena, &list) = *entry;
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_SCENARIO=%s", up->scenario->title);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_CA=%s", up->sandbox->ca_path);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_RESOLVER=%s", up->sandbox->resolver);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_LISTEN=%s:%d", up->sandbox->listen, SUBJECT_PORT);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_ROOT_KEY=%s/" LAB_ROOT_KEY, folder);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_ROOT_HINTS=%s/" LAB_ROOT_HINTS, folder);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_RESOLVER_OPTIONS=%s/" LAB_RESOLVER_OPTIONS, folder);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_DELV_ANCHOR=%s/" LAB_DELV_ANCHOR, folder);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "SSL_CERT_FILE=%s", up->sandbox->ca_path);
    if (up->interactive)
        *ARENA_PUSH(arena, &list) = "PS1=(mtalab) \\w \\$ ";
    if (up->interactive)
        *ARENA_PUSH(arena, &list) = "debian_chroot=mtalab"; /* Debian's bash makes a prompt of its own from this */
    *ARENA_PUSH(arena, &list) = NULL;
    return list.items;
}

static void on_command_end(void *arg)
{
    ((struct up *)arg)->ended = true;
}

static int run_command(struct up *up, struct err *err)
{
    struct process_spec spec = {.argv = up->command,
                                .environment = environment(up),
                                .in = STDIN_FILENO,
                                .out = STDOUT_FILENO,
                                .err = STDERR_FILENO,
                                .before_exec = sandbox_enter_mta,
                                .arg = (void *)up->sandbox};
    struct process *process = process_spawn(&spec, err);
    if (process == NULL || !process_watch(process, up->loop, on_command_end, up, err))
        return LAB_FAILED;
    loop_run_until(up->loop, &up->ended, -1);
    int status = process_stop(&process, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Ctrl-C is for the command; the world goes when that has ended. */
static void leave_signals_to_the_command(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
}

static int live(const struct sandbox *sandbox, void *arg)
{
    struct up *up = arg;
    struct err err = {0};
    up->sandbox = sandbox;
    leave_signals_to_the_command();
    int status = LAB_FAILED;
    if (put_up(up, &err)) {
        if (up->interactive)
            print_world(up);
        status = run_command(up, &err);
    }
    if (err.kind != ERR_NONE)
        fprintf(stderr, "mtalab: %s\n", err.text);
    take_down(up);
    return status;
}

/* ---- the command line ---- */

static const struct scenario *find_scenario(struct corpus *corpus, unsigned mode)
{
    diag_print(corpus->diags, stderr);
    if (diag_errors(corpus->diags) > 0 || corpus->count == 0)
        return NULL;
    for (size_t i = 0; i < corpus->count; i++)
        if (corpus->items[i]->modes & (1u << mode))
            return corpus->items[i];
    return corpus->items[0];
}

/* "dane/x[ip=v6]" is one variant of the scenario dane/x. */
static const struct scenario *find_wanted(struct arena *arena, struct corpus **corpus, const char *folder,
                                          const char *wanted, unsigned mode)
{
    const char *bracket = strchr(wanted, '[');
    const char *name = bracket != NULL ? arena_strndup(arena, wanted, (size_t)(bracket - wanted)) : wanted;
    *corpus = corpus_read(folder, &name, 1);
    const struct scenario *scenario = find_scenario(*corpus, mode);
    for (size_t i = 0; bracket != NULL && i < (*corpus)->count; i++)
        if (strcmp((*corpus)->items[i]->title, wanted) == 0)
            return (*corpus)->items[i];
    if (bracket != NULL && scenario != NULL)
        fprintf(stderr, "mtalab: there is no variant %s of %s; '%s' is one\n", bracket, name, scenario->title);
    return bracket != NULL ? NULL : scenario;
}

static int wait_for(pid_t child)
{
    int status = 0;
    leave_signals_to_the_command();
    while (waitpid(child, &status, 0) < 0)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_in_sandbox(struct up *up)
{
    struct err err = {0};
    struct sandbox_spec spec = {.kind = up->loopback != NULL ? SANDBOX_LOOPBACK : SANDBOX_AUTO,
                                .keep_terminal = true,
                                .body = live,
                                .arg = up};
    pid_t child = sandbox_spawn(&spec, &err);
    if (child < 0 && spec.kind == SANDBOX_AUTO && sandbox_loopback_possible()) {
        fprintf(stderr, "mtalab: %s: the world is on 127.0.0.0/8 instead\n", err.text);
        spec.kind = SANDBOX_LOOPBACK;
        child = sandbox_spawn(&spec, &err);
    }
    if (child < 0) {
        fprintf(stderr, "mtalab: %s\n'mtalab doctor' says what to do\n", err.text);
        return LAB_FAILED;
    }
    return wait_for(child);
}

static bool read_words(struct up *up, const struct command_line *line)
{
    static const char *shell[2];
    if (line->word_count == 0) {
        fprintf(stderr, "mtalab: up wants a scenario; 'mtalab list' shows them\n");
        return false;
    }
    up->interactive = line->word_count == 1;
    shell[0] = getenv("SHELL") != NULL ? getenv("SHELL") : "/bin/sh";
    up->command = up->interactive ? shell : line->words + 1; /* both end in NULL */
    up->mode = mode_parse("dane=opportunistic,mta-sts=none", &up->mode) ? up->mode : 0;
    if (up->mode_text != NULL && !mode_parse(up->mode_text, &up->mode)) {
        fprintf(stderr, "mtalab: '%s' is no mode; write dane=opportunistic,mta-sts=none\n", up->mode_text);
        return false;
    }
    if (up->mta != NULL && strcmp(up->mta, "none") != 0 && (up->adapter = locate_adapter(up->arena, up->mta)) == NULL) {
        fprintf(stderr, "mtalab: there is no adapter for '%s'\n", up->mta);
        return false;
    }
    return true;
}

static int put_up_wanted(struct up *up, const struct command_line *line)
{
    struct corpus *corpus = NULL;
    int status = 2;
    up->scenario =
        find_wanted(up->arena, &corpus, command_scenarios(up->arena, up->scenarios), line->words[0], up->mode);
    if (up->journal_path != NULL && (up->journal_out = fopen(up->journal_path, "we")) == NULL)
        fprintf(stderr, "mtalab: cannot write %s\n", up->journal_path);
    else if (up->scenario != NULL)
        status = run_in_sandbox(up);
    if (up->journal_out != NULL)
        fclose(up->journal_out);
    corpus_free(&corpus);
    return status;
}

int command_up(int argc, char **argv)
{
    struct up up = {.arena = arena_new("up")};
    const struct command_option options[] = {
        {"--mode", "MODE", "of the subject; dane=opportunistic,mta-sts=none by default", &up.mode_text},
        {"--mta", "NAME", "a subject that takes mail: engine, postfix, ...; none by default", &up.mta},
        {"--journal", "FILE", "writes what is witnessed there, as JSON lines", &up.journal_path},
        {"-v", NULL, "shows what is witnessed, as it happens", &up.verbose},
        {"--scenarios", "FOLDER", "where the scenarios are", &up.scenarios},
        {"--loopback", NULL, "without namespaces, on 127.0.0.0/8", &up.loopback},
    };
    struct command_line line = {
        .usage = "up SCENARIO [-- COMMAND ...]",
        .doc = "Keeps the world of a scenario up, with a shell (or the command) on the sender's side. Exits\n"
               "with the status of the command, 2 for a mistake, 3 when the lab failed.",
        .options = options,
        .option_count = COUNT(options)};
    int status;
    if (command_read(up.arena, &line, argc, argv, &status))
        status = read_words(&up, &line) ? put_up_wanted(&up, &line) : 2;
    arena_free(&up.arena);
    return status;
}
