/* SPDX-License-Identifier: BSD-2-Clause
 * The program fakedns: a private, signed DNS tree by hand. */
#include <getopt.h>
#include <signal.h>
#include <string.h>

#include "fakedns/fakedns_file.h"

enum { EXIT_GOOD = 0, EXIT_MISTAKE = 2, EXIT_TROUBLE = 3 };

struct options {
    const char *dump, *config;
    bool check, faults, help, manual;
};

static void print_help(FILE *out)
{
    fputs("fakedns CONFIG              serves the zones of a configuration file; prints the trust anchor, then what\n"
          "                            happens, one line an event; Ctrl-C ends it\n"
          "fakedns --check CONFIG      tells every mistake in the file\n"
          "fakedns --dump ZONE CONFIG  prints a signed zone in master-file form, for dnssec-verify\n"
          "fakedns --faults            lists what it can do wrong\n"
          "fakedns --manual            describes the configuration file\n"
          "Exit status: 0 good, 2 a mistake in the file or on the command line, 3 trouble with the machine.\n",
          out);
}

static void print_faults(void)
{
    const struct dns_fault_info *fault;
    for (size_t i = 0; (fault = fakedns_fault_at(i)) != NULL; i++)
        printf("%-26s %s%s%s%s\n", fault->name, fault->doc, fault->clause != NULL ? " (" : "",
               fault->clause != NULL ? fault->clause : "", fault->clause != NULL ? ")" : "");
}

static bool read_options(int argc, char **argv, struct options *options)
{
    static const struct option words[] = {
        {"dump", required_argument, NULL, 'd'}, {"check", no_argument, NULL, 'c'}, {"faults", no_argument, NULL, 'f'},
        {"manual", no_argument, NULL, 'm'},     {"help", no_argument, NULL, 'h'},  {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "h", words, NULL)) != -1;)
        switch (c) {
        case 'd':
            options->dump = optarg;
            break;
        case 'c':
            options->check = true;
            break;
        case 'f':
            options->faults = true;
            break;
        case 'm':
            options->manual = true;
            break;
        case 'h':
            options->help = true;
            break;
        default:
            return false;
        }
    options->config = argv[optind];
    bool wants_config = !options->faults && !options->help && !options->manual;
    return argc - optind == (wants_config ? 1 : 0);
}

static int complain(const struct err *err)
{
    fprintf(stderr, "fakedns: %s\n", err->text);
    return err->kind == ERR_INPUT ? EXIT_MISTAKE : EXIT_TROUBLE;
}

static void print_event(void *arg, const struct journal_event *event)
{
    struct arena *arena = arena_new("journal line");
    (void)arg;
    printf("%9.6f  %-20s %s\n", (double)event->at_us / 1e6, event->host, journal_sentence(arena, event));
    fflush(stdout);
    arena_free(&arena);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    loop_stop(arg);
}

static int serve(struct fakedns *dns, struct loop *loop, struct journal *journal)
{
    struct err err = {.kind = ERR_NONE};
    if (!fakedns_listen(dns, &err))
        return complain(&err);
    printf("; root hints\n%s; trust anchor\n%s\n%s\n", fakedns_root_hints(dns), fakedns_root_key(dns),
           fakedns_root_dnskey(dns));
    fflush(stdout);
    journal_watch(journal, print_event, NULL);
    struct event *interrupt = evsignal_new(loop_base(loop), SIGINT, on_signal, loop);
    struct event *terminate = evsignal_new(loop_base(loop), SIGTERM, on_signal, loop);
    evsignal_add(interrupt, NULL);
    evsignal_add(terminate, NULL);
    loop_run_until(loop, NULL, -1);
    event_free(interrupt);
    event_free(terminate);
    return EXIT_GOOD;
}

static int run(const struct options *options, const struct fakedns_config *config)
{
    struct err err = {.kind = ERR_NONE};
    struct loop *loop = loop_new(&err);
    if (loop == NULL)
        return complain(&err);
    struct journal *journal = journal_new();
    struct fakedns *dns = fakedns_new(config, NULL, loop, journal, &err);
    int status = EXIT_GOOD;
    if (dns == NULL)
        status = complain(&err);
    else if (options->dump != NULL)
        status = fakedns_dump(dns, options->dump, stdout, &err) ? EXIT_GOOD : complain(&err);
    else if (!options->check)
        status = serve(dns, loop, journal);
    fakedns_free(&dns);
    journal_free(&journal);
    loop_free(&loop);
    return status;
}

static int run_file(const struct options *options)
{
    struct arena *arena = arena_new("configuration");
    struct diag_list *diags = diag_new(arena);
    struct fakedns_config config;
    bool good = fakedns_file_read(arena, options->config, &config, diags);
    diag_print(diags, stderr);
    int status = good ? run(options, &config) : EXIT_MISTAKE;
    arena_free(&arena);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.dump = NULL};
    if (!read_options(argc, argv, &options)) {
        print_help(stderr);
        return EXIT_MISTAKE;
    }
    if (options.help)
        print_help(stdout);
    else if (options.faults)
        print_faults();
    else if (options.manual)
        schema_print_manual(&fakedns_file_schema, stdout);
    else
        return run_file(&options);
    return EXIT_GOOD;
}
