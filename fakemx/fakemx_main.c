/* SPDX-License-Identifier: BSD-2-Clause
 * fakemx - MX hosts by hand: reads a small file of hosts, serves them, and prints what it witnesses. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fakemx/fakemx.h"

enum { EXIT_TROUBLE = 1, EXIT_USAGE = 2, DAY = 24 * 60 * 60 };

/* ---- the file ---- */

enum issuer { PUBLIC_ROOT, UNKNOWN_ROOT, ITSELF, NOBODY };

/* Every state of a certificate by name. */
static const struct state {
    const char *name;
    enum issuer issuer;
    bool leaf_only; /* the intermediate is not shown */
    double not_before_s, not_after_s;
    enum identity_names names_as;
    const char *prefix; /* what the name begins with instead of the host's first label; NULL: the host's name */
} states[] = {
    {"trusted", PUBLIC_ROOT, false, 0, 0, IDENTITY_SAN, NULL},
    {"unknown-root", UNKNOWN_ROOT, false, 0, 0, IDENTITY_SAN, NULL},
    {"self-signed", ITSELF, false, 0, 0, IDENTITY_SAN, NULL},
    {"expired", PUBLIC_ROOT, false, -30.0 * DAY, -1.0 * DAY, IDENTITY_SAN, NULL},
    {"not-yet-valid", PUBLIC_ROOT, false, 1.0 * DAY, 30.0 * DAY, IDENTITY_SAN, NULL},
    {"wrong-name", PUBLIC_ROOT, false, 0, 0, IDENTITY_SAN, "another-host"},
    {"missing-intermediate", PUBLIC_ROOT, true, 0, 0, IDENTITY_SAN, NULL},
    {"wildcard", PUBLIC_ROOT, false, 0, 0, IDENTITY_SAN, "*"},
    {"cn-only", PUBLIC_ROOT, false, 0, 0, IDENTITY_CN_ONLY, NULL},
    {"no-names", PUBLIC_ROOT, false, 0, 0, IDENTITY_NO_NAMES, NULL},
    {"none", NOBODY, false, 0, 0, IDENTITY_SAN, NULL},
};
static const char *const state_words[] = {"trusted",
                                          "unknown-root",
                                          "self-signed",
                                          "expired",
                                          "not-yet-valid",
                                          "wrong-name",
                                          "missing-intermediate",
                                          "wildcard",
                                          "cn-only",
                                          "no-names",
                                          "none",
                                          NULL};
static_assert(COUNT(state_words) == COUNT(states) + 1, "every state has its word");

struct certificate {
    int state;
    const char *certificate_file, *key_file;
    struct srcpos file_at;
};

struct host {
    struct schema_texts address;
    int64_t port;
    struct srcpos port_at;
    struct certificate certificate;
    struct mx_behaviour smtp;
};

struct file {
    struct schema_named hosts;
};

static const struct schema_field certificate_fields[] = {
    {.key = "state",
     .kind = SCHEMA_WORD,
     .offset = offsetof(struct certificate, state),
     .otherwise = "trusted",
     .words = state_words,
     .doc = "Which certificate to make."},
    {.key = "certificate",
     .kind = SCHEMA_TEXT,
     .offset = offsetof(struct certificate, certificate_file),
     .at_offset = offsetof(struct certificate, file_at),
     .doc = "A PEM file with a certificate and its chain, instead of one that is made."},
    {.key = "key",
     .kind = SCHEMA_TEXT,
     .offset = offsetof(struct certificate, key_file),
     .doc = "A PEM file with its key."},
};

static const struct tree_node *certificate_short_form(struct arena *arena, const struct tree_node *node,
                                                      struct diag_list *diags)
{
    if (node->kind == TREE_TEXT)
        return schema_map(arena, node->at, "state", node, NULL);
    diag_error(diags, node->at, "a certificate is a word or a map, not a list");
    return NULL;
}

static const struct schema certificate_schema = {.name = "certificate",
                                                 .doc = "What a host shows in a TLS handshake.",
                                                 .fields = certificate_fields,
                                                 .count = COUNT(certificate_fields),
                                                 .size = sizeof(struct certificate),
                                                 .short_form = certificate_short_form,
                                                 .short_doc = "the state"};

static const struct schema_field host_fields[] = {
    {.key = "address",
     .kind = SCHEMA_TEXTS,
     .offset = offsetof(struct host, address),
     .otherwise = "127.0.0.1",
     .doc = "IP addresses to listen on."},
    {.key = "port",
     .kind = SCHEMA_NUMBER,
     .offset = offsetof(struct host, port),
     .at_offset = offsetof(struct host, port_at),
     .otherwise = "25",
     .doc = "The port to listen on."},
    {.key = "certificate",
     .kind = SCHEMA_SUB,
     .offset = offsetof(struct host, certificate),
     .sub = &certificate_schema,
     .doc = "What the host shows in a TLS handshake."},
    {.key = "smtp",
     .kind = SCHEMA_SUB,
     .offset = offsetof(struct host, smtp),
     .sub = &mx_behaviour_schema,
     .doc = "How its SMTP server behaves."},
};
static const struct schema host_schema = {.name = "host",
                                          .doc = "An MX host.",
                                          .fields = host_fields,
                                          .count = COUNT(host_fields),
                                          .size = sizeof(struct host)};

