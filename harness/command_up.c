/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab up - a scenario's world, alive: a shell, or a command, on the side of the sender, while everything that the
 * fakes witness goes by. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "harness/command.h"
#include "harness/locate.h"
#include "harness/up.h"
#include "harness/up_control.h"

extern char **environ;

enum { LAB_FAILED = 3, MISTAKE = 2 };

/* What is put up, and how. */
struct command {
    struct arena *arena;
    const char *mode_text, *mta, *journal_path, *scenarios, *verbose, *loopback, *evidence_path, *attach, *files_path;
    const char *const *argv; /* what runs in it */
    bool interactive;        /* a shell for a person, rather than a command */
    struct up_wish wish;
    struct up *up;
    FILE *journal_out;
    int evidence, files; /* open folders; -1: none */
    struct up_control *control;
    bool ended, stirred; /* the command has ended; that, or somebody has asked something */
};

/* ---- what is said ---- */

static void on_event(void *arg, const struct journal_event *event)
{
    const struct command *c = arg;
    if (c->journal_out != NULL) {
        journal_write_json(event, c->journal_out);
        fflush(c->journal_out);
    }
    if (c->verbose == NULL)
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

/* For a sender outside of the shell. */
static void print_joined(const struct command *c)
{
    printf("\nfor your mail server in that network:\n  resolver 127.0.0.1 (with 'options trust-ad edns0')\n");
    if (c->files_path != NULL)
        printf("  %s/resolv.conf is what its /etc/resolv.conf must say\n  %s/ca.pem are the roots that it must trust\n",
               c->files_path, c->files_path);
    else
        puts("  the roots that it must trust are in \"$MTALAB_CA\"; --files FOLDER puts them where it sees them");
}

static void print_world(const struct command *c)
{
    const struct up *up = c->up;
    const struct schema_texts *to = &up->scenario->steps[0].to;
    printf("The world of %s is up, mode %s. It goes when this shell ends.\n\n", up->scenario->title,
           mode_text(up->wish.mode));
    print_hosts(up);
    puts("\nto try:");
    if (up->resolver != NULL)
        printf("  delv -a \"$MTALAB_DELV_ANCHOR\" @%s %s MX\n", up->sandbox->resolver, domain_of(up->scenario));
    print_commands_for_hosts(up);
    if (up->subject != NULL && to->count > 0)
        printf("  swaks --server %s:%d --from %s --to %s\n", up->sandbox->listen, SUBJECT_PORT,
               up->scenario->steps[0].from, to->items[0]);
    puts("\nto change it while it runs:\n  mtalab world off | on | next | set 'NAME: {...}' | become SCENARIO");
    puts("  mtalab world show | seen      what is up, and what was witnessed; --help tells the rest");
    if (c->attach != NULL)
        print_joined(c);
    putchar('\n');
    fflush(stdout);
}

/* ---- the command on the sender's side ---- */

static const char *place_of_control(const struct command *c)
{
    return arena_printf(c->arena, "%s/world", c->up->sandbox->directory);
}

static const char **environment(const struct command *c)
{
    struct {
        const char **items;
        size_t count, room;
    } list = {0};
    struct arena *arena = c->arena;
    const struct up *up = c->up;
    const char *folder = up->sandbox->directory, *path = getenv("PATH");
    for (char **entry = environ; *entry != NULL; entry++)
        if (strncmp(*entry, "MTALAB_", 7) != 0 && strncmp(*entry, "PATH=", 5) != 0 &&
            (!c->interactive || strncmp(*entry, "PS1=", 4) != 0))
            *ARENA_PUSH(arena, &list) = *entry;
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "PATH=%s%s%s", path != NULL ? path : "", path != NULL ? ":" : "",
                                             locate_program_folder(arena));
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_WORLD=%s", place_of_control(c));
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_SCENARIO=%s", up->scenario->title);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_CA=%s", up->sandbox->ca_path);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_RESOLVER=%s", up->sandbox->resolver);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_LISTEN=%s:%d", up->sandbox->listen, SUBJECT_PORT);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_ROOT_KEY=%s/" LAB_ROOT_KEY, folder);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_ROOT_HINTS=%s/" LAB_ROOT_HINTS, folder);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_RESOLVER_OPTIONS=%s/" LAB_RESOLVER_OPTIONS, folder);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "MTALAB_DELV_ANCHOR=%s/" LAB_DELV_ANCHOR, folder);
    *ARENA_PUSH(arena, &list) = arena_printf(arena, "SSL_CERT_FILE=%s", up->sandbox->ca_path);
    if (c->interactive)
        *ARENA_PUSH(arena, &list) = "PS1=(mtalab) \\w \\$ ";
    if (c->interactive)
        *ARENA_PUSH(arena, &list) = "debian_chroot=mtalab"; /* Debian's bash makes a prompt of its own from this */
    *ARENA_PUSH(arena, &list) = NULL;
    return list.items;
}