static const struct schema_field file_fields[] = {
    {.key = "hosts",
     .kind = SCHEMA_NAMED,
     .offset = offsetof(struct file, hosts),
     .sub = &host_schema,
     .doc = "The hosts by name.",
     .required = true},
};
static const struct schema file_schema = {.name = "fakemx file",
                                          .doc = "The MX hosts to serve.",
                                          .fields = file_fields,
                                          .count = COUNT(file_fields),
                                          .size = sizeof(struct file)};

static void check_file(const struct file *file, struct diag_list *diags)
{
    for (size_t i = 0; i < file->hosts.count; i++) {
        const struct host *host = file->hosts.items[i].value;
        if (host->port < 1 || host->port > UINT16_MAX)
            diag_error(diags, host->port_at, "a port is a number from 1 to %d", UINT16_MAX);
        if ((host->certificate.certificate_file == NULL) != (host->certificate.key_file == NULL))
            diag_error(diags, file->hosts.items[i].at, "a certificate's file needs its key's, and the other way round");
    }
}

/* ---- the certificates ---- */

struct pki {
    struct identity *root, *intermediate, *unknown_root;
    struct identity **made; /* one for each host, NULL: none */
    size_t count;
};

static struct identity *authority(const char *subject, const struct identity *issuer, struct err *err)
{
    return identity_new(&(struct identity_spec){.issuer = issuer, .authority = true, .subject = subject}, NULL, err);
}

static bool pki_make_authorities(struct pki *pki, struct err *err)
{
    pki->root = authority("fakemx root", NULL, err);
    pki->unknown_root = authority("fakemx unknown root", NULL, err);
    if (pki->root != NULL)
        pki->intermediate = authority("fakemx intermediate", pki->root, err);
    return pki->unknown_root != NULL && pki->intermediate != NULL;
}

static struct identity *make_certificate(struct arena *arena, const struct pki *pki, const char *name,
                                         const struct state *state, struct err *err)
{
    const char *dot = strchr(name, '.');
    const char *shown =
        state->prefix != NULL ? arena_printf(arena, "%s%s", state->prefix, dot != NULL ? dot : ".example") : name;
    const struct identity *issuers[] = {
        [PUBLIC_ROOT] = pki->intermediate, [UNKNOWN_ROOT] = pki->unknown_root, [ITSELF] = NULL};
    const struct identity_spec spec = {.issuer = issuers[state->issuer],
                                       .names = &shown,
                                       .name_count = 1,
                                       .names_as = state->names_as,
                                       .not_before_s = state->not_before_s,
                                       .not_after_s = state->not_after_s};
    struct identity *identity = identity_new(&spec, NULL, err);
    if (identity != NULL && state->leaf_only)
        identity_show(identity, IDENTITY_CHAIN_LEAF_ONLY);
    return identity;
}

static struct identity *load_certificate(const struct certificate *wanted, struct err *err)
{
    struct err why = {0};
    struct identity *identity = identity_load(wanted->certificate_file, wanted->key_file, &why);
    if (identity == NULL)
        err_set(err, why.kind, "%s:%u:%u: %s", wanted->file_at.file, wanted->file_at.line, wanted->file_at.col,
                why.text);
    return identity;
}

static bool pki_make(struct pki *pki, struct arena *arena, const struct file *file, struct err *err)
{
    pki->count = file->hosts.count;
    pki->made = arena_alloc(arena, pki->count * sizeof *pki->made);
    if (!pki_make_authorities(pki, err))
        return false;
    for (size_t i = 0; i < pki->count; i++) {
        const struct certificate *wanted = &((const struct host *)file->hosts.items[i].value)->certificate;
        const struct state *state = &states[wanted->state];
        if (wanted->certificate_file == NULL && state->issuer == NOBODY)
            continue;
        pki->made[i] = wanted->certificate_file != NULL
                           ? load_certificate(wanted, err)
                           : make_certificate(arena, pki, file->hosts.items[i].name, state, err);
        if (pki->made[i] == NULL)
            return false;
    }
    return true;
}

static void pki_free(struct pki *pki)
{
    for (size_t i = 0; i < pki->count; i++)
        identity_free(&pki->made[i]);
    identity_free(&pki->root);
    identity_free(&pki->intermediate);
    identity_free(&pki->unknown_root);
}

/* ---- serving ---- */

struct options {
    const char *file, *ca_file;
    bool json;
};

static struct fakemx_config config_of(struct arena *arena, const struct file *file, const struct pki *pki)
{
    struct fakemx_host *hosts = arena_alloc(arena, file->hosts.count * sizeof *hosts);
    for (size_t i = 0; i < file->hosts.count; i++) {
        const struct host *host = file->hosts.items[i].value;
        const struct certificate *certificate = &host->certificate;
        bool made = certificate->certificate_file == NULL && pki->made[i] != NULL;
        hosts[i] = (struct fakemx_host){.name = file->hosts.items[i].name,
                                        .addresses = host->address.items,
                                        .address_count = host->address.count,
                                        .port = (uint16_t)host->port,
                                        .behaviour = &host->smtp,
                                        .identity = pki->made[i],
                                        .identity_label = made ? states[certificate->state].name : NULL};
        if (made && certificate->state != 0)
            hosts[i].certificate_fault = arena_printf(arena, "%s:certificate", hosts[i].name);
    }
    return (struct fakemx_config){hosts, file->hosts.count};
}