static void on_command_end(void *arg)
{
    struct command *c = arg;
    c->ended = c->stirred = true;
}

/* Until the command has ended, whoever asks in between is answered. */
static int run_command(struct command *c, struct err *err)
{
    struct loop *loop = c->up->loop;
    struct process_spec spec = {.argv = c->argv,
                                .environment = environment(c),
                                .in = STDIN_FILENO,
                                .out = STDOUT_FILENO,
                                .err = STDERR_FILENO,
                                .before_exec = sandbox_enter_mta,
                                .arg = (void *)c->up->sandbox};
    struct process *process = process_spawn(&spec, err);
    if (process == NULL || !process_watch(process, loop, on_command_end, c, err))
        return LAB_FAILED;
    while (!c->ended && !loop_stopped(loop)) {
        loop_run_until(loop, &c->stirred, -1);
        c->stirred = c->ended;
        if (!c->ended)
            up_control_answer(c->control, up_obey, c->up);
    }
    int status = process_stop(&process, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Ctrl-C is for the command; the world goes when that has ended. */
static void leave_signals_to_the_command(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
}

/* ---- the sandbox ---- */

static bool put_file(int folder, const char *name, const char *text, struct err *err)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return written || err_set(err, ERR_SYSTEM, "cannot write %s: %s", name, strerror(errno));
}

static bool put_files(const struct command *c, struct err *err)
{
    return c->files < 0 || (put_file(c->files, "ca.pem", c->up->plan->ca_pem, err) &&
                            put_file(c->files, "resolv.conf", "nameserver 127.0.0.1\noptions trust-ad edns0\n", err));
}

static bool put_up(struct command *c, const struct sandbox *sandbox, struct err *err)
{
    if (!up_put(c->up, sandbox, err) || !put_files(c, err))
        return false;
    c->control = up_control_listen(place_of_control(c), c->up->loop, &c->stirred, err);
    return c->control != NULL;
}

static int live(const struct sandbox *sandbox, void *arg)
{
    struct command *c = arg;
    struct err err = {0};
    leave_signals_to_the_command();
    int status = LAB_FAILED;
    if (put_up(c, sandbox, &err)) {
        if (c->interactive)
            print_world(c);
        status = run_command(c, &err);
    }
    if (err.kind != ERR_NONE)
        fprintf(stderr, "mtalab: %s\n", err.text);
    up_control_free(&c->control);
    up_take_down(c->up);
    return status;
}

static int wait_for(pid_t child)
{
    int status = 0;
    leave_signals_to_the_command();
    while (waitpid(child, &status, 0) < 0)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Where --attach leads: a process, or a namespace with a name. NULL: neither, which was said. */
static const char *network_of(const struct command *c)
{
    const char *said = c->attach;
    bool named = strncmp(said, "netns:", 6) == 0 && said[6] != '\0' && strchr(said, '/') == NULL;
    const char *path = named ? arena_printf(c->arena, "/run/netns/%s", said + 6) : NULL;
    if (said[0] != '\0' && said[strspn(said, "0123456789")] == '\0')
        path = arena_printf(c->arena, "/proc/%s/ns/net", said);
    if (path == NULL)
        fprintf(stderr, "mtalab: --attach takes the number of a process, or netns:NAME, not '%s'\n", said);
    else if (access(path, F_OK) != 0)
        fprintf(stderr, "mtalab: --attach %s: there is no %s\n", said, path);
    return path != NULL && access(path, F_OK) == 0 ? path : NULL;
}

static int run_in_sandbox(struct command *c)
{
    struct err err = {0};
    struct sandbox_spec spec = {.kind = c->loopback != NULL ? SANDBOX_LOOPBACK : SANDBOX_AUTO,
                                .keep_terminal = true,
                                .body = live,
                                .arg = c};
    if (c->attach != NULL) {
        spec.kind = geteuid() == 0 ? SANDBOX_ROOT : SANDBOX_ROOTLESS;
        spec.join = network_of(c);
        if (spec.join == NULL)
            return MISTAKE;
    }
    pid_t child = sandbox_spawn(&spec, &err);
    if (child < 0 && spec.kind == SANDBOX_AUTO && sandbox_loopback_possible()) {
        fprintf(stderr, "mtalab: %s: the world is on 127.0.0.0/8 instead\n", err.text);
        spec.kind = SANDBOX_LOOPBACK;
        child = sandbox_spawn(&spec, &err);
    }
    if (child < 0) {
        fprintf(stderr, "mtalab: %s\n%s", err.text, c->attach == NULL ? "'mtalab doctor' says what to do\n" : "");
        return LAB_FAILED;
    }
    return wait_for(child);
}

/* ---- the command line ---- */

static bool read_words(struct command *c, const struct command_line *line)
{
    static const char *shell[2];
    if (line->word_count == 0) {
        fprintf(stderr, "mtalab: up wants a scenario; 'mtalab list' shows them\n");
        return false;
    }
    c->interactive = line->word_count == 1;
    shell[0] = getenv("SHELL") != NULL ? getenv("SHELL") : "/bin/sh";
    c->argv = c->interactive ? shell : line->words + 1; /* both end in NULL */
    if (!mode_parse(c->mode_text != NULL ? c->mode_text : "dane=opportunistic,mta-sts=none", &c->wish.mode)) {
        fprintf(stderr, "mtalab: '%s' is no mode; write dane=opportunistic,mta-sts=none\n", c->mode_text);
        return false;
    }
    if (c->attach != NULL && (c->loopback != NULL || (c->mta != NULL && strcmp(c->mta, "none") != 0))) {
        fprintf(stderr, "mtalab: --attach is for a sender of your own: without --mta and --loopback\n");
        return false;
    }
    if (c->mta != NULL && strcmp(c->mta, "none") != 0 && (c->wish.adapter = locate_adapter(c->arena, c->mta)) == NULL) {
        fprintf(stderr, "mtalab: there is no adapter for '%s'\n", c->mta);
        return false;
    }
    return true;
}

/* Folders are opened here: inside of the sandbox their paths may mean something else. */
static bool open_folder(const char *path, int *folder)
{
    struct err err = {0};
    *folder = path != NULL ? text_folder(path, &err) : -1;
    if (err.kind != ERR_NONE)
        fprintf(stderr, "mtalab: %s\n", err.text);
    return err.kind == ERR_NONE;
}

static bool open_places(struct command *c)
{
    if (c->journal_path != NULL && (c->journal_out = fopen(c->journal_path, "we")) == NULL) {
        fprintf(stderr, "mtalab: cannot write %s\n", c->journal_path);
        return false;
    }
    if (!open_folder(c->evidence_path, &c->evidence) || !open_folder(c->files_path, &c->files))
        return false;
    c->wish.evidence = c->evidence >= 0 ? &c->evidence : NULL;
    return true;
}

static int put_up_wanted(struct command *c, const struct command_line *line)
{
    int status = MISTAKE;
    c->wish.scenarios = command_scenarios(c->arena, c->scenarios);
    c->wish.seen = on_event;
    c->wish.arg = c;
    if (open_places(c)) {
        c->up = up_new(&c->wish);
        c->up->scenario = up_find(c->up, line->words[0], stderr);
        status = c->up->scenario != NULL ? run_in_sandbox(c) : MISTAKE;
        up_free(&c->up);
    }
    if (c->journal_out != NULL)
        fclose(c->journal_out);
    return status;
}

int command_up(int argc, char **argv)
{
    struct command c = {.arena = arena_new("up"), .evidence = -1, .files = -1};
    const struct command_option options[] = {
        {"--mode", "MODE", "of the subject; dane=opportunistic,mta-sts=none by default", &c.mode_text},
        {"--mta", "NAME", "a subject that takes mail: engine, postfix, ...; none by default", &c.mta},
        {"--attach", "PID|netns:NAME",
         "a sender of your own: its network, in which nothing but lo is up, joins the world", &c.attach},
        {"--files", "FOLDER", "puts ca.pem and resolv.conf there, for that sender", &c.files_path},
        {"--evidence", "FOLDER", "what crosses the wire, a pcapng file with TLS keys", &c.evidence_path},
        {"--journal", "FILE", "writes what is witnessed there, as JSON lines", &c.journal_path},
        {"-v", NULL, "shows what is witnessed, as it happens", &c.verbose},
        {"--scenarios", "FOLDER", "where the scenarios are", &c.scenarios},
        {"--loopback", NULL, "without namespaces, on 127.0.0.0/8", &c.loopback},
    };
    struct command_line line = {
        .usage = "up SCENARIO [-- COMMAND ...]",
        .doc =
            "Keeps the world of a scenario up, with a shell (or the command) on the sender's side, in which\n"
            "'mtalab world' changes it. Exits with the status of the command, 2 for a mistake, 3 when the lab failed.",
        .options = options,
        .option_count = COUNT(options)};
    int status;
    if (command_read(c.arena, &line, argc, argv, &status))
        status = read_words(&c, &line) ? put_up_wanted(&c, &line) : MISTAKE;
    arena_free(&c.arena);
    return status;
}