static void print_event(void *arg, const struct journal_event *event)
{
    const struct options *options = arg;
    if (options->json) {
        journal_write_json(event, stdout);
    } else {
        struct arena *arena = arena_new("sentence");
        printf("%6u  %-5s %s\n", event->conn, journal_kind_actor(event->kind), journal_sentence(arena, event));
        arena_free(&arena);
    }
    fflush(stdout);
}

static void on_signal(evutil_socket_t signal UNUSED, short what UNUSED, void *arg)
{
    loop_stop(arg);
}

/* Serves until a signal comes. */
static bool run(const struct fakemx_config *config, const struct options *options, struct loop *loop, struct err *err)
{
    struct journal *journal = journal_new();
    journal_watch(journal, print_event, (void *)options);
    struct fakemx *mx = fakemx_new(config, loop, journal, err);
    struct event *interrupted = evsignal_new(loop_base(loop), SIGINT, on_signal, loop);
    struct event *terminated = evsignal_new(loop_base(loop), SIGTERM, on_signal, loop);
    evsignal_add(interrupted, NULL);
    evsignal_add(terminated, NULL);
    bool ok = mx != NULL && fakemx_listen(mx, err);
    if (ok)
        loop_run_until(loop, NULL, -1);
    fakemx_free(&mx);
    event_free(interrupted);
    event_free(terminated);
    journal_free(&journal);
    return ok;
}

static bool write_ca(struct arena *arena, const struct pki *pki, const char *path, struct err *err)
{
    const char *pem = identity_certificate_pem(arena, pki->root);
    return path == NULL || text_write_file(path, pem, strlen(pem), err);
}

static int serve(struct arena *arena, const struct file *file, const struct options *options)
{
    struct err err = {0};
    struct pki pki = {0};
    struct loop *loop = loop_new(&err);
    bool ok = loop != NULL && pki_make(&pki, arena, file, &err) && write_ca(arena, &pki, options->ca_file, &err);
    if (ok) {
        struct fakemx_config config = config_of(arena, file, &pki);
        ok = run(&config, options, loop, &err);
    }
    if (!ok)
        fprintf(stderr, "fakemx: %s\n", err.text);
    pki_free(&pki);
    loop_free(&loop);
    return ok ? EXIT_SUCCESS : err.kind == ERR_INPUT ? EXIT_USAGE : EXIT_TROUBLE;
}

static int read_and_serve(const struct options *options)
{
    struct arena *arena = arena_new("fakemx file");
    struct diag_list *diags = diag_new(arena);
    struct file file = {0};
    const struct tree_node *tree = tree_read_file(arena, options->file, diags);
    if (tree != NULL)
        schema_read(arena, &file_schema, tree, &file, diags);
    check_file(&file, diags);
    diag_print(diags, stderr);
    int status = diag_errors(diags) == 0 && tree != NULL ? serve(arena, &file, options) : EXIT_USAGE;
    arena_free(&arena);
    return status;
}

/* ---- the command line ---- */

static const char help[] =
    "usage: fakemx [--json] [--ca-file FILE] HOSTS.yaml\n"
    "Serves fake MX hosts, right or wrong as the file says, and prints what it witnesses.\n"
    "\n"
    "  --json           the journal as JSON lines instead of sentences\n"
    "  --ca-file FILE   writes the root certificate that a client is to trust\n"
    "  --manual         what may stand in the file, as Markdown\n"
    "  --help           this\n"
    "\n"
    "  hosts:\n"
    "    mx1.partner.example:\n"
    "      address: 127.0.0.1\n"
    "      port: 2525\n"
    "      certificate: expired\n"
    "      smtp: {mail: 450 4.7.1 later, end-of-data: {reply: 451 4.3.0 no, nth: 1}}\n"
    "\n"
    "Ends with 0 after SIGINT or SIGTERM, 1 when it cannot serve, 2 when the file or the command line is wrong.\n";

static int usage(void)
{
    fputs("usage: fakemx [--json] [--ca-file FILE] HOSTS.yaml\ntry fakemx --help\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
                                                 {"ca-file", required_argument, NULL, 'c'},
                                                 {"manual", no_argument, NULL, 'm'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    struct options options = {0};
    for (int option; (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1;)
        switch (option) {
        case 'j':
            options.json = true;
            break;
        case 'c':
            options.ca_file = optarg;
            break;
        case 'm':
            schema_print_manual(&file_schema, stdout);
            return EXIT_SUCCESS;
        case 'h':
            fputs(help, stdout);
            return EXIT_SUCCESS;
        default:
            return usage();
        }
    if (optind != argc - 1)
        return usage();
    options.file = argv[optind];
    return read_and_serve(&options);
}
